"""Signed checkpoints of the log: made only where the log still holds all that was signed before; and who got them.

The pool acts as journeys_sequencer, but for facts, which the writer records.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from journeys.domain.directory import CheckpointKeyRevoked, CheckpointKeyUsed, HeadsSnapshot, LogBegun
from journeys.domain.record import SYSTEM, instant_text
from journeys.evidence.heads import heads_root
from journeys.evidence.note import BadNote, Checkpoint, Signer, Verifier, open_checkpoint, read_vkey, unsigned
from journeys.evidence.tree import consistency, consistent
from journeys.store import sequencing
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, record
from journeys.store.sequencing import LogHead
from journeys.store.treasury import STREAM

Code = Literal["smaller", "inconsistent", "unreadable-copy", "revoked-key", "broken-tree"]

TABLE: Final = "table"
"""Where the journal's own last checkpoint stands."""


class Refused(Exception):
    """Nothing is signed: what was signed before says otherwise. `where` names the copy that says so."""

    def __init__(self, code: Code, where: str, held: int, size: int) -> None:
        super().__init__(f"{code}: {where} holds {held}, the log has {size}")
        self.code = code
        self.where = where
        self.held = held
        self.size = size


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as the log's row keeps it."""

    code: Code
    where: str
    held: int
    size: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint with its note."""

    origin: str
    size: int
    root: bytes
    note: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Copy:
    """A note that stands somewhere outside the database."""

    where: str
    note: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that signed checkpoints, as the journal says."""

    used: tuple[Verifier, ...]
    revoked: frozenset[str]
    """vkeys."""


# --- keys


async def keys(connection: Pool | Connection) -> Keys:
    """Which keys signed and which no longer count, by the facts on `system`. Those of former names among them."""
    rows = await connection.fetch(
        "SELECT kind, header FROM events WHERE stream = $1 AND kind IN ('CheckpointKeyUsed', 'CheckpointKeyRevoked')"
        " ORDER BY seq",
        STREAM,
    )
    facts = [(row["kind"], json.loads(row["header"])["data"]["vkey"]) for row in rows]
    used = [read_vkey(vkey) for kind, vkey in facts if kind == CheckpointKeyUsed.__name__]
    return Keys(tuple(used), frozenset(vkey for kind, vkey in facts if kind == CheckpointKeyRevoked.__name__))


async def announce(writer: Pool, key: Verifier, at: datetime) -> bool:
    """Say in the journal that a key signs from now on; False when it said so before."""
    async with writer.acquire() as connection, connection.transaction():
        if key in (await keys(connection)).used:
            return False
        await record(connection, STREAM, [Fact(CheckpointKeyUsed(vkey=key.vkey()))], _system(at))
        return True


async def revoke(writer: Pool, vkey: str, why: str, by: By) -> bool:
    """Say that a key counts no more from here on; False when it was said before, or the key never signed."""
    async with writer.acquire() as connection, connection.transaction():
        known = await keys(connection)
        if vkey in known.revoked or vkey not in {each.vkey() for each in known.used}:
            return False
        await record(connection, STREAM, [Fact(CheckpointKeyRevoked(vkey=vkey), {"why": why})], by)
        return True


# --- signing


async def sign(
    pool: Pool,
    seed: bytes,
    copies: Sequence[Copy],
    at: datetime,
    keep: Callable[[Signed], Awaitable[None]],
) -> Signed | None:
    """Sign the log as it stands; None when it has not grown since the last checkpoint, or is empty.

    Args:
        seed: the private key. copies: notes held outside the database; those of other logs are left aside.
        keep: lays the new note outside before it is told to anybody; when that fails nothing is signed.

    Raises:
        Refused: also kept in the log's row, until signing goes on.
    """
    try:
        async with pool.acquire() as connection, connection.transaction():
            log = await sequencing.head(connection, lock=True)
            signer = Signer(log.origin, seed)
            held = await _held(connection, log, signer, copies)
            await _judge(connection, log, held)
            newest = max((each.size for _, each in held), default=0)
            last = next((each.size for where, each in held if where == TABLE), 0)
            made = None
            if log.size > last:
                checkpoint = Checkpoint(log.origin, log.size, log.root())
                made = Signed(log.origin, log.size, checkpoint.root, signer.sign(checkpoint), at)
                assert newest <= log.size
                await keep(made)
                await connection.execute(
                    "INSERT INTO checkpoints (origin, size, root, note, made_at) VALUES ($1, $2, $3, $4, $5)",
                    made.origin, made.size, made.root, made.note, made.made_at,
                )  # fmt: skip
            await connection.execute("UPDATE log_head SET refused = NULL WHERE refused IS NOT NULL")
            return made
    except Refused as refused:
        told = {"code": refused.code, "where": refused.where, "held": refused.held, "size": refused.size}
        await pool.execute("UPDATE log_head SET refused = $1", json.dumps(told | {"at": instant_text(at)}))
        raise


