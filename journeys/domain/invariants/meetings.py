"""Invariant 9: the person moves an appointment to a time that was offered to them, and to no other."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from journeys.domain import events as e
from journeys.domain.invariants.violation import Recorded, Violation


@dataclass(slots=True)
class Meetings:
    """What was offered last with each appointment."""

    person: str = ""
    offered: dict[str, tuple[datetime, ...]] = field(default_factory=dict)

    def see(self, event: Recorded) -> Iterator[Violation]:
        match event.data:
            case e.JourneyPlanned() as data:
                self.person = data.person
            case e.AppointmentBooked() as data:
                self.offered[data.appointment] = data.or_at
            case e.AppointmentMoved() as data:
                if event.actor == self.person and data.at not in self.offered.get(data.appointment, ()):
                    yield Violation(9, event.seq, "time-not-offered", {"appointment": data.appointment})
                self.offered[data.appointment] = data.or_at

    def end(self, complete: bool) -> Iterator[Violation]:
        return iter(())
