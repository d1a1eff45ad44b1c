"""How each fact changes what is known: one small function a kind, total, no rule and no date arithmetic."""

from collections.abc import Callable, Iterable
from dataclasses import fields, make_dataclass
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from journeys.domain import events as e
from journeys.domain.record import Cause, Event, Payload
from journeys.domain.state import (
    CAME_BACK,
    UNREACHED,
    Appointment,
    Approval,
    ChaseKnown,
    ContactKnown,
    DateKnown,
    Deadline,
    EffectKnown,
    Escalation,
    GrantKnown,
    GrantStatus,
    Match,
    Message,
    MilestoneKnown,
    PaymentKnown,
    PaymentStatus,
    PhaseKnown,
    ReceiptKnown,
    ReferralKnown,
    State,
    Status,
    Suspended,
    TransferKnown,
    Value,
)

Recorded = Event[Payload]
_Handler = Callable[[State, Any, Recorded], None]
_HANDLERS: dict[type[Payload], _Handler] = {}


def fold(events: Iterable[Recorded], state: State | None = None) -> State:
    """The state after these events, which continue `state` (an empty journey when not given)."""
    known = State() if state is None else state.copy()
    for event in events:
        evolve(known, event)
    return known


def evolve(state: State, event: Recorded) -> None:
    """Fold one event into a state that the caller owns. Raises ValueError when it does not follow on."""
    if event.seq != state.seq + 1:
        raise ValueError(f"event {event.seq} does not follow {state.seq}")
    handler = _HANDLERS.get(type(event.data))
    if handler is not None:
        handler(state, event.data, event)
    elif state.first_due is not None and state.first_due[0] == state.seq:
        state.first_due = (event.seq, state.first_due[1])  # it moves no due
    state.seq = event.seq
    state.hash_at = event.recorded_at


def is_only_recorded(data: Payload) -> bool:
    """Whether a fact stands in the record and changes nothing of what is known: a note, a receipt, a refusal."""
    return type(data) not in _HANDLERS


def _on(*kinds: type[Payload]) -> Callable[[_Handler], _Handler]:
    def register(handler: _Handler) -> _Handler:
        for kind in kinds:
            _HANDLERS[kind] = handler
        return handler

    return register


T = TypeVar("T")


@cache
def _shape(kind: type[Any]) -> tuple[Callable[[Any], tuple[Any, ...]], Callable[..., Any]]:
    """What reads all fields of a part of the state, and what they are changed in."""
    names = [field.name for field in fields(kind)]
    return attrgetter(*names), make_dataclass(kind.__name__, names, slots=True)


def replace(entry: T, **changes: Any) -> T:
    """`dataclasses.replace`, several times as fast: most of a fold is this."""
    kind: Any = type(entry)
    read, draft = _shape(kind)
    # A frozen dataclass fills its fields ten times as slowly as one that is not, and becomes it at the end.
    changed: Any = draft(*read(entry))
    for name, value in changes.items():
        setattr(changed, name, value)
    changed.__class__ = kind
    return changed  # type: ignore[no-any-return]


def _change(table: dict[Any, Any], key: Any, **changes: Any) -> None:
    """Replace fields of an entry; an entry that is gone stays gone."""
    entry = table.get(key)
    if entry is not None:
        table[key] = replace(entry, **changes)


def _milestone(state: State, code: str, **changes: Any) -> None:
    state.milestones[code] = replace(state.milestones.get(code, MilestoneKnown()), **changes)


# --- the life of a journey


@_on(e.JourneyPlanned)
def _planned(state: State, data: e.JourneyPlanned, event: Recorded) -> None:
    state.stream = event.stream
    state.status = Status.PLANNED
    state.person, state.referent, state.site = data.person, data.referent, data.site
    state.name, state.programme, state.calendar = data.name, data.programme, data.calendar
    state.start, state.started_at, state.watch_from = data.start, event.occurred_at, data.watch_from
    state.zone = data.zone


@_on(e.ProgrammeChanged)
def _programme_changed(state: State, data: e.ProgrammeChanged, event: Recorded) -> None:
    state.name, state.programme, state.calendar = data.name, data.programme, data.calendar
    state.watch_from = data.watch_from or state.watch_from
    for contact in data.grids:
        known = state.contacts[contact]
        state.contacts[contact] = replace(known, counted_from=known.window)


@_on(e.JourneyActivated)
def _activated(state: State, data: e.JourneyActivated, event: Recorded) -> None:
    state.status = Status.ACTIVE


@_on(e.PhaseEntered)
def _phase_entered(state: State, data: e.PhaseEntered, event: Recorded) -> None:
    state.phases[data.phase] = PhaseKnown(data.on, event.occurred_at)
    state.moments.pop(f"phase/{data.phase}/enter", None)


@_on(e.PhaseCompleted)
def _phase_completed(state: State, data: e.PhaseCompleted, event: Recorded) -> None:
    _change(state.phases, data.phase, completed=True)
    state.moments.pop(f"phase/{data.phase}/leave", None)


@_on(e.DateExpected)
def _date_expected(state: State, data: e.DateExpected, event: Recorded) -> None:
    state.dates[data.date] = DateKnown(data.on, told_by=_cohort_of(event))


