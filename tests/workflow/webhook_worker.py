"""A worker as worker.py makes it, whose heart is missed sooner; it dies by SIGKILL before a place is written.

Environment: HOOKS_DATABASE, HOOKS_TEMPORAL, HOOKS_QUEUE, HOOKS_HOSTS, HOOKS_DIE_AT (which place, from 1), and
HOOKS_PLACE_FIRST for a worker without the guard: the place is written before the post.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities import Resources, all_activities
from activities.tills import Tills
from activities.webhooks import _Round
from journeys import temporal
from journeys.channels.bank import SimulatedBank
from journeys.channels.outbox import FileOutbox
from journeys.channels.webhook import Messenger, Posted
from journeys.store import webhooks
from journeys.store.database import open_pool
from journeys.store.letters import seal_letter
from journeys.store.signing import KeyRing
from tests.workflow.soon_missed import SoonMissed
from workflows.housekeeping import HousekeepingWorkflow


def put_in_the_death(die_at: int) -> None:
    move, moves = webhooks.move, 0

    async def move_or_die(pool: Any, webhook: str, steps: Sequence[tuple[str, int, int]]) -> None:
        nonlocal moves
        moves += 1
        if moves == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        await move(pool, webhook, steps)

    webhooks.move = move_or_die


def put_the_place_first(die_at: int) -> None:
    post, posts = _Round._post, 0

    async def place_and_die_or_post(self: _Round, header: dict[str, Any]) -> Posted:
        nonlocal posts
        posts += 1
        await webhooks.move(self._resources.pool, self._hook.id, [(header["stream"], header["seq"] - 1, header["seq"])])
        if posts == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return await post(self, header)

    _Round._post = place_and_die_or_post  # type: ignore[method-assign]


async def serve() -> None:
    put_in = put_the_place_first if os.environ.get("HOOKS_PLACE_FIRST") else put_in_the_death
    put_in(int(os.environ.get("HOOKS_DIE_AT", "0")))
    client = await Client.connect(os.environ["HOOKS_TEMPORAL"], data_converter=temporal.DATA_CONVERTER)
    pool = await open_pool(os.environ["HOOKS_DATABASE"])
    queue = os.environ["HOOKS_QUEUE"]
    resources = Resources(
        pool=pool,
        ring=KeyRing("test", {"test": b"0" * 32}),
        tills=Tills({"sepa": SimulatedBank(pool)}),
        mailer=FileOutbox(Path("/nowhere"), partial(seal_letter, pool.keys)),
        messenger=Messenger(tuple(os.environ["HOOKS_HOSTS"].split(","))),
        begin=lambda webhook: temporal.begin_webhook(client, webhook, queue),
    )
    async with Worker(
        client, task_queue=queue, workflows=[SoonMissed, HousekeepingWorkflow], activities=all_activities(resources),
        workflow_runner=temporal.sandbox_runner(),
    ):  # fmt: skip
        await asyncio.Event().wait()


def main() -> None:
    asyncio.run(serve())
