"""A small crowd is a true one: the journal agrees with itself and with the lists, and what follows can go on."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from benchmarks.crowd.around import Around, drawn_id
from benchmarks.crowd.inventing import HANDLES, SITE, invent, material
from benchmarks.crowd.making import CrowdMade, crowd, last_working_morning
from benchmarks.crowd.patterns import pattern_of
from benchmarks.crowd.playing import Play, Played, Rules
from journeys.audit.verdicts import AccountName, Verdict
from journeys.audit.verifying import Sources, verify_all
from journeys.authoring.calendars import calendar_text
from journeys.domain.events import read_event
from journeys.domain.evolve import fold
from journeys.domain.fund import Account
from journeys.domain.handbook import open_handbook
from journeys.domain.summary import summary
from journeys.store import people, staff
from journeys.store.canonical import canonical
from journeys.store.database import open_pool
from journeys.store.funds import funds
from journeys.store.journal import read_all
from journeys.store.rebuilding import rebuild
from journeys.store.signing import KeyRing
from tests.conftest import RealStack

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
RING = KeyRing("k1", {"k1": b"1" * 32})
JOURNEYS = 40


@dataclass(frozen=True)
class Made:
    crowd: CrowdMade
    pool: Any


@pytest.fixture(scope="module")
def house(stack: RealStack, migrated: str) -> Iterator[tuple[str, CrowdMade]]:
    """One database with a crowd, for all tests of this file; none of them changes what it holds."""
    with _database(stack, migrated) as url:
        yield url, asyncio.run(_fill(url))


async def _fill(url: str, processes: int = 1) -> CrowdMade:
    pool = await open_pool(url)
    try:
        return await crowd(pool, RING, journeys=JOURNEYS, lives=8, seed=3, now=NOW, dsn=url, processes=processes)
    finally:
        await pool.close()


@contextmanager
def _database(stack: RealStack, migrated: str) -> Iterator[str]:
    """A database with the whole schema."""
    name = f"t_{uuid.uuid4().hex}"
    url = stack.database_url(name)

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(stack.database)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run(f"CREATE DATABASE {name} TEMPLATE {migrated}"))
    yield url
    asyncio.run(run(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest_asyncio.fixture
async def made(house: tuple[str, CrowdMade]) -> AsyncIterator[Made]:
    url, made = house
    pool = await open_pool(url)
    yield Made(made, pool)
    await pool.close()


async def test_every_account_of_a_crowd_agrees(made: Made) -> None:
    verifications = [each async for each in verify_all(Sources(made.pool, RING, outages=()))]
    assert len(verifications) == JOURNEYS == made.crowd.journeys
    for each in verifications:
        found = {account.name: account for account in each.accounts}
        for name in (AccountName.JOURNAL, AccountName.VIEW):
            assert found[name].verdict is Verdict.AGREES, found[name]
    assert sum(each.seq for each in verifications) == made.crowd.events


async def test_its_lists_are_those_that_a_rebuild_would_write(made: Made) -> None:
    """A clone's row was filled in, not folded: the fold gives the same."""
    before = await made.pool.fetch("SELECT id, summary::text FROM journeys ORDER BY id")
    texts = dict(await made.pool.fetch("SELECT encode(sha256, 'hex'), text FROM texts"))
    assert len(texts) == 2
    assert before == await _rebuilt(made.pool)


async def _rebuilt(pool: Any) -> list[Any]:
    def fold_all(headers: Any, texts: Any) -> Any:
        events = [read_event(header) for header in headers]
        data = headers[0]["data"]
        return fold(events), open_handbook(texts[data["programme"]], texts[data["calendar"]])

    await rebuild(pool, fold_all, lambda known: summary(*known).model_dump(mode="json"))
    return list(await pool.fetch("SELECT id, summary::text FROM journeys ORDER BY id"))


async def test_it_is_a_house_with_work_to_do(made: Made) -> None:
    rows = await made.pool.fetch("SELECT status, next_due, late, referent::text, site FROM journeys")
    assert all(row["status"] != "closed" and row["next_due"] > NOW for row in rows)
    assert any(row["late"] for row in rows)
    around = Around(JOURNEYS, 3)
    by_id = {one.id: one for one in around.caseworkers}
    assert {row["site"] for row in rows} <= set(around.sites)
    loads = [sum(row["referent"] == id for row in rows) for id in by_id]
    assert loads[0] == around.heavy == 10 and sum(loads) == JOURNEYS
    assert {member.handle for member in await staff.members(made.pool)} >= {"ref-001", "sup-01", "fin-01", "duty-01"}


