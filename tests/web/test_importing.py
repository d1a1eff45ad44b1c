"""A caseload taken over on the pages: looked at row by row without a trace, then carried out; a person corrected."""

import html
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from journeys.app.web.pages.importing import MOST
from journeys.store import journal, people, views
from tests.conftest import RealStack
from tests.days import paris_today
from tests.web.conftest import BY, form
from tests.web.office import Office, open_office

RELEASED = paris_today() - timedelta(days=100)
HEAD = "Prénom;Nom;Référence;Sortie;Premier entretien dehors\r\n"


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        yield made


def hidden(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.partition("<form")[2])
    return {name: html.unescape(value) for name, value in found}


async def test_a_file_is_looked_at_then_taken_over_once(office: Office) -> None:
    pool = office.house.writing
    aline = await office.enter("aline")

    async def given(text: bytes, **typed: str) -> Any:
        return await aline.client.post(
            "/reprise", data=form(aline.token, **{"programme": "auxilia", **typed}),
            files={"file": ("suivis.csv", text, "text/csv")},
        )  # fmt: skip

    rows = f"Éva;Reprise;W-1;{RELEASED:%d/%m/%Y};{RELEASED + timedelta(5):%d/%m/%Y}\r\nIvo;Faux;W-2;hier;\r\n"
    seen = await given((HEAD + rows).encode("cp1252"))
    assert seen.status_code == 200 and "1 ligne(s) prête(s), 1 à revoir" in seen.text
    assert "Sera repris" in seen.text and "Erreur" in seen.text and "Windows" in seen.text and "Ensuite" in seen.text
    assert await people.by_reference(pool, "W-1") is None, "nothing is written"

    fields = hidden(seen.text)
    assert fields["sure"] == "yes" and "Éva" in fields["text"]
    done = await aline.client.post("/reprise", data=fields)
    assert "1 ligne(s) reprise(s), 1 à revoir" in done.text, done.text
    person = await people.by_reference(pool, "W-1")
    assert person is not None
    [journey] = await views.journeys(pool, person=person.id)
    assert (journey.status, journey.late) == ("active", 0) and f"/parcours/{journey.id}" in done.text
    again = await aline.client.post("/reprise", data=fields)
    assert "Déjà repris, rien de nouveau" in again.text
    [same] = await views.journeys(pool, person=person.id)
    assert same.seq == journey.seq

    for text, typed, field in (
        (b"", {}, "#f-file"), (HEAD.encode() + b"a;b;c;;\r\n" * (MOST + 1), {}, "#f-file"),
        (b"x" * 300_000, {}, "#f-file"), (HEAD.encode(), {}, "#f-file"),
        (HEAD.encode(), {"programme": "/etc/passwd"}, "#f-programme"),
        ((HEAD + rows).encode(), {"watch": "demain"}, "#f-watch"), (b"\x00\xff" * 9, {}, ""),
        (b"a,b\r\n1,2\r\n", {}, ""),
    ):  # fmt: skip
        wrong = await given(text, **typed)
        assert wrong.status_code == 422 and "À corriger" in wrong.text and field in wrong.text, (text[:9], wrong.text)
    known = await given((HEAD + rows).encode())
    assert "Déjà repris" in known.text and "Reprendre 1 parcours" not in known.text, "nothing new, nothing to press"
    theirs = HEAD[:-2] + ";Référent\r\n" + f"Éva;Autre;W-9;{RELEASED:%d/%m/%Y};;bob\r\n"
    assert "que suivra Bob" in (await given(theirs.encode())).text, "whose row it is, and what to do"
    model = await aline.client.get("/reprise/modele.csv?programme=auxilia")
    assert model.status_code == 200 and "premier entretien dehors" in model.text.lower()


async def test_what_is_known_of_a_person_is_corrected_field_by_field(office: Office) -> None:
    pool = office.house.writing
    aline = await office.enter("aline")
    row = await views.journey(pool, office.journey_id)
    assert row is not None
    before = await people.person(pool, row.person)
    assert before is not None
    address = f"/parcours/{row.id}/personne"
    assert address in (await aline.client.get(f"/parcours/{row.id}")).text
    fields = fields_of((await aline.client.get(address)).text)
    # A colleague changed the phone meanwhile: it stays.
    await people.change(pool, row.person, replace(before.details, phone="06 00 00 00 09"), BY)
    done = await aline.client.post(address, data={**fields, "place": "Colombes", "languages": "arabe"})
    assert done.status_code == 303
    after = await people.person(pool, row.person)
    assert after is not None
    assert after.details == replace(before.details, phone="06 00 00 00 09", place="Colombes", languages="arabe")
    bad = {"first_name": "", "birth_date": "hier", "email": "nulle part", "phone": "06 12 34 56 7"}
    wrong = await aline.client.post(address, data={**fields, **bad})
    assert wrong.status_code == 422
    for name, text in bad.items():
        assert f'id="e-{name}"' in wrong.text and fields_of(wrong.text)[name] == text, "all at once, nothing lost"
    assert await people.person(pool, row.person) == after
    auditor = await office.enter("aude")
    assert (await auditor.client.get(address)).status_code == 403


async def test_what_is_held_about_a_person_is_taken_on_record(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    row = await views.journey(office.house.writing, office.journey_id)
    assert row is not None
    address = f"/parcours/{row.id}/acces"
    sam, aline = await office.enter("sam"), await office.enter("aline")
    assert address in (await sam.client.get(f"/parcours/{row.id}")).text
    assert address not in (await aline.client.get(f"/parcours/{row.id}")).text
    assert (await aline.client.get(address)).status_code == 403
    shown = await sam.client.get(address)
    assert shown.status_code == 200 and row.name is not None and row.name in shown.text

    taken = await sam.client.post(address, data=form(sam.token))
    assert taken.status_code == 200, taken.text
    assert taken.headers["content-type"] == "application/zip" and "no-store" in taken.headers["cache-control"]
    with zipfile.ZipFile(io.BytesIO(taken.content)) as held:
        assert held.testzip() is None
        assert {"lettre.pdf", "parcours-1.pdf", "donnees.json"} <= {*held.namelist()}
        assert json.loads(held.read("donnees.json"))["person"]["id"] == row.person
    assert await exports(office, row.person) == 1

    async def cut(*_: object) -> None:
        raise OSError("cut off")

    monkeypatch.setattr(people, "note_export", cut)
    lost = await sam.client.post(address, data=form(sam.token))
    assert lost.status_code >= 500 and lost.headers["content-type"].startswith("text/html"), (
        "nobody has what is not on record"
    )


async def exports(office: Office, person: str) -> int:
    events = await journal.read_all(office.house.writing, people.stream_of(person))
    return sum(event.kind == "PersonExported" for event in events)


def fields_of(page: str) -> dict[str, str]:
    """Every input of the form as the browser would send it."""
    found = re.findall(
        r'name="([^"]+)"(?: value="([^"]*)")?', page.partition('class="fill"')[2].partition("</form>")[0]
    )
    return {name: html.unescape(value) for name, value in found} | {"language": "fr"}
