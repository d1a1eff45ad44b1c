"""Payments: one instruction at most, then enquiries until the fate is known."""

import asyncio
from dataclasses import dataclass
from typing import Final

from temporalio import activity

from activities.effects import Step, carry_out
from activities.failures import not_called_for
from activities.reading import Known, read_part
from activities.resources import Resources
from journeys.channels.bank import Bank, BankAnswer, Order, PaymentFate
from journeys.contract import ENQUIRE, INSTRUCT, Effect, EffectOutcome
from journeys.domain.decide import Outcome
from journeys.domain.events import PaymentEnquired, PaymentReleased, PaymentReserved
from journeys.domain.state import PaymentStatus
from journeys.store import treasury

_LONGEST_WAIT_SECONDS: Final = 5.0
"""For an instruction that may not be visible yet; a slower bank is looked up later by the journey."""

_NO_FATE: Final = frozenset({PaymentFate.NOT_FOUND, PaymentFate.UNSENT, PaymentFate.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Grants:
    """Instructions and enquiries. What is paid stands in the journal's reservation; the input only names it."""

    resources: Resources

    @activity.defn(name=INSTRUCT)
    async def instruct(self, effect: Effect) -> EffectOutcome:
        """Instruct the till of the grant's channel: accepted, settled, rejected, unknown, queued where it lies there
        until people act, or unsent when nothing left.

        Nothing is sent while all payments are stopped: that is looked at right before. Whoever finds an attempt
        without outcome asks the till what became of it and never instructs again.
        """

        async def judge(known: Known) -> Step:
            called = known.at(effect.seq)
            if not isinstance(called, PaymentReserved | PaymentReleased):
                raise not_called_for(effect)
            payment = called.payment
            reserved = known.last(PaymentReserved, payment=payment)
            assert reserved is not None
            till = self.resources.tills.of(reserved.pay_by)

            async def look() -> Outcome:
                return await _look_up(till, effect.seq, payment)

            if known.state.payments[payment].status is not PaymentStatus.RESERVED:
                return Step(look, look)
            payee = await read_part(self.resources.pool, effect.stream, "payee", reserved.payee)

            async def pay() -> Outcome:
                if payee is None:
                    return Outcome(effect.seq, "rejected", "payee-deleted")
                if await treasury.stopped(self.resources.pool) is not None:
                    return Outcome(effect.seq, PaymentFate.UNSENT.value, "all-stopped")
                said = await till.instruct(Order(payment, reserved.amount, payee, reserved.pay_by))
                return _outcome(effect.seq, said)

            return Step(pay, look)

        return await carry_out(self.resources, effect, "instruct", judge)

    @activity.defn(name=ENQUIRE)
    async def enquire(self, effect: Effect) -> EffectOutcome:
        """Ask the bank what became of a payment: settled, rejected, accepted or unknown."""

        async def judge(known: Known) -> Step:
            called = known.at(effect.seq)
            if not isinstance(called, PaymentEnquired):
                raise not_called_for(effect)
            payment = called.payment

            till = self.resources.tills.of(known.state.payments[payment].pay_by)

            async def ask() -> Outcome:
                return _found(effect.seq, await till.enquire(payment))

            return Step(ask)

        return await carry_out(self.resources, effect, "enquire", judge)


async def _look_up(till: Bank, effect: int, payment: str) -> Outcome:
    """What became of an instruction that may have left: known, or unknown once it would surely be visible."""
    said = await till.enquire(payment)
    wait = min(till.visible_after.total_seconds(), _LONGEST_WAIT_SECONDS)
    if said.fate is PaymentFate.NOT_FOUND and wait > 0:
        await asyncio.sleep(wait)
        said = await till.enquire(payment)
    return _found(effect, said)


def _outcome(effect: int, said: BankAnswer) -> Outcome:
    fate = PaymentFate.UNKNOWN if said.fate is PaymentFate.NOT_FOUND else said.fate
    return Outcome(effect, fate.value, said.reason)


def _found(effect: int, said: BankAnswer) -> Outcome:
    """An enquiry that finds nothing proves nothing: only people may say that a payment never was."""
    if said.fate in _NO_FATE:
        return Outcome(effect, PaymentFate.UNKNOWN.value, said.reason or said.fate.value)
    return Outcome(effect, said.fate.value, said.reason)
