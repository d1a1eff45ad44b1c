"""Time skipping on the embedded server: months in seconds, and on time, also after continue-as-new."""

import asyncio
from datetime import timedelta
from pathlib import Path

from temporalio import workflow
from temporalio.client import Client
from temporalio.testing import TimeSkipper
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from journeys.local.stack import Stack

RUNS = 3
MONTH = timedelta(days=30)


@workflow.defn
class Monthly:
    """Sleeps a month a run, and carries how late it ever woke up, in seconds."""

    @workflow.run
    async def run(self, left: int, due: float | None, latest: float) -> float:
        due = (workflow.now().timestamp() if due is None else due) + MONTH.total_seconds()
        await asyncio.sleep(due - workflow.now().timestamp())
        latest = max(latest, workflow.now().timestamp() - due)
        if left > 1:
            workflow.continue_as_new(args=[left - 1, due, latest])
        return latest


async def test_months_pass_in_seconds_and_nothing_is_late(data_dir: Path) -> None:
    async with Stack.start(data_dir, time_skipping=True) as stack:
        assert stack.info.time_skipping
        skipper = TimeSkipper(await Client.connect(stack.temporal_address))
        runner = UnsandboxedWorkflowRunner()
        async with Worker(skipper.client, task_queue="months", workflows=[Monthly], workflow_runner=runner):
            handle = await skipper.client.start_workflow(
                Monthly.run, args=[RUNS, None, 0.0], id="months", task_queue="months"
            )
            await asyncio.wait_for(skipper.fast_forward(handle, MONTH * (RUNS + 1)), 30)
            assert await asyncio.wait_for(handle.result(), 30) < 60