@_on(e.DateMoved)
def _date_moved(state: State, data: e.DateMoved, event: Recorded) -> None:
    known = state.dates.get(data.date)
    told_by = _cohort_of(event) or (known.told_by if known is not None else None)
    _change(state.dates, data.date, on=data.on, unconfirmed=False, told_by=told_by)


def _cohort_of(event: Recorded) -> Cause | None:
    cause = event.caused_by
    return cause if cause is not None and cause.stream.startswith("cohort-") else None


@_on(e.DateHappened)
def _date_happened(state: State, data: e.DateHappened, event: Recorded) -> None:
    _change(state.dates, data.date, on=data.on, at=event.occurred_at, happened=True, unconfirmed=False)


@_on(e.DateCancelled)
def _date_cancelled(state: State, data: e.DateCancelled, event: Recorded) -> None:
    _change(state.dates, data.date, cancelled=True, unconfirmed=False)


@_on(e.DateUnconfirmed)
def _date_unconfirmed(state: State, data: e.DateUnconfirmed, event: Recorded) -> None:
    _change(state.dates, data.date, unconfirmed=True)
    state.moments.pop(f"date/{data.date}/confirm", None)


@_on(e.DateCorrected)
def _date_corrected(state: State, data: e.DateCorrected, event: Recorded) -> None:
    _change(state.dates, data.date, on=data.on)


@_on(e.MomentsPlanned)
def _moments_planned(state: State, data: e.MomentsPlanned, event: Recorded) -> None:
    for key in data.dropped:
        state.moments.pop(key, None)
    state.moments.update(data.set)


@_on(e.JourneySuspended)
def _suspended(state: State, data: e.JourneySuspended, event: Recorded) -> None:
    state.status = Status.SUSPENDED
    state.suspensions = (*state.suspensions, Suspended(data.why, data.since, event.recorded_at, data.until))
    state.review_at = data.review_at


@_on(e.JourneyResumed)
def _resumed(state: State, data: e.JourneyResumed, event: Recorded) -> None:
    state.status = Status(data.status)
    state.suspensions = (*state.suspensions[:-1], replace(state.suspensions[-1], until_day=data.since))
    for escalation, at in data.ladders.items():
        _change(state.escalations, escalation, next_at=at, held_until=None, planned_at=None)
    for held in data.holds:
        _change(state.escalations, held.escalation, held_until=held.until, planned_at=held.planned)
        _tell_when_over(state, held)
    for contact, closes in data.windows.items():
        _change(state.contacts, contact, closes=closes)
    for chase, by in data.chases:
        _change(state.chases, chase, by=by)
    for key in [key for key in state.moments if key.startswith("contact/")]:
        del state.moments[key]
    state.review_at = data.review_at


def _tell_when_over(state: State, held: e.MovedHold) -> None:
    """What is to be told once nobody has it in hand is looked at when their time is over."""
    known = state.escalations.get(held.escalation)
    if known is not None and known.tell_at is not None and known.digest is None and held.until is not None:
        _change(state.escalations, held.escalation, tell_at=min(known.tell_at, held.until))


@_on(e.JourneyClosed)
def _closed(state: State, data: e.JourneyClosed, event: Recorded) -> None:
    if state.suspended is not None:
        state.suspensions = (*state.suspensions[:-1], replace(state.suspensions[-1], until_day=data.on))
    state.status = Status.CLOSED
    state.outcome, state.silent, state.closed_on = data.outcome, data.silent, data.on
    state.review_at = None
    for id, at in data.ladders.items():
        _change(state.escalations, id, next_at=at)


@_on(e.JourneyReopened)
def _reopened(state: State, data: e.JourneyReopened, event: Recorded) -> None:
    state.status = Status(data.status)
    state.outcome, state.silent, state.closed_on, state.closing_wanted = None, False, None, False
    state.review_at = data.review_at
    for contact in list(state.contacts):
        _change(state.contacts, contact, open=False)
    for milestone in list(state.milestones):
        _change(state.milestones, milestone, missed_nominal=None)


@_on(e.ReviewPlanned)
def _review_planned(state: State, data: e.ReviewPlanned, event: Recorded) -> None:
    state.review_at = data.at


@_on(e.ReviewDue)
def _review_due(state: State, data: e.ReviewDue, event: Recorded) -> None:
    state.review_at = data.next_at


@_on(e.ClosingWanted)
def _closing_wanted(state: State, data: e.ClosingWanted, event: Recorded) -> None:
    state.closing_wanted = True
    state.moments.pop("ends", None)


@_on(e.ReferentAssigned)
def _referent(state: State, data: e.ReferentAssigned, event: Recorded) -> None:
    state.referent, state.site = data.referent, data.site


@_on(e.TransferAsked)
def _transfer_asked(state: State, data: e.TransferAsked, event: Recorded) -> None:
    state.transfer = TransferKnown(data.transfer, data.to, data.site, data.remind_at, data.accept_at)


@_on(e.TransferReminded)
def _transfer_reminded(state: State, data: e.TransferReminded, event: Recorded) -> None:
    if state.transfer is not None:
        state.transfer = replace(state.transfer, reminded=True)


