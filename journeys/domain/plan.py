"""What the calendar of a programme calls for: due dates of milestones, and every other planned moment.

Pure functions of what is known. The decider records the difference to what was recorded before, so that the
agenda reads instants and computes no dates.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from journeys.domain import events as e
from journeys.domain.calendar import ONE_DAY, Calendar
from journeys.domain.evolve import is_only_recorded
from journeys.domain.handbook import Handbook
from journeys.domain.moments import Anchor, AnchorKind, Duration, Moment, Side, Stretch, Unit, elapsed, parse_moment
from journeys.domain.programme import Milestone, Programme, Roll
from journeys.domain.record import Payload
from journeys.domain.state import GrantStatus, State

_MOVE_NO_PLAN: Final[frozenset[type[Payload]]] = frozenset({
    e.ReviewPlanned, e.ReviewDue, e.ReferentAssigned, e.TransferAsked, e.TransferReminded, e.JourneyTransferred,
    e.TransferDeclined, e.TransferCancelled, e.ReminderTaken, e.EvidenceAdded,
    e.MessageDue, e.MessageDeferred, e.MessageReady, e.MessageSent, e.MessageFailed, e.MessageSuppressed,
    e.MessageUnknown, e.MessageDelivered, e.MessageBounced, e.MessageSilent,
    e.AppointmentBooked, e.AppointmentMoved, e.AppointmentAnswered, e.AppointmentReminded, e.AppointmentAsked,
    e.AppointmentAttended, e.AppointmentMissed, e.AppointmentExcused, e.AppointmentCancelled, e.AppointmentCorrected,
    e.ChaseDue, e.ChaseDone, e.ChasePassed, e.ChaseCancelled,
    e.EscalationRaised, e.EscalationClimbed, e.EscalationAcknowledged, e.EscalationSnoozed, e.EscalationReassigned,
    e.EscalationDeferred,
    e.EscalationReady, e.EscalationResolved, e.EscalationTold, e.EscalationUntold,
    e.GrantRequested, e.GrantReturned, e.GrantApprovalGiven,
    e.PaymentInstructed, e.PaymentHeld, e.PaymentReleased, e.PaymentEnquired, e.PaymentLookedUp, e.PaymentAccepted,
    e.PaymentUnknown, e.PaymentDoubted, e.PaymentDoubtSettled, e.PaymentSettled, e.PaymentSettledByHand,
    e.ReceiptDue, e.ReceiptOverdue, e.ReceiptSubmitted, e.ReceiptUnanswered, e.ReceiptRefused, e.ReceiptPartAccepted,
    e.ReceiptAccepted,
    e.ReceiptWaived,
    e.MentorProposed, e.MentorDeclined, e.MentorProposalCancelled,
    e.ReferralSent, e.ReferralAccepted, e.ReferralDeclined, e.ReferralExpired, e.ReferralCancelled,
    e.ConsentGiven, e.ConsentWithdrawn, e.MessagesPaused, e.MessagesResumed, e.OptedOut, e.OptedIn, e.WishesRecorded,
    e.PersonDied, e.ErasureRequested,
    e.ContactDue, e.OutcomeMeasured,
})  # fmt: skip
"""Facts after which every plan is what it was before: nothing here reads what they change. The last two take from the
planned moments the one that has come, themselves."""


EVERY: Final = ""
VALUES: Final = "milestone/"
INSTALMENTS: Final = "instalment/"
OPENINGS: Final = "contact/"
"""How the keys of planned moments begin: of all of them, of values kept, of what is paid, of windows that open."""

SPREADS: Final = ("date/", VALUES, OPENINGS)
"""How the keys begin of moments of which nobody counts the minutes: that a date was not confirmed, a value kept, that a
window opens."""

_MOVE_INSTALMENTS: Final[frozenset[type[Payload]]] = frozenset({
    e.GrantChanged, e.GrantReopened, e.GrantApproved, e.GrantRefused, e.GrantExpired, e.GrantCancelled,
    e.GrantCompleted, e.GrantEnded,
    e.PaymentReserved, e.PaymentBlocked, e.PaymentRetried, e.PaymentRejected, e.PaymentCancelled, e.PaymentReturned,
})  # fmt: skip
"""Facts about money: nothing but what is paid next hangs on them."""


def moved_by(data: Payload, programme: Programme) -> str | None:
    """How the keys of planned moments begin that this fact may move; EVERY: deadlines too; None: no plan at all."""
    if type(data) in _MOVE_NO_PLAN or is_only_recorded(data):
        return None
    if type(data) in _MOVE_INSTALMENTS:
        return INSTALMENTS
    match data:
        case e.ContactMade(contact=code) | e.ContactMissed(contact=code):
            return opening(code)
        case e.SituationChanged():
            return VALUES
        # Instalments of a grant may hang on any milestone: they are planned by the rules of when it was asked for.
        case e.MilestoneReached(milestone=code) if code not in programme.awaited:
            return INSTALMENTS
        case e.DeadlineMet(deadline=id) | e.DeadlineMissed(deadline=id) if not _is_counted_from(id, programme):
            return INSTALMENTS
        case _:
            return EVERY


def _is_counted_from(deadline: str, programme: Programme) -> bool:
    return deadline.rpartition("/")[0] in programme.counted_from_due


class Anchored(NamedTuple):
    """An anchor resolved: its local day, the instant told of it, and the date that must still happen."""

    day: date
    told: datetime | None = None
    awaits: str | None = None

    def at(self, calendar: Calendar) -> datetime:
        """What hours are counted from: the instant told when it lies on that day, else the opening hour."""
        told = self.told
        return told if told is not None and calendar.day(told) == self.day else calendar.opening(self.day)


class Due(NamedTuple):
    """When a milestone falls due. `day` is None for a term that counts hours."""

    at: datetime
    day: date | None
    awaits: str | None


class Window(NamedTuple):
    """One window of a contact grid: from the opening hour of a day to the closing hour of another."""

    number: int
    opens: datetime
    closes: datetime


# --- anchors


def anchor_of(state: State, book: Handbook, anchor: Anchor) -> Anchored | None:
    """Where an anchor lies in time, or None while nobody can know."""
    match anchor.kind:
        case AnchorKind.START if state.start is not None and state.started_at is not None:
            return Anchored(state.start, state.started_at)
        case AnchorKind.DATE:
            known = state.dates.get(anchor.name)
            if known is None or known.cancelled:
                return None
            if known.happened and known.at is not None:
                return Anchored(known.on, known.at)
            return Anchored(known.on, None, anchor.name)
        case AnchorKind.PHASE if anchor.name in state.phases:
            entered = state.phases[anchor.name]
            return Anchored(entered.entered, entered.at)
        case AnchorKind.MILESTONE_REACHED:
            reached = state.milestones.get(anchor.name)
            if reached is None or reached.settled != "reached" or reached.on is None or reached.at is None:
                return None
            return Anchored(reached.on, reached.at)
        case AnchorKind.MILESTONE_DUE:
            known_due = state.milestones.get(anchor.name)
            if known_due is None or known_due.due is None:
                return None
            deadline = state.deadlines.get(f"{anchor.name}/{known_due.number}")
            awaits = deadline.awaits if deadline is not None and not _has_happened(state, deadline.awaits) else None
            return Anchored(book.calendar.day(known_due.due), known_due.due, awaits)
        case _:
            return None


def _has_happened(state: State, date: str | None) -> bool:
    return date is not None and date in state.dates and state.dates[date].happened


# --- suspensions


def lost_days(state: State, since: date, due: date) -> int:
    """The suspended days between an anchor and a due that they push out."""
    lost = 0
    for suspension in state.suspensions:
        if suspension.until_day is None:
            continue
        begins = max(suspension.since, since)
        if begins <= due + lost * ONE_DAY and suspension.until_day > begins:
            lost += (suspension.until_day - begins).days
    return lost


def _pushed(state: State, since: date, due: date) -> date:
    return due + lost_days(state, since, due) * ONE_DAY if state.suspensions else due


# --- due dates of milestones


def plan(state: State, book: Handbook) -> dict[str, Due]:
    """The nominal due of each unsettled milestone whose phase has begun and whose needs are met."""
    due: dict[str, Due] = {}
    for code, milestone in book.programme.milestones.items():
        if state.settled(code) or not _gate_is_open(state, milestone):
            continue
        found = _due_of(state, book, code, milestone)
        if found is not None:
            due[code] = found
    return due


def _gate_is_open(state: State, milestone: Milestone) -> bool:
    for need in milestone.needs:
        if not state.settled(need):
            return False
    if milestone.phase is None:
        return True
    phase = state.phases.get(milestone.phase)
    return phase is not None and (milestone.required or not phase.completed)


def _due_of(state: State, book: Handbook, code: str, milestone: Milestone) -> Due | None:
    known = state.milestones.get(code)
    if known is not None and known.rescheduled is not None:
        return Due(book.calendar.closing(known.rescheduled), known.rescheduled, None)
    if milestone.due is None:
        return None
    shifts = not state.suspensions or is_shifted(book, milestone)
    return moment_due(state, book, milestone.due, milestone.roll, shifts=shifts)


def is_shifted(book: Handbook, milestone: Milestone) -> bool:
    """Whether a suspension shifts its deadline: not a fixed date, a term of law, or what hangs on a cohort's date."""
    anchor = milestone.due.anchor if milestone.due is not None else None
    rule = book.programme.dates.get(anchor.name) if anchor is not None and anchor.kind is AnchorKind.DATE else None
    return milestone.shifted_by_suspension and not (rule is not None and rule.shared)


