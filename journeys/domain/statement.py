"""What a fund gave, month by month, as its donor is told: amounts and how many people, no names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime

from journeys.domain import events as e
from journeys.domain.record import Event, Payload


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened in a time, in cents."""

    received: int = 0
    """Put in by donors."""
    granted: int = 0
    """Approved, less what was given up or voided of it."""
    reserved: int = 0
    """Promised to payments, less promises that came to nothing."""
    paid: int = 0
    returned: int = 0
    """Paid before, and come back."""
    justified: int = 0
    """By receipts, less what came back of it."""

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Figures)))

    @property
    def unjustified(self) -> int:
        """Paid in this time less what was justified in it: below 0 where older payments were justified."""
        return self.paid - self.returned - self.justified

    @property
    def change(self) -> int:
        """By how much what is available grew."""
        return self.received - self.reserved + self.returned


@dataclass(frozen=True, slots=True)
class Month:
    first: date
    figures: Figures
    people: int
    """To whom something was paid."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Of one fund, over whole months of its ledger; a month that is over does not change any more."""

    fund: str
    first: date | None
    last: date | None
    """First days of the first and last month asked for, both included; None: no bound."""
    months: tuple[Month, ...]
    """Those in which anything happened."""
    people: int
    """To whom something was paid in the whole time, each once."""
    opening: int
    """Cents available before the first month."""

    @property
    def total(self) -> Figures:
        return sum((month.figures for month in self.months), Figures())

    @property
    def closing(self) -> int:
        """Cents available after the last month."""
        return self.opening + self.total.change


@dataclass(slots=True)
class _Grant:
    fund: str
    amount: int
    standing: int = 0
    """Approved, and not given up."""
    paid: int = 0


def granted(events: Iterable[Event[Payload]]) -> Iterator[tuple[str, datetime, int]]:
    """Each time when money was granted or given up, from the facts of journeys in their order: fund, when, cents.

    A payment that came back leaves the grant as it is: another payment makes it good, or the rest is given up.
    """
    grants: dict[str, _Grant] = {}
    payments: dict[str, tuple[_Grant, int]] = {}
    for event in events:
        match event.data:
            case e.GrantRequested() as data:
                grants[data.grant] = _Grant(data.fund, data.amount)
            case e.GrantChanged() as data:
                grants[data.grant].amount = data.amount
            case e.GrantReopened() as data:
                known = grants[data.grant]
                yield known.fund, event.recorded_at, -known.standing
                known.standing, known.amount = 0, data.amount
            case e.GrantApproved() as data:
                known = grants[data.grant]
                known.standing = known.amount
                yield known.fund, event.recorded_at, known.amount
            case e.PaymentReserved() as data:
                payments[data.payment] = (grants[data.grant], data.amount)
            case e.PaymentSettled() | e.PaymentSettledByHand() as data:
                known, amount = payments[data.payment]
                known.paid += amount
            case e.PaymentReturned() as data:
                known, amount = payments[data.payment]
                known.paid -= amount
            case e.GrantEnded() as data:
                known = grants[data.grant]
                yield known.fund, event.recorded_at, min(known.paid - known.standing, 0)
                known.standing = min(known.paid, known.standing)
            case _:
                pass
