"""The frame of a journey: its beginning, its dates, suspensions, reviews, and who leads it."""

import pytest

from journeys.domain import commands as c
from journeys.domain import release
from journeys.domain.record import SYSTEM, Cause
from tests.domain.given import (
    MENTOR,
    OTHER_REFERENT,
    REFERENT,
    SUPERVISOR,
    Asked,
    Life,
    book_of,
    by,
    day,
    given,
    paris,
    plan,
    released,
    said,
    told,
)

PLANNED = ("2027-01-11 10:00", plan("2027-03-01"))


# --- the beginning


def test_a_journey_is_planned_until_its_date_has_happened() -> None:
    life = given(PLANNED)
    assert life.state.status == "planned"
    life.when("2027-03-01 10:00", c.ConfirmDate(date="release")).then(
        said("DateHappened", on="2027-03-01"), "JourneyActivated", said("PhaseEntered", phase="outside"),
        said("DeadlineMoved", deadline="call-back/1"), also=True,
    )  # fmt: skip
    assert life.state.status == "active"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (plan(None), "date-missing"),
        (plan("2027-01-10"), "date-passed"),
        (plan("2027-03-01", dates={"wedding": day("2027-05-01")}), "unknown-date"),
        (plan("2027-03-01", start=day("2027-02-01")), "in-the-future"),
        (c.AddNote(), "unknown-journey"),
    ],
)
def test_a_journey_that_cannot_begin_leaves_no_record(asked: c.Body, code: str) -> None:
    life = given().when("2027-01-11 10:00", asked)
    assert [refused.code for refused in life.refusals] == [code]
    assert life.events == []


def test_a_journey_begins_once() -> None:
    given(PLANNED).when("2027-01-12", plan("2027-03-01")).refused("journey-exists")


def test_nothing_has_happened_in_the_future() -> None:
    given(PLANNED).when("2027-01-12 10:00", told(c.AddNote(), "2027-01-12 10:06")).refused("in-the-future")
    given(PLANNED).when("2027-01-12 10:00", told(c.AddNote(), "2027-01-12 10:04")).then("NoteAdded")


# --- dates


def test_an_expected_date_that_passes_unconfirmed_escalates_until_somebody_says() -> None:
    life = given(PLANNED)
    life.when("2027-03-02 18:00").then(
        "DateUnconfirmed", said("EscalationRaised", about={"kind": "date", "id": "release"}, held=False)
    )
    life.when("2027-03-03 10:00", c.MoveDate(date="release", on=day("2027-03-10"))).then(
        "DateMoved", said("EscalationResolved", how="moved"), also=True
    )
    life.when("2027-03-11 18:00").then("DateUnconfirmed", "EscalationRaised")
    life.when("2027-03-12 10:00", c.ConfirmDate(date="release", on=day("2027-03-10"))).then(
        said("DateHappened", on="2027-03-10"), said("EscalationResolved", how="confirmed"), also=True
    )


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (c.MoveDate(date="release", on=day("2027-01-10")), "in-the-past"),
        (c.MoveDate(date="release", on=day("2027-03-01")), "same-day"),
        (c.MoveDate(date="jury", on=day("2027-03-01")), "date-not-expected"),
        (c.MoveDate(date="wedding", on=day("2027-03-01")), "unknown-date"),
        (c.ExpectDate(date="release", on=day("2027-04-01")), "date-expected"),
        (c.ConfirmDate(date="release", on=day("2027-03-01")), "in-the-future"),
        (c.Correct(what="date", id="release", on=day("2027-01-11")), "date-not-happened"),
    ],
)
def test_what_cannot_be_said_of_a_date(asked: c.Body, code: str) -> None:
    given(PLANNED).when("2027-01-12", asked).refused(code)


def test_a_date_that_happened_is_corrected_and_never_moved() -> None:
    life = released("2027-03-02")
    life.when("2027-03-03", c.ConfirmDate(date="release")).refused("date-happened")
    life.when("2027-03-03", c.Correct(what="date", id="release", on=day("2027-03-01"))).then(
        said("DateCorrected", on="2027-03-01", before="2027-03-02"),
        said("DeadlineMoved", deadline="rights-open/1", day="2027-04-01"),
        also=True,
    )
    life.when("2027-03-03", c.Correct(what="date", id="release", on=day("2027-03-01"))).refused("same-day")


