"""What lists show: one row a journey, as of its last event."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
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
    summary: dict[str, Any]
    """The whole of what `summary(state)` gave; under `board` the open items."""

    @property
    def stream(self) -> str:
        return f"journey-{self.id}"


@dataclass(frozen=True, slots=True)
class BoardItem:
    """One open item with its journey."""

    journey: JourneyRow
    item: dict[str, Any]


_COLUMNS: Final = (
    "j.id::text, j.person::text, p.first_name || ' ' || p.last_name AS name, j.programme, j.status, j.phase,"
    " j.referent::text, j.site, j.seq, j.next_due, j.late, j.summary"
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


async def desk_of(pool: Pool, staff: str, roles: Collection[str], limit: int = 500) -> list[JourneyRow]:
    """What one person has to look at: journeys that they lead (not closed), and those that wait on a role of theirs."""
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM journeys j LEFT JOIN people p ON p.id = j.person
        WHERE (j.referent = $1 AND j.status <> 'closed') OR (j.waits_on <> '{{}}' AND j.waits_on && $2::text[])
        ORDER BY j.next_due NULLS LAST, j.id LIMIT $3
        """,
        staff,
        list(roles),
        limit,
    )
    return [_row(row) for row in rows]


async def alerted(pool: Pool, limit: int = 300) -> list[JourneyRow]:
    """Journeys with an open escalation, among those that the connection may see."""
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM journeys j LEFT JOIN people p ON p.id = j.person
        WHERE j.alerts > 0 ORDER BY j.id LIMIT $1
        """,
        limit,
    )
    return [_row(row) for row in rows]


async def waiting_on(pool: Pool, roles: Collection[str], limit: int = 300) -> list[JourneyRow]:
    """Journeys on which it is the turn of one of these roles (not the referent's)."""
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM journeys j LEFT JOIN people p ON p.id = j.person
        WHERE j.waits_on <> '{{}}' AND j.waits_on && $1::text[] ORDER BY j.id LIMIT $2
        """,
        list(roles),
        limit,
    )
    return [_row(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision about a grant, as the journal has it, with whose journey it is."""

    journey: str
    person: str | None
    header: dict[str, Any]


async def decided(pool: Pool, limit: int = 30) -> list[Decided]:
    """The latest approvals, refusals and returns of grants, the newest first."""
    rows = await pool.fetch(
        """
        SELECT j.id::text, p.first_name || ' ' || p.last_name AS name, e.header
        FROM (SELECT stream, header, wall FROM events
              WHERE kind IN ('GrantApprovalGiven', 'GrantRefused', 'GrantReturned')
              ORDER BY wall DESC LIMIT $1) AS e
        JOIN journeys j ON j.id = journey_of(e.stream) LEFT JOIN people p ON p.id = j.person
        ORDER BY e.wall DESC
        """,
        limit,
    )
    return [Decided(row["id"], row["name"], json.loads(row["header"])) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a caseload is filtered by; None and empty mean all."""

    words: str = ""
    """In the form of `search_form`: each word begins a word of the name."""
    referent: str | None = None
    programme: str | None = None
    phase: str | None = None
    site: str | None = None
    status: str | None = None
    late: bool = False


_ASKED: Final = """
    FROM journeys j LEFT JOIN people p ON p.id = j.person
    WHERE ($1 = '' OR p.search_name LIKE '%' || $1 || '%')
      AND ($2::uuid IS NULL OR j.referent = $2) AND ($3::text IS NULL OR j.programme = $3)
      AND ($4::text IS NULL OR j.phase = $4) AND ($5::text IS NULL OR j.site = $5)
      AND (CASE WHEN $6::text IS NULL THEN j.status <> 'closed' ELSE j.status = $6 END)
      AND (NOT $7 OR j.late > 0)
"""


async def caseload(pool: Pool, asked: Asked, *, limit: int = 50, offset: int = 0) -> list[JourneyRow]:
    """Journeys of a caseload, the most late first, then by their next due."""
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} {_ASKED} ORDER BY j.late DESC, j.next_due NULLS LAST, j.id LIMIT $8 OFFSET $9",
        *_asked(asked), limit, offset,
    )  # fmt: skip
    return [_row(row) for row in rows]


async def count(pool: Pool, asked: Asked) -> int:
    """How many journeys a caseload has."""
    found: int = await pool.fetchval(f"SELECT count(*) {_ASKED}", *_asked(asked))
    return found


async def releases(pool: Pool, asked: Asked, until: date, limit: int = 500) -> list[JourneyRow]:
    """Planned journeys whose release is expected until a day, or was and is not confirmed, the earliest first."""
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} {_ASKED} AND j.status = 'planned' AND j.summary -> 'dates' ->> 'release' <= $8
        ORDER BY j.summary -> 'dates' ->> 'release', j.id LIMIT $9
        """,
        *_asked(asked), until.isoformat(), limit,
    )  # fmt: skip
    return [_row(row) for row in rows]


def _asked(asked: Asked) -> tuple[Any, ...]:
    return (asked.words, asked.referent, asked.programme, asked.phase, asked.site, asked.status, asked.late)


async def found(pool: Pool, words: str, digits: str, reference: str, limit: int = 50) -> list[JourneyRow]:
    """Journeys of the people whom a search fits: by name, by the end of a phone number, or by reference.

    Args:
        words: in the form of `search_form`. digits: of the phone number, at least six, or empty.
    """
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM people p JOIN journeys j ON j.person = p.id
        WHERE ($1 <> '' AND p.search_name LIKE '%' || $1 || '%')
           OR ($2 <> '' AND regexp_replace(p.phone, '[^0-9]', '', 'g') LIKE '%' || $2)
           OR (p.reference = $3)
        ORDER BY j.status = 'closed', p.last_name, j.id LIMIT $4
        """,
        words,
        digits,
        reference,
        limit,
    )
    return [_row(row) for row in rows]


async def appointments(pool: Pool, begins: datetime, ends: datetime, limit: int = 300) -> list[BoardItem]:
    """Appointments without outcome between two instants, in order."""
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS}, item.value AS item
        FROM journeys j LEFT JOIN people p ON p.id = j.person
        CROSS JOIN LATERAL jsonb_array_elements(j.summary -> 'board') AS item (value)
        WHERE j.meetings > 0 AND item.value ->> 'kind' = 'appointment'
          AND (item.value ->> 'at')::timestamptz >= $1 AND (item.value ->> 'at')::timestamptz < $2
        ORDER BY item.value ->> 'at', j.id LIMIT $3
        """,
        begins,
        ends,
        limit,
    )
    return [BoardItem(_row(row), json.loads(row["item"])) for row in rows]