async def _held(
    connection: Connection, log: LogHead, signer: Signer, copies: Sequence[Copy]
) -> list[tuple[str, Checkpoint]]:
    """What is known to have been signed under this log's name. Raises Refused: a copy that nobody can read."""
    known = await keys(connection)
    if signer.verifier.vkey() in known.revoked:
        raise Refused("revoked-key", signer.verifier.vkey(), 0, log.size)
    newest = await last(connection, log.origin)
    every = [*([Copy(TABLE, newest.note)] if newest else []), *copies]
    held = []
    for copy in every:
        try:
            if unsigned(copy.note).origin != log.origin:
                continue
            held.append((copy.where, open_checkpoint(copy.note, [*known.used, signer.verifier])[0]))
        except BadNote:
            raise Refused("unreadable-copy", copy.where, 0, log.size) from None
    return held


async def _judge(connection: Connection, log: LogHead, held: Iterable[tuple[str, Checkpoint]]) -> None:
    """Whether the log holds each of these at its beginning. Raises Refused."""
    root = log.root()
    for where, each in held:
        if each.size > log.size:
            raise Refused("smaller", where, each.size, log.size)
        try:
            proof = await sequencing.hashes(connection, log, consistency(each.size, log.size))
        except LookupError:
            raise Refused("broken-tree", where, each.size, log.size) from None
        if not consistent(each.size, each.root, log.size, root, proof):
            raise Refused("inconsistent", where, each.size, log.size)


async def last(connection: Pool | Connection, origin: str) -> Signed | None:
    """The last checkpoint of a log; None before the first."""
    row = await connection.fetchrow(
        "SELECT origin, size, root, note, made_at FROM checkpoints WHERE origin = $1 ORDER BY size DESC LIMIT 1", origin
    )
    return None if row is None else Signed(**row)


async def all_of(connection: Pool | Connection, origin: str) -> list[Signed]:
    """Every checkpoint of a log, by size."""
    rows = await connection.fetch(
        "SELECT origin, size, root, note, made_at FROM checkpoints WHERE origin = $1 ORDER BY size", origin
    )
    return [Signed(**row) for row in rows]


async def unsigned_since(connection: Pool | Connection, size: int) -> datetime | None:
    """When the first event behind a checkpoint of this size was stored; None where there is none."""
    since: datetime | None = await connection.fetchval(
        """
        SELECT coalesce(
            (SELECT e.wall FROM log_entries l JOIN events e USING (stream, seq) WHERE l.position = $1),
            (SELECT min(e.wall) FROM pending p JOIN events e ON e.stream = p.stream AND e.seq = p.first)
        )
        """,
        size,
    )
    return since


async def refusal(connection: Pool | Connection) -> Refusal | None:
    """Why nothing is signed; None while it is."""
    told = await connection.fetchval("SELECT refused FROM log_head")
    if told is None:
        return None
    read: dict[str, Any] = json.loads(told)
    return Refusal(**{**read, "at": datetime.fromisoformat(read["at"])})


