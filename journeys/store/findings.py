"""What the last verification of everything found, line by line: what each journey owed, and who did what of grants.

Nobody is named in the words of a line: `fr` and `en` say what it is about, people stand by their ids.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic_core import from_json, to_json

from journeys.domain.record import Frozen, Instant
from journeys.store import vault
from journeys.store.database import Connection, Pool

Line = TypeVar("Line", bound=Frozen)
Beat = Callable[[], None]
"""Called again and again while there is progress."""


class OwedLine(Frozen):
    """One obligation of a journey."""

    outcome: Literal["met", "missed", "cancelled", "open", "silent"]
    due: Instant
    at: Instant | None
    """When what became of it was recorded."""
    late: bool
    """A miss that was recorded long after its time."""
    learnt_late: bool
    """Missed as it seemed, and met in time as was recorded later."""
    fr: str
    en: str


class DutiesLine(Frozen):
    """One grant of a journey, with every act about it."""

    amount: int
    """Cents, as last asked for."""
    asked_at: Instant
    breaches: tuple[str, ...]
    acts: tuple[dict[str, Any], ...]
    """`Duty.as_json`."""
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class LinesOf:
    """What is kept of one journey, by its id."""

    journey: str
    owed: Sequence[OwedLine] = ()
    grants: Sequence[DutiesLine] = ()
    read: bool = True
    """Whether its record could be read: nothing else is known of it otherwise."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Where a verification keeps what it found of each journey. Its pages show them once the run is kept."""

    pool: Pool
    run: str

    async def clear(self, beat: Beat) -> None:
        """Begin anew: what an attempt before has kept goes."""
        await self._delete("run = $1", beat)

    async def add(self, found: Sequence[LinesOf]) -> None:
        """Keep the lines of these journeys, all or none."""
        owed = [(self.run, each.journey, to_json(each.owed).decode()) for each in found if each.owed]
        grants = [(self.run, each.journey, to_json(each.grants).decode()) for each in found if each.grants]
        unread = [(self.run, each.journey) for each in found if not each.read]
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.executemany(_UNREAD, unread, timeout=_SECONDS)
            await connection.executemany(_OWED, owed, timeout=_SECONDS)
            await connection.executemany(_DUTIES, grants, timeout=_SECONDS)

    async def only(self, beat: Beat) -> None:
        """Let those of every other run go."""
        await self._delete("run <> $1", beat)

    async def _delete(self, which: str, beat: Beat) -> None:
        """Some at a time: a night's lines are too many for one statement."""
        for table in _TABLES:
            some = f"DELETE FROM {table} WHERE ctid = ANY (ARRAY (SELECT ctid FROM {table} WHERE {which} LIMIT $2))"
            while await self.pool.execute(some, self.run, _AT_ONCE, timeout=_SECONDS) != "DELETE 0":
                beat()


_AT_ONCE: Final = 20_000
"""Lines that one statement deletes."""
_SECONDS: Final = 60.0
"""What one statement may take: nobody waits for it at a page."""
_TABLES: Final = ("found_owed", "found_sums", "found_duties")
_SUMS: Final = ("met", "missed", "cancelled", "open", "silent")
_UNREAD: Final = f"INSERT INTO found_sums (run, journey, {', '.join(_SUMS)}) SELECT $1, $2::uuid, {', '.join('0' * 5)}"
"""A journey whose record could not be read has sums of nothing; one that owes nothing has none."""
_OWED: Final = f"""
    WITH added AS (
        INSERT INTO found_owed (run, journey, place, outcome, due, at, late, learnt_late, fr, en, turn)
        SELECT $1, $2::uuid, place, line ->> 'outcome', due, (line ->> 'at')::timestamptz, (line ->> 'late')::boolean,
               (line ->> 'learnt_late')::boolean, line ->> 'fr', line ->> 'en',
               CASE line ->> 'outcome' WHEN 'open' THEN 1 ELSE -1 END * extract(epoch FROM due)::bigint
        FROM jsonb_array_elements($3::jsonb) WITH ORDINALITY AS each (line, place),
             LATERAL (SELECT (line ->> 'due')::timestamptz AS due) AS moment
        RETURNING outcome
    )
    INSERT INTO found_sums (run, journey, {", ".join(_SUMS)})
    SELECT $1, $2, {", ".join(f"count(*) FILTER (WHERE outcome = '{each}')" for each in _SUMS)} FROM added
"""
_DUTIES: Final = """
    INSERT INTO found_duties (run, journey, place, amount, asked_at, breaches, acts, fr, en)
    SELECT $1, $2, place, (line ->> 'amount')::bigint, (line ->> 'asked_at')::timestamptz,
           ARRAY (SELECT jsonb_array_elements_text(line -> 'breaches')), line -> 'acts', line ->> 'fr', line ->> 'en'
    FROM jsonb_array_elements($3::jsonb) WITH ORDINALITY AS each (line, place)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which lines are asked for; None means all."""

    site: str | None = None
    referent: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Before this instant."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The journey that a line is of."""

    journey: str
    name: str | None
    """None: erased."""
    site: str | None
    referent: str | None


