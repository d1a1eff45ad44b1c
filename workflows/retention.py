"""The daily look at what has been kept long enough: proposed or applied, rule by rule, as the rules say."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from journeys import contract
    from journeys.contract import Retained

LIMIT = timedelta(minutes=10)
PATIENCE = timedelta(hours=20)
"""Then the next day's round is near."""


@workflow.defn(name=contract.RETENTION)
class RetentionWorkflow:
    """Look once; a worker or database that is away is waited for."""

    @workflow.run
    async def run(self) -> Retained:
        """Returns what was found and what went."""
        found: Retained = await workflow.execute_activity(
            contract.RETENTION_ROUND,
            contract.Controlling(run=workflow.info().workflow_id, at=workflow.now()),
            start_to_close_timeout=LIMIT,
            schedule_to_close_timeout=PATIENCE,
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5)),
            result_type=Retained,
            summary="kept long enough",
        )
        return found
