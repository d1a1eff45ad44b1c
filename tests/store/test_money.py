"""Funds and ledger: caps hold under load, every move balances, outcomes follow their reservation."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from journeys.contract import Append, Appended
from journeys.domain.fund import FundState, Move, Reservation, after, postings, refusal
from journeys.domain.record import Payload
from journeys.store import journal
from journeys.store.directory import AlreadyThere, By
from journeys.store.funds import committed, funds
from journeys.store.journal import append
from journeys.store.offer import BadOffer
from journeys.store.signing import KeyRing
from journeys.store.treasury import open_fund, top_up

from .samples import (
    ACTOR,
    NOW,
    PaymentRejected,
    PaymentReserved,
    PaymentReturned,
    PaymentSettled,
    header,
    new_stream,
    plain,
)

pytestmark = pytest.mark.asyncio
BY = By(actor=ACTOR, role="administrator", at=NOW)


def reserved(
    amount: int, *, fund: str = "aid", person: str | None = None, payment: str | None = None
) -> PaymentReserved:
    return PaymentReserved(payment=payment or str(uuid4()), fund=fund, person=person or str(uuid4()), amount=amount)


def offer(stream: str, expected: int, *facts: Payload) -> Append:
    events = tuple(header(stream, expected + nth, fact) for nth, fact in enumerate(facts, start=1))
    return Append(stream=stream, expected=expected, events=events, money=True)


async def where(pool: Any) -> tuple[int, int, int]:
    (fund,) = await funds(pool)
    in_ledger = await pool.fetchval("SELECT sum(cents) FROM ledger_entries WHERE account = 'available'")
    assert fund.available == in_ledger
    return fund.available, fund.reserved, fund.paid


async def test_a_fund_over_its_life(pool: Any, ring: KeyRing) -> None:
    await open_fund(pool, str(uuid4()), "aid", cap_per_person=None, balance=100_00, by=BY)
    await top_up(pool, "aid", 20_00, BY)
    stream, one, two = new_stream(), reserved(50_00), reserved(30_00)
    assert (await append(pool, ring, offer(stream, 0, one, two))).accepted
    assert await where(pool) == (40_00, 80_00, 0)
    await append(pool, ring, offer(stream, 2, PaymentSettled(payment=one.payment)))
    await append(pool, ring, offer(stream, 3, PaymentRejected(payment=two.payment)))
    assert await where(pool) == (70_00, 0, 50_00)
    assert await committed(pool, "aid", one.person) == 50_00
    await append(pool, ring, offer(stream, 4, PaymentReturned(payment=one.payment)))
    assert await where(pool) == (120_00, 0, 0)
    assert await committed(pool, "aid", one.person) == 0


@pytest.mark.parametrize(
    ("fact", "code"),
    [
        (reserved(100_01), "fund-cap"),
        (reserved(60_01, person=ACTOR), "person-cap"),
        (reserved(1, fund="nowhere"), "unknown-fund"),
        (reserved(0), "nothing-to-pay"),
    ],
)
async def test_a_refused_reservation_writes_nothing(pool: Any, ring: KeyRing, fact: PaymentReserved, code: str) -> None:
    cap = 60_00 if code == "person-cap" else None
    await open_fund(pool, str(uuid4()), "aid", cap_per_person=cap, balance=100_00, by=BY)
    stream = new_stream()
    result = await append(pool, ring, offer(stream, 0, PaymentNoted(), fact))
    assert result == Appended(accepted=False, blocked=code)
    assert await journal.head(pool, stream) == 0
    assert await where(pool) == (100_00, 0, 0)


class PaymentNoted(Payload):
    pass


async def test_two_reservations_of_one_offer_count_together(pool: Any, ring: KeyRing) -> None:
    await open_fund(pool, str(uuid4()), "aid", cap_per_person=50_00, balance=100_00, by=BY)
    person = str(uuid4())
    facts = reserved(30_00, person=person), reserved(30_00, person=person)
    assert (await append(pool, ring, offer(new_stream(), 0, *facts))).blocked == "person-cap"


async def test_behind_the_journal_comes_before_the_fund(pool: Any, ring: KeyRing) -> None:
    await open_fund(pool, str(uuid4()), "aid", cap_per_person=None, balance=100_00, by=BY)
    stream, fact = new_stream(), reserved(80_00)
    assert (await append(pool, ring, offer(stream, 0, fact))).accepted
    again = await append(pool, ring, offer(stream, 0, fact))
    assert (again.accepted, again.blocked, len(again.events)) == (False, None, 1)
    assert await where(pool) == (20_00, 80_00, 0)


async def test_fifty_at_once_never_take_more_than_the_fund_has(pool: Any, ring: KeyRing) -> None:
    await open_fund(pool, str(uuid4()), "aid", cap_per_person=None, balance=100_00, by=BY)
    results = await asyncio.gather(*(append(pool, ring, offer(new_stream(), 0, reserved(7_00))) for _ in range(50)))
    assert sum(result.accepted for result in results) == 14
    assert {result.blocked for result in results if not result.accepted} == {"fund-cap"}
    assert await where(pool) == (2_00, 98_00, 0)


async def test_fifty_at_once_for_one_person_over_many_journeys_stay_under_the_cap(pool: Any, ring: KeyRing) -> None:
    await open_fund(pool, str(uuid4()), "aid", cap_per_person=100_00, balance=1_000_00, by=BY)
    person = str(uuid4())
    offers = [offer(new_stream(), 0, reserved(7_00, person=person)) for _ in range(50)]
    results = await asyncio.gather(*(append(pool, ring, each) for each in offers))
    assert sum(result.accepted for result in results) == 14
    assert await committed(pool, "aid", person) == 98_00


async def test_reservations_and_outcomes_at_once_do_not_block_each_other(pool: Any, ring: KeyRing) -> None:
    await open_fund(pool, str(uuid4()), "aid", cap_per_person=None, balance=1_000_00, by=BY)

    async def life() -> None:
        stream, fact = new_stream(), reserved(10_00)
        assert (await append(pool, ring, offer(stream, 0, fact))).accepted
        assert (await append(pool, ring, offer(stream, 1, PaymentSettled(payment=fact.payment)))).accepted

    await asyncio.wait_for(asyncio.gather(*(life() for _ in range(30))), timeout=20)
    assert await where(pool) == (700_00, 0, 300_00)


async def test_a_payment_is_reserved_once_and_closed_once(pool: Any, ring: KeyRing) -> None:
    await open_fund(pool, str(uuid4()), "aid", cap_per_person=None, balance=100_00, by=BY)
    stream, fact = new_stream(), reserved(10_00)
    await append(pool, ring, offer(stream, 0, fact))
    for wrong in (fact, PaymentSettled(payment=str(uuid4()))):
        with pytest.raises(BadOffer):
            await append(pool, ring, offer(stream, 1, wrong))
    await append(pool, ring, offer(stream, 1, PaymentSettled(payment=fact.payment)))
    with pytest.raises(BadOffer):
        await append(pool, ring, offer(stream, 2, PaymentRejected(payment=fact.payment)))
    assert await journal.head(pool, stream) == 2
    assert await where(pool) == (90_00, 0, 10_00)


async def test_a_fund_code_is_taken_once(pool: Any) -> None:
    await open_fund(pool, str(uuid4()), "aid", cap_per_person=None, balance=1, by=BY)
    with pytest.raises(AlreadyThere):
        await open_fund(pool, str(uuid4()), "aid", cap_per_person=None, balance=1, by=BY)


@pytest.mark.parametrize("lines", [[("available", -5), ("reserved", 6)], [("available", 0)], []])
async def test_a_transaction_that_does_not_balance_cannot_be_committed(
    pool: Any, ring: KeyRing, lines: list[tuple[str, int]]
) -> None:
    await open_fund(pool, str(uuid4()), "aid", cap_per_person=None, balance=100_00, by=BY)
    stream = new_stream()
    await append(pool, ring, plain(stream, 0))
    with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
        async with pool.acquire() as connection, connection.transaction():
            id = await connection.fetchval(
                "INSERT INTO ledger_transactions (kind, fund, amount, stream, seq)"
                " VALUES ('topped-up', 'aid', 5, $1, 1) RETURNING id",
                stream,
            )
            for account, cents in lines:
                await connection.execute(
                    "INSERT INTO ledger_entries VALUES ($1, $2, 'aid', NULL, $3)", id, account, cents
                )
    assert await pool.fetchval("SELECT count(*) FROM ledger_transactions") == 1


async def test_no_entry_can_be_added_to_an_old_transaction(pool: Any) -> None:
    await open_fund(pool, str(uuid4()), "aid", cap_per_person=None, balance=100_00, by=BY)
    with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
        await pool.execute("INSERT INTO ledger_entries SELECT id, 'paid', 'aid', NULL, 100 FROM ledger_transactions")


async def test_the_rule_is_pure_and_every_move_adds_up_to_nothing() -> None:
    fund = FundState("aid", available=100, cap_per_person=80, committed=50)
    assert refusal(fund, Reservation("p", "aid", "x", 30)) is None
    assert refusal(fund, Reservation("p", "aid", "x", 31)) == "person-cap"
    assert refusal(None, Reservation("p", "aid", "x", 30)) == "unknown-fund"
    assert all(sum(postings(move, 30).values()) == 0 for move in Move)
    assert after(fund, Move.RESERVED, 30) == FundState("aid", available=70, cap_per_person=80, committed=80)
    assert after(fund, Move.RETURNED, 30) == FundState("aid", available=130, cap_per_person=80, committed=20)
