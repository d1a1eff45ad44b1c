"""What a channel says later: in any order, twice, late, of nobody; what has arrived stays so."""

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from journeys.app import noticing
from journeys.audit.messages import Fate, Sending, passed_over, sendings, told
from journeys.channels.letter import Fate as Left
from journeys.channels.letter import Sent
from journeys.contract import Answer
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.commands import Command
from journeys.domain.state import UNREACHED
from journeys.issuing import Unfinished, send_receipts, send_wishes
from journeys.narration.telling import Speech
from journeys.store import attempts, deliveries, journal, people, signing_keys
from journeys.store.deliveries import Receipt, Reply
from journeys.temporal import Unreachable
from tests.activities.conftest import Life
from tests.activities.test_short_messages import phoned

DAY = timedelta(hours=24)


async def said(
    life: Life, what: str, *, message: str | None = None, reference: str | None = None, event: str = "",
    at: datetime | None = None, reason: str = "dead-number",
) -> None:  # fmt: skip
    event, why = event or str(uuid.uuid4()), reason if what == "bounced" else None
    receipt = Receipt(event, message, reference, what, why, at or life.now)  # type: ignore[arg-type]
    await deliveries.keep(life.pool, receipt, hashlib.sha256(event.encode()).digest())


async def tell(life: Life) -> int:
    return await send_receipts(life.pool, life.resources.ring, life.give, life.now)


async def mine(life: Life, *, silent: bool = False) -> Sending:
    """The message to the participant, as the page has it."""
    events = [stored.event() for stored in await journal.read_all(life.pool, life.stream)]
    tried = await attempts.of_journey(life.pool, life.stream)
    quiet = await deliveries.silent_of(life.pool, life.stream, timedelta(0) if silent else DAY)
    (found,) = [
        each for each in sendings(events, life.state, life.book, tried, quiet)
        if each.to == "participant" and each.fate is not Fate.PLANNED
    ]  # fmt: skip
    return found


async def sent(life: Life, *answers: Sent) -> str:
    """A short message on its way, or gone; its id."""
    texter = await phoned(life)
    texter.answers = list(answers)
    effect = await life.reminded()
    await life.settle(effect)
    return (await mine(life)).id


async def test_a_receipt_about_a_number_is_a_fact_of_the_person(life: Life) -> None:
    id = await sent(life)
    await said(life, "bounced", message=id)
    await said(life, "bounced", message=id)
    assert await tell(life) == 0
    assert (await life.of_the_person()).count("ChannelDead") == 1
    known = await people.person(life.pool, life.person)
    assert known is not None and known.dead == ("sms",)
    await said(life, "delivered", message=id)
    assert await tell(life) == 0
    known = await people.person(life.pool, life.person)
    assert known is not None and known.dead == ()
    assert (await life.of_the_person())[-1] == "ChannelAlive"


@pytest.mark.parametrize("together", [True, False], ids=["in one round", "a day later"])
async def test_what_a_network_said_last_counts_whenever_it_is_heard(life: Life, together: bool) -> None:
    id = await sent(life)
    await said(life, "bounced", message=id)
    if not together:
        assert await tell(life) == 0
    await said(life, "delivered", message=id, at=life.now - timedelta(minutes=1))
    assert await tell(life) == 0
    known = await people.person(life.pool, life.person)
    assert known is not None and known.dead == ("sms",), "it reached the phone before the number was gone"
    await said(life, "delivered", message=id, at=life.now + timedelta(minutes=1))
    await said(life, "bounced", message=id)
    assert await tell(life) == 0
    known = await people.person(life.pool, life.person)
    assert known is not None and known.dead == (), "and the phone is on again"


async def test_a_failure_of_before_the_last_arrival_kills_no_number(life: Life) -> None:
    id = await sent(life)
    await said(life, "delivered", message=id)
    assert await tell(life) == 0
    await said(life, "bounced", message=id, at=life.now - timedelta(minutes=1))
    assert await tell(life) == 0
    assert "ChannelDead" not in await life.of_the_person()


