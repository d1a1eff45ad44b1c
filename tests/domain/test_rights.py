"""Who may do what: the whole table, and what "own" means."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from journeys.domain import commands as c
from journeys.domain.commands import BODIES, INTERNAL
from journeys.domain.record import SYSTEM
from journeys.domain.rights import ROLES, Scope, right, uncovered
from tests.domain.given import (
    DUTY,
    FINANCE,
    MENTOR,
    OTHER_MENTOR,
    OTHER_REFERENT,
    PARTNER,
    PERSON,
    REFERENT,
    SUPERVISOR,
    Life,
    book_of,
    by,
    given,
    plan,
    released,
)

TABLE = """
                        referent  supervisor  finance  duty     mentor   partner  participant  administrator  auditor
plan                    own       allowed     -        -        -        -        -            -              -
expect-date             own       allowed     -        -        -        -        -            -              -
move-date               own       allowed     -        -        -        -        -            -              -
confirm-date            own       allowed     -        -        -        -        -            -              -
cancel-date             own       allowed     -        -        -        -        -            -              -
suspend                 own       allowed     -        -        -        -        -            -              -
resume                  own       allowed     -        -        -        -        -            -              -
close                   own       allowed     -        -        -        -        -            -              -
reopen                  -         allowed     -        -        -        -        -            -              -
correct                 own       allowed     -        -        -        -        -            -              -
change-programme        -         allowed     -        -        -        -        -            -              -
assign-referent         -         allowed     -        -        -        -        -            -              -
transfer                own       allowed     -        -        -        -        -            -              -
accept-transfer         own       allowed     -        -        -        -        -            -              -
decline-transfer        own       allowed     -        -        -        -        -            -              -
cancel-transfer         own       allowed     -        -        -        -        -            -              -
reach-milestone         own       allowed     -        -        -        -        -            -              -
waive-milestone         own       allowed     -        -        -        -        -            -              -
reschedule-milestone    own       allowed     -        -        -        -        -            -              -
add-evidence            own       allowed     -        -        own      -        -            -              -
add-note                own       allowed     -        -        own      -        -            -              -
log-contact             own       allowed     -        -        own      -        -            -              -
book-appointment        own       allowed     -        -        own      -        -            -              -
move-appointment        own       allowed     -        -        -        -        own          -              -
answer-appointment      own       allowed     -        -        -        -        own          -              -
close-appointment       own       allowed     -        -        own      -        -            -              -
note-chase              own       allowed     -        -        -        -        -            -              -
acknowledge-escalation  own       allowed     allowed  allowed  -        -        -            -              -
snooze-escalation       own       allowed     allowed  allowed  -        -        -            -              -
reassign-escalation     -         allowed     -        allowed  -        -        -            -              -
resolve-escalation      own       allowed     allowed  allowed  -        -        -            -              -
request-grant           own       allowed     -        -        -        -        -            -              -
change-grant            own       allowed     -        -        -        -        -            -              -
return-grant            -         allowed     allowed  allowed  -        -        -            -              -
approve-grant           -         allowed     allowed  allowed  -        -        -            -              -
refuse-grant            -         allowed     allowed  allowed  -        -        -            -              -
cancel-grant            own       allowed     -        -        -        -        -            -              -
settle-payment          -         -           allowed  -        -        -        -            -              -
cancel-payment          -         -           allowed  -        -        -        -            -              -
retry-payment           -         -           allowed  -        -        -        -            -              -
settle-doubt            -         -           allowed  -        -        -        -            -              -
submit-receipt          own       allowed     -        -        -        -        -            -              -
accept-receipt          -         -           allowed  -        -        -        -            -              -
refuse-receipt          -         -           allowed  -        -        -        -            -              -
waive-receipt           -         -           allowed  -        -        -        -            -              -
propose-mentor          own       allowed     -        -        -        -        -            -              -
match-mentor            own       allowed     -        -        own      -        -            -              -
decline-mentor          own       allowed     -        -        own      -        -            -              -
end-mentor              own       allowed     -        -        -        -        -            -              -
send-referral           own       allowed     -        -        -        -        -            -              -
accept-referral         own       allowed     -        -        -        own      -            -              -
decline-referral        own       allowed     -        -        -        own      -            -              -
cancel-referral         own       allowed     -        -        -        -        -            -              -
record-situation        own       allowed     -        -        -        -        -            -              -
measure-outcome         own       allowed     -        -        -        -        -            -              -
give-consent            own       allowed     -        -        -        -        -            -              -
withdraw-consent        own       allowed     -        -        -        -        -            -              -
pause-messages          own       allowed     -        -        -        -        own          -              -
resume-messages         own       allowed     -        -        -        -        own          -              -
opt-out                 own       allowed     -        -        -        -        own          -              -
opt-in                  own       allowed     -        -        -        -        own          -              -
record-wishes           own       allowed     -        -        -        -        own          -              -
record-death            own       allowed     -        -        -        -        -            -              -
request-erasure         own       allowed     -        -        -        -        -            allowed        -
"""
"""What is agreed. A change here is a change of who may do what: say so in the changelog."""


def _width(role: str) -> int:
    return max(len(role), 7) + 2


def rendered() -> str:
    written = {Scope.ALLOWED: "allowed", Scope.OWN: "own", Scope.NEVER: "-"}
    lines = ["".ljust(24) + "".join(role.ljust(_width(role)) for role in ROLES)]
    lines += [
        name.ljust(24) + "".join(written[right(role, name)].ljust(_width(role)) for role in ROLES)
        for name in BODIES
        if name not in INTERNAL
    ]
    return "\n".join(line.rstrip() for line in lines)


def test_the_whole_table() -> None:
    assert rendered() == TABLE.strip("\n")


def test_every_command_has_its_line() -> None:
    assert uncovered() == set()


def test_a_role_that_nobody_knows_may_do_nothing() -> None:
    assert all(right("visitor", name) is Scope.NEVER for name in BODIES)
    released().when("2027-03-02", by(REFERENT, c.AddNote(), roles=("visitor",))).refused("no-right", command="add-note")


NOTE, OUT = c.AddNote(), c.OptOut()
GRANT = c.RequestGrant(grant="bourse", purpose="training", amount=50_000)
START = datetime(2027, 1, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("actor", "body", "may"),
    [
        (REFERENT, NOTE, True), (OTHER_REFERENT, NOTE, False), (SUPERVISOR, NOTE, True), (FINANCE, NOTE, False),
        (DUTY, NOTE, False), (MENTOR, NOTE, True), (OTHER_MENTOR, NOTE, False), (PERSON, OUT, True),
        (PARTNER, OUT, False), (MENTOR, OUT, False), (SYSTEM, OUT, True), (SYSTEM, NOTE, False),
        (SYSTEM, c.ConfirmDate(date="jury"), True), (SYSTEM, c.Close(outcome="lost"), False),
    ],
)  # fmt: skip
def test_own_is_the_journey_that_one_leads_mentors_or_lives(actor: str, body: c.Body, may: bool) -> None:
    life = (
        released().when("2027-03-02", c.ProposeMentor(mentor=MENTOR)).when("2027-03-02", c.MatchMentor(mentor=MENTOR))
    )
    life.when("2027-03-03", by(actor, body))
    assert [refused.code for refused in life.refusals] == ([] if may else ["no-right"])
    acted = next(event for event in life.new if event.kind != "ContactDue")
    assert acted.actor == actor


@pytest.mark.parametrize(("absent", "may"), [((REFERENT,), True), ((), False), ((SUPERVISOR,), False)])
def test_a_deputy_acts_on_the_journeys_of_whoever_is_away(absent: tuple[str, ...], may: bool) -> None:
    life = released().when("2027-03-02", replace(by(OTHER_REFERENT, NOTE), stands_in_for=absent))
    assert [refused.code for refused in life.refusals] == ([] if may else ["no-right"])


def test_a_deputy_answers_no_transfer_for_whoever_is_away() -> None:
    life = released().when("2027-03-02", by(REFERENT, c.Transfer(to=SUPERVISOR)))
    life.when("2027-03-03", replace(by(OTHER_REFERENT, c.AcceptTransfer()), stands_in_for=(SUPERVISOR,)))
    assert [refused.code for refused in life.refusals] == ["no-right"]


def test_standing_in_is_signed_and_else_the_bytes_are_as_they_were() -> None:
    command = Life(book_of("programme: small\nlabel: petit"), {})._command(by(REFERENT, NOTE), START)
    assert "stands_in_for" not in command.signed_content()
    stood = command.model_copy(update={"stands_in_for": (FINANCE,)})
    assert stood.signed_content()["stands_in_for"] == [FINANCE]


def test_a_caseworker_plans_only_journeys_of_their_own() -> None:
    life = given().when("2027-01-11", by(OTHER_REFERENT, plan()))
    assert [refused.code for refused in life.refusals] == ["no-right"]


def test_the_role_in_which_one_acted_is_on_record() -> None:
    life = released().when("2027-03-02", by(SUPERVISOR, NOTE, roles=("finance", "supervisor")))
    assert (life.new[0].actor, life.new[0].role) == (SUPERVISOR, "supervisor")


def test_a_programmes_own_role_has_the_line_that_it_names() -> None:
    book = book_of("programme: small\nlabel: petit\nroles: {coach: {fr: coach, en: coach, rights: supervisor}}")
    life = given(("2027-01-11", plan(None)), book=book).when(
        "2027-01-12", by(DUTY, c.Close(outcome="lost"), roles=("coach",))
    )
    assert life.new[0].role == "coach"
    assert life.state.outcome == "lost"


def _on_grant(kind: type[c.Body]) -> Callable[[Life], c.Body]:
    def body(life: Life) -> c.Body:
        more = {"digest": life.state.grants[life.grant].digest} if kind is c.ApproveGrant else {}
        return kind(grant=life.grant, **more)  # type: ignore[call-arg]

    return body


@pytest.mark.parametrize("kind", [c.ApproveGrant, c.RefuseGrant, c.ReturnGrant])
@pytest.mark.parametrize(("funds", "may"), [((), True), (("parvis",), True), (("other", "parvis"), True),
                                            (("other",), False)])  # fmt: skip
def test_whoever_is_bound_to_funds_decides_on_these_alone(
    kind: type[c.Body], funds: tuple[str, ...], may: bool
) -> None:
    life = released().when("2027-03-02", by(REFERENT, GRANT, payee="FR76 1"))
    life.when("2027-03-03", replace(by(FINANCE, _on_grant(kind)), funds=funds))
    assert [refused.code for refused in life.refusals] == ([] if may else ["no-right"])


def test_a_fund_bars_only_the_role_that_is_bound_to_funds() -> None:
    """Who also supervises approves as supervisor, however much finance is still wanted."""
    life = released().when("2027-03-02", by(REFERENT, GRANT, payee="FR76 1"))
    asked = by(FINANCE, _on_grant(c.ApproveGrant), roles=("finance", "supervisor"))
    life.when("2027-03-03", replace(asked, funds=("other",)))
    assert life.last("GrantApprovalGiven").stands_for == "supervisor"


def test_the_payments_and_receipts_of_another_fund_are_not_settled_either() -> None:
    life = released().when("2027-03-02", by(REFERENT, GRANT, payee="FR76 1"))
    life.when("2027-03-03", by(SUPERVISOR, _on_grant(c.ApproveGrant))).when(
        "2027-03-03", by(FINANCE, _on_grant(c.ApproveGrant))
    )
    settle = by(FINANCE, lambda life: c.SettlePayment(payment=life.payment), reason="relevé")
    life.when("2027-03-04", replace(settle, funds=("other",))).refused("no-right")
    life.when("2027-03-04", replace(settle, funds=("parvis",))).refused("payment-settled")
    waive = by(FINANCE, lambda life: c.WaiveReceipt(receipt=next(iter(life.state.receipts))), reason="perdu")
    life.when("2027-03-05", replace(waive, funds=("other",))).refused("no-right")
    life.when("2027-03-05", replace(waive, funds=("parvis",)))
    assert not life.refusals


def test_being_bound_is_signed_and_being_free_leaves_the_bytes_as_they_were() -> None:
    command = Life(book_of("programme: small\nlabel: petit"), {})._command(by(FINANCE, NOTE), START)
    assert "funds" not in command.signed_content()
    assert command.model_copy(update={"funds": ("parvis",)}).signed_content()["funds"] == ["parvis"]
