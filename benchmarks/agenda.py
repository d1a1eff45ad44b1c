"""The first due of a journey with a hundred open dues: remembered, and found anew after an event."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

from benchmarks.ground import Ground
from benchmarks.measuring import Figure, Target, alone
from journeys.domain.agenda import agenda, first
from journeys.domain.events import Subject
from journeys.domain.state import ContactKnown, Deadline, Message, MilestoneKnown, State, Status

DUES = 100
CALLS = 2_000


async def measure(ground: Ground, rounds: int) -> list[Figure]:
    state = _with_dues(DUES)
    if len(agenda(state)) != DUES:
        raise RuntimeError(len(agenda(state)))

    def unchanged() -> None:
        first(state)

    def changed() -> None:
        state.seq += 1
        first(state)

    return [
        alone(
            f"first due among {DUES}, nothing changed", "us", [_microseconds(unchanged) for _ in range(rounds)],
            Target("at most", 10),
        ),
        alone(f"first due among {DUES}, after an event", "us", [_microseconds(changed) for _ in range(rounds)], None),
    ]  # fmt: skip


def _with_dues(count: int) -> State:
    """Deadlines, moments, contact windows and deferred messages, a quarter each."""
    begun = datetime(2027, 3, 1, 9, tzinfo=UTC)
    moments = [begun + timedelta(hours=7 * number) for number in range(count // 4)]
    state = State(stream="journey-x", seq=1, status=Status.ACTIVE)
    for number, at in enumerate(moments):
        state.milestones[f"m{number}"] = MilestoneKnown(number=1)
        state.deadlines[f"m{number}/1"] = Deadline(f"m{number}", at, at, at.date(), None, False, ())
        state.moments[f"measure/m{number}/1"] = at
        state.contacts[f"c{number}"] = ContactKnown(1, begun, at)
        about = Subject(kind="milestone", id=f"m{number}")
        state.messages[f"d{number}"] = Message("reminder", "referent", about, False, at, None, {}, until=at)
    return state


def _microseconds(call: Callable[[], None]) -> float:
    took = []
    for _ in range(CALLS):
        begun = time.perf_counter_ns()
        call()
        took.append((time.perf_counter_ns() - begun) / 1000)
    return median(took)
