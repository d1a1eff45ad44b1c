"""Receipts as rows, the terms of a fund under its lock, and the statement against the record read by another way."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from journeys.domain import commands as c
from journeys.domain.decide import Outcome
from journeys.store import money, payments, receipts
from journeys.store.funds import funds
from journeys.store.journal import append, read_all
from journeys.store.statements import statement
from journeys.store.treasury import Terms, change_fund, gifts, open_fund, top_up
from tests.activities.conftest import MONDAY, PROGRAMME, Life, make_life

pytestmark = pytest.mark.asyncio
RULES: dict[str, Any] = {
    **PROGRAMME,
    "grants": {"help": {**PROGRAMME["grants"]["help"], "receipts": "30 days"}},
}


async def opened(pool: Any, **terms: Any) -> Life:
    """A fund, and a journey on which a grant can be asked for."""
    life = await make_life(pool, RULES)
    await life.begin()
    await open_fund(
        pool, str(uuid4()), "main", cap_per_person=None, balance=1_000_00, by=life.by, donor="Fondation L’Élan", **terms
    )
    return life


async def paid(life: Life, amount: int, *, on: datetime, answer: str = "settled") -> str:
    """A payment of a new grant that the bank answered like this; its id."""
    life.now = on
    await life.approved(amount)
    await life.until(on + timedelta(seconds=1))
    (effect,) = life.effects("instruct")
    await life.take(Outcome(effect.seq, answer, "", (), "", None))
    return str(effect.details["id"])


async def receipt_of(life: Life, payment: str) -> str:
    return next(id for id, known in life.state.receipts.items() if known.payment == payment)


async def rows(pool: Any, life: Life) -> dict[str, tuple[str, int, int]]:
    found, _ = await receipts.listed(pool, life.now, statuses=("waived", "accepted", *receipts.OPEN), limit=50)
    return {each.id: (each.status, each.justified, each.missing) for each in found}


async def test_a_receipt_over_its_life_is_one_row_and_rebuilt_the_same(pool: Any) -> None:
    life = await opened(pool)
    receipt = await receipt_of(life, await paid(life, 100_00, on=MONDAY))
    assert await rows(pool, life) == {receipt: ("owed", 0, 100_00)}
    life.now += timedelta(days=40)
    assert await rows(pool, life) == {receipt: ("late", 0, 100_00)}
    await life.do(c.SubmitReceipt(receipt=receipt, amount=60_00))
    assert await rows(pool, life) == {receipt: ("submitted", 0, 100_00)}
    fin = await life.hire(str(uuid4()), "fin", "finance")
    await life.do(c.AcceptReceipt(receipt=receipt, amount=50_00), actor=fin, role="finance")
    assert await rows(pool, life) == {receipt: ("in-part", 50_00, 50_00)}
    assert (await funds(pool))[0].unjustified == 50_00
    await life.do(c.WaiveReceipt(receipt=receipt), actor=fin, role="finance", reason="perdu")
    assert await rows(pool, life) == {receipt: ("waived", 50_00, 50_00)}
    assert [(each.status, each.missing) for each in await receipts.owing(pool, life.now)] == [("waived", 50_00)]
    assert (await funds(pool))[0].unjustified == 50_00
    before = await pool.fetch("SELECT * FROM receipts")
    headers = [event.read() for event in await read_all(pool, life.stream)]
    async with pool.acquire() as connection, connection.transaction():
        await payments.rebuild(connection, life.stream, headers)
        await receipts.rebuild(connection, life.stream, headers)
    assert await pool.fetch("SELECT * FROM receipts") == before


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"first_day": date(2027, 5, 11)}, "fund-period"), ({"last_day": date(2027, 5, 9)}, "fund-period"),
        ({"purposes": ("rent",)}, "fund-purpose"),
        ({"first_day": MONDAY.date(), "last_day": MONDAY.date(), "purposes": ("rent", "training")}, None),
    ],
)  # fmt: skip
async def test_the_terms_of_a_fund_hold_under_its_lock_and_change_as_facts(
    pool: Any, terms: dict[str, Any], code: str | None
) -> None:
    life = await opened(pool)
    assert await change_fund(pool, "main", Terms(**terms), life.by)
    assert not await change_fund(pool, "main", Terms(**terms), life.by)
    life.reserves = False
    await life.approved(10_00)
    answer = await append(pool, life.resources.ring, life.due())
    assert (answer.accepted, answer.blocked) == (code is None, code)
    facts = await pool.fetchval("SELECT count(*) FROM events WHERE kind = 'FundChanged'")
    assert facts == 1


async def test_without_the_fund_s_rule_its_terms_hold_nobody_back(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    life = await opened(pool, last_day=MONDAY.date() - timedelta(days=1), purposes=("rent",))
    life.reserves = False
    await life.approved(10_00)
    assert (await append(pool, life.resources.ring, life.due())).blocked == "fund-period"
    monkeypatch.setattr(money, "refusal", lambda *_, **__: None)
    assert (await append(pool, life.resources.ring, life.due())).accepted


async def test_a_statement_is_what_a_replay_of_the_record_adds_up_to(pool: Any) -> None:
    life = await opened(pool)
    fin = await life.hire(str(uuid4()), "fin", "finance")
    await top_up(pool, "main", 250_01, replace(life.by, at=MONDAY + timedelta(days=25)), "Mairie")
    first = await paid(life, 100_00, on=MONDAY)
    second = await paid(life, 33_33, on=MONDAY + timedelta(days=10))
    await paid(life, 20_00, on=MONDAY + timedelta(days=35), answer="rejected")
    third = await paid(life, 15_05, on=datetime(2027, 7, 31, 22, 30, tzinfo=MONDAY.tzinfo))
    receipt = await receipt_of(life, first)
    await life.do(c.SubmitReceipt(receipt=receipt, amount=70_00))
    await life.do(c.AcceptReceipt(receipt=receipt, amount=69_99), actor=fin, role="finance")
    back = c.RecordReceipt(of="payment", id=second, said="returned", reason="account-closed")
    await life.do(back, actor="system", role="system")
    other = await make_life(pool, RULES)
    await other.begin()
    await paid(other, 40_00, on=life.now)
    made = await statement(pool, "main")
    assert {each.first: each.figures for each in made.months} == await replayed(pool)
    assert made.closing == (await funds(pool))[0].available
    assert (made.people, [each.people for each in made.months]) == (2, [1, 0, 2])
    assert made.total.unjustified == (await funds(pool))[0].unjustified
    june = await statement(pool, "main", date(2027, 6, 1), date(2027, 6, 1))
    assert (june.opening, len(june.months), june.people) == (866_67, 1, 0)
    assert june.opening + june.total.change == june.closing
    assert third in {row["id"] for row in await pool.fetch("SELECT id::text FROM payments")}
    assert [(each.amount, each.donor) for each in await gifts(pool, "main")] == [
        (1_000_00, "Fondation L’Élan"), (250_01, "Mairie"),
    ]  # fmt: skip


async def replayed(pool: Any) -> dict[date, Any]:
    """The same, from nothing but the headers of the events."""
    from journeys.domain.statement import Figures

    sums: dict[date, Counter[str]] = {}
    amounts: dict[str, int] = {}
    asked: dict[str, int] = {}
    justified: Counter[str] = Counter()
    for row in await pool.fetch("SELECT convert_from(header, 'UTF8') AS header FROM events ORDER BY stream, seq"):
        header = json.loads(row["header"])
        kind, data = header["kind"], header["data"]
        local = datetime.fromisoformat(header["recorded_at"]).astimezone(ZoneInfo("Europe/Paris"))
        of = Counter[str]()
        match kind:
            case "FundOpened":
                of["received"] = data["balance"]
            case "FundToppedUp":
                of["received"] = data["amount"]
            case "GrantRequested":
                asked[data["grant"]] = data["amount"]
            case "GrantApproved":
                of["granted"] = asked[data["grant"]]
            case "PaymentReserved":
                amounts[data["payment"]] = of["reserved"] = data["amount"]
            case "PaymentRejected":
                of["reserved"] = -amounts[data["payment"]]
            case "PaymentSettled":
                of["paid"] = amounts[data["payment"]]
            case "PaymentReturned":
                of["returned"], of["justified"] = amounts[data["payment"]], -justified[data["payment"]]
            case "ReceiptAccepted" | "ReceiptPartAccepted":
                of["justified"] = data["amount"]
                justified[data["payment"]] += data["amount"]
        if +of or -of:
            sums.setdefault(local.date().replace(day=1), Counter()).update(of)
    return {month: Figures(**found) for month, found in sums.items()}
