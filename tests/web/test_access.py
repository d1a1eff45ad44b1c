"""The archive of what is held about a person has every register of theirs, in words, and nothing of anybody else."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest_asyncio

from journeys.app.registers import NOT_HANDED
from journeys.channels.letter import Letter
from journeys.channels.outbox import FileOutbox
from journeys.domain import commands as c
from journeys.domain.banking import reference_of
from journeys.domain.links import Ask, Purpose
from journeys.domain.payee import read_payee
from journeys.store import attempts, batches, deliveries, erasing, feeds, links, paper_letters, people, reads
from journeys.store.letters import seal_letter
from tests.app.test_papers import pages
from tests.conftest import RealStack
from tests.web.conftest import BY, form
from tests.web.office import Office, open_office

NOW = datetime.now(UTC)
IBAN = "FR7630006000011234567890189"


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        yield made


def a_letter(about: str, to: str, body: str, id: str | None = None) -> Letter:
    return Letter(id=id or str(uuid4()), to=to, subject="Votre rendez-vous", body=body, lang="fr", at=NOW, about=about)


async def fill(office: Office, person: str, folder: Path, message: str | None = None) -> str:
    """A row in each register, as the house itself writes them; the id of the payment.

    Args:
        message: the one that was owed to the person, of which a letter lies there.
    """
    pool, journey = office.house.writing, office.journey_id
    outbox = FileOutbox(folder, partial(seal_letter, pool.keys))
    own = people.stream_of(person)
    mine = a_letter(own, "samir@example.org", "À demain.\n", message)
    other = a_letter(own, "aline@x.org", "Sans nouvelle.")
    for letter in (mine, other):
        await outbox.send(letter)
    words = paper_letters.Words("Samir", "Par la poste", "Venez.", "fr")
    await paper_letters.lay(pool, a_letter(office.stream, "", ""), words, NOW)
    begun = await attempts.begin(pool, mine.id, office.stream, "mail", NOW)
    assert begun is not None
    await attempts.ended(pool, begun, "refused", "mailbox-full", "abc-1")
    receipt = deliveries.Receipt("r-1", None, "abc-1", "bounced", "no-such-mailbox", NOW)
    await deliveries.keep(pool, receipt, sha256(b"r").digest())
    reply = deliveries.Reply("a-1", (person, str(uuid4())), "stop", NOW)
    await deliveries.keep_reply(pool, reply, sha256(b"a").digest())
    await feeds.issue(pool, str(uuid4()), journey, "fr", NOW, office.staff["aline"])
    ask = Ask("participant", person, Purpose.APPOINTMENT, str(uuid4()), NOW + timedelta(days=3))
    await links.issue(pool, links.draw(office.house.ring, ask, journey, "fr", NOW))
    await reads.note(pool, [reads.Read(office.staff["bob"], ("referent",), journey, "document", "web")])
    payment = str(uuid4())
    await pool.execute(
        "INSERT INTO payments (id, stream, seq, grant_id, number, fund, person, amount, pay_by, reference, status,"
        " since, moved) VALUES ($1, $2, 1, $3, 1, 'main', $4, 12345, 'sepa', $5, 'instructed', $6, 1)",
        payment, office.stream, str(uuid4()), person, reference_of(payment), NOW,
    )  # fmt: skip
    await batches.queue(pool, office.house.ring, payment, 12345, read_payee(f"Samir Benali, {IBAN}"))
    return payment


async def test_every_register_is_handed_over_in_words_and_as_data(office: Office, tmp_path: Path) -> None:
    pool = office.house.writing
    person = await pool.fetchval("SELECT person::text FROM journeys WHERE id = $1", office.journey_id)
    known = await people.person(pool, person)
    assert known is not None
    await people.register(pool, str(uuid4()), people.Details(first_name="Autre", last_name="Personne"), BY)
    payment = await fill(office, person, office.house.settings.outbox_dir)

    sam = await office.enter("sam")
    taken = await sam.client.post(f"{office.path}/acces", data=form(sam.token))
    assert taken.status_code == 200, taken.text
    with zipfile.ZipFile(io.BytesIO(taken.content)) as held:
        held.extractall(tmp_path / "held")
    data = json.loads((tmp_path / "held" / "donnees.json").read_text())
    of = data["registers"]
    assert [row["words"]["body"] for row in of["paper_letters"]] == ["Venez."]
    assert [row["channel"] for row in of["message_attempts"]] == ["mail"]
    assert [row["reason"] for row in of["message_ends"]] == ["mailbox-full"]
    assert [row["said"] for row in of["message_receipts"]] == ["bounced"]
    assert [row["wish"] for row in of["message_replies"]] == ["stop"]
    assert [row["purpose"] for row in of["links"]] == ["appointment"] and len(of["feeds"]) == 1
    assert [(row["id"], row["amount"]) for row in of["payments"]] == [(payment, 12345)]
    assert [row["payee"] for row in of["transfers"]] == ["Samir Benali, FR76 3000 6000 0112 3456 7890 189"]
    assert [row["command"]["name"] for row in of["commands"]] == ["plan"]
    assert ("document", 1) in [(each["look"], each["who"]) for each in data["looks"]]
    assert sorted((each["to"] is None, each["text"].strip()) for each in data["letters"]) == [
        (True, "Sans nouvelle."), (True, "À demain."),
    ]  # fmt: skip

    told = pages(tmp_path / "held" / "registres.pdf").replace("\n", " ")
    for words in ("Essais d'envoi", "courriel", "Par la poste", "Qui a ouvert votre dossier", "un document déposé",
                  "123,45", "arrêt des messages", "agenda à suivre", "répondre pour un rendez-vous"):  # fmt: skip
        assert words in told, words
    assert "Ce qui n'est pas joint, et pourquoi" in told and len(data["not_handed"]) == len(NOT_HANDED)
    letters = pages(tmp_path / "held" / "messages.pdf")
    assert "À demain." in letters and "Venez." in letters and "à votre sujet" in letters
    whole = b"".join(path.read_bytes() for path in (tmp_path / "held").glob("*.json"))
    assert b"Personne" not in whole and b"aline@x.org" not in whole and b"Bob" not in whole

    english = await sam.client.get(f"{office.path}/acces", headers={"accept-language": "en"})
    assert english.status_code == 200


async def test_the_mail_to_the_person_is_theirs_whatever_their_address_is_now(office: Office, tmp_path: Path) -> None:
    pool, engine = office.house.writing, office.engine
    at = (datetime.now(UTC) + timedelta(days=5)).replace(hour=9, minute=0, second=0, microsecond=0)
    assert (await engine.do(c.BookAppointment(at=at), place="12 rue des Lilas")).outcome == "accepted"
    await engine.pass_days(4.5)
    person = await pool.fetchval("SELECT person::text FROM journeys WHERE id = $1", office.journey_id)
    async with asyncio.timeout(20):
        while not (owed := await erasing.letters_to(pool, person)):
            await asyncio.sleep(0.1)
    await fill(office, person, office.house.settings.outbox_dir, owed[0])
    for email in ("samir@example.org", "autre@example.org"):
        details = people.Details(first_name="Samir", last_name="Benali", email=email, birth_date=date(1990, 1, 2))
        await people.change(pool, person, details, BY)
        sam = await office.enter("sam")
        taken = await sam.client.post(f"{office.path}/acces", data=form(sam.token))
        with zipfile.ZipFile(io.BytesIO(taken.content)) as held:
            letters = json.loads(held.read("donnees.json"))["letters"]
        assert {(each["to"], each["text"].strip()) for each in letters} == {
            ("samir@example.org", "À demain."), (None, "Sans nouvelle."),
        }, email  # fmt: skip
