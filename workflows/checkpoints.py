"""The log and its signed checkpoints, kept by a schedule: ten minutes a run, a round a minute within."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from journeys import contract

SECONDS = 590.0
"""Rounds of one run: the schedule begins the next every ten minutes, one after the other."""
EVERY = 60.0


@workflow.defn(name=contract.CHECKPOINTS)
class CheckpointsWorkflow:
    """Keep the log for ten minutes; what fails, or whose worker ends, is taken up again."""

    @workflow.run
    async def run(self, asked: contract.KeepCheckpoints | None = None) -> int:
        """Returns how many checkpoints were signed by the attempt that came to the end."""
        made: int = await workflow.execute_activity(
            contract.KEEP_CHECKPOINTS,
            asked or contract.KeepCheckpoints(seconds=SECONDS, every=EVERY),
            start_to_close_timeout=timedelta(minutes=11),
            schedule_to_close_timeout=timedelta(minutes=20),
            heartbeat_timeout=timedelta(seconds=150),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
            result_type=int,
            summary="log and checkpoints",
        )
        return made
