"""Payments as lists show them: one row each, written in the transaction of the event that says it."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from journeys.domain.banking import reference_of
from journeys.domain.state import PaymentStatus
from journeys.store import vault
from journeys.store.database import Connection, Pool

_STATUS: Final = {
    "PaymentReserved": PaymentStatus.RESERVED,
    "PaymentBlocked": PaymentStatus.BLOCKED,
    "PaymentInstructed": PaymentStatus.INSTRUCTED,
    "PaymentAccepted": PaymentStatus.ACCEPTED,
    "PaymentUnknown": PaymentStatus.UNKNOWN,
    "PaymentSettled": PaymentStatus.SETTLED,
    "PaymentSettledByHand": PaymentStatus.BY_HAND,
    "PaymentRejected": PaymentStatus.REJECTED,
    "PaymentCancelled": PaymentStatus.CANCELLED,
    "PaymentReturned": PaymentStatus.RETURNED,
}
_BEGINS: Final = frozenset({"PaymentReserved", "PaymentBlocked"})
KINDS: Final = frozenset(_STATUS) | {
    "PaymentRetried", "PaymentHeld", "PaymentReleased", "PaymentEnquired", "PaymentLookedUp", "PaymentDoubted",
    "PaymentDoubtSettled",
}  # fmt: skip
"""Events that a row follows."""


def row_of(header: Mapping[str, Any]) -> dict[str, Any]:
    """What an event of KINDS says of its payment's row: `{"put": …}` for a new one, else `{"moved": …}`.

    The arguments of `payment_put` and `payment_moved`; only what is named changes. Empty for a blocked one of the time
    when the event did not say whose it was.
    """
    kind, data = header["kind"], header["data"]
    if kind in _BEGINS and not data.get("person"):
        return {}
    row = {"id": data["payment"], "seq": header["seq"], "since": header["recorded_at"]}
    status = _STATUS.get(kind)
    if kind in _BEGINS:
        named = ("grant", "number", "fund", "person", "amount", "pay_by", "payee", "reason", "replaces")
        row |= {name: data[name] for name in named if data.get(name) is not None}
        return {"put": row | {"status": status, "reference": reference_of(data["payment"])}}
    if status is not None:
        row["status"] = status
        if not status.open:
            row["doubt"] = None
    if data.get("reason"):
        row["reason"] = data["reason"]
    match kind:
        case "PaymentHeld":
            row["held"] = True
        case "PaymentReleased" | "PaymentInstructed":
            row["held"], row["reason"] = False, None
        case "PaymentRetried":
            row["replaced"] = True
        case "PaymentDoubted":
            row["doubt"] = data["answer"]
        case "PaymentDoubtSettled":
            row["doubt"] = None
        case _:
            pass
    return {"moved": row}


@dataclass(frozen=True, slots=True)
class Standing:
    """Payments of a fund in one status: how many, cents, and since when the oldest is so."""

    status: str
    count: int
    amount: int
    since: datetime


async def stopped_by_the_switch(pool: Pool | Connection) -> list[tuple[str, str]]:
    """Stream and id of each payment that was blocked because all were stopped, and was not called for again."""
    rows = await pool.fetch(
        "SELECT stream, id::text FROM payments WHERE status = 'blocked' AND reason = 'all-stopped' AND NOT replaced"
        " ORDER BY since, id"
    )
    return [(row["stream"], row["id"]) for row in rows]


async def blocked(
    pool: Pool | Connection, *, reason: str | None = None, fund: str | None = None, limit: int = 1_000
) -> list["PaymentRow"]:
    """Payments that are blocked and were not called for again, the oldest first."""
    rows = await pool.fetch(
        f"{ROW} WHERE p.status = 'blocked' AND NOT p.replaced AND ($1::text IS NULL OR p.reason = $1)"
        " AND ($2::text IS NULL OR p.fund = $2) ORDER BY p.since, p.id LIMIT $3",
        reason, fund, limit,
    )  # fmt: skip
    return await read_rows(pool, rows)


async def standing(pool: Pool | Connection, fund: str) -> list[Standing]:
    """The payments of a fund that wait for something, by status; a blocked one until it is called for again."""
    rows = await pool.fetch(
        """
        SELECT status, count(*) AS count, sum(amount)::bigint AS amount, min(since) AS since FROM payments
        WHERE fund = $1 AND (status IN ('reserved', 'instructed', 'accepted', 'unknown')
                             OR (status = 'blocked' AND NOT replaced))
        GROUP BY status ORDER BY status
        """,
        fund,
    )
    return [Standing(**row) for row in rows]


async def rebuild(connection: Connection, stream: str, headers: Iterable[Mapping[str, Any]]) -> None:
    """Write the rows of a journey's payments anew from its events, in the caller's transaction."""
    await connection.execute("DELETE FROM payments WHERE stream = $1", stream)
    said = [row_of(header) for header in headers if header["kind"] in KINDS]
    if said:
        await connection.execute("SELECT money_book($1, $2)", stream, json.dumps(said))


# --- asked


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment in a list."""

    id: str
    stream: str
    """Of its journey."""
    grant: str
    number: int
    """Of its instalment."""
    fund: str
    person: str
    name: str | None
    """First and last name; None when the person is not (or no longer) in the store."""
    amount: int
    """Cents."""
    pay_by: str
    reference: str
    status: PaymentStatus
    since: datetime
    """In this status."""
    reason: str | None
    doubt: str | None
    held: bool
    """It could not leave yet."""
    replaces: str | None
    replaced: bool
    batch: str | None
    """Message of the file that it is in."""


