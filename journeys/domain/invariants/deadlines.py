"""Invariants 4 and 5 for milestones: settled once, missed promptly, and raised exactly once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from journeys.domain import events as e
from journeys.domain.handbook import Handbook
from journeys.domain.invariants.violation import Recorded, Violation

PROMPT = timedelta(minutes=5)
"""A miss is recorded and escalated within this of its due."""

PROMPT_AFTER_OUTAGE = timedelta(minutes=15)
"""Within this of the end of an outage that covered its due."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which nothing ran, so that nothing could fall due."""

    begins: datetime
    ends: datetime


@dataclass(slots=True)
class Milestones:
    """Invariant 4 for milestones: settled once, unless a correction opened it again; one open deadline each."""

    settled: set[str] = field(default_factory=set)
    deadlines: dict[str, str] = field(default_factory=dict)

    def see(self, event: Recorded) -> Iterator[Violation]:
        match event.data:
            case e.MilestoneReached(milestone=code) | e.MilestoneWaived(milestone=code):
                if code in self.settled:
                    yield Violation(4, event.seq, "settled-twice", {"milestone": code})
                self.settled.add(code)
            case e.MilestoneCorrected(milestone=code, to="open"):
                self.settled.discard(code)
            case e.MilestoneCorrected(milestone=code):
                self.settled.add(code)
            case e.DeadlineSet(milestone=code, deadline=id):
                if code in self.deadlines.values():
                    yield Violation(4, event.seq, "two-deadlines", {"milestone": code})
                if code in self.settled:
                    yield Violation(4, event.seq, "deadline-of-a-settled-milestone", {"milestone": code})
                self.deadlines[id] = code
            case e.DeadlineMet(deadline=id) | e.DeadlineMissed(deadline=id) | e.DeadlineCancelled(deadline=id):
                self.deadlines.pop(id, None)

    def end(self, complete: bool) -> Iterator[Violation]:
        yield from ()


@dataclass(slots=True)
class Expected:
    """An open deadline, and since when it could have been missed."""

    milestone: str
    at: datetime
    awaits: str | None
    since: datetime


@dataclass(slots=True)
class Misses:
    """Invariant 5: what is missed is recorded promptly, never while it waits for a date, and raised exactly once."""

    book: Handbook | None
    outages: Sequence[Outage] | None
    deadlines: dict[str, Expected] = field(default_factory=dict)
    happened: set[str] = field(default_factory=set)
    answered: dict[str, datetime] = field(default_factory=dict)
    """When the last check of a milestone ended."""
    checks: dict[str, str] = field(default_factory=dict)
    open: dict[tuple[str, str], str] = field(default_factory=dict)
    """The open escalation about each subject."""
    owed: dict[int, str] = field(default_factory=dict)
    """Misses whose ladder is not raised yet, by seq."""

    def see(self, event: Recorded) -> Iterator[Violation]:
        match event.data:
            case e.DeadlineSet() as data:
                self.deadlines[data.deadline] = Expected(data.milestone, data.at, data.awaits, event.recorded_at)
            case e.DeadlineMoved() as data if data.deadline in self.deadlines:
                code = self.deadlines[data.deadline].milestone
                self.deadlines[data.deadline] = Expected(code, data.at, data.awaits, event.recorded_at)
            case e.DateHappened(date=name):
                self.happened.add(name)
            case e.CheckCalled() as data:
                self.checks[data.check] = data.milestone
            case e.CheckPassed(check=id) | e.CheckFailed(check=id) | e.CheckUnknown(check=id):
                self.answered[self.checks.get(id, "")] = event.recorded_at
            case e.DeadlineMissed(deadline=id) if id in self.deadlines:
                yield from self._missed(event, self.deadlines.pop(id))
            case e.EscalationRaised() as data:
                yield from self._raised(event, data)
            case e.EscalationResolved(escalation=id):
                self.open = {about: known for about, known in self.open.items() if known != id}

    def _missed(self, event: Recorded, known: Expected) -> Iterator[Violation]:
        if known.awaits is not None and known.awaits not in self.happened:
            yield Violation(5, event.seq, "missed-before-its-date", {"milestone": known.milestone})
        owed_at = max(known.at, known.since, self.answered.get(known.milestone, known.at))
        if event.recorded_at < known.at:
            yield Violation(5, event.seq, "missed-early", {"milestone": known.milestone})
        elif self.outages is not None and event.recorded_at > _latest(owed_at, self.outages):
            yield Violation(5, event.seq, "missed-late", {"milestone": known.milestone})
        if self.book is None or ("milestone", known.milestone) in self.open:
            return
        rule = self.book.programme.milestones.get(known.milestone)
        if rule is not None and rule.missed is not None:
            self.owed[event.seq] = known.milestone

    def _raised(self, event: Recorded, data: e.EscalationRaised) -> Iterator[Violation]:
        about = (data.about.kind, data.about.id)
        if about in self.open:
            yield Violation(5, event.seq, "raised-twice", {"about": " ".join(about)})
        self.open[about] = data.escalation
        if event.caused_by is not None:
            self.owed.pop(event.caused_by.seq, None)

    def end(self, complete: bool) -> Iterator[Violation]:
        for seq, milestone in self.owed.items():
            yield Violation(5, seq, "never-raised", {"milestone": milestone})


def _latest(owed_at: datetime, outages: Sequence[Outage]) -> datetime:
    ends = [outage.ends for outage in outages if outage.begins <= owed_at + PROMPT and owed_at <= outage.ends]
    return max([owed_at + PROMPT, *(end + PROMPT_AFTER_OUTAGE for end in ends)])
