"""A journey in the real PostgreSQL, played by the pure core, whose effects the real activities carry out."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from temporalio.testing import ActivityEnvironment

from activities import Resources
from activities.escalations import Escalations
from activities.grants import Grants
from activities.milestones import Milestones
from activities.reminders import Reminders
from activities.tills import Tills
from journeys.authoring.calendars import calendar_text
from journeys.authoring.reading import programme_text
from journeys.channels.bank import SimulatedBank
from journeys.channels.letter import Fate, Letter, Sent
from journeys.contract import Answer, Answered, Append, Effect
from journeys.domain import commands as c
from journeys.domain.commands import Command
from journeys.domain.decide import Outcome
from journeys.domain.events import read_event
from journeys.domain.evolve import fold
from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.offer import make_offer
from journeys.domain.programme import Programme
from journeys.domain.state import State
from journeys.domain.summary import summary
from journeys.store import journal, people, publishing, staff, treasury
from journeys.store.database import open_pool
from journeys.store.directory import AlreadyThere, By
from journeys.store.signing import KeyRing, draw_parts, sign
from tests.conftest import RealStack

MONDAY = datetime(2027, 5, 10, 8, 0, tzinfo=UTC)
"""Ten in the morning in Paris."""

PROGRAMME = {
    "programme": "essai",
    "label": "Essai",
    "milestones": {
        "papers": {
            "label": {"fr": "papiers", "en": "papers"}, "due": "3 days after start", "missed": "follow-up",
            "remind": [
                {"to": "participant", "when": "1 day before", "template": "deadline-near"},
                {"to": "referent", "when": "1 day before", "template": "deadline-near"},
            ],
        },
        "rights": {"label": "droits", "due": "20 days after start", "check": "http", "url": "http://127.0.0.1:1/rights"},
    },
    "ladders": {
        "follow-up": {
            "steps": [
                {"to": "referent", "after": "0 hours", "fallback": ["supervisor"]},
                {"to": "supervisor", "after": "2 working days"},
                {"to": "duty", "after": "4 working days"},
            ]
        }
    },
    "grants": {
        "help": {
            "label": {"fr": "aide", "en": "help"}, "fund": "main", "cap": "500 EUR", "purposes": ["training"],
            "levels": [{"approvals": ["supervisor"]}], "pay_by": ["sepa", "http", "voucher", "hand"],
        },
        "loan": {
            "label": {"fr": "avance", "en": "loan"}, "fund": "other", "cap": "500 EUR", "purposes": ["rent"],
            "levels": [{"approvals": ["finance"]}], "missed": "follow-up",
        },
    },
}  # fmt: skip


@dataclass
class Postman:
    """A mailer whose answers the test scripts; it is a channel of the world, not a part of ours."""

    answers: list[Sent] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    name: str = "mail"

    async def send(self, letter: Letter) -> Sent:
        self.letters.append(letter)
        return self.answers.pop(0) if self.answers else Sent(Fate.SENT)

    @property
    def recipients(self) -> list[str]:
        return [letter.to for letter in self.letters]


@dataclass
class Life:
    """One journey. What is asked of it goes through `decide` and the journal, as in the workflow."""

    pool: Any
    resources: Resources
    postman: Postman
    book: Handbook
    hashes: tuple[str, str]
    now: datetime = MONDAY
    stream: str = field(default_factory=lambda: f"journey-{uuid.uuid4()}")
    person: str = field(default_factory=lambda: str(uuid.uuid4()))
    referent: str = field(default_factory=lambda: str(uuid.uuid4()))
    supervisor: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: State = field(default_factory=State)
    reserves: bool = True
    """Whether a reservation that is due is offered by itself."""

    def __post_init__(self) -> None:
        self.state.stream = self.stream

    @property
    def by(self) -> By:
        return By(actor=self.supervisor, role="administrator", at=self.now)

    async def begin(self) -> None:
        await self.hire(self.referent, "claire", "referent", sites=("lyon",))
        await self.hire(self.supervisor, "karim", "supervisor")
        details = people.Details(first_name="Éloïse", last_name="D’Œuvre", email="eloise@example.org")
        await people.register(self.pool, self.person, details, self.by)
        await self.plan()

    async def plan(self) -> None:
        """The journey alone; whoever stands around it is there already."""
        await self.do(
            c.Plan(person=self.person, programme=self.hashes[0], calendar=self.hashes[1], referent=self.referent,
                   site="lyon")
        )  # fmt: skip

    async def hire(
        self, id: str, handle: str, *roles: str, sites: tuple[str, ...] = (), funds: tuple[str, ...] = (),
        phone: str | None = None,
    ) -> str:  # fmt: skip
        member = staff.Member(
            id=id, handle=f"{handle}-{id[:8]}", name=f"{handle.title()} Martin", email=f"{handle}@example.org",
            phone=phone, language="fr", roles=roles, sites=sites, active=True, funds=funds,
        )  # fmt: skip
        await staff.add(self.pool, member, self.by)
        return id

    async def away(self, id: str, deputy: str | None = None) -> None:
        """Absent for the next fortnight."""
        day = self.now.date()
        await staff.set_absence(self.pool, staff.Absence(id, day, day + timedelta(days=14), deputy), self.by)

    @property
    def grant(self) -> str:
        return list(self.state.grants)[-1]

    def command(self, body: Any, *, actor: str | None = None, role: str = "referent", **texts: str) -> Command:
        """What the entry point signs."""
        parts, commitments = draw_parts(texts)
        command = Command(
            id=str(uuid.uuid4()), stream=self.stream, body=body, actor=actor or self.referent, roles=(role,),
            occurred_at=self.now, signed_at=self.now, parts=parts, commitments=commitments,
        )  # fmt: skip
        return sign(command, self.resources.ring)

    async def give(self, command: Command) -> Answer:
        """Send a command as the engine takes it: one that the journal has answered has its answer again."""
        known = await journal.known_answer(self.pool, command)
        answer = known or await self._offer([command], [])
        assert answer is not None
        return answer

    async def ask(self, body: Any, *, actor: str | None = None, role: str = "referent", **texts: str) -> Answer:
        """Give a command, whatever is answered."""
        answer = await self._offer([self.command(body, actor=actor, role=role, **texts)], [])
        assert answer is not None
        return answer

    async def do(self, body: Any, *, actor: str | None = None, role: str = "referent", **texts: str) -> Answer:
        answer = await self.ask(body, actor=actor, role=role, **texts)
        assert answer.outcome == "accepted", answer
        return answer

    async def until(self, at: datetime) -> None:
        """Let time pass: what falls due is decided and recorded."""
        self.now = at
        await self._offer([], [])

    async def take(self, outcome: Outcome) -> None:
        await self._offer([], [outcome])

    async def _offer(self, commands: list[Command], outcomes: list[Outcome]) -> Answer | None:
        answer: Answer | None = None
        while True:
            offer = make_offer(self.state, self.book, commands, outcomes, self.now)
            if offer.is_empty or (offer.money and not self.reserves):
                return answer
            answered = [
                Answered(
                    command=one.command,
                    answer=Answer(
                        command=one.command.id, outcome="refused" if one.refused else "accepted",
                        code=one.refused.code if one.refused else None, first=one.first, last=one.last,
                        seq=offer.state.seq,
                    ),
                )
                for one in offer.decided
            ]  # fmt: skip
            appended = await journal.append(
                self.pool,
                self.resources.ring,
                Append(
                    stream=self.stream, expected=offer.expected, events=tuple(e.header() for e in offer.events),
                    answered=tuple(answered), view=summary(offer.state, self.book).model_dump(mode="json"),
                    money=offer.money,
                ),
            )  # fmt: skip
            if appended.known:
                return appended.known[0]
            assert appended.accepted, appended
            self.state = fold([read_event(header) for header in appended.events], self.state)
            if answered:
                answer, commands = answered[0].answer, []
            outcomes = outcomes[offer.outcomes :]

    def effects(self, kind: str, *, to: str | None = None) -> list[Effect]:
        """What the workflow would start now."""
        return [
            Effect(stream=self.stream, seq=seq, at=self.now, details={"kind": known.kind, "id": known.id})
            for seq, known in sorted(self.state.effects.items())
            if known.kind == kind and (to is None or self.state.messages[known.id].to == to)
        ]

    async def run(self, effect: Effect, in_: ActivityEnvironment | None = None) -> dict[str, Any]:
        """Carry an effect out by its activity, in Temporal's own environment for activities."""
        found = await (in_ or ActivityEnvironment()).run(self._activity(effect.details["kind"]), effect)
        assert found.seq == effect.seq
        result: dict[str, Any] = found.result
        return result

    async def settle(self, effect: Effect) -> dict[str, Any]:
        """Carry an effect out and record its outcome."""
        result = await self.run(effect)
        until = result["until"]
        await self.take(
            Outcome(
                effect.seq, result["answer"], result["reason"], tuple(result["told"]), result["role"],
                datetime.fromisoformat(until) if until else None, result["wording"],
                result["last_resort"], result["zone"], tuple(result["passed"]), tuple(result["put_off"]),
                tuple(result["passed_by"]), tuple(result["alive"]), result["by"],
            )
        )  # fmt: skip
        return result

    async def facts(self) -> list[Any]:
        """What happened on the journey."""
        return [each.event().data for each in await journal.read_all(self.pool, self.stream)]

    async def of_the_person(self) -> list[str]:
        """The kinds of facts on the person's own stream."""
        rows = await self.pool.fetch("SELECT kind FROM events WHERE stream = $1 ORDER BY seq", f"person-{self.person}")
        return [row["kind"] for row in rows]

    def _activity(self, kind: str) -> Any:
        match kind:
            case "deliver":
                return Reminders(self.resources).deliver
            case "tell":
                return Escalations(self.resources).tell
            case "check":
                return Milestones(self.resources).check
            case "instruct":
                return Grants(self.resources).instruct
            case _:
                return Grants(self.resources).enquire

    def use(self, **changes: Any) -> None:
        """Another channel, another address of last resort."""
        self.resources = replace(self.resources, **changes)

    async def reminded(self) -> Effect:
        """Come to the morning of the reminders; the one to the participant."""
        await self.until(datetime(2027, 5, 12, 7, 0, tzinfo=UTC))
        (effect,) = self.effects("deliver", to="participant")
        return effect

    async def missed(self) -> Effect:
        """Come to a missed deadline; the first step of its ladder."""
        await self.until(datetime(2027, 5, 13, 16, 0, tzinfo=UTC))
        (effect,) = self.effects("tell")
        return effect

    async def granted(self, payee: str, amount: int = 20_000, pay_by: str | None = None) -> Effect:
        """A grant approved; the instruction of its payment."""
        with suppress(AlreadyThere):
            await treasury.open_fund(
                self.pool, str(uuid.uuid4()), "main", cap_per_person=None, balance=100_000_000, by=self.by
            )
        await self.approved(amount, payee, pay_by)
        await self.until(self.now + timedelta(seconds=1))
        (effect,) = self.effects("instruct")
        return effect

    async def approved(self, amount: int, payee: str = "FR76", pay_by: str | None = None) -> str:
        """A grant asked for and approved; nothing is reserved yet. Its id."""
        asked = await self.do(
            c.RequestGrant(grant="help", purpose="training", amount=amount, pay_by=pay_by), payee=payee
        )
        digest = self.state.grants[asked.command].digest
        await self.do(c.ApproveGrant(grant=asked.command, digest=digest), actor=self.supervisor, role="supervisor")
        return asked.command

    def due(self) -> Append:
        """What the loop offers next, without offering it."""
        offer = make_offer(self.state, self.book, (), (), self.now)
        return Append(
            stream=self.stream, expected=offer.expected, events=tuple(e.header() for e in offer.events),
            view=summary(offer.state, self.book).model_dump(mode="json"), money=offer.money,
        )  # fmt: skip


