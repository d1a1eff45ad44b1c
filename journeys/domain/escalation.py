"""Ladders: raising, climbing, holding, ending. An escalation always has someone to go to."""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.calendar import Calendar, in_zone
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.events import Subject
from journeys.domain.messages import MONEY
from journeys.domain.moments import Duration, Unit, elapsed
from journeys.domain.programme import Ladder, Roll
from journeys.domain.rights import line_of
from journeys.domain.sending import SPREAD, Spares, first_free, next_digest, spread
from journeys.domain.state import Escalation, State

ON_TIME = timedelta(minutes=15)

NO_TIME: Final = timedelta(0)

DIGEST_LEAVES = timedelta(minutes=5)
"""So long after the hour of a digest its journeys begin to ask what came of it, each at its own moment of as long."""

TO_ACT = timedelta(hours=1)
"""A step that goes on sooner than this after the digest is told by itself: who has the letter must be able to act."""


def open_about(work: Deciding, about: Subject) -> str | None:
    """The open escalation about something."""
    return next((id for id, known in work.state.escalations.items() if known.about == about), None)


def raise_about(
    work: Deciding,
    ladder: str | None,
    about: Subject,
    *,
    held: bool = True,
    rule: str = "ladder",
    to: str | None = None,
) -> None:
    """Raise an escalation; what is missed again joins the one that is open.

    `to` is told before whoever the ladder's first step names, who stands in where nobody holds that role.
    """
    if open_about(work, about) is not None:
        return
    name, steps = work.book.ladder(ladder)
    first = steps.steps[0]
    others = first.fallback if to in (None, first.to) else (first.to, *first.fallback)
    id = work.id_for(f"escalation/{about.kind}/{about.id}/{work.state.seq + 1}")
    work.follow(
        e.EscalationRaised(
            escalation=id,
            ladder=name,
            about=about,
            to=to or first.to,
            fallback=others,
            urgent=steps.urgent,
            money=about.kind in MONEY,
            held=held and about.kind not in MONEY,
            next_at=_after_step(work, steps, 0, work.now, 0),
        ),
        rule,
    )
    _not_at_once(work, id)


def _not_at_once(work: Deciding, id: str) -> None:
    """The fact is immediate. What is not urgent is told with the next digest where that is in time, and never in quiet
    hours nor on days of rest."""
    known = work.state.escalations[id]
    calendar = in_zone(work.book.calendar, known.zone)
    digest = _digest(work, known, calendar)
    if digest is not None:
        _defer(work, id, spread(digest + DIGEST_LEAVES, DIGEST_LEAVES, work.stream), digest)
        return
    until = first_free(work.now, calendar, Spares.NOTHING if known.urgent else Spares.REST)
    if until > work.now:
        _defer(work, id, work.spread(until), None)


def _defer(work: Deciding, id: str, until: datetime, digest: datetime | None) -> None:
    deferred = e.EscalationDeferred(
        escalation=id, step=work.state.escalations[id].step, until=until, effect=work.state.seq, digest=digest,
        zone=work.state.escalations[id].zone,
    )  # fmt: skip
    work.follow(deferred, "quiet-hours" if digest is None else "digest")


def _digest(work: Deciding, known: Escalation, calendar: Calendar) -> datetime | None:
    """The digest that tells a step; None where none does, or the step goes on before anybody could act on it."""
    digest = next_digest(work.now, calendar) if _with_digest(work, known) else None
    goes_on = known.next_at
    return None if digest is None or (goes_on is not None and goes_on < digest + TO_ACT) else digest


def _with_digest(work: Deciding, known: Escalation) -> bool:
    """Whether a step is told with what else waits for its recipient; volunteers have a letter about each matter."""
    return not known.urgent and (known.assigned is not None or line_of(known.to, work.book.programme) != "mentor")


