"""Cohorts: the row is locked, the stream folded, a rule decides, and facts and rows are written together."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import asyncpg

from journeys.domain import cohort as rules
from journeys.domain.cohort import Cohort, Deciding
from journeys.domain.directory import CohortOpened
from journeys.store import vault
from journeys.store.database import Connection, Pool
from journeys.store.directory import AlreadyThere, By, Fact, NotFound, record
from journeys.store.journal import parts, read_all


@dataclass(frozen=True, slots=True)
class CohortRow:
    """A cohort in a list."""

    id: str
    name: str
    programme: str
    places: int
    taken: int
    waiting: int
    dates: tuple[tuple[str, date | None], ...]
    """The shared dates in their order; None: no day yet."""
    closed: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A journey of a cohort."""

    journey: str
    person: str | None
    """First and last name; None when the person is not (or no longer) in the store."""
    rank: int | None
    """On the waiting list, 1 for the next; None: it has a place."""
    since: datetime
    status: str
    dates: Mapping[str, date]
    """As the journey has them, the cohort's among them."""

    @property
    def is_open(self) -> bool:
        return self.status not in ("", "closed")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a journey is, or waits to be."""

    cohort: str
    name: str
    rank: int | None
    """On the waiting list; None: it has a place."""


_COLUMNS: Final = "id::text, name, programme, places, taken, waiting, dates, closed"
_STREAMS: Final = "SELECT stream FROM streams WHERE stream > 'cohort-' AND stream < 'cohort.' ORDER BY 1"


def stream_of(cohort: str) -> str:
    """The stream of a cohort's own facts."""
    return f"cohort-{cohort}"


async def open_cohort(pool: Pool, id: str, name: str, fact: CohortOpened, by: By) -> None:
    """Open a cohort. Raises AlreadyThere: the name or the id is taken."""
    async with pool.acquire() as connection, connection.transaction():
        cohort = rules.evolve(Cohort(), fact, by.at)
        try:
            await _put(connection, id, name, cohort)
        except asyncpg.UniqueViolationError:
            raise AlreadyThere("cohort", "name") from None
        await record(connection, stream_of(id), [Fact(fact, {"name": name})], by)


async def change(pool: Pool, id: str, decide: Callable[[Deciding], None], by: By) -> Sequence[rules.Fact]:
    """Decide on a cohort as it is now, nobody else meanwhile: the facts that were written.

    Places of journeys that are over are freed and given on first.

    Raises:
        NotFound: no such cohort. Refusal: a rule forbids it, or the journey is in another cohort; nothing was changed.
    """
    async with pool.acquire() as connection, connection.transaction():
        name = await _locked(connection, id)
        work = Deciding(await folded(connection, id), by.at)
        rules.settle(work, await _over(connection, id))
        decide(work)
        if work.facts:
            try:
                await _put(connection, id, name, work.cohort)
            except asyncpg.UniqueViolationError:
                raise rules.elsewhere() from None
            await record(connection, stream_of(id), [Fact(fact) for fact in work.facts], by)
        return work.facts


async def folded(connection: Pool | Connection, id: str) -> Cohort:
    """A cohort as the journal has it."""
    return rules.fold(rules.read(stored.kind, stored.header) for stored in await read_all(connection, stream_of(id)))


async def cohorts(pool: Pool | Connection) -> list[CohortRow]:
    """All cohorts, the open ones first, by name."""
    rows = await pool.fetch(f"SELECT {_COLUMNS} FROM cohorts ORDER BY closed, name, id")
    return [_row(row) for row in rows]


async def cohort(pool: Pool | Connection, id: str) -> CohortRow | None:
    """A cohort by id."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM cohorts WHERE id = $1", id)
    return None if row is None else _row(row)


async def members(pool: Pool | Connection, id: str) -> list[Member]:
    """Its journeys that the connection sees: those with a place by name, then those that wait, in their order."""
    rows = await pool.fetch(
        """
        SELECT m.journey::text, j.person::text AS whose, p.sealed, m.rank, m.since,
               coalesce(j.status, '') AS status, coalesce(j.summary -> 'dates', '{}') AS dates
        FROM cohort_places m LEFT JOIN journeys j ON j.id = m.journey LEFT JOIN people p ON p.id = j.person
        WHERE m.cohort = $1 ORDER BY m.rank NULLS FIRST, m.journey
        """,
        id,
    )
    names = await vault.names(pool, [(row["whose"], row["sealed"]) for row in rows])
    ordered = sorted(vault.by_name(rows, names), key=lambda each: each[0]["rank"] or 0)
    return [
        Member(
            row["journey"], name, row["rank"], row["since"], row["status"],
            {name: date.fromisoformat(on) for name, on in json.loads(row["dates"]).items()},
        )
        for row, name in ordered
    ]  # fmt: skip


async def placed(pool: Pool | Connection, programme: str) -> set[str]:
    """Journeys that have, or await, a place in a cohort of this programme, of those that the connection sees."""
    rows = await pool.fetch(
        "SELECT m.journey::text FROM cohort_places m JOIN cohorts c ON c.id = m.cohort WHERE c.programme = $1",
        programme,
    )
    return {row["journey"] for row in rows}


PLACE: Final = (
    "SELECT jsonb_build_array(c.id, c.name, m.rank) FROM cohort_places m JOIN cohorts c ON c.id = m.cohort"
    " WHERE m.journey = j.id"
)
"""The place or turn of journey `j`, as a value among others of a query: see `read_place`."""


def read_place(found: str | None) -> Place | None:
    """What PLACE gave."""
    return None if found is None else Place(*json.loads(found))


async def apart(pool: Pool) -> tuple[int, list[str]]:
    """How many cohorts there are, and which have rows that say otherwise than their streams. Nothing is changed."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        streams = await connection.fetch(_STREAMS)
        ids = {row["stream"].removeprefix("cohort-") for row in streams}
        ids |= {row["id"] for row in await connection.fetch("SELECT id::text FROM cohorts")}
        return len(ids), [id for id in sorted(ids) if not await _agrees(connection, id)]


