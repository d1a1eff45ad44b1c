"""One-time links, from the message that carries one to what is recorded: once, by the right one, nothing else."""

import asyncio
import email
import html
import json
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest
import pytest_asyncio
import structlog
from icalendar import Calendar

from activities import Resources, all_activities
from activities.tills import Tills
from journeys.app import answering
from journeys.app.entry import give
from journeys.app.finding import load
from journeys.app.outbox import laid
from journeys.app.reading import ZONE
from journeys.app.registers import as_data, held_of, words_of_messages
from journeys.app.web.application import make_application
from journeys.app.web.house import House, open_house
from journeys.app.web.pages import links as pages
from journeys.app.web.safety import Pace
from journeys.channels.bank import SimulatedBank
from journeys.channels.outbox import FileOutbox
from journeys.domain import commands as c
from journeys.domain.commands import Command
from journeys.domain.links import Ask, Purpose, asks, choice_of
from journeys.domain.record import Event, Payload, instant_text
from journeys.i18n import format_date, format_time
from journeys.issuing import tell_of_people
from journeys.settings import load_settings
from journeys.store import feeds, journal, links, mentors, partners, people, sessions, sites, staff, vault, views
from journeys.store.directory import By
from journeys.store.journal import parts
from journeys.store.letters import open_letter, seal_letter
from journeys.store.links import Drawn, Link, Opened, Stands
from journeys.store.signing import KeyRing
from journeys.store.sites import Site
from tests.conftest import RealStack
from tests.web.browser import HERE, Browser
from tests.web.pace import Unhurried
from tests.workflow.conftest import RING, Engine, make_engine


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass
class Scene:
    """A journey on the real engine with its real messages, the application, and those who have no account."""

    engine: Engine
    house: House
    application: Any
    outbox: Path
    owner: str
    person: str = field(default_factory=new_id)
    mentor: str = field(default_factory=new_id)
    partner: str = field(default_factory=new_id)
    read: set[str] = field(default_factory=set)

    @property
    def pool(self) -> Any:
        return self.house.writing

    @property
    def id(self) -> str:
        return self.engine.stream.removeprefix("journey-")

    async def begin(self) -> None:
        by = By(actor=self.engine.supervisor, role="administrator", at=datetime.now(UTC))
        member = staff.Member(
            id=self.engine.referent, handle="claire", name="Claire Martin", email="claire@example.org",
            phone="06 11 22 33 44", language="fr", roles=("referent",), sites=(), active=True,
        )  # fmt: skip
        await staff.add(self.pool, member, by)
        mentor = mentors.Mentor(id=self.mentor, name="Jeanne Petit", email="jeanne@example.org", phone=None,
                                language="fr", site=None, capacity=2)  # fmt: skip
        await mentors.add(self.pool, mentor, by)
        partner = partners.Partner(id=self.partner, name="Foyer du Parc", kind="housing", email="foyer@example.org",
                                   phone=None, language="en", site=None)  # fmt: skip
        await partners.add(self.pool, partner, by)
        details = people.Details(first_name="Éloïse", last_name="Dœuvre", email="eloise@example.org")
        await people.register(self.pool, self.person, details, by)
        plan = c.Plan(
            person=self.person, programme=self.engine.programme, calendar=self.engine.calendar,
            referent=self.engine.referent, dates={"release": datetime.now(UTC).date() + timedelta(days=40)},
        )  # fmt: skip
        assert (await self.engine.send(self.engine.command(plan, datetime.now(UTC)))).outcome == "accepted"

    def browser(self) -> Browser:
        return Browser(self.application)

    async def do(self, body: c.Body, **texts: Any) -> str:
        answer = await self.engine.do(body, **texts)
        assert answer.outcome == "accepted", answer
        return answer.command

    async def matched(self) -> None:
        await self.do(c.ProposeMentor(mentor=self.mentor))
        await self.do(c.MatchMentor(mentor=self.mentor))

    async def events(self, *kinds: str) -> list[Event[Payload]]:
        return [event for event in await self.engine.events() if not kinds or event.kind in kinds]

    async def letter(self, to: str) -> str:
        """The newest letter to somebody, once the quiet hours are over; its text."""
        for _ in range(100):
            for file in sorted(self.outbox.glob("*.sealed"), key=lambda each: each.stat().st_mtime, reverse=True):
                text = await open_letter(self.engine.pool.keys, file.stem, file.read_bytes())
                assert isinstance(text, bytes)
                message = email.message_from_bytes(text)
                if message["To"] == to and file.name not in self.read:
                    self.read.add(file.name)
                    body = next(part for part in message.walk() if part.get_content_type() == "text/plain")
                    return body.get_payload(decode=True).decode()  # type: ignore[union-attr]
            await asyncio.sleep(0.1)
        raise AssertionError(f"no letter to {to}")

    async def link(self, to: str) -> str:
        """The path of the link in the newest letter to somebody."""
        return path_in(await self.letter(to))

    async def drawn(self, purpose: Purpose, **changes: Any) -> Drawn:
        """A link as the engine issues one, once the message is away that brings another: by day it leaves at once."""
        for _ in range(200):
            if not (await self.known())[0].effects:
                break
            await asyncio.sleep(0.05)
        loaded_asks = asks(*await self.known(), datetime.now(UTC))
        ask = next(each for each in loaded_asks if each.purpose is purpose)
        drawn = links.draw(RING, replace(ask, **changes), self.id, "fr", datetime.now(UTC))
        await links.issue(self.pool, drawn)
        return drawn

    async def known(self) -> Any:
        row = await views.journey(self.pool, self.id)
        assert row is not None
        loaded = await load(self.pool, row)
        return loaded.state, loaded.book

    async def opened(self, drawn: Drawn) -> httpx.Response:
        return await self.browser().get(path(drawn))

    async def enters(self) -> Browser:
        """The referent, logged in."""
        browser = self.browser()
        browser.client.cookies.set("session", await sessions.open_session(self.pool, self.engine.referent, "password"))
        return browser


def path(drawn: Drawn) -> str:
    return links.PATH + drawn.token


def path_in(text: str) -> str:
    found = re.search(rf"{HERE}({links.PATH}[\w-]+)", text)
    assert found is not None, text
    return found[1]


