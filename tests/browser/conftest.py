"""A real Chromium before a real stack: `journeys up` once a session, people with sessions, pages looked at."""

import asyncio
import concurrent.futures
import contextlib
import json
import os
import re
import subprocess
import uuid
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from journeys.app.publishing import keep, rules
from journeys.app.web.visit import csrf_of
from journeys.authoring.reading import read_programme
from journeys.store import accounts, sessions, staff, treasury
from journeys.store.database import open_pool
from journeys.store.directory import By
from journeys.store.staff import Member
from tests.app.conftest import gone_up, in_this_process, make_plain
from tests.browser.chromium import CHROMIUM
from tests.days import paris_today

T = TypeVar("T")
REPOSITORY = Path(__file__).parents[2]
WITHOUT = (
    "--disable-features=AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,MediaRouter,"
    "PaintHolding,OptimizationHints,ThirdPartyStoragePartitioning,"
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIReloadButton,WebUIToolbar"
)
"""What the driver leaves out of a Chromium, and pages of the window's own, two of which each new page brings along."""
SCREENS = REPOSITORY / ".screens"
"""Pictures of what was seen, with PICTURES=1; outside git."""
TEAM = {
    "aline": ("Aline Roux", "referent"),
    "bob": ("Bob Leduc", "referent"),
    "sam": ("Samia Kaci", "supervisor"),
    "fin": ("Fanny Noël", "finance"),
    "aude": ("Aude Itor", "auditor"),
    "garde": ("Astreinte", "duty"),
    "lea": ("Léa Absente", "referent"),
    "ada": ("Ada Tenant", "administrator"),
}
PASSWORD = "quatre mots pour entrer"
URGENT = "auxilia-urgent"
"""The same programme, but what goes wrong about a grant calls somebody at any hour."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium these tests do not run, and the last line of the run says so; CI insists on it."""
    here = [item for item in items if Path(item.path).is_relative_to(Path(__file__).parent)]
    # What looks at every screen does so while lists are short: axe takes longer the more there is.
    here.sort(key=lambda item: "test_every_screen" not in item.name)
    # The browser's driver keeps a loop running in this thread: what has a loop of its own goes before it.
    items[:] = [item for item in items if item not in here] + here
    if CHROMIUM.exists() or os.environ.get("REQUIRE_BROWSER") == "1":
        return
    for item in here:
        item.add_marker(pytest.mark.skip(reason="no Chromium: make browser"))


@dataclass(frozen=True)
class Site:
    """The application as `journeys up` serves it."""

    url: str
    data_dir: Path
    database: str
    process: subprocess.Popen[str]
    temporal_ui: str
    """Temporal's own pages."""

    def journeys(self, *words: str) -> Any:
        """The command line on the same stack, the directory kept by the administrator; its JSON."""
        as_keeper = ("--as", "ada") if words[0] in ("staff", "partner", "mentor") and "--as" not in words else ()
        given, home = (*words, *as_keeper, "--json"), str(self.data_dir)
        # In a thread: the browser's driver runs a loop in this one.
        with concurrent.futures.ThreadPoolExecutor(1) as thread, pytest.MonkeyPatch.context() as patch:
            make_plain(patch)
            done = thread.submit(in_this_process, *given, JOURNEYS_DATA_DIR=home).result()
        assert done.code == 0, done.out + done.err
        return done.json


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    assert CHROMIUM.exists(), f"{CHROMIUM} is missing: make browser"
    with gone_up("--ui") as up:
        made = Site(up.found["web_url"], up.data_dir, up.found["database_url"], up.process, up.found["ui_url"])
        apart(_furnish(made.database))
        yield made


async def _furnish(database: str) -> None:
    """The team, each with a password, and a fund."""
    pool = await open_pool(database, largest=2)
    by = By(actor="system", role="system", at=datetime.now(UTC))
    for handle, (name, role) in TEAM.items():
        member = Member(id=str(uuid.uuid4()), handle=handle, name=name, email=f"{handle}@example.org", phone=None,
                        language="fr", roles=(role,), sites=(), active=True)  # fmt: skip
        await staff.add(pool, member, by)
        await accounts.set_password(pool, member.id, PASSWORD)
    await treasury.open_fund(
        pool, str(uuid.uuid4()), "parvis-solidaire", cap_per_person=None, balance=10_000_000, by=by
    )
    urgent = json.loads(read_programme("auxilia").text)
    urgent |= {"programme": URGENT, "grants": {"bourse": {**urgent["grants"]["bourse"], "missed": "urgent"}}}
    await keep(pool, rules(json.dumps(urgent), paris_today()), by)
    await pool.close()


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run in a thread of its own: the browser's driver runs a loop in this one."""
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def execute(site: Site, statement: str, *given: Any) -> list[Any]:
    """One statement on the stack's database, as its owner; the rows."""

    async def run() -> list[Any]:
        owner = await asyncpg.connect(site.database)
        try:
            found: list[Any] = await owner.fetch(statement, *given)
            return found
        finally:
            await owner.close()

    return apart(run())


