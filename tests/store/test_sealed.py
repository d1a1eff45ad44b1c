"""Sealed parts: what the database holds tells nothing, only the place that it was sealed for opens it, keys can go."""

import asyncio
import hashlib
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from journeys.app.cli.explaining import explained
from journeys.domain.record import Part
from journeys.settings import SettingsError, load_settings
from journeys.store import (
    contacts,
    documents,
    journal,
    keys,
    mentors,
    partners,
    people,
    sealing_up,
    staff,
    treasury,
    vault,
)
from journeys.store.directory import By, names_of
from journeys.store.identities import member_of
from journeys.store.journal import append, parts
from journeys.store.keys import CannotUnwrap, Keys, NoKey, OtherPerson, finance_key, person_key
from journeys.store.offer import BadOffer, KeptPart, make_offer, sealed
from journeys.store.sealing import sealed_by
from journeys.store.sealing_up import seal_up
from journeys.store.signing import KeyRing
from tests.store.samples import new_stream, noted, view

CANARY = "Zébulon-Canari-4471"
BY = By(actor="system", role="system", at=datetime(2027, 5, 12, tzinfo=UTC))
CLAIRE = staff.Member(
    id=str(uuid4()), handle="claire", name=f"Éva {CANARY}", email="claire@example.org", phone="0600", language="fr",
    roles=("referent",), sites=(), active=True,
)  # fmt: skip
LINA = mentors.Mentor(
    id=str(uuid4()), name=CANARY, email=None, phone="+33612", language="fr", site=None, capacity=2, place="Lille"
)
FOYER = partners.Partner(
    id=str(uuid4()), name=f"Foyer {CANARY}", kind="housing", email="f@example.org", phone=None, language="fr",
    site="nord", purposes=("housing",), places=3,
)  # fmt: skip


async def planted(pool: Any, ring: KeyRing, note: str = CANARY) -> tuple[str, str]:
    """A journey with a note, and whose it is."""
    stream, person = new_stream(), str(uuid4())
    await pool.keys.assign(stream, person)
    assert (await append(pool, ring, noted(stream, 0, ring, note=note))).accepted
    return stream, person


async def test_the_database_has_the_ciphertext_only_and_whoever_has_the_key_reads_it(
    pool: Any, ring: KeyRing, owner: Any
) -> None:
    stream, person = await planted(pool, ring)
    row = await owner.fetchrow("SELECT text, salt, sealed FROM parts WHERE stream = $1", stream)
    assert row["text"] is row["salt"] is None and CANARY.encode() not in row["sealed"]
    assert sealed_by(row["sealed"]) == person_key(person)
    (part,) = await parts(pool, stream)
    assert part.text == CANARY
    header = json.loads((await journal.read_all(pool, stream))[0].header)
    assert header["parts"]["text"] == Part(text=part.text, salt=part.salt.hex()).commitment()


async def test_nothing_plain_is_ever_added(owner: Any) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="sealed_only"):
        await owner.execute(
            "INSERT INTO parts (stream, seq, name, text, salt) VALUES ('system', 1, 'x', 'y', $1)", b"0" * 32
        )


@pytest.mark.parametrize("moved", ["stream = $2", "seq = 7", "name = 'other'"])
async def test_a_part_moved_elsewhere_does_not_open(pool: Any, ring: KeyRing, owner: Any, moved: str) -> None:
    stream, _ = await planted(pool, ring)
    elsewhere = new_stream()
    await owner.execute("ALTER TABLE parts DISABLE TRIGGER delete_only")
    await owner.execute(f"UPDATE parts SET {moved} WHERE stream = $1 AND $2 <> ''", stream, elsewhere)
    (part,) = await parts(pool, elsewhere if "stream" in moved else stream)
    assert (part.text, part.salt) == ("", b"")