def moment_due(
    state: State, book: Handbook, moment: Moment, roll: Roll = Roll.NONE, *, shifts: bool = True
) -> Due | None:
    """A moment as a due: the closing hour of its day, or an instant for hours. None while its anchor is unknown."""
    anchor = anchor_of(state, book, moment.anchor)
    if anchor is None:
        return None
    calendar, day, side = book.calendar, anchor.day, moment.side
    after = side is not Side.BEFORE
    awaits = anchor.awaits if after else None
    if side is not Side.AT:
        if moment.offset.unit.counts_instants:
            return _due_in_hours(state, calendar, anchor, moment, awaits, shifts=shifts)
        day = calendar.add(day, moment.offset, 1 if after else -1)
    if after and shifts:
        day = _pushed(state, anchor.day, day)
    day = calendar.roll(day, roll)
    return Due(calendar.closing(day), day, awaits)


def _due_in_hours(
    state: State, calendar: Calendar, anchor: Anchored, moment: Moment, awaits: str | None, *, shifts: bool
) -> Due:
    if moment.side is Side.BEFORE:
        return Due(anchor.at(calendar) - elapsed(moment.offset), None, awaits)
    at = anchor.at(calendar) + elapsed(moment.offset)
    lost = lost_days(state, anchor.day, calendar.day(at)) if shifts else 0
    return Due(at + lost * ONE_DAY, None, awaits)


