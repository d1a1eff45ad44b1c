"""From stored bytes to a state, against a loop that reads, hashes and validates the same bytes and keeps nothing."""

import hashlib
import time
from collections.abc import Iterator, Sequence

from benchmarks.core import Journey
from benchmarks.ground import Ground
from benchmarks.measuring import Figure, Target, compared, in_turns
from journeys.domain import commands as c
from journeys.domain.events import KINDS, envelope
from journeys.domain.evolve import fold
from journeys.domain.record import NO_EVENT, Event, Payload
from journeys.store import journal
from journeys.store.journal import StoredEvent

JOURNEYS = 40


async def measure(ground: Ground, rounds: int) -> list[Figure]:
    place = await ground.place()
    streams = []
    for _ in range(JOURNEYS):
        journey, plan = Journey.begun(place.ring)
        requests = [plan, *journey.pass_days(40), journey.ask(c.ConfirmDate(date="release")), *journey.pass_days(60)]
        for request in requests:
            if not (await journal.append(place.pool, place.ring, request)).accepted:
                raise RuntimeError(request)
        streams.append(journey.state.stream)
    validators = {kind: envelope(model).model_validate_json for kind, model in KINDS.items()}

    async def bare() -> float:
        count, begun = 0, time.perf_counter()
        for stream in streams:
            rows = await place.pool.fetch("SELECT kind, header FROM events WHERE stream = $1 ORDER BY seq", stream)
            for kind, header in rows:
                hashlib.sha256(header).digest()
                validators[kind](header)
            count += len(rows)
        return count / (time.perf_counter() - begun)

    async def ours() -> float:
        count, begun = 0, time.perf_counter()
        for stream in streams:
            stored = await journal.read_all(place.pool, stream)
            fold(_linked(stream, stored))
            count += len(stored)
        return count / (time.perf_counter() - begun)

    turns = await in_turns(ours, bare, rounds=rounds)
    return [
        compared(
            "events folded from the journal, links checked, against reading, hashing and validating them", "a second",
            [(mine, reference) for mine, reference in turns], Target("at least", 0.4),
        )
    ]  # fmt: skip


def _linked(stream: str, stored: Sequence[StoredEvent]) -> Iterator[Event[Payload]]:
    """The events one after the other, each as it is read: hash and link are checked first."""
    link = NO_EVENT
    for each in stored:
        event = each.event()
        if hashlib.sha256(each.header).digest() != each.hash or event.prev != link:
            raise RuntimeError(f"{stream} is broken at {each.seq}")
        link = each.hash.hex()
        yield event
