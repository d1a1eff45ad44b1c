"""What a programme bars: values of a situation that may not be noted of some, who then are nobody's mentor either."""

from datetime import date

from journeys.domain.programme import Guard, Programme
from journeys.domain.state import State


def barred(programme: Programme, state: State, situation: str, value: str) -> str | None:
    """The guard against noting a value on this journey, by its code; None when nothing stands against it."""
    for code, guard in programme.guards.items():
        if guard.situation == situation and value in guard.bars and _applies(guard, state) and not _met(guard, state):
            return code
    return None


def no_mentor(programme: Programme, state: State, born: date | None, today: date) -> str | None:
    """The guard by which a volunteer may not be a participant's mentor; None when they may.

    Args:
        state: of their own journey as a volunteer; once it is closed only their age counts.
        born: None where nobody told it: then the date of the guard says whom it is for.
    """
    for code, guard in programme.guards.items():
        if not guard.mentor:
            continue
        if guard.under is not None and born is not None:
            applies = age(born, today) < guard.under
        else:
            applies = state.is_open and _applies(guard, state)
        if applies and not _met(guard, state):
            return code
    return None


def date_wanted(
    programme: Programme, born: date | None, today: date, dates: frozenset[str]
) -> tuple[str, Guard] | None:
    """The date that must be told of somebody so young before their journey begins, with its guard; None: none is."""
    for guard in programme.guards.values():
        young = guard.under is not None and born is not None and age(born, today) < guard.under
        if young and guard.when is not None and guard.when not in dates:
            return guard.when, guard
    return None


def age(born: date, on: date) -> int:
    """Years completed on a day."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _applies(guard: Guard, state: State) -> bool:
    if guard.when is None:
        return True
    known = state.dates.get(guard.when)
    return known is not None and not known.cancelled


def _met(guard: Guard, state: State) -> bool:
    """Whether all that it asks for was reached; a milestone that was waived was not."""
    return bool(guard.needs) and all(state.reached(code) is not None for code in guard.needs)
