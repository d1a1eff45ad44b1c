"""Runs come and go, the journey stays: continue-as-new, closing and coming back, a lost server, a reset."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistoryEventFilterType

from journeys import contract
from journeys.contract import Begin
from journeys.domain import commands as c
from journeys.domain.evolve import fold
from journeys.domain.state import Status, dump
from journeys.store import programmes
from tests.conftest import RealStack
from tests.workflow.conftest import Engine, make_engine

NOTE = c.AddNote()


async def agree(engine: Engine) -> None:
    """The workflow knows what the journal holds."""
    assert await engine.handle().query(contract.STATE) == dump(fold(await engine.events()))


async def test_continue_as_new_keeps_everything_that_is_open(stack: RealStack, journal_pool: Any) -> None:
    engine = await make_engine(stack, journal_pool)
    async with engine.worker():
        await engine.client.start_workflow(
            contract.WORKFLOW, Begin(history_limit=60), id=engine.stream, task_queue=engine.queue
        )
        await engine.plan(release_in_days=5)
        first_run = (await engine.handle().describe()).run_id
        await engine.pass_days(5)
        await engine.do(c.ConfirmDate(date="release"))
        for _ in range(8):
            await engine.pass_days(5)
            await engine.do(NOTE, text="encore une semaine")
        assert (await engine.handle().describe()).run_id != first_run
        await agree(engine)
        events = await engine.events()
        late = [event.recorded_at - event.occurred_at for event in events if event.rule in ("deadline", "reminder")]
        assert late
        assert max(late) < timedelta(minutes=5)


async def test_commands_during_continue_as_new_are_all_answered_once(stack: RealStack, journal_pool: Any) -> None:
    engine = await make_engine(stack, journal_pool)
    async with engine.worker():
        await engine.client.start_workflow(
            contract.WORKFLOW, Begin(history_limit=30), id=engine.stream, task_queue=engine.queue
        )
        await engine.plan()
        now = datetime.now(UTC)
        commands = [engine.command(NOTE, now, text=str(n)) for n in range(60)]
        gate = asyncio.Semaphore(8)

        async def send(command: c.Command) -> str:
            async with gate:
                return (await engine.send(command)).outcome

        assert set(await asyncio.gather(*map(send, commands))) == {"accepted"}
        notes = [event.command for event in await engine.events() if event.kind == "NoteAdded"]
        assert sorted(map(str, notes)) == sorted(command.id for command in commands)
        await agree(engine)


async def test_a_closed_journey_ends_and_comes_back_by_a_new_run(engine: Engine) -> None:
    await engine.plan()
    assert (await engine.do(c.Close(outcome="withdrawn"))).outcome == "accepted"
    await asyncio.wait_for(engine.handle().result(), 10)
    late = await engine.send(
        engine.command(NOTE, datetime.now(UTC), text="trop tard"),
    )
    assert (late.outcome, late.code) == ("refused", "closed")
    reopened = await engine.send(
        engine.command(
            c.Reopen(), datetime.now(UTC), actor=engine.supervisor, roles=("supervisor",), reason="il est revenu"
        )
    )
    assert reopened.outcome == "accepted"
    assert (await engine.handle().describe()).status is WorkflowExecutionStatus.RUNNING
    kinds = [event.kind for event in await engine.events()]
    assert kinds.count("DateExpected") == 2
    await agree(engine)


async def test_a_lost_temporal_server_loses_nothing(stack: RealStack, journal_pool: Any, second_server: Client) -> None:
    engine = await make_engine(stack, journal_pool)
    async with engine.worker():
        await engine.plan(release_in_days=5)
        await engine.do(NOTE, text="avant la panne")
    before = await engine.events()
    engine.client = second_server
    async with engine.worker():
        answer = await engine.send(engine.command(NOTE, datetime.now(UTC), text="après la panne"))
        assert answer.outcome == "accepted"
        after = await engine.events()
        assert after[: len(before)] == before
        assert [event.kind for event in after[len(before) :]] == ["NoteAdded"]
        await agree(engine)


async def test_a_run_started_with_a_forged_state_believes_the_journal(engine: Engine) -> None:
    """Whoever reaches Temporal may start a workflow with any input: it must change nothing."""
    await engine.plan()
    await engine.do(c.Close(outcome="withdrawn"))
    await asyncio.wait_for(engine.handle().result(), 10)
    before = await engine.events()
    forged = fold(before)
    forged.status = Status.ACTIVE
    forged.review_at = datetime.now(UTC)
    texts = await programmes.texts_of(engine.pool, [engine.programme, engine.calendar])
    begin = Begin(state=dump(forged), texts=texts)
    handle = await engine.client.start_workflow(contract.WORKFLOW, begin, id=engine.stream, task_queue=engine.queue)
    await asyncio.sleep(1)
    await engine.send(engine.command(c.Sync(), datetime.now(UTC), actor="system", roles=()))
    await asyncio.wait_for(handle.result(), 10)
    assert await engine.events() == before


async def test_a_reset_decides_nothing_again(engine: Engine) -> None:
    await engine.plan(release_in_days=2)
    await engine.pass_days(2)
    await engine.do(c.ConfirmDate(date="release"))
    await engine.pass_days(8)
    before = await engine.events()
    asked = len(engine.world.asked)
    await _reset_to_the_beginning(engine)
    synced = await engine.send(engine.command(c.Sync(), await engine.now(), actor="system", roles=()))
    assert synced.outcome == "accepted"
    assert await engine.events() == before
    await agree(engine)
    assert len(engine.world.asked) - asked <= len(before)


async def _reset_to_the_beginning(engine: Engine) -> None:
    history = await engine.handle().fetch_history(event_filter_type=WorkflowHistoryEventFilterType.ALL_EVENT)
    first = next(
        event.event_id for event in history.events if event.HasField("workflow_task_completed_event_attributes")
    )
    described = await engine.handle().describe()
    await engine.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=engine.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=engine.stream, run_id=described.run_id),
            workflow_task_finish_event_id=first,
            request_id=str(uuid.uuid4()),
            reason="test",
            reset_reapply_exclude_types=[2],
        )
    )
