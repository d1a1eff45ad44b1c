"""PostgreSQL and Temporal under their own supervisor, in a process of its own, as real use has them: time never skips.

    servers.py DATA_DIR

Prints "up" and stays until its input ends, so that nothing is left when the campaign itself is killed.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import structlog

from journeys.local.record import StackInfo, read_record
from journeys.local.stack import Stack

REPO: Final = Path(__file__).parents[2]
Server = Literal["postgres", "temporal"]


@dataclass(frozen=True)
class Servers:
    """Two running servers, known by what their supervisor writes down."""

    home: Path

    @property
    def info(self) -> StackInfo:
        """Where they are now, and their process ids."""
        found = read_record(self.home)
        assert found is not None
        return found

    def kill(self, server: Server) -> None:
        """kill -9; the supervisor brings it back."""
        os.kill(self.info.pids[server], signal.SIGKILL)

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Temporal, then PostgreSQL stopped, and nobody who starts them again before the end of the block."""
        supervisor = self.info.pid
        os.kill(supervisor, signal.SIGSTOP)
        try:
            for server, sign in (("temporal", signal.SIGTERM), ("postgres", signal.SIGINT)):
                os.kill(self.info.pids[server], sign)
                _gone(self.info.pids[server])
            yield
        finally:
            os.kill(supervisor, signal.SIGCONT)

    @contextmanager
    def frozen_postgres(self) -> Iterator[None]:
        """Every process of PostgreSQL stopped (SIGSTOP): it accepts, and never answers."""
        main = self.info.pids["postgres"]
        stopped = [main, *_children(main)]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


def _gone(pid: int, seconds: float = 20) -> None:
    """Wait until a process has ended, whoever is to bury it; kill it when it takes too long."""
    end = time.monotonic() + seconds
    stat = Path(f"/proc/{pid}/stat")
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


@contextmanager
def running_servers(home: Path) -> Iterator[Servers]:
    """Both servers on data under `home`, whose path is short enough for a socket."""
    log = home.parent / "servers.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), str(home)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, cwd=REPO,
            env={**os.environ, "PYTHONPATH": str(REPO)},
        )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        if process.stdout.readline() != b"up\n":
            raise RuntimeError(log.read_text())
        yield Servers(home)
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


def new_pid(servers: Servers, server: Server, before: int, seconds: float = 30) -> bool:
    """Whether the supervisor has begun the server anew within so many seconds."""
    end = time.monotonic() + seconds
    while servers.info.pids[server] == before:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


async def _serve(home: Path) -> None:
    async with Stack.start(home):
        print("up", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(_serve(Path(sys.argv[1])))
