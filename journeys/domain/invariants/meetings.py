"""Invariant 9: the person moves an appointment to a time that was offered to them, and to no other, and
declines no summons.

Invariant 5: a missed appointment has a next step, at once, until the person is heard of or somebody is alerted; of a
summons somebody is alerted at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from journeys.domain import events as e
from journeys.domain.invariants.violation import Recorded, Violation


@dataclass(slots=True)
class Meetings:
    """What was offered last with each appointment, and what a missed one still owes."""

    person: str = ""
    offered: dict[str, tuple[datetime, ...]] = field(default_factory=dict)
    chased: dict[str, str] = field(default_factory=dict)
    """The appointment of each open step after a miss."""
    alerts: dict[str, str] = field(default_factory=dict)
    """The appointment of each open alert about one."""
    owed: dict[str, int] = field(default_factory=dict)
    """Appointments whose next step has not come yet, by the seq of the miss, or of the step that brought no news."""
    summons: set[str] = field(default_factory=set)
    closed: bool = False

    def see(self, event: Recorded) -> Iterator[Violation]:
        match event.data:
            case e.JourneyPlanned() as data:
                self.person = data.person
            case e.AppointmentAnswered(answer="declined", appointment=id) if id in self.summons:
                yield Violation(9, event.seq, "summons-declined", {"appointment": id})
            case e.ChaseDue(appointment=id) if id in self.summons:
                yield Violation(5, event.seq, "summons-not-told-at-once", {"appointment": id})
                self._next_step(event)
            case e.AppointmentBooked() as data:
                if data.summons:
                    self.summons.add(data.appointment)
                self.offered[data.appointment] = data.or_at
            case e.AppointmentMoved() as data:
                if event.actor == self.person and data.at not in self.offered.get(data.appointment, ()):
                    yield Violation(9, event.seq, "time-not-offered", {"appointment": data.appointment})
                self.offered[data.appointment] = data.or_at
            case _:
                self._next_step(event)

    def _next_step(self, event: Recorded) -> None:
        match event.data:
            case e.JourneyClosed():
                self.closed = True
                self.owed.clear()
            case e.JourneyReopened():
                self.closed = False
            case e.AppointmentMissed(appointment=id) | e.AppointmentCorrected(appointment=id, to="missed"):
                self._owes(id, event.seq)
            case e.AppointmentCorrected(appointment=id):
                self.owed.pop(id, None)
            case e.ChaseDue() as data:
                self.chased[data.chase] = data.appointment
                self.owed.pop(data.appointment, None)
            case e.ChasePassed(chase=id):
                self._owes(self.chased.pop(id, ""), event.seq)
            case e.ChaseDone(chase=id) | e.ChaseCancelled(chase=id):
                self.chased.pop(id, None)
            case e.EscalationRaised() as data if data.about.kind == "appointment":
                self.alerts[data.escalation] = data.about.id
                self.owed.pop(data.about.id, None)
            case e.EscalationResolved(escalation=id):
                self.alerts.pop(id, None)

    def _owes(self, appointment: str, seq: int) -> None:
        if not self.closed and appointment not in (*self.chased.values(), *self.alerts.values()):
            self.owed[appointment] = seq

    def end(self, complete: bool) -> Iterator[Violation]:
        for appointment, seq in self.owed.items():
            yield Violation(5, seq, "missed-without-next-step", {"appointment": appointment})
