"""The log's account of itself: every stream's links, the tree, its checkpoints, the snapshots of heads, in one pass."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from journeys.audit.journal_account import judge_part
from journeys.audit.wording import LOG_FINDINGS, LOG_NOTICES
from journeys.domain.directory import (
    OF_ACCOUNTS,
    CheckpointKeyRevoked,
    HeadsSnapshot,
    PersonErased,
    RetentionApplied,
)
from journeys.domain.record import NO_EVENT
from journeys.evidence.heads import HeadLine, heads_root
from journeys.evidence.note import BadNote, Verifier, open_checkpoint, read_vkey, unsigned
from journeys.evidence.tree import HASH_BYTES, WIDTH, Growing, Tile, leaf_hash
from journeys.i18n import text
from journeys.store import checkpoints, erasing, opening, sequencing
from journeys.store.checkpoints import Copy, Keys, Names
from journeys.store.database import Connection, Pool
from journeys.store.journal import open_parts
from journeys.store.keys import Lost, finance_key
from journeys.store.sealing import sealed_by
from journeys.store.sequencing import LogHead
from journeys.store.treasury import STREAM

_PAGE: Final = 5_000
_SECONDS: Final = 120.0
_MOST: Final = 200
"""Findings that are told; a log that is wrong throughout is wrong."""
SKEW: Final = timedelta(seconds=5)
"""How far the clocks of two machines that write one stream may lie apart."""

Progress = Callable[[int, int], None]
"""How many entries were read, of how many."""


@dataclass(frozen=True, slots=True)
class LogFinding:
    """Something wrong; `stream`, `seq` and `position` where it has a place."""

    code: str
    stream: str | None = None
    seq: int | None = None
    position: int | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def told(self, lang: str) -> str:
        """What is wrong, in one line."""
        place = {"stream": self.stream, "seq": self.seq, "position": self.position}
        return text(lang)({**LOG_FINDINGS, **LOG_NOTICES}[self.code]).format_map({**place, **self.details})

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code, "stream": self.stream, "seq": self.seq, "position": self.position, **self.details,
        }  # fmt: skip


@dataclass(slots=True)
class LogReport:
    """What was compared, what is wrong, and what is odd but proves nothing."""

    origin: str
    size: int
    waiting: int
    streams: int = 0
    checkpoints: int = 0
    snapshots: int = 0
    findings: list[LogFinding] = field(default_factory=list)
    notices: list[LogFinding] = field(default_factory=list)

    def wrong(self, code: str, **place: Any) -> None:
        if len(self.findings) < _MOST:
            self.findings.append(_finding(code, place))

    def odd(self, code: str, **place: Any) -> None:
        if len(self.notices) < _MOST:
            self.notices.append(_finding(code, place))

    def as_json(self) -> dict[str, Any]:
        return {
            "holds": not self.findings, "origin": self.origin, "size": self.size, "waiting": self.waiting,
            "streams": self.streams, "checkpoints": self.checkpoints, "snapshots": self.snapshots,
            "findings": [each.as_json() for each in self.findings],
            "notices": [each.as_json() for each in self.notices],
        }  # fmt: skip


def _finding(code: str, place: dict[str, Any]) -> LogFinding:
    known = {name: place.pop(name, None) for name in ("stream", "seq", "position")}
    return LogFinding(code, **known, details=place)


async def verify_log(
    pool: Pool, key: Verifier | None = None, copies: Sequence[Copy] = (), progress: Progress = lambda done, all: None
) -> LogReport:
    """Read every event of every stream once, in the order of the log, in one snapshot; and what stands beside those
    that are no journeys: their texts, and what is known of people, staff, mentors and partners.

    Args:
        key: that of this place, where it has one; besides it those that the journal names are known.
        copies: notes held outside, which the log must bear out too.

    Raises: OSError, TimeoutError, asyncpg.PostgresError: no database.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        log = await sequencing.head(connection)
        known, named = await checkpoints.keys(connection), await checkpoints.names(connection)
        snapshots, unreadable = await _snapshots(connection)
        report = LogReport(log.origin, log.size, await sequencing.waiting(connection))
        _judge_names(report, log, known, named)
        reading = _Reading(report, await _signed(connection, report, log, known, named, key, copies), snapshots)
        async for rows in _pages(connection):
            full = reading.take(rows)
            await _compare_tiles(connection, report, full)
            progress(reading.tree.size, log.size)
        reading.end(log)
        await _compare_rest(connection, report, reading, log)
        for seq in sorted({*known.unreadable, *named.unreadable, *unreadable} - reading.unreadable):
            report.wrong("not-a-fact", stream=STREAM, seq=seq)
        locked = {key async for key in connection.keys.locked()}
        for key_id in sorted(locked):
            report.wrong("key-locked", key=key_id)
        missing = await _compare_texts(connection, report, reading, locked)
        closed = [each async for each in opening.each_unopened(connection, locked)]
    # Keys are asked about as they are, not as they were when the snapshot was taken.
    await _tell_missing(pool, report, missing, closed)
    return report


