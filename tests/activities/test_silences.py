"""Nothing was said of a message for too long: its referent is told, once; of a whole channel, whoever can ask it."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from activities.fleet import Fleet
from activities.letters import written
from activities.silences import tell_of
from journeys.domain.fund import ZONE
from journeys.domain.messages import NO_RECEIPT
from journeys.issuing import send_receipts, send_silences
from journeys.store import attempts, silences
from journeys.store.database import open_pool
from journeys.store.silences import ALTOGETHER
from tests.activities.conftest import Life, make_life
from tests.activities.test_message_receipts import said, sent
from tests.conftest import RealStack

AT_ONCE = timedelta(0)
LATER = timedelta(hours=24)
AT_WORK, AT_NIGHT, ON_SUNDAY = (datetime(2027, 3, *at, tzinfo=UTC) for at in ((17, 10), (17, 23), (21, 10)))
"""Hours at which staff may be written to, or not."""


@pytest_asyncio.fixture
async def mute(stack: RealStack, migrated: str) -> AsyncIterator[Life]:
    """A life whose gateway has said nothing yet, in a database of its own: other tests send nothing there."""
    name = f"silences_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(stack.database)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    await connection.close()
    pool = await open_pool(stack.database_url(name))
    made = await make_life(pool)
    await made.begin()
    yield made
    await pool.close()


@pytest_asyncio.fixture
async def life(mute: Life) -> Life:
    await speak(mute)
    return mute


async def speak(life: Life) -> None:
    """The gateway says that something arrived: from then on its silence means something."""
    (before,) = await others(life, 1, "before")
    await said(life, "delivered", message=before)


async def look(life: Life, silence: timedelta = AT_ONCE) -> silences.Quiet | None:
    return await send_silences(life.pool, life.resources.ring, life.give, life.now, silence)


def alerts(life: Life) -> int:
    return sum(known.about == NO_RECEIPT for known in life.state.escalations.values())


async def others(life: Life, count: int, reference: str = "gw") -> list[str]:
    """Messages of other journeys, taken by the gateway."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    for id in ids:
        attempt = await attempts.begin(life.pool, id, f"journey-{uuid.uuid4()}", "sms", life.now)
        assert attempt is not None
        await attempts.ended(life.pool, attempt, "sent", "", f"{reference}-{id}")
    return ids


async def outcomes(life: Life) -> list[str]:
    rows = await life.pool.fetch("SELECT outcome FROM message_silences ORDER BY outcome")
    return [row["outcome"] for row in rows]


async def test_a_message_without_a_receipt_alerts_its_referent_once(life: Life) -> None:
    await sent(life)
    assert await look(life, LATER) is None and alerts(life) == 0, "not before the limit of the channel"
    for _ in range(2):
        assert await look(life) is None
    assert alerts(life) == 1 and await outcomes(life) == ["told"]
    kinds = [type(fact).__name__ for fact in await life.facts()]
    assert kinds.count("MessageSilent") == 1


async def test_a_receipt_after_the_alert_ends_it_and_it_is_not_told_again(life: Life) -> None:
    id = await sent(life)
    await look(life)
    await said(life, "delivered", message=id)

    async def mine_only(command: Any) -> Any:
        return await life.give(command) if command.stream == life.stream else None

    assert await send_receipts(life.pool, life.resources.ring, mine_only, life.now) == 1, "that of the other journey"
    assert alerts(life) == 0
    assert await look(life) is None and alerts(life) == 0


async def test_one_that_was_heard_of_is_not_silent(life: Life) -> None:
    await said(life, "delivered", message=await sent(life))
    await look(life)
    assert alerts(life) == 0 and await outcomes(life) == []


async def test_a_journey_that_does_not_answer_is_told_by_the_next_round(life: Life) -> None:
    await sent(life)

    async def nobody(command: Any) -> None:
        return None

    await send_silences(life.pool, life.resources.ring, nobody, life.now, AT_ONCE)
    assert await outcomes(life) == [] and alerts(life) == 0
    await look(life)
    assert alerts(life) == 1


async def test_one_journey_that_does_not_answer_keeps_no_other_from_hearing(life: Life) -> None:
    await others(life, 1)
    await sent(life)

    async def mine_only(command: Any) -> Any:
        return await life.give(command) if command.stream == life.stream else None

    await send_silences(life.pool, life.resources.ring, mine_only, life.now, AT_ONCE)
    assert await outcomes(life) == ["told"] and alerts(life) == 1


