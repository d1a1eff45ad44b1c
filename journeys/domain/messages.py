"""Messages: when they are owed, when they may leave, when they must not."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.calendar import Calendar, in_zone
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.events import Channel, Subject
from journeys.domain.links import times_offered
from journeys.domain.moments import elapsed
from journeys.domain.sending import Spares, first_free, when_to_send
from journeys.domain.standing import is_settled
from journeys.domain.state import Deadline, Message, State, Status

PARTICIPANT = "participant"
MONEY = frozenset({"grant", "payment", "receipt"})
NO_RECEIPT = Subject(kind="consent", id="no-receipt")
"""What an alert about words of which nobody knows whether they arrived is about."""
SUMMONS_NEAR = "summons-near"
"""The template of the reminder of a summons."""
SUMMONS_UNREMINDED = "summons-unreminded"
"""The template of the notice that it did not leave, or goes by post: whoever reads it today reminds by voice."""
BY_POST = timedelta(days=7)
"""A letter may take so long: somebody prints and posts it on a working day, then it travels for three."""
UNREMINDED = frozenset({"opted-out", "paused", "suspended", "too-late"})
"""Why a reminder may not leave although what it reminds of goes on."""
MISSED = "appointment-missed"
"""The template of the letter after a missed appointment."""
CHANGED = "appointment-changed"
"""The template that tells the person of an appointment that it has another time or place."""
CANCELLED = "appointment-cancelled"
"""The one that tells them that it is off."""
TIMES = "appointment-times"
"""The one that tells them of other times that they may take, where its own stays."""
APPOINTMENT_AT_ITS_TIME = frozenset({"appointment-near", SUMMONS_NEAR, CHANGED, TIMES, "appointment-outcome"})
"""Templates about an appointment at one time: pointless once it stands at another, or its outcome is known."""


@dataclass(frozen=True, slots=True)
class Channels:
    """What a message met of the person's channels, as MessageSent tells it."""

    dead: tuple[str, ...] = ()
    dead_by: tuple[str, ...] = ()
    news: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    by: str | None = None


NOTHING_FOUND: Final = Channels()


def owe(
    work: Deciding,
    purpose: Literal["reminder", "notice", "approval"],
    to: str,
    template: str,
    about: Subject,
    occurrence: str,
    *,
    at: datetime | None = None,
    not_after: datetime | None = None,
    urgent: bool = False,
    person: str | None = None,
    channel: Channel | None = None,
) -> None:
    """Record a message as due, and at once whether it waits for the morning or is never to leave.

    It is worth sending for so long after it might first have left, and not once what it is about has passed.
    What is told of the time before an import's line owes nobody a message, nor does an occurrence whose message waits
    or has left: an appointment that was moved away and back.

    Args:
        channel: the only one by which it goes.
    """
    message = id_of(work, occurrence, to, person)
    if is_history(work) or _is_known(work, message):
        return
    moment = at or work.now
    leaves = first_free(moment, hours_of(work.state, work.book.calendar, to), spares(to, urgent))
    valid_until = leaves + late_after(work)
    if not_after is not None:
        valid_until = min(valid_until, not_after)
    work.follow(
        e.MessageDue(
            message=message, purpose=purpose, to=to, template=template, about=about, occurrence=occurrence, at=moment,
            valid_until=valid_until, urgent=urgent, person=person, channel=channel,
        ),
        "message",
        moment,
    )  # fmt: skip
    hold_back(work, message)


def id_of(work: Deciding, occurrence: str, to: str, person: str | None = None) -> str:
    """The id of the one message of an occurrence to somebody."""
    return work.id_for(f"message/{occurrence}/{to}/{person or ''}")


def is_owed(work: Deciding, occurrence: str, to: str, person: str | None = None) -> bool:
    """Whether the message of an occurrence waits, has left, or may have."""
    return _is_known(work, id_of(work, occurrence, to, person))


