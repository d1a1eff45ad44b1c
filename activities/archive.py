"""Histories of the engine that outlive its retention."""

from datetime import UTC, datetime

import structlog
from temporalio import activity

from activities.resources import Resources
from journeys import contract
from journeys.domain.record import SYSTEM
from journeys.store import histories
from journeys.store.directory import By


class Archive:
    """What the workflow of the archive asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.ARCHIVE_HISTORIES)
    async def keep(self) -> int:
        """Keep the history of every run that ended and is not kept yet; how many that were."""
        kept, pool, engine = 0, self._resources.pool, self._resources.engine
        async for run in histories.not_kept(pool, engine.ended(), activity.heartbeat):
            activity.heartbeat(run.id)
            if (history := await engine.history(run)) is not None:
                by = By(actor=SYSTEM, role=SYSTEM, at=datetime.now(UTC))
                kept += await histories.keep(pool, self._resources.ring, run, history, by)
        structlog.get_logger().info("histories kept", count=kept)
        return kept