@dataclass(frozen=True, slots=True)
class _Signed:
    """A root that somebody vouched for, and where it stands."""

    where: str
    size: int
    root: bytes


class _Reading:
    """The state of the one pass."""

    def __init__(
        self, report: LogReport, signed: Sequence[_Signed], snapshots: Sequence[tuple[int, int, str, int]]
    ) -> None:
        self.report = report
        self.tree = Growing()
        self.heads: dict[str, tuple[int, bytes]] = {}
        self.promised: dict[tuple[str, int, str], str] = {}
        """What events of streams that are no journeys commit to, by stream, seq and name."""
        self.erased: set[str] = set()
        """Such streams in which an erasure is on record."""
        self.accounts: set[int] = set()
        """Seqs of `system` whose texts go with what accounting keeps of somebody."""
        self.accounts_gone: set[str] = set()
        """Ids of the keys of accounts that the log says were destroyed."""
        self.unreadable: set[int] = set()
        """Seqs of `system` that are told as no header."""
        self._clocks: dict[str, str] = {}
        self._signed = sorted(signed, key=lambda each: each.size)
        self._snapshots = sorted(snapshots)
        report.snapshots = len(snapshots)

    def take(self, rows: Sequence[Any]) -> list[Tile]:
        """The next entries; the tiles that they filled."""
        full: list[Tile] = []
        for row in rows:
            if row["position"] != self.tree.size:
                self.report.wrong("place-missing", position=self.tree.size)
                full += self.tree.grow([bytes(HASH_BYTES)] * max(row["position"] - self.tree.size, 0))
            if row["header"] is None:
                self.report.wrong("event-missing", stream=row["stream"], seq=row["seq"], position=row["position"])
                full += self.tree.grow([bytes(HASH_BYTES)])
            else:
                self.judge(row)
                full += self.tree.grow([leaf_hash(row["header"])])
            self._compare_roots()
        return full

    def judge(self, row: Any) -> None:
        """One event against the one before it in its stream, and against itself."""
        stream, seq = row["stream"], row["seq"]
        place = {"stream": stream, "seq": seq, "position": row["position"]}
        last, link = self.heads.get(stream, (0, bytes.fromhex(NO_EVENT)))
        digest = hashlib.sha256(row["header"]).digest()
        try:
            header = json.loads(row["header"])
            said = (header["stream"], header["seq"], header["kind"])
            recorded, prev = str(header["recorded_at"]), header["prev"]
        except (ValueError, TypeError, LookupError, RecursionError):
            self.report.wrong("not-a-header", **place)
            if stream == STREAM:
                self.unreadable.add(seq)
            header, said, recorded, prev = None, None, "", None
        if seq != last + 1:
            self.report.wrong("gap", **place, expected=last + 1)
        elif header is not None and prev != link.hex():
            self.report.wrong("link", **place)
        if said is not None and said != (stream, seq, row["kind"]):
            self.report.wrong("elsewhere", **place)
        if header is not None and not stream.startswith("journey-"):
            self._note_texts(stream, seq, header)
        if digest != row["hash"]:
            self.report.wrong("hash", **place)
        before = self._clocks.get(stream, "")
        if recorded < before and _apart(recorded, before) > SKEW:
            self.report.odd("clock", **place, seconds=int(_apart(recorded, before).total_seconds()))
        self._clocks[stream] = max(recorded, before)
        self.heads[stream] = (seq, digest)

    def _note_texts(self, stream: str, seq: int, header: dict[str, Any]) -> None:
        if isinstance(parts := header.get("parts"), dict):
            self.promised |= {(stream, seq, name): str(promised) for name, promised in parts.items()}
        if header["kind"] in erasing.FACTS:
            self.erased.add(stream)
        if stream == STREAM and header["kind"] in OF_ACCOUNTS:
            self.accounts.add(seq)
        self.accounts_gone |= _accounts_gone(stream, header)

    def _compare_roots(self) -> None:
        """What was vouched for at this size."""
        size = self.tree.size
        while self._signed and self._signed[0].size <= size:
            each = self._signed.pop(0)
            if each.size == size and self.tree.root() != each.root:
                self.report.wrong("root", where=each.where, size=each.size)
        while self._snapshots and self._snapshots[0][0] <= size:
            at, count, root, seq = self._snapshots.pop(0)
            lines = [HeadLine(stream, *head) for stream, head in self.heads.items()]
            if at == size and (len(lines), heads_root(lines).hex()) != (count, root):
                self.report.wrong("snapshot", stream=STREAM, seq=seq, size=at)

    def end(self, log: LogHead) -> None:
        """What the log should still hold."""
        for each in self._signed:
            self.report.wrong("beyond", where=each.where, size=each.size, held=self.tree.size)
        for at, _, _, seq in self._snapshots:
            self.report.wrong("snapshot", stream=STREAM, seq=seq, size=at)
        if (self.tree.size, self.tree.edge) != (log.size, log.edge):
            self.report.wrong("edge", size=log.size, held=self.tree.size)


