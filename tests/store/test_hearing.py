"""Whoever gives a command hears from the journal that it is answered; deaf, they wait for the engine as ever."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from journeys import temporal
from journeys.app.entry import give
from journeys.contract import Answer, Append
from journeys.domain.commands import Command
from journeys.store import hearing as store_hearing
from journeys.store.hearing import hearing
from journeys.store.journal import append
from journeys.store.signing import KeyRing

from .samples import answered, header, new_stream, signed, view

pytestmark = pytest.mark.asyncio

Send = Callable[..., Awaitable[Answer]]


class Engine:
    """Stands for Temporal: it stores what it is sent, and says so only when it is let."""

    def __init__(self, pool: Any, ring: KeyRing) -> None:
        self.pool, self.ring = pool, ring
        self.stored = asyncio.Event()
        self.lets_go = asyncio.Event()
        self.asked: list[str] = []

    async def send(self, _client: Any, command: Command, **_: Any) -> Answer:
        self.asked.append(command.id)
        known = answered(command, 1)
        event = header(command.stream, 1, command=command.id, parts=dict(command.commitments))
        offer = Append(stream=command.stream, expected=0, events=(event,), answered=(known,), view=view(1))
        await append(self.pool, self.ring, offer)
        self.stored.set()
        await self.lets_go.wait()
        return known.answer.model_copy(update={"seq": 99})


@pytest.fixture
def engine(pool: Any, ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine(pool, ring)
    monkeypatch.setattr(temporal, "send", made.send)
    return made


async def test_the_journals_answer_is_heard_while_the_engine_is_silent(
    pool: Any, dsn: str, ring: KeyRing, engine: Engine
) -> None:
    command = signed(new_stream(), ring)
    async with hearing(pool, dsn):
        answer = await asyncio.wait_for(give(pool, None, command, "q"), 20)  # type: ignore[arg-type]
    assert answer == answered(command, 1).answer
    assert engine.asked == [command.id]


@pytest.mark.parametrize("deaf", ["without an ear", "the trigger dropped"])
async def test_who_does_not_hear_waits_for_the_engine(
    deaf: str, pool: Any, dsn: str, owner: Any, ring: KeyRing, engine: Engine
) -> None:
    command = signed(new_stream(), ring)
    if deaf == "the trigger dropped":
        await owner.execute("DROP TRIGGER told ON commands")
        async with hearing(pool, dsn):
            given = asyncio.create_task(give(pool, None, command, "q"))  # type: ignore[arg-type]
            await _stays_unanswered(given, engine)
    else:
        given = asyncio.create_task(give(pool, None, command, "q"))  # type: ignore[arg-type]
        await _stays_unanswered(given, engine)


async def _stays_unanswered(given: "asyncio.Task[Answer]", engine: Engine) -> None:
    await asyncio.wait_for(engine.stored.wait(), 20)
    await asyncio.sleep(0.3)
    assert not given.done()
    engine.lets_go.set()
    assert (await given).seq == 99


async def test_what_another_command_of_the_same_id_said_is_a_conflict(
    pool: Any, dsn: str, ring: KeyRing, engine: Engine
) -> None:
    """The id is heard of; the answer is for what was said under it."""
    stream = new_stream()
    mine = signed(stream, ring, note="Vu au local")
    theirs = signed(stream, ring, id=mine.id, note="Pas venu")
    async with hearing(pool, dsn):
        given = asyncio.create_task(give(pool, None, mine, "q"))  # type: ignore[arg-type]
        engine.lets_go.clear()
        assert (await given).outcome == "accepted"
        again = asyncio.create_task(give(pool, None, theirs, "q"))  # type: ignore[arg-type]
        await asyncio.sleep(0.2)
        assert not again.done()  # Nothing was stored for it: only the engine can say what it is.
        engine.lets_go.set()
        await again


async def test_an_ear_whose_connection_is_lost_hears_again(
    pool: Any, dsn: str, owner: Any, ring: KeyRing, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_hearing, "_PAUSE_SECONDS", 0.01)
    ears = "SELECT pid FROM pg_stat_activity WHERE application_name = 'journeys-ear' AND datname = current_database()"
    async with hearing(pool, dsn):
        first = await owner.fetchval(ears)
        await owner.fetchval("SELECT pg_terminate_backend($1)", first)
        async with asyncio.timeout(20):
            while (
                await owner.fetchval(f"{ears} AND pid <> $1 AND query LIKE 'LISTEN%' AND state = 'idle'", first) is None
            ):
                await asyncio.sleep(0.02)
        command = signed(new_stream(), ring)
        answer = await asyncio.wait_for(give(pool, None, command, "q"), 20)  # type: ignore[arg-type]
        assert answer == answered(command, 1).answer
    assert await _gone(owner, ears)


async def _gone(owner: Any, ears: str) -> bool:
    """Whether the ear's connection ends with the block; the server notices a moment later."""
    async with asyncio.timeout(20):
        while await owner.fetchval(ears) is not None:
            await asyncio.sleep(0.02)
    return True


async def test_a_house_opens_while_the_database_does_not_listen(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ear is a comfort: nothing waits for it for longer than for a connection."""
    monkeypatch.setattr(store_hearing, "CONNECT_SECONDS", 0.2)
    async with hearing(pool, "postgresql://journeys@127.0.0.1:1/none"):
        assert await pool.fetchval("SELECT 1") == 1


async def test_only_the_id_is_told(pool: Any, dsn: str, ring: KeyRing, engine: Engine) -> None:
    told: list[str] = []
    ear = await asyncpg.connect(dsn)
    await ear.add_listener("answered", lambda *given: told.append(given[3]))
    command = signed(new_stream(), ring)
    engine.lets_go.set()
    await give(pool, None, command, "q")  # type: ignore[arg-type]
    async with asyncio.timeout(20):
        while not told:
            await asyncio.sleep(0.02)
    assert told == [command.id]
    await ear.close()
