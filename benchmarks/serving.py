"""The worker process of the figures: python -m benchmarks.serving QUEUE [whole]. Ends with its input.

The product's own worker, as its composition root makes it, and beside it one for the references with the same options;
`whole`: the worker as it is served, with all that it does by itself (rounds, digests, checkpoints, control), and alone.
"""

import asyncio
import os
import signal
import sys
import threading

import uvloop
from temporalio.worker import Worker

from benchmarks.bare import Bare, BareBegins, BareRows, BareWaits
from benchmarks.measuring import keep_quiet
from journeys import garbage, temporal
from journeys.domain.calendar import Calendar
from journeys.leaving import leave
from journeys.settings import load_settings
from journeys.store.database import open_pool
from worker import WORKER_OPTIONS, make_resources, make_worker, serve


def work_every_day() -> None:
    """A figure does not hang on the day of the week on which it is taken: here no day is one of rest."""
    Calendar.works = lambda _, __: True  # type: ignore[method-assign, assignment]
    Calendar.rests = lambda _, __: False  # type: ignore[method-assign, assignment]


async def main(queue: str) -> None:
    settings = load_settings(task_queue=queue)
    assert settings.database_url is not None
    pool = await open_pool(settings.database_url)
    client = await temporal.connect(settings, pool.keys)
    references = Worker(
        client,
        task_queue=f"{queue}-bare",
        workflows=[Bare, BareBegins, BareWaits],
        activities=BareRows(pool).all(),
        workflow_runner=temporal.sandbox_runner(),
        **WORKER_OPTIONS,
    )
    async with make_worker(client, make_resources(pool, settings, client), settings), references:
        garbage.settle()
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        leave(0)


async def whole(queue: str) -> None:
    """Serve until the input ends, as until somebody stops it."""

    def stop() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop, daemon=True).start()
    print("ready", flush=True)  # Whoever calls waits until it is there.
    await serve(load_settings(task_queue=queue))
    leave(0)


if __name__ == "__main__":
    keep_quiet()
    work_every_day()
    uvloop.run((whole if sys.argv[2:] == ["whole"] else main)(sys.argv[1]))
