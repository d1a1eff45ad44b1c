"""Payments: one instruction at most, whatever dies and whatever the bank does; paid is what the journal reserved."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

import activities.effects
from activities.reading import Known
from activities.tills import Drawer, Tills
from journeys.channels.bank import (
    BankAnswer,
    Behaviour,
    Order,
    OtherContent,
    PaymentFate,
    SimulatedBank,
    behaviour_of,
    reference_of,
)
from journeys.contract import Effect
from journeys.domain import commands as c
from journeys.domain.events import read_event
from journeys.domain.record import Event, Payload
from journeys.domain.state import PaymentStatus
from journeys.store import claims, journal, treasury
from journeys.store.claims import Claim
from tests.activities.conftest import Life

PAYEE = "Auto-école du Rhône, FR76 3000 4000 0312 3456 7890 143"
PAYMENT = "0190b5a0-0000-7000-8000-00000000000a"


def order(payment: str = PAYMENT, amount: int = 20_000) -> Order:
    return Order(payment, amount, PAYEE, "sepa")


async def paid(life: Life) -> list[int]:
    """Cents of each transfer that the bank made."""
    rows = await life.pool.fetch(
        "SELECT cents FROM bank.movements WHERE kind = 'paid' AND payment = ANY ($1::uuid[]) ORDER BY position",
        list(life.state.payments),
    )
    return [row["cents"] for row in rows]


async def events(life: Life) -> list[Event[Payload]]:
    return [read_event(stored.read()) for stored in await journal.read_all(life.pool, life.stream)]


async def asked(life: Life) -> int:
    count: int = await life.pool.fetchval(
        "SELECT count(*) FROM bank.instructions WHERE payment = ANY ($1::uuid[])", list(life.state.payments)
    )
    return count


def status(life: Life) -> PaymentStatus:
    (payment,) = life.state.payments.values()
    return payment.status


async def enquire(life: Life) -> dict[str, Any]:
    """Wait until the journey looks the payment up, and look."""
    (payment,) = life.state.payments.values()
    assert payment.look_at is not None
    await life.until(payment.look_at)
    (effect,) = life.effects("enquire")
    return await life.settle(effect)


async def test_a_payment_is_accepted_then_settled_at_the_first_enquiry(life: Life) -> None:
    result = await life.settle(await life.granted(PAYEE))
    assert result["answer"] == "accepted"
    assert await paid(life) == []
    assert (await enquire(life))["answer"] == "settled"
    assert status(life) is PaymentStatus.SETTLED
    assert await paid(life) == [20_000]


@pytest.mark.parametrize(
    ("mark", "first", "enquiries", "last"),
    [
        ("SIM-SETTLE", "settled", [], PaymentStatus.SETTLED),
        ("SIM-REJECT", "rejected", [], PaymentStatus.REJECTED),
        ("SIM-TIMEOUT", "unknown", ["settled"], PaymentStatus.SETTLED),
        ("SIM-LOST", "unknown", ["unknown", "unknown"], PaymentStatus.UNKNOWN),
        ("SIM-LATE", "accepted", ["accepted", "accepted", "settled"], PaymentStatus.SETTLED),
        ("sim-reject", "rejected", [], PaymentStatus.REJECTED),
    ],
)
async def test_the_payees_text_chooses_what_the_bank_does(
    life: Life, mark: str, first: str, enquiries: list[str], last: PaymentStatus
) -> None:
    assert (await life.settle(await life.granted(f"{mark} {PAYEE}")))["answer"] == first
    assert [(await enquire(life))["answer"] for _ in enquiries] == enquiries
    assert status(life) is last
    assert len(await paid(life)) == (last is PaymentStatus.SETTLED)


async def test_a_bank_that_is_down_is_tried_again_later_and_paid_once(life: Life) -> None:
    effect = await life.granted(f"SIM-DOWN {PAYEE}")
    for _ in range(2):
        assert (await life.settle(effect))["answer"] == "unsent"
        assert status(life) is PaymentStatus.RESERVED
        await life.until(life.now + timedelta(minutes=15))
        (effect,) = life.effects("instruct")
    assert (await life.settle(effect))["answer"] == "accepted"
    assert (await enquire(life))["answer"] == "settled"
    assert await paid(life) == [20_000]


async def test_the_same_effect_twice_instructs_once(life: Life) -> None:
    effect = await life.granted(PAYEE)
    assert await life.run(effect) == await life.run(effect)
    assert await asked(life) == 1


async def test_a_worker_that_died_after_the_call_looks_up_what_became_of_it(life: Life) -> None:
    effect = await life.granted(PAYEE)
    payment = effect.details["id"]
    await claims.claim(life.pool, effect.stream, effect.seq, "instruct", effect.at)
    await SimulatedBank(life.pool).instruct(order(payment))
    result = await life.run(effect)
    assert result["answer"] == "settled"
    assert await asked(life) == 1
    assert await paid(life) == [20_000]


async def test_a_worker_that_died_before_the_call_leaves_unknown_and_pays_nothing(life: Life) -> None:
    effect = await life.granted(PAYEE)
    await claims.claim(life.pool, effect.stream, effect.seq, "instruct", effect.at)
    result = await life.run(effect)
    assert (result["answer"], result["reason"]) == ("unknown", "not-found")
    assert await asked(life) == 0


class Forgetful(SimulatedBank):
    """A bank without idempotency key: each call is a payment of its own."""

    calls: list[str] = []

    async def instruct(self, order: Order) -> BankAnswer:
        self.calls.append(order.payment)
        return BankAnswer(PaymentFate.ACCEPTED)

    async def enquire(self, payment_id: str) -> BankAnswer:
        return BankAnswer(PaymentFate.ACCEPTED if payment_id in self.calls else PaymentFate.NOT_FOUND)


async def test_our_own_guard_holds_with_a_bank_that_forgets(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Forgetful, "calls", [])
    life.use(tills=Tills({"sepa": Forgetful(life.pool)}))
    effect = await life.granted(PAYEE)
    await claims.claim(life.pool, effect.stream, effect.seq, "instruct", effect.at)
    await life.resources.tills.of("sepa").instruct(order(effect.details["id"]))
    assert (await life.run(effect))["answer"] == "accepted"
    assert len(Forgetful.calls) == 1


async def test_without_the_claim_a_died_worker_pays_twice(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard taken away, with a bank that forgets."""

    async def never_seen(*_: Any) -> Claim:
        return Claim(fresh=True, attempts=(life.now,), outcome=None)

    monkeypatch.setattr(Forgetful, "calls", [])
    life.use(tills=Tills({"sepa": Forgetful(life.pool)}))
    effect = await life.granted(PAYEE)
    await claims.claim(life.pool, effect.stream, effect.seq, "instruct", effect.at)
    await life.resources.tills.of("sepa").instruct(order(effect.details["id"]))
    monkeypatch.setattr(claims, "claim", never_seen)
    await life.run(effect)
    assert len(Forgetful.calls) == 2


