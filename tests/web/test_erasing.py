"""The page of an erasure: who may, what it shows before it is confirmed, that it wants a proof, what it shows then."""

import dataclasses
import html
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx
import pytest
import pytest_asyncio

from journeys.app import erasing as words
from journeys.app.entry import Actor
from journeys.app.failures import Failure
from journeys.domain import commands as c
from journeys.domain.banking import Account, Line, StatementHead, reference_of
from journeys.domain.directory import KeptOfBank
from journeys.domain.payee import Payee
from journeys.domain.record import SYSTEM
from journeys.i18n import Lang
from journeys.store import bank_files, batches, contact_erasing, erasing, mentors, partners, staff, tokens
from journeys.store.directory import By
from tests.conftest import RealStack
from tests.days import paris_today
from tests.documents.papers import flat, text_of
from tests.web.conftest import BY, form
from tests.web.office import Office, open_office

OURS = Account("Association Exemple", "FR7630006000011234567890189")
PAYEE = Payee("Lina Martin", "FR1420041010050500013M02606")


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        yield made


async def test_what_goes_is_shown_before_it_is_confirmed_and_the_certificate_after(office: Office) -> None:
    sam, aline, pool = await office.enter("sam"), await office.enter("aline"), office.house.writing
    assert (await aline.get("/effacement")).status_code == 403
    assert "/effacement" in (await sam.get()).text and "/effacement" not in (await aline.get()).text
    shown = await sam.get("/effacement")
    assert shown.status_code == 200 and "Ce qui part" in shown.text and "Certificat" not in shown.text
    where = f"{office.path}/effacement"
    assert (await sam.client.post(where, data=form(sam.token, reason=""))).status_code == 422
    await pool.execute("UPDATE sessions SET proved_at = $1", datetime.now(UTC) - timedelta(hours=1))
    asked = await sam.client.post(where, data=form(sam.token, reason="person-asked"))
    assert asked.status_code == 403 and await erasing.erasures(pool) == [], "a proof anew first"
    await pool.execute("UPDATE sessions SET proved_at = clock_timestamp()")
    assert (await sam.client.post(where, data=form(sam.token, reason="person-asked"))).status_code == 303
    (known,) = await erasing.erasures(pool)
    assert (known.reason, known.by) == ("person-asked", office.staff["sam"])
    assert "Effacement en cours" in (await sam.get("/effacement")).text

    name = (await aline.get()).text.partition("<h1>")[2].partition("</h1>")[0]
    await erasing.note(pool, known.person, await erasing.survey(pool, known.person))
    await erasing.destroy(pool.keys, await erasing.keys_of(pool, known.person), None)
    await erasing.delete(pool, known.person)
    await erasing.certify(pool, known.person, By(actor="system", role="system", at=datetime.now(UTC)))
    done = await sam.get("/effacement")
    assert "Certificat d’effacement" in done.text and name not in done.text
    assert "Personne effacée" in (await aline.get()).text


