"""Where more waits for a worker than it can do, urgent alerts come first and messages last."""

import asyncio
import uuid
from datetime import timedelta
from statistics import mean
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from journeys.domain.state import EffectKnown
from tests.conftest import RealStack
from workflows.journey import _priority_of

URGENT = EffectKnown("tell", "e", {"urgent": True})
MESSAGE = EffectKnown("deliver", "m", {})


@workflow.defn(name="crowded")
class Crowded:
    """Effects as they are called for: messages first, urgent alerts last."""

    @workflow.run
    async def run(self, known: list[dict[str, Any]]) -> None:
        effects = [EffectKnown(**each) for each in known]
        doing = [
            workflow.start_activity(
                "act", number, start_to_close_timeout=timedelta(seconds=20), priority=_priority_of(effect)
            )
            for number, effect in enumerate(effects)
        ]
        await asyncio.gather(*doing)


async def test_an_urgent_alert_does_not_wait_behind_messages(stack: RealStack) -> None:
    """The real server, one activity at a time. In any order of their own the two would lie side by side."""
    client, queue, done = await Client.connect(stack.temporal), f"q-{uuid.uuid4()}", list[int]()

    @activity.defn(name="act")
    async def act(number: int) -> None:
        done.append(number)
        await asyncio.sleep(0.02)

    effects = [*[MESSAGE] * 60, *[URGENT] * 12]
    known = [{"kind": each.kind, "id": each.id, "data": each.data} for each in effects]
    async with Worker(client, task_queue=queue, workflows=[Crowded], workflow_runner=UnsandboxedWorkflowRunner()):
        handle = await client.start_workflow("crowded", known, id=queue, task_queue=queue)
        await _scheduled(handle, len(effects))
    worker = Worker(
        client, task_queue=queue, workflows=[Crowded], activities=[act], max_concurrent_activities=1,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )  # fmt: skip
    async with worker:
        await handle.result()
    # A queue has four parts, each in the order of priorities, and whose turn it is, is drawn.
    places = {effect.kind: [done.index(number) for number, each in enumerate(effects) if each is effect]
              for effect in (MESSAGE, URGENT)}  # fmt: skip
    assert mean(places["tell"]) < mean(places["deliver"]) - 15


async def _scheduled(handle: Any, count: int) -> None:
    while len((await handle.describe()).raw_description.pending_activities) < count:
        await asyncio.sleep(0.05)
