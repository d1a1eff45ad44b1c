"""What a programme asked of everyone, counted over many lives; read from their events alone."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, Final, Self

from journeys.domain import events as e
from journeys.domain.handbook import Handbook
from journeys.domain.play import Moment
from journeys.domain.record import Event, Payload
from journeys.domain.state import State
from journeys.indicators.definitions import answers_of
from journeys.indicators.life import LOOKED_AT, life_in

OPEN: Final = "open"
"""Stands among the outcomes for a journey that was still open when the simulation ended."""


@dataclass(slots=True)
class Tally:
    """Counts that can be added up: of some lives, then of all. Weeks count from 0, amounts are cents."""

    lives: int = 0
    events: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    lasted: Counter[int] = field(default_factory=Counter)
    """Journeys by the number of weeks from plan to closing."""
    milestones: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(milestone, fate): in-time, late, missed (its deadline passed and it never came), waived, reached (without a
    deadline), open (neither came)."""
    contacts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(contact, fate): made, missed, cancelled."""
    appointments: Counter[str] = field(default_factory=Counter)
    """attended, missed, excused, cancelled."""
    alerts: Counter[tuple[str, int]] = field(default_factory=Counter)
    """(what an alert was about, the furthest step that it reached, from 0)."""
    told: Counter[tuple[int, str]] = field(default_factory=Counter)
    """(week, role): alerts and messages that reached somebody in this role."""
    work: Counter[tuple[int, str]] = field(default_factory=Counter)
    """(week, role): what was recorded or decided by somebody in this role."""
    money: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(fund, fate): asked, approved, refused, expired, paid, blocked."""
    paid: Counter[tuple[int, str]] = field(default_factory=Counter)
    """(week, fund)."""
    measures: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(measure and number, answer)."""
    indicators: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(indicator, answer): yes, no, unknown, as of a day on which every journey is old enough."""
    suspended: int = 0
    """Journeys that were suspended at least once."""
    moved: Counter[str] = field(default_factory=Counter)
    """Dates that were moved, by name."""
    refused: Counter[str] = field(default_factory=Counter)
    """Commands that a rule or right refused, by its code: the behaviour asks for what the programme forbids."""

    def add(self, other: Self) -> None:
        """Count the lives of another as well."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def as_json(tally: Tally) -> dict[str, Any]:
    """The counts as plain data; a pair of keys is joined by a slash."""
    told: dict[str, Any] = {}
    for each in fields(tally):
        value = getattr(tally, each.name)
        if isinstance(value, Counter):
            value = {
                "/".join(map(str, key)) if isinstance(key, tuple) else str(key): value[key] for key in sorted(value)
            }
        told[each.name] = value
    return told


def count(tally: Tally, book: Handbook, moments: Iterable[Moment], since: date) -> None:
    """Count one life, from its plan on. `since` is the first day of week 0."""
    life = _Life(tally, book, since)
    for moment in moments:
        life.see(moment)
    life.end()


_UNCOUNTED: Final[frozenset[type[Payload]]] = frozenset({
    e.MomentsPlanned, e.ContactDue, e.MilestoneReached, e.DeadlineMet, e.EscalationDeferred, e.EscalationReady,
    e.EscalationResolved, e.EscalationAcknowledged, e.SituationChanged, e.ReviewDue, e.PhaseEntered, e.PhaseCompleted,
})  # fmt: skip
"""More than half of what is recorded is of these kinds, and is not looked at: it counts nothing."""


@dataclass(slots=True)
class _Life:
    tally: Tally
    book: Handbook
    since: date
    _state: State | None = None
    _began: datetime | None = None
    _missed: set[str] = field(default_factory=set)
    """Milestones whose deadline passed."""
    _dated: set[str] = field(default_factory=set)
    _alerts: dict[str, tuple[str, int]] = field(default_factory=dict)
    _messages: dict[str, str] = field(default_factory=dict)
    _grants: dict[str, tuple[str, int]] = field(default_factory=dict)
    _payments: dict[str, tuple[str, int]] = field(default_factory=dict)
    _looked_at: list[Event[Payload]] = field(default_factory=list)
    _suspended: bool = False

    def see(self, moment: Moment) -> None:
        offer, week = moment.offer, self._week(moment.at)
        self._began = self._began or moment.at
        self._state = offer.state
        self.tally.events += len(offer.events)
        for decided in offer.decided:
            if decided.refused is not None:
                self.tally.refused[decided.refused.code] += 1
            elif decided.first:
                self.tally.work[week, decided.command.roles[0]] += 1
        for event in offer.events:
            kind = type(event.data)
            if kind in LOOKED_AT:
                self._looked_at.append(event)
            if kind not in _UNCOUNTED:
                self._count(event.data, week)

    def _count(self, data: Any, week: int) -> None:
        tally = self.tally
        match data:
            case e.MessageDue(message=id, to=to):
                self._messages[id] = to
            case e.MessageSent(message=id):
                tally.told[week, self._messages[id]] += 1
            case e.DeadlineSet(milestone=code):
                self._dated.add(code)
            case e.DeadlineMissed(deadline=id):
                self._missed.add(id.partition("/")[0])
            case e.DeadlineCorrected(deadline=id):
                self._missed.discard(id.partition("/")[0])
            case e.ContactMade(contact=code):
                tally.contacts[code, "made"] += 1
            case e.ContactMissed(contact=code, spans=spans):
                tally.contacts[code, "missed"] += spans
            case e.ContactCancelled(contact=code):
                tally.contacts[code, "cancelled"] += 1
            case e.AppointmentAttended():
                tally.appointments["attended"] += 1
            case e.AppointmentMissed():
                tally.appointments["missed"] += 1
            case e.AppointmentExcused():
                tally.appointments["excused"] += 1
            case e.AppointmentCancelled():
                tally.appointments["cancelled"] += 1
            case e.EscalationRaised(escalation=id, about=about):
                self._alerts[id] = (about.kind, 0)
            case e.EscalationClimbed(escalation=id, step=step):
                self._alerts[id] = (self._alerts[id][0], max(step, self._alerts[id][1]))
            case e.EscalationTold(told=told, role=role):
                tally.told[week, role] += len(told)
            case e.DateMoved(date=name):
                tally.moved[name] += 1
            case e.JourneySuspended():
                self._suspended = True
            case _:
                self._money(data, week)

    def _money(self, data: Any, week: int) -> None:
        money = self.tally.money
        match data:
            case e.GrantRequested(grant=id, fund=fund, amount=amount):
                self._grants[id] = (fund, amount)
                money[fund, "asked"] += amount
            case e.GrantApproved(grant=id):
                money[self._grants[id][0], "approved"] += self._grants[id][1]
            case e.GrantRefused(grant=id):
                money[self._grants[id][0], "refused"] += self._grants[id][1]
            case e.GrantExpired(grant=id):
                money[self._grants[id][0], "expired"] += self._grants[id][1]
            case e.PaymentReserved(payment=id, fund=fund, amount=amount):
                self._payments[id] = (fund, amount)
            case e.PaymentBlocked(grant=id, amount=amount):
                money[self._grants[id][0], "blocked"] += amount
            case e.PaymentSettled(payment=id) | e.PaymentSettledByHand(payment=id):
                fund, amount = self._payments[id]
                money[fund, "paid"] += amount
                self.tally.paid[week, fund] += amount
            case _:
                pass

    def end(self) -> None:
        tally, state = self.tally, self._state
        assert state is not None and self._began is not None and state.hash_at is not None
        tally.lives += 1
        tally.outcomes[state.outcome or OPEN] += 1
        closed = state.closed_on or self.book.calendar.day(state.hash_at)
        tally.lasted[max((closed - self.book.calendar.day(self._began)).days, 0) // 7] += 1
        tally.suspended += self._suspended
        for code in self.book.programme.milestones:
            tally.milestones[code, self._fate(state, code)] += 1
        for measured in state.measured.items():
            tally.measures[measured] += 1
        life = life_in(state, self._looked_at, self.book)
        for code, answer in answers_of(life) if life is not None else ():
            for said in ("yes", "no", "unknown"):
                if number := getattr(answer, said):
                    tally.indicators[code, said] += number
        for alert in self._alerts.values():
            tally.alerts[alert] += 1

    def _fate(self, state: State, code: str) -> str:
        known = state.milestones.get(code)
        settled = known.settled if known is not None else None
        if settled == "waived":
            return "waived"
        if settled == "reached":
            return "late" if code in self._missed else "in-time" if code in self._dated else "reached"
        return "missed" if code in self._missed else OPEN

    def _week(self, at: datetime) -> int:
        return (self.book.calendar.day(at) - self.since).days // 7
