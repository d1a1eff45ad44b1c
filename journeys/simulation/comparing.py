"""Two courses of the same journeys: which deadlines, messages, alerts and approvals differ."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, Self

from journeys.domain import events as e
from journeys.domain.handbook import Handbook
from journeys.domain.record import Event, Payload

Events = Sequence[Event[Payload]]

What = Literal["deadline", "message", "alert", "approval", "payment", "ending"]
Change = Literal["added", "dropped", "moved", "otherwise"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same. `before` and `after`: days, fates, steps or roles, as text; empty: not there."""

    what: What
    about: str
    """The code of the milestone, of the template, of what an alert is about, of the grant; the fund of a payment."""
    change: Change
    before: str = ""
    after: str = ""
    times: int = 1


@dataclass(slots=True)
class Course:
    """How a journey went, as far as rules can change it."""

    deadlines: dict[str, tuple[date, str]] = field(default_factory=dict)
    """By milestone: the last day on which it fell due, and what became of it."""
    messages: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(template, to)."""
    alerts: Counter[tuple[str, int]] = field(default_factory=Counter)
    """(about, the furthest step)."""
    approvals: dict[str, str] = field(default_factory=dict)
    """By request: the roles that had to approve."""
    grants: dict[str, str] = field(default_factory=dict)
    paid: Counter[str] = field(default_factory=Counter)
    """Cents by fund."""
    ending: str = ""


def course(events: Events, book: Handbook) -> Course:
    """How these events went."""
    found = Course()
    alerts: dict[str, tuple[str, int]] = {}
    payments: dict[str, tuple[str, int]] = {}
    deadlines: dict[str, str] = {}
    for event in events:
        data: Any = event.data
        match data:
            case e.DeadlineSet():
                deadlines[data.deadline] = data.milestone
                found.deadlines[data.milestone] = (data.day or book.calendar.day(data.at), "open")
            case e.DeadlineMoved() if data.deadline in deadlines:
                code = deadlines[data.deadline]
                found.deadlines[code] = (data.day or book.calendar.day(data.at), found.deadlines[code][1])
            case e.DeadlineMet() | e.DeadlineMissed() | e.DeadlineCorrected() if data.deadline in deadlines:
                code = deadlines[data.deadline]
                found.deadlines[code] = (found.deadlines[code][0], _FATES[type(data)])
            case e.DeadlineCancelled() if data.deadline in deadlines:
                found.deadlines.pop(deadlines[data.deadline], None)
            case e.MessageDue():
                found.messages[data.template, data.to] += 1
            case e.EscalationRaised():
                alerts[data.escalation] = (f"{data.about.kind} {_named(data.about)}".strip(), 0)
            case e.EscalationClimbed() if data.escalation in alerts:
                about, step = alerts[data.escalation]
                alerts[data.escalation] = (about, max(step, data.step))
            case e.GrantRequested():
                found.grants[data.grant] = data.kind
                found.approvals[data.grant] = ", ".join(data.approvals)
            case e.GrantChanged() | e.GrantReopened():
                found.approvals[data.grant] = ", ".join(data.approvals)
            case e.PaymentReserved():
                payments[data.payment] = (data.fund, data.amount)
            case e.PaymentSettled() | e.PaymentSettledByHand() if data.payment in payments:
                fund, amount = payments[data.payment]
                found.paid[fund] += amount
            case e.JourneyClosed():
                found.ending = data.outcome
            case e.JourneyReopened():
                found.ending = ""
            case _:
                pass
    found.alerts.update(alerts.values())
    return found


_FATES = {e.DeadlineMet: "met", e.DeadlineMissed: "missed", e.DeadlineCorrected: "met"}


def _named(about: e.Subject) -> str:
    """Codes tell something; ids are one journey's own."""
    return about.id if about.kind in ("milestone", "contact", "date") else ""


def differences(before: Course, after: Course) -> list[Difference]:
    """What is not the same, subject by subject."""
    return [
        *_deadlines(before, after),
        *_counted("message", before.messages, after.messages),
        *_counted("alert", before.alerts, after.alerts),
        *_approvals(before, after),
        *(
            Difference("payment", fund, "otherwise", str(before.paid[fund]), str(after.paid[fund]))
            for fund in sorted(before.paid.keys() | after.paid.keys())
            if before.paid[fund] != after.paid[fund]
        ),
        *(
            [Difference("ending", "", "otherwise", before.ending, after.ending)]
            if before.ending != after.ending
            else []
        ),
    ]


def _deadlines(before: Course, after: Course) -> Iterable[Difference]:
    for code in sorted(before.deadlines.keys() | after.deadlines.keys()):
        old, new = before.deadlines.get(code), after.deadlines.get(code)
        if old is None and new is not None:
            yield Difference("deadline", code, "added", "", new[0].isoformat())
        elif new is None and old is not None:
            yield Difference("deadline", code, "dropped", old[0].isoformat())
        elif old is not None and new is not None:
            if old[0] != new[0]:
                yield Difference("deadline", code, "moved", old[0].isoformat(), new[0].isoformat())
            if old[1] != new[1]:
                yield Difference("deadline", code, "otherwise", old[1], new[1])


def _counted(what: What, before: Counter[Any], after: Counter[Any]) -> Iterable[Difference]:
    for key in sorted((before - after) | (after - before)):
        name, more = str(key[0]), str(key[1])
        if (fewer := before[key] - after[key]) > 0:
            yield Difference(what, name, "dropped", more, times=fewer)
        else:
            yield Difference(what, name, "added", "", more, times=-fewer)


def _approvals(before: Course, after: Course) -> Iterable[Difference]:
    for grant in sorted(before.approvals.keys() | after.approvals.keys()):
        old, new = before.approvals.get(grant, ""), after.approvals.get(grant, "")
        if old != new:
            kind = before.grants.get(grant) or after.grants.get(grant, "")
            yield Difference("approval", kind, "otherwise" if old and new else "added" if new else "dropped", old, new)


@dataclass(slots=True)
class Sum:
    """Differences of many journeys, added up."""

    journeys: int = 0
    unchanged: int = 0
    apart: Counter[str] = field(default_factory=Counter)
    """Journeys that the other rules refuse to begin, by the reason's code."""
    counted: Counter[tuple[What, str, Change, str, str]] = field(default_factory=Counter)
    """(what, about, change, before, after); days are left out, there are too many."""

    def add(self, found: Sequence[Difference]) -> None:
        """Count one journey."""
        self.journeys += 1
        self.unchanged += not found
        for each in found:
            dated = each.what == "deadline" and each.change != "otherwise"
            texts = ("", "") if dated or each.what == "payment" else (each.before, each.after)
            self.counted[each.what, each.about, each.change, *texts] += each.times

    def leave_apart(self, code: str) -> None:
        """Count one journey that cannot be compared."""
        self.journeys += 1
        self.apart[code] += 1

    def join(self, other: Self) -> None:
        """Count the journeys of another as well."""
        self.journeys += other.journeys
        self.unchanged += other.unchanged
        self.apart += other.apart
        self.counted += other.counted
