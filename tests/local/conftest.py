"""What the tests of the embedded stack share: a data directory with a short path, a look at the processes."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.homes import a_home


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Does not exist yet; its path is short enough for a socket, and everybody can reach it."""
    with a_home() as parent:
        yield parent / "data"


@pytest.fixture
def worker_notes(data_dir: Path) -> Path:
    """The file in which beating_worker.py notes what happens to it."""
    return data_dir.parent / "worker.txt"


@pytest.fixture
def worker_command(worker_notes: Path) -> list[str]:
    return [sys.executable, str(Path(__file__).with_name("beating_worker.py")), str(worker_notes)]


def processes_of(data_dir: Path) -> dict[int, str]:
    """Living processes, by pid, that work in `data_dir` or name it in their command line; this one apart."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = os.readlink(entry / "cwd")
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
        if str(data_dir) in command or Path(place).is_relative_to(data_dir):
            found[int(entry.name)] = command
    return found


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """True as soon as `holds`, False when it does not within `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return holds()
