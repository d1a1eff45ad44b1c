"""The workflow of a webhook whose worker is missed sooner, in a file that the sandbox can load."""

from datetime import timedelta

from temporalio import workflow

from journeys import contract
from journeys.contract import Subscription
from workflows.webhooks import WebhookWorkflow


@workflow.defn(name=contract.WEBHOOK)
class SoonMissed(WebhookWorkflow):
    """A test does not wait for half a minute."""

    HEARTBEAT = timedelta(seconds=3)

    @workflow.init
    def __init__(self, begin: Subscription) -> None:
        super().__init__(begin)

    @workflow.run
    async def run(self, begin: Subscription) -> str:
        return await super().run(begin)