ROW: Final = """
    SELECT p.id::text, p.stream, p.grant_id::text, p.number, p.fund, p.person::text,
           w.sealed AS name, p.amount, p.pay_by, p.reference, p.status, p.since, p.reason,
           p.doubt, p.held, p.replaces::text, p.replaced, b.message
    FROM payments p LEFT JOIN people w ON w.id = p.person
    LEFT JOIN batch_transfers m ON m.payment = p.id LEFT JOIN batches b ON b.id = m.batch
"""
"""Columns of PaymentRow, in its order; the payment is `p`, its person `w`."""


async def payments(
    pool: Pool | Connection, *, status: Collection[str] = (), fund: str | None = None, pay_by: str | None = None,
    before: datetime | None = None, ids: Collection[str] = (), limit: int = 500,
) -> list[PaymentRow]:  # fmt: skip
    """Payments that the connection sees, those that have not moved for longest first.

    Args:
        status: one of these; none: any. before: in their status since before this instant. ids: of these; none: any.
    """
    rows = await pool.fetch(
        f"""{ROW} WHERE (cardinality($1::text[]) = 0 OR p.status = ANY ($1)) AND ($2::text IS NULL OR p.fund = $2)
            AND ($3::text IS NULL OR p.pay_by = $3) AND ($4::timestamptz IS NULL OR p.since < $4)
            AND (cardinality($5::uuid[]) = 0 OR p.id = ANY ($5)) ORDER BY p.since, p.id LIMIT $6""",
        list(status), fund, pay_by, before, list(ids), limit,
    )  # fmt: skip
    return await read_rows(pool, rows)


async def payments_like(pool: Pool | Connection, asked: str, limit: int = 10) -> list[PaymentRow]:
    """Payments that an id, its beginning or a reference (end-to-end id) names."""
    rows = await pool.fetch(
        f"{ROW} WHERE starts_with(p.id::text, lower($1)) OR p.reference = upper($1) ORDER BY p.id LIMIT $2",
        asked, limit,
    )  # fmt: skip
    return await read_rows(pool, rows)


async def read_rows(pool: Pool | Connection, rows: Sequence[Any]) -> list[PaymentRow]:
    """Rows of ROW."""
    names = await vault.names(pool, [(row["person"], row["name"]) for row in rows])
    return [_read_row(row, name) for row, name in zip(rows, names, strict=True)]


def _read_row(row: Any, name: str | None) -> PaymentRow:
    columns = PaymentRow.__slots__
    values = dict(zip(columns, row, strict=False))
    return PaymentRow(**{**values, "name": name, "status": PaymentStatus(row["status"])})