def words(answer: httpx.Response) -> str:
    """A page's text without its tags and secrets."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


@pytest_asyncio.fixture
async def scene(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    engine = await make_engine(stack, journal_pool)
    outbox = tmp_path / "outbox"
    resources = Resources(
        pool=journal_pool,
        ring=RING,
        tills=Tills({"sepa": SimulatedBank(journal_pool)}),
        mailer=FileOutbox(outbox, partial(seal_letter, journal_pool.keys)),
        public_url=HERE,
    )
    engine.world.activities = lambda: all_activities(resources)  # type: ignore[method-assign]
    settings = load_settings(data_dir=tmp_path, signing_key="30" * 32, signing_key_id="test", task_queue=engine.queue)
    async with open_house(settings, database_url, stack.temporal) as house, engine.worker():
        application = make_application(house, pace=Unhurried())
        made = Scene(engine, house, application, outbox, database_url, engine.person)
        await made.begin()
        yield made


# --- from the message to what is recorded


async def test_a_mentor_says_yes_from_the_message(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    await scene.engine.pass_days(2.5)
    where = await scene.link("jeanne@example.org")
    jeanne = scene.browser()
    shown = await jeanne.get(where)
    assert shown.status_code == 200
    assert "Bonjour Jeanne," in words(shown) and "Claire Martin" in words(shown) and "06 11 22 33 44" in words(shown)
    assert "Éloïse" not in shown.text and "Dœuvre" not in shown.text
    assert shown.headers["referrer-policy"] == "no-referrer" and shown.headers["cache-control"] == "no-store"
    assert await scene.events("MentorMatched") == []
    answer = await jeanne.send(where, answer="yes")
    assert (answer.status_code, answer.headers["location"]) == (303, where)
    assert "Vous avez dit oui" in words(await jeanne.get(where))
    (event,) = await scene.events("MentorMatched")
    assert (event.actor, event.role) == (scene.mentor, "mentor")


async def test_a_mentor_says_no_and_why(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    drawn = await scene.drawn(Purpose.PROPOSAL)
    jeanne = scene.browser()
    await jeanne.get(path(drawn))
    await jeanne.send(path(drawn), answer="no", word="Je déménage.")
    assert "Vous avez dit non" in words(await jeanne.get(path(drawn)))
    (event,) = await scene.events("MentorDeclined")
    assert event.actor == scene.mentor and event.command == drawn.link.command
    said = [part.text for part in await parts(scene.pool, event.stream) if part.seq == event.seq]
    assert said == ["Je déménage."]
    assert await scene.pool.fetchval("SELECT count(*) FROM link_uses WHERE answer::text LIKE '%déménage%'") == 0


async def test_a_partner_answers_a_referral_in_their_own_language(scene: Scene) -> None:
    await scene.do(c.SendReferral(partner=scene.partner, purpose="housing"))
    await scene.engine.pass_days(2.5)
    where = await scene.link("foyer@example.org")
    foyer = scene.browser()
    shown = words(await foyer.get(where))
    assert "Foyer du Parc" in shown and "housing" in shown and "Éloïse" not in shown
    empty = await foyer.send(where, answer="no", word=" ")
    assert empty.status_code == 422 and "say in a few words why".capitalize() in words(empty)
    assert await scene.events("ReferralDeclined") == []
    assert (await foyer.send(where, answer="no", word="No room.")).status_code == 303
    assert "You declined this request" in words(await foyer.get(where))
    (event,) = await scene.events("ReferralDeclined")
    assert (event.actor, event.role) == (scene.partner, "partner")


async def test_with_consent_a_partner_reads_a_first_name_and_an_initial(scene: Scene) -> None:
    await scene.do(c.GiveConsent(partner=scene.partner, purpose="housing"))
    await scene.do(c.SendReferral(partner=scene.partner, purpose="housing"))
    shown = words(await scene.opened(await scene.drawn(Purpose.REFERRAL)))
    assert "Éloïse D." in shown and "Dœuvre" not in shown


@pytest.mark.parametrize("answer", ["coming", "other-time"])
async def test_the_person_answers_from_the_reminder_of_an_appointment(scene: Scene, answer: str) -> None:
    at = (await scene.engine.now()).replace(hour=13, minute=0, second=0, microsecond=0) + timedelta(days=5)
    booked = await scene.do(c.BookAppointment(at=at), place="12 rue des Lilas")
    await scene.engine.pass_days(4)
    text = await scene.letter("eloise@example.org")
    assert "12 rue des Lilas" in text and "Claire Martin" in text
    eloise, where = scene.browser(), path_in(text)
    shown = words(await eloise.get(where))
    assert "12 rue des Lilas" in shown and format_time(at, "fr", "Europe/Paris").replace("\xa0", " ") in shown
    assert (await eloise.send(where, answer=answer, word="Plutôt le matin.")).status_code == 303
    (event,) = await scene.events("AppointmentAnswered")
    assert (event.actor, event.role, event.data.answer) == (scene.person, "participant", answer)  # type: ignore[attr-defined]
    state, _ = await scene.known()
    assert state.appointments[booked].answer == answer
    asked = [e for e in await scene.events("MessageDue") if e.data.template == "appointment-other-time"]  # type: ignore[attr-defined]
    assert len(asked) == (answer == "other-time")


async def drawn_for(scene: Scene, **fields: Any) -> Drawn:
    """The person's link for an appointment in five days."""
    at = (await scene.engine.now()).replace(hour=13, minute=0, second=0, microsecond=0) + timedelta(days=5)
    await scene.do(c.BookAppointment(at=at, **fields))
    return await scene.drawn(Purpose.APPOINTMENT)


async def test_the_person_declines_what_was_freely_agreed_and_the_referent_is_told(scene: Scene) -> None:
    drawn, eloise = await drawn_for(scene), scene.browser()
    shown = await eloise.get(path(drawn))
    assert "Viendrez-vous ?" in words(shown) and 'value="declined"' in shown.text
    assert (await eloise.send(path(drawn), answer="declined", word="Je travaille.")).status_code == 303
    assert "Vous avez dit que vous ne viendrez pas" in words(await eloise.get(path(drawn)))
    (event,) = await scene.events("AppointmentCancelled")
    assert event.data.why == "declined"  # type: ignore[attr-defined]
    (owed,) = [e.data for e in await scene.events("MessageDue") if e.data.template == "appointment-declined"]  # type: ignore[attr-defined]
    assert owed.to == "referent"