# --- every other planned moment


def moments(state: State, book: Handbook, now: datetime, of: Collection[str] = (EVERY,)) -> dict[str, datetime]:
    """Every instant besides deadlines that the programme plans, by key: `phase/project/leave`, `measure/housed/2`.

    `of`: how the keys begin that are looked at, as `moved_by` told; others may be left out.
    """
    every, planned = EVERY in of, dict[str, datetime]()
    if every:
        planned.update(_measures(state, book))
    if every or INSTALMENTS in of:
        planned.update(_instalments(state, book, now))
    if not state.is_open:
        return planned
    if every:
        planned.update(_date_confirmations(state, book))
    if state.suspended is not None:
        held = {
            key: at for key, at in state.moments.items() if not key.startswith(("date/", "measure/", "instalment/"))
        }
        return planned | held  # what a suspension holds is planned anew when it ends
    if every:
        planned.update(_phases(state, book))
        planned.update(_end(state, book))
    planned.update(_contact_openings(state, book, now, None if every else of))
    if every or VALUES in of:
        planned.update(_values_kept(state, book))
    return planned


Planned = Iterator[tuple[str, datetime]]


def _date_confirmations(state: State, book: Handbook) -> Planned:
    for name, known in state.dates.items():
        if known.open and not known.unconfirmed:
            within = book.programme.dates[name].confirm_within
            if within.unit.counts_instants:
                yield f"date/{name}/confirm", book.calendar.opening(known.on) + elapsed(within)
            else:
                yield f"date/{name}/confirm", book.calendar.closing(book.calendar.add(known.on, within))


