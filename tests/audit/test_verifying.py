"""Every account of a real journey, on the real server and database: all agree, and each one altered is found."""

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from temporalio.client import WorkflowHistory

from journeys import contract
from journeys.audit import verifying
from journeys.audit.comparing import judge_history, judge_workflow
from journeys.audit.history import append_result, appended_events, read_chain
from journeys.audit.narrating import narrate
from journeys.audit.reading import NoRecord, read_names, read_record
from journeys.audit.replaying import replay
from journeys.audit.verdicts import AccountName, Verdict, Verification
from journeys.audit.verifying import Sources, verify, verify_all
from journeys.codec import SealingCodec
from journeys.contract import Begin
from journeys.domain import commands as c
from journeys.store import journal
from journeys.store.database import open_pool
from tests.conftest import RealStack
from tests.replay.test_replay import OneTimerMore
from tests.workflow.conftest import RING, Engine, make_engine
from workflows.journey import JourneyWorkflow


@pytest_asyncio.fixture
async def engine(stack: RealStack, journal_pool: Any) -> AsyncIterator[Engine]:
    """A journey over several runs, with texts, a refusal, a suspension and time that passed."""
    engine = await make_engine(stack, journal_pool)
    async with engine.worker():
        await engine.client.start_workflow(
            contract.WORKFLOW, Begin(history_limit=60), id=engine.stream, task_queue=engine.queue
        )
        await engine.plan(release_in_days=5)
        await engine.do(c.AddNote(), text="Vu au parloir.")
        await engine.pass_days(5)
        await engine.do(c.ConfirmDate(date="release"))
        for week in range(5):
            await engine.pass_days(4)
            await engine.do(c.LogContact(contact="support", means="phone"), note=f"semaine {week}")
        await engine.do(c.Suspend(why="custody"))
        await engine.do(c.Suspend(why="custody"))
        yield engine


def sources(engine: Engine, **changes: Any) -> Sources:
    return replace(Sources(engine.pool, RING, engine.client, (JourneyWorkflow,), outages=()), **changes)


def verdicts(found: Verification) -> dict[str, str]:
    return {account.name.value: account.verdict.value for account in found.accounts}


ALL_AGREE = dict.fromkeys(("journal", "view", "workflow", "history", "replay"), "agrees")


