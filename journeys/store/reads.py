"""Who opened whose file: a log of its own, apart from the journal, kept for some months.

Lines are added and read as `journeys_looks`, whatever the pool acts as; no role may change or remove one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from journeys.store import contacts
from journeys.store.database import Pool, Role, acting

Look = Literal[
    "file", "form", "details", "document", "paper", "letters", "links", "audit", "events", "export", "history"
]
"""What was opened: the page, a form beside it, what is known of the person, a document that somebody brought, a paper
made from the journal, letters, one-time links, its audit, its events, the whole record as an export, what
Temporal keeps of it."""
Entry = Literal["web", "api", "cli"]

_ROLE: Final[Role] = "journeys_looks"
_OF_ALL: Final = "(journey IS NULL AND look = 'export')"
"""Of what is opened of all journeys at once, only an export has each of them whole."""


@dataclass(frozen=True, slots=True)
class Read:
    """A look, as it is noted."""

    staff: str | None
    roles: tuple[str, ...]
    journey: str | None
    """None: all of them at once, or none of somebody's, see `of_all`."""
    look: Look
    entry: Entry
    login: str | None = None
    """The machine's account, where the command line was used."""

    @property
    def of_all(self) -> bool:
        """Of every journey at once; what is known of a person is opened of one, or of somebody who has none."""
        return self.journey is None and self.look != "details"


@dataclass(frozen=True, slots=True)
class Noted:
    """A look, as it is told."""

    at: datetime
    read: Read
    who: str
    """Name of the member of staff; else the machine's account."""


@dataclass(frozen=True, slots=True)
class Many:
    """Somebody who opened more files in an hour than is usual."""

    staff: str | None
    who: str
    hour: datetime
    files: int


async def note(pool: Pool, looks: Sequence[Read]) -> None:
    """Write lines, in one statement. Their time is the database's."""
    async with acting(pool, _ROLE) as connection:
        await connection.execute(
            "INSERT INTO reads (staff, login, roles, journey, look, entry) "
            "SELECT s, l, string_to_array(r, ','), j, k, e FROM "
            "unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[]) AS n (s, l, r, j, k, e)",
            [each.staff for each in looks], [each.login for each in looks], [",".join(each.roles) for each in looks],
            [each.journey for each in looks], [each.look for each in looks], [each.entry for each in looks],
        )  # fmt: skip


async def noted(
    pool: Pool, *, journey: str | None = None, staff: str | None = None, before: datetime | None = None,
    limit: int = 100,
) -> list[Noted]:  # fmt: skip
    """Looks, the newest first; into one journey (exports of all among it), by one member, before an instant."""
    async with acting(pool, _ROLE) as connection:
        rows = await connection.fetch(
            "SELECT r.*, s.handle, s.sealed FROM reads r LEFT JOIN staff s ON s.id = r.staff "
            f"WHERE ($1::uuid IS NULL OR r.journey = $1 OR {_OF_ALL}) AND ($2::uuid IS NULL OR r.staff = $2) "
            "AND ($3::timestamptz IS NULL OR r.at < $3) ORDER BY r.at DESC LIMIT $4",
            journey, staff, before, limit,
        )  # fmt: skip
    return [
        Noted(
            row["at"],
            Read(_text(row["staff"]), tuple(row["roles"]), _text(row["journey"]), row["look"], row["entry"],
                 row["login"]),
            who,
        )
        for row, who in zip(rows, await _who(pool, rows), strict=True)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """A look into somebody's file, as it may be told to them: who looked is a number, the same for the same one."""

    at: datetime
    who: int
    roles: tuple[str, ...]
    look: Look
    entry: Entry
    all: bool
    """It was into all files at once."""


async def about(pool: Pool, journeys: Sequence[str], since: datetime) -> list[Seen]:
    """Every look into these journeys that is still kept, and since an instant the exports of all; the first one first.

    A page with lines of many journeys is not among them: who reads it sees some, and it is not known which.
    """
    async with acting(pool, _ROLE) as connection:
        rows = await connection.fetch(
            "SELECT at, dense_rank() OVER (ORDER BY first, key) AS who, roles, look, entry, journey FROM ("
            " SELECT *, coalesce(staff::text, login, '') AS key,"
            " min(at) OVER (PARTITION BY coalesce(staff::text, login, '')) AS first FROM reads"
            f" WHERE journey = ANY ($1::uuid[]) OR ({_OF_ALL} AND at >= $2)) AS looks ORDER BY at, who",
            list(journeys), since,
        )  # fmt: skip
    return [
        Seen(row["at"], row["who"], tuple(row["roles"]), row["look"], row["entry"], row["journey"] is None)
        for row in rows
    ]  # fmt: skip


async def many(pool: Pool, most: int) -> list[Many]:
    """Who opened more than `most` files in an hour of the last day, the latest hour first."""
    async with acting(pool, _ROLE) as connection:
        rows = await connection.fetch(
            "SELECT r.staff, r.login, s.handle, s.sealed, date_trunc('hour', r.at) AS hour, "
            "count(DISTINCT r.journey) AS files FROM reads r LEFT JOIN staff s ON s.id = r.staff "
            "WHERE r.at > clock_timestamp() - interval '1 day' GROUP BY 1, 2, 3, 4, 5 "
            "HAVING count(DISTINCT r.journey) > $1 ORDER BY hour DESC, files DESC",
            most,
        )
    return [
        Many(_text(row["staff"]), who, row["hour"], row["files"])
        for row, who in zip(rows, await _who(pool, rows), strict=True)
    ]


async def by_month(pool: Pool, months: int) -> int:
    """Make the months ahead and drop those older than `months` (at least 6); how many were dropped."""
    dropped: int = await pool.fetchval("SELECT reads_by_month($1)", months)
    return dropped


async def _who(pool: Pool, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    called = await contacts.called(pool, [(f"staff-{row['staff']}", row["sealed"]) for row in rows])
    return [name or row["handle"] or row["login"] or "" for row, name in zip(rows, called, strict=True)]


def _text(id: object) -> str | None:
    return str(id) if id is not None else None
