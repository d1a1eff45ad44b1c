"""Journeys under trial: commands sent and remembered with their answers and waits, faults brought upon their engine."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHistoryEventFilterType
from temporalio.service import RPCError

from activities.failures import UNREACHABLE
from journeys import contract, temporal
from journeys.authoring.calendars import calendar_text
from journeys.authoring.reading import programme_text
from journeys.contract import Answer, Begin
from journeys.domain import commands as c
from journeys.domain.commands import Command
from journeys.domain.events import read_event
from journeys.domain.evolve import fold
from journeys.domain.programme import Programme
from journeys.domain.record import SYSTEM, Event, Payload
from journeys.domain.state import State
from journeys.settings import load_settings
from journeys.store import journal, publishing, staff, treasury
from journeys.store.database import open_pool
from journeys.store.directory import By
from journeys.store.keys import Keys, prepare
from journeys.store.migrating import migrate
from journeys.store.signing import KeyRing, draw_parts, sign
from tests.days import paris_today
from tests.faults.crew import KEY, KEY_ID, Crew
from tests.faults.points import Orders
from tests.faults.servers import Server, Servers, new_pid

RING: Final = KeyRing(KEY_ID, {KEY_ID: KEY})
_UPDATES: Final = ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE
PATIENCE: Final = timedelta(seconds=60)
TEMPLATE: Final = "migrated"
"""The database of a server of which those of its trials, begun one after the other, are copies."""
OUTAGE_ERRORS: Final = (*UNREACHABLE, RPCError, temporal.Unreachable)

# A minute is the shortest that a programme can say: what falls due does so in real time, during the faults.
PROGRAMME: Final[dict[str, Any]] = {
    "programme": "faults",
    "label": "Pannes",
    "clock": {"short_notice": "1 minute"},
    "milestones": {"papers": {"label": "papiers", "due": "1 minute after start", "missed": "follow-up"}},
    "ladders": {
        "follow-up": {
            "urgent": True,
            "steps": [{"to": "referent", "after": "0 hours", "fallback": ["supervisor"]},
                      {"to": "duty", "after": "8 hours"}],
        }
    },
    "grants": {
        "help": {
            "label": "aide", "fund": "main", "cap": "900000 EUR", "purposes": ["training"],
            "levels": [{"approvals": ["supervisor"]}],
        }
    },
}  # fmt: skip


@dataclass
class Sent:
    """A command on its way, or answered."""

    command: Command
    begun: float
    """time.monotonic() at the first sending."""
    answer: Answer | None = None
    failure: str = ""
    ended: float | None = None
    forged: bool = False

    @property
    def seconds(self) -> float:
        return (self.ended if self.ended is not None else time.monotonic()) - self.begun


@dataclass
class Person:
    """One journey, and the crew that serves it."""

    crew: Crew
    stream: str = field(default_factory=lambda: f"journey-{uuid.uuid4()}")


@dataclass
class Trial:
    """Journeys in one database."""

    servers: Servers
    database_url: str
    pool: Any
    client: Client
    programme: str
    calendar: str
    referent: str
    supervisor: str
    persons: list[Person] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    # --- commands

    def command(
        self, person: Person, body: c.Body, *, supervisor: bool = False, system: bool = False, **texts: str
    ) -> Command:
        roles: tuple[str, ...] = ("supervisor",) if supervisor else ("referent",)
        actor = self.supervisor if supervisor else self.referent
        if system:
            actor, roles = SYSTEM, ()
        parts, commitments = draw_parts(texts)
        now = datetime.now(UTC)
        command = Command(
            id=str(uuid.uuid4()), stream=person.stream, body=body, actor=actor, roles=roles,
            occurred_at=now, signed_at=now, parts=parts, commitments=commitments,
        )  # fmt: skip
        return sign(command, RING)

    async def send(self, person: Person, command: Command, *, forged: bool = False) -> Sent:
        """Send, and remember; whatever goes wrong is remembered too."""
        sent = Sent(command, time.monotonic(), forged=forged)
        self.sent.append(sent)
        try:
            sent.answer = await self.ask(person, command)
        except Exception as failure:
            # Not swallowed: an unanswered command is a violation, told with its failure.
            sent.failure = f"{type(failure).__name__}: {failure}"
        sent.ended = time.monotonic()
        return sent

    async def ask(self, person: Person, command: Command) -> Answer:
        return await temporal.send(self.client, command, task_queue=person.crew.queue, patience=PATIENCE)

    async def do(self, person: Person, body: c.Body, **options: Any) -> Sent:
        return await self.send(person, self.command(person, body, **options))

    async def begin(self, crew: Crew, *, history_limit: int | None = None) -> Person:
        """A new journey, planned; `history_limit` makes it continue as new after so many history events."""
        person = Person(crew)
        self.persons.append(person)
        id = str(uuid.uuid4())
        if history_limit is not None:
            await self.pool.keys.assign(person.stream, id)
            await self.client.start_workflow(
                contract.WORKFLOW, Begin(history_limit=history_limit), id=person.stream, task_queue=crew.queue,
                task_timeout=temporal.TASK_TIMEOUT,
            )  # fmt: skip
        await self.do(
            person,
            c.Plan(person=id, programme=self.programme, calendar=self.calendar, referent=self.referent),
        )
        return person

    async def note(self, person: Person) -> Sent:
        return await self.do(person, c.AddNote(), text="vu ce matin")

    async def grant(self, person: Person, payee: str = "Auto-école, SIM-SETTLE") -> None:
        """Ask for money and approve it, so that a payment is called for."""
        asked = await self.do(person, c.RequestGrant(grant="help", purpose="training", amount=10_000), payee=payee)
        if asked.answer is None or asked.answer.outcome != "accepted":
            return
        id = asked.command.id
        digest = (await self.state(person)).grants[id].digest
        await self.do(person, c.ApproveGrant(grant=id, digest=digest), supervisor=True)

    async def forge(self, person: Person) -> Sent:
        """What somebody who reaches Temporal without the key may try: another's name under a signature of nobody."""
        forged = self.command(person, c.Close(outcome="withdrawn"), supervisor=True)
        return await self.send(person, forged.model_copy(update={"signature": "0" * 64}), forged=True)

    @property
    def under_way(self) -> int:
        """Commands that wait for their answer now."""
        return sum(1 for sent in self.sent if sent.ended is None)

    def waiting_since(self, instant: float, crew: Crew | None = None) -> list[Sent]:
        """Commands (to one crew) that waited at `instant` (time.monotonic()) or were sent after it."""
        served = {person.stream for person in self.persons if crew is None or person.crew is crew}
        return [
            sent for sent in self.sent
            if sent.command.stream in served and (sent.ended is None or sent.ended >= instant)
        ]  # fmt: skip

    # --- the record

    async def events(self, person: Person) -> list[Event[Payload]]:
        stored = await patiently(lambda: journal.read_all(self.pool, person.stream))
        return [read_event(each.read()) for each in stored]

    async def state(self, person: Person) -> State:
        return fold(await self.events(person))

    async def owner(self) -> Any:
        """A connection that may change the schema."""
        return await asyncpg.connect(self.database_url)

    # --- faults

    async def kill_server(self, server: Server) -> bool:
        """kill -9 and wait until it is back. Whether commands were under way when it fell."""
        before = self.servers.info.pids[server]
        landed = self.under_way > 0
        self.servers.kill(server)
        assert await asyncio.to_thread(new_pid, self.servers, server, before), f"{server} does not come back"
        return landed

    async def freeze_postgres(self, seconds: float) -> bool:
        landed = self.under_way > 0
        with self.servers.frozen_postgres():
            await asyncio.sleep(seconds)
        return landed

    async def reset(self, person: Person, *, without_updates: bool) -> bool:
        """ResetWorkflowExecution to the first task. Whether a command of the journey was under way."""
        handle = self.client.get_workflow_handle(person.stream)
        described = await handle.describe()
        history = await handle.fetch_history(event_filter_type=WorkflowHistoryEventFilterType.ALL_EVENT)
        done = (e.event_id for e in history.events if e.HasField("workflow_task_completed_event_attributes"))
        first = next(done, None)
        if first is None:
            return False  # a run so young that there is nothing to go back to
        asking = asyncio.create_task(self.note(person))
        await asyncio.sleep(0.003)
        landed = any(sent.ended is None and sent.command.stream == person.stream for sent in self.sent)
        await self.client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=self.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=person.stream, run_id=described.run_id),
                workflow_task_finish_event_id=first,
                request_id=str(uuid.uuid4()),
                reason="fault campaign",
                reset_reapply_exclude_types=[_UPDATES] if without_updates else [],
            )
        )
        await asking
        return landed

    # --- the end

    async def quiet(self, seconds: float) -> list[str]:
        """Wait until no journey has an effect under way; those that still have."""
        end = time.monotonic() + seconds
        while True:
            busy = [person.stream for person in self.persons if (await self.state(person)).effects]
            if not busy or time.monotonic() > end:
                return busy
            await asyncio.sleep(0.3)

    def orders(self) -> list[Orders]:
        return list({person.crew.queue: person.crew.orders for person in self.persons}.values())


