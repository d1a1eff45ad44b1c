"""What a visitor sees is decided by the database, from the session alone; and taking that away shows."""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest
import pytest_asyncio

from journeys.app.entry import Actor
from journeys.domain.programme import Programme, Role
from journeys.domain.rights import READS, ROLES, Reach, reaches, sees
from journeys.domain.state import State, TransferKnown
from journeys.store import sessions
from journeys.store.database import open_pool
from journeys.store.programmes import store_text
from journeys.store.sites import Site, describe
from tests.conftest import RealStack, a_database
from tests.web.conftest import BY, NOW, Ground, open_ground

VISITS = 10_000 if os.environ.get("MATRIX") == "whole" else 1_000
"""Over shared connections."""
SITES = ("nanterre", "lyon")
FUNDS = ("parvis-solidaire", "fonds-du-rhône")
LINES = {
    "care": "referent", "night": "duty", "board": "supervisor", "treasurer": "finance", "elder": "participant",
    "duty": "mentor", "mentor": "referent", "referent": "referent",
}  # fmt: skip
"""A programme's own roles, and two of the table to which it gives another line."""
PROGRAMME = json.dumps({"roles": {**{role: {"rights": line} for role, line in LINES.items()}, "odd": 3}})
OWN = ("care", "night", "board", "treasurer", "elder")
GRANT = {"kind": "grant", "id": "g", "about": "training", "at": None, "role": "finance, supervisor", "amount": 60000}
ALERT = {"kind": "escalation", "id": "a", "about": "review review", "at": None, "role": "supervisor", "note": "default"}


def meeting() -> dict[str, Any]:
    return {"kind": "appointment", "id": "m", "about": "", "at": datetime.now(UTC).isoformat(), "role": "referent"}


@dataclass
class Town:
    """Staff of every role and site, journeys of every kind, and who should see what."""

    ground: Ground
    staff: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    journeys: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    async def settle(self) -> "Town":
        for n, roles in enumerate(
            [
                *((role,) for role in ROLES),
                ("referent", "supervisor"),
                ("referent", "finance"),
                (),
                ("unknown-role",),
                *((role,) for role in OWN),
                ("care", "supervisor"),
                ("night", "elder"),
            ]
        ):
            scopes = [((), ()), (("nanterre",), FUNDS[:1]), (SITES, FUNDS), (("lyon",), ()), ((), FUNDS[1:])]
            for m, (sites, funds) in enumerate(scopes[: 2 if set(roles) & set(OWN) else None]):
                id = await self.ground.member(f"m{n}x{m}", *roles, sites=sites, funds=funds)
                self.staff[id] = (roles, sites, funds)
                self.tokens[id] = await self.ground.session(id)
        async with self.ground.house.writing.acquire() as connection:
            rules = await store_text(connection, "programme", "town", PROGRAMME)
            await store_text(connection, "programme", "odd", "no JSON at all")
        leaders = [id for id, (roles, _, _) in self.staff.items() if {"referent", "care", "mentor"} & set(roles)]
        for n in range(24):
            leader, site, granted = leaders[n % len(leaders)], (None, *SITES)[n % 3], 60000 * (n % 4 == 0)
            fund = (*FUNDS, "another")[n // 4 % 3]
            to = leaders[(n + 1) % len(leaders)] if n % 5 == 0 else None
            board = ({"kind": "transfer", "id": "t", "about": to, "at": None, "role": "referent"},) if to else ()
            name, own = f"Ville {chr(97 + n // 26)}{chr(97 + n % 26)}ville", n % 7 in (1, 3, 5)
            id = await self.ground.journey(
                leader, site=site, granted=granted, fund=fund, name=name, rules=rules if own else "0" * 64,
                board=(*board, ALERT, meeting(), *((GRANT,) if granted else ())),
            )  # fmt: skip
            self.journeys[id] = {
                "referent": leader,
                "site": site,
                "granted": granted,
                "fund": fund,
                "to": to,
                "name": name,
                "own": own,
            }
        return self

    def sees(self, staff: str) -> set[str]:
        """The same rule in Python, from the rights table."""
        roles, sites, funds = self.staff[staff]
        who = Actor(staff, staff, roles, sites, funds)
        return {id for id, j in self.journeys.items() if sees(who, state_of(j), self.programme(j))}

    @staticmethod
    def programme(journey: dict[str, Any]) -> Programme | None:
        """The rules of a journey, as the core takes them."""
        roles = {role: Role.model_construct(fr=role, en=role, rights=line) for role, line in LINES.items()}
        return Programme.model_construct(roles=roles) if journey["own"] else None


def state_of(journey: dict[str, Any]) -> State:
    """A journey of the town, as far as it matters who sees it."""
    asked = TransferKnown(transfer="t", to=journey["to"] or "", site=None, remind_at=NOW, accept_at=NOW)
    grant = SimpleNamespace(fund=journey["fund"])
    return State(
        referent=journey["referent"], site=journey["site"], transfer=asked if journey["to"] else None,
        grants={"g": cast(Any, grant)} if journey["granted"] else {},
    )  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def settled(
    stack: RealStack, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, Town]]:
    """A town settled once; its database, of which each test has a copy."""
    async with a_database(stack, migrated) as url:
        async with open_ground(url, tmp_path_factory.mktemp("town")) as ground:
            town = await Town(ground).settle()
        yield stack.name_of(url), town


@pytest_asyncio.fixture
async def database_url(stack: RealStack, settled: tuple[str, Town]) -> AsyncIterator[str]:
    async with a_database(stack, settled[0]) as url:
        yield url


@pytest.fixture
def town(ground: Ground, settled: tuple[str, Town]) -> Town:
    return replace(settled[1], ground=ground)


