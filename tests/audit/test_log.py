"""`audit verify --all`: whatever somebody with every right does to the database is found, and named."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from activities.notary import Notary
from journeys.app.overseeing import log_state
from journeys.audit import log_account
from journeys.audit.log_account import LogReport, verify_log
from journeys.channels.parties import Directory
from journeys.domain.directory import NoticeResolved, RetentionApplied
from journeys.evidence.note import Signer
from journeys.evidence.tree import Growing, leaf_hash
from journeys.settings import load_settings
from journeys.store import checkpoints, contact_erasing, erasing, mentors, sequencing
from journeys.store.checkpoints import Copy
from journeys.store.database import open_pool
from journeys.store.directory import By, Fact, record
from journeys.store.journal import append
from journeys.store.keys import finance_key
from journeys.store.signing import KeyRing
from tests.store.samples import new_stream, plain

pytestmark = pytest.mark.asyncio

NOW = datetime(2027, 5, 12, 7, 30, tzinfo=UTC)
RING = KeyRing("test", {"test": b"0" * 32})
SEED = b"5" * 32
STREAMS = [new_stream() for _ in range(3)]


@pytest_asyncio.fixture
async def notary(journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Notary]:
    """Three streams of 101 events, two checkpoints, a snapshot; one event still waits for its place."""
    sequencer = await open_pool(database_url, role="journeys_sequencer", largest=2)
    made = Notary(sequencer, journal_pool, tmp_path / "own", SEED)
    for stream in STREAMS:
        await append(journal_pool, RING, plain(stream, 0, 60))
    await made.round(NOW)
    for stream in STREAMS:
        await append(journal_pool, RING, plain(stream, 60, 40))
    await made.round(NOW)
    await append(journal_pool, RING, plain(STREAMS[0], 100))
    yield made
    await sequencer.close()


@pytest_asyncio.fixture
async def insider(database_url: str) -> AsyncIterator[Any]:
    """A superuser who has taken every trigger away."""
    connection = await asyncpg.connect(database_url)
    for table in ("events", "streams", "log_entries", "log_tiles", "checkpoints"):
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    yield connection
    await connection.close()


async def look(notary: Notary, *copies: Copy) -> LogReport:
    origin = (await sequencing.head(notary.pool)).origin
    return await verify_log(notary.writer, Signer(origin, SEED).verifier, copies)


async def test_a_sound_log_agrees(notary: Notary) -> None:
    seen: list[int] = []
    found = await verify_log(notary.writer, None, notary.copies((await sequencing.head(notary.pool)).origin),
                             lambda done, all: seen.append(done))  # fmt: skip
    assert (found.findings, found.notices) == ([], [])
    assert (found.size, found.waiting, found.streams, found.checkpoints, found.snapshots) == (302, 1, 4, 2, 1)
    assert seen == [302] and found.as_json()["holds"] is True


async def relink(insider: Any, stream: str, first: int) -> None:
    """Everything after an event linked anew, as somebody would who knows how."""
    rows = await insider.fetch("SELECT seq, header FROM events WHERE stream = $1 ORDER BY seq", stream)
    link = "0" * 64
    for row in rows:
        header = json.loads(row["header"])
        if row["seq"] > first:
            header["prev"] = link
        content = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        await insider.execute(
            "UPDATE events SET header = $3 WHERE stream = $1 AND seq = $2", stream, row["seq"], content
        )
        link = __import__("hashlib").sha256(content).hexdigest()
    await insider.execute("UPDATE streams SET hash = decode($2, 'hex') WHERE stream = $1", stream, link)


async def edit(insider: Any) -> None:
    await insider.execute(
        "UPDATE events SET header = convert_to(replace(convert_from(header, 'UTF8'), 'referent', 'finances'), 'UTF8')"
        " WHERE stream = $1 AND seq = 7", STREAMS[0],
    )  # fmt: skip


async def edit_and_relink(insider: Any) -> None:
    await edit(insider)
    await relink(insider, STREAMS[0], 7)


async def rehash_everything(insider: Any) -> None:
    """Also the tree, so that the record agrees with itself again."""
    await edit_and_relink(insider)
    rows = await insider.fetch("SELECT header FROM log_entries JOIN events USING (stream, seq) ORDER BY position")
    tree = Growing()
    full = tree.grow(leaf_hash(row["header"]) for row in rows)
    await insider.execute("DELETE FROM log_tiles")
    for tile in full:
        await insider.execute("INSERT INTO log_tiles VALUES ($1, $2, $3)", *tile)
    await insider.execute("UPDATE log_head SET edge = $1", list(tree.edge))


async def drop(insider: Any) -> None:
    await insider.execute("DELETE FROM events WHERE stream = $1 AND seq = 7", STREAMS[0])


async def reorder(insider: Any) -> None:
    """Two events of one stream change places."""
    for now, then in ((5, 9_999), (6, 5), (9_999, 6)):
        await insider.execute("UPDATE log_entries SET position = $2 WHERE position = $1", now, then)


async def truncate(insider: Any) -> None:
    """The tail of a stream is cut, everywhere, and its head moved back."""
    await insider.execute("DELETE FROM pending")
    await insider.execute("DELETE FROM events WHERE stream = $1 AND seq > 90", STREAMS[0])
    await insider.execute("DELETE FROM log_entries WHERE stream = $1 AND seq > 90", STREAMS[0])
    await insider.execute(
        "UPDATE streams s SET seq = 90, hash = e.hash FROM events e"
        " WHERE s.stream = $1 AND e.stream = $1 AND e.seq = 90", STREAMS[0],
    )  # fmt: skip


async def cut_the_tail_of_a_head_only(insider: Any) -> None:
    await insider.execute("UPDATE streams SET seq = 99 WHERE stream = $1", STREAMS[1])


async def splice(insider: Any) -> None:
    """An event put in without a place."""
    await insider.execute("INSERT INTO events (stream, seq, kind, header) SELECT stream, 102, kind, header FROM events"
                          " WHERE stream = $1 AND seq = 100", STREAMS[0])  # fmt: skip


async def forge_a_checkpoint(insider: Any) -> None:
    await insider.execute("UPDATE checkpoints SET note = replace(note, E'\\n302\\n', E'\\n303\\n') WHERE size = 302")


async def change_a_tile(insider: Any) -> None:
    await insider.execute("UPDATE log_tiles SET hashes = set_byte(hashes, 9, get_byte(hashes, 9) # 1)")


async def change_the_edge(insider: Any) -> None:
    await insider.execute("UPDATE log_head SET edge[1] = set_byte(edge[1], 9, get_byte(edge[1], 9) # 1)")


async def put_elsewhere(insider: Any) -> None:
    await insider.execute("UPDATE events SET kind = 'Other' WHERE stream = $1 AND seq = 7", STREAMS[0])


@pytest.mark.parametrize(
    ("attack", "codes"),
    [
        (edit, {"link", "tile", "root"}),
        (edit_and_relink, {"tile", "root"}),
        (rehash_everything, {"root"}),
        (drop, {"event-missing", "gap", "tile", "root", "unlogged"}),
        (reorder, {"gap", "tile", "root"}),
        (truncate, {"place-missing", "tile", "root"}),
        (cut_the_tail_of_a_head_only, {"head"}),
        (splice, {"unlogged"}),
        (forge_a_checkpoint, {"note"}),
        (change_a_tile, {"tile"}),
        (change_the_edge, {"edge"}),
        (put_elsewhere, {"elsewhere"}),
    ],
)
async def test_what_an_insider_does_is_named(
    notary: Notary, insider: Any, attack: Callable[[Any], Awaitable[None]], codes: set[str]
) -> None:
    await attack(insider)
    found = await look(notary)
    named = {each.code for each in found.findings}
    assert codes <= named, named
    for lang in ("fr", "en"):
        assert all("{" not in each.told(lang) for each in found.findings)


async def test_one_damaged_fact_of_the_log_itself_is_named_and_silences_nothing(notary: Notary, insider: Any) -> None:
    """Seq 1 of `system` says which key signs, seq 2 where every stream ended."""
    change = "convert_to(regexp_replace(convert_from(header, 'UTF8'), '{}', '{}'), 'UTF8')"
    for seq, damage, code in (
        (1, "'x'::bytea", "not-a-header"),
        (1, "'[]'::bytea", "not-a-header"),
        (1, change.format(r'(vkey":"[^"]{9})', r"\1+"), "not-a-fact"),
        (2, r"'\xff'::bytea", "not-a-header"),
        (2, change.format('"root":"', '"root":"z'), "not-a-fact"),
    ):
        before = await insider.fetchval("SELECT header FROM events WHERE stream = 'system' AND seq = $1", seq)
        await insider.execute(f"UPDATE events SET header = {damage} WHERE stream = 'system' AND seq = $1", seq)
        found = await look(notary)
        assert [(each.seq, each.code) for each in found.findings if each.code.startswith("not-a")] == [(seq, code)]
        assert all("{" not in each.told(lang) for each in found.findings for lang in ("fr", "en"))
        state = await log_state(notary.pool, load_settings())
        assert (state.snapshot is None) == (seq == 2) and state.keys.unreadable == ((1,) if seq == 1 else ())
        refused = (await notary.round(NOW)).refused
        kept = await checkpoints.refusal(notary.pool)
        if seq == 1:
            assert refused is not None and kept is not None and kept.where == "system/1"
        else:
            assert refused is kept is None, "what it says of the ends is checked, and nothing hangs on it"
        await insider.execute("UPDATE events SET header = $2 WHERE stream = 'system' AND seq = $1", seq, before)
    assert {each.code for each in (await look(notary)).findings} == set()


async def test_what_is_known_of_people_and_texts_that_are_gone_without_an_order_are_named(
    notary: Notary, insider: Any, journal_pool: Any, database_url: str
) -> None:
    by = By(actor="system", role="system", at=NOW)
    made = [
        mentors.Mentor(id=str(uuid4()), name=name, email=None, phone=None, language="fr", site=None, capacity=2)
        for name in ("Lina", "Nour", "Sol", "Yael")
    ]
    for each in made:
        await mentors.add(journal_pool, each, by)
    assert (await look(notary)).findings == []
    for table in ("parts", "mentors"):
        await insider.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    gone, altered, moved, other = (f"mentor-{each.id}" for each in made)
    strange = b"\x01\x05a\x00bcd" + b"0" * 60
    await insider.execute("DELETE FROM parts WHERE stream = $1", gone)
    await insider.execute(
        "UPDATE parts SET sealed = set_byte(sealed, 70, get_byte(sealed, 70) # 1) WHERE stream = $1", altered
    )
    await insider.execute("UPDATE parts SET seq = 7 WHERE stream = $1", moved)
    await insider.execute("UPDATE parts SET sealed = $2 WHERE stream = $1", other, b"\x01\x07mentor-" + b"0" * 60)
    change = "UPDATE mentors SET sealed = {} WHERE id = $1"
    await insider.execute(change.format("NULL"), made[0].id)
    await insider.execute(change.format("set_byte(sealed, 70, get_byte(sealed, 70) # 1)"), made[1].id)
    await insider.execute(change.format("$2"), made[2].id, strange)
    await insider.execute(change.format("$2"), made[3].id, b"\x01\x07mentor-" + b"0" * 60)
    found = await look(notary)
    assert {(each.code, each.stream) for each in found.findings} == {
        ("part-gone", gone), ("part", altered), ("part-of-nothing", moved), ("part-gone", moved),
        ("part-no-key", other), ("row-erased", gone), ("row-altered", altered), ("row-altered", moved),
        ("row-no-key", other),
    }  # fmt: skip
    assert all("{" not in each.told(lang) for each in found.findings for lang in ("fr", "en"))
    await contact_erasing.order(journal_pool, "mentor", made[0].id, "person-asked", by)
    assert gone not in {each.stream for each in (await look(notary)).findings}, "an order is on record"


async def test_what_is_ordered_or_goes_by_a_rule_while_it_reads_is_no_finding(
    notary: Notary, journal_pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are asked about as they are, the record as it was when the snapshot was taken."""
    by, rest = By(actor="system", role="system", at=NOW), log_account._compare_rest
    person, other = str(uuid4()), str(uuid4())
    lina = mentors.Mentor(
        id=str(uuid4()), name="Lina", email=None, phone=None, language="fr", site=None, capacity=2
    )  # fmt: skip
    await mentors.add(journal_pool, lina, by)

    async def told(fact: Fact, accounts_of: str | None = None) -> None:
        async with journal_pool.acquire() as connection, connection.transaction():
            await record(connection, "system", [fact], by, accounts_of=accounts_of)

    async def meanwhile(*given: Any) -> None:
        await contact_erasing.order(journal_pool, "mentor", lina.id, "person-asked", by)
        await told(Fact(RetentionApplied(kept={"bank": "120 months"}, gone={"bank": 1}, keys=(finance_key(person),))))
        await erasing.destroy(journal_pool.keys, [f"mentor-{lina.id}", finance_key(person)], None)
        await rest(*given)

    await told(Fact(NoticeResolved(event="e", how="noted"), {"why": "vu"}), person)
    await told(Fact(NoticeResolved(event="f", how="noted"), {"why": "vu"}), other)
    with monkeypatch.context() as patch:
        patch.setattr(log_account, "_compare_rest", meanwhile)
        assert (await look(notary)).findings == []
    assert (await look(notary)).findings == []
    await erasing.destroy(journal_pool.keys, [finance_key(other)], None)
    lost = {(each.code, each.stream, each.seq) for each in (await look(notary)).findings}
    assert lost == {("part-gone", "system", 4)}, "by no order and no rule"


