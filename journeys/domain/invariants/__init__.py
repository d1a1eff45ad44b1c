"""What must hold of every record: one checker over events, independent of the code that decided and folds them.

Each rule keeps its own small tables. `check` reads one journey's stream, `check_fund` the payments of all.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from journeys.domain import events as e
from journeys.domain.handbook import Handbook
from journeys.domain.invariants.approvals import Approvals
from journeys.domain.invariants.closure import Closures
from journeys.domain.invariants.deadlines import Milestones, Misses, Outage
from journeys.domain.invariants.effects import Effects
from journeys.domain.invariants.ladders import Ladders
from journeys.domain.invariants.meetings import Meetings
from journeys.domain.invariants.messages import Messages
from journeys.domain.invariants.money import Amounts, check_fund
from journeys.domain.invariants.order import Envelopes
from journeys.domain.invariants.suspensions import Suspensions
from journeys.domain.invariants.table import Table
from journeys.domain.invariants.violation import Recorded, Rule, Violation

__all__ = ["NextDue", "Outage", "Violation", "check", "check_fund"]

NextDue = Callable[[Sequence[Recorded]], datetime | None]
"""The first due after these events, by the agenda in force."""


def check(
    events: Sequence[Recorded],
    *,
    complete: bool = False,
    book: Handbook | None = None,
    outages: Sequence[Outage] | None = (),
    next_due: NextDue | None = None,
    strict: bool = False,
) -> list[Violation]:
    """Every violation in one journey's whole stream, in its order.

    Args:
        events: all events of the stream, from the first.
        complete: the journey is closed and nothing of it is under way: whatever was opened must be closed.
        book: its rules and calendar, with the former ones; with it also ladders, caps and quiet hours are judged.
        outages: when nothing ran; None when that is not known: then punctuality is not judged.
        next_due: with it, an open journey without a due is a violation.
        strict: what is decided now is judged, not what is on record: there, steps that waited for a digest may have
            been climbed past.
    """
    books = iter(book.all if book is not None else ())
    book = next(books, None)
    amounts, misses, messages, ladders = Amounts(book), Misses(book, outages), Messages(book), Ladders(book, strict)
    rules: list[Rule] = [
        Envelopes(), Table(), Effects(), Milestones(), Approvals(), amounts, misses, messages, Suspensions(), ladders,
        Closures(), Meetings(),
    ]  # fmt: skip
    found: list[Violation] = []
    for event in events:
        found += [violation for rule in rules for violation in rule.see(event)]
        if isinstance(event.data, e.ProgrammeChanged):
            amounts.book = misses.book = messages.book = ladders.book = next(books, None)
    found += [violation for rule in rules for violation in rule.end(complete)]
    if next_due is not None and _is_open(events) and next_due(events) is None:
        found.append(Violation(7, events[-1].seq, "no-due"))
    return sorted(found, key=lambda violation: (violation.seq, violation.invariant))


def _is_open(events: Sequence[Recorded]) -> bool:
    turns = [e.JourneyPlanned, e.JourneyReopened, e.JourneyClosed]
    last = next((event.data for event in reversed(events) if type(event.data) in turns), None)
    return last is not None and not isinstance(last, e.JourneyClosed)
