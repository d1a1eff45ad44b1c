"""One life in the pure core, from its plan until now, with its commands as entry points would sign them."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Final

from benchmarks.crowd.inventing import Invented
from journeys.channels.bank import Behaviour, behaviour_of
from journeys.domain import agenda
from journeys.domain import commands as c
from journeys.domain.commands import Command
from journeys.domain.decide import Outcome
from journeys.domain.directory import Holder
from journeys.domain.handbook import Handbook
from journeys.domain.offer import Decided, make_offer
from journeys.domain.recipients import Circle, resolve
from journeys.domain.record import Event, Part, Payload
from journeys.domain.rights import funds_of, line_of
from journeys.domain.state import EffectKnown, State
from journeys.local.acting import Acted, Actors, NotThere, Script
from journeys.local.lives import Step

_A_BIT: Final = timedelta(milliseconds=5)
"""How late time's own facts are recorded."""

_LAST_LOOK: Final = timedelta(minutes=50)
"""How long before now somebody took some of the open alerts in charge."""

_ACKNOWLEDGED: Final = 0.3

_CAUGHT_UP: Final = 0.75
"""How much of what is forgotten is done some days later."""


@dataclass(frozen=True, slots=True)
class Given:
    """A command with what came of it."""

    command: Command
    decided: Decided
    seq: int
    """Where the journey stood after it."""


@dataclass(slots=True)
class Played:
    """A journey as it stands now."""

    state: State
    person: str
    events: list[Event[Payload]] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rules:
    """What every life is played by: the texts' SHA-256, and what they say."""

    programme: str
    calendar: str
    book: Handbook


