"""Grants: asked, decided by distinct people bound to what they saw, returned, changed, reopened, expired."""

from collections.abc import Callable
from typing import Any

import pytest

from journeys.domain import commands as c
from tests.domain.given import (
    DUTY,
    FINANCE,
    FINANCE_2,
    OTHER_REFERENT,
    REFERENT,
    SUPERVISOR,
    Asked,
    Life,
    by,
    released,
    said,
)


def request(cents: int = 50_000, kind: str = "bourse", purpose: str = "training", payee: str = "FR76 1") -> Asked:
    return by(REFERENT, c.RequestGrant(grant=kind, purpose=purpose, amount=cents), payee=payee)


def approve(actor: str, roles: tuple[str, ...] | None = None) -> Asked:
    def body(life: Life) -> c.Body:
        return c.ApproveGrant(grant=life.grant, digest=life.state.grants[life.grant].digest)

    return by(actor, body, roles=roles)


def on_grant(kind: Callable[..., c.Body], **fields: object) -> Callable[[Life], c.Body]:
    return lambda life: kind(grant=life.grant, **fields)


def asked(cents: int = 50_000, **world: Any) -> Life:
    return released(**world).when("2027-03-02 10:00", request(cents))


def approved(cents: int = 50_000, **world: Any) -> Life:
    life = asked(cents, **world).when("2027-03-02 11:00", approve(SUPERVISOR))
    return life.when("2027-03-02 12:00", approve(FINANCE)) if cents > 30_000 else life


# --- asking


def test_a_request_names_its_level_its_instalments_and_its_term() -> None:
    """33, 33 and 34 %: the last instalment takes the rest of the cents."""
    life = released().when("2027-03-02 10:00", request(50_001)).then(
        said("GrantRequested", amount=50_001, fund="parvis", pay_by="sepa", approvals=["supervisor", "finance"],
             decide_by="2027-03-16 18:00"),
        said("MessageDue", purpose="approval", to="finance"), said("MessageDue", purpose="approval", to="supervisor"),
    )  # fmt: skip
    parts = life.last("GrantRequested").instalments
    assert [(part.amount, part.when) for part in parts] == [
        (16_500, None), (16_500, "1 month after release"), (17_001, "2 months after release"),
    ]  # fmt: skip


def test_asked_after_the_cut_off_the_term_begins_the_next_working_day() -> None:
    released().when("2027-03-02 14:00", request()).then(said("GrantRequested", decide_by="2027-03-17 18:00"), also=True)


@pytest.mark.parametrize(
    ("cents", "roles"),
    [
        (30_000, ["supervisor"]), (30_001, ["supervisor", "finance"]), (100_000, ["supervisor", "finance"]),
        (100_001, ["supervisor", "finance", "finance"]),
    ],
)  # fmt: skip
def test_the_amount_says_who_approves(cents: int, roles: list[str]) -> None:
    released().when("2027-03-02", request(cents)).then(said("GrantRequested", approvals=roles), also=True)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (c.RequestGrant(grant="yacht", purpose="training", amount=1), "unknown-grant"),
        (c.RequestGrant(grant="bourse", purpose="holidays", amount=1), "unknown-purpose"),
        (c.RequestGrant(grant="bourse", purpose="training", amount=0), "no-amount"),
        (c.RequestGrant(grant="bourse", purpose="training", amount=120_001), "over-cap"),
        (c.RequestGrant(grant="bourse", purpose="training", amount=1, pay_by="cash"), "unknown-channel"),
    ],
)
def test_what_cannot_be_asked(body: c.Body, code: str) -> None:
    released().when("2027-03-02", by(REFERENT, body, payee="FR76")).refused(code)


def test_the_cap_counts_what_the_person_has_in_this_journey() -> None:
    """What is asked counts; what was refused, or given up before it was paid, does not."""
    life = asked(100_000).when("2027-03-02 11:00", request(20_001)).refused("over-cap", cap=120_000, already=100_000)
    life.when("2027-03-02 11:00", request(20_000, purpose="equipment")).then("GrantRequested", also=True)
    life.when("2027-03-02 11:00", request(30_000, kind="emergency", purpose="food")).then("GrantRequested", also=True)
    life = asked(100_000).when("2027-03-02 11:00", by(SUPERVISOR, on_grant(c.RefuseGrant)))
    life.when("2027-03-02 12:00", request(120_000)).then("GrantRequested", also=True)
    life = approved(100_000).when("2027-03-02 13:00", on_grant(c.CancelGrant)).then(said("GrantEnded", why="by-hand"))
    life.when("2027-03-03 10:00", request(87_001)).refused("over-cap", already=33_000)
    life.when("2027-03-03 10:00", request(87_000)).then("GrantRequested", also=True)


