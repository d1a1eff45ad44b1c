"""Digests on the real server in virtual time: one letter a day and recipient, and no alert that nobody was told."""

import asyncio
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities import Resources
from activities.digests import Digests
from activities.escalations import Escalations
from activities.tills import Tills
from journeys import contract, temporal
from journeys.channels.letter import Fate, Letter, Sent
from journeys.domain import events as e
from journeys.store import staff
from journeys.store.directory import By
from tests.conftest import RealStack
from tests.workflow.conftest import RING, Engine, World, make_engine
from workflows.digests import DigestsWorkflow

PARIS = ZoneInfo("Europe/Paris")


@dataclass
class Postbox:
    """A mailer that keeps what it takes; a channel of the world."""

    letters: list[Letter] = field(default_factory=list)
    name: str = "mail"

    async def send(self, letter: Letter) -> Sent:
        self.letters.append(letter)
        return Sent(Fate.SENT)


@dataclass
class Telling(World):
    """The world, in which staff are really told."""

    resources: Any = None

    def activities(self) -> list[Any]:
        others = [each for each in super().activities() if each.__name__ != "tell"]
        return [*others, Escalations(self.resources).tell]


async def _hire(pool: Any, id: str, role: str) -> None:
    member = staff.Member(id=id, handle=id[:12], name=f"{role.title()} Martin", email=f"{role}@example.org", phone=None,
                          language="fr", roles=(role,), sites=(), active=True)  # fmt: skip
    await staff.add(pool, member, By(actor=id, role="administrator", at=datetime.now(UTC)))


async def _beside(stack: RealStack, pool: Any, first: Engine | None, box: Postbox) -> Engine:
    """A journey whose staff are those of the first."""
    made = await make_engine(stack, pool)
    resources = Resources(pool=pool, ring=RING, tills=Tills({}), mailer=box, association="L’association")
    made.world = Telling(pool, resources=resources)
    if first is not None:
        made.referent, made.supervisor = first.referent, first.supervisor
    return made


async def test_one_letter_a_day_and_recipient_and_every_alert_is_told(stack: RealStack, journal_pool: Any) -> None:
    box = Postbox()
    first = await _beside(stack, journal_pool, None, box)
    second = await _beside(stack, journal_pool, first, box)
    await _hire(journal_pool, first.referent, "referent")
    await _hire(journal_pool, first.supervisor, "supervisor")
    await _hire(journal_pool, str(uuid.uuid4()), "duty")
    for each in (first, second):
        async with each.worker():
            assert (await each.plan(release_in_days=2)).outcome == "accepted"
            await each.pass_days(11)
    together = [letter for letter in box.letters if "attend" in letter.subject]
    days = Counter((letter.to, letter.at.astimezone(PARIS).date()) for letter in together)
    assert len(days) > 3 and set(days.values()) == {1}, days
    assert all(letter.at.astimezone(PARIS).weekday() < 5 for letter in together)
    waited = 0
    for each in (first, second):
        events = [event.data for event in await each.events()]
        called = [data for data in events if isinstance(data, e.EscalationRaised | e.EscalationClimbed)]
        told = {(data.escalation, data.step) for data in events if isinstance(data, e.EscalationTold)}
        settled = {data.escalation for data in events if isinstance(data, e.EscalationResolved)}
        ahead = {data.escalation for data in events if isinstance(data, e.EscalationDeferred)
                 and data.until > await each.now()}  # fmt: skip
        waited += sum(isinstance(data, e.EscalationDeferred) and data.digest is not None for data in events)
        for data in called:
            step = data.step if isinstance(data, e.EscalationClimbed) else 0
            assert (data.escalation, step) in told or data.escalation in settled | ahead
    assert waited > len(together), "alerts went together"


@dataclass
class Failing(World):
    """A world in which nobody can be told at first."""

    @activity.defn(name=contract.TELL)
    async def tell(self, effect: contract.Effect) -> contract.EffectOutcome:
        if not any(each.details["kind"] == "tell" for each in self.asked):
            self.asked.append(effect)
            await asyncio.sleep(0.1)
            # Tried again after more than an effect may take: it has come to no end in its time.
            raise ApplicationError("not now", next_retry_delay=timedelta(hours=1))
        return await self._answer(effect)


async def test_a_telling_that_is_tried_anew_goes_by_its_own_hour(stack: RealStack, journal_pool: Any) -> None:
    engine = await make_engine(stack, journal_pool)
    engine.world = Failing(journal_pool)
    async with engine.worker():
        assert (await engine.plan(release_in_days=2)).outcome == "accepted"
        await engine.pass_days(8)
    first = next(each for each in engine.world.asked if each.details["kind"] == "tell")
    tries = [each.at for each in engine.world.asked if each.seq == first.seq]
    assert len(tries) == 2 and tries[0] < tries[1]


async def test_a_round_runs_on_the_server_and_its_schedule_is_made_once(stack: RealStack, journal_pool: Any) -> None:
    engine = await _beside(stack, journal_pool, None, Postbox())
    resources = engine.world.resources  # type: ignore[attr-defined]
    worker = Worker(
        engine.client, task_queue=engine.queue, workflows=[DigestsWorkflow], activities=[Digests(resources).send],
        workflow_runner=temporal.sandbox_runner(),
    )  # fmt: skip
    async with worker:
        id = f"digests-{uuid.uuid4()}"
        assert await engine.client.execute_workflow(contract.DIGESTS, id=id, task_queue=engine.queue) == 0
    handle = engine.client.get_schedule_handle(contract.DIGESTS)
    try:
        for _ in range(2):
            await temporal.send_digests(engine.client, engine.queue)
        (interval,) = (await handle.describe()).schedule.spec.intervals
        assert interval.every == timedelta(minutes=5)
    finally:
        await handle.delete()
