"""Commands acknowledged, so durable and visible, against updates of a bare workflow on the same server."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

from temporalio.client import Client

from benchmarks.bare import Bare, new_id
from benchmarks.ground import Ground, Place, Worker
from benchmarks.measuring import Figure, Target, compared, in_turns
from journeys import temporal
from journeys.app.entry import give

MANY = 48
"""Workflows of each kind; each caller has its own few."""
AT_ONCE = 16
A_TURN = 480
ALONE_A_TURN = 60

Ask = Callable[[str], Awaitable[None]]


async def measure(ground: Ground, rounds: int) -> list[Figure]:
    place = await ground.place()
    async with place.worker() as worker:
        journeys = await planned(place, worker, MANY)
        bare = await started(place.client, worker, MANY)

        async def note(stream: str) -> None:
            answer = await give(place.pool, place.client, place.note(stream), worker.queue)
            if answer.outcome != "accepted":
                raise RuntimeError(answer)

        async def nothing(id: str) -> None:
            await place.client.get_workflow_handle(id).execute_update(Bare.nothing)

        async def insert(id: str) -> None:
            await place.client.get_workflow_handle(id).execute_update(Bare.insert)

        together = await in_turns(
            lambda: _rate(note, journeys), lambda: _rate(nothing, bare), lambda: _rate(insert, bare), rounds=rounds
        )
        alone = await in_turns(lambda: _p50(note, journeys), lambda: _p50(nothing, bare), rounds=rounds)
    return [
        compared(
            "commands acknowledged, 16 at a time, against an empty update", "a second",
            [(ours, empty) for ours, empty, _ in together], Target("at least", 0.5),
        ),
        compared(
            "the same, against an update that awaits one ordinary activity with one insert", "a second",
            [(ours, activity) for ours, _, activity in together], Target("at least", 1.2),
        ),
        compared(
            "one command at a time, p50, against an empty update", "ms",
            [(ours, empty) for ours, empty in alone], Target("at most", 1.6),
        ),
    ]  # fmt: skip


async def planned(place: Place, worker: Worker, count: int) -> list[str]:
    """So many journeys under way: their streams."""
    streams: list[str] = []

    async def plan(_: int) -> None:
        command = place.plan()
        answer = await temporal.send(place.client, command, task_queue=worker.queue)
        if answer.outcome != "accepted":
            raise RuntimeError(answer)
        streams.append(command.stream)

    await at_once(plan, range(count))
    return streams


async def started(client: Client, worker: Worker, count: int) -> list[str]:
    """So many bare workflows under way: their ids."""
    ids = [new_id() for _ in range(count)]

    async def start(number: int) -> None:
        await client.start_workflow(
            Bare.run, id=ids[number], task_queue=worker.bare_queue, task_timeout=temporal.TASK_TIMEOUT
        )

    await at_once(start, range(count))
    return ids


async def at_once(work: Callable[[int], Awaitable[None]], numbers: Sequence[int], callers: int = AT_ONCE) -> None:
    """Each number once, by so many callers side by side; a caller has its own share."""

    async def caller(place: int) -> None:
        for number in numbers[place::callers]:
            await work(number)

    await asyncio.gather(*(caller(place) for place in range(callers)))


async def _rate(ask: Ask, ids: Sequence[str]) -> float:
    begun = time.perf_counter()
    await at_once(lambda number: ask(ids[number % len(ids)]), range(A_TURN))
    return A_TURN / (time.perf_counter() - begun)


async def _p50(ask: Ask, ids: Sequence[str]) -> float:
    took = []
    for number in range(ALONE_A_TURN):
        begun = time.perf_counter()
        await ask(ids[number % len(ids)])
        took.append((time.perf_counter() - begun) * 1000)
    return median(took)