async def test_a_summons_is_not_declined_by_link_only_another_time_is_asked_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the page; and were the page to let it pass, by the rules."""
    drawn, eloise = await drawn_for(scene, summons=True), scene.browser()
    shown = await eloise.get(path(drawn))
    assert "Votre présence est attendue" in words(shown) and 'value="declined"' not in shown.text
    refused = await eloise.send(path(drawn), answer="declined")
    assert refused.status_code == 422 and "ne se change pas ici" in words(refused)
    assert (await eloise.send(path(drawn), answer="other-time")).status_code == 303
    (asked,) = await scene.events("AppointmentAnswered")
    assert asked.data.answer == "other-time"  # type: ignore[attr-defined]

    other = await scene.drawn(Purpose.APPOINTMENT)
    await eloise.get(path(other))
    monkeypatch.setattr(answering, "is_summons", lambda *_: False)
    assert (await eloise.send(path(other), answer="declined")).status_code == 303
    assert "n’a pas pu être retenue" in words(await eloise.get(path(other)))
    (refusal,) = await scene.events("CommandRefused")
    assert refusal.data.code == "summons-stands" and await scene.events("AppointmentCancelled") == []  # type: ignore[attr-defined]


async def test_the_person_stops_all_messages_by_link_and_lets_them_begin_again_by_another(scene: Scene) -> None:
    drawn = await scene.drawn(Purpose.MESSAGES)
    eloise = scene.browser()
    shown = await eloise.get(path(drawn))
    assert "Ne plus recevoir de messages" in words(shown) and 'value="again"' not in shown.text
    assert (await scene.known())[0].opted_out is False, "looking at it changes nothing"
    assert (await eloise.send(path(drawn), answer="again")).status_code == 422, "it is not what the link is for"
    assert (await eloise.send(path(drawn), answer="stop")).status_code == 303
    assert "Vous ne recevrez plus de messages" in words(await eloise.get(path(drawn)))
    told = json.loads((await journal.read_all(scene.pool, f"person-{scene.person}"))[-1].header)
    assert (told["kind"], told["actor"], told["role"]) == ("OptedOut", scene.person, "participant")
    (raised,) = await scene.events("EscalationRaised")
    assert raised.data.about.id == "opted-out" and raised.data.to == "referent"  # type: ignore[attr-defined]
    other = await scene.drawn(Purpose.MESSAGES)
    assert "Recevoir de nouveau des messages" in words(await eloise.get(path(other)))
    assert (await eloise.send(path(other), answer="again")).status_code == 303
    assert (await scene.known())[0].opted_out is False
    assert len(await scene.events("EscalationResolved")) == 1
    past, now = await scene.drawn(Purpose.MESSAGES, until=datetime.now(UTC) - timedelta(seconds=1)), datetime.now(UTC)
    await links.take(scene.pool, Opened(past.link, Stands.OPEN, {}, None), {"answer": "stop"}, now)
    await links.settle(scene.pool, past.link, Stands.DONE, now)
    over = await eloise.get(path(past))
    assert over.status_code == 410 and "Vous recevez de nouveau nos messages" in words(over)
    asked = await eloise.get(path(drawn))
    assert asked.status_code == 200 and "Ne plus recevoir de messages" in words(asked), "it says not what is over"
    assert (await eloise.send(path(drawn), answer="stop")).status_code == 303
    assert (await scene.known())[0].opted_out is True
    assert "Vous ne recevrez plus de messages" in words(await eloise.get(path(drawn)))
    undone = await eloise.get(path(other))
    assert undone.status_code == 410 and "Vous ne recevez pas nos messages" in words(undone)


async def test_a_mail_program_stops_all_messages_at_one_click(scene: Scene) -> None:
    first, second = [await scene.drawn(Purpose.MESSAGES) for _ in range(2)]
    program = httpx.AsyncClient(transport=httpx.ASGITransport(scene.application), base_url=HERE)
    asking = {"data": {"List-Unsubscribe": "One-Click"}}
    at_once = links.AT_ONCE
    looked = await program.get(at_once + first.token)
    assert (looked.status_code, looked.headers["location"]) == (303, path(first)), "opening it changes nothing"
    assert (await program.post(at_once + first.token)).status_code == 400
    assert (await program.post(at_once + "x" * 48, **asking)).status_code == 404  # type: ignore[arg-type]
    await scene.do(c.BookAppointment(at=await scene.engine.now() + timedelta(days=5)))
    other = await scene.drawn(Purpose.APPOINTMENT)
    assert (await program.post(at_once + other.token, **asking)).status_code == 404  # type: ignore[arg-type]
    assert (await scene.known())[0].opted_out is False

    boundary = {"files": {"List-Unsubscribe": (None, "One-Click")}, "headers": {"origin": "https://mail.example"}}
    stopped = await program.post(at_once + first.token, **boundary)  # type: ignore[arg-type]
    assert (stopped.status_code, stopped.text) == (200, "")
    assert (await scene.known())[0].opted_out is True
    told = json.loads((await journal.read_all(scene.pool, f"person-{scene.person}"))[-1].header)
    assert (told["kind"], told["actor"], told["role"]) == ("OptedOut", scene.person, "participant")
    for link in (first, second):
        assert (await program.post(at_once + link.token, **asking)).status_code == 200  # type: ignore[arg-type]
    assert len(await scene.events("OptedOut")) == 1
    assert (await program.post(path(first), **asking)).status_code == 403, "a form's link still wants a page of ours"  # type: ignore[arg-type]

    eloise, begins = scene.browser(), await scene.drawn(Purpose.MESSAGES)
    await eloise.get(path(begins))
    assert (await eloise.send(path(begins), answer="again")).status_code == 303
    both_ = await asyncio.gather(*(program.post(at_once + first.token, **asking) for _ in range(2)))  # type: ignore[arg-type]
    assert {each.status_code for each in both_} == {200} and (await scene.known())[0].opted_out is True
    assert len(await scene.events("OptedOut")) == 2


async def offered(scene: Scene) -> tuple[Drawn, datetime, datetime]:
    """An appointment in five days that may also be the day before or after, with the person's link."""
    at = (await scene.engine.now()).replace(hour=13, minute=0, second=0, microsecond=0) + timedelta(days=5)
    sooner, later = at - timedelta(days=1), at + timedelta(days=1, hours=2)
    await scene.do(c.BookAppointment(at=at, or_at=(later, sooner)), place="12 rue des Lilas")
    return await scene.drawn(Purpose.APPOINTMENT), sooner, later


def taking(at: datetime) -> str:
    return f"move {instant_text(at)}"


async def test_the_person_takes_one_of_the_times_offered_and_the_referent_is_told(scene: Scene) -> None:
    drawn, sooner, later = await offered(scene)
    eloise = scene.browser()
    shown = await eloise.get(path(drawn))
    times = re.findall(r'value="(move [^"]+)">([^<]+)<', shown.text)
    assert [value for value, _ in times] == [taking(sooner), taking(later)]
    assert format_time(later, "fr", "Europe/Paris") in html.unescape(times[1][1])
    assert (await eloise.send(path(drawn), answer=taking(later))).status_code == 303
    told = words(await eloise.get(path(drawn)))
    assert "Votre rendez-vous est déplacé" in told
    assert format_time(later, "fr", "Europe/Paris").replace("\xa0", " ") in told
    (event,) = await scene.events("AppointmentMoved")
    assert (event.actor, event.role, event.data.at) == (scene.person, "participant", later)  # type: ignore[attr-defined]
    assert event.data.remind_at == later - timedelta(hours=48)  # type: ignore[attr-defined]
    owed = [e.data.to for e in await scene.events("MessageDue") if e.data.template == "appointment-chosen"]  # type: ignore[attr-defined]
    assert owed == ["referent"]
    again = await scene.opened(await scene.drawn(Purpose.APPOINTMENT))
    assert again.status_code == 200 and "move " not in again.text, "what was offered is not any more"


