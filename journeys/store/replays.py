"""Replays of every history that were asked for on a page: how far one is, and what it found."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from journeys.domain.record import Frozen
from journeys.store.database import Pool

NAMED: Final = 200
"""Journeys that one finding names at most."""
SILENT: Final = timedelta(minutes=10)
"""A replay that says nothing for so long goes on no more, until a worker takes it up again."""


class OtherWay(Frozen):
    """A run of a journey (by id) that is not what it was."""

    journey: str
    run: str
    why: str
    """What the engine's library says of it, or how a kept history was altered: for whoever has to find the cause."""


class Replayed(Frozen):
    """What a replay of every history found."""

    seconds: float
    """How long it took."""
    journeys: int
    """Asked for: all there are, but those of people who were erased."""
    runs: int
    history_events: int
    failures: int
    """Journeys that today's code takes another way."""
    failed: tuple[OtherWay, ...] = ()
    """The first 200."""
    alterations: int = 0
    """Journeys of which a kept history is not what was exported."""
    altered: tuple[OtherWay, ...] = ()
    """The first 200."""
    partial: int = 0
    """Journeys of which neither the engine nor the shelf has every run."""
    without: int = 0
    """Journeys of which no history is there."""
    gone: int = 0
    """Journeys of which no history is left, because the time of those that were kept was over."""
    erased: int = 0
    """Journeys of people who were erased, with their histories."""

    @property
    def wrong(self) -> int:
        return self.failures + self.alterations


@dataclass(frozen=True, slots=True)
class Replay:
    """One that was asked for."""

    run: str
    staff: str
    """Who asked."""
    begun: datetime
    journeys: int
    """To be replayed; 0 until they are counted."""
    done: int
    told: datetime
    """When it last said how far it is."""
    found: Replayed | None
    """None: it is under way, or nobody goes on with it."""

    def stands(self, now: datetime) -> bool:
        """Whether it is not at its end, and has said nothing for long."""
        return self.found is None and now - self.told > SILENT


async def begin(pool: Pool, run: str, staff: str, at: datetime, journeys: int) -> None:
    """A replay begins, or begins anew."""
    await pool.execute(
        "INSERT INTO replays (run, staff, begun, journeys, told) VALUES ($1, $2, $3, $4, clock_timestamp())"
        " ON CONFLICT (run) DO UPDATE SET journeys = excluded.journeys, done = 0, told = excluded.told"
        " WHERE replays.found IS NULL",
        run, staff, at, journeys,
    )  # fmt: skip


async def tell(pool: Pool, run: str, done: int) -> None:
    """How many journeys are done."""
    await pool.execute(
        "UPDATE replays SET done = $2, told = clock_timestamp() WHERE run = $1 AND found IS NULL", run, done
    )


async def keep(pool: Pool, run: str, found: Replayed) -> None:
    """What it found; kept again, the first stands."""
    await pool.execute(
        "UPDATE replays SET done = journeys, told = clock_timestamp(), found = $2 WHERE run = $1 AND found IS NULL",
        run, found.model_dump_json(),
    )  # fmt: skip


async def last(pool: Pool, limit: int) -> list[Replay]:
    """The latest, the newest first."""
    rows = await pool.fetch(f"SELECT {_COLUMNS} FROM replays ORDER BY begun DESC LIMIT $1", limit)
    return [_read(row) for row in rows]


async def of_run(pool: Pool, run: str) -> Replay | None:
    """One, by its run; None when it has not begun."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM replays WHERE run = $1", run)
    return None if row is None else _read(row)


_COLUMNS: Final = "run, staff::text AS staff, begun, journeys, done, told, found"


def _read(row: dict[str, object]) -> Replay:
    found = row["found"]
    return Replay(**{**row, "found": None if found is None else Replayed.model_validate_json(str(found))})  # type: ignore[arg-type]
