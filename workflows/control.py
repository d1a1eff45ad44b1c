"""The daily control of the money, at an hour of the settings."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from journeys import contract

LIMIT = timedelta(minutes=10)
PATIENCE = timedelta(hours=20)
"""Then the next day's control is near."""


@workflow.defn(name=contract.CONTROL)
class ControlWorkflow:
    """Look at the money once; a worker or database that is away is waited for."""

    @workflow.run
    async def run(self) -> int:
        """Returns how many alarms there are."""
        alarms: int = await workflow.execute_activity(
            contract.CONTROL_MONEY,
            contract.Controlling(run=workflow.info().workflow_id, at=workflow.now()),
            start_to_close_timeout=LIMIT,
            schedule_to_close_timeout=PATIENCE,
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5)),
            result_type=int,
            summary="control of the money",
        )
        return alarms
