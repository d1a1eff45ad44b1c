"""Who is told how far: nothing from before, nothing skipped however late it commits, secrets that are nowhere kept."""

import asyncio
import random
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from journeys.store import webhooks
from journeys.store.directory import By, NotFound
from journeys.store.journal import append, parts, read_all, write
from journeys.store.offer import make_offer
from journeys.store.signing import KeyRing
from journeys.store.webhooks import MissingKey, Origin, Webhook

from .samples import ACTOR, NOW, header, new_stream, plain

pytestmark = pytest.mark.asyncio
BY = By(actor=ACTOR, role="administrator", at=NOW)


async def subscribed(pool: Any, *kinds: str) -> Webhook:
    hook = Webhook(
        id=str(uuid4()), url="https://crm.example.org/in?token=abc", kinds=kinds or ("NoteAdded",), made_at=NOW,
        origin=Origin("k1", 1),
    )  # fmt: skip
    await webhooks.add(pool, hook, BY)
    return hook


async def tell(pool: Any, hook: Webhook) -> list[tuple[str, int]]:
    """What a delivery would tell now, in order; the places reached move on."""
    told = []
    for place in await webhooks.behind(pool, hook, limit=1000):
        seen = place.seen
        for each in await webhooks.wanted(pool, hook, place):
            told.append((each["stream"], each["seq"]))
            await webhooks.move(pool, hook.id, [(place.stream, seen, each["seq"])])
            seen = each["seq"]
        if place.next is None:
            await webhooks.move(pool, hook.id, [(place.stream, place.seen, place.head)])
    return told


async def test_nothing_from_before_everything_from_after(pool: Any, ring: KeyRing) -> None:
    old, new = new_stream(), new_stream()
    await append(pool, ring, plain(old, 0, 3))
    hook = await subscribed(pool)
    assert await tell(pool, hook) == []
    await append(pool, ring, plain(old, 3))
    await append(pool, ring, plain(new, 0, 2))
    await append(pool, ring, plain(new_stream("person"), 0))
    assert sorted(await tell(pool, hook)) == sorted([(old, 4), (new, 1), (new, 2)])
    assert await tell(pool, hook) == []


async def test_only_the_kinds_that_were_asked_for(pool: Any, ring: KeyRing) -> None:
    hook = await subscribed(pool, "MilestoneReached")
    stream = new_stream()
    await append(pool, ring, plain(stream, 0, 5))
    (place,) = await webhooks.behind(pool, hook)
    assert (place.seen, place.head, place.next) == (0, 5, None)
    assert await tell(pool, hook) == []
    assert await webhooks.behind(pool, hook) == [], "what nobody wants is passed over once"


async def test_what_commits_late_is_told_late_and_not_skipped(pool: Any, ring: KeyRing) -> None:
    hook, slow, quick = await subscribed(pool), new_stream(), new_stream()
    async with pool.acquire() as connection:
        late = connection.transaction()
        await late.start()
        assert (await write(connection, [make_offer(slow, 0, [header(slow, 1)])]))[0].outcome == "accepted"
        await append(pool, ring, plain(quick, 0))
        assert await tell(pool, hook) == [(quick, 1)]
        await late.commit()
    stored = dict(await pool.fetch("SELECT stream, wall FROM events"))
    assert stored[slow] < stored[quick], "a reader by the time of storing would have skipped it"
    assert await tell(pool, hook) == [(slow, 1)]


async def test_an_append_under_way_while_subscribing_is_told(pool: Any, ring: KeyRing) -> None:
    known = new_stream()
    await append(pool, ring, plain(known, 0))
    async with pool.acquire() as connection:
        late = connection.transaction()
        await late.start()
        await write(connection, [make_offer(known, 1, [header(known, 2)])])
        hook = await subscribed(pool)
        await late.commit()
    assert await tell(pool, hook) == [(known, 2)]


async def test_many_writers_at_once_leave_no_gap(pool: Any, ring: KeyRing) -> None:
    """Each writer holds its transaction open for a while now and then, as a loaded server would."""
    hook, streams, each = await subscribed(pool), [new_stream() for _ in range(8)], 25

    async def keep_writing(stream: str, dice: random.Random) -> None:
        for seq in range(each):
            async with pool.acquire() as connection, connection.transaction():
                await write(connection, [make_offer(stream, seq, [header(stream, seq + 1)])])
                if dice.random() < 0.3:
                    await asyncio.sleep(dice.random() / 50)

    writing = asyncio.gather(*(keep_writing(stream, random.Random(nth)) for nth, stream in enumerate(streams)))
    told: list[tuple[str, int]] = []
    while not writing.done():
        told += await tell(pool, hook)
    await writing
    told += await tell(pool, hook)
    for stream in streams:
        assert [seq for of, seq in told if of == stream] == list(range(1, each + 1))


async def test_a_journey_is_told_again(pool: Any, ring: KeyRing) -> None:
    hook, stream = await subscribed(pool), new_stream()
    await append(pool, ring, plain(stream, 0, 4))
    await tell(pool, hook)
    await webhooks.rewind(pool, hook.id, stream.removeprefix("journey-"), 3, BY)
    assert await tell(pool, hook) == [(stream, 3), (stream, 4)]


