"""What became of lives: read from their events alone, without words. Amounts are cents, instants aware UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from journeys.domain import agenda
from journeys.domain import events as e
from journeys.domain.events import Subject
from journeys.domain.handbook import Handbook
from journeys.domain.record import Event, Payload
from journeys.domain.state import State

Events = Sequence[Event[Payload]]

_BY_TIME: Final = (
    e.DeadlineMissed, e.ReminderTaken, e.ContactMissed, e.ReviewDue, e.DateUnconfirmed, e.MessageReady, e.GrantExpired,
    e.ReceiptOverdue, e.ReceiptUnanswered, e.ReferralExpired, e.PaymentEnquired, e.EscalationClimbed,
)  # fmt: skip
"""Facts that come by themselves at an instant that was known before. Others may hang on a fact told afterwards: a
window that opens in the morning of a release is known when the release is confirmed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where one life stands."""

    journey: str
    """The stream."""
    person: str
    """First and last name."""
    story: Mapping[str, str]
    status: str
    outcome: str | None
    phase: str | None
    begins: date | None
    """The day from which the programme counts (its `active_from`), as it happened or is expected."""
    first_expected: date | None
    situations: Mapping[str, str | None]
    measures: Mapping[str, str]
    reached: int
    wanted: int
    """Required milestones, and the others that were reached."""
    late: int
    """Deadlines that were missed, and not found met in time later."""
    contacts_made: int
    contacts_missed: int
    events: int
    next_due: datetime | None


@dataclass(slots=True)
class Alert:
    """One escalation: how far it climbed, who was told, how it ended."""

    journey: str
    person: str
    id: str
    about: Subject
    ladder: str
    raised_at: datetime
    step: int = 0
    role: str = ""
    """The role of the last step."""
    told: dict[str, list[str]] = field(default_factory=dict)
    """Who was told, by the role in which they were told; in order."""
    nobody: list[str] = field(default_factory=list)
    """Roles that nobody answered for."""
    times: int = 0
    """How often somebody was told."""
    taken_by: str | None = None
    assigned: bool = False
    """It was handed to somebody in particular since the last step."""
    ended_at: datetime | None = None
    how: str | None = None
    ended_by: str | None = None

    @property
    def climbed(self) -> bool:
        return self.step > 0


@dataclass(slots=True)
class Paid:
    """One payment of a grant, with its receipt."""

    id: str
    number: int
    amount: int
    pay_by: str = ""
    status: str = "reserved"
    was_unknown: bool = False
    reason: str = ""
    """Why it was rejected or came back."""
    replaces: str | None = None
    """The payment that it makes good."""
    receipt: str | None = None
    """owed, overdue, submitted, accepted, waived; None before it is owed."""


@dataclass(slots=True)
class Aid:
    """One request for money."""

    journey: str
    person: str
    id: str
    purpose: str
    amount: int
    asked_at: datetime
    asked_by: str
    approvals: list[tuple[str, str]] = field(default_factory=list)
    """(who, as which role)"""
    decision: str = "requested"
    payments: dict[str, Paid] = field(default_factory=dict)

    @property
    def paid(self) -> int:
        return sum(one.amount for one in self.payments.values() if one.status in ("settled", "settled-by-hand"))

    def paid_by(self, channel: str) -> int:
        """What went through a channel by itself and stayed away, in cents."""
        return sum(one.amount for one in self.payments.values() if one.pay_by == channel and one.status == "settled")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody asked for what a rule or a right forbids."""

    journey: str
    person: str
    at: datetime
    actor: str
    role: str
    command: str
    code: str
    details: Mapping[str, Any]


def outcome_of(state: State, events: Events, book: Handbook, person: str, story: Mapping[str, str]) -> Outcome:
    """Where a life stands after these events."""
    programme = book.programme
    missed = {event.data.deadline for event in events if isinstance(event.data, e.DeadlineMissed)}
    missed -= {event.data.deadline for event in events if isinstance(event.data, e.DeadlineCorrected)}
    reached = {code for code, known in state.milestones.items() if known.settled == "reached"}
    required = {code for code, milestone in programme.milestones.items() if milestone.required}
    running = [code for code in programme.phases if code in state.phases and not state.phases[code].completed]
    begins = state.dates.get(programme.active_from)
    expected = next(
        (
            event.data.on
            for event in events
            if isinstance(event.data, e.DateExpected) and event.data.date == programme.active_from
        ),
        None,
    )
    made, passed = _contacts(events)
    first = agenda.first(state)
    return Outcome(
        journey=state.stream, person=person, story=story, status=state.status.value, outcome=state.outcome,
        phase=running[-1] if running and state.is_open else None,
        begins=begins.on if begins is not None else state.start, first_expected=expected,
        situations={name: value.value if (value := state.situation(name)) else None for name in programme.situations},
        measures=dict(state.measured), reached=len(reached), wanted=len(required | reached), late=len(missed),
        contacts_made=made, contacts_missed=passed, events=len(events), next_due=first.at if first else None,
    )  # fmt: skip


def _contacts(events: Events) -> tuple[int, int]:
    made = missed = 0
    for event in events:
        match event.data:
            case e.ContactMade():
                made += 1
            case e.ContactMissed(spans=spans):
                missed += spans
            case e.ContactCorrected(to="made"):
                made, missed = made + 1, missed - 1
            case e.ContactCorrected(to="missed"):
                made, missed = made - 1, missed + 1
            case _:
                pass
    return made, missed


