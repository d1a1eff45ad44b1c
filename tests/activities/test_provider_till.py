"""Payments by a provider: its keys are written down before they are used, and used again only while it remembers."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from activities.tills import ProviderTill, Tills
from journeys.channels.bank import BankAnswer, Order, OtherContent, PaymentFate
from journeys.channels.provider import Provider
from journeys.domain.banking import reference_of
from journeys.domain.state import PaymentStatus
from journeys.store import claims
from journeys.store.claims import Claim
from tests.activities.conftest import Life
from tests.bank.ledger import open_ledger, paid
from tests.bank.process import TOKEN
from tests.bank.server import Bank, serve

PAYEE = "Auto-école du Rhône, FR76 3000 6000 0112 3456 7890 189"
NOON = datetime(2027, 5, 10, 12, 0, tzinfo=UTC)


@dataclass
class Counter:
    """The fake bank, in this process."""

    path: Path
    url: str

    @property
    def provider(self) -> Provider:
        return Provider(self.url, TOKEN, answer_seconds=1.0)

    @property
    def paid(self) -> list[int]:
        return [cents for each in paid(self.path).values() for cents in each]


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    path = tmp_path / "ledger"
    server = serve(Bank(open_ledger(path), hang_seconds=2.0))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield Counter(path, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


def till(pool: Any, provider: Provider, at: datetime = NOON) -> ProviderTill:
    return ProviderTill(pool, provider, timedelta(hours=24), timedelta(minutes=1), now=lambda: at)


def order(amount: int = 100, name: str = "") -> Order:
    return Order(str(uuid4()), amount, name + PAYEE, "http")


def shut(counter: Counter) -> Provider:
    return replace(counter.provider, url="http://127.0.0.1:9")


class Watched(Provider):
    """What it is asked, in order."""

    asked: list[str] = []

    async def pay(self, order: Order) -> BankAnswer:
        self.asked.append("pay")
        return await Provider.pay(self, order)

    async def look_up(self, payment: str, amount: int) -> BankAnswer:
        self.asked.append("look-up")
        return await Provider.look_up(self, payment, amount)


async def test_a_key_is_written_down_before_anything_is_sent(lives_pool: Any, counter: Counter) -> None:
    """A database that does not keep it: nothing leaves."""
    asked = order()
    async with lives_pool.acquire() as connection:
        await connection.execute("RESET ROLE")
        await connection.execute("REVOKE INSERT ON provider_keys FROM journeys_writer")
        await connection.execute("SET ROLE journeys_writer")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await till(lives_pool, counter.provider).instruct(asked)
    async with lives_pool.acquire() as connection:
        await connection.execute("RESET ROLE")
        await connection.execute("GRANT INSERT ON provider_keys TO journeys_writer")
        await connection.execute("SET ROLE journeys_writer")
    assert counter.paid == []
    assert (await till(lives_pool, counter.provider).instruct(asked)).fate is PaymentFate.ACCEPTED
    assert counter.paid == [100]


async def test_the_same_key_with_another_content_never_leaves(lives_pool: Any, counter: Counter) -> None:
    asked, known = order(), till(lives_pool, counter.provider)
    await known.instruct(asked)
    for other in (replace(asked, amount=101), replace(asked, payee="Autre, FR76 3000 4000 0312 3456 7890 143")):
        with pytest.raises(OtherContent):
            await known.instruct(other)
    assert counter.paid == [100]
    async with lives_pool.acquire() as connection:
        await connection.execute("RESET ROLE")
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute("UPDATE provider_keys SET amount = 1 WHERE payment = $1", asked.payment)
        await connection.execute("SET ROLE journeys_writer")


async def test_a_key_is_used_again_only_while_the_provider_surely_remembers_it(
    lives_pool: Any, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is looked up. Without the window a forgotten key pays again."""
    monkeypatch.setattr(Watched, "asked", [])
    asked, watched = order(), Watched(counter.url, TOKEN)
    for at in (NOON, NOON + timedelta(hours=22), NOON + timedelta(hours=23), NOON + timedelta(days=30)):
        await till(lives_pool, watched, at).instruct(asked)
    assert Watched.asked == ["pay", "pay", "look-up", "look-up"]
    open_ledger(counter.path).execute("UPDATE orders SET key = NULL")
    late = till(lives_pool, counter.provider, NOON + timedelta(days=2))
    assert (await late.instruct(asked)).fate is PaymentFate.SETTLED
    assert counter.paid == [100]
    assert (await replace(late, remembers=timedelta(days=365)).instruct(asked)).fate is PaymentFate.ACCEPTED
    assert counter.paid == [100, 100]


