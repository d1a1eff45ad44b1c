"""One child process: tied to the supervisor's life, holding its lock, writing to a log, stopped in steps."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from journeys.local.identity import TETHER, RunAs

_LOG_LIMIT_BYTES: Final = 10_000_000
_TAIL_BYTES: Final = 2_000
_TAIL_LINES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How a child is run. `stop`, in order: (signal, seconds to wait for the end); SIGKILL comes last."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    run_as: RunAs = field(default_factory=lambda: RunAs("same"))
    death_signal: signal.Signals = signal.SIGKILL
    stop: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, 10.0),)


class Child:
    """A running child. Made by `Child.spawn`."""

    def __init__(self, command: Command, process: asyncio.subprocess.Process) -> None:
        self.command = command
        self._process = process

    @classmethod
    async def spawn(cls, command: Command, lock: int) -> "Child":
        """Start it in a session of its own, `lock` (an open descriptor) inherited.

        Raises:
            RuntimeError: not on the main thread; the kernel's death signal follows the thread that forked.
            OSError: the log or the program cannot be opened.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("children are started from the main thread: they die with the thread that did")
        tether = (sys.executable, "-I", "-S", str(TETHER), str(os.getpid()))
        with _log_file(command.log) as log:
            process = await asyncio.create_subprocess_exec(
                *tether,
                str(int(command.death_signal)),
                command.run_as.argument,
                *command.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=command.directory,
                env=dict(command.environment),
                pass_fds=(lock,),
                start_new_session=True,
            )
        return cls(command, process)

    @property
    def pid(self) -> int:
        """Its process id, which is also that of its session."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """True once it has gone."""
        return self._process.returncode is not None

    async def wait(self) -> int:
        """Its exit code, negative for a signal."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end, ever more firmly, and wait until it has."""
        for sign, patience in self.command.stop:
            if self.ended:
                return
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(sign)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), patience)
        await self.kill()

    async def kill(self) -> None:
        """End it and its session at once."""
        if not self.ended:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()


def tail(log: Path) -> str:
    """The last lines of a log, for an error message; "" when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])


def _log_file(path: Path) -> IO[bytes]:
    """The log opened for appending, readable by its owner only; a long one is first laid aside."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