@_on(e.JourneyTransferred)
def _transferred(state: State, data: e.JourneyTransferred, event: Recorded) -> None:
    state.referent, state.site, state.transfer = data.to, data.site, None


@_on(e.TransferDeclined, e.TransferCancelled)
def _transfer_over(state: State, data: Payload, event: Recorded) -> None:
    state.transfer = None


# --- milestones and deadlines


@_on(e.DeadlineSet)
def _deadline_set(state: State, data: e.DeadlineSet, event: Recorded) -> None:
    state.deadlines[data.deadline] = Deadline(
        data.milestone, data.nominal, data.at, data.day, data.awaits, data.held, data.reminders
    )
    _milestone(state, data.milestone, number=int(data.deadline.rpartition("/")[2]), due=data.at)


@_on(e.DeadlineMoved)
def _deadline_moved(state: State, data: e.DeadlineMoved, event: Recorded) -> None:
    _change(
        state.deadlines, data.deadline, nominal=data.nominal, at=data.at, day=data.day, awaits=data.awaits,
        held=data.held, reminders=data.reminders, reminded=0,
    )  # fmt: skip
    _milestone(state, data.deadline.rpartition("/")[0], due=data.at)


@_on(e.DeadlineMet)
def _deadline_met(state: State, data: e.DeadlineMet, event: Recorded) -> None:
    state.deadlines.pop(data.deadline, None)


@_on(e.DeadlineCancelled)
def _deadline_cancelled(state: State, data: e.DeadlineCancelled, event: Recorded) -> None:
    state.deadlines.pop(data.deadline, None)
    if data.why == "not-called-for":
        _milestone(state, data.deadline.rpartition("/")[0], due=None)


@_on(e.DeadlineMissed)
def _deadline_missed(state: State, data: e.DeadlineMissed, event: Recorded) -> None:
    deadline = state.deadlines.pop(data.deadline)
    _milestone(
        state, deadline.milestone, missed=data.deadline, missed_day=deadline.day, missed_at=deadline.at,
        missed_nominal=deadline.nominal,
    )  # fmt: skip


@_on(e.DeadlineCorrected)
def _deadline_corrected(state: State, data: e.DeadlineCorrected, event: Recorded) -> None:
    _milestone(state, data.deadline.rpartition("/")[0], missed=None, missed_day=None, missed_at=None)


@_on(e.ReminderTaken)
def _reminder_taken(state: State, data: e.ReminderTaken, event: Recorded) -> None:
    _change(state.deadlines, data.deadline, reminded=data.index + 1)


@_on(e.MilestoneReached)
def _reached(state: State, data: e.MilestoneReached, event: Recorded) -> None:
    _milestone(state, data.milestone, settled="reached", on=data.on, at=event.occurred_at, checking=None)


@_on(e.MilestoneWaived)
def _waived(state: State, data: e.MilestoneWaived, event: Recorded) -> None:
    _milestone(state, data.milestone, settled="waived", on=None)


@_on(e.MilestoneCorrected)
def _milestone_corrected(state: State, data: e.MilestoneCorrected, event: Recorded) -> None:
    if data.to == "reached":
        _milestone(state, data.milestone, settled="reached", on=data.on, at=event.occurred_at)
    else:
        _milestone(state, data.milestone, settled=None, on=None, at=None)


@_on(e.MilestoneRescheduled)
def _rescheduled(state: State, data: e.MilestoneRescheduled, event: Recorded) -> None:
    _milestone(state, data.milestone, rescheduled=data.on)


@_on(e.EvidenceAdded)
def _evidence(state: State, data: e.EvidenceAdded, event: Recorded) -> None:
    held = state.milestones.get(data.milestone, MilestoneKnown()).evidence
    _milestone(state, data.milestone, evidence=(*held, data.kind))


@_on(e.CheckCalled)
def _check_called(state: State, data: e.CheckCalled, event: Recorded) -> None:
    _milestone(state, data.milestone, checking=data.check)
    state.effects[event.seq] = EffectKnown("check", data.milestone, data.model_dump(mode="json"))


@_on(e.CheckPassed, e.CheckFailed, e.CheckUnknown)
def _check_over(state: State, data: e.CheckPassed, event: Recorded) -> None:
    effect = state.effects.pop(data.effect, None)
    if effect is not None:
        _milestone(state, effect.id, checking=None)


# --- messages


@_on(e.MessageDue)
def _message_due(state: State, data: e.MessageDue, event: Recorded) -> None:
    said = data.model_dump(mode="json")
    state.messages[data.message] = Message(
        data.purpose, data.to, data.about, data.urgent, data.valid_until, event.seq, said
    )
    state.effects[event.seq] = EffectKnown("deliver", data.message, said)
    _told_of_a_change(state, state.messages[data.message], held_back=False)
    if data.purpose == "reminder" and data.about.kind == "appointment":
        _change(state.appointments, data.about.id, reminder=data.message)


_CHANGES = frozenset({"appointment-changed", "appointment-cancelled", "appointment-times"})


