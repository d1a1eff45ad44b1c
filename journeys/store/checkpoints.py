"""Signed checkpoints of the log: made only where the log still holds all that was signed before; and who got them.

The pool acts as journeys_sequencer, but for facts, which the writer records.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from journeys.domain.directory import CheckpointKeyRevoked, CheckpointKeyUsed, HeadsSnapshot, LogBegun, read_fact
from journeys.domain.record import SYSTEM, Event, Payload, instant_text
from journeys.evidence.heads import heads_root
from journeys.evidence.note import BadNote, Checkpoint, Signer, Verifier, open_checkpoint, read_vkey, unsigned
from journeys.evidence.tree import consistency, consistent
from journeys.store import sequencing
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, record
from journeys.store.sequencing import LogHead
from journeys.store.treasury import STREAM

Code = Literal[
    "smaller", "inconsistent", "unreadable-copy", "revoked-key", "broken-tree", "other-name", "unreadable-fact"
]

_LOOKED_BACK: Final = 30
"""Snapshots, one a day, among which the last is looked for that can be read."""
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
    unreadable: tuple[int, ...] = ()
    """Seqs on `system` of such facts that cannot be read."""

    def counts(self, key: Verifier) -> bool:
        """Whether a key still counts: one that was revoked does not come back under another name of the log."""
        return key.public not in {read_vkey(each).public for each in self.revoked}


@dataclass(frozen=True, slots=True)
class Begun:
    """The log went on under a new name."""

    seq: int
    """Of the fact on `system`."""
    at: datetime
    origin: str
    former: str
    size: int
    held: int


@dataclass(frozen=True, slots=True)
class Names:
    """The names that the log had, as the journal says."""

    begun: tuple[Begun, ...]
    unreadable: tuple[int, ...] = ()
    """Seqs on `system` of such facts that cannot be read."""

    @property
    def last(self) -> Begun | None:
        return self.begun[-1] if self.begun else None

    def explain(self, name: str) -> bool:
        """Whether a fact says of a name that the log had it."""
        return any(name in (each.origin, each.former) for each in self.begun)


# --- facts of the log itself


async def facts(
    connection: Pool | Connection, *kinds: type[Payload], newest: int | None = None
) -> tuple[list[tuple[int, Event[Payload]]], tuple[int, ...]]:
    """Facts of these kinds on `system` with their seqs, and the seqs of those that cannot be read.

    Args:
        newest: only so many, the last ones; None: all.
    """
    named = ", ".join(f"'{kind.__name__}'" for kind in kinds)
    rows = await connection.fetch(
        f"SELECT seq, kind, header FROM events WHERE stream = $1 AND kind IN ({named}) ORDER BY seq DESC LIMIT $2",
        STREAM, newest,
    )  # fmt: skip
    found, unreadable = list[tuple[int, Event[Payload]]](), list[int]()
    for row in reversed(rows):
        try:
            found.append((row["seq"], read_fact(row["kind"], row["header"])))
        except ValueError:
            unreadable.append(row["seq"])
    return found, tuple(unreadable)


async def keys(connection: Pool | Connection) -> Keys:
    """Which keys signed and which no longer count, by the facts on `system`. Those of former names among them."""
    said, unreadable = await facts(connection, CheckpointKeyUsed, CheckpointKeyRevoked)
    used, revoked, wrong = list[Verifier](), set[str](), list(unreadable)
    for seq, fact in said:
        assert isinstance(fact.data, CheckpointKeyUsed | CheckpointKeyRevoked)
        try:
            key = read_vkey(fact.data.vkey)
        except BadNote:
            wrong.append(seq)
            continue
        if isinstance(fact.data, CheckpointKeyUsed):
            used.append(key)
        else:
            revoked.add(key.vkey())
    return Keys(tuple(used), frozenset(revoked), tuple(sorted(wrong)))


async def names(connection: Pool | Connection) -> Names:
    """The names that the log had, by the facts on `system`, the last one last."""
    said, unreadable = await facts(connection, LogBegun)
    return Names(tuple(_begun(seq, fact) for seq, fact in said), unreadable)


def _begun(seq: int, fact: Event[Payload]) -> Begun:
    data = fact.data
    assert isinstance(data, LogBegun)
    return Begun(seq, fact.recorded_at, data.origin, data.former, data.size, data.held)


# --- keys


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
        if not any(each.vkey() == vkey and known.counts(each) for each in known.used):
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
        seed: the private key. copies: notes held outside the database; those under a name that the log had before are
            left aside.
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
    """What is known to have been signed under this log's name.

    Raises Refused: a copy or a fact that nobody can read; a name that no fact explains, of a copy or of the log itself.
    """
    known, named = await keys(connection), await names(connection)
    since = named.last.seq if named.last is not None else 0
    if damaged := [seq for seq in (*known.unreadable, *named.unreadable) if seq > since]:
        raise Refused("unreadable-fact", f"{STREAM}/{min(damaged)}", 0, log.size)
    if not known.counts(signer.verifier):
        raise Refused("revoked-key", signer.verifier.vkey(), 0, log.size)
    if named.last is not None and named.last.origin != log.origin:
        raise Refused("other-name", named.last.origin, named.last.size, log.size)
    newest = await last(connection, log.origin)
    every = [*([Copy(TABLE, newest.note)] if newest else []), *copies]
    held = []
    for copy in every:
        try:
            said = unsigned(copy.note)
            if said.origin != log.origin:
                if named.explain(said.origin):
                    continue
                raise Refused("other-name", f"{copy.where}: {said.origin}", said.size, log.size)
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


async def begin_anew(pool: Pool, writer: Pool, why: str, by: By, copies: Sequence[Copy] = ()) -> LogBegun | None:
    """Give the log a new name, so that it can be signed although it holds less than before; None where nothing was
    refused. It does not make good what is lost: the facts, and whoever holds the former checkpoints, say so.

    Args:
        copies: as for `sign`; a name of one that no fact explains is on record as a former one from here on.
    """
    async with pool.acquire() as connection, connection.transaction():
        log = await sequencing.head(connection, lock=True)
        refused = await refusal(connection)
        if refused is None or refused.code == "revoked-key":
            return None
        newest = await last(connection, log.origin)
        own = refused.held if refused.code != "other-name" else newest.size if newest is not None else 0
        former = {log.origin: own} | _unexplained(log, await names(connection), copies)
        origin: str = await connection.fetchval(
            "UPDATE log_head SET origin = 'release-journeys/' || gen_random_uuid(), refused = NULL RETURNING origin"
        )
        begun = [LogBegun(origin=origin, former=name, size=log.size, held=held) for name, held in former.items()]
        async with writer.acquire() as other, other.transaction():
            await record(other, STREAM, [Fact(fact, {"why": why}) for fact in begun], by)
    return begun[0]


def _unexplained(log: LogHead, named: Names, copies: Iterable[Copy]) -> dict[str, int]:
    """Names on copies that are not the log's and that no fact explains, each with its largest size."""
    found: dict[str, int] = {}
    for copy in copies:
        try:
            said = unsigned(copy.note)
        except BadNote:
            continue
        if said.origin != log.origin and not named.explain(said.origin):
            found[said.origin] = max(said.size, found.get(said.origin, 0))
    return found


# --- heads


async def snapshot(pool: Pool, writer: Pool, day: date, at: datetime) -> bool:
    """Record where every stream ends, once a day; False when that was done, or there is nothing yet.

    A day that is still to come was noted by a clock that ran ahead, and holds up no other.
    """
    async with pool.acquire() as connection, connection.transaction():
        log = await sequencing.head(connection, lock=True)
        if not log.size or await connection.fetchval("SELECT snapshot_day = $1 FROM log_head", day):
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
    """The last one recorded that can be read; None before the first."""
    said, _ = await facts(connection, HeadsSnapshot, newest=_LOOKED_BACK)
    if not said:
        return None
    fact = said[-1][1]
    assert isinstance(fact.data, HeadsSnapshot)
    return Snapshot(fact.recorded_at, fact.data.size, fact.data.count)


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
