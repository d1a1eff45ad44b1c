"""What channels say later of messages that left, and what phones answer: each kept before anything else is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from journeys.store.database import Pool

Said = Literal["delivered", "bounced"]
Wish = Literal["stop", "start", "other"]
Outcome = Literal["taken", "refused", "unknown-message"]
ReplyOutcome = Literal["taken", "known", "refused", "nobody", "unread", "forgotten"]
"""What came of a phone's answer; `known`: it changes nothing; `forgotten`: whose it is, is being forgotten."""

_LOOKED_BACK: Final = timedelta(days=30)
"""What has been silent for longer is no news any more."""


class OtherSaid(Exception):
    """An event came before and said something else; the first one stays."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a channel says of a message, once an event; it names it by our id, by its own reference, or by both."""

    event: str
    message: str | None
    reference: str | None
    said: Said
    reason: str | None
    at: datetime
    """When it happened, as the channel says."""


async def keep(pool: Pool, receipt: Receipt, content: bytes) -> bool:
    """Keep a receipt, whose bytes have this SHA-256; False when it was kept before. Raises OtherSaid."""
    async with pool.acquire() as connection, connection.transaction():
        fresh = await connection.fetchval(
            "INSERT INTO message_receipts (event, content, message, reference, said, reason, at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (event) DO NOTHING RETURNING true",
            receipt.event, content, receipt.message, receipt.reference, receipt.said, receipt.reason, receipt.at,
        )  # fmt: skip
        kept = await connection.fetchval("SELECT content FROM message_receipts WHERE event = $1", receipt.event)
    if kept != content:
        raise OtherSaid
    return bool(fresh)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A receipt of which nothing has come yet, with the message and the journey that it names, as far as known."""

    event: str
    message: str | None
    stream: str | None
    said: Said
    reason: str | None
    at: datetime
    received_at: datetime
    named: bool
    """It names the message by our own id."""
    channel: str | None
    """By which it left last."""
    person: str | None
    """Whose journey it is."""
    began_at: datetime | None
    """When the attempt that it is about began, by the database's clock."""
    letter: str | None
    """The id that it names, of a message to a person or of a letter to staff."""


async def waiting(pool: Pool, limit: int = 1_000) -> list[Waiting]:
    """Receipts of which nothing has come yet, as they came."""
    rows = await pool.fetch(
        """
        SELECT r.event, coalesce(a.message, e.message)::text, coalesce(a.stream, e.stream), r.said, r.reason, r.at,
               r.received_at, r.message IS NOT NULL, coalesce(a.channel, e.channel),
               (SELECT j.person::text FROM journeys j WHERE 'journey-' || j.id = coalesce(a.stream, e.stream)),
               coalesce(a.began_at, e.began_at), r.message::text
        FROM message_receipts r
        LEFT JOIN LATERAL (
            SELECT message, stream, channel, began_at FROM message_attempts WHERE message = r.message
            ORDER BY number DESC LIMIT 1
        ) a ON true
        LEFT JOIN LATERAL (
            SELECT message, stream, channel, began_at FROM message_ends JOIN message_attempts USING (message, number)
            WHERE reference = r.reference ORDER BY began_at DESC LIMIT 1
        ) e ON r.message IS NULL
        WHERE NOT EXISTS (SELECT FROM message_receipt_outcomes o WHERE o.event = r.event)
        ORDER BY r.position LIMIT $1
        """,
        limit,
    )
    return [Waiting(*row) for row in rows]


async def came_to(pool: Pool, receipt: Waiting, outcome: Outcome, at: datetime, code: str | None = None) -> None:
    """What came of a receipt; the first outcome stays."""
    await pool.execute(
        "INSERT INTO message_receipt_outcomes (event, outcome, code, at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING",
        receipt.event, outcome, code, at,
    )  # fmt: skip


# --- what phones answer


@dataclass(frozen=True, slots=True)
class Reply:
    """A phone's answer, once an event: of whom, and what they wish."""

    event: str
    people: tuple[str, ...]
    wish: Wish
    at: datetime
    position: int = 0
    """Where it stands among all that came, once it is kept."""


