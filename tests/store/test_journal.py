"""The journal: positions, ids, links, pages, parts; and many writers at once."""

import asyncio
import hashlib
import json
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from journeys.contract import Append
from journeys.domain.record import NO_EVENT, Payload
from journeys.store import journal, people
from journeys.store.canonical import NotCanonical, canonical
from journeys.store.database import open_pool
from journeys.store.directory import By
from journeys.store.journal import JournalBehind, append, read_all
from journeys.store.offer import BadOffer
from journeys.store.programmes import store_text
from journeys.store.signing import KeyRing, sign, stored_holds

from .samples import ACTOR, NOW, answered, header, move, new_stream, noted, plain, signed, view

pytestmark = pytest.mark.asyncio

BY = By(actor=ACTOR, role="referent", at=NOW)


class JourneyPlanned(Payload):
    programme: str
    calendar: str


async def assert_linked(pool: Any, stream: str, count: int) -> None:
    """The chain, recomputed from the bytes alone."""
    events = await read_all(pool, stream)
    prev = NO_EVENT
    for seq, event in enumerate(events, start=1):
        read = event.read()
        assert (event.seq, read["seq"], read["prev"]) == (seq, seq, prev)
        assert canonical(read) == event.header
        assert hashlib.sha256(event.header).digest() == event.hash
        prev = event.hash.hex()
    assert len(events) == count
    last = await pool.fetchrow("SELECT seq, hash FROM streams WHERE stream = $1", stream)
    assert (last["seq"], last["hash"].hex()) == (count, prev)


