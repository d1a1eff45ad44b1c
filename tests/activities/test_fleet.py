"""The fleet's round: what was brought for a command that was never taken goes, what has grown is counted anew."""

import asyncio
import hashlib
import time
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest

from activities.fleet import CUT_OFF, Fleet
from journeys.app.allowing import must_be_there
from journeys.app.failures import Failure
from journeys.app.syncing import under_way
from journeys.contract import Answer
from journeys.domain import commands as c
from journeys.domain.commands import Command
from journeys.domain.document import Document
from journeys.domain.record import Cause
from journeys.issuing import Unfinished, forwarded, issue, tell_of_people
from journeys.store import deliveries, documents, erasing, people, signing_keys, staff
from journeys.store.deliveries import Reply
from tests.activities.conftest import Life
from tests.activities.test_short_messages import beside


async def test_what_was_cut_off_goes_and_what_the_journal_took_stays(life: Life, shared_database: str) -> None:
    taken, lost = b"%PDF-1.7 taken", b"%PDF-1.7 lost"
    digest = hashlib.sha256(taken).hexdigest()
    told = Document(digest=digest, name="a.pdf", kind="pdf", size=len(taken)).as_part()
    noted = await life.do(c.AddNote(), text="vu", document=told)
    await documents.keep(life.pool, life.stream, noted.command, digest, taken)
    await documents.keep(life.pool, life.stream, str(uuid.uuid4()), hashlib.sha256(lost).hexdigest(), lost)

    await Fleet(life.resources).wake()
    assert len(await documents.standing(life.pool, life.stream)) == 2, "not a day old"
    owner = await asyncpg.connect(shared_database)
    await owner.execute("UPDATE document_holds SET held_at = held_at - $1::interval", CUT_OFF)
    await owner.close()
    await Fleet(life.resources).wake()
    assert await documents.standing(life.pool, life.stream) == {digest: True}


async def test_a_journey_that_has_grown_is_counted_with_the_next_round(life: Life) -> None:
    async def counted() -> tuple[int, date | None]:
        row = await life.pool.fetchrow("SELECT seq, begun FROM counted WHERE journey = $1", life.stream[8:])
        return row["seq"], row["begun"]

    await Fleet(life.resources).wake()
    assert await counted() == (life.state.seq, life.state.start)
    await life.do(c.AddNote(), text="vu")
    assert (await counted())[0] < life.state.seq
    await Fleet(life.resources).wake()
    assert await counted() == (life.state.seq, life.state.start)


async def test_a_journey_that_a_restored_record_has_open_is_left_once_its_person_is_forgotten(life: Life) -> None:
    asked: list[str] = []

    async def send(command: Command) -> Answer:
        asked.append(command.stream)
        return Answer(command=command.id, outcome="refused", code="erasing")

    async def nobody(_: object) -> None:
        return None

    async def told() -> tuple[bool, bool]:
        asked.clear()
        await fleet.wake()
        return life.stream in asked, life.stream in {row.stream for row in await under_way(life.pool)}

    fleet = Fleet(replace(life.resources, send=send, begin_erasure=nobody))
    await life.pool.execute("UPDATE journeys SET next_due = $2 WHERE id = $1", life.stream[8:],
                            datetime(2026, 1, 1, tzinfo=UTC))  # fmt: skip
    assert await told() == (True, True)
    await life.pool.execute("UPDATE journeys SET status = 'closed' WHERE id = $1", life.stream[8:])
    assert await told() == (True, True), "money and its alerts go on once it is closed"
    await erasing.order(life.pool, life.person, "restored", life.by)
    assert await told() == (True, True), "money under way is still seen through"
    await erasing.note(life.pool, life.person, await erasing.survey(life.pool, life.person))
    await erasing.certify(life.pool, life.person, life.by)
    assert await told() == (False, False)


