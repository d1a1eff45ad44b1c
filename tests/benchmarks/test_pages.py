"""The pages of a small crowd: measured, with few queries, light; the lists of the database are those of the core."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from benchmarks.crowd.making import crowd
from benchmarks.pages.__main__ import MOST_KB, MOST_QUERIES, measure
from benchmarks.pages.people import SCREENS
from journeys.app.inbox import Waiting, ends, today, waits
from journeys.store import sessions, staff, views
from journeys.store.database import open_pool
from journeys.store.signing import KeyRing
from journeys.store.staff import Member
from tests.conftest import RealStack

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
JOURNEYS = 120
ALL = 10_000


@pytest.fixture(scope="module")
def url(stack: RealStack, migrated: str) -> Iterator[str]:
    """A database with a crowd, for all tests of this file; none of them changes what it holds."""
    name = f"t_{uuid.uuid4().hex}"
    url = stack.database_url(name)

    async def make() -> None:
        connection = await asyncpg.connect(stack.database)
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
        await connection.close()
        pool = await open_pool(url)
        ring = KeyRing("k1", {"k1": b"1" * 32})
        await crowd(pool, ring, journeys=JOURNEYS, lives=48, seed=5, now=NOW, dsn=url, processes=1)
        await pool.close()

    asyncio.run(make())
    yield url


@dataclass(frozen=True)
class Seen:
    """A connection that sees what a member may see, and the member."""

    connection: Any
    member: Member

    @property
    def visible(self) -> str:
        return views.within(self.member.roles, self.member.sites)


@pytest_asyncio.fixture
async def everybody(url: str) -> AsyncIterator[list[Member]]:
    pool = await open_pool(url)
    yield [each for each in await staff.members(pool) if each.roles]
    await pool.close()


async def eyes(url: str, members: Sequence[Member]) -> AsyncIterator[Seen]:
    """Each member's own sight of the lists, one after the other."""
    writing, reading = await open_pool(url), await open_pool(url, role="journeys_web")
    for member in members:
        token = await sessions.open_session(writing, member.id, "password")
        async with reading.acquire() as connection, connection.transaction():
            await sessions.enter(connection, token)
            yield Seen(connection, member)
    await writing.close()
    await reading.close()


def keys(items: Sequence[Waiting]) -> list[tuple[str, str, str]]:
    return sorted((item.row.id, item.kind, item.id) for item in items)


async def test_the_lists_of_the_database_are_those_of_the_core(url: str, everybody: list[Member]) -> None:
    """What `today` makes of every journey at once, the two queries of the page give as well, for whoever asks."""
    filled = set()
    async for seen in eyes(url, everybody):
        me, roles = seen.member.id, frozenset(seen.member.roles)
        whole = today(await views.journeys(seen.connection, limit=ALL), me, roles, NOW)
        own = today(await views.led_by(seen.connection, (me,), ends(NOW)[-1]), me, roles, NOW)
        theirs = await views.turns(seen.connection, (me,), roles, seen.visible, ends(NOW), ALL)
        for name in ("late", "today", "week", "others"):
            of_roles = theirs.of(name)
            found = [*getattr(own, name), *(waits(each.journey, each.item) for each in of_roles.items)]
            assert keys(found) == keys(getattr(whole, name)), (seen.member.handle, name)
            assert of_roles.total == len(of_roles.items)
            filled |= {(name, bool(of_roles.items), role) for role in roles if found}
        version = await views.version(seen.connection, None, (me,), roles, seen.visible)
        led = await views.led_by(seen.connection, (me,), NOW)
        assert version == sum(row.seq for row in led) + theirs.version
    assert (
        ("late", True, "duty") in filled
        and ("late", False, "referent") in filled
        and ("today", True, "supervisor") in filled
    )


async def test_what_finds_journeys_by_an_index_hides_none(url: str, everybody: list[Member]) -> None:
    async for seen in eyes(url, everybody):
        with_it = await seen.connection.fetchval(f"SELECT count(*) FROM journeys j WHERE {seen.visible}")
        assert with_it == await seen.connection.fetchval("SELECT count(*) FROM journeys"), seen.member.handle


async def test_a_part_of_a_list_is_cut_out_of_the_whole(url: str, everybody: list[Member]) -> None:
    duty = [each for each in everybody if "duty" in each.roles]
    async for seen in eyes(url, duty):
        asked = {"staff": (seen.member.id,), "roles": seen.member.roles, "mine": False}
        whole = await views.open_items(seen.connection, "escalation", seen.visible, limit=ALL, **asked)
        assert whole.total == len(whole.items) > 4 and 0 < whole.mine <= whole.total
        part = await views.open_items(seen.connection, "escalation", seen.visible, limit=2, offset=2, **asked)
        assert [each.item for each in part.items] == [each.item for each in whole.items[2:4]]
        assert (part.total, part.mine) == (whole.total, whole.mine)
        beyond = await views.open_items(seen.connection, "escalation", seen.visible, limit=2, offset=ALL, **asked)
        assert beyond.items == () and beyond.total == whole.total
        first = await views.turns(seen.connection, (seen.member.id,), seen.member.roles, seen.visible, ends(NOW), 1)
        assert len(first.of("late").items) == 1 < first.of("late").total
        week = await views.appointments(seen.connection, NOW, NOW + timedelta(days=7), seen.visible, limit=1)
        assert len(week.items) == 1 < week.total


async def test_each_screen_is_measured_beside_an_empty_one(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNEYS_SIGNING_KEY", "31" * 32)
    figures = await measure(
        url, tmp_path, NOW, seed=1, rounds=1, pages=1, screens=list(SCREENS), tell=lambda text: None
    )  # fmt: skip
    assert [figure.name for figure in figures[:-2]] == [f"{screen}, p95 in the server" for screen in SCREENS]
    assert all(figure.ours > 0 and figure.reference for figure in figures[:-2])
    queries, weight = figures[-2:]
    assert 2 <= queries.ours <= MOST_QUERIES, queries.note
    assert 20 < weight.ours < MOST_KB, weight.note
