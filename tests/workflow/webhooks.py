"""A webhook on the real server whose deliveries the test scripts."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.testing import TimeSkipper, TimeSkippingConfig
from temporalio.worker import Worker

from journeys import contract, temporal
from journeys.contract import Deliver, Delivered, StopWebhook, Subscription
from tests.conftest import RealStack
from tests.workflow.conftest import MOST_SKIPS
from workflows.webhooks import WebhookWorkflow

Answer = Callable[[Deliver], Delivered | None]


@dataclass
class Telling:
    """One webhook. `answer` says what becomes of a delivery; None: there is nothing to tell until it changes."""

    client: Client
    skipper: TimeSkipper
    queue: str = field(default_factory=lambda: f"q-{uuid.uuid4()}")
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: Answer = lambda _: None
    asked: list[tuple[datetime, Deliver]] = field(default_factory=list)
    stopped: list[StopWebhook] = field(default_factory=list)

    @activity.defn(name=contract.WEBHOOK_DELIVER)
    async def deliver(self, asked: Deliver) -> Delivered:
        self.asked.append((await self.now(), asked))
        while (done := self.answer(asked)) is None:
            activity.heartbeat()
            try:
                async with asyncio.timeout(0.05):
                    await activity.wait_for_worker_shutdown()
                    return Delivered()
            except TimeoutError:
                pass
        if done == Delivered():
            await asyncio.sleep(0.2)
        return done

    @activity.defn(name=contract.WEBHOOK_STOP)
    async def stop(self, stopped: StopWebhook) -> None:
        self.stopped.append(stopped)

    def handle(self) -> Any:
        return self.client.get_workflow_handle(f"webhooks-{self.id}")

    async def now(self) -> datetime:
        return await self.skipper.get_current_time(self.handle())

    async def begin(self, *, wake: bool = False) -> None:
        await temporal.begin_webhook(self.client, self.id, self.queue, wake=wake)

    async def begin_short(self, history_limit: int) -> None:
        await self.client.start_workflow(
            contract.WEBHOOK,
            Subscription(webhook=self.id, history_limit=history_limit),
            id=f"webhooks-{self.id}",
            task_queue=self.queue,
        )

    async def pass_(self, span: timedelta) -> None:
        await self.skipper.fast_forward(self.handle(), span)

    async def until_asked(self, count: int) -> None:
        """Until so many deliveries have begun."""
        async with asyncio.timeout(20):
            while len(self.asked) < count:
                await asyncio.sleep(0.02)

    def worker(self, **options: Any) -> Worker:
        return Worker(
            self.client, task_queue=self.queue, workflows=[WebhookWorkflow], activities=[self.deliver, self.stop],
            workflow_runner=temporal.sandbox_runner(), **options,
        )  # fmt: skip


@asynccontextmanager
async def telling(stack: RealStack, **options: Any) -> AsyncIterator[Telling]:
    plain = await Client.connect(stack.temporal, data_converter=temporal.DATA_CONVERTER)
    skipper = TimeSkipper(plain, config=TimeSkippingConfig(enabled=False, max_session_skip_count=MOST_SKIPS))
    made = Telling(skipper.client, skipper)
    async with made.worker(**options):
        yield made


def away(asked: Deliver) -> Delivered:
    """A receiver that takes nothing, with more journeys to be told than may be held."""
    streams = (*asked.again, *(f"journey-{nth}" for nth in range(9) if f"journey-{nth}" not in asked.without))
    return Delivered(failed=dict.fromkeys(list(dict.fromkeys(streams))[: asked.room], "status-503"))
