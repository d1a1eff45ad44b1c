"""Workers of a journey and its erasure, one after the other; each dies by SIGKILL right after a step of the list.

What has been imported once serves all of them: each is forked, and the next takes over when one was killed.

Environment: ERASURE_DATABASE, ERASURE_TEMPORAL, ERASURE_QUEUE, ERASURE_HOME, ERASURE_DEATHS (names of steps, commas
between).
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities import Resources, all_activities
from activities.erasure import Erasure
from activities.tills import Tills
from journeys import temporal
from journeys.channels.bank import SimulatedBank
from journeys.channels.outbox import FileOutbox
from journeys.store.database import open_pool
from journeys.store.letters import seal_letter
from journeys.store.signing import KeyRing
from worker import WORKER_OPTIONS
from workflows.archiving import ArchiveWorkflow
from workflows.erasure import ErasureWorkflow
from workflows.journey import JourneyWorkflow

HOME = Path(os.environ["ERASURE_HOME"])
DEATHS = [name for name in os.environ.get("ERASURE_DEATHS", "").split(",") if name]


def put_in_the_deaths() -> None:
    for name in DEATHS:
        setattr(Erasure, name, _and_die(name, getattr(Erasure, name)))


def _and_die(name: str, step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(step)
    async def done_and_dead(self: Erasure, asked: Any) -> Any:
        found = await step(self, asked)
        mark = HOME / f"died-after-{name}"
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return done_and_dead


async def serve() -> None:
    pool = await open_pool(os.environ["ERASURE_DATABASE"])
    client = await Client.connect(os.environ["ERASURE_TEMPORAL"], data_converter=temporal.sealing(pool.keys))
    queue = os.environ["ERASURE_QUEUE"]
    resources = Resources(
        pool=pool,
        ring=KeyRing("test", {"test": b"0" * 32}),
        tills=Tills({"sepa": SimulatedBank(pool)}),
        mailer=FileOutbox(HOME / "outbox", partial(seal_letter, pool.keys)),
        send=lambda command: temporal.send(client, command, task_queue=queue),
        engine=temporal.EndedRuns(client),
        destroyed=HOME / "destroyed-keys",
    )
    async with Worker(
        client, task_queue=queue, workflows=[JourneyWorkflow, ErasureWorkflow, ArchiveWorkflow],
        activities=all_activities(resources), workflow_runner=temporal.sandbox_runner(), **WORKER_OPTIONS,
    ):  # fmt: skip
        await asyncio.Event().wait()


def main() -> None:
    put_in_the_deaths()
    children: list[int] = []

    def end(*_: object) -> None:
        os.kill(children[-1], signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            asyncio.run(serve())
        children.append(child)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(f"a worker ended by itself: {status}")


if __name__ == "__main__":
    main()
