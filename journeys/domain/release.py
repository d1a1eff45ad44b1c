"""The frame of a journey: its beginning, the dates that it hangs on, suspensions, its referent and reviews."""

from datetime import date, datetime, timedelta

from journeys.domain import appointments, escalation, messages
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.escalation import next_review
from journeys.domain.events import Subject
from journeys.domain.state import DateKnown, State, Status, TransferKnown


def date_about(name: str) -> Subject:
    return Subject(kind="date", id=name)


SUSPENSION = Subject(kind="suspension", id="suspension")
REVIEW = Subject(kind="review", id="review")


# --- the beginning


def begin(work: Deciding, body: c.Plan) -> None:
    programme = work.book.programme
    unknown = sorted(body.dates.keys() - programme.dates.keys())
    if unknown:
        raise Refusal("unknown-date", date=unknown[0], known=", ".join(programme.dates))
    if programme.active_from != "start" and programme.active_from not in body.dates:
        raise Refusal("date-missing", date=programme.active_from)
    imported = body.watch_from is not None
    for name, on in body.dates.items():
        if on < work.today and not imported:
            raise Refusal("date-passed", date=name, on=on.isoformat())
    for name in body.happened:
        if name not in body.dates:
            raise Refusal("date-missing", date=name)
        if body.dates[name] > work.today:
            raise Refusal("in-the-future", field="happened")
    start = body.start or work.day
    if start > work.today:
        raise Refusal("in-the-future", field="start")
    work.fact(
        e.JourneyPlanned(
            person=body.person, referent=body.referent, site=body.site, name=programme.programme,
            programme=body.programme, calendar=body.calendar, start=start, watch_from=body.watch_from, zone=body.zone,
        )
    )  # fmt: skip
    work.follow(e.ReviewPlanned(at=next_review(work, programme.review)), "review")
    for name, on in body.dates.items():
        work.follow(e.DateExpected(date=name, on=on), "plan")
        if name in body.happened:
            work.follow(e.DateHappened(date=name, on=on), "plan", _within(work, on))


def activate(work: Deciding) -> bool:
    """A planned journey becomes active when the date of `active_from` has happened."""
    if work.state.status is Status.PLANNED and _has_begun(work):
        work.follow(e.JourneyActivated(), "active-from")
        return True
    return False


def _has_begun(work: Deciding) -> bool:
    name = work.book.programme.active_from
    known = work.state.dates.get(name)
    return name == "start" or (known is not None and known.happened)


# --- dates


def expect(work: Deciding, body: c.ExpectDate) -> None:
    _named(work, body.date)
    known = work.state.dates.get(body.date)
    _not_overtaken(work, known, body.date)
    if known is not None and known.open:
        raise Refusal("date-expected", date=body.date, on=known.on.isoformat())
    if known is not None and known.happened:
        raise Refusal("date-happened", date=body.date, on=known.on.isoformat())
    _ahead(work, body.on)
    work.fact(e.DateExpected(date=body.date, on=body.on))


def move(work: Deciding, body: c.MoveDate) -> None:
    known = _expected(work, body.date)
    _not_overtaken(work, known, body.date)
    _ahead(work, body.on)
    if body.on == known.on:
        raise Refusal("same-day", date=body.date, on=known.on.isoformat())
    work.fact(e.DateMoved(date=body.date, on=body.on, before=known.on))
    escalation.resolve_about(work, date_about(body.date), "moved")


def confirm(work: Deciding, body: c.ConfirmDate) -> None:
    _named(work, body.date)
    known = work.state.dates.get(body.date)
    if known is not None and known.happened:
        raise Refusal("date-happened", date=body.date, on=known.on.isoformat())
    on = body.on or work.day
    if on > work.today:
        raise Refusal("in-the-future", field="on")
    if known is None or known.cancelled:
        work.fact(e.DateExpected(date=body.date, on=on), parts=False)
    work.fact(e.DateHappened(date=body.date, on=on), occurred_at=_within(work, on))
    escalation.resolve_about(work, date_about(body.date), "confirmed")


