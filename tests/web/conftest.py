"""The application over a real PostgreSQL, asked as a browser asks; the engine is away unless a test brings it."""

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
import structlog
from argon2 import PasswordHasher

from journeys.app.web.application import make_application
from journeys.app.web.house import House, open_house
from journeys.app.web.visit import csrf_of
from journeys.settings import load_settings
from journeys.store import accounts, sessions, staff
from journeys.store.directory import By
from journeys.store.people import Details, register
from journeys.store.staff import Member
from tests.conftest import RealStack
from tests.web.browser import HERE, Browser
from tests.web.pace import Unhurried

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
BY = By(actor="system", role="system", at=NOW)
PASSWORD = "quatre mots pour entrer"
NEW = "a browser that has not entered"


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost next to nothing; that ours cost what they should, test_staff_passwords shows."""
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(autouse=True)
def short_tracebacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of errors that a test brings about: left as it is, structlog draws all that each frame holds, for seconds."""
    for each in structlog.get_config()["processors"]:
        if isinstance(each, structlog.dev.ConsoleRenderer):
            monkeypatch.setattr(each, "exception_formatter", structlog.dev.plain_traceback)


@dataclass
class Ground:
    """A house with a few people in it, and browsers of whoever comes."""

    house: House
    application: Any
    owner: str

    def browser(self, token: str | None = None) -> httpx.AsyncClient:
        """A browser, with a session's cookie or without."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.application, raise_app_exceptions=False), base_url="http://here.test",
            headers={"Origin": "http://here.test", "Sec-Fetch-Site": "same-origin", "Accept-Language": "fr"},
        )  # fmt: skip
        if token is not None:
            client.cookies.set("session", token)
        else:
            client.cookies.set("before", NEW)
            client.cookies.set("__Host-before", NEW)
        return client

    def person(self, here: str = HERE) -> Browser:
        """A browser that reads its pages and fills their forms, with no cookie at first."""
        return Browser(self.application, here)

    async def entered(self, handle: str) -> Browser:
        """The same, logged in by password."""
        browser = self.person()
        answer = await browser.log_in(handle, PASSWORD)
        assert answer.status_code == 303, answer.text
        return browser

    async def member(
        self,
        handle: str,
        *roles: str,
        sites: tuple[str, ...] = (),
        funds: tuple[str, ...] = (),
        password: bool = False,
        email: str | None = None,
    ) -> str:
        id = str(uuid.uuid4())
        await staff.add(
            self.house.writing,
            Member(id=id, handle=handle, name=handle.capitalize(), email=email, phone=None, language="fr", roles=roles,
                   sites=sites, active=True, funds=funds), BY,
        )  # fmt: skip
        if password:
            await accounts.set_password(self.house.writing, id, PASSWORD)
        return id

    async def session(self, staff_id: str) -> str:
        return await sessions.open_session(self.house.writing, staff_id, "password")

    async def journey(
        self, referent: str, *, site: str | None = None, granted: int = 0, fund: str = "parvis-solidaire",
        board: tuple[dict[str, Any], ...] = (), met: tuple[dict[str, Any], ...] = (), rules: str = "0" * 64,
        name: str = "Samir Benali",
    ) -> str:  # fmt: skip
        """A row of the lists, as an append writes it."""
        id, person = str(uuid.uuid4()), str(uuid.uuid4())
        first, _, last = name.partition(" ")
        await register(self.house.writing, person, Details(first_name=first, last_name=last), BY)
        summary = {
            "id": f"journey-{id}", "person": person, "programme": "auxilia", "programme_hash": rules,
            "status": "active", "outcome": None, "phase": None, "referent": referent, "site": site, "seq": 1,
            "next_due": None, "late": 0, "opted_out": False, "paused_until": None, "died": False, "silent": False,
            "dates": {"release": "2027-01-11"}, "granted": granted, "money": granted > 0,
            "funds": [fund] if granted else [],
            "waits_on": sorted({role for item in board for role in item["role"].split(", ")} - {"referent"}),
            "alerts": sum(item["kind"] == "escalation" for item in board),
            "meetings": sum(item["kind"] == "appointment" for item in board), "board": list(board),
            **({"met": list(met)} if met else {}),
        }  # fmt: skip
        await self.house.writing.execute("SELECT view_put($1, $2)", f"journey-{id}", json.dumps(summary))
        return id


@asynccontextmanager
async def open_ground(database_url: str, data_dir: Any) -> AsyncIterator[Ground]:
    """A house on this database, without an engine."""
    settings = load_settings(data_dir=data_dir, signing_key="ab" * 32)
    async with open_house(settings, database_url, "127.0.0.1:1") as house:
        yield Ground(house, make_application(house, pace=Unhurried()), database_url)


@pytest_asyncio.fixture
async def ground(database_url: str, tmp_path: Any) -> AsyncIterator[Ground]:
    async with open_ground(database_url, tmp_path) as made:
        yield made


@pytest_asyncio.fixture
async def scene(stack: RealStack, database_url: str, tmp_path: Any) -> AsyncIterator[Any]:
    """Staff of every role and a journey of every scope, with an engine: see `tests.web.scene`."""
    from tests.web.scene import open_scene

    async with open_scene(stack, database_url, tmp_path) as made:
        yield made


def form(token: str | None, **fields: str) -> dict[str, str]:
    """A form as a page of this session holds it."""
    return {"csrf": csrf_of(token or NEW), **fields}
