"""Appends with links, parts, commands and views, against a bare insert of one row through the same driver."""

import asyncio
import time

from benchmarks.bare import ROW
from benchmarks.core import Journey
from benchmarks.ground import Ground
from benchmarks.measuring import Figure, Target, compared, in_turns
from journeys.contract import Append
from journeys.store import journal
from journeys.store.signing import KeyRing

AT_ONCE = 16
EACH = 120


async def measure(ground: Ground, rounds: int) -> list[Figure]:
    place = await ground.place()

    async def bare() -> float:
        async def insert() -> None:
            for _ in range(EACH):
                async with place.pool.acquire() as connection:
                    await connection.execute("INSERT INTO bare (batch, body) VALUES ($1, $2)", "", ROW)

        begun = time.perf_counter()
        await asyncio.gather(*(insert() for _ in range(AT_ONCE)))
        return AT_ONCE * EACH / (time.perf_counter() - begun)

    async def ours() -> float:
        # What the workflow decides and words is not the append's work.
        offered = [_offered(place.ring) for _ in range(AT_ONCE)]

        async def append(requests: list[Append]) -> None:
            for request in requests:
                if not (await journal.append(place.pool, place.ring, request)).accepted:
                    raise RuntimeError(request)

        await asyncio.gather(*(append(requests[:1]) for requests in offered))
        begun = time.perf_counter()
        await asyncio.gather(*(append(requests[1:]) for requests in offered))
        return AT_ONCE * EACH / (time.perf_counter() - begun)

    turns = await in_turns(ours, bare, rounds=rounds)
    return [
        compared(
            "appends of a note with link, part, command and view, 16 at a time, against a bare insert", "a second",
            [(mine, reference) for mine, reference in turns], Target("at least", 0.3),
        )
    ]  # fmt: skip


def _offered(ring: KeyRing) -> list[Append]:
    """A plan, then notes."""
    journey, plan = Journey.begun(ring)
    return [plan, *(journey.note() for _ in range(EACH))]
