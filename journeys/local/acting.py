"""A life's steps in time, and each step as a command: pure, so that a cohort can be rehearsed without any server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from journeys.domain import commands as c
from journeys.domain.calendar import Calendar
from journeys.domain.moments import AnchorKind, Duration, Side, Unit
from journeys.domain.money import parse_euro
from journeys.domain.programme import Roll
from journeys.domain.state import State
from journeys.local.lives import Cohort, Life, Step, When, field_kind, parse_when

ROLLED_DAYS: Final = frozenset({"move-date", "expect-date"})
"""Commands whose day is one on which people work; other days are told as they were."""

_KEPT_APART: Final = timedelta(minutes=1)


class NotThere(LookupError):
    """A step points at something that the journey does not have (any more); `what` as the file writes it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class Names:
    """Ids of those whom a cohort's file calls by a handle."""

    staff: Mapping[str, str]
    mentors: Mapping[str, str]
    partners: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Acted:
    """What a step asks: the command's body, its texts, and who asks in which roles."""

    body: c.Body
    texts: dict[str, str]
    actor: str
    roles: tuple[str, ...]
    happened: datetime | None


@dataclass(slots=True)
class _Waiting:
    step: Step
    place: int
    turn: int = 0
    """How often the step was taken before."""


@dataclass(slots=True)
class Script:
    """What one life still holds, in the order of time."""

    life: Life
    calendar: Calendar
    start: date
    days: dict[str, date] = field(init=False)
    """Each date as it is known by now; `start` among them."""
    _waiting: list[_Waiting] = field(init=False)
    _last: datetime | None = field(init=False, default=None)

    def __init__(self, cohort: Cohort, life: Life, calendar: Calendar, start: date) -> None:
        self.life, self.calendar, self.start = life, calendar, start
        self.days = {"start": start}
        for name, when in life.dates.items():
            self.days[name] = self.day(when, rolled=True)
        steps = [step for usual in life.follows for step in cohort.usual[usual]] + list(life.steps)
        self._waiting = [_Waiting(step, place) for place, step in enumerate(steps)]
        self._last = None

    def next(self) -> tuple[datetime, Step] | None:
        """Take the next step and its instant; None at the end. No step comes before the one taken last.

        Steps that a weekend pushes onto the same day keep the order in which they are written.
        """
        self._waiting = [each for each in self._waiting if not self._is_past_until(each)]
        if not self._waiting:
            return None
        pushed = [each for each in self._waiting if not each.step.any_day]
        unmoved = [(self._instant(each, rolled=False), each) for each in self._waiting if each.step.any_day]
        if pushed:
            first = min(pushed, key=lambda each: (self._instant(each, rolled=False), each.place))
            unmoved.append((self._instant(first, rolled=True), first))
        at, chosen = min(unmoved, key=lambda one: (one[0], one[1].place))
        if self._last is not None:
            at = max(at, self._last + _KEPT_APART)
        self._last = at
        if chosen.step.every is None:
            self._waiting.remove(chosen)
        else:
            chosen.turn += 1
        return at, chosen.step

    def learn(self, body: c.Body) -> None:
        """A date was moved, expected or confirmed: what hangs on it follows."""
        match body:
            case c.MoveDate(date=name, on=on) | c.ExpectDate(date=name, on=on):
                self.days[name] = on
            case c.ConfirmDate(date=name, on=day) if day is not None:
                self.days[name] = day
            case _:
                pass

    def day(self, when: When, *, rolled: bool, turn: int = 0, every: Duration | None = None) -> date:
        """The local day of a moment."""
        moment = when.moment
        anchor = self.days["start" if moment.anchor.kind is AnchorKind.START else moment.anchor.name]
        sign = -1 if moment.side is Side.BEFORE else 1
        day = anchor if moment.side is Side.AT else self.calendar.add(anchor, moment.offset, sign)
        if every is not None and turn:
            day = self.calendar.add(day, Duration(every.amount * turn, every.unit))
        if not rolled:
            return day
        return self.calendar.roll(day, Roll.BACK if moment.side is Side.BEFORE else Roll.FORWARD)

    def instant(self, when: When, *, rolled: bool = True) -> datetime:
        """The instant of a moment and its hour."""
        return self.calendar.at(self.day(when, rolled=rolled), when.hour)

    def _instant(self, each: _Waiting, *, rolled: bool) -> datetime:
        step = each.step
        day = self.day(step.when, rolled=rolled, turn=each.turn, every=step.every)
        return self.calendar.at(day, step.when.hour)

    def _is_past_until(self, each: _Waiting) -> bool:
        step = each.step
        if step.until is None:
            return False
        until = self.day(step.until, rolled=False)
        return self.day(step.when, rolled=False, turn=each.turn, every=step.every) > until


