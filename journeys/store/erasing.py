"""Forgetting a person: the order, what is held of them, what goes, the certificate, and that their keys stay gone."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from journeys.domain.directory import Held, PersonErased, read_fact
from journeys.domain.document import PART, read_document
from journeys.domain.events import ErasureOrdered, ErasureReason
from journeys.domain.fund import ZONE
from journeys.domain.messages import PARTICIPANT
from journeys.domain.record import SYSTEM, Event, Payload
from journeys.store import people
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, NotFound, record
from journeys.store.journal import open_parts
from journeys.store.keys import Keys, finance_key, person_key

ACCOUNTING_YEARS: Final = 10
"""How long records of what was paid are kept after the year in which it was (Code de commerce, art. L123-22)."""


@dataclass(frozen=True, slots=True)
class Order:
    """Somebody said that a person is to be forgotten."""

    person: str
    seq: int
    """Of the fact in the person's stream."""
    reason: ErasureReason
    at: datetime
    by: str
    """Id of who ordered it."""
    erased_at: datetime | None
    certificate: int | None
    """Seq of the PersonErased; None while it is under way."""


_PERSON: Final = person_key("")
_COLUMNS: Final = "person::text, seq, reason, ordered_at, ordered_by, erased_at, certificate"


async def order(pool: Pool, person: str, reason: ErasureReason, by: By) -> Order:
    """Order the erasure of a person, or what was ordered before. From here on nothing about them is changed.

    Raises NotFound: no such person.
    """
    async with pool.acquire() as connection, connection.transaction():
        if not await lock(connection, person):
            raise NotFound("person", person)
        return await order_locked(connection, person, reason, by)


async def lock(connection: Connection, person: str) -> bool:
    """Hold the row that every change of a person locks, to the end of the transaction; False: no such person."""
    return await connection.fetchval("SELECT erasing FROM people WHERE id = $1 FOR UPDATE", person) is not None


async def order_locked(connection: Connection, person: str, reason: ErasureReason, by: By) -> Order:
    """As `order`, of somebody whose row the caller's transaction holds."""
    known = await ordered(connection, person)
    if known is not None:
        return known
    await connection.execute("UPDATE people SET erasing = true, erasure_requested = true WHERE id = $1", person)
    seq = await record(connection, people.stream_of(person), [Fact(ErasureOrdered(reason=reason))], by)
    await connection.execute(
        "INSERT INTO erasures (person, seq, reason, ordered_at, ordered_by) VALUES ($1, $2, $3, $4, $5)",
        person, seq, reason, by.at, by.actor,
    )  # fmt: skip
    return Order(person, seq, reason, by.at, by.actor, None, None)


async def ordered(connection: Pool | Connection, person: str) -> Order | None:
    """What was ordered for a person; None: nothing."""
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM erasures WHERE person = $1", person)
    return None if row is None else Order(*row)


async def erasures(pool: Pool | Connection) -> list[Order]:
    """All that were ordered, the newest first."""
    return [Order(*row) for row in await pool.fetch(f"SELECT {_COLUMNS} FROM erasures ORDER BY ordered_at DESC")]


async def under_way(pool: Pool) -> list[str]:
    """Whose erasure was ordered and has no certificate yet."""
    rows = await pool.fetch("SELECT person::text FROM erasures WHERE erased_at IS NULL ORDER BY ordered_at")
    return [row["person"] for row in rows]


# --- what there is


