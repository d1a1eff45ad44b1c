"""The SEPA till: a payment waits for the file of its day, and what became of it stands in the files of the bank."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from journeys.channels.bank import BankAnswer, Order, OtherContent, PaymentFate
from journeys.channels.sepa.transfers import refusal
from journeys.domain.banking import Transfer
from journeys.domain.payee import read_payee
from journeys.store import batches
from journeys.store.batches import OtherTransfer, Where
from journeys.store.database import Pool
from journeys.store.signing import KeyRing

_FATES: Final[dict[Where, PaymentFate]] = {
    "nowhere": PaymentFate.NOT_FOUND,
    "waiting": PaymentFate.QUEUED,
    "given": PaymentFate.UNKNOWN,
    "accepted": PaymentFate.ACCEPTED,
    "rejected": PaymentFate.REJECTED,
    "settled": PaymentFate.SETTLED,
}


@dataclass(frozen=True, slots=True)
class SepaTill:
    """A `Bank` that gives nothing out itself: people bring the file to the bank, and bring back what it says."""

    pool: Pool
    """Acts as journeys_writer."""
    ring: KeyRing = field(repr=False)
    visible_after: timedelta = timedelta(0)

    async def instruct(self, order: Order) -> BankAnswer:
        """Let it wait for the next file; rejected where no bank would take it."""
        whom = read_payee(order.payee)
        wrong = refusal(Transfer(order.payment, order.reference, order.amount, whom.name, whom.iban or "", ""))
        if wrong is not None:
            return BankAnswer(PaymentFate.REJECTED, wrong)
        try:
            await batches.queue(self.pool, self.ring, order.payment, order.amount, whom)
        except OtherTransfer:
            raise OtherContent(order.payment) from None
        return BankAnswer(PaymentFate.QUEUED)

    async def enquire(self, payment_id: str) -> BankAnswer:
        """What the files say. Silence after the file was given out is no success."""
        where, reason = await batches.whereabouts(self.pool, payment_id)
        return BankAnswer(_FATES[where], reason.lower() or ("no-answer" if where == "given" else ""))
