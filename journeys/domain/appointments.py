"""Appointments: booked, moved, reminded, and asked about until somebody says how they went."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from journeys.domain import chases, contacts, escalation, messages, milestones, rights
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.calendar import ONE_DAY, Calendar, in_zone
from journeys.domain.chases import about, ladder_of
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.links import times_until
from journeys.domain.moments import Duration, Unit
from journeys.domain.programme import Check, Roll
from journeys.domain.sending import reminder_of
from journeys.domain.state import Appointment, Status

NOTICE = timedelta(hours=48)
"""A participant is reminded so long before; earlier where days of rest lie between."""

SLIP = timedelta(hours=1)
"""So long after its booking a wrong hour is set right, or what was booked for the wrong person called off, before
anybody is told."""

EVERY: Final = {
    "week": Duration(1, Unit.WEEK), "two-weeks": Duration(2, Unit.WEEK), "month": Duration(1, Unit.MONTH),
}  # fmt: skip

ASKED_AGAIN = Duration(2, Unit.WORKING_DAY)
"""After so long without an answer the question is escalated."""


def book(work: Deciding, body: c.BookAppointment) -> None:
    if body.milestone is not None and body.milestone not in work.book.programme.milestones:
        raise Refusal("unknown-milestone", milestone=body.milestone, known=", ".join(work.book.programme.milestones))
    if body.contact is not None and body.contact not in work.book.programme.contacts:
        raise Refusal("unknown-contact", contact=body.contact, known=", ".join(work.book.programme.contacts))
    if (body.every is None) != (body.times == 1):
        raise Refusal("half-a-series")
    if body.summons and body.or_at:
        raise Refusal("summons-stands")
    assert work.command is not None
    _must_be_ahead(work, body.at)
    for number, at in enumerate(series(work.book.calendar, body)):
        id = work.command.id if number == 0 else work.id_for(key_of(work.command.id, number))
        work.fact(
            e.AppointmentBooked(
                appointment=id, at=at, minutes=body.minutes, milestone=body.milestone, contact=body.contact,
                summons=body.summons, remind_at=_reminder(work, at), ask_at=_asking(work, at, body.minutes),
                or_at=_offered(work, body) if number == 0 else (),
            )
        )  # fmt: skip


def key_of(command: str, number: int) -> str:
    """By what a later appointment of a series, booked by a command, has its id."""
    return f"appointment/{command}/{number}"


def series(calendar: Calendar, body: c.BookAppointment) -> Iterator[datetime]:
    """The first time, then the same hour of the site's clock week after week, moved off days on which nobody works, the
    holidays of the site's own among them."""
    yield body.at
    if body.every is None:
        return
    here = in_zone(calendar, body.site_zone)
    every, first = EVERY[body.every], body.at.astimezone(here.zone)
    for number in range(1, body.times):
        day = here.add(first.date(), Duration(every.amount * number, every.unit))
        while not here.works(day) or here.rests(day):
            day += ONE_DAY
        yield here.at(day, f"{first:%H:%M}")


def move(work: Deciding, body: c.MoveAppointment) -> None:
    """To another time, or place: any that staff give, of which the person is told where they know of it, as of other
    times that staff offer; for the person, a time that was offered, never of a summons. Then the referent is told."""
    known = _open(work, body.appointment)
    chosen = _by_person(work)
    if known.summons and (chosen or body.or_at):
        raise Refusal("summons-stands")
    if chosen:
        _must_have_been_offered(work, known, body)
    _must_be_ahead(work, body.at)
    work.fact(
        e.AppointmentMoved(
            appointment=body.appointment, at=body.at, remind_at=_reminder(work, body.at),
            ask_at=_asking(work, body.at, known.minutes), or_at=_offered(work, body),
        )
    )  # fmt: skip
    escalation.resolve_about(work, about(body.appointment), "moved")
    if chosen:
        chases.heard_of(work, "answered")
        _tell(work, body.appointment, "appointment-chosen", "chosen")
    elif _is_known(work, known) or _is_known(work, work.state.appointments[body.appointment]):
        _tell_of_the_change(work, body.appointment, known)