async def _agrees(connection: Connection, id: str) -> bool:
    known = await folded(connection, id)
    row = await cohort(connection, id)
    seq = await connection.fetchval("SELECT seq FROM cohorts WHERE id = $1", id)
    places = await connection.fetch("SELECT journey::text, rank, since FROM cohort_places WHERE cohort = $1", id)
    return (
        row is not None
        and (row.programme, row.places, row.taken, row.waiting, row.closed, seq)
        == (known.programme, known.places, len(known.held), len(known.waiting), known.closed, known.seq)
        and row.dates == tuple((name, known.dates.get(name)) for name in known.order)
        and {(each["journey"], each["rank"], each["since"]) for each in places} == set(_places(known))
    )


async def rebuild(pool: Pool) -> int:
    """Write the rows of every cohort anew from the journal, and return how many."""
    rows = await pool.fetch(_STREAMS)
    for row in rows:
        id = row["stream"].removeprefix("cohort-")
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT FROM cohorts WHERE id = $1 FOR UPDATE", id)
            [name] = [part.text for part in await parts(connection, row["stream"]) if part.name == "name"]
            await _put(connection, id, name, await folded(connection, id))
    return len(rows)


async def _locked(connection: Connection, id: str) -> str:
    """Its name; nobody else changes the cohort until the end of the transaction."""
    name: str | None = await connection.fetchval("SELECT name FROM cohorts WHERE id = $1 FOR UPDATE", id)
    if name is None:
        raise NotFound("cohort", id)
    return name


async def _over(connection: Connection, id: str) -> set[str]:
    rows = await connection.fetch(
        "SELECT m.journey::text FROM cohort_places m JOIN journeys j ON j.id = m.journey"
        " WHERE m.cohort = $1 AND j.status = 'closed'",
        id,
    )
    return {row["journey"] for row in rows}


async def _put(connection: Connection, id: str, name: str, cohort: Cohort) -> None:
    """The rows of a cohort as it is."""
    dates = [[date, on.isoformat() if (on := cohort.dates.get(date)) else None] for date in cohort.order]
    await connection.execute(
        "INSERT INTO cohorts (id, name, programme, places, taken, waiting, dates, closed, seq)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE SET places = EXCLUDED.places,"
        " taken = EXCLUDED.taken, waiting = EXCLUDED.waiting, dates = EXCLUDED.dates, closed = EXCLUDED.closed,"
        " seq = EXCLUDED.seq",
        id,
        name,
        cohort.programme,
        cohort.places,
        len(cohort.held),
        len(cohort.waiting),
        json.dumps(dates),
        cohort.closed,
        cohort.seq,
    )
    await connection.execute("DELETE FROM cohort_places WHERE cohort = $1", id)
    await connection.executemany(
        "INSERT INTO cohort_places (cohort, journey, rank, since) VALUES ($1, $2, $3, $4)",
        [(id, *place) for place in _places(cohort)],
    )


def _places(cohort: Cohort) -> list[tuple[str, int | None, datetime]]:
    """Journey, rank (None: it has a place), since when."""
    return [
        *((journey, None, since.at) for journey, since in cohort.held.items()),
        *((journey, rank, since.at) for rank, (journey, since) in enumerate(cohort.waiting.items(), start=1)),
    ]


def _row(row: Mapping[str, object]) -> CohortRow:
    values = {name: row[name] for name in CohortRow.__slots__}
    dates = json.loads(str(row["dates"]))
    values["dates"] = tuple((name, date.fromisoformat(on) if on else None) for name, on in dates)
    return CohortRow(**values)  # type: ignore[arg-type]