def test_a_date_nobody_expected_may_happen() -> None:
    released().when("2027-03-10", c.ConfirmDate(date="jury")).then(
        said("DateExpected", date="jury"), said("DateHappened", date="jury"),
        said("DeadlineSet", milestone="jury-file", day="2027-03-15"), also=True,
    )  # fmt: skip


# --- suspension


def test_lost_days_push_what_comes_after_its_anchor() -> None:
    """Suspended from 8 to 18 March: ten days lost. What was due before release is not concerned."""
    life = released().when("2027-03-02 10:00", c.ReachMilestone(milestone="first-meeting"))
    life.when("2027-03-08 10:00", c.Suspend(why="custody"))
    life.when("2027-03-18 10:00", c.Resume()).then(
        said("JourneyResumed", since="2027-03-18", status="active"),
        said("DeadlineMoved", deadline="rights-open/1", day="2027-04-12"),  # 1 April + 10 days is a Sunday: Monday
        said("DeadlineMoved", deadline="papers/1", day="2027-05-11"),  # pushed from 1 May, then rolled
        said("DeadlineMoved", deadline="final-review/1", day="2027-09-13"),
        also=True,
    )
    assert life.due_day("law-term") == "2027-03-21"  # a term of law is never shifted


def test_a_deadline_set_after_a_suspension_counts_the_days_lost_since_its_anchor() -> None:
    """The evidence came after the suspension; the course still gets the ten days."""
    life = released().when("2027-03-08 10:00", c.Suspend(why="hospital")).when("2027-03-18 10:00", c.Resume())
    life.when("2027-03-19 10:00", c.WaiveMilestone(milestone="exit-plan")).then(
        said("DeadlineSet", milestone="course", day="2027-04-12"), also=True
    )


def test_only_the_days_between_anchor_and_due_are_lost() -> None:
    """Nothing is lost for what is anchored on the day of resumption or later."""
    life = released().when("2027-03-08 10:00", c.Suspend(why="asked")).when("2027-03-18 10:00", c.Resume())
    life.when("2027-03-18 11:00", c.ReachMilestone(milestone="first-meeting"))
    assert life.due_day("written") == "2027-04-08"


def test_a_second_suspension_counts_when_the_first_has_pushed_the_due_into_it() -> None:
    life = released().when("2027-03-08 10:00", c.Suspend(why="custody")).when("2027-03-18 10:00", c.Resume())
    assert life.due_day("account") == "2027-03-25"
    life.when("2027-03-24 10:00", c.Suspend(why="custody")).when("2027-03-26 10:00", c.Resume())
    assert life.due_day("account") == "2027-03-30"  # 15 + 10 + 2 is a Saturday; Monday is Easter's


def test_what_a_suspension_holds_neither_falls_due_nor_reminds() -> None:
    life = released().when("2027-03-02 10:00", c.Suspend(why="custody"))
    life.when("2027-06-01")
    assert life.all("DeadlineMissed") == life.all("DeadlineMissed", deadline="exit-plan/1") + life.all(
        "DeadlineMissed", deadline="law-term/1"
    )
    assert not life.all("ContactMissed")
    assert not life.all("ReminderTaken", deadline="first-meeting/1")


def test_what_is_not_held_tells_staff_only() -> None:
    life = released().when("2027-03-02 10:00", c.Suspend(why="custody"))
    life.when("2027-03-19 09:00").then(
        said("ReminderTaken", deadline="law-term/1"), said("MessageDue", to="participant"),
        said("MessageSuppressed", reason="suspended"), also=True,
    )  # fmt: skip
    life.when("2027-03-21 18:00").then(
        said("DeadlineMissed", deadline="law-term/1"), said("EscalationRaised", held=False)
    )


def test_what_was_held_past_its_day_gets_the_least_notice() -> None:
    """Before release nothing is shifted; what came due meanwhile is not missed on the morning of the return."""
    life = given(PLANNED).when("2027-02-10 10:00", c.Suspend(why="hospital"))
    life.when("2027-02-22 10:00", c.Resume()).then(
        said("DeadlineMoved", deadline="exit-plan/1", day="2027-02-25"), also=True
    )
    life.when("2027-02-25 18:00").then(said("DeadlineMissed", deadline="exit-plan/1"), also=True)


