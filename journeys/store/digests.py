"""Digests: which alerts wait for one, which are in which, and that each recipient has one a day."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from journeys.store.database import Connection, Pool

Fate = Literal["sent", "refused"]

_GATHERING: Final = 7_301_145
"""The lock of whoever gathers: two at once would write the same lines into two digests."""


@dataclass(frozen=True, slots=True)
class Waits:
    """An open alert that is told with a digest."""

    stream: str
    escalation: str
    digest: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """An alert in a digest: its journey, and the seq of the event that called for the telling."""

    stream: str
    effect: int
    role: str


@dataclass(frozen=True, slots=True)
class Told:
    """One recipient of an alert, and what became of the digest; no fate: it has not left, as far as is known."""

    recipient: str
    role: str
    fate: Fate | None


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest that has not left, as far as is known."""

    recipient: str
    day: date
    at: datetime
    """When it was written down."""
    until: datetime
    """Not later on its day."""


async def waiting(pool: Pool, until: datetime) -> list[Waits]:
    """Alerts whose digest leaves at `until` or before, in that order."""
    rows = await pool.fetch(
        """
        SELECT 'journey-' || j.id, item ->> 'id', (item ->> 'digest')::timestamptz
        FROM journeys j CROSS JOIN LATERAL jsonb_array_elements(j.turns) AS item
        WHERE j.alerts > 0 AND item ->> 'kind' = 'escalation' AND (item ->> 'digest')::timestamptz <= $1
        ORDER BY 3, 1, 2
        """,
        until,
    )
    return [Waits(*row) for row in rows]


@asynccontextmanager
async def gathering(pool: Pool) -> AsyncIterator[Connection | None]:
    """What is written here is written at once, by one at a time; None while somebody else gathers."""
    async with pool.acquire() as connection, connection.transaction():
        alone = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _GATHERING)
        yield connection if alone else None


async def begin(
    connection: Connection, recipient: str, day: date, at: datetime, until: datetime, lines: Sequence[Line]
) -> None:
    """Write a recipient's digest of a day down with its lines, unless they had one that day or it is leaving now.

    One that was begun before and never left, as far as is known, becomes that day's, with the lines that it has: a
    letter that may have left must not come again with others.
    """
    begun = await connection.fetchval("SELECT true FROM digests WHERE recipient = $1 AND ended_at IS NULL", recipient)
    free = await connection.fetchval(
        "SELECT true FROM digests WHERE recipient = $1 AND ended_at IS NULL FOR UPDATE SKIP LOCKED", recipient
    )
    had = await connection.fetchval(
        "SELECT true FROM digests WHERE recipient = $1 AND day = $2 AND ended_at IS NOT NULL", recipient, day
    )
    if had or (begun and not free):
        return
    if free:
        await connection.execute(
            "UPDATE digests SET day = $2, until = $3 WHERE recipient = $1 AND ended_at IS NULL", recipient, day, until
        )
        return
    await connection.execute(
        "INSERT INTO digests (recipient, day, at, until) VALUES ($1, $2, $3, $4)", recipient, day, at, until
    )
    await connection.executemany(
        "INSERT INTO digest_lines (stream, effect, recipient, day, role) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        [(line.stream, line.effect, recipient, day, line.role) for line in lines],
    )


async def unsent(pool: Pool) -> list[str]:
    """Recipients whose digest has not left, as far as is known."""
    rows = await pool.fetch("SELECT recipient FROM digests WHERE ended_at IS NULL ORDER BY begun_at, recipient")
    return [row["recipient"] for row in rows]


async def open_one(pool: Pool, recipient: str) -> Digest | None:
    """A recipient's digest that has not left, as far as is known."""
    row = await pool.fetchrow(
        "SELECT recipient, day, at, until FROM digests WHERE recipient = $1 AND ended_at IS NULL", recipient
    )
    return None if row is None else Digest(*row)


async def trying(pool: Pool, recipient: str) -> bool | None:
    """Write down that a recipient's digest is about to leave: whether it may have left before.

    None where there is none, or somebody else is sending it.
    """
    before: bool | None = await pool.fetchval(
        """
        WITH open AS (
            SELECT recipient, day, tried FROM digests WHERE recipient = $1 AND ended_at IS NULL FOR UPDATE SKIP LOCKED
        )
        UPDATE digests d SET tried = true FROM open WHERE (d.recipient, d.day) = (open.recipient, open.day)
        RETURNING open.tried
        """,
        recipient,
    )
    return before


@asynccontextmanager
async def taken(pool: Pool, digest: Digest) -> AsyncIterator[Connection | None]:
    """A digest that has not left, for one sender at a time; None where it changed meanwhile, or another sends it.

    Whoever dies while sending lets go of it at once.
    """
    async with pool.acquire() as connection, connection.transaction():
        held = await connection.fetchval(
            "SELECT true FROM digests WHERE (recipient, day, at, until) = ($1, $2, $3, $4) AND ended_at IS NULL"
            " FOR UPDATE SKIP LOCKED",
            digest.recipient, digest.day, digest.at, digest.until,
        )  # fmt: skip
        yield connection if held else None


async def lines(pool: Pool, digest: Digest) -> list[Line]:
    """What a digest tells."""
    rows = await pool.fetch(
        "SELECT stream, effect, role FROM digest_lines WHERE recipient = $1 AND day = $2 ORDER BY stream, effect",
        digest.recipient, digest.day,
    )  # fmt: skip
    return [Line(*row) for row in rows]


async def end(connection: Connection, digest: Digest, fate: Fate, reason: str) -> None:
    """It has left, or its address will never take it; this stays."""
    await connection.execute(
        "UPDATE digests SET ended_at = clock_timestamp(), fate = $3, reason = $4 WHERE recipient = $1 AND day = $2",
        digest.recipient, digest.day, fate, reason,
    )  # fmt: skip


async def doubted(connection: Connection, digest: Digest) -> int:
    """Nobody knows whether it left; how often that was so."""
    often: int = await connection.fetchval(
        "UPDATE digests SET doubts = doubts + 1 WHERE recipient = $1 AND day = $2 RETURNING doubts",
        digest.recipient, digest.day,
    )  # fmt: skip
    return often


async def let_go(connection: Connection, digest: Digest) -> None:
    """Nothing has left: what it was to tell is gathered anew."""
    await connection.execute("DELETE FROM digests WHERE recipient = $1 AND day = $2", digest.recipient, digest.day)


async def told(pool: Pool, stream: str, effects: Sequence[int]) -> list[Told]:
    """The recipients of an alert, by id; none where it is in no digest.

    Args:
        effects: seqs of the events that called for the telling: the first, and those after it was put off.
    """
    rows = await pool.fetch(
        "SELECT recipient, role, fate FROM digest_lines JOIN digests USING (recipient, day)"
        " WHERE stream = $1 AND effect = ANY ($2::bigint[]) ORDER BY recipient",
        stream, list(effects),
    )  # fmt: skip
    return [Told(*row) for row in rows]