def _accounts_gone(stream: str, header: dict[str, Any]) -> set[str]:
    """The keys of accounts that an event says were destroyed: by the rules of retention, or with whose they were."""
    kind, data = header["kind"], header.get("data")
    keys = data.get("keys") if isinstance(data, dict) else None
    if not isinstance(keys, list):
        return set()
    if (stream, kind) == (STREAM, RetentionApplied.__name__):
        return {key for key in keys if isinstance(key, str) and key.startswith(finance_key(""))}
    own = finance_key(stream.removeprefix("person-"))
    return {own} if kind == PersonErased.__name__ and own in keys else set()


def _apart(earlier: str, later: str) -> timedelta:
    try:
        return datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    except (ValueError, TypeError):
        return timedelta()


async def _pages(connection: Connection) -> AsyncIterator[list[Any]]:
    begin = 0
    while rows := await connection.fetch(
        """
        SELECT l.position, l.stream, l.seq, e.header, e.hash, e.kind
        FROM (SELECT * FROM log_entries WHERE position >= $1 ORDER BY position LIMIT $2) AS l
        LEFT JOIN events e USING (stream, seq) ORDER BY l.position
        """,
        begin, _PAGE, timeout=_SECONDS,
    ):  # fmt: skip
        begin = rows[-1]["position"] + 1
        yield rows


def _judge_names(report: LogReport, log: LogHead, known: Keys, named: Names) -> None:
    """Each name under which a key signed, and that of the log itself, is one that a fact explains."""
    if named.last is not None and named.last.origin != log.origin:
        report.wrong("name", where="log_head", name=log.origin)
    for name in sorted({each.name for each in known.used}):
        if name != log.origin and not named.explain(name):
            report.wrong("name", where=STREAM, name=name)