@contextlib.contextmanager
def away(site: Site, *handles: str) -> Iterator[None]:
    """These are absent today, and nobody stands in for them."""
    days = "current_date - 1, current_date + 1"
    execute(site, f"INSERT INTO absences SELECT id, {days} FROM staff WHERE handle = ANY ($1)", list(handles))
    try:
        yield
    finally:
        execute(site, "DELETE FROM absences")


class Hand:
    """Somebody who sends the same forms past the browser: what has to be there before a path begins."""

    def __init__(self, site: Site, handle: str) -> None:
        self.token = token_of(site.database, handle)
        self.client = httpx.Client(
            base_url=site.url, cookies={"session": self.token}, headers={"origin": site.url}, timeout=30, verify=False
        )

    def send(self, path: str, **typed: str) -> httpx.Response:
        answer = self.client.post(path, data={"csrf": csrf_of(self.token), **typed})
        assert answer.status_code == 303, (path, answer.status_code, answer.text)
        return answer

    def begin(self, last_name: str, referent: str, programme: str = "auxilia") -> str:
        """Start a journey for Élodie, led by the staff member of this id; its path."""
        answer = self.send(
            "/nouveau", programme=programme, first_name="Élodie", last_name=last_name, referent=referent, sure="yes",
            **{"date-release": f"{paris_today() + timedelta(days=21)}"},
        )  # fmt: skip
        return answer.headers["location"].removesuffix("/debut")

    def ask_grant(self, path: str, amount: str, payee: str = "École, FR7630006000011234567890189") -> str:
        """Ask for money; the grant's id."""
        id = str(uuid.uuid4())
        self.send(
            f"{path}/agir/request-grant", command=id, grant="bourse", purpose="training", amount=amount, payee=payee
        )
        return id

    def approve(self, path: str, grant: str) -> None:
        shown = self.client.get(f"{path}/aides/{grant}").text
        found = re.search(r'name="digest" value="([0-9a-f]+)"', shown)
        assert found is not None, shown
        self.send(f"{path}/agir/approve-grant", grant=grant, digest=found[1])


def id_of(site: Site, handle: str) -> str:
    return str(execute(site, "SELECT id FROM staff WHERE handle = $1", handle)[0]["id"])


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", WITHOUT],
        )
        yield browser
        browser.close()


Enter = Callable[..., Page]


@pytest.fixture
def enter(site: Site, chromium: Browser) -> Iterator[Enter]:
    """A page of somebody who has logged in; every message of the browser's console fails the test."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def come(handle: str, *, scripts: bool = True, width: int = 1280, by_password: bool = False) -> Page:
        context = chromium.new_context(
            base_url=site.url, viewport={"width": width, "height": 900}, java_script_enabled=scripts, locale="fr-FR"
        )
        opened.append(context)
        context.set_default_timeout(12_000)
        if not by_password:
            context.add_cookies([{"name": "session", "value": token_of(site.database, handle), "url": site.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None,
        )
        page.on("request", lambda sent: complaints.append(sent.url) if not sent.url.startswith(site.url) else None)
        if by_password:
            page.goto("/")
            page.get_by_label("Identifiant").fill(handle)
            page.get_by_label("Mot de passe").fill(PASSWORD)
            page.get_by_role("button", name="Se connecter").click()
            expect(page.get_by_role("heading", name="Aujourd’hui", exact=False).first).to_be_visible()
        return page

    yield come
    for context in opened:
        context.close()
    assert complaints == []


def token_of(database: str, handle: str) -> str:
    """A session of a member, opened where sessions are kept."""

    async def opened() -> str:
        pool = await open_pool(database, largest=1)
        try:
            member = await staff.by_handle(pool, handle)
            assert member is not None
            return await sessions.open_session(pool, member.id, "password")
        finally:
            await pool.close()

    return apart(opened())


def keep_picture(page: Page, name: str) -> None:
    """The whole page as it stands, where PICTURES=1 asks for it: each takes a good half second."""
    if os.environ.get("PICTURES") == "1":
        SCREENS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENS / f"{name}.png", full_page=True)


OF_COLOUR = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""The rules of axe that a page's colours alone decide."""
Look = Callable[..., None]


@pytest.fixture
def looked_at(request: pytest.FixtureRequest) -> Look:
    """Check a page as it stands with axe, no rule switched off, and keep a picture of it.

    Of a page that was looked at already, in other colours: `rules` are those that can find something else now.
    """

    def look(page: Page, name: str, rules: dict[str, Any] | None = None) -> None:
        expect(page.locator("main")).to_be_visible()
        keep_picture(page, name)
        found = Axe().run(page, options={"resultTypes": ["violations"], **(rules or {})})
        assert found.violations_count == 0, found.generate_report()

    return look
