"""Workers of journeys and their erasure, one a queue; each dies by SIGKILL right after each step of its list.

What `tests.forking` has imported serves all of them: each is forked, and another takes over its queue when one was
killed. There is no sandbox: it would take most of the time of a beginning.

Environment: ERASURE_DATABASE, ERASURE_TEMPORAL, ERASURE_JOBS (JSON: by queue its folder and the names of its steps).
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import worker
from activities import Resources, all_activities
from activities.erasure import Erasure
from activities.tills import Tills
from journeys import temporal
from journeys.channels.bank import SimulatedBank
from journeys.channels.outbox import FileOutbox
from journeys.store import contact_erasing
from journeys.store.database import open_pool
from journeys.store.letters import seal_letter
from journeys.store.signing import KeyRing
from worker import WORKER_OPTIONS
from workflows.erasure import ErasureWorkflow
from workflows.journey import JourneyWorkflow


def put_in_the_deaths(home: Path, deaths: list[str]) -> None:
    for name in deaths:
        setattr(Erasure, name, _and_die(home / f"died-after-{name}", getattr(Erasure, name)))


def _and_die(mark: Path, step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(step)
    async def done_and_dead(self: Erasure, asked: Any) -> Any:
        found = await step(self, asked)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return done_and_dead


async def serve(queue: str, home: Path) -> None:
    pool = await open_pool(os.environ["ERASURE_DATABASE"])
    client = await Client.connect(os.environ["ERASURE_TEMPORAL"], data_converter=temporal.sealing(pool.keys))
    resources = Resources(
        pool=pool,
        ring=KeyRing("test", {"test": b"0" * 32}),
        tills=Tills({"sepa": SimulatedBank(pool)}),
        mailer=FileOutbox(home / "outbox", partial(seal_letter, pool.keys)),
        send=lambda command: temporal.send(client, command, task_queue=queue),
        engine=temporal.EndedRuns(client),
        destroyed=home / "destroyed-keys",
    )
    async with Worker(
        client, task_queue=queue, workflows=[JourneyWorkflow, ErasureWorkflow],
        activities=all_activities(resources), workflow_runner=UnsandboxedWorkflowRunner(), **WORKER_OPTIONS,
    ):  # fmt: skip
        await asyncio.Event().wait()


def begin(queue: str, home: str, deaths: list[str]) -> int:
    """Fork the worker of a queue; its process id."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        put_in_the_deaths(Path(home), deaths)
        asyncio.run(serve(queue, Path(home)))
    return child


def main() -> None:
    jobs = [(queue, *job) for queue, job in json.loads(os.environ["ERASURE_JOBS"]).items()]
    serving: dict[int, tuple[str, str, list[str]]] = {}

    def end(*_: object) -> None:
        for child in serving:
            os.kill(child, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    serving.update({begin(*job): job for job in jobs})
    while True:
        child, status = os.wait()
        job = serving.pop(child)
        if not os.WIFSIGNALED(status):
            sys.exit(f"a worker ended by itself: {status}")
        serving[begin(*job)] = job


def without_its_guard() -> None:
    """worker.py, which does not look at its list of destroyed keys as it begins."""

    async def nothing(*_: object) -> tuple[int, list[str]]:
        return 0, []

    contact_erasing.put_right = nothing
    worker.main()
