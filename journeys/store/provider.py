"""Keys that a provider was given, and what it says later of its own accord: each kept before anything else is done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from journeys.domain.notices import Said
from journeys.domain.state import PaymentStatus
from journeys.store.database import Connection, Pool

Outcome = Literal["taken", "known", "refused", "unknown-reference", "wrong-amount", "contradicted"]
FINE: Final = frozenset({"taken", "known"})
"""Of the others a person must look."""


class OtherKeyContent(Exception):
    """A key was used before with another content; nothing may be sent under it."""


async def use_key(pool: Pool, payment: str, amount: int, content: bytes, at: datetime) -> datetime | None:
    """Write down that a payment's key is about to leave with so many cents and this content (SHA-256).

    Returns:
        When it may first have reached the provider before; None: it surely has not.

    Raises:
        OtherKeyContent: nothing was written.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO provider_keys (payment, content, amount) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            payment, content, amount,
        )  # fmt: skip
        kept = await connection.fetchrow(
            "SELECT content, left_at FROM provider_keys WHERE payment = $1 FOR UPDATE", payment
        )
        if kept["content"] != content:
            raise OtherKeyContent(payment)
        before: datetime | None = kept["left_at"]
        if before is None:
            await connection.execute("UPDATE provider_keys SET left_at = $2 WHERE payment = $1", payment, at)
    return before


async def not_left(pool: Pool, payment: str, at: datetime) -> None:
    """Nothing left after all of what was about to leave at this instant."""
    await pool.execute("UPDATE provider_keys SET left_at = NULL WHERE payment = $1 AND left_at = $2", payment, at)


@dataclass(frozen=True, slots=True)
class Key:
    """What was, or was about to be, sent under a payment's key."""

    amount: int
    """Cents."""
    left_at: datetime | None
    """When it may first have reached the provider; None: it surely has not."""


async def key(pool: Pool, payment: str) -> Key | None:
    """The key of a payment; None: nothing was ever about to be sent."""
    row = await pool.fetchrow("SELECT amount, left_at FROM provider_keys WHERE payment = $1", payment)
    return None if row is None else Key(*row)


# --- what it says of its own accord


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a provider said of a payment of ours, once an event."""

    event: str
    reference: str
    amount: int
    """Cents."""
    said: Said
    reason: str | None
    at: datetime
    """When it happened, as the provider says."""


class OtherNotice(Exception):
    """An event came before and said something else; the first one stays."""


async def keep(pool: Pool, notice: Notice, content: bytes) -> bool:
    """Keep a notice, whose bytes have this SHA-256; False when it was kept before. Raises OtherNotice."""
    async with pool.acquire() as connection, connection.transaction():
        fresh = await connection.fetchval(
            "INSERT INTO provider_notices (event, content, reference, amount, said, reason, at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (event) DO NOTHING RETURNING true",
            notice.event, content, notice.reference, notice.amount, notice.said, notice.reason, notice.at,
        )  # fmt: skip
        kept = await connection.fetchval("SELECT content FROM provider_notices WHERE event = $1", notice.event)
    if kept != content:
        raise OtherNotice(notice.event)
    return bool(fresh)


async def waiting(pool: Pool, limit: int = 1_000) -> list[Notice]:
    """Notices of which nothing has come yet, as they came."""
    rows = await pool.fetch(
        "SELECT event, reference, amount, said, reason, at FROM provider_notices n"
        " WHERE NOT EXISTS (SELECT FROM provider_outcomes o WHERE o.event = n.event) ORDER BY position LIMIT $1",
        limit,
    )
    return [Notice(*row) for row in rows]


async def came_to(pool: Pool, notice: Notice, outcome: Outcome, at: datetime, code: str | None = None) -> None:
    """What came of a notice; the first outcome stays."""
    await pool.execute(
        "INSERT INTO provider_outcomes (event, outcome, code, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        notice.event, outcome, code, at,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """The payment that a reference names, as it stands now."""

    payment: str
    stream: str
    amount: int
    """Cents."""
    status: PaymentStatus


async def named(pool: Pool, reference: str) -> Named | None:
    """The payment that a reference names."""
    row = await pool.fetchrow("SELECT id::text, stream, amount, status FROM payments WHERE reference = $1", reference)
    return None if row is None else Named(row[0], row[1], row[2], PaymentStatus(row[3]))


@dataclass(frozen=True, slots=True)
class Unsettled:
    """How many notices are still to be told, and of how many a person must look."""

    waiting: int
    oldest: datetime | None
    """When the first of those that wait was received."""
    exceptions: int


async def unsettled(pool: Pool | Connection) -> Unsettled:
    """What is left to do about notices."""
    row = await pool.fetchrow(
        """
        SELECT count(*) FILTER (WHERE o.event IS NULL)::int, min(n.received_at) FILTER (WHERE o.event IS NULL),
               count(*) FILTER (WHERE o.outcome <> ALL ($1::text[]) AND r.how IS NULL)::int
        FROM provider_notices n LEFT JOIN provider_outcomes o USING (event)
        LEFT JOIN provider_resolutions r USING (event)
        """,
        sorted(FINE),
    )
    return Unsettled(*row)
