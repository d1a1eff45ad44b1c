"""What was stored before the sealing is sealed: in batches, from wherever it was left, until nothing plain is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from journeys.store import vault
from journeys.store.database import Connection
from journeys.store.keys import Keys
from journeys.store.offer import KeptPart, sealed_parts

BATCH: Final = 500
_SECONDS: Final = 600.0
_TABLES: Final = ("parts", "people")


@dataclass(frozen=True, slots=True)
class SealedUp:
    """What one run did."""

    parts: int = 0
    people: int = 0
    left: int = 0
    """Texts of journeys of which nothing says whose they are: they stay as they were."""
    wrapped: int = 0
    """Keys that are kept under the current key-encryption key now."""


@dataclass(frozen=True, slots=True)
class _Keyed:
    """Stands for a pooled connection where only its keys are asked for."""

    keys: Keys


async def seal_up(dsn: str, keys: Keys) -> SealedUp:
    """Seal what is plain, as the owner of the tables; whatever was done before a stop stays done.

    At the end the tables are written anew, so that nothing plain is left in their files, and the database refuses
    plain rows for good.
    """
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=_SECONDS)
    try:
        plain = [
            row["table"]
            for row in await connection.fetch(
                "SELECT conrelid::regclass::text AS table FROM pg_constraint"
                " WHERE conname = 'sealed_only' AND NOT convalidated"
            )
        ]
        done = SealedUp(wrapped=await keys.wrap_anew())
        if not plain:
            return done
        await _assign(connection, keys)
        people = await _seal_people(connection, keys)
        parts, left = await _seal_parts(connection, keys)
        for table in _TABLES if not left else ("people",):
            await connection.execute(f"VACUUM FULL {table}")
            await connection.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT sealed_only")
        return SealedUp(parts, people, left, done.wrapped)
    finally:
        await connection.close()


async def _assign(connection: Connection, keys: Keys) -> None:
    rows = await connection.fetch("SELECT 'journey-' || id AS stream, person::text FROM journeys")
    for begin in range(0, len(rows), BATCH):
        await keys.assign_all({row["stream"]: row["person"] for row in rows[begin : begin + BATCH]})


async def _seal_people(connection: Connection, keys: Keys) -> int:
    done, at = 0, _Keyed(keys)
    while True:
        async with connection.transaction():
            rows = await connection.fetch(
                "SELECT id::text, sealed FROM people WHERE get_byte(sealed, 0) <> 1 LIMIT $1 FOR UPDATE", BATCH
            )
            for row, known in zip(rows, await vault.unseal(at, [tuple(row) for row in rows]), strict=True):
                assert known is not None
                await connection.execute(
                    "UPDATE people SET sealed = $2, reference_token = $3 WHERE id = $1",
                    row["id"], await vault.seal(at, row["id"], known),
                    await vault.reference_token(at, known.reference),
                )  # fmt: skip
                await connection.execute(
                    "INSERT INTO person_tokens (person, token) SELECT $1::uuid, unnest($2::bytea[])"
                    " ON CONFLICT DO NOTHING",
                    row["id"], await vault.tokens_of(at, known),
                )  # fmt: skip
        if not rows:
            return done
        done += len(rows)


async def _seal_parts(connection: Connection, keys: Keys) -> tuple[int, int]:
    """How many were sealed, and how many could not be."""
    done, left, behind = 0, 0, ("", 0, "")
    while True:
        async with connection.transaction():
            rows = await connection.fetch(
                "SELECT p.stream, p.seq, p.name, p.text, p.salt, e.kind FROM parts p JOIN events e USING (stream, seq)"
                " WHERE p.sealed IS NULL AND (p.stream, p.seq, p.name) > ($2, $3, $4)"
                " ORDER BY p.stream, p.seq, p.name LIMIT $1 FOR UPDATE OF p",
                BATCH, *behind,
            )  # fmt: skip
            streams = {row["stream"] for row in rows if row["stream"].startswith("journey-")}
            known = await keys.person_of(streams)
            ready = [row for row in rows if row["stream"] not in streams or row["stream"] in known]
            await _put_sealed(connection, ready, keys)
        if not rows:
            return done, left
        done, left = done + len(ready), left + len(rows) - len(ready)
        behind = (rows[-1]["stream"], rows[-1]["seq"], rows[-1]["name"])


async def _put_sealed(connection: Connection, rows: Sequence[Any], keys: Keys) -> None:
    by_stream: dict[str, list[Any]] = {}
    for row in rows:
        by_stream.setdefault(row["stream"], []).append(row)
    for stream, mine in by_stream.items():
        kept = [KeptPart(row["seq"], row["kind"], row["name"], row["text"], row["salt"]) for row in mine]
        # A part is never changed: it goes, and comes again sealed.
        await connection.executemany(
            "DELETE FROM parts WHERE stream = $1 AND seq = $2 AND name = $3",
            [(stream, part.seq, part.name) for part in kept],
        )
        await connection.executemany(
            "INSERT INTO parts (stream, seq, name, sealed) VALUES ($1, $2, $3, $4)",
            [
                (stream, part.seq, part.name, each)
                for part, each in zip(kept, await sealed_parts(keys, stream, kept), strict=True)
            ],
        )
