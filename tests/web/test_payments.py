"""Versements, files of the bank, and its lines: two hundred to settle, by who may, and nothing for who may not."""

import html
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from journeys.app.bank_counter import a_working_day_ago
from journeys.app.reconciling import account_of
from journeys.app.web.application import make_application
from journeys.app.web.house import open_house
from journeys.channels.sepa.transfers import render
from journeys.domain.banking import Line, StatementHead
from journeys.domain.payee import Payee
from journeys.identifiers import uuid7
from journeys.local import bank_files as bank
from journeys.settings import load_settings
from journeys.store import accounts, bank_files, batches
from journeys.store.bank_files import Incoming
from journeys.store.directory import By
from journeys.store.keys import bank_key
from journeys.store.payments import reference_of
from journeys.store.treasury import open_fund, stop
from tests.days import paris_today
from tests.web.conftest import Ground, form
from tests.web.pace import Unhurried

pytestmark = pytest.mark.asyncio
OURS = "FR7630006000011234567890189"
PAYEE = Payee("Lina Martin", "FR1420041010050500013M02606")
TODAY = paris_today()


HEAD = StatementHead(id="1", kind="camt.053", iban=OURS, currency="EUR", opening=0, closing=0, first_day=TODAY,
                     last_day=TODAY, created=datetime.now(UTC))  # fmt: skip


def line(nth: int, cents: int, reference: str, name: str = "Quelqu'un", iban: str | None = None) -> Line:
    return Line(position=nth + 1, booked_on=TODAY, cents=cents, currency="EUR", reference=reference, iban=iban,
                name=name, bank_reference=f"B{nth}", returned=False, reason=None, about="virement")  # fmt: skip


@dataclass
class Till:
    """A house with money on its way, and finance at the desk."""

    ground: Ground
    people: dict[str, str]
    journeys: dict[str, str]

    async def payment(self, status: str = "instructed", **more: Any) -> str:
        """A row of the lists, as an append writes it; a transfer waits for its file."""
        id, pool = str(uuid.uuid4()), self.ground.house.writing
        row = {"fund": "aid", "amount": 50_00, "pay_by": "sepa", "since": datetime.now(UTC), "reason": None,
               "doubt": None, "of": "aid", "queued": True, **more}  # fmt: skip
        await pool.execute(
            "INSERT INTO payments (id, stream, seq, grant_id, number, fund, person, amount, pay_by, reference, status,"
            " since, moved, reason, doubt) VALUES ($1, $2, 1, $3, 1, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12)",
            id, f"journey-{self.journeys[row['of']]}", str(uuid.uuid4()), row["fund"], str(uuid.uuid4()), row["amount"],
            row["pay_by"], reference_of(id), status, row["since"], row["reason"], row["doubt"],
        )  # fmt: skip
        if row["pay_by"] == "sepa" and status != "blocked" and row["queued"]:
            await batches.queue(pool, self.ground.house.ring, id, row["amount"], PAYEE)
        return id

    async def browser(self, who: str) -> tuple[httpx.AsyncClient, str]:
        token = await self.ground.session(self.people[who])
        return self.ground.browser(token), token

    async def page(self, who: str, path: str) -> str:
        browser, _ = await self.browser(who)
        answer = await browser.get(path)
        assert answer.status_code == 200, answer.text
        return html.unescape(answer.text).replace("\xa0", " ").replace("\u202f", " ")

    async def lines(self, count: int) -> None:
        """So many lines of the bank that name nothing known."""
        lines = [
            line(nth, -(1000 + nth), f"INCONNU{nth}")
            for nth in range(count)
        ]  # fmt: skip
        by = By(actor=self.people["fin"], role="finance", at=datetime.now(UTC))
        house = self.ground.house
        await bank_files.take_in(house.writing, house.ring, Incoming("ab" * 32, [HEAD, *lines]), OURS, by)


@pytest_asyncio.fixture
async def till(database_url: str, tmp_path: Any) -> AsyncIterator[Till]:
    settings = load_settings(
        data_dir=tmp_path, signing_key="ab" * 32, account={"name": "Association Exemple", "iban": OURS}
    )
    async with open_house(settings, database_url, "127.0.0.1:1") as house:
        ground = Ground(house, make_application(house, pace=Unhurried()), database_url)
        people = {
            "aline": await ground.member("aline", "referent"), "fin": await ground.member("fin", "finance"),
            "bound": await ground.member("bound", "finance", funds=("other",)),
            "aude": await ground.member("aude", "auditor"),
        }  # fmt: skip
        journeys = {
            fund: await ground.journey(people["aline"], granted=1, fund=fund, name=f"{fund} Benali")
            for fund in ("aid", "other")
        }
        yield Till(ground, people, journeys)


