"""The rules in force for one journey: its programme and its calendar."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from journeys.domain.calendar import Calendar, compile_calendar
from journeys.domain.programme import Ladder, Milestone, Programme, compile_programme
from journeys.domain.rights import line_of

STANDARD_LADDER = "standard"
"""The ladder of last resort that every programme has, for what its author gave none."""


@dataclass(frozen=True, slots=True)
class Handbook:
    """A compiled programme with the days and hours that it counts in."""

    programme: Programme
    calendar: Calendar
    former: tuple["Handbook", ...] = ()
    """The rules that a journey was under before, the first ones first: for whoever reads its record."""

    @property
    def all(self) -> tuple["Handbook", ...]:
        """Every one in turn, each with those before it; a record passes on to the next at each ProgrammeChanged."""
        former = tuple(replace(book, former=self.former[:place]) for place, book in enumerate(self.former))
        return (*former, self)

    def line(self, role: str) -> str:
        """The line of the rights table that a role has."""
        return line_of(role, self.programme)

    def milestone(self, code: str) -> Milestone:
        return self.programme.milestones[code]

    def ladder(self, code: str | None) -> tuple[str, Ladder]:
        """A ladder by name; the standard one when none is named."""
        name = code or STANDARD_LADDER
        return name, self.programme.ladders[name]


Shelf = Mapping[tuple[str, str], Handbook]
"""The rules that a journey was or may be under, by the SHA-256 of its programme and of its calendar."""

NO_OTHERS: Shelf = {}


def open_handbook(programme_text: str, calendar_text: str) -> Handbook:
    """Compile the stored texts; each is compiled once per process."""
    programme = compile_programme(programme_text)
    return Handbook(programme, compile_calendar(calendar_text, programme.clock))


def kept_once(texts: Mapping[str, str]) -> dict[str, str]:
    """The same texts, each in memory once however many journeys of this process hold it."""
    return {sys.intern(hash): sys.intern(text) for hash, text in texts.items()}
