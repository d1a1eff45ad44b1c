"""Exports: all of it goes out, and a verifier that shares nothing with us catches and names what is done to it."""

import asyncio
import json
import os
import random
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from activities.notary import Notary
from journeys.audit.exporting import NothingSigned, NotInTheLog, export_journey, export_log
from journeys.contract import Append, Run
from journeys.domain.events import ErasureOrdered
from journeys.domain.record import Payload
from journeys.store import checkpoints, erasing, histories, people
from journeys.store.database import open_pool
from journeys.store.directory import By
from journeys.store.journal import append, delete_parts
from journeys.store.keys import person_key
from journeys.store.signing import KeyRing
from tests.audit import corrupting
from tests.audit.corrupting import CORRUPTIONS, SEED, Target, note, vkey
from tests.audit.verifier import VERIFIER, VERIFY, verified
from tests.conftest import RealStack, a_database
from tests.store.samples import header, new_stream, noted, plain

NOW = datetime(2027, 5, 12, 7, 30, tzinfo=UTC)
RING = KeyRing("k1", {"k1": b"1" * 32})
ONE, OTHER, QUIET = (new_stream() for _ in range(3))
RUN, OTHER_RUN = (str(uuid4()) for _ in range(2))


async def make(pool: Any, url: str, root: Path) -> None:
    """Two journeys with notes, one that is quiet, two days, 280 events; exports of all of it, and of one journey."""
    sequencer = await open_pool(url, role="journeys_sequencer", largest=2)
    notary = Notary(sequencer, pool, root / "own", SEED)
    for target in ("log", "one"):
        (root / target).mkdir()
    with pytest.raises(NothingSigned):
        await export_log(pool, RING, root / "log", NOW, disclose=True)
    await append(pool, RING, plain(QUIET, 0, 130))
    await notary.round(NOW)
    for seq in range(15):
        await append(pool, RING, noted(ONE, seq, RING, note=f"Vu au parloir, {seq}"))
        await append(pool, RING, noted(OTHER, seq, RING, note=f"Appelé, {seq}"))
    for stream, run in ((ONE, RUN), (OTHER, OTHER_RUN)):
        ended = Run(id=run, stream=stream, events=9, closed_at=NOW)
        assert await histories.keep(pool, RING, ended, b'{"events": []}', By(actor="system", role="system", at=NOW))
    await append(pool, RING, plain(QUIET, 130, 110))
    await append(pool, RING, plain(OTHER, 15, 2))
    await notary.round(NOW.replace(day=13))
    await append(pool, RING, plain(ONE, 15))
    await notary.round(NOW.replace(day=13, hour=9))
    found = await export_log(pool, RING, root / "log", NOW, disclose=True)
    assert (found.size, found.events) == (278, 278)
    await export_journey(pool, RING, root / "one", ONE, NOW, disclose=True)
    (root / "none").mkdir()
    with pytest.raises(NotInTheLog):
        await export_journey(pool, RING, root / "none", new_stream(), NOW, disclose=False)
    ordered = Append(stream=ONE, expected=16, events=(header(ONE, 17, ErasureOrdered(reason="person-asked")),))
    await append(pool, RING, ordered)
    await notary.round(NOW.replace(day=13, hour=10))
    retention = await open_pool(url, role="journeys_retention", largest=1)
    await delete_parts(retention, ONE)
    await retention.execute("DELETE FROM history_files WHERE run = $1", RUN)
    await retention.close()
    (root / "erased").mkdir()
    await export_log(pool, RING, root / "erased", NOW, disclose=False)
    (root / "one-erased").mkdir()
    await export_journey(pool, RING, root / "one-erased", ONE, NOW, disclose=True)
    late = plain(QUIET, 240)
    early = {**late.events[0], "recorded_at": "2027-05-12T07:00:00.000000Z"}
    await append(pool, RING, late.model_copy(update={"events": (early,)}))
    await notary.round(NOW)
    (root / "clocks").mkdir()
    await export_log(pool, RING, root / "clocks", NOW, disclose=False)
    await damage(url)
    for target, ring in (("damaged", RING), ("elsewhere", KeyRing("k2", {"k2": b"2" * 32}))):
        (root / target).mkdir()
        await export_log(pool, ring, root / target, NOW, disclose=True)
    (root / "damaged-one").mkdir()
    await export_journey(pool, RING, root / "damaged-one", OTHER, NOW, disclose=True)
    await sequencer.close()


