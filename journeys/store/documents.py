"""The bytes of documents, sealed: kept before the command that shows them is sent, let go of when it is not taken."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from journeys.domain.document import PART, read_document
from journeys.store.database import Connection, Pool
from journeys.store.journal import open_parts
from journeys.store.keys import Keys, finance_key
from journeys.store.sealing import sealed_by

_SECONDS: Final = 60.0
"""For what carries or hashes whole documents."""
_TRIES: Final = 3


async def keep(pool: Pool, stream: str, command: str, digest: str, content: bytes, *, accounting: bool = False) -> None:
    """Keep a document for a command; the same bytes are kept once a journey. The pool acts as journeys_writer.

    Args:
        accounting: it shows how money was used, and stays when the person is forgotten.

    Raises:
        ValueError: the digest is not that of the bytes. NoKey: nobody said whose the journey is, or they were
            forgotten. asyncpg.DiskFullError: nothing was kept.
    """
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError("the digest is not that of the document")
    key, sealed = await seal_document(pool.keys, stream, digest, content, accounting=accounting)
    for left in reversed(range(_TRIES)):
        try:
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(
                    "INSERT INTO documents (stream, digest, sealed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    stream, bytes.fromhex(digest), sealed, timeout=_SECONDS,
                )  # fmt: skip
                if accounting and await _key_of(connection, stream, digest) != key:
                    await connection.execute(
                        "SELECT document_for_accounting($1, $2, $3)", stream, bytes.fromhex(digest), sealed,
                        timeout=_SECONDS,
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


async def seal_document(keys: Keys, stream: str, digest: str, content: bytes, *, accounting: bool) -> tuple[str, bytes]:
    """A document as the database gets it, and the id of its key. Raises NoKey."""
    own = await keys.key_of(stream)
    key = finance_key(own.removeprefix("person-")) if accounting and own.startswith("person-") else own
    return key, await keys.seal(key, content, _place(stream, digest))


async def content_of(connection: Pool | Connection, stream: str, digest: str) -> bytes | None:
    """The bytes; None when they are not there, not what was brought any more, or not for this connection to see."""
    row = await connection.fetchrow(
        "SELECT content, sealed FROM documents WHERE stream = $1 AND digest = $2", stream, bytes.fromhex(digest),
        timeout=_SECONDS,
    )  # fmt: skip
    if row is None:
        return None
    sealed = row["sealed"]
    found = row["content"] if sealed is None else await connection.keys.unseal(sealed, _place(stream, digest))
    return found if isinstance(found, bytes) and hashlib.sha256(found).hexdigest() == digest else None


async def standing(connection: Pool | Connection, stream: str) -> dict[str, bool]:
    """The documents kept of a journey by digest, each with whether its bytes still have that digest."""
    rows = await connection.fetch("SELECT encode(digest, 'hex') AS digest FROM documents WHERE stream = $1", stream)
    # One after the other: each may be large.
    return {row["digest"]: await content_of(connection, stream, row["digest"]) is not None for row in rows}


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
        rows = await pool.fetch("SELECT stream, encode(digest, 'hex') AS digest FROM documents", timeout=seconds)
        found = shown & {(row["stream"], row["digest"]) for row in rows}
        altered = [each for each in found if await content_of(pool, *each) is None]
    return Told(told=len(shown), missing=len(shown) - len(found), altered=len(altered))


async def delete_documents(pool: Pool, stream: str) -> int:
    """Delete every document of a journey and return how many; the pool acts as journeys_retention."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM document_holds WHERE stream = $1", stream)
        done: str = await connection.execute("DELETE FROM documents WHERE stream = $1", stream, timeout=_SECONDS)
        return int(done.rpartition(" ")[2])


def _place(stream: str, digest: str) -> str:
    return f"document/{stream}/{digest}"


async def _key_of(connection: Connection, stream: str, digest: str) -> str | None:
    """The id of the key of a document that is there; None for one of before the sealing."""
    head: bytes | None = await connection.fetchval(
        "SELECT substr(sealed, 1, 257) FROM documents WHERE stream = $1 AND digest = $2", stream, bytes.fromhex(digest)
    )
    return sealed_by(head) if head is not None else None