def _told_of_a_change(state: State, message: Message, *, held_back: bool) -> None:
    """The person is told that an appointment is moved or off or may be at other times, or has still to be."""
    template = message.data["template"]
    if message.to == "participant" and template in _CHANGES:
        _change(state.appointments, message.about.id, untold=template if held_back else None)


@_on(e.MessageDeferred)
def _message_deferred(state: State, data: e.MessageDeferred, event: Recorded) -> None:
    message = state.messages.get(data.message)
    if message is not None:
        if message.effect is not None:
            state.effects.pop(message.effect, None)
        state.messages[data.message] = replace(
            message, effect=None, until=data.until, doubt=message.doubt or data.doubt, zone=data.zone or message.zone
        )  # fmt: skip


@_on(e.MessageReady)
def _message_ready(state: State, data: e.MessageReady, event: Recorded) -> None:
    message = state.messages.get(data.message)
    if message is not None:
        state.messages[data.message] = replace(message, effect=event.seq, until=None)
        state.effects[event.seq] = EffectKnown("deliver", data.message, message.data)


@_on(e.MessageSent, e.MessageFailed, e.MessageSuppressed, e.MessageUnknown)
def _message_over(state: State, data: e.MessageSent | e.MessageSuppressed, event: Recorded) -> None:
    message = state.messages.pop(data.message, None)
    if isinstance(data, e.MessageSent | e.MessageUnknown):
        state.left.setdefault(data.message, None)
        if message is not None and message.to == "participant":
            state.to_person = (*state.to_person, data.message)
            if isinstance(data, e.MessageSent):
                _found_of_channels(state, data)
    elif message is not None and isinstance(data, e.MessageSuppressed) and data.reason == "suspended":
        _told_of_a_change(state, message, held_back=True)
    for effect in (data.effect, message.effect if message is not None else None):
        if effect is not None:
            state.effects.pop(effect, None)


def _found_of_channels(state: State, data: e.MessageSent) -> None:
    """What a message to the person met of their channels; those that it did not try stay as they were."""
    if data.by is None:
        state.gone = {"": data.dead[-1]} if data.dead else {}
        state.asked_anew = tuple(state.gone)
        return
    state.left_by[data.message] = data.by
    alive = ("", data.by, *data.mended)
    state.gone = {by: why for by, why in state.gone.items() if by not in alive}
    state.gone |= dict(zip(data.dead_by, data.dead, strict=True))
    _ask_anew(state, data.news, ("", *data.mended))
    if state.left[data.message] == "bounced":
        _came_back(state, data.by)


def _came_back(state: State, by: str) -> None:
    """A message that left by this channel did, which may be told before it is noted that it left."""
    state.gone[by] = CAME_BACK
    _ask_anew(state, (by,))


def _ask_anew(state: State, news: tuple[str, ...], mended: tuple[str, ...] = ()) -> None:
    """Which channels the alert is about that is open, or raised now."""
    is_open = any(each.about == UNREACHED for each in state.escalations.values())
    asked = (*state.asked_anew, *news) if is_open else news
    state.asked_anew = tuple(by for by in dict.fromkeys(asked) if by not in mended)


@_on(e.MessageDelivered)
def _delivered(state: State, data: e.MessageDelivered, event: Recorded) -> None:
    state.left[data.message] = "delivered"


@_on(e.MessageBounced)
def _bounced(state: State, data: e.MessageBounced, event: Recorded) -> None:
    state.left[data.message] = "bounced"
    if (by := state.left_by.get(data.message)) is not None:
        _came_back(state, by)


@_on(e.MessageSilent)
def _silent(state: State, data: e.MessageSilent, event: Recorded) -> None:
    state.left[data.message] = "silent"


# --- contacts and appointments


@_on(e.ContactDue)
def _contact_due(state: State, data: e.ContactDue, event: Recorded) -> None:
    before = state.contacts.get(data.contact)
    missed, former = (before.missed, before.counted_from) if before is not None else ((), 0)
    state.contacts[data.contact] = ContactKnown(
        data.window, data.opens, data.closes, missed=missed, counted_from=former
    )
    state.moments.pop(f"contact/{data.contact}/open", None)


@_on(e.ContactMade)
def _contact_made(state: State, data: e.ContactMade, event: Recorded) -> None:
    _change(state.contacts, data.contact, open=False, made=True)


@_on(e.ContactMissed)
def _contact_missed(state: State, data: e.ContactMissed, event: Recorded) -> None:
    last = data.window + data.spans - 1
    missed = (*state.contacts[data.contact].missed, *range(data.window, last + 1))
    _change(state.contacts, data.contact, open=False, made=False, window=last, missed=missed)


@_on(e.ContactCancelled)
def _contact_cancelled(state: State, data: e.ContactCancelled, event: Recorded) -> None:
    _change(state.contacts, data.contact, open=False, made=False)


@_on(e.ContactCorrected)
def _contact_corrected(state: State, data: e.ContactCorrected, event: Recorded) -> None:
    known = state.contacts[data.contact]
    others = tuple(number for number in known.missed if number != data.window)
    missed = others if data.to == "made" else tuple(sorted((*others, data.window)))
    made = data.to == "made" if known.window == data.window else known.made
    state.contacts[data.contact] = replace(known, made=made, missed=missed)


