"""The store's own databases on the session's PostgreSQL: one migrated template, one copy a test."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from journeys.store.database import open_pool
from journeys.store.signing import KeyRing
from tests.conftest import RealStack


@dataclass(frozen=True)
class Server:
    """The running PostgreSQL, reached by its socket as superuser."""

    stack: RealStack
    migrated: str

    def dsn(self, database: str) -> str:
        return self.stack.database_url(database)

    async def create(self, template: str) -> str:
        """A fresh database; returns its dsn."""
        name = f"store_{uuid.uuid4().hex}"
        connection = await asyncpg.connect(self.stack.database)
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        finally:
            await connection.close()
        return self.dsn(name)

    async def drop(self, dsn: str) -> None:
        """Hundreds of them would fill the memory in which the server keeps them."""
        connection = await asyncpg.connect(self.stack.database)
        try:
            await connection.execute(f"DROP DATABASE {self.stack.name_of(dsn)} WITH (FORCE)")
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def server(stack: RealStack, migrated: str) -> Server:
    return Server(stack, migrated)


@pytest_asyncio.fixture
async def dsn(server: Server) -> AsyncIterator[str]:
    """A database with the whole schema and no row, gone afterwards."""
    made = await server.create(server.migrated)
    yield made
    await server.drop(made)


@pytest_asyncio.fixture
async def empty_dsn(server: Server) -> AsyncIterator[str]:
    """A database without schema, gone afterwards."""
    made = await server.create("template0")
    yield made
    await server.drop(made)


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


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    return KeyRing("k1", {"k1": b"1" * 32, "k0": b"0" * 32})
