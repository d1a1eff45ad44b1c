"""Milestones and their deadlines: reached, waived, rescheduled, missed, corrected."""

from dataclasses import dataclass
from datetime import date, datetime

from journeys.domain import commands as c
from journeys.domain import escalation, messages
from journeys.domain import events as e
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.events import PlannedReminder, Subject
from journeys.domain.moments import elapsed
from journeys.domain.plan import Due, good_since, is_shifted, plan
from journeys.domain.programme import Check, Milestone, Reminder
from journeys.domain.sending import SPREAD, reminder_of
from journeys.domain.state import Deadline, MilestoneKnown

BY_ITSELF = frozenset({Check.SITUATION, Check.MENTOR, Check.GRANT_SETTLED, Check.APPOINTMENT})
"""Checks that find a milestone reached without anybody saying so."""

OTHER_RULES = "programme-changed"
"""Why something ends that has no place in the rules that a journey is put under."""


def about(code: str) -> Subject:
    return Subject(kind="milestone", id=code)


# --- commands


def reach_by_hand(work: Deciding, body: c.ReachMilestone) -> None:
    milestone = _unsettled(work, body.milestone)
    known = work.state.milestones.get(body.milestone, MilestoneKnown())
    if milestone.check in BY_ITSELF:
        raise Refusal("checked-otherwise", milestone=body.milestone, check=milestone.check.value)
    if milestone.check is Check.EVIDENCE:
        missing = [kind for kind in milestone.evidence if kind not in known.evidence]
        if missing:
            raise Refusal("evidence-missing", milestone=body.milestone, evidence=", ".join(missing))
    if milestone.check is Check.HTTP:
        if known.checking is not None:
            raise Refusal("check-under-way", milestone=body.milestone)
        work.fact(_check(work, body.milestone, milestone, at_deadline=False))
        return
    work.fact(e.MilestoneReached(milestone=body.milestone, how=milestone.check.value, on=work.day))
    settle_deadline(work, body.milestone, work.day, work.occurred_at or work.now)


def waive(work: Deciding, body: c.WaiveMilestone) -> None:
    _unsettled(work, body.milestone)
    work.fact(e.MilestoneWaived(milestone=body.milestone))
    _cancel_deadline(work, body.milestone, "waived")
    escalation.resolve_about(work, about(body.milestone), "waived")


def reschedule(work: Deciding, body: c.RescheduleMilestone) -> None:
    milestone = _unsettled(work, body.milestone)
    if milestone.origin == "law":
        raise Refusal("fixed-by-law", milestone=body.milestone)
    if body.on < work.today:
        raise Refusal("in-the-past", field="on")
    work.fact(e.MilestoneRescheduled(milestone=body.milestone, on=body.on))
    escalation.resolve_about(work, about(body.milestone), "rescheduled")


def add_evidence(work: Deciding, body: c.AddEvidence) -> None:
    milestone = _known(work, body.milestone)
    if milestone.evidence and body.kind not in milestone.evidence:
        raise Refusal("unknown-evidence", kind=body.kind, known=", ".join(milestone.evidence))
    assert work.command is not None
    work.fact(e.EvidenceAdded(milestone=body.milestone, kind=body.kind, evidence=work.command.id))


def correct(work: Deciding, code: str, to: str | None, on: date | None) -> None:
    """`correct` for a milestone: it was reached on another day, or not reached at all."""
    _known(work, code)
    known = work.state.milestones.get(code, MilestoneKnown())
    match to:
        case "open" if known.settled is not None:
            work.fact(e.MilestoneCorrected(milestone=code, to="open", on=None))
        case "reached":
            day = on or work.day
            if day > work.today:
                raise Refusal("in-the-future", field="on")
            work.fact(e.MilestoneCorrected(milestone=code, to="reached", on=day))
            settle_deadline(work, code, day, work.book.calendar.opening(day))
        case "open":
            raise Refusal("not-settled", milestone=code)
        case _:
            raise Refusal("correct-to", known="reached, open")


