"""What was stored before the sealing is sealed: in batches, from wherever it was left, until nothing plain is there.

So is what was sealed for the bank under the key that signs commands: under a key of its year.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any, Final, TypeAlias

import asyncpg

from journeys.domain.document import PART, read_document
from journeys.store import bank_years, contacts, treasury, vault
from journeys.store.bank_files import place_of_line
from journeys.store.batches import place_of_file, place_of_transfer
from journeys.store.database import Connection
from journeys.store.documents import seal_document
from journeys.store.journal import open_parts
from journeys.store.keys import HOUSE, Keys, NoKey, key_of_stream
from journeys.store.offer import KeptPart, is_accounting, sealed_parts
from journeys.store.sealing import CannotUnseal
from journeys.store.signing import KeyRing

BATCH: Final = 500
_SECONDS: Final = 600.0

Placed: TypeAlias = Callable[[vault.Row], tuple[str, str]]
"""The key under which a row is sealed, and its place."""


@dataclass(frozen=True, slots=True)
class SealedUp:
    """What one run did."""

    parts: int = 0
    people: int = 0
    staff: int = 0
    mentors: int = 0
    partners: int = 0
    stops: int = 0
    """Reasons why payments were stopped."""
    documents: int = 0
    left: int = 0
    """Texts and documents of journeys of which nothing says whose they are: they stay as they were."""
    transfers: int = 0
    batch_files: int = 0
    """Files for the bank."""
    bank_texts: int = 0
    """Names, accounts and words of lines of the bank."""
    locked: int = 0
    """Of the bank, sealed with a signing key that is not here, or of a year that is gone: they stay as they were."""
    letters: int = 0
    """Of the outbox on disk."""
    wrapped: int = 0
    """Keys that are kept under the current key-encryption key now."""


@dataclass(frozen=True, slots=True)
class _Keyed:
    """Stands for a pooled connection where only its keys are asked for."""

    keys: Keys


async def seal_up(dsn: str, keys: Keys, ring: KeyRing | None) -> SealedUp:
    """Seal what is plain, as the owner of the tables; whatever was done before a stop stays done.

    At the end the tables are written anew, so that nothing plain is left in their files, and the database refuses
    plain rows for good.

    Args:
        ring: the keys that sign commands, under which stands what was sealed for the bank before; None: this process
            has none, and that stays.
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
        for table, seal in (_SEALED | _sealed_for_the_bank(ring)).items():
            if table not in plain:
                continue
            sealed, left = await seal(connection, keys)
            stays = "locked" if table in _OF_THE_BANK else "left"
            done = replace(done, **{table: sealed, stays: getattr(done, stays) + left})
            if not left:
                await connection.execute(f"VACUUM FULL {table}")
                await connection.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT sealed_only")
        return done
    finally:
        await connection.close()


async def _assign(connection: Connection, keys: Keys) -> None:
    rows = await connection.fetch("SELECT 'journey-' || id AS stream, person::text FROM journeys")
    for begin in range(0, len(rows), BATCH):
        await keys.assign_all({row["stream"]: row["person"] for row in rows[begin : begin + BATCH]})


async def _seal_people(connection: Connection, keys: Keys) -> tuple[int, int]:
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
            return done, 0
        done += len(rows)


async def _seal_known(connection: Connection, keys: Keys, table: str, placed: Placed) -> tuple[int, int]:
    done, at = 0, _Keyed(keys)
    while True:
        async with connection.transaction():
            rows = await connection.fetch(
                f"SELECT * FROM {table} WHERE get_byte(sealed, 0) <> 1 LIMIT $1 FOR UPDATE", BATCH
            )
            for row, (key, place) in zip(rows, map(placed, rows), strict=True):
                [known] = await vault.opened(at, [(place, row["sealed"])])
                assert known is not None
                sealed = await vault.shut(at, key, place, known)
                await connection.execute(f"UPDATE {table} SET sealed = $2 WHERE id = $1", row["id"], sealed)
        if not rows:
            return done, 0
        done += len(rows)


def _contact(kind: str) -> Placed:
    def placed(row: vault.Row) -> tuple[str, str]:
        stream = f"{kind}-{row['id']}"
        return key_of_stream(stream), contacts.place_of(stream)

    return placed


def _stop(row: vault.Row) -> tuple[str, str]:
    return HOUSE, treasury.place_of_stop(row["began"])


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


async def _seal_documents(connection: Connection, keys: Keys) -> tuple[int, int]:
    """How many were sealed, and how many could not be."""
    rows = await connection.fetch("SELECT stream, encode(digest, 'hex') AS digest FROM documents WHERE sealed IS NULL")
    by_stream: dict[str, list[str]] = {}
    for row in rows:
        by_stream.setdefault(row["stream"], []).append(row["digest"])
    done = 0
    for stream, digests in by_stream.items():
        shown = await _shown_for_accounting(connection, keys, stream)
        # One after the other: each may be large.
        for digest in digests:
            done += await _seal_document(connection, keys, stream, digest, accounting=digest in shown)
    return done, len(rows) - done