async def begin_anew(pool: Pool, writer: Pool, why: str, by: By) -> LogBegun | None:
    """Give the log a new name, so that it can be signed although it holds less than before; None where nothing was
    refused. It does not make good what is lost: the fact, and whoever holds the former checkpoints, say so."""
    async with pool.acquire() as connection, connection.transaction():
        log = await sequencing.head(connection, lock=True)
        refused = await refusal(connection)
        if refused is None or refused.code == "revoked-key":
            return None
        origin: str = await connection.fetchval(
            "UPDATE log_head SET origin = 'release-journeys/' || gen_random_uuid(), refused = NULL RETURNING origin"
        )
        fact = LogBegun(origin=origin, former=log.origin, size=log.size, held=refused.held)
        async with writer.acquire() as other, other.transaction():
            await record(other, STREAM, [Fact(fact, {"why": why})], by)
    return fact


# --- heads


async def snapshot(pool: Pool, writer: Pool, day: date, at: datetime) -> bool:
    """Record where every stream ends, once a day; False when that was done, or there is nothing yet."""
    async with pool.acquire() as connection, connection.transaction():
        log = await sequencing.head(connection, lock=True)
        if not log.size or await connection.fetchval("SELECT snapshot_day >= $1 FROM log_head", day):
            return False
        lines = await sequencing.heads_at(connection, log.size)
        fact = HeadsSnapshot(size=log.size, count=len(lines), root=heads_root(lines).hex())
        async with writer.acquire() as other, other.transaction():
            await record(other, STREAM, [Fact(fact)], _system(at))
        # After the fact: a crash between records it twice, which says the same twice.
        await connection.execute("UPDATE log_head SET snapshot_day = $1", day)
        return True


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where every stream ended, as recorded."""

    at: datetime
    size: int
    """Of the log then."""
    streams: int


async def last_snapshot(connection: Pool | Connection) -> Snapshot | None:
    """The last one recorded; None before the first."""
    header = await connection.fetchval(
        "SELECT header FROM events WHERE stream = $1 AND kind = 'HeadsSnapshot' ORDER BY seq DESC LIMIT 1", STREAM
    )
    if header is None:
        return None
    read: dict[str, Any] = json.loads(header)
    fact = HeadsSnapshot.model_validate(read["data"])
    return Snapshot(datetime.fromisoformat(read["recorded_at"]), fact.size, fact.count)


def _system(at: datetime) -> By:
    return By(actor=SYSTEM, role=SYSTEM, at=at)


# --- deliveries


@dataclass(frozen=True, slots=True)
class Standing:
    """How it goes with a party: what it got last, since when it gets nothing and why."""

    party: str
    size: int | None
    delivered_at: datetime | None
    failures: int = 0
    reason: str | None = None
    since: datetime | None = None
    tried_at: datetime | None = None


async def standings(connection: Pool | Connection, origin: str) -> dict[str, Standing]:
    """By party; those that were never tried are not there."""
    rows = await connection.fetch(
        """
        SELECT p.party, d.size, d.delivered_at, p.failures, p.reason, p.since, p.tried_at
        FROM checkpoint_parties p LEFT JOIN LATERAL (
            SELECT size, delivered_at FROM checkpoint_deliveries
            WHERE party = p.party AND origin = $1 ORDER BY size DESC LIMIT 1
        ) AS d ON true
        """,
        origin,
    )
    return {row["party"]: Standing(**row) for row in rows}


async def note_delivery(pool: Pool, party: str, made: Signed, at: datetime, reason: str) -> None:
    """Keep what became of a delivery: taken (no reason), or not."""
    async with pool.acquire() as connection, connection.transaction():
        if not reason:
            await connection.execute(
                "INSERT INTO checkpoint_deliveries (party, origin, size, delivered_at) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                party, made.origin, made.size, at,
            )  # fmt: skip
        await connection.execute(
            """
            INSERT INTO checkpoint_parties AS p (party, failures, reason, since, tried_at)
            VALUES ($1, CASE WHEN $2::text = '' THEN 0 ELSE 1 END, nullif($2, ''),
                    CASE WHEN $2 <> '' THEN $3::timestamptz END, $3)
            ON CONFLICT (party) DO UPDATE SET
                failures = CASE WHEN $2 = '' THEN 0 ELSE p.failures + 1 END, reason = excluded.reason,
                since = CASE WHEN $2 <> '' THEN coalesce(p.since, $3) END, tried_at = $3
            """,
            party, reason, at,
        )  # fmt: skip
