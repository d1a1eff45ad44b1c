"""A real Chromium before a real stack: `journeys up` once a session, people with sessions, pages looked at."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from journeys.store import sessions, staff
from journeys.store.database import open_pool
from tests.app.conftest import in_its_own, plain_environment

REPOSITORY = Path(__file__).parents[2]
CHROMIUM = Path(os.environ.get("E2E_CHROMIUM", "/usr/bin/chromium"))
SCREENS = REPOSITORY / ".screens"
"""Pictures of what was seen; outside git."""
TEAM = {
    "aline": ("Aline Roux", "referent"),
    "bob": ("Bob Leduc", "referent"),
    "sam": ("Samia Kaci", "supervisor"),
    "fin": ("Fanny Noël", "finance"),
    "aude": ("Aude Itor", "auditor"),
    "garde": ("Astreinte", "duty"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium these tests do not run, and the last line of the run says so; CI insists on it."""
    here = [item for item in items if Path(item.path).is_relative_to(Path(__file__).parent)]
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

    def journeys(self, *words: str) -> Any:
        """The command line on the same stack; its JSON."""
        done = in_its_own(*words, "--json", JOURNEYS_DATA_DIR=str(self.data_dir))
        assert done.code == 0, done.out + done.err
        return done.json


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    assert CHROMIUM.exists(), f"{CHROMIUM} is missing: make browser"
    home = Path(tempfile.mkdtemp(prefix="journeys-"))
    home.chmod(0o755)
    with (home / "stderr").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "journeys.app.cli", "up", "--json"],
            stdout=subprocess.PIPE, stderr=errors, text=True, cwd=REPOSITORY,
            env=plain_environment(JOURNEYS_DATA_DIR=str(home / "data")),
        )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, (home / "stderr").read_text()
    found = json.loads(line)
    made = Site(found["web_url"], home / "data", found["database_url"], process)
    for handle, (name, role) in TEAM.items():
        made.journeys("staff", "add", handle, "--name", name, "--role", role)
    made.journeys("fund", "open", "parvis-solidaire", "--balance", "100000")
    yield made
    process.send_signal(signal.SIGINT)
    code = process.wait(30)
    said = (home / "stderr").read_text()
    shutil.rmtree(home, ignore_errors=True)
    assert code == 0, said


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        yield browser
        browser.close()


Enter = Callable[..., Page]


@pytest.fixture
def enter(site: Site, chromium: Browser) -> Iterator[Enter]:
    """A page of somebody who has logged in; every message of the browser's console fails the test."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def come(handle: str, *, scripts: bool = True, width: int = 1280) -> Page:
        context = chromium.new_context(
            base_url=site.url, viewport={"width": width, "height": 900}, java_script_enabled=scripts, locale="fr-FR"
        )
        opened.append(context)
        context.add_cookies([{"name": "session", "value": token_of(site.database, handle), "url": site.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None,
        )
        page.on("request", lambda sent: complaints.append(sent.url) if not sent.url.startswith(site.url) else None)
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

    # The browser's driver runs a loop in this thread: this one gets a thread of its own.
    import concurrent.futures

    with concurrent.futures.ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, opened()).result()


@pytest.fixture
def looked_at(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Check a page as it stands with axe, no rule switched off, and keep a picture of it."""

    def look(page: Page, name: str) -> None:
        expect(page.locator("main")).to_be_visible()
        SCREENS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENS / f"{name}.png", full_page=True)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()

    return look
