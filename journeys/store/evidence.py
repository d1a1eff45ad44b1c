"""What the audit reads of a stream besides its events: its head, and the signed commands."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from journeys.contract import Answer
from journeys.store.database import Connection, Pool


@dataclass(frozen=True, slots=True)
class Head:
    """Where a stream ends, by the table of heads: seq and hash of its last event."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class RecordedCommand:
    """A command as the journal kept it; `first` and `last` are the seqs of its events, None when it has none."""

    id: str
    signed: bytes
    """RFC 8785 bytes that the signature covers, verbatim."""
    signature: str
    key: str
    first: int | None
    last: int | None
    answer: Answer


async def head_of(pool: Pool | Connection, stream: str) -> Head | None:
    """The head of a stream; None when there is none."""
    row = await pool.fetchrow("SELECT seq, hash FROM streams WHERE stream = $1", stream)
    return None if row is None else Head(row["seq"], row["hash"])


async def began(pool: Pool | Connection, stream: str) -> datetime | None:
    """When the first event of a stream was recorded; None where there is none, or none that says it."""
    header: bytes | None = await pool.fetchval("SELECT header FROM events WHERE stream = $1 AND seq = 1", stream)
    try:
        return None if header is None else datetime.fromisoformat(json.loads(header)["recorded_at"])
    except (ValueError, LookupError, TypeError):
        return None


async def commands_of(pool: Pool | Connection, stream: str) -> list[RecordedCommand]:
    """Every command that a stream answered, in the order of their events (those without events first)."""
    rows = await pool.fetch(
        """
        SELECT id::text AS id, signed, signature, key, first, last, answer
        FROM commands WHERE stream = $1 ORDER BY first NULLS FIRST, id
        """,
        stream,
    )
    return [_recorded(row) for row in rows]


async def command_of(pool: Pool | Connection, stream: str, id: str) -> RecordedCommand | None:
    """One command that a stream answered; None when the journal never saw it there."""
    row = await pool.fetchrow(
        "SELECT id::text AS id, signed, signature, key, first, last, answer FROM commands"
        " WHERE stream = $1 AND id = $2",
        stream, id,
    )  # fmt: skip
    return None if row is None else _recorded(row)


def _recorded(row: Mapping[str, Any]) -> RecordedCommand:
    return RecordedCommand(
        row["id"], row["signed"], row["signature"], row["key"], row["first"], row["last"],
        Answer.model_validate_json(row["answer"]),
    )  # fmt: skip


async def kinds_of(pool: Pool | Connection, stream: str) -> list[str]:
    """The column `kind` of each event, in order: what a fold that trusts it reads by."""
    rows = await pool.fetch("SELECT kind FROM events WHERE stream = $1 ORDER BY seq", stream)
    return [row["kind"] for row in rows]


async def journey_streams(pool: Pool | Connection, after: str = "", limit: int = 500) -> list[str]:
    """Streams of journeys behind `after`, in order, at most `limit`."""
    rows = await pool.fetch(
        "SELECT stream FROM streams WHERE stream > $1 AND stream < 'journey.' ORDER BY stream LIMIT $2",
        max(after, "journey-"),
        limit,
    )
    return [row["stream"] for row in rows]


async def each_journey(pool: Pool) -> AsyncIterator[str]:
    """Every stream of a journey, in order, read page by page."""
    last = ""
    while streams := await journey_streams(pool, last):
        for last in streams:
            yield last


async def count_journeys(pool: Pool | Connection) -> int:
    """How many streams of journeys there are."""
    number: int = await pool.fetchval("SELECT count(*) FROM streams WHERE stream > 'journey-' AND stream < 'journey.'")
    return number


@dataclass(frozen=True, slots=True)
class Money:
    """What tables say of a journey's money, beside its events."""

    payments: Mapping[str, tuple[Any, ...]]
    """Status, cents, number, grant, doubt and whether another stands for it, by payment."""
    ledger: frozenset[tuple[int, str]]
    """Seq of the event and move of each transaction."""


async def money_of(connection: Pool | Connection, stream: str) -> Money:
    """The payments of a journey as lists show them, and its transactions in the ledger."""
    rows = await connection.fetch(
        "SELECT id::text, status, amount, number, grant_id::text, doubt, replaced FROM payments WHERE stream = $1",
        stream,
    )
    booked = await connection.fetch("SELECT seq, kind FROM ledger_transactions WHERE stream = $1", stream)
    return Money({row["id"]: tuple(row)[1:] for row in rows}, frozenset((row["seq"], row["kind"]) for row in booked))