async def patiently(ask: Any, seconds: float = 30) -> Any:
    """The answer of a server that may be coming back."""
    end = time.monotonic() + seconds
    while True:
        try:
            return await ask()
        except OUTAGE_ERRORS:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.2)


@asynccontextmanager
async def open_trial(servers: Servers, *, cap: int | None = None, balance: int = 100_000_000) -> AsyncIterator[Trial]:
    """A fresh database on running servers, with a programme, a fund and two members of staff."""
    name = f"f_{uuid.uuid4().hex}"
    url = servers.info.database_url.replace("/journeys?", f"/{name}?")
    connection = await asyncpg.connect(servers.info.database_url)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", TEMPLATE):
            await connection.execute(f"CREATE DATABASE {TEMPLATE}")
            await migrate(servers.info.database_url.replace("/journeys?", f"/{TEMPLATE}?"))
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    finally:
        await connection.close()
    kept = Keys.beside(url, load_settings(sealing_key=KEY.hex()))
    await prepare(kept.dsn)
    pool = await open_pool(url, keys=kept)
    client = await Client.connect(servers.info.temporal_address, plugins=[temporal.plugin(pool.keys)])
    text = programme_text(Programme.model_validate(PROGRAMME))
    programme = await publishing.keep(pool, "programme", "faults", text)
    calendar = await publishing.keep(pool, "calendar", "FR", calendar_text("Europe/Paris", "FR", paris_today().year))
    trial = Trial(servers, url, pool, client, programme, calendar, str(uuid.uuid4()), str(uuid.uuid4()))
    by = By(actor=trial.supervisor, role="administrator", at=datetime.now(UTC))
    await treasury.open_fund(pool, str(uuid.uuid4()), "main", cap_per_person=cap, balance=balance, by=by)
    for id, handle, role in ((trial.referent, "claire", "referent"), (trial.supervisor, "karim", "supervisor")):
        member = staff.Member(
            id=id, handle=handle, name=handle.title(), email=f"{handle}@example.org", phone=None, language="fr",
            roles=(role,), sites=(), active=True,
        )  # fmt: skip
        await staff.add(pool, member, by)
    try:
        yield trial
    finally:
        pool.terminate()
