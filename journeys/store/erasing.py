"""Forgetting somebody: the order, what is held of a person, what goes, the certificate, and that keys stay gone."""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final, Literal

import asyncpg
import structlog

from journeys.domain.directory import (
    Held,
    KeptOfBank,
    MentorErased,
    PartnerErased,
    PersonErased,
    StaffErased,
    read_fact,
)
from journeys.domain.document import PART, read_document
from journeys.domain.events import ErasureOrdered, ErasureReason
from journeys.domain.fund import ZONE
from journeys.domain.messages import PARTICIPANT
from journeys.domain.record import SYSTEM, Event, Payload
from journeys.store import people
from journeys.store.bank_files import lines_about
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, NotFound, record
from journeys.store.journal import open_parts
from journeys.store.keys import Keys, finance_key, key_of_stream, person_key

ACCOUNTING_YEARS: Final = 10
"""How long records of what was paid are kept after the year in which it was (Code de commerce, art. L123-22)."""


Contact = Literal["mentor", "staff", "partner"]
Kind = Literal["person"] | Contact
"""Who is forgotten. Somebody who is more than one has one id, and is forgotten as each."""


@dataclass(frozen=True, slots=True)
class Order:
    """Somebody said that a person, a mentor, a member of staff or a partner is to be forgotten."""

    kind: Kind
    person: str
    """Their id."""
    seq: int
    """Of the fact in their stream."""
    reason: ErasureReason
    at: datetime
    by: str
    """Id of who ordered it."""
    erased_at: datetime | None
    certificate: int | None
    """Seq of the PersonErased, MentorErased, …; None while it is under way."""

    @property
    def stream(self) -> str:
        """Theirs; also the id of their key."""
        return f"{self.kind}-{self.person}"


_BANK: Final = "bank-"
_PATIENCE: Final = 60.0
"""Seconds that a question over a whole house may take."""
_KEY: Final = re.compile(
    rf"{_BANK}[0-9]{{4}}|(person|finance|staff|mentor|partner)-[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}"
)
"""A key that is ever destroyed; that of the house, of the search, and whatever else a line says, is none."""
_COLUMNS: Final = "kind, person::text, seq, reason, ordered_at, ordered_by, erased_at, certificate"


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
    return await put_down(connection, Order("person", person, seq, reason, by.at, by.actor, None, None))


async def put_down(connection: Connection, known: Order) -> Order:
    """Put an order down, whose fact is on record: from here on it is carried out."""
    await connection.execute(
        "INSERT INTO erasures (kind, person, seq, reason, ordered_at, ordered_by) VALUES ($1, $2, $3, $4, $5, $6)",
        known.kind, known.person, known.seq, known.reason, known.at, known.by,
    )  # fmt: skip
    return known


async def ordered(connection: Pool | Connection, person: str, kind: Kind = "person") -> Order | None:
    """What was ordered for somebody; None: nothing."""
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM erasures WHERE kind = $2 AND person = $1", person, kind)
    return None if row is None else Order(*row)


async def erasures(pool: Pool | Connection) -> list[Order]:
    """All that were ordered, the newest first."""
    return [Order(*row) for row in await pool.fetch(f"SELECT {_COLUMNS} FROM erasures ORDER BY ordered_at DESC")]


async def under_way(pool: Pool) -> list[Order]:
    """What was ordered and has no certificate yet."""
    rows = await pool.fetch(f"SELECT {_COLUMNS} FROM erasures WHERE erased_at IS NULL ORDER BY ordered_at")
    return [Order(*row) for row in rows]


# --- what there is


