"""Journeys of earlier days replay with today's code; a change that would break them is caught here."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.worker import Replayer

from journeys import contract, temporal
from journeys.contract import Begin
from tests.replay.fingerprint import FILE, fingerprint
from workflows.journey import JourneyWorkflow
from workflows.webhooks import WebhookWorkflow

FOLDER = Path(__file__).with_name("histories")
HISTORIES = sorted(FOLDER.glob("*.json"))

CHANGED = """
workflows/journey.py, journeys/domain/agenda.py or workflows/webhooks.py changed. What is under way replays its whole
history with this code: a different timer, append or activity wedges every journey (every webhook).

1. Does the change keep the order of timers, appends and activities? Run tests/replay: the committed histories tell.
2. If it does not: guard it with `if workflow.patched("what-changed"):`, keep the old way below, and keep both until no
   journey (webhook) of before is open.
3. Then write the new fingerprint: python -m tests.replay.fingerprint, and record new histories beside the old ones:
   python -m tests.replay.record NAME
"""


def test_what_the_workflow_commands_has_not_changed_unnoticed() -> None:
    assert fingerprint() == json.loads(FILE.read_text()), CHANGED


def replayer(kind: type = JourneyWorkflow, converter: DataConverter = temporal.DATA_CONVERTER) -> Replayer:
    return Replayer(workflows=[kind], plugins=[temporal.JourneysPlugin(converter)])


def read(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text())


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_committed_history_replays(path: Path) -> None:
    await replayer(WebhookWorkflow if path.stem.startswith("webhook") else JourneyWorkflow).replay_workflow(read(path))


def test_there_are_histories_to_replay() -> None:
    assert len(HISTORIES) >= 4
    assert any(path.stem.startswith("webhook") for path in HISTORIES)


@workflow.defn(name=contract.WORKFLOW)
class OneTimerMore(JourneyWorkflow):
    """What a careless change looks like: another timer before the loop."""

    @workflow.init
    def __init__(self, begin: Begin) -> None:
        super().__init__(begin)

    @workflow.run
    async def run(self, begin: Begin) -> None:
        await workflow.sleep(timedelta(seconds=1))
        await super().run(begin)


async def test_a_broken_workflow_is_caught() -> None:
    with pytest.raises(workflow.NondeterminismError):
        await asyncio.wait_for(replayer(OneTimerMore).replay_workflow(read(FOLDER / "first-quiet.json")), 60)


TIMES = 5


async def left_for_the_collector() -> float:
    """Objects in cycles that nobody reaches any more, for each journey that left the cache."""
    history = read(FOLDER / "first-quiet.json")

    async def several() -> AsyncIterator[WorkflowHistory]:
        for _ in range(TIMES):
            yield history

    await replayer().replay_workflows(several())
    gc.collect()
    gc.disable()
    try:
        await replayer().replay_workflows(several())
        return gc.collect() / TIMES
    finally:
        gc.enable()


async def test_a_journey_that_leaves_the_cache_leaves_nothing_for_the_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A million such objects, looked through at once, are four seconds in which a worker answers nobody."""
    twice = temporal._KnownById._let_go
    monkeypatch.setattr(temporal._KnownById, "_let_go", lambda self, act: (twice(self, act), twice(self, act))[1])
    assert await left_for_the_collector() < 20, "also where the library asks again, since it took too long"
    monkeypatch.setattr(temporal._KnownById, "_let_go", lambda self, act: self._instance.activate(act))
    assert await left_for_the_collector() > 100, "the library leaves none by itself any more: this is not needed"
