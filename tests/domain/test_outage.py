"""Ten days in which nothing ran: everything due is taken once, in order, collapsed; what is too late is not sent."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from journeys.domain import agenda
from journeys.domain import commands as c
from tests.domain.given import Life, book_of, day, given, paris, plan

TEN_DAYS = timedelta(days=10)
OUTAGES = [paris("2027-02-15 00:30") + timedelta(hours=29 * number) for number in range(24)]
"""Over the weeks before and after a release, at every hour of the day."""
BY_TIME = frozenset({
    "DeadlineMissed", "ReminderTaken", "MessageReady", "ContactDue", "ContactMissed", "EscalationClimbed",
    "EscalationReady", "DateUnconfirmed", "PhaseEntered", "PhaseCompleted", "ReviewDue", "MessagesResumed",
})  # fmt: skip


def before(at: datetime) -> Life:
    """A life up to that instant: released, some things done, one alert open, messages paused for a while."""
    life = given(("2027-01-11 10:00", plan()))
    steps: list[tuple[str, Any]] = [
        ("2027-02-12 10:00", c.PauseMessages(until=day("2027-02-18"))),
        ("2027-03-01 11:00", c.ConfirmDate(date="release")),
        ("2027-03-03 10:00", c.BookAppointment(milestone="first-meeting", at=paris("2027-03-12 14:00"))),
    ]
    for when, what in steps:
        if paris(when) < at:
            life.when(when, what)
    return life.when(at)


@pytest.mark.parametrize("begins", OUTAGES, ids=lambda at: f"{at:%m-%d %H}")
def test_ten_days_are_caught_up_once_in_order_and_collapsed(begins: datetime) -> None:
    life = before(begins)
    ladders, known = {id: each.step + each.repeat for id, each in life.state.escalations.items()}, len(life.events)
    ends = begins + TEN_DAYS
    life.after_outage(ends)
    caught_up = life.events[known:]
    due = agenda.first(life.state)
    assert due is None or due.at > ends, "nothing is left behind"

    taken = [each for each in caught_up if each.kind in BY_TIME and each.command is None]
    planned = [each.occurred_at for each in taken if each.occurred_at < each.recorded_at]
    assert planned == sorted(planned), "in the order in which it was due"
    once = Counter((each.kind, str(each.data)) for each in taken)
    assert [fact for fact, count in once.items() if count > 1] == []

    climbs = Counter(each.data.escalation for each in caught_up if each.kind == "EscalationClimbed")
    assert max(climbs.values(), default=0) <= 1, "one climb a ladder"
    for id in climbs:
        step = life.state.escalations[id]
        assert step.next_at is None or step.next_at > ends, "the next one counts from now"
        assert id not in ladders or step.step + step.repeat == ladders[id] + 1
    missed = Counter(each.data.contact for each in caught_up if each.kind == "ContactMissed")
    assert max(missed.values(), default=0) <= 1, "one miss stands for the whole span"

    fates = {each.data.message: each for each in caught_up
             if each.kind in ("MessageSent", "MessageSuppressed", "MessageDeferred")}  # fmt: skip
    for each in caught_up:
        if each.kind == "MessageDue":
            fate = fates[each.data.message]
            assert (fate.kind == "MessageSuppressed") or ends <= each.data.valid_until
            if ends > each.data.valid_until:
                assert fate.data.reason in ("too-late", "suspended", "opted-out", "paused", "settled", "moved")
    seq = life.state.seq
    life.when(ends + timedelta(seconds=1))
    assert life.state.seq == seq, "and then nothing more"


def test_ten_days_owe_what_a_life_without_them_owed() -> None:
    """The same deadlines are missed and the same reminders taken, whenever the ten days were."""
    end = OUTAGES[-1] + TEN_DAYS + timedelta(days=1)

    def owed(life: Life) -> set[tuple[str, str]]:
        return {(each.kind, each.data.deadline) for each in life.events
                if each.kind in ("DeadlineMissed", "ReminderTaken")}  # fmt: skip

    quiet = before(end)
    for begins in (at for at in OUTAGES if at > paris("2027-03-03 12:00")):
        life = before(begins).after_outage(begins + TEN_DAYS).when(end)
        assert owed(life) == owed(quiet), begins


def test_where_the_programme_spreads_misses_of_one_closing_hour_are_within_four_minutes() -> None:
    text = """
programme: spread
label: x
clock: {spread: 30 minutes}
milestones: {papers: {label: x, due: 3 days after start}}
"""
    for book, spread in ((book_of(text), True), (book_of(text.replace("{spread: 30 minutes}", "{}")), False)):
        life = given(("2027-01-11 10:00", plan(None)), book=book)
        at, closing = life.state.deadlines["papers/1"].at, paris("2027-01-14 18:00")
        assert closing <= at <= closing + timedelta(minutes=4)
        assert (at > closing) is spread
        life.when(at - timedelta(seconds=1)).never("DeadlineMissed")
        life.when(at).then("DeadlineMissed", also=True)
        life.when("2027-01-15 10:00", c.RescheduleMilestone(milestone="papers", on=day("2027-01-20")))
        assert life.state.deadlines["papers/2"].at - paris("2027-01-20 18:00") == at - closing
