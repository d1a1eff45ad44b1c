"""given(...).when(time, command).then(kinds): the language in which the domain's tests are written.

Times are local ones of Europe/Paris: `2027-03-01 10:00`. Nothing here decides: a life is played through `make_offer`
as the workflow does it, and after each step its record is checked, folded, and read back.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from journeys.domain import agenda
from journeys.domain import commands as c
from journeys.domain.decide import Outcome
from journeys.domain.events import read_event
from journeys.domain.evolve import fold
from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.invariants import Outage, Violation, check
from journeys.domain.offer import Decided, make_offer
from journeys.domain.programme import Programme
from journeys.domain.record import SYSTEM, Cause, Event, Part, Payload
from journeys.domain.rights import Scope, right
from journeys.domain.state import State, dump, load

PARIS = ZoneInfo("Europe/Paris")
HOLIDAYS = (
    "2027-01-01", "2027-03-29", "2027-05-01", "2027-05-06", "2027-05-08", "2027-05-17", "2027-07-14", "2027-08-15",
    "2027-11-01", "2027-11-11", "2027-12-25", "2028-01-01", "2028-04-17", "2028-05-01", "2028-05-08", "2028-05-25",
    "2028-06-05", "2028-07-14", "2028-08-15", "2028-11-01", "2028-11-11", "2028-12-25",
)  # fmt: skip
CALENDAR = json.dumps({"zone": "Europe/Paris", "name": "FR", "non_working": sorted(HOLIDAYS)})


def _person(number: int) -> str:
    return str(UUID(int=0xA0000000_0000_4000_8000_000000000000 + number))


STREAM = f"journey-{_person(1)}"
REFERENT, OTHER_REFERENT, SUPERVISOR, FINANCE, FINANCE_2, DUTY, MENTOR, OTHER_MENTOR, PARTNER, PERSON = (
    _person(number) for number in range(10, 20)
)
ROLES = {
    REFERENT: ("referent",), OTHER_REFERENT: ("referent",), SUPERVISOR: ("supervisor",), FINANCE: ("finance",),
    FINANCE_2: ("finance",), DUTY: ("duty",), MENTOR: ("mentor",), OTHER_MENTOR: ("mentor",), PARTNER: ("partner",),
    PERSON: ("participant",), SYSTEM: ("system",),
}  # fmt: skip


def paris(text: str | datetime) -> datetime:
    """A local time of Paris as an instant; a day alone is its noon."""
    if isinstance(text, datetime):
        return text
    return datetime.fromisoformat(text if " " in text else f"{text} 12:00").replace(tzinfo=PARIS).astimezone(UTC)


def day(text: str) -> date:
    return date.fromisoformat(text)


# --- programmes


@cache
def house() -> Handbook:
    """The programme of house.yaml with the French calendar."""
    return book_of(Path(__file__).with_name("house.yaml").read_text())


@cache
def book_of(text: str, calendar: str = CALENDAR) -> Handbook:
    programme = Programme.model_validate(YAML(typ="safe").load(text))
    return open_handbook(programme.model_dump_json(), calendar)


# --- commands


@dataclass(frozen=True, slots=True)
class Asked:
    """A command before it has its time: who asks for what, and when it is said to have happened."""

    body: c.Body | Callable[["Life"], c.Body]
    actor: str | None = None
    roles: tuple[str, ...] | None = None
    occurred: str | datetime | None = None
    parts: dict[str, str] = field(default_factory=dict)
    funds: tuple[str, ...] = ()
    stands_in_for: tuple[str, ...] = ()
    caused_by: Cause | None = None


def by(actor: str, body: Any, *, occurred: Any = None, roles: tuple[str, ...] | None = None, **parts: str) -> Asked:
    """The same command by somebody in particular."""
    return Asked(body, actor, roles, occurred, parts)


def told(body: Any, occurred: str | datetime, **parts: str) -> Asked:
    """A command about something that happened before."""
    return Asked(body, occurred=occurred, parts=parts)


def plan(release: str | None = "2027-03-01", **fields: Any) -> c.Plan:
    dates = ({"release": day(release)} if release is not None else {}) | fields.pop("dates", {})
    return c.Plan(
        person=PERSON, programme="0" * 64, calendar="1" * 64, referent=REFERENT, dates=dates, **fields
    )  # fmt: skip


def usual_actor(name: str) -> str:
    """Whoever does this in an ordinary life."""
    if name in c.INTERNAL:
        return SYSTEM
    usual = (("referent", REFERENT), ("supervisor", SUPERVISOR), ("finance", FINANCE))
    return next(actor for role, actor in usual if right(role, name) is not Scope.NEVER)


# --- outcomes of effects

WORLD: dict[str, tuple[str, str] | None] = {
    "deliver": ("sent", "mail"),
    "tell": ("told", ""),
    "instruct": ("settled", ""),
    "enquire": ("settled", ""),
    "check": ("passed", ""),
}
"""What the world answers by itself; None leaves an effect open."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one effect comes to: the last one of that kind that is open."""

    kind: str
    answer: str
    reason: str = ""
    until: str | None = None
    role: str = "referent"


