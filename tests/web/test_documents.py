"""Documents that people bring: taken with their fact, seen by who sees the journey, and never other than they came."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
import pytest_asyncio
from fastapi import Request

from journeys.app import attaching
from journeys.app.attaching import clean_name, kind_of
from journeys.app.cli import checkup
from journeys.app.entry import Actor, make_command
from journeys.app.failures import Failure
from journeys.app.finding import load
from journeys.app.forwarding import deliver
from journeys.app.web import visit as visits
from journeys.app.web.bodies import file_of, read_form
from journeys.audit.verdicts import AccountName
from journeys.audit.verifying import Sources, verify
from journeys.domain import commands as c
from journeys.domain.document import Document, read_document
from journeys.domain.record import SYSTEM
from journeys.store import documents, sessions, views
from journeys.store.database import open_pool
from journeys.store.journal import delete_parts, parts
from tests.conftest import RealStack
from tests.web.office import PDF, PNG, Office, open_office, zipped
from tests.workflow.conftest import RING

DIGEST = hashlib.sha256(PDF).hexdigest()
AGAIN = "choisissez-le de nouveau"


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path, largest_document_mb=1) as made:
        yield made


@pytest_asyncio.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def shown_at(office: Office) -> int:
    """The seq of the last document."""
    return max(part.seq for part in await parts(office.house.writing, office.stream) if part.name == "document")


async def judged(office: Office) -> Any:
    return await verify(Sources(pool=office.house.writing, ring=RING, client=office.engine.client), office.stream)


async def test_a_document_travels_with_its_fact_and_comes_back_as_it_came(office: Office) -> None:
    aline = await office.enter("aline")
    answer = await aline.show("../../Plan signé \u202efdp.exe.PDF")
    assert answer.status_code == 303, answer.text
    page = (await aline.get()).text
    assert page.count("Plan signé fdp.exe.pdf") == 2, "in the list, and in the story"
    assert "Aline" in page and "étape «" in page.lower()

    seq = await shown_at(office)
    back = await aline.get(f"/documents/{seq}")
    assert back.status_code == 200 and back.content == PDF
    assert back.headers["content-type"] == "application/pdf"
    told = back.headers["content-disposition"]
    assert told.startswith("attachment; ") and "filename*=UTF-8''Plan%20sign%C3%A9%20fdp.exe.pdf" in told
    assert "sandbox" in back.headers["content-security-policy"]
    assert back.headers["x-content-type-options"] == "nosniff" and back.headers["cache-control"] == "no-store"

    (text,) = [part.text for part in await parts(office.house.writing, office.stream) if part.name == "document"]
    known = read_document(text)
    assert known is not None and (known.digest, known.kind, known.size) == (DIGEST, "pdf", len(PDF))
    headers = b"".join([row["header"] for row in await office.house.writing.fetch("SELECT header FROM events")])
    assert b"exe" not in headers and DIGEST.encode() not in headers
    assert (await judged(office)).exit_code() == 0


async def test_the_same_file_twice_is_kept_once_and_both_facts_have_it(office: Office) -> None:
    aline = await office.enter("aline")
    assert (await aline.show()).status_code == 303
    note = await aline.send("add-note", ("autre.pdf", PDF), text="Le même, redonné.")
    assert note.status_code == 303, note.text
    assert await office.kept() == [(DIGEST, 2)]
    seqs = [part.seq for part in await parts(office.house.writing, office.stream) if part.name == "document"]
    assert [(await aline.get(f"/documents/{seq}")).content == PDF for seq in seqs] == [True, True]


async def test_sent_twice_it_has_one_effect(office: Office) -> None:
    aline = await office.enter("aline")
    hidden = await aline.open("add-note")
    for _ in range(2):
        assert (await aline.send("add-note", ("a.pdf", PDF), hidden, text="Une fois.")).status_code == 303
    other = await aline.send("add-note", ("a.pdf", PDF + b"x"), hidden, text="Une fois.")
    assert other.status_code == 409, "another file under the same id"
    assert await office.kept() == [(DIGEST, 1)]


async def test_what_is_refused_keeps_nothing_but_what_was_typed(office: Office) -> None:
    aline = await office.enter("aline")
    answer = await aline.send(
        "add-evidence", ("plan.pdf", PDF), milestone="exit-plan", kind="photo", description="Signé hier."
    )
    assert answer.status_code == 403 and "Signé hier." in answer.text and AGAIN in answer.text
    assert await office.kept() == []
    fin = await office.enter("fin")
    assert (await fin.get()).status_code == 404
    assert (await judged(office)).exit_code() == 0


ODT = zipped("content.xml", mimetype="application/vnd.oasis.opendocument.text")
DOCX = zipped("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, "pdf"), (PNG, "png"), (b"\xff\xd8\xff\xe0" + bytes(90), "jpeg"), (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"\0\0\0\x18ftypheic" + bytes(20), "heic"), (b"II*\0" + bytes(20), "tiff"), (ODT, "odt"), (DOCX, "docx"),
        (b"<!doctype html><script>alert(1)</script>", None), (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"MZ\x90\0" + bytes(100), None), (b"\n%PDF-1.7", None), (zipped("a.txt"), None),
        (zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), None),
        (zipped("word/document.xml"), None), (b"GIF89a", None), (b"\0\0\0\x18ftypmp42", None),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)  # fmt: skip
def test_a_kind_is_known_by_its_bytes(content: bytes, kind: str | None) -> None:
    assert kind_of(content) == kind


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("scan.pdf", "scan.pdf"), ("C:\\Users\\a\\plan.PDF", "plan.pdf"), ("../../etc/passwd", "passwd.pdf"),
        ("", "document.pdf"), (".pdf", "document.pdf"), ("...", "document.pdf"), ("a\x00b\nc\u202e.pdf", "a b c.pdf"),
        ("e\u0301t\u00e9.pdf", "\u00e9t\u00e9.pdf"), ('<"a|b?>*.pdf', "a b.pdf"), ("plan.html", "plan.html.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"), ("\ud800.pdf", "document.pdf"),
    ],
)  # fmt: skip
def test_a_name_harms_nobody(name: str, kept: str) -> None:
    assert clean_name(name, "pdf") == kept


async def test_a_wrong_file_is_said_beside_its_field(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    aline = await office.enter("aline")
    for content in (b"", b"<html>", zipped("a.txt")):
        answer = await aline.send("add-note", ("note.pdf", content), text="Gardé tel quel.")
        assert answer.status_code == 422 and 'id="e-document"' in answer.text and "Gardé tel quel." in answer.text
        assert AGAIN in answer.text and "accept=" in answer.text
    assert await office.kept() == []
    monkeypatch.setattr(attaching, "kind_of", lambda content: "pdf")
    assert (await aline.send("add-note", ("note.pdf", b"<html>"), text="x")).status_code == 303, "without the guard"


async def test_a_form_without_a_file_is_taken_as_before(office: Office) -> None:
    aline = await office.enter("aline")
    assert (await aline.send("add-note", text="Sans pièce.")).status_code == 303
    assert await office.kept() == []


async def test_too_large_is_said_and_far_too_large_is_not_read(office: Office) -> None:
    aline = await office.enter("aline")
    answer = await aline.send("add-note", ("a.pdf", PDF + bytes(2_000_000)), text="Gardé tel quel.")
    assert answer.status_code == 413 and "pèse 2,0 Mo" in answer.text
    assert "Gardé tel quel." in answer.text and 'id="e-document"' in answer.text
    assert (
        await aline.send("add-note", ("a.pdf", PDF + bytes(1_000_000 - len(PDF))), text="Juste.")
    ).status_code == 303
    answer = await aline.send("add-note", ("a.pdf", bytes(7_000_000)), text="x")
    assert answer.status_code == 413 and "trop gros" in answer.text and "1 Mo au plus" in answer.text

    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="document"; filename="a"\r\n\r\n'
        for _ in range(400):
            yield bytes(100_000)

    typed = {"content-type": "multipart/form-data; boundary=b"}
    answer = await aline.client.post(f"{office.path}/agir/add-note", content=endless(), headers=typed)
    assert answer.status_code == 413
    assert len(await office.kept()) == 1


async def test_an_upload_that_is_cut_off_leaves_nothing(office: Office) -> None:
    aline = await office.enter("aline")
    hidden = await aline.open("add-note")
    request = aline.client.build_request(
        "POST", f"{office.path}/agir/add-note", data={**hidden, "text": "x"}, files={"document": ("a.pdf", PDF)}
    )
    body = b"".join([chunk async for chunk in request.stream])  # type: ignore[union-attr]
    sent: list[dict[str, Any]] = []
    messages = iter([
        {"type": "http.request", "body": body[: len(body) // 2], "more_body": True}, {"type": "http.disconnect"},
    ])  # fmt: skip

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    await office.application(scope_of(request), receive, send)
    assert sent[0]["status"] == 400
    assert await office.kept() == [] and len(await parts(office.house.writing, office.stream)) == 0


def scope_of(request: Any) -> dict[str, Any]:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method, "scheme": "http",
        "path": request.url.path, "raw_path": request.url.raw_path, "query_string": b"", "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1), "server": ("here.test", 80),
    }  # fmt: skip


@pytest.mark.parametrize("guarded", [True, False])
async def test_a_slow_upload_holds_no_connection(
    office: Office, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """More uploads stand still than there are connections, and the pages are read all the same."""
    aline = await office.enter("aline")
    hidden = await aline.open("add-note")
    request = aline.client.build_request(
        "POST", f"{office.path}/agir/add-note", data={**hidden, "text": "x"}, files={"document": ("a.pdf", PDF)}
    )
    if not guarded:
        monkeypatch.setattr(visits, "carries_a_file", lambda request: False)

    async def never() -> Any:
        await asyncio.sleep(3_600)

    async def nowhere(message: Any) -> None: ...

    slow = [asyncio.create_task(office.application(scope_of(request), never, nowhere)) for _ in range(12)]
    await asyncio.sleep(0.5)
    answer = await aline.get()
    assert answer.status_code == (200 if guarded else 503)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_only_who_sees_the_journey_sees_its_documents(office: Office, owner: Any) -> None:
    aline = await office.enter("aline")
    await aline.show()
    seq = await shown_at(office)
    for handle, status in (("bob", 404), ("fin", 404), ("sam", 200), ("aude", 200)):
        desk = await office.enter(handle)
        for path in (f"/documents/{seq}", "/synthese.pdf"):
            assert (await desk.get(path)).status_code == status, (handle, path)
    async with office.browser() as stranger:
        assert (await stranger.get(f"{office.path}/documents/{seq}")).status_code == 303

    bob = await office.enter("bob")

    async def count() -> int:
        async with office.house.reading.acquire() as connection, connection.transaction():
            await sessions.enter(connection, bob.token)
            found: int = await connection.fetchval("SELECT count(*) FROM documents")
            return found

    assert await count() == 0
    await owner.execute("ALTER TABLE documents DISABLE ROW LEVEL SECURITY")
    assert await count() == 1, "without the second lock it would be seen"


async def test_the_application_can_neither_change_nor_delete(office: Office) -> None:
    await (await office.enter("aline")).show()
    for statement in (
        "UPDATE documents SET sealed = ''", "DELETE FROM documents", "DELETE FROM document_holds",
        "TRUNCATE documents", "UPDATE document_holds SET taken = true",
    ):  # fmt: skip
        for pool in (office.house.writing, office.house.reading):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute(statement)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await office.house.reading.execute("SELECT * FROM document_holds")
    await documents.settle(office.house.writing, office.stream, "0" * 8 + "-0000-0000-0000-" + "0" * 12)
    assert await office.kept() == [(DIGEST, 1)]


async def test_one_altered_byte_is_found_and_not_handed_out(office: Office, owner: Any) -> None:
    aline = await office.enter("aline")
    await aline.show()
    seq = await shown_at(office)
    alter = "UPDATE documents SET sealed = set_byte(sealed, 90, 255 - get_byte(sealed, 90))"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute(alter)
    await owner.execute("ALTER TABLE documents DISABLE TRIGGER delete_only")
    assert (await judged(office)).exit_code() == 0
    assert await doctor_says(office) == ("ok", "1 documents, as they were brought")
    await owner.execute(alter)

    found = await judged(office)
    journal = found.account(AccountName.JOURNAL)
    assert (found.exit_code(), journal.reason, journal.seq) == (6, "document-altered", seq)
    assert "n’est plus celui" in journal.told("fr")
    answer = await aline.get(f"/documents/{seq}")
    assert answer.status_code == 500 and "n’est pas remis" in answer.text
    lost = "of 1 documents {} are not what was brought and {} are missing"
    assert await doctor_says(office) == ("failed", lost.format(1, 0))

    await owner.execute("DELETE FROM document_holds; DELETE FROM documents")
    journal = (await judged(office)).account(AccountName.JOURNAL)
    assert (journal.reason, journal.seq) == ("document-missing", seq)
    assert await doctor_says(office) == ("failed", lost.format(0, 1))


async def doctor_says(office: Office) -> tuple[str, str]:
    """What `journeys doctor` finds of the documents."""

    class Here:
        async def pool(self) -> Any:
            return office.house.writing

    found = await checkup._documents(cast(Any, Here()))
    return found.state, found.found.en


async def test_with_the_engine_away_it_waits_for_the_same_form_and_is_swept_if_none_comes(office: Office) -> None:
    aline, house = await office.enter("aline"), office.house
    hidden = await aline.open("add-note")
    away, house.temporal_address, house._client = house.temporal_address, "127.0.0.1:1", None
    answer = await aline.send("add-note", ("a.pdf", PDF), hidden, text="Une fois.")
    assert (
        answer.status_code == 503 and "n’a pas été prise" in answer.text and "choisissez-le de nouveau" in answer.text
    )
    assert await office.kept() == [(DIGEST, 1)]
    house.temporal_address, house._client = away, None
    assert (await aline.send("add-note", ("a.pdf", PDF), hidden, text="Une fois.")).status_code == 303

    house.temporal_address, house._client = "127.0.0.1:1", None
    assert (await aline.send("add-note", ("b.png", PNG), text="Jamais.")).status_code == 503
    assert len(await office.kept()) == 2
    now = await house.writing.fetchval("SELECT clock_timestamp()")
    assert await documents.sweep(house.writing, now) == 1
    assert await office.kept() == [(DIGEST, 1)], "what the journal speaks of stays"


async def test_a_full_disk_is_said_and_nothing_is_sent(office: Office, owner: Any) -> None:
    await owner.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$;"
        "CREATE TRIGGER full_disk BEFORE INSERT ON documents FOR EACH ROW EXECUTE FUNCTION full_disk()"
    )
    answer = await (await office.enter("aline")).show()
    assert answer.status_code == 503 and "plein" in answer.text
    assert await office.kept() == [] and len(await parts(office.house.writing, office.stream)) == 0


async def test_broken_forms_break_nothing(office: Office) -> None:
    """A form cut, shuffled and flipped in three hundred ways: never a fault of ours, and nothing kept unasked."""
    aline = await office.enter("aline")
    draw = random.Random(3)
    request = aline.client.build_request(
        "POST", office.path, data={**await aline.open("add-note"), "text": ""}, files={"document": ("a.pdf", PDF[:300])}
    )
    whole = b"".join([chunk async for chunk in request.stream])  # type: ignore[union-attr]
    kind = request.headers["content-type"]
    kinds = [kind, "multipart/form-data", kind + "; charset=utf-7", "multipart/form-data; boundary=" + "x" * 300,
             "multipart/form-data; boundary=\xff", kind.upper(), "application/x-www-form-urlencoded"]  # fmt: skip
    statuses = set()
    for _ in range(300):
        body = bytearray(whole)
        for _ in range(draw.randrange(1, 4)):
            place, length = draw.randrange(len(body)), draw.randrange(1, 60)
            match draw.randrange(4):
                case 0:
                    del body[place : place + length]
                case 1:
                    body[place:place] = draw.choice([b"\r\n", b"--", b"\0", b'"', bytes(body[:length]), b"\xff" * 9])
                case 2:
                    body[place] ^= 1 << draw.randrange(8)
                case _:
                    del body[place:]
            if not body:
                break
        sent = {"content-type": draw.choice(kinds).encode("latin-1") if draw.random() < 0.3 else kind.encode()}
        answer = await aline.client.post(f"{office.path}/agir/add-note", content=bytes(body), headers=sent)
        statuses.add(answer.status_code)
    assert statuses <= {303, 400, 403, 409, 413, 422}, statuses
    many = {**await aline.open("add-note"), **{f"x{n}": "y" for n in range(250)}}
    answer = await aline.client.post(f"{office.path}/agir/add-note", data=many, files={"document": ("", b"")})
    assert answer.status_code == 400 and "abîmé" in answer.text
    two = [("document", ("a.pdf", PDF)), ("document", ("b.pdf", PDF))]
    answer = await aline.client.post(f"{office.path}/agir/add-note", data=await aline.open("add-note"), files=two)
    assert answer.status_code == 400


async def test_erasing_takes_the_documents_of_the_journey(office: Office, database_url: str) -> None:
    aline = await office.enter("aline")
    await aline.show()
    seq = await shown_at(office)
    pool = await open_pool(database_url, role="journeys_retention", largest=1)
    assert await documents.delete_documents(pool, office.stream) == 1
    await office.engine.do(c.Erase(reason="person-asked"), actor=SYSTEM, roles=(SYSTEM,))
    await delete_parts(pool, office.stream)
    await pool.close()
    assert await office.kept() == [] and (await aline.get(f"/documents/{seq}")).status_code == 404
    assert (await judged(office)).exit_code() == 0


async def test_what_is_said_of_a_document_without_its_bytes_is_not_sent(office: Office) -> None:
    """A command that tells of a document nobody brought would leave the journal with a gap."""
    house = office.house
    row = await views.journey(house.writing, office.journey_id)
    assert row is not None
    loaded = await load(house.writing, row)
    actor = Actor(office.staff["aline"], "Aline", ("referent",))
    told = Document(digest=DIGEST, name="a.pdf", kind="pdf", size=3).as_part()
    for texts, code in (({"text": "x", "document": told}, "document-without-file"),
                        ({"text": "x", "document": "a.pdf"}, "not-a-document")):  # fmt: skip
        with pytest.raises(Failure) as refused:
            command = make_command(
                house.ring, stream=office.stream, body=c.AddNote(), actor=actor, now=house.now, texts=texts
            )
            await deliver(house.writing, house.ring, house.client, house.settings.task_queue, loaded, command, texts,
                          actor)  # fmt: skip
        assert refused.value.code == code


async def test_no_more_of_a_file_is_held_than_a_document_may_have(office: Office) -> None:
    aline = await office.enter("aline")
    request = aline.client.build_request("POST", "/", data={"text": "x"}, files={"document": ("a", bytes(3_000_000))})
    whole = b"".join([chunk async for chunk in request.stream])  # type: ignore[union-attr]
    chunks = iter([whole[at : at + 65_536] for at in range(0, len(whole), 65_536)])

    async def receive() -> Any:
        chunk = next(chunks, None)
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    read = Request(scope_of(request), receive)
    await read_form(read, 1_000_000)
    file = file_of(await read.form(), "document")
    assert file is not None and file.size == 3_000_000 and len(await file.read()) == 1_000_000
    assert not file.file._rolled  # type: ignore[attr-defined]  # never on a disk