def alerts_of(journey: str, person: str, events: Events) -> list[Alert]:
    """Every escalation of a life, in the order of their raising."""
    known: dict[str, Alert] = {}
    for event in events:
        match event.data:
            case e.EscalationRaised() as raised:
                known[raised.escalation] = Alert(
                    journey, person, raised.escalation, raised.about, raised.ladder, event.recorded_at, role=raised.to
                )
            case e.EscalationClimbed(escalation=id, step=step, to=to):
                known[id].step, known[id].role, known[id].assigned = step, to, False
            case e.EscalationTold(escalation=id, told=told, role=role):
                if role != known[id].role and not known[id].assigned:
                    known[id].nobody.append(known[id].role)
                who = known[id].told.setdefault(role, [])
                who += [each for each in told if each not in who]
                known[id].times += 1
            case e.EscalationUntold(escalation=id, reason=reason) if reason != "resolved":
                known[id].nobody.append(known[id].role)
            case e.EscalationReassigned(escalation=id):
                known[id].assigned = True
            case e.EscalationAcknowledged(escalation=id):
                known[id].taken_by = event.actor
            case e.EscalationResolved(escalation=id, how=how):
                known[id].ended_at, known[id].how = event.recorded_at, how
                known[id].ended_by = event.actor if event.command else None
            case _:
                pass
    return list(known.values())


def aids_of(journey: str, person: str, events: Events) -> list[Aid]:
    """Every request for money of a life, with its payments and receipts."""
    known: dict[str, Aid] = {}
    paid: dict[str, Paid] = {}
    receipts: dict[str, Paid] = {}
    for event in events:
        match event.data:
            case e.GrantRequested() as asked:
                known[asked.grant] = Aid(
                    journey, person, asked.grant, asked.purpose, asked.amount, event.recorded_at, event.actor
                )
            case e.GrantChanged() | e.GrantReopened() as changed:
                aid = known[changed.grant]
                aid.amount, aid.purpose, aid.decision, aid.approvals = changed.amount, changed.purpose, "requested", []
            case e.GrantApprovalGiven(grant=id, stands_for=role):
                known[id].approvals.append((event.actor, role))
            case e.PaymentReserved() as reserved:
                paid[reserved.payment] = Paid(
                    reserved.payment, reserved.number, reserved.amount, reserved.pay_by, replaces=reserved.replaces
                )
                known[reserved.grant].payments[reserved.payment] = paid[reserved.payment]
            case e.PaymentBlocked() as blocked:
                paid[blocked.payment] = Paid(blocked.payment, blocked.number, blocked.amount, blocked.pay_by, "blocked")
                known[blocked.grant].payments[blocked.payment] = paid[blocked.payment]
            case e.ReceiptDue(receipt=id, payment=payment):
                receipts[id] = paid[payment]
                receipts[id].receipt = "owed"
            case data:
                _grant_step(known, data)
                _payment_step(paid, data)
                _receipt_step(receipts, data)
    return list(known.values())


def _grant_step(known: Mapping[str, Aid], data: Payload) -> None:
    decisions = {
        e.GrantApproved: "approved", e.GrantRefused: "refused", e.GrantExpired: "expired",
        e.GrantCancelled: "cancelled", e.GrantReturned: "returned", e.GrantCompleted: "completed",
        e.GrantEnded: "ended",
    }  # fmt: skip
    if type(data) in decisions:
        known[data.grant].decision = decisions[type(data)]  # type: ignore[attr-defined]


def _payment_step(paid: Mapping[str, Paid], data: Payload) -> None:
    match data:
        case e.PaymentUnknown(payment=id):
            paid[id].status, paid[id].was_unknown = "unknown", True
        case e.PaymentInstructed(payment=id):
            paid[id].status = "instructed"
        case e.PaymentAccepted(payment=id):
            paid[id].status = "accepted"
        case e.PaymentSettled(payment=id):
            paid[id].status = "settled"
        case e.PaymentSettledByHand(payment=id):
            paid[id].status = "settled-by-hand"
        case e.PaymentRejected(payment=id, reason=reason):
            paid[id].status, paid[id].reason = "rejected", reason
        case e.PaymentCancelled(payment=id):
            paid[id].status = "cancelled"
        case e.PaymentReturned(payment=id, reason=reason):
            paid[id].status, paid[id].reason = "returned", reason
        case _:
            pass


def _receipt_step(receipts: Mapping[str, Paid], data: Payload) -> None:
    match data:
        case e.ReceiptOverdue(receipt=id):
            receipts[id].receipt = "overdue"
        case e.ReceiptSubmitted(receipt=id):
            receipts[id].receipt = "submitted"
        case e.ReceiptAccepted(receipt=id):
            receipts[id].receipt = "accepted"
        case e.ReceiptWaived(receipt=id):
            receipts[id].receipt = "waived"
        case e.ReceiptRefused(receipt=id):
            receipts[id].receipt = "owed"
        case _:
            pass


def refusals_of(journey: str, person: str, events: Events) -> list[Refusal]:
    """What was asked and refused."""
    return [
        Refusal(
            journey, person, event.recorded_at, event.actor, event.role, event.data.name, event.data.code,
            event.data.details,
        )
        for event in events
        if isinstance(event.data, e.CommandRefused)
    ]  # fmt: skip


def latest_of(events: Events) -> timedelta:
    """How late, at worst, something that comes by itself was recorded after its moment."""
    lags = [
        event.recorded_at - event.occurred_at
        for event in events
        if event.command is None and isinstance(event.data, _BY_TIME)
    ]
    return max(lags, default=timedelta(0))