# --- deciding


def test_distinct_people_of_the_roles_wanted_approve() -> None:
    life = (
        asked().when("2027-03-02 11:00", approve(SUPERVISOR)).then(said("GrantApprovalGiven", stands_for="supervisor"))
    )
    life.when("2027-03-02 12:00", approve(FINANCE)).then(
        said("GrantApprovalGiven", stands_for="finance"),
        "GrantApproved",
        said("PaymentReserved", number=1, amount=16_500),
    )


def test_a_role_wanted_twice_wants_two_people() -> None:
    life = asked(110_000).when("2027-03-02 11:00", approve(FINANCE)).when("2027-03-02 11:01", approve(FINANCE))
    life.refused("approved-already")
    life.when("2027-03-02 11:02", approve(SUPERVISOR)).then("GrantApprovalGiven")
    life.when("2027-03-02 11:03", approve(FINANCE_2)).then("GrantApprovalGiven", "GrantApproved", "PaymentReserved")


def test_a_role_that_is_filled_is_not_wanted_again() -> None:
    asked().when("2027-03-02 11:00", approve(FINANCE)).when("2027-03-02 11:01", approve(FINANCE_2)).refused(
        "role-not-wanted"
    )
    asked().when("2027-03-02 11:00", approve(DUTY)).refused("role-not-wanted", known="finance, supervisor")


def test_nobody_stands_for_two_roles() -> None:
    both = ("supervisor", "finance")
    life = (
        asked()
        .when("2027-03-02 11:00", approve(SUPERVISOR, both))
        .then(said("GrantApprovalGiven", stands_for="supervisor"))
    )
    life.when("2027-03-02 11:01", approve(SUPERVISOR, both)).refused("approved-already")


def test_the_requester_never_approves_in_whatever_role() -> None:
    life = released().when(
        "2027-03-02 10:00", by(SUPERVISOR, c.RequestGrant(grant="bourse", purpose="training", amount=9), payee="x")
    )
    life.when("2027-03-02 11:00", approve(SUPERVISOR)).refused("self-approval")
    asked().when("2027-03-02 11:00", approve(REFERENT, ("referent", "supervisor", "finance"))).refused("self-approval")


def test_who_last_set_the_payee_never_approves() -> None:
    life = (
        asked()
        .when("2027-03-02 11:00", by(SUPERVISOR, on_grant(c.ChangeGrant), payee="FR76 2"))
        .then(said("GrantChanged", payee_changed=True), "MessageDue", "MessageDue")
    )
    life.when("2027-03-02 12:00", approve(SUPERVISOR)).refused("editor-approval")
    life = asked().when("2027-03-02 11:00", by(SUPERVISOR, on_grant(c.ChangeGrant, amount=40_000)))
    life.when("2027-03-02 12:00", approve(SUPERVISOR)).then("GrantApprovalGiven")


def test_an_approval_is_bound_to_what_was_seen() -> None:
    life = asked()
    seen = life.state.grants[life.grant].digest
    life.when("2027-03-02 10:30", on_grant(c.ChangeGrant, amount=40_000))
    life.when("2027-03-02 11:00", by(SUPERVISOR, c.ApproveGrant(grant=life.grant, digest=seen))).refused(
        "digest-changed"
    )


@pytest.mark.parametrize(
    "edit",
    [
        by(REFERENT, lambda life: c.ChangeGrant(grant=life.grant, amount=49_999)),
        by(REFERENT, lambda life: c.ChangeGrant(grant=life.grant, purpose="equipment")),
        by(REFERENT, lambda life: c.ChangeGrant(grant=life.grant), payee="FR76 9"),
    ],
)
def test_any_edit_voids_every_approval_and_changes_the_digest(edit: Asked) -> None:
    life = asked().when("2027-03-02 11:00", approve(SUPERVISOR))
    before = life.state.grants[life.grant].digest
    life.when("2027-03-02 11:30", edit).then("GrantChanged", also=True)
    assert life.state.grants[life.grant].digest != before
    assert life.state.grants[life.grant].approvals == ()
    life.when("2027-03-02 12:00", approve(FINANCE)).then("GrantApprovalGiven")


