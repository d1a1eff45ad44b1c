"""The embedded stack: PostgreSQL, Temporal and a worker, started in order, kept alive, stopped in order."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import structlog

from journeys import clock
from journeys.local.child import Child, Command, tail
from journeys.local.failures import DataDirUnusable, failed_start
from journeys.local.postgres import Postgres
from journeys.local.record import StackInfo, State, prepare, read_record, take_lock, write_record
from journeys.local.temporal_server import NAMESPACE, TemporalServer, hold_port, hold_ports

AfterStart = Callable[[StackInfo], Awaitable[None]]

WORKER: Final = "worker"
WEB: Final = "web"
WEB_PORT: Final = 8780
"""Where the application listens unless something else does."""

_START_SECONDS: Final = 60.0
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 5.0
# A part that lived this long did not die of its own start: the pause before the next one begins anew.
_SETTLED_SECONDS: Final = 10.0
_WORKER_STOP: Final = ((signal.SIGTERM, 15.0),)
_ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_log = structlog.get_logger("journeys.local")


class Part(Protocol):
    """What the stack keeps alive."""

    @property
    def name(self) -> str:
        """How logs call it."""

    def command(self) -> Command:
        """What to run."""

    async def ready(self) -> None:
        """Return once it can be used."""


class Worker:
    """A process of ours in the stack: any command line, told by its environment where the two servers are."""

    def __init__(self, command: Sequence[str], info: StackInfo, name: str = WORKER) -> None:
        self._argv = tuple(command)
        self._info = info
        self.name = name

    def command(self) -> Command:
        """The worker. What the person set for another Temporal server is not handed on."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        return Command(
            name=self.name,
            argv=self._argv,
            environment={**self._pages(), **inherited, **environment(self._info), **clock.environment()},
            directory=Path.cwd(),
            log=self._info.data_dir / "log" / f"{self.name}.log",
            stop=_WORKER_STOP,
        )

    def _pages(self) -> dict[str, str]:
        """Where Temporal's own pages are; what the person set says otherwise."""
        return {"JOURNEYS_TEMPORAL_UI": self._info.ui_url} if self._info.ui_url is not None else {}

    async def ready(self) -> None:
        """At once: Temporal keeps its work until it polls."""


class Web(Worker):
    """The web application of the stack, on the port that the record names."""

    def __init__(self, command: Sequence[str], info: StackInfo) -> None:
        super().__init__(command, info, WEB)
        self._port = _port(info.web_url)

    async def ready(self) -> None:
        """Return once it listens. Polls for ever: bound it from outside."""
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.close()
                return
            await asyncio.sleep(_FIRST_PAUSE_SECONDS)


def environment(info: StackInfo) -> dict[str, str]:
    """What a process needs in its environment to use this stack; besides `clock.environment()`."""
    return {
        "JOURNEYS_DATA_DIR": str(info.data_dir),
        "DATABASE_URL": info.database_url,
        "TEMPORAL_ADDRESS": info.temporal_address,
        "TEMPORAL_NAMESPACE": info.temporal_namespace,
    }