async def test_a_hand_over_to_somebody_who_has_left_is_declined_once(life: Life) -> None:
    asked: list[Command] = []

    async def send(command: Command) -> Answer:
        if command.stream != life.stream:
            return Answer(command=command.id, outcome="accepted")
        asked.append(command)
        return await life.give(command)

    noor = await life.hire(str(uuid.uuid4()), "noor", "referent")
    transfer = c.Transfer(to=noor)
    await life.do(transfer, reason="je change de site")
    fleet = Fleet(replace(life.resources, send=send))
    await fleet.wake()
    assert not [each for each in asked if each.name == "decline-transfer"], "she is there"
    await staff.set_active(life.pool, noor, False, life.by)
    (waits,) = await staff.still_counted_on(life.pool, noor)
    assert (waits.journey, waits.transfer is not None) == (life.stream[8:], True)
    loaded = cast(Any, SimpleNamespace(state=life.state))
    for body in (transfer, c.AcceptTransfer(), c.AssignReferent(referent=noor)):
        with pytest.raises(Failure, match="has left"):
            await must_be_there(life.pool, loaded, body)
    await must_be_there(life.pool, loaded, c.Transfer(to=life.supervisor))
    await fleet.wake()
    await fleet.wake()
    (declined,) = [each for each in asked if each.name == "decline-transfer"]
    assert declined.caused_by == Cause(staff.stream_of(noor), waits.since)
    assert life.state.transfer is None and await staff.still_counted_on(life.pool, noor) == []
    await staff.set_active(life.pool, life.referent, False, life.by)
    (led,) = await staff.still_counted_on(life.pool, life.referent)
    assert (led.member, led.transfer) == (life.referent, None)


async def replied(life: Life, wish: str, *whose: str) -> str:
    event = str(uuid.uuid4())
    await deliveries.keep_reply(life.pool, Reply(event, whose, wish, life.now), hashlib.sha256(event.encode()).digest())  # type: ignore[arg-type]
    return event


async def came_to(life: Life, *events: str) -> list[str]:
    rows = await life.pool.fetch("SELECT event, outcome FROM message_reply_outcomes WHERE event = ANY ($1)", events)
    by_event = {row["event"]: row["outcome"] for row in rows}
    return [by_event[event] for event in events]


async def nobody(_: object) -> None:
    return None


async def test_the_stop_of_somebody_being_forgotten_ends_and_holds_nobody_up(life: Life) -> None:
    other = str(uuid.uuid4())
    await people.register(life.pool, other, people.Details(first_name="Zoé", last_name="Petit"), life.by)
    await signing_keys.announce(life.pool, life.resources.ring)
    await erasing.order(life.pool, life.person, "restored", life.by)
    theirs, others, shared = [
        await replied(life, "stop", *whose) for whose in ((life.person,), (other,), (life.person, other))
    ]
    await Fleet(replace(life.resources, begin_erasure=nobody)).wake()
    assert await came_to(life, theirs, others, shared) == ["forgotten", "taken", "forgotten"]
    known = await people.person(life.pool, other)
    assert known is not None and known.opted_out
    await erasing.note(life.pool, life.person, await erasing.survey(life.pool, life.person))
    await erasing.certify(life.pool, life.person, life.by)


