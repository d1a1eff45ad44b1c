"""A programme laid along time for chosen days, were everything done on the day it falls due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from journeys.domain.handbook import Handbook
from journeys.domain.moments import Moment
from journeys.domain.plan import moment_due
from journeys.domain.programme import Phase, Roll
from journeys.domain.state import DateKnown, MilestoneKnown, PhaseKnown, State


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days of a phase; None where they hang on what has no day of its own."""

    begins: date | None
    ends: date | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What falls when: phases and milestones by code, in the programme's order."""

    phases: Mapping[str, Stretch]
    milestones: Mapping[str, date | None]
    ends: date | None
    """Of the whole programme."""


def forecast(book: Handbook, start: date, dates: Mapping[str, date]) -> Forecast:
    """Date a programme for a journey that begins on `start`, whose dates happen on these days.

    Milestones without a due date are not dated, nor is what hangs on them.
    """
    programme, calendar = book.programme, book.calendar
    state = State(start=start, started_at=calendar.opening(start))
    state.dates = {
        name: DateKnown(day, calendar.opening(day), happened=True)
        for name, day in dates.items()
        if name in programme.dates
    }
    # Each round dates what hangs on the round before; a circle leaves its members without a day.
    while _date_phases(state, book) | _date_milestones(state, book):
        pass
    return Forecast(
        {code: Stretch(_entry(state, code), _ending(state, book, phase)) for code, phase in programme.phases.items()},
        {code: known.on if (known := state.milestones.get(code)) else None for code in programme.milestones},
        _day(state, book, programme.ends),
    )


def _date_phases(state: State, book: Handbook) -> bool:
    found = False
    for code, phase in book.programme.phases.items():
        day = _day(state, book, phase.enter) or _last(state, phase.enter_when)
        if code not in state.phases and day is not None:
            state.phases[code] = PhaseKnown(day, book.calendar.opening(day))
            found = True
    return found


def _date_milestones(state: State, book: Handbook) -> bool:
    found = False
    for code, milestone in book.programme.milestones.items():
        day = _day(state, book, milestone.due, milestone.roll)
        if code not in state.milestones and day is not None:
            at = book.calendar.closing(day)
            state.milestones[code] = MilestoneKnown(settled="reached", on=day, at=at, due=at)
            found = True
    return found


def _entry(state: State, code: str) -> date | None:
    known = state.phases.get(code)
    return known.entered if known is not None else None


def _ending(state: State, book: Handbook, phase: Phase) -> date | None:
    return _day(state, book, phase.leave) or _last(state, phase.leave_when)


def _day(state: State, book: Handbook, moment: Moment | None, roll: Roll = Roll.NONE) -> date | None:
    due = moment_due(state, book, moment, roll) if moment is not None else None
    return (due.day or book.calendar.day(due.at)) if due is not None else None


def _last(state: State, codes: tuple[str, ...]) -> date | None:
    """The day on which the last of these milestones is reached."""
    days = [known.on for code in codes if (known := state.milestones.get(code)) is not None and known.on is not None]
    return max(days) if codes and len(days) == len(codes) else None
