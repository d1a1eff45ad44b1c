"""Papers from the page of a person: the summary, a receipt to sign, the letter to a partner."""

import asyncio
import html
import io
import re
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from pypdf import PdfReader

from journeys.app import papers
from journeys.app.web.visit import csrf_of
from journeys.authoring.reading import read_programme
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.i18n import format_time
from journeys.store import partners, treasury
from journeys.store.journal import parts
from tests.conftest import RealStack
from tests.web.conftest import BY
from tests.web.office import PNG, Desk, Office, open_office


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        yield made


def words(made: bytes) -> str:
    found = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
    return " ".join(found.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'").split())


async def test_the_summary_with_and_without_what_people_wrote(office: Office) -> None:
    aline = await office.enter("aline")
    await aline.send("add-note", ("plan.pdf", b"%PDF-1.7 x"), text="Il veut finir sa formation.")
    plain, whole = await aline.get("/synthese.pdf"), await aline.get("/synthese.pdf?notes=1")
    for answer in (plain, whole):
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"].startswith('attachment; filename="synthese-Samir-Benali.pdf"')
        assert "SYNTHÈSE DU PARCOURS" in words(answer.content) and "Samir Benali" in words(answer.content)
    assert "Il veut finir" not in words(plain.content)
    assert "Il veut finir" in words(whole.content) and "Document : plan.pdf (PDF, 1 ko)" in words(whole.content)


async def paying(office: Office, amount: str) -> str:
    """Ask for a grant through the pages, have it approved, and wait until the bank has its first payment; its id."""
    await treasury.open_fund(
        office.house.writing, str(uuid.uuid4()), "parvis-solidaire", cap_per_person=None, balance=100_000, by=BY
    )
    aline, engine = await office.enter("aline"), office.engine
    asked = await aline.send(
        "request-grant",
        grant="bourse",
        purpose="training",
        amount=amount,
        payee="École",
        iban="FR7630006000011234567890189",
    )
    assert asked.status_code == 303, asked.text
    (request,) = [event.data for event in await engine.events() if isinstance(event.data, e.GrantRequested)]
    for actor, role in ((engine.supervisor, "supervisor"), (engine.finance, "finance")):
        body = c.ApproveGrant(grant=request.grant, digest=request.digest)
        assert (await engine.do(body, actor=actor, roles=(role,))).outcome == "accepted"
    async with asyncio.timeout(20):
        while True:
            for event in await engine.events():
                if isinstance(event.data, e.PaymentAccepted):
                    return event.data.payment
            await asyncio.sleep(0.1)


async def test_a_receipt_for_money_that_arrived_and_only_for_that(office: Office) -> None:
    payment, aline, engine = await paying(office, "600"), await office.enter("aline"), office.engine
    assert (await aline.get(f"/recus/{payment}.pdf")).status_code == 404, "not arrived yet"
    said = await engine.do(c.SettlePayment(payment=payment), actor=engine.finance, roles=("finance",), reason="vu")
    assert said.outcome == "accepted", said
    page = (await aline.get()).text
    assert f'href="{office.path}/recus/{payment}.pdf"' in page and "Reçu à signer" in page
    told = words((await aline.get(f"/recus/{payment}.pdf")).content)
    assert "Reçu d'un versement" in told and "300,00 €" in told and "1 sur 2" in told
    assert "Samir Benali" in told and "Fin (gestionnaire)" in told and "FR76" not in told
    assert (await aline.get(f"/recus/{uuid.uuid4()}.pdf")).status_code == 404

    receipt = next(event.data.receipt for event in await engine.events() if isinstance(event.data, e.ReceiptDue))
    shown = await aline.send("submit-receipt", ("facture.png", PNG), receipt=receipt, amount="120")
    assert shown.status_code == 303, shown.text
    fin = await office.enter("fin")
    page = (await fin.get()).text
    assert "facture.png" in page and "Ajouter une pièce" not in page, "finance reads it, and adds none"
    seq = next(event.seq for event in await engine.events() if isinstance(event.data, e.ReceiptSubmitted))
    assert (await fin.get(f"/documents/{seq}")).content == PNG


async def test_the_letter_to_a_partner_names_nobody_without_consent(office: Office) -> None:
    partner = partners.Partner(
        id=str(uuid.uuid4()), name="Foyer du Pont", kind="housing", email=None, phone=None, language="fr", site=None
    )
    await partners.add(office.house.writing, partner, BY)
    aline = await office.enter("aline")
    sent = await aline.send("send-referral", partner=partner.id, purpose="housing", letter="Bonjour,\n\nUne place ?")
    assert sent.status_code == 303, sent.text
    page = (await aline.get()).text
    assert "Lettre à Foyer du Pont" in page
    seq = next(event.seq for event in await office.engine.events() if event.kind == "ReferralSent")
    told = words((await aline.get(f"/lettres/{seq}.pdf")).content)
    assert "Foyer du Pont" in told and "Une place ?" in told and "Aline" in told and "Benali" not in told
    for wrong in (1, 999, "x"):
        assert (await aline.get(f"/lettres/{wrong}.pdf")).status_code == 404


async def test_a_letter_confirms_an_appointment_for_who_has_no_mail(office: Office) -> None:
    engine = office.engine
    at = (await engine.now()).replace(minute=0, second=0, microsecond=0) + timedelta(days=9)
    body = c.BookAppointment(at=at, or_at=(at + timedelta(hours=2),))
    booked = (await engine.do(body, place="12 rue des Lilas")).command
    inside = (await engine.do(c.BookAppointment(at=at + timedelta(days=1)), place="Parloir avocat")).command
    aline = await office.enter("aline")
    path = f"/rendez-vous/{booked}.pdf"
    assert f'href="{office.path}{path}"' in (await aline.get()).text
    before = len(await engine.events())
    made = await aline.get(path)
    assert made.status_code == 200 and made.headers["content-type"] == "application/pdf"
    said, hour = words(made.content), format_time(at, "fr", "Europe/Paris").replace("\xa0", " ")
    assert "Samir Benali" in said and "Bonjour Samir," in said and "12 rue des Lilas" in said and "Auxilia" in said
    elsewhere = words((await aline.get(f"/rendez-vous/{inside}.pdf")).content)
    assert "Bonjour Samir," in elsewhere and "Parloir" not in elsewhere and "à l'adresse convenue" in elsewhere, (
        "a letter may be opened by others"
    )
    assert f"à {hour}" in said and "une autre est possible" in said and said.count("Aline") >= 1
    assert len(await engine.events()) == before, "opening it records nothing"
    for who, status in (("bob", 404), ("sam", 200), ("aude", 403)):
        desk = await office.enter(who)
        assert (await desk.get(path)).status_code == status, who
        assert (path in (await desk.get()).text) == (status == 200), who
    await engine.do(c.CloseAppointment(appointment=booked, outcome="cancelled"))
    assert (await aline.get(path)).status_code == 404
    assert path not in (await aline.get()).text


def test_no_letter_is_signed_as_what_says_why() -> None:
    known = read_programme("spip-suivi").programme.roles["referent"]
    assert "CPIP" in known.fr and papers._outside(known.fr) == ""
    assert papers._outside("référente") == "référente"


async def test_a_letter_in_ones_own_words_leaves_a_note_and_nothing_else(office: Office) -> None:
    aline, engine = await office.enter("aline"), office.engine
    shown = await aline.get("/courrier")
    assert shown.status_code == 200 and 'value="Samir Benali"' in shown.text
    id = re.search(r'name="command" value="([^"]+)"', shown.text)
    assert id is not None

    async def write(desk: Desk, **typed: str) -> Any:
        fields = {"csrf": csrf_of(desk.token), "command": id[1], "recipient": "Samir Benali", "subject": "Votre place"}
        return await desk.client.post(f"{office.path}/courrier", data={**fields, "text": TEXT, **typed})

    for name, word in (("text", " "), ("subject", "x" * 201), ("text", "\x07"), ("recipient", "")):
        wrong = await write(aline, **{name: word})
        assert wrong.status_code == 422 and f'id="e-{name}"' in wrong.text, (name, word)
        assert "Une place vous attend." in wrong.text or name == "text", "what was typed is kept"
    assert [event for event in await engine.events() if event.kind == "NoteAdded"] == []
    made = await write(aline, address="Centre pénitentiaire\nde Nanterre")
    assert made.status_code == 200 and made.headers["content-type"] == "application/pdf"
    said = words(made.content)
    for part in ("Samir Benali", "Centre pénitentiaire", "Objet : Votre place", "Une place vous attend.", "Aline"):
        assert part in said, part
    assert (await write(aline, address="Centre pénitentiaire\nde Nanterre")).status_code == 200, "made again"
    (noted,) = [event for event in await engine.events() if event.kind == "NoteAdded"]
    page = html.unescape((await aline.get()).text)
    assert "Lettre faite, pour Samir Benali" in page.replace("\xa0", " ") and "Une place vous attend" not in page
    [kept] = [part.text for part in await parts(office.house.writing, office.stream) if part.seq == noted.seq]
    assert "Une place vous attend" not in kept
    for who, status in (("bob", 404), ("aude", 403), ("fin", 404)):
        assert (await write(await office.enter(who))).status_code == status, who
    await engine.do(c.Close(outcome="moved"))
    closed = await write(aline, command=str(uuid.uuid4()))
    assert closed.status_code == 403 and "Une place vous attend." in closed.text
    assert '/courrier"' not in (await aline.get()).text


TEXT = "Bonjour,\n\nUne place vous attend."
