"""A cohort's days on the real server: told to each journey, told again after the engine was away, never twice."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest_asyncio

from activities import Resources
from activities.fleet import Fleet
from activities.tills import Tills
from journeys.app import cohorts as app
from journeys.app.cohorts import Known, Told
from journeys.authoring.reading import read_programme
from journeys.channels.bank import SimulatedBank
from journeys.channels.outbox import FileOutbox
from journeys.contract import Fate
from journeys.domain import cohort as rules
from journeys.domain import commands as c
from journeys.domain.events import DateExpected, DateMoved
from journeys.domain.programme import compile_programme
from journeys.issuing import days_owed
from journeys.store import cohorts
from journeys.store.directory import By
from journeys.store.letters import seal_letter
from journeys.temporal import Unreachable
from tests.conftest import RealStack
from tests.days import paris_today
from tests.workflow.conftest import RING, Engine, make_engine

TODAY = paris_today()
JURY, LATER, LATEST = (TODAY + timedelta(days=n) for n in (30, 37, 44))
FIRST_OPENING, OPENING = TODAY + timedelta(days=50), TODAY + timedelta(days=60)
BEGUN = [("opening", FIRST_OPENING), ("jury", JURY), ("opening", OPENING)]
"""What a journey was told that was planned, then given a place."""


@dataclass
class Gathering:
    """A cohort of two places, three journeys that asked for one in this order, and the fleet's round."""

    known: Known
    first: Engine
    second: Engine
    third: Engine
    fleet: Fleet

    @property
    def pool(self) -> Any:
        return self.first.pool

    async def change(self, decide: Any) -> None:
        await cohorts.change(self.pool, self.known.row.id, decide, _by())

    async def tell(self, *, away: bool = False) -> Told:
        async def client() -> Any:
            if away:
                raise Unreachable("the engine is away", Fate.NOT_TAKEN)
            return self.first.client

        return await app.tell(self.pool, RING, client, self.first.queue, self.known, datetime.now(UTC))

    async def ranks(self) -> dict[str, int | None]:
        return {each.journey: each.rank for each in await cohorts.members(self.pool, self.known.row.id)}


def _by() -> By:
    return By(actor=str(uuid.uuid4()), role="supervisor", at=datetime.now(UTC))


@pytest_asyncio.fixture
async def gathering(stack: RealStack, journal_pool: Any, tmp_path: Path) -> AsyncIterator[Gathering]:
    first = await make_engine(stack, journal_pool, "actice")
    journeys = [first, *(replace(first, stream=f"journey-{uuid.uuid4()}") for _ in range(2))]
    programme = compile_programme(read_programme("actice").text)
    id, dates = str(uuid.uuid4()), {"jury": JURY, "opening": OPENING}
    name = f"Promotion {uuid.uuid4()}"
    await cohorts.open_cohort(journal_pool, id, name, rules.opened(programme, 2, dates, TODAY), _by())
    row = await cohorts.cohort(journal_pool, id)
    assert row is not None
    fleet = Fleet(
        Resources(pool=journal_pool, ring=RING, tills=Tills({"sepa": SimulatedBank(journal_pool)}),
                  mailer=FileOutbox(tmp_path, partial(seal_letter, journal_pool.keys)), send=first.send)
    )  # fmt: skip
    async with first.worker():
        known = await app.known(journal_pool, row, datetime.now(UTC))
        made = Gathering(known, journeys[0], journeys[1], journeys[2], fleet)
        for each in journeys:
            await begin(each)
            journey = each.stream.removeprefix("journey-")
            await made.change(lambda work, journey=journey: rules.join(work, journey, "actice", over=False))
        yield made


async def begin(engine: Engine) -> None:
    now = datetime.now(UTC)
    body = c.Plan(person=engine.person, programme=engine.programme, calendar=engine.calendar,
                  referent=engine.referent, dates={"opening": FIRST_OPENING})  # fmt: skip
    assert (await engine.send(engine.command(body, now))).outcome == "accepted"


async def days(engine: Engine) -> list[tuple[str, date]]:
    """What a journey was told, in order."""
    told = [each.data for each in await engine.events()]
    return [(each.date, each.on) for each in told if isinstance(each, DateExpected | DateMoved)]


async def test_a_day_moves_for_all_also_when_the_engine_was_away_and_once(gathering: Gathering) -> None:
    first = await gathering.tell()
    assert (first.taken, first.refused, first.waiting) == (4, {}, 0), "two days for each of the two with a place"
    assert set(await days(gathering.second)) == set(BEGUN)
    assert await days(gathering.third) == BEGUN[:1], "whoever waits is told nothing"
    caused = [each.caused_by for each in await gathering.second.events() if isinstance(each.data, DateMoved)]
    assert {cause.stream for cause in caused if cause} == {cohorts.stream_of(gathering.known.row.id)}

    await gathering.change(lambda work: rules.move(work, "jury", LATER, TODAY))
    silent = await gathering.tell(away=True)
    assert (silent.taken, silent.waiting) == (0, 2)
    assert set(await days(gathering.first)) == set(BEGUN), "nothing has reached the journey"
    for _ in range(2):
        await gathering.fleet.wake()
        for each in (gathering.first, gathering.second):
            assert (await days(each))[3:] == [("jury", LATER)]
    assert (await gathering.tell()).taken == 0


async def test_a_journey_that_ends_makes_room_for_whoever_waits(gathering: Gathering) -> None:
    await gathering.tell()
    await gathering.first.do(c.Close(outcome="withdrawn"))
    third = gathering.third.stream.removeprefix("journey-")
    assert (await gathering.ranks())[third] == 1
    await gathering.fleet.wake()
    ranks = await gathering.ranks()
    assert ranks == {gathering.second.stream.removeprefix("journey-"): None, third: None}
    assert set(await days(gathering.third)) == set(BEGUN)


async def test_a_day_that_was_overtaken_on_its_way_changes_nothing(gathering: Gathering) -> None:
    await gathering.tell()
    id = gathering.known.row.id
    await gathering.change(lambda work: rules.move(work, "jury", LATER, TODAY))
    late = await days_owed(gathering.pool, RING, id, datetime.now(UTC), TODAY)
    await gathering.change(lambda work: rules.move(work, "jury", LATEST, TODAY))
    assert (await gathering.tell()).taken == 2
    answers = [await gathering.first.send(command) for command in late]
    assert [(answer.outcome, answer.code) for answer in answers] == [("refused", "overtaken")] * 2
    assert (await days(gathering.first))[3:] == [("jury", LATEST)]
    members = {each.journey: each for each in await cohorts.members(gathering.pool, id)}
    row = await cohorts.cohort(gathering.pool, id)
    assert row is not None
    assert app.own_days(row, members[gathering.first.stream.removeprefix("journey-")]) == {}


async def test_a_day_moved_by_hand_on_one_journey_is_shown(gathering: Gathering) -> None:
    await gathering.tell()
    assert (await gathering.first.do(c.MoveDate(date="jury", on=LATEST))).outcome == "accepted"
    assert (await gathering.tell()).taken == 0, "what was answered is not told again"
    members = {each.journey: each for each in await cohorts.members(gathering.pool, gathering.known.row.id)}
    apart = app.own_days(gathering.known.row, members[gathering.first.stream.removeprefix("journey-")])
    assert apart == {"jury": LATEST}