# --- what follows


def settle_deadline(work: Deciding, code: str, day: date, at: datetime) -> None:
    """A milestone is reached: meet its deadline, or put right the miss of one that was met in time."""
    for id, deadline in list(work.state.deadlines.items()):
        if deadline.milestone == code:
            work.follow(e.DeadlineMet(deadline=id), "deadline", at)
    known = work.state.milestones[code]
    if known.missed is not None and _in_time(known, day, at):
        work.follow(e.DeadlineCorrected(deadline=known.missed), "late-fact", at)
    escalation.resolve_about(work, about(code), "reached")
    closes = work.book.milestone(code).closes
    if closes is not None and work.state.is_open and not work.state.closing_wanted:
        want_closing(work, closes)


def _in_time(known: MilestoneKnown, day: date, at: datetime) -> bool:
    """Met in time: the local day is not after the due day; for a term in hours, the instant."""
    if known.missed_day is not None:
        return day <= known.missed_day
    return known.missed_at is not None and at <= known.missed_at


def want_closing(work: Deciding, outcome: str | None, at: datetime | None = None) -> None:
    """Ask somebody to close: no journey closes by itself."""
    event = e.ClosingWanted(outcome=outcome)
    if at is not None:
        work.due(event, "ends", at)
    else:
        work.follow(event, "milestone-closes")
    messages.owe(
        work,
        "notice",
        "referent",
        "closing-wanted",
        Subject(kind="journey", id="closing"),
        f"closing/{work.state.seq}",
    )


def _cancel_deadline(work: Deciding, code: str, why: str) -> None:
    for id, deadline in list(work.state.deadlines.items()):
        if deadline.milestone == code:
            work.follow(e.DeadlineCancelled(deadline=id, why=why), "deadline")


def reached_by_itself(work: Deciding, code: str, on: date, at: datetime) -> None:
    """A check other than by hand found the milestone reached."""
    how = work.book.milestone(code).check.value
    work.follow(e.MilestoneReached(milestone=code, how=how, on=on), f"check/{how.replace(' ', '-')}", at)
    settle_deadline(work, code, on, at)


def reach_what_holds(work: Deciding) -> bool:
    """Reach every open milestone whose own check holds now. True when there was one."""
    for code, milestone in work.book.programme.found_reached:
        if work.state.settled(code):
            continue
        match milestone.check:
            case Check.MENTOR if work.state.match is not None:
                since = work.state.match.since
            case Check.GRANT_SETTLED if any(grant.over == "completed" for grant in work.state.grants.values()):
                since = work.day
            case Check.SITUATION if milestone.situation is not None:
                found = good_since(work.state, milestone.situation, milestone.good)
                if found is None or found > work.today:
                    continue
                since = found
            case _:
                continue
        reached_by_itself(work, code, since, work.occurred_at or work.now)
        return True
    return False


def take_kept(work: Deciding, key: str, at: datetime) -> None:
    """A situation has had a good value for as long as the milestone asks."""
    code = key.split("/")[1]
    milestone = work.book.milestone(code)
    since = good_since(work.state, milestone.situation or "", milestone.good)
    work.due(e.MomentsPlanned(set={}, dropped=(key,)), "situation-kept", at)
    if since is not None and not work.state.settled(code):
        reached_by_itself(work, code, work.book.calendar.day(at), at)


# --- deadlines


def take_deadline(work: Deciding, id: str, at: datetime) -> None:
    """A deadline falls due: ask the check that may still find it met, or miss it."""
    code = work.state.deadlines[id].milestone
    milestone = work.book.milestone(code)
    if milestone.check is Check.HTTP and milestone.url is not None:
        work.due(_check(work, code, milestone, at_deadline=True), "deadline", at)
        return
    miss(work, id, at)


