"""A transfer from its approval to the statement: it waits, leaves in a file, and its journey is told the outcome."""

import asyncio
import io
from datetime import date, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from activities.fleet import Fleet
from activities.sepa import SepaTill
from activities.tills import Tills
from journeys.channels.bank import Order, OtherContent, PaymentFate
from journeys.channels.sepa.receiving import received
from journeys.channels.sepa.transfers import render
from journeys.contract import Answer
from journeys.domain import commands as c
from journeys.domain.banking import Account, FileRefused
from journeys.domain.commands import Command
from journeys.domain.state import PaymentStatus
from journeys.identifiers import uuid7
from journeys.issuing import Told, send_waiting
from journeys.local import bank_files as imaginary
from journeys.local.bank_files import Fate, Plan
from journeys.store import bank_files, batches, giving, journal, money, payments
from journeys.store.bank_files import Imported, Incoming
from journeys.store.batches import ClosedSince
from journeys.store.directory import record
from tests.activities.conftest import Life, make_life

PAYEE = "Éloïse D’Œuvre, FR14 2004 1010 0505 0001 3M02 606"
OURS = Account("L'association", "FR7630006000011234567890189")
DAY = date(2027, 5, 12)


@pytest_asyncio.fixture
async def sepa(journal_pool: Any) -> Life:
    life = await make_life(journal_pool)
    await life.begin()
    life.use(tills=Tills({"sepa": SepaTill(life.pool, life.resources.ring)}))
    return life


async def instructed(life: Life, amount: int = 20_000) -> str:
    """A payment that waits for the file."""
    effect = await life.granted(PAYEE, amount)
    assert (await life.settle(effect))["answer"] == "queued"
    payment: str = effect.details["id"]
    assert life.state.payments[payment].status is PaymentStatus.INSTRUCTED
    return payment


async def given_out(life: Life) -> bytes:
    made = await batches.make(life.pool, life.resources.ring, uuid7(life.now), DAY, OURS, "Versement", render, life.by)
    assert made is not None
    return await batches.give_out(life.pool, life.resources.ring, made.id, life.by)


async def take_in(life: Life, content: bytes) -> Imported:
    file = Incoming(sha256(content).hexdigest(), received(io.BytesIO(content)))
    return await bank_files.take_in(life.pool, life.resources.ring, file, OURS.iban, life.by)


async def tell(life: Life) -> Told:
    async def send(command: Command) -> Answer | None:
        return await life.give(command)

    return await send_waiting(life.pool, life.resources.ring, send, life.now)


async def asked(life: Life, payment: str) -> tuple[PaymentFate, str]:
    said = await life.resources.tills.of("sepa").enquire(payment)
    return said.fate, said.reason


def status(life: Life, payment: str) -> PaymentStatus:
    return life.state.payments[payment].status


async def test_a_transfer_leaves_in_a_file_and_is_settled_by_the_statement(sepa: Life) -> None:
    payment = await instructed(sepa)
    assert await asked(sepa, payment) == (PaymentFate.QUEUED, "")
    content = await given_out(sepa)
    assert await asked(sepa, payment) == (PaymentFate.UNKNOWN, "no-answer")
    await take_in(sepa, imaginary.report(content, Plan(), sepa.now))
    assert await asked(sepa, payment) == (PaymentFate.ACCEPTED, "")
    assert await tell(sepa) == Told(1, 0, 0) and status(sepa, payment) is PaymentStatus.ACCEPTED
    statement = imaginary.statement([content], Plan(), DAY, opening=1_000_00)
    found = await take_in(sepa, statement)
    assert (found.kind, found.fresh, found.troubled) == ("camt.053", 1, 0)
    assert await tell(sepa) == Told(1, 0, 0) and status(sepa, payment) is PaymentStatus.SETTLED
    assert (await take_in(sepa, statement)).known and await tell(sepa) == Told(0, 0, 0)
    settled = next(each for each in await journal.read_all(sepa.pool, sepa.stream) if each.kind == "PaymentSettled")
    system = await journal.read_all(sepa.pool, "system")
    assert settled.read()["actor"] == "system" and settled.read()["caused_by"] == ["system", system[-1].seq]
    assert system[-1].kind == "BankFileImported"
    [row] = await payments.payments_like(sepa.pool, payment)
    assert row.status is PaymentStatus.SETTLED and row.batch is not None


@pytest.mark.parametrize("advised", [True, False])
async def test_what_comes_back_is_returned_once(sepa: Life, advised: bool) -> None:
    payment, plan = await instructed(sepa), Plan(usual=Fate.RETURN)
    content = await given_out(sepa)
    later = DAY + timedelta(days=2)
    files = [
        imaginary.statement([content], plan, DAY, opening=1_000_00),
        imaginary.returns([content], plan, later, opening=800_00),
    ]
    if advised:
        files.insert(0, imaginary.advice([content], plan, later))
    for each in files:
        await take_in(sepa, each)
        await tell(sepa)
    assert status(sepa, payment) is PaymentStatus.RETURNED
    assert await bank_files.exceptions(sepa.pool, sepa.resources.ring) == []