async def test_a_report_about_our_own_address_says_nothing_of_theirs(life: Life) -> None:
    id = await sent(life)
    await said(life, "bounced", message=id, reason="mail-5-1-8")
    assert await tell(life) == 0
    assert "ChannelDead" not in await life.of_the_person()
    assert (await mine(life)).fate is Fate.BOUNCED


async def test_a_refusal_outlives_a_receipt_of_before(life: Life) -> None:
    id = await sent(life)
    await people.note_channel(life.pool, life.person, "sms", "dead-number", life.by)
    await said(life, "delivered", message=id, at=life.by.at - timedelta(minutes=1))
    assert await tell(life) == 0
    assert (await life.of_the_person())[-1] == "ChannelDead"


@pytest.mark.parametrize(("dead", "late"), [(False, "bounced"), (True, "delivered")])
async def test_a_receipt_of_the_number_before_says_nothing_of_the_one_since(life: Life, dead: bool, late: str) -> None:
    id = await sent(life)
    await phoned(life, "06 98 76 54 32")
    if dead:
        await people.note_channel(life.pool, life.person, "sms", "dead-number", life.by)
    before = await life.of_the_person()
    await said(life, late, message=id)
    assert await tell(life) == 0
    known = await people.person(life.pool, life.person)
    assert known is not None and known.dead == (("sms",) if dead else ())
    assert await life.of_the_person() == before
    assert (await mine(life)).fate is Fate(late), "the journey hears of its message all the same"


async def test_another_mailbox_does_not_make_a_receipt_of_the_phone_an_old_one(life: Life) -> None:
    id = await sent(life)
    await phoned(life, email="zoe@example.org")
    await said(life, "bounced", message=id)
    assert await tell(life) == 0
    known = await people.person(life.pool, life.person)
    assert known is not None and known.dead == ("sms",)


@pytest.mark.parametrize(
    ("order", "fate"),
    [
        (("delivered",), Fate.DELIVERED), (("bounced",), Fate.BOUNCED),
        (("bounced", "delivered"), Fate.DELIVERED), (("delivered", "bounced"), Fate.DELIVERED),
        (("delivered", "delivered"), Fate.DELIVERED),
    ],
)  # fmt: skip
@pytest.mark.parametrize("together", [True, False])
async def test_in_whatever_order_receipts_come_what_arrived_has_arrived(
    life: Life, order: tuple[str, ...], fate: Fate, together: bool
) -> None:
    id = await sent(life, Sent(Left.SENT, reference="gw-1"))
    assert (await mine(life)).fate is Fate.SENT
    for one in order:
        await said(life, one, message=id)
        if not together:
            assert await tell(life) == 0
    assert await tell(life) == 0
    assert (await mine(life)).fate is fate
    kinds = [stored.event().kind for stored in await journal.read_all(life.pool, life.stream)]
    assert kinds.count("MessageDelivered") <= 1 and "CommandRefused" not in kinds


async def test_a_receipt_may_name_it_as_the_gateway_does_and_ends_a_doubt(life: Life) -> None:
    reference = f"gw-{uuid.uuid4()}"
    await sent(life, Sent(Left.UNKNOWN, "sms-timeout", reference=reference))
    assert ((await mine(life)).fate, (await mine(life)).reason) == (Fate.UNKNOWN, "sms-timeout")
    await said(life, "delivered", reference=reference)
    await tell(life)
    assert (await mine(life)).fate is Fate.DELIVERED


async def test_a_receipt_before_our_own_word_is_not_lost(life: Life) -> None:
    await phoned(life)
    effect = await life.reminded()
    result = await life.run(effect)
    (tried,) = await attempts.of_journey(life.pool, life.stream)
    await said(life, "delivered", message=tried.message)
    assert await tell(life) == 0
    await life.settle(effect)
    assert result["answer"] == "sent" and (await mine(life)).fate is Fate.DELIVERED


