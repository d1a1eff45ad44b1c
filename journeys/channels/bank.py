"""The payment port, and a simulated bank whose ledger stands in PostgreSQL beside the journal."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from journeys.domain.banking import reference_of


class PaymentFate(StrEnum):
    """What a bank says of a payment."""

    ACCEPTED = "accepted"
    SETTLED = "settled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    """It was told, and did not answer clearly: to be looked up, never told again."""
    QUEUED = "queued"
    """It lies where its channel keeps it until somebody takes it on: nothing has left yet."""
    UNSENT = "unsent"
    """It could not be reached, and nothing left."""
    NOT_FOUND = "not-found"
    """It knows no such payment (yet: see `visible_after`)."""


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """A fate, with a code for the reason where there is one."""

    fate: PaymentFate
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid, once. The id of the payment is the key: an order of the same id says the same for ever."""

    payment: str
    amount: int
    """Cents."""
    payee: str = field(repr=False)
    """Name and account, as `journeys.domain.payee` reads them."""
    pay_by: str
    """The channel that the grant names."""

    @property
    def reference(self) -> str:
        """What travels with the money."""
        return reference_of(self.payment)

    @property
    def content(self) -> bytes:
        """SHA-256 of everything that it says."""
        return hashlib.sha256(f"{self.payment}|{self.amount}|{self.payee}|{self.reference}".encode()).digest()


class OtherContent(Exception):
    """The payment id was used before for another amount, payee or reference; nothing was paid."""

    def __init__(self, payment: str) -> None:
        super().__init__(f"payment {payment} was instructed before with other content")
        self.payment = payment


class Bank(Protocol):
    """A way to pay. It answers for what the world does; it raises only for the caller's mistakes."""

    @property
    def visible_after(self) -> timedelta:
        """How long after an instruction an enquiry surely finds it."""

    async def instruct(self, order: Order) -> BankAnswer:
        """Ask once to pay. The same payment with the same content pays once. Raises OtherContent."""

    async def enquire(self, payment_id: str) -> BankAnswer:
        """What became of a payment."""


class Behaviour(StrEnum):
    """How the simulated bank treats a payment; chosen by a mark anywhere in the payee's text (`SIM-REJECT`)."""

    ACCEPT = "accept"
    """Accepted at once, settled at the first enquiry."""
    SETTLE = "settle"
    """Settled at once."""
    REJECT = "reject"
    TIMEOUT = "timeout"
    """Accepted without a word; an enquiry finds it settled."""
    LOST = "lost"
    """Neither received nor answered."""
    LATE = "late"
    """Accepted, and settled at the third enquiry only."""
    DOWN = "down"
    """Cannot be reached twice, then accepts."""


_MARK: Final = "SIM-"
_LATE_ENQUIRIES: Final = 3
_KNOCKS: Final = 2
_AT_FIRST: Final = {Behaviour.SETTLE: PaymentFate.SETTLED, Behaviour.REJECT: PaymentFate.REJECTED}


def behaviour_of(payee: str) -> Behaviour:
    """The behaviour that a payee's text asks for; the usual one without a mark."""
    return next((each for each in Behaviour if f"{_MARK}{each.upper()}" in payee.upper()), Behaviour.ACCEPT)


@dataclass(frozen=True, slots=True)
class SimulatedBank:
    """A `Bank` for demonstrations and tests. `pool` may write the schema `bank`.

    Each call is one transaction of its own, like a call to a bank elsewhere: it stays when the caller dies.
    """

    pool: Any
    visible_after: timedelta = timedelta(0)

    async def instruct(self, order: Order) -> BankAnswer:
        """See Bank."""
        behaviour = behaviour_of(order.payee)
        match behaviour:
            case Behaviour.LOST:
                return BankAnswer(PaymentFate.UNKNOWN, "no-answer")
            case Behaviour.DOWN if await self._knock(order.payment) <= _KNOCKS:
                return BankAnswer(PaymentFate.UNSENT, "bank-unreachable")
            case _:
                fate = await self._take(order, behaviour)
        if behaviour is Behaviour.TIMEOUT:
            return BankAnswer(PaymentFate.UNKNOWN, "no-answer")
        return BankAnswer(fate, "account-closed" if fate is PaymentFate.REJECTED else "")

    async def enquire(self, payment_id: str) -> BankAnswer:
        """See Bank. An enquiry moves the simulation on: what was accepted settles."""
        async with self.pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                "UPDATE bank.instructions SET enquiries = enquiries + 1 WHERE payment = $1"
                " RETURNING amount, behaviour, fate, enquiries",
                payment_id,
            )
            if row is None:
                return BankAnswer(PaymentFate.NOT_FOUND)
            fate = PaymentFate(row["fate"])
            needed = _LATE_ENQUIRIES if row["behaviour"] == Behaviour.LATE else 1
            if fate is PaymentFate.ACCEPTED and row["enquiries"] >= needed:
                fate = PaymentFate.SETTLED
                await connection.execute("UPDATE bank.instructions SET fate = $2 WHERE payment = $1", payment_id, fate)
                await _move(connection, payment_id, "paid", "payee", "transit", row["amount"])
        return BankAnswer(fate, "account-closed" if fate is PaymentFate.REJECTED else "")

    async def _take(self, order: Order, behaviour: Behaviour) -> PaymentFate:
        """Write the instruction down, or find it written."""
        fate = _AT_FIRST.get(behaviour, PaymentFate.ACCEPTED)
        async with self.pool.acquire() as connection, connection.transaction():
            fresh = await connection.fetchval(
                "INSERT INTO bank.instructions (payment, reference, amount, content, behaviour, fate)"
                " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (payment) DO NOTHING RETURNING true",
                order.payment,
                order.reference,
                order.amount,
                order.content,
                behaviour.value,
                fate.value,
            )
            if not fresh:
                return await _found(connection, order)
            if fate is not PaymentFate.REJECTED:
                await _move(connection, order.payment, "held", "transit", "association", order.amount)
            if fate is PaymentFate.SETTLED:
                await _move(connection, order.payment, "paid", "payee", "transit", order.amount)
        return fate

    async def _knock(self, payment_id: str) -> int:
        count: int = await self.pool.fetchval(
            "INSERT INTO bank.knocks AS k (payment, count) VALUES ($1, 1)"
            " ON CONFLICT (payment) DO UPDATE SET count = k.count + 1 RETURNING count",
            payment_id,
        )
        return count


async def _found(connection: Any, order: Order) -> PaymentFate:
    row = await connection.fetchrow("SELECT content, fate FROM bank.instructions WHERE payment = $1", order.payment)
    if row["content"] != order.content:
        raise OtherContent(order.payment)
    return PaymentFate(row["fate"])


async def _move(connection: Any, payment_id: str, kind: str, debit: str, credit: str, cents: int) -> None:
    await connection.execute(
        "INSERT INTO bank.movements (payment, kind, debit, credit, cents) VALUES ($1, $2, $3, $4, $5)",
        payment_id,
        kind,
        debit,
        credit,
        cents,
    )
