"""What an export reads: the entries of the log in their order, the parts that are left, the tiles."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from journeys.domain.directory import PersonErased
from journeys.domain.events import ErasureOrdered
from journeys.store import people
from journeys.store.database import Connection, Pool
from journeys.store.journal import StoredPart, open_parts
from journeys.store.sealing import sealed_by
from journeys.store.treasury import STREAM

BUNDLES: Final = 16
"""Bundles read at once: some 4,000 events, three megabytes."""
_SECONDS: Final = 120.0


class Entry(NamedTuple):
    """An event at its place in the log."""

    position: int
    stream: str
    seq: int
    kind: str
    header: bytes


async def entries(connection: Connection, begin: int, end: int) -> list[Entry]:
    """Those from `begin`, without `end`."""
    rows = await connection.fetch(
        "SELECT l.position, l.stream, l.seq, e.kind, e.header FROM log_entries l JOIN events e USING (stream, seq)"
        " WHERE l.position >= $1 AND l.position < $2 ORDER BY l.position",
        begin, end, timeout=_SECONDS,
    )  # fmt: skip
    return [Entry(*row) for row in rows]


async def entries_of(connection: Connection, stream: str, size: int) -> list[Entry]:
    """Those of one stream in a log of this size, by seq."""
    rows = await connection.fetch(
        "SELECT l.position, e.stream, e.seq, e.kind, e.header FROM events e JOIN log_entries l USING (stream, seq)"
        " WHERE e.stream = $1 AND l.position < $2 ORDER BY e.seq",
        stream, size,
    )  # fmt: skip
    return [Entry(*row) for row in rows]


async def facts_of_the_log(connection: Connection, size: int) -> list[Entry]:
    """What a log of this size says of itself, by seq: snapshots, keys, names."""
    rows = await connection.fetch(
        "SELECT l.position, e.stream, e.seq, e.kind, e.header FROM events e JOIN log_entries l USING (stream, seq)"
        " WHERE e.stream = $1 AND l.position < $2"
        " AND e.kind IN ('HeadsSnapshot', 'CheckpointKeyUsed', 'CheckpointKeyRevoked', 'LogBegun') ORDER BY e.seq",
        STREAM, size,
    )  # fmt: skip
    return [Entry(*row) for row in rows]


async def histories_of(connection: Connection, stream: str, size: int) -> list[Entry]:
    """The facts that say which runs of a journey have their history kept, by seq."""
    rows = await connection.fetch(
        "SELECT l.position, e.stream, e.seq, e.kind, e.header FROM histories h"
        " JOIN events e ON e.stream = $1 AND e.seq = h.seq JOIN log_entries l ON l.stream = e.stream AND l.seq = e.seq"
        " WHERE h.stream = $2 AND l.position < $3 ORDER BY e.seq",
        STREAM, stream, size,
    )  # fmt: skip
    return [Entry(*row) for row in rows]


async def erasures_of(connection: Connection, person: str, size: int) -> list[Entry]:
    """The order to forget a person, and its certificate, by seq: what accounts for texts of theirs that are gone."""
    told = (ErasureOrdered.__name__, PersonErased.__name__)
    return [entry for entry in await entries_of(connection, people.stream_of(person), size) if entry.kind in told]


async def parts_of(connection: Connection, events: Sequence[Entry]) -> dict[tuple[str, int, str], StoredPart | str]:
    """The parts of these events that are there, by stream, seq and name; of one whose key was destroyed, that key."""
    if not events:
        return {}
    rows = await connection.fetch(
        "SELECT p.stream, p.seq, p.name, p.text, p.salt, p.sealed FROM parts p"
        " JOIN (SELECT DISTINCT * FROM unnest($1::text[], $2::integer[]) AS asked (stream, seq)) AS asked"
        " USING (stream, seq)",
        [entry.stream for entry in events], [entry.seq for entry in events], timeout=_SECONDS,
    )  # fmt: skip
    opened = zip(rows, await open_parts(connection, rows), strict=True)
    return {
        (row["stream"], row["seq"], row["name"]): sealed_by(row["sealed"]) if part is None else part
        for row, part in opened
    }


async def history_key(pool: Pool, run: str) -> str:
    """The id of the key that a kept history says it is sealed under; empty where it says none."""
    begins: bytes | None = await pool.fetchval("SELECT substr(sealed, 1, 257) FROM history_files WHERE run = $1", run)
    return sealed_by(begins or b"")


async def tile(connection: Connection, level: int, n: int) -> bytes | None:
    """A full tile as it is stored; None when it is not."""
    hashes: bytes | None = await connection.fetchval(
        "SELECT hashes FROM log_tiles WHERE level = $1 AND n = $2", level, n
    )
    return hashes