# --- steps as commands


@dataclass(slots=True)
class Actors:
    """Who is meant by the names of one life's steps, and what its steps have opened."""

    cohort: Cohort
    life: Life
    names: Names
    person: str
    opened: dict[str, str] = field(default_factory=dict)
    """Command id of each named step that was accepted."""

    def act(self, step: Step, script: Script, state: State) -> Acted:
        """A step as a command on what the journey holds now. Raises NotThere."""
        kind = c.BODIES[step.do]
        texts = {name: str(value) for name, value in step.given.items() if name in kind.PARTS}
        given = {
            name: self._value(kind, name, value, step, script, state)
            for name, value in step.given.items()
            if name not in kind.PARTS
        }
        if kind is c.ApproveGrant:
            given["digest"] = self._digest(given["grant"], step, state)
        actor, roles = self._actor(step.by)
        happened = None if step.happened is None else script.instant(step.happened, rolled=False)
        return Acted(kind(**given), texts, actor, roles, happened)

    def needs_state(self, step: Step) -> bool:
        """Whether the step points at what the journey has opened by itself."""
        return step.do == "approve-grant" or bool(step.given.keys() & {"escalation", "receipt", "payment"})

    def _actor(self, by: str) -> tuple[str, tuple[str, ...]]:
        match by:
            case "participant":
                return self.person, ("participant",)
            case "referent":
                return self._actor(self.life.referent)
            case "mentor" if self.life.mentor is not None:
                return self._actor(self.life.mentor)
            case _ if by in self.names.mentors:
                return self.names.mentors[by], ("mentor",)
            case _:
                return self.names.staff[by], self.cohort.staff[by].roles

    def _value(self, kind: type[c.Body], name: str, value: Any, step: Step, script: Script, state: State) -> Any:
        match field_kind(name, kind):
            case "day":
                return script.day(parse_when(value), rolled=step.do in ROLLED_DAYS)
            case "instant":
                return script.instant(parse_when(value), rolled=not step.any_day)
            case "amount":
                return parse_euro(value)
            case _:
                return self._pointed(kind, name, value, state)

    def _pointed(self, kind: type[c.Body], name: str, value: Any, state: State) -> Any:
        match name:
            case "mentor":
                return self.names.mentors[self.life.mentor if value == "mentor" and self.life.mentor else value]
            case "partner":
                return self.names.partners[value]
            case "referent" | "to" if kind is not c.Correct:
                return self.names.staff[value]
            case "grant" if kind is c.RequestGrant:
                return value
            case "grant" | "appointment" | "referral":
                return self._opened(value)
            case "escalation":
                return self._escalation(value, state)
            case "receipt":
                return self._receipt(value, state)
            case "payment":
                return self._payment(value, state)
            case _:
                return value

    def _opened(self, name: str) -> str:
        if name not in self.opened:
            raise NotThere(name)
        return self.opened[name]

    def _digest(self, grant: str, step: Step, state: State) -> str:
        if grant not in state.grants:
            raise NotThere(str(step.given["grant"]))
        return state.grants[grant].digest

    def _escalation(self, about: str, state: State) -> str:
        """`milestone first-meeting`: the open escalation about it; a named step stands for what it opened, and
        `payment bourse/2` for that payment."""
        kind, _, id = about.partition(" ")
        wanted = (kind, self._payment(id, state) if kind == "payment" else self.opened.get(id, id))
        found = next((id for id, e in state.escalations.items() if (e.about.kind, e.about.id) == wanted), None)
        if found is None:
            raise NotThere(about)
        return found

    def _payment(self, text: str, state: State) -> str:
        """`bourse/2`: the second payment made of the grant that the step `bourse` asked for."""
        name, _, number = text.partition("/")
        grant = self._opened(name)
        mine = [id for id, each in state.payments.items() if each.grant == grant]
        found = next(iter(mine[int(number or "1") - 1 :]), None)
        if found is None:
            raise NotThere(text)
        return found

    def _receipt(self, text: str, state: State) -> str:
        payment = self._payment(text, state)
        found = next((id for id, receipt in state.receipts.items() if receipt.payment == payment), None)
        if found is None:
            raise NotThere(text)
        return found


def end_of(cohort: Cohort, calendar: Calendar, start: date) -> datetime:
    """The instant until which every life is played."""
    length = cohort.lasts
    if length.unit in (Unit.MINUTE, Unit.HOUR):
        return calendar.at(start, "12:00") + timedelta(days=1)
    return calendar.at(calendar.add(start, length), "12:00")
