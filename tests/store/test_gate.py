"""The gate under the fund's lock: whatever was written into the journal without a signature pays nothing."""

from typing import Any
from uuid import uuid4

import pytest

from journeys.contract import Append, Appended
from journeys.domain import commands as c
from journeys.domain import gate
from journeys.domain.commands import Command
from journeys.domain.decide import Accepted, decide
from journeys.domain.events import read_event
from journeys.domain.evolve import fold
from journeys.domain.offer import make_offer
from journeys.domain.record import SYSTEM
from journeys.domain.state import GrantStatus
from journeys.store import journal, staff
from journeys.store.journal import append
from tests.activities.conftest import Life, make_life
from tests.store.samples import answered
from tests.store.test_money import asked, fund, payment_of

pytestmark = pytest.mark.asyncio


async def offered(life: Life, request: Append) -> Appended:
    return await append(life.resources.pool, life.resources.ring, request)


async def requested(pool: Any, amount: int = 50_00) -> Life:
    """A grant that was asked for, and nothing more."""
    await fund(pool, 1_000_00)
    life = await make_life(pool)
    life.reserves = False
    await life.begin()
    await life.do(c.RequestGrant(grant="help", purpose="training", amount=amount), payee="FR76")
    return life


def fact(life: Life, nth: int, kind: str, data: dict[str, Any], *, actor: str = SYSTEM, role: str = SYSTEM,
         command: str | None = None) -> dict[str, Any]:  # fmt: skip
    """A header that somebody made up."""
    at = life.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "v": 1, "stream": life.stream, "seq": life.state.seq + nth, "kind": kind, "kind_v": 1, "recorded_at": at,
        "occurred_at": at, "actor": actor, "role": role, "command": command, "rule": None if command else "forged",
        "caused_by": None, "programme": life.state.programme, "data": data, "parts": {},
    }  # fmt: skip


def forged_approval(life: Life, *, command: str | None = None, actor: str | None = None) -> tuple[dict[str, Any], ...]:
    grant = life.state.grants[life.grant]
    about = {"grant": life.grant, "digest": grant.digest}
    return (
        fact(life, 1, "GrantApprovalGiven", about | {"stands_for": "supervisor"}, actor=actor or life.supervisor,
             role="supervisor", command=command),
        fact(life, 2, "GrantApproved", about),
    )  # fmt: skip


def reservation(life: Life, nth: int, **other: Any) -> dict[str, Any]:
    grant = life.state.grants[life.grant]
    data = {
        "payment": str(uuid4()), "grant": life.grant, "number": 1, "amount": grant.amount, "fund": grant.fund,
        "person": life.state.person, "pay_by": grant.pay_by, "digest": grant.digest, "payee": grant.payee,
        "replaces": None,
    }  # fmt: skip
    return fact(life, nth, "PaymentReserved", data | other)


async def straight(life: Life, *events: dict[str, Any]) -> str | None:
    """Offer made-up events as the engine offers its own; why the money was refused."""
    request = Append(stream=life.stream, expected=life.state.seq, events=events)
    result = await offered(life, request)
    assert result.accepted == (result.blocked is None)
    return result.blocked


async def at_once(life: Life, command: Command) -> None:
    """A command decided before the reservation that is due."""
    decision = decide(life.state, command, life.now, life.book)
    assert isinstance(decision, Accepted)
    headers = tuple(event.header() for event in decision.events)
    request = Append(
        stream=life.stream, expected=life.state.seq, events=headers,
        answered=(answered(command, headers[0]["seq"], headers[-1]["seq"]),),
    )  # fmt: skip
    assert (await offered(life, request)).accepted
    life.state = decision.state


async def paid(pool: Any) -> int:
    count: int = await pool.fetchval("SELECT count(*) FROM ledger_transactions WHERE kind = 'reserved'")
    return count


async def test_an_approval_that_nobody_signed_pays_nothing(pool: Any) -> None:
    life = await requested(pool)
    assert await straight(life, *forged_approval(life), reservation(life, 3)) == "signature"
    assert await paid(pool) == 0


async def test_an_approval_written_before_the_reservation_pays_nothing_either(pool: Any) -> None:
    life = await requested(pool)
    assert await straight(life, *forged_approval(life)) is None
    life.state.seq += 2
    assert await straight(life, reservation(life, 1)) == "signature"
    assert await paid(pool) == 0