async def _signed(
    connection: Connection, report: LogReport, log: LogHead, known: Keys, named: Names, key: Verifier | None,
    copies: Sequence[Copy],
) -> list[_Signed]:  # fmt: skip
    """The checkpoints of the table and those held outside, as far as a known key bears them out. What is held under a
    former name may know more than a log that was begun anew: it is left aside, as when signing."""
    rows = await connection.fetch("SELECT origin, size, root, note, made_at FROM checkpoints ORDER BY size")
    keys = [*known.used, *([key] if key is not None else [])]
    revoked = await _revoked_from(connection)
    found, before, strange = [], None, set[str]()
    notes = [(f"{row['origin']} {row['size']}", row["note"], row) for row in rows]
    for where, note, row in [*notes, *((copy.where, copy.note, None) for copy in copies)]:
        name = _name_of(note)
        if name is not None and name != log.origin:
            if not named.explain(name) and name not in strange:
                report.wrong("name", where=where, name=name)
                strange.add(name)
            if row is None:
                continue
        try:
            said, by = open_checkpoint(note, keys)
        except BadNote as bad:
            report.wrong("note", where=where, reason=bad.reason)
            continue
        if row is not None and (row["origin"], row["size"], row["root"]) != (said.origin, said.size, said.root):
            report.wrong("note", where=where, reason="row")
        if said.size > revoked.get(by.public, said.size):
            report.wrong("revoked", where=where, size=said.size)
        found.append(_Signed(where, said.size, said.root))
        if row is not None:
            report.checkpoints += 1
            if before is not None and before["made_at"] - row["made_at"] > SKEW:
                report.odd("checkpoint-clock", where=where, size=said.size)
            before = row
    return found


def _name_of(note: str) -> str | None:
    try:
        return unsigned(note).origin
    except BadNote:
        return None


async def _revoked_from(connection: Connection) -> dict[bytes, int]:
    """From which place on a key counts no more, by the public key: it is the same under any name of the log."""
    said, _ = await checkpoints.facts(connection, CheckpointKeyRevoked)
    places = {row["seq"]: row["position"] for row in await connection.fetch(
        "SELECT seq, position FROM log_entries WHERE stream = $1 AND seq = ANY ($2::integer[])",
        STREAM, [seq for seq, _ in said])}  # fmt: skip
    found: dict[bytes, int] = {}
    for seq, fact in said:
        assert isinstance(fact.data, CheckpointKeyRevoked)
        try:
            public = read_vkey(fact.data.vkey).public
        except BadNote:
            continue
        if seq in places:
            found.setdefault(public, places[seq])
    return found


async def _snapshots(connection: Connection) -> tuple[list[tuple[int, int, str, int]], tuple[int, ...]]:
    """Size, count, root of each snapshot, and its seq; and the seqs of those that cannot be read."""
    said, unreadable = await checkpoints.facts(connection, HeadsSnapshot)
    facts = [(seq, fact.data) for seq, fact in said if isinstance(fact.data, HeadsSnapshot)]
    return [(each.size, each.count, each.root, seq) for seq, each in facts], unreadable


async def _compare_tiles(connection: Connection, report: LogReport, full: Sequence[Tile]) -> None:
    if not full:
        return
    rows = await connection.fetch(
        "SELECT level, n, hashes FROM log_tiles JOIN unnest($1::smallint[], $2::bigint[]) AS wanted (level, n)"
        " USING (level, n)",
        [tile.level for tile in full], [tile.n for tile in full], timeout=_SECONDS,
    )  # fmt: skip
    kept = {(row["level"], row["n"]): row["hashes"] for row in rows}
    for tile in full:
        if kept.get((tile.level, tile.n)) != tile.hashes:
            report.wrong("tile", level=tile.level, n=tile.n)