async def test_what_did_not_leave_leaves_later_and_what_may_have_left_is_a_doubt(
    lives_pool: Any, counter: Counter
) -> None:
    asked, open_, closed = order(), counter.provider, shut(counter)
    assert (await till(lives_pool, closed).instruct(asked)).fate is PaymentFate.UNSENT
    assert (await till(lives_pool, open_, NOON + timedelta(days=9)).instruct(asked)).fate is PaymentFate.ACCEPTED
    assert (await till(lives_pool, closed, NOON + timedelta(days=9)).instruct(asked)).fate is PaymentFate.UNKNOWN
    assert counter.paid == [100]


async def test_that_nothing_is_found_counts_only_once_it_would_be(lives_pool: Any, counter: Counter) -> None:
    asked = order(name="BANK-SILENCE ")
    assert (await till(lives_pool, counter.provider).instruct(asked)).fate is PaymentFate.UNKNOWN
    early, late = (till(lives_pool, counter.provider, NOON + timedelta(seconds=each)) for each in (59, 60))
    assert await early.enquire(asked.payment) == BankAnswer(PaymentFate.UNKNOWN, "not-visible-yet")
    assert (await late.enquire(asked.payment)).fate is PaymentFate.NOT_FOUND
    assert (await late.enquire(str(uuid4()))).fate is PaymentFate.NOT_FOUND


async def test_a_journey_pays_once_by_it_whatever_dies(
    life: Life, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that died after the call looks it up. Without claim and without key it pays twice."""
    life.use(tills=Tills({"http": till(life.pool, counter.provider)}))
    effect = await life.granted(PAYEE, pay_by="http")
    payment = effect.details["id"]
    await claims.claim(life.pool, effect.stream, effect.seq, "instruct", effect.at)
    sent = Order(payment, 20_000, PAYEE, "http")
    await life.resources.tills.of("http").instruct(sent)
    assert (await life.run(effect))["answer"] == "settled"
    assert paid(counter.path) == {reference_of(payment): [20_000]}

    async def never_seen(*_: Any) -> Claim:
        return Claim(fresh=True, attempts=(life.now,), outcome=None)

    async def nothing(*_: Any) -> None:
        return None

    monkeypatch.setattr(claims, "claim", never_seen)
    monkeypatch.setattr(claims, "recorded", nothing)
    assert (await life.run(effect))["answer"] == "settled"
    assert counter.paid == [20_000], "the key alone holds"
    open_ledger(counter.path).execute("UPDATE orders SET key = NULL")
    await life.run(effect)
    assert counter.paid == [20_000, 20_000]


async def test_a_provider_that_is_down_is_tried_again_and_paid_once(life: Life, counter: Counter) -> None:
    life.use(tills=Tills({"http": till(life.pool, shut(counter))}))
    effect = await life.granted(PAYEE, pay_by="http")
    assert (await life.settle(effect))["answer"] == "unsent"
    life.use(tills=Tills({"http": till(life.pool, counter.provider)}))
    await life.until(life.now + timedelta(minutes=15))
    (effect,) = life.effects("instruct")
    assert (await life.settle(effect))["answer"] == "accepted"
    (known,) = life.state.payments.values()
    assert known.status is PaymentStatus.ACCEPTED and counter.paid == [20_000]
