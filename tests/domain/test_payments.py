"""Payments: reserved once, instructed at most once, looked up until known; and the receipts that justify them."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from journeys.domain import commands as c
from journeys.domain.decide import Outcome, Tick, decide
from journeys.domain.fund import Account, FundState, Move, Reservation, after, postings, refusal
from journeys.domain.offer import make_offer
from tests.domain.given import FINANCE, REFERENT, SUPERVISOR, Answer, Life, by, paris, released, said
from tests.domain.test_grants import approve, approved, on_grant, request


def small(**world: Any) -> Life:
    """An emergency of 100 EUR, approved at 11:00 on 2 March and paid at once in one instalment."""
    life = released(**world).when("2027-03-02 10:00", request(10_000, "emergency", "food"))
    return life.when("2027-03-02 11:00", approve(SUPERVISOR))


def on_payment(kind: type[c.Body]) -> object:
    return lambda life: kind(payment=life.payment)  # type: ignore[call-arg]


def heard(said_: str) -> object:
    return lambda life: c.RecordReceipt(of="payment", id=life.payment, said=said_)


def refused_by_the_fund(life: Life, at: str) -> Life:
    """What the loop does when the fund refuses the reservation that is due."""
    while not life.all("PaymentBlocked"):
        offer = make_offer(life.state, life.book, (), (), paris(at), blocked="fund-cap")
        life.state = offer.state
        life.events += offer.events
    return life


# --- instalments


def test_each_instalment_is_reserved_on_its_day_when_the_office_opens() -> None:
    """One month after release is 1 April; two months are Saturday 1 May, a holiday: Monday the 3rd."""
    life = approved()
    assert [data.amount for data in life.all("PaymentReserved")] == [16_500]
    life.when("2027-04-01 09:00").then(said("PaymentReserved", number=2, amount=16_500), also=True)
    life.when("2027-05-03 09:00").then(said("PaymentReserved", number=3, amount=17_000), also=True)
    assert life.last("GrantCompleted").grant == life.grant
    assert life.all("MilestoneReached", milestone="grant-used", how="grant settled")


def test_a_payment_is_due_also_while_suspended() -> None:
    approved().when("2027-03-03", c.Suspend(why="custody")).when("2027-04-01 09:00").then("PaymentReserved", also=True)


def test_an_offer_reserves_one_payment_and_is_marked_as_money() -> None:
    life = approved()
    offer = make_offer(life.state, life.book, (), (), paris("2027-05-03 09:00"))
    while offer.events and not offer.money:
        offer = make_offer(offer.state, life.book, (), (), paris("2027-05-03 09:00"))
    assert [event.kind for event in offer.events].count("PaymentReserved") == 1


def test_refused_by_the_fund_it_is_blocked_and_finance_is_called() -> None:
    life, now = approved().when("2027-04-01 08:59"), paris("2027-04-01 09:00")
    ahead = make_offer(life.state, life.book, (), (), now, blocked="fund-cap")
    assert [event.kind for event in ahead.events] == ["ContactDue"]  # a payment is due last, in an offer of its own
    offer = make_offer(ahead.state, life.book, (), (), now, blocked="fund-cap")
    kinds = [event.kind for event in offer.events]
    assert kinds[:2] == ["PaymentBlocked", "EscalationRaised"]
    assert "PaymentReserved" not in kinds
    assert not offer.money
    assert offer.state.payments[offer.events[0].data.payment].status == "blocked"  # type: ignore[attr-defined]


# --- what the bank answers


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        ("settled", ["PaymentInstructed", "PaymentSettled", "GrantCompleted", "MilestoneReached"]),
        ("accepted", ["PaymentInstructed", said("PaymentAccepted", look_at="2027-03-03 09:00")]),
        ("unknown", ["PaymentInstructed", said("PaymentUnknown", look_at="2027-03-02 11:16")]),
        ("rejected", ["PaymentInstructed", "PaymentRejected", said("EscalationRaised", ladder="urgent", money=True)]),
        ("unsent", [said("PaymentHeld", retry_at="2027-03-02 11:16")]),
    ],
)
def test_the_outcome_of_the_one_instruction(answer: str, kinds: list[object]) -> None:
    small(instruct=None).when("2027-03-02 11:01", Answer("instruct", answer)).then(*kinds)  # type: ignore[arg-type]


def test_why_it_could_not_leave_is_kept_and_told() -> None:
    held = Answer("instruct", "unsent", "bank-unreachable")
    life = small(instruct=None).when("2027-03-02 11:01", held)
    life.then(said("PaymentHeld", reason="bank-unreachable"))


def test_unknown_is_looked_up_and_never_instructed_again() -> None:
    life = small(instruct=None, enquire=None).when("2027-03-02 11:01", Answer("instruct", "unknown"))
    life.when("2027-03-02 11:16").then("PaymentEnquired")
    life.when("2027-03-02 11:17", Answer("enquire", "unknown")).then(
        "PaymentLookedUp", said("PaymentUnknown", look_at="2027-03-03 09:00"), "EscalationRaised"
    )
    life.when("2027-03-03 09:00").then("PaymentEnquired", also=True)
    life.when("2027-03-03 09:01", Answer("enquire", "settled")).then(
        "PaymentLookedUp",
        "PaymentSettled",
        said("EscalationResolved", how="settled"),
        "GrantCompleted",
        "MilestoneReached",
    )
    assert len(life.all("PaymentInstructed")) == 1


def test_held_because_nothing_left_it_goes_out_again() -> None:
    life = small(instruct=None).when("2027-03-02 11:01", Answer("instruct", "unsent"))
    life.when("2027-03-02 11:16").then("PaymentReleased")
    life.when("2027-03-02 11:17", Answer("instruct", "settled")).then("PaymentInstructed", "PaymentSettled", also=True)
    assert len(life.all("PaymentInstructed")) == 1


def test_held_for_more_than_a_working_day_it_is_a_matter_for_finance() -> None:
    """Tried every quarter of an hour until the office opens on the next day; then once a working day."""
    life = small(instruct=("unsent", "")).when("2027-03-03 08:59").never("EscalationRaised")
    life.when("2027-03-03 09:00").then("PaymentReleased", also=True)
    assert life.all("EscalationRaised", to="finance", ladder="urgent", money=True)
    tries = len(life.all("PaymentHeld"))
    life.when("2027-03-04 08:59")
    assert len(life.all("PaymentHeld")) == tries
    life.when("2027-03-05 12:00")
    assert len(life.all("PaymentHeld")) == tries + 2
    assert len(life.all("EscalationRaised", money=True)) == 1


def test_what_was_held_and_goes_out_ends_its_escalation() -> None:
    life = small(instruct=("unsent", "")).when("2027-03-03 12:00")
    life.world["instruct"] = ("settled", "")
    life.when("2027-03-04 09:00")
    assert life.all("EscalationResolved", how="settled")
    assert len(life.all("PaymentInstructed")) == 1


def test_what_was_held_and_is_cancelled_ends_its_escalation() -> None:
    life = small(instruct=("unsent", "")).when("2027-03-03 12:00")
    life.when("2027-03-03 12:01", on_payment(c.CancelPayment)).then(
        "PaymentCancelled", said("EscalationResolved", how="cancelled")
    )


def test_an_outcome_told_twice_changes_nothing() -> None:
    life = small()
    effect = life.events[[event.kind for event in life.events].index("PaymentReserved")].seq
    assert decide(life.state, Outcome(effect, "rejected"), life.now, life.book).events == ()  # type: ignore[union-attr]
    assert decide(life.state, Tick(), life.now, life.book).events == ()  # type: ignore[union-attr]


def test_what_the_bank_says_later_of_its_own_accord() -> None:
    life = small(instruct=("accepted", ""))
    life.when("2027-03-02 15:00", heard("settled")).then("PaymentSettled", "GrantCompleted", "MilestoneReached")
    life.when("2027-03-09 15:00", heard("returned")).then("PaymentReturned", "EscalationRaised")
    life.when("2027-03-09 15:00", heard("settled")).refused("payment-settled", status="returned")
    small(instruct=("accepted", "")).when("2027-03-02 15:00", heard("rejected")).then(
        "PaymentRejected", "EscalationRaised"
    )


def test_what_came_back_may_be_paid_again_with_new_approvals_as_a_new_payment() -> None:
    life = small().when("2027-03-09 15:00", heard("returned"))
    life.when("2027-03-10 10:00", by(FINANCE, on_grant(c.ChangeGrant), payee="FR76 2")).refused("no-right")
    life.when("2027-03-10 10:00", by(SUPERVISOR, on_grant(c.ChangeGrant), payee="FR76 2")).then(
        "GrantReopened", "MessageDue"
    )
    life.when("2027-03-10 11:00", approve(SUPERVISOR)).refused("editor-approval")


def test_a_payment_rejected_twice_is_three_payments_with_three_ids() -> None:
    """The same content gives the same digest; the payment is another one all the same."""
    life = small(instruct=("rejected", "closed account"))
    for at in ("2027-03-03", "2027-03-04"):
        life.when(f"{at} 10:00", on_grant(c.ChangeGrant)).then("GrantReopened", "MessageDue")
        life.when(f"{at} 11:00", approve(SUPERVISOR)).then("GrantApprovalGiven", "GrantApproved", "PaymentReserved")
    assert len({data.digest for data in life.all("PaymentReserved")}) < 3
    assert len({data.payment for data in life.all("PaymentReserved")}) == 3


def test_finance_settles_by_hand_what_the_bank_does_not_say() -> None:
    life = small(instruct=("unknown", ""), enquire=None)
    life.when("2027-03-02 12:00", on_payment(c.SettlePayment)).then(
        "PaymentSettledByHand", "GrantCompleted", "MilestoneReached"
    )
    life.when("2027-03-02 12:00", on_payment(c.SettlePayment)).refused("payment-settled")
    life.when("2027-03-02 13:00", Answer("enquire", "rejected")).then("PaymentLookedUp")


def test_finance_says_that_what_nobody_knows_of_was_never_paid_and_it_is_replaced() -> None:
    life = small(instruct=("unknown", ""), enquire=None)
    never = lambda life: c.SettlePayment(payment=life.payment, fate="never-paid")  # noqa: E731
    life.when("2027-03-02 12:00", never).then(said("PaymentRejected", reason="never-paid"))
    life.when("2027-03-02 12:00", never).refused("payment-settled")
    life.when("2027-03-03 10:00", on_grant(c.ChangeGrant)).when("2027-03-03 11:00", approve(SUPERVISOR))
    assert len(life.all("PaymentReserved")) == 2


def test_only_what_has_not_left_can_be_cancelled_and_only_what_has_left_settled() -> None:
    life = small(instruct=None).when("2027-03-02 11:01", on_payment(c.CancelPayment)).refused("payment-left")
    life.when("2027-03-02 11:02", on_payment(c.SettlePayment)).refused("payment-settled", status="reserved")
    life.when("2027-03-02 11:03", Answer("instruct", "unsent"))
    life.when("2027-03-02 11:04", on_payment(c.CancelPayment)).then("PaymentCancelled")
    life.when("2027-03-02 12:00").then()


# --- what waits where a channel put it, and doubts about the account


def test_what_waits_in_a_file_is_asked_about_when_patience_ends_and_never_instructed_again() -> None:
    """Three working days from Tuesday 2 March are Friday the 5th."""
    life = small(instruct=("queued", ""), enquire=("queued", ""))
    assert life.all("PaymentInstructed", look_at="2027-03-05 09:00")
    life.when("2027-03-05 08:59").never("EscalationRaised")
    life.when("2027-03-05 09:00").then("PaymentEnquired", also=True)
    assert life.all("PaymentLookedUp", look_at="2027-03-08 09:00")
    assert life.all("EscalationRaised", to="finance", money=True)
    life.when("2027-03-12 12:00")
    assert len(life.all("PaymentInstructed")) == 1
    assert len(life.all("EscalationRaised", money=True)) == 1
    life.when("2027-03-12 13:00", heard("settled")).then("PaymentSettled", "EscalationResolved", also=True)


def test_finance_answers_a_doubt_about_the_account() -> None:
    life = small(instruct=("accepted", ""))
    settle = lambda decision: lambda life: c.SettleDoubt(payment=life.payment, decision=decision)  # noqa: E731
    life.when("2027-03-02 12:00", settle("keep")).refused("no-doubt")
    life.when("2027-03-02 12:00", heard("no-match")).then(
        said("PaymentDoubted", answer="no-match"), said("EscalationRaised", to="finance")
    )
    life.when("2027-03-02 13:00", settle("withdraw")).then("PaymentDoubtSettled", "EscalationResolved")
    assert life.state.payments[life.payment].status.open
    life.when("2027-03-02 14:00", heard("rejected")).then("PaymentRejected", "EscalationRaised")


def test_what_was_blocked_is_called_for_again_under_every_rule() -> None:
    life = refused_by_the_fund(approved().when("2027-04-01 08:59"), "2027-04-01 09:00")
    blocked = life.all("PaymentBlocked")[0]
    life.when("2027-04-01 10:00", lambda _: c.RetryPayment(payment=blocked.payment)).then(
        "PaymentRetried", "EscalationResolved", said("PaymentReserved", number=blocked.number), also=True
    )
    life.when("2027-04-01 10:00", lambda _: c.RetryPayment(payment=blocked.payment)).refused("payment-not-blocked")
    life.when("2027-05-10")
    assert [data.number for data in life.all("PaymentReserved")] == [1, 2, 3]
    assert sum(data.amount for data in life.all("PaymentReserved")) == life.state.grants[life.grant].amount


def test_a_payment_that_makes_another_good_names_it() -> None:
    life = small().when("2027-03-09 15:00", heard("returned"))
    first = life.payment
    life.when("2027-03-10 10:00", on_grant(c.ChangeGrant)).when("2027-03-10 11:00", approve(SUPERVISOR))
    assert [data.replaces for data in life.all("PaymentReserved")] == [None, first]


def test_nothing_is_paid_until_somebody_could_see_that_the_payee_was_changed() -> None:
    """Two working days from Wednesday 10 March are Friday the 12th."""
    life = small().when("2027-03-09 15:00", heard("returned"))
    life.when("2027-03-10 10:00", by(REFERENT, on_grant(c.ChangeGrant), payee="FR76 2"))
    life.when("2027-03-10 11:00", approve(SUPERVISOR)).then("GrantApprovalGiven", "GrantApproved")
    life.when("2027-03-12 17:59")
    assert len(life.all("PaymentReserved")) == 1
    life.when("2027-03-12 18:00").then("PaymentReserved", also=True)


# --- receipts


def on_receipt(kind: type[c.Body], **fields: object) -> object:
    return lambda life: kind(receipt=next(iter(life.state.receipts)), **fields)  # type: ignore[call-arg]


def paid() -> Life:
    """The first 165 EUR of a bourse, settled at 12:00 on 2 March; a receipt is owed within 30 days."""
    return approved()


def test_a_receipt_is_owed_for_what_was_paid() -> None:
    life = paid()
    assert life.all("ReceiptDue", amount=16_500, by="2027-04-01 18:00")
    life.when("2027-03-10", on_receipt(c.SubmitReceipt, amount=16_000)).then(
        "ReceiptSubmitted", said("MessageDue", to="finance")
    )
    life.when("2027-03-10", on_receipt(c.SubmitReceipt, amount=16_000)).refused("receipt-submitted")
    life.when("2027-03-11", on_receipt(c.RefuseReceipt)).then("ReceiptRefused", said("MessageDue", to="referent"))
    life.when("2027-03-12", on_receipt(c.SubmitReceipt, amount=16_500)).then("ReceiptSubmitted", "MessageDue")
    life.when("2027-03-13", on_receipt(c.AcceptReceipt)).then(said("ReceiptAccepted", amount=16_500))
    life.when("2027-03-13", on_receipt(c.AcceptReceipt)).refused("receipt-settled", how="accepted")


def test_a_receipt_that_does_not_come_escalates() -> None:
    life = paid().when("2027-04-01 18:00").then("ReceiptOverdue", said("EscalationRaised", money=True), also=True)
    life.when("2027-04-02", on_receipt(c.WaiveReceipt)).then("ReceiptWaived", said("EscalationResolved", how="waived"))


def test_a_receipt_that_finance_does_not_answer_escalates_to_finance() -> None:
    """10 working days from Wednesday 10 March are Wednesday 24 March."""
    life = paid().when("2027-03-10 10:00", on_receipt(c.SubmitReceipt, amount=16_500))
    assert life.all("ReceiptSubmitted", answer_by="2027-03-24 18:00")
    life.when("2027-03-24 17:59").never("EscalationRaised")
    life.when("2027-03-24 18:00").then(
        "ReceiptUnanswered",
        said("EscalationRaised", to="finance", fallback=["referent", "supervisor"], money=True),
        also=True,
    )
    life.when("2027-03-25 10:00", on_receipt(c.AcceptReceipt)).then("ReceiptAccepted", "EscalationResolved")


def test_a_receipt_accepted_in_part_leaves_the_rest_owed_by_a_new_day() -> None:
    """30 days from 11 March are 10 April."""
    life = paid().when("2027-03-10", on_receipt(c.SubmitReceipt, amount=16_000))
    life.when("2027-03-11", on_receipt(c.AcceptReceipt, amount=16_001)).refused("receipt-amount")
    life.when("2027-03-11", on_receipt(c.AcceptReceipt, amount=10_000)).then(
        said("ReceiptPartAccepted", amount=10_000, by="2027-04-10 18:00"), said("MessageDue", to="referent")
    )
    life.when("2027-03-12", on_receipt(c.SubmitReceipt, amount=6_501)).refused("receipt-amount")
    life.when("2027-04-10 18:00").then("ReceiptOverdue", also=True)
    life.when("2027-04-11", on_receipt(c.SubmitReceipt, amount=6_500)).when(
        "2027-04-12", on_receipt(c.AcceptReceipt)
    ).then(said("ReceiptAccepted", amount=6_500))


def receipts_alert(life: Life) -> list[str]:
    """Who is told that a receipt is late."""
    return [known.to for known in life.state.escalations.values() if known.about.kind == "receipt"]


def test_an_alert_about_a_late_receipt_ends_when_it_comes_and_finance_has_one_of_its_own() -> None:
    life = paid().when("2027-04-02")
    assert receipts_alert(life) == ["referent"]
    life.when("2027-04-05 10:00", on_receipt(c.SubmitReceipt, amount=16_500)).then(
        "ReceiptSubmitted", said("EscalationResolved", how="receipt-submitted"), said("MessageDue", to="finance")
    )
    assert receipts_alert(life.when("2027-04-19 12:00")) == []
    assert receipts_alert(life.when("2027-04-20")) == ["finance"]


def test_a_late_receipt_that_is_refused_is_late_again() -> None:
    life = paid().when("2027-04-02").when("2027-04-05 10:00", on_receipt(c.SubmitReceipt, amount=16_500))
    assert receipts_alert(life.when("2027-04-20")) == ["finance"]
    life.when("2027-04-20 13:00", on_receipt(c.RefuseReceipt)).then(
        "ReceiptRefused", said("EscalationResolved", how="receipt-refused"), said("EscalationRaised", to="referent"),
        said("MessageDue", to="referent"),
    )  # fmt: skip
    life = paid().when("2027-03-10", on_receipt(c.SubmitReceipt, amount=16_500))
    life.when("2027-03-11", on_receipt(c.RefuseReceipt)).never("EscalationRaised")


def test_money_that_came_back_needs_no_receipt() -> None:
    life = paid()
    life.when("2027-03-10", heard("returned")).then(
        "PaymentReturned", said("ReceiptWaived", why="returned"), "EscalationRaised"
    )


def test_a_receipt_refused_waits_for_finance_no_more() -> None:
    life = paid().when("2027-03-10", on_receipt(c.SubmitReceipt, amount=16_000))
    life.when("2027-03-11", on_receipt(c.RefuseReceipt)).when("2027-03-30")
    assert not life.all("ReceiptUnanswered")
    life.when("2027-04-01 18:00").then("ReceiptOverdue", also=True)


@pytest.mark.parametrize("cents", [0, 16_501])
def test_a_receipt_is_for_no_more_than_was_paid(cents: int) -> None:
    paid().when("2027-03-10", on_receipt(c.SubmitReceipt, amount=cents)).refused("receipt-amount")


def test_a_receipt_is_accepted_after_it_was_submitted() -> None:
    paid().when("2027-03-10", on_receipt(c.AcceptReceipt)).refused("receipt-not-submitted")
    paid().when("2027-03-10", on_receipt(c.RefuseReceipt)).refused("receipt-not-submitted")


# --- the fund


MAY = date(2027, 5, 12)
FUND = FundState("parvis", available=100_000, cap_per_person=120_000, committed=60_000)


@pytest.mark.parametrize(
    ("fund", "amount", "code"),
    [
        (FUND, 60_000, None), (FUND, 60_001, "person-cap"), (FUND, 0, "nothing-to-pay"), (None, 1, "unknown-fund"),
        (FundState("parvis", 100, None, 10**9), 100, None), (FundState("parvis", 100, None, 0), 101, "fund-cap"),
        (replace(FUND, first_day=MAY), 1, None), (replace(FUND, last_day=MAY), 1, None),
        (replace(FUND, first_day=MAY + timedelta(days=1)), 1, "fund-period"),
        (replace(FUND, last_day=MAY - timedelta(days=1)), 1, "fund-period"),
        (replace(FUND, purposes=("rent", "transport")), 1, None),
        (replace(FUND, purposes=("rent",)), 1, "fund-purpose"),
        (replace(FUND, closed=True), 1, "fund-closed"),
    ],
)  # fmt: skip
def test_what_a_fund_refuses(fund: FundState | None, amount: int, code: str | None) -> None:
    reservation = Reservation("p", "parvis", "person", amount)
    assert refusal(fund, reservation, purpose="transport", on=MAY) == code


def test_what_comes_back_after_it_was_justified_takes_both_accounts_back() -> None:
    assert postings(Move.RETURNED, 100, justified=40) == {
        Account.PAID: -60, Account.JUSTIFIED: -40, Account.AVAILABLE: 100
    }  # fmt: skip
    assert after(FUND, Move.JUSTIFIED, 100) == FUND


@pytest.mark.parametrize("move", list(Move))
def test_every_ledger_transaction_balances(move: Move) -> None:
    assert sum(postings(move, 12_345).values()) == 0


def test_what_comes_back_is_available_again_and_counts_no_more() -> None:
    reserved = after(FUND, Move.RESERVED, 10_000)
    assert (reserved.available, reserved.committed) == (90_000, 70_000)
    settled = after(reserved, Move.SETTLED, 10_000)
    assert (settled.available, settled.committed) == (90_000, 70_000)
    assert after(settled, Move.RETURNED, 10_000) == FUND
    assert after(reserved, Move.REJECTED, 10_000) == FUND
    assert postings(Move.TOPPED_UP, 5)[Account.AVAILABLE] == 5
