"""Short messages to a person: by the first channel that takes them, each attempt written down before it begins."""

import asyncio
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import activities.reminders
import worker
from activities.letters import person_addressees
from journeys.channels.letter import Fate, Letter, Sent
from journeys.channels.segments import length, plain
from journeys.channels.sms import Gateway, Own
from journeys.channels.wording import with_stop_word
from journeys.contract import Effect
from journeys.domain import commands as c
from journeys.domain.decide import Outcome
from journeys.domain.messages import PARTICIPANT
from journeys.settings import SettingsError, load_settings
from journeys.store import attempts, people
from journeys.store.attempts import Attempt
from journeys.store.sessions import hash_of
from tests.activities.conftest import Life, Postman, make_life


async def phoned(life: Life, phone: str = "06 12 34 56 78", email: str | None = "eloise@example.org") -> Postman:
    """The person has a phone, and the association a gateway."""
    details = people.Details(first_name="Éloïse", last_name="D’Œuvre", email=email, phone=phone)
    await people.change(life.pool, life.person, details, life.by)
    texter = Postman(name="sms")
    life.use(texter=texter)
    return texter


async def tried(life: Life) -> list[tuple[str, str | None, str]]:
    return [(each.channel, each.fate, each.reason) for each in await attempts.of_journey(life.pool, life.stream)]


async def again(life: Life, effect: Effect) -> Effect:
    """The same message called for once more, by an event of its own: as a wrong rule or a forged outcome would."""
    await life.take(Outcome(effect.seq, "deferred", "test", until=life.now))
    await life.until(life.now)
    (next_one,) = life.effects("deliver", to="participant")
    return next_one


async def test_a_person_with_a_phone_gets_a_short_message(life: Life) -> None:
    texter = await phoned(life)
    result = await life.run(await life.reminded())
    assert (result["answer"], result["reason"]) == ("sent", "sms")
    (text,) = texter.letters
    assert (text.to, life.postman.letters) == ("+33612345678", [])
    assert "13 mai 2027" in text.body and "L’association" in text.body and "Éloïse" not in text.body
    assert await tried(life) == [("sms", "sent", "")]


@pytest.mark.parametrize("why", ["dead-number", "blocked-number"])
async def test_a_number_that_takes_nothing_of_ours_leaves_it_to_the_mail(life: Life, why: str) -> None:
    texter = await phoned(life)
    texter.answers = [Sent(Fate.REFUSED, why)]
    result = await life.run(await life.reminded())
    assert (result["answer"], result["reason"]) == ("sent", "mail")
    assert await tried(life) == [("sms", "refused", why), ("mail", "sent", "")]
    assert (await life.of_the_person())[-1] == "ChannelDead"
    assert (result["passed"], result["passed_by"], result["by"]) == ([why], ["sms"], "mail")


def asked_for(life: Life) -> list[str]:
    """What somebody has to ask the person for."""
    return [one.about.id for one in life.state.escalations.values() if one.about.kind == "consent"]


async def test_a_dead_number_is_a_task_although_the_mail_takes_the_message(life: Life) -> None:
    texter = await phoned(life)
    texter.answers = [Sent(Fate.REFUSED, "dead-number")]
    await life.settle(await life.reminded())
    assert asked_for(life) == ["address-dead"]
    other = await beside(life)
    result = await other.settle(await other.reminded())
    assert (result["passed"], result["passed_by"], result["by"]) == (["known-dead"], ["sms"], "mail")
    assert "mail" in result["alive"] and "sms" not in result["alive"]
    assert asked_for(other) == ["address-dead"], "whose journey noted it may be over"


async def test_a_dead_mailbox_is_a_task_although_a_short_message_leaves(life: Life) -> None:
    texter = await phoned(life)
    await life.pool.execute("UPDATE people SET channel = 'mail' WHERE id = $1", life.person)
    life.postman.answers = [Sent(Fate.REFUSED, "mail-5-1-1")]
    result = await life.settle(await life.reminded())
    assert (result["reason"], result["passed"], len(texter.letters)) == ("sms", ["mail-5-1-1"], 1)
    assert asked_for(life) == ["address-dead"] and (await life.of_the_person())[-1] == "ChannelDead"


async def test_a_number_that_is_changed_while_it_is_asked_is_not_the_dead_one(life: Life) -> None:
    texter = await phoned(life)
    texter.answers = [Sent(Fate.REFUSED, "dead-number")]
    send = texter.send

    async def slow(letter: Letter) -> Sent:
        details = people.Details(first_name="Éloïse", last_name="D’Œuvre", phone="06 98 76 54 32")
        await people.change(life.pool, life.person, details, life.by)
        return await send(letter)

    texter.send = slow  # type: ignore[method-assign]
    await life.run(await life.reminded())
    known = await people.person(life.pool, life.person)
    assert known is not None and known.dead == ()