@pytest.mark.parametrize(
    ("fate", "becomes", "trouble"),
    [
        (Fate.REJECT, PaymentStatus.REJECTED, None),
        (Fate.SILENCE, PaymentStatus.INSTRUCTED, None),
        (Fate.ACCEPT, PaymentStatus.ACCEPTED, None),
        (Fate.DOUBLE, PaymentStatus.SETTLED, "doubled"),
        (Fate.SHORT, PaymentStatus.ACCEPTED, "wrong-amount"),
        (Fate.NO_MATCH, PaymentStatus.INSTRUCTED, None),
    ],
)
async def test_each_thing_a_bank_may_do(sepa: Life, fate: Fate, becomes: PaymentStatus, trouble: str | None) -> None:
    payment, plan = await instructed(sepa), Plan(usual=fate)
    content = await given_out(sepa)
    await take_in(sepa, imaginary.report(content, plan, sepa.now))
    await take_in(sepa, imaginary.statement([content], plan, DAY, opening=1_000_00))
    assert (await tell(sepa)).refused == 0
    assert status(sepa, payment) is becomes
    assert sepa.state.payments[payment].doubt == ("no-match" if fate is Fate.NO_MATCH else None)
    troubles = [row.trouble for row in await bank_files.exceptions(sepa.pool, sepa.resources.ring)]
    assert troubles == ([trouble] if trouble else [])


async def test_a_run_that_was_cut_off_is_gone_on_with(sepa: Life) -> None:
    payment, plan = await instructed(sepa), Plan(usual=Fate.RETURN)
    content = await given_out(sepa)
    await take_in(sepa, imaginary.returns([content], plan, DAY, opening=1_000_00))

    answers: list[Answer | None] = [None]

    async def silent(_: Command) -> Answer | None:
        return answers[0]

    assert await send_waiting(sepa.pool, sepa.resources.ring, silent, sepa.now) == Told(0, 0, 2)

    async def cut(command: Command) -> Answer | None:
        await sepa.give(command)
        return None

    assert await send_waiting(sepa.pool, sepa.resources.ring, cut, sepa.now) == Told(0, 0, 2)
    assert status(sepa, payment) is PaymentStatus.SETTLED, "told, but the answer was lost"
    assert await tell(sepa) == Told(2, 0, 0) and status(sepa, payment) is PaymentStatus.RETURNED


async def test_the_round_of_the_fleet_tells_what_still_waits(sepa: Life) -> None:
    payment = await instructed(sepa)
    content = await given_out(sepa)
    await take_in(sepa, imaginary.statement([content], Plan(), DAY, opening=1_000_00))
    sepa.use(send=sepa.give)
    await Fleet(sepa.resources).wake()
    assert status(sepa, payment) is PaymentStatus.SETTLED


async def batch_of(life: Life) -> str:
    made = await batches.make(life.pool, life.resources.ring, uuid7(life.now), DAY, OURS, "Versement", render, life.by)
    assert made is not None
    return made.id


async def never_paid(life: Life, payment: str) -> Answer:
    finance = await life.hire(str(uuid4()), "fatou", "finance")
    return await life.ask(
        c.SettlePayment(payment=payment, fate="never-paid"), actor=finance, role="finance", reason="jamais parti"
    )


async def test_what_was_noted_as_never_left_leaves_in_no_file(sepa: Life) -> None:
    payment, made = await instructed(sepa), await batch_of(sepa)
    assert (await never_paid(sepa, payment)).outcome == "accepted"
    with pytest.raises(ClosedSince):
        await batches.give_out(sepa.pool, sepa.resources.ring, made, sepa.by)
    await batches.withdraw(sepa.pool, made, "noté jamais parti", sepa.by)
    assert await batches.waiting(sepa.pool) == (0, 0)


async def test_what_is_at_the_bank_never_left_only_after_a_statement_without_it(sepa: Life) -> None:
    payment = await instructed(sepa)
    content = await given_out(sepa)
    refused = await never_paid(sepa, payment)
    assert (refused.outcome, refused.code) == ("refused", "payment-at-bank")
    assert status(sepa, payment) is PaymentStatus.INSTRUCTED
    assert await journal.answer_of(sepa.pool, sepa.stream, refused.command) is None, "asked again it is judged anew"
    sepa.now += timedelta(days=1)
    before = sepa.now.date() - timedelta(days=2)
    await take_in(sepa, imaginary.statement([content], Plan(usual=Fate.SILENCE), before, opening=1_000_00))
    assert (await never_paid(sepa, payment)).code == "payment-at-bank", "a statement of before says nothing of it"
    await take_in(sepa, imaginary.statement([content], Plan(usual=Fate.SILENCE), DAY, opening=1_000_00))
    assert (await never_paid(sepa, payment)).outcome == "accepted"