async def test_an_appointment_has_the_hour_of_the_clocks_at_its_site_on_the_persons_page(scene: Scene) -> None:
    """Whatever zone is noted for the person: a wish is read there, too, and what was taken is told so."""
    engine, body = scene.engine, c.AssignReferent(referent=scene.engine.referent, site="cayenne")
    given = await engine.do(body, actor=engine.supervisor, roles=("supervisor",))
    assert given.outcome == "accepted", given
    by = By(actor=engine.supervisor, role="administrator", at=datetime.now(UTC))
    await sites.describe(scene.pool, Site("cayenne", "Accueil", "1 rue du Port", "America/Cayenne"), by)
    drawn, _, later = await offered(scene)
    eloise, there = scene.browser(), ZoneInfo("America/Cayenne")
    said = f"{format_time(later, 'fr', there)} (heure de Cayenne)".replace("\xa0", " ")
    shown = words(await eloise.get(path(drawn))).replace("\xa0", " ")
    assert said in shown and "laquelle ? (heure de Cayenne)" in shown.replace("\u202f", " ")
    wished = f"{later.astimezone(there):%Y-%m-%dT%H:%M}"
    assert (await eloise.send(path(drawn), answer="other-time", wish=wished)).status_code == 303
    (event,) = await scene.events("AppointmentAnswered")
    assert event.data.wish == later  # type: ignore[attr-defined]
    last = await scene.drawn(Purpose.APPOINTMENT)
    await eloise.get(path(last))
    assert (await eloise.send(path(last), answer=taking(later))).status_code == 303
    assert said in words(await eloise.get(path(last))).replace("\xa0", " ")


@pytest.mark.parametrize(("stays", "said"), [(True, "d’autres heures sont possibles"), (False, "a changé")])
async def test_who_asked_for_another_time_is_sent_those_offered_and_takes_one(
    scene: Scene, stays: bool, said: str
) -> None:
    drawn, eloise = await drawn_for(scene), scene.browser()
    await eloise.get(path(drawn))
    assert (await eloise.send(path(drawn), answer="other-time")).status_code == 303
    ((id, known),) = (await scene.known())[0].appointments.items()
    others = tuple(known.at + timedelta(hours=hours) for hours in (24, 26))
    await scene.do(c.MoveAppointment(appointment=id, at=known.at + timedelta(hours=not stays), or_at=others))
    await scene.engine.pass_days(1.5)
    text = await scene.letter("eloise@example.org")
    assert said in text
    where = path_in(text)
    shown = (await eloise.get(where)).text
    assert all(taking(each) in shown for each in others)
    assert (await eloise.send(where, answer=taking(others[0]))).status_code == 303
    assert (await scene.known())[0].appointments[id].at == others[0]


async def test_two_at_once_who_take_other_times_move_it_once(scene: Scene) -> None:
    drawn, sooner, later = await offered(scene)
    pages_ = await both(scene, drawn, *({"answer": taking(each)} for each in (sooner, later) * 3))
    assert len({words(each) for each in pages_}) == 1
    assert len(await scene.events("AppointmentMoved")) == 1 and await scene.events("CommandRefused") == []


