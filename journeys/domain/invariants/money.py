"""Invariant 3: never more reserved and paid than a grant, than the cap of its kind or of its fund."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from journeys.domain import events as e
from journeys.domain.handbook import Handbook
from journeys.domain.invariants.violation import Details, Recorded, Violation

_GIVES_BACK = frozenset({"PaymentRejected", "PaymentCancelled", "PaymentReturned"})


@dataclass(slots=True)
class Amounts:
    """Invariant 3 within a journey: never more reserved and paid than a grant's amount, than the cap of its kind."""

    book: Handbook | None
    kinds: dict[str, str] = field(default_factory=dict)
    """Kind of each grant."""
    amounts: dict[str, int] = field(default_factory=dict)
    promised: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Grant and cents of each payment that counts."""
    reserved: set[str] = field(default_factory=set)

    def see(self, event: Recorded) -> Iterator[Violation]:
        data: Any = event.data
        match data:
            case e.GrantRequested():
                self.kinds[data.grant], self.amounts[data.grant] = data.kind, data.amount
            case e.GrantChanged() | e.GrantReopened():
                self.amounts[data.grant] = data.amount
            case e.PaymentReserved():
                if data.payment in self.reserved:
                    yield Violation(1, event.seq, "reserved-twice", {"payment": data.payment})
                self.reserved.add(data.payment)
                self.promised[data.payment] = (data.grant, data.amount)
                yield from self._judge(event, data.grant)
            case _ if event.kind in _GIVES_BACK:
                self.promised.pop(data.payment, None)

    def _judge(self, event: Recorded, grant: str) -> Iterator[Violation]:
        of_grant = sum(amount for id, amount in self.promised.values() if id == grant)
        if of_grant > self.amounts.get(grant, 0):
            yield Violation(3, event.seq, "over-the-grant", {"grant": grant, "amount": of_grant})
        kind = self.kinds.get(grant, "")
        rule = self.book.programme.grants.get(kind) if self.book is not None else None
        of_kind = sum(amount for id, amount in self.promised.values() if self.kinds.get(id) == kind)
        if rule is not None and of_kind > rule.cap:
            yield Violation(3, event.seq, "over-the-cap", {"grant": kind, "amount": of_kind, "cap": rule.cap})

    def end(self, complete: bool) -> Iterator[Violation]:
        yield from ()


def check_fund(events: Iterable[Recorded], cap_per_person: dict[str, int | None]) -> list[Violation]:
    """Invariant 3 over all journeys: per person and fund, reserved + paid - returned, in every prefix of history.

    Args:
        events: of many streams, in the journal's own order (each stream in its order).
        cap_per_person: cents by fund; None for no cap. A fund that is not named is a violation.
    """
    found: list[Violation] = []
    reserved: set[str] = set()
    promised: dict[str, tuple[str, str, int]] = {}
    total: Counter[tuple[str, str]] = Counter()
    for event in events:
        data: Any = event.data
        if isinstance(data, e.PaymentReserved):
            holder = (data.person, data.fund)
            details: Details = {"fund": data.fund, "stream": event.stream}
            if data.payment in reserved or data.amount <= 0:
                found.append(Violation(3, event.seq, "not-a-new-payment", {**details, "payment": data.payment}))
                continue
            reserved.add(data.payment)
            promised[data.payment] = (*holder, data.amount)
            total[holder] += data.amount
            cap = cap_per_person.get(data.fund)
            if data.fund not in cap_per_person:
                found.append(Violation(3, event.seq, "unknown-fund", details))
            elif cap is not None and total[holder] > cap:
                found.append(Violation(3, event.seq, "over-the-cap", {**details, "amount": total[holder], "cap": cap}))
        elif event.kind in _GIVES_BACK:
            known = promised.pop(data.payment, None)
            if known is None:
                details = {"payment": data.payment, "stream": event.stream}
                found.append(Violation(3, event.seq, "gave-back-twice", details))
            else:
                total[known[0], known[1]] -= known[2]
    return found
