"""What verifications of everything found: one a night, kept for those who look."""

from dataclasses import dataclass
from typing import Any, Final

from journeys.domain.record import Frozen, Instant
from journeys.store.database import Connection, Pool
from journeys.store.silences import CHANNEL, Quiet

NAMED: Final = 200
"""Journeys that one finding names at most."""


class Named(Frozen):
    """A journey of which something is to be told, by its id."""

    journey: str
    count: int
    """How many of it."""
    at: Instant | None = None
    code: str = ""


class Found(Frozen):
    """Journeys of which the same is to be told."""

    journeys: int = 0
    count: int = 0
    """Of all of them together."""
    named: tuple[Named, ...] = ()
    """The first 200."""


class HistoriesFound(Frozen):
    """How it stands with the engine's histories that are kept beyond its retention."""

    kept: int = 0
    gone: int = 0
    """Noted in the journal, and their file deleted since: with a person, or because its time was over."""
    altered: tuple[str, ...] = ()
    """Runs whose file is not what the journal's digest says, or cannot be opened."""
    waiting: int = 0
    """Runs that ended and are not kept yet."""
    late: int = 0
    """Of these, how many should have been kept in the night before."""


class Verified(Frozen):
    """What a verification of everything found."""

    at: Instant
    seconds: float
    """How long it took."""
    log: dict[str, Any]
    """`LogReport.as_json`."""
    journeys: int
    apart: Found
    """Whose journal contradicts itself, or whose lists the journal; `code` is the account."""
    owed: dict[str, int]
    """Obligations by their outcome."""
    silent: Found
    """Whose obligations passed without a trace; `at` is the earliest."""
    missed: Found
    """Whose obligations were missed; `at` is the latest, which comes first."""
    grants: int
    breaches: Found
    """In whose grants one person did two duties that part, or without the role."""
    histories: HistoriesFound

    @property
    def wrong(self) -> int:
        """How many things must not be. A missed obligation is a fact, not a contradiction."""
        histories = len(self.histories.altered) + self.histories.late
        return len(self.log["findings"]) + self.apart.journeys + self.silent.count + self.breaches.count + histories


async def keep(pool: Pool, run: str, found: Verified, *, lines: bool = False) -> None:
    """Keep what was found under the id of the run; kept again, the first stands. `lines`: those are kept as well."""
    await pool.execute(
        "INSERT INTO verifications (run, at, wrong, found, lines) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        run, found.at, found.wrong, found.model_dump_json(), lines,
    )  # fmt: skip


async def of_run(pool: Pool, run: str) -> Verified | None:
    """What a run found; None when it has not come to its end."""
    found = await pool.fetchval("SELECT found FROM verifications WHERE run = $1", run)
    return None if found is None else Verified.model_validate_json(found)


async def last(pool: Pool | Connection) -> Verified | None:
    """What was kept last, whatever its clock said; None before the first."""
    found = await pool.fetchval("SELECT found FROM verifications ORDER BY stored DESC LIMIT 1")
    return None if found is None else Verified.model_validate_json(found)


@dataclass(frozen=True, slots=True)
class Warnings:
    """What those who oversee see first: the record wants to be looked at; what a channel does not say any more."""

    alarming: bool
    """Nothing is signed any more, or the last verification found what must not be."""
    quiet: Quiet | None


async def warnings(pool: Pool | Connection) -> Warnings:
    """Both, in one question."""
    alarm, *silence = await pool.fetchrow(
        """
        SELECT refused IS NOT NULL OR coalesce((SELECT wrong FROM verifications ORDER BY stored DESC LIMIT 1), 0) > 0,
               s.id::text, s.channel, s.since, s.messages, s.told_at IS NOT NULL
        FROM log_head LEFT JOIN channel_silences s ON s.channel = $1 AND s.ended_at IS NULL
        """,
        CHANNEL,
    )
    return Warnings(alarm, None if silence[0] is None else Quiet(*silence))