async def damage(url: str) -> None:
    """Headers that are none, a text whose key nobody knows, a history with another byte."""
    owner = await asyncpg.connect(url)
    for table in ("events", "parts", "history_files"):
        await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    nothing = (("system", 2, b"x"), (OTHER, 3, b"\xff{"), (OTHER, 4, b'{"kind":7}'), (QUIET, 9, b'{"v":"\\ud800"}'))
    for stream, seq, content in nothing:
        await owner.execute("UPDATE events SET header = $3 WHERE stream = $1 AND seq = $2", stream, seq, content)
    unknown = b"\x01\x0bperson-none" + b"0" * 60
    await owner.execute("UPDATE parts SET sealed = $2 WHERE stream = $1 AND seq = 9", OTHER, unknown)
    await owner.execute("UPDATE history_files SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1)")
    await owner.close()


@pytest.fixture(scope="module")
def exports(stack: RealStack, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("exports")

    async def made() -> None:
        async with a_database(stack, migrated) as url:
            pool = await open_pool(url)
            await make(pool, url, root)
            await pool.close()

    asyncio.run(made())
    return root


@pytest.fixture
def target(exports: Path, tmp_path: Path) -> Target:
    shutil.copytree(exports / "log", tmp_path / "export")
    return Target(tmp_path / "export")


def test_what_we_export_holds(exports: Path) -> None:
    found = verified(exports / "log")
    assert (found.exit, dict(found.counts), found.notices) == (0, {}, [])
    assert found.said == {"events": 278, "streams": 4, "checkpoints": 3, "snapshots": 2, "held": 0}
    assert not [path for path in (exports / "log").rglob("*") if path.is_file() and path.stat().st_mode & 0o077]


def test_a_journey_alone_holds_and_names_no_other(exports: Path) -> None:
    found = verified(exports / "one")
    assert (found.exit, dict(found.counts)) == (0, {})
    assert found.said["events"] == 16 and found.notices == [("since-snapshot", {"count": 1})]
    whole = b"".join(path.read_bytes() for path in (exports / "one").rglob("*") if path.is_file())
    assert OTHER.encode() not in whole and QUIET.encode() not in whole


def test_a_clock_that_ran_backwards_is_named_and_no_more(exports: Path) -> None:
    found = verified(exports / "clocks")
    assert set(found.counts) == {"part-erased", "history-erased"}, "nothing but what was erased before"
    odd = {(each["stream"], each["seconds"]) for code, each in found.notices if code == "clock"}
    assert odd == {(QUIET, 1800), ("system", 86_400)}, "the snapshot of that day again, too"
    assert "checkpoint-clock" in dict(found.notices)


def test_erased_texts_are_said_and_the_rest_holds(exports: Path) -> None:
    found = verified(exports / "erased")
    assert (found.exit, dict(found.counts)) == (5, {"part-erased": 15, "history-erased": 1})
    assert found.notices == [("withheld", {"count": 15}), ("histories-withheld", {"count": 1})]
    whole = b"".join(path.read_bytes() for path in (exports / "erased").rglob("*") if path.is_file())
    assert "Appelé".encode() not in whole and "Appelé".encode() in (exports / "log" / "parts.jsonl").read_bytes()


def test_erased_texts_of_a_journey_alone_are_said_too(exports: Path) -> None:
    found = verified(exports / "one-erased")
    assert (found.exit, found.counts) == (5, {"part-erased": 15, "history-erased": 1})


def test_what_cannot_be_read_goes_out_as_it_is_and_stops_no_export(exports: Path) -> None:
    for target in ("damaged", "damaged-one"):
        found = verified(exports / target)
        assert found.exit == 3, found.counts
        states = {json.loads(line)["state"] for line in (exports / target / "parts.jsonl").read_text().splitlines()}
        assert states == ({"shown", "erased", "unreadable"} if target == "damaged" else {"shown", "unreadable"})
        history = json.loads((exports / target / "histories.jsonl").read_text().splitlines()[-1])
        assert history == {"run": OTHER_RUN, "state": "altered"}
    there = json.loads((exports / "elsewhere" / "histories.jsonl").read_text().splitlines()[-1])
    assert there == {"run": OTHER_RUN, "state": "unreadable"}, "nobody there has its key"
    json.loads((exports / "damaged" / "ocel2.json").read_text())


class JourneyPlanned(Payload):
    person: str


async def test_a_journey_that_came_back_goes_out_with_its_persons_erasure_and_the_names_that_the_log_had(
    journal_pool: Any, database_url: str, tmp_path: Path
) -> None:
    pool, person, stream, by = journal_pool, str(uuid4()), new_stream(), By(actor="system", role="system", at=NOW)
    sequencer = await open_pool(database_url, role="journeys_sequencer", largest=2)
    notary = Notary(sequencer, pool, tmp_path / "own", SEED)
    await people.register(pool, person, people.Details(first_name="Zoé", last_name="Revenue"), by)
    planned = header(stream, 1, JourneyPlanned(person=person))
    await append(pool, RING, Append(stream=stream, expected=0, events=(planned,)))
    await append(pool, RING, noted(stream, 1, RING))
    former = (await notary.round(NOW)).made
    assert former is not None
    owner = await asyncpg.connect(database_url)
    refused = {"code": "smaller", "where": "share", "held": 99, "size": 5, "at": "2027-05-12T07:30:00Z"}
    await owner.execute("UPDATE log_head SET refused = $1", json.dumps(refused))
    await owner.close()
    assert await checkpoints.begin_anew(notary.pool, pool, "restauré", by)
    await erasing.order(pool, person, "restored", by)
    await pool.keys.destroy([person_key(person)])
    made = (await notary.round(NOW)).made
    assert made is not None and made.origin != former.origin
    await sequencer.close()
    for target in ("one", "log"):
        (tmp_path / target).mkdir()
    await export_journey(pool, RING, tmp_path / "one", stream, NOW, disclose=True)
    await export_log(pool, RING, tmp_path / "log", NOW, disclose=True)
    found = verified(tmp_path / "one")
    assert (found.exit, found.counts) == (5, {"part-erased": 1}) and "log-begun" in dict(found.notices)
    held = verified(tmp_path / "one", former.note)
    assert (held.exit, held.counts) == (6, {"part-erased": 1, "held-elsewhere": 1}), "it is of this log"
    assert set(verified(tmp_path / "log", former.note).counts) == {"part-erased"}


@pytest.mark.parametrize(("corrupt", "exit", "code"), CORRUPTIONS, ids=lambda each: getattr(each, "__name__", None))
def test_each_corruption_is_caught_and_named(target: Target, corrupt: Any, exit: int, code: str) -> None:
    corrupt(target)
    target.seal()
    found = verified(target.folder)
    assert code in found.counts and found.exit == exit, found.counts
    for lang in ("fr", "en"):
        assert "?" not in re.sub(r"\? \?", "", found.text(lang)), found.text(lang)


def test_history_written_anew_shows_by_what_somebody_held(target: Target) -> None:
    entries = target.entries()
    held = note(target.origin, 200, corrupting.tree(entries[:200]))
    corrupting.rehash(target)
    target.seal()
    alone = verified(target.folder)
    # Only what nobody could write anew by hand says something; with the snapshots written anew too, nothing would.
    assert set(alone.counts) <= {"snapshot"}
    found = verified(target.folder, held)
    assert found.exit == 3 and "rewritten" in found.counts
    longer = note(target.origin, 300, bytes(32))
    assert "shorter-than-held" in verified(target.folder, longer).counts


def test_keys(target: Target) -> None:
    stranger = vkey(target.origin, b"6" * 32)
    assert verified(target.folder, keys=[stranger]).exit == 6
    assert "revoked-key" in verified(target.folder, revoked=[vkey(target.origin)]).counts
    entries = target.entries()
    held = note(target.origin, len(entries), corrupting.tree(entries))
    # What an auditor held covers it, whoever signed.
    assert verified(target.folder, held, keys=[stranger]).exit == 0
    assert verified(target.folder, held, keys=[]).exit == 0


def hostile_symlink(target: Target) -> None:
    (target.folder / "heads.txt").unlink()
    (target.folder / "heads.txt").symlink_to("/etc/passwd")


def hostile_folder_link(target: Target) -> None:
    shutil.move(target.folder / "tile", target.folder.parent / "tile")
    (target.folder / "tile").symlink_to(target.folder.parent / "tile")


def hostile_path(target: Target) -> None:
    target.seal(files={"../../etc/passwd": {"sha256": "0" * 64, "size": 1}})


def hostile_pipe(target: Target) -> None:
    (target.folder / "heads.txt").unlink()
    os.mkfifo(target.folder / "heads.txt")


def hostile_size(target: Target) -> None:
    with (target.folder / "checkpoint").open("r+b") as file:
        file.truncate(200_000_000)


def oversized_and_sealed(target: Target) -> None:
    with (target.folder / "checkpoint").open("r+b") as file:
        file.truncate(1_000_000)
    target.seal()


def extra(target: Target) -> None:
    target.put("notes.txt", b"x")


def missing(target: Target) -> None:
    (target.folder / "heads.txt").unlink()


def no_manifest(target: Target) -> None:
    (target.folder / "manifest.json").unlink()


def deep_manifest(target: Target) -> None:
    target.put("manifest.json", b"[" * 100_000)


def future_format(target: Target) -> None:
    target.seal(version=2)


def strange_kind(target: Target) -> None:
    target.seal(kind="other")


def huge_size(target: Target) -> None:
    target.seal(size=10**15)


@pytest.mark.parametrize(
    ("attack", "exit", "code"),
    [
        (hostile_symlink, 3, "symlink"), (hostile_folder_link, 3, "symlink"), (hostile_path, 3, "path"),
        (hostile_pipe, 3, "not-a-file"), (hostile_size, 3, "file-size"), (oversized_and_sealed, 3, "file-oversized"),
        (extra, 3, "file-extra"), (missing, 4, "file-missing"), (no_manifest, 4, "manifest-missing"),
        (deep_manifest, 3, "manifest"), (future_format, 6, "future-format"), (strange_kind, 3, "malformed"),
        (huge_size, 3, "truncated"),
    ],
)  # fmt: skip
def test_hostile_exports_are_named_and_crash_nothing(target: Target, attack: Any, exit: int, code: str) -> None:
    attack(target)
    found = VERIFY.verify(target.folder, VERIFY.Trust([VERIFY.read_key(vkey(target.origin))]))
    assert (found.exit, code in found.counts) == (exit, True), found.counts


def test_a_thousand_bits(exports: Path, tmp_path: Path) -> None:
    """Wherever one bit is turned, it is noticed."""
    for name, count in (("log", 200), ("one", 800)):
        folder = tmp_path / name
        shutil.copytree(exports / name, folder)
        seen, chance = VERIFY.Trust([VERIFY.read_key(vkey(Target(folder).origin))]), random.Random(name)
        for nth in range(count):
            back = corrupting.flip(folder, chance)
            assert VERIFY.verify(folder, seen).exit in (3, 4, 6), (name, nth)
            back()
        assert VERIFY.verify(folder, seen).exit == 0


def test_the_end_of_a_journey_is_not_cut_in_silence(exports: Path, tmp_path: Path) -> None:
    shutil.copytree(exports / "one", tmp_path / "export")
    target = Target(tmp_path / "export")
    lines = target.lines("headers.jsonl")
    own = [line for line in lines if f'"stream":"{ONE}"' in line["header"]]
    target.put_lines("headers.jsonl", [line for line in lines if line not in own[-3:]])
    target.put_lines("parts.jsonl", target.lines("parts.jsonl")[:-2])
    target.seal()
    assert verified(target.folder).counts == {"snapshot": 1}
    (target.folder / "head.json").unlink()
    target.seal()
    assert verified(target.folder).counts == {"no-snapshot": 1}
    target.put("headers.jsonl", corrupting.dumps({"header": "[" * 9_000, "position": 1, "proof": []}) + b"\n")
    target.seal()
    assert verified(target.folder).exit == 3


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(VERIFIER), *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def test_the_command(exports: Path, tmp_path: Path) -> None:
    """Isolated from our packages: one file and `cryptography`."""
    folder = exports / "log"
    key = vkey(Target(folder).origin)
    held = tmp_path / "held"
    held.write_text((folder / "checkpoint").read_text())
    said = run(folder, "--key", key, "--checkpoint", held, "--json")
    assert said.returncode == 0 and json.loads(said.stdout)["verdict"] == "holds", said.stderr
    assert run(folder).returncode == 6 and run(folder, "--key", "x").returncode == 2
    assert run(tmp_path / "none").returncode == 2 and run(folder, "--checkpoint", tmp_path / "none").returncode == 2
    tested = run(folder, "--self-test")
    assert tested.returncode == 0 and tested.stdout.count("✓") == len(VERIFY.CORRUPTIONS), tested.stdout
    source = VERIFIER.read_text()
    assert not re.search(r"^(from|import) (journeys|activities|workflows|httpx|asyncpg|socket|urllib)", source, re.M)


def test_the_process_log_names_types_and_objects(exports: Path) -> None:
    read = json.loads((exports / "log" / "ocel2.json").read_text())
    assert read.keys() == {"events", "objects", "eventTypes", "objectTypes"} and len(read["events"]) == 278
    objects = {each["id"]: each["type"] for each in read["objects"]}
    assert {each["name"] for each in read["objectTypes"]} == set(objects.values()) >= {"journey", "system", "agent"}
    assert {each["type"] for each in read["events"]} == {each["name"] for each in read["eventTypes"]}
    for event in read["events"]:
        pairs = [(each["objectId"], each["qualifier"]) for each in event["relationships"]]
        assert len(set(pairs)) == len(pairs) and {id for id, _ in pairs} <= objects.keys()
