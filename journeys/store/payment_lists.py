"""Payments as finance works them off: what each asks for, counted and by pages; and what a line of the bank may be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from journeys.domain.directory import search_form
from journeys.domain.payee import Payee
from journeys.store.batches import payees_of
from journeys.store.database import Connection, Pool
from journeys.store.payments import ROW, PaymentRow, read_rows
from journeys.store.sealing import CannotUnseal
from journeys.store.signing import KeyRing

Wants = Literal["doubt", "silent", "held", "blocked", "handing", "failed", "way", "done"]
"""What a payment asks of finance: an answer about the account, the bank's word where it is silent, a look at why it
could not leave, that what blocked it is mended, that it is handed over, that it is made good; nothing yet; nothing."""
WANTS: Final[tuple[Wants, ...]] = get_args(Wants)
"""In the order in which finance works them off."""

Order = Literal["wants", "since", "amount", "name"]
_ORDERS: Final[Mapping[Order, str]] = {
    "wants": f"array_position(ARRAY{list(WANTS)}, p.wants), p.since, p.id",
    "since": "p.since, p.id",
    "amount": "p.amount DESC, p.id",
    "name": "p.since, p.id",
}

_WANTS: Final = """
    (SELECT *, CASE
        WHEN doubt IS NOT NULL AND status IN ('reserved', 'instructed', 'accepted', 'unknown') THEN 'doubt'
        WHEN status = 'unknown' AND since < $1 THEN 'silent'
        WHEN status = 'reserved' AND held AND since < $1 THEN 'held'
        WHEN status = 'blocked' AND NOT replaced THEN 'blocked'
        WHEN status = 'instructed' AND pay_by IN ('hand', 'voucher') THEN 'handing'
        WHEN status IN ('rejected', 'returned') AND NOT replaced THEN 'failed'
        WHEN status IN ('reserved', 'instructed', 'accepted', 'unknown') THEN 'way'
        ELSE 'done'
    END AS wants FROM payments)
"""
_ROW: Final = ROW.replace("FROM payments p", f", p.wants FROM {_WANTS} AS p", 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which payments are listed; None: any."""

    silent_before: datetime
    """What has not moved since this instant is overdue: one working day ago."""
    wants: Wants | None = None
    status: str | None = None
    fund: str | None = None
    pay_by: str | None = None
    before: datetime | None = None
    """In their status since before this instant."""
    order: Order = "wants"


@dataclass(frozen=True, slots=True)
class Wanting:
    """A payment with what it asks for."""

    row: PaymentRow
    wants: Wants


async def page_of(connection: Connection, asked: Asked, limit: int, offset: int) -> tuple[list[Wanting], int]:
    """One page of the payments that the connection sees, and how many there are on all pages."""
    where = """
        WHERE ($2::text IS NULL OR p.wants = $2) AND ($3::text IS NULL OR p.status = $3)
        AND ($4::text IS NULL OR p.fund = $4) AND ($5::text IS NULL OR p.pay_by = $5)
        AND ($6::timestamptz IS NULL OR p.since < $6)
    """
    values = [asked.silent_before, asked.wants, asked.status, asked.fund, asked.pay_by, asked.before]
    total: int = await connection.fetchval(f"SELECT count(*)::int FROM {_WANTS} AS p {where}", *values)
    rows = await connection.fetch(
        f"{_ROW} {where} ORDER BY {_ORDERS[asked.order]} LIMIT $7 OFFSET $8", *values, limit, offset
    )
    found = [Wanting(each, row["wants"]) for row, each in zip(rows, await read_rows(connection, rows), strict=True)]
    if asked.order == "name":
        # Names are sealed: they order what a page shows, not the pages.
        found.sort(key=lambda each: search_form(each.row.name or ""))
    return found, total


async def wanting(connection: Connection, payment: str, silent_before: datetime) -> Wanting:
    """A payment that the connection sees, by id."""
    row = await connection.fetchrow(f"{_ROW} WHERE p.id = $2", silent_before, payment)
    [found] = await read_rows(connection, [row])
    return Wanting(found, row["wants"])


async def counted(connection: Connection, silent_before: datetime) -> dict[Wants, int]:
    """How many payments ask for what, of those that the connection sees."""
    rows = await connection.fetch(
        f"SELECT wants, count(*)::int FROM {_WANTS} AS p WHERE wants <> 'done' GROUP BY wants", silent_before
    )
    return {row[0]: row[1] for row in rows}


async def funds_named(connection: Connection) -> list[str]:
    """Funds of the payments that the connection sees."""
    return [row[0] for row in await connection.fetch("SELECT DISTINCT fund FROM payments ORDER BY fund")]


# --- beside a line of the bank


async def likely(
    connection: Connection, cents: int | None, reference: str | None, payment: str | None, limit: int = 6
) -> list[PaymentRow]:
    """Payments that a line of the bank may be: the one that it names, then those of its amount whose fate fits."""
    rows = await connection.fetch(
        f"""
        {ROW} WHERE p.id = $1::uuid OR p.reference = $2 OR (p.pay_by = 'sepa' AND p.amount = abs($3::bigint)
            AND p.status = ANY (CASE WHEN $3 < 0 THEN ARRAY['instructed', 'accepted', 'unknown']
                                ELSE ARRAY['settled', 'settled-by-hand'] END))
        ORDER BY (p.id = $1::uuid OR p.reference = $2) IS TRUE DESC, p.since, p.id LIMIT $4
        """,
        payment, reference, cents, limit,
    )  # fmt: skip
    return await read_rows(connection, rows)


async def payees(pool: Pool, ring: KeyRing, payments: Iterable[str]) -> dict[str, Payee]:
    """Whom transfers are for, by payment; without those that no key here opens. Only for who may act on them."""
    rows = await pool.fetch(
        "SELECT payment::text, sealed FROM transfers WHERE payment = ANY ($1::uuid[])", list(payments)
    )
    found = zip(rows, await payees_of(pool, ring, [tuple(row) for row in rows]), strict=True)
    return {row["payment"]: payee for row, payee in found if not isinstance(payee, CannotUnseal)}


@dataclass(frozen=True, slots=True)
class Giving:
    """A file was handed over."""

    at: datetime
    by: str
    """Id of who took it."""


async def givings(connection: Connection, batches: Iterable[str]) -> dict[str, list[Giving]]:
    """When and to whom files were given, by batch, the first first."""
    rows: list[Any] = await connection.fetch(
        "SELECT batch::text, given_at, given_by::text FROM batch_givings WHERE batch = ANY ($1::uuid[]) ORDER BY seq",
        list(batches),
    )
    found: dict[str, list[Giving]] = {}
    for row in rows:
        found.setdefault(row["batch"], []).append(Giving(row["given_at"], row["given_by"]))
    return found