async def test_a_failure_heard_before_our_own_word_is_an_alert_too(life: Life) -> None:
    await phoned(life)
    effect = await life.reminded()
    await life.run(effect)
    (tried,) = await attempts.of_journey(life.pool, life.stream)
    await said(life, "bounced", message=tried.message)
    assert await tell(life) == 0
    await life.settle(effect)
    assert (await mine(life)).fate is Fate.BOUNCED
    assert UNREACHED in [each.about for each in life.state.escalations.values()]


async def test_a_receipt_of_another_name_waits_a_while_then_is_strange(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    await said(life, "delivered", reference=f"gw-{uuid.uuid4()}")
    before = (await deliveries.unsettled(life.pool, DAY)).strange
    assert await tell(life) >= 1
    monkeypatch.setattr("journeys.issuing._NAMED_WITHIN", timedelta(0))
    await tell(life)
    assert (await deliveries.unsettled(life.pool, DAY)).strange == before + 1


async def test_a_receipt_that_goes_wrong_stops_no_other(life: Life) -> None:
    wrong = str(uuid.uuid4())
    attempt = await attempts.begin(life.pool, wrong, f"journey-{uuid.uuid4()}", "sms", life.now)
    assert attempt is not None
    await attempts.ended(life.pool, attempt, "sent", "", f"gw-{wrong}")
    id = await sent(life)
    await said(life, "delivered", message=wrong, event="first")
    await said(life, "delivered", message=id)

    async def mine_only(command: Any) -> Any:
        if command.stream != life.stream:
            raise RuntimeError("this journey cannot be told")
        return await life.give(command)

    with pytest.raises(Unfinished, match=r"^receipt first \(RuntimeError\)$"):
        await send_receipts(life.pool, life.resources.ring, mine_only, life.now)
    assert (await mine(life)).fate is Fate.DELIVERED
    waiting = [each.event for each in await deliveries.waiting(life.pool)]
    assert waiting == ["first"], "it is told with the next round"
    await deliveries.came_to(life.pool, (await deliveries.waiting(life.pool))[0], "refused", life.now)


async def test_after_the_closing_a_receipt_is_still_taken(life: Life) -> None:
    id = await sent(life, Sent(Left.SENT))
    await life.do(c.Close(outcome="moved"))
    await said(life, "bounced", message=id)
    await tell(life)
    assert (await mine(life)).fate is Fate.BOUNCED


async def test_silence_is_a_state_until_something_is_said(life: Life) -> None:
    id = await sent(life, Sent(Left.SENT))
    before = (await deliveries.unsettled(life.pool, timedelta(0))).silent
    assert (await mine(life, silent=True)).fate is Fate.SILENT and before >= 1
    await said(life, "delivered", message=id)
    await tell(life)
    assert (await mine(life, silent=True)).fate is Fate.DELIVERED
    assert (await deliveries.unsettled(life.pool, timedelta(0))).silent == before - 1


@pytest.mark.parametrize(
    ("answers", "fate", "words"),
    [
        ((Sent(Left.UNKNOWN, "sms-timeout"),), Fate.UNKNOWN, "peut-être parti"),
        ((Sent(Left.REFUSED, "dead-number"),), Fate.SENT, "parti (courriel)"),
        ((Sent(Left.NOTHING_LEFT, "sms-429", after_seconds=60.0),), Fate.WAITING, "en attente jusqu’au"),
    ],
)
async def test_each_message_says_where_it_stands(life: Life, answers: tuple[Sent, ...], fate: Fate, words: str) -> None:
    await sent(life, *answers)
    found = await mine(life)
    speech = Speech(life.book, {}, "fr", life.state)
    assert found.fate is fate and words in told(found, speech)
    gone = ["SMS\u00a0: numéro qui n’est plus attribué"] if fate is Fate.SENT else []
    assert passed_over(found, speech) == gone


async def test_what_is_planned_stands_first_and_what_is_suppressed_says_why(life: Life) -> None:
    speech = Speech(life.book, {}, "fr", life.state)

    async def all_of_them() -> list[Sending]:
        events: list[Any] = [stored.event() for stored in await journal.read_all(life.pool, life.stream)]
        return sendings(events, life.state, life.book)

    planned = await all_of_them()
    assert [(each.fate, each.to) for each in planned] == [(Fate.PLANNED, "participant")]
    effect = await life.reminded()
    await life.do(c.OptOut())
    await life.settle(effect)
    found = [each for each in await all_of_them() if each.to == "participant" and each.fate is Fate.SUPPRESSED]
    assert [told(each, speech) for each in found] == ["pas envoyé\u00a0: la personne ne veut pas de message"]
    owed = sum(
        isinstance(stored.event().data, e.MessageDue) for stored in await journal.read_all(life.pool, life.stream)
    )
    assert owed == sum(each.fate is not Fate.PLANNED for each in await all_of_them())


# --- what phones answer


async def answered(life: Life, wish: str, *, of: tuple[str, ...] | None = None, minute: int = 0) -> str:
    event = str(uuid.uuid4())
    at = life.now + timedelta(minutes=minute)
    reply = Reply(event, of if of is not None else (life.person,), wish, at)  # type: ignore[arg-type]
    await deliveries.keep_reply(life.pool, reply, hashlib.sha256(event.encode()).digest())
    return event


async def came_of(life: Life, event: str) -> str | None:
    outcome: str | None = await life.pool.fetchval("SELECT outcome FROM message_reply_outcomes WHERE event = $1", event)
    return outcome


async def test_a_stop_whose_journey_does_not_answer_is_told_again(life: Life) -> None:
    """Noted on the person at once, so that nothing leaves; told to the journey as soon as it can be."""

    async def silent(_: Any) -> None:
        return None

    await signing_keys.announce(life.pool, life.resources.ring)
    event = await answered(life, "stop")
    assert await send_wishes(life.pool, life.resources.ring, silent, life.now) == 1
    found = await people.person(life.pool, life.person)
    assert found is not None and found.opted_out and not life.state.opted_out and await came_of(life, event) is None
    for _ in range(2):
        assert await send_wishes(life.pool, life.resources.ring, life.give, life.now) == 0
    assert life.state.opted_out and await came_of(life, event) == "taken"
    again = await answered(life, "stop")
    await send_wishes(life.pool, life.resources.ring, life.give, life.now)
    assert await came_of(life, again) == "known"
    start = await answered(life, "start")
    await send_wishes(life.pool, life.resources.ring, life.give, life.now)
    assert await came_of(life, start) == "taken" and not life.state.opted_out
    kinds = [stored.kind for stored in await journal.read_all(life.pool, f"person-{life.person}")]
    assert (kinds.count("OptedOut"), kinds.count("OptedIn")) == (1, 1)


@pytest.mark.parametrize(("wish", "outcome"), [("other", "unread"), ("stop", "nobody")])
async def test_what_asks_for_nothing_changes_nothing(life: Life, wish: str, outcome: str) -> None:
    event = await answered(life, wish, of=None if wish == "other" else ())
    await send_wishes(life.pool, life.resources.ring, life.give, life.now)
    assert await came_of(life, event) == outcome and not life.state.opted_out


async def test_without_a_trusted_key_a_stop_waits(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_: Any) -> bool:
        return False

    monkeypatch.setattr(signing_keys, "hold", nobody)
    event = await answered(life, "stop")
    assert await send_wishes(life.pool, life.resources.ring, life.give, life.now) == 1
    assert await came_of(life, event) is None
    monkeypatch.undo()
    await signing_keys.announce(life.pool, life.resources.ring)
    await send_wishes(life.pool, life.resources.ring, life.give, life.now)
    assert life.state.opted_out


async def test_the_last_wish_holds_and_a_stop_is_never_too_late(life: Life) -> None:
    async def came(wish: str, minute: int) -> tuple[str | None, bool]:
        event = await answered(life, wish, minute=minute)
        assert await send_wishes(life.pool, life.resources.ring, life.give, life.now) == 0
        known = await people.person(life.pool, life.person)
        assert known is not None and known.opted_out is life.state.opted_out
        return await came_of(life, event), life.state.opted_out

    await signing_keys.announce(life.pool, life.resources.ring)
    await life.until(life.now + timedelta(hours=1))
    assert await came("stop", -25) == ("taken", True)
    assert await came("start", -30) == ("known", True), "its delivery had failed first"
    assert await came("start", -20) == ("taken", False)
    assert await came("stop", -23) == ("taken", True), "in doubt, silence"
    assert await came("stop", -10) == ("known", True)
    assert await came("start", -15) == ("known", True), "before a STOP that changed nothing"
    assert await came("start", 0) == ("taken", False)


async def test_a_wish_that_a_journey_hears_late_does_not_undo_a_newer_one(life: Life) -> None:
    async def deaf_to_starts(command: Command) -> Answer | None:
        return None if command.name == "opt-in" else await life.give(command)

    async def left(send: Callable[[Command], Awaitable[Answer | None]]) -> int:
        return await send_wishes(life.pool, life.resources.ring, send, life.now)

    await signing_keys.announce(life.pool, life.resources.ring)
    await life.until(life.now + timedelta(hours=1))
    await answered(life, "stop", minute=-2)
    assert await left(life.give) == 0
    start = await answered(life, "start", minute=-1)
    assert await left(deaf_to_starts) == 1
    await answered(life, "stop")
    assert await left(deaf_to_starts) == 0, "the START is nobody's wish any more"
    assert await left(life.give) == 0
    assert life.state.opted_out and await came_of(life, start) == "taken"


async def test_each_stop_is_noted_before_any_journey_is_asked(life: Life) -> None:
    """One that does not answer costs half a minute."""
    other, seen = str(uuid.uuid4()), list[bool]()
    await people.register(life.pool, other, people.Details(first_name="Zoé", last_name="Petit"), life.by)

    async def slow(_: Any) -> None:
        known = await people.person(life.pool, other)
        assert known is not None
        seen.append(known.opted_out)

    await signing_keys.announce(life.pool, life.resources.ring)
    await answered(life, "stop")
    await answered(life, "stop", of=(other,))
    assert await send_wishes(life.pool, life.resources.ring, slow, life.now) == 1
    assert seen == [True]
    assert await send_wishes(life.pool, life.resources.ring, life.give, life.now) == 0


async def test_a_stop_is_noted_before_the_engine_is_asked_for_whether_or_not_it_is_there(life: Life) -> None:
    """What waited in the engine leaves as soon as it is back: it looks at the person, not at what phones answered."""
    seen = list[bool]()

    async def away() -> Any:
        known = await people.person(life.pool, life.person)
        seen.append(known is not None and known.opted_out)
        raise Unreachable("no engine")

    await signing_keys.announce(life.pool, life.resources.ring)
    event = await answered(life, "stop")
    assert not await noticing.tell(life.pool, life.resources.ring, away, "q", life.now)
    assert seen == [True] and await came_of(life, event) is None and not life.state.opted_out
    assert await send_wishes(life.pool, life.resources.ring, life.give, life.now) == 0
    assert await came_of(life, event) == "taken" and life.state.opted_out


async def test_a_stop_behind_many_other_answers_is_noted_with_them(life: Life) -> None:
    async def silent(_: Any) -> None:
        return None

    await signing_keys.announce(life.pool, life.resources.ring)
    for _ in range(101):
        await answered(life, "other")
    event = await answered(life, "stop")
    assert await send_wishes(life.pool, life.resources.ring, silent, life.now) == 2
    known = await people.person(life.pool, life.person)
    assert known is not None and known.opted_out and await came_of(life, event) is None
    assert await send_wishes(life.pool, life.resources.ring, life.give, life.now) == 0
    assert await came_of(life, event) == "taken"
