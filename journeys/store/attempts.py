"""Attempts to send a message to a person: each written down before it begins, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from journeys.store.database import Pool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that may begin."""

    message: str
    number: int
    began_at: datetime
    """By the database's clock."""


async def begin(pool: Pool, message: str, stream: str, channel: str, at: datetime) -> Attempt | None:
    """Write down that a message is about to leave; None: it left, or may have left, before.

    Args:
        stream: of the journey. at: the workflow's time.
    """
    row = await pool.fetchrow(
        """
        INSERT INTO message_attempts (message, number, stream, channel, at)
        SELECT $1, (SELECT coalesce(max(number), 0) + 1 FROM message_attempts WHERE message = $1), $2, $3, $4
        WHERE NOT EXISTS (
            SELECT FROM message_attempts a LEFT JOIN message_ends e USING (message, number)
            WHERE a.message = $1 AND (e.fate IS NULL OR e.fate IN ('sent', 'unknown')))
        ON CONFLICT DO NOTHING RETURNING number, began_at
        """,
        message, stream, channel, at,
    )  # fmt: skip
    return None if row is None else Attempt(message, **row)


async def ended(pool: Pool, attempt: Attempt, fate: str, reason: str, reference: str) -> None:
    """What came of an attempt; the first word stays. `reference` is what its channel calls it."""
    await pool.execute(
        "INSERT INTO message_ends (message, number, fate, reason, reference) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        attempt.message, attempt.number, fate, reason, reference or None,
    )  # fmt: skip


async def last(pool: Pool, message: str) -> tuple[str, datetime] | None:
    """By which channel a message was tried last, and when that began by the database's clock; None: it never was."""
    row = await pool.fetchrow(
        "SELECT channel, began_at FROM message_attempts WHERE message = $1 ORDER BY number DESC LIMIT 1", message
    )
    return None if row is None else (row["channel"], row["began_at"])


@dataclass(frozen=True, slots=True)
class Left:
    """How many attempts went by a channel, and how they ended."""

    channel: str
    fate: str | None
    """None: nobody knows."""
    count: int
    last: datetime


async def by_channel(pool: Pool, days: int) -> list[Left]:
    """The attempts of the last days, by channel and how they ended. Nothing of them names a person."""
    rows = await pool.fetch(
        "SELECT channel, fate, count(*) AS count, max(began_at) AS last FROM message_attempts a"
        " LEFT JOIN message_ends USING (message, number)"
        " WHERE began_at > clock_timestamp() - make_interval(days => $1) GROUP BY channel, fate ORDER BY channel, fate",
        days,
    )
    return [Left(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class Unable:
    """How often a channel took nothing for one reason since it took something."""

    channel: str
    reason: str
    count: int


async def unable(pool: Pool, reasons: Sequence[str], days: int) -> list[Unable]:
    """Channels that took nothing for one of these reasons in the last days, and have taken nothing since."""
    rows = await pool.fetch(
        """
        WITH tried AS (
            SELECT channel, began_at, fate, reason FROM message_attempts JOIN message_ends USING (message, number)
            WHERE began_at > clock_timestamp() - make_interval(days => $2)),
        taken AS (SELECT channel, max(began_at) AS last FROM tried WHERE fate = 'sent' GROUP BY channel)
        SELECT channel, reason, count(*)::int FROM tried LEFT JOIN taken USING (channel)
        WHERE reason = ANY ($1) AND began_at > coalesce(last, '-infinity')
        GROUP BY channel, reason ORDER BY channel, reason
        """,
        list(reasons), days,
    )  # fmt: skip
    return [Unable(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt as it stands."""

    message: str
    channel: str
    at: datetime
    fate: str | None
    """None: nobody knows how it ended."""
    reason: str


async def of_journey(pool: Pool, stream: str) -> list[Tried]:
    """Every attempt to reach the person of a journey, in the order in which they began."""
    rows = await pool.fetch(
        "SELECT message::text, channel, a.at, fate, coalesce(reason, '') FROM message_attempts a"
        " LEFT JOIN message_ends USING (message, number) WHERE stream = $1 ORDER BY began_at, number",
        stream,
    )
    return [Tried(*row) for row in rows]
