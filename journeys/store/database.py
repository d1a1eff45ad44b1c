"""Connections to PostgreSQL: a pool in one role, whose server is durable and whose schema is ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, TypeAlias

import asyncpg

from journeys.store.keys import Keys
from journeys.store.migrating import newest_version

Pool: TypeAlias = Any
"""What `open_pool` returns: an `asyncpg.Pool` (the driver carries no types)."""

Connection: TypeAlias = Any
"""An `asyncpg.Connection`, or a pool's."""

Role: TypeAlias = Literal[
    "journeys_writer", "journeys_reader", "journeys_retention", "journeys_web", "journeys_sequencer", "journeys_looks"
]

CONNECT_SECONDS: Final = 2.0
COMMAND_SECONDS: Final = 3.0
ACQUIRE_SECONDS: Final = 2.0
"""A frozen server is noticed only by these: without them a caller waits for ever."""

LOST: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a question raises when no answer comes; a timeout is an OSError."""

AWAY: Final = (
    asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError,
    OSError,
)  # fmt: skip
"""What connecting raises while the server is away, coming up or dying; a timeout is an OSError."""

_PAUSE_SECONDS: Final = 0.2

_DURABLE: Final = {
    "fsync": {"on"},
    "full_page_writes": {"on"},
    "synchronous_commit": {"on", "remote_apply", "remote_write"},
}


class BoundedPool(asyncpg.pool.Pool):  # type: ignore[misc]  # the driver carries no types
    """A pool whose every acquisition has an end, also those of its own `fetch` and `execute`; and the keys to it."""

    keys: Keys

    async def close(self) -> None:
        await super().close()
        await self.keys.close()

    def terminate(self) -> None:
        super().terminate()
        self.keys.terminate()

    def acquire(self, *, timeout: float | None = ACQUIRE_SECONDS) -> Any:
        return super().acquire(timeout=timeout)


class KeyedConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection of a pool: what it reads and writes is sealed under these keys."""

    __slots__ = ("keys",)

    keys: Keys


class WrongSchema(Exception):
    """The database's schema is not the one that this code was written for. 0 stands for an empty database."""

    def __init__(self, found: int, wanted: int) -> None:
        super().__init__(f"the database has schema version {found}, this code wants {wanted}")
        self.found = found
        self.wanted = wanted


class NotDurable(Exception):
    """The server would lose what it acknowledged: `wrong` holds each such setting with its value."""

    def __init__(self, wrong: dict[str, str]) -> None:
        super().__init__(", ".join(f"{name} = {value}" for name, value in sorted(wrong.items())))
        self.wrong = wrong


async def open_pool(
    dsn: str,
    *,
    role: Role | None = "journeys_writer",
    smallest: int = 1,
    largest: int = 6,
    check: bool = True,
    keys: Keys | None = None,
) -> Pool:
    """A pool whose connections act as `role` (None: as the login itself).

    Args:
        dsn: `postgresql://…`; a socket directory goes in as `?host=`.
        smallest: connections opened at once.
        largest: connections at most; on two cores six commit more a second than sixteen.
        check: refuse a server that is not durable and a schema that is not ours.
        keys: of what is sealed; None: those beside it, as the settings say.

    Raises:
        SettingsError: no key-encryption key.
        NotDurable, WrongSchema: see there.
        OSError, TimeoutError, asyncpg.PostgresError: the server cannot be reached or refuses.
    """

    keys = keys or Keys.beside(dsn)

    async def settle(connection: Connection) -> None:
        connection.keys = keys
        if role is not None:
            await connection.execute(f"SET ROLE {role}")

    pool = BoundedPool(
        dsn,
        min_size=smallest,
        max_size=largest,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=None,
        connection_class=KeyedConnection,
        record_class=asyncpg.Record,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        init=settle,
        reset=_leave_as_is,
        # The database would remember what each of thousands of boards was taken apart into, by the whole board.
        server_settings={"application_name": "journeys", "TimeZone": "UTC", "enable_memoize": "off"},
    )
    pool.keys = keys
    try:
        await pool
        if check:
            async with pool.acquire() as connection:
                await check_durable(connection)
                await check_schema(connection)
    except BaseException:
        pool.terminate()
        raise
    return pool


@asynccontextmanager
async def acting(pool: Pool, role: Role) -> AsyncIterator[Connection]:
    """A connection of a pool that acts as another role, for one transaction."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {role}")
        yield connection


async def await_pool(dsn: str, seconds: float, keys: Keys | None = None) -> Pool:
    """`open_pool`, tried again for so long while the server is away or only coming up. Raises what that raises."""
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    while True:
        try:
            return await open_pool(dsn, keys=keys)
        except AWAY:
            if clock() >= until:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)


async def check_durable(connection: Connection) -> None:
    """Raises NotDurable unless an acknowledged commit survives a crash of this server."""
    rows = await connection.fetch("SELECT name, setting FROM pg_settings WHERE name = ANY ($1::text[])", list(_DURABLE))
    wrong = {row["name"]: row["setting"] for row in rows if row["setting"] not in _DURABLE[row["name"]]}
    if wrong:
        raise NotDurable(wrong)


async def check_schema(connection: Connection) -> None:
    """Raises WrongSchema unless every migration of this code, and none newer, was applied."""
    found = 0
    if await connection.fetchval("SELECT to_regclass('public.migrations') IS NOT NULL"):
        found = await connection.fetchval("SELECT coalesce(max(version), 0) FROM migrations")
    wanted = newest_version()
    if found != wanted:
        raise WrongSchema(found, wanted)


async def _leave_as_is(connection: Connection) -> None:
    # No query of the store leaves anything in the session but its role, and the driver's own reset
    # would cost every append a second round trip.
    return None