async def test_what_left_before_the_gateway_first_spoke_is_not_silent(mute: Life) -> None:
    await sent(mute)
    await others(mute, ALTOGETHER)
    assert await look(mute) is None and alerts(mute) == 0, "one that has never spoken is not judged"
    await speak(mute)
    assert await look(mute) is None and alerts(mute) == 0 and await outcomes(mute) == []


async def test_what_left_before_anybody_looked_is_not_silent(life: Life, stack: RealStack) -> None:
    await sent(life)
    await others(life, ALTOGETHER)
    connection = await asyncpg.connect(stack.database_url(await life.pool.fetchval("SELECT current_database()")))
    await connection.execute("UPDATE migrations SET applied = clock_timestamp() WHERE name = '0054_silences.sql'")
    await connection.close()
    assert await look(life) is None and alerts(life) == 0 and await outcomes(life) == []
    await others(life, 1)
    assert len(await silences.untold(life.pool, AT_ONCE)) == 1


async def test_a_report_on_mail_is_no_word_of_the_gateway(life: Life) -> None:
    ids = await others(life, ALTOGETHER + 1)
    await said(life, "bounced", message=ids[-1], event="dsn-1")
    quiet = await look(life)
    assert quiet is not None and quiet.messages == ALTOGETHER


async def supervised(life: Life) -> None:
    for handle, role in (("sam", "supervisor"), ("ada", "administrator"), ("fin", "finance")):
        await life.hire(str(uuid.uuid4()), handle, role)


async def test_a_channel_that_says_nothing_at_all_is_told_once_and_to_no_journey(life: Life) -> None:
    await supervised(life)
    await sent(life)
    await others(life, ALTOGETHER - 1)
    quiet = await look(life)
    assert quiet is not None and quiet.messages == ALTOGETHER and alerts(life) == 0
    await tell_of(life.resources, quiet, ON_SUNDAY)
    await tell_of(life.resources, quiet, AT_NIGHT)
    assert life.postman.letters == [], "neither on a Sunday nor at night"
    life.use(public_url="https://parcours.example.org")
    await tell_of(life.resources, quiet, AT_WORK)
    told = [letter.to for letter in life.postman.letters]
    assert {"sam@example.org", "ada@example.org"} <= set(told) and "fin@example.org" not in told
    body = life.postman.letters[-1].body
    assert "sans nouvelle" in body and "https://parcours.example.org" in body and "doctor" not in body
    assert f"Depuis le {written(quiet.since.astimezone(ZONE).date(), 'fr')}" in body
    await others(life, 3)
    again = await look(life)
    assert again is not None and again.told
    await tell_of(life.resources, again, AT_WORK)
    assert len(life.postman.letters) == len(told), "not once a message, nor once a round"
    assert await outcomes(life) == ["with-channel"] * (ALTOGETHER + 3)
    assert await life.pool.fetchval("SELECT count(*) FROM channel_silences") == 1


async def test_with_its_first_word_the_channel_is_heard_again_and_messages_since_are_judged_one_by_one(
    life: Life,
) -> None:
    ids = await others(life, ALTOGETHER)
    assert await look(life) is not None
    await said(life, "delivered", message=ids[0])
    assert await look(life) is None and alerts(life) == 0
    await sent(life)
    assert await look(life) is None and alerts(life) == 1
    assert sorted(await outcomes(life)) == ["told", *["with-channel"] * ALTOGETHER]


async def test_a_channel_that_speaks_leaves_each_silent_message_to_its_journey(life: Life) -> None:
    await sent(life)
    heard = await others(life, ALTOGETHER)
    for id in heard:
        await said(life, "delivered", message=id)
    assert await look(life) is None and alerts(life) == 1


async def test_without_a_secret_nobody_says_what_arrives_and_silence_means_nothing(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(life)
    life.use(silence=None)
    await life.pool.execute("INSERT INTO channel_silences (channel, since, messages) VALUES ('sms', now(), 7)")
    await Fleet(life.resources)._look_for_silences(datetime.now(UTC))
    assert await outcomes(life) == []
    assert await silences.now(life.pool) is None, "nobody waits for the first receipt of who gives none any more"
    life.use(silence=AT_ONCE, send=life.give)
    await Fleet(life.resources)._look_for_silences(datetime.now(UTC))
    assert await outcomes(life) == ["told"]
