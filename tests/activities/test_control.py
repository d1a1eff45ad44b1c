"""The daily control: each thing that must not be is found, kept once for a run, and made every day at its hour."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities.control import Control
from activities.digest import tell_finance
from activities.fleet import Fleet
from journeys import contract, temporal
from journeys.channels.letter import Fate, Sent
from journeys.domain import commands as c
from journeys.domain.commands import Command, RetryPayment
from journeys.domain.decide import Outcome
from journeys.store import bank_files, batches, controlling, staff, treasury
from tests.activities.conftest import MONDAY, Life, make_life
from tests.conftest import RealStack
from tests.store.test_bank import BY, HEAD, PAYEE, Bank, out
from workflows.control import ControlWorkflow

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def paid_once(journal_pool: Any) -> Life:
    """A payment of which the bank said nothing since Monday, from a grant that is not paid out."""
    life = await make_life(journal_pool)
    await life.begin()
    effect = await life.granted("FR76")
    await life.take(Outcome(effect.seq, "unknown", "timeout", (), "", None))
    return life


@pytest_asyncio.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    """Who may do what the application may not."""
    made = await asyncpg.connect(database_url)
    yield made
    await made.close()


async def codes(pool: Any, at: datetime) -> dict[str, int]:
    found = await controlling.control(pool, at)
    return {each.code: each.count for each in found.findings}


async def test_what_must_not_be_is_found(paid_once: Life, owner: Any) -> None:
    life, pool = paid_once, paid_once.pool
    assert await codes(pool, MONDAY + timedelta(hours=3)) == {"unknown": 1}
    assert await codes(pool, MONDAY + timedelta(days=2)) == {"unknown-long": 1, "unknown": 1}
    assert await staff.take_role(pool, life.supervisor, "supervisor", life.by)
    assert await codes(pool, MONDAY) == {"right-lost": 1, "unknown": 1}
    await owner.execute("UPDATE funds SET balance = balance + 1")
    await owner.execute("UPDATE payments SET status = 'settled'")
    assert await codes(pool, MONDAY) == {"fund-balance": 1, "ledger-payments": 1, "right-lost": 1}


async def test_the_ledger_is_held_against_the_lines_of_the_bank(journal_pool: Any) -> None:
    life = await make_life(journal_pool)
    await life.begin()
    effect = await life.granted("FR76", 50_00)
    payment = str(effect.details["id"])
    await life.take(Outcome(effect.seq, "queued", "", (), "", None))
    bank = Bank(journal_pool, life.resources.ring)
    await batches.queue(journal_pool, bank.ring, payment, 50_00, PAYEE)
    batch = await bank.make()
    assert batch is not None
    await batches.give_out(journal_pool, bank.ring, batch.id, BY)
    await bank.take(HEAD, out(payment), out(None))
    assert await codes(journal_pool, MONDAY) == {"instructed": 1, "bank-lines": 1, "bank-tellings": 1}
    (telling,) = await bank_files.waiting(journal_pool)
    await bank_files.told(journal_pool, telling, None, MONDAY)
    assert await codes(journal_pool, MONDAY) == {"ledger-bank": 1, "instructed": 1, "bank-lines": 1}, "it never heard"
    await life.do(c.RecordReceipt(of="payment", id=payment, said="settled"), actor="system", role="system")
    assert await codes(journal_pool, MONDAY) == {"bank-lines": 1}


async def test_a_run_is_kept_once_and_the_schedule_made_once(
    stack: RealStack, paid_once: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, queue = paid_once.pool, f"q-{uuid.uuid4()}"
    client = await Client.connect(stack.temporal, data_converter=temporal.DATA_CONVERTER)
    assert await staff.take_role(pool, paid_once.supervisor, "supervisor", paid_once.by)
    kept = controlling.keep

    async def keep_and_die(*given: Any) -> None:
        await kept(*given)
        monkeypatch.setattr(controlling, "keep", kept)
        raise OSError("the worker died before it could answer")

    monkeypatch.setattr(controlling, "keep", keep_and_die)
    worker = Worker(
        client, task_queue=queue, workflows=[ControlWorkflow], activities=[Control(paid_once.resources).control],
        workflow_runner=temporal.sandbox_runner(),
    )  # fmt: skip
    async with worker:
        alarms = await client.execute_workflow(contract.CONTROL, id=f"control-{uuid.uuid4()}", task_queue=queue)
    assert alarms == 1 and await pool.fetchval("SELECT count(*) FROM controls") == 1
    found = await controlling.last(pool)
    assert found is not None and found.alarms == 1 and datetime.now(UTC) - found.at < timedelta(minutes=5)
    try:
        for hour in (7, 7, 6):
            await temporal.control_daily(client, queue, hour)
        made = await client.get_schedule_handle(contract.CONTROL).describe()
        (daily,) = made.schedule.spec.calendars
        assert (daily.hour[0].start, made.schedule.spec.time_zone_name) == (6, "Europe/Paris")
    finally:
        await client.get_schedule_handle(contract.CONTROL).delete()


async def test_finance_is_told_what_is_found_once_and_again_when_it_changes(paid_once: Life) -> None:
    life, pool = paid_once, paid_once.pool
    await life.hire(str(uuid.uuid4()), "fatou", "finance")
    await life.hire(str(uuid.uuid4()), "bound", "finance", funds=("main",))
    gone = await life.hire(str(uuid.uuid4()), "gone", "finance")
    await staff.set_active(pool, gone, False, life.by)

    async def day(number: int) -> list[str]:
        found = await controlling.control(pool, MONDAY + timedelta(days=number))
        await controlling.keep(pool, f"control-{number}", found)
        before = len(life.postman.letters)
        await tell_finance(life.resources, f"control-{number}", found)
        return [letter.body for letter in life.postman.letters[before:]]

    assert await day(0) == [], "nothing is wrong"
    [body] = await day(2)
    assert (
        life.postman.recipients == ["fatou@example.org"]
        and "- 1 versement sans nouvelle de la banque depuis plus d'un jour ouvré" in body
    )
    assert await day(3) == [], "nothing has changed"
    found = await controlling.control(pool, MONDAY + timedelta(days=3))
    await controlling.keep(pool, "by-hand-1", replace(found, findings=()))
    assert await day(4) == [], "a control by hand is no news"
    assert await staff.take_role(pool, life.supervisor, "supervisor", life.by)
    life.postman.answers.append(Sent(Fate.NOTHING_LEFT, "timeout"))
    with pytest.raises(ApplicationError):
        await day(5)
    found = await controlling.control(pool, MONDAY + timedelta(days=5))
    assert await tell_finance(life.resources, "control-5", found) == 1, "tried again it is told"
    first, again = life.postman.letters[-2:]
    assert (first.id, first.body) == (again.id, again.body) and "1 aide non versée dont l'accord" in again.body


async def test_what_the_switch_blocked_is_called_for_again_once_payments_go_on(journal_pool: Any) -> None:
    life = await make_life(journal_pool)
    await life.begin()
    sent: list[Command] = []

    async def send(command: Command) -> None:
        sent.append(command)

    life.use(send=send)
    blocked = str(uuid.uuid4())
    for id, reason in ((blocked, "all-stopped"), (str(uuid.uuid4()), "fund-cap")):
        await journal_pool.execute(
            "INSERT INTO payments (id, stream, seq, grant_id, number, fund, person, amount, pay_by, reference, status,"
            " since, moved, reason) VALUES ($1, $2, 1, $1, 1, 'main', $1, 1, 'sepa', $5, 'blocked', $4, 1, $3)",
            id, life.stream, reason, life.now, id,
        )  # fmt: skip
    await treasury.stop(journal_pool, "doute", life.by)
    await Fleet(life.resources).wake()
    assert [command for command in sent if command.name == "retry-payment"] == [], "payments are stopped"
    await treasury.resume(journal_pool, "rien", life.by)
    await Fleet(life.resources).wake()
    await Fleet(life.resources).wake()
    first, again = [command for command in sent if command.name == "retry-payment"]
    assert (first.id, first.body) == (again.id, RetryPayment(payment=blocked))
