"""Payments as lists show them: one row each, written in the transaction of the event that says it."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from journeys.domain.state import PaymentStatus
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


def reference_of(payment: str) -> str:
    """What travels with the money (end-to-end id): 26 letters and digits, from the payment's id alone."""
    return base64.b32encode(UUID(payment).bytes).decode().rstrip("=")


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
    if data.get("reason"):
        row["reason"] = data["reason"]
    match kind:
        case "PaymentHeld":
            row["held"] = True
        case "PaymentReleased" | "PaymentInstructed":
            row["held"] = False
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
    for header in headers:
        if header["kind"] in KINDS:
            await connection.execute("SELECT money_book($1, $2)", stream, json.dumps([row_of(header)]))
