"""Invariant 7: what a suspension holds does not happen while it lasts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from journeys.domain import events as e
from journeys.domain.invariants.violation import Recorded, Violation


@dataclass(slots=True)
class Suspensions:
    """Invariant 7 as one stream shows it: nothing that a suspension holds happens while it lasts."""

    suspended: bool = False
    held: set[str] = field(default_factory=set)
    """Deadlines and escalations that a suspension holds."""
    climbing: set[str] = field(default_factory=set)
    """Held escalations with a next step."""

    def see(self, event: Recorded) -> Iterator[Violation]:
        match event.data:
            case e.DeadlineSet(deadline=id, held=held) | e.DeadlineMoved(deadline=id, held=held):
                self._hold(id, held)
            case e.EscalationRaised(escalation=id, held=held, next_at=next_at):
                self._hold(id, held)
                self._climbs(id, next_at)
            case e.EscalationClimbed(escalation=id, next_at=next_at):
                if self.suspended and id in self.held and event.caused_by is None:
                    yield Violation(7, event.seq, "climbed-while-suspended", {"escalation": id})
                self._climbs(id, next_at)
            case e.EscalationAcknowledged(escalation=id, until=until):
                self._climbs(id, until)
            case e.EscalationResolved(escalation=id):
                self.climbing.discard(id)
            case e.DeadlineMissed(deadline=id) | e.ReminderTaken(deadline=id) if self.suspended and id in self.held:
                yield Violation(7, event.seq, "due-while-suspended", {"deadline": id})
            case e.ContactDue() | e.ContactMissed() if self.suspended:
                yield Violation(7, event.seq, "contact-while-suspended")
            case e.JourneySuspended():
                self.suspended = True
            case e.JourneyClosed():
                self.suspended = False
            case e.JourneyResumed(ladders=ladders):
                self.suspended = False
                for id in sorted((self.climbing & self.held) ^ ladders.keys()):
                    yield Violation(7, event.seq, "ladder-lost-or-doubled", {"escalation": id})

    def _hold(self, id: str, held: bool) -> None:
        (self.held.add if held else self.held.discard)(id)

    def _climbs(self, id: str, next_at: datetime | None) -> None:
        (self.climbing.discard if next_at is None else self.climbing.add)(id)

    def end(self, complete: bool) -> Iterator[Violation]:
        yield from ()