@dataclass(slots=True)
class Play:
    """A life while it is played. The world outside answers at once: sent, told, accepted, then settled."""

    invented: Invented
    rules: Rules
    now: datetime
    """The present of the crowd: where the life stops."""
    random: Random
    key: str = ""
    """Id of the key with which its commands will be signed."""
    _at: datetime = field(init=False)
    _played: Played = field(init=False)
    _actors: Actors = field(init=False)
    _roster: tuple[Holder, ...] = field(init=False)
    _count: Iterator[int] = field(init=False, default_factory=count)
    _late: list[tuple[datetime, int, Step]] = field(init=False, default_factory=list)
    """What was forgotten and will be remembered, the first first; the number keeps two of one instant apart."""
    _payees: dict[str, str] = field(init=False, default_factory=dict)

    def play(self) -> Played:
        """From the plan until now."""
        life, names, calendar = self.invented.life, self.invented.names, self.rules.book.calendar
        self._at = self.invented.begins
        self._played = Played(State(stream=f"journey-{self._id()}"), self._id())
        self._actors = Actors(self.invented.cohort, life, names, self._played.person)
        self._roster = tuple(
            Holder(names.staff[handle], frozenset(member.roles), frozenset(member.sites))
            for handle, member in self.invented.cohort.staff.items()
        )
        script = Script(self.invented.cohort, life, calendar, calendar.day(self._at))
        plan = c.Plan(
            person=self._played.person, programme=self.rules.programme, calendar=self.rules.calendar,
            site=life.site, dates={name: script.days[name] for name in life.dates},
            referent=names.staff[life.referent],
        )  # fmt: skip
        # After the dates, which the plan tells: no date of the programme, only what steps may count from.
        script.days["now"] = calendar.day(self.now)
        self._give(Acted(plan, {}, names.staff[life.referent], ("referent",), None))
        end = self.now - _LAST_LOOK
        while (planned := script.next()) is not None and planned[0] < end:
            self._catch_up(planned[0], script)
            self._pass_until(planned[0])
            if self.random.random() >= self.invented.forgets or planned[1].do == "confirm-date":
                self._take(planned[1], script)
            elif self.random.random() < _CAUGHT_UP:
                heappush(
                    self._late, (planned[0] + timedelta(days=self.random.randint(2, 16)), next(self._count), planned[1])
                )
        self._catch_up(end, script)
        self._pass_until(end)
        self._look_at_alerts()
        self._pass_until(self.now)
        return self._played

    def _catch_up(self, until: datetime, script: Script) -> None:
        """Take what was forgotten and is remembered by then."""
        while self._late and self._late[0][0] <= until:
            at, _, step = heappop(self._late)
            self._pass_until(at)
            self._take(step, script)

    def _take(self, step: Step, script: Script) -> None:
        """What was forgotten before may leave a step nothing to point at: then it is not taken either."""
        if step.by.endswith("mentor") and step.do == "log-contact" and self._played.state.match is None:
            return
        try:
            acted = self._actors.act(step, script, self._played.state)
        except NotThere:
            return
        given = self._give(acted)
        if given.decided.refused is None:
            script.learn(acted.body)
            if step.name is not None:
                self._actors.opened[step.name] = given.command.id

    def _look_at_alerts(self) -> None:
        state, staff = self._played.state, self.invented.names.staff
        for id, known in list(state.escalations.items()):
            if not known.acknowledged and self.random.random() < _ACKNOWLEDGED:
                body = c.AcknowledgeEscalation(escalation=id)
                self._give(Acted(body, {"note": "Je m’en occupe."}, staff["caseworker"], ("referent",), None))

    def _give(self, acted: Acted) -> Given:
        parts = {
            name: Part(text=text, salt=self.random.randbytes(32).hex()) for name, text in acted.texts.items()
        }  # fmt: skip
        command = Command(
            id=self._id(), stream=self._played.state.stream, body=acted.body, actor=acted.actor, roles=acted.roles,
            parts=parts, occurred_at=acted.happened or self._at, signed_at=self._at, key=self.key,
            commitments={name: part.commitment() for name, part in parts.items()},
        )  # fmt: skip
        if "payee" in parts:
            self._payees[command.id] = parts["payee"].text
        while not (decided := self._offer([command], [])):
            pass
        given = Given(command, decided[0], decided[0].last)
        self._played.given.append(given)
        self._answer()
        return given

    def _pass_until(self, instant: datetime) -> None:
        while (due := agenda.first(self._played.state)) is not None and due.at + _A_BIT <= instant:
            self._at = max(self._at, due.at + _A_BIT)
            self._offer([], [])
            self._answer()
        self._at = max(self._at, instant)

    def _answer(self) -> None:
        while effects := agenda.pending(self._played.state):
            self._offer([], [self._outcome(seq, effect) for seq, effect in effects.items()])

    def _offer(self, commands: list[Command], outcomes: list[Outcome]) -> tuple[Decided, ...]:
        offer = make_offer(self._played.state, self.rules.book, commands, outcomes, self._at)
        if offer.is_empty:
            raise RuntimeError(f"{self._played.state.stream} stands still at {self._at}")
        self._played.state = offer.state
        self._played.events += offer.events
        return offer.decided

    def _outcome(self, seq: int, effect: EffectKnown) -> Outcome:
        match effect.kind:
            case "deliver":
                return Outcome(seq, "sent", "outbox")
            case "tell":
                return self._tell(seq, effect.data)
            case "instruct":
                payee = self._payees[self._played.state.payments[effect.id].grant]
                late = behaviour_of(payee) in (Behaviour.TIMEOUT, Behaviour.LOST)
                return Outcome(seq, "unknown" if late else "accepted")
            case "enquire":
                return Outcome(seq, "settled")
            case _:
                return Outcome(seq, "passed")

    def _tell(self, seq: int, data: Mapping[str, object]) -> Outcome:
        state, programme = self._played.state, self.rules.book.programme
        circle = Circle(
            referent=state.referent, site=state.site, roster=self._roster,
            mentor=state.match.mentor if state.match is not None else None,
            lines={role: line_of(role, programme) for role in programme.roles}, money=funds_of(state),
        )  # fmt: skip
        fallback = data.get("fallback", ())
        found = resolve(str(data["to"]), fallback if isinstance(fallback, tuple | list) else (), circle)
        if found.vacant:
            return Outcome(seq, "untold", "vacant")
        return Outcome(seq, "told", told=found.people, role=found.role)

    def _id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