async def test_what_fails_in_a_round_is_named_and_stops_nothing_else(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await replied(life, "stop", life.person), await replied(life, "stop", life.person)
    obey = people.obey

    async def fails_once(*given: Any) -> Answer:
        monkeypatch.setattr(people, "obey", obey)
        raise ValueError("Éloïse")

    async def fails(*_: Any) -> None:
        raise KeyError("Éloïse")

    await signing_keys.announce(life.pool, life.resources.ring)
    monkeypatch.setattr(people, "obey", fails_once)
    monkeypatch.setattr("activities.fleet.send_notices", fails)
    with pytest.raises(Unfinished) as failed:
        await Fleet(replace(life.resources, send=life.give, begin_erasure=nobody)).wake()
    assert str(failed.value) == f"wishes (Unfinished: reply {first} (ValueError)), notices (KeyError)"
    assert await came_to(life, second) == ["taken"] and life.state.opted_out
    row = await life.pool.fetchrow("SELECT seq FROM counted WHERE journey = $1", life.stream[8:])
    assert row["seq"] == life.state.seq, "the last parts of the round"
    monkeypatch.undo()
    await Fleet(replace(life.resources, send=life.give, begin_erasure=nobody)).wake()
    assert await came_to(life, first) == ["known"]


async def test_what_people_wish_comes_before_journeys_that_may_not_answer(life: Life) -> None:
    asked: list[str] = []

    async def silent(command: Command) -> Answer:
        asked.append(command.name)
        raise TimeoutError

    await signing_keys.announce(life.pool, life.resources.ring)
    await replied(life, "stop", life.person)
    await life.pool.execute("UPDATE journeys SET next_due = $2 WHERE id = $1", life.stream[8:],
                            datetime(2026, 1, 1, tzinfo=UTC))  # fmt: skip
    await Fleet(replace(life.resources, send=silent, begin_erasure=nobody)).wake()
    assert asked[0] == "opt-out" and "sync" in asked
    await life.pool.execute("UPDATE journeys SET next_due = NULL WHERE id = $1", life.stream[8:])
    await Fleet(replace(life.resources, send=life.give, begin_erasure=nobody)).wake()
    assert life.state.opted_out


async def wished(life: Life, *bodies: c.PersonBody) -> None:
    """Said on the person's own stream, and no journey is told."""
    await signing_keys.announce(life.pool, life.resources.ring)
    for body in bodies:
        command = issue(life.resources.ring, stream=people.stream_of(life.person), body=body, actor=life.referent,
                        roles=("referent",), now=life.now)  # fmt: skip
        assert (await people.obey(life.pool, life.resources.ring, command, life.now)).outcome == "accepted"


async def told(*lives: Life) -> list[str]:
    """What the fleet's round tells these journeys."""
    by_stream, names = {each.stream: each for each in lives}, list[str]()

    async def send(command: Command) -> Answer:
        if command.stream not in by_stream:
            raise TimeoutError
        names.append(command.name)
        return await by_stream[command.stream].give(command)

    await Fleet(replace(lives[0].resources, send=send, begin_erasure=nobody)).wake()
    return names


async def test_a_death_that_one_journey_did_not_hear_reaches_it_with_the_next_round(life: Life) -> None:
    other = await beside(life)
    await wished(life, c.RecordDeath())
    fact = await people.own_fact(life.pool, people.stream_of(life.person), 2)
    assert fact is not None
    await life.give(forwarded(life.resources.ring, fact, life.stream, life.now))
    assert life.state.outcome == "deceased" and other.state.is_open
    assert await told(life, other) == ["record-death"]
    assert other.state.outcome == "deceased"
    assert await told(life, other) == []


async def test_the_last_word_is_told_and_not_what_was_taken_back_before(life: Life) -> None:
    await wished(life, c.OptOut(), c.OptIn(), c.PauseMessages(until=life.now.date()), c.RecordWishes(channel="mail"))
    other = await beside(life)
    assert await told(life) == ["opt-in", "pause-messages", "record-wishes"]
    assert await told(life, other) == ["pause-messages"], "what it has to know, and not what was over before it began"
    assert life.state.paused_until == other.state.paused_until is not None
    await wished(life, c.OptOut())
    assert await told(life, other) == ["opt-out"] * 2
    later = await beside(life)
    assert await told(life, other, later) == ["pause-messages", "opt-out"] and later.state.opted_out
    await wished(life, c.ResumeMessages())
    assert await told(life, other, later) == ["resume-messages"] * 3


async def test_what_was_taken_back_while_the_round_was_on_its_way_is_told_no_more(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("journeys.issuing._AT_ONCE", 1)
    other = await beside(life)
    await wished(life, c.OptOut())
    names: list[str] = []

    async def changes_their_mind(command: Command) -> Answer:
        if not names:
            await wished(life, c.OptIn())
        names.append(command.name)
        return await (life if command.stream == life.stream else other).give(command)

    await signing_keys.announce(life.pool, life.resources.ring)
    ring = life.resources.ring
    await tell_of_people(life.pool, ring, changes_their_mind, life.now)
    assert names == ["opt-out"]
    await tell_of_people(life.pool, ring, changes_their_mind, life.now)
    assert names == ["opt-out", "opt-in", "opt-in"] and not life.state.opted_out and not other.state.opted_out


async def test_who_does_not_answer_takes_only_so_long_of_a_round(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: Command) -> Answer | None:
        await asyncio.sleep(60)
        return None

    await wished(life, c.OptOut())
    monkeypatch.setattr("journeys.issuing._TELLING_SECONDS", 0.2)
    begun = time.monotonic()
    await tell_of_people(life.pool, life.resources.ring, never, life.now)
    assert time.monotonic() - begun < 20 and not life.state.opted_out


async def test_each_wish_is_told_and_none_after_a_later_one(life: Life) -> None:
    await wished(life, c.RecordWishes(zone="America/Cayenne"), c.RecordWishes(channel="mail"))
    assert await told(life) == ["record-wishes"] * 2
    await wished(life, c.RecordWishes(language="fr"), c.RecordWishes(language="en"))
    last = await people.own_fact(life.pool, people.stream_of(life.person), 5)
    assert last is not None
    await life.give(forwarded(life.resources.ring, last, life.stream, life.now))
    assert await told(life) == []


async def test_a_death_of_today_where_the_person_lived_is_none_of_tomorrow_elsewhere(life: Life) -> None:
    await wished(life, c.RecordDeath(on=life.now.date() + timedelta(days=1)))
    assert await told(life) == ["record-death"]
    assert life.state.outcome == "deceased"