async def keep_reply(pool: Pool, reply: Reply, content: bytes) -> bool:
    """Keep an answer, whose bytes have this SHA-256; False when it was kept before. Raises OtherSaid."""
    async with pool.acquire() as connection, connection.transaction():
        fresh = await connection.fetchval(
            "INSERT INTO message_replies (event, content, people, wish, at) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (event) DO NOTHING RETURNING true",
            reply.event, content, list(reply.people), reply.wish, reply.at,
        )  # fmt: skip
        kept = await connection.fetchval("SELECT content FROM message_replies WHERE event = $1", reply.event)
    if kept != content:
        raise OtherSaid
    return bool(fresh)


async def waiting_replies(pool: Pool, after: int = 0, limit: int = 100) -> list[Reply]:
    """Answers behind a position of which nothing has come yet, as they came."""
    rows = await pool.fetch(
        "SELECT event, people::text[], wish, at, position FROM message_replies r"
        " WHERE position > $2 AND NOT EXISTS (SELECT FROM message_reply_outcomes o WHERE o.event = r.event)"
        " ORDER BY position LIMIT $1",
        limit, after,
    )  # fmt: skip
    return [Reply(row[0], tuple(row[1]), *row[2:]) for row in rows]


async def reply_came_to(pool: Pool, event: str, outcome: ReplyOutcome, at: datetime) -> None:
    """What came of an answer; the first outcome stays."""
    await pool.execute(
        "INSERT INTO message_reply_outcomes (event, outcome, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        event, outcome, at,
    )  # fmt: skip


# --- what is left to look at


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What of messages, receipts and answers a person must know."""

    waiting: int
    """Receipts and wishes that are still to be told."""
    oldest: datetime | None
    """When the first of those was received."""
    strange: int
    """Receipts of no message of ours, or that its journey refused, in the last days."""
    silent: int
    """Short messages that were taken so long ago, and of which nothing was said since."""
    unread: int
    """Answers that were neither STOP nor START, or of nobody that we know, in the last days."""


async def unsettled(pool: Pool, silence: timedelta) -> Unsettled:
    """What is left to do. `silence`: after which a message without a receipt counts."""
    row = await pool.fetchrow(
        """
        WITH waits AS (
            SELECT received_at FROM message_receipts r
            WHERE NOT EXISTS (SELECT FROM message_receipt_outcomes o WHERE o.event = r.event)
            UNION ALL SELECT received_at FROM message_replies r
            WHERE NOT EXISTS (SELECT FROM message_reply_outcomes o WHERE o.event = r.event))
        SELECT (SELECT count(*) FROM waits)::int, (SELECT min(received_at) FROM waits),
               (SELECT count(*) FROM message_receipt_outcomes o JOIN message_receipts r USING (event)
                WHERE o.outcome <> 'taken' AND r.received_at > now() - $2::interval)::int,
               (SELECT count(*) FROM message_attempts a JOIN message_ends e USING (message, number)
                WHERE a.channel = 'sms' AND e.fate = 'sent' AND a.began_at BETWEEN now() - $2 AND now() - $1::interval
                  AND NOT EXISTS (SELECT FROM message_receipts r WHERE r.message = a.message
                                  OR r.message IS NULL AND r.reference = e.reference))::int,
               (SELECT count(*) FROM message_reply_outcomes o JOIN message_replies r USING (event)
                WHERE o.outcome IN ('nobody', 'unread') AND r.received_at > now() - $2)::int
        """,
        silence, _LOOKED_BACK,
    )  # fmt: skip
    return Unsettled(*row)


async def silent_of(pool: Pool, stream: str, silence: timedelta) -> Sequence[str]:
    """The ids of a journey's short messages that were taken so long ago, and of which nothing was said since."""
    rows = await pool.fetch(
        """
        SELECT a.message::text FROM message_attempts a JOIN message_ends e USING (message, number)
        WHERE a.stream = $1 AND a.channel = 'sms' AND e.fate = 'sent' AND a.began_at < now() - $2::interval
          AND NOT EXISTS (SELECT FROM message_receipts r
                          WHERE r.message = a.message OR r.message IS NULL AND r.reference = e.reference)
        """,
        stream, silence,
    )  # fmt: skip
    return [row[0] for row in rows]
