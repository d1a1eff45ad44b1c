"""Every kind of event comes from a decision: a command, time that passed, or what an effect came to."""

from collections.abc import Iterator

from journeys.domain import commands as c
from journeys.domain.events import KINDS
from tests.domain.given import (
    DUTY,
    FINANCE,
    MENTOR,
    OTHER_MENTOR,
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
)
from tests.domain.rules import without
from tests.domain.test_appointments import booked, close
from tests.domain.test_changing import under
from tests.domain.test_chases import missed, no_answer, reached
from tests.domain.test_closing import busy
from tests.domain.test_grants import approve, approved, asked, on_grant, request
from tests.domain.test_payments import heard, on_payment, on_receipt, refused_by_the_fund, small
from tests.domain.test_silences import silent


def lives() -> Iterator[Life]:
    """Lives that meet, between them, everything that can happen."""
    yield from _frames()
    yield from _work()
    yield from _money()
    yield from _people()


def _frames() -> Iterator[Life]:
    life = given(("2027-01-11 10:00", plan())).when("2027-02-01", c.MoveDate(date="release", on=day("2027-03-08")))
    yield life.when("2027-03-20").when("2027-03-21", c.CancelDate(date="release")).when("2027-03-22", c.AddNote())
    life = released().when("2027-03-02", c.Correct(what="date", id="release", on=day("2027-02-28")))
    life.when("2027-03-03", c.Suspend(why="custody")).when("2027-03-10", c.Resume())
    yield life.when("2027-09-20").when("2027-09-21", c.Close(outcome="lost")).when("2027-09-22", c.Reopen())
    life = released().when("2027-03-02", c.Transfer(to=OTHER_REFERENT)).when("2027-03-20")
    life.when("2027-03-21", by(SUPERVISOR, c.AssignReferent(referent=MENTOR)))
    life.when("2027-03-22", by(SUPERVISOR, c.Transfer(to=OTHER_REFERENT)))
    yield life.when("2027-03-23", by(OTHER_REFERENT, c.DeclineTransfer()))
    yield busy().when("2027-05-11", c.Close(outcome="completed"))
    yield under(released(), without("visit:"), "2027-03-10")


def _work() -> Iterator[Life]:
    life = released().when("2027-03-02", c.AddEvidence(milestone="exit-plan", kind="exit-plan"))
    life.when("2027-03-03", c.WaiveMilestone(milestone="rights-open"))
    life.when("2027-03-10", c.Correct(what="milestone", id="first-meeting", to="reached", on=day("2027-03-04")))
    yield life.when("2027-03-11", c.RescheduleMilestone(milestone="law-term", on=day("2027-04-01")))
    yield released().when("2027-03-03", c.RescheduleMilestone(milestone="rights-open", on=day("2027-04-10")))
    for answer in ("passed", "failed", "unknown"):
        life = released(check=None).when("2027-03-03", c.ReachMilestone(milestone="account"))
        yield life.when("2027-03-03", Answer("check", answer))
    for outcome in ("attended", "missed", "excused", "cancelled"):
        life = booked(contact="support").when("2027-03-25")
        yield life.when("2027-03-25", close(life, outcome))
    life = booked().when(
        "2027-03-17", lambda life: c.AnswerAppointment(appointment=life.appointment, answer="other-time")
    )
    life.when("2027-03-18", lambda life: c.MoveAppointment(appointment=life.appointment, at=paris("2027-03-22 10:00")))
    life.when("2027-03-23", close(life, "missed"))
    yield life.when("2027-03-24", c.Correct(what="appointment", id=life.appointment, to="excused"))
    yield silent()
    yield missed().when("2027-03-22 11:00", no_answer).when("2027-03-23 10:00", reached)
    yield missed().when("2027-03-22 11:00", c.Close(outcome="moved"))
    life = released().when("2027-03-02", c.LogContact(contact="support", means="phone"))
    life.when("2027-03-02", c.LogContact(contact="support", means="phone")).when("2027-03-16")
    life.when("2027-03-16", c.Correct(what="contact", id="support", window=2, to="made"))
    id = life.escalation
    life.when("2027-03-15 18:00", c.SnoozeEscalation(escalation=id, until=day("2027-03-16")))
    life.when("2027-03-16", c.AcknowledgeEscalation(escalation=id))
    life.when("2027-03-16 22:00", by(SUPERVISOR, c.ReassignEscalation(escalation=id, to=OTHER_REFERENT)))
    yield life.when("2027-03-17", c.ResolveEscalation(escalation=id))
    yield released(tell=("untold", "vacant")).when("2027-03-05")
    life = released().when("2027-03-14 18:00")
    yield life.when(
        "2027-03-14 23:00", c.ReassignEscalation(escalation=life.about("contact", "support"), to=DUTY)
    ).when("2027-03-15")