async def survey(pool: Pool | Connection, person: str) -> Held:
    """What is held of a person in the database: letters are those on paper, others lie elsewhere."""
    streams = await streams_of(pool, person)
    until = await _kept_until(pool, person)
    kept = await _accounting_documents(pool, person)
    row = await pool.fetchrow(
        """
        SELECT (SELECT count(*) FROM parts WHERE stream = ANY ($1)) AS parts,
               (SELECT count(*) FROM accounting_parts($2)) AS kept_parts,
               (SELECT count(*) FROM documents WHERE stream = ANY ($1)) AS documents,
               (SELECT count(*) FROM documents WHERE stream = ANY ($1) AND digest = ANY ($3)) AS kept_documents,
               (SELECT count(*) FROM history_files JOIN histories USING (run) WHERE stream = ANY ($1)) AS histories,
               (SELECT count(*) FROM paper_letters l JOIN journeys j ON j.id = l.journey WHERE j.person = $2) AS letters
        """,
        streams, person, [bytes.fromhex(each) for each in kept],
    )  # fmt: skip
    return Held(
        journeys=len(streams) - 1, parts=row["parts"] - row["kept_parts"],
        documents=row["documents"] - row["kept_documents"], histories=row["histories"], letters=row["letters"],
        kept_parts=row["kept_parts"], kept_documents=row["kept_documents"], kept_until=until,
        bank=await _kept_of_bank(pool, person),
    )  # fmt: skip


async def _kept_of_bank(pool: Pool | Connection, person: str) -> KeptOfBank:
    """Lines that name the person and that nobody has matched with a payment are not among these: they are sealed."""
    row = await pool.fetchrow(
        f"""
        WITH theirs AS (SELECT id FROM payments WHERE person = $1),
        sent AS (SELECT queued_at FROM transfers WHERE payment IN (SELECT id FROM theirs)),
        filed AS (
            SELECT execute_on FROM batches JOIN batch_files f ON f.batch = id WHERE id IN (
                SELECT batch FROM batch_transfers WHERE payment IN (SELECT id FROM theirs)
                UNION SELECT batch FROM batch_transfers_withdrawn WHERE payment IN (SELECT id FROM theirs))
        ), told AS (
            SELECT file FROM ({lines_about("IN (SELECT id FROM theirs)")}) AS lines
        )
        SELECT (SELECT count(*) FROM theirs) AS payments, (SELECT count(*) FROM sent) AS transfers,
               (SELECT count(*) FROM filed) AS files, (SELECT count(*) FROM told) AS lines,
               (SELECT max(day) FROM (
                    SELECT (queued_at AT TIME ZONE $2)::date FROM sent UNION ALL SELECT execute_on FROM filed
                    UNION ALL SELECT (imported_at AT TIME ZONE $2)::date FROM bank_files
                    WHERE digest IN (SELECT file FROM told)) AS each (day)) AS last
        """,
        person, ZONE.key,
    )  # fmt: skip
    until = None if row["last"] is None else date(row["last"].year + ACCOUNTING_YEARS, 12, 31)
    return KeptOfBank(
        payments=row["payments"], transfers=row["transfers"], files=row["files"], lines=row["lines"], until=until
    )


async def sites_of(pool: Pool | Connection, person: str) -> set[str]:
    """The sites of a person's journeys; one without a site adds none."""
    rows = await pool.fetch("SELECT DISTINCT site FROM journeys WHERE person = $1 AND site IS NOT NULL", person)
    return {row["site"] for row in rows}


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


async def _accounting_documents(pool: Pool | Connection, person: str) -> frozenset[str]:
    """Digests of the documents that show how money was used."""
    rows = await pool.fetch(
        "SELECT stream, seq, name, text, salt, sealed FROM parts JOIN accounting_parts($1) USING (stream, seq, name)"
        " WHERE name = $2",
        person, PART,
    )  # fmt: skip
    shown = [read_document(part.text) for part in await open_parts(pool, rows) if part is not None]
    return frozenset(document.digest for document in shown if document is not None)


async def note(pool: Pool, person: str, held: Held, kind: Kind = "person") -> None:
    """Note what there is before anything goes; what was noted first stays."""
    await pool.execute(
        "UPDATE erasures SET held = $3 WHERE kind = $1 AND person = $2 AND held IS NULL",
        kind, person, held.model_dump_json(),
    )  # fmt: skip


# --- what goes