def miss(work: Deciding, id: str, at: datetime) -> None:
    code = work.state.deadlines[id].milestone
    held = work.state.deadlines[id].held
    work.due(e.DeadlineMissed(deadline=id), "deadline", at)
    ladder = work.book.milestone(code).missed
    if ladder is not None:
        escalation.raise_about(work, ladder, about(code), held=held)


def _check(work: Deciding, code: str, milestone: Milestone, *, at_deadline: bool) -> e.CheckCalled:
    check = work.id_for(f"check/{code}/{work.state.seq + 1}")
    return e.CheckCalled(check=check, milestone=code, url=milestone.url or "", at_deadline=at_deadline)


def checked(work: Deciding, effect: int, code: str, answer: str, reason: str) -> None:
    """What a called check answered. At a deadline, anything but a pass misses it."""
    check = work.state.milestones[code].checking or ""
    match answer:
        case "passed":
            work.due(e.CheckPassed(check=check, effect=effect), "check", work.now)
            if not work.state.settled(code) and work.state.is_open:
                reached_by_itself(work, code, work.today, work.now)
            return
        case "failed":
            work.due(e.CheckFailed(check=check, effect=effect), "check", work.now)
        case _:
            work.due(e.CheckUnknown(check=check, effect=effect, reason=reason), "check", work.now)
    for id, deadline in list(work.state.deadlines.items()):
        if deadline.milestone == code and deadline.at <= work.now and _counts(work, deadline):
            miss(work, id, deadline.at)


def _counts(work: Deciding, deadline: Deadline) -> bool:
    return not work.state.holds(deadline) and (deadline.awaits is None or work.state.dates[deadline.awaits].happened)


@dataclass(frozen=True, slots=True)
class Began:
    """What has just begun to run again: deadlines that waited for a date, or all that a suspension held; or all that
    other rules say."""

    date: str | None = None
    resumed: bool = False
    rules: bool = False

    def lets_run(self, deadline: Deadline) -> bool:
        return (self.date is not None and deadline.awaits == self.date) or (self.resumed and deadline.held)


NOTHING_NEW = Began()


def replan(work: Deciding, began: Began) -> bool:
    """Record the difference between the plan and the open deadlines. True when there was one."""
    before = work.state.seq
    planned = plan(work.state, work.book)
    for id, deadline in list(work.state.deadlines.items()):
        due = planned.pop(deadline.milestone, None)
        if due is None:
            work.follow(e.DeadlineCancelled(deadline=id, why="not-called-for"), "plan")
        elif due.at != deadline.nominal or (deadline.at <= work.now and began.lets_run(deadline)):
            work.follow(_moved(work, id, deadline.milestone, due), "plan")
        elif began.rules and _is_ruled_otherwise(work, deadline, due):
            # Under a new number, so that a reminder of the new rules is not taken for one of the old.
            work.follow(e.DeadlineCancelled(deadline=id, why=OTHER_RULES), "plan")
            work.follow(_set(work, deadline.milestone, due), "plan")
    for code, due in planned.items():
        if _is_owed(work, code, due):
            work.follow(_set(work, code, due), "plan")
    return work.state.seq > before


def _is_ruled_otherwise(work: Deciding, deadline: Deadline, due: Due) -> bool:
    """Whether other rules leave its day as it is, and change its reminders or what holds it."""
    milestone = work.book.milestone(deadline.milestone)
    awaited = work.state.dates.get(deadline.awaits or "")
    awaits = deadline.awaits if awaited is not None and not awaited.happened else None
    if (is_shifted(work.book, milestone), due.awaits) != (deadline.held, awaits):
        return True
    return not _reminds_alike(work, milestone, deadline)


def _reminds_alike(work: Deciding, milestone: Milestone, deadline: Deadline) -> bool:
    """Whether its reminders ahead are those of the rules: one that is spread may be on record at another moment of its
    window, as it was spread before."""
    ruled = _every_reminder(work, milestone, deadline.at, deadline.day)
    recorded = {each.rule: each.at for each in deadline.reminders}
    planned = {each.rule: each.at for each in ruled}
    ahead = {each.rule for each in (*deadline.reminders[deadline.reminded :], *ruled) if each.at > work.now}
    return all(
        rule in recorded and rule in planned and _is_alike(work, milestone.remind[rule], recorded[rule], planned[rule])
        for rule in ahead
    )