async def test_nothing_is_done_about_who_is_being_forgotten_on_pages_nor_by_programs(office: Office) -> None:
    sam, aline, pool = await office.enter("sam"), await office.enter("aline"), office.house.writing
    person = await pool.fetchval("SELECT person::text FROM journeys WHERE id = $1", office.journey_id)
    opened = await aline.open("opt-out")
    assert "/agir/opt-out" in (await aline.get()).text and "/personne" in (await aline.get()).text
    token = await tokens.make(pool, str(uuid.uuid4()), office.staff["aline"], "essai")
    await erasing.order(pool, person, "person-asked", BY)
    facts = await pool.fetchval("SELECT count(*) FROM events")
    known = {"first_name": "Zoé", "last_name": "Benali"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(office.application, raise_app_exceptions=False),
        base_url="http://here.test/api/v1", headers={"Authorization": f"Bearer {token}"},
    ) as program:  # fmt: skip
        for told in range(2):
            answers = [
                await aline.send("opt-out", hidden={**opened, "command": str(uuid.uuid4())}),
                await aline.get("/personne"),
                await aline.client.post(f"{office.path}/personne", data=form(aline.token, **known)),
                await sam.get("/acces"),
                await sam.client.post(f"{office.path}/acces", data=form(sam.token)),
            ]
            for answer in answers:
                assert (answer.status_code, "s'effacent" in plain(html.unescape(answer.text))) == (409, True), (
                    answer.text
                )
            refused = await program.post(f"/journeys/{office.journey_id}/commands/request-erasure", json={},
                                         headers={"Idempotency-Key": str(uuid.uuid4())})  # fmt: skip
            assert (refused.status_code, refused.json()["code"]) == (409, "erasing"), refused.text
            assert await pool.fetchval("SELECT count(*) FROM events") == facts
            if not told:
                erase = c.Erase(reason="person-asked")
                assert (await office.engine.do(erase, actor=SYSTEM, roles=(SYSTEM,))).outcome == "accepted"
                facts = await pool.fetchval("SELECT count(*) FROM events")
    page = (await sam.get()).text
    assert "/agir/" not in page and "/personne" not in page and "/acces" not in page, "nothing is offered either"


async def test_a_supervisor_of_some_sites_forgets_nobody_of_another(office: Office) -> None:
    """On pages and on the command line, which ask the same."""
    sam, pool = await office.enter("sam"), office.house.writing
    person = await pool.fetchval("SELECT person::text FROM journeys WHERE id = $1", office.journey_id)
    there = Actor(office.staff["sam"], "Sam", ("supervisor",), ("lyon",))
    await staff.set_sites(pool, office.staff["sam"], ("lyon",), BY)
    await words.must_be_theirs(pool, there, person)
    assert (await sam.get("/effacement")).status_code == 200, "a journey without a site is everybody's"
    elsewhere = await office.journey(office.staff["bob"], site="nanterre")
    async with asyncpg_owner(office) as owner:
        await owner.execute("UPDATE journeys SET person = $1 WHERE id = $2", person, elsewhere)
    for answer in (
        await sam.get("/effacement"),
        await sam.client.post(f"{office.path}/effacement", data=form(sam.token, reason="person-asked")),
    ):
        assert answer.status_code == 403 and "site qui n" in answer.text
    with pytest.raises(Failure, match="site that is not yours"):
        await words.must_be_theirs(pool, there, person)
    await words.must_be_theirs(pool, dataclasses.replace(there, sites=("lyon", "nanterre")), person)
    house = partners.Partner(id=str(uuid.uuid4()), name="Foyer", kind="housing", email=None, phone=None, language="fr",
                             site="nanterre")  # fmt: skip
    with pytest.raises(Failure, match="not yours"):
        words.contact_must_be_theirs(there, "partner", house)
    words.contact_must_be_theirs(there, "partner", dataclasses.replace(house, site=None))
    with pytest.raises(Failure, match="whole house"):
        words.must_be_of_every_site(there)
    words.must_be_of_every_site(dataclasses.replace(there, sites=()))
    assert await erasing.erasures(pool) == []


@asynccontextmanager
async def asyncpg_owner(office: Office) -> AsyncIterator[Any]:
    owner = await asyncpg.connect(office.owner)
    yield owner
    await owner.close()


class Paid:
    """What of the bank is about one person: in two files (one withdrawn), on three lines; and what is not."""

    def __init__(self, office: Office, person: str) -> None:
        self.pool, self.ring, self.person = office.house.writing, office.house.ring, person
        self.by = By(actor=office.staff["sam"], role="finance", at=datetime.now(UTC))

    async def payment(self, person: str, *, pay_by: str = "sepa") -> str:
        id = str(uuid.uuid4())
        await self.pool.execute(
            "INSERT INTO payments (id, stream, seq, grant_id, number, fund, person, amount, pay_by, reference, status,"
            " since, moved) VALUES ($1, $2, 1, $1, 1, 'aid', $3, 5000, $4, $5, 'instructed', $6, 1)",
            id, f"journey-{uuid.uuid4()}", person, pay_by, reference_of(id), self.by.at,
        )  # fmt: skip
        if pay_by == "sepa":
            await batches.queue(self.pool, self.ring, id, 50_00, PAYEE)
        return id

    async def file(self, on: date) -> str:
        made = await batches.make(
            self.pool, self.ring, str(uuid.uuid4()), on, OURS, "Versement", lambda batch: batch.message.encode(),
            self.by,
        )  # fmt: skip
        assert made is not None
        return made.id

    async def take(self, *lines: Line) -> None:
        head = StatementHead("1", "camt.053", OURS.iban, "EUR", 0, 0, lines[0].booked_on, lines[0].booked_on,
                             self.by.at)  # fmt: skip
        digest = uuid.uuid4().hex * 2
        await bank_files.take_in(self.pool, self.ring, bank_files.Incoming(digest, [head, *lines]), OURS.iban, self.by)


