"""Migrations: applied once, in order, all or nothing a file; and what is refused."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import asyncpg
import pytest

from journeys.store import mentors, partners, staff, treasury
from journeys.store.database import NotDurable, WrongSchema, await_pool, check_durable, open_pool
from journeys.store.migrating import (
    FOLDER,
    ChangedMigration,
    MigrationError,
    NewerSchema,
    migrate,
    migrations,
    newest_version,
    status,
)
from journeys.store.sealing_up import seal_up

from .conftest import Server
from .samples import view

pytestmark = pytest.mark.asyncio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped files, to be edited."""
    copy = tmp_path / "migrations"
    shutil.copytree(FOLDER, copy)
    migrations.cache_clear()
    return copy


async def migrated_before(name: str, dsn: str, folder: Path) -> dict[Path, str]:
    """Migrate up to before a file; that and those behind it are taken away, and given back as they were."""
    first = next(folder.glob(f"*_{name}.sql")).name
    later = {path: path.read_text() for path in folder.glob("*.sql") if path.name >= first}
    for path in later:
        path.unlink()
    await migrate(dsn, folder=folder)
    return later


async def migrate_on(later: Mapping[Path, str], dsn: str, folder: Path) -> None:
    for path, text in later.items():
        path.write_text(text)
    migrations.cache_clear()
    await migrate(dsn, folder=folder)


async def test_an_empty_database_gets_every_file_once(empty_dsn: str) -> None:
    assert (await status(empty_dsn)).applied == ()
    applied = await migrate(empty_dsn)
    assert applied == [migration.name for migration in migrations()]
    assert await migrate(empty_dsn) == []
    found = await status(empty_dsn)
    assert (found.applied, found.waiting) == (tuple(range(1, newest_version() + 1)), ())


async def test_several_at_once_apply_each_file_once(empty_dsn: str) -> None:
    results = await asyncio.gather(*(migrate(empty_dsn) for _ in range(4)))
    assert sorted(map(len, results)) == [0, 0, 0, newest_version()]


async def test_a_changed_file_is_refused(empty_dsn: str, folder: Path) -> None:
    await migrate(empty_dsn, folder=folder)
    first = sorted(folder.glob("*.sql"))[0]
    first.write_text(first.read_text() + "\n")
    migrations.cache_clear()
    for asked in (migrate(empty_dsn, folder=folder), status(empty_dsn, folder=folder)):
        with pytest.raises(ChangedMigration, match="0001"):
            await asked


async def test_a_newer_schema_is_refused(empty_dsn: str, folder: Path) -> None:
    (folder / f"{newest_version() + 1:04d}_later.sql").write_text("CREATE TABLE later (id int);")
    await migrate(empty_dsn, folder=folder)
    with pytest.raises(NewerSchema):
        await migrate(empty_dsn)
    with pytest.raises(WrongSchema) as raised:
        await open_pool(empty_dsn)
    assert (raised.value.found, raised.value.wanted) == (newest_version() + 1, newest_version())