async def test_with_its_key_a_part_is_gone_everywhere_soon_and_nothing_is_sealed_under_it_again(
    pool: Any, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, person = await planted(pool, ring)
    elsewhere = Keys.beside(pool.keys.dsn)
    assert await elsewhere.destroy([person_key(person)]) == 1
    assert await elsewhere.destroy([person_key(person)]) == 0
    assert [part.text for part in await parts(pool, stream)] == [CANARY], "remembered, for a short while"
    monkeypatch.setattr("journeys.store.keys.time.monotonic", lambda: 1e12)
    assert await parts(pool, stream) == []
    with pytest.raises(BadOffer, match="was destroyed"):
        await append(pool, ring, noted(stream, 1, ring))
    with pytest.raises(NoKey):
        await elsewhere.assign(new_stream(), person)
    await elsewhere.close()


async def test_a_journey_is_one_persons_whoever_says_otherwise(pool: Any, ring: KeyRing) -> None:
    stream, person = await planted(pool, ring)
    elsewhere = Keys.beside(pool.keys.dsn)
    for known in (pool.keys, elsewhere):
        with pytest.raises(OtherPerson):
            await known.assign(stream, str(uuid4()))
        await known.assign(stream, person)
        assert await known.key_of(stream) == person_key(person)
    await elsewhere.close()


async def test_who_serves_is_told_at_once_of_a_key_that_was_destroyed(pool: Any, ring: KeyRing) -> None:
    _stream, person = await planted(pool, ring)
    serving, elsewhere = Keys.beside(pool.keys.dsn), Keys.beside(pool.keys.dsn)
    serving.listen()
    assert (await serving.known([person_key(person)]))[person_key(person)].cipher is not None
    await elsewhere.destroy([person_key(person)])
    async with asyncio.timeout(5):
        while (await serving.known([person_key(person)]))[person_key(person)].cipher is not None:
            await asyncio.sleep(0.01)
    serving._ear.terminate()
    assert await serving.destroyed([person_key(person)]) and (await serving.known(["finance-none"])) == {}
    assert not serving._ear.is_closed(), "it listens again"
    await serving.close()
    await elsewhere.close()


async def test_a_key_that_was_never_made_is_not_made_once_destroyed(pool: Any) -> None:
    id = person_key(str(uuid4()))
    assert await pool.keys.destroy([id]) == 0
    with pytest.raises(NoKey):
        await pool.keys.ready([id])


async def test_a_destroyed_key_never_comes_back(pool: Any) -> None:
    id = person_key(str(uuid4()))
    await pool.keys.ready([id])
    await pool.keys.destroy([id])
    connection = await asyncpg.connect(pool.keys.dsn)
    try:
        for statement in (
            "UPDATE keys SET state = 'live', wrapped = 'x', kek = 'k', destroyed_at = NULL WHERE id = $1",
            "DELETE FROM keys WHERE id = $1",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement, id)
    finally:
        await connection.close()


async def test_who_was_paid_and_receipts_are_sealed_for_accounting_the_rest_for_the_person(pool: Any) -> None:
    stream, person = new_stream(), str(uuid4())
    offer = make_offer(stream, 0, [], view=view(1, person=person))
    told = [("GrantRequested", "payee"), ("GrantRequested", "note"), ("ReceiptSubmitted", "document"),
            ("PaymentSettledByHand", "signed_for"), ("NoteAdded", "document")]  # fmt: skip
    kept = [KeptPart(seq, kind, name, "x", b"0" * 32) for seq, (kind, name) in enumerate(told, 1)]
    made = await sealed(replace(offer, parts=kept), pool.keys)
    own, money = person_key(person), finance_key(person)
    assert [sealed_by(each) for each in made.sealed] == [money, own, money, money, own]


async def test_a_journey_of_which_nobody_said_whose_it_is_takes_no_text(pool: Any, ring: KeyRing) -> None:
    note = noted(new_stream(), 0, ring).model_copy(update={"view": None})
    with pytest.raises(BadOffer, match="nobody said whose"):
        await append(pool, ring, note)


async def test_a_database_of_keys_that_is_not_there_is_told_as_such(pool: Any) -> None:
    nowhere = Keys(pool.keys.dsn.replace("/journeys_keys?", "/no_such_keys?"), pool.keys.ring)
    with pytest.raises(keys.NoKeysDatabase, match="no_such_keys") as raised:
        await nowhere.known(["house"])
    told = explained(raised.value)
    assert (told.exit, told.code) == (7, "no-keys-database")
    assert told.remedy is not None and "JOURNEYS_KEYS_DSN" in told.remedy.fr and "journeys migrate" in told.remedy.fr
    assert explained(asyncpg.InvalidCatalogNameError("none")).code == "no-database"


async def test_keys_wrapped_anew_open_the_same_and_the_old_wrapping_key_can_go(pool: Any) -> None:
    old, new = KeyRing("k1", {"k1": b"1" * 32}), KeyRing("k2", {"k1": b"1" * 32, "k2": b"2" * 32})
    name = f"keys_{uuid4().hex}"
    connection = await asyncpg.connect(pool.keys.dsn)
    await connection.execute(f"CREATE DATABASE {name}")
    dsn = pool.keys.dsn.replace("/journeys_keys?", f"/{name}?")
    await keys.prepare(dsn)
    first, both, only = Keys(dsn, old), Keys(dsn, new), Keys(dsn, KeyRing("k2", {"k2": b"2" * 32}))
    try:
        kept = await first.seal("house", b"secret", "here")
        await first.ready([person_key(str(uuid4())) for _ in range(5)])
        with pytest.raises(CannotUnwrap) as raised:
            await only.unseal(kept, "here")
        with pytest.raises(CannotUnwrap):
            await only.openable()
        told = explained(raised.value)
        assert (told.exit, told.code, told.field) == (7, "wrong-sealing-key", "JOURNEYS_SEALING_KEY")
        assert "house y est gardée sous k1" in told.what.fr and told.remedy is not None
        assert await both.openable() == 6
        assert await both.wrap_anew(batch=2) == 6 and await both.wrap_anew() == 0
        assert await only.unseal(kept, "here") == b"secret"
    finally:
        for each in (first, both, only):
            await each.close()
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


async def test_a_key_that_is_not_there_is_told_from_one_that_was_destroyed(
    pool: Any, ring: KeyRing, owner: Any
) -> None:
    stream, person = await planted(pool, ring)
    await owner.execute("ALTER TABLE parts DISABLE TRIGGER delete_only")
    for id, lost in ((b"person-none", keys.Lost.NO_KEY), (b"person\0none", keys.Lost.ALTERED)):
        await owner.execute("UPDATE parts SET sealed = $1", bytes([1, len(id)]) + id + b"0" * 60)
        assert [(part.text, part.lost) for part in await parts(pool, stream)] == [("", lost)]
    await pool.keys.destroy([person_key(person)])
    gone = person_key(person).encode()
    await owner.execute("UPDATE parts SET sealed = $1", bytes([1, len(gone)]) + gone + b"0" * 60)
    assert await parts(pool, stream) == []


async def test_no_key_encryption_key_is_made_over_keys_that_another_opens(
    pool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A data directory restored without its folder `sealing`."""
    monkeypatch.delenv("JOURNEYS_SEALING_KEY")
    settings = load_settings(data_dir=tmp_path, database_url=None)
    name = f"keys_{uuid4().hex}"
    connection = await asyncpg.connect(pool.keys.dsn)
    await connection.execute(f"CREATE DATABASE {name}")
    dsn = pool.keys.dsn.replace("/journeys_keys?", f"/{name}?")
    await keys.prepare(dsn)
    first, second = (Keys(dsn, None, settings) for _ in range(2))
    try:
        kept = await first.seal("house", b"secret", "here")
        assert await second.unseal(kept, "here") == b"secret" and settings.sealing_file.exists()
        settings.sealing_file.unlink()
        third = Keys(dsn, None, settings)
        with pytest.raises(SettingsError, match="JOURNEYS_SEALING_KEY") as raised:
            await third.unseal(kept, "here")
        assert str(settings.sealing_file) in explained(raised.value).what.fr and not settings.sealing_file.exists()
        await third.close()
    finally:
        await first.close()
        await second.close()
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


async def test_what_was_plain_before_is_sealed_in_batches_from_wherever_it_was_left(
    pool: Any, ring: KeyRing, owner: Any, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    details = people.Details(first_name="Éloïse", last_name="Martin", phone="06 12 34 56 78", reference="E-4471")
    stream = (await planted(pool, ring))[0]
    person = await owner.fetchval("SELECT person::text FROM journeys WHERE id = $1", stream.removeprefix("journey-"))
    await owner.execute("ALTER TABLE parts DROP CONSTRAINT sealed_only")
    await owner.execute("ALTER TABLE people DROP CONSTRAINT sealed_only")
    await owner.execute(
        "INSERT INTO people (id, sealed) VALUES ($1, $2)", person, json.dumps(details_of(details)).encode()
    )
    for seq in range(2, 7):
        await append(pool, ring, noted(stream, seq - 1, ring))
        await owner.execute("DELETE FROM parts WHERE stream = $1 AND seq = $2", stream, seq)
        await owner.execute("INSERT INTO parts (stream, seq, name, text, salt) VALUES ($1, $2, 'text', $3, $4)",
                            stream, seq, f"{CANARY} {seq}", b"s" * 32)  # fmt: skip
    for table, rule in (("parts", "sealed IS NOT NULL"), ("people", "get_byte(sealed, 0) = 1")):
        await owner.execute(f"ALTER TABLE {table} ADD CONSTRAINT sealed_only CHECK ({rule}) NOT VALID")
    before = [(part.seq, part.text, part.salt) for part in await parts(pool, stream)]
    assert (await people.person(pool, person)).details == details  # type: ignore[union-attr]
    assert await people.search(pool, "Martin") == []

    monkeypatch.setattr(sealing_up, "BATCH", 2)
    put = sealing_up._put_sealed

    async def cut(connection: Any, rows: Any, keys: Keys) -> None:
        await put(connection, rows, keys)
        if any(row["seq"] > 3 for row in rows):
            raise OSError("the disk is full")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="disk is full"):
        patched.setattr(sealing_up, "_put_sealed", cut)
        await seal_up(dsn, pool.keys, ring)
    done = await seal_up(dsn, pool.keys, ring)
    assert (done.parts, done.people, done.left) == (3, 0, 0)
    assert await seal_up(dsn, pool.keys, ring) == sealing_up.SealedUp()

    assert [(part.seq, part.text, part.salt) for part in await parts(pool, stream)] == before
    assert [found.id for found in await people.search(pool, "mart éloïse")] == [person]
    assert await owner.fetchval("SELECT count(*) FROM parts WHERE text IS NOT NULL") == 0
    assert b"Martin" not in await owner.fetchval("SELECT sealed FROM people")


def details_of(details: people.Details) -> dict[str, Any]:
    """As the migration of the schema leaves them."""
    return {name: value for name, value in asdict(details).items() if value is not None}


async def test_people_are_found_by_words_their_beginnings_ends_of_numbers_and_by_nothing_else(pool: Any) -> None:
    by = By(actor="system", role="system", at=datetime(2027, 5, 12, tzinfo=UTC))
    id, details = str(uuid4()), people.Details(
        first_name="Éloïse", last_name="D’Œuvre Li", phone="+33 6 12 34 56 78", reference="ECROU-77"
    )  # fmt: skip
    await people.register(pool, id, details, by)
    for text, fits in (
        ("éloïse", True), ("ELO", True), ("oeuv eloi", True), ("li", True), ("ECROU-77", True),
        ("el", False), ("loise", False), ("ecrou-77", False), ("eloise martin", False), ("", False),
    ):  # fmt: skip
        assert bool(await people.search(pool, text)) is fits, text
    stored = await pool.fetch("SELECT p.*, t.token FROM people p JOIN person_tokens t ON t.person = p.id")
    assert len(stored) > 8 and not any(
        word in str(dict(row)).lower() for row in stored for word in ("eloi", "ecrou", "3456")
    )
    await people.change(pool, id, replace(details, last_name="Martin"), by)
    assert await people.search(pool, "oeuvre") == [] != await people.search(pool, "martin")
    await pool.keys.destroy([person_key(id)])
    assert await people.names(pool, [id]) == {}


def scan(mark: str) -> tuple[str, bytes]:
    """A document with a canary, and its digest."""
    content = f"%PDF-1.7 {CANARY} {mark}".encode()
    return hashlib.sha256(content).hexdigest(), content


async def test_a_document_is_there_sealed_and_only_in_its_place_and_goes_with_the_key(
    pool: Any, ring: KeyRing, owner: Any
) -> None:
    stream, person = await planted(pool, ring)
    digest, content = scan("a")
    await documents.keep(pool, stream, str(uuid4()), digest, content)
    row = await owner.fetchrow("SELECT * FROM documents WHERE stream = $1", stream)
    assert row["content"] is None and CANARY.encode() not in row["sealed"]
    assert await documents.content_of(pool, stream, digest) == content
    with pytest.raises(ValueError, match="not that of the document"):
        await documents.keep(pool, stream, str(uuid4()), digest, content + b" ")
    with pytest.raises(asyncpg.CheckViolationError, match="sealed_only"):
        await owner.execute("INSERT INTO documents (stream, digest, content) VALUES ('x', sha256('y'), 'y')")
    other, _ = await planted(pool, ring)
    await owner.execute("INSERT INTO documents SELECT $1, digest, NULL, stored_at, sealed FROM documents", other)
    assert await documents.standing(pool, other) == {digest: False}
    await pool.keys.destroy([person_key(person)])
    assert await documents.content_of(pool, stream, digest) is None
    with pytest.raises(NoKey):
        await documents.keep(pool, stream, str(uuid4()), *scan("b"))


async def test_what_a_note_showed_stays_for_accounting_once_a_receipt_shows_it(
    pool: Any, ring: KeyRing, owner: Any
) -> None:
    stream, person = await planted(pool, ring)
    digest, content = scan("both")
    for accounting in (False, True, False):
        await documents.keep(pool, stream, str(uuid4()), digest, content, accounting=accounting)
    sealed = await owner.fetch("SELECT sealed FROM documents WHERE stream = $1", stream)
    assert [sealed_by(row["sealed"]) for row in sealed] == [finance_key(person)]
    assert await owner.fetchval("SELECT count(*) FROM document_holds WHERE stream = $1", stream) == 3
    await pool.keys.destroy([person_key(person)])
    assert await documents.content_of(pool, stream, digest) == content


async def test_documents_of_before_are_sealed_from_wherever_it_was_left(
    pool: Any, ring: KeyRing, owner: Any, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, _ = await planted(pool, ring)
    kept = dict(scan(mark) for mark in "abc")
    await owner.execute("ALTER TABLE documents DROP CONSTRAINT sealed_only")
    for digest, content in kept.items():
        at = stream, bytes.fromhex(digest)
        await owner.execute("INSERT INTO documents (stream, digest, content) VALUES ($1, $2, $3)", *at, content)
        await owner.execute(
            "INSERT INTO document_holds (stream, command, digest) VALUES ($1, $3, $2)", *at, str(uuid4())
        )
    await owner.execute("ALTER TABLE documents ADD CONSTRAINT sealed_only CHECK (sealed IS NOT NULL) NOT VALID")
    assert await documents.standing(pool, stream) == dict.fromkeys(kept, True), "read as it was"

    seal, left = sealing_up.seal_document, 2

    async def cut(*args: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            raise OSError("killed")
        return await seal(*args, **named)

    with monkeypatch.context() as patched, pytest.raises(OSError, match="killed"):
        patched.setattr(sealing_up, "seal_document", cut)
        await seal_up(dsn, pool.keys, ring)
    assert await owner.fetchval("SELECT count(*) FROM documents WHERE sealed IS NULL") == 2
    done = await seal_up(dsn, pool.keys, ring)
    assert (done.documents, done.left) == (2, 0) and await seal_up(dsn, pool.keys, ring) == sealing_up.SealedUp()
    assert await owner.fetchval("SELECT count(*) FROM documents WHERE content IS NOT NULL") == 0
    assert await owner.fetchval("SELECT count(*) FROM document_holds WHERE stream = $1", stream) == 3
    assert {digest: await documents.content_of(pool, stream, digest) for digest in kept} == kept


ROWS = ("staff", "mentors", "partners", "stops")


async def test_staff_mentors_partners_and_reasons_of_before_are_sealed_from_wherever_it_was_left(
    pool: Any, ring: KeyRing, owner: Any, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claire, lina, foyer = CLAIRE, LINA, FOYER
    await staff.add(pool, claire, BY)
    await staff.add(pool, second := replace(claire, id=str(uuid4()), handle="dora", name="Dora"), BY)
    await mentors.add(pool, lina, BY)
    await partners.add(pool, foyer, BY)
    assert await treasury.stop(pool, CANARY, replace(BY, actor=claire.id))
    stop = await treasury.stopped(pool)
    for table in ROWS:
        with pytest.raises(asyncpg.CheckViolationError, match="sealed_only"):
            await owner.execute(f"UPDATE {table} SET sealed = '{{}}'")
        await owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT sealed_only")
        for row in await owner.fetch(f"SELECT * FROM {table}"):
            assert CANARY.encode() not in row["sealed"]
            plain = await opened_of(pool, table, row)
            await owner.execute(f"UPDATE {table} SET sealed = $2 WHERE id = $1", row["id"], json.dumps(plain).encode())
        await owner.execute(f"ALTER TABLE {table} ADD CONSTRAINT sealed_only CHECK (get_byte(sealed, 0) = 1) NOT VALID")

    async def as_they_were() -> None:
        assert await staff.members(pool) == [claire, second]
        assert (await mentors.mentors(pool), await partners.partners(pool)) == ([lina], [foyer])
        assert await treasury.stopped(pool) == stop

    await as_they_were()
    monkeypatch.setattr(sealing_up, "BATCH", 1)
    shut, left = sealing_up.vault.shut, 2

    async def cut(*args: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            raise OSError("killed")
        return await shut(*args)

    with monkeypatch.context() as patched, pytest.raises(OSError, match="killed"):
        patched.setattr(sealing_up.vault, "shut", cut)
        await seal_up(dsn, pool.keys, ring)
    done = await seal_up(dsn, pool.keys, ring)
    assert (done.staff, done.mentors, done.partners, done.stops) == (1, 1, 1, 1), "one was sealed before it was killed"
    assert await seal_up(dsn, pool.keys, ring) == sealing_up.SealedUp()
    await as_they_were()
    for table in ROWS:
        assert await owner.fetchval(f"SELECT count(*) FROM {table} WHERE position($1 IN sealed) > 0", b"Canari") == 0


async def opened_of(pool: Any, table: str, row: Any) -> Any:
    """What a row says, as the migration of the schema leaves it."""
    kind = {"staff": "staff", "mentors": "mentor", "partners": "partner"}.get(table)
    place = contacts.place_of(f"{kind}-{row['id']}") if kind else treasury.place_of_stop(row["began"])
    [known] = await vault.opened(pool, [(place, row["sealed"])])
    return known


async def test_who_works_here_is_called_by_name_until_their_key_goes_and_what_is_moved_does_not_open(
    pool: Any, owner: Any
) -> None:
    claire, dora = replace(CLAIRE, id=str(uuid4())), replace(CLAIRE, id=str(uuid4()), handle="dora", name="Dora")
    for member in (claire, dora):
        await staff.add(pool, member, BY)
    assert await names_of(pool, [claire.id, dora.id]) == {claire.id: claire.name, dora.id: "Dora"}
    assert list((await staff.referents(pool, (), [dora.id])).values()) == ["Dora", claire.name]
    assert await member_of(pool, "issuer", "subject", "Claire@Example.org") is None, "two have this address"
    await staff.change(pool, dora.id, name="Dora", email=None, phone=None, by=BY)
    assert await member_of(pool, "issuer", "subject", "Claire@Example.org") == claire.id
    await owner.execute("UPDATE staff SET sealed = (SELECT sealed FROM staff WHERE id = $1)", claire.id)
    assert await names_of(pool, [claire.id, dora.id]) == {claire.id: claire.name}
    await pool.keys.destroy([f"staff-{claire.id}"])
    assert await names_of(pool, [claire.id]) == {}
    gone = await staff.member(pool, claire.id)
    assert gone is not None and (gone.name, gone.email, gone.roles) == ("claire", None, claire.roles)