async def accounts_over(pool: Pool, before: datetime, open_: Sequence[str], patience: float) -> list[str]:
    """The keys of what accounting keeps of those who are forgotten: whose last payment was in a year that ended before
    that of an instant, and of whom none is under way. Not those of which the record says that they are destroyed.

    Args:
        open_: what a payment's status is while it is under way. patience: seconds that the question may take.
    """
    rows = await pool.fetch(
        """
        SELECT t.person::text FROM ledger_transactions t
        JOIN erasures x ON x.kind = 'person' AND x.person = t.person AND x.certificate IS NOT NULL
        WHERE NOT EXISTS (SELECT FROM payments p WHERE p.person = t.person AND p.status = ANY ($3))
        GROUP BY t.person HAVING extract(year FROM max(t.wall) AT TIME ZONE $1) < $2 ORDER BY t.person
        """,
        ZONE.key, before.astimezone(ZONE).year, open_, timeout=patience,
    )  # fmt: skip
    over = [finance_key(row["person"]) for row in rows]
    # A restored record may not know of one that its list has destroyed again.
    gone = await pool.keys.destroyed(over) & await keys_told(pool) if over else set[str]()
    return [id for id in over if id not in gone]


async def keys_of(pool: Pool | Connection, person: str, kind: Kind = "person") -> tuple[str, ...]:
    """The keys that go with a person: theirs, and that of their money where none was ever promised; of others one."""
    if kind != "person":
        return (key_of_stream(f"{kind}-{person}"),)
    paid = await _kept_until(pool, person) is not None
    return (person_key(person),) if paid else (person_key(person), finance_key(person))


async def delete(pool: Pool, person: str) -> None:
    """Delete all that may go. Raises asyncpg.InsufficientPrivilegeError: nobody ordered it."""
    kept = await _accounting_documents(pool, person)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT erase_person($1, $2)", person, [bytes.fromhex(each) for each in kept], timeout=60
        )
        await connection.execute("UPDATE people SET channel = NULL, dead = '{}' WHERE id = $1", person)


async def certify(pool: Pool, person: str, by: By, kind: Kind = "person") -> int:
    """Record that somebody is forgotten, once; the seq of the certificate. Raises NotFound: nobody ordered it, or it
    was not noted before what there was."""
    gone = await keys_of(pool, person, kind)
    async with pool.acquire() as connection, connection.transaction():
        held: str | None = await connection.fetchval(
            "SELECT held FROM erasures WHERE kind = $1 AND person = $2 FOR UPDATE", kind, person
        )
        known = await ordered(connection, person, kind)
        if known is None or held is None:
            raise NotFound("erasure", person)
        if known.certificate is not None:
            return known.certificate
        fact = _CERTIFICATES[kind](order=known.seq, keys=gone, held=Held.model_validate_json(held))
        seq: int = await record(connection, known.stream, [Fact(fact)], by)
        await connection.execute(
            "UPDATE erasures SET erased_at = $3, certificate = $4 WHERE kind = $1 AND person = $2",
            kind, person, by.at, seq,
        )  # fmt: skip
    return seq


async def certificate(pool: Pool | Connection, known: Order) -> Event[Payload] | None:
    """The certificate of an erasure, a PersonErased, MentorErased, …; None while it is under way."""
    header = await pool.fetchval(
        "SELECT header FROM events WHERE stream = $1 AND seq = $2", known.stream, known.certificate
    )
    return None if header is None else read_fact(_CERTIFICATES[known.kind].__name__, header)


_CERTIFICATES: Final[Mapping[Kind, type[PersonErased]]] = {
    "person": PersonErased, "mentor": MentorErased, "staff": StaffErased, "partner": PartnerErased,
}  # fmt: skip
FACTS: Final = frozenset({ErasureOrdered.__name__, *(each.__name__ for each in _CERTIFICATES.values())})
"""Facts of a stream after which its texts may be gone; nothing else takes any away."""


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


FORGOTTEN: Final = (
    "EXISTS (SELECT FROM erasures x WHERE x.kind = 'person' AND x.person = j.person AND x.certificate IS NOT NULL)"
)
"""Of a journey `j` that nobody can do anything on any more, however it stands in a copy that was put back."""


async def journeys_ordered(pool: Pool | Connection) -> set[str]:
    """The streams of journeys whose person is forgotten, or is being forgotten."""
    rows = await pool.fetch(
        "SELECT 'journey-' || j.id AS stream FROM journeys j JOIN erasures USING (person) WHERE kind = 'person'"
    )
    return {row["stream"] for row in rows}