async def test_its_people_are_found_by_name_and_their_stream_holds(made: Made) -> None:
    id = await made.pool.fetchval("SELECT id::text FROM people LIMIT 1")
    one = await people.person(made.pool, id)
    assert one is not None
    row = {"id": id, **asdict(one.details)}
    found = await people.search(made.pool, f"{row['last_name']} {row['first_name']}".upper())
    assert row["id"] in [one.id for one in found]
    (event,) = await read_all(made.pool, people.stream_of(row["id"]))
    assert event.kind == "PersonRegistered" and canonical(event.read()) == event.header


async def test_its_fund_balances(made: Made) -> None:
    (fund,) = await funds(made.pool)
    reserved = await made.pool.fetchval(
        "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_transactions WHERE kind = 'reserved'"
    )
    entries = await made.pool.fetchval(
        "SELECT sum(cents)::bigint FROM ledger_entries WHERE account = $1", Account.AVAILABLE.value
    )
    assert reserved > 0
    assert fund.available == entries and fund.reserved + fund.paid == reserved


def test_one_seed_makes_one_crowd(stack: RealStack, migrated: str, house: tuple[str, CrowdMade]) -> None:
    """Ids, texts, salts and instants come from the seed, also when two processes share the work."""
    with _database(stack, migrated) as url:
        made = asyncio.run(_fill(url, processes=2))
        assert made.events == house[1].events
        assert asyncio.run(_hashes(url)) == asyncio.run(_hashes(house[0]))


async def _hashes(url: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return list(
            await connection.fetch("SELECT stream, seq, hash FROM events WHERE stream LIKE 'journey-%' ORDER BY 1, 2")
        )
    finally:
        await connection.close()


def _rules() -> Rules:
    book = open_handbook(material()[0].programme.text, calendar_text("Europe/Paris", "FR", 2025))
    return Rules("0" * 64, "1" * 64, book)


def _played(number: int, ids: dict[str, str], rules: Rules) -> Played:
    random = Random(f"a life/{number}")
    invented = invent(random, NOW, rules.book.calendar, pair=False, ids=ids)
    return Play(invented, rules, NOW, random, "k1").play()


def test_a_clone_filled_with_the_lifes_own_ids_is_the_life() -> None:
    """Nothing of a header is lost on the way, nothing is added: but for salts and command ids, which are drawn."""
    rules = _rules()
    ids = {handle: drawn_id(Random(handle)) for handle in HANDLES}
    played = _played(1, ids, rules)
    journey = played.state.stream.removeprefix("journey-")
    clone = pattern_of(played, rules, ids).clone(journey, played.person, ids, SITE, Random(5))
    assert len(clone.headers) == len(played.events)
    for header, event in zip(clone.headers, played.events, strict=True):
        read, own = json.loads(header), event.header()
        assert canonical(read) == header
        drawn = ("prev", "command", "parts", "data", "stream")
        assert {name: read[name] for name in read if name not in drawn} == {
            name: own[name] for name in own if name not in drawn
        }
        assert _shape(read["data"]) == _shape(own["data"])
    commands = {id: json.loads(signed) for id, signed, *_ in clone.commands}
    assert [one["name"] for one in commands.values()] == [given.command.name for given in played.given]


def _shape(value: Any) -> Any:
    """A payload with its ids and hashes taken out."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}", "*", json.dumps(value, sort_keys=True))


def test_an_id_of_unknown_origin_is_refused() -> None:
    """A clone never carries somebody of another house along."""
    rules = _rules()
    ids = {handle: drawn_id(Random(handle)) for handle in HANDLES}
    known = {handle: id for handle, id in ids.items() if handle != "caseworker"}
    with pytest.raises(ValueError, match="nobody knows where"):
        pattern_of(_played(1, ids, rules), rules, known)


def test_now_is_a_working_morning_when_nobody_says() -> None:
    sunday = datetime(2026, 11, 22, 15, tzinfo=UTC)
    early_monday = datetime(2026, 11, 23, 6, tzinfo=UTC)
    friday = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
    assert last_working_morning(sunday) == last_working_morning(early_monday) == friday
    assert last_working_morning(NOW) == NOW
