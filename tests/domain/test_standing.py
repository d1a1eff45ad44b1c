"""What staff, a mentor or a partner is asked in the evening and nobody awaits any more in the morning is not asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from journeys.domain import commands as c
from tests.domain.given import (
    FINANCE,
    FINANCE_2,
    MENTOR,
    OTHER_MENTOR,
    OTHER_REFERENT,
    PARTNER,
    PERSON,
    Life,
    by,
    paris,
    released,
)
from tests.domain.test_chases import close
from tests.domain.test_grants import approve, approved, on_grant, request
from tests.domain.test_payments import on_receipt
from tests.domain.test_summons import answer, move, summoned

EVENING = "2027-03-02 20:30"
LATER, MORNING = timedelta(minutes=30), timedelta(hours=13)


def evening(*asked: Any) -> Life:
    return released().when(EVENING, *asked)


def referred() -> Life:
    return released().when("2027-03-02 09:00", c.GiveConsent(partner=PARTNER, purpose="care")).when(
        EVENING, c.SendReferral(partner=PARTNER, purpose="care")
    )  # fmt: skip


def proposed() -> Life:
    return evening(c.ProposeMentor(mentor=MENTOR), c.ProposeMentor(mentor=OTHER_MENTOR))


def mentor_lost() -> Life:
    return evening(c.ProposeMentor(mentor=MENTOR)).when(EVENING, by(MENTOR, c.DeclineMentor(mentor=MENTOR)))


def transfer() -> Life:
    return evening(c.Transfer(to=OTHER_REFERENT))


def asked() -> Life:
    return evening(request())


def returned() -> Life:
    return asked().when(EVENING, by(FINANCE, on_grant(c.ReturnGrant)))


def submitted() -> Life:
    return approved().when(EVENING, on_receipt(c.SubmitReceipt, amount=16_500))


def refused() -> Life:
    return submitted().when(EVENING, by(FINANCE, on_receipt(c.RefuseReceipt)))


def unreminded() -> Life:
    """A summons is moved of which the person wants to hear nothing: the referent is to say it by voice."""
    life = summoned().when("2027-03-11 10:00", answer("other-time"), by(PERSON, c.OptOut()))
    return life.when("2027-03-11 20:30", move)


def move_on(life: Life) -> c.MoveAppointment:
    return c.MoveAppointment(appointment=life.appointment, at=paris("2027-03-24 10:00"))


def ended(life: Life, template: str) -> list[str]:
    """What became of each message by this template: sent, or why not."""
    mine = {due.message for due in life.all("MessageDue", template=template)}
    return [
        getattr(event.data, "reason", "sent")
        for event in life.events
        if event.kind in ("MessageSent", "MessageSuppressed") and getattr(event.data, "message", "") in mine
    ]


CASES: dict[str, tuple[Callable[[], Life], Any, str, list[str]]] = {
    "consent withdrawn": (
        referred, c.WithdrawConsent(partner=PARTNER, purpose="care"), "referral-sent", ["settled"],
    ),
    "referral cancelled": (
        referred, lambda life: c.CancelReferral(referral=life.referral), "referral-sent", ["settled"],
    ),
    "referral, journey closed": (referred, c.Close(outcome="moved"), "referral-sent", ["settled"]),
    "another mentor": (proposed, c.MatchMentor(mentor=OTHER_MENTOR), "mentor-proposed", ["settled", "settled"]),
    "one mentor declines": (
        proposed, by(MENTOR, c.DeclineMentor(mentor=MENTOR)), "mentor-proposed", ["settled", "sent"],
    ),
    "no mentor wanted": (mentor_lost, c.Close(outcome="moved"), "mentor-wanted", ["settled"]),
    "transfer cancelled": (transfer, c.CancelTransfer(), "transfer-asked", ["settled"]),
    "grant cancelled": (asked, on_grant(c.CancelGrant), "approval-wanted", ["settled", "settled"]),
    "grant changed": (
        asked, on_grant(c.ChangeGrant, amount=40_000), "approval-wanted", ["settled", "settled", "sent", "sent"],
    ),
    "one role approved": (asked, approve(FINANCE), "approval-wanted", ["settled", "sent"]),
    "sent back": (asked, by(FINANCE, on_grant(c.ReturnGrant)), "approval-wanted", ["settled", "settled"]),
    "mended": (returned, on_grant(c.ChangeGrant, amount=40_000), "grant-returned", ["settled"]),
    "receipt answered": (submitted, by(FINANCE, on_receipt(c.RefuseReceipt)), "receipt-submitted", ["settled"]),
    "receipt shown again": (refused, on_receipt(c.SubmitReceipt, amount=16_500), "receipt-refused", ["settled"]),
    "summons called off": (unreminded, lambda life: close(life, "cancelled"), "summons-unreminded", ["settled"]),
    "summons moved on": (unreminded, move_on, "summons-unreminded", ["settled", "sent"]),
    "nothing has changed": (asked, c.AddNote(), "approval-wanted", ["sent", "sent"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_not_asked_once_it_is_settled(case: str) -> None:
    begun, undone, template, became = CASES[case]
    life = begun()
    life.when(life.now + LATER, undone).when(life.now + MORNING)
    assert ended(life, template) == became


@pytest.mark.parametrize(("closed", "again"), [(False, 1), (True, 0)])
def test_who_of_several_was_put_off_is_owed_it_alone_while_it_stands(closed: bool, again: int) -> None:
    life = released(deliver=None).when("2027-03-02 10:00", request())
    seq, effect = next((seq, each) for seq, each in life.state.effects.items() if each.data.get("to") == "finance")
    if closed:
        life.when("2027-03-02 10:01", c.Close(outcome="moved"))
    life.outcome("2027-03-02 10:02", seq, "sent", "mail", until="2027-03-02 10:17", put_off=(FINANCE_2,))
    assert len(life.all("MessageDue", to="finance", person=FINANCE_2, occurrence=effect.data["occurrence"])) == again
    life.when("2027-03-02 10:18")
    waiting = [each for each in life.state.effects.values() if each.data.get("person") == FINANCE_2]
    assert len(waiting) == again


def test_each_goes_out_where_nothing_has_changed() -> None:
    for begun, template in {
        referred: "referral-sent", proposed: "mentor-proposed", mentor_lost: "mentor-wanted",
        transfer: "transfer-asked", returned: "grant-returned", submitted: "receipt-submitted",
        refused: "receipt-refused", unreminded: "summons-unreminded",
    }.items():  # fmt: skip
        life = begun()
        assert set(ended(life.when(life.now + MORNING), template)) == {"sent"}, template
