"""After a missed appointment: the steps that the programme gives, until the person is heard of, and its ladder behind
them. A miss is never a silent gap: a step follows at once, and after the last of them somebody is alerted."""

from datetime import datetime
from typing import Final

from journeys.domain import commands as c
from journeys.domain import escalation, messages
from journeys.domain import events as e
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.events import Subject
from journeys.domain.moments import Duration, Unit
from journeys.domain.programme import Chase, Programme, Roll
from journeys.domain.sending import SPREAD
from journeys.domain.state import Appointment

USUAL: Final = Duration(2, Unit.WORKING_DAY)
"""How long a step waits for news where the programme does not say."""

CASEWORKERS: Final = frozenset({"referent", "supervisor"})
"""Lines of the rights table whose contact is that of the association: a volunteer's does not tell the referent."""


def about(appointment: str) -> Subject:
    return Subject(kind="appointment", id=appointment)


def ladder_of(work: Deciding, known: Appointment) -> str | None:
    """The ladder of what an appointment is for."""
    return ladder_for(work.book.programme, known)


def ladder_for(programme: Programme, known: Appointment) -> str | None:
    """The same, by the rules of a programme."""
    rule = programme.milestones.get(known.milestone or "") or programme.contacts.get(known.contact or "")
    return rule.missed if rule is not None else None


def begin(work: Deciding, appointment: str) -> None:
    """What follows at once from a miss: the steps of the programme, or for a summons its ladder."""
    known = work.state.appointments[appointment]
    if known.summons:
        ladder = work.book.programme.appointments.summons_missed or ladder_of(work, known)
        escalation.raise_about(work, ladder, about(appointment))
    elif not any(each.appointment == appointment for each in work.state.chases.values()):
        _go_on(work, appointment, 0)


def _go_on(work: Deciding, appointment: str, step: int) -> None:
    """The step of this number; where there is none, the ladder."""
    steps = work.book.programme.appointments.missed
    rule = steps[step] if step < len(steps) else None
    if rule is None or rule.do == "escalation":
        ladder = rule.ladder if rule is not None else None
        known = work.state.appointments[appointment]
        escalation.raise_about(work, ladder or ladder_of(work, known), about(appointment))
    else:
        _open(work, appointment, step, rule)


def _open(work: Deciding, appointment: str, step: int, rule: Chase) -> None:
    assert rule.do != "escalation"
    id = work.id_for(f"chase/{appointment}/{work.state.seq + 1}")
    letter = rule.do == "letter"
    occurrence = f"chase/{id}"
    work.follow(
        e.ChaseDue(
            chase=id, appointment=appointment, step=step, do=rule.do, by=_until(work, rule.within or USUAL),
            message=messages.id_of(work, occurrence, messages.PARTICIPANT) if letter else None,
        ),
        "appointment-missed",
    )  # fmt: skip
    if letter:
        messages.owe(
            work, "notice", messages.PARTICIPANT, messages.MISSED, about(appointment), occurrence, channel="letter"
        )


def _until(work: Deciding, length: Duration) -> datetime:
    """The closing hour of a working day; a term in hours is counted from now."""
    calendar = work.book.calendar
    end = calendar.term_end(work.now, length)
    if length.unit.counts_instants:
        return end
    return work.spread(calendar.closing(calendar.roll(calendar.day(end), Roll.FORWARD)), SPREAD)


def take(work: Deciding, id: str, at: datetime) -> None:
    """A step has waited long enough for news."""
    known = work.state.chases[id]
    work.due(e.ChasePassed(chase=id, why="too-late"), "appointment-missed", at)
    _go_on(work, known.appointment, known.step + 1)


def note(work: Deciding, body: c.NoteChase) -> None:
    """Somebody says what a step came to."""
    known = work.state.chases.get(body.chase)
    if known is None:
        raise Refusal("unknown-chase", id=body.chase)
    if body.result == "reached":
        work.fact(e.ChaseDone(chase=body.chase, how="reached"))
        heard_of(work, "contact-made")
    else:
        work.fact(e.ChasePassed(chase=body.chase, why="no-answer"))
        _go_on(work, known.appointment, known.step + 1)


def heard_of(work: Deciding, how: str, at: datetime | None = None) -> None:
    """The person was heard of, at an instant or on the day told: what was missed before is chased no more, and nobody
    needs to know whether a message arrived.

    A contact that is noted later has a day and no hour: on the day of the missed appointment it counts.
    """
    day = work.book.calendar.day
    moment = at or work.occurred_at or work.now
    silent = escalation.open_about(work, messages.NO_RECEIPT)
    if silent is not None and work.state.escalations[silent].raised_at <= moment:
        escalation.resolve_about(work, messages.NO_RECEIPT, how)
    for id, known in list(work.state.chases.items()):
        missed = work.state.appointments[known.appointment].at
        if missed <= moment or (at is None and day(missed) == day(moment)):
            work.follow(e.ChaseDone(chase=id, how=how), "heard-of")


def letters_that_never_left(work: Deciding) -> None:
    """A letter that will not be written is no step: the next one follows."""
    for id, known in list(work.state.chases.items()):
        message = known.message
        if message is not None and message not in work.state.messages and message not in work.state.left:
            work.follow(e.ChasePassed(chase=id, why="not-sent"), "appointment-missed")
            _go_on(work, known.appointment, known.step + 1)


def cancel(work: Deciding, why: str, appointment: str | None = None) -> None:
    """Nothing is chased any more (of one appointment)."""
    for id, known in list(work.state.chases.items()):
        if appointment in (None, known.appointment):
            work.follow(e.ChaseCancelled(chase=id, why=why), "appointment-missed")
