"""What a figure is: ours against a reference, measured in turns, judged by the median of the rounds."""

import json
import logging
import platform
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from os import cpu_count
from statistics import median
from typing import Any, Literal

import structlog

Measure = Callable[[], Awaitable[float]]
"""One turn; returns a rate, a duration or a size."""


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on the ratio, or on our own value where there is no reference."""

    sense: Literal["at least", "at most"]
    bound: float

    def allows(self, value: float) -> bool:
        return value >= self.bound if self.sense == "at least" else value <= self.bound

    def text(self) -> str:
        return f"{'>=' if self.sense == 'at least' else '<='} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: medians of the rounds, and how far the rounds lie apart."""

    name: str
    unit: str
    ours: float
    reference: float | None
    judged: float
    """The median ratio ours / reference; our own value where there is no reference."""
    low: float
    high: float
    target: Target | None
    note: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.target.allows(self.judged)

    def as_json(self) -> dict[str, Any]:
        return {
            "figure": self.name, "unit": self.unit, "ours": self.ours, "reference": self.reference,
            "ratio": self.judged, "min": self.low, "max": self.high,
            "target": None if self.target is None else self.target.text(), "met": self.met, "note": self.note,
        }  # fmt: skip


def compared(name: str, unit: str, turns: list[tuple[float, float]], target: Target | None, note: str = "") -> Figure:
    """The figure of turns (ours, reference) that were measured one after the other."""
    ratios = [ours / reference for ours, reference in turns]
    return Figure(
        name, unit, median(ours for ours, _ in turns), median(reference for _, reference in turns),
        median(ratios), min(ratios), max(ratios), target, note,
    )  # fmt: skip


def alone(name: str, unit: str, values: list[float], target: Target | None, note: str = "") -> Figure:
    """A figure without a reference: its own value is judged."""
    return Figure(name, unit, median(values), None, median(values), min(values), max(values), target, note)


async def in_turns(ours: Measure, *references: Measure, rounds: int) -> list[tuple[float, ...]]:
    """Ours, then each reference, again and again, after one round that is not counted."""
    turns = []
    for number in range(rounds + 1):
        turn = tuple([await measure() for measure in (ours, *references)])
        if number:
            turns.append(turn)
    return turns


def keep_quiet() -> None:
    """Only what goes wrong is logged, on stderr: the figures are what is printed."""
    logging.basicConfig(level=logging.ERROR)
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )


def told(figures: Sequence[Figure], *, as_json: bool) -> str:
    """The figures for a machine, or as the table."""
    if as_json:
        return json.dumps({"machine": machine(), "figures": [figure.as_json() for figure in figures]}, indent=1)
    return table(figures)


def table(figures: Sequence[Figure]) -> str:
    """One line a figure, in columns."""
    rows: list[tuple[str, ...]] = [("figure", "ours", "reference", "ratio (min-max)", "target", "met")]
    rows += [_row(figure) for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = [f"{figure.name}: {figure.note}" for figure in figures if figure.note]
    return "\n".join([*lines, "", *notes, machine()])


def machine() -> str:
    """Where this was measured."""
    return f"{cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def _row(figure: Figure) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: "-"}[figure.met]
    target = figure.target.text() if figure.target is not None else "-"
    if figure.reference is None:
        return figure.name, f"{figure.ours:.4g} {figure.unit}", "-", "-", target, met
    spread = f"{figure.judged:.2f} ({figure.low:.2f}-{figure.high:.2f})"
    return figure.name, f"{figure.ours:.4g} {figure.unit}", f"{figure.reference:.4g} {figure.unit}", spread, target, met
