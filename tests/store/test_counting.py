"""Indicators counted from the journal: again when it grows, added up by group, and only of what a visitor may see."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from journeys.domain import commands as c
from journeys.domain.record import Event, Payload
from journeys.domain.summary import summary
from journeys.indicators.definitions import VERSION, told
from journeys.store import counting
from journeys.store.counting import Cohort, Reach, Sum, reach, recount, sums
from journeys.store.journal import write
from journeys.store.offer import make_offer
from tests.domain.given import CALENDAR, Life, day, given, plan, released

pytestmark = pytest.mark.asyncio

NIGHT = "housed-first-night"
TODAY = date(2027, 12, 1)
EVERY = Cohort()


def telling(events: Sequence[Event[Payload]], texts: Mapping[str, str]) -> Any:
    """With the rules that the domain's tests play."""
    return told(events, {"0" * 64: released().book.programme.model_dump_json(), "1" * 64: CALENDAR})


class Kept:
    """A life whose record is in the journal, as far as it was put there."""

    def __init__(self, pool: Any, life: Life, site: str | None, person: str | None = None) -> None:
        self.pool, self.life, self.site = pool, life, site
        self.id, self.person, self.seq = str(uuid4()), person or str(uuid4()), 0

    async def put(self) -> None:
        """Store what has been added, with the row that lists show."""
        stream = f"journey-{self.id}"
        headers = [{**event.header(), "stream": stream} for event in self.life.events[self.seq :]]
        for header in headers:
            header.pop("prev", None)
        row = summary(self.life.state, self.life.book).model_dump(mode="json")
        view = {**row, "id": stream, "person": self.person, "site": self.site}
        async with self.pool.acquire() as connection:
            [written] = await write(connection, [make_offer(stream, self.seq, headers, view=view)])
        assert written.outcome == "accepted"
        self.seq = len(self.life.events)


def housed(value: str | None, release: str = "2027-03-01") -> Life:
    life = released(release)
    if value is not None:
        life.when(f"{release} 11:00", c.RecordSituation(situation="housing", value=value, since=day(release)))
    return life


async def kept(pool: Any, life: Life, site: str | None = "lyon", person: str | None = None) -> Kept:
    made = Kept(pool, life, site, person)
    await made.put()
    return made


async def of_night(pool: Any, by: Any = "site", cohort: Cohort = EVERY, today: date = TODAY) -> dict[Any, Any]:
    """yes, no, unknown, known, young of each group; `all` for all together."""
    return {
        "all" if each.whole else each.group: (each.yes, each.no, each.unknown, each.known, each.young)
        for each in await sums(pool, by, cohort, today)
        if each.code == NIGHT
    }


async def test_journeys_are_counted_once_and_again_when_their_record_grows(pool: Any) -> None:
    first = await kept(pool, housed("relay"))
    await kept(pool, housed(None), "lille")
    assert await reach(pool, EVERY, VERSION) == Reach(0, 0, 2)
    assert await recount(pool, telling, VERSION) == 2
    assert await recount(pool, telling, VERSION) == 0
    assert await of_night(pool) == {"all": (1, 0, 1, 1, 0), "lyon": (1, 0, 0, 1, 0), "lille": (0, 0, 1, 0, 0)}
    # Learnt nine months later: it was another night.
    first.life.when("2027-11-30", c.Correct(what="situation", id="housing", to="none"))
    await first.put()
    assert await reach(pool, EVERY, VERSION) == Reach(2, 0, 1)
    assert await recount(pool, telling, VERSION, limit=1) == 1
    assert (await of_night(pool))["lyon"] == (0, 1, 0, 1, 0)
    assert await reach(pool, EVERY, VERSION) == Reach(2, 0, 0)


async def test_other_definitions_count_everything_anew(pool: Any) -> None:
    await kept(pool, housed("relay"))
    await recount(pool, telling, VERSION)
    assert await recount(pool, telling, VERSION + 1) == 1


async def test_too_young_people_are_counted_apart_until_a_week_has_passed(pool: Any) -> None:
    await kept(pool, housed("own", "2027-03-01"))
    await recount(pool, telling, VERSION)
    assert await of_night(pool, today=date(2027, 3, 7)) == {"all": (0, 0, 0, 0, 1), "lyon": (0, 0, 0, 0, 1)}
    assert (await of_night(pool, today=date(2027, 3, 8)))["all"] == (1, 0, 0, 1, 0)


async def test_groups_by_month_and_cohorts(pool: Any) -> None:
    planned = given(("2027-01-11 10:00", plan("2027-06-01")))
    for life, site in ((housed("own"), "lyon"), (housed("none", "2027-04-01"), None), (planned, "lyon")):
        await kept(pool, life, site)
    await recount(pool, telling, VERSION)
    assert await of_night(pool, "month") == {
        "all": (1, 1, 0, 2, 0), "2027-03": (1, 0, 0, 1, 0), "2027-04": (0, 1, 0, 1, 0),
    }  # fmt: skip
    assert await of_night(pool, "site") == {"all": (1, 1, 0, 2, 0), "lyon": (1, 0, 0, 1, 0), None: (0, 1, 0, 1, 0)}
    april = Cohort(programme="house", begins=date(2027, 4, 1), ends=date(2027, 5, 1))
    assert await of_night(pool, "programme", april) == {"all": (0, 1, 0, 1, 0), "house": (0, 1, 0, 1, 0)}
    assert await reach(pool, april, VERSION) == Reach(1, 1, 0)
    assert await of_night(pool, "programme", Cohort(programme="other")) == {}


async def test_whoever_counts_in_a_round_rests_between_batches(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        await kept(pool, housed("own"), "lyon")
    waited: list[float] = []
    monkeypatch.setattr(counting, "_BATCH", 1)
    monkeypatch.setattr(counting.asyncio, "sleep", lambda seconds: told_of(waited, seconds))
    assert await recount(pool, telling, VERSION, rest=4.0) == 3
    assert len(waited) == 3 and min(waited) > 0


async def told_of(waited: list[float], seconds: float) -> None:
    waited.append(seconds)


async def test_people_are_counted_once_also_with_two_journeys(pool: Any) -> None:
    twice = str(uuid4())
    await kept(pool, housed("own"), "lyon", twice)
    await kept(pool, housed("none", "2027-08-02"), "lyon", twice)
    await recount(pool, telling, VERSION)
    assert (await of_night(pool))["all"] == (1, 1, 0, 1, 0)


async def test_a_record_that_cannot_be_read_is_told_and_holds_up_no_other(pool: Any) -> None:
    bad = await kept(pool, housed("own"))
    await kept(pool, housed("own"))

    def picky(events: Sequence[Event[Payload]], texts: Mapping[str, str]) -> Any:
        if events[0].stream.endswith(bad.id):
            raise ValueError("unknown event kind")
        return telling(events, texts)

    assert await recount(pool, picky, VERSION) == 2
    assert await reach(pool, EVERY, VERSION) == Reach(1, 0, 1)


async def test_what_is_kept_is_what_was_told(pool: Any) -> None:
    made = await kept(pool, housed("own"))
    await recount(pool, telling, VERSION)
    row = await pool.fetchrow("SELECT seq, begun, answers FROM counted WHERE journey = $1", made.id)
    assert (row["seq"], row["begun"]) == (made.seq, date(2027, 3, 1))
    assert json.loads(row["answers"]) == telling(made.life.events, {}).as_json()
    assert all(isinstance(each, Sum) for each in await sums(pool, "programme", EVERY, TODAY))
