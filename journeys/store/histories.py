"""Histories of runs that ended, kept beyond the engine's retention: sealed, with their digest in the journal."""

import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from journeys.contract import Run
from journeys.domain.directory import HistoryKept
from journeys.store import erasing
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, record
from journeys.store.sealing import CannotUnseal, seal, unseal
from journeys.store.signing import KeyRing
from journeys.store.treasury import STREAM

_AT_ONCE: Final = 200
_FIRST: Final = "00000000-0000-0000-0000-000000000000"


class Altered(Exception):
    """What was kept of a run is not what was exported of it, or is not there any more."""

    def __init__(self, run: str, why: str) -> None:
        super().__init__(f"the history of run {run}: {why}")
        self.run = run
        self.why = why


@dataclass(frozen=True, slots=True)
class Kept:
    """A run whose history is kept."""

    run: str
    stream: str
    events: int
    closed_at: datetime


async def missing(pool: Pool, runs: Sequence[str]) -> set[str]:
    """Those of these runs whose history is not kept yet."""
    rows = await pool.fetch(
        "SELECT run::text FROM unnest($1::uuid[]) AS asked (run) WHERE NOT EXISTS"
        " (SELECT FROM histories h WHERE h.run = asked.run)",
        list(runs),
    )
    return {row["run"] for row in rows}


async def not_kept(pool: Pool, runs: AsyncIterator[Run], beat: Callable[[], None] = lambda: None) -> AsyncIterator[Run]:
    """Those of these runs whose history is not kept yet, asked by the hundred; `beat` is called for each run.

    Of whoever is forgotten, or is being forgotten, nothing is to be kept.
    """
    page = list[Run]()

    async def of_page() -> list[Run]:
        wanted, forgotten = await missing(pool, [run.id for run in page]), await erasing.journeys_ordered(pool)
        return [run for run in page if run.id in wanted and run.stream not in forgotten]

    async for run in runs:
        beat()
        page.append(run)
        if len(page) == _AT_ONCE:
            for each in await of_page():
                yield each
            page = []
    for each in await of_page():
        yield each


async def keep(pool: Pool, ring: KeyRing, run: Run, history: bytes, by: By) -> bool:
    """Keep an exported history and record its digest; False when it was kept before, or its person is forgotten.

    An erasure that is ordered meanwhile waits, and then deletes what was kept here.
    """
    digest = sha256(history)
    fact = HistoryKept(
        journey=run.stream, run=run.id, digest=digest.hexdigest(), events=run.events, closed_at=run.closed_at
    )
    async with pool.acquire() as connection, connection.transaction():
        if await _forgotten(connection, run.stream):
            return False
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", _place(run.id))
        if await connection.fetchval("SELECT true FROM histories WHERE run = $1", run.id):
            return False
        seq = await record(connection, STREAM, [Fact(fact)], by)
        await connection.execute(
            "INSERT INTO histories (run, stream, digest, events, closed_at, seq) VALUES ($1, $2, $3, $4, $5, $6)",
            run.id, run.stream, digest.digest(), run.events, run.closed_at, seq,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO history_files (run, sealed) VALUES ($1, $2)",
            run.id, seal(ring, zlib.compress(history, 6), _place(run.id)),
        )  # fmt: skip
    return True


async def _forgotten(connection: Connection, stream: str) -> bool:
    """Whether somebody ordered that the person of a journey be forgotten; nobody does to the end of the transaction."""
    person: str | None = await connection.fetchval(
        "SELECT person::text FROM journeys WHERE id = journey_of($1)", stream
    )
    if person is None or not await erasing.lock(connection, person):
        return False
    return await erasing.ordered(connection, person) is not None


async def of_stream(pool: Pool, stream: str) -> list[Kept]:
    """The runs of a journey whose history is kept, in the order in which they ended."""
    rows = await pool.fetch(
        "SELECT run::text, stream, events, closed_at FROM histories WHERE stream = $1 ORDER BY closed_at, seq", stream
    )
    return [Kept(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Shelved:
    """How many histories were kept, how many of their files are there, and how far they go."""

    noted: int
    there: int
    last: datetime | None
    """When the last of their runs ended."""


async def shelved(pool: Pool) -> Shelved:
    """What is kept, as the tables say; nothing is opened."""
    row = await pool.fetchrow(
        "SELECT (SELECT count(*) FROM histories) AS noted, (SELECT count(*) FROM history_files) AS there,"
        " (SELECT max(closed_at) FROM histories) AS last"
    )
    return Shelved(**row)


async def each(pool: Pool) -> AsyncIterator[str]:
    """Every run whose history was kept, also where its file is gone; read page by page."""
    last = _FIRST
    while rows := await pool.fetch("SELECT run::text FROM histories WHERE run > $1::uuid ORDER BY run LIMIT 500", last):
        for row in rows:
            last = row["run"]
            yield last


async def files(pool: Pool, runs: Sequence[str]) -> set[str]:
    """Those of these runs whose history is still there to be read."""
    rows = await pool.fetch("SELECT run::text FROM history_files WHERE run = ANY ($1::uuid[])", list(runs))
    return {row["run"] for row in rows}


async def read(pool: Pool, ring: KeyRing, run: str) -> bytes:
    """A history as it was exported. Raises Altered: it is gone, cannot be opened, or has not its digest."""
    row = await pool.fetchrow(
        "SELECT digest, sealed FROM histories LEFT JOIN history_files USING (run) WHERE run = $1", run
    )
    if row is None or row["sealed"] is None:
        raise Altered(run, "gone")
    try:
        history = zlib.decompress(unseal(ring, row["sealed"], _place(run)))
    except (CannotUnseal, zlib.error):
        raise Altered(run, "sealed") from None
    if sha256(history).digest() != row["digest"]:
        raise Altered(run, "digest")
    return history


def _place(run: str) -> str:
    return f"history/{run}"
