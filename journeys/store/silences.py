"""Messages of which their channel said nothing for too long: each is told once, unless the whole channel is silent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from journeys.store.database import Connection, Pool

CHANNEL: Final = "sms"
"""The only channel that says what arrives: of mail nobody ever hears that it did."""

ALTOGETHER: Final = 5
"""So many messages without a word, and none of any other: it is the channel, not a phone that is off."""

_LOOKED_BACK: Final = timedelta(days=30)
"""What has been silent for longer is no news any more."""

Outcome = Literal["told", "refused", "with-channel"]

_SILENT: Final = """
    message_attempts a JOIN message_ends e USING (message, number)
    WHERE a.channel = $1 AND e.fate = 'sent' AND a.began_at BETWEEN now() - $3::interval AND now() - $2::interval
      AND a.began_at > $4::timestamptz
      AND a.began_at > (SELECT applied FROM migrations WHERE name = '0054_silences.sql')
      AND NOT EXISTS (SELECT FROM message_receipts r WHERE r.message = a.message)
      AND NOT EXISTS (SELECT FROM message_receipts r WHERE r.message IS NULL AND r.reference = e.reference)
"""
"""Messages that a channel ($1) took so long ago ($2), not longer than that ($3), after an instant ($4; null: none is),
and of which nothing was said; none that left before anybody looked for such."""

_SPOKEN: Final = """
    (SELECT a.began_at, r.received_at FROM message_attempts a JOIN message_receipts r USING (message)
     WHERE a.channel = $1 AND r.event NOT LIKE 'dsn-%'
     UNION ALL
     SELECT a.began_at, r.received_at FROM message_attempts a JOIN message_ends e USING (message, number)
     JOIN message_receipts r ON r.message IS NULL AND r.reference = e.reference
     WHERE a.channel = $1 AND r.event NOT LIKE 'dsn-%') AS spoken
"""
"""What a channel ($1) said, by when the message left; a report on mail is no word of a gateway."""

_HEARD: Final = f"""
    SELECT first, greatest(first, (SELECT max(received_at) FROM {_SPOKEN} WHERE began_at > now() - $2::interval))
    FROM (SELECT received_at AS first FROM {_SPOKEN} ORDER BY began_at LIMIT 1) AS begun
"""
"""When a channel ($1) said anything first, and last (of messages not older than $2); no row: it never has."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A message that its journey is to hear of."""

    message: str
    stream: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """A channel that says nothing at all."""

    id: str
    channel: str
    since: datetime
    messages: int
    """How many were silent when that was found."""
    told: bool


async def _heard(connection: Pool | Connection) -> tuple[datetime | None, datetime | None]:
    """When the channel said anything first and last."""
    row = await connection.fetchrow(_HEARD, CHANNEL, _LOOKED_BACK)
    return (None, None) if row is None else (row[0], row[1])


async def untold(pool: Pool, silence: timedelta, limit: int = 1_000) -> list[Silent]:
    """Silent messages of which nothing has come yet, as they left; none from before the channel began to speak."""
    first, _ = await _heard(pool)
    rows = await pool.fetch(
        f"SELECT a.message::text, a.stream FROM {_SILENT}"
        " AND NOT EXISTS (SELECT FROM message_silences s WHERE s.message = a.message) ORDER BY a.began_at LIMIT $5",
        CHANNEL, silence, _LOOKED_BACK, first, limit,
    )  # fmt: skip
    return [Silent(*row) for row in rows]


async def came_to(pool: Pool, messages: Sequence[str], outcome: Outcome, at: datetime) -> None:
    """What came of silent messages; the first outcome stays."""
    await pool.executemany(
        "INSERT INTO message_silences (message, outcome, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [(message, outcome, at) for message in messages],
    )


async def look(pool: Pool, silence: timedelta) -> Quiet | None:
    """Whether the channel is silent altogether, which is then written down once; None: it speaks, never has spoken, or
    hardly anything left by it."""
    async with pool.acquire() as connection, connection.transaction():
        _, heard = await _heard(connection)
        await connection.execute(
            "UPDATE channel_silences SET ended_at = clock_timestamp()"
            " WHERE channel = $1 AND ended_at IS NULL AND found_at < $2",
            CHANNEL, heard,
        )  # fmt: skip
        counted = await connection.fetchrow(
            f"SELECT count(*)::int AS messages, min(a.began_at) AS since FROM {_SILENT}",
            CHANNEL, silence, _LOOKED_BACK, heard,
        )  # fmt: skip
        if counted["messages"] >= ALTOGETHER:
            await connection.execute(
                "INSERT INTO channel_silences (channel, since, messages) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                CHANNEL, counted["since"], counted["messages"],
            )  # fmt: skip
        return await now(connection)


async def end(pool: Pool) -> None:
    """Nobody says what arrives any more: silence means nothing."""
    await pool.execute(
        "UPDATE channel_silences SET ended_at = clock_timestamp() WHERE channel = $1 AND ended_at IS NULL", CHANNEL
    )


async def now(connection: Pool | Connection) -> Quiet | None:
    """The silence that goes on, as it was found."""
    row = await connection.fetchrow(
        "SELECT id::text, channel, since, messages, told_at IS NOT NULL FROM channel_silences"
        " WHERE channel = $1 AND ended_at IS NULL",
        CHANNEL,
    )
    return None if row is None else Quiet(*row)


async def told(pool: Pool, id: str) -> None:
    """Somebody was told of a channel that says nothing."""
    await pool.execute("UPDATE channel_silences SET told_at = clock_timestamp() WHERE id = $1 AND told_at IS NULL", id)
