"""Histories of the engine that outlive its retention."""

from datetime import UTC, datetime
from typing import Final

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.resources import Resources
from journeys import contract
from journeys.contract import Run
from journeys.domain.record import SYSTEM
from journeys.store import histories
from journeys.store.database import LOST
from journeys.store.directory import By

NOT_KEPT: Final = "NotKept"
"""Some histories cannot be kept; all others were."""
_AWAY: Final = frozenset({
    RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.CANCELLED,
})  # fmt: skip
"""The engine answers nobody: that says nothing of the run that was asked for."""


class Archive:
    """What the workflow of the archive asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.ARCHIVE_HISTORIES)
    async def keep(self) -> int:
        """Keep the history of every run that ended and is not kept yet; how many that were.

        Raises ApplicationError: NotKept: some cannot be; they hold no other back, and the next night tries them again.
        """
        kept, failed, pool, engine = 0, 0, self._resources.pool, self._resources.engine
        log = structlog.get_logger()
        async for run in histories.not_kept(pool, engine.ended(), activity.heartbeat):
            activity.heartbeat(run.id)
            try:
                kept += await self._keep(run)
            except LOST:
                raise
            except Exception as error:
                if isinstance(error, RPCError) and error.status in _AWAY:
                    raise
                failed += 1
                log.exception("history not kept", run=run.id)
        log.info("histories kept", count=kept)
        if failed:
            raise ApplicationError(f"{failed} not kept, {kept} kept", failed, kept, type=NOT_KEPT, non_retryable=True)
        return kept

    async def _keep(self, run: Run) -> bool:
        history = await self._resources.engine.history(run)
        if history is None:
            return False
        by = By(actor=SYSTEM, role=SYSTEM, at=datetime.now(UTC))
        return await histories.keep(self._resources.pool, self._resources.ring, run, history, by)
