"""`journeys up` once for the room, as a person would run it, and the command line in this process and in its own."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from journeys import clock
from journeys.app.cli.main import run
from tests.homes import a_home

REPOSITORY = Path(__file__).parents[2]
TEAM = {"aline": "referent", "bob": "referent", "sam": "supervisor", "fin": "finance", "garde": "duty"}


@dataclass(frozen=True)
class Said:
    """What one command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["error"]
        return found

    @property
    def journey(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["journeys"][0]
        return found


Journeys = Callable[..., Said]


_LEFT_OUT: Final = ("DATABASE_URL", "LANG", "PYTHONUNBUFFERED")


def plain_environment(**variables: str) -> dict[str, str]:
    """The environment without what could lead elsewhere, or flushes what the product must."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "JOURNEYS_SEALING_KEY"
        or (not name.startswith(("JOURNEYS_", "TEMPORAL_", "PG", "LC_")) and name not in _LEFT_OUT)
    }
    return {**kept, "PYTHONPATH": str(REPOSITORY), **variables}


@dataclass(frozen=True)
class Up:
    """A running stack, and what it said of itself."""

    data_dir: Path
    found: dict[str, Any]
    process: subprocess.Popen[str]


WITHOUT_PAGES = "from journeys.app.cli import main, running; running.WEB_COMMAND = None; main()"


@contextlib.contextmanager
def gone_up(*words: str, pages: bool = True, **variables: str) -> Iterator[Up]:
    """`journeys up` on data of its own, as a person would run it; told to end afterwards, which it does in order.

    Without pages where nobody looks at them: their process takes as long to begin as all the others together.
    """
    program = ["-m", "journeys.app.cli"] if pages else ["-c", WITHOUT_PAGES]
    with a_home() as home:
        with (home / "stderr").open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, *program, "up", "--json", *words],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=REPOSITORY,
                env=plain_environment(JOURNEYS_DATA_DIR=str(home / "data"), **variables),
            )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, (home / "stderr").read_text()
            yield Up(home / "data", json.loads(line), process)
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(30)
        assert code == 0, (home / "stderr").read_text()


@pytest.fixture(scope="package")
def up() -> Iterator[Up]:
    with gone_up() as found:
        yield found


@pytest.fixture
def journeys(monkeypatch: pytest.MonkeyPatch) -> Journeys:
    """The command line in this process, without a stack, speaking French."""
    make_plain(monkeypatch)
    return in_this_process


def make_plain(patch: pytest.MonkeyPatch) -> None:
    """An environment in which nothing leads elsewhere."""
    for name in set(os.environ) - set(plain_environment()):
        patch.delenv(name)


def in_this_process(*words: str, stdin: str = "", **variables: str) -> Said:
    """The command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        patch.setattr(clock, "_offset", None)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(words)
    assert "Traceback" not in out.getvalue() + err.getvalue()
    return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture
def nowhere(tmp_path: Path, journeys: Journeys, monkeypatch: pytest.MonkeyPatch) -> Journeys:
    """The command line with an empty data directory: nothing runs."""
    monkeypatch.setenv("JOURNEYS_DATA_DIR", str(tmp_path / "data"))
    return journeys


@pytest.fixture(scope="package")
def team(up: Up) -> dict[str, str]:
    """Staff and a fund; handle to role."""
    with pytest.MonkeyPatch.context() as patch:
        make_plain(patch)
        for handle, role in TEAM.items():
            _made(up, "staff", "add", handle, "--name", f"{handle.capitalize()} R.", "--role", role)
        _made(up, "fund", "open", "parvis-solidaire", "--balance", "100000")
    return TEAM


def _made(up: Up, *words: str) -> None:
    done = in_this_process(*words, JOURNEYS_DATA_DIR=str(up.data_dir))
    assert done.code == 0, done.err


@pytest.fixture
def here(up: Up, team: dict[str, str], journeys: Journeys, monkeypatch: pytest.MonkeyPatch) -> Journeys:
    """The command line before the running stack, with staff."""
    monkeypatch.setenv("JOURNEYS_DATA_DIR", str(up.data_dir))
    return journeys


def in_its_own(*words: str, **variables: str) -> Said:
    """The command line as a process of its own, left as people leave it."""
    done = subprocess.run(
        [sys.executable, "-m", "journeys.app.cli", *words],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=REPOSITORY,
        env=plain_environment(**variables),
    )
    assert "Traceback" not in done.stdout + done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def process() -> Callable[..., Said]:
    """`in_its_own`."""
    return in_its_own


@pytest.fixture
def started(here: Journeys) -> Callable[..., str]:
    """Begin a journey of a person never seen before; its id."""
    count = iter(range(1, 1000))

    def begin(*more: str, name: str | None = None, programme: str = "auxilia") -> str:
        token = os.urandom(4).hex()
        person = name or f"Essai N{token}x{next(count)}"
        words = [
            "start",
            "-p",
            programme,
            "--person",
            person,
            "--reference",
            f"R-{token}",
            "--referent",
            "aline",
            *more,
        ]
        if programme == "auxilia" and "--release" not in more:
            words += ["--release", "2099-05-12"]
        done = here(*words, "--json")
        assert done.code == 0, done.out + done.err
        id: str = done.journey["id"]
        return id

    return begin