async def survey(pool: Pool | Connection, person: str) -> Held:
    """What is held of a person in the database, letters aside."""
    streams = await streams_of(pool, person)
    until = await _kept_until(pool, person)
    kept = await _accounting_documents(pool, streams, person) if until is not None else frozenset[str]()
    row = await pool.fetchrow(
        """
        SELECT (SELECT count(*) FROM parts WHERE stream = ANY ($1)) AS parts,
               (SELECT count(*) FROM parts WHERE stream = ANY ($1) AND $3 AND is_kept(sealed, $2)) AS kept_parts,
               (SELECT count(*) FROM documents WHERE stream = ANY ($1)) AS documents,
               (SELECT count(*) FROM documents WHERE stream = ANY ($1) AND digest = ANY ($4)) AS kept_documents,
               (SELECT count(*) FROM history_files JOIN histories USING (run) WHERE stream = ANY ($1)) AS histories
        """,
        streams, person, until is not None, [bytes.fromhex(each) for each in kept],
    )  # fmt: skip
    return Held(
        journeys=len(streams) - 1, parts=row["parts"] - row["kept_parts"],
        documents=row["documents"] - row["kept_documents"], histories=row["histories"], letters=0,
        kept_parts=row["kept_parts"], kept_documents=row["kept_documents"], kept_until=until,
    )  # fmt: skip


async def streams_of(pool: Pool | Connection, person: str) -> list[str]:
    """The person's own stream, then those of their journeys."""
    rows = await pool.fetch("SELECT 'journey-' || id AS stream FROM journeys WHERE person = $1 ORDER BY id", person)
    return [people.stream_of(person), *(row["stream"] for row in rows)]


async def letters_to(pool: Pool, person: str) -> list[str]:
    """Ids of every letter that was ever owed to a person."""
    rows = await pool.fetch(
        "SELECT DISTINCT data ->> 'message' AS id FROM"
        " (SELECT convert_from(header, 'UTF8')::jsonb -> 'data' AS data FROM events"
        "  WHERE stream = ANY ($1) AND kind = 'MessageDue') AS due WHERE data ->> 'to' = $2",
        await streams_of(pool, person), PARTICIPANT,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def _kept_until(pool: Pool | Connection, person: str) -> date | None:
    last: datetime | None = await pool.fetchval("SELECT max(wall) FROM ledger_transactions WHERE person = $1", person)
    return None if last is None else date(last.astimezone(ZONE).year + ACCOUNTING_YEARS, 12, 31)


async def _accounting_documents(pool: Pool | Connection, streams: Sequence[str], person: str) -> frozenset[str]:
    """Digests of the documents that show how money was used."""
    rows = await pool.fetch(
        "SELECT stream, seq, name, text, salt, sealed FROM parts"
        " WHERE stream = ANY ($1) AND name = $2 AND is_kept(sealed, $3)",
        list(streams), PART, person,
    )  # fmt: skip
    shown = [read_document(part.text) for part in await open_parts(pool, rows) if part is not None]
    return frozenset(document.digest for document in shown if document is not None)


async def note(pool: Pool, person: str, held: Held) -> None:
    """Note what there is before anything goes; what was noted first stays."""
    await pool.execute(
        "UPDATE erasures SET held = $2 WHERE person = $1 AND held IS NULL", person, held.model_dump_json()
    )


# --- what goes


async def keys_of(pool: Pool | Connection, person: str) -> tuple[str, ...]:
    """The keys that go with a person: theirs, and that of their money where none was ever promised."""
    paid = await _kept_until(pool, person) is not None
    return (person_key(person),) if paid else (person_key(person), finance_key(person))


async def delete(pool: Pool, person: str) -> None:
    """Delete all that may go. Raises asyncpg.InsufficientPrivilegeError: nobody ordered it."""
    kept = await _accounting_documents(pool, await streams_of(pool, person), person)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT erase_person($1, $2)", person, [bytes.fromhex(each) for each in kept], timeout=60
        )
        await connection.execute("UPDATE people SET channel = NULL WHERE id = $1", person)


async def certify(pool: Pool, person: str, by: By) -> int:
    """Record that a person is forgotten, once; the seq of the certificate. Raises NotFound: nobody ordered it, or it
    was not noted before what there was."""
    gone = await keys_of(pool, person)
    async with pool.acquire() as connection, connection.transaction():
        held: str | None = await connection.fetchval("SELECT held FROM erasures WHERE person = $1 FOR UPDATE", person)
        known = await ordered(connection, person)
        if known is None or held is None:
            raise NotFound("erasure", person)
        if known.certificate is not None:
            return known.certificate
        fact = PersonErased(order=known.seq, keys=gone, held=Held.model_validate_json(held))
        seq: int = await record(connection, people.stream_of(person), [Fact(fact)], by)
        await connection.execute(
            "UPDATE erasures SET erased_at = $2, certificate = $3 WHERE person = $1", person, by.at, seq
        )
    return seq