async def _compare_rest(connection: Connection, report: LogReport, reading: _Reading, log: LogHead) -> None:
    """What has no place yet, what should have one, and the table of heads."""
    for row in await connection.fetch(
        "SELECT e.stream, e.seq, e.header, e.hash, e.kind, NULL AS position FROM pending p"
        " JOIN events e ON e.stream = p.stream AND e.seq BETWEEN p.first AND p.last ORDER BY e.stream, e.seq",
        timeout=_SECONDS,
    ):
        reading.judge(row)
    heads = {row["stream"]: (row["seq"], row["hash"]) for row in await connection.fetch(
        "SELECT stream, seq, hash FROM streams WHERE seq > 0", timeout=_SECONDS)}  # fmt: skip
    report.streams = len(heads)
    for stream in sorted(heads.keys() | reading.heads.keys()):
        if heads.get(stream) != reading.heads.get(stream):
            seq, held = (found.get(stream, (0, b""))[0] for found in (heads, reading.heads))
            report.wrong("head", stream=stream, seq=held, expected=seq)
    tiles = sum(log.size // WIDTH**level for level in range(1, 8))
    if await connection.fetchval("SELECT count(*) FROM log_tiles", timeout=_SECONDS) != tiles:
        report.wrong("tiles", count=tiles)
    counted = await connection.fetchval("SELECT count(*) FROM events", timeout=_SECONDS)
    if counted != log.size + report.waiting:
        report.wrong("unlogged", count=counted, size=log.size, waiting=report.waiting)


_Place = tuple[str, int, str]
"""Of a text: stream, seq and name."""


async def _compare_texts(
    connection: Connection, report: LogReport, reading: _Reading, locked: Collection[str]
) -> dict[_Place, str | None]:
    """The texts of streams that are no journeys; those of journeys are compared with each journey. What is under a key
    that does not open here cannot be compared.

    Returns those that nothing in the log accounts for; of a text of somebody's accounts, with the key that it was
    under.
    """
    last, left, under = ("", 0, ""), dict(reading.promised), dict[_Place, str]()
    while rows := await connection.fetch(
        "SELECT stream, seq, name, text, salt, sealed FROM parts WHERE (stream, seq, name) > ($1, $2, $3)"
        " AND NOT starts_with(stream, 'journey-') ORDER BY stream, seq, name LIMIT $4",
        *last, _PAGE, timeout=_SECONDS,
    ):  # fmt: skip
        last = (rows[-1]["stream"], rows[-1]["seq"], rows[-1]["name"])
        there = []
        for row in rows:
            if row["sealed"] and sealed_by(row["sealed"]) in locked:
                left.pop((row["stream"], row["seq"], row["name"]), None)
            else:
                there.append(row)
        for row, part in zip(there, await open_parts(connection, there), strict=True):
            if part is None:  # With its key it is gone.
                if row["stream"] == STREAM and row["seq"] in reading.accounts:
                    under[row["stream"], row["seq"], row["name"]] = sealed_by(row["sealed"])
                continue
            reason = judge_part(part, left.pop((row["stream"], row["seq"], row["name"]), None))
            if reason is not None:
                report.wrong(reason, stream=row["stream"], seq=row["seq"], part=row["name"])
    return {
        place: under.get(place)
        for place in sorted(left)
        if place[0] not in reading.erased and under.get(place) not in reading.accounts_gone
    }


async def _tell_missing(
    pool: Pool, report: LogReport, missing: Mapping[_Place, str | None], closed: Sequence[tuple[str, str]]
) -> None:
    """Texts that are gone, and rows that do not open, but for what an order, or a rule, has accounted for meanwhile."""
    if not missing and not closed:
        return
    erased = await erasing.on_record(pool, {place[0] for place in missing} | {stream for stream, _ in closed})
    gone = await erasing.keys_told(pool) if any(missing.values()) else set[str]()
    for (stream, seq, name), key in missing.items():
        if stream not in erased and key not in gone:
            report.wrong("part-gone", stream=stream, seq=seq, part=name)
    for stream, why in closed:
        if why != Lost.ERASED.value or stream not in erased:
            report.wrong(f"row-{why}", stream=stream)
