"""Many lives side by side. The same trial gives the same counts, by one process or by several."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, Final

from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.play import Moment, Wedged, play
from journeys.domain.state import State
from journeys.simulation.behaviour import Behaviour
from journeys.simulation.people import People, begins
from journeys.simulation.tally import Tally, count

A_SHARE: Final = 50
"""Lives that a process takes at once."""

LONGEST: Final = timedelta(days=3_653)
"""A life that is still open after ten years is counted as open."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A programme, how people behave, how many of them, and the draw."""

    programme: str
    """The stored text, and its SHA-256."""
    programme_hash: str
    calendar: str
    calendar_hash: str
    behaviour: Behaviour
    participants: int
    seed: int
    day: date
    """The first of the thirty days in which journeys begin."""


class Stuck(Exception):
    """One life stands still or never ends: a defect of the programme's rules. `number` tells which, from 0."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(number, why)
        self.number, self.why = number, why


def simulate(trial: Trial, processes: int = 1, told: Callable[[int], None] = lambda played: None) -> Tally:
    """Play every life and count. `told` hears how many were played, from time to time. Raises Stuck."""
    whole = Tally()
    if processes <= 1:
        for share in _shares(trial):
            whole.add(play_share(trial, share))
            told(whole.lives)
        return whole
    with players(processes, _open, trial) as pool:
        try:
            for done in as_completed([pool.submit(_play, share) for share in _shares(trial)]):
                whole.add(done.result())
                told(whole.lives)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return whole


def players(processes: int, begin: Callable[..., None], *given: Any) -> ProcessPoolExecutor:
    """Processes that play; each calls `begin` with what is given, once. Spawned, not forked: callers have threads."""
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=begin, initargs=given)


def play_share(trial: Trial, share: range) -> Tally:
    """Some lives of a trial, counted. Raises Stuck."""
    book, tally = open_handbook(trial.programme, trial.calendar), Tally()
    for number in share:
        try:
            count(tally, book, one_life(trial, book, number), trial.day)
        except Wedged as wedged:
            raise Stuck(number, str(wedged)) from wedged
    return tally


def one_life(trial: Trial, book: Handbook, number: int) -> Iterator[Moment]:
    """One life of a trial: it hangs on the seed and its number alone. Raises Wedged."""
    draw = Random(f"{trial.seed}/{number}")
    first = begins(draw, datetime.combine(trial.day, time(), UTC))
    people = People(book, trial.behaviour, draw, first, (trial.programme_hash, trial.calendar_hash))
    return play(book, people, State(stream=people.stream), first + LONGEST)


def _shares(trial: Trial) -> Iterator[range]:
    for first in range(0, trial.participants, A_SHARE):
        yield range(first, min(first + A_SHARE, trial.participants))


_trial: Trial | None = None
"""Of a process that plays shares: sent once, not with each share."""


def _open(trial: Trial) -> None:
    global _trial
    _trial = trial
    open_handbook(trial.programme, trial.calendar)


def _play(share: range) -> Tally:
    assert _trial is not None
    return play_share(_trial, share)
