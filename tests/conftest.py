"""What many rooms of the tests share: one real stack a session, one migrated database a test."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from journeys.store.database import open_pool
from journeys.store.migrating import migrate


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


@pytest.fixture(scope="session")
def stack() -> Iterator[RealStack]:
    home = Path(tempfile.mkdtemp(prefix="journeys-"))
    home.chmod(0o755)
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
    try:
        yield RealStack(**json.loads(line))
    finally:
        process.stdin.close()
        process.wait(30)
        shutil.rmtree(home, ignore_errors=True)


@pytest_asyncio.fixture
async def database_url(stack: RealStack) -> AsyncIterator[str]:
    """A fresh database with the whole schema."""
    name = f"t_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(stack.database)
    await connection.execute(f"CREATE DATABASE {name}")
    url = stack.database_url(name)
    await migrate(url)
    yield url
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest_asyncio.fixture
async def journal_pool(database_url: str) -> AsyncIterator[Any]:
    """The journal as the worker sees it."""
    pool = await open_pool(database_url, largest=16)
    yield pool
    await pool.close()