async def test_a_time_that_was_not_offered_moves_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the page; and were the page to let it pass, by the rules."""
    drawn, sooner, _ = await offered(scene)
    other, eloise = sooner + timedelta(minutes=30), scene.browser()
    await eloise.get(path(drawn))
    refused = await eloise.send(path(drawn), answer=taking(other))
    assert refused.status_code == 422 and "Cette heure n’est plus proposée" in words(refused)
    assert await scene.pool.fetchval("SELECT count(*) FROM link_uses") == 0
    monkeypatch.setattr(answering, "times_offered", lambda *_: (other,))
    assert (await eloise.send(path(drawn), answer=taking(other))).status_code == 303
    assert "n’a pas pu être retenue" in words(await eloise.get(path(drawn)))
    (refusal,) = await scene.events("CommandRefused")
    assert (refusal.data.code, refusal.actor) == ("time-not-offered", scene.person)  # type: ignore[attr-defined]
    assert await scene.events("AppointmentMoved") == []


async def test_the_person_says_which_other_time_they_wish_and_staff_move_it_with_one_button(scene: Scene) -> None:
    drawn, sooner, _ = await offered(scene)
    eloise, wish = scene.browser(), (sooner + timedelta(days=9)).astimezone(ZONE)
    await eloise.get(path(drawn))
    for answer, typed, said in (
        ("other-time", "2020-01-01T10:00", "Cette heure est déjà passée"),
        ("other-time", "demain", "« demain » n’est pas un jour et une heure"),
        ("coming", f"{wish:%Y-%m-%dT%H:%M}", "Vous avez écrit une autre heure"),
        (taking(sooner), f"{wish:%Y-%m-%dT%H:%M}", "Vous avez écrit une autre heure"),
    ):
        wrong = await eloise.send(path(drawn), answer=answer, wish=typed)
        assert wrong.status_code == 422 and said.lower() in words(wrong).lower() and f'value="{typed}"' in wrong.text
    assert await scene.pool.fetchval("SELECT count(*) FROM link_uses") == 0
    assert (await eloise.send(path(drawn), answer="other-time", wish=f"{wish:%Y-%m-%dT%H:%M}")).status_code == 303
    (event,) = await scene.events("AppointmentAnswered")
    assert event.data.wish == wish  # type: ignore[attr-defined]
    claire = await scene.enters()
    on = format_date(wish.date(), "fr", weekday=True).removesuffix(f" {wish.year}")
    said = f"Éloïse Dœuvre ne peut pas venir, propose {on} à {format_time(wish, 'fr', ZONE)}"
    for screen in ("/", f"/parcours/{scene.id}"):
        shown = await claire.get(screen)
        assert said.replace("\xa0", " ") in words(shown).replace("\xa0", " "), screen
        (button,) = re.findall(r'href="([^"]+)"><span aria-hidden="true">Déplacer à cette heure', shown.text)
    assert instant_text(wish) in unquote(html.unescape(button)), "whatever zone it will be read in"
    form = await claire.get(html.unescape(button))
    assert f'value="{wish:%Y-%m-%dT%H:%M}"' in form.text
    address = f"/parcours/{scene.id}/agir/move-appointment"
    moved = await claire.send(
        address, appointment=event.data.appointment, at=f"{wish:%Y-%m-%dT%H:%M}",  # type: ignore[attr-defined]
        or_at=["", f"{wish:%Y-%m-%dT%H}:30", f"{wish:%Y-%m-%dT%H}:45", ""],
    )  # fmt: skip
    assert moved.status_code == 303, words(moved)
    (event,) = await scene.events("AppointmentMoved")
    assert event.data.at == wish and len(event.data.or_at) == 2  # type: ignore[attr-defined]
    too_many = await claire.get(address)
    too_many = await claire.send(
        address, at=f"{wish:%Y-%m-%dT%H}:20", or_at=[f"{wish:%Y-%m-%dT%H}:{minute}" for minute in range(30, 35)]
    )
    assert too_many.status_code == 422 and f'value="{wish:%Y-%m-%dT%H}:33"' in too_many.text


async def test_a_mentor_records_a_contact_through_a_link_given_by_hand(scene: Scene) -> None:
    await scene.matched()
    claire, jeanne = await scene.enters(), scene.browser()
    listed = await claire.get(f"/parcours/{scene.id}/liens")
    assert "Jeanne Petit" in listed.text
    given = await claire.send(f"/parcours/{scene.id}/liens")
    where = path_in(given.text)
    assert "<svg" in given.text
    token = where.removeprefix(links.PATH)
    assert token not in (await claire.get(f"/parcours/{scene.id}/liens")).text, "it is shown once"
    shown = await jeanne.get(where)
    assert "Éloïse" in shown.text and "Dœuvre" not in shown.text
    wrong = await jeanne.send(where, answer="made", means="pigeon", on="2150-01-01")
    assert wrong.status_code == 422 and "ce jour n’est pas encore venu".capitalize() in words(wrong)
    garbled = await jeanne.send(where, answer="made", means="phone", on=str(datetime.now(UTC).date()), word="\x07")
    assert garbled.status_code == 422 and "signes qui ne peuvent pas être gardés" in words(garbled)
    assert await scene.pool.fetchval("SELECT count(*) FROM link_uses") == 0
    assert await scene.events("ContactMade", "ContactLogged") == []
    today = str(datetime.now(UTC).date())
    assert (await jeanne.send(where, answer="made", means="phone", on=today, word="Elle va bien.")).status_code == 303
    (event,) = await scene.events("ContactMade", "ContactLogged")
    assert (event.actor, event.role, event.data.means) == (scene.mentor, "mentor", "phone")  # type: ignore[attr-defined]


async def test_the_lists_of_mentors_and_partners_have_a_button_for_each_open_matter(scene: Scene) -> None:
    claire = await scene.enters()

    async def offered_on(screen: str) -> list[str]:
        shown = html.unescape((await claire.get(screen)).text)
        return re.findall(r"Donner un lien<span class=.unseen.> Éloïse Dœuvre, (.*?)</span>", shown)

    assert await offered_on("/mentors") == await offered_on("/partenaires") == []
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    assert await offered_on("/mentors") == ["Dire oui ou non à l’accompagnement"]
    given = await claire.send(f"/parcours/{scene.id}/liens")
    assert "Bonjour Jeanne," in words(await scene.browser().get(path_in(given.text)))
    await scene.do(c.MatchMentor(mentor=scene.mentor))
    found = await offered_on("/mentors")
    asked = [ask for ask in asks(*await scene.known(), datetime.now(UTC)) if ask.purpose is Purpose.CONTACT]
    assert len(found) == len(asked) > 0 and all(each.startswith("Noter un contact") for each in found)
    given = await claire.send(f"/parcours/{scene.id}/liens")
    assert (await scene.browser().get(path_in(given.text))).status_code == 200
    await scene.do(c.EndMentor(), reason="Déménagement")
    assert await offered_on("/mentors") == []

    sent = await scene.do(c.SendReferral(partner=scene.partner, purpose="housing"))
    (told,) = await offered_on("/partenaires")
    assert told.startswith("Accepter ou décliner l’orientation")
    given = await claire.send(f"/parcours/{scene.id}/liens")
    assert "Foyer du Parc" in words(await scene.browser().get(path_in(given.text)))
    await scene.do(c.CancelReferral(referral=sent))
    assert await offered_on("/partenaires") == []


async def test_whoever_may_not_give_links_is_offered_none(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    by = By(actor="system", role="system", at=datetime.now(UTC))
    for role, sees in (("referent", False), ("supervisor", True), ("auditor", False)):
        member = staff.Member(id=new_id(), handle=role, name=role, email=f"{role}@example.org", phone=None,
                              language="fr", roles=(role,), sites=(), active=True)  # fmt: skip
        await staff.add(scene.pool, member, by)
        browser = scene.browser()
        browser.client.cookies.set("session", await sessions.open_session(scene.pool, member.id, "password"))
        shown = await browser.get("/mentors")
        assert shown.status_code == 200 and ("Donner un lien" in shown.text) == sees, role
        assert ("Éloïse" in shown.text) == sees, role


async def test_a_message_sent_anew_makes_a_new_link_and_the_former_says_so(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    first, second = await scene.drawn(Purpose.PROPOSAL), await scene.drawn(Purpose.PROPOSAL)
    former = await scene.opened(first)
    assert former.status_code == 410 and "remplacé ou retiré" in words(former)
    assert (await scene.opened(second)).status_code == 200


# --- once


async def test_a_double_click_has_one_effect(scene: Scene) -> None:
    await scene.matched()
    drawn, jeanne = await scene.drawn(Purpose.CONTACT), scene.browser()
    await jeanne.get(path(drawn))
    fields = {**jeanne.hidden(path(drawn)), "answer": "made", "means": "phone", "on": str(datetime.now(UTC).date())}
    for _ in range(3):
        assert (await jeanne.post(path(drawn), fields)).status_code in (200, 303)
    assert len(await scene.events("ContactMade", "ContactLogged")) == 1
    assert "Le contact est noté" in words(await jeanne.get(path(drawn)))


async def both(scene: Scene, drawn: Drawn, *answers: dict[str, str]) -> list[httpx.Response]:
    """The same link answered in several browsers at the same moment."""
    opened = [scene.browser() for _ in answers]
    await asyncio.gather(*(browser.get(path(drawn)) for browser in opened))
    await asyncio.gather(
        *(browser.send(path(drawn), **answer) for browser, answer in zip(opened, answers, strict=True))
    )
    return list(await asyncio.gather(*(browser.get(path(drawn)) for browser in opened)))


async def test_two_at_once_with_other_answers_have_one_effect_and_both_see_it(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    drawn = await scene.drawn(Purpose.PROPOSAL)
    pages_ = await both(scene, drawn, *({"answer": each} for each in ("yes", "no") * 4))
    told = {words(each) for each in pages_}
    assert len(told) == 1, told
    decided = await scene.events("MentorMatched", "MentorDeclined")
    assert len(decided) == 1 and await scene.events("CommandRefused") == []
    yes = decided[0].kind == "MentorMatched"
    assert ("Vous avez dit oui" in told.pop()) == yes


async def test_without_the_command_that_is_the_links_own_two_at_once_would_count_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard taken away from outside: what it keeps out comes in."""
    await scene.matched()
    drawn = await scene.drawn(Purpose.CONTACT)
    monkeypatch.setattr(Link, "command", property(lambda self: new_id()))
    today = str(datetime.now(UTC).date())
    await both(scene, drawn, *({"answer": "made", "means": "phone", "on": today},) * 4)
    assert len(await scene.events("ContactMade", "ContactLogged")) > 1