@dataclass(frozen=True, slots=True)
class Seen(Generic[Line]):
    """Lines as a visitor sees them."""

    at: datetime | None
    """Of which instant they are; None: no verification has kept lines yet."""
    counts: Mapping[str, int]
    """Of all that were asked for: obligations by outcome; grants by `wrong` and `sound`, and `breaches` of all."""
    lines: tuple[tuple[Whose, Line], ...]
    unread: int
    """Journeys whose record the verification could not read: nothing is known of them, whatever the counts say."""


ORDER: Final = ("silent", "missed", "open", "met", "cancelled")
"""What must not be comes first."""

_WHERE: Final = "($1::text IS NULL OR j.site = $1) AND ($2::uuid IS NULL OR j.referent = $2)"
_WHEN: Final = "($3::timestamptz IS NULL OR l.{when} >= $3) AND ($4::timestamptz IS NULL OR l.{when} < $4)"
_ALL: Final = f"""
    SELECT jsonb_build_object({", ".join(f"'{each}', coalesce(sum({each}), 0)" for each in _SUMS)}) AS counts
    FROM found_sums l JOIN journeys j ON j.id = l.journey
    WHERE l.run = (SELECT run FROM last) AND ({{visible}}) AND {_WHERE}
"""
"""How many of each outcome."""
_BETWEEN: Final = f"""
    SELECT jsonb_object_agg(outcome, number) AS counts FROM (
        SELECT l.outcome, count(*) AS number FROM found_owed l JOIN journeys j ON j.id = l.journey
        WHERE l.run = (SELECT run FROM last) AND ({{visible}}) AND {_WHERE} AND {_WHEN.format(when="due")}
        GROUP BY l.outcome
    ) AS each
"""
"""The same within a period."""
_NOT_READ: Final = f"""
    (SELECT count(*) FROM found_sums l JOIN journeys j ON j.id = l.journey
     WHERE l.run = (SELECT run FROM last) AND ({", ".join(f"l.{each}" for each in _SUMS)}) = (0, 0, 0, 0, 0)
       AND ({{visible}}) AND {_WHERE}) AS unread
"""
_LAST: Final = "SELECT run, at FROM verifications WHERE lines ORDER BY stored DESC LIMIT 1"
_WHOSE: Final = (
    "j.id::text AS journey, j.person::text AS person, p.sealed AS name, j.site, j.referent::text AS referent"
)


