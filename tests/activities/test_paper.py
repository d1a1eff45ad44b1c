"""Letters on paper: the last channel, or the first where somebody chose it; sealed until they are posted."""

from typing import Any

from journeys.channels.letter import Fate, Sent
from journeys.store import paper_letters, people
from journeys.store.directory import By
from journeys.store.paper_letters import Words
from tests.activities.conftest import Life
from tests.activities.test_short_messages import phoned, tried


async def words(life: Life, message: str) -> Any:
    async with life.pool.acquire() as connection:
        found = await paper_letters.words_of(connection, message)
    assert found is not None
    return found[1]


async def mine(life: Life) -> list[str]:
    found = await paper_letters.waiting(life.pool, life.referent)
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