def cancel(work: Deciding, body: c.CancelDate) -> None:
    _expected(work, body.date)
    work.fact(e.DateCancelled(date=body.date, why="by-hand"))
    escalation.resolve_about(work, date_about(body.date), "cancelled")


def correct(work: Deciding, body: c.Correct) -> None:
    """`correct` for a date that happened on another day than was told."""
    _named(work, body.id)
    known = work.state.dates.get(body.id)
    if known is None or not known.happened:
        raise Refusal("date-not-happened", date=body.id)
    if body.on is None or body.on == known.on:
        raise Refusal("same-day", date=body.id, on=known.on.isoformat())
    if body.on > work.today:
        raise Refusal("in-the-future", field="on")
    work.fact(e.DateCorrected(date=body.id, on=body.on, before=known.on))


def take_confirmation(work: Deciding, key: str, at: datetime) -> None:
    """An expected date has passed and nobody has said whether it happened."""
    name = key.split("/")[1]
    work.due(e.DateUnconfirmed(date=name, on=work.state.dates[name].on), "confirm-within", at)
    escalation.raise_about(work, work.book.programme.dates[name].missed, date_about(name), held=False)


def _within(work: Deciding, on: date) -> datetime:
    """An instant on the day told: that of the telling when it is the same day, else the opening hour."""
    told = work.occurred_at or work.now
    return told if work.book.calendar.day(told) == on else work.book.calendar.opening(on)


def _named(work: Deciding, name: str) -> None:
    if name not in work.book.programme.dates:
        raise Refusal("unknown-date", date=name, known=", ".join(work.book.programme.dates))


def _expected(work: Deciding, name: str) -> DateKnown:
    _named(work, name)
    known = work.state.dates.get(name)
    if known is None or not known.open:
        raise Refusal("date-not-expected", date=name)
    return known


def _not_overtaken(work: Deciding, known: DateKnown | None, name: str) -> None:
    """A cohort's day that was long on its way does not take the place of the one that its cohort told since."""
    assert work.command is not None
    told, before = work.command.caused_by, known.told_by if known is not None else None
    if told is not None and before is not None and told.stream == before.stream and told.seq < before.seq:
        raise Refusal("overtaken", date=name)


def _ahead(work: Deciding, on: date) -> None:
    if on < work.today:
        raise Refusal("in-the-past", field="on")


# --- suspension


def suspend(work: Deciding, body: c.Suspend) -> None:
    if work.state.status is Status.SUSPENDED:
        raise Refusal("suspended")
    if body.why == "custody" and work.book.programme.subject != "participant":
        raise Refusal("no-custody")  # Of project holders and volunteers nothing of the kind is kept.
    if body.until is not None and body.until < work.today:
        raise Refusal("in-the-past", field="until")
    before = work.state.suspensions[-1] if work.state.suspensions else None
    if before is not None and before.until_day is not None and work.day < before.until_day:
        raise Refusal("suspended-then", until=before.until_day.isoformat())
    review = next_review(work, work.book.programme.suspension_review)
    work.fact(e.JourneySuspended(why=body.why, since=work.day, until=body.until, review_at=review))


def resume(work: Deciding) -> None:
    """What was held goes on: ladders with the time they had left, windows by the days that were lost, reminders of
    appointments ahead."""
    suspended = work.state.suspended
    if suspended is None:
        raise Refusal("not-suspended")
    if work.day < suspended.since:
        raise Refusal("before-suspension", since=suspended.since.isoformat())
    lost = (work.day - suspended.since).days
    calendar = work.book.calendar
    ladders, holds = escalation.after_suspension(work)
    chases = tuple(
        e.MovedChase(id, work.now + max(known.by - max(suspended.at, known.since), timedelta(0)))
        for id, known in work.state.chases.items()
    )
    windows = {
        code: work.with_notice(calendar.closing(calendar.day(known.closes) + timedelta(days=lost)), None)[0]
        for code, known in work.state.contacts.items()
        if known.open
    }
    work.fact(
        e.JourneyResumed(
            since=work.day, status="active" if _has_begun(work) else "planned", ladders=ladders, windows=windows,
            review_at=next_review(work, work.book.programme.review), chases=chases, holds=holds,
        )
    )  # fmt: skip
    escalation.resolve_about(work, SUSPENSION, "resumed")
    appointments.remind_again(work)


