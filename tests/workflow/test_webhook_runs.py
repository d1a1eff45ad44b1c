"""When a webhook tries again, when it gives up, and that a killed worker neither skips nor forgets."""

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerProcess
from typing import Any

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from journeys import contract, temporal
from journeys.contract import Deliver, Delivered
from journeys.store import journal, webhooks
from journeys.store.directory import By
from journeys.store.webhooks import Origin, Webhook
from tests import forking
from tests.conftest import RealStack
from tests.store.samples import ACTOR, new_stream, plain
from tests.webhooks import receiving, secret_of
from tests.workflow import webhook_worker
from tests.workflow.conftest import RING
from tests.workflow.webhooks import Telling, away, telling
from workflows.housekeeping import HousekeepingWorkflow
from workflows.webhooks import AGAIN, LONGEST_ASKED, MOST_HELD, WATCH, WATCH_HELD


@pytest_asyncio.fixture
async def hook(request: Any, stack: RealStack) -> AsyncIterator[Telling]:
    """A worker is running; `uncached`, every task replays the workflow."""
    options = {"max_cached_workflows": 0} if getattr(request, "param", "") == "uncached" else {}
    async with telling(stack, **options) as made:
        yield made


async def test_it_waits_and_tells_without_end(hook: Telling) -> None:
    rounds = iter([Delivered(), Delivered(taken=3), Delivered()])
    hook.answer = lambda _: next(rounds, None)
    await hook.begin()
    await hook.until_asked(4)
    assert all(asked == Deliver(webhook=hook.id, room=MOST_HELD, wait_seconds=WATCH.total_seconds())
               for _, asked in hook.asked)  # fmt: skip


async def test_one_workflow_however_often_it_is_begun(hook: Telling) -> None:
    for _ in range(3):
        await hook.begin()
    await hook.until_asked(1)
    await asyncio.sleep(0.3)
    assert len(hook.asked) == 1


@pytest.mark.parametrize("hook", ["cached", "uncached"], indirect=True)
async def test_a_receiver_that_is_away_is_tried_on_the_schedule_then_staff_are_told(hook: Telling) -> None:
    hook.answer = away
    await hook.begin()
    await hook.until_asked(1)
    await hook.pass_(timedelta(hours=100))
    assert await hook.handle().result() == "failing"
    (stopped,) = hook.stopped
    assert (stopped.why, stopped.reason) == ("failing", "status-503")
    begun = hook.asked[0][0]
    tries = [[at - begun for at, asked in hook.asked if f"journey-{nth}" in asked.again] for nth in range(MOST_HELD)]
    assert max(map(len, tries)) == len(AGAIN)
    for one in tries:
        for nth, after in enumerate(one, 1):
            planned = sum(AGAIN[:nth], timedelta())
            assert planned <= after < planned * 1.1 + timedelta(seconds=10)
    assert len(hook.asked) <= 1 + MOST_HELD * len(AGAIN), "no journey beside the three was posted meanwhile"


@pytest.mark.parametrize(
    ("asked", "waits"),
    [(600.0, timedelta(minutes=10)), (1.0, AGAIN[0]), (1e12, LONGEST_ASKED)], ids=["longer", "shorter", "for ever"],
)  # fmt: skip
async def test_a_receiver_that_says_when_is_not_asked_before(hook: Telling, asked: float, waits: timedelta) -> None:
    def answer(wanted: Deliver) -> Delivered | None:
        failed = away(wanted)
        return failed.model_copy(update={"after_seconds": dict.fromkeys(failed.failed, asked)}) if failed else None

    hook.answer = answer
    await hook.begin()
    await hook.until_asked(1)
    await hook.pass_(waits * 1.2 + timedelta(seconds=10))
    again = hook.asked[1][0] - hook.asked[0][0]
    assert waits <= again < waits * 1.1 + timedelta(seconds=10)


async def test_one_bad_journey_holds_up_no_other(hook: Telling) -> None:
    hook.answer = lambda asked: (
        Delivered(taken=1, failed={"journey-bad": "status-422"}) if "journey-bad" not in asked.without
        else Delivered(taken=1) if len(hook.asked) < 8 else None
    )  # fmt: skip
    await hook.begin()
    await hook.until_asked(8)
    assert [asked.room for _, asked in hook.asked[1:8]] == [MOST_HELD - 1] * 7
    assert all(asked.wait_seconds <= WATCH_HELD.total_seconds() for _, asked in hook.asked[1:])
    assert hook.stopped == []


