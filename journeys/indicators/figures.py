"""Answers added up by group, and which sums are shown: none of few people, nor one from which such a sum follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

By = Literal["programme", "month", "site"]

LEAST: Final = 5
"""Fewer people than this are never told apart."""


@dataclass(frozen=True, slots=True)
class Count:
    """An indicator of one group. Things or cents, but for `known` and `young`."""

    yes: int = 0
    no: int = 0
    unknown: int = 0
    known: int = 0
    """People of whom an answer is known: what decides whether the figure is shown."""
    young: int = 0
    """Journeys (or appointments) that are too young."""
    least: bool = False
    """Whether the numerator is the least that is so: the unknown stand in the denominator."""

    @property
    def among(self) -> int:
        """The denominator."""
        return self.yes + self.no + (self.unknown if self.least else 0)

    @property
    def share(self) -> float:
        """Of a denominator that is not 0."""
        return self.yes / self.among


class Shown(StrEnum):
    FIGURE = "figure"
    NOBODY = "nobody"
    """Nobody of whom an answer is known."""
    FEW = "few"
    """Fewer than LEAST people."""
    HELD_BACK = "held-back"
    """Enough people; with it, a figure of few would follow by subtraction."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A count as it may be told. What is not shown has no figure: neither screen, file nor JSON can leak it."""

    shown: Shown
    count: Count = Count()
    """Of FIGURE whole; else unknown and young of NOBODY, and young alone."""


@dataclass(frozen=True, slots=True)
class Group:
    """One line of a table; `key` is the programme's name, the month (`2027-03`) or the site, None without one."""

    key: str | None
    cell: Cell


@dataclass(frozen=True, slots=True)
class Figures:
    """One indicator: all together, then by group."""

    code: str
    total: Cell
    groups: tuple[Group, ...]


def guarded(code: str, total: Count, groups: Mapping[str | None, Count]) -> Figures:
    """An indicator as it may be told.

    A figure of fewer than LEAST people is not shown. When what is left out would follow from the total and the
    others, the next smallest group is left out with it, until at least two groups and LEAST people are; when there
    is none left, the total is.
    """
    few = {key for key, count in groups.items() if 0 < count.known < LEAST}
    hidden = set(few)
    others = sorted(
        (key for key, count in groups.items() if count.known >= LEAST),
        key=lambda key: (groups[key].known, key is None, key or ""),
    )
    while hidden and _follows(hidden, groups) and others:
        hidden.add(others.pop(0))
    whole = _cell(total)
    if hidden and _follows(hidden, groups) and whole.shown is Shown.FIGURE:
        whole = Cell(Shown.HELD_BACK, Count(young=total.young))
    return Figures(code, whole, tuple(
        Group(key, Cell(Shown.HELD_BACK, Count(young=count.young)) if key in hidden - few else _cell(count))
        for key, count in sorted(groups.items(), key=lambda each: (each[0] is None, each[0] or ""))
    ))  # fmt: skip


def _follows(hidden: set[str | None], groups: Mapping[str | None, Count]) -> bool:
    """Whether the total less the groups shown tells a figure of few people."""
    return len(hidden) < 2 or sum(groups[key].known for key in hidden) < LEAST


def _cell(count: Count) -> Cell:
    if count.known == 0:
        return Cell(Shown.NOBODY, Count(unknown=count.unknown, young=count.young))
    if count.known < LEAST:
        return Cell(Shown.FEW, Count(young=count.young))
    return Cell(Shown.FIGURE, count)


def table(
    codes: Sequence[str], totals: Mapping[str, Count], groups: Mapping[str, Mapping[str | None, Count]]
) -> tuple[Figures, ...]:
    """Every indicator as it may be told, in order; one that nobody answered is there too."""
    return tuple(guarded(code, totals.get(code, Count()), groups.get(code, {})) for code in codes)