def _is_known(work: Deciding, known: Appointment) -> bool:
    """Whether the person counts on it: it was agreed with them, or handed over on paper. Only what was booked just now,
    and of which they have not heard since, may be a slip."""
    booked = known.booked is None or work.now - known.booked > SLIP
    return booked or known.counts_on_it or known.at - work.now <= NOTICE


def _tell_of_the_change(work: Deciding, id: str, before: Appointment) -> None:
    """The person, of another time or place, else of other times that they may take; what still waited to tell of
    earlier ones leaves no more."""
    assert work.command is not None
    now = work.state.appointments[id]
    changed = now.at != before.at or "place" in work.command.commitments
    if changed or not now.or_at:
        messages.overtake(work, messages.TIMES, about(id))
    if changed:
        messages.overtake(work, messages.CHANGED, about(id))
        _owe_the_change(work, id, now, messages.CHANGED, f"changed/{id}/{work.command.id}/{now.at.isoformat()}")
    elif set(now.or_at) - set(before.or_at) and not _carries_them(work, id, now):
        _owe_the_times(work, id, f"times/{id}/{work.command.id}/{now.at.isoformat()}")


def _carries_them(work: Deciding, id: str, known: Appointment) -> bool:
    """Whether what has still to leave tells of its times: a reminder may have no link, and says nothing of them."""
    waits = any(
        each.about == about(id) and each.effect is None and each.data["template"] in (messages.TIMES, messages.CHANGED)
        for each in work.state.messages.values()
    )
    return waits or known.untold == messages.CHANGED


def _tell_of_the_end(work: Deciding, id: str, before: Appointment) -> None:
    """The person, that nobody waits for them, where they count on an appointment ahead."""
    if before.at > work.now and _is_known(work, before):
        _owe_the_change(work, id, before, messages.CANCELLED, f"cancelled/{id}")


def _owe_the_change(work: Deciding, id: str, known: Appointment, template: str, occurrence: str) -> None:
    messages.owe(work, "notice", messages.PARTICIPANT, template, about(id), occurrence, not_after=known.at)


def _owe_the_times(work: Deciding, id: str, occurrence: str) -> None:
    """Of use as long as one of them can be taken; where none can be any more, nobody is told."""
    if (last := times_until(work.state, id, work.now)) is not None:
        messages.owe(work, "notice", messages.PARTICIPANT, messages.TIMES, about(id), occurrence, not_after=last)


def _by_person(work: Deciding) -> bool:
    return rights.line_of(work.role, work.book.programme) == messages.PARTICIPANT


def answer(work: Deciding, body: c.AnswerAppointment) -> None:
    """The person's own word on it; the referent is told where it has to be moved, and moves it.

    One that was freely agreed is off once they decline it; of a summons they may only ask for another time.
    """
    known = _open(work, body.appointment)
    _must_not_have_passed(work, known)
    if known.summons and body.answer == "declined":
        raise Refusal("summons-stands")
    if body.wish is not None:
        if body.answer != "other-time":
            raise Refusal("wish-though-coming")
        _must_be_ahead(work, body.wish, "wish")
    work.fact(e.AppointmentAnswered(appointment=body.appointment, answer=body.answer, wish=body.wish))
    if _by_person(work):
        chases.heard_of(work, "answered")
    if body.answer == "other-time":
        _tell(work, body.appointment, "appointment-other-time", "other-time")
    elif body.answer == "declined":
        work.follow(e.AppointmentCancelled(appointment=body.appointment, why="declined"), "appointment-declined")
        escalation.resolve_about(work, about(body.appointment), "answered")
        _tell(work, body.appointment, "appointment-declined", "declined")


def _tell(work: Deciding, id: str, template: str, occasion: str) -> None:
    """The referent, of what the person said."""
    assert work.command is not None
    messages.owe(work, "notice", "referent", template, about(id), f"{occasion}/{work.command.id}")


