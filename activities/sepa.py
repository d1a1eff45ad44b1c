"""The SEPA till: a payment waits for the file of its day, and what became of it stands in the files of the bank."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from journeys.channels.bank import BankAnswer, Order, OtherContent, PaymentFate
from journeys.channels.iban import WrongIban, check
from journeys.channels.sepa.transfers import refusal
from journeys.domain.banking import Transfer
from journeys.store import batches
from journeys.store.batches import OtherTransfer, Payee, Where
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
        found = payee_in(order.payee)
        if isinstance(found, WrongIban):
            return BankAnswer(PaymentFate.REJECTED, found.code)
        wrong = refusal(Transfer(order.payment, order.reference, order.amount, found.name, found.iban, ""))
        if wrong is not None:
            return BankAnswer(PaymentFate.REJECTED, wrong)
        try:
            await batches.queue(self.pool, self.ring, order.payment, order.amount, found)
        except OtherTransfer as error:
            raise OtherContent(order.payment) from error
        return BankAnswer(PaymentFate.QUEUED)

    async def enquire(self, payment_id: str) -> BankAnswer:
        """What the files say. Silence after the file was given out is no success."""
        where, reason = await batches.whereabouts(self.pool, payment_id)
        return BankAnswer(_FATES[where], reason.lower() or ("no-answer" if where == "given" else ""))


def payee_in(text: str) -> Payee | WrongIban:
    """Name and account of a payee's text: whatever stands before the IBAN, whose groups may be apart, and the IBAN."""
    words = text.replace(",", " ").replace(";", " ").split()
    wrong = WrongIban("iban-shape")
    for nth in range(len(words)):
        found = check("".join(words[nth:]))
        if not isinstance(found, WrongIban):
            name = " ".join(word for word in words[:nth] if word.upper().strip(":") != "IBAN").strip(" ,;:-")
            return Payee(name, found)
        wrong = found if found.code != "iban-shape" else wrong
    return wrong
