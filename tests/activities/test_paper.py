"""Letters on paper: the last channel, or the first where somebody chose it; sealed until they are posted."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from temporalio.testing import ActivityEnvironment

from activities.erasure import Erasure
from activities.paper import Paper
from journeys.app import posting
from journeys.app.failures import Failure
from journeys.channels.letter import Fate, Letter, Sent
from journeys.contract import Erasing
from journeys.domain import commands as c
from journeys.domain.events import MessageDue
from journeys.issuing import issue
from journeys.store import contact_erasing, erasing, journal, mentors, paper_letters, people, signing_keys
from journeys.store.directory import By, Forgotten
from journeys.store.paper_letters import Words
from tests.activities.conftest import PROGRAMME, Life, make_life
from tests.activities.test_short_messages import phoned, tried


async def words(life: Life, message: str) -> Any:
    async with life.pool.acquire() as connection:
        found = await paper_letters.words_of(connection, message, life.now)
    assert found is not None
    return found[1]


async def mine(life: Life) -> list[str]:
    found = await paper_letters.to_post(life.pool, life.now, life.referent)
    return [each.message for each in found]


async def test_who_has_neither_phone_nor_mail_is_written_to_on_paper(life: Life) -> None:
    details = people.Details(first_name="Éloïse", last_name="D’Œuvre", email=None, phone=None)
    await people.change(life.pool, life.person, details, life.by)
    result = await life.settle(await life.reminded())
    assert (result["answer"], result["reason"]) == ("sent", "letter")
    assert life.postman.letters == [] and await tried(life) == [("letter", "sent", "")]
    assert [one.about.id for one in life.state.escalations.values()] == ["address-dead"]
    (message,) = await mine(life)
    said = await words(life, message)
    assert isinstance(said, Words) and said.recipient == "Éloïse D’Œuvre" and "13 mai 2027" in said.body
    sealed = await life.pool.fetchval("SELECT sealed FROM paper_letters WHERE message = $1", message)
    assert "Éloïse".encode() not in sealed and b"mai" not in sealed

    by = By(actor=life.referent, role="referent", at=life.now)
    assert await paper_letters.posted(life.pool, message, by)
    assert not await paper_letters.posted(life.pool, message, by), "twice is once"
    assert (await life.of_the_person())[-1] == "LetterPosted" and await mine(life) == []


async def test_a_letter_that_left_before_it_was_overtaken_is_noted_with_its_day(life: Life) -> None:
    details = people.Details(first_name="Éloïse", last_name="D’Œuvre", email=None, phone=None)
    await people.change(life.pool, life.person, details, life.by)
    await life.settle(await life.reminded())
    (message,) = await mine(life)
    made, later = life.now.date(), life.now + timedelta(days=3)
    await signing_keys.announce(life.pool, life.resources.ring)
    stop = issue(
        life.resources.ring, stream=people.stream_of(life.person), body=c.OptOut(), actor=life.person,
        roles=("participant",), now=life.now + timedelta(days=1),
    )  # fmt: skip
    assert (await people.obey(life.pool, life.resources.ring, stop, stop.signed_at)).outcome == "accepted"

    async def noted(on: date | None) -> str | None:
        async with life.pool.acquire() as connection:
            try:
                await posting.was_posted(connection, life.pool, message, later, on)
            except Failure as failure:
                return failure.code
        return None

    asked = [None, *(made + timedelta(days=days) for days in (-1, 0, 1, 2))]
    then = "letter-not-posted-then"
    assert [await noted(on) for on in asked] == ["letter-not-for-posting", then, None, None, then]
    assert await paper_letters.posted(life.pool, message, By(actor=life.referent, role="referent", at=later), made)
    fact = json.loads((await journal.read_all(life.pool, f"person-{life.person}"))[-1].header)
    assert (fact["kind"], fact["data"]["on"]) == ("LetterPosted", str(made)) and await mine(life) == []


@pytest.mark.parametrize("news", ["reached", "excused"])
async def test_a_letter_about_a_missed_appointment_is_not_for_posting_once_there_is_news(
    lives_pool: Any, news: str
) -> None:
    life = await make_life(lives_pool, {**PROGRAMME, "appointments": {"missed": [{"do": "letter"}]}})
    await life.begin()
    booked = await life.do(c.BookAppointment(at=life.now + timedelta(hours=2)))
    await life.until(life.now + timedelta(hours=4))
    await life.do(c.CloseAppointment(appointment=booked.command, outcome="missed"))
    (effect,) = life.effects("deliver", to="participant")
    await life.settle(effect)
    assert await mine(life) == [effect.details["id"]]
    if news == "reached":
        await life.do(c.NoteChase(chase=next(iter(life.state.chases)), result="reached"))
    else:
        await life.do(c.Correct(what="appointment", id=booked.command, to="excused"), reason="Elle avait appelé.")
    assert await mine(life) == []
    found = await paper_letters.waiting(life.pool, life.now, life.referent)
    assert [(each.message, each.why) for each in found] == [(effect.details["id"], "settled")]


async def test_a_letter_is_judged_again_by_what_became_of_what_it_tells_of(life: Life) -> None:
    details = people.Details(first_name="Éloïse", last_name="D’Œuvre", email=None, phone=None)
    await people.change(life.pool, life.person, details, life.by)
    booked = (await life.do(c.BookAppointment(at=life.now + timedelta(days=4)))).command
    await life.until(life.now + timedelta(days=2, hours=1))
    near: dict[str, str] = {}
    for effect in life.effects("deliver", to="participant"):
        near[life.state.messages[effect.details["id"]].about.kind] = effect.details["id"]
        await life.settle(effect)
    assert set(near) == {"appointment", "milestone"} and await standing(life) == dict.fromkeys(near.values())

    await life.do(c.MoveAppointment(appointment=booked, at=life.now + timedelta(days=1)))
    (effect,) = life.effects("deliver", to="participant")
    await life.settle(effect)
    changed = effect.details["id"]
    assert await standing(life) == {near["appointment"]: "moved", near["milestone"]: None, changed: None}

    await life.do(c.CloseAppointment(appointment=booked, outcome="cancelled"))
    await life.until(life.now + timedelta(days=2))
    found = await standing(life)
    assert (found[near["appointment"]], found[changed], found[near["milestone"]]) == ("settled", "settled", "too-late")


async def test_a_letter_is_good_while_its_appointment_stays_at_its_hour_and_place(life: Life) -> None:
    details = people.Details(first_name="Éloïse", last_name="D’Œuvre", email=None, phone=None)
    await people.change(life.pool, life.person, details, life.by)
    at = life.now + timedelta(days=4)
    booked = (await life.do(c.BookAppointment(at=at))).command
    await life.until(life.now + timedelta(days=2, hours=1))
    near = ""
    for effect in life.effects("deliver", to="participant"):
        if life.state.messages[effect.details["id"]].about.kind == "appointment":
            near = effect.details["id"]
        await life.settle(effect)

    async def moved(at: datetime, *others: datetime, **place: str) -> str | None:
        await life.do(c.MoveAppointment(appointment=booked, at=at, or_at=others), **place)
        for effect in life.effects("deliver", to="participant"):
            await life.settle(effect)
        return (await standing(life))[near]

    later, other = at + timedelta(hours=1), at + timedelta(hours=2)
    assert await moved(at, other) is None, "other times are offered, its own stays"
    (times,) = [each.message for each in await events(life) if each.template == "appointment-times"]
    assert (await standing(life))[times] is None
    assert await moved(at) is None and (await standing(life))[times] == "moved", "none is offered any more"
    assert await moved(later) == "moved"
    assert await moved(at) is None, "moved back"
    assert await moved(at, place="12 rue des Lilas") == "moved"


async def events(life: Life) -> list[MessageDue]:
    """What was owed."""
    return [each for each in await life.facts() if isinstance(each, MessageDue)]


async def standing(life: Life) -> dict[str, str | None]:
    """Letters that were not posted, each with why it is not for posting."""
    return {each.message: each.why for each in await paper_letters.waiting(life.pool, life.now, life.referent)}


async def test_paper_comes_last_when_the_others_refuse(life: Life) -> None:
    texter = await phoned(life)
    texter.answers = [Sent(Fate.REFUSED, "dead-number")]
    life.postman.answers = [Sent(Fate.REFUSED, "mail-550")]
    assert (await life.run(await life.reminded()))["reason"] == "letter"
    assert [channel for channel, *_ in await tried(life)] == ["sms", "mail", "letter"]


async def test_paper_comes_first_where_it_was_chosen(life: Life) -> None:
    await life.pool.execute("UPDATE people SET channel = 'letter' WHERE id = $1", life.person)
    await phoned(life)
    result = await life.settle(await life.reminded())
    assert (result["reason"], result["last_resort"]) == ("letter", False)
    assert life.postman.letters == [] and not life.state.escalations, "it is what they asked for"
    assert len(await mine(life)) == 1


async def test_a_doubt_about_another_channel_makes_no_letter(life: Life) -> None:
    texter = await phoned(life)
    texter.answers = [Sent(Fate.UNKNOWN, "sms-timeout")]
    assert (await life.run(await life.reminded()))["answer"] == "unknown"
    assert await mine(life) == []


async def laid(life: Life, body: str = "Bonjour", **known: Any) -> str:
    message = str(uuid4())
    letter = Letter(id=message, to="Éloïse D’Œuvre", subject="Rendez-vous", body=body, lang="fr", at=life.now,
                    about=life.stream, **known)  # fmt: skip
    assert (await Paper(life.pool).send(letter)).fate is Fate.SENT
    return message


async def why(life: Life) -> list[str | None]:
    return [each.why for each in await paper_letters.waiting(life.pool, life.now, life.referent)]


@pytest.mark.parametrize(
    ("stands", "code"),
    [
        ("opted_out = true", "opted-out"), ("died = true", "died"), ("erasing = true", "erasing"),
        ("paused_until = '2027-06-01'", "paused"), ("paused_until = '2027-05-01'", None),
    ],
)  # fmt: skip
async def test_a_letter_is_not_posted_to_who_does_not_want_it_any_more(
    life: Life, stands: str, code: str | None
) -> None:
    await laid(life)
    assert await why(life) == [None]
    await life.pool.execute(f"UPDATE people SET {stands} WHERE id = $1", life.person)
    assert await why(life) == [code] and len(await mine(life)) == (code is None)


@pytest.mark.parametrize("status", ["suspended", "closed"])
async def test_a_letter_of_a_journey_that_rests_is_not_posted_and_stays_in_sight(life: Life, status: str) -> None:
    await laid(life)
    await life.pool.execute("UPDATE journeys SET status = $2 WHERE person = $1", life.person, status)
    assert await why(life) == [status] and await mine(life) == []
    life.now += paper_letters.SHOWN
    assert await why(life) == []


async def test_a_letter_about_an_appointment_is_of_no_use_once_it_begins(life: Life) -> None:
    details = people.Details(first_name="Éloïse", last_name="D’Œuvre", email=None, phone=None)
    await people.change(life.pool, life.person, details, life.by)
    await life.do(c.BookAppointment(at=life.now + timedelta(days=4)))
    await life.until(life.now + timedelta(days=2, hours=1))
    for effect in life.effects("deliver", to="participant"):
        if life.state.messages[effect.details["id"]].about.kind == "appointment":
            await life.settle(effect)
    await laid(life)
    known = set(await why(life))
    assert known == {None} and len(await mine(life)) > 1
    life.now += timedelta(days=2)
    assert set(await why(life)) == {None, "too-late"} and len(await mine(life)) == 1


async def test_a_forgotten_person_has_no_letter_left_and_it_was_counted(life: Life) -> None:
    await laid(life)
    assert (await erasing.survey(life.pool, life.person)).letters == 1
    await erasing.order(life.pool, life.person, "person-asked", life.by)
    asked, env = Erasing(person=life.person), ActivityEnvironment()
    await env.run(Erasure(life.resources).survey, asked)
    await env.run(Erasure(life.resources).delete, asked)
    assert await life.pool.fetchval("SELECT held::jsonb ->> 'letters' FROM erasures WHERE person = $1",
                                    life.person) == "1"  # fmt: skip
    assert (await erasing.survey(life.pool, life.person)).letters == 0


async def test_a_forgotten_mentor_is_named_in_no_letter_on_paper(life: Life) -> None:
    mentor = mentors.Mentor(id=str(uuid4()), name="Lina Canari", email="lina@example.org", phone=None, language="fr",
                            site=None, capacity=1)  # fmt: skip
    await mentors.add(life.pool, mentor, life.by)
    names_them, other = await laid(life, "Avec Lina Canari, demain"), await laid(life, "Avec Lina Canaris")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await contact_erasing.delete_letters(life.pool, mentor.id, [other])
    await contact_erasing.order(life.pool, "mentor", mentor.id, "person-asked", life.by)
    asked, env = Erasing(person=mentor.id, kind="mentor"), ActivityEnvironment()
    await env.run(Erasure(life.resources).survey, asked)
    await env.run(Erasure(life.resources).letters, asked)
    assert names_them not in await mine(life) and await mine(life) == [other]
    assert await life.pool.fetchval("SELECT held::jsonb ->> 'letters' FROM erasures WHERE person = $1",
                                    mentor.id) == "1"  # fmt: skip


async def test_a_copy_that_was_put_back_names_a_forgotten_mentor_in_no_letter(life: Life, tmp_path: Path) -> None:
    """Whether the copy of the keys came back too, or they are as they are today."""
    asked: list[Erasing] = []
    for keys_came_back in (True, False):
        mentor = mentors.Mentor(id=str(uuid4()), name=f"Lina {uuid4().hex}", email="lina@example.org", phone=None,
                                language="fr", site=None, capacity=1)  # fmt: skip
        await mentors.add(life.pool, mentor, life.by)
        await life.do(c.ProposeMentor(mentor=mentor.id))
        told = [each.message for each in await life.facts() if isinstance(each, MessageDue)][-1]
        await Paper(life.pool).send(Letter(id=told, to="", subject="Votre mentor", body=f"Avec {mentor.name}",
                                           lang="fr", at=life.now, about=life.stream))  # fmt: skip
        other = await laid(life, "À demain")
        listed = tmp_path / mentor.id
        await erasing.destroy(life.pool.keys, [] if keys_came_back else [f"mentor-{mentor.id}"], listed)
        listed.write_text(f"mentor-{mentor.id}\n")
        assert (await contact_erasing.put_right(life.pool, listed, life.now))[1] == [mentor.id]
        asked.append(Erasing(person=mentor.id, kind="mentor"))
        for step in (Erasure(life.resources).survey, Erasure(life.resources).letters):
            await ActivityEnvironment().run(step, asked[-1])
        assert told not in await mine(life) and other in await mine(life)
        assert await life.pool.fetchval("SELECT held::jsonb ->> 'letters' FROM erasures WHERE person = $1",
                                        mentor.id) == "1"  # fmt: skip


async def test_nothing_is_noted_of_who_is_being_forgotten_while_a_letter_was_posted(life: Life) -> None:
    message = await laid(life)
    await erasing.order(life.pool, life.person, "person-asked", life.by)
    with pytest.raises(Forgotten):
        await paper_letters.posted(life.pool, message, life.by)
    assert (await life.of_the_person())[-1] == "ErasureOrdered"


async def test_the_letter_after_a_missed_appointment_goes_on_paper_whatever_else_reaches_the_person(
    lives_pool: Any,
) -> None:
    life = await make_life(lives_pool, {**PROGRAMME, "appointments": {"missed": [{"do": "letter"}]}})
    await life.begin()
    await phoned(life)
    booked = (await life.do(c.BookAppointment(at=life.now + timedelta(hours=2)))).command
    await life.until(life.now + timedelta(hours=3))
    await life.do(c.CloseAppointment(appointment=booked, outcome="missed"))
    (effect,) = life.effects("deliver", to="participant")
    result = await life.settle(effect)
    assert (result["answer"], result["reason"], result["last_resort"]) == ("sent", "letter", False)
    assert [channel for channel, *_ in await tried(life)] == ["letter"] and life.postman.letters == []
    assert not life.state.escalations, "nobody has to ask for a number: paper is what was wanted"
    (message,) = await mine(life)
    said = await words(life, message)
    assert "10 mai 2027 à 12:00" in said.body and [one.do for one in life.state.chases.values()] == ["letter"]