async def test_all_accounts_agree_then_each_is_altered(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await verify(sources(engine), engine.stream)
    assert verdicts(found) == ALL_AGREE, [account.told("en") for account in found.accounts]
    assert found.exit_code(strict=True) == 0
    assert {account.compared for account in found.accounts[:4]} == {found.seq}
    assert json.loads(json.dumps(found.as_json()))["holds"] is True

    await _view_altered(engine, database_url)
    await _answer_altered(engine, monkeypatch)
    await _history_altered(engine)
    await _other_code(engine)
    await _texts_deleted(engine, database_url)
    await _not_available(engine)
    await _behind(engine)
    await _journal_altered(engine, database_url)


async def _view_altered(engine: Engine, database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    id = engine.stream.removeprefix("journey-")
    await owner.execute("UPDATE journeys SET late = late + 1 WHERE id = $1", id)
    found = await verify(sources(engine), engine.stream)
    assert verdicts(found) == {**ALL_AGREE, "view": "disagrees"}
    assert (found.exit_code(), found.account(AccountName.VIEW).details["field"]) == (6, "late")
    await owner.execute("UPDATE journeys SET late = late - 1 WHERE id = $1", id)
    await owner.close()


async def _answer_altered(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    true_answer = verifying.ask_state

    async def altered(client: Any, stream: str) -> Any:
        answer = await true_answer(client, stream)
        return {**answer, "referent": str(uuid.uuid4())}

    with monkeypatch.context() as patched:
        patched.setattr(verifying, "ask_state", altered)
        found = await verify(sources(engine), engine.stream)
    assert verdicts(found) == {**ALL_AGREE, "workflow": "disagrees"}
    assert found.exit_code() == 6
    assert found.account(AccountName.WORKFLOW).seq == found.seq


async def _texts_deleted(engine: Engine, database_url: str) -> None:
    """Without its texts a record folds and is told; it verifies only where an erasure is on record."""
    owner = await asyncpg.connect(database_url)
    kept = await owner.fetch("SELECT stream, seq, name, sealed FROM parts WHERE stream = $1", engine.stream)
    retention = await open_pool(database_url, role="journeys_retention", largest=1)
    assert await journal.delete_parts(retention, engine.stream) > 5
    await retention.close()
    found = await verify(sources(engine), engine.stream)
    assert verdicts(found) == {**ALL_AGREE, "journal": "disagrees"}
    assert found.account(AccountName.JOURNAL).reason == "part-gone" and found.exit_code() == 6
    record = await read_record(engine.pool, engine.stream)
    assert record.parts == ()
    story = narrate(record.events, record.parts, await read_names(engine.pool, record.events), record.book, "fr")
    assert "(texte effacé)" in {words.shown for day in story.days for told in day.told for words in told.words}
    assert story.coming
    await owner.executemany("INSERT INTO parts (stream, seq, name, sealed) VALUES ($1, $2, $3, $4)", map(tuple, kept))
    unknown = b"\x01\x0bperson-none" + b"0" * 60
    await owner.execute("ALTER TABLE parts DISABLE TRIGGER ALL")
    await owner.execute("UPDATE parts SET sealed = $2 WHERE stream = $1", engine.stream, unknown)
    assert (await verify(sources(engine), engine.stream)).account(AccountName.JOURNAL).reason == "part-no-key"
    record = await read_record(engine.pool, engine.stream)
    story = narrate(record.events, record.parts, await read_names(engine.pool, record.events), record.book, "fr")
    assert any("la clé n’est pas là" in words.shown for day in story.days for told in day.told for words in told.words)
    await owner.execute("DELETE FROM parts WHERE stream = $1", engine.stream)
    await owner.executemany("INSERT INTO parts (stream, seq, name, sealed) VALUES ($1, $2, $3, $4)", map(tuple, kept))
    await owner.close()
    assert verdicts(await verify(sources(engine), engine.stream)) == ALL_AGREE


async def _not_available(engine: Engine) -> None:
    """What this place cannot ask is said, and only a strict audit minds."""
    found = await verify(sources(engine, client=None, ring=None), engine.stream)
    assert verdicts(found) == {
        "journal": "not-available", "view": "agrees", "workflow": "not-available", "history": "not-available",
        "replay": "not-available",
    }  # fmt: skip
    assert (found.exit_code(), found.exit_code(strict=True)) == (0, 1)
    everyone = [each.journey async for each in verify_all(sources(engine, client=None))]
    assert everyone == [engine.stream]
    with pytest.raises(NoRecord):
        await verify(sources(engine), f"journey-{uuid.uuid4()}")


async def _journal_altered(engine: Engine, database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute("ALTER TABLE events DISABLE TRIGGER ALL")
    await owner.execute(
        "UPDATE events"
        " SET header = overlay(header placing 'X' from position('\"actor\"' in encode(header, 'escape')) + 10)"
        " WHERE stream = $1 AND seq = 3",
        engine.stream,
    )
    found = await verify(sources(engine), engine.stream)
    journal_account = found.account(AccountName.JOURNAL)
    assert (journal_account.verdict, journal_account.seq) == (Verdict.DISAGREES, 4), journal_account.told("en")
    assert found.account(AccountName.HISTORY).seq == 3
    assert found.account(AccountName.HISTORY).verdict is Verdict.DISAGREES
    assert found.exit_code() == 6
    await owner.close()


async def _history_altered(engine: Engine) -> None:
    """The server's history cannot be altered; its JSON can."""
    chain = await read_chain(engine.client, engine.stream)
    assert chain is not None
    assert chain.complete
    assert len(chain.histories) > 1
    headers = [stored.read() for stored in await journal.read_all(engine.pool, engine.stream)]
    converter = engine.client.data_converter
    copies = [WorkflowHistory.from_json(h.workflow_id, h.to_json()) for h in chain.histories]
    told = await appended_events(copies, converter)
    assert judge_history(told, headers, complete=True).verdict is Verdict.AGREES
    payloads = [payload for copy in copies for event in copy.events for payload in append_result(event) or ()]
    for payload in payloads:
        [plain] = await SealingCodec(engine.pool.keys, engine.stream).decode([payload])
        payload.CopyFrom(plain)
    payload = next(payload for payload in payloads if b'"custody"' in payload.data)
    payload.data = payload.data.replace(b'"custody"', b'"hospital"')
    account = judge_history(await appended_events(copies, converter), headers, complete=True)
    assert account.verdict is Verdict.DISAGREES
    assert account.seq is not None
    assert headers[account.seq - 1]["kind"] == "JourneySuspended"


async def _other_code(engine: Engine) -> None:
    """Code that goes another way is found by the replay."""
    good = await replay(engine.client, engine.stream, [JourneyWorkflow])
    assert good is not None
    assert good.failed is None
    assert len(good.runs) > 1
    found = await verify(sources(engine, workflows=(OneTimerMore,)), engine.stream)
    assert verdicts(found) == {**ALL_AGREE, "replay": "disagrees"}
    assert found.exit_code() == 6
    assert await replay(engine.client, f"journey-{uuid.uuid4()}", [JourneyWorkflow]) is None


async def _behind(engine: Engine) -> None:
    """An answer from before the last command says nothing wrong, but less."""
    record = await read_record(engine.pool, engine.stream)
    answer = await verifying.ask_state(engine.client, engine.stream)
    await engine.do(c.AddNote(), text="encore")
    later = await read_record(engine.pool, engine.stream)
    account = judge_workflow(answer, later.events)
    assert (account.verdict, account.seq, account.compared) == (Verdict.BEHIND, len(record.events), len(record.events))
    assert "journeys sync" in account.told("fr")