def in_hand(state: State, known: Escalation, told_at: datetime, now: datetime) -> bool:
    """Whether somebody had a step in hand before it was to be told, and still has; a suspension holds their time."""
    return known.held_since is not None and known.held_since < told_at and _has_it(state, known, now)


def _has_it(state: State, known: Escalation, now: datetime) -> bool:
    """Whether who took an alert in charge, or put it off, has it still."""
    until = known.in_hand_until if known.acknowledged or known.snoozed else None
    return until is not None and (until > now or state.holds(known))


def tell_now(work: Deciding, id: str, at: datetime) -> None:
    """The morning has come, or the hour of the digest: whoever is responsible now is told.

    What somebody had in hand before is left out: that waits for the end of their time, and is told then where it does
    not climb; where a suspension holds that, it is looked at when the suspension is.
    """
    known = work.state.escalations[id]
    work.due(e.EscalationReady(escalation=id, step=known.step), "quiet-hours" if known.digest is None else "digest", at)
    if in_hand(work.state, known, known.digest or at, work.now):
        theirs = known.in_hand_until
        ends = theirs if theirs is not None and theirs > work.now else None
        _defer(work, id, ends or next_review(work, work.book.programme.suspension_review), None)
        return
    if (known.digest is None and known.held_since is not None) or (
        first_free(work.now, in_zone(work.book.calendar, known.zone), Spares.NOTHING if known.urgent else Spares.REST)
        > work.now
    ):
        _not_at_once(work, id)


def resolve_about(work: Deciding, about: Subject, how: str) -> None:
    """End the escalation about something that has been settled."""
    id = open_about(work, about)
    if id is not None:
        work.follow(e.EscalationResolved(escalation=id, how=how), "settled")


def climb(work: Deciding, id: str, at: datetime | None = None) -> None:
    """Go on to the next step, or repeat the last one; `at` is the due taken, None when nobody could be told."""
    known = work.state.escalations[id]
    _, ladder = work.book.ladder(known.ladder)
    last = len(ladder.steps) - 1
    step, repeat = (known.step + 1, 0) if known.step < last else (last, known.repeat + 1)
    target = ladder.steps[step]
    event = e.EscalationClimbed(
        escalation=id, step=step, repeat=repeat, to=target.to, fallback=target.fallback,
        next_at=_next_after_climb(work, known, ladder, step, repeat, at),
    )  # fmt: skip
    if at is not None:
        work.due(event, f"ladder/{known.ladder}", at)
    else:
        work.follow(event, f"ladder/{known.ladder}/nobody-told")
    _not_at_once(work, id)


def _next_after_climb(
    work: Deciding, known: Escalation, ladder: Ladder, step: int, repeat: int, at: datetime | None
) -> datetime | None:
    """Steps are counted from the raising while the ladder climbs on time, from now after a delay."""
    nominal = _step_at(work, ladder, known.raised_at, ladder.steps[step].after)
    if at is not None and abs(at - nominal) <= SPREAD and work.now - at <= ON_TIME:
        return _after_step(work, ladder, step, known.raised_at, repeat)
    if step == len(ladder.steps) - 1:
        return _after_step(work, ladder, step, work.now, repeat)
    return _step_at(work, ladder, work.now, _between(ladder.steps[step].after, ladder.steps[step + 1].after))


def _between(step: Duration, following: Duration) -> Duration:
    """How long a step has before the next one; all of its length where the two count in different units."""
    if step.unit is not following.unit:
        return following
    return Duration(max(following.amount - step.amount, 0), following.unit)


def _after_step(work: Deciding, ladder: Ladder, step: int, raised_at: datetime, repeat: int) -> datetime | None:
    """When a step gives way: to the next one, to its repetition, or never (spent: told again at each review)."""
    if step + 1 < len(ladder.steps):
        return _step_at(work, ladder, raised_at, ladder.steps[step + 1].after)
    last = ladder.steps[step]
    if last.repeat is None or repeat >= last.times:
        return None if work.state.is_open else next_review(work, work.book.programme.review)
    return _step_at(work, ladder, work.now, last.repeat)


