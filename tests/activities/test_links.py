"""One-time links on their way out: in the letters that ask for an answer, holding only once the letter leaves."""

import re
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

import activities.posting
from activities.letters import Matter, template_of, volunteer_addressee
from activities.posting import post, write_letters
from activities.reading import read_journey
from journeys.channels.letter import Fate, Sent
from journeys.domain import commands as c
from journeys.domain.links import asks
from journeys.store import claims, links, mentors, partners
from tests.activities.conftest import PROGRAMME, Life, Postman, make_life

BASE = "https://parcours.example.org"
MENTORED = {
    **PROGRAMME,
    "milestones": {**PROGRAMME["milestones"], "found": {"label": "mentor trouvé", "check": "mentor"}},  # type: ignore[dict-item]
    "contacts": {
        "mentoring": {
            "label": "mentorat", "start": "at found reached", "cadence": ["every 1 week until 2 months"],
            "by": "mentor", "means": ["phone"], "missed": "mentor-first",
        }
    },
    "ladders": {
        **PROGRAMME["ladders"],  # type: ignore[dict-item]
        "mentor-first": {
            "steps": [{"to": "mentor", "after": "0 hours", "fallback": ["referent"]},
                      {"to": "supervisor", "after": "2 working days"}, {"to": "duty", "after": "4 working days"}]
        },
    },
}  # fmt: skip


@pytest_asyncio.fixture
async def mentored(lives_pool: Any) -> Life:
    """A life with a mentor, on an installation that people outside can reach."""
    life = await make_life(lives_pool, MENTORED)
    await life.begin()
    life.use(public_url=BASE)
    return life


async def a_mentor(life: Life) -> str:
    id = str(uuid.uuid4())
    mentor = mentors.Mentor(id=id, name="Jeanne Petit", email="jeanne@example.org", phone=None, language="fr",
                            site=None, capacity=2)  # fmt: skip
    await mentors.add(life.pool, mentor, life.by)
    return id


async def proposed(life: Life) -> Any:
    """A mentor is proposed; the message to them that is on its way."""
    await life.do(c.ProposeMentor(mentor=await a_mentor(life)))
    (effect,) = life.effects("deliver", to="mentor")
    return effect


def tokens(life: Life) -> list[str]:
    return [token for letter in life.postman.letters for token in re.findall(rf"{BASE}/lien/([\w-]+)", letter.body)]


async def kept(life: Life) -> list[Any]:
    found: list[Any] = await life.pool.fetch(
        "SELECT l.*, r.at AS revoked FROM links l LEFT JOIN link_uses r ON r.link = l.id AND r.step = 'revoked'"
        " WHERE journey = $1 ORDER BY issued_at", life.stream.removeprefix("journey-"),
    )  # fmt: skip
    return found


async def stands(life: Life, token: str) -> str | None:
    async with life.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE journeys_web")
        opened = await links.enter(connection, life.resources.ring, token, life.now)
        return opened.stands if opened is not None else None


async def test_a_proposal_carries_a_link_that_opens_and_is_told_apart_by_its_hash(mentored: Life) -> None:
    await mentored.run(await proposed(mentored))
    (token,) = tokens(mentored)
    (row,) = await kept(mentored)
    assert await stands(mentored, token) == "open"
    assert (row["role"], row["purpose"], row["language"], row["issued_by"]) == ("mentor", "proposal", "fr", None)
    assert token.encode() not in bytes(row["hash"]) and row["issued_at"] == mentored.now


async def test_without_a_public_address_a_message_says_whom_to_ask(mentored: Life) -> None:
    mentored.use(public_url=None)
    await mentored.run(await proposed(mentored))
    (letter,) = mentored.postman.letters
    assert "voyez avec Claire Martin" in letter.body and "/lien/" not in letter.body
    assert await kept(mentored) == []


async def test_a_referral_and_an_appointment_carry_theirs(mentored: Life) -> None:
    partner = partners.Partner(id=str(uuid.uuid4()), name="Foyer", kind="housing", email="foyer@example.org",
                               phone=None, language="fr", site=None)  # fmt: skip
    await partners.add(mentored.pool, partner, mentored.by)
    await mentored.do(c.SendReferral(partner=partner.id, purpose="housing"))
    at = mentored.now + timedelta(days=4)
    await mentored.do(c.BookAppointment(at=at))
    (referral,) = mentored.effects("deliver", to="partner")
    await mentored.settle(referral)
    await mentored.until(at - timedelta(days=2))
    (reminder,) = [e for e in mentored.effects("deliver", to="participant") if
                   mentored.state.messages[e.details["id"]].about.kind == "appointment"]  # fmt: skip
    await mentored.run(reminder)
    assert len(tokens(mentored)) == 3
    first, second, _ = await kept(mentored)
    assert (first["purpose"], second["purpose"]) == ("referral", "appointment")
    assert second["expires_at"] == at, "nothing is answered after the hour"


@pytest.mark.parametrize("offered", [True, False])
async def test_a_new_hour_carries_one_only_where_others_may_be_taken(mentored: Life, offered: bool) -> None:
    at = mentored.now + timedelta(days=4)
    await mentored.do(c.BookAppointment(at=at))
    (id,) = mentored.state.appointments
    await mentored.until(mentored.now + timedelta(hours=2))
    others = (at + timedelta(hours=2),) if offered else ()
    await mentored.do(c.MoveAppointment(appointment=id, at=at + timedelta(hours=1), or_at=others))
    for effect in mentored.effects("deliver", to="participant"):
        await mentored.run(effect)
    assert [row["purpose"] for row in await kept(mentored)].count("appointment") == offered
    assert any("a changé" in letter.body for letter in mentored.postman.letters)


