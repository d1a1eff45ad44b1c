"""What the application works with: two pools, the engine, keys and settings; opened once a process."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from journeys import clock
from journeys.app.entry import key_ring
from journeys.app.publishing import in_force
from journeys.app.web.trials import Bench
from journeys.domain.programme import Programme
from journeys.settings import Settings
from journeys.store import reads, sites
from journeys.store.database import LOST, Pool, open_pool
from journeys.store.hearing import hearing
from journeys.store.keys import Keys
from journeys.store.signing import KeyRing

if TYPE_CHECKING:
    from temporalio.client import Client

_READERS: Final = 10
_WRITERS: Final = 4
_REMEMBERED_SECONDS: Final = 30.0
_ZONES_SECONDS: Final = 100.0
_ASKED: Final = timedelta(seconds=2)
_GATHERED_SECONDS: Final = 0.3
_AGAIN_SECONDS: Final = 2.0
_MOST_LOOKS: Final = 10_000
"""Looks that wait for a database that is away; more of them than pages that can be shown without one."""


@dataclass(slots=True)
class House:
    """The application's means. `reading` acts as journeys_web: what it sees depends on who entered."""

    settings: Settings
    reading: Pool
    writing: Pool
    ring: KeyRing
    temporal_address: str | None = None
    bench: Bench = field(default_factory=Bench)
    zones: Mapping[str, str] = field(default_factory=dict)
    """Of each site that was described, as known since programmes were last asked for."""
    _client: "Client | None" = None
    _programmes: Mapping[str, Programme] = field(default_factory=dict)
    _programmes_until: float = 0.0
    _zones_until: float = 0.0
    _looks: list[reads.Read] = field(default_factory=list)
    _writing_looks: "asyncio.Task[None] | None" = None
    _one_writes: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def now(self) -> datetime:
        """The present, or what stands for it."""
        return clock.now()

    def looked(self, look: reads.Read) -> None:
        """Note a look into a file: written with its neighbours a moment later, so no page waits for it."""
        if len(self._looks) >= _MOST_LOOKS:
            structlog.get_logger().error("a look into a file was not noted", journey=look.journey, staff=look.staff)
            return
        self._looks.append(look)
        if self._writing_looks is None or self._writing_looks.done():
            # A context of its own: it outlives the request that began it.
            self._writing_looks = asyncio.get_running_loop().create_task(self._write_soon(), context=Context())

    async def write_looks(self) -> None:
        """Write what was noted. Raises what the database raises; nothing is forgotten then."""
        # One at a time: two would write the same lines.
        async with self._one_writes:
            while looks := self._looks[:]:
                await reads.note(self.reading, looks)
                del self._looks[: len(looks)]

    async def _write_soon(self) -> None:
        await asyncio.sleep(_GATHERED_SECONDS)
        while self._looks:
            try:
                await self.write_looks()
            except LOST as error:
                structlog.get_logger().warning("looks into files wait to be noted", reason=type(error).__name__)
                await asyncio.sleep(_AGAIN_SECONDS)

    async def close(self) -> None:
        """Write what still waits; a database that is away gets two seconds."""
        if self._writing_looks is not None:
            self._writing_looks.cancel()
            await asyncio.wait([self._writing_looks])
        try:
            await asyncio.wait_for(self.write_looks(), _AGAIN_SECONDS)
        except LOST as error:
            structlog.get_logger().error(
                "looks into files were not noted", count=len(self._looks), reason=type(error).__name__
            )

    async def client(self) -> "Client":
        """Temporal, connected at the first use. Raises temporal.Unreachable."""
        if self._client is None:
            from journeys.temporal import Unreachable, connect

            try:
                async with asyncio.timeout(5):
                    self._client = await connect(self.settings, self.writing.keys, self.temporal_address, entering=True)
            except TimeoutError as error:
                raise Unreachable("Temporal does not answer") from error
        return self._client

    async def engine_answers(self) -> bool:
        """Whether Temporal serves now: it is asked, and has two seconds."""
        from journeys.temporal import Unreachable, serves

        try:
            return await serves(await self.client(), _ASKED)
        except Unreachable:
            return False

    async def programmes(self) -> Mapping[str, Programme]:
        """Programmes in force, by name; remembered for half a minute, the zones of sites for longer."""
        if time.monotonic() >= self._programmes_until:
            self._programmes = {name: known for name, (_, known) in (await in_force(self.writing)).items()}
            self._programmes_until = time.monotonic() + _REMEMBERED_SECONDS
        if time.monotonic() >= self._zones_until:
            self.zones = {each.code: each.zone for each in await sites.sites(self.writing)}
            self._zones_until = time.monotonic() + _ZONES_SECONDS
        return self._programmes

    def forget_programmes(self) -> None:
        """Look anew at the next use: one may have been put in force."""
        self._programmes_until = self._zones_until = 0.0


@asynccontextmanager
async def open_house(settings: Settings, database_url: str, temporal_address: str | None) -> AsyncIterator[House]:
    """Open the pools; Temporal is met at the first command. Raises what `open_pool` raises, SettingsError."""
    keys = Keys.beside(database_url, settings)
    keys.listen()
    reading = await open_pool(database_url, role="journeys_web", smallest=2, largest=_READERS, keys=keys)
    try:
        writing = await open_pool(database_url, smallest=1, largest=_WRITERS, keys=keys)
        try:
            house = House(settings, reading, writing, key_ring(settings), temporal_address)
            async with hearing(writing, database_url):
                try:
                    yield house
                finally:
                    await house.close()
        finally:
            writing.terminate()
    finally:
        reading.terminate()