async def owed(
    connection: Connection, asked: Asked, outcomes: Sequence[str], visible: str, *, limit: int, offset: int = 0
) -> Seen[OwedLine]:
    """Obligations of these outcomes, one outcome after the other: the latest first, of those to come the next first.

    Args:
        visible: `views.within`.
    """
    rows = await connection.fetch(
        f"""
        WITH last AS ({_LAST}), counted AS ({_BETWEEN if asked.since or asked.until else _ALL}), shown AS (
            SELECT lines.*, row_number() OVER (ORDER BY wanted.place, lines.turn, lines.journey, lines.place) AS nth
            FROM unnest($5::text[]) WITH ORDINALITY AS wanted (outcome, place) CROSS JOIN LATERAL (
                SELECT l.* FROM found_owed l JOIN journeys j ON j.id = l.journey
                WHERE l.run = (SELECT run FROM last) AND l.outcome = wanted.outcome
                  AND ({visible}) AND {_WHERE} AND {_WHEN.format(when="due")}
                ORDER BY l.turn, l.journey, l.place LIMIT $6::bigint + $7::bigint
            ) AS lines
            ORDER BY nth LIMIT $6::bigint OFFSET $7::bigint
        )
        SELECT (SELECT at FROM last) AS of, counted.counts, {_NOT_READ}, {_WHOSE}, shown.outcome, shown.due,
               shown.at, shown.late, shown.learnt_late, shown.fr, shown.en
        FROM counted LEFT JOIN shown ON true LEFT JOIN journeys j ON j.id = shown.journey
        LEFT JOIN people p ON p.id = j.person
        ORDER BY shown.nth
        """.replace("{visible}", visible),
        *_filters(asked), [each for each in ORDER if each in outcomes], limit, offset,
    )  # fmt: skip
    return await _seen(connection, rows, OwedLine)


async def duties(
    connection: Connection, asked: Asked, visible: str, *, wrong_only: bool, limit: int, offset: int = 0
) -> Seen[DutiesLine]:
    """Grants with who did what of them: those of which something is to be looked at first, then the latest.

    Args:
        visible: `views.within`.
    """
    rows = await connection.fetch(
        f"""
        WITH last AS ({_LAST}), asked AS MATERIALIZED (
            SELECT l.journey, l.place, l.asked_at, cardinality(l.breaches) AS wrong
            FROM found_duties l JOIN journeys j ON j.id = l.journey
            WHERE l.run = (SELECT run FROM last) AND ({{visible}}) AND {_WHERE} AND {_WHEN.format(when="asked_at")}
        ), counted AS (
            SELECT jsonb_build_object('wrong', count(*) FILTER (WHERE wrong > 0), 'sound',
                count(*) FILTER (WHERE wrong = 0), 'breaches', coalesce(sum(wrong), 0)) AS counts FROM asked
        ), shown AS (
            SELECT journey, place, row_number() OVER (ORDER BY wrong = 0, asked_at DESC, journey, place) AS turn
            FROM asked WHERE wrong > 0 OR NOT $5
            ORDER BY wrong = 0, asked_at DESC, journey, place LIMIT $6 OFFSET $7
        )
        SELECT (SELECT at FROM last) AS of, counted.counts, {_NOT_READ}, {_WHOSE}, l.amount, l.asked_at, l.breaches,
               l.acts, l.fr, l.en
        FROM counted LEFT JOIN shown ON true
        LEFT JOIN found_duties l
               ON l.run = (SELECT run FROM last) AND (l.journey, l.place) = (shown.journey, shown.place)
        LEFT JOIN journeys j ON j.id = shown.journey LEFT JOIN people p ON p.id = j.person
        ORDER BY shown.turn
        """.replace("{visible}", visible),
        *_filters(asked), wrong_only, limit, offset,
    )  # fmt: skip
    return await _seen(connection, rows, DutiesLine)


def _filters(asked: Asked) -> tuple[Any, ...]:
    return asked.site, asked.referent, asked.since, asked.until


async def _seen(connection: Connection, rows: Sequence[Any], kind: type[Line]) -> Seen[Line]:
    there = [row for row in rows if row["fr"] is not None]
    names = await vault.names(connection, [(row["person"], row["name"]) for row in there])
    lines = tuple(
        (Whose(row["journey"], name, row["site"], row["referent"]), _read(row, kind))
        for row, name in zip(there, names, strict=True)
    )
    return Seen(rows[0]["of"], from_json(rows[0]["counts"] or "{}"), lines, rows[0]["unread"])


def _read(row: Any, kind: type[Line]) -> Line:
    found = {name: row[name] for name in kind.model_fields}
    if "acts" in found:
        found["acts"] = from_json(found["acts"])
    return kind(**found)
