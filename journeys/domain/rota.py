"""Who is on call, by day and by night: shifts, who answers now, and where nobody does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody answers for a role from `begins` on and before `ends`, at a site or (None) everywhere."""

    id: str
    role: str
    site: str | None
    who: str
    """Id of a member of staff or of a mentor."""
    begins: datetime
    ends: datetime

    def covers(self, at: datetime) -> bool:
        return self.begins <= at < self.ends


@dataclass(frozen=True, slots=True)
class Gap:
    """From when until when nobody is on call."""

    begins: datetime
    ends: datetime


def on_call(shifts: Iterable[Shift], site: str | None, at: datetime) -> Mapping[str, tuple[str, ...]]:
    """Who is on call for each role at an instant, each once; those of the site come instead of those of every site."""
    here: dict[str, dict[str, None]] = {}
    anywhere: dict[str, dict[str, None]] = {}
    for shift in sorted(shifts, key=lambda each: (each.begins, each.id)):
        if shift.covers(at) and (site is None or shift.site in (None, site)):
            (anywhere if shift.site is None else here).setdefault(shift.role, {})[shift.who] = None
    return {role: tuple(who) for role, who in {**anywhere, **here}.items()}


def gaps(shifts: Iterable[Shift], begins: datetime, ends: datetime) -> list[Gap]:
    """When nobody is on call between two instants, for the shifts of one rota."""
    found, free_from = [], begins
    for shift in sorted(shifts, key=lambda each: each.begins):
        if shift.begins >= ends:
            break
        if shift.begins == shift.ends:
            continue
        if shift.begins > free_from:
            found.append(Gap(free_from, shift.begins))
        free_from = max(free_from, shift.ends)
    if free_from < ends:
        found.append(Gap(free_from, ends))
    return found


def rotas(shifts: Iterable[Shift]) -> dict[tuple[str, str | None], list[Shift]]:
    """Shifts by what they are for: a role, at a site or everywhere."""
    found: dict[tuple[str, str | None], list[Shift]] = {}
    for shift in sorted(shifts, key=lambda each: (each.role, each.site or "", each.begins, each.id)):
        found.setdefault((shift.role, shift.site), []).append(shift)
    return found


def uncovered(shifts: Sequence[Shift], begins: datetime, ends: datetime) -> dict[tuple[str, str | None], list[Gap]]:
    """The gaps of every rota that has a shift; what is kept for every site also covers each one's own."""
    found = {}
    for (role, site), own in rotas(shifts).items():
        serving = [*own, *(each for each in shifts if site is not None and each.role == role and each.site is None)]
        if open_ones := gaps(serving, begins, ends):
            found[role, site] = open_ones
    return found
