"""The rules of a fund: what may be reserved, and what each fact about a payment writes in the ledger."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("Europe/Paris")
"""Where the days and months of a fund are counted, wherever its journeys are."""


class Account(StrEnum):
    """Where a fund's cents are. `source` is the outside that fills it, so it goes below 0."""

    SOURCE = "source"
    AVAILABLE = "available"
    RESERVED = "reserved"
    PAID = "paid"
    """Paid, and not justified yet."""
    JUSTIFIED = "justified"


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
    JUSTIFIED = "justified"


MOVE_OF_KIND = {
    "PaymentReserved": Move.RESERVED,
    "PaymentSettled": Move.SETTLED,
    "PaymentSettledByHand": Move.SETTLED_BY_HAND,
    "PaymentRejected": Move.REJECTED,
    "PaymentCancelled": Move.CANCELLED,
    "PaymentReturned": Move.RETURNED,
    "ReceiptPartAccepted": Move.JUSTIFIED,
    "ReceiptAccepted": Move.JUSTIFIED,
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
    Move.JUSTIFIED: (Account.PAID, Account.JUSTIFIED),
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
    stopped: bool = False
    """Nobody may promise anything from it: payments are stopped."""
    closed: bool = False
    """Nobody may promise anything from it any more."""
    first_day: date | None = None
    last_day: date | None = None
    """When it gives, both days included; None: no bound."""
    purposes: tuple[str, ...] = ()
    """What its donor gives for; none: everything."""

    def gives_on(self, day: date) -> bool:
        return (self.first_day is None or self.first_day <= day) and (self.last_day is None or day <= self.last_day)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A payment about to be promised, in cents."""

    payment: str
    fund: str
    person: str
    amount: int


def day_of(at: datetime) -> date:
    """The day of an instant as funds count."""
    return at.astimezone(ZONE).date()


def refusal(fund: FundState | None, reservation: Reservation, *, purpose: str, on: date) -> str | None:
    """Why a grant for this purpose must not be promised from the fund on this day; None when it may.

    Returns:
        `unknown-fund`, `all-stopped`, `fund-closed`, `nothing-to-pay`, `fund-period`, `fund-purpose`, `person-cap`,
        `fund-cap`.
    """
    if fund is None:
        return "unknown-fund"
    if fund.stopped:
        return "all-stopped"
    if fund.closed:
        return "fund-closed"
    if reservation.amount <= 0:
        return "nothing-to-pay"
    if not fund.gives_on(on):
        return "fund-period"
    if fund.purposes and purpose not in fund.purposes:
        return "fund-purpose"
    if fund.cap_per_person is not None and fund.committed + reservation.amount > fund.cap_per_person:
        return "person-cap"
    if reservation.amount > fund.available:
        return "fund-cap"
    return None


def postings(move: Move, amount: int, justified: int = 0) -> dict[Account, int]:
    """The entries of a ledger transaction in cents, debits above 0; they add up to 0.

    Args:
        justified: of a payment that comes back, what was justified before.
    """
    source, target = _FROM_TO[move]
    entries = {source: -amount, target: amount}
    if move is Move.RETURNED and justified:
        entries[Account.PAID] += justified
        entries[Account.JUSTIFIED] = -justified
    return {account: cents for account, cents in entries.items() if cents or not amount}


def after(fund: FundState, move: Move, amount: int) -> FundState:
    """The fund once the move is booked for the same person."""
    entries = postings(move, amount)
    committed = sum(entries.get(account, 0) for account in (Account.RESERVED, Account.PAID, Account.JUSTIFIED))
    return replace(
        fund,
        available=fund.available + entries.get(Account.AVAILABLE, 0),
        committed=fund.committed + (0 if move in (Move.OPENED, Move.TOPPED_UP) else committed),
    )
