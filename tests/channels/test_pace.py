"""So many messages a second, whatever comes at once: nobody is kept long, nobody is forgotten."""

import heapq

import pytest

from journeys.channels import pace
from journeys.channels.letter import Fate
from journeys.channels.pace import HELD_SECONDS, Pace
from journeys.channels.sms import Gateway, Own
from tests.channels.test_sms import letter


@pytest.mark.parametrize(("at_once", "per_second"), [(1_000, 10.0), (50, 0.5), (3, 100.0)])
def test_a_thousand_at_once_leave_one_after_the_other_and_come_back_once(
    monkeypatch: pytest.MonkeyPatch, at_once: int, per_second: float
) -> None:
    """Played without a clock: whoever is turned away asks again when it was told to."""
    now, given = [0.0], Pace(per_second)
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    waiting, left, asked = [(0.0, number) for number in range(at_once)], [], 0
    heapq.heapify(waiting)
    while waiting:
        now[0], number = heapq.heappop(waiting)
        its_turn, seconds = given.turn()
        asked += 1
        if its_turn:
            assert seconds <= HELD_SECONDS
            left.append(now[0] + seconds)
        else:
            heapq.heappush(waiting, (now[0] + seconds, number))
    assert len(left) == at_once
    gaps = [later - sooner for sooner, later in zip(sorted(left), sorted(left)[1:], strict=False)]
    assert min(gaps) >= 1 / per_second - 1e-6
    assert max(left) <= at_once / per_second + HELD_SECONDS
    assert asked <= 2 * at_once, "who was turned away has a turn when it comes back"


async def test_a_gateway_that_is_asked_too_fast_is_not_asked() -> None:
    """Nobody listens at this address: whoever had a turn found that out."""
    texter = Gateway(Own("http://127.0.0.1:1", "t"), pace=Pace(0.1))
    first, second = [await texter.send(letter()) for _ in range(2)]
    assert (first.fate, first.reason) == (Fate.NOTHING_LEFT, "sms-unreachable")
    assert (second.fate, second.reason) == (Fate.NOTHING_LEFT, "sms-paced")
    assert second.after_seconds is not None and second.after_seconds > HELD_SECONDS
