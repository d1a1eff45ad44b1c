"""Invariants 6 and 8 for escalations: there is always somebody to go to."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from journeys.domain import events as e
from journeys.domain.calendar import in_zone
from journeys.domain.handbook import Handbook
from journeys.domain.invariants.violation import Recorded, Violation, subject_of


@dataclass(slots=True)
class Ladders:
    """Invariants 6 and 8: steps are climbed in order, at once when nobody could be told; nobody is woken needlessly."""

    book: Handbook | None
    strict: bool = False
    """Whether a step that waits for a digest may not be climbed past untold."""
    ladders: dict[str, str] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    called: dict[int, int] = field(default_factory=dict)
    """The step that each telling was about."""
    newest: dict[str, int] = field(default_factory=dict)
    """By escalation: what called last for somebody to be told."""
    held: set[str] = field(default_factory=set)
    """Escalations that somebody has in hand."""
    untold: dict[int, str] = field(default_factory=dict)
    """Tellings that reached nobody and have not been climbed from yet, by seq."""
    urgent: set[str] = field(default_factory=set)
    zones: dict[str, str | None] = field(default_factory=dict)
    """By escalation: where those work who are to be told of its step, when that is not the programme's own zone."""
    waiting: set[str] = field(default_factory=set)
    """Escalations whose step is to be told with a digest, has not been called for yet, and is in nobody's hands."""
    at_night: set[int] = field(default_factory=set)
    """Tellings called for in quiet hours on a ladder that is not urgent."""

    def see(self, event: Recorded) -> Iterator[Violation]:
        match event.data:
            case e.EscalationRaised() as data:
                self.ladders[data.escalation], self.steps[data.escalation] = data.ladder, 0
                self.called[event.seq] = 0
                self.newest[data.escalation] = event.seq
                if data.urgent:
                    self.urgent.add(data.escalation)
            case e.EscalationClimbed() as data:
                if not 0 <= data.step - self.steps.get(data.escalation, 0) <= 1:
                    yield Violation(8, event.seq, "step-skipped", {"escalation": data.escalation, "step": data.step})
                if self.strict and data.escalation in self.waiting and event.caused_by is None:
                    yield Violation(8, event.seq, "climbed-untold", {"escalation": data.escalation})
                self.steps[data.escalation] = self.called[event.seq] = data.step
                self.zones.pop(data.escalation, None)
                self.newest[data.escalation] = event.seq
                self.held.discard(data.escalation)
                self._settle(data.escalation)
            case e.EscalationReassigned() | e.EscalationReady() as data:
                self.called[event.seq] = self.steps.get(data.escalation, 0)
                self.newest[data.escalation] = event.seq
                if isinstance(data, e.EscalationReassigned):
                    self.zones.pop(data.escalation, None)
                    self.held.discard(data.escalation)
            case e.EscalationAcknowledged(escalation=id) | e.EscalationSnoozed(escalation=id):
                self.held.add(id)
            case e.EscalationDeferred(escalation=id, zone=zone):
                self.zones[id] = zone
            case e.EscalationResolved(escalation=id):
                self._settle(id)
                self.steps.pop(id, None)
            case e.EscalationTold() as data:
                if not data.told:
                    yield Violation(8, event.seq, "told-nobody", {"escalation": data.escalation})
                if data.effect in self.at_night:
                    yield Violation(6, event.seq, "told-at-night", {"escalation": data.escalation})
            case e.EscalationUntold() as data if self._may_climb(data):
                self.untold[event.seq] = data.escalation
        self._wait(event)
        if event.seq in self.called and self._is_night(event):
            self.at_night.add(event.seq)

    def _wait(self, event: Recorded) -> None:
        match event.data:
            case e.EscalationDeferred(escalation=id, digest=digest) if digest is not None:
                self.waiting.add(id)
            case e.JourneyResumed():
                self.waiting.clear()  # What a suspension held goes on at an instant of its own.
            case (
                e.EscalationClimbed(escalation=id) | e.EscalationReady(escalation=id)
                | e.EscalationReassigned(escalation=id) | e.EscalationAcknowledged(escalation=id)
                | e.EscalationSnoozed(escalation=id) | e.EscalationResolved(escalation=id)
                | e.EscalationDeferred(escalation=id)
            ):  # fmt: skip
                self.waiting.discard(id)

    def _is_night(self, event: Recorded) -> bool:
        """Whether whoever is told of this now is told in quiet hours, and need not be."""
        if self.book is None or (id := subject_of(event.data)) in self.urgent:
            return False
        return in_zone(self.book.calendar, self.zones.get(id)).quiet_until(event.recorded_at) is not None

    def _may_climb(self, data: e.EscalationUntold) -> bool:
        """Whether the step that reached nobody is the one in force, in nobody's hands, and has another above it."""
        step = self.steps.get(data.escalation)
        if data.escalation in self.held or self.newest.get(data.escalation) != data.effect:
            return False
        if self.book is None or step is None or self.called.get(data.effect) != step:
            return False
        ladder = self.book.programme.ladders.get(self.ladders[data.escalation])
        return ladder is not None and step < len(ladder.steps) - 1

    def _settle(self, escalation: str) -> None:
        self.untold = {seq: id for seq, id in self.untold.items() if id != escalation}

    def end(self, complete: bool) -> Iterator[Violation]:
        for seq, id in self.untold.items():
            yield Violation(8, seq, "nobody-to-go-to", {"escalation": id})
