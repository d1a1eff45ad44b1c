"""The tills: what takes a payment, by the channel that its grant names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from journeys.channels.bank import Bank, BankAnswer, Order, OtherContent, PaymentFate
from journeys.channels.provider import Provider
from journeys.store import provider as keys
from journeys.store.database import Pool

_NO_WAIT: Final = timedelta(0)
_MARGIN: Final = timedelta(hours=1)
"""So long before a provider forgets a key nothing is sent under it any more: clocks differ, and a call takes time."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Tills:
    """One `Bank` a channel. A channel that is not set up is a door that stays shut: nothing leaves by it."""

    by_channel: Mapping[str, Bank]

    def of(self, pay_by: str) -> Bank:
        """The till of a channel."""
        return self.by_channel.get(pay_by, _SHUT)


@dataclass(frozen=True, slots=True)
class Drawer:
    """A `Bank` for what people hand over: it lies there until somebody says who signed for it."""

    visible_after: timedelta = _NO_WAIT

    async def instruct(self, order: Order) -> BankAnswer:
        """To be handed over."""
        return BankAnswer(PaymentFate.QUEUED)

    async def enquire(self, payment_id: str) -> BankAnswer:
        """Still to be handed over: nobody but a person can say that it was."""
        return BankAnswer(PaymentFate.QUEUED)


@dataclass(frozen=True, slots=True)
class ProviderTill:
    """A `Bank` behind the interface of a provider; the payment's id is its key there.

    The key is written down before anything is sent, with what is sent under it. It is used again only while the
    provider surely remembers it, and never with another content.
    """

    pool: Pool
    """Acts as journeys_writer."""
    provider: Provider
    remembers: timedelta
    """How long the provider knows a key again."""
    shows_after: timedelta
    """How long after it was told it may still not find a payment: before, that it finds none says nothing."""
    now: Callable[[], datetime] = _now
    visible_after: timedelta = _NO_WAIT

    async def instruct(self, order: Order) -> BankAnswer:
        """See Bank. What is too old to be sent again is looked up instead."""
        now = self.now()
        try:
            before = await keys.use_key(self.pool, order.payment, order.amount, order.content, now)
        except keys.OtherKeyContent:
            raise OtherContent(order.payment) from None
        if before is not None and now >= before + self.remembers - _MARGIN:
            return await self.enquire(order.payment)
        said = await self.provider.pay(order)
        if said.fate is not PaymentFate.UNSENT:
            return said
        if before is not None:
            return BankAnswer(PaymentFate.UNKNOWN, said.reason)
        await keys.not_left(self.pool, order.payment, now)
        return said

    async def enquire(self, payment_id: str) -> BankAnswer:
        """See Bank."""
        key = await keys.key(self.pool, payment_id)
        if key is None:
            return BankAnswer(PaymentFate.NOT_FOUND)
        said = await self.provider.look_up(payment_id, key.amount)
        early = key.left_at is not None and self.now() < key.left_at + self.shows_after
        return (
            BankAnswer(PaymentFate.UNKNOWN, "not-visible-yet") if early and said.fate is PaymentFate.NOT_FOUND else said
        )


@dataclass(frozen=True, slots=True)
class _Shut:
    visible_after: timedelta = _NO_WAIT

    async def instruct(self, order: Order) -> BankAnswer:
        return BankAnswer(PaymentFate.UNSENT, "no-channel")

    async def enquire(self, payment_id: str) -> BankAnswer:
        return BankAnswer(PaymentFate.UNKNOWN, "no-channel")


_SHUT: Final = _Shut()
