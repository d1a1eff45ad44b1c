"""A round of digests: the schedule begins one every few minutes, and most find nothing to send."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from journeys import contract

LIMIT = timedelta(minutes=10)
PATIENCE = timedelta(hours=1)
"""Then a later round goes on; the journeys ask for their digests, too."""


@workflow.defn(name=contract.DIGESTS)
class DigestsWorkflow:
    """Send what is due; a worker, database or mail server that is away is waited for."""

    @workflow.run
    async def run(self) -> int:
        """Returns how many digests left."""
        sent: int = await workflow.execute_activity(
            contract.SEND_DIGESTS,
            contract.SendDigests(at=workflow.now()),
            start_to_close_timeout=LIMIT,
            schedule_to_close_timeout=PATIENCE,
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
            result_type=int,
            summary="digests",
        )
        return sent