async def test_what_needs_an_answer_comes_first_and_is_counted(till: Till) -> None:
    old = datetime.now(UTC) - timedelta(days=9)
    for _ in range(60):
        await till.payment("settled")
    doubted = await till.payment("accepted", doubt="no-match")
    silent = await till.payment("unknown", since=old, queued=False)
    blocked = await till.payment("blocked", reason="fund-cap")
    to_hand = await till.payment("instructed", pay_by="hand")
    await till.payment("unknown", queued=False)
    await till.payment("instructed", amount=70_00)

    said = await till.page("fin", "/versements")
    assert "66 versements" in said and "page 1 sur 2" in said
    for count in ("1 doute sur le compte", "1 sans réponse de la banque", "1 retenu", "1 à remettre"):
        assert count in said, count
    assert "1 virement attend le prochain fichier (70,00 €)" in said
    places = [said.index(f"/versements/{id}") for id in (doubted, silent, blocked, to_hand)]
    assert places == sorted(places)
    for act in ("settle-payment?payment", "retry-payment?payment"):
        assert act in said
    assert "fate=never-paid" in said and "settle-doubt" not in said, (
        "a doubt is answered before the name and the account"
    )
    today = await till.page("fin", "/")
    assert "1 doute sur le compte" in today and "1 virement à donner à la banque" in today
    assert "/versements?faire" not in await till.page("aline", "/")
    only = await till.page("fin", "/versements?faire=silent&tri=montant&age=7&moyen=sepa&fonds=aid&etat=unknown")
    assert silent in only and doubted not in only
    assert "Aucun versement ne répond" in await till.page("fin", "/versements?age=30")


async def test_each_sees_the_payments_of_journeys_and_funds_that_are_theirs(till: Till) -> None:
    mine, other = await till.payment(), await till.payment(fund="other", of="other")
    await till.payment("blocked", reason="fund-cap")
    bound = await till.page("bound", "/versements")
    assert other in bound and mine not in bound and "prochain fichier" not in bound
    for path in ("/versements/fichiers", "/a-rapprocher"):
        assert "certains fonds seulement" in await till.page("bound", path)
    for who in ("fin", "aude", "aline"):
        said = await till.page(who, "/versements")
        assert mine in said and other in said
        assert ("/agir/retry-payment" in said) == (who == "fin"), who
    browser, token = await till.browser("bound")
    refused = await browser.post("/versements/fichiers", data=form(token))
    assert refused.status_code == 403 and "certains fonds" in refused.text


async def test_without_the_policies_whoever_is_bound_to_a_fund_would_see_the_others(till: Till) -> None:
    mine = await till.payment()
    assert mine not in await till.page("bound", "/versements")
    owner = await asyncpg.connect(till.ground.owner)
    try:
        await owner.execute("ALTER TABLE payments DISABLE ROW LEVEL SECURITY")
    finally:
        await owner.close()
    assert mine in await till.page("bound", "/versements")