async def test_a_rewinding_wins_over_a_delivery_under_way(pool: Any, ring: KeyRing) -> None:
    hook, stream = await subscribed(pool), new_stream()
    await append(pool, ring, plain(stream, 0, 4))
    await tell(pool, hook)
    await append(pool, ring, plain(stream, 4))
    await webhooks.rewind(pool, hook.id, stream.removeprefix("journey-"), 1, BY)
    await webhooks.move(pool, hook.id, [(stream, 4, 5)])
    assert [seq for _, seq in await tell(pool, hook)] == [1, 2, 3, 4, 5]


async def test_some_first_and_some_not_at_all(pool: Any, ring: KeyRing) -> None:
    hook, streams = await subscribed(pool), sorted(new_stream() for _ in range(4))
    for stream in streams:
        await append(pool, ring, plain(stream, 0))
    found = await webhooks.behind(pool, hook, first=[streams[3]], without=[streams[1]])
    assert [place.stream for place in found] == [streams[3], streams[0], streams[2]]


async def test_an_ended_one_is_over_for_good(pool: Any, ring: KeyRing) -> None:
    stream = new_stream()
    await append(pool, ring, plain(stream, 0))
    hook = await subscribed(pool)
    assert await webhooks.set_state(pool, hook.id, "ended", "asked", BY)
    for state in ("active", "paused", "ended"):
        assert not await webhooks.set_state(pool, hook.id, state, None, BY)  # type: ignore[arg-type]
    assert await pool.fetchval("SELECT count(*) FROM webhook_places") == 0
    with pytest.raises(NotFound):
        await webhooks.rotate(pool, hook.id, "k1", BY)
    with pytest.raises(NotFound):
        await webhooks.rewind(pool, hook.id, stream.removeprefix("journey-"), 1, BY)
    facts = [event.read() for event in await read_all(pool, webhooks.stream_of(hook.id))]
    assert [fact["kind"] for fact in facts] == ["WebhookAdded", "WebhookEnded"]
    assert {fact["actor"] for fact in facts} == {ACTOR}


async def test_an_address_may_hold_a_token_and_stands_in_a_part(pool: Any) -> None:
    hook = await subscribed(pool)
    (event,) = await read_all(pool, webhooks.stream_of(hook.id))
    assert b"token" not in event.header
    assert [part.text for part in await parts(pool, webhooks.stream_of(hook.id))] == [hook.url]
    assert "token" not in repr(hook)


async def test_secrets_are_derived_and_nowhere_in_the_database(pool: Any, ring: KeyRing) -> None:
    hook = await subscribed(pool)
    first = webhooks.secret_of(ring, hook.id, hook.origin)
    rotated = await webhooks.rotate(pool, hook.id, "k1", BY)
    second = webhooks.secret_of(ring, hook.id, rotated.origin)
    others = {webhooks.secret_of(ring, str(uuid4()), hook.origin), webhooks.secret_of(ring, hook.id, Origin("k0", 1))}
    assert len({first, second, *others, *ring.keys.values()}) == 6
    assert len(first) == 32 and webhooks.written(first).startswith("whsec_")
    assert webhooks.secrets_of(ring, rotated, NOW) == (second, first)
    assert webhooks.secrets_of(ring, rotated, NOW + webhooks.OVERLAP - timedelta(seconds=1)) == (second, first)
    assert webhooks.secrets_of(ring, rotated, NOW + webhooks.OVERLAP) == (second,)
    stored = str(await pool.fetch("SELECT webhooks::text FROM webhooks"))
    for secret in (first, second):
        assert secret.hex() not in stored and webhooks.written(secret)[6:] not in stored


async def test_a_signing_key_that_is_gone(pool: Any, ring: KeyRing) -> None:
    hook = await subscribed(pool)
    newer = KeyRing("k2", {"k2": b"2" * 32})
    with pytest.raises(MissingKey):
        webhooks.secrets_of(newer, hook, NOW)
    rotated = await webhooks.rotate(pool, hook.id, "k2", BY)
    assert len(webhooks.secrets_of(newer, rotated, NOW)) == 1
    assert len(webhooks.secrets_of(replace_keys(newer, ring), rotated, NOW)) == 2


def replace_keys(newer: KeyRing, older: KeyRing) -> KeyRing:
    return replace(newer, keys={**older.keys, **newer.keys})


async def test_looking_is_quick_with_twenty_thousand_journeys(pool: Any, owner: Any, ring: KeyRing) -> None:
    await owner.execute(
        "INSERT INTO streams (stream, seq, hash) SELECT 'journey-' || gen_random_uuid(), 150, sha256('')"
        " FROM generate_series(1, 20000)"
    )
    hook, stream = await subscribed(pool), new_stream()
    await owner.execute("ANALYZE")
    await append(pool, ring, plain(stream, 0))
    begun = time.monotonic()
    assert [place.stream for place in await webhooks.behind(pool, hook)] == [stream]
    took = time.monotonic() - begun
    print(f"looked in {took * 1000:.0f} ms")
    assert took < 0.5
