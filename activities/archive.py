"""Histories of the engine that outlive its retention."""

from datetime import UTC, datetime
from typing import Final

import structlog
from temporalio import activity

from activities.resources import Resources
from journeys import contract
from journeys.domain.record import SYSTEM
from journeys.store import histories
from journeys.store.directory import By

_AT_ONCE: Final = 200


class Archive:
    """What the workflow of the archive asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.ARCHIVE_HISTORIES)
    async def keep(self) -> int:
        """Keep the history of every run that ended and is not kept yet; how many that were."""
        kept, waiting = 0, list[contract.Run]()
        async for run in self._resources.engine.ended():
            waiting.append(run)
            if len(waiting) == _AT_ONCE:
                kept += await self._keep(waiting)
                waiting = []
        kept += await self._keep(waiting)
        structlog.get_logger().info("histories kept", count=kept)
        return kept

    async def _keep(self, runs: list[contract.Run]) -> int:
        pool, ring = self._resources.pool, self._resources.ring
        missing, kept = await histories.missing(pool, [run.id for run in runs]), 0
        for run in runs:
            activity.heartbeat(run.id)
            if run.id in missing and (history := await self._resources.engine.history(run)) is not None:
                by = By(actor=SYSTEM, role=SYSTEM, at=datetime.now(UTC))
                kept += await histories.keep(pool, ring, run, history, by)
        return kept