def _is_known(work: Deciding, message: str) -> bool:
    return message in work.state.messages or message in work.state.left


def is_history(work: Deciding) -> bool:
    """Whether what is told happened before the line in time of an import."""
    line = work.state.watch_from
    return line is not None and work.occurred_at is not None and work.occurred_at < line


def hold_back(work: Deciding, id: str) -> bool:
    """Suppress or defer a message that may not leave now. True when it was held back."""
    message = work.state.messages[id]
    reason = why_not(work.state, message, work.now)
    if reason is not None:
        _give_up(work, id, reason, "message")
        return True
    leaves = leaves_at(message, work.now, hours_of(work.state, work.book.calendar, message.to, message.zone))
    if leaves == work.now:
        return False
    if leaves is None:
        _give_up(work, id, "too-late", "quiet-hours")
    else:
        spread = work.spread(leaves)
        # Whoever is woken at the last instant comes too late.
        until = leaves if message.urgent or spread >= message.valid_until else spread
        work.follow(e.MessageDeferred(message=id, until=until, effect=None), "quiet-hours")
    return True


def leaves_at(message: Message, now: datetime, hours: Calendar) -> datetime | None:
    """When a message may leave in the hours of its recipient, from now on; None when that would be too late."""
    return when_to_send(now, hours, spares(message.to, message.urgent), message.valid_until)


def spares(to: str, urgent: bool) -> Spares:
    """What a message leaves alone: nobody but staff is woken, however urgent it is."""
    if not urgent:
        return Spares.REST
    return Spares.NIGHTS if to == PARTICIPANT else Spares.NOTHING


def hours_of(state: State, calendar: Calendar, to: str, zone: str | None = None) -> Calendar:
    """The hours of a recipient: the person's own where they live, everybody else's where they work.

    Args:
        zone: of staff, mentors or partners, once it is known that it is another than the programme's.
    """
    return in_zone(calendar, state.zone if to == PARTICIPANT else zone)


def why_not(state: State, message: Message, now: datetime) -> str | None:
    """Why a message must never leave any more: a code, or None. Checked when owed, when ready and when sent."""
    if now > message.valid_until:
        return "too-late"
    if message.to != PARTICIPANT:
        silenced = state.status is Status.CLOSED and state.silent and message.about.kind not in MONEY
        return "closed-silently" if silenced else _overtaken(state, message, now)
    return _not_to_the_person(state, now) or _overtaken(state, message, now)


def _not_to_the_person(state: State, now: datetime) -> str | None:
    if state.died_on is not None:
        return "died"
    if state.status is Status.CLOSED:
        return "closed"
    if state.opted_out:
        return "opted-out"
    if state.paused_until is not None and now < state.paused_until:
        return "paused"
    return "suspended" if state.status is Status.SUSPENDED else None


def _overtaken(state: State, message: Message, now: datetime) -> str | None:
    """Why nobody needs to be told any more: it is done, or stands at another time, of which is told by itself."""
    occurrence = str(message.data["occurrence"])
    match message.about.kind:
        case "milestone" if message.purpose == "reminder":
            id, day = occurrence.rsplit("/", 2)[0], occurrence.split("/")[-2]
            deadline = state.deadlines.get(id)
            if deadline is None:
                return "settled"
            if state.holds(deadline):
                return "suspended"
            return "moved" if due_of(deadline) != day else None
        case "appointment" if message.data["template"] in APPOINTMENT_AT_ITS_TIME:
            known = state.appointments[message.about.id]
            none_left = message.data["template"] == TIMES and not times_offered(state, message.about.id, now)
            if known.outcome is not None or none_left:
                return "settled"
            return "moved" if known.at.isoformat() != occurrence.rpartition("/")[2] else None
        case "appointment" if message.data["template"] == MISSED:
            chased = any(each.message == message.data["message"] for each in state.chases.values())
            return None if chased else "settled"
        case _:
            return "settled" if is_settled(state, message) else None


