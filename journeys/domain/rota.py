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


def on_call(shifts: Iterable[Shift], site: str | None, at: datetime) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Who is on call for each role at an instant, each once: those of the site, then those of every site, who answer
    where none of the first does."""
    here: dict[str, dict[str, None]] = {}
    anywhere: dict[str, dict[str, None]] = {}
    for shift in sorted(shifts, key=lambda each: (each.begins, each.id)):
        if shift.covers(at) and (site is None or shift.site in (None, site)):
            (anywhere if shift.site is None else here).setdefault(shift.role, {})[shift.who] = None
    return {
        role: tuple(tuple(kept[role]) for kept in (here, anywhere) if role in kept) for role in here.keys() | anywhere
    }


def gaps(shifts: Iterable[Shift], begins: datetime, ends: datetime) -> list[Gap]:
    """When nobody is on call between two instants, for the shifts of one rota."""
    found, free_from = [], begins
    for shift in sorted(shifts, key=lambda each: each.begins):
        if shift.begins >= ends:
            break
        if shift.begins > free_from:
            found.append(Gap(free_from, shift.begins))
        free_from = max(free_from, shift.ends)
    if free_from < ends:
        found.append(Gap(free_from, ends))
    return found


def uncovered(
    shifts: Sequence[Shift], rotas: Iterable[tuple[str, str | None]], begins: datetime, ends: datetime
) -> dict[tuple[str, str | None], list[Gap]]:
    """The gaps of each rota, a role at a site or everywhere; what is kept for every site also covers each one's own."""
    found = {}
    for role, site in sorted(rotas, key=lambda each: (each[0], each[1] or "")):
        serving = [each for each in shifts if each.role == role and each.site in (site, None)]
        if open_ones := gaps(serving, begins, ends):
            found[role, site] = open_ones
    return found
