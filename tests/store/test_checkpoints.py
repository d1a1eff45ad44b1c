"""Checkpoints: signed as the log grows, and refused where it holds less, or something else, than was signed before."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from journeys.domain.record import SYSTEM
from journeys.evidence.note import Checkpoint, Signer, open_checkpoint
from journeys.evidence.tree import Growing
from journeys.store import checkpoints, sequencing
from journeys.store.checkpoints import Copy, Refused, Signed
from journeys.store.database import open_pool
from journeys.store.directory import By
from journeys.store.journal import append
from journeys.store.signing import KeyRing

from .samples import new_stream, plain

pytestmark = pytest.mark.asyncio

SEED = b"5" * 32
AT = datetime(2027, 5, 12, 7, 30, tzinfo=UTC)
BY = By(actor=SYSTEM, role=SYSTEM, at=AT)


@pytest_asyncio.fixture
async def sequencer(dsn: str) -> AsyncIterator[Any]:
    opened = await open_pool(dsn, role="journeys_sequencer", largest=2)
    yield opened
    await opened.close()


async def grow(pool: Any, sequencer: Any, ring: KeyRing, events: int = 3) -> None:
    await append(pool, ring, plain(new_stream(), 0, events))
    await sequencing.sequence(sequencer)


async def sign(sequencer: Any, *copies: Copy, at: datetime = AT, seed: bytes = SEED) -> Signed | None:
    async def keep(made: Signed) -> None:
        kept.append(made.note)

    kept: list[str] = []
    made = await checkpoints.sign(sequencer, seed, copies, at, keep)
    assert kept == ([made.note] if made else [])
    return made


async def forget(owner: Any, size: int) -> None:
    """What a backup of earlier holds: the log as it was at a size."""
    for table in ("log_entries", "log_tiles", "checkpoints"):
        await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    rows = await owner.fetch("SELECT header FROM log_entries JOIN events USING (stream, seq) WHERE position < $1"
                             " ORDER BY position", size)  # fmt: skip
    from journeys.evidence.tree import leaf_hash

    tree = Growing()
    tree.grow(leaf_hash(row["header"]) for row in rows)
    await owner.execute("DELETE FROM log_entries WHERE position >= $1", size)
    await owner.execute("DELETE FROM checkpoints WHERE size > $1", size)
    await owner.execute("UPDATE log_head SET size = $1, edge = $2", size, list(tree.edge))


async def test_a_checkpoint_is_signed_when_the_log_has_grown(pool: Any, sequencer: Any, ring: KeyRing) -> None:
    assert await sign(sequencer) is None
    await grow(pool, sequencer, ring)
    first = await sign(sequencer)
    assert first is not None and first.size == 3
    said, key = open_checkpoint(first.note, [Signer(first.origin, SEED).verifier])
    assert said == Checkpoint(first.origin, 3, first.root) and key.name == first.origin
    assert await sign(sequencer) is None
    await grow(pool, sequencer, ring, 300)
    second = await sign(sequencer, Copy("elsewhere", first.note))
    assert second is not None and second.size == 303
    assert await checkpoints.last(pool, first.origin) == second


async def test_a_restored_backup_is_not_signed(pool: Any, sequencer: Any, owner: Any, ring: KeyRing) -> None:
    """The table lost its last checkpoint too; only what stands outside the database knows."""
    await grow(pool, sequencer, ring)
    await sign(sequencer)
    await grow(pool, sequencer, ring)
    outside = await sign(sequencer)
    assert outside is not None
    await forget(owner, 3)
    with pytest.raises(Refused) as refused:
        await sign(sequencer, Copy("share", outside.note))
    assert (refused.value.code, refused.value.where, refused.value.held, refused.value.size) == (
        "smaller",
        "share",
        6,
        3,
    )
    kept = await checkpoints.refusal(pool)
    assert kept is not None and (kept.code, kept.where, kept.at) == ("smaller", "share", AT)
    # Grown past it again with other events, it is still another log.
    await grow(pool, sequencer, ring, 5)
    with pytest.raises(Refused, match="inconsistent: share holds 6, the log has 8"):
        await sign(sequencer, Copy("share", outside.note))
    # The guard taken away (nobody outside holds a copy), it signs a fork: this is what the copies are for.
    forked = await sign(sequencer)
    assert forked is not None and forked.size == 8 and await checkpoints.refusal(pool) is None


async def test_a_tree_that_was_changed_is_not_signed(pool: Any, sequencer: Any, owner: Any, ring: KeyRing) -> None:
    await grow(pool, sequencer, ring, 300)
    await sign(sequencer)
    await grow(pool, sequencer, ring, 300)
    edge = (await sequencing.head(pool)).edge
    await owner.execute("UPDATE log_head SET edge[2] = set_byte(edge[2], 0, get_byte(edge[2], 0) # 1)")
    with pytest.raises(Refused, match="inconsistent: table holds 300"):
        await sign(sequencer)
    await owner.execute("UPDATE log_head SET edge = $1", list(edge))
    await owner.execute("ALTER TABLE log_tiles DISABLE TRIGGER ALL")
    await owner.execute("DELETE FROM log_tiles WHERE n = 1")
    with pytest.raises(Refused, match="broken-tree"):
        await sign(sequencer)


async def test_what_nobody_can_read_stops_the_signing(pool: Any, sequencer: Any, ring: KeyRing) -> None:
    await grow(pool, sequencer, ring)
    made = await sign(sequencer)
    assert made is not None
    stranger = Signer(made.origin, b"6" * 32).sign(Checkpoint(made.origin, 99, made.root))
    for note in ("", "x", made.note.replace("\n3\n", "\n4\n"), stranger):
        with pytest.raises(Refused, match="unreadable-copy: own"):
            await sign(sequencer, Copy("own", note))


async def test_keys_are_facts_and_a_revoked_one_signs_no_more(pool: Any, sequencer: Any, ring: KeyRing) -> None:
    await grow(pool, sequencer, ring)
    origin = (await sequencing.head(pool)).origin
    old, new = (Signer(origin, seed).verifier for seed in (SEED, b"6" * 32))
    assert await checkpoints.announce(pool, old, AT) and not await checkpoints.announce(pool, old, AT)
    await sequencing.sequence(sequencer)
    first = await sign(sequencer)
    assert await checkpoints.announce(pool, new, AT)
    await sequencing.sequence(sequencer)
    # The former key's copies are still known.
    assert first is not None and await sign(sequencer, Copy("share", first.note), seed=b"6" * 32)
    assert await checkpoints.revoke(pool, old.vkey(), "volée", BY)
    assert not await checkpoints.revoke(pool, old.vkey(), "volée", BY)
    await sequencing.sequence(sequencer)
    with pytest.raises(Refused, match="revoked-key"):
        await sign(sequencer)
    assert await sign(sequencer, seed=b"6" * 32)
    found = await checkpoints.keys(pool)
    assert (found.used, found.revoked) == ((old, new), {old.vkey()})
    again = Signer("release-journeys/again", SEED).verifier
    assert await checkpoints.announce(pool, again, AT)
    found = await checkpoints.keys(pool)
    assert not found.counts(again) and found.counts(new), "stolen is stolen, under any name of the log"
    assert not await checkpoints.revoke(pool, again.vkey(), "volée", BY)


@pytest.mark.parametrize(
    "damage", ["header = 'x'", """header = convert_to(replace(convert_from(header, 'UTF8'), '+', '*'), 'UTF8')"""]
)
async def test_a_fact_of_the_log_that_cannot_be_read_stops_the_signing_and_says_so(
    pool: Any, sequencer: Any, owner: Any, ring: KeyRing, damage: str
) -> None:
    await grow(pool, sequencer, ring)
    key = Signer((await sequencing.head(pool)).origin, SEED).verifier
    assert await checkpoints.announce(pool, key, AT)
    assert await checkpoints.snapshot(sequencer, pool, AT.date(), AT)
    await owner.execute("ALTER TABLE events DISABLE TRIGGER ALL")
    await owner.execute(f"UPDATE events SET {damage} WHERE stream = 'system' AND kind = 'CheckpointKeyUsed'")
    assert (await checkpoints.keys(pool)).unreadable == (1,)
    assert await checkpoints.announce(pool, key, AT), "it is on record again"
    with pytest.raises(Refused, match="unreadable-fact: system/1"):
        await sign(sequencer)
    kept = await checkpoints.refusal(pool)
    assert kept is not None and (kept.code, kept.where) == ("unreadable-fact", "system/1")
    # What is left of the damage stays named; the log goes on only by somebody's word.
    assert await checkpoints.begin_anew(sequencer, pool, "endommagé", BY)
    assert await sign(sequencer) is not None
    await owner.execute("UPDATE events SET header = 'x' WHERE stream = 'system' AND kind = 'HeadsSnapshot'")
    assert await checkpoints.last_snapshot(pool) is None


async def test_what_cannot_be_kept_outside_is_not_signed(pool: Any, sequencer: Any, ring: KeyRing) -> None:
    async def keep(made: Signed) -> None:
        raise OSError("disk full")

    await grow(pool, sequencer, ring)
    with pytest.raises(OSError, match="disk full"):
        await checkpoints.sign(sequencer, SEED, (), AT, keep)
    assert await pool.fetchval("SELECT count(*) FROM checkpoints") == 0


async def test_a_death_between_the_note_outside_and_the_table_loses_and_forks_nothing(
    pool: Any, sequencer: Any, ring: KeyRing
) -> None:
    outside: list[str] = []

    async def keep_and_die(made: Signed) -> None:
        outside.append(made.note)
        raise asyncio.CancelledError

    await grow(pool, sequencer, ring)
    with pytest.raises(asyncio.CancelledError):
        await checkpoints.sign(sequencer, SEED, (), AT, keep_and_die)
    assert await pool.fetchval("SELECT count(*) FROM checkpoints") == 0
    again = await sign(sequencer, Copy("own", outside[0]))
    assert again is not None and again.note == outside[0]


async def test_a_snapshot_says_once_a_day_where_every_stream_ended(pool: Any, sequencer: Any, ring: KeyRing) -> None:
    day = date(2027, 5, 12)
    assert not await checkpoints.snapshot(sequencer, pool, day, AT)
    await grow(pool, sequencer, ring)
    assert await checkpoints.snapshot(sequencer, pool, day, AT)
    assert not await checkpoints.snapshot(sequencer, pool, day, AT)
    await sequencing.sequence(sequencer)
    assert await checkpoints.snapshot(sequencer, pool, day + timedelta(days=400), AT)
    assert await checkpoints.snapshot(sequencer, pool, day + timedelta(days=1), AT), "that clock ran ahead"
    assert not await checkpoints.snapshot(sequencer, pool, day + timedelta(days=1), AT)
    told = [json.loads(row["header"])["data"] for row in await pool.fetch(
        "SELECT header FROM events WHERE stream = 'system' ORDER BY seq")]  # fmt: skip
    assert [(each["size"], each["count"]) for each in told] == [(3, 1), (4, 2), (4, 2)]


async def test_a_log_goes_on_under_a_new_name_only_after_a_refusal(
    pool: Any, sequencer: Any, owner: Any, ring: KeyRing
) -> None:
    await grow(pool, sequencer, ring, 6)
    outside = await sign(sequencer)
    assert outside is not None
    assert await checkpoints.begin_anew(sequencer, pool, "restauré", BY) is None
    await forget(owner, 3)
    with pytest.raises(Refused):
        await sign(sequencer, Copy("share", outside.note))
    fact = await checkpoints.begin_anew(sequencer, pool, "restauré", BY)
    assert fact is not None and (fact.former, fact.size, fact.held) == (outside.origin, 3, 6)
    await sequencing.sequence(sequencer)
    made = await sign(sequencer, Copy("share", outside.note))
    assert made is not None and made.origin == fact.origin != outside.origin
    assert base64.b64encode(made.root).decode() in made.note
    # Restored once more, from before: the log has its first name again, and nothing on record knows the second.
    former, later = Copy("own", outside.note), Copy("own", made.note)
    await forget(owner, 3)
    await owner.execute("ALTER TABLE events DISABLE TRIGGER ALL")
    await owner.execute("ALTER TABLE streams DISABLE TRIGGER ALL")
    for table in ("events", "streams", "pending"):
        await owner.execute(f"DELETE FROM {table} WHERE stream = 'system'")
    await owner.execute("DELETE FROM parts WHERE stream = 'system'")
    await owner.execute("UPDATE log_head SET origin = $1", outside.origin)
    await grow(pool, sequencer, ring, 3)
    with pytest.raises(Refused, match=f"other-name: own: {fact.origin} holds {made.size}"):
        await sign(sequencer, later)
    # Nor is a name changed by hand a new one.
    await sequencer.execute("UPDATE log_head SET origin = 'release-journeys/by-hand'")
    with pytest.raises(Refused, match=f"other-name: own: {outside.origin}"):
        await sign(sequencer, former)
    anew = await checkpoints.begin_anew(sequencer, pool, "restauré", BY, [former, later])
    assert anew is not None
    assert [(each.former, each.held) for each in (await checkpoints.names(pool)).begun] == [
        ("release-journeys/by-hand", 0), (outside.origin, 6), (fact.origin, made.size),
    ]  # fmt: skip
    await sequencing.sequence(sequencer)
    assert await sign(sequencer, former, later) is not None
    await sequencer.execute("UPDATE log_head SET origin = $1", fact.origin)
    with pytest.raises(Refused, match=f"other-name: {anew.origin}"):
        await sign(sequencer, former, later)


async def test_deliveries_are_kept_and_failures_counted(pool: Any, sequencer: Any, ring: KeyRing) -> None:
    await grow(pool, sequencer, ring)
    made = await sign(sequencer)
    assert made is not None
    for minutes, reason in enumerate(("timeout", "timeout", "")):
        await checkpoints.note_delivery(sequencer, "mail-1", made, AT + timedelta(minutes=minutes), reason)
        standing = (await checkpoints.standings(pool, made.origin))["mail-1"]
        assert (standing.failures, standing.reason) == ((minutes + 1, "timeout") if reason else (0, None))
        assert standing.since == (AT if reason else None)
    assert standing.size == 3 and standing.delivered_at == AT + timedelta(minutes=2)
