"""What is said of a person is nowhere but sealed: in no file, dump, history or log."""

import asyncio
import logging
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.client import WorkflowExecutionStatus

from journeys.domain import commands as c
from journeys.local.postgres import binary
from journeys.store import keys, people
from journeys.store.directory import By
from tests.conftest import RealStack
from tests.workflow.conftest import Engine, make_engine


@dataclass(frozen=True)
class Canaries:
    """Words that are found nowhere else, as a person's are written."""

    name: str
    iban: str
    phone: str
    prison_number: str
    note: str

    def all(self) -> list[bytes]:
        return [each.encode() for each in (self.name, self.iban, self.phone, self.prison_number, self.note)]


def hatch() -> Canaries:
    mark = secrets.token_hex(4)
    number = int(mark, 16)
    return Canaries(f"Canari{mark}", f"FR76{number:023d}", f"+336{number:010d}", f"ECROU-{mark}", f"vu-{mark}")


async def live(engine: Engine, canaries: Canaries) -> None:
    """A person, and a journey, in which each canary is said."""
    details = people.Details(first_name="Zoe", last_name=canaries.name, phone=canaries.phone,
                             reference=canaries.prison_number, interests=canaries.note)  # fmt: skip
    by = By(actor="system", role="system", at=datetime.now(UTC))
    await people.register(engine.pool, engine.person, details, by)
    await people.change(engine.pool, engine.person, replace(details, place=canaries.note), by)
    async with engine.worker():
        await engine.plan(release_in_days=5)
        text = f"{canaries.name} {canaries.phone} {canaries.prison_number} {canaries.note}"
        assert (await engine.do(c.AddNote(), text=text)).outcome == "accepted"
        asked = c.RequestGrant(grant="permit", purpose="training", amount=10_000)
        await engine.do(asked, payee=f"{canaries.name}, {canaries.iban}", note=canaries.note)
        await engine.pass_days(6)
        await engine.do(c.AddNote(), text=canaries.note)


async def files_of(stack: RealStack, database: str, since: str) -> list[Path]:
    """Where a database keeps what it holds, and the log of what was written since."""
    connection = await asyncpg.connect(database)
    try:
        home = Path(await connection.fetchval("SHOW data_directory"))
        oid = await connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
        first = await connection.fetchval("SELECT pg_walfile_name($1::text::pg_lsn)", since)
        last = await connection.fetchval("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
    logs = [path for path in (home / "pg_wal").iterdir() if first <= path.name <= last]
    return [*(home / "base" / str(oid)).iterdir(), *logs, home.parents[1] / "log" / "postgres.log"]


async def dump_of(database: str) -> bytes:
    asking = await asyncio.create_subprocess_exec(
        binary("pg_dump"), "--dbname", database, stdout=asyncio.subprocess.PIPE
    )
    found, _ = await asking.communicate()
    assert asking.returncode == 0
    return found


async def sinks(stack: RealStack, database: str, engine: Engine, since: str, log: str) -> dict[str, bytes]:
    """Everything that somebody could look into who has no key."""
    found = {"log": log.encode()}
    for name, dsn in (("journal", database), ("keys", engine.pool.keys.dsn)):
        for path in await files_of(stack, dsn, since):
            found[f"{name} file {path.name}"] = path.read_bytes()
        found[f"{name} dump"] = await dump_of(dsn)
    handle = engine.handle()
    history = await handle.fetch_history()
    found["history"] = b"".join(event.SerializeToString() for event in history.events)
    described = await handle.describe()
    found["attributes"] = described.raw_description.SerializeToString()
    assert described.status is not WorkflowExecutionStatus.FAILED
    home = next(path for path in Path(found_home(database)).parents if (path / "temporal").is_dir())
    for path in (home / "temporal").rglob("*"):
        if path.is_file():
            found[f"Temporal's {path.name}"] = path.read_bytes()
    for path in (home / "log").iterdir():
        found[f"log {path.name}"] = path.read_bytes()
    return found


def found_home(database: str) -> str:
    """The folder of the server's socket."""
    from urllib.parse import parse_qs, urlsplit

    return parse_qs(urlsplit(database).query)["host"][0]


def hits(found: dict[str, bytes], canaries: Canaries) -> set[str]:
    """The sinks in which a canary stands, as it is or as a dump writes bytes."""
    wanted = [form for each in canaries.all() for form in (each, each.hex().encode())]
    return {name for name, content in found.items() if any(form in content for form in wanted)}


async def test_no_sink_knows_a_person_and_the_search_would_find_one(
    stack: RealStack, database_url: str, journal_pool: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any, capfd: Any
) -> None:
    caplog.set_level(logging.DEBUG)

    async def look(canaries: Canaries) -> dict[str, bytes]:
        since = await journal_pool.fetchval("SELECT pg_current_wal_lsn()::text")
        engine = await make_engine(stack, journal_pool)
        await live(engine, canaries)
        said = "".join(capfd.readouterr())
        return await sinks(stack, database_url, engine, since, caplog.text + said)

    safe = hatch()
    found = await look(safe)
    assert len(found) > 30 and len(found["history"]) > 5_000
    assert hits(found, safe) == set()

    # Without the sealing every sink tells.
    monkeypatch.setattr(keys, "seal_with", lambda cipher, id, plain, place: bytes([1, len(id)]) + id.encode() + plain)
    monkeypatch.setattr(keys, "unseal_with", lambda cipher, sealed, place: sealed[2 + sealed[1] :])
    journal_pool.keys.terminate()
    bare = hatch()
    told = hits(await look(bare), bare)
    assert {"journal dump", "history"} <= told
    assert any(name.startswith("journal file") for name in told) and any(name.startswith("Temporal's") for name in told)
