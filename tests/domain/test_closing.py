"""Closing: what it ends, what outlives it, what may still be asked; and taking a journey up again."""

from typing import Any

import pytest

from journeys.domain import agenda
from journeys.domain import commands as c
from tests.domain.given import (
    FINANCE,
    MENTOR,
    OTHER_REFERENT,
    PARTNER,
    SUPERVISOR,
    Answer,
    Life,
    by,
    day,
    given,
    paris,
    plan,
    released,
    said,
)
from tests.domain.test_grants import approve, approved, request
from tests.domain.test_payments import small

NO_ONE = "00000000-0000-4000-8000-000000000000"


def busy(**world: Any) -> Life:
    """A journey in which as much as possible is open, in May."""
    life = released(**world)
    for at, asked in (
        ("2027-03-02 10:00", c.ProposeMentor(mentor=MENTOR)), ("2027-03-02 10:01", c.MatchMentor(mentor=MENTOR)),
        ("2027-05-10 10:00", c.ExpectDate(date="jury", on=day("2027-06-10"))),
        ("2027-05-10 10:01", c.SendReferral(partner=PARTNER, purpose="care")),
        ("2027-05-10 10:02", c.Transfer(to=OTHER_REFERENT)),
        ("2027-05-10 10:03", c.BookAppointment(at=paris("2027-05-20 10:00"))),
        ("2027-05-10 10:04", request(30_000)), ("2027-05-10 10:05", request(30_000, "emergency", "food")),
        ("2027-05-10 10:06", approve(SUPERVISOR)),
    ):  # fmt: skip
        life.when(at, asked)
        assert not life.refusals
    return life


def test_a_closing_ends_everything_else() -> None:
    life = busy().when("2027-05-11 10:00", c.Close(outcome="completed")).then(
        said("JourneyClosed", outcome="completed", silent=False), "DeadlineCancelled",
        said("DateCancelled", date="jury", why="closed"), said("ContactCancelled", contact="support"),
        said("AppointmentCancelled", why="closed"), said("GrantCancelled", why="closed"),
        said("MentorEnded", why="closed"),
        said("ReferralCancelled", why="closed"), said("TransferCancelled", why="closed"),
        said("EscalationResolved", how="closed"), also=True,
    )  # fmt: skip
    state = life.state
    assert not (state.deadlines or state.referrals or state.transfer or state.match or state.escalations)
    assert all(known.over for known in state.grants.values())


def test_a_proposal_is_cancelled_and_an_approved_grant_ends() -> None:
    life = approved().when("2027-03-03", c.ProposeMentor(mentor=MENTOR)).when("2027-03-04", c.Close(outcome="lost"))
    life.then(said("MentorProposalCancelled", why="closed"), said("GrantEnded", why="closed"), also=True)
    life.when("2027-06-01")
    assert len(life.all("PaymentReserved")) == 1


def test_money_under_way_its_receipts_and_its_escalations_outlive_it() -> None:
    life = approved(instruct=None, enquire=None).when("2027-03-02 12:01", Answer("instruct", "unknown"))
    life.when("2027-03-02 13:00", c.Close(outcome="withdrawn"))
    life.when("2027-03-02 14:00", Answer("enquire", "unknown")).then(
        "PaymentLookedUp", "PaymentUnknown", "EscalationRaised"
    )
    life.when("2027-03-04 09:01", Answer("enquire", "settled")).then(
        "PaymentLookedUp", "PaymentSettled", "EscalationResolved", "ReceiptDue"
    )
    life.when("2027-04-03 18:00").then("ReceiptOverdue", "EscalationRaised", also=True)
    receipt = next(iter(life.state.receipts))
    life.when("2027-04-05", c.SubmitReceipt(receipt=receipt, amount=16_500)).then(
        "ReceiptSubmitted", "EscalationResolved", said("MessageDue", to="finance")
    )
    life.when("2027-04-05", c.AcceptReceipt(receipt=receipt)).then("ReceiptAccepted")
    assert agenda.is_over(life.state)
    assert life.violations(complete=True) == []


def test_a_spent_alert_about_money_is_told_again_at_each_review_after_a_closing() -> None:
    """`urgent` has one repetition: raised on 2 March at 14:00, spent on the 4th. The review is every month."""
    life = small(instruct=("rejected", "closed account")).when("2027-03-02 15:00", c.Close(outcome="moved"))
    life.when("2027-03-04 09:00").then(said("EscalationClimbed", repeat=1, next_at="2027-04-04 09:00"), also=True)
    life.when("2027-04-04 09:00").then(said("EscalationClimbed", repeat=2, next_at="2027-05-04 09:00"))
    assert not agenda.is_over(life.state)
    life.when("2027-04-06", by(FINANCE, c.ResolveEscalation(escalation=life.escalation))).then("EscalationResolved")
    assert agenda.is_over(life.state)
    assert life.violations(complete=True) == []


@pytest.mark.parametrize("ending", [c.Close(outcome="withdrawn"), c.RecordDeath()])
def test_an_alert_about_money_that_was_spent_before_the_closing_is_told_again_too(ending: c.Body) -> None:
    life = small(instruct=("rejected", "closed account")).when("2027-03-10 12:00")
    id = life.about("payment", life.payment)
    assert life.state.escalations[id].spent
    life.when("2027-03-10 13:00", ending).then(said("JourneyClosed", ladders={id: "2027-04-10 09:00"}), also=True)
    life.when("2027-04-10 09:00").then(said("EscalationClimbed", escalation=id))


def test_reopened_it_is_told_again_at_the_reviews_of_the_journey_only() -> None:
    life = (
        small(instruct=("rejected", "closed account"))
        .when("2027-03-10 12:00")
        .when("2027-03-10", c.Close(outcome="moved"))
    )
    id = life.about("payment", life.payment)
    life.when("2027-03-11", c.Reopen()).when("2027-04-12 12:00")
    assert life.state.escalations[id].spent


