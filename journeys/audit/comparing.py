"""Other accounts against the journal: the view's row, the workflow's own answer, the events in Temporal's history."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from journeys.audit.verdicts import Account, AccountName, Verdict, agrees, disagrees, not_available
from journeys.domain.evolve import fold
from journeys.domain.fund import MOVE_OF_KIND
from journeys.domain.handbook import Handbook
from journeys.domain.record import Event, Payload, instant_text
from journeys.domain.state import PaymentStatus, State, dump
from journeys.domain.summary import COLUMNS_ALONE, Summary, summary
from journeys.store.evidence import Money
from journeys.store.views import JourneyRow

Recorded = Event[Payload]

_NOT_OF_THE_JOURNAL = frozenset({"id", "name"})
"""Columns of a row that no event tells: its own key, and the person's name."""


def judge_view(row: JourneyRow | None, events: Sequence[Recorded], book: Handbook, money: Money) -> Account:
    """The rows of the lists, and the ledger, against what the events come to; all were read in one snapshot.

    A row from before November 2026 has no `met`, and is not held to it, until its journey's next event or
    `journeys rebuild` writes it anew.
    """
    name, head = AccountName.VIEW, len(events)
    if row is None:
        return disagrees(name, "no-row", head, head)
    if row.seq != head:
        return disagrees(name, "row-seq", row.seq, min(row.seq, head), head=head)
    expected = summary(fold(events), book).model_dump(mode="json")
    shared = sorted((Summary.model_fields.keys() & set(JourneyRow.__dataclass_fields__)) - _NOT_OF_THE_JOURNAL)
    shown = {field: _plain(getattr(row, field)) for field in shared}
    left_out = COLUMNS_ALONE if "met" in row.summary else COLUMNS_ALONE | {"met"}
    told = {field: expected[field] for field in shared} | {
        "summary": {field: value for field, value in expected.items() if field not in left_out}
    }
    path = difference({**shown, "summary": row.summary}, told)
    if path is not None:
        return disagrees(name, "row", head, head, field=path)
    if (odd := _odd_payment(money, fold(events))) is not None:
        return disagrees(name, "payment-row", head, head, payment=odd)
    booked = {(event.seq, MOVE_OF_KIND[event.kind].value) for event in events if _moves(event)}
    if apart := booked ^ set(money.ledger):
        seq, move = min(apart)
        return disagrees(name, "ledger", seq, head, move=move)
    return agrees(name, head)


def _odd_payment(money: Money, state: State) -> str | None:
    """A payment whose row says something else than the events, or that has none."""
    for id in sorted(state.payments.keys() | money.payments.keys()):
        known, row = state.payments.get(id), money.payments.get(id)
        if known is None or row is None:
            # What was blocked before events said whose it was has no row.
            if known is None or known.status is not PaymentStatus.BLOCKED:
                return id
        elif row != (known.status.value, known.amount, known.number, known.grant, known.doubt, known.replaced):
            return id
    return None


def _moves(event: Recorded) -> bool:
    return event.kind in MOVE_OF_KIND and getattr(event.data, "payment", None) is not None


def judge_workflow(answer: Any, events: Sequence[Recorded]) -> Account:
    """The workflow's own state (`contract.STATE`) against the fold of as many events as it says to know."""
    name, head = AccountName.WORKFLOW, len(events)
    seq = answer.get("seq") if isinstance(answer, Mapping) else None
    if not isinstance(seq, int) or seq < 0:
        return not_available(name, "strange-answer")
    if seq > head:
        return disagrees(name, "beyond", seq, head, head=head)
    path = difference(_plain(answer), _plain(dump(fold(events[:seq])))) if seq else None
    if path is not None:
        return disagrees(name, "state", seq, seq, field=path)
    if seq < head:
        return Account(name, Verdict.BEHIND, seq, seq, "behind", {"head": head})
    return agrees(name, seq)


def judge_history(
    told: Sequence[Mapping[str, Any]], headers: Sequence[Mapping[str, Any]], *, complete: bool
) -> Account:
    """The events that appends returned, along the chain of runs, against the journal's headers.

    Args:
        told: headers from the histories; the same event may be told more than once.
        headers: those of the journal, from the first.
        complete: the chain goes back to its beginning; else what retention has taken is not missed.
    """
    name, head = AccountName.HISTORY, len(headers)
    seen: set[int] = set()
    for header in told:
        seq = header.get("seq")
        if not isinstance(seq, int) or seq < 1:
            return disagrees(name, "history-event", None, len(seen))
        if seq > head:
            return disagrees(name, "beyond", seq, len(seen), head=head)
        if header != headers[seq - 1]:
            return disagrees(name, "history-event", seq, len(seen))
        seen.add(seq)
    return _coverage(seen, head, complete)


def _coverage(seen: set[int], head: int, complete: bool) -> Account:
    name, last = AccountName.HISTORY, max(seen, default=0)
    first = 1 if complete else min(seen, default=1)
    lacking = next((seq for seq in range(first, last) if seq not in seen), None)
    if lacking is not None:
        return disagrees(name, "history-lacks", lacking, len(seen))
    if last < head:
        return Account(name, Verdict.BEHIND, len(seen), last, "behind", {"head": head})
    return agrees(name, len(seen)) if complete else not_available(name, "retention", len(seen))


def difference(one: Any, other: Any, path: str = "") -> str | None:
    """Where two JSON values first differ, as a path of keys; None when they are equal. No value is told."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            where = f"{path}.{key}" if path else str(key)
            if key not in one or key not in other:
                return where
            if found := difference(one[key], other[key], where):
                return found
        return None
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next((found for n, (a, b) in pairs if (found := difference(a, b, f"{path}[{n}]"))), None)
    return None if one == other and type(one) is type(other) else path or "?"


def _plain(value: Any) -> Any:
    """As JSON would carry it, instants in their one written form."""
    return json.loads(json.dumps(value, default=instant_text))
