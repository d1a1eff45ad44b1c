"""Workers forked from a process that has imported everything already: they begin at once, as often as they are killed.

    python -m tests.faults.nursery

Reads one order a line, JSON: "number", "environment", "log". Says "born NUMBER PID" and "gone NUMBER CODE" (of a
signal its negative), and ends with its input; a worker dies with it. Each worker runs `worker_with_kills.py` from its
first line, in its own environment; only what is imported is older than it.
"""

import asyncio
import atexit
import json
import os
import random
import runpy
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import asyncpg

from journeys.local.identity import TETHER
from tests.faults.servers import REPO

SCRIPT: Final = Path(__file__).with_name("worker_with_kills.py")
BORN_SECONDS: Final = 120.0
"""For the imports of the first, on a machine that does much else."""
SERVED_SECONDS: Final = 15.0
"""How long a worker waits for its servers before it begins all the same."""
_BETWEEN_LOOKS: Final = 0.02
_PR_SET_PDEATHSIG: Final = 1


@dataclass
class Forked:
    """A worker as `subprocess.Popen` would have it."""

    pid: int = 0
    returncode: int | None = None
    born: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)

    def poll(self) -> int | None:
        """Its exit code once it has ended."""
        return self.returncode if self.gone.is_set() else None

    def wait(self) -> None:
        self.gone.wait()

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def _send(self, sign: signal.Signals) -> None:
        if not self.born.wait(BORN_SECONDS):
            raise RuntimeError("a worker was not begun")
        if not self.gone.is_set():
            # Nobody else takes its number before the nursery has buried it, which it says.
            try:
                os.kill(self.pid, sign)
            except ProcessLookupError:
                self.gone.wait(BORN_SECONDS)


class Nursery:
    """The process that forks; it dies with this one."""

    def __init__(self) -> None:
        tether = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(int(signal.SIGKILL)), "same"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FAULTS_")}
        self._process = subprocess.Popen(
            [*tether, sys.executable, "-m", "tests.faults.nursery"], cwd=REPO,
            env={**environment, "PYTHONPATH": str(REPO)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._children: dict[int, Forked] = {}
        threading.Thread(target=self._listen, daemon=True).start()
        atexit.register(self._end)

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def begin(self, environment: Mapping[str, str], log: Path) -> Forked:
        """A new worker with this environment; what it says is appended to `log`."""
        number, forked = len(self._children), Forked()
        self._children[number] = forked
        order = {"number": number, "environment": dict(environment), "log": str(log)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return forked

    def _end(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            what, number, value = line.split()
            forked = self._children[int(number)]
            if what == "born":
                forked.pid = int(value)
                forked.born.set()
            else:
                forked.returncode = int(value)
                forked.gone.set()
        code = self._process.wait()
        for forked in self._children.values():
            if not forked.gone.is_set():
                forked.returncode = code or 1
                forked.born.set()
                forked.gone.set()


_KEPT: Final[list[Nursery]] = []


def begin(environment: Mapping[str, str], log: Path) -> Forked:
    """A worker of the nursery of this process, which is made at the first and serves all."""
    if not _KEPT or not _KEPT[-1].runs:
        _KEPT.append(Nursery())
    return _KEPT[-1].begin(environment, log)


# --- in the nursery


def main() -> None:
    import worker  # noqa: F401  # What takes a second or two, and is imported once here.

    orders, told = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "w", buffering=1)
    waiting, children = b"", dict[int, int]()
    while True:
        ready, _, _ = select.select([orders], [], [], _BETWEEN_LOOKS if children else None)
        if ready:
            if not (read := os.read(orders.fileno(), 65_536)):
                os._exit(0)
            *lines, waiting = (waiting + read).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = _fork(order, told)
                children[pid] = order["number"]
                print("born", order["number"], pid, file=told)
        while children and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            print("gone", children.pop(ended[0]), os.waitstatus_to_exitcode(ended[1]), file=told)


def _fork(order: Mapping[str, Any], told: IO[str]) -> int:
    """Begin a worker; returns in the nursery alone."""
    parent = os.getpid()
    if pid := os.fork():
        return pid
    try:
        _become(order, parent)
        asyncio.run(_served(order["environment"]))
        runpy.run_path(str(SCRIPT), run_name="__main__")
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _become(order: Mapping[str, Any], parent: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    os.environ.clear()
    os.environ.update(order["environment"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, 256)
    time.tzset()
    random.seed()
    sys.argv = [str(SCRIPT)]
    sys.path[0] = str(SCRIPT.parent)


async def _served(environment: Mapping[str, str]) -> None:
    """Until both servers are there, as a supervisor has it: a worker that finds none ends by itself."""
    host, _, port = environment["TEMPORAL_ADDRESS"].rpartition(":")
    end = time.monotonic() + SERVED_SECONDS
    while time.monotonic() < end:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError):
            connection = await asyncpg.connect(environment["DATABASE_URL"], timeout=SERVED_SECONDS)
            await connection.close()
            _, writer = await asyncio.open_connection(host, int(port))
            writer.close()
            return
        await asyncio.sleep(_BETWEEN_LOOKS)


if __name__ == "__main__":
    main()
