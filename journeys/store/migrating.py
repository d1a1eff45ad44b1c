"""The schema's numbered .sql files: each applied once, in order, in a transaction, its checksum kept."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import asyncpg

FOLDER: Final = Path(__file__).parent / "migrations"

_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_LOCK: Final = 0x6A6F75726E657973
"""`journeys` in ASCII: the advisory lock that lets one migrator in at a time."""

_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS migrations (
        version integer PRIMARY KEY,
        name text NOT NULL,
        sha256 bytea NOT NULL,
        applied timestamptz NOT NULL DEFAULT clock_timestamp()
    )
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name, its text and the SHA-256 of its bytes."""

    version: int
    name: str
    sql: str
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Status:
    """What a database has: versions applied, and the names of the files still to be applied."""

    applied: tuple[int, ...]
    waiting: tuple[str, ...]


class MigrationError(Exception):
    """The files and the database do not go together; the text says which and what to do."""


class ChangedMigration(MigrationError):
    """A file was edited after it was applied."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was changed after it was applied; restore it and write a new migration instead")
        self.name = name


class NewerSchema(MigrationError):
    """The database was migrated by a newer release."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"the database has schema version {found}, this release knows {known}; install the newer release"
        )
        self.found = found
        self.known = known


@cache
def migrations(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """The files in order. Raises MigrationError for a wrong name or a gap in the numbers."""
    found = tuple(_read(path) for path in sorted(folder.glob("*.sql")))
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise MigrationError(f"{migration.name}: number {expected:04d} is missing or used twice")
    return found


def newest_version(folder: Path = FOLDER) -> int:
    """The version that this code wants."""
    return len(migrations(folder))


async def migrate(dsn: str, *, folder: Path = FOLDER) -> list[str]:
    """Apply what is waiting and return the names applied, in order; none when the schema was already ours.

    Raises:
        ChangedMigration, NewerSchema: nothing was applied.
        asyncpg.PostgresError: a file failed; the files before it stay applied, nothing of it does.
    """
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        # The lock is the session's, so it goes with the connection, whatever happens.
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_TABLE)
        waiting = _waiting(await _applied(connection), migrations(folder))
        for migration in waiting:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO migrations (version, name, sha256) VALUES ($1, $2, $3)",
                    migration.version,
                    migration.name,
                    migration.sha256,
                )
        await connection.execute("GRANT SELECT ON migrations TO PUBLIC")
        return [migration.name for migration in waiting]
    finally:
        await connection.close()


async def status(dsn: str, *, folder: Path = FOLDER) -> Status:
    """What the database has and lacks; changes nothing. Raises ChangedMigration, NewerSchema."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        applied: dict[int, bytes] = {}
        if await connection.fetchval("SELECT to_regclass('public.migrations') IS NOT NULL"):
            applied = await _applied(connection)
        waiting = _waiting(applied, migrations(folder))
        return Status(tuple(sorted(applied)), tuple(migration.name for migration in waiting))
    finally:
        await connection.close()


def _read(path: Path) -> Migration:
    found = _NAME.fullmatch(path.name)
    if found is None:
        raise MigrationError(f"{path.name}: a migration is named NNNN_what.sql")
    raw = path.read_bytes()
    return Migration(int(found[1]), path.name, raw.decode(), hashlib.sha256(raw).digest())


async def _applied(connection: Any) -> dict[int, bytes]:
    rows = await connection.fetch("SELECT version, sha256 FROM migrations ORDER BY version")
    return {row["version"]: row["sha256"] for row in rows}


def _waiting(applied: dict[int, bytes], known: tuple[Migration, ...]) -> list[Migration]:
    newest = max(applied, default=0)
    if newest > len(known):
        raise NewerSchema(newest, len(known))
    for migration in known:
        if migration.version in applied and applied[migration.version] != migration.sha256:
            raise ChangedMigration(migration.name)
    return [migration for migration in known if migration.version not in applied]