async def test_each_letter_to_the_person_can_be_the_last_also_by_an_older_one(mentored: Life) -> None:
    await mentored.settle(await mentored.reminded())
    await mentored.do(c.BookAppointment(at=mentored.now + timedelta(days=4)))
    await mentored.until(mentored.now + timedelta(days=2, hours=1))
    for effect in mentored.effects("deliver", to="participant"):
        await mentored.settle(effect)
    first, *_, last = [one for one in mentored.postman.letters if one.to == "eloise@example.org"]
    assert first is not last
    for letter in (first, last):
        token = re.findall(rf"{BASE}/lien/([\w-]+)\n$", letter.body)[0]
        assert letter.unsubscribe == f"{BASE}/lien/stop/{token}"
        assert await stands(mentored, token) == "open"
    assert all(one.unsubscribe is None for one in mentored.postman.letters if one.to != "eloise@example.org")
    journey = mentored.stream.removeprefix("journey-")
    async with mentored.pool.acquire() as connection:
        shown = await links.given(connection, journey, mentored.now)
    assert all(link.purpose != "messages" for link in shown), "one in each message, none to be managed"


async def test_without_tls_no_mail_program_is_told_to_ask(mentored: Life) -> None:
    mentored.use(public_url="http://parcours.example.org")
    await mentored.settle(await mentored.reminded())
    letter = next(one for one in mentored.postman.letters if one.to == "eloise@example.org")
    assert "http://parcours.example.org/lien/" in letter.body and letter.unsubscribe is None


async def test_the_letter_about_a_missed_contact_lets_the_mentor_record_it(mentored: Life) -> None:
    mentor = await a_mentor(mentored)
    await mentored.do(c.ProposeMentor(mentor=mentor))
    await mentored.do(c.MatchMentor(mentor=mentor))
    await mentored.until(mentored.now + timedelta(days=9))
    about = {id: known.about.kind for id, known in mentored.state.escalations.items()}
    (effect,) = [e for e in mentored.effects("tell") if about.get(e.details["id"]) == "contact"]
    await mentored.run(effect)
    assert mentored.postman.recipients[-1] == "jeanne@example.org"
    (row,) = await kept(mentored)
    assert (row["purpose"], row["subject"]) == ("contact", "mentoring")


async def test_a_mentor_written_to_by_two_channels_has_one_link_that_opens(mentored: Life) -> None:
    effect = await proposed(mentored)
    known = await read_journey(mentored.pool, mentored.stream)
    ask = next(each for each in asks(known.state, mentored.book, mentored.now) if each.role == "mentor")
    matter = Matter(
        known=known, book=mentored.book, about=mentored.state.messages[effect.details["id"]].about,
        template=await template_of(mentored.resources, "escalation"), message=str(uuid.uuid4()), at=mentored.now,
    )  # fmt: skip
    mail = await volunteer_addressee(mentored.resources, "mentor", ask.recipient)
    assert mail is not None
    text = replace(mail, by="sms", address="+33612345678")
    mentored.use(texter=Postman(name="sms"))
    envelopes, _ = await write_letters(mentored.resources, matter, (text, mail))
    assert len((await post(mentored.resources, envelopes)).sent) == 2
    (row,) = await kept(mentored)
    assert row["revoked"] is None and {await stands(mentored, token) for token in tokens(mentored)} == {"open"}


async def test_a_letter_that_cannot_leave_now_is_written_anew_with_a_link_that_replaces_the_first(
    mentored: Life,
) -> None:
    mentored.postman.answers = [Sent(Fate.NOTHING_LEFT, "mail-unreachable")]
    await mentored.settle(await proposed(mentored))
    await mentored.until(mentored.now + timedelta(hours=1))
    (again,) = mentored.effects("deliver", to="mentor")
    await mentored.run(again)
    first, second = tokens(mentored)
    assert (await stands(mentored, first), await stands(mentored, second)) == ("revoked", "open")
    one, other = mentored.postman.letters
    assert one.id != other.id, "what is laid down twice must not be taken for the letter that is void"


async def test_no_link_holds_before_the_claim(mentored: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    effect = await proposed(mentored)

    async def dies(*_: Any) -> Any:
        raise OSError("the worker dies here")

    monkeypatch.setattr(claims, "claim", dies)
    with pytest.raises(Exception, match="store"):
        await mentored.run(effect)
    assert await kept(mentored) == [] and mentored.postman.letters == []


async def test_a_letter_whose_link_cannot_be_made_to_hold_stays(
    mentored: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise OSError("no database")

    monkeypatch.setattr(activities.posting.links, "issue", away)
    assert (await mentored.run(await proposed(mentored)))["answer"] == "deferred"
    assert mentored.postman.letters == []


async def test_staff_are_sent_no_link_of_anybody(mentored: Life) -> None:
    mentor = await a_mentor(mentored)
    await mentored.do(c.ProposeMentor(mentor=mentor))
    await mentored.do(c.DeclineMentor(mentor=mentor))
    for effect in mentored.effects("deliver", to="referent"):
        await mentored.run(effect)
    assert mentored.postman.letters and tokens(mentored) == []
