"""What changed of a journey between two instants: facts that came and went, and the events between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from journeys.audit.showing import Fact, Shown, as_of, known_at, recorded_by
from journeys.domain.calendar import Calendar
from journeys.domain.record import Event, Payload

Recorded = Event[Payload]
Way = Literal["as-of", "known-at"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A journey at two instants, the earlier first."""

    before: Shown
    after: Shown
    came: tuple[Fact, ...]
    went: tuple[Fact, ...]
    """What held at the first and does not at the second; a fact with a new value is in both lists."""
    between: tuple[int, ...]
    """Seqs of the events recorded after the first instant and up to the second."""

    def as_json(self) -> dict[str, Any]:
        return {
            "journey": self.before.as_json()["journey"], "way": self.before.way,
            "from": self.before.as_json()["at"], "to": self.after.as_json()["at"],
            "came": [fact.as_json() for fact in self.came], "went": [fact.as_json() for fact in self.went],
            "events": list(self.between),
        }  # fmt: skip


def difference(
    events: Sequence[Recorded], first: datetime, second: datetime, calendar: Calendar, way: Way
) -> Difference:
    """What was known (`known-at`) or was true (`as-of`) at two instants, compared; their order does not matter."""
    earlier, later = sorted((first, second))
    look = known_at if way == "known-at" else as_of
    before, after = look(events, earlier, calendar), look(events, later, calendar)
    had, has = {_said(fact) for fact in before.facts}, {_said(fact) for fact in after.facts}
    known = len(recorded_by(events, earlier))
    return Difference(
        before, after,
        tuple(fact for fact in after.facts if _said(fact) not in had),
        tuple(fact for fact in before.facts if _said(fact) not in has),
        tuple(event.seq for event in recorded_by(events, later)[known:]),
    )  # fmt: skip


def _said(fact: Fact) -> tuple[Any, ...]:
    return fact.kind, fact.id, fact.value, fact.on