async def test_a_file_that_fails_leaves_nothing_and_can_be_tried_again(empty_dsn: str, folder: Path) -> None:
    broken = folder / f"{newest_version() + 1:04d}_broken.sql"
    broken.write_text("CREATE TABLE half (id int); SELECT 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty_dsn, folder=folder)
    assert (await status(empty_dsn, folder=folder)).waiting == (broken.name,)
    migrations.cache_clear()
    broken.write_text("CREATE TABLE half (id int);")
    assert await migrate(empty_dsn, folder=folder) == [broken.name]


async def test_a_gap_or_a_wrong_name_is_refused(empty_dsn: str, folder: Path) -> None:
    (folder / "0099_far.sql").write_text("SELECT 1;")
    with pytest.raises(MigrationError, match="missing"):
        await migrate(empty_dsn, folder=folder)
    (folder / "0099_far.sql").rename(folder / "far.sql")
    migrations.cache_clear()
    with pytest.raises(MigrationError, match="NNNN"):
        await migrate(empty_dsn, folder=folder)


async def test_a_database_without_schema_is_said(empty_dsn: str) -> None:
    with pytest.raises(WrongSchema) as raised:
        await open_pool(empty_dsn, role=None)
    assert raised.value.found == 0


async def test_a_server_that_is_only_coming_up_is_waited_for(dsn: str, tmp_path: Path) -> None:
    """Its socket appears behind another path half a second later."""
    address, _, sockets = dsn.partition("?host=")
    late = tmp_path / "late"
    elsewhere = f"{address}?host={late}"
    with pytest.raises(FileNotFoundError):
        await await_pool(elsewhere, seconds=0)
    waiting = asyncio.create_task(await_pool(elsewhere, seconds=10))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    late.symlink_to(unquote(sockets))
    pool = await waiting
    assert await pool.fetchval("SELECT 1") == 1
    await pool.close()


@pytest.mark.parametrize("setting", ["synchronous_commit = off", "synchronous_commit = local"])
async def test_a_server_that_forgets_is_refused(dsn: str, setting: str) -> None:
    connection = await asyncpg.connect(dsn)
    await check_durable(connection)
    await connection.execute(f"SET {setting}")
    with pytest.raises(NotDurable, match="synchronous_commit"):
        await check_durable(connection)
    await connection.close()


async def test_a_pool_that_is_used_up_says_so_in_time(dsn: str) -> None:
    pool = await open_pool(dsn, largest=1)
    async with pool.acquire():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.fetchval("SELECT 1"), timeout=4)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pool.execute("SELECT pg_sleep(10)"), timeout=5)
    assert await pool.fetchval("SELECT current_user") == "journeys_writer"
    await pool.close()


async def test_an_ordinary_owner_who_may_make_roles_can_migrate_and_write(server: Server) -> None:
    dsn = await server.create("template0")
    admin = await asyncpg.connect(dsn)
    database = await admin.fetchval("SELECT current_database()")
    await admin.execute("CREATE ROLE clerk LOGIN CREATEROLE")
    await admin.execute(
        "GRANT journeys_writer, journeys_reader, journeys_retention, journeys_web, journeys_sequencer,"
        " journeys_looks TO clerk"
        " WITH ADMIN OPTION"
    )
    await admin.execute(f"ALTER DATABASE {database} OWNER TO clerk")
    await admin.close()
    own = dsn.replace("journeys@", "clerk@")
    assert len(await migrate(own)) == newest_version()
    pool = await open_pool(own)
    assert await pool.fetchval("SELECT current_user") == "journeys_writer"
    await pool.close()


async def test_what_is_there_is_given_the_funds_and_roles_that_events_and_programmes_name(
    empty_dsn: str, folder: Path
) -> None:
    later = await migrated_before("scopes", empty_dsn, folder)
    owner = await asyncpg.connect(empty_dsn)
    with_money, without = str(uuid4()), str(uuid4())
    for id, asked in ((with_money, ("b", "a", "b")), (without, ())):
        summary = view(1, money=bool(asked))
        await owner.execute("SELECT view_put($1, $2)", f"journey-{id}", json.dumps(summary))
        for seq, fund in enumerate(asked, start=1):
            header = json.dumps({"data": {"fund": fund}}).encode()
            await owner.execute(
                "INSERT INTO events (stream, seq, kind, header) VALUES ($1, $2, 'GrantRequested', $3)",
                f"journey-{id}", seq, header,
            )  # fmt: skip
    programme = json.dumps({"roles": {"care": {"rights": "referent"}, "mentor": {"fr": "mentor"}}})
    await owner.execute(
        "INSERT INTO texts (sha256, kind, name, text) VALUES (sha256(convert_to($1, 'UTF8')), 'programme', 'p', $1)",
        programme,
    )
    await migrate_on(later, empty_dsn, folder)
    named = await owner.fetch("SELECT role, programme, line FROM programme_roles")
    assert [tuple(row) for row in named] == [("care", hashlib.sha256(programme.encode()).hexdigest(), "referent")]
    rows = await owner.fetch("SELECT id::text, summary -> 'funds' AS told FROM journeys")
    assert {row["id"]: json.loads(row["told"]) for row in rows} == {with_money: ["a", "b"], without: []}
    await owner.close()


