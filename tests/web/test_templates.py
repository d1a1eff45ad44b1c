"""What messages say, on pages and at the command line: previews, edits kept as facts, faults beside their fields."""

import html
import json
import re
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest_asyncio

from activities.paper import Paper
from journeys.app import publishing, wordings
from journeys.app.cli import checkup
from journeys.app.entry import Actor
from journeys.app.reading import ZONE
from journeys.authoring.reading import PROGRAMMES, ProgrammeInvalid, check_programme
from journeys.channels.letter import Fate, Letter
from journeys.domain import commands as c
from journeys.store import sites, templates
from journeys.store.sites import Site
from tests.conftest import RealStack
from tests.web.conftest import BY, Ground, form
from tests.web.office import Office, open_office
from tests.web.test_papers import words

_AREA = re.compile(r'<textarea id="f-([a-z.]+)"[^>]*>\n?(.*?)</textarea>', re.DOTALL)
_SEEN = re.compile(r'name="seen" value="([0-9a-f]{64})"')


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        yield made


async def doctor_says(office: Office, days: int) -> list[str]:
    """Names of what `journeys doctor` finds of the messages in so many days."""

    class Here:
        settings = office.house.settings
        now = office.house.now + timedelta(days=days)

        async def pool(self) -> Any:
            return office.house.writing

    return [each.name for each in await checkup._messages(cast(Any, Here()))]


async def opened(office: Office, handle: str, name: str) -> dict[str, str]:
    """The fields of a template's form."""
    answer = await (await office.enter(handle)).client.get(f"/modeles/{name}/modifier")
    assert answer.status_code == 200, answer.text
    seen = _SEEN.search(answer.text)
    assert seen is not None
    return {"seen": seen[1], **{field: html.unescape(text) for field, text in _AREA.findall(answer.text)}}


async def sent(office: Office, handle: str, name: str, typed: dict[str, str], act: str) -> httpx.Response:
    desk = await office.enter(handle)
    return await desk.client.post(f"/modeles/{name}/modifier", data=form(desk.token, **typed, act=act))


async def test_a_template_is_tried_kept_and_put_back(office: Office) -> None:
    aude = await office.enter("aude")
    listed = html.unescape((await aude.client.get("/modeles")).text)
    assert "Rappel d’un rendez-vous</a>" in listed and "<code>appointment-near</code>" in listed
    shown = html.unescape((await aude.client.get("/modeles/appointment-near")).text)
    assert (
        "Rendez-vous le 12 mai 2027 à 09:30" in shown
        and "<h1>Rappel d’un rendez-vous" in shown
        and "GSM-7" in shown
        and "/modifier" not in shown
    )
    assert "<h1>Rappel d’un rendez-vous <small><code>appointment-near</code>" in shown
    assert (await aude.client.get("/modeles/appointment-near/modifier")).status_code == 403
    assert (await aude.client.get("/modeles/ailleurs")).status_code == 404

    typed = await opened(office, "sam", "appointment-near")
    assert (await sent(office, "aude", "appointment-near", typed, "keep")).status_code == 403
    words = {**typed, "participant.subject.fr": "On se voit le {{ date }} à {{ time }}"}
    tried = await sent(office, "sam", "appointment-near", words, "try")
    assert tried.status_code == 200 and "On se voit le 12 mai 2027 à 09:30" in html.unescape(tried.text)
    assert await templates.versions(office.house.writing, "appointment-near") == [], "nothing is kept by a trial"

    for field, text, told in (
        ("participant.body.fr", "Le {{ date }}", "ne dit pas toujours le jour et l"),
        ("participant.text.en", "{% for a in place %}{{ a }}{% endfor %}", "seules des variables"),
        ("participant.subject.fr", "Le SPIP vous attend le {{ date }}", "SPIP"),
        ("staff.subject.en", "A\nBcc: x@example.org", "une seule ligne"),
        ("volunteer.body.fr", "{{ iban }}", "n’existe pas pour ce destinataire"),
        ("participant.subject.en", "", "vide"),
    ):
        wrong = await sent(office, "sam", "appointment-near", {**words, field: text}, "keep")
        beside = html.unescape(wrong.text).partition(f'id="e-{field}">')[2].partition("</p>")[0]
        assert wrong.status_code == 422 and told.lower() in beside.lower(), (field, beside)
    assert await templates.all_in_force(office.house.writing) == {}

    kept = await sent(office, "sam", "appointment-near", words, "keep")
    assert kept.headers["location"] == "/modeles/appointment-near?note=garde"
    (version,) = await templates.versions(office.house.writing, "appointment-near")
    assert (version.who, version.before) == ("Sam", typed["seen"])
    event = await office.house.writing.fetchrow("SELECT header FROM events WHERE kind = 'TemplateEdited'")
    header = json.loads(event["header"])
    assert (header["actor"], header["role"]) == (office.staff["sam"], "supervisor")
    late = await sent(office, "sam", "appointment-near", {**words, "participant.subject.fr": "{{ date }}"}, "keep")
    assert late.status_code == 409, "of what somebody else has changed meanwhile nothing is kept"
    assert "Sam" in (await aude.client.get("/modeles/appointment-near")).text

    again = await opened(office, "sam", "appointment-near")
    assert again["participant.subject.fr"] == words["participant.subject.fr"]
    assert (await sent(office, "sam", "appointment-near", again, "reset")).headers["location"].endswith("note=livre")
    assert len(await templates.versions(office.house.writing, "appointment-near")) == 2

    own = (PROGRAMMES / "auxilia.yaml").read_text().replace("template: deadline-near", "template: bring-papers")
    assert own != (PROGRAMMES / "auxilia.yaml").read_text()
    assert _codes(own, await publishing.reminders(office.house.writing)) == {"unknown-template"}
    typed = {name: text for name, text in (await opened(office, "sam", "deadline-near")).items() if name != "seen"}
    await _make(office, "bring-papers", typed)
    assert _codes(own, await publishing.reminders(office.house.writing)) == set(), "validation knows the new one"