def close(work: Deciding, body: c.CloseAppointment) -> None:
    known = _open(work, body.appointment)
    if body.outcome in ("attended", "missed") and known.at > work.now:
        raise Refusal("appointment-ahead", at=known.at.isoformat())
    assert work.command is not None
    if body.outcome == "excused" and known.summons and "note" not in work.command.commitments:
        raise Refusal("justification-missing")
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
        chases.begin(work, body.appointment)
    elif body.outcome == "cancelled" and not _by_person(work):
        _tell_of_the_end(work, body.appointment, known)


def correct(work: Deciding, body: c.Correct) -> None:
    """`correct` for an appointment whose outcome was told wrongly; also for one that was called off, by a wrong click
    or because the journey was closed before anybody said how it went, once its hour has passed."""
    known = work.state.appointments.get(body.id)
    if known is None:
        raise Refusal("unknown-appointment", id=body.id)
    ahead = known.outcome == "cancelled" and known.at > work.now
    if known.outcome is None or body.to == known.outcome or ahead:
        raise Refusal("not-settled", appointment=body.id)
    match body.to:
        case "attended" | "missed" | "excused" as to:
            work.fact(e.AppointmentCorrected(appointment=body.id, to=to))
        case _:
            raise Refusal("correct-to", known="attended, missed, excused")
    if body.to == "missed" and work.state.status is not Status.CLOSED:
        chases.begin(work, body.id)
    if body.to != "missed":
        chases.cancel(work, "corrected", body.id)
        escalation.resolve_about(work, about(body.id), "answered")
    if body.to == "attended":
        _attended(work, known)


def _attended(work: Deciding, known: Appointment) -> None:
    """What an appointment kept brings with it: its milestone, its contact."""
    at = min(known.at, work.now)
    day = work.book.calendar.day(at)
    chases.heard_of(work, "seen", at)
    milestone = known.milestone
    rule = work.book.programme.milestones.get(milestone or "")
    by_appointment = rule is not None and rule.check is Check.APPOINTMENT
    if milestone is not None and by_appointment and not work.state.settled(milestone):
        milestones.reached_by_itself(work, milestone, day, at)
    if known.contact in work.book.programme.contacts:
        assert known.contact is not None
        contacts.open_for(work, known.contact, day)
        found = contacts.found(work, known.contact, "meeting", day)
        if not isinstance(found, e.ContactLogged):
            work.follow(found, "appointment", at)
            escalation.resolve_about(work, contacts.about(known.contact), "contact-made")


def take_reminder(work: Deciding, id: str, at: datetime) -> None:
    """Once for each time of it that has left; what was held back, and stands again at that time, is owed anew."""
    known = work.state.appointments[id]
    again, seq = known.reminded == known.at, work.state.seq
    work.due(e.AppointmentReminded(appointment=id), "appointment-reminder", at)
    if not (again and _is_reminded(work, id, known)):
        _remind(work, id, known, _occurrence(id, known, seq) if again else _occurrence(id, known), at)


def remind_again(work: Deciding) -> None:
    """After a suspension: what it held back is owed anew, of each appointment whose hour is still ahead: that it is
    moved or off, else the other times that are left, and its reminder."""
    again = f"resumed-{len(work.state.suspensions)}"
    for id, known in list(work.state.appointments.items()):
        if known.at <= work.now:
            continue
        match known.outcome:
            case None if known.untold == messages.CHANGED:
                _owe_the_change(work, id, known, messages.CHANGED, f"changed/{id}/{again}/{known.at.isoformat()}")
            case None:
                _remind_of_what_stands(work, id, known, again)
            case "cancelled" if known.untold == messages.CANCELLED:
                _owe_the_change(work, id, known, messages.CANCELLED, f"cancelled/{id}/{again}")


