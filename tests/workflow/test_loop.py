"""The loop on the real server: a life in virtual time, and the record that it leaves."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from journeys import contract, temporal
from journeys.authoring.reading import programme_text
from journeys.contract import Begin
from journeys.domain import commands as c
from journeys.domain.evolve import fold
from journeys.domain.programme import Programme
from journeys.domain.state import dump
from journeys.store import publishing
from tests.activities.conftest import PROGRAMME
from tests.conftest import RealStack
from tests.workflow.conftest import Engine, make_engine
from workflows import journey
from workflows.journey import JourneyWorkflow


async def test_a_life_leaves_a_record_that_folds_to_what_the_workflow_knows(engine: Engine) -> None:
    """Shorter without cache, where each task replays all that was before: the grant does not expire there."""
    whole = not engine.worker_options
    planned = await engine.plan(release_in_days=3)
    assert planned.outcome == "accepted"
    await engine.pass_days(3)
    assert (await engine.do(c.ConfirmDate(date="release"))).outcome == "accepted"
    asked = await engine.do(c.RequestGrant(grant="bourse", purpose="training", amount=20000), payee="FR76")
    assert asked.outcome == "accepted"
    await engine.pass_days(20 if whole else 12)
    events = await engine.events()
    known = await engine.handle().query("state")
    assert dump(fold(events)) == known
    kinds = {event.kind for event in events}
    assert {"DeadlineMissed", "EscalationTold", "ContactMissed", "MessageSent"} <= kinds
    assert ("GrantExpired" in kinds) is whole
    late = max(event.recorded_at - event.occurred_at for event in events if event.rule in ("deadline", "reminder"))
    assert late < timedelta(minutes=5)
    await _replays(await engine.handle().fetch_history(), engine)


async def test_messages_that_waited_for_a_worker_leave_once_one_is_there(
    stack: RealStack, journal_pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First nobody takes effects up at all, then the store is away from whoever does; each longer than one waits."""
    monkeypatch.setattr(journey, "EFFECT_LIMIT", timedelta(seconds=2))
    engine = await make_engine(stack, journal_pool)
    async with engine.worker(no_remote_activities=True):
        await engine.plan(release_in_days=20)
        moving = asyncio.create_task(engine.pass_days(25))
        async with asyncio.timeout(60):
            while not await _given_up(engine):
                await asyncio.sleep(0.1)
    engine.world.away = 8
    async with engine.worker():
        await moving
    kinds = [event.kind for event in await engine.events()]
    assert "MessageSent" in kinds and not {"MessageUnknown", "MessageFailed"} & set(kinds)
    history = await engine.handle().fetch_history()
    await _replays(history, engine)


async def test_a_check_that_waited_too_long_is_asked_for_once_more(
    stack: RealStack, journal_pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journey, "EFFECT_LIMIT", timedelta(seconds=2))
    engine = await make_engine(stack, journal_pool)
    engine.programme = await publishing.keep(
        journal_pool, "programme", "essai", programme_text(Programme.model_validate(PROGRAMME))
    )
    async with engine.worker():
        await engine.plan(release_in_days=0)
        await engine.pass_days(10)
        engine.world.away = 2
        await engine.pass_days(25)
    kinds = [event.kind for event in await engine.events()]
    assert engine.world.away == 0 and "CheckPassed" in kinds and "CheckUnknown" not in kinds


async def test_an_alert_that_nothing_calls_for_is_not_asked_for_again(stack: RealStack, journal_pool: Any) -> None:
    """Asked for again at once it would be refused again at once, without end."""
    engine = await make_engine(stack, journal_pool)
    engine.world.uncalled = 3
    async with engine.worker():
        await engine.plan(release_in_days=20)
        await engine.pass_days(25)
    untold = [event.data.effect for event in await engine.events() if event.kind == "EscalationUntold"]  # type: ignore[attr-defined]
    assert engine.world.uncalled == 0 and len(set(untold)) == len(untold) == 3
    await _replays(await engine.handle().fetch_history(), engine)


async def test_a_message_that_fails_each_time_does_not_keep_a_run_from_being_left(
    stack: RealStack, journal_pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a run that is to be left nothing else begins; the next one asks for the message again."""
    monkeypatch.setattr(journey, "EFFECT_LIMIT", timedelta(seconds=1))
    engine = await make_engine(stack, journal_pool)
    engine.world.away = 1_000
    await engine.client.start_workflow(
        contract.WORKFLOW, Begin(history_limit=60), id=engine.stream, task_queue=engine.queue
    )
    async with engine.worker():
        await engine.plan(release_in_days=20)
        moving = asyncio.create_task(engine.pass_days(25))
        async with asyncio.timeout(90):
            while not await _given_up(engine):
                await asyncio.sleep(0.1)
            run = (await engine.handle().describe()).run_id
            while (await engine.handle().describe()).run_id == run:
                await asyncio.sleep(0.1)
        engine.world.away = 0
        await moving
    kinds = [event.kind for event in await engine.events()]
    assert "MessageSent" in kinds and not {"MessageUnknown", "MessageFailed"} & set(kinds)
    left = engine.client.get_workflow_handle(engine.stream, run_id=run)
    await _replays(await left.fetch_history(), engine)


async def _given_up(engine: Engine) -> bool:
    """Whether the engine has waited for an activity in vain."""
    history = await engine.handle().fetch_history()
    ends = ("activity_task_timed_out_event_attributes", "activity_task_failed_event_attributes")
    return any(event.HasField(end) for event in history.events for end in ends)


async def _replays(history: WorkflowHistory, engine: Engine) -> None:
    plugin = temporal.plugin(engine.pool.keys)
    await Replayer(workflows=[JourneyWorkflow], plugins=[plugin]).replay_workflow(history)
