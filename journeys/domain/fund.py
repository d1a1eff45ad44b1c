"""The rules of a fund: what may be reserved, and what each fact about a payment writes in the ledger."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Account(StrEnum):
    """Where a fund's cents are. `source` is the outside that fills it, so it goes below 0."""

    SOURCE = "source"
    AVAILABLE = "available"
    RESERVED = "reserved"
    PAID = "paid"


class Move(StrEnum):
    """What a ledger transaction is about."""

    OPENED = "opened"
    TOPPED_UP = "topped-up"
    RESERVED = "reserved"
    SETTLED = "settled"
    SETTLED_BY_HAND = "settled-by-hand"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    RETURNED = "returned"


MOVE_OF_KIND = {
    "PaymentReserved": Move.RESERVED,
    "PaymentSettled": Move.SETTLED,
    "PaymentSettledByHand": Move.SETTLED_BY_HAND,
    "PaymentRejected": Move.REJECTED,
    "PaymentCancelled": Move.CANCELLED,
    "PaymentReturned": Move.RETURNED,
}
"""The events of a journey that move money, by kind."""

_FROM_TO: dict[Move, tuple[Account, Account]] = {
    Move.OPENED: (Account.SOURCE, Account.AVAILABLE),
    Move.TOPPED_UP: (Account.SOURCE, Account.AVAILABLE),
    Move.RESERVED: (Account.AVAILABLE, Account.RESERVED),
    Move.SETTLED: (Account.RESERVED, Account.PAID),
    Move.SETTLED_BY_HAND: (Account.RESERVED, Account.PAID),
    Move.REJECTED: (Account.RESERVED, Account.AVAILABLE),
    Move.CANCELLED: (Account.RESERVED, Account.AVAILABLE),
    Move.RETURNED: (Account.PAID, Account.AVAILABLE),
}


@dataclass(frozen=True, slots=True)
class FundState:
    """What a reservation is judged by, in cents."""

    code: str
    available: int
    """Neither reserved nor paid."""
    cap_per_person: int | None
    """What one person may have over all journeys; None for no cap."""
    committed: int
    """Reserved and paid, less what came back, for the person of the reservation."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A payment about to be promised, in cents."""

    payment: str
    fund: str
    person: str
    amount: int


def refusal(fund: FundState | None, reservation: Reservation) -> str | None:
    """Why not: `unknown-fund`, `nothing-to-pay`, `person-cap`, `fund-cap`; None when the fund can take it."""
    if fund is None:
        return "unknown-fund"
    if reservation.amount <= 0:
        return "nothing-to-pay"
    if fund.cap_per_person is not None and fund.committed + reservation.amount > fund.cap_per_person:
        return "person-cap"
    if reservation.amount > fund.available:
        return "fund-cap"
    return None


def postings(move: Move, amount: int) -> dict[Account, int]:
    """The entries of a ledger transaction in cents, debits above 0; they add up to 0."""
    source, target = _FROM_TO[move]
    return {source: -amount, target: amount}


def after(fund: FundState, move: Move, amount: int) -> FundState:
    """The fund once the move is booked for the same person."""
    entries = postings(move, amount)
    committed = entries.get(Account.RESERVED, 0) + entries.get(Account.PAID, 0)
    return replace(
        fund,
        available=fund.available + entries.get(Account.AVAILABLE, 0),
        committed=fund.committed + (0 if move in (Move.OPENED, Move.TOPPED_UP) else committed),
    )
