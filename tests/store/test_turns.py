"""So many messages a second from all workers, whatever comes at once: nobody is kept long, nobody is forgotten."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.pacing import HELD, SharedPace
from journeys.store import turns

pytestmark = pytest.mark.asyncio

BEGUN = datetime(2027, 5, 12, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(("at_once", "per_second"), [(200, 10.0), (50, 0.5), (3, 100.0)])
async def test_many_at_once_leave_one_after_the_other_and_come_back_once(
    pool: Any, at_once: int, per_second: float
) -> None:
    """Played without a clock: whoever is turned away asks again when it was told to. An urgent one in between waits
    for those only who have a turn already."""
    apart, asked = timedelta(seconds=1 / per_second), 0
    waiting: list[tuple[datetime, int]] = [(BEGUN, number) for number in range(at_once)]
    left: list[datetime] = []
    while waiting:
        now, number = heapq.heappop(waiting)
        its_turn, seconds = await turns.take(pool, "bulk", apart, HELD, now)
        asked += 1
        then = now + timedelta(seconds=seconds)
        if its_turn:
            assert then - now <= HELD
            left.append(then)
        else:
            heapq.heappush(waiting, (then, number))
        if asked == at_once // 2:
            ahead, seconds = await turns.take(pool, "bulk", apart, HELD + 9 * apart, now)
            assert ahead and seconds <= HELD.total_seconds() + apart.total_seconds()
            left.append(now + timedelta(seconds=seconds))
    assert len(left) == at_once + 1
    gaps = [later - sooner for sooner, later in zip(sorted(left), sorted(left)[1:], strict=False)]
    assert min(gaps) >= apart - timedelta(microseconds=1)
    assert max(left) - BEGUN <= (at_once + 1) * apart + HELD
    assert asked <= 3 * at_once, "who was turned away has a turn when it comes back"


async def test_a_clock_that_ran_ahead_keeps_nobody_from_a_turn(pool: Any) -> None:
    apart, ahead = timedelta(seconds=1), BEGUN + timedelta(hours=9)
    for now, given in ((ahead, [True, True, True, False, False]), (BEGUN, [True, True, True, False])):
        found = [await turns.take(pool, "ahead", apart, HELD, now) for _ in given]
        assert [its_turn for its_turn, _ in found] == given
        assert [seconds for _, seconds in found] == [0, 1, 2, 4, 5][: len(given)]


async def test_two_workers_share_the_turns_and_what_is_urgent_waits_where_the_rest_is_turned_away(pool: Any) -> None:
    workers = [SharedPace(pool, "gateway", 1.0) for _ in range(2)]
    given = await asyncio.gather(*(each.turn(ahead=False) for each in workers * 12))
    assert 3 <= sum(its_turn for its_turn, _ in given) <= 6, "at once, after one and two seconds, and what that took"
    assert (await workers[0].turn(ahead=True))[0] and not (await workers[1].turn(ahead=False))[0]
    assert (await SharedPace(pool, "another", 1.0).turn(ahead=False))[0]


async def test_without_the_store_nobody_has_a_turn(pool: Any) -> None:
    pace = SharedPace(pool, "gateway", 10.0)
    await pool.close()
    assert (await pace.turn(ahead=True)) == (False, 5.0)