async def test_the_file_of_the_day_is_given_with_its_story_and_always_the_same(till: Till) -> None:
    await till.payment()
    await till.payment(amount=70_00)
    browser, token = await till.browser("fin")
    await till.ground.house.writing.execute("UPDATE sessions SET proved_at = clock_timestamp() - interval '1 hour'")
    asked = await browser.post("/versements/fichiers", data=form(token))
    assert asked.status_code == 403 and "Confirmez" in asked.text, "whoever takes it shows again who they are"
    assert await batches.batches(till.ground.house.writing) == []
    await till.ground.house.writing.execute("UPDATE sessions SET proved_at = clock_timestamp()")

    given = await browser.post("/versements/fichiers", data=form(token))
    assert given.headers["content-type"] == "application/xml" and b"pain.001.001.09" in given.content
    again = await browser.post("/versements/fichiers", data=form(token))
    assert again.content == given.content
    said = await till.page("fin", "/versements/fichiers")
    [row] = await batches.batches(till.ground.house.writing)
    assert row.digest in said and "120,00 €" in said and said.count("déjà donné le") == 2 and "par Fin" in said
    assert "Télécharger" not in await till.page("aude", "/versements/fichiers")
    past = await browser.post("/versements/fichiers", data=form(token, day="2020-01-01"))
    assert past.status_code == 422 and "passé" in past.text

    statement = bank.statement([given.content], bank.Plan(), TODAY, opening=1_000_00)
    for known in (False, True):
        file = {"file": ("releve.xml", statement)}
        came = await browser.post("/versements/fichiers/recus", data=form(token), files=file)
        assert came.status_code == 303, came.text
        told = await till.page("fin", came.headers["location"])
        assert "2 lignes lues" in told and ("avait déjà été reçu" in told) == known
    broken = await browser.post(
        "/versements/fichiers/recus", data=form(token), files={"file": ("x.xml", statement[: len(statement) // 2])}
    )
    assert broken.status_code == 422 and "Ligne" in broken.text and "Rien" in broken.text
    assert await till.ground.house.writing.fetchval("SELECT count(*) FROM bank_files") == 1
    assert (await browser.post("/versements/fichiers/recus", data=form(token))).status_code == 422


async def test_a_batch_that_nobody_has_is_withdrawn_with_a_reason(till: Till) -> None:
    await till.payment()
    house = till.ground.house
    by = By(actor=till.people["fin"], role="finance", at=datetime.now(UTC))
    account = account_of(house.settings)
    made = await batches.make(house.writing, house.ring, uuid7(by.at), TODAY, account, "Versement", render, by)
    assert made is not None
    browser, token = await till.browser("fin")
    address = "/versements/fichiers/retires"
    silent = await browser.post(address, data=form(token, batch=made.message))
    assert silent.status_code == 422 and "Dites pourquoi" in silent.text
    assert "Retirer ce lot" not in await till.page("aude", "/versements/fichiers")
    done = await browser.post(address, data=form(token, batch=made.message, why="mauvais jour"))
    assert done.status_code == 303, done.text
    said = await till.page("fin", done.headers["location"])
    assert f"Lot {made.message} retiré" in said and "retiré le" in said and "pas encore donné" not in said
    assert "Retirer ce lot" not in said

    given = await browser.post("/versements/fichiers", data=form(token))
    assert b"pain.001.001.09" in given.content
    [other] = [row for row in await batches.batches(house.writing) if row.withdrawn_at is None]
    refused = await browser.post(address, data=form(token, batch=other.message, why="trop tard"))
    assert refused.status_code == 422 and "la banque l’exécute peut-être" in refused.text.replace("&#39;", "’")


async def test_two_hundred_lines_are_worked_off_one_after_the_other(till: Till) -> None:
    fitting = await till.payment(amount=10_00)
    await till.lines(200)
    browser, token = await till.browser("fin")
    said = await till.page("fin", "/a-rapprocher")
    assert "200 lignes à rapprocher" in said and "page 1 sur 4" in said and "Aucun versement connu" in said
    at = re.search(r'class="button first" href="(/a-rapprocher/[^"]+)"', said)
    assert at is not None
    here = at[1]
    first = await till.page("fin", here)
    assert "INCONNU0" in first and f"match:{fitting}" in first and "autre référence" in first and "Passer" in first

    for typed, wrong in (
        ({}, "Choisissez ce qu"), ({"how": "not-ours"}, "Dites pourquoi"), ({"how": "match", "why": "x"}, "de quel"),
        ({"how": "match", "other": "NOSUCHTHING", "why": "par le nom"}, "n’est pas un versement connu"),
    ):  # fmt: skip
        answer = await browser.post(here, data=form(token, **typed))
        assert answer.status_code == 422 and wrong in answer.text, (typed, answer.text)
        assert typed.get("why", "") in answer.text
    [kind] = await bank_files.open_troubles(till.ground.house.writing)
    seen = set()
    for nth in range(199):
        how = f"match:{fitting}" if nth == 0 else "noted" if nth == 1 else "not-ours"
        answer = await browser.post(f"{here}?quoi={kind}", data=form(token, how=how, why="Frais"))
        assert answer.status_code == 303, answer.text
        assert f"quoi={kind}" in answer.headers["location"]
        seen.add(here)
        here = answer.headers["location"].partition("?")[0]
    assert len(seen) == 199 and here not in seen
    last = await browser.post(here, data=form(token, how="refund", why="rendu"))
    assert last.headers["location"] == "/a-rapprocher?note=attend", (
        "the engine is away: one journey is still to be told"
    )
    assert "Tout est rapproché" in await till.page("fin", "/a-rapprocher")
    assert "rendu" in await till.page("fin", "/a-rapprocher?traitees=1")
    twice = await browser.post(here, data=form(token, how="refund", why="rendu"))
    assert twice.status_code == 422 and "déjà traitée" in twice.text
    assert [each.said for each in await bank_files.waiting(till.ground.house.writing)] == ["settled"]


async def test_a_line_is_shown_beside_what_was_expected_in_words(till: Till) -> None:
    payment = await till.payment()
    short = line(1, -49_99, reference_of(payment), name="L. Martin", iban=PAYEE.iban)
    by = By(actor=till.people["fin"], role="finance", at=datetime.now(UTC))
    house = till.ground.house
    await bank_files.take_in(house.writing, house.ring, Incoming("cd" * 32, [HEAD, short]), OURS, by)
    said = await till.page("fin", f"/a-rapprocher/{'cd' * 6}/1")
    assert "0,01 € de moins" in said and "autre nom" in said and "autre compte" not in said
    audited = await till.page("aude", f"/a-rapprocher/{'cd' * 6}/1")
    assert '<form class="fill"' not in audited and "FR14 2004" not in audited.split("Nous attendions")[0]
    browser, token = await till.browser("aude")
    assert (await browser.post(f"/a-rapprocher/{'cd' * 6}/1", data=form(token))).status_code == 403


async def test_what_went_with_its_year_says_so_on_every_page_and_breaks_none(till: Till) -> None:
    house, then = till.ground.house, datetime(1912, 5, 13, 8, tzinfo=UTC)
    payment, by = await till.payment(), By(actor=till.people["fin"], role="finance", at=then)
    account = account_of(house.settings)
    made = await batches.make(house.writing, house.ring, uuid7(then), then.date(), account, "Versement", render, by)
    assert made is not None
    of_then = line(1, -50_00, reference_of(payment), name=PAYEE.name, iban=PAYEE.iban)
    unknown = line(2, -7_00, "INCONNU", name="Ancien Titulaire", iban=PAYEE.iban)
    await bank_files.take_in(house.writing, house.ring, Incoming("ef" * 32, [HEAD, of_then, unknown]), OURS, by)
    one = f"/a-rapprocher/{'ef' * 6}/2"
    for path in ("/a-rapprocher", one):
        assert "Ancien Titulaire" in await till.page("fin", path)
    await house.writing.keys.destroy([bank_key(1912)])
    for path in ("/a-rapprocher", one):
        said = await till.page("fin", path)
        assert "est plus gardé (année 1912)" in said and "Ancien Titulaire" not in said and "7,00 €" in said
    browser, token = await till.browser("fin")
    await house.writing.execute("UPDATE staff SET language = 'en' WHERE id = $1", till.people["fin"])
    assert "no longer kept (year 1912)" in await till.page("fin", one)
    await house.writing.execute("UPDATE staff SET language = 'fr' WHERE id = $1", till.people["fin"])
    for path in ("/versements", "/versements/fichiers", "/a-rapprocher?cocher=tout"):
        assert (await browser.get(path)).status_code == 200, path
    answer = await browser.post("/versements/fichiers", data=form(token, batch=made.message))
    told = html.unescape(answer.text)
    assert answer.status_code == 422 and "ne sont plus gardés" in told and "1912" in told
    assert (await browser.get("/versements/fichiers")).text.count(made.digest) == 1, "its digest stays"


async def test_a_stop_of_all_payments_is_said_and_gives_nothing_out(till: Till) -> None:
    house = till.ground.house
    await till.payment()
    by = By(actor=till.people["fin"], role="finance", at=datetime.now(UTC))
    await open_fund(house.writing, str(uuid.uuid4()), "aid", cap_per_person=None, balance=100_00, by=by)
    await stop(house.writing, "vérification du compte", by)
    for path in ("/versements", "/versements/fichiers", "/a-rapprocher"):
        assert "vérification du compte" in await till.page("fin", path)
    browser, token = await till.browser("fin")
    answer = await browser.post("/versements/fichiers", data=form(token))
    assert answer.status_code == 422 and "arrêtés" in answer.text
    assert await batches.batches(house.writing) == []


@pytest.mark.parametrize(
    ("now", "ago"),
    [("2027-03-10T09:00", "2027-03-09T09:00"), ("2027-03-08T09:00", "2027-03-05T09:00"),
     ("2027-05-07T09:00", "2027-05-05T09:00")],
)  # fmt: skip
async def test_a_working_day_leaves_out_weekends_and_holidays(now: str, ago: str) -> None:
    said = a_working_day_ago(datetime.fromisoformat(f"{now}+00:00"))
    assert f"{said.astimezone(UTC):%Y-%m-%dT%H:%M}" == ago


async def test_many_lines_are_resolved_at_once_and_what_was_typed_is_kept(till: Till) -> None:
    await till.lines(60)
    browser, token = await till.browser("fin")
    shown = await till.page("fin", "/a-rapprocher?quoi=unknown-reference&cocher=1")
    ids = re.findall(r'name="ligne" value="([^"]+)"[^>]* checked', shown)
    assert len(ids) == 50, "a page is ticked by its address, without a script"
    assert "checked" not in await till.page("fin", "/a-rapprocher?quoi=doubled&cocher=1")
    path = "/a-rapprocher?quoi=unknown-reference"
    body = {**form(token, how="fee", why=" "), "ligne": ids}
    kept = await browser.post(path, data=body)
    assert kept.status_code == 422 and kept.text.count(" checked") == 51, "fifty lines and what they are said to be"
    for role in ("bound", "aude"):
        other, theirs = await till.browser(role)
        refused = await other.post(path, data={**form(theirs, how="fee", why="frais"), "ligne": ids})
        assert refused.status_code == 403
    assert await bank_files.open_exceptions(till.ground.house.writing) == 60
    body["why"] = "Frais du mois"
    done = await browser.post(path, data=body)
    assert done.headers["location"] == "/a-rapprocher?quoi=unknown-reference&note=plusieurs&lignes=50"
    assert "50 lignes traitées." in await till.page("fin", done.headers["location"])
    assert await bank_files.open_exceptions(till.ground.house.writing) == 10
    again = await browser.post(path, data=body)
    assert again.status_code == 422 and await bank_files.open_exceptions(till.ground.house.writing) == 10


async def test_lines_are_found_by_what_they_say_and_worked_off_among_themselves(till: Till) -> None:
    await till.lines(60)
    found = await till.page("fin", "/a-rapprocher?cherche=inconnu7 10,07")
    assert "1 ligne à rapprocher" in found and "INCONNU7" in found and "INCONNU17" not in found
    assert "Aucune ligne ne contient ces mots" in await till.page("fin", "/a-rapprocher?cherche=loyer")
    browser, token = await till.browser("fin")
    here, seen = f"/a-rapprocher/{'ab' * 6}/6", list[str]()
    while here.startswith("/a-rapprocher/"):
        answer = await browser.post(f"{here}?cherche=inconnu5", data=form(token, how="fee", why="Frais"))
        seen.append(here.rpartition("/")[2])
        here, _, query = answer.headers["location"].partition("?")
        assert "cherche=inconnu5" in query
    assert seen == [str(position) for position in (6, *range(51, 61))], "those that hold the word, then the list again"
    assert await bank_files.open_exceptions(till.ground.house.writing) == 49


async def test_ticked_payments_are_called_for_again_after_a_proof(till: Till) -> None:
    ids = [await till.payment("blocked", reason="fund-cap") for _ in range(3)]
    shown = await till.page("fin", "/versements?faire=blocked&cocher=1")
    assert {id for id in ids if f'value="{id}"' in shown} == set(ids) and shown.count(" checked") == 3
    assert "Redemander les versements cochés" not in await till.page("aude", "/versements?faire=blocked")
    browser, token = await till.browser("fin")
    body = {**form(token, why=" "), "versement": ids[:2]}
    kept = await browser.post("/versements/retenus/redemander", data=body)
    assert kept.status_code == 422 and kept.text.count(" checked") == 2 and "dites pourquoi" in kept.text.lower()
    await accounts.set_password(till.ground.house.writing, till.people["fin"], "quatre mots pour entrer")
    browser, token = await till.browser("fin")
    body = {**form(token), "versement": ids[:2]}
    await till.ground.house.writing.execute("UPDATE sessions SET proved_at = proved_at - interval '11 minutes'")
    asked = await browser.post("/versements/retenus/redemander", data=body | {"why": "le fonds a été abondé"})
    assert asked.status_code == 403 and ids[0] in asked.text, asked.text
