"""What many rooms of the tests share: one real stack a session, one migrated database a test."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from journeys.store import keys
from journeys.store.database import open_pool
from journeys.store.migrating import migrate
from tests.homes import a_home


def pytest_configure() -> None:
    """A shell that begins a run in the background has it ignore Ctrl-C, by which servers of these tests are ended."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Of every server of these tests, so that each process opens what another has sealed.
    os.environ["JOURNEYS_SEALING_KEY"] = "5e" * 32


def allowed_seconds() -> dict[str, int]:
    """How long each room may take, as CONTRIBUTING.md says."""
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
    found = re.findall(r"^\| `tests/(\w+)` \| \d+ \| (\d+) \|$", text, flags=re.MULTILINE)
    return {room: int(seconds) for room, seconds in found}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How long each room took, and which outgrew what CONTRIBUTING.md allows it."""
    spent: Counter[str] = Counter()
    for report in (each for found in terminalreporter.stats.values() for each in found):
        if isinstance(report, pytest.TestReport) and report.nodeid.startswith("tests/"):
            spent[report.nodeid.split("/")[1]] += report.duration  # type: ignore[assignment]
    allowed = allowed_seconds()
    rooms = [f"{room} {seconds:.0f}" for room, seconds in spent.most_common()]
    terminalreporter.write_line(f"seconds by room: {', '.join(rooms)}")
    for room, seconds in spent.items():
        if seconds > allowed.get(room, seconds):
            terminalreporter.write_line(f"tests/{room} took {seconds:.0f} s, CONTRIBUTING.md allows {allowed[room]}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of a run without a browser says what it left out."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = (
        [each for each in reporter.stats.get("skipped", []) if "make browser" in str(each.longrepr)] if reporter else []
    )
    if skipped:
        print(f"{len(skipped)} browser tests did not run: no Chromium here. `make browser` installs it.")


@dataclass(frozen=True)
class RealStack:
    """A running PostgreSQL and a Temporal server that can skip time."""

    database: str
    temporal: str

    def database_url(self, name: str) -> str:
        return self.database.replace("/journeys?", f"/{name}?")

    def name_of(self, url: str) -> str:
        """The database of such an address."""
        return url.rpartition("?")[0].rpartition("/")[2]


@pytest.fixture(scope="session")
def stack() -> Iterator[RealStack]:
    with a_home() as home:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("stack_process.py")), str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(home / "stderr").open("w"),
            text=True,
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        )
        assert process.stdin is not None and process.stdout is not None
        line = process.stdout.readline()
        assert line, (home / "stderr").read_text()
        real = RealStack(**json.loads(line))
        try:
            asyncio.run(keys.prepare(real.database_url("journeys_keys")))
            yield real
        finally:
            process.stdin.close()
            process.wait(30)


@pytest.fixture(scope="session")
def migrated(stack: RealStack) -> str:
    """A database with the whole schema and no row, of which others are copies; its name.

    Its server no longer vacuums by itself: it would go through every copy in turn, and none lives long enough to need
    it.
    """

    async def make() -> None:
        connection = await asyncpg.connect(stack.database)
        await connection.execute("ALTER SYSTEM SET autovacuum = off")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.execute("CREATE DATABASE migrated")
        await connection.close()
        await migrate(stack.database_url("migrated"))

    asyncio.run(make())
    return "migrated"


@asynccontextmanager
async def a_database(stack: RealStack, migrated: str) -> AsyncIterator[str]:
    """A fresh database with the whole schema, gone afterwards; its address."""
    name = f"t_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(stack.database)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    yield stack.database_url(name)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest_asyncio.fixture
async def database_url(stack: RealStack, migrated: str) -> AsyncIterator[str]:
    """A fresh database with the whole schema."""
    async with a_database(stack, migrated) as url:
        yield url


@pytest_asyncio.fixture
async def journal_pool(database_url: str) -> AsyncIterator[Any]:
    """The journal as the worker sees it."""
    pool = await open_pool(database_url, largest=16)
    yield pool
    await pool.close()