def _money() -> Iterator[Life]:
    life = asked().when("2027-03-03", by(SUPERVISOR, on_grant(c.ReturnGrant)))
    yield life.when("2027-03-04", on_grant(c.ChangeGrant)).when("2027-04-04")
    yield asked().when("2027-03-03", by(FINANCE, on_grant(c.RefuseGrant)))
    yield asked().when("2027-03-03", on_grant(c.CancelGrant))
    life = approved().when("2027-03-10", on_grant(c.ChangeGrant, amount=16_500)).when("2027-03-11", approve(SUPERVISOR))
    yield life
    for answer in ("accepted", "unknown", "rejected", "unsent"):
        yield small(instruct=None).when("2027-03-02 11:01", Answer("instruct", answer)).when("2027-03-02 12:00")
    yield small(instruct=("unknown", ""), enquire=None).when("2027-03-02 12:00", on_payment(c.SettlePayment))
    yield small(instruct=("unsent", "")).when("2027-03-02 11:10", on_payment(c.CancelPayment))
    life = small().when("2027-03-09 15:00", heard("returned"))
    yield life.when("2027-03-10", on_grant(c.CancelGrant))
    life = (
        approved()
        .when("2027-03-10", on_receipt(c.SubmitReceipt, amount=100))
        .when("2027-03-11", on_receipt(c.RefuseReceipt))
    )
    life.when("2027-03-12", on_receipt(c.SubmitReceipt, amount=100)).when("2027-03-13", on_receipt(c.AcceptReceipt))
    life.when("2027-03-14", on_receipt(c.SubmitReceipt, amount=16_400)).when("2027-03-15", on_receipt(c.AcceptReceipt))
    doubted = small(instruct=("accepted", "")).when("2027-03-02 12:00", heard("close"))
    yield doubted.when("2027-03-02 13:00", lambda life: c.SettleDoubt(payment=life.payment, decision="keep"))
    yield _refused_by_the_fund().when(
        "2027-04-01 10:00", lambda life: c.RetryPayment(payment=list(life.state.payments)[-1])
    )
    yield approved().when("2027-03-10", on_receipt(c.SubmitReceipt, amount=100)).when("2027-04-01")
    yield life.when("2027-06-10").when("2027-06-10", lambda life: c.WaiveReceipt(receipt=list(life.state.receipts)[-1]))
    yield approved().when("2027-03-10", on_grant(c.CancelGrant))
    yield _refused_by_the_fund()


def _refused_by_the_fund() -> Life:
    return refused_by_the_fund(approved().when("2027-04-01 08:59"), "2027-04-01 09:00")


def _people() -> Iterator[Life]:
    life = (
        released()
        .when("2027-03-02", c.ProposeMentor(mentor=MENTOR))
        .when("2027-03-02", c.ProposeMentor(mentor=OTHER_MENTOR))
    )
    life.when("2027-03-03", c.MatchMentor(mentor=MENTOR)).when("2027-03-20", c.EndMentor())
    yield life.when("2027-03-21", c.ProposeMentor(mentor=MENTOR)).when("2027-03-22", c.DeclineMentor(mentor=MENTOR))
    for kind in (c.AcceptReferral, c.DeclineReferral, c.CancelReferral):
        life = released().when("2027-03-02", c.SendReferral(partner=PARTNER, purpose="care"))
        yield life.when("2027-03-03", kind(referral=life.referral))
    life = released().when("2027-03-02", c.GiveConsent(partner=PARTNER, purpose="care"))
    life.when("2027-03-02", c.SendReferral(partner=PARTNER, purpose="job")).when("2027-03-20")
    life.when("2027-03-20", c.WithdrawConsent(partner=PARTNER, purpose="care"))
    life.when("2027-03-21", c.RecordSituation(situation="housing", value="own"))
    yield life.when("2027-03-22", c.Correct(what="situation", id="housing", to="none"))
    life = released().when("2027-03-02", c.OptOut()).when("2027-03-03", c.OptIn())
    life.when("2027-03-04", c.PauseMessages(until=day("2027-03-05"))).when("2027-03-08", c.RequestErasure())
    message = life.last("MessageDue").message
    for said in ("bounced", "delivered"):
        life.when("2027-03-08 13:00", c.RecordReceipt(of="message", id=message, said=said))
    yield (
        life.when("2027-03-07", c.RecordWishes(channel="sms", language="en"))
        .when("2027-03-08", c.Resume())
        .when("2027-03-08 22:00", c.RequestErasure())
        .when("2027-03-09", c.RecordDeath())
    )
    yield released().when("2027-03-02", c.Erase(reason="person-asked"))
    for answer in ("failed", "unknown"):
        yield released(deliver=(answer, "")).when("2027-03-05", request())


def test_every_kind_is_produced_by_a_decision() -> None:
    produced = {event.kind for life in lives() for event in life.events}
    assert sorted(KINDS.keys() - produced) == []
    assert produced <= KINDS.keys()