def booked(payment: str | None, nth: int) -> Line:
    return Line(
        position=nth, booked_on=paris_today(), cents=-50_00, currency="EUR",
        reference=reference_of(payment) if payment is not None else "INCONNU", iban=PAYEE.iban, name=PAYEE.name,
        bank_reference=f"B{uuid.uuid4().hex[:8]}", returned=False, reason=None, about="Versement",
    )  # fmt: skip


@pytest.mark.parametrize("lang", ["fr", "en"])
async def test_the_certificate_names_what_of_the_bank_stays_why_and_until_when(
    office: Office, lang: str, tmp_path: Path
) -> None:
    pool, sam = office.house.writing, await office.enter("sam")
    person = await pool.fetchval("SELECT person::text FROM journeys WHERE id = $1", office.journey_id)
    paid, today = Paid(office, person), paris_today()
    first, second = await paid.payment(person), await paid.payment(person)
    await paid.payment(person, pay_by="hand")
    other = await paid.payment(str(uuid.uuid4()))
    withdrawn = await paid.file(today)
    await batches.withdraw(pool, withdrawn, "doublon", paid.by)
    later = date(today.year + 2, 1, 15)
    await batches.give_out(pool, paid.ring, await paid.file(later), paid.by)
    await paid.take(booked(first, 1), booked(second, 2), booked(other, 3), booked(None, 4), booked(first, 5))
    assert (await erasing.survey(pool, person)).bank == KeptOfBank(
        payments=3, transfers=2, files=2, lines=3, until=date(later.year + 10, 12, 31)
    )  # fmt: skip
    before = await erasing.survey(pool, person)

    # As the nightly round of the retention orders it: nobody of the staff did.
    known = await erasing.order(pool, person, "kept-long-enough", BY)
    assert (await sam.get("/effacement/certificat.pdf")).status_code == 404
    await erasing.note(pool, known.person, before)
    await erasing.destroy(pool.keys, await erasing.keys_of(pool, person), None)
    await erasing.delete(pool, person)
    await erasing.certify(pool, person, By(actor="system", role="system", at=datetime.now(UTC)))
    assert (await erasing.survey(pool, person)).bank == before.bank, "it stays, as the certificate says"

    await pool.execute("UPDATE staff SET language = $2 WHERE id = $1", office.staff["sam"], lang)
    wanted = STAYS[lang].format(year=later.year + 10).splitlines()
    shown = html.unescape((await sam.get("/effacement")).text)
    paper = await sam.get("/effacement/certificat.pdf")
    assert paper.status_code == 200, html.unescape(paper.text)[:3000]
    assert paper.headers["content-type"] == "application/pdf"
    printed = flat(text_of(paper.content))
    for each in [*wanted, SYSTEM_SAID[lang]]:
        assert plain(each) in plain(shown) and plain(each) in plain(printed), each
    for each in (PAYEE.name, str(PAYEE.iban)):
        assert each not in shown and each not in printed

    # One of before says that it was not counted; one of somebody whom nobody paid says nothing of it.
    of_before = before.model_copy(update={"bank": None, "kept_until": date(2037, 12, 31)})
    assert any(NOT_COUNTED[lang] in plain(each) for each in words.told(of_before, cast(Lang, lang)).stays)
    nobody = of_before.model_copy(update={"kept_until": None})
    assert len(words.told(nobody, cast(Lang, lang)).stays) == 1