async def test_an_engine_that_is_away_is_said_and_the_answer_can_be_sent_again(scene: Scene, stack: RealStack) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    drawn, jeanne = await scene.drawn(Purpose.PROPOSAL), scene.browser()
    await jeanne.get(path(drawn))
    scene.house._client, scene.house.temporal_address = None, "127.0.0.1:1"
    answer = await jeanne.send(path(drawn), answer="yes")
    assert answer.status_code == 503 and "On ne sait pas encore si votre réponse est arrivée" in words(answer)
    scene.house.temporal_address = stack.temporal
    again = await jeanne.get(path(drawn))
    assert again.status_code == 200 and "Envoyer de nouveau" in words(again)
    assert (await jeanne.send(path(drawn), answer="no")).status_code == 303, "the first answer is the one that counts"
    assert len(await scene.events("MentorMatched")) == 1 and await scene.events("MentorDeclined") == []


async def test_who_stops_messages_while_the_engine_is_away_has_stopped_them(scene: Scene, stack: RealStack) -> None:
    first, second = [await scene.drawn(Purpose.MESSAGES) for _ in range(2)]
    eloise = scene.browser()
    await eloise.get(path(first))
    scene.house._client, scene.house.temporal_address = None, "127.0.0.1:1"
    assert (await eloise.send(path(first), answer="stop")).status_code == 303
    known = await people.person(scene.pool, scene.person)
    assert known is not None and known.opted_out and await scene.events("OptedOut") == []
    assert "Vous ne recevrez plus de messages" in words(await eloise.get(path(first)))
    program = httpx.AsyncClient(transport=httpx.ASGITransport(scene.application), base_url=HERE)
    asking = {"List-Unsubscribe": "One-Click"}
    assert (await program.post(links.AT_ONCE + second.token, data=asking)).status_code == 200
    scene.house.temporal_address = stack.temporal

    async def send(command: Command) -> Any:
        return await give(scene.pool, await scene.house.client(), command, scene.house.settings.task_queue)

    await tell_of_people(scene.pool, scene.house.ring, send, datetime.now(UTC))
    assert len(await scene.events("OptedOut")) == 1, "the next round tells the journey"


# --- opening changes nothing