async def make_life(pool: Any, programme: dict[str, Any] = PROGRAMME) -> Life:
    postman = Postman()
    resources = Resources(
        pool=pool,
        ring=KeyRing("test", {"test": b"0" * 32}),
        tills=Tills({"sepa": SimulatedBank(pool)}),
        mailer=postman,
        association="L’association",
    )
    text = programme_text(Programme.model_validate(programme))
    calendar = calendar_text("Europe/Paris", "FR", 2027)
    hashes = (
        await publishing.keep(pool, "programme", "essai", text),
        await publishing.keep(pool, "calendar", "FR", calendar),
    )
    return Life(pool, resources, postman, open_handbook(text, calendar), hashes)


@pytest.fixture(scope="session")
def shared_database(stack: RealStack, migrated: str) -> str:
    """One database for all lives: making one for each would take most of the time."""

    async def make() -> str:
        name = f"lives_{uuid.uuid4().hex}"
        connection = await asyncpg.connect(stack.database)
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
        await connection.close()
        return stack.database_url(name)

    return asyncio.run(make())


@pytest_asyncio.fixture
async def lives_pool(shared_database: str) -> AsyncIterator[Any]:
    """The journal as the worker sees it; nobody of an earlier test is still there."""
    pool = await open_pool(shared_database)
    await pool.execute("UPDATE staff SET active = false")
    await pool.execute("DELETE FROM shifts")
    await pool.execute("UPDATE sites SET zone = 'Europe/Paris'")
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def life(lives_pool: Any) -> Life:
    made = await make_life(lives_pool)
    await made.begin()
    return made
