"""Every history replayed, as was asked for on a page: progress is told, what was found is kept."""

import time
from typing import Final

import structlog
from temporalio import activity

from activities.resources import Resources
from journeys import contract
from journeys.audit.replaying_all import replay_house
from journeys.store import replays

PROCESSES: Final = 1
"""Beside the worker, which goes on serving people meanwhile."""
_BETWEEN_TELLS_SECONDS: Final = 2.0


class Replaying:
    """What the workflow of a replay asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.REPLAY_ALL)
    async def replay(self, asked: contract.ReplayAll) -> int:
        """How many journeys are not what they were; kept under the run, once however often this is tried."""
        pool = self._resources.pool
        known = await replays.of_run(pool, asked.run)
        if known is not None and known.found is not None:
            return known.found.wrong
        told = 0.0

        async def tell(done: int, number: int) -> None:
            nonlocal told
            activity.heartbeat()
            if done == 0:
                await replays.begin(pool, asked.run, asked.by, asked.at, number)
            elif time.monotonic() - told > _BETWEEN_TELLS_SECONDS:
                await replays.tell(pool, asked.run, done)
                told = time.monotonic()

        house = await replay_house(
            pool, self._resources.ring, self._resources.client, self._resources.replayable, PROCESSES, tell
        )
        found = house.kept()
        await replays.keep(pool, asked.run, found)
        log = structlog.get_logger().warning if found.wrong else structlog.get_logger().info
        log("every history replayed", count=found.wrong, journeys=found.journeys, seconds=found.seconds)
        return found.wrong
