"""Answers of journeys to the indicators: counted from the journal where it has grown, and added up by group."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Literal, Protocol

from journeys.domain.events import read_stored
from journeys.domain.record import Event, Payload
from journeys.store.database import Connection, Pool
from journeys.store.programmes import texts_of

_BATCH: Final = 20
_NAME_RULES: Final = ("JourneyPlanned", "ProgrammeChanged")
_NONE: Final = "00000000-0000-0000-0000-000000000000"


class Told(Protocol):
    """What a journey's record answers, as of its last event."""

    @property
    def seq(self) -> int: ...
    @property
    def begun(self) -> date | None: ...
    def as_json(self) -> list[dict[str, Any]]: ...


Telling = Callable[[Sequence[Event[Payload]], Mapping[str, str]], Told]
"""All events of a journey, and the texts that they name by SHA-256."""

_GROWN: Final = "(c.journey IS NULL OR c.seq < j.seq OR c.version <> $1)"


async def recount(pool: Pool, telling: Telling, version: int, limit: int | None = None, rest: float = 0) -> int:
    """Count the journeys anew that have grown since they were counted, at most `limit`; how many were looked at.

    One whose record this code cannot read stays as it was counted, and `Reach` goes on telling it.

    Args:
        rest: so many times as long as a batch took is waited before the next. A thread of its own keeps the loop free,
            and shares the interpreter all the same: whoever is served by this process has the rest of the time.
    """
    done, after = 0, _NONE
    while limit is None or done < limit:
        most = _BATCH if limit is None else min(_BATCH, limit - done)
        ids = [row["id"] for row in await pool.fetch(
            f"SELECT j.id FROM journeys j LEFT JOIN counted c ON c.journey = j.id WHERE {_GROWN} AND j.id > $2"
            " ORDER BY j.id LIMIT $3",
            version, after, most,
        )]  # fmt: skip
        if not ids:
            break
        after = ids[-1]
        done += len(ids)
        begun = time.monotonic()
        await _count(pool, ids, telling, version)
        await asyncio.sleep(rest * (time.monotonic() - begun))
    return done


async def _count(pool: Pool, ids: Sequence[Any], telling: Telling, version: int) -> None:
    rows = await pool.fetch(
        "SELECT stream, kind, header FROM events WHERE stream = ANY ($1) ORDER BY stream, seq",
        [f"journey-{id}" for id in ids],
    )
    texts = await texts_of(pool, await asyncio.to_thread(_named, rows))
    # Beside the loop: whoever serves others meanwhile is not held up by a batch.
    found = await asyncio.to_thread(_tell, rows, texts, telling)
    await pool.executemany(
        """
        INSERT INTO counted AS c (journey, seq, version, begun, answers) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (journey) DO UPDATE
        SET seq = excluded.seq, version = excluded.version, begun = excluded.begun, answers = excluded.answers
        WHERE c.seq <= excluded.seq
        """,
        [
            (stream.removeprefix("journey-"), each.seq, version, each.begun, json.dumps(each.as_json()))
            for stream, each in found.items()
        ],
    )


def _named(rows: Sequence[Any]) -> list[str]:
    """SHA-256 of the programmes and calendars that these events put in force."""
    data = [json.loads(row["header"])["data"] for row in rows if row["kind"] in _NAME_RULES]
    return sorted({each[field] for each in data for field in ("programme", "calendar")})


def _tell(rows: Sequence[Any], texts: Mapping[str, str], telling: Telling) -> dict[str, Told]:
    """What each stream answers; without those that cannot be read."""
    found = {}
    for stream, mine in groupby(rows, key=itemgetter("stream")):
        with suppress(ValueError, KeyError):
            found[stream] = telling([read_stored(row["kind"], row["header"]) for row in mine], texts)
    return found


# --- added up


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Which journeys are counted: of a programme, begun from a month on, up to the end of another."""

    programme: str | None = None
    begins: date | None = None
    """The first day."""
    ends: date | None = None
    """The day after the last."""


@dataclass(frozen=True, slots=True)
class Sum:
    """An indicator of a group, or of all together when `whole`."""

    whole: bool
    group: str | None
    code: str
    yes: int
    no: int
    unknown: int
    known: int
    """People of whom a yes or a no is known."""
    young: int
    """Answers that do not count yet."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How many journeys stand behind the sums."""

    begun: int
    """Counted: of this cohort."""
    ahead: int
    """Not begun yet, and in no cohort; of the programme, where one is asked for."""
    grown: int
    """Whose record has grown since it was counted: what was added is not in the sums."""


_GROUPS: Final = {"programme": "j.programme", "month": "to_char(c.begun, 'YYYY-MM')", "site": "j.site"}
_COHORT: Final = (
    "($2::text IS NULL OR j.programme = $2) AND ($3::date IS NULL OR c.begun >= $3)"
    " AND ($4::date IS NULL OR c.begun < $4)"
)


async def sums(
    connection: Pool | Connection, by: Literal["programme", "month", "site"], cohort: Cohort, today: date,
    visible: str = "true",
) -> list[Sum]:  # fmt: skip
    """Every indicator that somebody answers, of all together and by group. visible: `views.within`.

    Of a person with several journeys one alone counts towards `known`: a person too few there, never one too many.
    """
    rows = await connection.fetch(
        f"""
        WITH mine AS (
            SELECT {_GROUPS[by]} AS key, c.answers, row_number() OVER (PARTITION BY j.person) = 1 AS first
            FROM journeys j JOIN counted c ON c.journey = j.id
            WHERE ({visible}) AND c.begun IS NOT NULL AND {_COHORT}
        )
        SELECT grouping(mine.key) = 1 AS whole, mine.key, a.code,
               coalesce(sum(a.yes) FILTER (WHERE a.ripe <= $1), 0)::bigint AS yes,
               coalesce(sum(a.no) FILTER (WHERE a.ripe <= $1), 0)::bigint AS no,
               coalesce(sum(a.unknown) FILTER (WHERE a.ripe <= $1), 0)::bigint AS unknown,
               count(*) FILTER (WHERE a.ripe <= $1 AND a.yes + a.no > 0 AND mine.first) AS known,
               count(*) FILTER (WHERE a.ripe > $1) AS young
        FROM mine CROSS JOIN LATERAL jsonb_to_recordset(mine.answers)
             AS a(code text, ripe date, yes bigint, no bigint, unknown bigint)
        GROUP BY GROUPING SETS ((a.code), (a.code, mine.key))
        """,
        today, cohort.programme, cohort.begins, cohort.ends,
    )  # fmt: skip
    return [Sum(*row) for row in rows]


async def reach(connection: Pool | Connection, cohort: Cohort, version: int, visible: str = "true") -> Reach:
    """How many journeys stand behind the sums. visible: `views.within`."""
    row = await connection.fetchrow(
        f"""
        SELECT count(*) FILTER (WHERE c.begun IS NOT NULL AND {_COHORT}) AS begun,
               count(*) FILTER (WHERE c.journey IS NOT NULL AND c.begun IS NULL) AS ahead,
               count(*) FILTER (WHERE {_GROWN}) AS grown
        FROM journeys j LEFT JOIN counted c ON c.journey = j.id
        WHERE ({visible}) AND ($2::text IS NULL OR j.programme = $2)
        """,
        version, cohort.programme, cohort.begins, cohort.ends,
    )  # fmt: skip
    return Reach(*row)