class Stack:
    """A running stack, by `async with Stack.start(...)`; on the main thread, for the children die with it."""

    def __init__(self, info: StackInfo, lock: int, ports: contextlib.ExitStack) -> None:
        self._info = info
        self._lock = lock
        self._ports = ports
        self._kept: list[_Kept] = []

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        data_dir: Path,
        *,
        worker_command: Sequence[str] | None = None,
        web_command: Sequence[str] | None = None,
        time_skipping: bool = False,
        ui: bool = False,
        after_start: AfterStart | None = None,
    ) -> AsyncIterator["Stack"]:
        """Start PostgreSQL and Temporal, await `after_start`, start the worker; stop all at the end.

        Args:
            data_dir: made where it is missing; all that the stack keeps is under it.
            worker_command: program and arguments, run in the current directory; None for no worker.
            web_command: program and arguments of the web application; `{port}` stands for its port.
            time_skipping: the server lets `journeys.local` skip virtual time; for demo and tests only.
            ui: serve Temporal's own web pages too.
            after_start: awaited once both servers are ready; what it raises stops the stack and goes on.

        Raises:
            LocalError: see journeys.local.failures; AlreadyRunning when these data are in use.
        """
        data_dir = prepare(data_dir)
        lock = take_lock(data_dir)
        with contextlib.ExitStack() as held:
            held.callback(os.close, lock)
            ports = hold_ports(held, ui=ui, **_former_ports(data_dir))
            postgres = Postgres(data_dir)
            temporal = TemporalServer(data_dir, ports, time_skipping=time_skipping)
            stack = cls(_first_info(data_dir, postgres, temporal, time_skipping), lock, held)
            stack._record("starting")
            try:
                await stack._begin(postgres, temporal)
                if after_start is not None:
                    await after_start(stack.info)
                if worker_command is not None:
                    await stack._keep(Worker(worker_command, stack.info))
                if web_command is not None:
                    await stack._serve(web_command)
                stack._record("running")
                yield stack
            finally:
                await stack._stop()

    @property
    def info(self) -> StackInfo:
        """As others read it in stack.json."""
        return self._info

    @property
    def database_url(self) -> str:
        """postgresql://… over a Unix socket."""
        return self._info.database_url

    @property
    def temporal_address(self) -> str:
        """host:port."""
        return self._info.temporal_address

    async def wait_ready(self, seconds: float = _START_SECONDS) -> None:
        """Return once every part is up and ready, also after one was lost.

        Raises:
            TimeoutError: not within `seconds`.
        """
        async with asyncio.timeout(seconds):
            for kept in self._kept:
                await kept.ready.wait()

    async def until_told_to_end(self) -> signal.Signals:
        """Wait for SIGINT, SIGTERM or SIGHUP, which then no longer end this process by themselves."""
        loop = asyncio.get_running_loop()
        told: asyncio.Future[signal.Signals] = loop.create_future()

        def tell(sign: signal.Signals) -> None:
            if not told.done():
                told.set_result(sign)

        for sign in _ENDING_SIGNALS:
            loop.add_signal_handler(sign, tell, sign)
        try:
            return await told
        finally:
            for sign in _ENDING_SIGNALS:
                loop.remove_signal_handler(sign)

    def record_clock(self) -> None:
        """Tell others (stack.json) that the clock of this process was moved."""
        self._record(self._info.state)

    async def _begin(self, postgres: Postgres, temporal: TemporalServer) -> None:
        await temporal.prepare(self._lock)
        await postgres.prepare(self._lock)
        # Both to their end, also when one fails: what was started is then known and stopped.
        outcomes = await asyncio.gather(self._keep(temporal), self._keep(postgres), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _keep(self, part: Part) -> None:
        kept = _Kept(part, self._lock, on_change=self._note_pid)
        self._kept.append(kept)
        await kept.start()

    async def _serve(self, command: Sequence[str]) -> None:
        """The application, on last time's port where it is free, so that an address noted down stays good."""
        port = hold_port(self._ports, _port(self._info.web_url), WEB_PORT)
        self._info = replace(self._info, web_url=f"http://127.0.0.1:{port}")
        await self._keep(Web([word.replace("{port}", str(port)) for word in command], self._info))

    def _note_pid(self, name: str, pid: int) -> None:
        self._info = replace(self._info, pids={**self._info.pids, name: pid})
        self._record_if_possible(self._info.state)

    def _record(self, state: State) -> None:
        self._info = replace(self._info, state=state, clock_offset=clock.offset())
        write_record(self._info)

    def _record_if_possible(self, state: State) -> None:
        """Where a full disk must not hinder starting a part again, or stopping: the lock is what counts."""
        try:
            self._record(state)
        except DataDirUnusable as error:
            _log.warning("stack.json is out of date", reason=str(error))

    async def _stop(self) -> None:
        """The worker first, so that it can still report; PostgreSQL last. No second interrupt cuts this."""
        await _uninterrupted(self._stop_parts())

    async def _stop_parts(self) -> None:
        order = (WEB, WORKER, TemporalServer.name, Postgres.name)
        for kept in sorted(self._kept, key=lambda kept: order.index(kept.part.name)):
            await kept.stop()
        self._record_if_possible("stopped")


class _Kept:
    """A part that is started again whenever it ends, until it is stopped."""

    def __init__(self, part: Part, lock: int, on_change: Callable[[str, int], None]) -> None:
        self.part = part
        self.ready = asyncio.Event()
        self._lock = lock
        self._on_change = on_change
        self._child: Child | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The first start.

        Raises:
            StartFailed, NoSpace: it ended, or was not ready in time.
        """
        child = await self._spawn()
        if not await self._becomes_ready(child):
            await child.kill()
            raise failed_start(self.part.name, child.command.log, tail(child.command.log))
        self._task = asyncio.create_task(self._watch(child), name=f"keep {self.part.name}")
        self._task.add_done_callback(self._unwatched)

    async def stop(self) -> None:
        """Stop it, whatever it is at."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._child is not None:
            await self._child.stop()

    async def _watch(self, child: Child) -> None:
        """Start it again, at once when it had lived, ever later when it does not come up."""
        pause = _FIRST_PAUSE_SECONDS
        started = time.monotonic()
        while True:
            code = await child.wait()
            self.ready.clear()
            # A signal says all by itself; of its own accord it ends with a reason.
            said = tail(child.command.log) if code >= 0 else ""
            if time.monotonic() - started > _SETTLED_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            _log.warning("part ended", part=self.part.name, exit=code, again_in_seconds=pause, log=said)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            started = time.monotonic()
            try:
                child = await self._spawn()
                up = await self._becomes_ready(child)
            except OSError as error:
                _log.error("part cannot be started", part=self.part.name, reason=str(error))
                continue
            if not up:
                _log.error("part does not start", part=self.part.name, log=tail(child.command.log))
                await child.kill()

    def _unwatched(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            _log.critical("part is no longer watched", part=self.part.name, reason=repr(task.exception()))

    async def _spawn(self) -> Child:
        child = await Child.spawn(self.part.command(), self._lock)
        self._child = child
        self._on_change(self.part.name, child.pid)
        return child

    async def _becomes_ready(self, child: Child) -> bool:
        """False when it ends before it is ready, or is not ready in time."""
        ending = asyncio.create_task(child.wait())
        readying = asyncio.create_task(self.part.ready())
        try:
            await asyncio.wait((ending, readying), timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not readying.done():
                return False
            readying.result()
        finally:
            for task in (ending, readying):
                task.cancel()
            await asyncio.wait((ending, readying))
        self.ready.set()
        _log.info("part ready", part=self.part.name, pid=child.pid)
        return True


async def _uninterrupted(work: Awaitable[None]) -> None:
    """Finish `work` even when this task is cancelled meanwhile; then be cancelled."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError


def _first_info(data_dir: Path, postgres: Postgres, temporal: TemporalServer, time_skipping: bool) -> StackInfo:
    return StackInfo(
        state="starting",
        pid=os.getpid(),
        started_at=datetime.now(UTC),
        data_dir=data_dir,
        database_url=postgres.url,
        temporal_address=temporal.address,
        temporal_namespace=NAMESPACE,
        ui_url=temporal.ui_url,
        web_url=former.web_url if (former := read_record(data_dir)) is not None else None,
        time_skipping=time_skipping,
        clock_offset=clock.offset(),
        pids={},
    )


def _former_ports(data_dir: Path) -> dict[str, int]:
    """(frontend, ui_port) of last time, as `hold_ports` takes them."""
    former = read_record(data_dir)
    if former is None:
        return {}
    return {"frontend": _port(former.temporal_address), "ui_port": _port(former.ui_url)}


def _port(address: str | None) -> int:
    port = (address or "").rpartition(":")[2]
    return int(port) if port.isdecimal() else 0