def test_a_term_in_hours_is_pushed_by_whole_days() -> None:
    life = released().when("2027-03-02 10:00", c.Suspend(why="hospital")).when("2027-03-12 10:00", c.Resume())
    assert life.due_day("call-back") == "2027-03-13 10:00"


def test_a_cohorts_date_is_not_shifted() -> None:
    life = released().when("2027-03-02 10:00", c.ExpectDate(date="jury", on=day("2027-03-15")))
    life.when("2027-03-08 10:00", c.Suspend(why="hospital"))
    life.when("2027-03-15 10:00", c.ConfirmDate(date="jury"))
    life.when("2027-03-22 18:00")
    assert life.all("DeadlineMissed", deadline="jury-file/1")


def test_an_open_ladder_holds_and_goes_on_with_the_time_that_was_left() -> None:
    life = released().when("2027-03-03 10:00")
    raised = life.about("milestone", "call-back")  # climbs after four hours, at 14:00
    life.when("2027-03-03 12:00", c.Suspend(why="hospital"))
    life.when("2027-03-31 12:00")
    assert not life.all("EscalationClimbed", escalation=raised)
    life.when("2027-04-06 10:00", c.Resume())
    assert life.state.escalations[raised].next_at == paris("2027-04-06 12:00")
    life.when("2027-04-06 12:00").then(said("EscalationClimbed", escalation=raised, step=1), also=True)


def test_a_suspension_is_reviewed_at_its_own_interval_and_escalates() -> None:
    life = released().when("2027-03-02 10:00", c.Suspend(why="custody"))
    life.when("2027-03-16 09:00").then(
        said("ReviewDue", found=["suspended"], next_at="2027-03-30 09:00"),
        said("EscalationRaised", about={"kind": "suspension", "id": "suspension"}),
        also=True,
    )
    life.when("2027-03-30 09:00").then("ReviewDue", also=True).never("EscalationRaised")
    life.when("2027-04-06 10:00", c.Resume()).then(said("EscalationResolved", how="resumed"), also=True)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (c.Suspend(why="asked"), "suspended"),
        (told(c.Resume(), "2027-03-05 10:00"), "before-suspension"),
    ],
)
def test_what_cannot_be_done_while_suspended(asked: object, code: str) -> None:
    released().when("2027-03-08 10:00", c.Suspend(why="custody")).when("2027-03-10", asked).refused(code)


def test_suspensions_do_not_overlap_and_end_once() -> None:
    life = released().when("2027-03-08 10:00", c.Suspend(why="custody")).when("2027-03-10 10:00", c.Resume())
    life.when("2027-03-11 10:00", c.Resume()).refused("not-suspended")
    life.when("2027-03-11 10:00", told(c.Suspend(why="custody"), "2027-03-09 10:00")).refused("suspended-then")
    life.when("2027-03-11 10:00", c.Suspend(why="asked", until=day("2027-03-10"))).refused("in-the-past")


# --- reviews


def test_an_open_journey_is_reviewed_every_month_and_nobody_is_called_for_nothing() -> None:
    life = given(PLANNED)
    life.when("2027-02-11 09:00").then(said("ReviewDue", found=[], next_at="2027-03-11 09:00"))


def test_a_review_finds_what_nobody_looks_after() -> None:
    book = book_of("programme: small\nlabel: petit\nends: 10 days after start")
    life = given(("2027-01-11 10:00", plan(None)), book=book)
    life.when("2027-01-21 18:00").then("ClosingWanted", said("MessageDue", template="closing-wanted", to="referent"))
    life.when("2027-02-11 09:00").then(
        said("ReviewDue", found=["past-its-end", "nothing-planned"]), said("EscalationRaised", ladder="standard")
    )


# --- referent and transfer