def brings_a_link(state: State, template: str, about: Subject, at: datetime) -> bool:
    """Whether a message has the link by which it is answered: of another hour only where others may be taken, since a
    link makes two of a short message, and to call is said in one.

    Args:
        at: when the message was owed, so that it has the same words however often it is asked for.
    """
    return template != CHANGED or bool(times_offered(state, about.id, at))


def due_of(deadline: Deadline) -> str:
    """When a deadline falls due, as the key of its reminders says it."""
    return deadline.day.isoformat() if deadline.day is not None else deadline.at.isoformat()


def ready(work: Deciding, id: str, at: datetime) -> None:
    """The quiet hours of a deferred message are over."""
    work.due(e.MessageReady(message=id), "message", at)
    hold_back(work, id)


def overtake(work: Deciding, template: str, about: Subject) -> None:
    """Suppress what still waits for its hour to say the same of something: it is said anew."""
    for id, message in list(work.state.messages.items()):
        if message.effect is None and (message.data["template"], message.about) == (template, about):
            _give_up(work, id, "moved", "message")


def silence(work: Deciding) -> None:
    """After a closing: suppress what still waits for its hour. What is on its way is settled by its outcome."""
    for id, message in list(work.state.messages.items()):
        reason = why_not(work.state, message, work.now)
        if message.effect is None and reason is not None:
            _give_up(work, id, reason, "closing")


def _give_up(work: Deciding, id: str, reason: str, rule: str) -> None:
    """It leaves no more. Of what may have left before nobody can say that it was not sent."""
    known = work.state.messages[id]
    if known.doubt:
        work.follow(e.MessageUnknown(message=id, effect=None), rule)
        return
    work.follow(e.MessageSuppressed(message=id, reason=reason), rule)
    if reason in UNREMINDED:
        _tell_of_a_summons(work, known)


def _tell_of_a_summons(work: Deciding, unsent: Message) -> None:
    """Nobody has told the person of a summons, or of its new time, or it goes by post, which may come too late: the
    referent is told, who may do it by voice."""
    known, template = work.state.appointments.get(unsent.about.id), unsent.data["template"]
    if template not in (SUMMONS_NEAR, CHANGED) or known is None or not known.summons:
        return
    if known.outcome is not None or known.at <= work.now:
        return
    occurrence = f"unreminded/{unsent.about.id}/{known.at.isoformat()}"
    if template == CHANGED:
        occurrence = f"{occurrence}/{unsent.data['message']}"
    owe(work, "notice", "referent", SUMMONS_UNREMINDED, unsent.about, occurrence, not_after=known.at)


def _owe_again(work: Deciding, known: Message, put_off: tuple[str, ...], until: datetime) -> None:
    """Some of several have a message: each of the others is owed it alone, as long as it is of use and may leave."""
    if why_not(work.state, known, work.now) is not None or not (work.state.is_open or known.about.kind in MONEY):
        return
    for person in put_off:
        message = id_of(work, str(known.data["occurrence"]), known.to, person)
        if _is_known(work, message):
            continue
        due = e.MessageDue.model_validate(
            {**known.data, "message": message, "at": work.now, "valid_until": known.valid_until, "person": person}
        )
        work.follow(due, "message")
        work.follow(e.MessageDeferred(message=message, until=until, effect=None, zone=known.zone), "quiet-hours")


def late_after(work: Deciding) -> timedelta:
    """How long after its moment a message may still leave."""
    length = work.book.programme.clock.late_message
    if length.unit.counts_instants:
        return elapsed(length)
    return work.book.calendar.add(work.today, length) - work.today