def _happening(state: State, book: Handbook, moment: Moment) -> datetime | None:
    """The first instant of a moment's day (or its instant), once its anchor has happened."""
    due = moment_due(state, book, moment)
    if due is None or due.awaits is not None:
        return None
    return due.at if due.day is None else book.calendar.midnight(due.day)


def _phases(state: State, book: Handbook) -> Planned:
    for code, phase in book.programme.phases.items():
        known = state.phases.get(code)
        if known is None:
            at = _happening(state, book, phase.enter) if phase.enter else None
            if at is not None:
                yield f"phase/{code}/enter", at
        elif not known.completed and phase.leave is not None:
            at = _happening(state, book, phase.leave)
            if at is not None:
                yield f"phase/{code}/leave", at


def _measures(state: State, book: Handbook) -> Planned:
    if state.erasing:
        return
    for code, measure in book.programme.measures.items():
        for number in range(1, len(measure.at) + 1):
            if f"{code}/{number}" in state.measured:
                continue
            day = measured_day(state, book, code, number)
            if day is None:
                continue
            if state.closed_on is not None and day > state.closed_on:
                continue
            if state.watch_from is not None and day < book.calendar.day(state.watch_from):
                continue
            settled = book.calendar.add(day, measure.settle) if not measure.settle.unit.counts_instants else day
            yield f"measure/{code}/{number}", book.calendar.closing(settled)


def measured_day(state: State, book: Handbook, measure: str, number: int) -> date | None:
    """The day that the n-th measurement of a measure looks at, once its anchor has happened."""
    rule = book.programme.measures.get(measure)
    if rule is None or number > len(rule.at):
        return None  # Of rules that are no longer in force.
    due = moment_due(state, book, rule.at[number - 1])
    if due is None or due.awaits is not None:
        return None
    return due.day or book.calendar.day(due.at)


def _values_kept(state: State, book: Handbook) -> Planned:
    for code, milestone, situation in book.programme.on_situations:
        if state.settled(code):
            continue
        since = good_since(state, situation, milestone.good)
        if since is not None:
            kept = milestone.kept or Duration(0, Unit.DAY)
            yield f"milestone/{code}/kept", book.calendar.opening(book.calendar.add(since, kept))


def good_since(state: State, situation: str, good: tuple[str, ...]) -> date | None:
    """Since when the situation has had, without a break until now, one of the good values."""
    since = None
    for value in reversed(state.situations.get(situation, ())):
        if value.value not in good:
            break
        since = value.since
    return since


def _end(state: State, book: Handbook) -> Planned:
    if book.programme.ends is not None and not state.closing_wanted:
        due = moment_due(state, book, book.programme.ends)
        if due is not None and due.awaits is None:
            yield "ends", due.at


def _instalments(state: State, book: Handbook, now: datetime) -> Planned:
    """The next instalment of each approved grant: on its day, or at once; those called for again, at once."""
    for grant_id, grant in state.grants.items():
        if grant.status is not GrantStatus.APPROVED or grant.over:
            continue
        for number in (*grant.again, grant.paid_from + 1):
            if number > len(grant.instalments):
                continue
            key, at = f"instalment/{grant_id}/{number}", None
            when = None if number in grant.again else grant.instalments[number - 1].when
            if when is None:
                at = state.moments.get(key, now)
            elif (due := moment_due(state, book, parse_moment(when), Roll.FORWARD, shifts=False)) and not due.awaits:
                at = due.at if due.day is None else book.calendar.opening(due.day)
            if at is not None:
                yield key, at if grant.pay_from is None else max(at, grant.pay_from)


