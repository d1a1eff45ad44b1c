"""A journey on the real server, its journal in the real PostgreSQL, and a world whose answers the test scripts."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest_asyncio
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import TimeSkipper, TimeSkippingConfig, WorkflowEnvironment
from temporalio.worker import Worker

from journeys import contract, temporal
from journeys.authoring.calendars import calendar_text
from journeys.authoring.reading import read_programme
from journeys.contract import Answer, Append, Appended, Effect, EffectOutcome
from journeys.domain import commands as c
from journeys.domain.commands import Command
from journeys.domain.events import read_event
from journeys.domain.record import Event, Payload
from journeys.local.temporal_server import _binary
from journeys.store import journal, publishing
from journeys.store.signing import KeyRing, draw_parts, sign
from tests.conftest import RealStack
from tests.days import paris_today
from workflows.journey import JourneyWorkflow

MOST_SKIPS = 100_000
RING = KeyRing("test", {"test": b"0" * 32})
ANSWERS = {
    "deliver": {"answer": "sent", "reason": "outbox"},
    "check": {"answer": "passed"},
    "instruct": {"answer": "accepted"},
    "enquire": {"answer": "settled"},
}


@dataclass
class World:
    """Everything outside: what the effects were asked, and what they answer."""

    pool: Any
    asked: list[Effect] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=lambda: dict(ANSWERS))
    away: int = 0
    """So many times more nothing can be delivered or checked: the store is away."""
    uncalled: int = 0
    """So many times more the journal calls for no alert: as after a reset."""

    @activity.defn(name=contract.APPEND)
    async def append(self, request: Append) -> Appended:
        return await journal.append(self.pool, RING, request)

    async def _answer(self, effect: Effect) -> EffectOutcome:
        self.asked.append(effect)
        kind = str(effect.details["kind"])
        told = {"answer": "told", "told": ["somebody"], "role": effect.details["data"].get("to", "")}
        return EffectOutcome(seq=effect.seq, result=self.answers.get(kind, told))

    def _reach(self) -> None:
        if self.away:
            self.away -= 1
            raise ApplicationError("the store cannot be used now", type="Unavailable")

    @activity.defn(name=contract.DELIVER)
    async def deliver(self, effect: Effect) -> EffectOutcome:
        self._reach()
        return await self._answer(effect)

    @activity.defn(name=contract.TELL)
    async def tell(self, effect: Effect) -> EffectOutcome:
        if self.uncalled:
            self.uncalled -= 1
            raise ApplicationError("nothing calls for this", type="NotCalledFor", non_retryable=True)
        return await self._answer(effect)

    @activity.defn(name=contract.CHECK)
    async def check(self, effect: Effect) -> EffectOutcome:
        self._reach()
        return await self._answer(effect)

    @activity.defn(name=contract.INSTRUCT)
    async def instruct(self, effect: Effect) -> EffectOutcome:
        return await self._answer(effect)

    @activity.defn(name=contract.ENQUIRE)
    async def enquire(self, effect: Effect) -> EffectOutcome:
        return await self._answer(effect)

    def activities(self) -> list[Any]:
        return [self.append, self.deliver, self.tell, self.check, self.instruct, self.enquire]


@dataclass
class Engine:
    """One journey's way to act: sends signed commands, lets time pass, reads the journal."""

    client: Client
    skipper: TimeSkipper
    pool: Any
    world: World
    queue: str
    programme: str
    calendar: str
    stream: str
    person: str = field(default_factory=lambda: str(uuid.uuid4()))
    referent: str = field(default_factory=lambda: str(uuid.uuid4()))
    supervisor: str = field(default_factory=lambda: str(uuid.uuid4()))
    finance: str = field(default_factory=lambda: str(uuid.uuid4()))
    worker_options: dict[str, Any] = field(default_factory=dict)

    def worker(self, **options: Any) -> Worker:
        return Worker(
            self.client,
            task_queue=self.queue,
            workflows=[JourneyWorkflow],
            activities=self.world.activities(),
            **{**self.worker_options, **options},
        )

    def command(
        self,
        body: c.Body,
        at: datetime,
        *,
        actor: str | None = None,
        roles: tuple[str, ...] = ("referent",),
        id: str | None = None,
        **texts: str,
    ) -> Command:
        parts, commitments = draw_parts(texts)
        command = Command(
            id=id or str(uuid.uuid4()), stream=self.stream, body=body, actor=actor or self.referent, roles=roles,
            occurred_at=at, signed_at=at, parts=parts, commitments=commitments,
        )  # fmt: skip
        return sign(command, RING)

    async def send(self, command: Command, patience: timedelta = temporal.PATIENCE) -> Answer:
        return await temporal.send(self.client, command, task_queue=self.queue, patience=patience)

    async def do(self, body: c.Body, **options: Any) -> Answer:
        """Send a command at the journey's own time."""
        return await self.send(self.command(body, await self.now(), **options))

    async def now(self) -> datetime:
        try:
            return await self.skipper.get_current_time(self.handle())
        except Exception:
            return datetime.now(UTC)

    def handle(self) -> Any:
        return self.client.get_workflow_handle(self.stream)

    async def pass_days(self, days: float) -> None:
        await self.skipper.fast_forward(self.handle(), timedelta(days=days))

    async def plan(self, release_in_days: int = 40) -> Answer:
        now = datetime.now(UTC)
        body = c.Plan(
            person=self.person, programme=self.programme, calendar=self.calendar, referent=self.referent,
            dates={"release": now.date() + timedelta(days=release_in_days)} if release_in_days else {},
        )  # fmt: skip
        return await self.send(self.command(body, now))

    async def events(self) -> list[Event[Payload]]:
        return [read_event(stored.read()) for stored in await journal.read_all(self.pool, self.stream)]


@cache
def _text(programme: str) -> str:
    return read_programme(programme).text


async def make_engine(stack: RealStack, pool: Any, programme: str = "auxilia", **options: Any) -> Engine:
    plain = await Client.connect(stack.temporal, plugins=[temporal.plugin(pool.keys)])
    skipper = TimeSkipper(plain, config=TimeSkippingConfig(enabled=False, max_session_skip_count=MOST_SKIPS))
    text = _text(programme)
    hashes = (
        await publishing.keep(pool, "programme", programme, text),
        await publishing.keep(pool, "calendar", "FR", calendar_text("Europe/Paris", "FR", paris_today().year)),
    )
    engine = Engine(
        skipper.client, skipper, pool, World(pool), f"q-{uuid.uuid4()}", *hashes, f"journey-{uuid.uuid4()}",
        worker_options=options,
    )  # fmt: skip
    await pool.keys.assign(engine.stream, engine.person)
    return engine


@pytest_asyncio.fixture(params=["cached", "uncached"])
async def engine(request: Any, stack: RealStack, journal_pool: Any) -> AsyncIterator[Engine]:
    """A worker is running; once normally, once without cache so that every task replays the journey."""
    options = {} if request.param == "cached" else {"max_cached_workflows": 0}
    made = await make_engine(stack, journal_pool, **options)
    async with made.worker():
        yield made


@pytest_asyncio.fixture
async def second_server(journal_pool: Any) -> AsyncIterator[Client]:
    """Another Temporal server that has never heard of any journey."""
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(_binary()), plugins=[temporal.plugin(journal_pool.keys)]
    )
    yield environment.client
    await environment.shutdown()