async def test_a_cut_tail_shows_by_the_snapshot_although_everything_was_signed_anew(
    notary: Notary, insider: Any
) -> None:
    """The whole log made again, and its checkpoints taken away: the snapshot still says where the streams ended."""
    await insider.execute("DELETE FROM checkpoints")
    await insider.execute("DELETE FROM log_entries WHERE stream = $1 AND seq > 50", STREAMS[0])
    await insider.execute("DELETE FROM events WHERE stream = $1 AND seq > 50", STREAMS[0])
    await insider.execute("DELETE FROM pending")
    await insider.execute(
        "UPDATE log_entries l SET position = n FROM (SELECT position AS old, row_number() OVER (ORDER BY position)"
        " + 9999 AS n FROM log_entries) AS r WHERE l.position = r.old"
    )
    await insider.execute("UPDATE log_entries SET position = position - 10000")
    await rehash_everything(insider)
    await insider.execute("UPDATE log_head SET size = (SELECT count(*) FROM log_entries)")
    await relink(insider, STREAMS[0], 0)
    await insider.execute("UPDATE streams SET seq = 50 WHERE stream = $1", STREAMS[0])
    named = {each.code for each in (await look(notary)).findings}
    assert "snapshot" in named


async def test_copies_held_outside_find_what_the_table_no_longer_says(notary: Notary, insider: Any) -> None:
    origin = (await sequencing.head(notary.pool)).origin
    outside = Directory(notary.held).latest(origin)
    assert outside is not None
    await rehash_everything(insider)
    await insider.execute("DELETE FROM checkpoints")
    # The snapshot could be written anew as well: then nothing in the database says anything. The copy does.
    assert {each.code for each in (await look(notary)).findings} == {"snapshot"}
    found = (await look(notary, Copy("at the auditor's", outside))).findings
    assert [each.details["where"] for each in found if each.code == "root"] == ["at the auditor's"]


async def test_clocks_that_ran_backwards_are_odd_and_no_more(notary: Notary, journal_pool: Any, insider: Any) -> None:
    late = plain(STREAMS[1], 100)
    early = {**late.events[0], "recorded_at": "2027-05-12T07:00:00.000000Z"}
    await append(journal_pool, RING, late.model_copy(update={"events": (early,)}))
    await notary.round(datetime(2027, 5, 12, 7, 0, tzinfo=UTC))
    found = await look(notary)
    assert found.findings == []
    assert {(each.code, each.details.get("seconds")) for each in found.notices} == {
        ("clock", 1800), ("checkpoint-clock", None),
    }  # fmt: skip
    assert all("{" not in each.told(lang) for each in found.notices for lang in ("fr", "en"))