async def _seal_document(connection: Connection, keys: Keys, stream: str, digest: str, *, accounting: bool) -> bool:
    at = stream, bytes.fromhex(digest)
    async with connection.transaction():
        content = await connection.fetchval(
            "SELECT content FROM documents WHERE stream = $1 AND digest = $2 FOR UPDATE", *at
        )
        if content is None:
            return True  # Let go of meanwhile.
        try:
            _, sealed = await seal_document(keys, stream, digest, content, accounting=accounting)
        except NoKey:
            return False
        # A document is never changed: it goes, and comes again sealed, for the same commands.
        await connection.execute("SET CONSTRAINTS document_holds_stream_digest_fkey DEFERRED")
        await connection.execute("DELETE FROM documents WHERE stream = $1 AND digest = $2", *at)
        await connection.execute("INSERT INTO documents (stream, digest, sealed) VALUES ($1, $2, $3)", *at, sealed)
        return True


async def _shown_for_accounting(connection: Connection, keys: Keys, stream: str) -> set[str]:
    """Digests of the documents that a journey's receipts show."""
    rows = await connection.fetch(
        "SELECT p.stream, p.seq, p.name, p.text, p.salt, p.sealed, e.kind FROM parts p"
        " JOIN events e USING (stream, seq) WHERE p.stream = $1 AND p.name = $2",
        stream, PART,
    )  # fmt: skip
    money = [row for row in rows if is_accounting(row["kind"], row["name"])]
    opened = await open_parts(_Keyed(keys), money)
    return {
        document.digest for part in opened if part is not None and (document := read_document(part.text)) is not None
    }


@dataclass(frozen=True, slots=True)
class _OfTheBank:
    """A table whose rows are sealed for the bank."""

    key: tuple[str, ...]
    of: str
    """What says of which year a row is, from `t`, its table."""
    place: Callable[[vault.Row], str]
    at_once: int = BATCH


_OF_THE_BANK: Final[Mapping[str, _OfTheBank]] = {
    "transfers": _OfTheBank(
        ("payment",), "SELECT t.*, t.queued_at AS at FROM transfers t",
        lambda row: place_of_transfer(str(row["payment"])),
    ),
    # One after the other: each may be large.
    "batch_files": _OfTheBank(
        ("batch",), "SELECT t.*, b.execute_on AS at FROM batch_files t JOIN batches b ON b.id = t.batch",
        lambda row: place_of_file(str(row["batch"])), 1,
    ),
    "bank_texts": _OfTheBank(
        ("file", "position"),
        "SELECT t.*, f.imported_at AS at FROM bank_texts t JOIN bank_files f ON f.digest = t.file",
        lambda row: place_of_line(row["file"], row["position"]),
    ),
}  # fmt: skip


async def _seal_of_the_bank(connection: Connection, keys: Keys, table: str, ring: KeyRing | None) -> tuple[int, int]:
    """How many were sealed under the key of their year, and how many could not be."""
    if ring is None:
        return 0, await connection.fetchval(f"SELECT count(*) FROM {table} WHERE NOT sealed_under_year(sealed)")
    told, done, left, behind = _OF_THE_BANK[table], 0, 0, tuple[Any, ...]()
    named = ", ".join(f"t.{each}" for each in told.key)
    while True:
        after = ", ".join(f"${nth}" for nth, _ in enumerate(behind, start=1))
        further = f" AND ({named}) > ({after})" if behind else ""
        async with connection.transaction():
            rows = await connection.fetch(
                f"{told.of} WHERE NOT sealed_under_year(t.sealed){further} ORDER BY {named} LIMIT {told.at_once}"
                " FOR UPDATE OF t",
                *behind,
            )
            sealed = await _anew(connection, keys, table, rows, ring)
        if not rows:
            return done, left
        done, left = done + sealed, left + len(rows) - sealed
        behind = tuple(rows[-1][each] for each in told.key)


async def _anew(connection: Connection, keys: Keys, table: str, rows: Sequence[vault.Row], ring: KeyRing) -> int:
    """How many of these rows were sealed under the key of their year."""
    told, at = _OF_THE_BANK[table], _Keyed(keys)
    places = [told.place(row) for row in rows]
    opened = await bank_years.unseal_all(
        at, ring, [(row["sealed"], place) for row, place in zip(rows, places, strict=True)]
    )
    done = 0
    for row, place, plain in zip(rows, places, opened, strict=True):
        if isinstance(plain, CannotUnseal):
            continue
        values = {name: value for name, value in row.items() if name != "at"}
        try:
            values["sealed"] = await bank_years.seal(at, _year(row["at"]), plain, place)
        except NoKey:
            continue
        # A row is never changed: it goes, and comes again.
        which = " AND ".join(f"{name} = ${nth}" for nth, name in enumerate(told.key, start=1))
        await connection.execute(f"DELETE FROM {table} WHERE {which}", *(row[name] for name in told.key))
        slots = ", ".join(f"${nth}" for nth, _ in enumerate(values, start=1))
        await connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({slots})", *values.values())
        done += 1
    return done


def _year(at: date) -> int:
    return bank_years.year_of(at) if isinstance(at, datetime) else at.year


_Sealing: TypeAlias = Callable[[Connection, Keys], Awaitable[tuple[int, int]]]


def _sealed_for_the_bank(ring: KeyRing | None) -> dict[str, _Sealing]:
    return {table: partial(_seal_of_the_bank, table=table, ring=ring) for table in _OF_THE_BANK}


_SEALED: Final[dict[str, _Sealing]] = {
    "people": _seal_people,
    "staff": partial(_seal_known, table="staff", placed=_contact("staff")),
    "mentors": partial(_seal_known, table="mentors", placed=_contact("mentor")),
    "partners": partial(_seal_known, table="partners", placed=_contact("partner")),
    "stops": partial(_seal_known, table="stops", placed=_stop),
    "parts": _seal_parts,
    "documents": _seal_documents,
}
