"""Tokens of programs: made once and shown once, the hash here; each acts as the member of staff who made it."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from journeys.store.database import Connection, Pool
from journeys.store.sessions import TOKEN_BYTES, Visitor, entered, hash_of

PREFIX: Final = "journeys_"
"""What every token begins with, so that one left lying about is recognised."""
LASTS: Final = timedelta(days=90)
LONGEST: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as its owner sees it; the token itself is kept nowhere."""

    id: str
    staff: str
    name: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    """To the minute."""
    revoked_at: datetime | None
    open: bool
    """Neither expired nor revoked."""


async def make(pool: Pool, id: str, staff: str, name: str, lasts: timedelta = LASTS) -> str:
    """Make a token of a member and return it. The pool acts as journeys_writer."""
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    await pool.execute(
        "INSERT INTO tokens (id, hash, staff, name, expires_at) VALUES ($1, $2, $3, $4, clock_timestamp() + $5)",
        id, hash_of(token), staff, name, min(lasts, LONGEST),
    )  # fmt: skip
    return token


async def enter(connection: Connection, token: str) -> Visitor | None:
    """Who comes with this token; from here to the end of the transaction the connection sees what they may see.

    The connection acts as journeys_web, inside a transaction. None: unknown, expired, revoked, or no longer staff.
    """
    return await entered(connection, "token_enter", token)


async def revoke(pool: Pool, staff: str, id: str) -> bool:
    """End a token of a member at once; False when they have no such token, or it was revoked before."""
    done: str = await pool.execute(
        "UPDATE tokens SET revoked_at = clock_timestamp() WHERE staff = $1 AND id = $2 AND revoked_at IS NULL",
        staff, id,
    )  # fmt: skip
    return done == "UPDATE 1"


async def tokens_of(pool: Pool, staff: str) -> list[Token]:
    """A member's tokens, the newest first, also those that are over."""
    rows = await pool.fetch(
        """
        SELECT id::text, staff::text, name, created_at, expires_at, used_at, revoked_at,
               revoked_at IS NULL AND clock_timestamp() < expires_at AS open
        FROM tokens WHERE staff = $1 ORDER BY created_at DESC, id
        """,
        staff,
    )
    return [Token(**row) for row in rows]