async def test_without_the_look_at_signatures_it_would(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard taken away: a proof is believed for every fact."""
    life = await requested(pool)
    monkeypatch.setattr(gate.Proof, "covers", lambda *_, **__: True)
    monkeypatch.setattr(gate.Story, "_proof", lambda self, event: gate.Proof(
        "", event.actor, ("supervisor",), {"programme": life.state.programme},
        {"payee": life.state.grants[life.grant].payee}, 0, 0))  # fmt: skip
    assert await straight(life, *forged_approval(life)) is None
    life.state.seq += 2
    assert await straight(life, reservation(life, 1)) is None
    assert await paid(pool) == 1


async def test_an_approval_signed_for_another_grant_is_none_for_this_one(pool: Any) -> None:
    life = await requested(pool)
    first = life.grant
    await life.do(c.RequestGrant(grant="help", purpose="training", amount=50_00), payee="FR76")
    other = life.state.grants[life.grant].digest
    answer = await life.do(c.ApproveGrant(grant=life.grant, digest=other), actor=life.supervisor, role="supervisor")
    del life.state.grants[life.grant]
    assert life.grant == first
    assert await straight(life, *forged_approval(life, command=answer.command), reservation(life, 3)) == "signature"


async def test_an_approval_given_before_an_edit_is_not_used_again(pool: Any) -> None:
    """The same amount, purpose and payee give the same digest; the edit voids the approval all the same."""
    life = await requested(pool)
    digest = life.state.grants[life.grant].digest
    given = await life.do(c.ApproveGrant(grant=life.grant, digest=digest), actor=life.supervisor, role="supervisor")
    await at_once(life, life.command(c.ChangeGrant(grant=life.grant, purpose="training")))
    assert life.state.grants[life.grant].status is GrantStatus.REQUESTED
    assert life.state.grants[life.grant].digest == digest
    assert await straight(life, *forged_approval(life, command=given.command), reservation(life, 3)) == "signature"


async def test_a_request_rewritten_to_need_fewer_approvals_pays_nothing(pool: Any) -> None:
    """Signed commands, and facts that say of them what the programme does not: a colleague's word was enough."""
    await fund(pool, 1_000_00)
    life = await make_life(pool)
    life.reserves = False
    await life.begin()
    asked_for = life.command(c.RequestGrant(grant="help", purpose="training", amount=50_00), payee="FR76")
    offer = make_offer(life.state, life.book, [asked_for], (), life.now)
    headers = [event.header() for event in offer.events]
    headers[0]["data"]["approvals"] = ["referent"]
    digest = headers[0]["data"]["digest"]
    colleague = await life.hire(str(uuid4()), "anna", "referent", sites=("lyon",))
    approval = life.command(c.ApproveGrant(grant=asked_for.id, digest=digest), actor=colleague)
    about, after = {"grant": asked_for.id, "digest": digest}, len(headers)
    headers += [
        fact(life, after + 1, "GrantApprovalGiven", about | {"stands_for": "referent"}, actor=colleague,
             role="referent", command=approval.id),
        fact(life, after + 2, "GrantApproved", about),
    ]  # fmt: skip
    seqs = [each["seq"] for each in headers]
    request = Append(
        stream=life.stream, expected=life.state.seq, events=tuple(headers),
        answered=(answered(asked_for, seqs[0], seqs[after - 1]), answered(approval, seqs[after])),
    )  # fmt: skip
    assert (await offered(life, request)).accepted
    life.state = fold([read_event(each) for each in headers], life.state)
    assert await straight(life, reservation(life, 1)) == "approvals"
    assert await paid(pool) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"person": "0190b5a0-0000-7000-8000-0000000000ff"}, {"payee": "0" * 64}, {"pay_by": "voucher"},
        {"digest": "0" * 64},
    ],
)  # fmt: skip
async def test_a_reservation_for_somebody_or_something_else_pays_nothing(pool: Any, other: dict[str, Any]) -> None:
    await fund(pool, 1_000_00)
    life, _ = await asked(pool, 50_00)
    assert await straight(life, reservation(life, 1, **other)) == "digest"
    assert await straight(life, reservation(life, 1, amount=50_01)) == "over-grant"
    assert await paid(pool) == 0
    assert await straight(life, reservation(life, 1)) is None


async def test_who_lost_the_role_or_left_since_does_not_let_it_out(pool: Any) -> None:
    await fund(pool, 1_000_00)
    life, request = await asked(pool, 50_00)
    await staff.take_role(pool, life.supervisor, "supervisor", life.by)
    assert (await offered(life, request)).blocked == "right-lost"
    await staff.give_role(pool, life.supervisor, "supervisor", life.by)
    await staff.set_active(pool, life.supervisor, False, life.by)
    assert (await offered(life, request)).blocked == "right-lost"
    await staff.set_active(pool, life.supervisor, True, life.by)
    assert (await offered(life, request)).accepted
    assert await pool.fetchval("SELECT status FROM payments WHERE id = $1::uuid", payment_of(request)) == "reserved"


async def test_a_signature_made_with_another_key_is_none(pool: Any, owner: Any) -> None:
    """What a restored or rewritten table says: the row of the approval under a signature that does not hold."""
    await fund(pool, 1_000_00)
    life, request = await asked(pool, 50_00)
    await owner.execute("ALTER TABLE commands DISABLE TRIGGER ALL")
    await owner.execute("UPDATE commands SET signature = repeat('0', 64)")
    assert (await offered(life, request)).blocked == "signature"
    assert await journal.head(pool, life.stream) == request.expected
