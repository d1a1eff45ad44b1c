"""Funds and ledger: caps hold under load, every move balances, outcomes follow their reservation."""

import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from journeys.contract import Append, Appended
from journeys.domain.fund import FundState, Move, Reservation, after, postings, refusal
from journeys.domain.record import Payload
from journeys.store import journal, money
from journeys.store.database import open_pool
from journeys.store.directory import AlreadyThere, By
from journeys.store.funds import committed, funds
from journeys.store.journal import append
from journeys.store.offer import BadOffer
from journeys.store.signing import KeyRing
from journeys.store.treasury import (
    ChangedSince,
    Closed,
    StillReserved,
    Terms,
    change_fund,
    close_fund,
    closing,
    open_fund,
    reopen_fund,
    resume,
    stop,
    stopped,
    top_up,
)
from tests.activities.conftest import Life, make_life

from .samples import (
    ACTOR,
    NOW,
    PaymentRejected,
    PaymentReturned,
    PaymentSettled,
    ReceiptPartAccepted,
    header,
    new_stream,
    plain,
)

pytestmark = pytest.mark.asyncio
BY = By(actor=ACTOR, role="administrator", at=NOW)


def offer(stream: str, expected: int, *facts: Payload) -> Append:
    events = tuple(header(stream, expected + nth, fact) for nth, fact in enumerate(facts, start=1))
    return Append(stream=stream, expected=expected, events=events, money=True)


async def fund(pool: Any, balance: int, cap: int | None = None) -> None:
    await open_fund(pool, str(uuid4()), "main", cap_per_person=cap, balance=balance, by=BY)


async def asked(pool: Any, amount: int, *, of: Life | None = None) -> tuple[Life, Append]:
    """A grant approved on a new journey, and the offer that reserves it; `of`: the same person and staff."""
    life = await make_life(pool)
    if of is None:
        await life.begin()
    else:
        life.person, life.referent, life.supervisor = of.person, of.referent, of.supervisor
        await life.plan()
    life.reserves = False
    await life.approved(amount)
    return life, life.due()


async def reserved(pool: Any, amount: int) -> tuple[Life, str]:
    """A payment reserved on a new journey; its id."""
    life, request = await asked(pool, amount)
    assert (await append(pool, life.resources.ring, request)).accepted
    return life, payment_of(request)


def payment_of(request: Append) -> str:
    return next(str(each["data"]["payment"]) for each in request.events if each["kind"] == "PaymentReserved")


async def where(pool: Any) -> tuple[int, int, int]:
    (fund,) = await funds(pool)
    in_ledger = await pool.fetchval("SELECT sum(cents) FROM ledger_entries WHERE account = 'available'")
    assert fund.available == in_ledger
    return fund.available, fund.reserved, fund.paid


async def test_a_fund_over_its_life(pool: Any) -> None:
    await fund(pool, 100_00)
    await top_up(pool, "main", 20_00, BY)
    (one, first), (two, second) = await reserved(pool, 50_00), await reserved(pool, 30_00)
    ring = one.resources.ring
    assert await where(pool) == (40_00, 80_00, 0)
    head = await journal.head(pool, one.stream)
    await append(pool, ring, offer(one.stream, head, PaymentSettled(payment=first)))
    head = await journal.head(pool, two.stream)
    await append(pool, ring, offer(two.stream, head, PaymentRejected(payment=second)))
    assert await where(pool) == (70_00, 0, 50_00)
    assert await committed(pool, "main", one.person) == 50_00
    part = ReceiptPartAccepted(receipt=str(uuid4()), payment=first, amount=20_00)
    head = await journal.head(pool, one.stream)
    await append(pool, ring, offer(one.stream, head, part))
    assert await where(pool) == (70_00, 0, 50_00)
    assert (await funds(pool))[0].justified == 20_00
    assert await committed(pool, "main", one.person) == 50_00
    await append(pool, ring, offer(one.stream, head + 1, PaymentReturned(payment=first)))
    assert await where(pool) == (120_00, 0, 0)
    assert await committed(pool, "main", one.person) == 0
    rows = await pool.fetch("SELECT id::text, status FROM payments")
    assert {row["id"]: row["status"] for row in rows} == {first: "returned", second: "rejected"}


@pytest.mark.parametrize(
    ("amount", "balance", "cap", "code"),
    [(100_01, 100_00, None, "fund-cap"), (60_01, 100_00, 60_00, "person-cap"), (1, None, None, "unknown-fund")],
)
async def test_a_refused_reservation_writes_nothing(
    pool: Any, amount: int, balance: int | None, cap: int | None, code: str
) -> None:
    if balance is not None:
        await fund(pool, balance, cap)
    life, request = await asked(pool, amount)
    assert await append(pool, life.resources.ring, request) == Appended(accepted=False, blocked=code)
    assert await journal.head(pool, life.stream) == request.expected
    assert await pool.fetchval("SELECT count(*) FROM payments") == 0


