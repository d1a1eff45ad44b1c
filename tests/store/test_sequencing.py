"""The log: every event once, in one order without gaps, whatever commits late; and no append ever waits for it."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from journeys.evidence.tree import EMPTY_ROOT, Range, consistency, consistent, leaf_hash, root_of
from journeys.store import sequencing
from journeys.store.database import open_pool
from journeys.store.journal import append
from journeys.store.migrating import FOLDER, migrate
from journeys.store.offer import make_offer
from journeys.store.signing import KeyRing

from .samples import new_stream, noted, plain

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def sequencer(dsn: str) -> AsyncIterator[Any]:
    opened = await open_pool(dsn, role="journeys_sequencer", largest=2)
    yield opened
    await opened.close()


async def entries(pool: Any) -> list[Any]:
    return list(await pool.fetch(
        "SELECT l.position, l.stream, l.seq, e.header FROM log_entries l JOIN events e USING (stream, seq) ORDER BY 1"
    ))  # fmt: skip


async def test_every_event_gets_one_place_and_the_tree_is_over_all(pool: Any, sequencer: Any, ring: KeyRing) -> None:
    assert (await sequencing.head(pool)).root() == EMPTY_ROOT
    streams = [new_stream() for _ in range(4)]
    for seq in range(3):
        for stream in streams:
            await append(pool, ring, noted(stream, seq, ring))
        assert await sequencing.sequence(sequencer) == 4
    assert await sequencing.sequence(sequencer) == 0 == await sequencing.waiting(pool)
    found = await entries(pool)
    assert [row["position"] for row in found] == list(range(12))
    head = await sequencing.head(pool)
    assert (head.size, head.root()) == (12, root_of([leaf_hash(row["header"]) for row in found]))
    assert [line[:2] for line in await sequencing.heads_at(pool, 12)] == sorted((stream, 3) for stream in streams)
    assert [line.seq for line in await sequencing.heads_at(pool, 8)] == [2] * 4


async def test_a_commit_that_comes_late_is_not_passed_over(pool: Any, sequencer: Any, ring: KeyRing) -> None:
    late, early = new_stream(), new_stream()
    async with pool.acquire() as connection, connection.transaction():
        from journeys.store.journal import write

        await write(connection, [make_offer(late, 0, plain(late, 0).events)])
        await append(pool, ring, plain(early, 0))
        assert await sequencing.sequence(sequencer) == 1
    assert await sequencing.sequence(sequencer) == 1
    assert [(row["position"], row["stream"]) for row in await entries(pool)] == [(0, early), (1, late)]


async def test_appends_go_on_while_a_sequencer_is_held_open(pool: Any, sequencer: Any, ring: KeyRing) -> None:
    stream = new_stream()
    await append(pool, ring, plain(stream, 0))
    async with sequencer.acquire() as held, held.transaction():
        size = await held.fetchval("SELECT size FROM log_head FOR UPDATE")
        assert len(await held.fetch(sequencing._TAKE, size, 5_000)) == 1
        for seq in range(1, 20):
            # The pool's own limit is three seconds; a lock would be waited for until then.
            assert (await asyncio.wait_for(append(pool, ring, plain(stream, seq)), 1)).accepted
        assert await sequencing.sequence(sequencer) == 0, "another sequencer finds the log taken and leaves"
        await held.execute("UPDATE log_head SET size = 1, edge = ARRAY[sha256('')]")
    assert await sequencing.sequence(sequencer) == 19
    assert [row["seq"] for row in await entries(pool)] == list(range(1, 21))


async def test_many_writers_and_two_sequencers_at_once_place_everything_once(
    pool: Any, sequencer: Any, ring: KeyRing
) -> None:
    done = asyncio.Event()

    async def write() -> None:
        stream = new_stream()
        for seq in range(25):
            await append(pool, ring, plain(stream, seq))

    async def place() -> None:
        while not done.is_set():
            await sequencing.sequence(sequencer)
            await asyncio.sleep(0)

    placing = [asyncio.create_task(place()) for _ in range(2)]
    await asyncio.gather(*(write() for _ in range(8)))
    done.set()
    await asyncio.gather(*placing)
    await sequencing.sequence(sequencer)
    found = await entries(pool)
    assert [row["position"] for row in found] == list(range(200))
    for stream in {row["stream"] for row in found}:
        assert [row["seq"] for row in found if row["stream"] == stream] == list(range(1, 26))
    assert (await sequencing.head(pool)).root() == root_of([leaf_hash(row["header"]) for row in found])


async def test_without_its_lock_two_sequencers_meet_at_the_key(pool: Any, sequencer: Any, ring: KeyRing) -> None:
    """The guard taken away: the log's own key still lets only one of them in."""
    for _ in range(2):
        await append(pool, ring, plain(new_stream(), 0))
    import asyncpg

    async with sequencer.acquire() as one, sequencer.acquire() as other:
        await one.execute("BEGIN")
        await one.execute("DELETE FROM pending WHERE ctid = (SELECT min(ctid) FROM pending)")
        await one.execute("INSERT INTO log_entries SELECT 0, stream, 1 FROM streams ORDER BY stream LIMIT 1")
        waits = asyncio.create_task(
            other.execute("INSERT INTO log_entries SELECT 0, stream, 1 FROM streams ORDER BY stream DESC LIMIT 1")
        )
        await asyncio.sleep(0.1)
        await one.execute("COMMIT")
        with pytest.raises(asyncpg.UniqueViolationError):
            await waits


