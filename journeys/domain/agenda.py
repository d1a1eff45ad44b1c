"""What falls due next, and which effects wait for their outcome.

Both choose between a timer, an append and an activity, so a change here is a change of the workflow: journeys under
way must replay. Only instants that events recorded are read; no date is computed.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from journeys.domain.state import Deadline, EffectKnown, State


class DueKind(IntEnum):
    """Kinds of due, in the order in which those of one instant are taken: phases first, messages last."""

    PHASE = 0
    DATE = 1
    KEPT = 2
    MEASURE = 3
    DEADLINE = 4
    CONTACT_CLOSES = 5
    CONTACT_OPENS = 6
    APPOINTMENT_ASKED = 7
    GRANT_EXPIRES = 8
    INSTALMENT = 9
    PAYMENT_LOOKED_AT = 10
    RECEIPT_LATE = 11
    REFERRAL_EXPIRES = 12
    TRANSFER = 13
    ESCALATION = 14
    PAUSE_ENDS = 15
    ENDS = 16
    REVIEW = 17
    REMINDER = 18
    APPOINTMENT_REMINDER = 19
    MESSAGE = 20
    TELLING = 21
    CHASE = 22


class Due(NamedTuple):
    """Something that happens by itself at an instant, unless something else happens first."""

    at: datetime
    kind: DueKind
    id: str


_MOMENTS = {
    "phase": DueKind.PHASE,
    "date": DueKind.DATE,
    "milestone": DueKind.KEPT,
    "measure": DueKind.MEASURE,
    "contact": DueKind.CONTACT_OPENS,
    "instalment": DueKind.INSTALMENT,
    "ends": DueKind.ENDS,
}
_HELD = frozenset({DueKind.PHASE, DueKind.KEPT, DueKind.MEASURE, DueKind.CONTACT_OPENS, DueKind.ENDS})
"""Moments that a suspension holds."""


def first(state: State) -> Due | None:
    """The first due of the agenda; remembered until the next event."""
    known = state.first_due
    if known is None or known[0] != state.seq:
        known = state.first_due = (state.seq, min(dues(state), default=None))
    due: Due | None = known[1]
    return due


def agenda(state: State) -> list[Due]:
    """Every due, in the order in which they are taken."""
    return sorted(dues(state))


def dues(state: State) -> Iterator[Due]:
    """Every due, in no order."""
    running = state.suspended is None
    yield from _moments(state, running)
    yield from _money(state)
    yield from _escalations(state, running)
    for id, message in state.messages.items():
        if message.until is not None:
            yield Due(message.until, DueKind.MESSAGE, id)
    if not state.is_open:
        return
    yield from _deadlines(state, running)
    yield from _meetings(state, running)
    yield from _answers(state)
    if state.review_at is not None:
        yield Due(state.review_at, DueKind.REVIEW, "")


def _moments(state: State, running: bool) -> Iterator[Due]:
    for key, at in state.moments.items():
        kind = _MOMENTS[key.partition("/")[0]]
        if running or kind not in _HELD:
            yield Due(at, kind, key)


def _deadlines(state: State, running: bool) -> Iterator[Due]:
    for id, deadline in _under_way(state, running):
        milestone = state.milestones[deadline.milestone]
        if milestone.checking is None:
            yield Due(deadline.at, DueKind.DEADLINE, id)
        reminder = deadline.next_reminder
        if reminder is not None:
            yield Due(reminder.at, DueKind.REMINDER, id)


def _under_way(state: State, running: bool) -> Iterator[tuple[str, Deadline]]:
    """Deadlines whose time runs."""
    for id, deadline in state.deadlines.items():
        if deadline.held and not running:
            continue
        if deadline.awaits is not None and not state.dates[deadline.awaits].happened:
            continue
        yield id, deadline


def checked(state: State) -> Iterator[Due]:
    """Deadlines that are no dues because a check is asked about them: its answer comes instead of their time."""
    for id, deadline in _under_way(state, state.suspended is None) if state.is_open else ():
        if state.milestones[deadline.milestone].checking is not None:
            yield Due(deadline.at, DueKind.DEADLINE, id)


def _meetings(state: State, running: bool) -> Iterator[Due]:
    if running:
        for code, contact in state.contacts.items():
            if contact.open:
                yield Due(contact.closes, DueKind.CONTACT_CLOSES, code)
        for id, chase in state.chases.items():
            yield Due(chase.by, DueKind.CHASE, id)
    for id, appointment in state.appointments.items():
        if appointment.ask_at is not None:
            yield Due(appointment.ask_at, DueKind.APPOINTMENT_ASKED, id)
        if appointment.remind_at is not None:
            yield Due(appointment.remind_at, DueKind.APPOINTMENT_REMINDER, id)


def _money(state: State) -> Iterator[Due]:
    for id, grant in state.grants.items():
        if grant.over is None and grant.status != "approved":
            yield Due(grant.decide_by, DueKind.GRANT_EXPIRES, id)
    for id, payment in state.payments.items():
        if payment.look_at is not None and payment.status.open:
            yield Due(payment.look_at, DueKind.PAYMENT_LOOKED_AT, id)
    for id, receipt in state.receipts.items():
        if receipt.settled is None and receipt.submitted is None and not receipt.overdue:
            yield Due(receipt.by, DueKind.RECEIPT_LATE, id)
        if receipt.settled is None and receipt.answer_by is not None:
            yield Due(receipt.answer_by, DueKind.RECEIPT_LATE, id)


def _escalations(state: State, running: bool) -> Iterator[Due]:
    for id, escalation in state.escalations.items():
        if escalation.next_at is not None and (running or not escalation.held):
            yield Due(escalation.next_at, DueKind.ESCALATION, id)
        if escalation.tell_at is not None:
            yield Due(escalation.tell_at, DueKind.TELLING, id)


def _answers(state: State) -> Iterator[Due]:
    for id, referral in state.referrals.items():
        yield Due(referral.answer_by, DueKind.REFERRAL_EXPIRES, id)
    if state.transfer is not None:
        at = state.transfer.accept_at if state.transfer.reminded else state.transfer.remind_at
        yield Due(at, DueKind.TRANSFER, state.transfer.transfer)
    if state.paused_until is not None:
        yield Due(state.paused_until, DueKind.PAUSE_ENDS, "")


def pending(state: State) -> dict[int, EffectKnown]:
    """Effects without outcome, by the seq of the event that calls for them."""
    return state.effects


def is_over(state: State) -> bool:
    """Whether nothing will ever happen by itself any more."""
    return not state.is_open and not state.effects and first(state) is None
