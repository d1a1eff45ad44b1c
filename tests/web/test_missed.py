"""What follows a missed appointment, as it stands on the page of the morning: a call with the number at hand."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio

from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.store import people
from journeys.store.people import Details
from tests.conftest import RealStack
from tests.web.conftest import BY
from tests.web.office import Office, open_office

PHONE = "06 12 34 56 78"


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        yield made


async def past(office: Office, **fields: Any) -> str:
    """Samir, who has a phone, had an appointment just now; its id."""
    engine = office.engine
    person = (await engine.events())[0].data.person  # type: ignore[attr-defined]
    await people.change(office.house.writing, person, Details(first_name="Samir", last_name="Benali", phone=PHONE), BY)
    at = await engine.now() + timedelta(seconds=2)
    booked = (await engine.do(c.BookAppointment(at=at, **fields))).command
    while await engine.now() <= at:
        await asyncio.sleep(0.2)
    return booked


async def missed(office: Office) -> str:
    """He did not come; its id."""
    booked = await past(office)
    closing = c.CloseAppointment(appointment=booked, outcome="missed")
    assert (await office.engine.do(closing)).outcome == "accepted"
    return booked


async def today(office: Office, who: str) -> str:
    desk = await office.enter(who)
    answer = await desk.client.get("/")
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_the_call_stands_on_the_morning_with_the_number_at_hand_until_its_result_is_noted(
    office: Office,
) -> None:
    await missed(office)
    page = await today(office, "aline")
    assert "Appeler" in page and "rendez-vous manqué" in page and "une lettre" not in page
    assert f'href="tel:{PHONE.replace(" ", "")}"' in page and "Jointe…" in page and "Sans réponse" in page
    assert page.index('id="jour"') < page.index("Appeler"), "it is for today, though its term ends later"
    assert 'id="semaine"' not in page or page.index("Appeler") < page.index('id="semaine"')
    bob = await today(office, "bob")
    assert PHONE not in bob and "rendez-vous manqué" not in bob

    aline = await office.enter("aline")
    (due,) = [event.data for event in await office.engine.events() if isinstance(event.data, e.ChaseDue)]
    sent = await aline.send("note-chase", chase=due.chase, result="no-answer", note="Messagerie.")
    assert sent.status_code == 303, sent.text
    assert PHONE not in await today(office, "aline"), "a letter needs no number"
    page = (await aline.get()).text
    assert "Messagerie." in page and "Lettre à poster" in page

    letter = [event.data for event in await office.engine.events() if isinstance(event.data, e.ChaseDue)][-1]
    sent = await aline.send("note-chase", chase=letter.chase, result="reached")
    assert sent.status_code == 303, sent.text
    told = re.sub(r"\s+", " ", (await aline.get()).text)
    assert "Lettre à poster" not in told and "Sans réponse" not in told
    assert "a joint la personne" in told and re.search("n.{1,5}a pas eu de réponse", told)


async def test_contact_made_ends_it_without_a_word_more(office: Office) -> None:
    await missed(office)
    aline = await office.enter("aline")
    assert (await aline.send("log-contact", contact="support", means="phone")).status_code == 303
    assert "rendez-vous manqué" not in await today(office, "aline")
    (done,) = [event.data for event in await office.engine.events() if isinstance(event.data, e.ChaseDone)]
    assert done.how == "contact-made"


async def test_of_a_summons_the_list_says_so_and_an_excuse_wants_its_justification(office: Office) -> None:
    booked = await past(office, summons=True)
    page = await today(office, "aline")
    assert "Convocation" in page and "Excusé…" in page
    aline = await office.enter("aline")
    refused = await aline.send("close-appointment", appointment=booked, outcome="excused")
    assert refused.status_code == 403 and "justificatif" in refused.text
    sent = await aline.send("close-appointment", appointment=booked, outcome="excused", note="Certificat médical")
    assert sent.status_code == 303, sent.text
    assert "Convocation" not in await today(office, "aline")
