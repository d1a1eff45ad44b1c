"""A fund's months: what the ledger booked, by the time at which it was recorded, and what journeys granted."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Final

from journeys.domain.events import read_event
from journeys.domain.fund import ZONE, day_of
from journeys.domain.statement import Figures, Month, Statement, granted
from journeys.store.database import Connection, Pool

_BOOKED: Final = """
    SELECT t.id, t.kind, t.amount, t.person,
           date_trunc('month', (convert_from(e.header, 'UTF8')::jsonb ->> 'recorded_at')::timestamptz
               AT TIME ZONE $2)::date AS month
    FROM ledger_transactions t JOIN events e USING (stream, seq) WHERE t.fund = $1
"""


async def statement(
    pool: Pool | Connection, fund: str, first: date | None = None, last: date | None = None
) -> Statement:
    """A fund's statement.

    Args:
        first, last: first days of months, both included; None: no bound.
    """
    given = await _granted(pool, fund)
    rows = await pool.fetch(
        f"""
        WITH booked AS ({_BOOKED})
        SELECT b.month,
               coalesce(sum(b.amount) FILTER (WHERE b.kind IN ('opened', 'topped-up')), 0)::bigint AS received,
               coalesce(sum(CASE b.kind WHEN 'reserved' THEN b.amount WHEN 'rejected' THEN -b.amount
                   WHEN 'cancelled' THEN -b.amount END), 0)::bigint AS reserved,
               coalesce(sum(b.amount) FILTER (WHERE b.kind IN ('settled', 'settled-by-hand')), 0)::bigint AS paid,
               coalesce(sum(b.amount) FILTER (WHERE b.kind = 'returned'), 0)::bigint AS returned,
               coalesce(sum(j.cents), 0)::bigint AS justified,
               count(DISTINCT b.person) FILTER (WHERE b.kind IN ('settled', 'settled-by-hand')) AS people
        FROM booked b LEFT JOIN ledger_entries j ON j.transaction = b.id AND j.account = 'justified'
        GROUP BY b.month
        """,
        fund, ZONE.key,
    )  # fmt: skip
    people = await pool.fetchval(
        f"WITH booked AS ({_BOOKED}) SELECT count(DISTINCT b.person) FROM booked b"
        " WHERE b.kind IN ('settled', 'settled-by-hand') AND b.month BETWEEN coalesce($3, '-infinity'::date)"
        " AND coalesce($4, 'infinity'::date)",
        fund, ZONE.key, first, last,
    )  # fmt: skip
    booked = {row["month"]: row for row in rows}
    months = [
        Month(
            month, _figures(booked.get(month), given.get(month, 0)), booked[month]["people"] if month in booked else 0
        )
        for month in sorted(booked.keys() | given.keys())
    ]
    before = [each for each in months if first is not None and each.first < first]
    shown = [each for each in months if each not in before and (last is None or each.first <= last)]
    return Statement(fund, first, last, tuple(shown), people, sum(each.figures.change for each in before))


def _figures(row: Mapping[str, int] | None, given: int) -> Figures:
    if row is None:
        return Figures(granted=given)
    return Figures(row["received"], given, row["reserved"], row["paid"], row["returned"], row["justified"])


async def _granted(pool: Pool | Connection, fund: str) -> dict[date, int]:
    """Cents by month, where they are not 0."""
    rows = await pool.fetch(
        """
        SELECT convert_from(e.header, 'UTF8') AS header FROM journeys j JOIN events e ON e.stream = 'journey-' || j.id
        WHERE j.summary -> 'funds' ? $1 AND (e.kind IN ('GrantRequested', 'GrantChanged', 'GrantReopened',
            'GrantApproved', 'GrantEnded', 'PaymentReserved', 'PaymentSettled', 'PaymentSettledByHand',
            'PaymentReturned'))
        ORDER BY e.stream, e.seq
        """,
        fund,
    )
    by_month: defaultdict[date, int] = defaultdict(int)
    for of, at, cents in granted(read_event(json.loads(row["header"])) for row in rows):
        if of == fund and cents:
            by_month[day_of(at).replace(day=1)] += cents
    return dict(by_month)
