"""The log: each event gets a place in one order, and the Merkle tree over all of them grows by tiles.

The pool acts as journeys_sequencer. Appends wait for none of this: they say what is new in a table of their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from journeys.evidence.heads import HeadLine
from journeys.evidence.tree import Growing, Range, range_hash, tiles_of
from journeys.store.database import Connection, Pool

AT_ONCE: Final = 5_000
"""Events of one transaction, or those of one stream where that has more."""
_SECONDS: Final = 120.0
"""One batch, or the heads of all streams: more than an append may take."""

_TAKE: Final = """
    WITH due AS (
        SELECT stream FROM (
            SELECT stream, sum(last - first + 1) AS own,
                   sum(sum(last - first + 1)) OVER (ORDER BY min(ctid) ROWS UNBOUNDED PRECEDING) AS until
            FROM pending GROUP BY stream
        ) AS queue WHERE until - own < $2
    ), taken AS (
        DELETE FROM pending p USING due WHERE p.stream = due.stream RETURNING p.stream, p.first, p.last
    ), found AS (
        -- OFFSET keeps this a look-up by key for each row, whatever the planner believes of `pending`.
        SELECT e.stream, e.seq, e.leaf, max(e.wall) OVER (PARTITION BY e.stream ORDER BY e.seq) AS at
        FROM taken t CROSS JOIN LATERAL (
            SELECT stream, seq, wall, sha256('\\x00'::bytea || header) AS leaf FROM events
            WHERE stream = t.stream AND seq BETWEEN t.first AND t.last OFFSET 0
        ) AS e
    ), placed AS (
        SELECT $1 - 1 + row_number() OVER (ORDER BY at, stream, seq) AS position, stream, seq, leaf FROM found
    ), kept AS (
        INSERT INTO log_entries (position, stream, seq) SELECT position, stream, seq FROM placed
    )
    SELECT leaf FROM placed ORDER BY position
"""
"""By time of storing, as near as that goes; within a stream by seq, whatever the clock did. A stream is taken whole."""


@dataclass(frozen=True, slots=True)
class LogHead:
    """The log as it stands."""

    origin: str
    size: int
    edge: tuple[bytes, ...]

    def root(self) -> bytes:
        return Growing(self.edge).root()


async def head(connection: Pool | Connection, *, lock: bool = False) -> LogHead:
    """The log's head; `lock`: nobody else sequences or signs until the end of the transaction."""
    row = await connection.fetchrow("SELECT origin, size, edge FROM log_head" + (" FOR UPDATE" if lock else ""))
    return LogHead(row["origin"], row["size"], tuple(row["edge"]))


async def sequence(pool: Pool) -> int:
    """Give what is pending its places; how many events got one. 0 also while another sequencer is at it."""
    placed = 0
    while count := await _batch(pool):
        placed += count
    return placed


async def _batch(pool: Pool) -> int:
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow("SELECT size, edge FROM log_head FOR UPDATE SKIP LOCKED")
        if row is None:
            return 0
        leaves = [leaf for (leaf,) in await connection.fetch(_TAKE, row["size"], AT_ONCE, timeout=_SECONDS)]
        if not leaves:
            return 0
        tree = Growing(row["edge"])
        full = tree.grow(leaves)
        if full:
            await connection.execute(
                "INSERT INTO log_tiles (level, n, hashes)"
                " SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])",
                [tile.level for tile in full], [tile.n for tile in full], [tile.hashes for tile in full],
            )  # fmt: skip
        await connection.execute("UPDATE log_head SET size = $1, edge = $2", tree.size, list(tree.edge))
        return len(leaves)


async def hashes(connection: Connection, log: LogHead, ranges: Sequence[Range]) -> list[bytes]:
    """The hashes of ranges that proofs in this log name. Raises LookupError where a tile is missing or cut."""
    tiles = await _tiles(connection, log, tiles_of(ranges))
    return [range_hash(each, lambda level, n: tiles[level, n]) for each in ranges]


async def _tiles(
    connection: Connection, log: LogHead, wanted: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], bytes]:
    edge = {(at, log.size // 256 ** (at + 1)): hashes for at, hashes in enumerate(log.edge)}
    full = [key for key in wanted if key not in edge]
    rows = await connection.fetch(
        "SELECT level, n, hashes FROM log_tiles JOIN unnest($1::smallint[], $2::bigint[]) AS wanted (level, n)"
        " USING (level, n)",
        [level for level, _ in full], [n for _, n in full],
    )  # fmt: skip
    return edge | {(row["level"], row["n"]): row["hashes"] for row in rows}


async def heads_at(connection: Pool | Connection, size: int) -> list[HeadLine]:
    """Where each stream ended in the log of this size, in the order of their names."""
    rows = await connection.fetch(
        """
        SELECT l.stream, l.seq, e.hash FROM (
            SELECT stream, max(seq) AS seq FROM log_entries WHERE position < $1 GROUP BY stream
        ) AS l JOIN events e USING (stream, seq) ORDER BY l.stream COLLATE "C"
        """,
        size, timeout=_SECONDS,
    )  # fmt: skip
    return [HeadLine(*row) for row in rows]


async def waiting(connection: Pool | Connection) -> int:
    """Events without a place yet."""
    count: int = await connection.fetchval("SELECT coalesce(sum(last - first + 1), 0) FROM pending")
    return count