async def version(pool: Pool, journey: str | None, staff: str, roles: Collection[str]) -> int:
    """A number that changes with what a page shows: one journey's seq, or the sum over the journeys of `desk_of`."""
    found: int = await pool.fetchval(
        """
        SELECT coalesce(sum(seq), 0)::bigint FROM journeys
        WHERE CASE WHEN $1::uuid IS NOT NULL THEN id = $1
              ELSE (referent = $2 AND status <> 'closed') OR (waits_on <> '{}' AND waits_on && $3::text[]) END
        """,
        journey,
        staff,
        list(roles),
    )
    return found


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
    pool: Pool,
    *,
    kinds: Collection[str] = (),
    role: str | None = None,
    referent: str | None = None,
    site: str | None = None,
    limit: int = 500,
) -> list[BoardItem]:
    """Open items of every journey that meet each condition given, those with the earliest `at` first.

    Args:
        kinds: `grant`, `escalation`, …; none means all.
        role: whose turn it is.
    """
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS}, item.value AS item
        FROM journeys j LEFT JOIN people p ON p.id = j.person
        CROSS JOIN LATERAL jsonb_array_elements(j.summary -> 'board') AS item (value)
        WHERE (cardinality($1::text[]) = 0 OR item.value ->> 'kind' = ANY ($1))
          AND ($2::text IS NULL OR item.value ->> 'role' = $2)
          AND ($3::uuid IS NULL OR j.referent = $3) AND ($4::text IS NULL OR j.site = $4)
        ORDER BY item.value ->> 'at', j.id, item.value ->> 'id' LIMIT $5
        """,
        list(kinds),
        role,
        referent,
        site,
        limit,
    )
    return [BoardItem(_row(row), json.loads(row["item"])) for row in rows]


def _row(row: Mapping[str, Any]) -> JourneyRow:
    fields = {name: row[name] for name in JourneyRow.__dataclass_fields__}
    return JourneyRow(**{**fields, "summary": json.loads(row["summary"])})