@_on(e.AppointmentBooked)
def _booked(state: State, data: e.AppointmentBooked, event: Recorded) -> None:
    state.appointments[data.appointment] = Appointment(
        data.at, data.minutes, data.milestone, data.contact, data.summons, data.remind_at, data.ask_at,
        or_at=data.or_at, booked=event.recorded_at,
    )  # fmt: skip


@_on(e.AppointmentMoved)
def _appointment_moved(state: State, data: e.AppointmentMoved, event: Recorded) -> None:
    before = state.appointments.get(data.appointment)
    by_person = event.actor == state.person
    _change(
        state.appointments,
        data.appointment,
        at=data.at,
        remind_at=data.remind_at,
        ask_at=data.ask_at,
        asked=False,
        answer=None,
        or_at=data.or_at,
        wish=None,
        known=by_person or (before is not None and before.counts_on_it),
        untold=None if by_person or before is None else before.untold,
    )
    _acted(state, event)


@_on(e.AppointmentAnswered)
def _appointment_answered(state: State, data: e.AppointmentAnswered, event: Recorded) -> None:
    _change(state.appointments, data.appointment, answer=data.answer, wish=data.wish)
    _acted(state, event)


def _acted(state: State, event: Recorded) -> None:
    if event.actor == state.person:
        state.acted_after = len(state.left)


@_on(e.AppointmentReminded)
def _appointment_reminded(state: State, data: e.AppointmentReminded, event: Recorded) -> None:
    known = state.appointments.get(data.appointment)
    if known is not None:
        state.appointments[data.appointment] = replace(known, remind_at=None, reminded=known.at)


@_on(e.AppointmentAsked)
def _appointment_asked(state: State, data: e.AppointmentAsked, event: Recorded) -> None:
    _change(state.appointments, data.appointment, ask_at=data.again_at, asked=True)


def _appointment_over(outcome: str) -> _Handler:
    def close(state: State, data: Any, event: Recorded) -> None:
        _change(state.appointments, data.appointment, outcome=outcome, remind_at=None, ask_at=None)

    return close


_on(e.AppointmentAttended)(_appointment_over("attended"))
_on(e.AppointmentMissed)(_appointment_over("missed"))
_on(e.AppointmentExcused)(_appointment_over("excused"))
_on(e.AppointmentCancelled)(_appointment_over("cancelled"))


@_on(e.AppointmentCorrected)
def _appointment_corrected(state: State, data: e.AppointmentCorrected, event: Recorded) -> None:
    _change(state.appointments, data.appointment, outcome=data.to)


@_on(e.ChaseDue)
def _chase_due(state: State, data: e.ChaseDue, event: Recorded) -> None:
    state.chases[data.chase] = ChaseKnown(
        data.appointment, data.step, data.do, data.by, event.recorded_at, data.message
    )


@_on(e.ChaseDone, e.ChasePassed, e.ChaseCancelled)
def _chase_over(state: State, data: e.ChaseDone | e.ChasePassed | e.ChaseCancelled, event: Recorded) -> None:
    state.chases.pop(data.chase, None)


# --- escalations


@_on(e.EscalationRaised)
def _raised(state: State, data: e.EscalationRaised, event: Recorded) -> None:
    state.escalations[data.escalation] = Escalation(
        data.ladder, data.about, data.to, data.urgent, data.money, data.held, data.next_at, event.recorded_at,
        fallback=data.fallback, since=event.recorded_at,
    )  # fmt: skip
    _tell(state, event.seq, data.escalation)


@_on(e.EscalationClimbed)
def _climbed(state: State, data: e.EscalationClimbed, event: Recorded) -> None:
    _change(
        state.escalations, data.escalation, step=data.step, repeat=data.repeat, to=data.to, next_at=data.next_at,
        acknowledged=False, assigned=None, fallback=data.fallback, tell_at=None, told_as="", digest=None,
        zone=None, since=event.recorded_at, snoozed=False, held_by="", held_since=None,
        held_until=None, planned_at=None,
    )  # fmt: skip
    _tell(state, event.seq, data.escalation)


def _tell(state: State, effect: int, id: str) -> None:
    """Somebody is to be told of a step: the holders of its role, or the person to whom it was given."""
    known = state.escalations[id]
    data = {
        "escalation": id, "ladder": known.ladder, "about": {"kind": known.about.kind, "id": known.about.id},
        "to": known.to, "fallback": list(known.fallback), "urgent": known.urgent, "step": known.step,
        "repeat": known.repeat, "person": known.assigned,
    }  # fmt: skip
    state.effects[effect] = EffectKnown("tell", id, data)


@_on(e.EscalationAcknowledged)
def _acknowledged(state: State, data: e.EscalationAcknowledged, event: Recorded) -> None:
    _change(state.escalations, data.escalation, acknowledged=True, snoozed=False)
    _in_hand(state, data, event)


@_on(e.EscalationSnoozed)
def _snoozed(state: State, data: e.EscalationSnoozed, event: Recorded) -> None:
    _change(state.escalations, data.escalation, snoozed=True)
    _in_hand(state, data, event)