# --- reviews


def take_review(work: Deciding, at: datetime) -> None:
    """A journey is looked at: somebody is called only when there is something to find."""
    suspended = work.state.status is Status.SUSPENDED
    found = tuple(_findings(work.state))
    interval = work.book.programme.suspension_review if suspended else work.book.programme.review
    work.due(e.ReviewDue(found=found, next_at=next_review(work, interval)), "review", at)
    escalation.tell_again_if_spent(work)
    if suspended:
        escalation.raise_about(work, work.book.programme.suspension_missed, SUSPENSION, held=False)
    elif found and found != ("ladder-spent",):
        escalation.raise_about(work, None, REVIEW, held=False)


def _findings(state: State) -> list[str]:
    found = []
    if state.status is Status.SUSPENDED:
        found.append("suspended")
    if state.closing_wanted:
        found.append("past-its-end")
    if any(known.unconfirmed for known in state.dates.values()):
        found.append("date-unconfirmed")
    if any(known.spent for known in state.escalations.values()):
        found.append("ladder-spent")
    if not (state.deadlines or state.moments or any(contact.open for contact in state.contacts.values())):
        found.append("nothing-planned")
    return found


# --- referent and transfer


def assign_referent(work: Deciding, body: c.AssignReferent) -> None:
    if body.referent == work.state.referent and (body.site or work.state.site) == work.state.site:
        raise Refusal("referent-already")
    site = body.site or work.state.site
    work.fact(e.ReferentAssigned(referent=body.referent, site=site, before=work.state.referent))
    if work.state.transfer is not None:
        work.follow(e.TransferCancelled(transfer=work.state.transfer.transfer, why="assigned"), "referent")


def ask_transfer(work: Deciding, body: c.Transfer) -> None:
    if work.state.transfer is not None:
        raise Refusal("transfer-open")
    if body.to == work.state.referent:
        raise Refusal("referent-already")
    rule, opens = work.book.programme.transfers, work.book.calendar.clock.opens
    assert work.command is not None
    work.fact(
        e.TransferAsked(
            transfer=work.command.id, to=body.to, site=body.site or work.state.site,
            remind_at=work.term_end(work.now, rule.remind_after, opens),
            accept_at=work.term_end(work.now, rule.accept_after, opens),
        )
    )  # fmt: skip
    _ask(work, body.to, "asked")


def accept_transfer(work: Deciding) -> None:
    work.fact(_transferred(_asked(work), by_itself=False))


def decline_transfer(work: Deciding) -> None:
    known = _asked(work)
    work.fact(e.TransferDeclined(transfer=known.transfer))
    about = Subject(kind="transfer", id=known.transfer)
    messages.owe(work, "notice", "referent", "transfer-declined", about, f"transfer-declined/{known.transfer}")


def cancel_transfer(work: Deciding) -> None:
    work.fact(e.TransferCancelled(transfer=_asked(work).transfer, why="by-hand"))


def take_transfer(work: Deciding, at: datetime) -> None:
    """Half-way a reminder; at the end the hand-over accepts itself, so that nobody is without a referent."""
    known = _asked(work)
    if known.reminded:
        work.due(_transferred(known, by_itself=True), "accept-after", at)
    else:
        work.due(e.TransferReminded(transfer=known.transfer), "remind-after", at)
        _ask(work, known.to, "reminded")


def _ask(work: Deciding, to: str, what: str) -> None:
    known = _asked(work)
    about = Subject(kind="transfer", id=known.transfer)
    messages.owe(work, "notice", "referent", "transfer-asked", about, f"transfer/{known.transfer}/{what}", person=to)


def _transferred(known: TransferKnown, *, by_itself: bool) -> e.JourneyTransferred:
    return e.JourneyTransferred(transfer=known.transfer, to=known.to, site=known.site, by_itself=by_itself)


def _asked(work: Deciding) -> TransferKnown:
    if work.state.transfer is None:
        raise Refusal("no-transfer")
    return work.state.transfer
