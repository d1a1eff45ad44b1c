"""Places are taken under a lock of the cohort's row, and the rows are what its stream says."""

import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from journeys.authoring.reading import read_programme
from journeys.domain import cohort as rules
from journeys.domain.cohort import Deciding
from journeys.domain.deciding import Refusal
from journeys.domain.programme import compile_programme
from journeys.store import cohorts
from journeys.store.directory import AlreadyThere, By, NotFound

from .samples import ACTOR, NOW

pytestmark = pytest.mark.asyncio
BY = By(actor=ACTOR, role="supervisor", at=NOW)
ACTICE = compile_programme(read_programme("actice").text)
DATES = {"jury": date(2027, 6, 1), "opening": date(2027, 9, 1)}


async def opened(pool: Any, places: int = 1, name: str = "Promotion 2027") -> str:
    id = str(uuid4())
    await cohorts.open_cohort(pool, id, name, rules.opened(ACTICE, places, DATES, NOW.date()), BY)
    return id


async def join(pool: Any, cohort: str, journey: str) -> None:
    await cohorts.change(pool, cohort, lambda work: rules.join(work, journey, "actice", over=False), BY)


async def ranks(pool: Any, cohort: str) -> dict[str, int | None]:
    return {each.journey: each.rank for each in await cohorts.members(pool, cohort)}


async def rush(pool: Any, places: int, comers: int) -> tuple[str, int]:
    """So many journeys at once: the cohort, and how many have a place by its stream."""
    cohort = await opened(pool, places)
    await asyncio.gather(*(join(pool, cohort, str(uuid4())) for _ in range(comers)))
    return cohort, len((await cohorts.folded(pool, cohort)).held)


async def test_two_at_once_for_the_last_place_one_has_it_and_one_waits(pool: Any) -> None:
    cohort, held = await rush(pool, places=1, comers=2)
    assert held == 1
    assert sorted((await ranks(pool, cohort)).values(), key=str) == [1, None]


async def test_a_rush_fills_the_places_and_queues_the_rest(pool: Any) -> None:
    cohort, held = await rush(pool, places=4, comers=12)
    assert held == 4
    assert sorted(rank for rank in (await ranks(pool, cohort)).values() if rank is not None) == list(range(1, 9))


async def test_without_the_lock_both_are_given_the_last_place(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_read, read = asyncio.Barrier(2), cohorts.folded

    async def unlocked(connection: Any, id: str) -> str:
        name: str = await connection.fetchval("SELECT name FROM cohorts WHERE id = $1", id)
        return name

    async def together(connection: Any, id: str) -> rules.Cohort:
        known = await read(connection, id)
        await both_have_read.wait()
        return known

    cohort = await opened(pool)
    with monkeypatch.context() as unguarded:
        unguarded.setattr(cohorts, "_locked", unlocked)
        unguarded.setattr(cohorts, "folded", together)
        await asyncio.gather(*(join(pool, cohort, str(uuid4())) for _ in range(2)))
    assert len((await read(pool, cohort)).held) == 2, "nothing but the lock keeps the second comer waiting"


async def test_a_journey_is_in_one_cohort(pool: Any) -> None:
    first, second, journey = await opened(pool), await opened(pool, name="Promotion 2028"), str(uuid4())
    await join(pool, first, journey)
    with pytest.raises(Refusal, match="in-another-cohort"):
        await join(pool, second, journey)
    assert (await cohorts.folded(pool, second)).seq == 1, "nothing was written"


async def test_a_name_is_taken_once_and_an_unknown_cohort_is_said(pool: Any) -> None:
    await opened(pool)
    with pytest.raises(AlreadyThere):
        await opened(pool)
    with pytest.raises(NotFound):
        await cohorts.change(pool, str(uuid4()), rules.close, BY)


async def test_the_lists_are_made_again_from_the_stream(pool: Any, owner: Any) -> None:
    cohort, journeys = await opened(pool, 2), [str(uuid4()) for _ in range(4)]
    for journey in journeys:
        await join(pool, cohort, journey)
    await cohorts.change(pool, cohort, lambda work: rules.move(work, "jury", date(2027, 7, 1), NOW.date()), BY)
    await cohorts.change(pool, cohort, lambda work: rules.leave(work, journeys[0]), BY)
    shown = await cohorts.cohort(pool, cohort), await ranks(pool, cohort)
    assert shown[1] == {journeys[1]: None, journeys[2]: None, journeys[3]: 1}
    await owner.execute("DELETE FROM cohort_places")
    await owner.execute("DELETE FROM cohorts")
    assert await cohorts.rebuild(pool) == 1
    assert (await cohorts.cohort(pool, cohort), await ranks(pool, cohort)) == shown


async def test_what_is_refused_writes_nothing(pool: Any) -> None:
    cohort = await opened(pool)

    def past(work: Deciding) -> None:
        rules.move(work, "jury", date(2027, 1, 1), NOW.date())

    with pytest.raises(Refusal):
        await cohorts.change(pool, cohort, past, BY)
    assert (await cohorts.folded(pool, cohort)).seq == 1


async def test_rows_that_say_otherwise_than_their_stream_are_found(pool: Any) -> None:
    cohort, other = await opened(pool), await opened(pool, name="Promotion 2028")
    first, second = str(uuid4()), str(uuid4())
    await join(pool, cohort, first)
    await join(pool, cohort, second)
    assert await cohorts.apart(pool) == (2, [])
    asked = f"SELECT ({cohorts.PLACE}) FROM (SELECT $1::uuid AS id) AS j"
    place = cohorts.read_place(await pool.fetchval(asked, second))
    assert place is not None and (place.cohort, place.name, place.rank) == (cohort, "Promotion 2027", 1)
    for change in (
        "UPDATE cohorts SET places = 9 WHERE id = $1",
        "UPDATE cohorts SET dates = jsonb_set(dates, '{0,1}', '\"2029-01-01\"') WHERE id = $1",
        "UPDATE cohorts SET closed = true WHERE id = $1",
        "DELETE FROM cohort_places WHERE cohort = $1 AND rank IS NULL",
    ):
        await pool.execute(change, cohort)
        assert await cohorts.apart(pool) == (2, [cohort]), change
        await cohorts.rebuild(pool)
        assert await cohorts.apart(pool) == (2, []), other