async def test_verifications_of_before_get_the_order_of_their_time(empty_dsn: str, folder: Path) -> None:
    later = await migrated_before("stored_last", empty_dsn, folder)
    owner = await asyncpg.connect(empty_dsn)
    put = "INSERT INTO verifications (run, at, wrong, found) VALUES ($1, $2, 0, '{}')"
    for run, day in (("third", 9), ("first", 2), ("second", 5)):
        await owner.execute(put, run, datetime(2027, 5, day, tzinfo=UTC))
    await migrate_on(later, empty_dsn, folder)
    await owner.execute(put, "last", datetime(2027, 5, 1, tzinfo=UTC))
    rows = await owner.fetch("SELECT run FROM verifications ORDER BY stored")
    assert [row["run"] for row in rows] == ["first", "second", "third", "last"]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute("UPDATE verifications SET wrong = 1")
    await owner.close()


PLAIN = "Canari-en-clair"


async def test_who_was_known_in_plain_is_sealed_and_nothing_plain_is_left_on_the_disk(
    empty_dsn: str, folder: Path
) -> None:
    later = await migrated_before("contacts", empty_dsn, folder)
    owner, who, began = await asyncpg.connect(empty_dsn), str(uuid4()), datetime(2027, 5, 12, 8, 30, tzinfo=UTC)
    for statement in (
        "INSERT INTO staff (id, handle, name, email, roles) VALUES ($1, 'claire', $2, 'c@example.org', '{finance}')",
        "INSERT INTO mentors (id, name, phone, capacity, interests) VALUES ($1, $2, $2, 3, $2)",
        "INSERT INTO partners (id, name, kind, place, places) VALUES ($1, $2, 'housing', $2, 4)",
        "INSERT INTO stops (began, began_by, why) VALUES ('2027-05-12 08:30Z', $1, $2)",
    ):
        await owner.execute(statement, who, PLAIN)
    await migrate_on(later, empty_dsn, folder)

    async def on_disk() -> list[str]:
        await owner.execute("CHECKPOINT")
        home = Path(await owner.fetchval("SHOW data_directory"))
        tables = ("staff", "mentors", "partners", "stops")
        files = {
            each: home / await owner.fetchval("SELECT pg_relation_filepath($1::regclass)", each) for each in tables
        }
        return [table for table, file in files.items() if PLAIN.encode() in file.read_bytes()]

    assert await on_disk() == ["staff", "mentors", "partners", "stops"]
    pool = await open_pool(empty_dsn)
    for sealed in (False, True):
        if sealed:
            done = await seal_up(empty_dsn, pool.keys, None)
            assert (done.staff, done.mentors, done.partners, done.stops) == (1, 1, 1, 1)
        [member], [mentor], [partner] = (
            await staff.members(pool), await mentors.mentors(pool), await partners.partners(pool)
        )  # fmt: skip
        assert (member.name, member.email, member.phone, member.roles) == (PLAIN, "c@example.org", None, ("finance",))
        assert (mentor.name, mentor.phone, mentor.interests, mentor.capacity) == (PLAIN, PLAIN, PLAIN, 3)
        assert (partner.name, partner.place, partner.places) == (PLAIN, PLAIN, 4)
        assert await treasury.stopped(pool) == treasury.Stop(began, who, PLAIN, PLAIN)
    assert await on_disk() == []
    await pool.close()
    await owner.close()