async def test_a_slow_bank_is_asked_again_once_it_must_know(life: Life) -> None:
    class Slow(SimulatedBank):
        async def enquire(self, payment_id: str) -> BankAnswer:
            if not seen:
                seen.append(payment_id)
                return BankAnswer(PaymentFate.NOT_FOUND)
            return BankAnswer(PaymentFate.ACCEPTED)

    seen: list[str] = []
    life.use(tills=Tills({"sepa": Slow(life.pool, visible_after=timedelta(milliseconds=50))}))
    effect = await life.granted(PAYEE)
    await claims.claim(life.pool, effect.stream, effect.seq, "instruct", effect.at)
    assert (await life.run(effect))["answer"] == "accepted"


async def test_what_is_paid_stands_in_the_journal_not_in_the_input(life: Life) -> None:
    effect = await life.granted(PAYEE, amount=12_345)
    lying = effect.model_copy(update={"details": {"kind": "instruct", "id": "x", "data": {"amount": 999_999}}})
    await life.settle(lying)
    await enquire(life)
    assert await paid(life) == [12_345]


async def test_forged_instructions_pay_nothing(life: Life) -> None:
    """Whoever reaches Temporal may start an activity; only the journal calls for a payment."""
    real = await life.granted(PAYEE)
    await life.settle(real)
    for seq in (*range(1, life.state.seq + 3), 10_000):
        if seq == real.seq:
            continue
        forged = Effect(stream=life.stream, seq=seq, at=life.now, details={"kind": "instruct", "id": "x"})
        with pytest.raises(ApplicationError) as caught:
            await life.run(forged)
        assert caught.value.type == "NotCalledFor"
    assert await asked(life) == 1


