"""Servers that are missing, empty, of another version, or hold another key; and accounts that contradict each other."""

import asyncio
import contextlib
import json
import secrets
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from journeys.store.sealing import seal, sealed_by
from journeys.store.signing import KeyRing
from tests.homes import new_home

from .conftest import REPOSITORY, Journeys, Up, plain_environment


async def _value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def execute(url: str, *statements: str) -> None:
    asyncio.run(_execute(url, *statements))


@pytest.fixture
def empty(up: Up) -> str:
    """A database without schema, on the server of the running stack."""
    name = f"empty_{secrets.token_hex(4)}"
    execute(up.found["database_url"], f"CREATE DATABASE {name}")
    return str(up.found["database_url"]).replace("/journeys?", f"/{name}?")


def test_an_empty_database_then_migrate_then_twice(journeys: Journeys, up: Up, empty: str) -> None:
    said = journeys("list", "--json", DATABASE_URL=empty)
    assert (said.code, said.error["code"]) == (7, "wrong-schema") and "journeys migrate" in said.error["remedy"]
    applied = journeys("migrate", "--json", DATABASE_URL=empty)
    assert applied.code == 0 and applied.json["applied"][0].startswith("0001_")
    assert journeys("migrate", "--json", DATABASE_URL=empty).json["applied"] == []
    assert journeys("list", "--json", DATABASE_URL=empty).json["journeys"] == []


def test_what_stands_under_the_key_that_signs_is_sealed_anew_by_migrate_or_counted(
    journeys: Journeys, empty: str
) -> None:
    journeys("migrate", DATABASE_URL=empty)
    key, payment = secrets.token_bytes(32), str(uuid.uuid4())
    sealed = seal(KeyRing("old", {"old": key}), b'["Lina","FR14"]', f"transfer/{payment}")
    execute(
        empty, "ALTER TABLE transfers DROP CONSTRAINT sealed_only",
        f"INSERT INTO transfers (payment, reference, amount, sealed) VALUES ('{payment}', 'R', 1, '\\x{sealed.hex()}')",
        "ALTER TABLE transfers ADD CONSTRAINT sealed_only CHECK (sealed_under_year(sealed)) NOT VALID",
    )  # fmt: skip
    other = {"DATABASE_URL": empty, "JOURNEYS_SIGNING_KEY": "cd" * 32}
    said = journeys("migrate", **other)
    assert said.code == 0 and "1 virement(s), fichier(s) ou ligne(s)" in said.out and "OLD_KEYS" in said.out
    assert journeys("migrate", "--json", **other).json["locked"] == 1
    known = {**other, "JOURNEYS_SIGNING_OLD_KEYS": json.dumps({"old": key.hex()})}
    done = journeys("migrate", "--json", **known).json
    assert (done["transfers"], done["locked"]) == (1, 0)
    assert journeys("migrate", "--json", **known).json["transfers"] == 0
    found = asyncio.run(_value(empty, "SELECT sealed FROM transfers"))
    assert isinstance(found, bytes) and sealed_by(found).startswith("bank-")


def test_a_newer_schema(journeys: Journeys, empty: str) -> None:
    journeys("migrate", DATABASE_URL=empty)
    execute(empty, "INSERT INTO migrations (version, name, sha256) VALUES (9999, 'x', '\\x00')")
    assert journeys("list", "--json", DATABASE_URL=empty).error["code"] == "wrong-schema"
    assert journeys("migrate", DATABASE_URL=empty).code == 1


def test_the_first_administrator_closes_the_directory(journeys: Journeys, empty: str) -> None:
    journeys("migrate", DATABASE_URL=empty)

    def said(*words: str) -> int:
        return journeys(*words, DATABASE_URL=empty).code

    assert said("staff", "add", "ada", "--name", "Ada", "--role", "administrator") == 0
    assert said("staff", "add", "eve", "--name", "Eve", "--role", "referent") == 2
    assert said("staff", "add", "eve", "--name", "Eve", "--role", "referent", "--as", "ada") == 0
    assert said("staff", "role", "eve", "finance", "--as", "eve") == 4
    assert said("partner", "add", "Foyer", "--kind", "housing", "--as", "eve") == 0
    assert said("fund", "open", "f", "--as", "eve") == 4