def _is_alike(work: Deciding, rule: Reminder, one: datetime, other: datetime) -> bool:
    over, day = work.book.programme.clock.spread, work.book.calendar.day
    if over is None or rule.when.unit.counts_instants:
        return one == other
    return day(one) == day(other) and abs(one - other) <= elapsed(over)


def _is_owed(work: Deciding, code: str, due: Due) -> bool:
    """Not again what was missed, unless its day has moved ahead; nothing older than an import's line in time."""
    known = work.state.milestones.get(code)
    if known is not None and known.missed is not None and known.missed_nominal is not None:
        return due.at != known.missed_nominal and due.at > work.now
    return work.state.watch_from is None or due.at >= work.state.watch_from


def _set(work: Deciding, code: str, due: Due) -> e.DeadlineSet:
    at, day = _with_notice(work, due)
    known = work.state.milestones.get(code, MilestoneKnown())
    milestone = work.book.milestone(code)
    return e.DeadlineSet(
        deadline=f"{code}/{known.number + 1}", milestone=code, nominal=due.at, at=at, day=day, awaits=due.awaits,
        held=is_shifted(work.book, milestone), reminders=_reminders(work, milestone, at, day),
    )  # fmt: skip


def _moved(work: Deciding, id: str, code: str, due: Due) -> e.DeadlineMoved:
    at, day = _with_notice(work, due)
    milestone = work.book.milestone(code)
    return e.DeadlineMoved(
        deadline=id, nominal=due.at, at=at, day=day, awaits=due.awaits, held=is_shifted(work.book, milestone),
        reminders=_reminders(work, milestone, at, day),
    )  # fmt: skip


def _with_notice(work: Deciding, due: Due) -> tuple[datetime, date | None]:
    """A deadline that would fall in the past gets the least notice instead, unless it waits for a date anyway.

    The closing hour is one instant for thousands of journeys: where their programme spreads what can be spread, each
    misses its deadline at its own moment of the minutes after.
    """
    waits = due.awaits is not None and not work.state.dates[due.awaits].happened
    at, day = (due.at, due.day) if waits else work.with_notice(due.at, due.day)
    return (at if day is None else work.spread(at, SPREAD)), day


def _reminders(work: Deciding, milestone: Milestone, at: datetime, day: date | None) -> tuple[PlannedReminder, ...]:
    """Moments of the reminders that are still ahead; one that lies before its deadline was set was never owed."""
    return tuple(each for each in _every_reminder(work, milestone, at, day) if each.at > work.now)


def _every_reminder(
    work: Deciding, milestone: Milestone, at: datetime, day: date | None
) -> tuple[PlannedReminder, ...]:
    """Moments of all reminders, those that have passed too."""
    calendar = work.book.calendar
    planned = []
    for number, rule in enumerate(milestone.remind):
        if rule.when.unit.counts_instants:
            moment = at - elapsed(rule.when)
        else:
            moment = work.spread(calendar.opening(calendar.add(day or calendar.day(at), rule.when, -1)))
        if rule.to == messages.PARTICIPANT and moment > work.now:
            hours = messages.hours_of(work.state, calendar, rule.to)
            moment = reminder_of(at, moment, hours, work.now)
        planned.append(PlannedReminder(moment, number))
    return tuple(sorted(planned))


def _known(work: Deciding, code: str) -> Milestone:
    milestone = work.book.programme.milestones.get(code)
    if milestone is None:
        raise Refusal("unknown-milestone", milestone=code, known=", ".join(work.book.programme.milestones))
    return milestone


def _unsettled(work: Deciding, code: str) -> Milestone:
    milestone = _known(work, code)
    if work.state.settled(code):
        raise Refusal("already-settled", milestone=code)
    return milestone