STAYS = {
    "fr": """3 versements, sans nom
2 ordres de virement
2 fichiers de virements
3 lignes de la banque
sont des pièces comptables, à garder dix ans (Code de commerce, art. L123-22) : au moins jusqu'au 31 décembre {year}
elle n'est pas comptée ici""",
    "en": """3 payments, without a name
2 transfer orders
2 files of transfers
3 lines of the bank
are accounting records, to be kept for ten years (Code de commerce, art. L123-22): at least until 31 December {year}
it is not counted here""",
}
SYSTEM_SAID = {"fr": "le système", "en": "the system"}
NOT_COUNTED = {"fr": "n'avaient pas été comptés", "en": "were not counted then"}


def plain(text: str) -> str:
    """Without what the pages and papers set finely."""
    return " ".join(text.replace("’", "'").replace("\xa0", " ").replace("\u202f", " ").split())


async def test_a_member_of_staff_who_left_is_forgotten_and_is_a_role_from_then_on(office: Office) -> None:
    sam, aline, pool = await office.enter("sam"), await office.enter("aline"), office.house.writing
    bob = office.staff["bob"]
    called = "Bob"
    assert (await aline.send("add-note", text="Vu avec Bob.")).status_code == 303
    where = f"/equipe/{bob}/effacement"
    assert where not in (await sam.client.get("/equipe")).text, "he works here"
    shown = await sam.client.get(where)
    assert shown.status_code == 200 and called in shown.text and "Ce qui part" in shown.text
    refused = await sam.client.post(where, data=form(sam.token, reason="person-asked"))
    assert refused.status_code == 403 and "travaille encore ici" in refused.text
    await staff.set_active(pool, bob, False, BY)
    assert where in (await sam.client.get("/equipe")).text and where not in (await aline.client.get("/equipe")).text
    assert (await aline.client.get(where)).status_code == 403
    assert (await aline.client.post(where, data=form(aline.token, reason="person-asked"))).status_code == 403
    assert (await sam.client.post(where, data=form(sam.token))).status_code == 422 and not await erasing.erasures(pool)
    leads = office.staff["aline"]
    await staff.set_active(pool, leads, False, BY)
    counted = await sam.client.post(f"/equipe/{leads}/effacement", data=form(sam.token, reason="person-asked"))
    assert counted.status_code == 403 and "suit encore quelqu" in counted.text
    assert (await sam.client.post(where, data=form(sam.token, reason="person-asked"))).status_code == 303
    assert "Effacement en cours" in (await sam.client.get(where)).text
    assert f">{called}<" not in (await sam.client.get("/equipe")).text
    await erasing.note(pool, bob, await contact_erasing.survey(pool, "staff", bob), "staff")
    await erasing.destroy(pool.keys, await erasing.keys_of(pool, bob, "staff"), None)
    await contact_erasing.delete(pool, "staff", bob)
    await erasing.certify(pool, bob, BY, "staff")
    done = (await sam.client.get(where, headers={"Accept-Language": "en"})).text
    assert f"staff-{bob}" in done and called not in done
    assert (await sam.client.get(f"/equipe/{uuid.uuid4()}/effacement")).status_code == 404


