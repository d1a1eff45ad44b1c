"""Appends with links, parts, commands and views, against a bare insert of one row through the same driver."""

import asyncio
import time
from collections.abc import Sequence
from unittest.mock import patch

from benchmarks.bare import ROW
from benchmarks.core import Journey
from benchmarks.ground import Ground
from benchmarks.measuring import Figure, Target, compared, in_turns
from journeys.contract import Append
from journeys.store import journal, offer
from journeys.store.keys import Keys
from journeys.store.offer import KeptPart
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

    async def ours(shown: bool) -> float:
        # What the workflow decides and words is not the append's work.
        offered = [_offered(place.ring, shown) for _ in range(AT_ONCE)]

        async def append(requests: list[Append]) -> None:
            for request in requests:
                if not (await journal.append(place.pool, place.ring, request)).accepted:
                    raise RuntimeError(request)

        await asyncio.gather(*(append(requests[:2]) for requests in offered))
        begun = time.perf_counter()
        await asyncio.gather(*(append(requests[2:]) for requests in offered))
        return AT_ONCE * EACH / (time.perf_counter() - begun)

    async def unsealed() -> float:
        with patch.object(offer, "sealed_parts", _as_they_are):
            return await ours(shown=False)

    turns = await in_turns(lambda: ours(shown=False), bare, lambda: ours(shown=True), unsealed, rounds=rounds)
    return [
        compared(
            "appends of a note with link, part, command and its row of the lists, 16 at a time, against a bare insert",
            "a second", [(mine, reference) for mine, reference, _, _ in turns], Target("at least", 0.3),
        ),
        compared(
            "the same where every note changes what lists show", "a second",
            [(mine, reference) for _, reference, mine, _ in turns], Target("at least", 0.3),
        ),
        compared(
            "appends of a note, against the same with nothing sealed", "a second",
            [(mine, reference) for mine, _, _, reference in turns], Target("at least", 0.6),
        ),
    ]  # fmt: skip


async def _as_they_are(
    keys: Keys, stream: str, parts: Sequence[KeptPart], accounts_of: str | None = None
) -> list[bytes]:
    return [part.salt + part.text.encode() for part in parts]


def _offered(ring: KeyRing, shown: bool) -> list[Append]:
    """A plan, a note with what was due until then, then notes alone; `shown`: each with the whole view."""
    journey, plan = Journey.begun(ring)
    first, *notes = [journey.note() for _ in range(EACH + 1)]
    if shown:
        assert first.view is not None
        notes = [
            note.model_copy(update={"view": {**first.view, "seq": note.expected + 1, "late": note.expected}})
            for note in notes
        ]
    return [plan, first, *notes]