def next_review(work: Deciding, interval: Duration) -> datetime:
    """When a journey is looked at again."""
    return work.spread(work.book.calendar.term_end(work.now, interval, work.book.calendar.clock.opens))


def told_after_closing(work: Deciding) -> dict[str, datetime]:
    """A closed journey has no review: its spent escalations about money are told again at that interval."""
    review = next_review(work, work.book.programme.review)
    return {
        id: review
        for id, known in work.state.escalations.items()
        if known.spent and known.money and known.about.kind != "grant"
    }


def _step_at(work: Deciding, ladder: Ladder, begun: datetime, length: Duration) -> datetime:
    """Hours count in opening time unless urgent; days end when the office opens.

    The opening is one instant for thousands of journeys: where their programme spreads what can be spread, each goes on
    at its own moment of the minutes after.
    """
    if length.unit.counts_instants and not ladder.urgent and length.amount:
        return _open_for(work, begun, elapsed(length))
    return work.term_end(begun, length, ends_at=work.book.calendar.clock.opens)


def _open_for(work: Deciding, begun: datetime, length: timedelta) -> datetime:
    """When the office has been open for so long."""
    calendar = work.book.calendar
    opens = calendar.after_office_time(begun, NO_TIME)
    return calendar.after_office_time(begun if opens == begun else work.spread(opens, SPREAD), length)


# --- suspensions


class _Moved(NamedTuple):
    """When a step goes on; when it would if nobody had it in hand; until when somebody has."""

    next_at: datetime
    planned: datetime
    until: datetime | None


def after_suspension(work: Deciding) -> tuple[dict[str, datetime], tuple[e.MovedHold, ...]]:
    """When each ladder goes on that the suspension held; and the rest about those that somebody took in hand."""
    moved = {
        id: _if_resumed(work, known, known.planned)
        for id, known in work.state.escalations.items()
        if known.held and known.planned is not None
    }
    taken = [id for id in moved if work.state.escalations[id].planned_at is not None]
    return (
        {id: each.next_at for id, each in moved.items()},
        tuple(e.MovedHold(id, moved[id].planned, moved[id].until) for id in taken),
    )


def _if_resumed(work: Deciding, known: Escalation, planned: datetime) -> _Moved:
    """Where a step lies if the suspension ends now: what was left of it is counted in its own unit, as it was when the
    step was planned, and so is the time for which somebody has it. What was put off beyond its plan before has nothing
    left of that: the plan stays, and with it the bound of what may be put off."""
    suspended = work.state.suspended
    assert suspended is not None
    _, ladder = work.book.ladder(known.ladder)
    begun = max(suspended.at, _counted_from(known))
    moved = _goes_on(work, ladder, known, begun, planned) if planned > begun else planned
    ends = known.in_hand_until
    if known.planned_at is None or ends is None:
        return _Moved(moved, moved, None)
    until = _has_until(work, ladder, known, max(suspended.at, known.held_since or known.raised_at), ends)
    return _Moved(max(moved, until) if ends >= planned else moved, moved, until if known.held_until else None)


def _counted_from(known: Escalation) -> datetime:
    """From when what is planned counts; in states carried over from older code that is the hold itself, as it was all
    that was planned."""
    carried = known.held_since if known.planned_at is None else None
    return carried or known.since or known.raised_at


def _goes_on(work: Deciding, ladder: Ladder, known: Escalation, begun: datetime, at: datetime) -> datetime:
    steps, following = ladder.steps, known.step + 1
    length = steps[following].after if following < len(steps) else steps[-1].repeat
    unit = length.unit if length is not None else Unit.WORKING_DAY
    if not unit.counts_instants:
        return _as_many_days(work, unit, begun, at)
    if ladder.urgent:
        return work.now + max(at - begun, NO_TIME)
    return _open_for(work, work.now, work.book.calendar.office_time(begun, at))