async def test_a_closed_fund_promises_nothing_and_what_was_paid_goes_its_way(
    pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fund(pool, 100_00)
    life, payment = await reserved(pool, 50_00)
    with pytest.raises(StillReserved) as held:
        await close_fund(pool, "main", "fin du don", BY)
    assert held.value.cents == 50_00 and await closing(pool, "main") is None
    ring, head = life.resources.ring, await journal.head(pool, life.stream)
    await append(pool, ring, offer(life.stream, head, PaymentSettled(payment=payment)))
    with pytest.raises(ChangedSince):
        await close_fund(pool, "main", "fin du don", BY, seen=99)
    await close_fund(pool, "main", "fin du don", BY, seen=1)
    for again in (
        close_fund(pool, "main", "encore", BY),
        change_fund(pool, "main", Terms(cap_per_person=1), BY),
        top_up(pool, "main", 1, BY),
    ):
        with pytest.raises(Closed):
            await again
    told = await closing(pool, "main")
    assert told is not None and (told.why, told.since) == ("fin du don", NOW)

    other, request = await asked(pool, 10_00)
    assert (await append(pool, other.resources.ring, request)).blocked == "fund-closed"
    await append(pool, ring, offer(life.stream, head + 1, PaymentReturned(payment=payment)))
    assert await where(pool) == (100_00, 0, 0)
    assert await reopen_fund(pool, "main", "par erreur", BY) and not await reopen_fund(pool, "main", "par erreur", BY)
    await close_fund(pool, "main", "pour de bon", BY)
    facts = await pool.fetch("SELECT kind FROM events WHERE stream LIKE 'fund-%' ORDER BY seq")
    assert [each["kind"] for each in facts] == ["FundOpened", "FundClosed", "FundReopened", "FundClosed"]
    monkeypatch.setattr(money, "refusal", lambda *_, **__: None)
    assert (await append(pool, other.resources.ring, request)).accepted, "the rule alone held it back"


async def test_behind_the_journal_comes_before_the_fund(pool: Any) -> None:
    await fund(pool, 100_00)
    life, request = await asked(pool, 80_00)
    assert (await append(pool, life.resources.ring, request)).accepted
    again = await append(pool, life.resources.ring, request)
    assert (again.accepted, again.blocked, len(again.events)) == (False, None, len(request.events))
    assert await where(pool) == (20_00, 80_00, 0)


async def test_fifty_at_once_never_take_more_than_the_fund_has(pool: Any) -> None:
    await fund(pool, 100_00)
    first, _ = await asked(pool, 7_00)
    offers = [(await asked(pool, 7_00, of=first))[1] for _ in range(50)]
    results = await asyncio.gather(*(append(pool, first.resources.ring, each) for each in offers))
    assert sum(result.accepted for result in results) == 14
    assert {result.blocked for result in results if not result.accepted} == {"fund-cap"}
    assert await where(pool) == (2_00, 98_00, 0)


async def fifty_of_one_person(pool: Any, dsn: str) -> tuple[Life, list[Appended]]:
    """Offered by five workers at once."""
    await fund(pool, 1_000_00, cap=100_00)
    first, _ = await asked(pool, 7_00)
    offers = [(await asked(pool, 7_00, of=first))[1] for _ in range(50)]
    ring, workers = first.resources.ring, [await open_pool(dsn) for _ in range(5)]
    results = await asyncio.gather(*(append(workers[nth % 5], ring, each) for nth, each in enumerate(offers)))
    for worker in workers:
        await worker.close()
    return first, list(results)


async def test_fifty_at_once_for_one_person_over_many_journeys_stay_under_the_cap(pool: Any, dsn: str) -> None:
    first, results = await fifty_of_one_person(pool, dsn)
    assert sum(result.accepted for result in results) == 14
    assert await committed(pool, "main", first.person) == 98_00


async def test_without_the_lock_they_go_over_the_cap(pool: Any, owner: Any, dsn: str) -> None:
    """The guard taken away: the fund's row is read, not locked."""
    source = await owner.fetchval("SELECT pg_get_functiondef('money_lock'::regproc)")
    assert "FOR UPDATE" in source
    await owner.execute(source.replace("FOR UPDATE", ""))
    first, results = await fifty_of_one_person(pool, dsn)
    assert sum(result.accepted for result in results) > 14
    assert await committed(pool, "main", first.person) > 100_00


async def test_what_fails_together_is_judged_alone_as_if_for_the_first_time(
    pool: Any, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first transaction of several breaks off after each was judged; none of them is refused for it."""
    await fund(pool, 1_000_00)
    first, one = await asked(pool, 10_00)
    offers = [one, *[(await asked(pool, 10_00, of=first))[1] for _ in range(5)]]
    append_all, broken = money._append, list[int]()

    async def breaks_off(connection: Any, taken: Any) -> Any:
        rows = await append_all(connection, taken)
        if len(taken) > 1 and not broken:
            broken.append(len(taken))
            raise ConnectionResetError
        return rows

    monkeypatch.setattr(money, "_append", breaks_off)
    async with owner.transaction():
        await owner.execute("SELECT FROM funds FOR UPDATE")
        waiting = [asyncio.create_task(append(pool, first.resources.ring, each)) for each in offers]
        await asyncio.sleep(0.5)  # The first one holds the lane, the others wait together.
    results = await asyncio.gather(*waiting)
    assert broken
    assert [result.blocked for result in results] == [None] * 6
    assert await where(pool) == (940_00, 60_00, 0)


async def test_reservations_and_outcomes_at_once_do_not_block_each_other(pool: Any) -> None:
    await fund(pool, 1_000_00)
    first, _ = await asked(pool, 10_00)
    ready = [await asked(pool, 10_00, of=first) for _ in range(30)]

    async def life(one: Life, request: Append) -> None:
        assert (await append(pool, one.resources.ring, request)).accepted
        head = request.expected + len(request.events)
        fact = PaymentSettled(payment=payment_of(request))
        assert (await append(pool, one.resources.ring, offer(one.stream, head, fact))).accepted

    await asyncio.wait_for(asyncio.gather(*(life(*each) for each in ready)), timeout=20)
    assert await where(pool) == (700_00, 0, 300_00)


async def test_a_payment_is_reserved_once_and_closed_once(pool: Any) -> None:
    await fund(pool, 100_00)
    life, payment = await reserved(pool, 10_00)
    ring, head = life.resources.ring, await journal.head(pool, life.stream)
    with pytest.raises(BadOffer):
        await append(pool, ring, offer(life.stream, head, PaymentSettled(payment=str(uuid4()))))
    await append(pool, ring, offer(life.stream, head, PaymentSettled(payment=payment)))
    with pytest.raises(BadOffer):
        await append(pool, ring, offer(life.stream, head + 1, PaymentRejected(payment=payment)))
    assert await journal.head(pool, life.stream) == head + 1
    assert await where(pool) == (90_00, 0, 10_00)


async def test_while_payments_are_stopped_nothing_is_reserved_from_any_fund(pool: Any) -> None:
    await fund(pool, 100_00)
    life, request = await asked(pool, 10_00)
    assert await stop(pool, "compte piraté", BY)
    assert not await stop(pool, "encore", BY)
    assert (await append(pool, life.resources.ring, request)).blocked == "all-stopped"
    await open_fund(pool, str(uuid4()), "autre", cap_per_person=None, balance=1, by=BY)
    assert await pool.fetchval("SELECT bool_and(stopped) FROM funds")
    known = await stopped(pool)
    assert known is not None and known.why == "compte piraté"
    assert await resume(pool, "mot de passe changé", BY)
    assert await stopped(pool) is None
    assert (await append(pool, life.resources.ring, request)).accepted


async def test_a_fund_code_is_taken_once(pool: Any) -> None:
    await open_fund(pool, str(uuid4()), "main", cap_per_person=None, balance=1, by=BY)
    with pytest.raises(AlreadyThere):
        await open_fund(pool, str(uuid4()), "main", cap_per_person=None, balance=1, by=BY)


@pytest.mark.parametrize("lines", [[("available", -5), ("reserved", 6)], [("available", 0)], []])
async def test_a_transaction_that_does_not_balance_cannot_be_committed(
    pool: Any, ring: KeyRing, lines: list[tuple[str, int]]
) -> None:
    await open_fund(pool, str(uuid4()), "main", cap_per_person=None, balance=100_00, by=BY)
    stream = new_stream()
    await append(pool, ring, plain(stream, 0))
    with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
        async with pool.acquire() as connection, connection.transaction():
            id = await connection.fetchval(
                "INSERT INTO ledger_transactions (kind, fund, amount, stream, seq)"
                " VALUES ('topped-up', 'main', 5, $1, 1) RETURNING id",
                stream,
            )
            for account, cents in lines:
                await connection.execute(
                    "INSERT INTO ledger_entries VALUES ($1, $2, 'main', NULL, $3)", id, account, cents
                )
    assert await pool.fetchval("SELECT count(*) FROM ledger_transactions") == 1


async def test_no_entry_can_be_added_to_an_old_transaction(pool: Any) -> None:
    await open_fund(pool, str(uuid4()), "main", cap_per_person=None, balance=100_00, by=BY)
    with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
        await pool.execute("INSERT INTO ledger_entries SELECT id, 'paid', 'main', NULL, 100 FROM ledger_transactions")


async def test_the_rule_is_pure_and_every_move_adds_up_to_nothing() -> None:
    fund = FundState("main", available=100, cap_per_person=80, committed=50)
    what: Any = {"purpose": "training", "on": date(2027, 5, 12)}
    assert refusal(fund, Reservation("p", "main", "x", 30), **what) is None
    assert refusal(fund, Reservation("p", "main", "x", 31), **what) == "person-cap"
    assert refusal(None, Reservation("p", "main", "x", 30), **what) == "unknown-fund"
    assert all(sum(postings(move, 30).values()) == 0 for move in Move)
    assert after(fund, Move.RESERVED, 30) == FundState("main", available=70, cap_per_person=80, committed=80)
    assert after(fund, Move.RETURNED, 30) == FundState("main", available=130, cap_per_person=80, committed=20)
