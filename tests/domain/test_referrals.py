"""Referrals to partners: sent, answered, expired; named only with the person's consent."""

from journeys.domain import commands as c
from tests.domain.given import OTHER_MENTOR, PARTNER, Life, by, released, said

SEND = c.SendReferral(partner=PARTNER, purpose="care")


def sent() -> Life:
    return released().when("2027-03-02 10:00", SEND)


def answer(kind: type[c.Body]) -> object:
    return lambda life: kind(referral=life.referral)  # type: ignore[call-arg]


def test_without_consent_a_referral_carries_no_name() -> None:
    sent().then(
        said("ReferralSent", named=False, answer_by="2027-03-16 18:00"),
        said("MessageDue", to="partner", person=PARTNER),
    )


def test_consent_is_per_partner_and_purpose() -> None:
    life = released().when("2027-03-02 09:00", c.GiveConsent(partner=PARTNER, purpose="care")).then("ConsentGiven")
    life.when("2027-03-02 10:00", SEND).then(said("ReferralSent", named=True), also=True)
    life.when("2027-03-02 10:00", c.SendReferral(partner=PARTNER, purpose="job")).then(
        said("ReferralSent", named=False), also=True
    )


def test_consent_withdrawn_cancels_the_referral() -> None:
    life = (
        released()
        .when("2027-03-02 09:00", c.GiveConsent(partner=PARTNER, purpose="care"))
        .when("2027-03-02 10:00", SEND)
    )
    life.when("2027-03-03", c.WithdrawConsent(partner=PARTNER, purpose="care")).then(
        "ConsentWithdrawn", said("ReferralCancelled", why="consent-withdrawn")
    )
    life.when("2027-03-03", c.WithdrawConsent(partner=PARTNER, purpose="care")).refused("no-consent")


def test_the_partner_referred_to_answers() -> None:
    life = sent()
    life.when("2027-03-03", by(OTHER_MENTOR, answer(c.AcceptReferral), roles=("partner",))).refused("no-right")
    life.when("2027-03-03", by(PARTNER, answer(c.AcceptReferral))).then("ReferralAccepted")
    life = sent().when("2027-03-03", by(PARTNER, answer(c.DeclineReferral)))
    life.then("ReferralDeclined", said("MessageDue", template="referral-declined", to="referent"))


def test_a_referral_without_answer_expires_and_escalates() -> None:
    sent().when("2027-03-16 18:00").then("ReferralExpired", said("EscalationRaised", ladder="follow-up"), also=True)


def test_a_referral_is_open_once_and_settled_once() -> None:
    life = sent().when("2027-03-03", SEND).refused("referral-open")
    id = life.referral
    life.when("2027-03-03", answer(c.CancelReferral)).then(said("ReferralCancelled", why="by-hand"))
    life.when("2027-03-03", by(PARTNER, c.AcceptReferral(referral=id), roles=("partner", "supervisor"))).refused(
        "unknown-referral"
    )