def _has_until(work: Deciding, ladder: Ladder, known: Escalation, begun: datetime, at: datetime) -> datetime:
    bound = ladder.snoozed_for if known.snoozed else ladder.acknowledged_for
    if not bound.unit.counts_instants:
        return _as_many_days(work, Unit.DAY if known.urgent else Unit.WORKING_DAY, begun, at)
    end = work.now + max(at - begun, NO_TIME)
    return end if known.urgent else work.book.calendar.after_office_time(end, NO_TIME)


def _as_many_days(work: Deciding, unit: Unit, begun: datetime, at: datetime) -> datetime:
    """The morning as many days from now as `at` is from `begun`; the next one where that has passed."""
    calendar = work.book.calendar
    if unit is Unit.WORKING_DAY:
        count = calendar.working_days(calendar.first_day(begun), calendar.day(at))
    else:
        unit, count = Unit.DAY, max((calendar.day(at) - calendar.day(begun)).days, 0)
    ends = [work.term_end(work.now, Duration(each, unit), calendar.clock.opens) for each in (count, 1)]
    return ends[0] if ends[0] > work.now else ends[1]


def tell_again_if_spent(work: Deciding) -> bool:
    """At a review: tell again every escalation whose ladder is spent. True when there was one.

    Not what somebody is just being told of: after an outage the last repeat and a review may fall due together.
    """
    spent = [id for id, known in work.state.escalations.items() if known.spent]
    telling = {effect.id for effect in work.state.effects.values() if effect.kind == "tell"}
    for id in (each for each in spent if each not in telling and work.state.escalations[each].tell_at is None):
        known = work.state.escalations[id]
        work.follow(
            e.EscalationClimbed(
                escalation=id,
                step=known.step,
                repeat=known.repeat + 1,
                to=known.to,
                fallback=(),
                next_at=None,
            ),
            "review",
        )
        _not_at_once(work, id)
    return bool(spent)


# --- commands


def acknowledge(work: Deciding, body: c.AcknowledgeEscalation) -> None:
    """Take it in charge within its bound, which counts from now; no step comes sooner for it."""
    known = _open(work, body.escalation)
    _, ladder = work.book.ladder(known.ladder)
    bound = _bound(work, known, work.now, ladder.acknowledged_for)
    until = bound if body.until is None else _morning(work, known, body.until)
    if until > bound:
        raise Refusal("acknowledged-too-long", until=work.book.calendar.day(bound).isoformat())
    if until <= work.now:
        raise Refusal("in-the-past", field="until")
    work.fact(e.EscalationAcknowledged(escalation=body.escalation, until=until, next_at=_later(known, until)))


def reassign(work: Deciding, body: c.ReassignEscalation) -> None:
    _open(work, body.escalation)
    work.fact(e.EscalationReassigned(escalation=body.escalation, to=body.to))
    _not_at_once(work, body.escalation)


def snooze(work: Deciding, body: c.SnoozeEscalation) -> None:
    """Put a step off within its bound, which counts from when the step was planned to go on, however often it is put
    off; no step comes sooner for it."""
    known = _open(work, body.escalation)
    _, ladder = work.book.ladder(known.ladder)
    calendar = work.book.calendar
    planned = known.planned
    if planned is None:
        raise Refusal("nothing-to-snooze")
    if work.state.holds(known):
        planned = _if_resumed(work, known, planned).planned
    if known.urgent and known.step == len(ladder.steps) - 1:
        raise Refusal("urgent-last-resort")
    bound = _bound(work, known, planned, ladder.snoozed_for)
    until = _morning(work, known, body.until)
    if until > bound:
        raise Refusal("snoozed-too-long", until=calendar.day(bound).isoformat())
    if until <= work.now:
        raise Refusal("in-the-past", field="until")
    work.fact(e.EscalationSnoozed(escalation=body.escalation, until=until, next_at=_later(known, until)))


