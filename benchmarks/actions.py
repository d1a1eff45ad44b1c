"""Billable actions and history events of one whole life, counted from the histories of the real server.

An Action, as Temporal bills it: the start of a run (also by continue-as-new), an update accepted, a timer started, an
activity scheduled and each retry of it, and one for all local activities of a workflow task. Queries, completions,
cancellations and workflow tasks are none.
"""

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Worker

from benchmarks import handwritten
from benchmarks.ground import Ground, Place
from benchmarks.handwritten import MECHANICS, Asked, AuxiliaByHand, Fact, Start
from benchmarks.measuring import Figure, Target, alone, compared
from journeys import contract, temporal
from journeys.audit.history import read_chain
from journeys.contract import Append, Appended, Effect, EffectOutcome
from journeys.domain import commands as c
from journeys.domain.calendar import Calendar
from journeys.domain.commands import Command
from journeys.domain.handbook import open_handbook
from journeys.domain.record import SYSTEM
from journeys.domain.state import State, load
from journeys.local.acting import Actors, Names, Script, end_of
from journeys.local.lives import LIVES, Life, Lives, read_lives
from journeys.local.time_skipping import VirtualTime
from journeys.store import journal, staff, treasury
from journeys.store.directory import By
from journeys.store.funds import funds
from journeys.store.programmes import texts_of
from journeys.store.signing import draw_parts, sign
from workflows.journey import JourneyWorkflow

COHORT = "auxilia"
LIFE = 0
"""Job found early: two approvals, two instalments, a refused self-approval, a mentor, three kinds of contact."""


async def measure(ground: Ground, rounds: int) -> list[Figure]:
    """One round: the same life gives the same history."""
    place = await ground.place(time_skipping=True)
    lives = read_lives(LIVES / f"{COHORT}.yaml")
    ours = await play_ours(place, lives, lives.cohort.lives[LIFE])
    by_hand = await _play_by_hand(place, ours)
    counted, reference = count(ours.histories), count(by_hand.histories)
    wanted = 1 + 3 * counted.updates + 2 * counted.timers_fired + 2 * counted.activities
    kinds, kinds_by_hand = Counter(kind for kind in ours.kinds if kind not in MECHANICS), Counter(by_hand.kinds)
    differ = ", ".join(
        f"{kind} {kinds[kind]}/{kinds_by_hand[kind]}"
        for kind in sorted(kinds | kinds_by_hand)
        if kinds[kind] != kinds_by_hand[kind]
    )
    return [
        compared(
            "actions of a six-month life, against 1 + 3 a command, 2 a due, 2 an effect", "actions",
            [(counted.actions, wanted)], Target("at most", 1.0),
            f"{counted.updates} commands, {counted.timers_fired} dues, {counted.activities} effects; {counted.text()}",
        ),
        alone("actions of the costliest command", "actions", [counted.most_a_command], Target("at most", 3)),
        alone("actions of the costliest due", "actions", [counted.most_a_due], Target("at most", 2), "but effects"),
        compared(
            "actions of the same life, against the workflow written by hand", "actions",
            [(counted.actions, reference.actions)], None, f"by hand: {reference.text()}",
        ),
        compared(
            "history events of the same life, against the workflow written by hand", "events",
            [(counted.events, reference.events)], Target("at most", 0.6),
            f"facts recorded: {sum(kinds.values())} and {sum(kinds_by_hand.values())}, besides "
            f"{len(ours.kinds) - sum(kinds.values())} of the engine's own; kinds that differ: {differ or 'none'}",
        ),
    ]  # fmt: skip


# --- counting


@dataclass(slots=True)
class Counted:
    """What the histories of one life hold."""

    events: int = 0
    starts: int = 0
    updates: int = 0
    timers: int = 0
    timers_fired: int = 0
    activities: int = 0
    retries: int = 0
    local: int = 0
    """Workflow tasks with at least one local activity."""
    most_a_command: int = 0
    most_a_due: int = 0

    @property
    def actions(self) -> int:
        return self.starts + self.updates + self.timers + self.activities + self.retries + self.local

    def text(self) -> str:
        return (
            f"starts {self.starts}, updates {self.updates}, timers {self.timers}, activities {self.activities}, "
            f"retries {self.retries}, tasks with local activities {self.local}"
        )