async def test_staff_are_told_once_of_a_journey_that_is_stuck(hook: Telling) -> None:
    """Three journeys wait, so nothing is posted between; each time others are taken."""
    hook.answer = lambda asked: Delivered(
        taken=1,
        failed={stream: "status-422" for stream in [*asked.again, "journey-a", "journey-b", "journey-c"]
                if stream not in asked.without},
    )  # fmt: skip
    await hook.begin()
    await hook.until_asked(1)
    await hook.pass_(timedelta(days=5))
    assert sorted((stopped.why, stopped.stream) for stopped in hook.stopped) == [
        ("stuck", "journey-a"), ("stuck", "journey-b"), ("stuck", "journey-c"),
    ]  # fmt: skip
    assert (await hook.handle().describe()).status == WorkflowExecutionStatus.RUNNING


@pytest.mark.parametrize("hook", ["uncached"], indirect=True)
async def test_a_wake_up_tries_at_once_and_begins_the_schedule_anew(hook: Telling) -> None:
    hook.answer = away
    await hook.begin()
    await hook.until_asked(1)
    await hook.pass_(timedelta(hours=30))
    before = len(hook.asked)
    hook.answer = lambda _: None
    await hook.begin(wake=True)
    await hook.until_asked(before + 1)
    assert (hook.asked[before][1].again, hook.asked[before][1].without) == ((), ())
    assert hook.stopped == []


async def test_what_recovered_is_no_longer_held(hook: Telling) -> None:
    def answer(asked: Deliver) -> Delivered | None:
        if len(hook.asked) == 1:
            return away(asked)
        if asked.again:
            return Delivered(taken=1, recovered=asked.again)
        return Delivered() if asked.without else None

    hook.answer = answer
    await hook.begin()
    await hook.until_asked(1)
    await hook.pass_(timedelta(seconds=6))
    async with asyncio.timeout(20):
        while hook.asked[-1][1] != Deliver(webhook=hook.id, room=MOST_HELD, wait_seconds=WATCH.total_seconds()):
            await asyncio.sleep(0.05)
    assert len(hook.asked) > 2


async def test_gone_ends_it(hook: Telling) -> None:
    hook.answer = lambda _: Delivered(state="gone", failed={"journey-a": "status-410"})
    await hook.begin()
    assert await hook.handle().result() == "gone"
    assert [stopped.why for stopped in hook.stopped] == ["gone"]


async def test_an_administrators_end_is_no_news(hook: Telling) -> None:
    hook.answer = lambda _: Delivered(state="ended")
    await hook.begin()
    assert await hook.handle().result() == "ended"
    assert hook.stopped == []


async def test_what_is_held_goes_on_into_the_next_run(hook: Telling) -> None:
    hook.answer = away
    await hook.begin_short(history_limit=12)
    await hook.until_asked(1)
    await hook.pass_(timedelta(hours=100))
    assert await hook.handle().result() == "failing"
    described = await hook.handle().describe()
    begun = (await hook.handle().fetch_history()).events[0].workflow_execution_started_event_attributes
    assert begun.continued_execution_run_id, described.run_id
    tries = [sum(f"journey-{nth}" in asked.again for _, asked in hook.asked) for nth in range(MOST_HELD)]
    assert max(tries) == len(AGAIN)


# --- the whole of it, with a real worker that is killed


async def subscribe(pool: Any, url: str) -> Webhook:
    by = By(actor=ACTOR, role="administrator", at=datetime.now(UTC))
    made = Webhook(id=str(uuid.uuid4()), url=url, kinds=("NoteAdded",), made_at=by.at, origin=Origin("test", 1))
    await webhooks.add(pool, made, by)
    return made


def start_worker(stack: RealStack, database: str, queue: str, hosts: str, **more: str) -> ForkServerProcess:
    given = {"HOOKS_DATABASE": database, "HOOKS_TEMPORAL": stack.temporal, "HOOKS_QUEUE": queue, "HOOKS_HOSTS": hosts}
    return forking.begin(webhook_worker.main, os.environ | given | more)


async def ended(process: ForkServerProcess) -> int | None:
    """How it ended."""
    await asyncio.to_thread(process.join, 30)
    return process.exitcode


async def test_killed_between_the_post_and_the_place_it_is_told_again_and_nothing_is_skipped(
    stack: RealStack, journal_pool: Any, database_url: str
) -> None:
    client = await Client.connect(stack.temporal, data_converter=temporal.DATA_CONVERTER)
    queue = f"q-{uuid.uuid4()}"
    with receiving() as receiver, receiving() as other:
        hook, second = await subscribe(journal_pool, receiver.url), await subscribe(journal_pool, other.url)
        other.slow_seconds = 0.5
        streams = [new_stream() for _ in range(3)]
        for stream in streams:
            await journal.append(journal_pool, RING, plain(stream, 0, 4))
        doomed = start_worker(stack, database_url, queue, f"{receiver.host},{other.host}", HOOKS_DIE_AT="5")
        heir = None
        try:
            await temporal.begin_webhook(client, hook.id, queue)
            assert await ended(doomed) == -signal.SIGKILL
            assert len(receiver.got) == 5
            await temporal.begin_webhook(client, second.id, queue)
            heir = start_worker(stack, database_url, queue, f"{receiver.host},{other.host}")
            async with asyncio.timeout(40):
                while len(set(receiver.ids)) < 12 or len(set(other.ids)) < 12:
                    await asyncio.sleep(0.1)
        finally:
            doomed.kill()
            if heir is not None:
                heir.kill()
                heir.join(10)
    fifth = receiver.ids[4]
    assert receiver.ids.count(fifth) == 2 and len(receiver.ids) == 13
    assert receiver.got[4].body == next(got for got in receiver.got[5:] if got.id == fifth).body
    for told in (list(dict.fromkeys(receiver.ids)), list(dict.fromkeys(other.ids))):
        for stream in streams:
            assert [id for id in told if id.startswith(stream)] == [f"{stream}_{seq}" for seq in range(1, 5)]
    assert all(got.holds(secret_of(RING, hook)) for got in receiver.got)
    for each in (hook, second):
        await client.get_workflow_handle(f"webhooks-{each.id}").terminate()


