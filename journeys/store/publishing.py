"""Publishing a programme: its text kept under its SHA-256, the fact on the system's stream."""

from typing import Literal

from journeys.domain.directory import ProgrammePublished
from journeys.store.database import Pool
from journeys.store.directory import By, Fact, record
from journeys.store.programmes import put_published, store_text


async def publish(pool: Pool, name: str, text: str, by: By) -> str:
    """Put a programme in force and return its SHA-256; the same text again changes and writes nothing."""
    async with pool.acquire() as connection, connection.transaction():
        sha256 = await store_text(connection, "programme", name, text)
        in_force = await connection.fetchval("SELECT sha256 FROM published WHERE name = $1 FOR UPDATE", name)
        if in_force == bytes.fromhex(sha256):
            return sha256
        await put_published(connection, name, sha256, by.at)
        await record(connection, "system", [Fact(ProgrammePublished(name=name, programme=sha256))], by)
        return sha256


async def keep(pool: Pool, kind: Literal["programme", "calendar"], name: str, text: str) -> str:
    """Keep a text for journeys to name by its SHA-256, which is returned, without putting it in force."""
    async with pool.acquire() as connection:
        return await store_text(connection, kind, name, text)