async def test_a_scanner_that_opens_every_link_of_a_mail_changes_nothing(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    drawn = await scene.drawn(Purpose.PROPOSAL)
    before, used = len(await scene.events()), await scene.pool.fetchval("SELECT count(*) FROM link_uses")
    for _ in range(5):
        assert (await scene.opened(drawn)).status_code == 200
    async with httpx.AsyncClient(transport=httpx.ASGITransport(scene.application), base_url=HERE) as scanner:
        assert (await scanner.head(path(drawn))).status_code == 405
        assert (await scanner.get(path(drawn) + "?answer=yes")).status_code == 200
        assert (await scanner.post(path(drawn), data={"answer": "yes"})).status_code == 403, "no page of ours"
    assert len(await scene.events()) == before
    assert await scene.pool.fetchval("SELECT count(*) FROM link_uses") == used
    assert (await scene.opened(drawn)).status_code == 200


async def test_a_form_without_origin_is_taken_as_browsers_send_it_from_a_page_without_referrer(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    drawn, jeanne = await scene.drawn(Purpose.PROPOSAL), scene.browser()
    await jeanne.get(path(drawn))
    fields = {**jeanne.hidden(path(drawn)), "answer": "yes"}
    other = {"origin": "null", "sec-fetch-site": "cross-site"}
    assert (await jeanne.post(path(drawn), fields, **other)).status_code == 403
    here = {"origin": "null", "sec-fetch-site": "same-origin"}
    assert (await jeanne.post(path(drawn), fields, **here)).status_code == 303


# --- links that open nothing


async def test_expired_revoked_and_unknown_links_say_what_to_do_and_nothing_else(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    expired = await scene.drawn(Purpose.PROPOSAL, until=datetime.now(UTC) - timedelta(seconds=1))
    answer = await scene.opened(expired)
    assert answer.status_code == 410 and "n’est plus valable" in words(answer)
    drawn = await scene.drawn(Purpose.PROPOSAL)
    await links.revoke(scene.pool, new_id(), drawn.link.id, datetime.now(UTC))
    assert (await scene.opened(drawn)).status_code == 200, "it is not a link of that other journey"
    jeanne = scene.browser()
    await jeanne.get(path(drawn))
    await links.revoke(scene.pool, scene.id, drawn.link.id, datetime.now(UTC))
    assert (await jeanne.send(path(drawn), answer="yes")).status_code == 410
    revoked = await scene.opened(drawn)
    assert revoked.status_code == 410 and "remplacé ou retiré" in words(revoked)
    for answer in (await scene.opened(expired), revoked, await scene.browser().get(links.PATH + "x")):
        told = words(answer)
        assert "ppelez la personne" in told
        assert not any(name in told for name in ("Jeanne", "Éloïse", "Claire", "mentor"))
    assert await scene.events("MentorMatched", "CommandRefused") == []


async def test_forged_altered_and_unknown_links_are_answered_alike(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    drawn = await scene.drawn(Purpose.PROPOSAL)
    stranger = links.draw(KeyRing("x", {"x": b"1" * 32}), ask_of(drawn.link), scene.id, "fr", datetime.now(UTC))
    await links.issue(scene.pool, stranger)
    good = (await scene.drawn(Purpose.PROPOSAL)).token
    altered = [good[:n] + ("A" if good[n] != "A" else "B") + good[n + 1 :] for n in range(len(good))]
    made_up = ["x", "%00", "é" * 48, "A" * 48, good + "A", good[:-1], good.upper(), stranger.token, "x" * 5000]
    answers = {
        (answer.status_code, re.sub(r'<a href="\?lang[^>]+>', "", answer.text))
        for token in (*altered, *made_up)
        if (answer := await scene.browser().get(links.PATH + token))
    }
    assert len(answers) == 1
    assert (await scene.browser().get(links.PATH + good)).status_code == 200
    assert next(iter(answers))[0] == 404


async def test_without_the_signature_whoever_can_write_rows_could_make_links(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard taken away from outside: what it keeps out comes in."""
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    other = await scene.drawn(Purpose.PROPOSAL)
    forged = links.draw(KeyRing("x", {"x": b"1" * 32}), ask_of(other.link), scene.id, "fr", datetime.now(UTC))
    await links.issue(scene.pool, forged)
    assert (await scene.opened(forged)).status_code == 404
    monkeypatch.setattr(links, "_holds", lambda *_: True)
    assert (await scene.opened(forged)).status_code == 200


async def test_a_link_is_worth_nothing_for_what_it_was_not_signed_for(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    owner = await asyncpg.connect(scene.owner)
    for column, value in {
        "journey": new_id(), "recipient": new_id(), "subject": new_id(), "role": "partner", "purpose": "contact",
        "expires_at": datetime.now(UTC) + timedelta(days=400),
    }.items():  # fmt: skip
        drawn = await scene.drawn(Purpose.PROPOSAL)
        assert (await scene.opened(drawn)).status_code == 200
        await owner.execute(f"UPDATE links SET {column} = $1 WHERE id = $2", value, drawn.link.id)
        assert (await scene.opened(drawn)).status_code == 404, column
    await owner.close()


async def test_after_the_mentor_was_ended_the_link_refuses_plainly(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.matched()
    drawn, jeanne = await scene.drawn(Purpose.CONTACT), scene.browser()
    await jeanne.get(path(drawn))
    fields = {**jeanne.hidden(path(drawn)), "answer": "made", "means": "phone", "on": str(datetime.now(UTC).date())}
    await scene.do(c.EndMentor(), reason="Déménagement")
    gone = await jeanne.get(path(drawn))
    assert gone.status_code == 410 and "n’attend plus de réponse" in words(gone) and "Éloïse" not in gone.text
    assert (await jeanne.post(path(drawn), fields)).status_code == 410
    assert await scene.events("CommandRefused", "ContactLogged", "ContactMade") == []
    monkeypatch.setattr(pages, "still_asked", lambda *_: True)
    assert (await jeanne.post(path(drawn), fields)).status_code == 303
    (refused,) = await scene.events("CommandRefused")
    assert refused.data.code == "no-right" and refused.actor == scene.mentor  # type: ignore[attr-defined]
    told = await jeanne.get(path(drawn))
    assert told.status_code == 410 and "n’a pas pu être retenue" in words(told)
    assert await scene.events("ContactLogged", "ContactMade") == []


async def test_a_proposal_that_was_taken_back_is_not_answered_by_its_old_link(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    drawn = await scene.drawn(Purpose.PROPOSAL)
    await scene.do(c.DeclineMentor(mentor=scene.mentor))
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    assert (await scene.opened(drawn)).status_code == 410


async def test_after_the_closing_nothing_is_asked_any_more(scene: Scene) -> None:
    await scene.do(c.BookAppointment(at=await scene.engine.now() + timedelta(days=9)))
    drawn = await scene.drawn(Purpose.APPOINTMENT)
    await scene.do(c.Close(outcome="withdrawn"))
    gone = await scene.opened(drawn)
    assert gone.status_code == 410 and "Éloïse" not in gone.text


async def test_a_message_of_a_closed_journey_still_stops_those_of_another(scene: Scene) -> None:
    other = replace(scene.engine, stream=f"journey-{new_id()}")
    await scene.pool.keys.assign(other.stream, scene.person)
    assert (await other.plan()).outcome == "accepted"
    at_once, unused = [await scene.drawn(Purpose.MESSAGES) for _ in range(2)]
    await scene.do(c.Close(outcome="withdrawn"))
    program = httpx.AsyncClient(transport=httpx.ASGITransport(scene.application), base_url=HERE)
    asking = {"data": {"List-Unsubscribe": "One-Click"}}
    assert (await program.post(links.AT_ONCE + at_once.token, **asking)).status_code == 200  # type: ignore[arg-type]
    assert [event.kind for event in await other.events()].count("OptedOut") == 1
    choice = choice_of((await scene.known())[0], datetime.now(UTC) + timedelta(days=14))
    assert choice is not None and choice.subject == "again"
    begins, eloise = links.draw(RING, choice, scene.id, "fr", datetime.now(UTC)), scene.browser()
    await links.issue(scene.pool, begins)
    await eloise.get(path(begins))
    assert (await eloise.send(path(begins), answer="again")).status_code == 303
    assert [event.kind for event in await other.events()].count("OptedIn") == 1
    shown = await eloise.get(path(unused))
    assert shown.status_code == 200 and "Votre accompagnement continue" not in words(shown)
    await scene.do(c.OptOut())
    assert (await eloise.get(path(unused))).status_code == 200, (
        "their own last word, which a closed journey may not know"
    )
    died = replace(other, stream=f"person-{scene.person}").command(c.RecordDeath(), datetime.now(UTC))
    await people.obey(scene.pool, RING, died, datetime.now(UTC))
    gone = await eloise.get(path(unused))
    assert gone.status_code == 410 and "Éloïse" not in gone.text, "a closed journey is not told of it"


# --- what is kept, and who may read it


async def test_only_hashes_are_kept_and_no_role_rewrites_them(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    drawn = await scene.drawn(Purpose.PROPOSAL)
    owner = await asyncpg.connect(scene.owner)
    row = await owner.fetchrow("SELECT * FROM links WHERE id = $1", drawn.link.id)
    assert drawn.token not in repr(dict(row))
    assert drawn.token not in repr(drawn) and drawn.token not in repr(drawn.link)
    await links.revoke(scene.pool, scene.id, drawn.link.id, datetime.now(UTC))
    for role, statement in [
        (role, f"{verb} {table}{rest}")
        for role in ("journeys_writer", "journeys_web", "journeys_reader", "journeys_retention")
        for table in ("links", "link_uses")
        for verb, rest in (("UPDATE", f" SET {'id' if table == 'links' else 'link'} = gen_random_uuid()"),
                           ("DELETE FROM", ""), ("TRUNCATE", ""))
    ] + [("journeys_web", "INSERT INTO link_uses (link, step, at) SELECT id, 'settled', now() FROM links"),
         ("journeys_web", "SELECT hash FROM links"), ("journeys_reader", "SELECT hash FROM links")]:  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with owner.transaction():
                await owner.execute(f"SET LOCAL ROLE {role}")
                await owner.execute(statement)
    await owner.close()


async def test_a_link_opens_one_journey_to_reading_and_only_while_it_holds(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    drawn = await scene.drawn(Purpose.PROPOSAL)
    by = By(actor="system", role="system", at=datetime.now(UTC))
    await people.register(scene.pool, new_id(), people.Details(first_name="Autre", last_name="Personne"), by)

    async def seen(token: str, at: datetime) -> tuple[set[str], set[str]]:
        async with scene.house.reading.acquire() as connection, connection.transaction():
            await links.enter(connection, RING, token, at)
            journeys = {str(row["id"]) for row in await connection.fetch("SELECT id FROM journeys")}
            rows = await connection.fetch("SELECT id::text, sealed FROM people")
            known = await vault.unseal(connection, [tuple(row) for row in rows])
            return journeys, {each.first_name for each in known if each is not None}

    now = datetime.now(UTC)
    assert await seen(drawn.token, now) == ({scene.id}, {"Éloïse"})
    assert await seen(drawn.token, drawn.link.expires_at) == (set(), set())
    assert await seen("x", now) == (set(), set())
    async with scene.house.reading.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM journeys") == 0, "not after the transaction"
    owner = await asyncpg.connect(scene.owner)
    await owner.execute("DROP POLICY link ON journeys")
    await owner.close()
    assert await seen(drawn.token, now) == (set(), set()), "without its policy a link opens nothing"


async def test_nobody_but_who_leads_the_journey_gives_links(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    by = By(actor="system", role="system", at=datetime.now(UTC))
    for role, status in (("auditor", 403), ("duty", 403), ("supervisor", 200), ("referent", 404), ("finance", 404)):
        id = new_id()
        member = staff.Member(id=id, handle=role, name=role, email=None, phone=None, language="fr", roles=(role,),
                              sites=(), active=True)  # fmt: skip
        await staff.add(scene.pool, member, by)
        browser = scene.browser()
        browser.client.cookies.set("session", await sessions.open_session(scene.pool, id, "password"))
        assert (await browser.get(f"/parcours/{scene.id}/liens")).status_code == status, role
    claire = await scene.enters()
    await claire.get(f"/parcours/{scene.id}/liens")
    made = await claire.send(f"/parcours/{scene.id}/liens")
    where = path_in(made.text)
    (given,) = await links.given(scene.pool, scene.id, datetime.now(UTC))
    assert given.issued_by == scene.engine.referent
    await claire.get(f"/parcours/{scene.id}/liens")
    assert (await claire.send(f"/parcours/{scene.id}/liens/{given.id}/retirer")).status_code == 303
    assert (await scene.browser().get(where)).status_code == 410


async def test_no_log_holds_what_opens_a_link(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    drawn, jeanne = await scene.drawn(Purpose.PROPOSAL), scene.browser()
    owner = await asyncpg.connect(scene.owner)
    with structlog.testing.capture_logs() as logs:
        await jeanne.get(path(drawn))
        await jeanne.send(path(drawn), answer="yes")
        await owner.execute("REVOKE EXECUTE ON FUNCTION link_enter FROM journeys_web")
        failed = await jeanne.get(path(drawn))
    await owner.close()
    assert failed.status_code == 503 and "rien n’a été changé" in words(failed) and 'href="/"' not in failed.text
    assert failed.headers["referrer-policy"] == "no-referrer"
    assert any(each.get("path") == "/lien/…" for each in logs) and len(logs) > 1
    told = repr([{**each, "exc_info": repr(each.get("exc_info"))} for each in logs])
    assert drawn.token not in told and "Jeanne" not in told and "jeanne@" not in told


async def test_whoever_tries_links_too_often_waits(scene: Scene) -> None:
    scene.application = make_application(scene.house, pace=Pace(100, 100, 3))
    browser = scene.browser()
    assert [(await browser.get(f"{links.PATH}{n}")).status_code for n in range(5)] == [404, 404, 404, 429, 429]
    assert (await browser.get("/connexion")).status_code == 200


def ask_of(link: Link) -> Ask:
    return Ask("mentor", link.recipient, link.purpose, link.subject, link.expires_at)


# --- calendars of the person


def feed_in(text: str) -> str:
    found = re.search(rf"({feeds.PATH}[\w-]+)", text)
    assert found is not None, text
    return found[1]


async def test_a_calendar_shows_appointments_until_it_is_taken_back_or_the_journey_closes(scene: Scene) -> None:
    claire, phone = await scene.enters(), scene.browser()
    at = (datetime.now(UTC) + timedelta(days=9)).replace(hour=9, minute=0, second=0, microsecond=0)
    await scene.do(c.BookAppointment(at=at, minutes=30), place="12 rue des Lilas")
    await scene.do(c.BookAppointment(at=at + timedelta(days=1), minutes=30))
    (_, off) = await scene.events("AppointmentBooked")
    await scene.do(c.CloseAppointment(appointment=off.data.appointment, outcome="cancelled"))  # type: ignore[attr-defined]
    wheres = []
    for _ in range(2):
        page = await claire.get(f"/parcours/{scene.id}/liens")
        assert "Faire une adresse d’agenda" in words(page)
        given = await claire.send(f"/parcours/{scene.id}/agenda")
        assert "<svg" in given.text
        wheres.append(feed_in(given.text))
    assert wheres[0] not in (await claire.get(f"/parcours/{scene.id}/liens")).text, "it is shown once"
    answer = await phone.get(wheres[0])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert (event["DTSTART"].dt, str(event["LOCATION"])) == (at, "12 rue des Lilas")
    assert not re.search("Éloïse|Dœuvre|prison|Martin", answer.text)

    newest, oldest = await feeds.of_journey(scene.pool, scene.id)
    assert (await claire.send(f"/parcours/{scene.id}/agenda/{newest.id}/retirer")).status_code == 303
    assert [each.id for each in await feeds.of_journey(scene.pool, scene.id)] == [oldest.id]
    gone = await phone.get(wheres[1])
    assert gone.status_code == 410 and "ne montre plus rien" in gone.text and "LOCATION" not in gone.text
    assert (await phone.get(wheres[0])).status_code == 200
    await scene.do(c.Close(outcome="moved"))
    closed = await phone.get(wheres[0])
    assert (closed.status_code, closed.text) == (410, gone.text), "which of the two it was is told to nobody"
    assert "Faire une adresse d’agenda" not in words(await claire.get(f"/parcours/{scene.id}/liens"))
    for wrong in (feeds.PATH + "x", wheres[0] + "x", feeds.PATH + "%00", feeds.PATH + "é" * 300):
        assert (await phone.get(wrong)).status_code == 404


async def test_a_letter_about_an_appointment_carries_it_for_a_calendar(scene: Scene) -> None:
    at = (datetime.now(UTC) + timedelta(days=5)).replace(hour=9, minute=0, second=0, microsecond=0)
    await scene.do(c.BookAppointment(at=at, minutes=30), place="12 rue des Lilas")
    await scene.engine.pass_days(4.5)
    await scene.letter("eloise@example.org")
    (found,) = [
        part for each in (await laid(scene.outbox, scene.engine.pool.keys))[0]
        for part in email.message_from_bytes(each.whole).walk()
        if part.get_content_type() == "text/calendar"
    ]  # fmt: skip
    (event,) = Calendar.from_ical(found.get_payload(decode=True)).walk("VEVENT")  # type: ignore[arg-type]
    assert (event["DTSTART"].dt, str(event["LOCATION"])) == (at, "12 rue des Lilas")


async def test_a_letter_is_handed_over_without_the_link_that_answers_for_somebody(scene: Scene) -> None:
    await scene.do(c.ProposeMentor(mentor=scene.mentor))
    await scene.engine.pass_days(2.5)
    where = await scene.link("jeanne@example.org")
    row, known = await views.journey(scene.pool, scene.id), await people.person(scene.pool, scene.person)
    assert row is not None and known is not None
    held = await held_of(scene.pool, RING, scene.outbox, known, [await load(scene.pool, row)], [], "fr")
    data = json.dumps(as_data(held, "fr"), ensure_ascii=False, default=str)
    paper = "\n".join(words_of_messages(held, known, "fr", datetime.now(UTC), "Auxilia").paragraphs)
    for said in (data, paper):
        assert "Bonjour Jeanne" in said and "[lien personnel retiré]" in said
        assert links.PATH not in said and where.removeprefix(links.PATH) not in said