async def given_while_noted(life: Life, monkeypatch: pytest.MonkeyPatch, seconds: float = 0.5) -> Answer:
    """What is answered to whoever notes, while the file is given out, that a payment in it never left.

    Args:
        seconds: that it is waited for at most, before the giving goes on.
    """
    payment, made = await instructed(life), await batch_of(life)
    noting: list[asyncio.Task[Answer]] = []

    async def meanwhile(*said: Any) -> int:
        noting.append(asyncio.create_task(never_paid(life, payment)))
        await asyncio.wait(noting, timeout=seconds)
        return await record(*said)

    with monkeypatch.context() as patch:
        patch.setattr(batches, "record", meanwhile)
        await batches.give_out(life.pool, life.resources.ring, made, life.by)
    return await noting[0]


async def test_who_notes_it_while_the_file_is_given_out_is_refused(sepa: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await given_while_noted(sepa, monkeypatch)).code == "payment-at-bank"


async def test_without_the_lock_it_would_leave_and_be_replaced(sepa: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(_: Any) -> None: ...

    monkeypatch.setattr(giving, "alone", nobody)
    assert (await given_while_noted(sepa, monkeypatch, 30)).outcome == "accepted"


async def test_without_the_look_it_would_be_replaced_although_it_left(
    sepa: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: Any) -> set[str]:
        return set()

    monkeypatch.setattr(money, "left_since", nothing)
    payment = await instructed(sepa)
    await given_out(sepa)
    assert (await never_paid(sepa, payment)).outcome == "accepted"


async def test_what_the_journey_will_not_take_is_looked_at(sepa: Life) -> None:
    payment = await instructed(sepa)
    content = await given_out(sepa)
    await take_in(sepa, imaginary.statement([content], Plan(), DAY, opening=1_000_00))
    finance = await sepa.hire(uuid7(sepa.now), "fatou", "finance")
    await sepa.do(c.SettlePayment(payment=payment), actor=finance, role="finance", reason="vu sur le compte")
    assert await tell(sepa) == Told(0, 1, 0)
    [row] = await bank_files.exceptions(sepa.pool, sepa.resources.ring)
    assert (row.refused, row.payment) == ("payment-settled", payment)


@pytest.mark.parametrize(
    ("payee", "reason"),
    [
        ("Sans compte", "iban-shape"),
        ("Clé fausse, FR14 2004 1010 0505 0001 3M02 607", "iban-key"),
        ("Ailleurs, BR18 0036 0305 0000 1000 9795 493C 1", "iban-outside-sepa"),
        (", FR14 2004 1010 0505 0001 3M02 606", "name-not-latin"),
    ],
)
async def test_what_no_bank_takes_is_rejected_at_once(sepa: Life, payee: str, reason: str) -> None:
    effect = await sepa.granted(payee)
    result = await sepa.settle(effect)
    assert (result["answer"], result["reason"]) == ("rejected", reason)
    assert await batches.waiting(sepa.pool) == (0, 0)


async def test_a_payment_is_queued_once_whatever_dies(sepa: Life) -> None:
    till = sepa.resources.tills.of("sepa")
    order = Order(uuid7(sepa.now), 20_000, PAYEE, "sepa")
    for _ in range(2):
        assert (await till.instruct(order)).fate is PaymentFate.QUEUED
    with pytest.raises(OtherContent):
        await till.instruct(Order(order.payment, 20_001, PAYEE, "sepa"))
    assert await asked(sepa, order.payment) == (PaymentFate.QUEUED, "")
    assert await asked(sepa, uuid7(sepa.now)) == (PaymentFate.NOT_FOUND, "")


async def test_nothing_of_a_bad_file_is_kept(sepa: Life) -> None:
    await instructed(sepa)
    content = await given_out(sepa)
    statement = imaginary.statement([content], Plan(), DAY, opening=1_000_00)
    wrong: list[tuple[bytes, str]] = [
        (statement[: len(statement) // 2], "truncated"),
        (statement.replace(OURS.iban.encode(), b"DE89370400440532013000"), "other-account"),
        (statement.replace(b"800.00", b"801.00"), "does-not-add-up"),
        (statement.replace(b"200.00", b"200.001"), "third-decimal"),
        (b"", "truncated"),
        (content, "other-message"),
    ]
    before = await counted(sepa.pool)
    for bad, code in wrong:
        with pytest.raises(FileRefused) as refused:
            await take_in(sepa, bad)
        assert refused.value.code == code
    assert await counted(sepa.pool) == before


async def counted(pool: Any) -> list[int]:
    tables = ("bank_files", "bank_statements", "bank_lines", "bank_texts", "bank_tellings")
    return [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
