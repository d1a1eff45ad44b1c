"""The nightly verification of everything, kept for those who look."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from journeys import contract

LIMIT = timedelta(hours=6)
SILENCE = timedelta(minutes=5)
"""A worker that reads nothing for so long is gone; another begins anew."""
PATIENCE = timedelta(hours=20)
"""Then the next night's is near."""


@workflow.defn(name=contract.VERIFICATION)
class VerificationWorkflow:
    """Verify everything once; a worker or database that is away is waited for."""

    @workflow.run
    async def run(self) -> int:
        """Returns how many things must not be."""
        wrong: int = await workflow.execute_activity(
            contract.VERIFY_ALL,
            contract.Controlling(run=workflow.info().workflow_id, at=workflow.now()),
            start_to_close_timeout=LIMIT,
            heartbeat_timeout=SILENCE,
            schedule_to_close_timeout=PATIENCE,
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5)),
            result_type=int,
            summary="everything verified",
        )
        return wrong
