"""What messages say, on pages and at the command line: previews, edits kept as facts, faults beside their fields."""

import asyncio
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


async def test_one_called_off_by_a_wrong_click_is_corrected_on_the_persons_page_once_its_hour_has_passed(
    office: Office,
) -> None:
    at = await office.engine.now() + timedelta(seconds=2)
    booked = (await office.engine.do(c.BookAppointment(at=at, contact="support"))).command
    ahead = (await office.engine.do(c.BookAppointment(at=at + timedelta(days=2)))).command
    for each in (booked, ahead):
        off = c.CloseAppointment(appointment=each, outcome="cancelled")
        assert (await office.engine.do(off)).outcome == "accepted"
    await asyncio.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()) + 0.2)
    aline = await office.enter("aline")
    page = html.unescape((await aline.get()).text)
    (query,) = re.findall(r"/agir/correct(\?what=appointment&id=[^\"]+)", page)
    shown = (await aline.get(f"/agir/correct{query}")).text
    assert f'<option value="{booked}" selected>' in shown and ahead not in shown
    assert '<option value="attended">A eu lieu</option>' in html.unescape(shown) and "reste noté" not in shown
    hidden = await aline.open("correct", query)
    sent = await aline.send("correct", what="appointment", id=booked, to="attended", reason="Un clic de trop.",
                            hidden=hidden)  # fmt: skip
    assert sent.status_code == 303, html.unescape(sent.text)
    (event,) = [event.data for event in await office.engine.events() if event.kind == "AppointmentCorrected"]
    assert event.to == "attended"  # type: ignore[attr-defined]
    again = html.unescape((await aline.get(f"/agir/correct{query}")).text)
    assert "reste noté : s’il n’a pas eu lieu, corrigez-le aussi" in again.replace("\xa0", " ")
    assert 'aria-describedby="h-to"' in again, "what attending brought stands"
    assert '<option value="attended"' not in again and '<option value="excused"' in again, "noted already"


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


async def test_the_days_of_a_week_are_those_of_each_site(ground: Ground) -> None:
    """Monday at eight in Nouméa, which is Sunday in Paris; Sunday at 23 h in Cayenne, which is Monday there."""
    aline = await ground.member("aline", "referent")
    for site, zone in (("noumea", "Pacific/Noumea"), ("cayenne", "America/Cayenne")):
        await sites.describe(ground.house.writing, Site(site, "Accueil", "1 rue du Port", zone), BY)
    for name, site, at in (
        ("Une Lundi", "noumea", "2027-05-09T21:00"),
        ("Une Dimanche", "cayenne", "2027-05-17T02:00"),
    ):
        met = {"id": str(uuid.uuid4()), "about": "", "at": f"{at}:00.000000Z", "outcome": "attended"}
        await ground.journey(aline, met=(met,), name=name, site=site)
    ground.house.forget_programmes()
    async with ground.browser(await ground.session(aline)) as browser:
        weeks = [html.unescape((await browser.get(f"/agenda?semaine={day}")).text)
                 for day in ("2027-05-03", "2027-05-10", "2027-05-17")]  # fmt: skip
    assert ["Une Lundi" in shown for shown in weeks] == ["Une Dimanche" in shown for shown in weeks] == [
        False, True, False,
    ]  # fmt: skip
    assert weeks[1].index("Lundi 10 mai") < weeks[1].index("Une Lundi") < weeks[1].index("Dimanche 16 mai")


async def test_a_past_week_says_that_it_does_not_hold_all_that_was(ground: Ground) -> None:
    aline = await ground.member("aline", "referent")
    async with ground.browser(await ground.session(aline)) as browser:
        past, present = [(await browser.get(f"/agenda{query}")).text for query in ("?semaine=2020-01-06", "")]
    said = "les 12 derniers rendez-vous passés"
    assert said in html.unescape(past) and said not in html.unescape(present)


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
    (id,) = [each.data.appointment for each in await office.engine.events() if each.kind == "AppointmentBooked"]
    letter = await aline.get(f"/rendez-vous/{id}.pdf")
    assert "10 h (heure de La Réunion)" in words(letter.content), "the person is noted to live by the clocks of Paris"
    filled = await aline.client.get(f"{office.path}/agir/move-appointment?at={day}T06:00:00.000000Z")
    assert f'value="{day}T10:00"' in filled.text, "an instant is filled in as clocks tell it there"
    series = await aline.client.post(f"{office.path}/agir/book-appointment", data=form(
        aline.token, command=str(uuid.uuid4()), at="2027-10-26T10:00", minutes="30", every="week", times="2",
    ))  # fmt: skip
    assert series.status_code == 303, html.unescape(series.text)
    *_, first, second = [each.data.at for each in await office.engine.events() if each.kind == "AppointmentBooked"]
    assert second - first == timedelta(weeks=1), "at ten there, though Paris turns its clocks between"


async def test_a_place_is_typed_as_it_can_be_said_to_anybody(office: Office) -> None:
    aline, day = await office.enter("aline"), office.house.now.date() + timedelta(days=3)

    async def book(place: str) -> httpx.Response:
        return await aline.client.post(f"{office.path}/agir/book-appointment", data=form(
            aline.token, command=str(uuid.uuid4()), at=f"{day}T10:00", minutes="30", place=place,
        ))  # fmt: skip

    wrong = await book("Tribunal judiciaire, 2 cours Mirabeau")
    said = html.unescape(wrong.text).replace("\xa0", " ")
    assert wrong.status_code == 422 and 'id="e-place"' in wrong.text and "« Tribunal » dirait" in said
    assert "adresse seule" in said and 'value="Tribunal judiciaire, 2 cours Mirabeau"' in said, "what was typed is kept"
    assert (await book("2 cours Mirabeau")).status_code == 303


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