async def test_a_partner_who_takes_nobody_any_more_is_forgotten(office: Office) -> None:
    sam, aline, pool = await office.enter("sam"), await office.enter("aline"), office.house.writing
    house = partners.Partner(id=str(uuid.uuid4()), name="Foyer Canari", kind="housing", email=None, phone="+33612",
                             language="fr", site=None)  # fmt: skip
    await partners.add(pool, house, BY)
    where = f"/partenaires/{house.id}/effacement"
    assert where not in (await sam.client.get("/partenaires")).text
    assert (await aline.client.get(where)).status_code == 403
    refused = await sam.client.post(where, data=form(sam.token, reason="person-asked"))
    assert refused.status_code == 403 and "encore des personnes" in refused.text
    assert (await aline.send("send-referral", partner=house.id, purpose="housing")).status_code == 303
    await partners.leave(pool, house.id, BY)
    assert where in (await sam.client.get("/partenaires")).text
    counted = await sam.client.post(where, data=form(sam.token, reason="person-asked"))
    assert counted.status_code == 403 and "1 parcours ouvert" in counted.text and await erasing.erasures(pool) == []
    [referral] = (await office.engine.handle().query("state"))["referrals"]
    assert (await aline.send("cancel-referral", referral=referral, reason="ferme")).status_code == 303
    shown = await sam.client.get(where)
    assert shown.status_code == 200 and "Ce qui part" in shown.text and "Foyer Canari" in shown.text
    assert (await sam.client.post(where, data=form(sam.token, reason="person-asked"))).status_code == 303
    assert "Effacement en cours" in (await sam.client.get(where)).text
    assert "Foyer Canari" not in (await sam.client.get("/partenaires")).text + (await aline.get()).text
    again = await aline.send("send-referral", partner=house.id, purpose="housing")
    assert again.status_code in (403, 422)


async def test_a_mentor_is_forgotten_once_nobody_counts_on_them(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam, aline, pool = await office.enter("sam"), await office.enter("aline"), office.house.writing
    mentor = mentors.Mentor(id=str(uuid.uuid4()), name="Lina Canari", email=None, phone="+33612", language="fr",
                            site=None, capacity=1)  # fmt: skip
    await mentors.add(pool, mentor, BY)
    where = f"/mentors/{mentor.id}/effacement"
    assert where in (await sam.client.get("/mentors")).text and where not in (await aline.client.get("/mentors")).text
    assert (await aline.client.get(where)).status_code == 403
    shown = await sam.client.get(where)
    assert shown.status_code == 200 and "Ce qui part" in shown.text and "Lina Canari" in shown.text
    assert (await aline.send("propose-mentor", mentor=mentor.id)).status_code == 303
    asked = await sam.client.post(where, data=form(sam.token, reason="person-asked"))
    assert asked.status_code == 403 and "accompagne encore" in asked.text and await erasing.erasures(pool) == []
    assert (await aline.send("decline-mentor", mentor=mentor.id, reason="trop loin")).status_code == 303
    assert (await sam.client.post(where, data=form(sam.token, reason="person-asked"))).status_code == 303
    assert "Effacement en cours" in (await sam.client.get(where)).text
    assert "Lina Canari" not in (await sam.client.get("/mentors")).text + (await aline.get()).text
    assert (await aline.send("propose-mentor", mentor=mentor.id)).status_code in (403, 422)
    await erasing.note(pool, mentor.id, await contact_erasing.survey(pool, "mentor", mentor.id), "mentor")
    await erasing.destroy(pool.keys, await erasing.keys_of(pool, mentor.id, "mentor"), None)
    await contact_erasing.delete(pool, "mentor", mentor.id)
    await erasing.certify(pool, mentor.id, BY, "mentor")
    done = (await sam.client.get(where)).text
    assert "Certificat d’effacement" in done and f"mentor-{mentor.id}" in done and "Lina" not in done
    paper = await sam.client.get(f"{where}/certificat.pdf")
    assert f"mentor-{mentor.id}" in flat(text_of(paper.content)).replace(" ", "")

    # Without the guard a person is left with somebody who is gone.
    other = dataclasses.replace(mentor, id=str(uuid.uuid4()))
    await mentors.add(pool, other, BY)
    assert (await aline.send("propose-mentor", mentor=other.id)).status_code == 303
    with pytest.raises(contact_erasing.StillNeeded, match="counted-on"):
        await contact_erasing.order(pool, "mentor", other.id, "person-asked", BY)

    async def nobody(*_: Any) -> list[str]:
        return []

    monkeypatch.setattr(contact_erasing, "counting_on", nobody)
    assert (await contact_erasing.order(pool, "mentor", other.id, "person-asked", BY)).kind == "mentor"