async def certificate(pool: Pool | Connection, known: Order) -> Event[Payload] | None:
    """The certificate of an erasure, a PersonErased; None while it is under way."""
    header = await pool.fetchval(
        "SELECT header FROM events WHERE stream = $1 AND seq = $2", people.stream_of(known.person), known.certificate
    )
    return None if header is None else read_fact(PersonErased.__name__, header)


# --- that it stays so


async def forgotten(connection: Pool | Connection, stream: str) -> bool:
    """Whether the person of a journey is forgotten: it was ordered on record, and their key is destroyed."""
    whose = (await connection.keys.person_of([stream])).get(stream)
    if whose is None:
        return False
    said = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM events WHERE stream = $1 AND kind = 'ErasureOrdered')", people.stream_of(whose)
    )
    return bool(said) and bool(await connection.keys.destroyed([person_key(whose)]))


async def journeys_ordered(pool: Pool | Connection) -> set[str]:
    """The streams of journeys whose person is forgotten, or is being forgotten."""
    rows = await pool.fetch("SELECT 'journey-' || j.id AS stream FROM journeys j JOIN erasures USING (person)")
    return {row["stream"] for row in rows}


async def journeys_forgotten(pool: Pool | Connection) -> set[str]:
    """The streams of journeys whose person is forgotten, open ones among them where a restored record has them so."""
    rows = await pool.fetch(
        "SELECT 'journey-' || j.id AS stream FROM journeys j JOIN erasures x USING (person)"
        " WHERE x.certificate IS NOT NULL"
    )
    return {row["stream"] for row in rows}


async def destroy(keys: Keys, ids: Collection[str], listed: Path | None) -> None:
    """Destroy keys; first they are added to the list that no backup of a database brings back.

    Args:
        listed: a file of its own, one id a line; None: this process keeps none.
    """
    if listed is not None:
        _list(listed, ids)
    await keys.destroy(ids)


async def destroy_again(pool: Pool, listed: Path | None) -> int:
    """Destroy what a restored database of keys has brought back, by the record and by the list; how many those were."""
    rows = await pool.fetch(
        "SELECT key FROM events, jsonb_array_elements_text(convert_from(header, 'UTF8')::jsonb -> 'data' -> 'keys')"
        " AS key WHERE (stream, seq) IN (SELECT 'person-' || person, certificate FROM erasures)"
    )
    gone = {row["key"] for row in rows}
    if listed is not None:
        _list(listed, gone)
        gone |= _read(listed)
    back: int = await pool.keys.destroy(sorted(gone))
    return back


async def order_again(pool: Pool, listed: Path | None, at: datetime) -> list[str]:
    """Order anew the erasure of whom a restored record has brought back, by the list: a copy of before knows neither
    order nor certificate. Whose those were."""
    gone = sorted(id.removeprefix(_PERSON) for id in _read(listed) if id.startswith(_PERSON)) if listed else []
    rows = await pool.fetch(
        "SELECT id::text FROM people p WHERE id = ANY ($1::uuid[])"
        " AND NOT EXISTS (SELECT FROM erasures WHERE person = p.id)",
        gone,
    )
    back = [row["id"] for row in rows]
    for person in back:
        await order(pool, person, "restored", By(actor=SYSTEM, role=SYSTEM, at=at))
    return back


def _read(listed: Path) -> set[str]:
    return set(listed.read_text().split()) if listed.exists() else set()


def _list(listed: Path, ids: Collection[str]) -> None:
    missing = sorted(set(ids) - _read(listed))
    if not missing:
        return
    listed.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(listed, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, "".join(f"{id}\n" for id in missing).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
