"""Texts of programmes and calendars, each stored once under its SHA-256, and which programme is in force."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from journeys.store.canonical import digest
from journeys.store.database import Connection, Pool


@dataclass(frozen=True, slots=True)
class Published:
    """A programme with which new journeys may begin."""

    name: str
    sha256: str
    at: datetime


async def store_text(
    connection: Connection, kind: Literal["programme", "calendar", "template"], name: str, text: str
) -> str:
    """Keep a text (once) and return its SHA-256 in hexadecimal."""
    sha256 = digest(text.encode())
    await connection.execute(
        "INSERT INTO texts (sha256, kind, name, text) VALUES ($1, $2, $3, $4) ON CONFLICT (sha256) DO NOTHING",
        bytes.fromhex(sha256),
        kind,
        name,
        text,
    )
    return sha256


async def text_of(pool: Pool, sha256: str) -> str | None:
    """The text of a programme by its SHA-256; None where no programme of it was kept."""
    found: str | None = await pool.fetchval(
        "SELECT text FROM texts WHERE sha256 = $1 AND kind = 'programme'", bytes.fromhex(sha256)
    )
    return found


async def texts_of(pool: Pool, hashes: Iterable[str]) -> dict[str, str]:
    """The texts of these SHA-256; one that the store does not have is left out."""
    rows = await pool.fetch(
        "SELECT sha256, text FROM texts WHERE sha256 = ANY ($1::bytea[])",
        [bytes.fromhex(each) for each in hashes],
    )
    return {row["sha256"].hex(): row["text"] for row in rows}


async def all_texts(pool: Pool) -> dict[str, str]:
    """Every text that was ever kept, by its SHA-256."""
    return {row["sha256"].hex(): row["text"] for row in await pool.fetch("SELECT sha256, text FROM texts")}


async def put_published(connection: Connection, name: str, sha256: str, at: datetime) -> None:
    """Make a stored programme the one with which new journeys of this name begin."""
    await connection.execute(
        """
        INSERT INTO published (name, sha256, published_at) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, published_at = excluded.published_at
        """,
        name,
        bytes.fromhex(sha256),
        at,
    )


async def published(pool: Pool, name: str) -> Published | None:
    """The programme of this name in force; None when none was published."""
    row = await pool.fetchrow("SELECT name, sha256, published_at FROM published WHERE name = $1", name)
    return None if row is None else Published(row["name"], row["sha256"].hex(), row["published_at"])


async def versions(pool: Pool, name: str) -> list[Published]:
    """Every text that was put in force under a name, the newest first; one put in force again stands once."""
    rows = await pool.fetch(
        """
        SELECT data ->> 'programme' AS sha256, max(at) AS at
        FROM (SELECT convert_from(header, 'UTF8')::jsonb -> 'data' AS data,
                     (convert_from(header, 'UTF8')::jsonb ->> 'recorded_at')::timestamptz AS at
              FROM events WHERE stream = 'system' AND kind = 'ProgrammePublished') AS facts
        WHERE data ->> 'name' = $1
        GROUP BY 1 ORDER BY 2 DESC, 1
        """,
        name,
    )
    return [Published(name, row["sha256"], row["at"]) for row in rows]


async def all_published(pool: Pool) -> list[Published]:
    """Every programme in force, by name."""
    rows = await pool.fetch("SELECT name, sha256, published_at FROM published ORDER BY name")
    return [Published(row["name"], row["sha256"].hex(), row["published_at"]) for row in rows]


async def all_with_texts(pool: Pool) -> list[tuple[Published, str]]:
    """Every programme in force with its text, by name."""
    rows = await pool.fetch(
        "SELECT p.name, p.sha256, p.published_at, t.text FROM published p JOIN texts t USING (sha256) ORDER BY p.name"
    )
    return [(Published(row["name"], row["sha256"].hex(), row["published_at"]), row["text"]) for row in rows]