def count(histories: Sequence[WorkflowHistory]) -> Counted:
    """Count the actions of a chain of runs."""
    told = Counted()
    for history in histories:
        told.events += len(history.events)
        told.starts += 1
        for task in _tasks(history.events):
            _count_task(told, task)
    return told


def _tasks(events: Sequence[HistoryEvent]) -> list[list[HistoryEvent]]:
    """Events by workflow task: what woke it, then what it did, up to what wakes the next."""
    tasks: list[list[HistoryEvent]] = [[]]
    doing = False
    for event in events:
        woken = event.event_type not in _DONE_BY_A_TASK
        if doing and woken:
            tasks.append([])
        doing = not woken
        tasks[-1].append(event)
    return tasks


_DONE_BY_A_TASK = frozenset(
    {
        EventType.EVENT_TYPE_MARKER_RECORDED, EventType.EVENT_TYPE_TIMER_STARTED, EventType.EVENT_TYPE_TIMER_CANCELED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
    }
)  # fmt: skip


def _count_task(told: Counted, task: Sequence[HistoryEvent]) -> None:
    kinds = Counter(event.event_type for event in task)
    updates = kinds[EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED]
    timers, fired = kinds[EventType.EVENT_TYPE_TIMER_STARTED], kinds[EventType.EVENT_TYPE_TIMER_FIRED]
    local = int(
        any(
            event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED
            and event.marker_recorded_event_attributes.marker_name == "core_local_activity"
            for event in task
        )
    )
    told.updates += updates
    told.timers += timers
    told.timers_fired += fired
    told.activities += kinds[EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]
    told.retries += sum(
        event.activity_task_started_event_attributes.attempt - 1
        for event in task
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    )
    told.local += local
    outcomes = kinds[EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED]
    if updates == 1 and not fired and not outcomes:
        told.most_a_command = max(told.most_a_command, updates + timers + local)
    if fired == 1 and not updates and not outcomes:
        told.most_a_due = max(told.most_a_due, timers + local)


# --- the life, on our engine


@dataclass(frozen=True, slots=True)
class Given:
    """A command of the life, as it was given."""

    at: datetime
    command: Command
    state: State
    """What the journey knew before."""


@dataclass(slots=True)
class Played:
    """A life that is over."""

    kinds: list[str]
    histories: Sequence[WorkflowHistory]
    stream: str = ""
    queue: str = ""
    """Where a worker is asked about it."""
    given: list[Given] = field(default_factory=list)
    until: datetime | None = None


async def play_ours(place: Place, lives: Lives, life: Life) -> Played:
    """Play a life on the product's workflow and append; the world outside answers at once."""
    virtual = VirtualTime(place.client)
    queue = f"life-{uuid.uuid4()}"
    stream, played = f"journey-{uuid.uuid4()}", Played([], ())
    calendar = await _calendar(place)
    start = calendar.day(datetime.now(UTC))
    names = Names(*({name: str(uuid.uuid4()) for name in table} for table in _people(lives)))
    script, actors = Script(lives.cohort, life, calendar, start), Actors(lives.cohort, life, names, str(uuid.uuid4()))
    await _add_staff(place, lives, names)
    await _open_fund(place, lives)
    async with worker_of(virtual.client, queue, [JourneyWorkflow], World(place).activities()):
        referent = names.staff[life.referent]
        plan = c.Plan(
            person=actors.person, programme=place.programme, calendar=place.calendar, referent=referent,
            dates={name: day for name, day in script.days.items() if name != "start"},
        )  # fmt: skip

        async def give(body: Any, texts: dict[str, str], actor: str, roles: tuple[str, ...], at: datetime) -> bool:
            handle = virtual.client.get_workflow_handle(stream)
            state = load(await handle.query(contract.STATE)) if played.given else State()
            parts, commitments = draw_parts(texts)
            command = Command(
                id=str(uuid.uuid4()), stream=stream, body=body, actor=actor, roles=roles, occurred_at=at, signed_at=at,
                parts=parts, commitments=commitments,
            )  # fmt: skip
            played.given.append(Given(at, command, state))
            answer = await temporal.send(virtual.client, sign(command, place.ring), task_queue=queue)
            return answer.outcome == "accepted"

        await give(plan, {}, referent, ("referent",), datetime.now(UTC))
        end = end_of(lives.cohort, calendar, start)
        while (planned := script.next()) is not None and planned[0] < end:
            at, step = planned
            await virtual.pass_until(stream, at)
            state = load(await virtual.client.get_workflow_handle(stream).query(contract.STATE))
            acted = actors.act(step, script, state)
            if await give(
                acted.body, acted.texts, acted.actor, acted.roles, acted.happened or await virtual.now(stream)
            ):
                script.learn(acted.body)
                if step.name is not None:
                    actors.opened[step.name] = played.given[-1].command.id
        await virtual.pass_until(stream, end)
        chain = await read_chain(place.client, stream)
    if chain is None:
        raise RuntimeError("no history")
    played.kinds = [str(event.read()["kind"]) for event in await journal.read_all(place.pool, stream)]
    played.histories, played.until, played.stream, played.queue = chain.histories, end, stream, queue
    return played


