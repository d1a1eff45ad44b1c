"""What the application works with: two pools, the engine, keys and settings; opened once a process."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from journeys import clock
from journeys.app.entry import key_ring
from journeys.app.publishing import in_force
from journeys.app.web.trials import Bench
from journeys.domain.programme import Programme
from journeys.settings import Settings
from journeys.store.database import Pool, open_pool
from journeys.store.keys import Keys
from journeys.store.signing import KeyRing

if TYPE_CHECKING:
    from temporalio.client import Client

_READERS: Final = 10
_WRITERS: Final = 4
_REMEMBERED_SECONDS: Final = 30.0
_ASKED: Final = timedelta(seconds=2)


@dataclass(slots=True)
class House:
    """The application's means. `reading` acts as journeys_web: what it sees depends on who entered."""

    settings: Settings
    reading: Pool
    writing: Pool
    ring: KeyRing
    temporal_address: str | None = None
    bench: Bench = field(default_factory=Bench)
    _client: "Client | None" = None
    _programmes: Mapping[str, Programme] = field(default_factory=dict)
    _programmes_until: float = 0.0

    @property
    def now(self) -> datetime:
        """The present, or what stands for it."""
        return clock.now()

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
        """Programmes in force, by name; remembered for half a minute."""
        if time.monotonic() >= self._programmes_until:
            self._programmes = {name: known for name, (_, known) in (await in_force(self.writing)).items()}
            self._programmes_until = time.monotonic() + _REMEMBERED_SECONDS
        return self._programmes

    def forget_programmes(self) -> None:
        """Look anew at the next use: one may have been put in force."""
        self._programmes_until = 0.0


@asynccontextmanager
async def open_house(settings: Settings, database_url: str, temporal_address: str | None) -> AsyncIterator[House]:
    """Open the pools; Temporal is met at the first command. Raises what `open_pool` raises, SettingsError."""
    keys = Keys.beside(database_url, settings)
    reading = await open_pool(database_url, role="journeys_web", smallest=2, largest=_READERS, keys=keys)
    try:
        writing = await open_pool(database_url, smallest=1, largest=_WRITERS, keys=keys)
        try:
            yield House(settings, reading, writing, key_ring(settings), temporal_address)
        finally:
            writing.terminate()
    finally:
        reading.terminate()
