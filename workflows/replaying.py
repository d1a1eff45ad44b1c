"""Every history replayed with today's code, when somebody asks for it."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from journeys import contract

LIMIT = timedelta(hours=12)
SILENCE = timedelta(minutes=5)
"""A worker that replays nothing for so long is gone; another begins anew."""
PATIENCE = timedelta(hours=20)


@workflow.defn(name=contract.REPLAYING)
class ReplayingWorkflow:
    """Replay everything once; a worker, engine or database that is away is waited for."""

    @workflow.run
    async def run(self, asked: contract.Replaying) -> int:
        """Returns how many journeys are not what they were."""
        wrong: int = await workflow.execute_activity(
            contract.REPLAY_ALL,
            contract.ReplayAll(run=workflow.info().run_id, by=asked.by, at=workflow.now()),
            start_to_close_timeout=LIMIT,
            heartbeat_timeout=SILENCE,
            schedule_to_close_timeout=PATIENCE,
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5)),
            result_type=int,
            summary="every history replayed",
        )
        return wrong