def _people(lives: Lives) -> tuple[Any, Any, Any]:
    return lives.cohort.staff, lives.cohort.mentors, lives.cohort.partners


async def _add_staff(place: Place, lives: Lives, names: Names) -> None:
    """Those whose approvals a payment believes: whoever is not of the staff has no right to approve."""
    by = By(actor=SYSTEM, role=SYSTEM, at=datetime.now(UTC))
    for handle, one in lives.cohort.staff.items():
        id = names.staff[handle]
        await staff.add(
            place.pool,
            staff.Member(
                id=id, handle=f"{handle}-{id[:8]}", name=one.name, email=None, phone=None, language="fr",
                roles=one.roles, sites=one.sites, active=True,
            ),
            by,
        )  # fmt: skip


async def _open_fund(place: Place, lives: Lives) -> None:
    fund, by = lives.cohort.fund, By(actor=SYSTEM, role=SYSTEM, at=datetime.now(UTC))
    if fund is not None and fund.code not in {known.code for known in await funds(place.pool)}:
        await treasury.open_fund(
            place.pool, str(uuid.uuid4()), fund.code, cap_per_person=fund.cap_per_person, balance=fund.balance, by=by
        )


async def _calendar(place: Place) -> Calendar:
    texts = await texts_of(place.pool, (place.programme, place.calendar))
    return open_handbook(texts[place.programme], texts[place.calendar]).calendar


@dataclass(frozen=True, slots=True)
class World:
    """The product's append, and everything outside: sent, told, accepted, then settled."""

    place: Place

    @activity.defn(name=contract.APPEND)
    async def append(self, request: Append) -> Appended:
        return await journal.append(self.place.pool, self.place.ring, request)

    @activity.defn(name=contract.DELIVER)
    async def deliver(self, effect: Effect) -> EffectOutcome:
        return EffectOutcome(seq=effect.seq, result={"answer": "sent", "reason": "outbox"})

    @activity.defn(name=contract.TELL)
    async def tell(self, effect: Effect) -> EffectOutcome:
        return EffectOutcome(
            seq=effect.seq,
            result={"answer": "told", "told": ["somebody"], "role": effect.details["data"].get("to", "")},
        )

    @activity.defn(name=contract.CHECK)
    async def check(self, effect: Effect) -> EffectOutcome:
        return EffectOutcome(seq=effect.seq, result={"answer": "passed"})

    @activity.defn(name=contract.INSTRUCT)
    async def instruct(self, effect: Effect) -> EffectOutcome:
        return EffectOutcome(seq=effect.seq, result={"answer": "accepted"})

    @activity.defn(name=contract.ENQUIRE)
    async def enquire(self, effect: Effect) -> EffectOutcome:
        return EffectOutcome(seq=effect.seq, result={"answer": "settled"})

    def activities(self) -> list[Callable[..., Any]]:
        return [self.append, self.deliver, self.tell, self.check, self.instruct, self.enquire]


