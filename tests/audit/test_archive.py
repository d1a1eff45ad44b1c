"""Histories outlive the engine's retention: every run of a chain, once, sealed; replayed when the server is gone."""

import re
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from temporalio.worker import Worker

from activities.archive import Archive
from activities.resources import Resources
from activities.tills import Tills
from journeys import contract, temporal
from journeys.audit import history, replaying, replaying_all
from journeys.audit.history import Chain, Shelf, continued_from, read_chain
from journeys.audit.replaying import Replay, replay, replay_all
from journeys.audit.replaying_all import replay_house
from journeys.audit.verdicts import AccountName, Verdict
from journeys.audit.verifying import Sources, verify
from journeys.channels.outbox import FileOutbox
from journeys.contract import Begin, Run
from journeys.domain import commands as c
from journeys.domain.directory import HistoryKept, read_fact
from journeys.store import histories, journal
from journeys.store.letters import seal_letter
from journeys.store.replays import Replayed
from tests.conftest import RealStack
from tests.forking import FORKED
from tests.replay.test_replay import OneTimerMore
from tests.workflow.conftest import RING, Engine, make_engine
from workflows.archiving import ArchiveWorkflow
from workflows.journey import JourneyWorkflow

CANARY = "Vu au parloir, monsieur Canari."


class OnlyOurs:
    """The engine's list is everybody's; this test keeps its own journey's runs."""

    def __init__(self, engine: Engine) -> None:
        self._runs, self._stream = temporal.EndedRuns(engine.client), engine.stream

    async def ended(self) -> AsyncIterator[Run]:
        async for run in self._runs.ended():
            if run.stream == self._stream:
                yield run

    async def history(self, run: Run) -> bytes | None:
        return await self._runs.history(run)


@pytest_asyncio.fixture
async def ended(stack: RealStack, journal_pool: Any, tmp_path: Any) -> AsyncIterator[Engine]:
    """A journey over several runs, closed, and asked for something once more: nothing of it runs any more."""
    engine = await make_engine(stack, journal_pool)
    resources = Resources(
        pool=journal_pool,
        ring=RING,
        tills=Tills({}),
        mailer=FileOutbox(tmp_path, partial(seal_letter, journal_pool.keys), sender=""),
        engine=OnlyOurs(engine),
    )
    queue = f"archive-{uuid.uuid4()}"
    archivist = Worker(
        engine.client, task_queue=queue, workflows=[ArchiveWorkflow], activities=[Archive(resources).keep],
        workflow_runner=temporal.sandbox_runner(),
    )  # fmt: skip
    async with engine.worker(), archivist:
        await engine.client.start_workflow(
            contract.WORKFLOW, Begin(history_limit=60), id=engine.stream, task_queue=engine.queue
        )
        await engine.plan(release_in_days=5)
        await engine.do(c.AddNote(), text=CANARY)
        for _ in range(5):
            await engine.pass_days(4)
            await engine.do(c.AddNote(), text="encore")
        await engine.do(c.Close(outcome="completed"), actor=engine.supervisor, roles=("supervisor",))
        await engine.handle().result()
        kept = await _keep(engine, queue)
        assert kept > 1, "every run of the chain"
        late = await engine.send(engine.command(c.AddNote(), datetime.now(UTC), text="trop tard"))
        assert (late.outcome, late.code) == ("refused", "closed")
        await engine.handle().result()
        assert await _keep(engine, queue) == 1, "the run that began for it, which continues none"
        assert await _keep(engine, queue) == 0, "once"
        yield engine


async def _keep(engine: Engine, queue: str) -> int:
    kept: int = await engine.client.execute_workflow(contract.ARCHIVE, id=queue, task_queue=queue, result_type=int)
    return kept