async def journeys_forgotten(pool: Pool | Connection) -> set[str]:
    """The streams of journeys whose person is forgotten, open ones among them where a restored record has them so."""
    rows = await pool.fetch(
        "SELECT 'journey-' || j.id AS stream FROM journeys j JOIN erasures x USING (person)"
        " WHERE x.kind = 'person' AND x.certificate IS NOT NULL"
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
    """Destroy what a restored database of keys has brought back, by the record and by the list; how many those were.

    Of mentors, staff and partners whose erasure is under way the key stays until that has come to it: letters that
    are in the copy again are found by what it opens.

    A year of the bank that the database of keys does not give up yet is said in the log, and holds nothing up.
    """
    gone = {key for key in await keys_told(pool) if _KEY.fullmatch(key)}
    if listed is not None:
        _list(listed, gone)
        gone |= _read(listed)
    gone -= {known.stream for known in await under_way(pool) if known.kind != "person"}
    years = {id for id in gone if id.startswith(_BANK)}
    back: int = await pool.keys.destroy(sorted(gone - years))
    for year in sorted(years):
        try:
            back += await pool.keys.destroy([year])
        except asyncpg.InsufficientPrivilegeError:
            structlog.get_logger().warning("a year of the bank is said to be gone before its time: it stays", key=year)
    return back


async def keys_told(pool: Pool) -> set[str]:
    """Ids of the keys that certificates, and the rules of retention, say were destroyed."""
    rows = await pool.fetch(
        """
        WITH told AS (
            SELECT header FROM events WHERE (stream, seq) IN (SELECT kind || '-' || person, certificate FROM erasures)
            UNION ALL SELECT header FROM events WHERE stream = 'system' AND kind = 'RetentionApplied'
        )
        SELECT key FROM told, jsonb_array_elements_text(convert_from(header, 'UTF8')::jsonb -> 'data' -> 'keys') AS key
        """
    )
    return {row["key"] for row in rows}


async def on_record(pool: Pool, streams: Collection[str]) -> set[str]:
    """Those of these streams in which an erasure is on record."""
    rows = await pool.fetch(
        "SELECT DISTINCT stream FROM events WHERE stream = ANY ($1::text[]) AND kind = ANY ($2::text[])",
        list(streams), list(FACTS),
        timeout=_PATIENCE,
    )  # fmt: skip
    return {row["stream"] for row in rows}


async def order_again(pool: Pool, listed: Path | None, at: datetime) -> list[str]:
    """Order anew the erasure of whom a restored record has brought back: a copy of before knows neither order nor
    certificate. Whose those were."""
    back = await brought_back(pool, "person", "people", listed)
    for person in back:
        await order(pool, person, "restored", By(actor=SYSTEM, role=SYSTEM, at=at))
    return back


async def brought_back(pool: Pool, kind: Kind, table: str, listed: Path | None) -> list[str]:
    """Who stands in a table and in no order of erasure, although their key is destroyed: by the list, or, where that
    was lost, by the database of keys itself."""
    own = f"{kind}-"
    named = await pool.keys.gone(own) | (_read(listed) if listed is not None else set())
    rows = await pool.fetch(
        f"SELECT id::text FROM {table} t WHERE id = ANY ($2::uuid[])"
        " AND NOT EXISTS (SELECT FROM erasures WHERE kind = $1 AND person = t.id) ORDER BY id",
        kind, [id.removeprefix(own) for id in named if id.startswith(own) and _KEY.fullmatch(id)], timeout=_PATIENCE,
    )  # fmt: skip
    return [row["id"] for row in rows]


def _read(listed: Path) -> set[str]:
    """The keys that stand in the list; what is none, such as half a line, is left out."""
    return {id for id in listed.read_text().split() if _KEY.fullmatch(id)} if listed.exists() else set()


def _list(listed: Path, ids: Collection[str]) -> None:
    """Add keys to the list, all of them or none is said to be there. Raises OSError."""
    missing = sorted(set(ids) - _read(listed))
    if not missing:
        return
    listed.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(listed, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        # After half a line, as a full disk leaves it, the next would be no key either.
        cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        left = "\n".join(["", *missing] if cut else missing).encode() + b"\n"
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