def resolve(work: Deciding, body: c.ResolveEscalation) -> None:
    _open(work, body.escalation)
    work.fact(e.EscalationResolved(escalation=body.escalation, how="by-hand"))


def _bound(work: Deciding, known: Escalation, begun: datetime, length: Duration) -> datetime:
    """Until when somebody may have a step in hand; days end on a morning of work."""
    end = work.book.calendar.term_end(begun, length, ends_at=work.book.calendar.clock.opens)
    return end if length.unit.counts_instants else _morning(work, known, work.book.calendar.day(end))


def _later(known: Escalation, until: datetime) -> datetime | None:
    """When the step was planned to go on, where that is later than somebody has it in hand."""
    return known.planned if known.planned is not None and known.planned > until else None


def _morning(work: Deciding, known: Escalation, day: date) -> datetime:
    """When the office opens on a day, or on the next on which it does; what is urgent goes on on any day."""
    calendar = work.book.calendar
    return calendar.opening(day if known.urgent else calendar.roll(day, Roll.FORWARD))


def _open(work: Deciding, id: str) -> Escalation:
    known = work.state.escalations.get(id)
    if known is None:
        raise Refusal("unknown-escalation", id=id)
    return known


# --- outcomes of telling


def told(work: Deciding, effect: int, id: str, who: tuple[str, ...], role: str) -> None:
    step = work.state.effects[effect].data["step"]
    work.due(e.EscalationTold(escalation=id, step=step, told=who, role=role, effect=effect), "told", work.now)


def told_later(work: Deciding, effect: int, id: str, zone: str | None = None) -> None:
    """The digest of its recipient had left before, or it is night there: it is told with the next one, or when day has
    come, unless it has moved on meanwhile.

    Args:
        zone: where the recipients work, where that is not the programme's.
    """
    known, telling = work.state.escalations.get(id), work.state.effects[effect].data
    if known is None or not known.awaits(telling):
        untold(work, effect, id, "overtaken")
        return
    calendar = in_zone(work.book.calendar, zone)
    digest = _digest(work, known, calendar)
    until = first_free(work.now + DIGEST_LEAVES, calendar, Spares.REST) if digest is None else spread(
        digest + DIGEST_LEAVES, DIGEST_LEAVES, work.stream
    )  # fmt: skip
    deferred = e.EscalationDeferred(
        escalation=id, step=known.step, until=until, effect=effect, digest=digest, zone=zone
    )
    work.due(deferred, "quiet-hours" if digest is None else "digest", work.now)


def came_back(work: Deciding, id: str) -> None:
    """The mail by which everybody was told of a step came back: it is told again, now to whoever is next.

    Nothing where somebody has it in hand, or it has moved on meanwhile.
    """
    known = work.state.escalations.get(id)
    if known is None or _has_it(work.state, known, work.now) or not known.told:
        return
    work.fact(e.EscalationReady(escalation=id, step=known.step, returned=True))
    calendar = in_zone(work.book.calendar, known.zone)
    until = first_free(work.now, calendar, Spares.NOTHING if known.urgent else Spares.REST)
    if until > work.now:
        _defer(work, id, work.spread(until), None)


def untold(work: Deciding, effect: int, id: str, reason: str) -> None:
    """Nobody could be told: climb at once, unless it has climbed or was handed on meanwhile, somebody has it in hand,
    or the last resort was just tried."""
    known, telling = work.state.escalations.get(id), work.state.effects[effect].data
    work.due(e.EscalationUntold(escalation=id, step=telling["step"], reason=reason, effect=effect), "told", work.now)
    if known is None or not known.awaits(telling) or _has_it(work.state, known, work.now):
        return
    _, ladder = work.book.ladder(known.ladder)
    if known.step < len(ladder.steps) - 1:
        climb(work, id)