def test_a_transfer_is_asked_reminded_and_then_accepts_itself() -> None:
    life = released()
    life.when("2027-03-02 10:00", c.Transfer(to=OTHER_REFERENT, site="north")).then(
        said("TransferAsked", remind_at="2027-03-07 09:00", accept_at="2027-03-12 09:00"),
        said("MessageDue", template="transfer-asked", person=OTHER_REFERENT), also=True,
    )  # fmt: skip
    life.when("2027-03-07 09:00").then(
        "TransferReminded", said("MessageDue", template="transfer-asked"),
        said("MessageDeferred", until="2027-03-08 08:00"),
    )  # fmt: skip
    life.when("2027-03-12 09:00").then(
        said("JourneyTransferred", to=OTHER_REFERENT, site="north", by_itself=True), also=True
    )
    assert life.state.referent == OTHER_REFERENT


def test_a_transfer_is_accepted_or_declined_by_whom_it_is_for() -> None:
    life = released().when("2027-03-02 10:00", c.Transfer(to=OTHER_REFERENT))
    life.when("2027-03-02 11:00", by(REFERENT, c.AcceptTransfer())).refused("no-right")
    life.when("2027-03-02 11:00", c.Transfer(to=OTHER_REFERENT)).refused("transfer-open")
    life.when("2027-03-02 12:00", by(OTHER_REFERENT, c.AcceptTransfer())).then(
        said("JourneyTransferred", by_itself=False)
    )
    life.when("2027-03-03 12:00", by(OTHER_REFERENT, c.Transfer(to=REFERENT))).then("TransferAsked", "MessageDue")
    life.when("2027-03-03 13:00", by(REFERENT, c.DeclineTransfer())).then(
        "TransferDeclined", said("MessageDue", template="transfer-declined")
    )
    assert life.state.referent == OTHER_REFERENT


def test_a_transfer_to_somebody_who_left_is_declined_by_the_system() -> None:
    """Who has left answers nothing, and it would accept itself."""
    life = released().when("2027-03-02 10:00", c.Transfer(to=OTHER_REFERENT))
    life.when("2027-03-04 10:00", by(SYSTEM, c.AcceptTransfer())).refused("no-right")
    life.when("2027-03-04 10:00", by(SYSTEM, c.DeclineTransfer())).then(
        "TransferDeclined", said("MessageDue", template="transfer-declined", to="referent")
    )
    life.when("2027-03-20 10:00")
    assert life.state.referent == REFERENT and not life.all("JourneyTransferred")


def test_assigning_a_referent_ends_the_transfer_that_was_asked() -> None:
    life = released().when("2027-03-02 10:00", c.Transfer(to=OTHER_REFERENT))
    life.when("2027-03-02 11:00", by(SUPERVISOR, c.AssignReferent(referent=MENTOR))).then(
        said("ReferentAssigned", before=REFERENT), said("TransferCancelled", why="assigned")
    )
    life.when("2027-03-02 11:00", by(SUPERVISOR, c.AssignReferent(referent=MENTOR))).refused("referent-already")
    life.when("2027-03-02 12:00", by(SUPERVISOR, c.CancelTransfer())).refused("no-transfer")


def test_a_transfer_may_be_called_off() -> None:
    life = released().when("2027-03-02 10:00", c.Transfer(to=OTHER_REFERENT))
    life.when("2027-03-02 11:00", c.CancelTransfer()).then(said("TransferCancelled", why="by-hand"))


def told_late(life: Life) -> Life:
    """A cohort's second day is told, and then its first, which was long on its way."""
    cohort = "cohort-00000000-0000-4000-8000-0000000000c0"
    life.when("2027-03-02 10:00", Asked(c.ExpectDate(date="jury", on=day("2027-04-20")), caused_by=Cause(cohort, 5)))
    moved = c.MoveDate(date="jury", on=day("2027-04-12"))
    return life.when("2027-03-02 11:00", Asked(moved, caused_by=Cause(cohort, 3)))


def test_a_cohorts_day_that_was_overtaken_is_refused() -> None:
    life = told_late(released())
    assert life.state.dates["jury"].on == day("2027-04-20") and life.all("CommandRefused", code="overtaken")


def test_without_the_guard_an_overtaken_day_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "_not_overtaken", lambda work, known, name: None)
    assert told_late(released()).state.dates["jury"].on == day("2027-04-12")
