"""Scheduled fleet work. What concerns one journey is a due of that journey; this looks after all of them."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from journeys import contract

LIMIT = timedelta(minutes=10)
"""The next round begins then."""


@workflow.defn(name=contract.HOUSEKEEPING)
class HousekeepingWorkflow:
    """Wake every journey that should have moved and has not: its run was lost, or its workflow is behind.

    Then have every webhook's workflow run, whatever became of the rest: a new Temporal server knows of none.
    """

    @workflow.run
    async def run(self) -> int:
        """Returns how many journeys were woken."""
        woken = 0
        failed: ActivityError | None = None
        try:
            woken = await workflow.execute_activity(
                contract.WAKE,
                start_to_close_timeout=LIMIT,
                retry_policy=RetryPolicy(maximum_attempts=2),
                result_type=int,
                summary="journeys past their due",
            )
        except ActivityError as error:
            if not workflow.patched("webhooks-whatever-failed"):
                raise
            failed = error
        await workflow.execute_activity(
            contract.WEBHOOKS_BEGIN,
            start_to_close_timeout=timedelta(minutes=1),
            retry_policy=RetryPolicy(maximum_attempts=2),
            result_type=int,
            summary="webhooks told",
        )
        if failed is not None:
            raise failed
        return woken