async def test_what_was_accepted_is_returned_as_stored(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    request = noted(stream, 0, ring)
    result = await append(pool, ring, request)
    assert result.accepted and not result.more and not result.unsigned and not result.known
    stored = await read_all(pool, stream)
    assert result.events == tuple(event.read() for event in stored)
    assert result.events[0] == {**request.events[0], "prev": NO_EVENT}


async def test_links_hold_over_several_appends_and_several_events(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    await append(pool, ring, plain(stream, 0, 3))
    await append(pool, ring, noted(stream, 3, ring))
    await append(pool, ring, plain(stream, 4, 100))
    await assert_linked(pool, stream, 104)


async def test_the_link_goes_where_the_header_ends_not_into_its_data(pool: Any, ring: KeyRing) -> None:
    class Odd(Payload):
        prev: str = NO_EVENT
        text: str = f'"prev":"{NO_EVENT}"'

    stream = new_stream()
    await append(pool, ring, plain(stream, 0))
    odd = header(stream, 2, Odd(), programme=NO_EVENT)
    result = await append(pool, ring, Append(stream=stream, expected=1, events=(odd,)))
    assert result.events[0]["data"] == {"prev": NO_EVENT, "text": f'"prev":"{NO_EVENT}"'}
    await assert_linked(pool, stream, 2)


async def test_accents_and_other_scripts_keep_their_bytes(pool: Any, ring: KeyRing) -> None:
    class Said(Payload):
        code: str = 'é\u0001\u2028𝄞\\"/'

    stream = new_stream()
    result = await append(pool, ring, Append(stream=stream, expected=0, events=(header(stream, 1, Said()),)))
    assert result.accepted
    await assert_linked(pool, stream, 1)


async def test_behind_the_journal_nothing_is_written_and_what_is_there_comes_back(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    await append(pool, ring, plain(stream, 0, 3))
    late = noted(stream, 1, ring)
    result = await append(pool, ring, late)
    assert not result.accepted
    assert [event["seq"] for event in result.events] == [2, 3]
    assert await journal.head(pool, stream) == 3
    assert await journal.answer_of(pool, stream, late.answered[0].command.id) is None
    assert await journal.parts(pool, stream) == []


async def test_an_offer_repeated_after_a_lost_answer_is_not_stored_twice(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    request = noted(stream, 0, ring)
    first = await append(pool, ring, request)
    again = await append(pool, ring, request)
    assert not again.accepted
    assert again.events == first.events
    assert again.known == (request.answered[0].answer,)
    await assert_linked(pool, stream, 1)


async def test_a_known_command_at_the_right_position_is_answered_and_not_repeated(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    command = signed(stream, ring, body=move())
    one = Append(stream=stream, expected=0, events=(header(stream, 1),), answered=(answered(command, 1),))
    await append(pool, ring, one)
    two = Append(stream=stream, expected=1, events=(header(stream, 2),), answered=(answered(command, 2),))
    result = await append(pool, ring, two)
    assert (result.accepted, result.events) == (False, ())
    assert result.known == (one.answered[0].answer,)
    assert await journal.head(pool, stream) == 1


async def test_a_resent_note_with_new_salts_roles_and_time_is_the_same_command(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    first = noted(stream, 0, ring, note="Vu au parloir")
    await append(pool, ring, first)
    id = first.answered[0].command.id
    resent = signed(stream, ring, id=id, note="Vu au parloir")
    resent = sign(resent.model_copy(update={"roles": ("supervisor",), "signed_at": NOW + timedelta(days=1)}), ring)
    assert resent.commitments != first.answered[0].command.commitments
    result = await append(pool, ring, Append(stream=stream, expected=1, answered=(answered(resent, 1),)))
    assert result.known == (first.answered[0].answer,)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"note": "Autre chose"}, id="another text"),
        pytest.param({"seen": 1}, id="another seq seen"),
        pytest.param({"body": move()}, id="another command"),
    ],
)
async def test_the_same_id_with_other_content_is_a_conflict(pool: Any, ring: KeyRing, changes: dict[str, Any]) -> None:
    stream = new_stream()
    first = noted(stream, 0, ring)
    await append(pool, ring, first)
    other = signed(stream, ring, id=first.answered[0].command.id, **changes)
    result = await append(pool, ring, Append(stream=stream, expected=1, answered=(answered(other, 2),)))
    assert [answer.outcome for answer in result.known] == ["conflict"]
    assert not result.accepted
    recorded = await journal.answer_of(pool, stream, other.id)
    assert recorded == first.answered[0].answer


async def test_another_day_in_the_body_is_a_conflict(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    command = signed(stream, ring, body=move(date(2027, 6, 1)))
    await append(pool, ring, Append(stream=stream, expected=0, answered=(answered(command, 0),)))
    other = signed(stream, ring, id=command.id, body=move(date(2027, 6, 2)))
    result = await append(pool, ring, Append(stream=stream, expected=0, answered=(answered(other, 0),)))
    assert [answer.outcome for answer in result.known] == ["conflict"]


async def test_a_deleted_text_is_not_compared(pool: Any, ring: KeyRing, dsn: str) -> None:
    stream = new_stream()
    first = noted(stream, 0, ring, note="Vu au parloir")
    await append(pool, ring, first)
    retention = await open_pool(dsn, role="journeys_retention")
    assert await journal.delete_parts(retention, stream) == 1
    await retention.close()
    assert await journal.parts(pool, stream) == []
    other = signed(stream, ring, id=first.answered[0].command.id, note="Tout autre chose")
    result = await append(pool, ring, Append(stream=stream, expected=1, answered=(answered(other, 1),)))
    assert result.known == (first.answered[0].answer,)
    await assert_linked(pool, stream, 1)


async def test_the_text_is_kept_beside_its_event_and_gives_the_commitment(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    await append(pool, ring, plain(stream, 0, 2))
    request = noted(stream, 2, ring, note="Vu au parloir")
    await append(pool, ring, request)
    (part,) = await journal.parts(pool, stream)
    assert (part.seq, part.name, part.text) == (3, "text", "Vu au parloir")
    assert request.events[0]["parts"]["text"] == request.answered[0].command.parts["text"].commitment()
    assert "parloir" not in (await read_all(pool, stream))[2].header.decode()


async def test_the_signed_bytes_are_kept_and_hold_without_the_texts(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    request = noted(stream, 0, ring)
    await append(pool, ring, request)
    row = await pool.fetchrow("SELECT * FROM commands WHERE stream = $1", stream)
    assert (row["first"], row["last"]) == (1, 1)
    assert stored_holds(row["signed"], row["signature"], row["key"], ring)
    assert not stored_holds(row["signed"] + b" ", row["signature"], row["key"], ring)
    assert json.loads(row["signed"])["commitments"] == request.answered[0].command.commitments


async def test_one_bad_signature_stops_the_whole_offer_and_is_named(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    await append(pool, ring, plain(stream, 0))
    good = signed(stream, ring, body=move())
    bad = signed(stream, KeyRing("k1", {"k1": b"x" * 32}), body=move())
    both = (answered(good, 1), answered(bad, 1))
    offered = Append(stream=stream, expected=0, events=(header(stream, 1),), answered=both)
    result = await append(pool, ring, offered)
    assert (result.accepted, result.unsigned) == (False, (bad.id,))
    assert [event["seq"] for event in result.events] == [1]
    assert await journal.answer_of(pool, stream, good.id) is None


async def test_what_makes_a_command_unsigned(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    command = signed(stream, ring)
    salted = {"text": command.parts["text"].model_copy(update={"text": "Refait"})}
    forged = {
        "another journey's": signed(new_stream(), ring),
        "changed text": command.model_copy(update={"parts": salted}),
        "text left out": command.model_copy(update={"parts": {}}),
        "changed actor": command.model_copy(update={"actor": str(uuid4())}),
        "changed roles": command.model_copy(update={"roles": ("finance",)}),
        "changed body": signed(stream, ring, body=move()).model_copy(update={"body": move(date(2030, 1, 1))}),
        "unknown key": command.model_copy(update={"key": "k9"}),
        "no signature": command.model_copy(update={"signature": ""}),
        "not ascii": command.model_copy(update={"signature": "é" * 64}),
        "text that cannot be stored": signed(stream, ring, note="a\0b"),
    }
    for why, each in forged.items():
        result = await append(pool, ring, Append(stream=stream, expected=0, answered=(answered(each, 0),)))
        assert (result.accepted, result.unsigned) == (False, (each.id,)), why
    assert await journal.head(pool, stream) == 0
    result = await append(pool, ring, Append(stream=stream, expected=0, answered=(answered(command, 0),)))
    assert result.accepted


async def test_an_old_key_of_the_ring_still_holds(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    command = signed(stream, KeyRing("k0", {"k0": ring.keys["k0"]}))
    result = await append(pool, ring, Append(stream=stream, expected=0, answered=(answered(command, 0),)))
    assert result.accepted


async def test_pages_follow_each_other_by_number_and_by_size(pool: Any, ring: KeyRing) -> None:
    class Big(Payload):
        filling: str = "x" * 9_000

    stream = new_stream()
    await append(pool, ring, plain(stream, 0, 250))
    big = tuple(header(stream, 250 + n, Big()) for n in range(1, 151))
    await append(pool, ring, Append(stream=stream, expected=250, events=big))
    sizes: list[tuple[int, int, bool]] = []
    seqs: list[int] = []
    while True:
        page = await append(pool, ring, Append(stream=stream, expected=len(seqs)))
        if page.accepted:
            break
        seqs += [event["seq"] for event in page.events]
        sizes.append((len(page.events), len(json.dumps(page.events)), page.more))
    assert seqs == list(range(1, 401))
    assert sizes[0][0] == 200
    assert all(count <= 200 and size < 1_100_000 for count, size, _ in sizes)
    assert [more for _, _, more in sizes] == [True] * (len(sizes) - 1) + [False]
    assert len(sizes) > 2


async def test_an_event_larger_than_a_page_still_comes(pool: Any, ring: KeyRing) -> None:
    class Huge(Payload):
        filling: str = "x" * 1_200_000

    stream = new_stream()
    await append(pool, ring, Append(stream=stream, expected=0, events=(header(stream, 1, Huge()), header(stream, 2))))
    page = await append(pool, ring, Append(stream=stream, expected=0))
    assert ([event["seq"] for event in page.events], page.more) == ([1], True)


async def test_an_empty_offer_writes_nothing_even_for_a_stream_that_is_not_there(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    result = await append(pool, ring, Append(stream=stream, expected=0))
    assert (result.accepted, result.events) == (True, ())
    assert await pool.fetchval("SELECT count(*) FROM streams") == 0


async def test_a_journal_that_lost_events_is_said_and_not_written_over(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    await append(pool, ring, plain(stream, 0, 2))
    for request in (Append(stream=stream, expected=5), plain(stream, 5), plain(new_stream(), 3)):
        with pytest.raises(JournalBehind):
            await append(pool, ring, request)
    await assert_linked(pool, stream, 2)


async def test_offers_that_make_no_sense_are_the_callers_mistake(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    command = signed(stream, ring)
    twice = (answered(command, 1), answered(command, 1))
    for request in (
        Append(stream=stream, expected=0, events=(header(stream, 2),)),
        Append(stream=stream, expected=0, events=(header(new_stream(), 1),)),
        Append(stream=stream, expected=0, events=(header(stream, 1),), answered=twice),
    ):
        with pytest.raises(BadOffer):
            await append(pool, ring, request)
    with pytest.raises(NotCanonical):
        request = plain(stream, 0)
        request.events[0]["data"] = {"amount": 12.5}
        await append(pool, ring, request)
    assert await journal.head(pool, stream) == 0


async def test_texts_come_to_whoever_reads_the_events_that_name_them_and_when_asked(pool: Any, ring: KeyRing) -> None:
    async with pool.acquire() as connection:
        programme = await store_text(connection, "programme", "auxilia", "name: auxilia")
        calendar = await store_text(connection, "calendar", "FR", "2027-05-01")
        third = await store_text(connection, "programme", "other", "name: other")
    stream = new_stream()
    planned = header(stream, 1, JourneyPlanned(programme=programme, calendar=calendar))
    accepted = await append(pool, ring, Append(stream=stream, expected=0, events=(planned,)))
    assert accepted.accepted and accepted.texts == {}
    texts = {programme: "name: auxilia", calendar: "2027-05-01"}
    assert (await append(pool, ring, Append(stream=stream, expected=0))).texts == texts
    assert (await append(pool, ring, Append(stream=stream, expected=0, events=(planned,)))).texts == texts
    assert (await append(pool, ring, Append(stream=stream, expected=1))).texts == {}
    asked = Append(stream=stream, expected=1, texts=(third, "f" * 64))
    assert (await append(pool, ring, asked)).texts == {third: "name: other"}


async def test_the_view_is_written_with_the_events_or_not_at_all(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    await append(pool, ring, noted(stream, 0, ring))
    second = noted(stream, 1, ring).model_copy(update={"view": view(2, status="suspended", next_due=None, late=3)})
    await append(pool, ring, second)
    late = noted(stream, 0, ring).model_copy(update={"view": view(1, status="closed")})
    assert not (await append(pool, ring, late)).accepted
    row = await pool.fetchrow("SELECT status, seq, next_due, late FROM journeys")
    assert tuple(row) == ("suspended", 2, None, 3)


async def test_sixteen_writers_on_one_stream_make_one_chain(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    accepted: list[str] = []

    async def write(name: int) -> None:
        seen, mine = 0, 0
        while mine < 5:
            request = noted(stream, seen, ring)
            result = await append(pool, ring, request)
            if result.accepted:
                accepted.append(request.answered[0].command.id)
                mine += 1
            seen = result.events[-1]["seq"]

    await asyncio.gather(*(write(name) for name in range(16)))
    await assert_linked(pool, stream, 80)
    stored = [event.read()["command"] for event in await read_all(pool, stream)]
    assert sorted(stored) == sorted(accepted)


async def test_first_writers_of_one_stream_do_not_fork_it(pool: Any, ring: KeyRing) -> None:
    for _ in range(5):
        stream = new_stream()
        results = await asyncio.gather(*(append(pool, ring, plain(stream, 0)) for _ in range(16)))
        assert sum(result.accepted for result in results) == 1
        assert all(len(result.events) == 1 for result in results)
        await assert_linked(pool, stream, 1)


async def test_many_streams_at_once_do_not_wait_for_each_other(pool: Any, ring: KeyRing) -> None:
    streams = [new_stream() for _ in range(16)]

    async def write(stream: str) -> None:
        for seq in range(10):
            assert (await append(pool, ring, noted(stream, seq, ring))).accepted

    async with pool.acquire() as blocker, blocker.transaction():
        held = new_stream()
        await blocker.execute("INSERT INTO streams VALUES ($1, 0, decode(repeat('00', 32), 'hex'))", held)
        await asyncio.wait_for(asyncio.gather(*(write(stream) for stream in streams[:12])), timeout=20)
    await asyncio.gather(*(write(stream) for stream in streams[12:]))
    for stream in streams:
        await assert_linked(pool, stream, 10)


async def test_the_same_command_sent_at_once_has_one_effect(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    request = noted(stream, 0, ring)
    results = await asyncio.gather(*(append(pool, ring, request) for _ in range(16)))
    assert sum(result.accepted for result in results) == 1
    assert all(result.known == (request.answered[0].answer,) for result in results if not result.accepted)
    await assert_linked(pool, stream, 1)


async def test_events_and_their_texts_are_read_in_one_question_as_in_two(pool: Any, owner: Any, ring: KeyRing) -> None:
    stream, person = new_stream(), f"person-{uuid4()}"
    await append(pool, ring, noted(stream, 0, ring))
    await append(pool, ring, plain(stream, 1, 2))
    await append(pool, ring, noted(stream, 3, ring, note="Encore"))
    await people.register(pool, person.removeprefix("person-"), people.Details(first_name="A", last_name="B"), BY)
    for each, counted in ((stream, (4, 2)), (person, (1, 4))):
        told = await journal.read_told(pool, each)
        stored = [(one.kind, one.header) for one in await read_all(pool, each)]
        assert told == (stored, await journal.parts(pool, each))
        assert (len(told[0]), len(told[1])) == counted
    await owner.execute("ALTER TABLE parts DISABLE TRIGGER ALL")
    await owner.execute("DELETE FROM parts WHERE stream = $1 AND seq = 1", stream)
    events_left, texts = await journal.read_told(pool, stream)
    assert len(events_left) == 4 and [part.text for part in texts] == ["Encore"]
    assert await journal.read_told(pool, new_stream()) == ([], [])