@asynccontextmanager
async def worker_of(
    client: Client, queue: str, workflows: list[type], activities: list[Callable[..., Any]]
) -> AsyncIterator[None]:
    async with Worker(
        client, task_queue=queue, workflows=workflows, activities=activities, workflow_runner=temporal.sandbox_runner()
    ):
        yield


# --- the same life, on the workflow written by hand


@dataclass(frozen=True, slots=True)
class ByHand:
    """The activities of the workflow written by hand: each of the first is one insert."""

    place: Place
    kinds: list[str]

    @activity.defn(name=handwritten.RECORD)
    async def record(self, fact: Fact) -> None:
        await self.place.pool.execute(
            "INSERT INTO bare (batch, body) VALUES ($1, $2)", "by-hand", fact.model_dump_json().encode()
        )
        self.kinds.append(fact.kind)

    @activity.defn(name=handwritten.SEND)
    async def send(self, to: str, purpose: str, about: str) -> bool:
        return True

    @activity.defn(name=handwritten.TELL)
    async def tell(self, about: str, role: str) -> list[str]:
        return ["somebody"]

    @activity.defn(name=handwritten.PAY)
    async def pay(self, payment: str) -> str:
        return "accepted"

    @activity.defn(name=handwritten.LOOK_UP)
    async def look_up(self, payment: str) -> str:
        return "settled"

    def activities(self) -> list[Callable[..., Any]]:
        return [self.record, self.send, self.tell, self.pay, self.look_up]


async def _play_by_hand(place: Place, ours: Played) -> Played:
    virtual, queue, id = VirtualTime(place.client), f"by-hand-{uuid.uuid4()}", f"by-hand-{uuid.uuid4()}"
    kinds: list[str] = []
    text = (await texts_of(place.pool, (place.calendar,)))[place.calendar]
    async with worker_of(virtual.client, queue, [AuxiliaByHand], ByHand(place, kinds).activities()):
        plan = ours.given[0].command.body
        assert isinstance(plan, c.Plan) and ours.until is not None
        await virtual.client.start_workflow(
            AuxiliaByHand.run,
            Start(person=plan.person, referent=plan.referent, release=plan.dates["release"], calendar=text),
            id=id, task_queue=queue,
        )  # fmt: skip
        for given in ours.given[1:]:
            await virtual.pass_until(id, given.at)
            asked = Asked(id=given.command.id, by=given.command.actor, role=given.command.roles[0])
            name, *values = _as_update(given)
            await virtual.client.get_workflow_handle(id).execute_update(name, args=[asked, *values])
        await virtual.pass_until(id, ours.until)
        chain = await read_chain(place.client, id)
    if chain is None:
        raise RuntimeError("no history")
    return Played(kinds, chain.histories)


def _as_update(given: Given) -> tuple[Any, ...]:
    """A command as the update of the workflow written by hand: its name and what follows who asks."""
    match given.command.body:
        case c.ReachMilestone(milestone=code):
            return "reach_milestone", code
        case c.AddEvidence(milestone=code):
            return "add_evidence", code
        case c.ConfirmDate(date=date):
            return "confirm_date", date
        case c.RecordSituation(situation=situation, value=value):
            return "record_situation", situation, value
        case c.LogContact(contact=contact, means=means):
            return "log_contact", contact, means
        case c.ProposeMentor(mentor=mentor):
            return "propose_mentor", mentor
        case c.MatchMentor(mentor=mentor):
            return "match_mentor", mentor
        case c.RequestGrant(amount=amount, purpose=purpose):
            return "request_grant", amount, purpose
        case c.ApproveGrant(grant=grant):
            return "approve_grant", grant
        case c.SubmitReceipt(receipt=receipt):
            return "submit_receipt", _payment_of(given.state, receipt)
        case c.AcceptReceipt(receipt=receipt):
            return "accept_receipt", _payment_of(given.state, receipt)
        case c.Close(outcome=outcome):
            return "close", outcome
        case other:
            raise ValueError(f"the workflow written by hand has no {other.name}")


def _payment_of(state: State, receipt: str) -> str:
    payment = state.payments[state.receipts[receipt].payment]
    return f"{payment.grant}/{payment.number}"
