"""Papers from the page of a person: the summary, a receipt to sign, the letter to a partner."""

import asyncio
import io
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from pypdf import PdfReader

from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.store import partners, treasury
from tests.conftest import RealStack
from tests.web.conftest import BY
from tests.web.office import PNG, Office, open_office


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
    asked = await aline.send("request-grant", grant="bourse", purpose="training", amount=amount, payee="FR76 1234")
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
