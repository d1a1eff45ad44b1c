"""Every history of the house replayed with today's code, the engine's and those that are kept: what came of it."""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

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
    pool: Pool, ring: KeyRing | None, client: Client | None, workflows: Sequence[type], processes: int, tell: Tell
) -> "House":
    """Replay the runs of every journey, but of those whose person is erased, also if that is ordered meanwhile.

    ring: under which histories are kept; None: this place has no keys, only the engine's are replayed.

    Raises RPCError: the engine does not answer. OSError, asyncpg.PostgresError: no database.
    """
    began, erased = time.monotonic(), await journeys_ordered(pool)
    number = max(await count_journeys(pool) - len(erased), 0)
    house = House(erased=len(erased))
    await tell(0, number)
    streams = (stream async for stream in each_journey(pool) if stream not in erased)
    shelf = Shelf(pool, ring) if ring is not None else None
    async with aclosing(replay_all(client, streams, workflows, shelf, processes, pool.keys)) as replays:
        async for stream, found in replays:
            if differs(found) and stream in await journeys_ordered(pool):
                house.erased += 1
            else:
                house.take(stream.removeprefix("journey-"), found)
            await tell(house.journeys + house.erased - len(erased), number)
    house.seconds = time.monotonic() - began
    return house


def differs(found: Replay | Altered | None) -> bool:
    """Whether it is not what it was; of somebody who is being erased meanwhile that is nothing to be told."""
    if isinstance(found, Altered):
        return found.why != "gone"
    return found is not None and found.failed is not None


@dataclass(slots=True)
class House:
    """What a replay of every history found; journeys are named by their ids. See store.replays.Replayed."""

    erased: int = 0
    seconds: float = 0
    journeys: int = 0
    runs: int = 0
    history_events: int = 0
    failed: list[OtherWay] = field(default_factory=list)
    altered: list[OtherWay] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        return len(self.failed) + len(self.altered)

    def take(self, journey: str, found: Replay | Altered | None) -> None:
        self.journeys += 1
        match found:
            case None:
                self.without.append(journey)
            case Altered(why="gone"):
                self.gone.append(journey)
            case Altered(run=run, why=why):
                self.altered.append(OtherWay(journey=journey, run=run, why=why))
            case Replay():
                self.runs += len(found.runs)
                self.history_events += sum(run.history_events for run in found.runs)
                if not found.complete:
                    self.partial.append(journey)
                if found.failed is not None:
                    self.failed.append(OtherWay(journey=journey, run=found.failed.run_id, why=found.failed.failure))

    def kept(self) -> Replayed:
        """As it is kept and shown on a page."""
        return Replayed(
            seconds=round(self.seconds, 1), journeys=self.journeys, runs=self.runs, history_events=self.history_events,
            failures=len(self.failed), failed=tuple(self.failed[:NAMED]), alterations=len(self.altered),
            altered=tuple(self.altered[:NAMED]), partial=len(self.partial), without=len(self.without),
            gone=len(self.gone), erased=self.erased,
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """As the command line tells it, whole."""
        return {
            "journeys": self.journeys, "runs": self.runs, "history_events": self.history_events,
            "without": self.without, "gone": self.gone, "partial": self.partial, "erased": self.erased,
            "failed": [{"journey": each.journey, "run": each.run, "failure": each.why} for each in self.failed],
            "altered": [each.model_dump() for each in self.altered],
        }  # fmt: skip
