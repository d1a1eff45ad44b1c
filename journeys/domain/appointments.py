"""Appointments: booked, moved, reminded, and asked about until somebody says how they went."""

from datetime import datetime, timedelta

from journeys.domain import commands as c
from journeys.domain import contacts, escalation, messages, milestones
from journeys.domain import events as e
from journeys.domain.calendar import ONE_DAY
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.events import Subject
from journeys.domain.moments import Duration, Unit
from journeys.domain.programme import Check, Roll
from journeys.domain.state import Appointment

NOTICE = timedelta(hours=48)
"""A participant is reminded so long before."""

ASKED_AGAIN = Duration(2, Unit.WORKING_DAY)
"""After so long without an answer the question is escalated."""


def about(id: str) -> Subject:
    return Subject(kind="appointment", id=id)


def book(work: Deciding, body: c.BookAppointment) -> None:
    if body.milestone is not None and body.milestone not in work.book.programme.milestones:
        raise Refusal("unknown-milestone", milestone=body.milestone, known=", ".join(work.book.programme.milestones))
    if body.contact is not None and body.contact not in work.book.programme.contacts:
        raise Refusal("unknown-contact", contact=body.contact, known=", ".join(work.book.programme.contacts))
    assert work.command is not None
    _must_be_ahead(work, body.at)
    work.fact(
        e.AppointmentBooked(
            appointment=work.command.id, at=body.at, minutes=body.minutes, milestone=body.milestone,
            contact=body.contact, summons=body.summons, remind_at=_reminder(work, body.at),
            ask_at=_asking(work, body.at, body.minutes),
        )
    )  # fmt: skip


def move(work: Deciding, body: c.MoveAppointment) -> None:
    known = _open(work, body.appointment)
    _must_be_ahead(work, body.at)
    work.fact(
        e.AppointmentMoved(
            appointment=body.appointment, at=body.at, remind_at=_reminder(work, body.at),
            ask_at=_asking(work, body.at, known.minutes),
        )
    )  # fmt: skip
    escalation.resolve_about(work, about(body.appointment), "moved")


def answer(work: Deciding, body: c.AnswerAppointment) -> None:
    """The person's own word on it; the referent is told where it has to be moved, and moves it."""
    known = _open(work, body.appointment)
    if known.at <= work.now:
        raise Refusal("appointment-past", at=known.at.isoformat())
    work.fact(e.AppointmentAnswered(appointment=body.appointment, answer=body.answer))
    if body.answer == "other-time":
        assert work.command is not None
        messages.owe(
            work, "notice", "referent", "appointment-other-time", about(body.appointment),
            f"other-time/{work.command.id}",
        )  # fmt: skip


def close(work: Deciding, body: c.CloseAppointment) -> None:
    known = _open(work, body.appointment)
    if body.outcome in ("attended", "missed") and known.at > work.now:
        raise Refusal("appointment-ahead", at=known.at.isoformat())
    match body.outcome:
        case "attended":
            work.fact(e.AppointmentAttended(appointment=body.appointment), occurred_at=min(known.at, work.now))
        case "missed":
            work.fact(e.AppointmentMissed(appointment=body.appointment), occurred_at=min(known.at, work.now))
        case "excused":
            work.fact(e.AppointmentExcused(appointment=body.appointment))
        case "cancelled":
            work.fact(e.AppointmentCancelled(appointment=body.appointment, why="by-hand"))
    escalation.resolve_about(work, about(body.appointment), "answered")
    if body.outcome == "attended":
        _attended(work, known)
    elif body.outcome == "missed":
        escalation.raise_about(work, _ladder(work, known), about(body.appointment))


def correct(work: Deciding, body: c.Correct) -> None:
    """`correct` for an appointment whose outcome was told wrongly."""
    known = work.state.appointments.get(body.id)
    if known is None:
        raise Refusal("unknown-appointment", id=body.id)
    if known.outcome in (None, "cancelled") or body.to == known.outcome:
        raise Refusal("not-settled", appointment=body.id)
    match body.to:
        case "attended" | "missed" | "excused" as to:
            work.fact(e.AppointmentCorrected(appointment=body.id, to=to))
        case _:
            raise Refusal("correct-to", known="attended, missed, excused")
    if body.to == "attended":
        escalation.resolve_about(work, about(body.id), "answered")
        _attended(work, known)


def _attended(work: Deciding, known: Appointment) -> None:
    """What an appointment kept brings with it: its milestone, its contact."""
    at = min(known.at, work.now)
    day = work.book.calendar.day(at)
    milestone = known.milestone
    rule = work.book.programme.milestones.get(milestone or "")
    by_appointment = rule is not None and rule.check is Check.APPOINTMENT
    if milestone is not None and by_appointment and not work.state.settled(milestone):
        milestones.reached_by_itself(work, milestone, day, at)
    if known.contact in work.book.programme.contacts:
        assert known.contact is not None
        found = contacts.found(work, known.contact, "meeting", day)
        if not isinstance(found, e.ContactLogged):
            work.follow(found, "appointment", at)
            escalation.resolve_about(work, contacts.about(known.contact), "contact-made")


def take_reminder(work: Deciding, id: str, at: datetime) -> None:
    known = work.state.appointments[id]
    work.due(e.AppointmentReminded(appointment=id), "appointment-reminder", at)
    messages.owe(
        work, "reminder", messages.PARTICIPANT, "appointment-near", about(id),
        f"appointment/{id}/{known.at.isoformat()}", at=at, not_after=known.at,
    )  # fmt: skip


def take_asking(work: Deciding, id: str, at: datetime) -> None:
    """The morning after: ask the referent how it went; later, escalate the silence."""
    known = work.state.appointments[id]
    again = None if known.asked else work.book.calendar.term_end(work.now, ASKED_AGAIN, work.book.calendar.clock.opens)
    work.due(e.AppointmentAsked(appointment=id, again_at=again), "appointment-outcome", at)
    if known.asked:
        escalation.raise_about(work, _ladder(work, known), about(id), held=False)
    else:
        messages.owe(
            work,
            "notice",
            "referent",
            "appointment-outcome",
            about(id),
            f"outcome/{id}/{known.at.isoformat()}",
        )


def _ladder(work: Deciding, known: Appointment) -> str | None:
    programme = work.book.programme
    rule = programme.milestones.get(known.milestone or "") or programme.contacts.get(known.contact or "")
    return rule.missed if rule is not None else None


def _reminder(work: Deciding, at: datetime) -> datetime | None:
    moment = at - NOTICE
    return moment if moment > work.now else None


def _asking(work: Deciding, at: datetime, minutes: int) -> datetime:
    """The next working morning after its end."""
    calendar = work.book.calendar
    return calendar.opening(calendar.roll(calendar.day(at + timedelta(minutes=minutes)) + ONE_DAY, Roll.FORWARD))


def _must_be_ahead(work: Deciding, at: datetime) -> None:
    if at <= work.now:
        raise Refusal("in-the-past", field="at")


def _open(work: Deciding, id: str) -> Appointment:
    known = work.state.appointments.get(id)
    if known is None:
        raise Refusal("unknown-appointment", id=id)
    if known.outcome is not None:
        raise Refusal("appointment-settled", outcome=known.outcome)
    return known
