"""Milestones: reached, waived, rescheduled, found by a check, missed, corrected."""

import pytest

from journeys.domain import commands as c
from tests.domain.given import MENTOR, Answer, by, day, given, plan, released, said, told


def test_met_in_time_is_judged_by_the_local_day_on_which_it_happened() -> None:
    """Due on 4 March: told on the 4th at 17:59, it is met."""
    released().when("2027-03-04 17:59", c.ReachMilestone(milestone="first-meeting")).then(
        said("MilestoneReached", how="hand", on="2027-03-04"), said("DeadlineMet", deadline="first-meeting/1"),
        "PhaseEntered", "DeadlineSet",
    )  # fmt: skip


def test_a_miss_escalates_at_the_closing_hour() -> None:
    life = released().when("2027-03-04 18:00")
    life.then(said("DeadlineMissed", deadline="first-meeting/1"), said("EscalationRaised", ladder="urgent"))


@pytest.mark.parametrize(("happened", "corrected"), [("2027-03-04 23:30", True), ("2027-03-05 00:30", False)])
def test_a_late_fact_corrects_the_miss_when_it_happened_on_the_due_day(happened: str, corrected: bool) -> None:
    life = released().when("2027-03-08 10:00", told(c.ReachMilestone(milestone="first-meeting"), happened))
    life.then("MilestoneReached", said("EscalationResolved", how="reached"), also=True).never("DeadlineMet")
    assert bool(life.all("DeadlineCorrected", deadline="first-meeting/1")) is corrected
    assert len(life.all("DeadlineMissed", deadline="first-meeting/1")) == 1


@pytest.mark.parametrize(("happened", "corrected"), [("2027-03-03 10:00", True), ("2027-03-03 10:01", False)])
def test_a_term_in_hours_is_met_to_the_minute(happened: str, corrected: bool) -> None:
    life = released().when("2027-03-08 10:00", told(c.ReachMilestone(milestone="call-back"), happened))
    assert bool(life.all("DeadlineCorrected", deadline="call-back/1")) is corrected


def test_evidence_comes_first() -> None:
    life = given(("2027-01-11 10:00", plan()))
    life.when("2027-01-12", c.ReachMilestone(milestone="exit-plan")).refused("evidence-missing", evidence="exit-plan")
    life.when("2027-01-12", c.AddEvidence(milestone="exit-plan", kind="photo")).refused("unknown-evidence")
    life.when("2027-01-12", c.AddEvidence(milestone="exit-plan", kind="exit-plan")).then("EvidenceAdded")
    life.when("2027-01-12", c.ReachMilestone(milestone="exit-plan")).then(
        said("MilestoneReached", how="evidence"), "DeadlineMet", "DeadlineSet"
    )


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (c.ReachMilestone(milestone="flight"), "unknown-milestone"),
        (c.ReachMilestone(milestone="mentor-found"), "checked-otherwise"),
        (c.ReachMilestone(milestone="job"), "checked-otherwise"),
        (c.RescheduleMilestone(milestone="law-term", on=day("2027-04-01")), "fixed-by-law"),
        (c.RescheduleMilestone(milestone="course", on=day("2027-03-01")), "in-the-past"),
        (c.Correct(what="milestone", id="course", to="open"), "not-settled"),
        (c.Correct(what="milestone", id="course", to="done"), "correct-to"),
        (c.Correct(what="milestone", id="course", to="reached", on=day("2027-03-03")), "in-the-future"),
    ],
)
def test_what_cannot_be_done_to_a_milestone(asked: c.Body, code: str) -> None:
    released().when("2027-03-02 10:00", asked).refused(code)


def test_a_waived_milestone_needs_nothing_more() -> None:
    life = (
        released()
        .when("2027-03-05 10:00", c.WaiveMilestone(milestone="first-meeting"))
        .then("MilestoneWaived", said("EscalationResolved", how="waived"), said("PhaseEntered", phase="project"))
    )  # what hangs on its being reached is not called for
    life.when("2027-03-05 10:00", c.WaiveMilestone(milestone="first-meeting")).refused("already-settled")
    released().when("2027-03-03", c.WaiveMilestone(milestone="first-meeting")).then(
        "MilestoneWaived", said("DeadlineCancelled", why="waived"), "PhaseEntered"
    )


def test_a_day_fixed_by_a_person_stands_whatever_the_programme_says() -> None:
    life = released().when("2027-03-03 10:00", c.RescheduleMilestone(milestone="rights-open", on=day("2027-05-10")))
    life.then(
        "MilestoneRescheduled", said("DeadlineMoved", deadline="rights-open/1", day="2027-05-10"),
        said("DeadlineMoved", deadline="rights-used/1", day="2027-05-18"),  # 15 May is a Saturday, 17 a holiday
    )  # fmt: skip
    life.when("2027-03-04 10:00", c.Correct(what="date", id="release", on=day("2027-02-28")))
    assert life.due_day("rights-open") == "2027-05-10"


