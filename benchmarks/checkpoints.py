"""A checkpoint of 10,000 new events: places, tree, proof against the last one, signature; and what an append waits."""

import asyncio
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from benchmarks.core import Journey
from benchmarks.ground import Ground
from benchmarks.measuring import Figure, Target, alone
from journeys.contract import Append
from journeys.domain.events import NoteAdded
from journeys.domain.record import SYSTEM, Event
from journeys.store import checkpoints, journal, sequencing
from journeys.store.checkpoints import Signed
from journeys.store.database import open_pool

EVENTS = 10_000
A_STREAM = 100
SEED = b"7" * 32


async def measure(ground: Ground, rounds: int) -> list[Figure]:
    place = await ground.place()
    sequencer = await open_pool(place.stack.database_url, role="journeys_sequencer", largest=1, keys=place.pool.keys)
    took: list[float] = []
    waited: list[float] = []
    for _ in range(rounds + 1):
        for _ in range(EVENTS // A_STREAM):
            await journal.append(place.pool, place.ring, _many())
        appending = asyncio.create_task(_longest_append(place))
        begun = time.perf_counter()
        if await sequencing.sequence(sequencer) < EVENTS:
            raise RuntimeError("not all were placed")
        await checkpoints.sign(sequencer, SEED, (), datetime.now(UTC), _kept)
        took.append((time.perf_counter() - begun) * 1000)
        appending.cancel()
        waited.append(await appending)
    await sequencer.close()
    return [
        alone("a checkpoint of 10,000 new events", "ms", took[1:], Target("at most", 1000)),
        alone("the longest append while it is made", "ms", waited[1:], None),
    ]


async def _kept(made: Signed) -> None:
    """What is measured is not this machine's disk."""


async def _longest_append(place: Any) -> float:
    journey, plan = Journey.begun(place.ring)
    longest = 0.0
    await journal.append(place.pool, place.ring, plan)
    try:
        while True:
            offered = journey.note()
            begun = time.perf_counter()
            await journal.append(place.pool, place.ring, offered)
            longest = max(longest, (time.perf_counter() - begun) * 1000)
    except asyncio.CancelledError:
        return longest


def _many() -> Append:
    stream, now = f"person-{uuid.uuid4()}", datetime.now(UTC)
    events = tuple(
        Event(
            stream=stream, seq=seq, kind=NoteAdded.__name__, kind_v=1, recorded_at=now, occurred_at=now, actor=SYSTEM,
            role=SYSTEM, rule="benchmark", data=NoteAdded(note=str(uuid.uuid4())),
        ).header()
        for seq in range(1, A_STREAM + 1)
    )  # fmt: skip
    return Append(stream=stream, expected=0, events=events)
