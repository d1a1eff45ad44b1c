"""Every history of the house replayed with today's code, the engine's and those that are kept: what came of it."""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from temporalio.client import Client

from journeys.audit.history import Shelf
from journeys.audit.replaying import Replay, replay_all
from journeys.store.database import Pool
from journeys.store.erasing import journeys_ordered
from journeys.store.evidence import count_journeys, each_journey
from journeys.store.histories import Altered
from journeys.store.replays import NAMED, OtherWay, Replayed
from journeys.store.signing import KeyRing

Tell = Callable[[int, int], Awaitable[None]]
"""Called with how many journeys are done, of how many."""


async def replay_house(
    pool: Pool, ring: KeyRing, client: Client | None, workflows: Sequence[type], processes: int, tell: Tell
) -> Replayed:
    """Replay the runs of every journey, but of those whose person is erased, also if that is ordered meanwhile.

    Raises RPCError: the engine does not answer. OSError, asyncpg.PostgresError: no database.
    """
    began, erased = time.monotonic(), await journeys_ordered(pool)
    number = max(await count_journeys(pool) - len(erased), 0)
    counted = _Sum()
    await tell(0, number)
    streams = (stream async for stream in each_journey(pool) if stream not in erased)
    shelf = Shelf(pool, ring)
    late = 0
    async with aclosing(replay_all(client, streams, workflows, shelf, processes, pool.keys)) as replays:
        async for stream, found in replays:
            if differs(found) and stream in await journeys_ordered(pool):
                late += 1
            else:
                counted.take(stream.removeprefix("journey-"), found)
            await tell(counted.journeys + late, number)
    return counted.told(len(erased) + late, time.monotonic() - began)


def differs(found: Replay | Altered | None) -> bool:
    """Whether it is not what it was; of somebody who is being erased meanwhile that is nothing to be told."""
    if isinstance(found, Altered):
        return found.why != "gone"
    return found is not None and found.failed is not None


@dataclass(slots=True)
class _Sum:
    journeys: int = 0
    runs: int = 0
    history_events: int = 0
    partial: int = 0
    without: int = 0
    gone: int = 0
    failed: list[OtherWay] = field(default_factory=list)
    altered: list[OtherWay] = field(default_factory=list)

    def take(self, journey: str, found: Replay | Altered | None) -> None:
        self.journeys += 1
        match found:
            case None:
                self.without += 1
            case Altered(why="gone"):
                self.gone += 1
            case Altered(run=run, why=why):
                self.altered.append(OtherWay(journey=journey, run=run, why=why))
            case Replay():
                self.runs += len(found.runs)
                self.history_events += sum(run.history_events for run in found.runs)
                self.partial += not found.complete
                if found.failed is not None:
                    self.failed.append(OtherWay(journey=journey, run=found.failed.run_id, why=found.failed.failure))

    def told(self, erased: int, seconds: float) -> Replayed:
        return Replayed(
            seconds=round(seconds, 1), journeys=self.journeys, runs=self.runs, history_events=self.history_events,
            failures=len(self.failed), failed=tuple(self.failed[:NAMED]), alterations=len(self.altered),
            altered=tuple(self.altered[:NAMED]), partial=self.partial, without=self.without,
            gone=self.gone, erased=erased,
        )  # fmt: skip
