"""What nobody can change: by trigger for the owner, by grant for the roles; what a forced change leaves."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, get_args

import asyncpg
import pytest
import pytest_asyncio

from journeys.store.database import Role, open_pool
from journeys.store.journal import append, read_all
from journeys.store.programmes import store_text
from journeys.store.sequencing import sequence
from journeys.store.signing import KeyRing

from .conftest import Server
from .samples import new_stream, noted, plain

pytestmark = pytest.mark.asyncio

FROZEN = [
    "events", "commands", "texts", "ledger_transactions", "ledger_entries", "log_entries", "log_tiles", "checkpoints",
    "checkpoint_deliveries", "verifications", "reads",
]  # fmt: skip


async def fill(pool: Any, ring: KeyRing, dsn: str) -> str:
    stream = new_stream()
    for seq in range(3):
        await append(pool, ring, noted(stream, seq, ring))
    async with pool.acquire() as connection:
        await store_text(connection, "programme", "auxilia", "name: auxilia")
    sequencer = await open_pool(dsn, role="journeys_sequencer", largest=1)
    await sequence(sequencer)
    await sequencer.close()
    return stream


@dataclass(frozen=True)
class Filled:
    """A database with a little of everything, and the stream in it."""

    dsn: str
    stream: str


@pytest.fixture(scope="module")
def filled(server: Server, ring: KeyRing) -> Iterator[Filled]:
    """One for all that is refused: whoever asks for it changes nothing."""

    async def make() -> Filled:
        dsn = await server.create(server.migrated)
        pool = await open_pool(dsn)
        stream = await fill(pool, ring, dsn)
        await pool.close()
        return Filled(dsn, stream)

    made = asyncio.run(make())
    yield made
    asyncio.run(server.drop(made.dsn))


@pytest_asyncio.fixture
async def master(filled: Filled) -> AsyncIterator[Any]:
    """A connection to it as superuser and owner of every table."""
    connection = await asyncpg.connect(filled.dsn)
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET header = header || ' '",
        "DELETE FROM events WHERE seq = 3",
        "TRUNCATE events, ledger_transactions, ledger_entries",
        "UPDATE commands SET signature = ''",
        "DELETE FROM commands",
        "TRUNCATE commands",
        "UPDATE texts SET name = 'x'",
        "DELETE FROM texts",
        "TRUNCATE texts, published, edited_templates",
        "UPDATE parts SET text = 'x'",
        "TRUNCATE parts",
        "DELETE FROM streams",
        "TRUNCATE streams",
        "TRUNCATE ledger_entries",
        "TRUNCATE log_entries",
        "DELETE FROM log_entries",
        "UPDATE log_entries SET position = position + 1",
    ],
)
async def test_the_owner_meets_a_trigger(master: Any, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await master.execute(statement)
    # A replica's session switches ordinary triggers off, these not.
    await master.execute("SET session_replication_role = replica")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await master.execute(statement)


@pytest.mark.parametrize("table", FROZEN)
async def test_no_role_may_change_or_delete(master: Any, table: str) -> None:
    for role in get_args(Role):
        for right in ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"):
            assert not await master.fetchval("SELECT has_table_privilege($1, $2, $3)", role, table, right), role
        assert await master.fetchval("SELECT tableowner FROM pg_tables WHERE tablename = $1", table) != role


async def test_the_writer_is_refused_before_any_trigger(pool: Any, ring: KeyRing, dsn: str) -> None:
    await fill(pool, ring, dsn)
    for statement in (
        "UPDATE events SET kind = 'x'",
        "DELETE FROM parts",
        "DELETE FROM commands",
        "DROP TABLE events",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"permission denied|must be owner"):
            await pool.execute(statement)


async def test_the_reader_reads_and_nothing_else(pool: Any, ring: KeyRing, dsn: str) -> None:
    stream = await fill(pool, ring, dsn)
    reader = await open_pool(dsn, role="journeys_reader")
    assert len(await read_all(reader, stream)) == 3
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await append(reader, ring, plain(stream, 3))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute("INSERT INTO parts VALUES ($1, 1, 'x', 'x', sha256('x'))", stream)
    await reader.close()


async def test_retention_deletes_parts_and_reads_little(pool: Any, ring: KeyRing, dsn: str) -> None:
    stream = await fill(pool, ring, dsn)
    retention = await open_pool(dsn, role="journeys_retention")
    assert await retention.execute("DELETE FROM parts WHERE stream = $1", stream) == "DELETE 3"
    for statement in ("DELETE FROM events", "SELECT * FROM people", "UPDATE parts SET text = ''"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await retention.execute(statement)
    await retention.close()


async def test_a_change_forced_by_a_superuser_breaks_the_links(pool: Any, owner: Any, ring: KeyRing, dsn: str) -> None:
    stream = await fill(pool, ring, dsn)
    await owner.execute("ALTER TABLE events DISABLE TRIGGER ALL")
    await owner.execute(
        "UPDATE events"
        " SET header = overlay(header PLACING 'mentor__' FROM position('referent'::bytea IN header))"
        " WHERE stream = $1 AND seq = 2",
        stream,
    )
    events = await read_all(pool, stream)
    assert b"mentor__" in events[1].header
    assert hashlib.sha256(events[1].header).hexdigest() != events[2].read()["prev"]


@pytest.mark.parametrize("name", ["", "journey", "journey-1", f"Journey-{'0' * 8}", "system-x"])
async def test_no_stream_has_a_strange_name(master: Any, filled: Filled, name: str) -> None:
    for statement in (
        "INSERT INTO streams VALUES ($2 || left($1, 0), 0, sha256(''))",
        "UPDATE streams SET stream = $2 WHERE stream = $1",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await master.execute(statement, filled.stream, name)