def test_a_missed_milestone_that_is_rescheduled_gets_a_new_number() -> None:
    life = released().when("2027-03-05 10:00", c.RescheduleMilestone(milestone="first-meeting", on=day("2027-03-10")))
    life.then(
        "MilestoneRescheduled", said("EscalationResolved", how="rescheduled"),
        said("DeadlineSet", deadline="first-meeting/2", day="2027-03-10"),
    )  # fmt: skip
    life.when("2027-03-10 18:00").then(
        said("DeadlineMissed", deadline="first-meeting/2"), "EscalationRaised", also=True
    )


def test_a_correction_opens_a_milestone_again() -> None:
    life = released().when("2027-03-02 10:00", c.ReachMilestone(milestone="first-meeting"))
    life.when("2027-03-03 10:00", c.Correct(what="milestone", id="first-meeting", to="open")).then(
        said("MilestoneCorrected", to="open", on=None), said("DeadlineCancelled", deadline="written/1"),
        said("DeadlineSet", deadline="first-meeting/2"),
    )  # fmt: skip


def test_a_correction_to_reached_counts_like_reaching() -> None:
    life = released().when(
        "2027-03-10", c.Correct(what="milestone", id="first-meeting", to="reached", on=day("2027-03-04"))
    )
    life.then(
        said("MilestoneCorrected", on="2027-03-04"), said("DeadlineCorrected", deadline="first-meeting/1"),
        "EscalationResolved", "PhaseEntered", said("DeadlineSet", milestone="written", day="2027-03-25"),
    )  # fmt: skip


def test_the_last_review_asks_for_a_closing_and_never_closes() -> None:
    life = released().when("2027-08-02 10:00", c.ReachMilestone(milestone="final-review"))
    life.then("MilestoneReached", "DeadlineMet", said("ClosingWanted", outcome="completed"), "MessageDue")
    assert life.state.is_open


# --- checks


def test_a_situation_kept_long_enough_reaches_its_milestone() -> None:
    life = released().when(
        "2027-03-10 10:00", c.RecordSituation(situation="job", value="permanent", since=day("2027-03-08"))
    )
    life.when("2027-04-07 09:00").then(
        said("MilestoneReached", milestone="job", how="situation", on="2027-04-07"), also=True
    )


def test_a_situation_lost_before_reaches_nothing() -> None:
    life = released().when("2027-03-10 10:00", c.RecordSituation(situation="job", value="permanent"))
    life.when("2027-04-01 10:00", c.RecordSituation(situation="job", value="none")).when("2027-06-01")
    assert not life.all("MilestoneReached", milestone="job")


def test_a_situation_that_need_not_last_reaches_at_once() -> None:
    released().when("2027-03-10", c.RecordSituation(situation="papers", value="valid")).then(
        "SituationChanged", said("MilestoneReached", milestone="papers"), "DeadlineMet"
    )


def test_a_mentor_found_reaches_its_milestone_on_the_day_of_the_match() -> None:
    life = released().when("2027-03-03", c.ProposeMentor(mentor=MENTOR))
    life.when("2027-03-05 10:00", told(by(MENTOR, c.MatchMentor(mentor=MENTOR)).body, "2027-03-04 10:00")).then(
        "MentorMatched", said("MilestoneReached", milestone="mentor-found", on="2027-03-04"), "DeadlineMet",
        said("ContactDue", contact="mentoring"),
    )  # fmt: skip


def test_a_named_check_is_called_and_its_answer_counts() -> None:
    life = (
        released()
        .when("2027-03-03", c.ReachMilestone(milestone="account"))
        .then(said("CheckCalled", at_deadline=False))
    )
    life.when("2027-03-03 12:00")
    assert life.all("CheckPassed")
    assert life.all("MilestoneReached", milestone="account", how="http")


@pytest.mark.parametrize(("answer", "kind"), [("failed", "CheckFailed"), ("unknown", "CheckUnknown")])
def test_at_the_deadline_anything_but_a_pass_is_a_miss(answer: str, kind: str) -> None:
    life = given(
        ("2027-01-11 10:00", plan()), ("2027-03-01 10:00", c.ConfirmDate(date="release")), check=None
    ).when("2027-03-15 18:00").then(said("CheckCalled", milestone="account", at_deadline=True))  # fmt: skip
    life.when("2027-03-15 18:04", Answer("check", answer)).then(
        kind, said("DeadlineMissed", deadline="account/1"), "EscalationRaised"
    )


def test_a_check_under_way_is_not_called_again() -> None:
    life = released(check=None).when("2027-03-03", c.ReachMilestone(milestone="account"))
    life.when("2027-03-03 12:01", c.ReachMilestone(milestone="account")).refused("check-under-way")
    life.when("2027-03-03 12:02", Answer("check", "failed")).then("CheckFailed")
    life.when("2027-03-03 12:03", c.ReachMilestone(milestone="account")).then("CheckCalled")