def _in_hand(state: State, data: e.EscalationAcknowledged | e.EscalationSnoozed, event: Recorded) -> None:
    known = state.escalations.get(data.escalation)
    planned = known.planned if known is not None else None
    if planned is None:
        _change(state.escalations, data.escalation, since=event.recorded_at)
    _change(
        state.escalations, data.escalation, held_by=event.actor, held_since=event.recorded_at, held_until=data.until,
        next_at=data.next_at or data.until, planned_at=planned or data.until,
    )  # fmt: skip


@_on(e.EscalationReassigned)
def _reassigned(state: State, data: e.EscalationReassigned, event: Recorded) -> None:
    _change(
        state.escalations, data.escalation, assigned=data.to, acknowledged=False, snoozed=False, held_by="",
        held_since=None, held_until=None, tell_at=None, told_as="", digest=None, zone=None,
    )  # fmt: skip
    _tell(state, event.seq, data.escalation)


@_on(e.EscalationDeferred)
def _telling_deferred(state: State, data: e.EscalationDeferred, event: Recorded) -> None:
    state.effects.pop(data.effect, None)
    _change(state.escalations, data.escalation, tell_at=data.until, digest=data.digest, zone=data.zone)


@_on(e.EscalationReady)
def _telling_ready(state: State, data: e.EscalationReady, event: Recorded) -> None:
    _change(state.escalations, data.escalation, tell_at=None)
    if data.returned:
        _change(state.escalations, data.escalation, told=(), told_as="")
    _tell(state, event.seq, data.escalation)


@_on(e.EscalationResolved)
def _resolved(state: State, data: e.EscalationResolved, event: Recorded) -> None:
    known = state.escalations.pop(data.escalation, None)
    if known is not None and known.about == UNREACHED:
        state.asked_anew = ()


@_on(e.EscalationTold)
def _told(state: State, data: e.EscalationTold, event: Recorded) -> None:
    if _of_what_is_in_force(state, data):
        _change(state.escalations, data.escalation, told=data.told, told_as=data.role, digest=None)


@_on(e.EscalationUntold)
def _untold(state: State, data: e.EscalationUntold, event: Recorded) -> None:
    if _of_what_is_in_force(state, data):
        _change(state.escalations, data.escalation, digest=None)


def _of_what_is_in_force(state: State, data: e.EscalationTold | e.EscalationUntold) -> bool:
    """End a telling. False: the alert has gone on, or was handed on, since that was called for."""
    effect, known = state.effects.pop(data.effect, None), state.escalations.get(data.escalation)
    return effect is not None and known is not None and known.awaits(effect.data)


# --- grants, payments, receipts


@_on(e.GrantRequested)
def _requested(state: State, data: e.GrantRequested, event: Recorded) -> None:
    state.grants[data.grant] = GrantKnown(
        data.kind, data.purpose, data.amount, data.fund, data.pay_by, data.instalments, data.payee, data.digest,
        data.approvals, data.decide_by, requester=event.actor, editor=event.actor, asked=event.seq,
    )  # fmt: skip


@_on(e.GrantChanged, e.GrantReopened)
def _changed(state: State, data: e.GrantChanged | e.GrantReopened, event: Recorded) -> None:
    before = state.grants[data.grant]
    state.grants[data.grant] = replace(
        before, purpose=data.purpose, amount=data.amount, instalments=data.instalments, payee=data.payee,
        digest=data.digest, needed=data.approvals, decide_by=data.decide_by, status=GrantStatus.REQUESTED, approvals=(),
        editor=event.actor if data.payee_changed else before.editor, over=None,
        pay_from=data.pay_from if data.payee_changed else before.pay_from,
        paid_from=data.called if isinstance(data, e.GrantReopened) else before.paid_from, again=(),
        asked=event.seq,
    )  # fmt: skip
    for key in [key for key in state.moments if key.startswith(f"instalment/{data.grant}/")]:
        del state.moments[key]


@_on(e.GrantReturned)
def _grant_returned(state: State, data: e.GrantReturned, event: Recorded) -> None:
    _change(state.grants, data.grant, status=GrantStatus.RETURNED, approvals=())


@_on(e.GrantApprovalGiven)
def _approval(state: State, data: e.GrantApprovalGiven, event: Recorded) -> None:
    grant = state.grants[data.grant]
    given = Approval(event.actor, data.stands_for, data.digest)
    state.grants[data.grant] = replace(grant, approvals=(*grant.approvals, given))


@_on(e.GrantApproved)
def _approved(state: State, data: e.GrantApproved, event: Recorded) -> None:
    _change(state.grants, data.grant, status=GrantStatus.APPROVED)


def _grant_over(how: str) -> _Handler:
    def close(state: State, data: Any, event: Recorded) -> None:
        _change(state.grants, data.grant, over=how)

    return close


_on(e.GrantRefused)(_grant_over("refused"))
_on(e.GrantExpired)(_grant_over("expired"))
_on(e.GrantCancelled)(_grant_over("cancelled"))
_on(e.GrantCompleted)(_grant_over("completed"))
_on(e.GrantEnded)(_grant_over("ended"))


