"""What lists show: one row a journey, as of its last event."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from journeys.store.database import Pool

Status = Literal["planned", "active", "suspended", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyRow:
    """A journey in a list."""

    id: str
    person: str
    name: str | None
    """First and last name; None when the person is not (or no longer) in the store."""
    programme: str
    status: str
    phase: str | None
    referent: str | None
    site: str | None
    seq: int
    next_due: datetime | None
    late: int
    """Open items past their due."""
    board: dict[str, Any]
    """Open items, as `summary(state)` gives them."""

    @property
    def stream(self) -> str:
        return f"journey-{self.id}"


@dataclass(frozen=True, slots=True)
class BoardItem:
    """One open item with its journey."""

    journey: JourneyRow
    item: Any


_COLUMNS: Final = (
    "j.id::text, j.person::text, p.first_name || ' ' || p.last_name AS name, j.programme, j.status, j.phase,"
    " j.referent::text, j.site, j.seq, j.next_due, j.late, j.board"
)


async def journey(pool: Pool, id: str) -> JourneyRow | None:
    """A journey by id (not stream)."""
    row = await pool.fetchrow(
        f"SELECT {_COLUMNS} FROM journeys j LEFT JOIN people p ON p.id = j.person WHERE j.id = $1", id
    )
    return None if row is None else _row(row)


async def starting_with(pool: Pool, prefix: str, limit: int = 10) -> list[str]:
    """Ids of journeys that begin so, for those who type the first characters only."""
    rows = await pool.fetch(
        "SELECT id::text FROM journeys WHERE starts_with(id::text, $1) ORDER BY id LIMIT $2",
        prefix.lower(),
        limit,
    )
    return [row["id"] for row in rows]


async def journeys(
    pool: Pool,
    *,
    late: bool = False,
    status: Status | None = None,
    open_only: bool = False,
    phase: str | None = None,
    referent: str | None = None,
    site: str | None = None,
    programme: str | None = None,
    person: str | None = None,
    after: str | None = None,
    limit: int = 200,
) -> list[JourneyRow]:
    """Journeys that meet every condition given, by id, after the id `after`."""
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM journeys j LEFT JOIN people p ON p.id = j.person
        WHERE (NOT $1 OR j.late > 0)
          AND ($2::text IS NULL OR j.status = $2)
          AND (NOT $3 OR j.status <> 'closed')
          AND ($4::text IS NULL OR j.phase = $4)
          AND ($5::uuid IS NULL OR j.referent = $5)
          AND ($6::text IS NULL OR j.site = $6)
          AND ($7::text IS NULL OR j.programme = $7)
          AND ($8::uuid IS NULL OR j.person = $8)
          AND ($9::uuid IS NULL OR j.id > $9)
        ORDER BY j.id LIMIT $10
        """,
        late,
        status,
        open_only,
        phase,
        referent,
        site,
        programme,
        person,
        after,
        limit,
    )
    return [_row(row) for row in rows]


async def due_before(
    pool: Pool, instant: datetime, *, referent: str | None = None, limit: int = 200
) -> list[JourneyRow]:
    """Open journeys whose next due is before an instant, earliest first: `today`, and what `sync` wakes."""
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM journeys j LEFT JOIN people p ON p.id = j.person
        WHERE j.status <> 'closed' AND j.next_due < $1 AND ($2::uuid IS NULL OR j.referent = $2)
        ORDER BY j.next_due, j.id LIMIT $3
        """,
        instant,
        referent,
        limit,
    )
    return [_row(row) for row in rows]


async def board(
    pool: Pool, section: str, *, referent: str | None = None, site: str | None = None, limit: int = 500
) -> list[BoardItem]:
    """Items of one section of every journey's board (an array under that key), in order of journey."""
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS}, item.value AS item
        FROM journeys j LEFT JOIN people p ON p.id = j.person
        CROSS JOIN LATERAL jsonb_array_elements(j.board -> $1) WITH ORDINALITY AS item (value, nth)
        WHERE jsonb_typeof(j.board -> $1) = 'array'
          AND ($2::uuid IS NULL OR j.referent = $2) AND ($3::text IS NULL OR j.site = $3)
        ORDER BY j.id, item.nth LIMIT $4
        """,
        section,
        referent,
        site,
        limit,
    )
    return [BoardItem(_row(row), json.loads(row["item"])) for row in rows]


def _row(row: Mapping[str, Any]) -> JourneyRow:
    fields = {name: row[name] for name in JourneyRow.__dataclass_fields__}
    return JourneyRow(**{**fields, "board": json.loads(row["board"])})