async def test_what_was_kept_is_replayed_when_the_server_is_gone(
    ended: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(ended.pool, RING)
    live = await read_chain(ended.client, ended.stream)
    kept = await read_chain(None, ended.stream, shelf)
    assert live is not None and kept is not None and kept.complete
    assert [each.to_json_dict() for each in kept.histories] == [each.to_json_dict() for each in live.histories]
    continue_none = [nth for nth, each in enumerate(live.histories) if not continued_from(each)]
    assert continue_none == [0, len(live.histories) - 1], "its whole life, then what was asked since"
    codes = (JourneyWorkflow, OneTimerMore)
    good, other = [await replay(None, ended.stream, [code], shelf, ended.pool.keys) for code in codes]
    assert good is not None and good.failed is None and len(good.runs) == len(live.histories)
    assert other is not None and other.failed == other.runs[0], "a change of before it was closed is found"
    await _begun_anew(ended, shelf, live, monkeypatch)
    await _recorded(ended, len(live.histories))
    await _side_by_side(ended, shelf, monkeypatch)
    await _altered(ended, shelf, database_url, monkeypatch)


async def _begun_anew(ended: Engine, shelf: Shelf, live: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither engine nor shelf knows of its life before, the last run alone is not all of it."""
    last = live.histories[-1].run_id

    async def listed(*_: object) -> dict[str, set[str]]:
        return {ended.stream: {last}}

    async def kept(*_: object) -> list[str]:
        return []

    with monkeypatch.context() as forgetful:
        forgetful.setattr(history, "listed_runs", listed)
        forgetful.setattr(Shelf, "runs", kept)
        found = await read_chain(ended.client, ended.stream, shelf)
    assert found is not None and [each.run_id for each in found.histories] == [last] and not found.complete


async def _recorded(ended: Engine, runs: int) -> None:
    """The journal says which, with its digest; the database says nothing of what is in it."""
    facts = [read_fact(each.kind, each.header).data for each in await journal.read_all(ended.pool, "system")]
    ours = [fact for fact in facts if isinstance(fact, HistoryKept) and fact.journey == ended.stream]
    assert {fact.run for fact in ours} == {each.run for each in await histories.of_stream(ended.pool, ended.stream)}
    assert len(ours) == runs
    sealed = b"".join(row["sealed"] for row in await ended.pool.fetch("SELECT sealed FROM history_files"))
    assert not re.search(rb"JourneyPlanned|eventType|Canari", sealed)


async def _side_by_side(ended: Engine, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    async def streams() -> AsyncIterator[str]:
        for stream in (ended.stream, f"journey-{uuid.uuid4()}", ended.stream):
            yield stream

    found = [each async for each in replay_all(None, streams(), [JourneyWorkflow], shelf, 2, ended.pool.keys)]
    assert sorted(isinstance(each, Replay) and each.failed is None for _, each in found) == [False, True, True]
    # From here on its processes import nothing anew: those were two seconds of processor each time.
    monkeypatch.setattr(replaying, "get_context", lambda _: FORKED)
    await _stopped_early(ended, shelf)
    whole = await _whole_house(ended)
    assert (whole.journeys, whole.wrong, whole.partial, whole.without) == (1, 0, 0, 0)
    assert whole.runs == len(await histories.of_stream(ended.pool, ended.stream))


async def _stopped_early(ended: Engine, shelf: Shelf) -> None:
    """Whoever stops, as a worker that is told to, does not wait for what is being replayed."""
    waited = list[bool]()

    class Watched(ProcessPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            waited.append(wait)
            super().shutdown(wait, cancel_futures=cancel_futures)

    async def streams() -> AsyncIterator[str]:
        for stream in (ended.stream, f"journey-{uuid.uuid4()}"):
            yield stream

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaying, "ProcessPoolExecutor", Watched)
        every = replay_all(None, streams(), [JourneyWorkflow], shelf, 1, ended.pool.keys)
        async with aclosing(every) as found:
            _, none = await anext(found)
            assert none is None
    assert waited == [False]


async def _whole_house(ended: Engine) -> Replayed:
    """Every history of the house, from what is kept alone."""
    told = list[tuple[int, int]]()

    async def tell(done: int, number: int) -> None:
        told.append((done, number))

    found = await replay_house(ended.pool, RING, None, [JourneyWorkflow], 1, tell)
    assert told == [(0, 1), (1, 1)]
    return found.kept()


async def _altered(ended: Engine, shelf: Shelf, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = await read_chain(None, ended.stream, shelf)
    assert kept is not None
    first = kept.histories[0].run_id
    _forget(monkeypatch, first)
    assert await replay(ended.client, ended.stream, [JourneyWorkflow]) != await replay(
        ended.client, ended.stream, [JourneyWorkflow], shelf
    )
    sources = Sources(ended.pool, RING, ended.client, (JourneyWorkflow,), outages=())
    found = await verify(sources, ended.stream)
    assert found.account(AccountName.HISTORY).verdict is Verdict.AGREES
    assert found.account(AccountName.REPLAY).verdict is Verdict.AGREES
    owner = await asyncpg.connect(database_url)
    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await owner.execute("UPDATE history_files SET sealed = 'x' WHERE run = $1", first)
    await owner.execute("ALTER TABLE history_files DISABLE TRIGGER ALL")
    await owner.execute(
        "UPDATE history_files SET sealed = (SELECT sealed FROM history_files WHERE run <> $1 LIMIT 1) WHERE run = $1",
        first,
    )
    with pytest.raises(histories.Altered):
        await read_chain(None, ended.stream, shelf)
    assert (await verify(sources, ended.stream)).exit_code() == 6
    odd = await _whole_house(ended)
    assert (odd.alterations, odd.wrong, odd.altered[0].run, odd.runs) == (1, 1, first, 0)
    orders = iter((set[str](), {ended.stream}))

    async def ordered(_: object) -> set[str]:
        return next(orders)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(replaying_all, "journeys_ordered", ordered)
        erased = await _whole_house(ended)
    assert (erased.erased, erased.wrong, erased.journeys) == (1, 0, 0), "whoever is forgotten while it runs"
    await owner.execute("DELETE FROM history_files WHERE run = $1", first)
    left = await replay(None, ended.stream, [JourneyWorkflow], shelf, ended.pool.keys)
    assert left is not None and left.gone == (first,) and not left.complete and left.failed is None
    assert len(left.runs) == len(kept.histories) - 1, "what is left is replayed all the same"
    assert (await verify(sources, ended.stream)).account(AccountName.HISTORY).verdict is Verdict.NOT_AVAILABLE
    part = await _whole_house(ended)
    assert (part.gone, part.partial, part.wrong, part.runs) == (0, 1, 0, len(left.runs))
    await owner.execute("DELETE FROM history_files")
    with pytest.raises(histories.Altered, match="gone"):
        await read_chain(None, ended.stream, shelf)
    gone = await _whole_house(ended)
    assert (gone.gone, gone.partial, gone.wrong) == (1, 0, 0), "told, and no finding"
    await owner.close()


def _forget(monkeypatch: pytest.MonkeyPatch, run: str) -> None:
    """The server has a run no more, as when its retention is over."""
    asked = history._from_server

    async def without(client: Any, stream: str, run_id: str | None) -> Any:
        return None if run_id == run else await asked(client, stream, run_id)

    monkeypatch.setattr(history, "_from_server", without)