def _instalment_called(state: State, grant: str, number: int) -> None:
    known = state.grants[grant]
    again = tuple(each for each in known.again if each != number)
    state.grants[grant] = replace(known, paid_from=max(known.paid_from, number), again=again)
    state.moments.pop(f"instalment/{grant}/{number}", None)


@_on(e.PaymentReserved)
def _reserved(state: State, data: e.PaymentReserved, event: Recorded) -> None:
    state.payments[data.payment] = PaymentKnown(data.grant, data.number, data.amount, pay_by=data.pay_by)
    if data.replaces is not None:
        _change(state.payments, data.replaces, replaced=True)
    state.effects[event.seq] = EffectKnown("instruct", data.payment, data.model_dump(mode="json"))
    _instalment_called(state, data.grant, data.number)


@_on(e.PaymentBlocked)
def _blocked(state: State, data: e.PaymentBlocked, event: Recorded) -> None:
    blocked = PaymentKnown(data.grant, data.number, data.amount, PaymentStatus.BLOCKED, reason=data.reason)
    state.payments[data.payment] = blocked
    _instalment_called(state, data.grant, data.number)


@_on(e.PaymentRetried)
def _retried(state: State, data: e.PaymentRetried, event: Recorded) -> None:
    _change(state.payments, data.payment, replaced=True)
    _change(state.grants, data.grant, again=(*state.grants[data.grant].again, data.number))


@_on(e.PaymentInstructed)
def _instructed(state: State, data: e.PaymentInstructed, event: Recorded) -> None:
    state.effects.pop(data.effect, None)
    if state.payments[data.payment].status is PaymentStatus.RESERVED:
        _change(state.payments, data.payment, status=PaymentStatus.INSTRUCTED, look_at=data.look_at)


@_on(e.PaymentHeld)
def _held(state: State, data: e.PaymentHeld, event: Recorded) -> None:
    state.effects.pop(data.effect, None)
    known = state.payments[data.payment]
    since = known.held_since or event.recorded_at
    state.payments[data.payment] = replace(known, look_at=data.retry_at, held_since=since)


@_on(e.PaymentReleased)
def _released(state: State, data: e.PaymentReleased, event: Recorded) -> None:
    state.effects[event.seq] = EffectKnown("instruct", data.payment, _instruction(state, data.payment))
    _change(state.payments, data.payment, look_at=None)


@_on(e.PaymentEnquired)
def _enquired(state: State, data: e.PaymentEnquired, event: Recorded) -> None:
    state.effects[event.seq] = EffectKnown("enquire", data.payment, _instruction(state, data.payment))
    _change(state.payments, data.payment, look_at=None)


def _instruction(state: State, id: str) -> dict[str, Any]:
    """What the bank is told of a payment, as PaymentReserved said it."""
    payment = state.payments[id]
    grant = state.grants[payment.grant]
    return {
        "payment": id, "grant": payment.grant, "number": payment.number, "amount": payment.amount, "fund": grant.fund,
        "person": state.person, "pay_by": grant.pay_by, "digest": grant.digest, "payee": grant.payee,
    }  # fmt: skip


@_on(e.PaymentLookedUp)
def _looked_up(state: State, data: e.PaymentLookedUp, event: Recorded) -> None:
    state.effects.pop(data.effect, None)
    if data.look_at is not None and state.payments[data.payment].status.open:
        _change(state.payments, data.payment, look_at=data.look_at)


@_on(e.PaymentDoubted)
def _doubted(state: State, data: e.PaymentDoubted, event: Recorded) -> None:
    _change(state.payments, data.payment, doubt=data.answer)


@_on(e.PaymentDoubtSettled)
def _doubt_settled(state: State, data: e.PaymentDoubtSettled, event: Recorded) -> None:
    _change(state.payments, data.payment, doubt=None)


def _payment_now(status: PaymentStatus) -> _Handler:
    def become(state: State, data: Any, event: Recorded) -> None:
        look_at = getattr(data, "look_at", None)
        doubt = state.payments[data.payment].doubt if status.open else None
        _change(state.payments, data.payment, status=status, look_at=look_at, doubt=doubt)

    return become


_on(e.PaymentAccepted)(_payment_now(PaymentStatus.ACCEPTED))
_on(e.PaymentUnknown)(_payment_now(PaymentStatus.UNKNOWN))
_on(e.PaymentSettled)(_payment_now(PaymentStatus.SETTLED))
_on(e.PaymentRejected)(_payment_now(PaymentStatus.REJECTED))
_on(e.PaymentSettledByHand)(_payment_now(PaymentStatus.BY_HAND))
_on(e.PaymentCancelled)(_payment_now(PaymentStatus.CANCELLED))
_on(e.PaymentReturned)(_payment_now(PaymentStatus.RETURNED))


@_on(e.ReceiptDue)
def _receipt_due(state: State, data: e.ReceiptDue, event: Recorded) -> None:
    state.receipts[data.receipt] = ReceiptKnown(data.payment, data.grant, data.amount, data.by)