def test_doctor_before_a_running_stack(here: Journeys, up: Up) -> None:
    quick = here("doctor", "--quick", "--json")
    assert quick.code == 0 and quick.json["healthy"] is True
    whole = here("doctor", "--json")
    states = {check["name"]: check["state"] for check in whole.json["checks"]}
    assert whole.code == 0, whole.out
    assert (
        states["database"] == states["temporal"] == states["journeys"] == states["documents"] == "ok"
        and states["mail"] == "warning"
    )


def test_no_temporal_is_exit_7_with_the_command_id(here: Journeys, up: Up, started: Callable[..., str]) -> None:
    id = started()
    away = {"DATABASE_URL": str(up.found["database_url"]), "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    words = ["do", id, "add-note", "--text", "x", "--as", "aline"]
    said = here(*words, "--json", **away)
    assert (said.code, said.error["code"], said.error["fate"]) == (7, "temporal", "not-taken")
    command = said.error["command"]
    assert command in here(*words, "--command-id", command, **away).err
    done = here(*words, "--command-id", command, "--json")
    assert done.code == 0 and done.json["command"]["command"] == command
    assert here("doctor", "--quick", **away).code == 1


def test_a_signature_by_another_key(here: Journeys, started: Callable[..., str]) -> None:
    id = started()
    seq = here("show", id, "--json").journey["seq"]
    said = here("do", id, "add-note", "--text", "x", "--as", "aline", "--json", JOURNEYS_SIGNING_KEY="ab" * 32)
    assert (said.code, said.error["code"]) == (4, "unsigned")
    assert here("show", id, "--json").journey["seq"] == seq
    assert here("do", id, "add-note", "--text", "x", "--as", "aline").code == 0


def test_nothing_is_changed_by_a_start_or_a_wish_signed_by_another_key(
    here: Journeys, up: Up, started: Callable[..., str]
) -> None:
    """Both begin outside any journey: with the person, whom the entry point writes down itself."""
    id, other = started(), {"JOURNEYS_SIGNING_KEY": "ab" * 32}

    def written() -> object:
        url = str(up.found["database_url"])
        return asyncio.run(_value(url, "SELECT ROW((SELECT count(*) FROM people), (SELECT count(*) FROM events))"))

    before = written()
    start = ["start", "--programme", "auxilia", "--person", "Autre Clé", "--release", "2030-01-01", "--referent", "bob"]
    for words in (start, ["do", id, "opt-out", "--as", "aline"]):
        said = here(*words, "--json", **other)
        assert (said.code, said.error["code"]) == (4, "unsigned")
        assert "même clé" in here(*words, **other).err
    assert written() == before
    assert "trust" in [check["name"] for check in here("doctor", "--json", **other).json["checks"]]
    assert "trust" not in [check["name"] for check in here("doctor", "--json").json["checks"]]
    assert here(*start).code == 0


def test_lists_that_contradict_the_journal(here: Journeys, up: Up, started: Callable[..., str]) -> None:
    id = started()
    execute(str(up.found["database_url"]), f"UPDATE journeys SET referent = gen_random_uuid() WHERE id = '{id}'")
    said = here("audit", "verify", id, "--json")
    assert said.code == 6 and said.json["holds"] is False
    assert "PAS d" in here("audit", "verify", id).out
    assert here("rebuild", id, "--json").json["rebuilt"] == 1
    assert here("audit", "verify", id, "--strict").code == 0


def test_journeys_that_cannot_be_read_are_named_and_hold_no_other_back(
    here: Journeys, up: Up, started: Callable[..., str]
) -> None:
    (unread, odd), url = (started() for _ in range(2)), str(up.found["database_url"])
    assert here("audit", "checkpoint").code == 0, "the log has them as they were"
    of = " stream = 'journey-{}' AND seq = 2"
    odd_header = (
        "convert_to((convert_from(header, 'UTF8')::jsonb || jsonb_build_object('kind', 'GrantApprovalGiven',"
        " 'kind_v', 1, 'data', jsonb_build_object('grant', gen_random_uuid(), 'digest', 'x', 'stands_for', 'duty')"
        "))::text, 'UTF8')"
    )
    execute(
        url,
        f"CREATE TABLE aside AS SELECT * FROM events WHERE {of.format(unread)} OR {of.format(odd)}",
        "ALTER TABLE events DISABLE TRIGGER append_only",
        f"UPDATE events SET header = 'x' WHERE {of.format(unread)}",
        f"UPDATE events SET header = {odd_header} WHERE {of.format(odd)}",
    )
    try:
        last = started()
        listed = [each["journey"] for each in here("audit", "deadlines", "--json").json["journeys"]]
        assert last in listed and not {unread, odd} & set(listed), "whatever comes behind them"
        for question in ("deadlines", "duties"):
            found = here("audit", question, "--json")
            assert found.code == 6 and set(found.json["unread"]) == {unread, odd}, found
            shown = here("audit", question)
            assert shown.code == 6 and all(f"audit verify {id}" in shown.out for id in (unread, odd))
            for id in (unread, odd):
                said = here("audit", question, id, "--json")
                assert (said.code, said.error["code"]) == (6, "unreadable")
    finally:
        execute(
            url,
            "UPDATE events e SET header = a.header FROM aside a WHERE (e.stream, e.seq) = (a.stream, a.seq)",
            "DROP TABLE aside", "ALTER TABLE events ENABLE ALWAYS TRIGGER append_only",
        )  # fmt: skip


def test_a_history_that_went_or_was_altered_ends_no_replay_of_all(
    here: Journeys, up: Up, started: Callable[..., str]
) -> None:
    """Only what is kept is asked, as where the engine's retention is over."""
    lives, url = [started() for _ in range(3)], str(up.found["database_url"])
    for life in lives:
        assert here("do", life, "close", "--outcome", "withdrawn", "--as", "aline").code == 0
    gone, altered, whole = (f"(SELECT run FROM histories WHERE stream = 'journey-{life}')" for life in lives)
    kept, end = f"SELECT count(*) FROM histories WHERE run IN ({gone}, {altered}, {whole})", time.monotonic() + 60
    while asyncio.run(_value(url, kept)) != 3:
        assert time.monotonic() < end
        assert here("audit", "archive").code == 0
    away = {"DATABASE_URL": url, "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    put_back = (
        f"DELETE FROM history_files WHERE run = {altered}",
        "INSERT INTO history_files SELECT * FROM aside ON CONFLICT DO NOTHING",
    )
    execute(
        url,
        f"CREATE TABLE aside AS SELECT * FROM history_files WHERE run = {altered}",
        "ALTER TABLE history_files DISABLE TRIGGER delete_only",
        f"UPDATE history_files SET sealed = (SELECT sealed FROM history_files WHERE run = {whole})"
        f" WHERE run = {altered}",
        f"DELETE FROM history_files WHERE run = {gone}",
    )
    try:
        found = here("audit", "replay", "--processes", "1", "--json", **away)
        assert found.code == 6 and [each["journey"] for each in found.json["altered"]] == [lives[1]], found
        assert found.json["gone"] == [lives[0]] and found.json["failed"] == [] and found.json["runs"] >= 1
        for life, code, name in ((lives[0], 3, "kept-gone"), (lives[1], 6, "kept-altered")):
            said = here("audit", "replay", life, "--json", **away)
            assert (said.code, said.error["code"]) == (code, name)
        assert here("audit", "replay", lives[2], **away).code == 0
        execute(url, *put_back)
        lawful = here("audit", "replay", "--processes", "1", **away)
        assert lawful.code == 0 and "1 dont l’historique est effacé, sa durée passée" in lawful.out
    finally:
        execute(url, *put_back, "DROP TABLE aside", "ALTER TABLE history_files ENABLE ALWAYS TRIGGER delete_only")


def test_sync_of_one_and_of_all(here: Journeys, started: Callable[..., str]) -> None:
    id = started()
    assert here("sync", id, "--json").json["synced"] == [
        {"id": id, "why": "asked", "outcome": "accepted", "seq": here("show", id, "--json").journey["seq"]}
    ]
    assert here("sync").code == 2
    assert here("sync", "--all", "--json").json["synced"] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_interrupted_before_it_is_ready_leaves_nothing(number: signal.Signals) -> None:
    home = new_home()
    process = subprocess.Popen(
        [sys.executable, "-m", "journeys.app.cli", "up", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY,
        env=plain_environment(JOURNEYS_DATA_DIR=str(home / "data")),
    )  # fmt: skip
    end = time.monotonic() + 10
    while not (home / "data" / "stack.json").exists() and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(number)
    try:
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130, (out, err)
    assert out == "" and "Traceback" not in err
    end = time.monotonic() + 10  # a tether that finds its owner gone ends what it holds a moment later
    while any(str(home) in name for name in _command_lines()) and time.monotonic() < end:
        time.sleep(0.1)
    assert not [name for name in _command_lines() if str(home) in name]
    shutil.rmtree(home)


def _command_lines() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().decode(errors="replace"))
    return found