def test_measures_of_days_before_the_closing_settle() -> None:
    life = released().when("2027-06-02", c.Close(outcome="completed"))
    life.when("2027-06-08 18:00").then(said("OutcomeMeasured", number=2, day="2027-06-01"))
    life.when("2027-12-01")
    assert len(life.all("OutcomeMeasured")) == 2
    assert agenda.is_over(life.state)


def test_no_message_to_the_participant_leaves_after_a_closing() -> None:
    """The reminder of 3 March waits for the morning; the journey is closed before."""
    life = released().when("2027-03-02 10:00", c.RescheduleMilestone(milestone="first-meeting", on=day("2027-03-04")))
    life.when("2027-03-03 08:30", c.Close(outcome="moved"))
    life.when("2027-03-04")
    assert not life.all("MessageDue", to="participant")


@pytest.mark.parametrize(("outcome", "told"), [("moved", True), ("withdrawn", False)])
def test_a_silent_closing_also_silences_staff(outcome: str, told: bool) -> None:
    """A notice to the referent, owed at night, waits for the morning."""
    life = (
        released()
        .when("2027-03-02 22:00", c.RequestErasure())
        .then("ErasureRequested", "MessageDue", "MessageDeferred")
    )
    life.when("2027-03-02 23:00", c.Close(outcome=outcome))
    life.when("2027-03-03 12:00")
    assert bool(life.all("MessageSent", message=life.last("MessageDue", template="erasure-asked").message)) is told


def test_an_unknown_outcome_closes_nothing() -> None:
    released().when("2027-03-02", c.Close(outcome="bored")).refused("unknown-outcome")


def test_closed_while_suspended_the_suspension_is_over() -> None:
    life = released().when("2027-03-02", c.Suspend(why="custody")).when("2027-04-02", c.Close(outcome="custody"))
    assert life.state.suspended is None


@pytest.mark.parametrize(
    "asked",
    [
        c.AddNote(), c.ReachMilestone(milestone="first-meeting"), c.Suspend(why="asked"), c.Close(outcome="lost"),
        c.LogContact(contact="support", means="phone"), c.MoveDate(date="release", on=day("2027-09-01")), request(),
        c.GiveConsent(partner=PARTNER, purpose="care"), c.RecordDeath(), c.Resume(), c.ProposeMentor(mentor=MENTOR),
    ],
)  # fmt: skip
def test_a_closed_journey_takes_few_commands(asked: object) -> None:
    released().when("2027-03-02", c.Close(outcome="moved")).when("2027-03-03", asked).refused("closed", outcome="moved")


def test_corrections_and_the_persons_own_wishes_are_taken() -> None:
    life = released().when("2027-03-08 10:00", c.Close(outcome="moved"))
    for body in (
        c.Correct(what="date", id="release", on=day("2027-02-28")),
        c.Correct(what="milestone", id="first-meeting", to="reached", on=day("2027-03-04")),
        c.Correct(what="contact", id="support", window=1, to="made"),
        c.OptOut(), c.OptIn(), c.PauseMessages(until=day("2027-04-01")), c.ResumeMessages(), c.RequestErasure(),
        c.MeasureOutcome(measure="housed", number=1, value="yes"),
    ):  # fmt: skip
        life.when("2027-03-09", body)
        assert not life.refusals, body
    assert life.all("DeadlineCorrected", deadline="first-meeting/1")


# --- taken up again


def test_reopened_everything_is_planned_anew_with_new_numbers() -> None:
    """first-meeting was missed, rights-open was cancelled by the closing: both are owed again."""
    life = released().when("2027-03-08 10:00", c.Close(outcome="lost"))
    life.when("2027-03-22 10:00", c.Reopen()).then(
        said("JourneyReopened", status="active", review_at="2027-04-22 09:00"),
        said("DeadlineSet", deadline="rights-open/2", day="2027-04-01"),
        said("DeadlineSet", deadline="first-meeting/2", day="2027-03-25"), also=True,
    )  # fmt: skip
    life.when("2027-03-22 11:00")
    assert life.last("ContactDue", contact="support").window == 4
    life.when("2027-03-25 18:00").then(
        said("DeadlineMissed", deadline="first-meeting/2"), "EscalationRaised", also=True
    )


def test_reopened_before_its_date_has_happened_it_is_planned_again_and_the_date_is_expected() -> None:
    life = given(("2027-01-11 10:00", plan())).when("2027-01-12", c.Close(outcome="withdrawn"))
    life.then(said("DateCancelled", date="release", why="closed"), also=True)
    life.when("2027-01-13", c.Reopen()).then(
        said("JourneyReopened", status="planned"), said("DateExpected", date="release", on="2027-03-01"),
        said("DeadlineSet", deadline="exit-plan/2", day="2027-02-15"), also=True,
    )  # fmt: skip


def test_only_a_supervisor_reopens_and_only_what_is_closed() -> None:
    released().when("2027-03-02", c.Reopen()).refused("not-closed")
    life = released().when("2027-03-02", c.Close(outcome="lost"))
    life.when("2027-03-03", by(OTHER_REFERENT, c.Reopen())).refused("no-right")


def test_a_closed_journey_knows_nothing_of_what_it_never_had() -> None:
    life = released().when("2027-03-02", c.Close(outcome="lost"))
    life.when("2027-03-03", c.SubmitReceipt(receipt=NO_ONE, amount=1)).refused("unknown-receipt")
    life.when("2027-03-03", c.SettlePayment(payment=NO_ONE)).refused("unknown-payment")