def take_reminder(work: Deciding, deadline_id: str, at: datetime) -> None:
    """The moment of a deadline's reminder has come."""
    deadline = work.state.deadlines[deadline_id]
    planned = deadline.next_reminder
    assert planned is not None
    index = deadline.reminded
    work.due(e.ReminderTaken(deadline=deadline_id, index=index), "reminder", at)
    rule = work.book.milestone(deadline.milestone).remind[planned.rule]
    owe(
        work, "reminder", rule.to, rule.template, Subject(kind="milestone", id=deadline.milestone),
        f"{deadline_id}/{due_of(deadline)}/{planned.rule}", at=at, not_after=deadline.at,
    )  # fmt: skip


def said(work: Deciding, body: c.RecordReceipt) -> None:
    """What a channel says later of a message that left, or may have left. Said again, it changes nothing."""
    waiting = work.state.messages.get(body.id)
    if body.id not in work.state.left and (waiting is None or (waiting.effect is None and not waiting.doubt)):
        raise Refusal("unknown-message", id=body.id)
    match body.said:
        case "silent":
            _silent(work, body.id)
        case "delivered" | "bounced" if work.state.left.get(body.id) in (body.said, "delivered"):
            # What has arrived stays so, whatever is told late of an earlier attempt.
            return
        case "delivered":
            work.fact(e.MessageDelivered(message=body.id))
        case "bounced":
            work.fact(e.MessageBounced(message=body.id, reason=body.reason or "unknown"))
        case _:
            raise Refusal("unknown-receipt-kind", said=body.said)


def _silent(work: Deciding, id: str) -> None:
    """Nothing was said for too long: once a message, only while somebody can do something about it, and not where the
    person has acted since."""
    since = list(work.state.left)[work.state.acted_after :]
    if work.state.is_open and id in work.state.to_person and id in since and work.state.left[id] is None:
        work.fact(e.MessageSilent(message=id))


def delivered(
    work: Deciding, effect: int, id: str, answer: str, reason: str, until: datetime | None,
    wording: str | None = None, zone: str | None = None, channels: Channels = NOTHING_FOUND,
    put_off: tuple[str, ...] = (),
) -> None:  # fmt: skip
    """What the channel answered. Unknown is shown, never sent again; so is what may have left and is given up."""
    known = work.state.messages.get(id)
    if answer in ("suppressed", "failed") and known is not None and known.doubt:
        answer = "unknown"
    match answer:
        case "sent":
            sent = e.MessageSent(
                message=id, channel=reason, effect=effect, wording=wording, dead=channels.dead,
                dead_by=channels.dead_by, news=channels.news if channels.by else (), mended=channels.mended,
                by=channels.by,
            )  # fmt: skip
            work.due(sent, "message", work.now)
            if known is not None and until is not None:
                _owe_again(work, known, put_off, until)
        case "deferred" | "perhaps" if until is not None:
            doubt = answer == "perhaps"
            deferred = e.MessageDeferred(message=id, until=until, effect=effect, doubt=doubt, zone=zone)
            work.due(deferred, "quiet-hours", work.now)
        case "suppressed" if reason == "suspended" and work.state.is_open and work.state.status is not Status.SUSPENDED:
            # Judged before the journey was resumed: it is judged anew.
            work.due(e.MessageDeferred(message=id, until=work.now, effect=effect), "message", work.now)
        case "suppressed":
            work.due(e.MessageSuppressed(message=id, reason=reason, effect=effect), "message", work.now)
        case "failed":
            work.due(e.MessageFailed(message=id, reason=reason, effect=effect), "message", work.now)
        case _:
            work.due(e.MessageUnknown(message=id, effect=effect, wording=wording), "message", work.now)
    unsaid = answer == "failed" or (answer == "suppressed" and reason in UNREMINDED)
    if known is not None and (unsaid or (answer == "sent" and reason == "letter" and _may_come_too_late(work, known))):
        _tell_of_a_summons(work, known)


def _may_come_too_late(work: Deciding, posted: Message) -> bool:
    """Whether the hour of the appointment that a letter tells of is nearer than the post may take."""
    known = work.state.appointments.get(posted.about.id)
    return known is not None and known.at - work.now < BY_POST
