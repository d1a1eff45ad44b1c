"""Money as finance sees it: receipts settled from the list, a fund and its statement, and the switch that stops all."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest_asyncio

from journeys.channels.sepa.transfers import render
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.banking import Account
from journeys.domain.payee import Payee
from journeys.identifiers import uuid7
from journeys.store import batches, payments, receipts, treasury
from journeys.store.batches import BatchRow
from journeys.store.directory import By
from tests.conftest import RealStack
from tests.web.conftest import form
from tests.web.office import PNG, Office, open_office
from tests.web.test_papers import paying, words


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        yield made


async def page(office: Office, handle: str, path: str) -> str:
    answer = await (await office.enter(handle)).client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return plain(answer)


def plain(answer: httpx.Response) -> str:
    return html.unescape(answer.text).replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


async def test_a_receipt_is_accepted_from_the_list_and_the_statement_says_so(office: Office) -> None:
    payment, engine = await paying(office, "600"), office.engine
    settled = c.SettlePayment(payment=payment)
    assert (await engine.do(settled, actor=engine.finance, roles=("finance",), reason="vu")).outcome == "accepted"
    receipt = next(event.data.receipt for event in await engine.events() if isinstance(event.data, e.ReceiptDue))
    aline, fin = await office.enter("aline"), await office.enter("fin")
    assert "Rien n'attend ici" in await page(office, "fin", "/justificatifs")
    shown = await aline.send("submit-receipt", ("facture.png", PNG), receipt=receipt, amount="120")
    assert shown.status_code == 303, shown.text

    listed = plain(await fin.client.get("/justificatifs"))
    row = listed.partition("<tbody")[2].partition("</tbody>")[0]
    assert "Samir Benali" in row and "120,00 €" in row and "300,00 €" in row
    document = re.search(r'href="(/parcours/[^"]*/documents/\d+)"', row)
    assert document is not None and (await fin.client.get(document[1])).content == PNG
    assert "Accepter" not in await page(office, "aude", "/justificatifs"), "an auditor reads, and has no button"
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', row))
    taken = await fin.client.post(f"{office.path}/agir/accept-receipt", data=hidden)
    assert (taken.status_code, taken.headers["location"]) == (303, "/justificatifs?page=1&fait=accept-receipt")
    left = await page(office, "fin", "/justificatifs?etat=in-part")
    assert "180,00 €" in left.partition("<tbody")[2] and "Dispenser" in left

    fund = await page(office, "fin", "/fonds/parvis-solidaire")
    assert "Benali" not in fund and "moins de 5" in fund
    assert "/justificatifs?fonds=parvis-solidaire&etat=in-part" in fund
    assert "700,00 €" in await page(office, "fin", "/fonds")
    table = (await fin.client.get("/fonds/parvis-solidaire/releve.csv")).content
    total = table.decode("utf-8-sig").strip().splitlines()[-1]
    assert table.startswith(b"\xef\xbb\xbf")
    assert total == "Ensemble;1000,00;600,00;300,00;300,00;0,00;120,00;180,00;moins de 5"
    paper = words((await fin.client.get("/fonds/parvis-solidaire/releve.pdf")).content)
    assert "Relevé du fonds" in paper and "en euros" in paper and "180,00" in paper and "Benali" not in paper
    assert (await fin.client.get("/fonds/parvis-solidaire/releve.csv?de=hier")).status_code == 422

    other = office.browser(await office.session(await office.member("fanny", "finance", funds=("autre",))))
    assert (await other.get("/fonds/parvis-solidaire")).status_code == 404
    assert "parvis" not in plain(await other.get("/fonds")) + plain(await other.get("/justificatifs?etat=tous"))
    owner = await asyncpg.connect(office.owner)
    await owner.execute("UPDATE journeys SET summary = jsonb_set(summary, '{funds}', '[\"autre\"]')")
    assert "parvis" not in plain(await other.get("/justificatifs?etat=tous")), "of another fund than she is bound to"
    await owner.execute("ALTER TABLE receipts DISABLE ROW LEVEL SECURITY")
    assert "parvis" in plain(await other.get("/justificatifs?etat=tous")), "the rows' own policy held it back"
    await owner.close()


async def post(office: Office, handle: str, path: str, **typed: str) -> httpx.Response:
    desk = await office.enter(handle)
    return await desk.client.post(path, data=form(desk.token, **typed))


async def test_stopped_payments_are_said_everywhere_and_called_for_again(office: Office) -> None:
    assert (await post(office, "sam", "/arret", why=" ")).status_code == 422
    assert (await post(office, "aline", "/arret", why="non")).status_code == 403
    assert (await post(office, "sam", "/arret", why="Compte piraté")).status_code == 303
    for handle, path in (("aline", "/"), ("aude", "/fonds"), ("fin", "/accords"), ("bob", "/parcours")):
        said = await page(office, handle, path)
        assert "Tous les versements sont arrêtés depuis le" in said and "par Sam : Compte piraté" in said

    async with asyncio.timeout(30):
        waiting = asyncio.create_task(paying(office, "600"))
        while not (blocked := await payments.stopped_by_the_switch(office.house.writing)):
            await asyncio.sleep(0.1)
        assert not waiting.done()
        assert (await post(office, "fin", "/arret/reprise", why="Mot de passe changé")).status_code == 303
        payment = await waiting
    assert "arrêtés depuis" not in await page(office, "aline", "/")
    assert await payments.stopped_by_the_switch(office.house.writing) == []
    kinds = [event.kind for event in await office.engine.events()]
    assert (kinds.count("PaymentBlocked"), kinds.count("PaymentRetried"), kinds.count("PaymentReserved")) == (1, 1, 1)
    assert payment != blocked[0][1]
    assert await receipts.owing(office.house.writing, office.house.now) == []


async def test_a_fund_is_opened_changed_and_topped_up_once(office: Office) -> None:
    opened = {"code": "logement", "donor": "Fondation A", "balance": "1 200", "cap": "300", "first": "2027-01-01"}
    wrong = await post(office, "fin", "/nouveau-fonds", **opened, last="2026-01-01")
    assert wrong.status_code == 422 and 'value="Fondation A"' in wrong.text and "avant le premier" in wrong.text
    assert (await post(office, "fin", "/nouveau-fonds", **opened)).headers["location"] == "/fonds/logement?note=ouvert"
    assert (await post(office, "fin", "/nouveau-fonds", **opened)).status_code == 422, "sent twice it opens one"
    assert "1200,00 €" in (await page(office, "fin", "/fonds/logement")).replace("1 200", "1200")

    seen = await seen_on(office, "/fonds/logement/don")
    gift = {"amount": "800,50", "seen": seen}
    assert (await post(office, "fin", "/fonds/logement/don", amount="0", seen=seen)).status_code == 422
    assert (await post(office, "fin", "/fonds/logement/don", **gift)).headers["location"].endswith("?note=verse")
    twice = await post(office, "fin", "/fonds/logement/don", **gift)
    assert twice.status_code == 409 and await seen_on(office, "/fonds/logement/don") in twice.text
    terms = {
        "donor": "Fondation B",
        "cap": "",
        "last": "2027-12-31",
        "seen": await seen_on(office, "/fonds/logement/regles"),
    }
    assert (await post(office, "fin", "/fonds/logement/regles", **terms)).headers["location"].endswith("?note=change")
    shown = await page(office, "fin", "/fonds/logement")
    assert "Fondation B" in shown and "sans plafond" in shown and "2000,50" in shown.replace("2 000", "2000")
    assert (await post(office, "aude", "/fonds/logement/don", **gift)).status_code == 403
    bound = office.browser(await office.session(await office.member("bea", "finance", funds=("autre",))))
    assert [(await bound.get(path)).status_code for path in ("/nouveau-fonds", "/fonds/logement/regles")] == [403, 404]


async def test_a_payment_tells_which_of_its_batches_were_withdrawn(office: Office) -> None:
    payment, house = await paying(office, "600"), office.house
    by = By(actor=office.staff["fin"], role="finance", at=house.now)
    await house.writing.execute("UPDATE payments SET status = 'instructed', pay_by = 'sepa' WHERE id = $1", payment)
    await batches.queue(house.writing, house.ring, payment, 300_00, Payee("École", "FR1420041010050500013M02606"))

    async def batch() -> BatchRow:
        account = Account("Auxilia", "FR7630006000011234567890189", None)
        made = await batches.make(
            house.writing, house.ring, uuid7(by.at), by.at.date(), account, "Versement", render, by
        )
        assert made is not None
        return made

    first = await batch()
    await batches.withdraw(house.writing, first.id, "mauvais jour", by)
    shown = await page(office, "fin", f"/versements/{payment}")
    assert f"<code>{first.message}</code>, retiré le" in shown and "personne n'a eu son fichier" in shown
    assert "à exécuter le" not in shown, "it waits for its next file"
    second = await batch()
    await batches.give_out(house.writing, house.ring, second.id, by)
    for who in ("fin", "aude"):
        shown = await page(office, who, f"/versements/{payment}")
        assert f"<code>{first.message}</code>, retiré le" in shown and f"<code>{second.message}</code>, à exéc" in shown
        assert "; donné le" in shown and "pas encore donné" not in shown


async def test_a_fund_is_closed_once_nothing_is_promised_from_it(office: Office) -> None:
    payment, engine = await paying(office, "600"), office.engine
    path = "/fonds/parvis-solidaire/cloture"
    held = await page(office, "fin", path)
    assert "300,00 € de ce fonds sont encore promis" in held and "/versements?fonds=parvis-solidaire" in held
    seen = await treasury.version(office.house.writing, "parvis-solidaire")
    refused = await post(office, "fin", path, why="fin du don", seen=str(seen))
    assert refused.status_code == 422 and "ne peut pas être clos" in refused.text
    settled = c.SettlePayment(payment=payment)
    assert (await engine.do(settled, actor=engine.finance, roles=("finance",), reason="vu")).outcome == "accepted"

    assert "Il y reste 700,00 €" in await page(office, "fin", path)
    assert (await post(office, "fin", path, why=" ", seen=await seen_on(office, path))).status_code == 422
    done = {"why": "fin du don", "seen": await seen_on(office, path)}
    assert (await post(office, "fin", path, **done)).headers["location"].endswith("?note=clos")
    assert (await post(office, "fin", path, **done)).status_code == 409, "sent twice it is closed once"
    shown = await page(office, "fin", "/fonds/parvis-solidaire")
    assert "par Fin : fin du don" in shown and "/don" not in shown and "/regles" not in shown
    assert "clos depuis le" in await page(office, "aude", "/fonds") and "Rouvrir" not in await page(
        office, "aude", path[:-8]
    )
    late = await post(office, "fin", "/fonds/parvis-solidaire/don", amount="5", seen="2")
    assert late.status_code == 422 and "fonds est clos" in late.text
    bound = office.browser(await office.session(await office.member("bea", "finance", funds=("parvis-solidaire",))))
    assert (await bound.get(path)).status_code == 403
    assert (
        (await post(office, "fin", path[:-7] + "reouverture", why="non")).headers["location"].endswith("?note=rouvert")
    )
    assert "clos depuis" not in await page(office, "fin", "/fonds")


async def seen_on(office: Office, path: str) -> str:
    """How far the fund was when the form was opened."""
    found = re.search(r'name="seen" value="(\d+)"', await page(office, "fin", path))
    assert found is not None
    return found[1]
