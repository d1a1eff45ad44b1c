"""The daily keeping of histories: those of runs that ended, before the engine's retention takes them."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from journeys import contract

LIMIT = timedelta(hours=4)
SILENCE = timedelta(minutes=2)
"""A worker that keeps nothing for so long is gone; another goes on where it stopped."""
PATIENCE = timedelta(hours=20)


@workflow.defn(name=contract.ARCHIVE)
class ArchiveWorkflow:
    """Keep every history that is not kept yet; a worker, database or server that is away is waited for."""

    @workflow.run
    async def run(self) -> int:
        """Returns how many histories were kept."""
        kept: int = await workflow.execute_activity(
            contract.ARCHIVE_HISTORIES,
            start_to_close_timeout=LIMIT,
            heartbeat_timeout=SILENCE,
            schedule_to_close_timeout=PATIENCE,
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5)),
            result_type=int,
            summary="histories kept",
        )
        return kept
