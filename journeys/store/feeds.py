"""Calendar feeds: an address that shows the appointments of one journey, until it is taken back."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from journeys.store.database import Connection, Pool
from journeys.store.links import PATH as LINKS
from journeys.store.sessions import hash_of

PATH: Final = f"{LINKS}agenda/"
"""Where feeds stand: under what is written into no log."""
_RANDOM_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Feed:
    """An address as staff see it: never its secret."""

    id: str
    journey: str
    language: str
    issued_at: datetime
    ended_at: datetime | None


async def issue(pool: Pool, id: str, journey: str, language: str, now: datetime, by: str) -> str:
    """A new feed of a journey; its token, which is kept nowhere here."""
    token = secrets.token_urlsafe(_RANDOM_BYTES)
    await pool.execute(
        "INSERT INTO feeds (id, hash, journey, language, issued_at, issued_by) VALUES ($1, $2, $3, $4, $5, $6)",
        id, hash_of(token), journey, language, now, by,
    )  # fmt: skip
    return token


async def opened(pool: Pool, token: str) -> Feed | None:
    """What a token stands for; None: unknown."""
    row = await pool.fetchrow(
        "SELECT id::text, journey::text, language, issued_at, ended_at FROM feeds LEFT JOIN feed_ends USING (id)"
        " WHERE hash = $1",
        hash_of(token),
    )
    return None if row is None else Feed(*row)


async def of_journey(connection: Pool | Connection, journey: str) -> list[Feed]:
    """Feeds of a journey that still hold, the newest first."""
    rows = await connection.fetch(
        "SELECT id::text, journey::text, language, issued_at, ended_at FROM feeds LEFT JOIN feed_ends USING (id)"
        " WHERE journey = $1 AND ended_at IS NULL ORDER BY issued_at DESC, id",
        journey,
    )
    return [Feed(*row) for row in rows]


async def end(pool: Pool, journey: str, id: str, now: datetime, by: str) -> None:
    """A feed of this journey shows nothing any more; another's, or one that is unknown, is left as it is."""
    await pool.execute(
        "INSERT INTO feed_ends (id, ended_at, ended_by) SELECT id, $3, $4 FROM feeds WHERE journey = $1 AND id = $2"
        " ON CONFLICT DO NOTHING",
        journey, id, now, by,
    )  # fmt: skip