async def beside(life: Life) -> Life:
    """Another journey of the same person, with the same channels."""
    other = await make_life(life.pool)
    other.person = life.person
    other.use(texter=life.resources.texter)
    await other.hire(other.referent, "noor", "referent")
    await other.hire(other.supervisor, "karim", "supervisor")
    await other.plan()
    return other


async def test_a_dead_number_is_known_to_every_journey_of_the_person(life: Life) -> None:
    texter = await phoned(life)
    texter.answers = [Sent(Fate.REFUSED, "dead-number")]
    await life.settle(await life.reminded())
    assert await life.of_the_person() == ["PersonRegistered", "PersonChanged", "ChannelDead"]
    other = await beside(life)
    assert (await other.run(await other.reminded()))["reason"] == "mail"
    assert len(texter.letters) == 1, "nobody asks for a number again that is known to be gone"
    await phoned(life, "06 98 76 54 32")
    texter.answers = []
    third = await beside(life)
    third.use(texter=texter)
    assert (await third.run(await third.reminded()))["reason"] == "sms", "another number is another matter"


async def test_without_the_fact_another_journey_asks_for_the_number_again(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard taken away: the test above would see the second text."""

    async def forgets(*_: Any, **__: Any) -> bool:
        return False

    monkeypatch.setattr(people, "note_channel", forgets)
    texter = await phoned(life)
    texter.answers = [Sent(Fate.REFUSED, "dead-number")]
    await life.settle(await life.reminded())
    other = await beside(life)
    await other.run(await other.reminded())
    assert len(texter.letters) == 2


async def test_where_only_paper_is_left_somebody_has_to_ask_for_another_number(life: Life) -> None:
    await phoned(life, email=None)
    assert await people.note_channel(life.pool, life.person, "sms", "dead-number", life.by)
    assert not await people.note_channel(life.pool, life.person, "sms", "dead-number", life.by), "once"
    result = await life.settle(await life.reminded())
    assert (result["answer"], result["reason"]) == ("sent", "letter")
    assert [one.about.id for one in life.state.escalations.values()] == ["address-dead"]


async def test_a_text_says_stop_where_a_phone_can_answer_and_it_costs_nothing(life: Life) -> None:
    texter = await phoned(life)
    effect = await life.reminded()
    await life.run(effect)
    (text,) = texter.letters
    assert text.body.endswith("Répondez STOP pour ne plus en recevoir.")
    assert with_stop_word("x" * 100, "fr") != "x" * 100 and with_stop_word("x" * 130, "fr") == "x" * 130
    other = await beside(life)
    other.use(texter=texter, answerable=False, public_url="https://parcours.example.org")
    await other.run(await other.reminded())
    assert "STOP" not in texter.letters[-1].body, "an address is too long for this one"


async def test_a_text_that_cannot_be_answered_has_an_address_that_stops_where_it_fits(life: Life) -> None:
    texter = await phoned(life)
    home = "https://parcours.example.org"
    life.use(answerable=False, public_url=home, association="L’association des amis " * 4)
    await life.run(await life.reminded())
    (text,) = texter.letters
    _, found, token = text.body.partition(f" STOP : {home}/lien/")
    assert found and length(plain(text.body)).segments == length(plain(text.body.partition(" STOP")[0])).segments == 2
    held = await life.pool.fetchrow("SELECT purpose, subject FROM links WHERE hash = $1", hash_of(token))
    assert tuple(held) == ("messages", "stop")


@pytest.mark.parametrize("meeting", [False, True])
async def test_a_text_that_is_asked_for_again_has_the_same_words_under_its_key(life: Life, meeting: bool) -> None:
    """A gateway takes other words under the same key for another message. What they lead to opens once it has left."""
    texter = await phoned(life)
    home = "https://parcours.example.org"
    life.use(answerable=False, public_url=home, association="L’association des amis " * 4)
    texter.answers = [Sent(Fate.NOTHING_LEFT, "sms-502", perhaps=True)]
    if meeting:
        await life.do(c.BookAppointment(at=life.now + timedelta(days=4)))
        await life.until(life.now + timedelta(days=2))
    else:
        await life.reminded()
    about = "appointment" if meeting else "milestone"
    (message,) = [id for id, each in life.state.messages.items() if each.about.kind == about and each.to == PARTICIPANT]

    def called() -> Effect:
        return next(each for each in life.effects("deliver") if each.details["id"] == message)

    assert (await life.settle(called()))["answer"] == "perhaps"
    until = life.state.messages[message].until
    assert until is not None
    await life.until(until)
    assert (await life.settle(called()))["answer"] == "sent"
    first, second = texter.letters
    assert (first.id, first.body) == (second.id, second.body)
    carried = re.findall(rf"{home}/lien/([\w-]+)", first.body)
    held = await life.pool.fetch(
        "SELECT hash, EXISTS (SELECT FROM link_uses WHERE link = id) AS used FROM links WHERE journey = $1",
        life.stream.removeprefix("journey-"),
    )
    assert carried and {(bytes(each["hash"]), each["used"]) for each in held} == {(hash_of(t), False) for t in carried}


async def test_where_there_is_no_mail_a_dead_number_leaves_it_to_paper(life: Life) -> None:
    texter = await phoned(life, email=None)
    texter.answers = [Sent(Fate.REFUSED, "dead-number")]
    result = await life.run(await life.reminded())
    assert (result["answer"], result["reason"]) == ("sent", "letter")


async def test_a_landline_is_never_asked_for(life: Life) -> None:
    await phoned(life, "01 12 34 56 78")
    life.use(texter=Gateway(Own("http://127.0.0.1:1", "t")))
    assert (await life.run(await life.reminded()))["reason"] == "mail"
    assert (await tried(life))[0] == ("sms", "refused", "bad-number-not-mobile")


async def test_a_template_without_a_short_text_goes_by_mail(life: Life, tmp_path: Any) -> None:
    texter = await phoned(life)
    said = "{fr: 'Bonjour', en: 'Hello'}"
    (tmp_path / "deadline-near.yaml").write_text(
        f"template: deadline-near\nparticipant: {{subject: {said}, body: {said}}}\n"
    )
    life.use(templates=tmp_path)
    assert (await life.run(await life.reminded()))["reason"] == "mail"
    assert texter.letters == []


async def test_a_gateway_that_asks_for_time_gets_it(life: Life) -> None:
    texter = await phoned(life)
    texter.answers = [Sent(Fate.NOTHING_LEFT, "sms-429", after_seconds=40.0)]
    first = await life.settle(await life.reminded())
    assert (first["answer"], first["until"]) == ("deferred", "2027-05-12T07:00:40.000000Z")
    await life.until(life.now + timedelta(seconds=40))
    (effect,) = life.effects("deliver", to="participant")
    assert (await life.settle(effect))["answer"] == "sent"
    assert await tried(life) == [("sms", "nothing-left", "sms-429"), ("sms", "sent", "")]


async def until_settled(life: Life, effect: Effect) -> dict[str, Any]:
    """What came of a message in the end, asked for again as often as it is deferred."""
    result = await life.settle(effect)
    while result["answer"] in ("deferred", "perhaps"):
        (message,) = [each for each in life.state.messages.values() if each.to == "participant"]
        assert message.until is not None
        await life.until(message.until)
        for again in life.effects("deliver", to="participant"):
            result = await life.settle(again)
    return result


@pytest.mark.parametrize(
    ("perhaps", "email", "answer", "by"),
    [
        (False, "eloise@example.org", ("sent", "mail"), {"sms", "mail"}),
        (False, None, ("failed", "sms-402"), {"sms"}),
        (True, "eloise@example.org", ("unknown", "sms-402"), {"sms"}),
    ],
)
async def test_a_gateway_that_takes_nothing_until_it_is_too_late_leaves_it_to_the_mail_not_to_paper(
    life: Life, perhaps: bool, email: str | None, answer: tuple[str, str], by: set[str]
) -> None:
    texter = await phoned(life, email=email)
    texter.answers = [Sent(Fate.NOTHING_LEFT, "sms-402", perhaps=perhaps)] * 20
    result = await until_settled(life, await life.reminded())
    assert (result["answer"], result["reason"]) == answer
    assert {channel for channel, *_ in await tried(life)} == by
    unable = await attempts.unable(life.pool, ("sms-402",), 7)
    assert [(each.channel, each.count >= len(texter.letters)) for each in unable] == [("sms", True)]
    texter.answers = []
    other = await beside(life)
    assert (await other.run(await other.reminded()))["reason"] == "sms"
    assert await attempts.unable(life.pool, ("sms-402",), 7) == [], "it takes messages again"


async def test_a_gateway_that_would_be_asked_again_in_the_last_night_leaves_it_to_the_mail(life: Life) -> None:
    """Of use until half past seven in the morning: from eight in the evening on it is too late."""
    texter = await phoned(life)
    await life.do(c.ReachMilestone(milestone="papers"))
    await life.do(c.BookAppointment(at=datetime(2027, 5, 13, 5, 30, tzinfo=UTC)))
    await life.until(datetime(2027, 5, 11, 6, 0, tzinfo=UTC))
    (effect,) = life.effects("deliver", to="participant")
    texter.answers = [Sent(Fate.NOTHING_LEFT, "sms-402")] * 20
    result = await until_settled(life, effect)
    assert (result["answer"], result["reason"]) == ("sent", "mail")
    assert life.now == datetime(2027, 5, 12, 12, 0, tzinfo=UTC), "the night before was waited for"


@pytest.mark.parametrize(
    ("later", "answer"),
    [(timedelta(days=3), ("suppressed", "too-late")), (timedelta(hours=12), ("deferred", "quiet-hours"))],
)
async def test_whoever_waited_for_a_turn_is_judged_when_it_has_come(
    life: Life, monkeypatch: pytest.MonkeyPatch, later: timedelta, answer: tuple[str, str]
) -> None:
    class Slow:
        async def turn(self, *, ahead: bool) -> tuple[bool, float]:
            assert not ahead, "it can wait"
            then = time.monotonic() + later.total_seconds()
            monkeypatch.setattr(activities.reminders, "monotonic", lambda: then)
            return True, 0.0

    await phoned(life)
    life.use(texter=Gateway(Own("http://127.0.0.1:1", "t"), pace=Slow()))
    result = await life.run(await life.reminded())
    assert (result["answer"], result["reason"]) == answer
    assert await tried(life) == [("sms", "nothing-left", "held-back")]


async def test_doubt_is_shown_and_goes_by_no_other_channel(life: Life) -> None:
    texter = await phoned(life)
    texter.answers = [Sent(Fate.UNKNOWN, "sms-timeout")]
    assert (await life.run(await life.reminded()))["answer"] == "unknown"
    assert (len(texter.letters), life.postman.letters) == (1, [])


async def perhaps(life: Life, texter: Postman) -> Effect:
    """A message that a gateway with keys may have taken; the effect that asks for it again."""
    texter.answers = [Sent(Fate.NOTHING_LEFT, "sms-500", after_seconds=40.0, perhaps=True)]
    assert (await life.settle(await life.reminded()))["answer"] == "perhaps"
    await life.until(life.now + timedelta(seconds=40))
    (effect,) = life.effects("deliver", to="participant")
    return effect


async def test_what_has_perhaps_left_is_asked_for_again_by_its_channel(life: Life) -> None:
    texter = await phoned(life)
    effect = await perhaps(life, texter)
    assert (await life.settle(effect))["reason"] == "sms"
    assert len({text.id for text in texter.letters}) == 1


@pytest.mark.parametrize("meanwhile", ["refused", "dead", "another-channel", "another-number"])
async def test_what_has_perhaps_left_goes_by_no_other_channel_and_to_no_other_number(
    life: Life, meanwhile: str
) -> None:
    texter = await phoned(life)
    effect = await perhaps(life, texter)
    match meanwhile:
        case "refused":
            texter.answers = [Sent(Fate.REFUSED, "dead-number")]
        case "dead":
            await people.note_channel(life.pool, life.person, "sms", "dead-number", life.by)
        case "another-channel":
            await life.pool.execute("UPDATE people SET channel = 'mail' WHERE id = $1", life.person)
            texter.answers = [Sent(Fate.REFUSED, "sms-400")]
        case _:
            texter = await phoned(life, "06 98 76 54 32")
    assert (await life.settle(effect))["answer"] == "unknown"
    assert life.postman.letters == [] and {channel for channel, *_ in await tried(life)} == {"sms"}
    assert meanwhile != "another-number" or texter.letters == []
    assert "MessageUnknown" in [type(fact).__name__ for fact in await life.facts()]


@pytest.mark.parametrize("guarded", [True, False])
async def test_what_may_have_left_never_leaves_again_whatever_calls_for_it(
    life: Life, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """Another effect has another claim: only the attempt that is written down holds. Taken away, it leaves twice."""
    if not guarded:
        numbers = iter(range(1, 9))

        async def as_if_first(pool: Any, message: str, stream: str, channel: str, at: Any) -> Attempt:
            number = next(numbers)
            await pool.execute(
                "INSERT INTO message_attempts VALUES ($1, $2, $3, $4, $5)", message, number, stream, channel, at
            )
            return Attempt(message, number, at)

        monkeypatch.setattr(attempts, "begin", as_if_first)
    texter = await phoned(life)
    texter.answers = [Sent(Fate.UNKNOWN, "sms-timeout")]
    effect = await life.reminded()
    await life.run(effect)
    result = await life.run(await again(life, effect))
    assert result["answer"] == ("unknown" if guarded else "sent")
    assert len(texter.letters) == (1 if guarded else 2)


async def test_the_attempt_is_written_down_before_anything_leaves(life: Life) -> None:
    seen: list[Any] = []

    class Looking(Postman):
        async def send(self, letter: Letter) -> Sent:
            seen.append(await tried(life))
            raise ConnectionResetError

    await phoned(life)
    life.use(texter=Looking(name="sms"))
    effect = await life.reminded()
    with pytest.raises(Exception, match="store"):
        await life.run(effect)
    assert seen == [[("sms", None, "")]]
    life.use(texter=(texter := Postman(name="sms")))
    assert (await life.run(effect))["answer"] == "unknown"
    assert (await life.run(await again(life, effect)))["answer"] == "unknown"
    assert texter.letters == []


async def test_two_at_once_are_one_attempt(life: Life) -> None:
    await life.reminded()
    (message,) = [id for id, each in life.state.messages.items() if each.to == "participant"]
    began = await asyncio.gather(*(attempts.begin(life.pool, message, life.stream, "sms", life.now) for _ in range(8)))
    assert sum(each is not None for each in began) == 1


@pytest.mark.parametrize(
    ("sms", "name", "never_run"),
    [
        ({}, None, None),
        ({"url": "https://sms.example.org/", "token": "t"}, "http", False),
        ({"vendor": "brevo", "token": "t", "sender": "Asso"}, "brevo", True),
        ({"vendor": "ovh", "token": "a:s:c", "sender": "Asso", "account": "sms-ab1-1"}, "ovh", True),
    ],
)
def test_the_settings_choose_the_gateway(sms: dict[str, str], name: str | None, never_run: bool | None) -> None:
    texter = worker._texter(load_settings(sms=sms).sms, None)
    dialect = texter.dialect if isinstance(texter, Gateway) else None
    assert (dialect and dialect.name, dialect and dialect.never_run) == (name, never_run)


SECRET = "whsec_" + "c2VjcmV0" * 4


@pytest.mark.parametrize(
    ("sms", "heard"),
    [
        ({"url": "https://sms.example.org", "token": "t", "notice_secret": SECRET}, True),
        ({"url": "https://sms.example.org", "token": "t", "notice_secret": SECRET, "sender": "+33700000000"}, True),
        ({"url": "https://sms.example.org", "token": "t", "notice_secret": SECRET, "sender": "Asso"}, False),
        ({"url": "https://sms.example.org", "token": "t"}, False),
        ({"vendor": "brevo", "token": "t", "sender": "33700000000", "notice_secret": SECRET}, False),
        ({"vendor": "ovh", "token": "a:s:c", "sender": "33700000000", "account": "s", "notice_secret": SECRET}, False),
    ],
)
def test_stop_is_promised_only_where_it_is_heard(sms: dict[str, str], heard: bool) -> None:
    assert load_settings(sms=sms).sms.answerable is heard


@pytest.mark.parametrize(
    "sms",
    [
        {"url": "https://sms.example.org"}, {"url": "http://sms.example.org", "token": "t"}, {"vendor": "brevo"},
        {"vendor": "ovh", "token": "a:s", "sender": "Asso", "account": "x"}, {"sender": "Une association"},
        {"sender": "Été"}, {"countries": ["France"]}, {"notice_secret": "secret"}, {"vendor": "other"},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(sms: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        load_settings(sms=sms)


def test_the_way_that_somebody_chose_comes_first() -> None:
    details = people.Details(first_name="Zoé", last_name="A", email="zoe@example.org", phone="06 12 34 56 78")
    known = people.Person(
        id="p", details=details, channel=None, opted_out=False, paused_until=None, died=False, died_on=None,
        erasure_requested=False,
    )  # fmt: skip
    for chosen, first in ((None, "sms"), ("sms", "sms"), ("mail", "mail"), ("letter", "sms")):
        asked = person_addressees(replace(known, channel=chosen), ("sms", "mail"))
        assert (asked[0].by, len(asked)) == (first, 2), chosen