async def test_with_the_place_written_first_one_would_be_skipped(
    stack: RealStack, journal_pool: Any, database_url: str
) -> None:
    """The guard taken away."""
    client = await Client.connect(stack.temporal, data_converter=temporal.DATA_CONVERTER)
    queue = f"q-{uuid.uuid4()}"
    with receiving() as receiver:
        hook, stream = await subscribe(journal_pool, receiver.url), new_stream()
        await journal.append(journal_pool, RING, plain(stream, 0, 4))
        doomed = start_worker(stack, database_url, queue, receiver.host, HOOKS_DIE_AT="3", HOOKS_PLACE_FIRST="1")
        await temporal.begin_webhook(client, hook.id, queue)
        assert await ended(doomed) == -signal.SIGKILL
        heir = start_worker(stack, database_url, queue, receiver.host)
        try:
            async with asyncio.timeout(40):
                while await webhooks.behind(journal_pool, hook):
                    await asyncio.sleep(0.1)
        finally:
            heir.kill()
            heir.join(10)
    assert receiver.ids == [f"{stream}_{seq}" for seq in (1, 2, 4)]
    await client.get_workflow_handle(f"webhooks-{hook.id}").terminate()


async def test_the_housekeeping_begins_what_does_not_run_and_the_slow_do_not_hold_up_the_quick(
    stack: RealStack, journal_pool: Any, database_url: str
) -> None:
    """As after a lost Temporal server: the database knows who is to be told."""
    client = await Client.connect(stack.temporal, data_converter=temporal.DATA_CONVERTER)
    queue = f"q-{uuid.uuid4()}"
    with receiving() as slow, receiving() as quick, receiving() as over:
        slow.slow_seconds = 2
        hooks = [await subscribe(journal_pool, each.url) for each in (slow, quick)]
        ended = await subscribe(journal_pool, over.url)
        by = By(actor=ACTOR, role="administrator", at=datetime.now(UTC))
        await webhooks.set_state(journal_pool, ended.id, "ended", "asked", by)
        stream = new_stream()
        await journal.append(journal_pool, RING, plain(stream, 0, 4))
        worker = start_worker(stack, database_url, queue, f"{slow.host},{quick.host},{over.host}")
        try:
            await client.execute_workflow(
                contract.HOUSEKEEPING, id=f"house-{uuid.uuid4()}", task_queue=queue,
                execution_timeout=timedelta(seconds=30),
            )  # fmt: skip
            async with asyncio.timeout(20):
                while len(quick.got) < 4:
                    await asyncio.sleep(0.05)
            assert len(slow.got) < 4
        finally:
            worker.kill()
            worker.join(10)
    assert quick.ids == [f"{stream}_{seq}" for seq in range(1, 5)]
    assert over.got == []
    for hook in hooks:
        await client.get_workflow_handle(f"webhooks-{hook.id}").terminate()


async def test_webhooks_are_begun_whatever_else_of_the_round_failed(stack: RealStack) -> None:
    begun: list[int] = []

    @activity.defn(name=contract.WAKE)
    async def wake() -> int:
        raise ApplicationError("wishes (ValueError)", type="Unfinished")

    @activity.defn(name=contract.WEBHOOKS_BEGIN)
    async def begin() -> int:
        begun.append(1)
        return 1

    client, queue = await Client.connect(stack.temporal), f"q-{uuid.uuid4()}"
    async with Worker(
        client, task_queue=queue, workflows=[HousekeepingWorkflow], activities=[wake, begin], max_cached_workflows=0,
    ):  # fmt: skip
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(
                contract.HOUSEKEEPING, id=f"house-{uuid.uuid4()}", task_queue=queue,
                execution_timeout=timedelta(seconds=30),
            )  # fmt: skip
    assert isinstance(failed.value.cause, ActivityError) and begun == [1], "and the round has failed all the same"
