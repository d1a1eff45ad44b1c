"""Journeys that begin, against bare workflows whose first act is one local activity inserting as many rows."""

import asyncio
import json
import time
import uuid

from benchmarks.bare import BareBegins, BareInput, new_id
from benchmarks.commands import at_once
from benchmarks.ground import Ground
from benchmarks.measuring import Figure, Target, compared, in_turns
from journeys import temporal

A_TURN = 160


async def measure(ground: Ground, rounds: int) -> list[Figure]:
    place = await ground.place()
    async with place.worker() as worker:
        first = place.plan()
        answer = await temporal.send(place.client, first, task_queue=worker.queue)
        # The events, the command, the head of the stream, the row of the lists.
        rows = answer.last + 3
        filling = "x" * len(json.dumps(first.model_dump(mode="json")))

        async def journeys() -> float:
            async def start(_: int) -> None:
                begun = await temporal.send(place.client, place.plan(), task_queue=worker.queue)
                if begun.outcome != "accepted":
                    raise RuntimeError(begun)

            since = time.perf_counter()
            await at_once(start, range(A_TURN))
            return A_TURN / (time.perf_counter() - since)

        async def bare() -> float:
            batch = str(uuid.uuid4())

            async def start(_: int) -> None:
                await place.client.start_workflow(
                    BareBegins.run, BareInput(batch=batch, rows=rows, filling=filling), id=new_id(),
                    task_queue=worker.bare_queue, task_timeout=temporal.TASK_TIMEOUT,
                )  # fmt: skip

            before = await place.pool.fetchval("SELECT coalesce(max(id), 0) FROM bare")
            since = time.perf_counter()
            await at_once(start, range(A_TURN))
            # A start is acknowledged before the workflow has begun: it counts once its rows are there.
            while await place.pool.fetchval("SELECT count(*) FROM bare WHERE id > $1", before) < A_TURN * rows:
                await asyncio.sleep(0.01)
            return A_TURN / (time.perf_counter() - since)

        turns = await in_turns(journeys, bare, rounds=rounds)
    return [
        compared(
            "journeys started, 16 at a time, against bare workflows that insert as many rows", "a second",
            [(ours, reference) for ours, reference in turns], Target("at least", 0.5),
            f"{rows} rows, an input of {len(filling)} bytes",
        )
    ]  # fmt: skip