async def seen(pool: Any, token: str) -> set[str]:
    async with pool.acquire() as connection, connection.transaction():
        await sessions.enter(connection, token)
        return {str(row["id"]) for row in await connection.fetch("SELECT id FROM journeys")}


async def test_each_member_sees_exactly_what_the_rights_table_says(town: Town) -> None:
    assert set(READS.values()) == set(Reach), "the town has to hold every reach"
    for staff, token in town.tokens.items():
        assert await seen(town.ground.house.reading, token) == town.sees(staff), town.staff[staff]


async def test_whoever_has_not_entered_sees_nothing(town: Town) -> None:
    async with town.ground.house.reading.acquire() as connection:
        for table in ("journeys", "people", "events", "parts", "streams"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_people_are_seen_with_their_journeys_only(town: Town) -> None:
    for staff, token in town.tokens.items():
        async with town.ground.house.reading.acquire() as connection, connection.transaction():
            await sessions.enter(connection, token)
            persons = await connection.fetch("SELECT p.id FROM people p")
        wanted = len(town.sees(staff))
        assert len(persons) == wanted, town.staff[staff]


async def test_a_deputy_sees_what_an_absent_colleague_leads(town: Town) -> None:
    leaders = [id for id, (roles, _, _) in town.staff.items() if roles == ("referent",)]
    away, deputy = leaders[0], leaders[2]
    before = await seen(town.ground.house.reading, town.tokens[deputy])
    await town.ground.house.writing.execute(
        "INSERT INTO absences VALUES ($1, current_date - 1, current_date + 1, $2)", away, deputy
    )
    led = {id for id, j in town.journeys.items() if j["referent"] == away}
    assert await seen(town.ground.house.reading, town.tokens[deputy]) == before | led
    assert led - before


async def test_a_deputy_sees_it_on_each_day_of_the_absence_wherever_it_is_that_day(town: Town) -> None:
    leaders = [id for id, (roles, _, _) in town.staff.items() if roles == ("referent",)]
    away, deputy = leaders[0], leaders[2]
    led = {id for id, j in town.journeys.items() if j["referent"] == away}
    for zone in ("Pacific/Wallis", "Pacific/Tahiti"):
        await describe(town.ground.house.writing, Site("overseas", "Accueil", "1 rue du Port", zone), BY)
        await town.ground.house.writing.execute("DELETE FROM absences")
        await town.ground.house.writing.execute(
            "INSERT INTO absences SELECT $1, here, here, $2"
            " FROM (SELECT (now() AT TIME ZONE $3)::date AS here) AS today",
            away, deputy, zone,
        )  # fmt: skip
        assert led <= await seen(town.ground.house.reading, town.tokens[deputy])


@pytest.mark.timeout(900)
async def test_visits_over_shared_connections_never_see_anothers(town: Town, database_url: str) -> None:
    draw = random.Random(7)
    pool = await open_pool(database_url, role="journeys_web", largest=3)
    visits = [draw.choice(list(town.tokens)) for _ in range(VISITS)]
    wanted = {staff: town.sees(staff) for staff in town.tokens}
    wrong = 0

    async def visit(some: list[str]) -> None:
        nonlocal wrong
        for staff in some:
            found = await seen(pool, town.tokens[staff])
            wrong += found != wanted[staff]

    await asyncio.gather(*(visit(visits[place::8]) for place in range(8)))
    await pool.close()
    assert wrong == 0


async def test_without_the_second_lock_everybody_would_see_all(town: Town) -> None:
    """The guard taken away from outside: what it keeps out comes in."""
    stranger = next(id for id, (roles, _, _) in town.staff.items() if roles == ("partner",))
    owner = await asyncpg.connect(town.ground.owner)

    async def count(table: str) -> int:
        async with town.ground.house.reading.acquire() as connection, connection.transaction():
            await sessions.enter(connection, town.tokens[stranger])
            found: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
            return found

    for table in ("journeys", "people", "events", "parts", "streams"):
        assert await count(table) == 0, table
        await owner.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        assert await count(table) == await owner.fetchval(f"SELECT count(*) FROM {table}"), table
        await owner.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    await owner.close()


LISTS = (
    "/alertes", "/agenda", "/accords", "/parcours?referent=tous", "/parcours.csv?referent=tous", "/recherche?q=Ville",
    "/",
)  # fmt: skip
"""Lists of journeys; each journey of the town stands in each of them for whoever sees it, but for the last."""


async def test_every_list_shows_what_the_rights_table_says_and_nothing_else(town: Town) -> None:
    """By what people read: the names on the page."""
    theirs = {"care", "night", "board", "treasurer", "mentor"}
    readers = [staff for staff, (roles, _, _) in town.staff.items() if reaches(roles) or theirs & set(roles)]
    for staff in readers:
        roles, sees = town.staff[staff][0], town.sees(staff)
        for path in LISTS:
            async with town.ground.browser(town.tokens[staff]) as browser:
                answer = await browser.get(path)
            shown = {id for id, known in town.journeys.items() if known["name"] in answer.text}
            match path:
                case "/accords" if not set(roles) & {"supervisor", "finance", "duty", "board", "treasurer", "night"}:
                    assert answer.status_code == 403 and not shown
                case "/accords":
                    mine = set(roles) & {"supervisor", "finance"}
                    assert shown == {id for id in sees if town.journeys[id]["granted"] and mine}, (roles, path)
                case "/":
                    assert shown <= sees, (roles, path)
                case "/recherche?q=Ville" if len(sees) == 1:
                    assert answer.status_code == 303
                case _:
                    assert shown == sees, (roles, path, answer.status_code)
