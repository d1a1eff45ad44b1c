"""Invariant 6: no message leaves that was not allowed to leave."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from journeys.domain import events as e
from journeys.domain.calendar import in_zone
from journeys.domain.handbook import Handbook
from journeys.domain.invariants.violation import MONEY, Details, Recorded, Violation
from journeys.domain.record import Payload

PARTICIPANT = "participant"


@dataclass(slots=True)
class Release:
    """A message that was let go, and what stood against it then."""

    message: str
    at: datetime
    against: str | None


@dataclass(slots=True)
class Messages:
    """Invariant 6: what was let go was allowed to go. What was on its way when somebody opted out is not judged."""

    book: Handbook | None
    due: dict[str, e.MessageDue] = field(default_factory=dict)
    released: dict[int, Release] = field(default_factory=dict)
    occurrences: set[tuple[str, str, str | None]] = field(default_factory=set)
    stops: set[str] = field(default_factory=set)
    paused_until: datetime | None = None
    silent: bool = False
    zone: str | None = None
    """Where the person lives, when that is not the programme's own."""
    elsewhere: dict[str, str] = field(default_factory=dict)
    """By message: where staff, mentors or partners work to whom it goes, when that is not the programme's own."""

    def see(self, event: Recorded) -> Iterator[Violation]:
        self._note_stops(event.data)
        match event.data:
            case e.MessageDue() as data:
                occurrence = (data.occurrence, data.to, data.person)
                if occurrence in self.occurrences:
                    yield Violation(6, event.seq, "owed-twice", {"occurrence": data.occurrence})
                self.occurrences.add(occurrence)
                self.due[data.message] = data
                self.released[event.seq] = Release(data.message, event.recorded_at, self._against(event, data))
            case e.MessageDeferred(message=id, zone=str(zone)):
                self.elsewhere[id] = zone
            case e.MessageReady(message=id) if id in self.due:
                self.released[event.seq] = Release(id, event.recorded_at, self._against(event, self.due[id]))
            case e.MessageSent() | e.MessageUnknown() as data if data.effect in self.released:
                release = self.released[data.effect]
                if release.against is not None:
                    details: Details = {"message": data.message, "to": self.due[data.message].to}
                    yield Violation(6, event.seq, release.against, details)

    def _note_stops(self, data: Payload) -> None:
        match data:
            case e.JourneyPlanned(zone=zone):
                self.zone = zone
            case e.WishesRecorded(zone=zone):
                self.zone = zone or self.zone
            case e.OptedOut():
                self.stops.add("opted-out")
            case e.OptedIn():
                self.stops.discard("opted-out")
            case e.PersonDied():
                self.stops.add("died")
            case e.JourneyClosed(silent=silent):
                self.stops.add("closed")
                self.stops.discard("suspended")
                self.silent = silent
            case e.JourneyReopened():
                self.stops.discard("closed")
                self.silent = False
            case e.JourneySuspended():
                self.stops.add("suspended")
            case e.JourneyResumed():
                self.stops.discard("suspended")
            case e.MessagesPaused(until=until):
                self.paused_until = until
            case e.MessagesResumed():
                self.paused_until = None

    def _against(self, event: Recorded, data: e.MessageDue) -> str | None:
        """Why this message must not leave now: a code, or None."""
        if event.recorded_at > data.valid_until:
            return "past-its-validity"
        if self._is_quiet(event, data):
            return "in-quiet-hours"
        if data.to != PARTICIPANT:
            return "closed-silently" if self.silent and data.about.kind not in MONEY else None
        if self.paused_until is not None and event.recorded_at < self.paused_until:
            return "paused"
        return min(self.stops, default=None)

    def _is_quiet(self, event: Recorded, data: e.MessageDue) -> bool:
        """Whether it is night where the recipient lives; staff get what is urgent at any hour."""
        if self.book is None or (data.urgent and data.to != PARTICIPANT):
            return False
        zone = self.zone if data.to == PARTICIPANT else self.elsewhere.get(data.message)
        hours = in_zone(self.book.calendar, zone)
        return hours.quiet_until(event.recorded_at) is not None

    def end(self, complete: bool) -> Iterator[Violation]:
        yield from ()
