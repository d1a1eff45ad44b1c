"""Receipts as lists show them: one row each, written in the transaction of the event that says it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from journeys.store import vault
from journeys.store.database import Connection, Pool

KINDS: Final = frozenset({
    "ReceiptDue", "ReceiptOverdue", "ReceiptSubmitted", "ReceiptUnanswered", "ReceiptRefused", "ReceiptPartAccepted",
    "ReceiptAccepted", "ReceiptWaived",
})  # fmt: skip
"""Events that a row follows."""

Order = Literal["age", "amount"]
"""The oldest first, or what lacks most."""
_BY: Final[Mapping[Order, str]] = {"age": "r.since, r.id", "amount": "r.amount - r.justified DESC, r.since, r.id"}

Status = Literal["submitted", "late", "owed", "in-part", "waived", "accepted"]
OPEN: Final[tuple[Status, ...]] = ("submitted", "late", "in-part", "owed")
"""Statuses that wait for somebody."""

_STATUS: Final = """CASE WHEN r.settled IS NOT NULL THEN r.settled WHEN r.submitted IS NOT NULL THEN 'submitted'
    WHEN r.due < $1 THEN 'late' WHEN r.justified > 0 THEN 'in-part' ELSE 'owed' END"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt with whose it is; amounts in cents."""

    id: str
    journey: str
    seq: int
    """Of the journey, when it was read."""
    name: str | None
    """Of the person; None: erased."""
    grant: str
    fund: str
    amount: int
    justified: int
    submitted: int | None
    """What was submitted and waits for finance."""
    shown_at: int | None
    """Seq of the event that submitted it, where a document came with it."""
    since: datetime
    """When it was submitted, else when it is or was due."""
    status: Status

    @property
    def missing(self) -> int:
        """Cents that nothing justifies yet."""
        return self.amount - self.justified


@dataclass(frozen=True, slots=True)
class Owing:
    """Receipts of one fund and status: how many, and cents that nothing justifies."""

    fund: str
    status: Status
    count: int
    missing: int


def row_of(header: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says of its receipt's row: `{"receipt": …}`, the argument of `receipt_said`; else empty.

    Only what is named changes.
    """
    kind, data = header["kind"], header["data"]
    if kind not in KINDS:
        return {}
    row = {"id": data["receipt"], "seq": header["seq"], "kind": kind}
    match kind:
        case "ReceiptDue":
            row |= {"payment": data["payment"], "grant": data["grant"], "amount": data["amount"], "due": data["by"]}
        case "ReceiptSubmitted":
            row |= {"submitted": data["amount"], "submitted_at": header["recorded_at"]}
        case "ReceiptRefused" | "ReceiptWaived":
            row |= {"submitted": None}
        case "ReceiptPartAccepted":
            row |= {"submitted": None, "justifies": data["amount"], "due": data["by"]}
        case "ReceiptAccepted":
            row |= {"submitted": None, "justifies": data["amount"]}
        case _:
            pass
    settled = {"ReceiptAccepted": "accepted", "ReceiptWaived": "waived"}.get(kind)
    return {"receipt": row | ({"settled": settled} if settled else {})}


async def rebuild(connection: Connection, stream: str, headers: Iterable[Mapping[str, Any]]) -> None:
    """Write the rows of a journey's receipts anew from its events, in the caller's transaction, after its payments."""
    await connection.execute("DELETE FROM receipts WHERE stream = $1", stream)
    said = [row for header in headers if (row := row_of(header))]
    if said:
        await connection.execute("SELECT money_book($1, $2)", stream, json.dumps(said))


async def listed(
    pool: Pool | Connection, now: datetime, *, statuses: Sequence[Status] = OPEN, fund: str | None = None,
    order: Order = "age", limit: int, offset: int = 0,
) -> tuple[list[Receipt], int]:  # fmt: skip
    """Receipts that the connection may see, and how many there are in all."""
    rows = await pool.fetch(
        f"""
        WITH told AS (
            SELECT r.*, {_STATUS} AS status, coalesce(r.submitted_at, r.due) AS since FROM receipts r
            WHERE $3::text IS NULL OR r.fund = $3
        )
        SELECT r.id::text, j.id::text AS journey, j.seq, j.person::text, p.sealed AS name,
               r.grant_id::text AS grant, r.fund, r.amount, r.justified, r.submitted,
               CASE WHEN EXISTS (SELECT FROM parts d WHERE d.stream = r.stream AND d.seq = r.submitted_seq
                    AND d.name = 'document') THEN r.submitted_seq END AS shown_at,
               r.since, r.status, count(*) OVER () AS total
        FROM told r JOIN journeys j ON j.id = journey_of(r.stream) LEFT JOIN people p ON p.id = j.person
        WHERE r.status = ANY ($2) ORDER BY {_BY[order]} LIMIT $4 OFFSET $5
        """,
        now, list(statuses), fund, limit, offset,
    )  # fmt: skip
    names = await vault.names(pool, [(row["person"], row["name"]) for row in rows])
    found = [
        Receipt(**{column: row[column] for column in Receipt.__slots__ if column != "name"}, name=name)
        for row, name in zip(rows, names, strict=True)
    ]
    return found, rows[0]["total"] if rows else 0


async def owing(pool: Pool | Connection, now: datetime) -> list[Owing]:
    """Receipts that the connection may see, by fund and status."""
    rows = await pool.fetch(
        f"""
        SELECT r.fund, {_STATUS} AS status, count(*) AS count, sum(r.amount - r.justified)::bigint AS missing
        FROM receipts r GROUP BY r.fund, 2 ORDER BY r.fund, 2
        """,
        now,
    )
    return [Owing(**row) for row in rows]
