"""One offer of the loop: what time has brought about, what is asked, and what each caller gets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from journeys.domain import agenda
from journeys.domain.commands import Command
from journeys.domain.decide import (
    MOST_EVENTS,
    Accepted,
    Blocked,
    Outcome,
    Refused,
    Tick,
    decide,
    refusal_event,
)
from journeys.domain.evolve import fold, is_only_recorded
from journeys.domain.handbook import NO_OTHERS, Handbook, Shelf
from journeys.domain.record import Event, Payload
from journeys.domain.state import State, Status


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of one command: refused with a code, or accepted; the seqs of its events (0 and 0 for none)."""

    command: Command
    refused: Refused | None
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Offer:
    """Events to append behind `expected`, the commands that they answer, and the state that they lead to."""

    expected: int
    events: tuple[Event[Payload], ...]
    decided: tuple[Decided, ...]
    outcomes: int
    """How many of the waiting outcomes are in it."""
    state: State
    book: Handbook
    """The rules in force after it."""
    money: bool

    @property
    def is_empty(self) -> bool:
        return not self.events and not self.decided

    @property
    def shows_anew(self) -> bool:
        """Whether lists will show anything else than before, besides the seq."""
        return not all(is_only_recorded(event.data) for event in self.events)


def make_offer(
    state: State,
    book: Handbook,
    commands: Sequence[Command],
    outcomes: Sequence[Outcome],
    now: datetime,
    blocked: str | None = None,
    shelf: Shelf = NO_OTHERS,
) -> Offer:
    """Decide each outcome, then what is due, then each command once nothing is due any more.

    What does not fit stays where it waits: an offer stops at about 100 events, and reserves one payment at most.
    `blocked` is the fund's refusal of the reservation offered before; `shelf` holds the rules that a command may put in
    force.
    """
    work = state
    events: list[Event[Payload]] = []
    taken = 0
    for outcome in outcomes:
        if len(events) >= MOST_EVENTS:
            break
        work = _after(work, decide(work, outcome, now, book), events)
        taken += 1
    if taken == len(outcomes):
        asked = Blocked(blocked) if blocked is not None else Tick()
        if _is_due(work, now):
            work = _after(work, decide(work, asked, now, book), events)
    decided: list[Decided] = []
    caught_up = not _is_due(work, now)
    for command in commands:
        if len(events) >= MOST_EVENTS or not caught_up:
            break
        one, work, book = _decide_one(work, command, now, book, events, shelf)
        decided.append(one)
        caught_up = not _is_due(work, now)
    money = any(event.kind == "PaymentReserved" for event in events)
    return Offer(state.seq, tuple(events), tuple(decided), taken, work, book, money)


def _decide_one(
    state: State, command: Command, now: datetime, book: Handbook, events: list[Event[Payload]], shelf: Shelf
) -> tuple[Decided, State, Handbook]:
    """What came of it, what is known and the rules in force after it."""
    decision = decide(state, command, now, book, shelf)
    first = state.seq + 1
    if isinstance(decision, Accepted):
        events += decision.events
        bounds = (first, decision.state.seq) if decision.events else (0, 0)
        return Decided(command, None, *bounds), decision.state, decision.book
    if state.status is Status.NONE:
        return Decided(command, decision, 0, 0), state, book  # there is no journey whose record could hold it
    event = refusal_event(state, command, decision, now, book)
    events.append(event)
    return Decided(command, decision, first, first), fold((event,), state), book


def _after(state: State, decision: Accepted | Refused, events: list[Event[Payload]]) -> State:
    """What is known after a decision; its events join the offer."""
    if isinstance(decision, Refused):
        return state
    events += decision.events
    return decision.state


def _is_due(state: State, now: datetime) -> bool:
    due = agenda.first(state)
    return due is not None and due.at <= now