def _remind_of_what_stands(work: Deciding, id: str, known: Appointment, again: str) -> None:
    """The offer of other times names no place, and is no reminder of the hour that stays."""
    if known.untold == messages.TIMES:
        _owe_the_times(work, id, f"times/{id}/{again}/{known.at.isoformat()}")
    if known.reminded == known.at and not _is_reminded(work, id, known):
        _remind(work, id, known, _occurrence(id, known, again), work.now)


def _remind(work: Deciding, id: str, known: Appointment, occurrence: str, at: datetime) -> None:
    messages.owe(
        work, "reminder", messages.PARTICIPANT, messages.SUMMONS_NEAR if known.summons else "appointment-near",
        about(id), occurrence, at=at, not_after=known.at,
    )  # fmt: skip


def _occurrence(id: str, known: Appointment, *again: str | int) -> str:
    """The key of a reminder of an appointment at one time; what makes it another where one was held back."""
    return "/".join(("appointment", id, *map(str, again), known.at.isoformat()))


def _is_reminded(work: Deciding, id: str, known: Appointment) -> bool:
    """Whether a reminder of this time of it waits, has left, or may have: the last, the first, or one after a
    suspension."""
    if known.reminder in work.state.messages or known.reminder in work.state.left:
        return True
    resumed = range(1, len(work.state.suspensions) + 1)
    tried = (_occurrence(id, known), *(_occurrence(id, known, f"resumed-{number}") for number in resumed))
    return any(messages.is_owed(work, each, messages.PARTICIPANT) for each in tried)


def take_asking(work: Deciding, id: str, at: datetime) -> None:
    """The morning after: ask the referent how it went; later, escalate the silence."""
    known = work.state.appointments[id]
    again = None if known.asked else work.book.calendar.term_end(work.now, ASKED_AGAIN, work.book.calendar.clock.opens)
    work.due(e.AppointmentAsked(appointment=id, again_at=again), "appointment-outcome", at)
    if known.asked:
        escalation.raise_about(work, ladder_of(work, known), about(id), held=False)
    else:
        messages.owe(
            work,
            "notice",
            "referent",
            "appointment-outcome",
            about(id),
            f"outcome/{id}/{known.at.isoformat()}",
        )


def _reminder(work: Deciding, at: datetime) -> datetime | None:
    planned = at - NOTICE
    if planned <= work.now:
        return None
    return reminder_of(at, planned, messages.hours_of(work.state, work.book.calendar, messages.PARTICIPANT), work.now)


def _asking(work: Deciding, at: datetime, minutes: int) -> datetime:
    """The next working morning after its end."""
    calendar = work.book.calendar
    morning = calendar.roll(calendar.day(at + timedelta(minutes=minutes)) + ONE_DAY, Roll.FORWARD)
    return work.spread(calendar.opening(morning))


def _offered(work: Deciding, body: c.BookAppointment | c.MoveAppointment) -> tuple[datetime, ...]:
    """The other times that would also suit, each once, in order."""
    for at in body.or_at:
        _must_be_ahead(work, at, "or_at")
    return tuple(sorted(set(body.or_at) - {body.at}))


def _must_have_been_offered(work: Deciding, known: Appointment, body: c.MoveAppointment) -> None:
    """The person moves an appointment ahead, to a time that was offered, and offers none."""
    _must_not_have_passed(work, known)
    if body.at not in known.or_at or body.or_at:
        raise Refusal("time-not-offered", at=body.at.isoformat())


def _must_not_have_passed(work: Deciding, known: Appointment) -> None:
    if known.at <= work.now:
        raise Refusal("appointment-past", at=known.at.isoformat())


def _must_be_ahead(work: Deciding, at: datetime, field: str = "at") -> None:
    if at <= work.now:
        raise Refusal("in-the-past", field=field)


def _open(work: Deciding, id: str) -> Appointment:
    known = work.state.appointments.get(id)
    if known is None:
        raise Refusal("unknown-appointment", id=id)
    if known.outcome is not None:
        raise Refusal("appointment-settled", outcome=known.outcome)
    return known
