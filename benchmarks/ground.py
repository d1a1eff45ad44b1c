"""What figures are measured on: the embedded stack, workers as processes of their own, signed commands."""

import asyncio
import os
import secrets
import shutil
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from temporalio.client import Client

from journeys import temporal
from journeys.authoring.calendars import calendar_text
from journeys.authoring.reading import read_programme
from journeys.domain import commands as c
from journeys.domain.commands import AnyBody, Command
from journeys.local.stack import Stack, environment
from journeys.settings import Settings, load_settings
from journeys.store import publishing
from journeys.store.database import Pool, open_pool
from journeys.store.hearing import hearing
from journeys.store.keys import Keys, prepare
from journeys.store.migrating import migrate
from journeys.store.signing import KeyRing, draw_parts, sign

PROGRAMME: Final = "auxilia"
ROOT: Final = Path(__file__).parent.parent

_BARE_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS bare
        (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, batch text NOT NULL, body bytea NOT NULL);
    CREATE TABLE IF NOT EXISTS bare_waited
        (batch text NOT NULL, body bytea NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
    GRANT SELECT, INSERT ON bare, bare_waited TO journeys_writer;
"""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process: the product's own worker on `queue`, the references' on `bare_queue`, in one process."""

    pid: int
    queue: str
    bare_queue: str


@dataclass(frozen=True, slots=True)
class Place:
    """A running stack with its schema, the client and the pool of the callers."""

    stack: Stack
    settings: Settings
    client: Client
    pool: Pool
    ring: KeyRing
    programme: str
    calendar: str

    def plan(self, release_in_days: int = 40) -> Command:
        """The signed plan of a new journey."""
        now = datetime.now(UTC)
        body = c.Plan(
            person=str(uuid.uuid4()), programme=self.programme, calendar=self.calendar, referent=REFERENT,
            dates={"release": now.date() + timedelta(days=release_in_days)},
        )  # fmt: skip
        return self.signed(f"journey-{uuid.uuid4()}", body)

    def note(self, stream: str, referent: str | None = None) -> Command:
        """A signed add-note with a text of some 100 characters, of the journey's referent."""
        return signed(
            self.ring,
            stream,
            c.AddNote(),
            datetime.now(UTC),
            by=referent or REFERENT,
            text="Vu ce matin au local, il va mieux et demande des nouvelles. " * 2,
        )

    def signed(self, stream: str, body: AnyBody, **texts: str) -> Command:
        """A command of the referent's, as an entry point makes it."""
        return signed(self.ring, stream, body, datetime.now(UTC), **texts)

    @asynccontextmanager
    async def worker(self, queue: str | None = None, *, whole: bool = False) -> AsyncIterator[Worker]:
        """A worker process of its own, until the end of the block; on a new task queue unless one is named.

        Args:
            whole: as it is served, with its schedules; then there is none for the references.
        """
        queue = queue or f"journeys-{uuid.uuid4()}"
        key = self.ring.keys[self.ring.current_id].hex()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.serving", queue, *(["whole"] if whole else []),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
            env={**os.environ, **environment(self.stack.info),
                 "JOURNEYS_SIGNING_KEY": key, "JOURNEYS_SEALING_KEY": key},
        )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        try:
            ready = await asyncio.wait_for(process.stdout.readline(), 60)
            if not ready:
                raise RuntimeError("the worker did not start")
            # What the library says goes there too; a pipe that nobody reads would hold the process up once it is full.
            reading = asyncio.create_task(process.stdout.read())
            yield Worker(process.pid, queue, f"{queue}-bare")
            process.stdin.close()
            await reading
        finally:
            process.stdin.close()
            await asyncio.wait_for(process.wait(), 60)


REFERENT: Final = str(uuid.uuid4())


def signed(
    ring: KeyRing, stream: str, body: AnyBody, at: datetime, *, by: str = REFERENT, role: str = "referent", **texts: str
) -> Command:
    """A command, of the referent's unless another is named, signed at an instant."""
    parts, commitments = draw_parts(texts)
    command = Command(
        id=str(uuid.uuid4()), stream=stream, body=body, actor=by, roles=(role,), occurred_at=at,
        signed_at=at, parts=parts, commitments=commitments,
    )  # fmt: skip
    return sign(command, ring)


class Ground:
    """Stacks that are started when the first figure asks for them, and stopped at the end."""

    def __init__(self) -> None:
        self._opened = AsyncExitStack()
        self._places: dict[bool, Place] = {}

    async def __aenter__(self) -> "Ground":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    async def place(self, *, time_skipping: bool = False) -> Place:
        """The stack; one with time skipping is another, for what is counted and not timed."""
        if time_skipping not in self._places:
            self._places[time_skipping] = await self._opened.enter_async_context(_place(time_skipping))
        return self._places[time_skipping]


@asynccontextmanager
async def _place(time_skipping: bool) -> AsyncIterator[Place]:
    home = Path(tempfile.mkdtemp(prefix="journeys-bench-"))
    home.chmod(0o755)
    key = secrets.token_hex(32)
    try:
        async with Stack.start(home, time_skipping=time_skipping) as stack:
            await migrate(stack.database_url)
            settings = load_settings(
                data_dir=home, database_url=stack.database_url, temporal_address=stack.temporal_address,
                signing_key=key, sealing_key=key,
            )  # fmt: skip
            kept = Keys.beside(stack.database_url, settings)
            await prepare(kept.dsn)
            owner = await open_pool(stack.database_url, role=None, check=False, keys=kept)
            await owner.execute(_BARE_TABLE)
            await owner.close()
            pool = await open_pool(stack.database_url, keys=kept)
            keys = settings.signing_keys()
            async with hearing(pool, stack.database_url):
                yield Place(
                    stack, settings, await temporal.connect(settings, kept, stack.temporal_address), pool,
                    KeyRing(keys.current, dict(keys.by_id)),
                    await publishing.keep(pool, "programme", PROGRAMME, read_programme(PROGRAMME).text),
                    await publishing.keep(
                        pool, "calendar", "FR", calendar_text("Europe/Paris", "FR", date.today().year)
                    ),
                )  # fmt: skip
            await pool.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)
