"""Offers stored together: fewer transactions, each its own answer, and one that fails fails alone."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from journeys.store import journal
from journeys.store.database import open_pool
from journeys.store.group_commit import GroupCommit
from journeys.store.journal import append
from journeys.store.offer import BadOffer, Offer
from journeys.store.signing import KeyRing
from tests.store.samples import new_stream
from tests.store.test_journal import assert_linked, noted, plain

pytestmark = pytest.mark.asyncio

TRANSACTIONS = "SELECT count(DISTINCT xmin::text) FROM events"


def spoiled(stream: str) -> Offer:
    """An offer that the database refuses: its commands' ids are none."""
    offer = journal.make_offer(stream, 0, [])
    return Offer(**{name: getattr(offer, name) for name in Offer.__slots__} | {"kinds": [], "headers": [b"{}"]})


async def test_offers_of_forty_journeys_share_transactions(pool: Any, ring: KeyRing) -> None:
    streams = [new_stream() for _ in range(40)]
    for stream in streams:  # Nobody waits for a key: they come at the same time.
        await pool.keys.assign(stream, str(uuid4()))
    results = await asyncio.gather(*(append(pool, ring, noted(stream, 0, ring)) for stream in streams))
    assert all(result.accepted for result in results)
    for stream in streams:
        await assert_linked(pool, stream, 1)
    assert await pool.fetchval(TRANSACTIONS) <= 20


async def test_one_at_a_time_each_is_stored_at_once(pool: Any, ring: KeyRing) -> None:
    for _ in range(5):
        assert (await append(pool, ring, plain(new_stream(), 0))).accepted
    assert await pool.fetchval(TRANSACTIONS) == 5


async def test_each_offer_of_a_group_has_its_own_answer(pool: Any, ring: KeyRing) -> None:
    stale, known, fresh = new_stream(), new_stream(), [new_stream() for _ in range(6)]
    await append(pool, ring, plain(stale, 0))
    before = noted(known, 0, ring)
    await append(pool, ring, before)
    repeated = noted(known, 1, ring).model_copy(update={"answered": before.answered})
    waiting = [plain(stale, 0), repeated, *(plain(stream, 0) for stream in fresh)]
    results = await asyncio.gather(*(append(pool, ring, request) for request in waiting))
    assert [result.accepted for result in results] == [False, False, *[True] * 6]
    assert results[1].known == (before.answered[0].answer,)
    await assert_linked(pool, stale, 1)


async def test_an_offer_that_comes_as_a_lane_ends_is_stored(pool: Any, ring: KeyRing) -> None:
    """The last of a burst of callers offers again in the very step in which it is answered."""

    async def write(stream: str, times: int) -> None:
        for seq in range(times):
            assert (await append(pool, ring, noted(stream, seq, ring))).accepted

    for lanes in (1, 2):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(journal, "LANES", lanes)
            journal._GROUPS.pop(pool, None)
            await asyncio.wait_for(asyncio.gather(*(write(new_stream(), 25) for _ in range(4))), 30)


async def test_two_offers_of_one_journey_are_never_in_one_transaction(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    results = await asyncio.gather(*(append(pool, ring, plain(stream, 0)) for _ in range(12)))
    assert sum(result.accepted for result in results) == 1
    await assert_linked(pool, stream, 1)


async def test_an_offer_that_the_database_refuses_fails_alone(pool: Any) -> None:
    group = GroupCommit(pool, journal._write_group, at_most=4, lanes=3)
    good = [journal.make_offer(new_stream(), 0, [], view=None) for _ in range(3)]
    results = await asyncio.gather(
        *(group.store(offer) for offer in (good[0], good[1], spoiled(new_stream()), good[2])), return_exceptions=True
    )
    assert [type(result).__name__ for result in results[:2]] == ["Written", "Written"]
    assert isinstance(results[2], asyncpg.PostgresError)
    assert type(results[3]).__name__ == "Written"


async def test_without_the_second_offer_alone_a_whole_group_fails(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def all_or_none(self: GroupCommit, waiting: Any) -> None:
        try:
            written = await self._write(self._pool, [offer for offer, _ in waiting])
        except Exception as error:
            for _, stored in waiting:
                stored.set_exception(error)
            return
        for (_, stored), one in zip(waiting, written, strict=True):
            stored.set_result(one)

    monkeypatch.setattr(GroupCommit, "_store", all_or_none)
    group = GroupCommit(pool, journal._write_group, at_most=4, lanes=3)
    offers = [journal.make_offer(new_stream(), 0, []) for _ in range(8)]
    results = await asyncio.gather(
        *(group.store(offer) for offer in (spoiled(new_stream()), *offers)), return_exceptions=True
    )
    assert sum(isinstance(result, Exception) for result in results) > 1


async def test_two_workers_with_the_same_journeys_do_not_lock_each_other_out(dsn: str, ring: KeyRing) -> None:
    first, second = await open_pool(dsn), await open_pool(dsn)
    streams = [new_stream() for _ in range(16)]
    try:
        for seq in range(6):
            await asyncio.gather(
                *(append(first, ring, plain(stream, seq)) for stream in streams),
                *(append(second, ring, plain(stream, seq)) for stream in reversed(streams)),
            )
        assert await first.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0
        for stream in streams:
            await assert_linked(first, stream, 6)
    finally:
        await first.close()
        await second.close()


async def test_what_a_caller_gave_up_is_not_waited_for_by_the_others(pool: Any, ring: KeyRing) -> None:
    streams = [new_stream() for _ in range(8)]
    calls = [asyncio.create_task(append(pool, ring, noted(stream, 0, ring))) for stream in streams]
    await asyncio.sleep(0)
    calls[3].cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results].count(True) == 1
    assert all(result.accepted for result in results if not isinstance(result, BaseException))


async def test_a_bad_offer_never_reaches_a_group(pool: Any, ring: KeyRing) -> None:
    wrong = plain(new_stream(), 0).model_copy(update={"stream": new_stream()})
    with pytest.raises(BadOffer):
        await append(pool, ring, wrong)
