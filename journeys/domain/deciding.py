"""The work table of one decision: a copy of what is known, on which each new event is folded at once."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from journeys.domain.commands import Command
from journeys.domain.events import make_event
from journeys.domain.evolve import evolve
from journeys.domain.handbook import NO_OTHERS, Handbook, Shelf
from journeys.domain.moments import Duration, elapsed
from journeys.domain.plan import moved_by
from journeys.domain.record import SYSTEM, Cause, Event, Payload
from journeys.domain.sending import LONGEST_SPREAD, SPREAD, spread
from journeys.domain.state import State


class Refusal(Exception):
    """A rule forbids it. `code` names the rule; `details` (no personal data) let the narration say it."""

    def __init__(self, code: str, **details: str | int | None) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


@dataclass(slots=True)
class Deciding:
    """A decision in the making. `state` is the decider's own copy."""

    state: State
    book: Handbook
    now: datetime
    stream: str
    actor: str = SYSTEM
    role: str = SYSTEM
    command: Command | None = None
    occurred_at: datetime | None = None
    shelf: Shelf = field(default_factory=lambda: NO_OTHERS)
    """Rules that a command may put in force instead."""
    cause: Cause | None = None
    events: list[Event[Payload]] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)
    """Which plans hang on what events have changed since they were last made: how their keys begin."""

    @property
    def day(self) -> date:
        """The local day on which it happened."""
        return self.book.calendar.day(self.occurred_at or self.now)

    @property
    def today(self) -> date:
        return self.book.calendar.day(self.now)

    def with_notice(self, at: datetime, day: date | None) -> tuple[datetime, date | None]:
        """A due, or the least notice from now when it lies in the past: its instant and, for a dated one, its day."""
        if at > self.now:
            return at, day
        notice = self.book.programme.clock.short_notice
        if notice.unit.counts_instants:
            return self.now + elapsed(notice), None
        day = self.book.calendar.add(self.today, notice)
        return self.book.calendar.closing(day), day

    def spread(self, at: datetime, most: timedelta = LONGEST_SPREAD) -> datetime:
        """When this journey does what is planned for one instant of the day, in the window of its programme.

        Args:
            most: how far from `at` at most, however long the window is.
        """
        over = self.book.programme.clock.spread
        return at if over is None else spread(at, min(elapsed(over), most), self.stream)

    def term_end(self, begun: datetime, length: Duration, ends_at: str | None = None) -> datetime:
        """When a term ends that begins with an event: hours are elapsed, days end at this journey's own moment of the
        minutes behind that hour (usually closing)."""
        at = self.book.calendar.term_end(begun, length, ends_at)
        return at if length.unit.counts_instants else self.spread(at, SPREAD)

    def fact(self, data: Payload, *, parts: bool = True, occurred_at: datetime | None = None) -> None:
        """What the actor did or told, with the parts of the command."""
        assert self.command is not None
        event = self._event(
            data,
            actor=self.actor,
            role=self.role,
            command=self.command.id,
            caused_by=self.command.caused_by,
            occurred_at=occurred_at or self.command.occurred_at,
            parts=dict(self.command.commitments) if parts else {},
        )
        self.cause = Cause(self.stream, event.seq)

    def due(self, data: Payload, rule: str, at: datetime) -> None:
        """What time has brought about; what follows has this as its cause."""
        event = self._event(data, rule=rule, occurred_at=at)
        self.cause = Cause(self.stream, event.seq)

    def follow(self, data: Payload, rule: str, occurred_at: datetime | None = None) -> None:
        """What follows by a rule from the fact or the due before."""
        self._event(data, rule=rule, caused_by=self.cause, occurred_at=occurred_at or self.now)

    def id_for(self, key: str) -> str:
        """The id of something that follows: a UUIDv5 of the journey and the thing's own key."""
        return str(uuid5(UUID(self.stream.partition("-")[2]), key))

    def _event(
        self,
        data: Payload,
        *,
        actor: str = SYSTEM,
        role: str = SYSTEM,
        command: str | None = None,
        rule: str | None = None,
        caused_by: Cause | None = None,
        occurred_at: datetime,
        parts: dict[str, str] | None = None,
    ) -> Event[Payload]:
        before = self.state.hash_at
        event = make_event(
            {
                "stream": self.stream,
                "seq": self.state.seq + 1,
                "kind": type(data).__name__,
                "kind_v": data.VERSION,
                "recorded_at": self.now if before is None else max(self.now, before),
                "occurred_at": occurred_at,
                "actor": actor,
                "role": role,
                "command": command,
                "rule": rule,
                "caused_by": caused_by,
                "programme": self.state.programme or None,
                "data": data,
                "parts": parts or {},
            }
        )
        evolve(self.state, event)
        self.events.append(event)
        if (moved := moved_by(data, self.book.programme)) is not None:
            self.moved.add(moved)
        return event