async def test_a_clock_that_ran_backwards_does_not_turn_a_stream_around(
    pool: Any, sequencer: Any, owner: Any, ring: KeyRing
) -> None:
    stream = new_stream()
    for seq in range(4):
        await append(pool, ring, plain(stream, seq))
    await owner.execute("ALTER TABLE events DISABLE TRIGGER ALL")
    await owner.execute("UPDATE events SET wall = wall - interval '1 hour' * seq")
    await sequencing.sequence(sequencer)
    assert [row["seq"] for row in await entries(pool)] == [1, 2, 3, 4]


async def test_batches_keep_streams_in_order_and_tiles_full(
    pool: Any, sequencer: Any, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = [new_stream() for _ in range(3)]
    roots = {}
    for round in range(3):
        for stream in streams:
            await append(pool, ring, plain(stream, round * 70, 70))
        monkeypatch.setattr(sequencing, "AT_ONCE", 1)
        await sequencing.sequence(sequencer)
        head = await sequencing.head(pool)
        roots[head.size] = head.root()
    assert head.size == 630
    leaves = [leaf_hash(row["header"]) for row in await entries(pool)]
    assert head.root() == root_of(leaves)
    assert await pool.fetchval("SELECT count(*) FROM log_tiles") == 2
    for size, root in roots.items():
        assert await sequencing.hashes(pool, head, [Range(0, size)]) == [root]
        proof = await sequencing.hashes(pool, head, consistency(size, 630))
        assert consistent(size, root, 630, head.root(), proof)


async def test_a_database_of_before_has_its_events_pending(empty_dsn: str, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(FOLDER, old)
    for path in old.glob("*.sql"):
        if path.name >= next(FOLDER.glob("*_log.sql")).name:
            path.unlink()
    await migrate(empty_dsn, folder=old)
    before = await asyncpg.connect(empty_dsn)
    for events in (5, 3):
        offer = make_offer(stream := new_stream(), 0, plain(stream, 0, events).events)
        # Parts were two columns then, text and salt.
        asked = [*offer.arguments()[:7], [], *offer.arguments()[7:]]
        named = ", ".join(f"${n}" for n in range(1, len(asked) + 1))
        assert (await before.fetchrow(f"SELECT * FROM journal_append({named})", *asked))["outcome"] == "accepted"
    await before.close()
    await migrate(empty_dsn)
    sequencer = await open_pool(empty_dsn, role="journeys_sequencer", largest=1)
    assert await sequencing.sequence(sequencer) == 8
    await sequencer.close()
