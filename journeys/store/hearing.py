"""Whoever waits for a command's answer hears that the journal has it, in the moment in which it is durable."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final
from weakref import WeakKeyDictionary

import asyncpg

from journeys.store.database import AWAY, CONNECT_SECONDS, Pool

CHANNEL: Final = "answered"
_PAUSE_SECONDS: Final = 0.5


class Ear:
    """One connection that only listens, made anew when it is lost. Deaf meanwhile: nobody may rely on hearing."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._awaited: dict[str, asyncio.Event] = {}
        self._listening: asyncio.Task[None] | None = None
        self._hears = asyncio.Event()

    async def open(self) -> None:
        """Begin to listen, and return when it does, or when no server answers within the time of a connection."""
        self._listening = asyncio.create_task(self._listen())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hears.wait(), CONNECT_SECONDS)

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])

    @contextmanager
    def awaiting(self, command: str) -> Iterator[asyncio.Event]:
        """An event that is set once the journal has answered this command after now, if that is heard."""
        heard = self._awaited.setdefault(command, asyncio.Event())
        try:
            yield heard
        finally:
            self._awaited.pop(command, None)

    async def _listen(self) -> None:
        while True:
            with suppress(*AWAY):
                await self._listen_once()
            self._hears.clear()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _listen_once(self) -> None:
        gone = asyncio.Event()
        connection = await asyncpg.connect(
            self._dsn, timeout=CONNECT_SECONDS, server_settings={"application_name": "journeys-ear"}
        )
        try:
            connection.add_termination_listener(lambda _: gone.set())
            await connection.execute("SET ROLE journeys_reader", timeout=CONNECT_SECONDS)
            await connection.add_listener(CHANNEL, self._told)
            self._hears.set()
            await gone.wait()
        finally:
            connection.terminate()

    def _told(self, _connection: Any, _pid: int, _channel: str, command: str) -> None:
        if (heard := self._awaited.get(command)) is not None:
            heard.set()


_EARS: Final[WeakKeyDictionary[Pool, Ear]] = WeakKeyDictionary()


@asynccontextmanager
async def hearing(pool: Pool, dsn: str) -> AsyncIterator[Ear]:
    """Until the end of the block, whoever gives commands beside this pool hears of their answers."""
    ear = _EARS[pool] = Ear(dsn)
    try:
        await ear.open()
        yield ear
    finally:
        del _EARS[pool]
        await ear.close()


def ear_of(pool: Pool) -> Ear | None:
    """The ear beside a pool, where there is one: of a process that stays, as a single command's does not."""
    return _EARS.get(pool)
