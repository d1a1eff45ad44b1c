"""A journey at an instant: what was true then, by all that is known today, and what was known then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from journeys.domain import events as e
from journeys.domain.calendar import Calendar
from journeys.domain.evolve import fold
from journeys.domain.handbook import Handbook
from journeys.domain.record import Event, Payload, instant_text
from journeys.domain.state import State
from journeys.i18n import N_
from journeys.narration.telling import Names, Speech

Recorded = Event[Payload]
Kind = Literal["status", "referent", "date", "milestone", "situation", "phase", "mentor", "measure"]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something true at the instant. `value` and `id` are codes; `on` is the day since when, or on which."""

    kind: Kind
    id: str
    value: str
    on: date | None
    seq: int
    """The event that says so."""
    recorded_at: datetime
    learnt_later: bool = False
    """It was true, but nobody had recorded it yet."""
    known_then: str | None = None
    """What stood in its place at the time, when that was something else."""

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "id": self.id, "value": self.value, "on": self.on.isoformat() if self.on else None,
            "seq": self.seq, "recorded_at": instant_text(self.recorded_at), "learnt_later": self.learnt_later,
            "known_then": self.known_then,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A journey at `at`. `seq` is the last event that was taken into account."""

    stream: str
    way: Literal["as-of", "known-at"]
    at: datetime
    seq: int
    facts: tuple[Fact, ...]
    withdrawn: tuple[Fact, ...] = ()
    """What was held true at the time, and is known today not to have been."""

    def fact(self, kind: Kind, id: str = "") -> Fact | None:
        """One fact."""
        return next((fact for fact in self.facts if (fact.kind, fact.id) == (kind, id)), None)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "journey": self.stream.partition("-")[2], "way": self.way, "at": instant_text(self.at), "seq": self.seq,
            "facts": [fact.as_json() for fact in self.facts],
            "withdrawn": [fact.as_json() for fact in self.withdrawn],
        }  # fmt: skip


def known_at(
    events: Sequence[Recorded], at: datetime, calendar: Calendar, walls: Mapping[int, datetime] | None = None
) -> Shown:
    """What was known at an instant: the events recorded by then, and no other.

    Args:
        walls: wall time of storing by seq; with it, that is the time that counts, not the journey's own.
    """
    prefix = recorded_by(events, at, walls)
    facts = _true_at(prefix, at, calendar)
    return Shown(events[0].stream, "known-at", at, len(prefix), tuple(facts.values()))


def known_state(events: Sequence[Recorded], at: datetime, walls: Mapping[int, datetime] | None = None) -> State:
    """The whole state as it was known at an instant."""
    return fold(recorded_by(events, at, walls))


def recorded_by(
    events: Sequence[Recorded], at: datetime, walls: Mapping[int, datetime] | None = None
) -> Sequence[Recorded]:
    """The events recorded up to an instant: a prefix, because time never runs backwards within a stream."""
    times = [event.recorded_at if walls is None else walls[event.seq] for event in events]
    return events[: next((n for n, time in enumerate(times) if time > at), len(times))]


def as_of(
    events: Sequence[Recorded], at: datetime, calendar: Calendar, walls: Mapping[int, datetime] | None = None
) -> Shown:
    """What was true at an instant by all that is known today; what was learnt later is marked."""
    now = _true_at(events, at, calendar)
    then = _true_at(recorded_by(events, at, walls), at, calendar)
    return Shown(
        events[0].stream,
        "as-of",
        at,
        len(events),
        tuple(_compared(fact, then.get(key)) for key, fact in now.items()),
        tuple(fact for key, fact in then.items() if key not in now),
    )


def _compared(fact: Fact, then: Fact | None) -> Fact:
    if then is not None and (then.value, then.on) == (fact.value, fact.on):
        return fact
    known = None if then is None else f"{then.value}{f' {then.on.isoformat()}' if then.on else ''}"
    return replace(fact, learnt_later=True, known_then=known)


# --- what is true at an instant, by some events


_Facts = dict[tuple[Kind, str], Fact]


class _Then(NamedTuple):
    """The instant asked about."""

    at: datetime
    today: date
    calendar: Calendar

    def day(self, event: Recorded) -> date:
        """The local day on which it happened."""
        return self.calendar.day(event.occurred_at)


def _true_at(events: Sequence[Recorded], at: datetime, calendar: Calendar) -> _Facts:
    """Facts that hold at `at` by these events, whenever they were recorded."""
    then = _Then(at, calendar.day(at), calendar)
    facts: _Facts = {}
    for found in (_frame, _dates, _milestones, _situations, _phases, _measures):
        for fact in found(events, then):
            facts[fact.kind, fact.id] = fact
    return {key: fact for key, fact in facts.items() if fact.value}


def _fact(event: Recorded, kind: Kind, id: str, value: str, on: date | None) -> Fact:
    return Fact(kind, id, value, on, event.seq, event.recorded_at)


def _in_order(events: Sequence[Recorded], at: datetime) -> list[Recorded]:
    """What happened by then, in the order in which it happened. A beginning happened with what made it begin."""
    by_seq = {event.seq: event for event in events}
    happened = []
    for event in events:
        cause = event.caused_by
        if isinstance(event.data, e.JourneyActivated) and cause is not None and cause.seq in by_seq:
            event = event.model_copy(update={"occurred_at": by_seq[cause.seq].occurred_at})
        if event.occurred_at <= at:
            happened.append(event)
    return sorted(happened, key=lambda event: event.occurred_at)


def _frame(events: Sequence[Recorded], then: _Then) -> list[Fact]:
    """Status, referent and mentor; an empty value says that there is none any more."""
    facts = []
    for event in _in_order(events, then.at):
        match event.data:
            case e.JourneyPlanned(start=start, referent=referent):
                facts += [_fact(event, "status", "", "planned", start), _fact(event, "referent", "", referent, start)]
            case e.JourneyActivated():
                facts.append(_fact(event, "status", "", "active", then.day(event)))
            case e.JourneySuspended(since=since) if since <= then.today:
                facts.append(_fact(event, "status", "", "suspended", since))
            case e.JourneyResumed(since=since, status=status):
                facts.append(_fact(event, "status", "", status, since))
            case e.JourneyClosed(on=on):
                facts.append(_fact(event, "status", "", "closed", on))
            case e.JourneyReopened(status=status):
                facts.append(_fact(event, "status", "", status, then.day(event)))
            case e.ReferentAssigned(referent=referent) | e.JourneyTransferred(to=referent):
                facts.append(_fact(event, "referent", "", referent, then.day(event)))
            case e.MentorMatched(mentor=mentor, on=on):
                facts.append(_fact(event, "mentor", "", mentor, on))
            case e.MentorEnded():
                facts.append(_fact(event, "mentor", "", "", None))
    return facts


def _dates(events: Sequence[Recorded], then: _Then) -> list[Fact]:
    """A date that had happened by then; else what was expected of it then."""
    happened: dict[str, Fact] = {}
    expected: dict[str, Fact] = {}
    for event in events:
        match event.data:
            case e.DateHappened(date=name, on=on) | e.DateCorrected(date=name, on=on):
                happened[name] = _fact(event, "date", name, "happened", on)
            case e.DateExpected(date=name, on=on) | e.DateMoved(date=name, on=on) if event.occurred_at <= then.at:
                expected[name] = _fact(event, "date", name, "expected", on)
            case e.DateCancelled(date=name) if event.occurred_at <= then.at:
                expected[name] = _fact(event, "date", name, "cancelled", None)
    past = {name: fact for name, fact in happened.items() if fact.on is not None and fact.on <= then.today}
    return [*(expected | past).values()]


def _milestones(events: Sequence[Recorded], then: _Then) -> list[Fact]:
    """The last word on each milestone counts, whenever it was said."""
    last: dict[str, Fact] = {}
    for event in events:
        match event.data:
            case e.MilestoneReached(milestone=code, on=on):
                last[code] = _fact(event, "milestone", code, "reached", on)
            case e.MilestoneCorrected(milestone=code, to="reached", on=on):
                last[code] = _fact(event, "milestone", code, "reached", on)
            case e.MilestoneCorrected(milestone=code):
                last[code] = _fact(event, "milestone", code, "", None)
            case e.MilestoneWaived(milestone=code):
                last[code] = _fact(event, "milestone", code, "waived", then.day(event))
    return [fact for fact in last.values() if fact.on is None or fact.on <= then.today]


def _situations(events: Sequence[Recorded], then: _Then) -> list[Fact]:
    """The value of the latest day up to then; a value told again for a day replaces that of the day."""
    values: dict[str, dict[date, Fact]] = {}
    for event in events:
        if isinstance(event.data, e.SituationChanged | e.SituationCorrected):
            data = event.data
            fact = _fact(event, "situation", data.situation, data.value, data.since)
            values.setdefault(data.situation, {})[data.since] = fact
    known = [[fact for day, fact in sorted(days.items()) if day <= then.today] for days in values.values()]
    return [facts[-1] for facts in known if facts]


def _phases(events: Sequence[Recorded], then: _Then) -> list[Fact]:
    facts: dict[str, Fact] = {}
    for event in events:
        match event.data:
            case e.PhaseEntered(phase=code, on=on) if on <= then.today:
                facts[code] = _fact(event, "phase", code, "active", on)
            case e.PhaseCompleted(phase=code) if event.occurred_at <= then.at and code in facts:
                facts[code] = _fact(event, "phase", code, "completed", then.day(event))
    return [*facts.values()]


def _measures(events: Sequence[Recorded], then: _Then) -> list[Fact]:
    return [
        _fact(event, "measure", f"{event.data.measure}/{event.data.number}", event.data.value, event.data.day)
        for event in events
        if isinstance(event.data, e.OutcomeMeasured) and event.data.day <= then.today
    ]


# --- told


KINDS = {
    "status": N_("parcours"),
    "referent": N_("référent"),
    "date": N_("date"),
    "milestone": N_("étape"),
    "situation": N_("situation"),
    "phase": N_("phase"),
    "mentor": N_("mentor"),
    "measure": N_("constat"),
}


_PHASES = {"active": N_("en cours"), "completed": N_("terminée")}


def told(fact: Fact, book: Handbook, names: Names, lang: str) -> str:
    """One line about a fact, with labels and names."""
    speech = Speech(book, names, lang)
    line = f"{speech.say(KINDS[fact.kind])} : {_subject(fact, speech)}" if lang != "en" else (
        f"{speech.say(KINDS[fact.kind])}: {_subject(fact, speech)}"
    )  # fmt: skip
    if fact.on is not None:
        line = speech.say("{line}, {day}", line=line, day=speech.day(fact.on))
    if fact.learnt_later:
        day = speech.local_day(fact.recorded_at)
        line = speech.say("{line} — appris plus tard, le {day}", line=line, day=day)
    return line


def _subject(fact: Fact, speech: Speech) -> str:
    match fact.kind:
        case "status":
            return speech.spoken(fact.value)
        case "referent":
            return speech.person(fact.value, "referent")
        case "mentor":
            return speech.mentor(fact.value)
        case "date":
            return f"{speech.date(fact.id)} ({speech.spoken(fact.value)})"
        case "milestone":
            return f"{speech.milestone(fact.id)} ({speech.spoken(fact.value)})"
        case "phase":
            return f"{speech.phase(fact.id)} ({speech.say(_PHASES[fact.value])})"
        case "measure":
            return f"{speech.measure(fact.id.rpartition('/')[0])} ({speech.spoken(fact.value)})"
        case "situation":
            return f"{speech.spoken(fact.id)} ({speech.spoken(fact.value)})"