@_on(e.ReceiptOverdue)
def _receipt_overdue(state: State, data: e.ReceiptOverdue, event: Recorded) -> None:
    _change(state.receipts, data.receipt, overdue=True)


@_on(e.ReceiptSubmitted)
def _receipt_submitted(state: State, data: e.ReceiptSubmitted, event: Recorded) -> None:
    _change(state.receipts, data.receipt, submitted=data.amount, answer_by=data.answer_by)


@_on(e.ReceiptUnanswered)
def _receipt_unanswered(state: State, data: e.ReceiptUnanswered, event: Recorded) -> None:
    _change(state.receipts, data.receipt, answer_by=None)


@_on(e.ReceiptRefused)
def _receipt_refused(state: State, data: e.ReceiptRefused, event: Recorded) -> None:
    _change(state.receipts, data.receipt, submitted=None, answer_by=None)


@_on(e.ReceiptPartAccepted)
def _receipt_part_accepted(state: State, data: e.ReceiptPartAccepted, event: Recorded) -> None:
    known = state.receipts[data.receipt]
    state.receipts[data.receipt] = replace(
        known, justified=known.justified + data.amount, submitted=None, answer_by=None, by=data.by, overdue=False
    )


@_on(e.ReceiptAccepted)
def _receipt_accepted(state: State, data: e.ReceiptAccepted, event: Recorded) -> None:
    known = state.receipts[data.receipt]
    state.receipts[data.receipt] = replace(known, justified=known.justified + data.amount, settled="accepted")


@_on(e.ReceiptWaived)
def _receipt_waived(state: State, data: e.ReceiptWaived, event: Recorded) -> None:
    _change(state.receipts, data.receipt, settled="waived")


# --- mentors and partners


@_on(e.MentorProposed)
def _proposed(state: State, data: e.MentorProposed, event: Recorded) -> None:
    state.proposals[data.proposal] = data.mentor


@_on(e.MentorDeclined, e.MentorProposalCancelled)
def _proposal_over(state: State, data: e.MentorDeclined | e.MentorProposalCancelled, event: Recorded) -> None:
    state.proposals.pop(data.proposal, None)


@_on(e.MentorMatched)
def _matched(state: State, data: e.MentorMatched, event: Recorded) -> None:
    state.proposals.pop(data.proposal, None)
    state.match = Match(data.proposal, data.mentor, data.on)


@_on(e.MentorEnded)
def _mentor_ended(state: State, data: e.MentorEnded, event: Recorded) -> None:
    state.match = None


@_on(e.ReferralSent)
def _referred(state: State, data: e.ReferralSent, event: Recorded) -> None:
    state.referrals[data.referral] = ReferralKnown(data.partner, data.purpose, data.answer_by)


@_on(e.ReferralAccepted, e.ReferralDeclined, e.ReferralExpired, e.ReferralCancelled)
def _referral_over(state: State, data: e.ReferralAccepted, event: Recorded) -> None:
    state.referrals.pop(data.referral, None)


# --- the person


@_on(e.SituationChanged, e.SituationCorrected)
def _situation(state: State, data: e.SituationChanged | e.SituationCorrected, event: Recorded) -> None:
    others = [value for value in state.situations.get(data.situation, ()) if value.since != data.since]
    state.situations[data.situation] = tuple(
        sorted([*others, Value(data.value, data.since)], key=lambda value: value.since)
    )


@_on(e.OutcomeMeasured)
def _measured(state: State, data: e.OutcomeMeasured, event: Recorded) -> None:
    key = f"{data.measure}/{data.number}"
    state.measured[key] = data.value
    state.moments.pop(f"measure/{key}", None)


@_on(e.ConsentGiven)
def _consent(state: State, data: e.ConsentGiven, event: Recorded) -> None:
    state.consents |= {f"{data.partner}/{data.purpose}"}


@_on(e.ConsentWithdrawn)
def _consent_withdrawn(state: State, data: e.ConsentWithdrawn, event: Recorded) -> None:
    state.consents -= {f"{data.partner}/{data.purpose}"}


@_on(e.MessagesPaused)
def _paused(state: State, data: e.MessagesPaused, event: Recorded) -> None:
    state.paused_until = data.until


@_on(e.MessagesResumed)
def _unpaused(state: State, data: e.MessagesResumed, event: Recorded) -> None:
    state.paused_until = None


@_on(e.OptedOut)
def _opted_out(state: State, data: e.OptedOut, event: Recorded) -> None:
    state.opted_out = True


@_on(e.OptedIn)
def _opted_in(state: State, data: e.OptedIn, event: Recorded) -> None:
    state.opted_out = False


@_on(e.WishesRecorded)
def _wishes(state: State, data: e.WishesRecorded, event: Recorded) -> None:
    state.zone = data.zone or state.zone


@_on(e.PersonDied)
def _died(state: State, data: e.PersonDied, event: Recorded) -> None:
    state.died_on = data.on


@_on(e.ErasureRequested)
def _erasure(state: State, data: e.ErasureRequested, event: Recorded) -> None:
    state.erasure_asked = True


@_on(e.ErasureOrdered)
def _erasing(state: State, data: e.ErasureOrdered, event: Recorded) -> None:
    state.erasing = True
