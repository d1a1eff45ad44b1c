"""The bytes of documents: kept before the command that shows them is sent, let go of when it is not taken."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from journeys.domain.document import PART, read_document
from journeys.store.database import Connection, Pool
from journeys.store.journal import open_parts

_SECONDS: Final = 60.0
"""For what carries or hashes whole documents."""
_TRIES: Final = 3


async def keep(pool: Pool, stream: str, command: str, digest: str, content: bytes) -> None:
    """Keep a document for a command; the same bytes are kept once a journey. The pool acts as journeys_writer.

    Raises:
        asyncpg.CheckViolationError: the digest is not that of the bytes. asyncpg.DiskFullError: nothing was kept.
    """
    for left in reversed(range(_TRIES)):
        try:
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(
                    "INSERT INTO documents (stream, digest, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    stream, bytes.fromhex(digest), content, timeout=_SECONDS,
                )  # fmt: skip
                await connection.execute(
                    "INSERT INTO document_holds (stream, command, digest) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    stream, command, bytes.fromhex(digest),
                )  # fmt: skip
                return
        except asyncpg.ForeignKeyViolationError:
            # Somebody let go of the same document between the two.
            if not left:
                raise


async def settle(pool: Pool, stream: str, command: str) -> None:
    """A command's fate is known: what was kept for it stays when the journal has taken it, else it goes."""
    await pool.execute("SELECT document_settle($1, $2)", stream, command)


async def sweep(pool: Pool, before: datetime) -> int:
    """Let go of what was kept before an instant (of the wall clock) for commands that the journal never took."""
    gone: int = await pool.fetchval("SELECT documents_sweep($1)", before, timeout=_SECONDS)
    return gone


async def content_of(connection: Pool | Connection, stream: str, digest: str) -> bytes | None:
    """The bytes; None when they are not there, not what was brought any more, or not for this connection to see."""
    found: bytes | None = await connection.fetchval(
        "SELECT content FROM documents WHERE stream = $1 AND digest = $2", stream, bytes.fromhex(digest),
        timeout=_SECONDS,
    )  # fmt: skip
    return found if found is not None and hashlib.sha256(found).hexdigest() == digest else None


async def standing(connection: Pool | Connection, stream: str) -> dict[str, bool]:
    """The documents kept of a journey by digest, each with whether its bytes still have that digest."""
    rows = await connection.fetch(
        "SELECT encode(digest, 'hex') AS digest, digest = sha256(content) AS whole FROM documents WHERE stream = $1",
        stream, timeout=_SECONDS,
    )  # fmt: skip
    return {row["digest"]: row["whole"] for row in rows}


@dataclass(frozen=True, slots=True)
class Told:
    """The documents that the journal tells of, each once a journey; of these, those that are not there any more, and
    those whose bytes have not the recorded digest."""

    told: int
    missing: int
    altered: int


async def told_and_kept(pool: Pool, seconds: float) -> Told:
    """Compare all documents with the journal, byte for byte; raises TimeoutError after so long."""
    async with asyncio.timeout(seconds):
        rows = await pool.fetch(
            "SELECT stream, seq, name, text, salt, sealed FROM parts WHERE name = $1", PART, timeout=seconds
        )
        shown = {
            (row["stream"], document.digest)
            for row, part in zip(rows, await open_parts(pool, rows), strict=True)
            if part is not None and (document := read_document(part.text)) is not None
        }
        kept = await pool.fetch(
            "SELECT stream, encode(digest, 'hex') AS digest, sha256(content) = digest AS whole FROM documents",
            timeout=seconds,
        )
    whole = {(row["stream"], row["digest"]): row["whole"] for row in kept}
    found = [whole[each] for each in shown if each in whole]
    return Told(told=len(shown), missing=len(shown) - len(found), altered=found.count(False))


async def delete_documents(pool: Pool, stream: str) -> int:
    """Delete every document of a journey and return how many; the pool acts as journeys_retention."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM document_holds WHERE stream = $1", stream)
        done: str = await connection.execute("DELETE FROM documents WHERE stream = $1", stream, timeout=_SECONDS)
        return int(done.rpartition(" ")[2])