@dataclass(frozen=True, slots=True)
class Said:
    """An event that a test expects: its kind, and what some of its fields say."""

    kind: str
    fields: tuple[tuple[str, Any], ...] = ()

    def is_said_by(self, event: Event[Payload]) -> bool:
        data = event.data.model_dump(mode="json")
        return event.kind == self.kind and all(_plain(data.get(name)) == _plain(want) for name, want in self.fields)


def said(kind: str, **fields: Any) -> Said:
    return Said(kind, tuple(fields.items()))


def _plain(value: Any) -> Any:
    """Instants as local times of Paris, as the tests write them."""
    if isinstance(value, str) and len(value) == 27 and value.endswith("Z"):
        return datetime.fromisoformat(value).astimezone(PARIS).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


Step = tuple[str, Any]


class Life:
    """One journey being played."""

    def __init__(self, book: Handbook, world: dict[str, tuple[str, str] | None]) -> None:
        self.book = book
        self.world = {**WORLD, **world}
        self.state = State(stream=STREAM)
        self.events: list[Event[Payload]] = []
        self.new: list[Event[Payload]] = []
        """What the last step brought: its commands, or the dues of its instant when nothing was asked."""
        self.decided: list[Decided] = []
        self.read = State(stream=STREAM)
        """What the record folds to when it is read back, as far as it was."""
        self.outages: list[Outage] = []
        self.shelf: dict[tuple[str, str], Handbook] = {}
        """Rules that a command may put in force."""
        self.now = paris("2027-01-01 00:00")
        self._commands = 0

    # --- playing

    def when(self, at: str | datetime, *asked: Any) -> "Life":
        """Let time run until `at`, then ask; every due on the way is taken in time."""
        target = paris(at)
        while (due := agenda.first(self.state)) is not None and due.at < target:
            self._turn(max(due.at, self.now), (), ())
            self._answer()
        self._step(target, asked)
        return self

    def after_outage(self, at: str | datetime, *asked: Any) -> "Life":
        """Nothing ran since the last step: everything that fell due meanwhile is taken now."""
        target = paris(at)
        self.outages.append(Outage(self.now, target))
        self._step(target, asked)
        return self

    def _step(self, now: datetime, asked: Iterable[Any]) -> None:
        asked, before = tuple(asked), len(self.events)
        self._turn(now, (), ())
        if asked:
            before = len(self.events)
        self.decided = []
        for each in asked:
            if isinstance(each, Answer):
                self._turn(now, (), (self._outcome(each),))
            else:
                self._turn(now, (self._command(each, now),), ())
        self.new = self.events[before:]
        self._answer()
        self.verify()

    def _turn(self, now: datetime, commands: tuple[c.Command, ...], outcomes: tuple[Outcome, ...]) -> None:
        """Offers until nothing is due any more and every command has its answer."""
        self.now = now
        while True:
            offer = make_offer(self.state, self.book, commands, outcomes, now, shelf=self.shelf)
            self._is_under(offer.book)
            self.state = offer.state
            self.events += offer.events
            self.decided += offer.decided
            commands, outcomes = commands[len(offer.decided) :], outcomes[offer.outcomes :]
            due = agenda.first(self.state)
            if not (commands or outcomes or (due is not None and due.at <= now)):
                return
            assert offer.events, f"{due} is due and nothing happens"

    def _is_under(self, book: Handbook) -> None:
        """The rules in force after an offer; the former ones are kept for reading the record."""
        if book is not self.book:
            self.book = replace(book, former=self.book.all)

    def _answer(self) -> None:
        """Let the world answer every effect that it answers by itself."""
        while ready := [seq for seq, effect in self.state.effects.items() if self.world[effect.kind] is not None]:
            effect = self.state.effects[ready[0]]
            answer, reason = self.world[effect.kind] or ("", "")
            role = effect.data.get("person") or effect.data.get("to", "")
            self._turn(self.now, (), (Outcome(ready[0], answer, reason, ("somebody",), role),))

    def _outcome(self, given: Answer) -> Outcome:
        seq = max(seq for seq, effect in self.state.effects.items() if effect.kind == given.kind)
        until = paris(given.until) if given.until else None
        return Outcome(seq, given.answer, given.reason, ("somebody",), given.role, until)

    def outcome(
        self, at: str, seq: int, answer: str, reason: str = "", passed: tuple[str, ...] = (),
        put_off: tuple[str, ...] = (), until: str | None = None, passed_by: tuple[str, ...] = (),
        alive: tuple[str, ...] = (), by: str | None = None,
    ) -> "Life":  # fmt: skip
        """One effect in particular comes to this."""
        self.when(at)
        later = paris(until) if until is not None else None
        came_to = Outcome(
            seq, answer, reason, until=later, passed=passed, put_off=put_off, passed_by=passed_by, alive=alive, by=by
        )
        self._turn(self.now, (), (came_to,))
        return self.verify()

    def _command(self, asked: Any, now: datetime) -> c.Command:
        asked = asked if isinstance(asked, Asked) else Asked(asked)
        body = asked.body(self) if callable(asked.body) else asked.body
        actor = asked.actor or usual_actor(body.name)
        self._commands += 1
        texts = {**dict.fromkeys(body.NEEDED, "because"), **asked.parts}
        parts = {name: Part(text=text, salt=f"{self._commands:064x}") for name, text in texts.items()}
        return c.Command(
            id=_person(0x1000 + self._commands), stream=STREAM, body=body, actor=actor,
            roles=asked.roles or ROLES[actor], funds=asked.funds, stands_in_for=asked.stands_in_for, signed_at=now,
            occurred_at=paris(asked.occurred) if asked.occurred else now, parts=parts,
            commitments={name: part.commitment() for name, part in parts.items()}, caused_by=asked.caused_by,
        )  # fmt: skip

    # --- asserting

    def then(self, *expected: str | Said, also: bool = False) -> "Life":
        """The last step brought exactly these, in this order (with `also`: these among others, in any order)."""
        wanted = [Said(each) if isinstance(each, str) else each for each in expected]
        brought = [event for event in self.new if event.kind != "MomentsPlanned"]
        if also:
            rest = list(brought)
            for want in wanted:
                found = next((event for event in rest if want.is_said_by(event)), None)
                assert found is not None, f"{want} not in\n     {self._told(brought)}"
                rest.remove(found)
        else:
            matches = len(brought) == len(wanted) and all(w.is_said_by(e) for w, e in zip(wanted, brought, strict=True))
            assert matches, f"wanted {wanted}\n got {self._told(brought)}"
        assert not self.refusals or any(want.kind == "CommandRefused" for want in wanted), self.refusals
        return self

    def refused(self, code: str, **details: Any) -> "Life":
        """The last command was refused for this, and the refusal is on record."""
        assert self.refusals, f"not refused: {self._told(self.new)}"
        assert self.refusals[-1].code == code, self.refusals[-1]
        assert {name: self.refusals[-1].details.get(name) for name in details} == details
        assert self.new[-1].kind == "CommandRefused"
        return self

    def never(self, *kinds: str) -> "Life":
        """The last step brought none of these."""
        assert not [event.kind for event in self.new if event.kind in kinds], self._told(self.new)
        return self

    @property
    def refusals(self) -> list[Any]:
        return [decided.refused for decided in self.decided if decided.refused is not None]

    def verify(self) -> "Life":
        """Its record holds, folds to the same state, and survives being written and read."""
        assert self.violations() == []
        plain = dump(self.state)
        assert dump(load(plain)) == plain
        new = [read_event(json.loads(json.dumps(event.header()))) for event in self.events[self.read.seq :]]
        self.read = fold(new, self.read)
        assert dump(self.read) == plain
        return self

    def violations(self, complete: bool = False) -> list[Violation]:
        return check(
            self.events, complete=complete, book=self.book, outages=self.outages, strict=True,
            next_due=lambda events: due.at if (due := agenda.first(self.state)) is not None else None,
        )  # fmt: skip

    def _told(self, events: list[Event[Payload]]) -> str:
        return "\n     ".join(f"{event.seq} {event.kind} {event.data.model_dump(mode='json')}" for event in events)

    # --- looking

    def all(self, kind: str, **fields: Any) -> list[Any]:
        """The data of every event of a kind so far."""
        want = said(kind, **fields)
        return [event.data for event in self.events if want.is_said_by(event)]

    def last(self, kind: str, **fields: Any) -> Any:
        return self.all(kind, **fields)[-1]

    def about(self, kind: str, id: str) -> str:
        """The open escalation about something."""
        return next(
            key for key, known in self.state.escalations.items() if (known.about.kind, known.about.id) == (kind, id)
        )

    def due_day(self, milestone: str) -> str | None:
        """The day (or local time) of a milestone's open deadline."""
        known = next((known for known in self.state.deadlines.values() if known.milestone == milestone), None)
        if known is None:
            return None
        return known.day.isoformat() if known.day is not None else known.at.astimezone(PARIS).strftime("%Y-%m-%d %H:%M")

    @property
    def grant(self) -> str:
        return list(self.state.grants)[-1]

    @property
    def payment(self) -> str:
        return list(self.state.payments)[-1]

    @property
    def appointment(self) -> str:
        return list(self.state.appointments)[-1]

    @property
    def referral(self) -> str:
        return list(self.state.referrals)[-1]

    @property
    def escalation(self) -> str:
        return list(self.state.escalations)[-1]


def given(*steps: Step, book: Handbook | None = None, **world: tuple[str, str] | None) -> Life:
    """A life in which this has happened: `(time, command)` pairs, played in time."""
    life = Life(book or house(), world)
    for at, asked in steps:
        life.when(at, asked)
        assert not life.refusals, life.refusals
    return life


def released(release: str = "2027-03-01", planned: str = "2027-01-11 10:00", **world: Any) -> Life:
    """A journey planned in January whose person came out on the day expected, and said so at 10 o'clock."""
    return given((planned, plan(release)), (f"{release} 10:00", c.ConfirmDate(date="release")), **world)
