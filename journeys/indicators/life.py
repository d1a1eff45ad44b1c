"""One journey as indicators look at it: since when it counts, whom it met when, what held on a day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Final

from journeys.domain import events as e
from journeys.domain.events import Value as Known
from journeys.domain.evolve import fold
from journeys.domain.handbook import Handbook
from journeys.domain.moments import parse_moment
from journeys.domain.person import UNKNOWN
from journeys.domain.plan import moment_due
from journeys.domain.programme import Measure, Programme
from journeys.domain.record import Event, Payload
from journeys.domain.state import State

RELEASE: Final = "release"


@dataclass(frozen=True)
class Life:
    """A journey whose release has happened, or what stands for it: the date from which its programme is active."""

    state: State
    book: Handbook
    begun: date
    met: tuple[date, ...] = field(default=())
    """Days of every contact and every appointment that was kept, in order."""
    measured: Mapping[tuple[str, date], Known] = field(default_factory=dict)
    """What was written down last of a measure on a day."""

    def day(self, after: str, *, shifts: bool = True) -> date | None:
        """The day so long after it began (`3 months`); empty: that day itself. Suspended days push it out."""
        due = moment_due(self.state, self.book, parse_moment(self._moment(after)), shifts=shifts)
        return due.day if due is not None else None

    def died_by(self, day: date) -> bool:
        """Whether the person was dead by then: nothing is counted of that day."""
        return self.state.died_on is not None and self.state.died_on <= day

    def closed_before(self, day: date) -> bool:
        """Whether nobody accompanied them any more on that day."""
        return self.state.closed_on is not None and self.state.closed_on < day

    def unwatched(self, day: date) -> bool:
        """Whether that day lies before the record was kept: the journey came from elsewhere."""
        return self.state.watch_from is not None and day < self.book.calendar.day(self.state.watch_from)

    def good(self, situation: str, after: str = "") -> tuple[str, ...] | None:
        """Values of a situation that the programme calls good, at a moment if it measures that; None: it has none."""
        found = self._measure(situation, after)
        return found[1].good if found is not None else None

    def found_on(self, situation: str, after: str) -> Known | None:
        """Whether a situation was good so long after it began, as is known today; None: the programme measures none.

        What was written down of the measure on that day counts, else the value that held; a value from before the
        closing says nothing of a day after it.
        """
        found, day = self._measure(situation, after), self.day(after)
        if found is None or day is None:
            return None
        code, measure = found
        measured = self.measured.get((code, day))
        if measured is not None and measured != UNKNOWN:
            return measured
        known = self.state.situation(situation, day)
        if known is None or known.value == UNKNOWN:
            return "unknown"
        closed = self.state.closed_on
        if closed is not None and closed < day and known.since <= closed:
            return "unknown"
        return "yes" if known.value in measure.good else "no"

    def _measure(self, situation: str, after: str) -> tuple[str, Measure] | None:
        """The measure of a situation at a moment, with its code: the strictest, and rather one that looks then."""
        moment = parse_moment(self._moment(after))
        mine = [
            (moment not in measure.at, len(measure.good), code)
            for code, measure in self.book.programme.measures.items()
            if measure.situation == situation
        ]
        if not mine:
            return None
        _, _, code = min(mine)
        return code, self.book.programme.measures[code]

    def _moment(self, after: str) -> str:
        return f"{after} after {self._anchor}" if after else f"at {self._anchor}"

    @cached_property
    def _anchor(self) -> str:
        return begins_with(self.book.programme)


def begins_with(programme: Programme) -> str:
    """What the ages of its journeys count from: the release where it has one, else what makes a journey active."""
    return RELEASE if RELEASE in programme.dates else programme.active_from


LOOKED_AT: Final[frozenset[type[Payload]]] = frozenset(
    {e.OutcomeMeasured, e.ContactMade, e.ContactCorrected, e.ContactLogged}
)
"""The events that an indicator reads besides the state."""


def life_of(events: Sequence[Event[Payload]], book: Handbook) -> Life | None:
    """The life of a journey from all its events; None while it has not begun. `book`: the rules in force now."""
    return life_in(fold(events), events, book)


def life_in(state: State, events: Sequence[Event[Payload]], book: Handbook) -> Life | None:
    """The same with what is known after all its events; of these only those to be LOOKED_AT count."""
    begun = _begun(state, begins_with(book.programme))
    if begun is None:
        return None
    measured = {
        (event.data.measure, event.data.day): event.data.value
        for event in events
        if isinstance(event.data, e.OutcomeMeasured)
    }
    return Life(state, book, begun, tuple(sorted(_met(events, book, state))), measured)


def _begun(state: State, anchor: str) -> date | None:
    if anchor == "start":
        return state.start
    known = state.dates.get(anchor)
    return known.on if known is not None and known.happened else None


def _met(events: Iterable[Event[Payload]], book: Handbook, state: State) -> Iterable[date]:
    made: dict[tuple[str, int], date] = {}
    for event in events:
        day = book.calendar.day(event.occurred_at)
        match event.data:
            case e.ContactMade(contact=code, window=window):
                made[code, window] = day
            case e.ContactCorrected(contact=code, window=window, to=to):
                if to == "made":
                    made[code, window] = day
                else:
                    made.pop((code, window), None)
            case e.ContactLogged():
                made["", event.seq] = day
            case _:
                pass
    yield from made.values()
    yield from (book.calendar.day(each.at) for each in state.appointments.values() if each.outcome == "attended")
