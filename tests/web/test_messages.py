"""The messages of a journey as a page: each state in words, what is in doubt, why one was not sent, what came back."""

import html
import re
import uuid
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest_asyncio

from journeys.app.cli import checkup
from journeys.app.web.application import make_application
from journeys.app.web.house import House, open_house
from journeys.channels.letter import Fate, Sent
from journeys.domain import commands as c
from journeys.settings import load_settings
from journeys.store import attempts, people, staff
from tests.activities.conftest import PROGRAMME, Life, make_life
from tests.activities.test_short_messages import phoned
from tests.web.conftest import Ground
from tests.web.pace import Unhurried

REMINDED = datetime(2027, 5, 12, 7, 0, tzinfo=UTC)
STEPS = {
    "quiet": "sans nouvelle", "arrived": "remis", "returned": "rendu", "doubted": "douteux", "waiting": "repoussé",
    "by-mail": "par courriel", "stopped": "arrêté",
}  # fmt: skip
"""Milestones by what becomes of their reminder, and what each is about."""
_LINE = re.compile(
    r'<th scope="row">(?P<when>.*?)</th><td><span class="state (?P<tone>\w+)">(?P<said>.*?)</span>'
    r"(?P<gone>.*?)</td><td>(?P<to>.*?)</td><td>(?P<about>.*?)</td></tr>"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A line of the page; `gone`: the channels that were tried before."""

    said: str
    tone: str
    to: str
    gone: str


@dataclass
class Screen:
    """A journey whose reminders came to everything that can become of one, and the page of its messages."""

    life: Life
    ground: Ground

    async def text(self) -> str:
        client = self.ground.browser(await self.ground.session(self.life.referent))
        answer = await client.get(f"/parcours/{self.life.stream.removeprefix('journey-')}/messages")
        assert answer.status_code == 200, answer.text
        return html.unescape(answer.text).replace("\xa0", " ").replace("\u202f", " ")

    async def lines(self) -> dict[str, Shown]:
        """By what each is about."""
        found = {each["about"].rpartition(", ")[2].strip("« »"): each for each in _LINE.finditer(await self.text())}
        return {about: Shown(each["said"], each["tone"], each["to"], each["gone"]) for about, each in found.items()}


@pytest_asyncio.fixture
async def screen(journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Screen]:
    milestones = {
        code: {"label": label, "due": "3 days after start",
               "remind": [{"to": "participant", "when": "1 day before", "template": "deadline-near"}]}
        for code, label in STEPS.items()
    } | {"later": {"label": "plus tard", "due": "30 days after start",
                   "remind": [{"to": "participant", "when": "1 day before", "template": "deadline-near"}]}}  # fmt: skip
    life = await make_life(journal_pool, {**deepcopy(PROGRAMME), "milestones": milestones})
    await life.begin()
    await played(life)
    settings = load_settings(data_dir=tmp_path, signing_key="ab" * 32, sms={"silent_hours": 0.000001})
    async with open_house(settings, database_url, "127.0.0.1:1") as house:
        yield Screen(life, Ground(house, make_application(house, pace=Unhurried()), database_url))


async def played(life: Life) -> None:
    """Every reminder of the day leaves, or does not; then phones and the gateway say what they say."""
    texter = await phoned(life)
    await life.until(REMINDED)
    about = {each.details["id"]: life.state.messages[each.details["id"]].about.id
             for each in life.effects("deliver", to="participant")}  # fmt: skip
    answers = {
        "doubted": Sent(Fate.UNKNOWN, "sms-timeout"), "waiting": Sent(Fate.NOTHING_LEFT, "sms-busy"),
        "by-mail": Sent(Fate.REFUSED, "refused"),
    }  # fmt: skip
    last = None
    for effect in life.effects("deliver", to="participant"):
        what = about[effect.details["id"]]
        if what == "stopped":
            last = effect
            continue
        texter.answers = [answers.get(what, Sent(Fate.SENT))]
        await life.settle(effect)
    ids = {what: id for id, what in about.items()}
    await life.do(c.RecordReceipt(of="message", id=ids["arrived"], said="delivered"), actor="system", role="system")
    await life.do(
        c.RecordReceipt(of="message", id=ids["returned"], said="bounced", reason="dead-number"), actor="system",
        role="system",
    )  # fmt: skip
    assert last is not None
    await life.do(c.OptOut())
    await life.settle(last)


async def test_each_message_says_in_words_where_it_stands(screen: Screen) -> None:
    lines = await screen.lines()
    assert lines.keys() == {*STEPS.values(), "plus tard"}
    said = {about: each.said for about, each in lines.items()}
    assert said["remis"] == "Arrivé (SMS)" and lines["remis"].tone == "done"
    assert said["rendu"] == "Revenu sans être remis (SMS) : numéro qui n’est plus attribué"
    assert said["douteux"] == "Peut-être parti, pas renvoyé : la passerelle ne répond pas"
    assert {lines["rendu"].tone, lines["douteux"].tone} == {"late"}
    assert said["sans nouvelle"] == "Parti, sans nouvelle depuis (SMS)" and lines["sans nouvelle"].tone == "late"
    assert said["plus tard"] == "Prévu" and lines["plus tard"].tone == "calm"
    assert said["arrêté"].startswith("Pas envoyé : ") and "ne veut pas de message" in said["arrêté"]
    assert {each.to for each in lines.values()} == {"Personne accompagnée"}


async def test_what_another_channel_took_says_which_one_would_not(screen: Screen) -> None:
    line = (await screen.lines())["par courriel"]
    assert line.said == "Parti (courriel)" and "SMS :" in line.gone and line.tone == "done"


async def test_the_journeys_page_says_by_what_the_person_is_reached_no_more(screen: Screen) -> None:
    life, client = screen.life, screen.ground.browser(await screen.ground.session(screen.life.referent))
    there = f"/parcours/{life.stream.removeprefix('journey-')}"
    assert "ne répond plus, à lui" not in (await client.get(there)).text
    await people.note_channel(life.pool, life.person, "sms", "dead-number", life.by)
    text = html.unescape((await client.get(there)).text)
    assert "son numéro ne répond plus, à lui redemander" in text and "son adresse ne répond plus, à" not in text


async def test_what_waits_says_until_when(screen: Screen) -> None:
    line = (await screen.lines())["repoussé"]
    assert (line.said, line.tone) == ("En attente jusqu’au 12 mai 2027 à 9 h 15", "soon")


async def test_the_page_says_first_how_many_may_not_have_arrived(screen: Screen) -> None:
    text = await screen.text()
    assert '<p class="lead">8 messages.</p>' in text
    assert "3 messages ne sont peut-être pas arrivés : voyez la personne autrement." in text
    assert "à l’équipe" not in text
    assert text.index("Prévu le") < text.index("<tbody>")


async def test_what_failed_to_reach_a_colleague_does_not_tell_to_see_the_person(screen: Screen) -> None:
    life = screen.life
    await life.do(c.RequestErasure(), reason="Elle le demande.")
    (notice,) = life.effects("deliver", to="supervisor")
    await life.settle(notice)
    told = c.RecordReceipt(of="message", id=notice.details["id"], said="bounced", reason="mail-5-1-1")
    await life.do(told, actor="system", role="system")
    text = await screen.text()
    assert "3 messages ne sont peut-être pas arrivés : voyez la personne autrement." in text
    assert (
        "1 message à l’équipe, à un mentor ou à un partenaire n’est peut-être pas arrivé : prévenez autrement" in text
    )


async def test_no_code_is_shown(screen: Screen) -> None:
    shown = " ".join(f"{each.said} {each.gone} {each.to}" for each in (await screen.lines()).values())
    assert not re.search(
        r"\b(sms[ -][a-z0-9]|mail[ -]|dead-number|opted-out|unknown|suppressed|bounced|refused)", shown
    ), shown


async def test_a_colleague_whose_mail_does_not_arrive_is_marked_on_the_staffs_page_and_by_the_doctor(
    screen: Screen,
) -> None:
    house, life = screen.ground.house, screen.life
    client = screen.ground.browser(await screen.ground.session(life.supervisor))
    assert "n’arrivent pas" not in html.unescape((await client.get("/equipe")).text)
    assert "staff-mail" not in await doctor_says(house)
    assert await staff.mail_failed(house.writing, life.referent, "mail-5-1-1", life.by, returned=True)
    said = html.unescape((await client.get("/equipe")).text).replace("\xa0", " ")
    assert "ses courriels n’arrivent pas" in said and "cette adresse n’existe pas" in said
    assert "staff-mail" in await doctor_says(house)


async def test_a_gateway_that_refuses_our_account_is_told_by_the_doctor_until_it_takes_a_message(
    screen: Screen,
) -> None:
    house, life = screen.ground.house, screen.life
    for fate, reason, told in (
        ("nothing-left", "sms-402", True),
        ("nothing-left", "sms-503", True),
        ("sent", "", False),
    ):
        attempt = await attempts.begin(house.writing, str(uuid.uuid4()), life.stream, "sms", life.now)
        assert attempt is not None
        await attempts.ended(house.writing, attempt, fate, reason, "")
        assert ("channel" in await doctor_says(house)) is told, reason


async def doctor_says(house: House) -> list[str]:
    """Names of what `journeys doctor` finds of messages."""

    class Here:
        settings = house.settings
        now = datetime.now(UTC)

        async def pool(self) -> Any:
            return house.writing

    return [each.name for each in await checkup._messages(cast(Any, Here()))]