# --- the grid of contacts


def opening(contact: str) -> str:
    """The key of the moment at which the next window of a contact opens."""
    return f"{OPENINGS}{contact}/open"


def _contact_openings(state: State, book: Handbook, now: datetime, only: Collection[str] | None) -> Planned:
    for code, contact in book.programme.contacts.items():
        key = opening(code)
        if only is not None and key not in only:
            continue
        known = state.contacts.get(code)
        if known is not None and known.open:
            continue
        if state.match is None and book.line(contact.by) == "mentor":
            continue
        recorded = state.moments.get(key)
        if recorded is not None and recorded <= now and state.suspended is None:
            yield key, recorded  # owed already: it is taken, and what it missed is counted there
            continue
        since = max(now, state.watch_from) if state.watch_from is not None else now
        window = next_window(state, book, code, 0 if known is None else known.window, since)
        if window is not None:
            yield key, window.opens


def next_window(state: State, book: Handbook, code: str, after: int, now: datetime) -> Window | None:
    """The first window behind number `after` that is not over yet."""
    return next((window for window in grid(state, book, code, after) if window.closes > now), None)


def grid(state: State, book: Handbook, code: str, after: int = 0) -> Sequence[Window]:
    """The windows of a contact behind a number: a fixed grid from its start.

    A stub under half an interval joins the window before. Windows are numbered from 1, and on through every grid that
    the contact has had.
    """
    contact, known = book.programme.contacts[code], state.contacts.get(code)
    former = known.counted_from if known is not None else 0
    start = moment_due(state, book, contact.start)
    if start is None or start.awaits is not None:
        return ()
    calendar = book.calendar
    first = start.day or calendar.day(start.at)
    windows = _windows(calendar, contact.cadence, first, former)
    if state.suspensions:
        spans = _spans(calendar, contact.cadence, first)
        pushed = ((_pushed(state, first, begins), _pushed(state, first, ends)) for begins, ends in spans)
        windows = _opened(calendar, pushed, former)
    return windows[max(after - former, 0) :]


@lru_cache(maxsize=4_096)
def _windows(calendar: Calendar, cadence: tuple[Stretch, ...], first: date, former: int) -> tuple[Window, ...]:
    """The windows of a cadence from a day on, without suspensions, behind `former` of other grids."""
    return _opened(calendar, _spans(calendar, cadence, first), former)


Spans = Iterable[tuple[date, date]]
"""Days from which and up to which (exclusive) each window runs."""


def _opened(calendar: Calendar, spans: Spans, former: int) -> tuple[Window, ...]:
    return tuple(
        Window(number, calendar.opening(begins), calendar.closing(max(begins, ends - ONE_DAY)))
        for number, (begins, ends) in enumerate(spans, former + 1)
    )


@lru_cache(maxsize=4_096)
def _spans(calendar: Calendar, cadence: tuple[Stretch, ...], first: date) -> tuple[tuple[date, date], ...]:
    """Days from which and up to which (exclusive) each window runs, without suspensions."""
    spans: list[tuple[date, date]] = []
    begins = first
    for stretch in cadence:
        base, end, count = begins, _day_after(calendar, first, stretch.until), 0
        while begins < end:
            count += 1
            ends = max(_day_after(calendar, base, stretch.every, count), begins + ONE_DAY)
            if ends > end:
                if spans and (end - begins) * 2 < ends - begins:
                    spans[-1], begins = (spans[-1][0], end), end
                    break
                ends = end
            spans.append((begins, ends))
            begins = ends
    return tuple(spans)


def _day_after(calendar: Calendar, first: date, length: Duration, times: int = 1) -> date:
    """`times` lengths after a day; less than a day counts as one."""
    if length.unit.counts_instants:
        return first + times * ONE_DAY
    return calendar.add(first, Duration(length.amount * times, length.unit))