async def test_without_the_look_into_the_journal_a_forged_instruction_would_pay(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard taken away."""
    real = await life.granted(PAYEE)
    (reserved,) = (event.data for event in await events(life) if event.kind == "PaymentReserved")
    monkeypatch.setattr(Known, "at", lambda known, seq: reserved)
    monkeypatch.setattr(activities.effects, "must_be_open", lambda *_: None)
    await life.run(real.model_copy(update={"seq": 1}))
    assert await asked(life) == 1


async def test_a_payee_whose_text_is_gone_is_rejected_and_nothing_leaves(life: Life) -> None:
    effect = await life.granted(PAYEE)

    class Gone(SimulatedBank):
        async def instruct(self, *_: Any) -> BankAnswer:
            raise AssertionError("nothing may leave")

    life.use(tills=Tills({"sepa": Gone(life.pool)}))
    async with life.pool.acquire() as connection:
        await connection.execute("RESET ROLE")
        await connection.execute("DELETE FROM parts WHERE stream = $1", life.stream)
        await connection.execute("SET ROLE journeys_writer")
    result = await life.settle(effect)
    assert (result["answer"], result["reason"]) == ("rejected", "payee-deleted")
    assert status(life) is PaymentStatus.REJECTED


async def test_a_call_that_fails_on_the_way_is_looked_up_at_the_next_try(life: Life) -> None:
    class Cut(SimulatedBank):
        """The line goes dead after the bank has taken it."""

        async def instruct(self, order: Order) -> BankAnswer:
            await super().instruct(order)
            raise ConnectionResetError

    life.use(tills=Tills({"sepa": Cut(life.pool)}))
    effect = await life.granted(PAYEE)
    with pytest.raises(ApplicationError):
        await life.run(effect)
    assert (await life.run(effect))["answer"] == "settled"
    assert await asked(life) == 1


# --- the simulated bank itself


async def test_the_payment_id_is_the_idempotency_key(journal_pool: Any) -> None:
    bank = SimulatedBank(journal_pool)
    for _ in range(3):
        assert (await bank.instruct(order())).fate is PaymentFate.ACCEPTED
    assert await journal_pool.fetchval("SELECT count(*) FROM bank.movements") == 1
    for other in (replace(order(), amount=101), replace(order(), payee="FR76 other")):
        with pytest.raises(OtherContent):
            await bank.instruct(other)
    for _ in range(3):
        assert (await bank.enquire(PAYMENT)).fate is PaymentFate.SETTLED
    assert await journal_pool.fetchval("SELECT count(*) FROM bank.movements WHERE kind = 'paid'") == 1
    assert (await bank.instruct(order())).fate is PaymentFate.SETTLED


async def test_the_banks_ledger_cannot_be_edited_and_holds_no_payee(journal_pool: Any) -> None:
    await SimulatedBank(journal_pool).instruct(order())
    async with journal_pool.acquire() as connection:
        await connection.execute("RESET ROLE")
        for statement in (
            "UPDATE bank.movements SET cents = 1",
            "DELETE FROM bank.movements",
            "TRUNCATE bank.movements",
        ):
            with pytest.raises(Exception, match="append-only"):
                await connection.execute(statement)
        row = str(await connection.fetchrow("SELECT * FROM bank.instructions"))
        await connection.execute("SET ROLE journeys_writer")
    assert "FR76" not in row
    assert "Auto" not in row


def test_a_reference_fits_a_transfer_and_tells_payments_apart() -> None:
    assert len(reference_of(PAYMENT)) == 26
    assert reference_of(PAYMENT) != reference_of(PAYMENT[:-1] + "b")


@pytest.mark.parametrize("behaviour", Behaviour)
def test_each_behaviour_can_be_chosen_by_its_mark(behaviour: Behaviour) -> None:
    assert behaviour_of(f"FR76 SIM-{behaviour.upper()} 12") is behaviour
    assert behaviour_of(PAYEE) is Behaviour.ACCEPT


# --- which till


@pytest.mark.parametrize("channel", ["voucher", "hand"])
async def test_what_people_hand_over_waits_in_a_drawer_and_is_closed_by_who_signed(life: Life, channel: str) -> None:
    life.use(tills=Tills({channel: Drawer()}))
    result = await life.settle(await life.granted("Samir Benali", pay_by=channel))
    assert result["answer"] == "queued"
    assert status(life) is PaymentStatus.INSTRUCTED
    assert (await enquire(life))["answer"] == "queued"
    (payment,) = life.state.payments
    said = c.SettlePayment(payment=payment)
    for texts, outcome in (({}, "receipt-needed"), ({"signed_for": "S. Benali"}, None)):
        answer = await life.ask(said, actor=life.supervisor, role="finance", reason="remis", **texts)
        assert answer.code == outcome
    assert status(life) is PaymentStatus.BY_HAND
    assert await asked(life) == 0


async def test_a_channel_that_is_not_set_up_sends_nothing(life: Life) -> None:
    """Nothing goes to the simulation because nothing better is there."""
    life.use(tills=Tills({"http": SimulatedBank(life.pool)}))
    result = await life.settle(await life.granted(PAYEE))
    assert (result["answer"], result["reason"]) == ("unsent", "no-channel")
    assert status(life) is PaymentStatus.RESERVED
    assert await asked(life) == 0


async def test_nothing_is_sent_while_payments_are_stopped(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reserved before the stop, and about to leave: looked at right before. Without the look it leaves."""
    effect = await life.granted(PAYEE)
    await treasury.stop(life.pool, "contrôle", life.by)
    try:
        result = await life.settle(effect)
        assert (result["answer"], result["reason"]) == ("unsent", "all-stopped")
        assert await asked(life) == 0
        await life.until(life.now + timedelta(minutes=15))
        (effect,) = life.effects("instruct")

        async def never(_: Any) -> None:
            return None

        monkeypatch.setattr(treasury, "stopped", never)
        assert (await life.settle(effect))["answer"] == "accepted"
        assert await asked(life) == 1
    finally:
        monkeypatch.undo()
        await treasury.resume(life.pool, "contrôlé", life.by)