async def _make(office: Office, name: str, typed: dict[str, str]) -> None:
    actor = Actor(office.staff["sam"], "Sam", ("supervisor",))
    await wordings.edit(office.house.writing, actor, datetime.now(UTC), name, wordings.typed_template(name, typed))


def _codes(text: str, reminders: Any) -> set[str]:
    try:
        check_programme(text.encode(), Path("own.yaml"), reminders)
    except ProgrammeInvalid as error:
        return {one.code for one in error.findings if one.severity == "error"}
    return set()


async def test_appointments_at_one_time_are_shown_together(office: Office) -> None:
    at = (office.house.now + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    booked = [await office.engine.do(c.BookAppointment(at=at + timedelta(minutes=late), minutes=45))
              for late in (0, 30)]  # fmt: skip
    assert [each.outcome for each in booked] == ["accepted"] * 2
    aline, week = await office.enter("aline"), f"/agenda?semaine={at.date()}"
    assert html.unescape((await aline.client.get(week)).text).count("en même temps qu’un autre rendez-vous") == 2
    alone = await office.engine.do(c.BookAppointment(at=at + timedelta(minutes=75), minutes=30))
    assert alone.outcome == "accepted"
    assert html.unescape((await aline.client.get(week)).text).count("en même temps qu’un autre rendez-vous") == 2
    for hours, taken in ((0, True), (5, False)):
        when = (at + timedelta(hours=hours)).astimezone(ZONE)
        booked_here = await aline.client.post(f"{office.path}/agir/book-appointment", data=form(
            aline.token, command=str(uuid.uuid4()), at=f"{when:%Y-%m-%dT%H:%M}", minutes="30",
        ))  # fmt: skip
        assert booked_here.status_code == 303, html.unescape(booked_here.text)
        said = html.unescape((await aline.client.get(booked_here.headers["location"])).text)
        assert "C’est noté" in said and ("à ce moment-là, la personne ou qui la suit" in said) is taken


async def test_the_week_says_what_came_of_each_appointment(office: Office) -> None:
    at = (office.house.now + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    booked = [await office.engine.do(c.BookAppointment(at=at, minutes=45)) for _ in range(2)]
    aline, week = await office.enter("aline"), f"/agenda?semaine={at.date()}"
    assert html.unescape((await aline.client.get(week)).text).count("en même temps") == 2
    off = c.CloseAppointment(appointment=booked[0].command, outcome="cancelled")
    assert (await office.engine.do(off)).outcome == "accepted"
    page = html.unescape((await aline.client.get(week)).text)
    assert page.count('<li class="item ') == 2 and page.count("<small>annulé</small>") == 1
    assert "en même temps" not in page, "what is off takes nobody's time"


async def test_the_week_has_a_word_of_its_own_for_each_outcome(ground: Ground) -> None:
    aline = await ground.member("aline", "referent")
    words = {"attended": "a eu lieu", "missed": "absent", "excused": "absence excusée", "cancelled": "annulé"}
    for hour, outcome in enumerate(words, start=9):
        met = {"id": str(uuid.uuid4()), "about": "", "at": f"2027-05-12T{hour:02}:00:00.000000Z", "outcome": outcome}
        await ground.journey(aline, met=(met,), name=f"Une {outcome.title()}")
    async with ground.browser(await ground.session(aline)) as browser:
        shown = html.unescape((await browser.get("/agenda?semaine=2027-05-12")).text)
    said = dict(re.findall(r">Une (\w+)</a>.*?<small>(.*?)</small>", shown))
    assert {outcome.lower(): word for outcome, word in said.items()} == words


async def test_hours_are_typed_and_shown_as_clocks_tell_them_at_the_site(office: Office) -> None:
    moved = c.AssignReferent(referent=office.engine.referent, site="saint-denis")
    answer = await office.engine.do(moved, actor=office.staff["sam"], roles=("supervisor",))
    assert answer.outcome == "accepted", answer
    await sites.describe(office.house.writing, Site("saint-denis", "Accueil", "1 rue du Lagon", "Indian/Reunion"), BY)
    office.house.forget_programmes()
    aline, day = await office.enter("aline"), office.house.now.date() + timedelta(days=3)
    shown = html.unescape((await aline.get("/agir/book-appointment")).text)
    assert "Jour et heure locale (heure de La Réunion)" in shown
    booked = await aline.client.post(f"{office.path}/agir/book-appointment", data=form(
        aline.token, command=str(uuid.uuid4()), at=f"{day}T10:00", minutes="30",
    ))  # fmt: skip
    assert booked.status_code == 303, html.unescape(booked.text)
    (known,) = [each.data.at for each in await office.engine.events() if each.kind == "AppointmentBooked"]
    assert known == datetime.combine(day, time(6), UTC), "ten o'clock there"
    for path in (f"/agenda?semaine={day}", office.path, f"{office.path}/agir/move-appointment"):
        page = html.unescape((await aline.client.get(path)).text).replace("\xa0", " ")
        assert "10 h (heure de La Réunion)" in page, path
    filled = await aline.client.get(f"{office.path}/agir/move-appointment?at={day}T06:00:00.000000Z")
    assert f'value="{day}T10:00"' in filled.text, "an instant is filled in as clocks tell it there"
    series = await aline.client.post(f"{office.path}/agir/book-appointment", data=form(
        aline.token, command=str(uuid.uuid4()), at="2027-10-26T10:00", minutes="30", every="week", times="2",
    ))  # fmt: skip
    assert series.status_code == 303, html.unescape(series.text)
    *_, first, second = [each.data.at for each in await office.engine.events() if each.kind == "AppointmentBooked"]
    assert second - first == timedelta(weeks=1), "at ten there, though Paris turns its clocks between"


async def test_a_letter_is_printed_and_posted_by_who_leads_the_journey(office: Office) -> None:
    message = str(uuid.uuid4())
    letter = Letter(id=message, to="Samir Benali", subject="Rendez-vous", body="Bonjour Samir,", lang="fr",
                    at=office.house.now, about=office.stream)  # fmt: skip
    assert (await Paper(office.house.writing).send(letter)).fate is Fate.SENT
    aline, bob = await office.enter("aline"), await office.enter("bob")
    assert "1 lettre à imprimer" in html.unescape((await aline.client.get("/")).text)
    assert "Samir Benali" in (await aline.client.get("/courriers")).text
    assert "Samir Benali" not in (await bob.client.get("/courriers")).text
    assert (await bob.client.get(f"/courriers/{message}.pdf")).status_code == 404
    assert (await bob.client.post(f"/courriers/{message}/postee", data=form(bob.token))).status_code == 404
    await office.house.writing.execute("UPDATE people SET opted_out = true")
    listed = html.unescape((await aline.client.get("/courriers")).text).replace("\xa0", " ").replace("\u202f", " ")
    assert "N’est plus à poster : la personne ne veut pas de message" in listed and f"{message}.pdf" not in listed
    assert "à imprimer" not in html.unescape((await aline.client.get("/")).text)
    assert "Partie avant ? Quel jour" in listed
    tomorrow = str(office.house.now.date() + timedelta(days=2))
    too_late = await aline.client.post(f"/courriers/{message}/postee", data=form(aline.token, on=tomorrow))
    assert too_late.status_code == 403 and "n’était pas à poster ce jour-là" in html.unescape(too_late.text)
    assert (await aline.client.get(f"/courriers/{message}.pdf")).status_code == 403
    assert (await aline.client.post(f"/courriers/{message}/postee", data=form(aline.token))).status_code == 403
    await office.house.writing.execute("UPDATE people SET opted_out = false")
    assert (await doctor_says(office, 6), await doctor_says(office, 8)) == ([], ["letters"])
    printed = await aline.client.get(f"/courriers/{message}.pdf")
    assert printed.headers["content-type"] == "application/pdf" and "Bonjour Samir" in words(printed.content)
    for _ in range(2):
        assert (await aline.client.post(f"/courriers/{message}/postee", data=form(aline.token))).status_code == 303
    assert "Samir Benali" not in (await aline.client.get("/courriers")).text
    kinds = await office.house.writing.fetch("SELECT kind FROM events WHERE kind = 'LetterPosted'")
    assert len(kinds) == 1