def test_returned_it_waits_for_its_requester() -> None:
    life = asked().when("2027-03-02 11:00", approve(FINANCE))
    life.when("2027-03-02 11:00", by(SUPERVISOR, on_grant(c.ReturnGrant))).then(
        "GrantReturned", said("MessageDue", to="referent")
    )
    life.when("2027-03-02 12:00", approve(SUPERVISOR)).refused("grant-returned")
    life.when("2027-03-02 13:00", on_grant(c.ChangeGrant)).then("GrantChanged", "MessageDue", "MessageDue")
    life.when("2027-03-02 14:00", approve(SUPERVISOR)).then("GrantApprovalGiven")


def test_refused_it_is_over() -> None:
    life = asked().when("2027-03-02 11:00", by(FINANCE, on_grant(c.RefuseGrant)))
    life.then("GrantRefused", said("MessageDue", template="grant-refused"))
    life.when("2027-03-02 12:00", approve(SUPERVISOR)).refused("grant-over", how="refused")
    life.when("2027-03-02 12:00", on_grant(c.ChangeGrant)).refused("grant-over")
    life.when("2027-03-02 12:00", on_grant(c.CancelGrant)).refused("grant-over")


def test_undecided_in_time_it_expires_and_somebody_is_told() -> None:
    life = (
        asked()
        .when("2027-03-16 18:00")
        .then("GrantExpired", said("EscalationRaised", money=True, held=False), also=True)
    )
    life.when("2027-03-17", approve(SUPERVISOR)).refused("grant-over", how="expired")


def test_withdrawn_before_the_decision_it_is_cancelled() -> None:
    asked().when("2027-03-02 11:00", on_grant(c.CancelGrant)).then(said("GrantCancelled", why="by-hand"))


def test_a_decision_is_due_also_while_suspended() -> None:
    asked().when("2027-03-03", c.Suspend(why="custody")).when("2027-03-16 18:00").then("GrantExpired", also=True)


# --- changed after the approval


def test_an_edit_after_the_approval_reopens_it_and_the_unpaid_instalments_wait() -> None:
    life = (
        approved()
        .when("2027-03-10 10:00", on_grant(c.ChangeGrant, amount=60_000))
        .then(said("GrantReopened", amount=60_000, called=1), "MessageDue", "MessageDue")
    )
    parts = life.last("GrantReopened").instalments
    assert [part.amount for part in parts] == [16_500, 21_750, 21_750]
    life.when("2027-05-03")
    assert len(life.all("PaymentReserved")) == 1
    assert life.all("GrantExpired")


def test_reopened_and_approved_anew_the_rest_is_paid() -> None:
    life = approved().when("2027-03-10 10:00", on_grant(c.ChangeGrant, amount=60_000))
    life.when("2027-03-10 11:00", approve(SUPERVISOR)).when("2027-03-10 12:00", approve(FINANCE)).then(
        "GrantApprovalGiven", "GrantApproved"
    )
    life.when("2027-05-03")
    assert [data.amount for data in life.all("PaymentReserved")] == [16_500, 21_750, 21_750]
    assert life.all("GrantCompleted")


def test_reduced_to_what_was_paid_it_is_complete_with_its_approval() -> None:
    life = approved().when("2027-03-10 10:00", on_grant(c.ChangeGrant, amount=16_500))
    life.when("2027-03-10 11:00", approve(SUPERVISOR)).then(
        "GrantApprovalGiven", "GrantApproved", "GrantCompleted", "MilestoneReached"
    )


def test_it_is_not_reduced_below_what_was_paid_nor_changed_while_money_is_under_way() -> None:
    approved().when("2027-03-10", on_grant(c.ChangeGrant, amount=16_499)).refused("below-paid", paid=16_500)
    approved(instruct=None).when("2027-03-10", on_grant(c.ChangeGrant)).refused("payment-under-way")
    approved(instruct=None).when("2027-03-10", on_grant(c.CancelGrant)).refused("payment-under-way")


def test_somebody_elses_file_is_not_touched() -> None:
    asked().when("2027-03-02 11:00", by(OTHER_REFERENT, on_grant(c.ChangeGrant))).refused("no-right")
