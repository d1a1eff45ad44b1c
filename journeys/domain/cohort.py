"""A cohort: days that are the same for all its journeys, places, and whoever waits for one, in order."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date as Day
from datetime import datetime
from itertools import pairwise
from typing import Final, assert_never

from journeys.domain.deciding import Refusal
from journeys.domain.directory import (
    CohortClosed,
    CohortDateMoved,
    CohortOpened,
    CohortPlacesSet,
    PlaceFreed,
    PlaceGiven,
    PlaceQueued,
    PlaceTaken,
    read_fact,
)
from journeys.domain.programme import Programme
from journeys.domain.record import Event

Fact = (
    CohortOpened | CohortDateMoved | CohortPlacesSet
    | PlaceTaken | PlaceQueued | PlaceGiven | PlaceFreed | CohortClosed
)  # fmt: skip

MOST_PLACES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Since:
    """The event of the stream by which something is so, and when it was recorded."""

    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort as its stream tells it."""

    programme: str = ""
    places: int = 0
    order: tuple[str, ...] = ()
    """Its shared dates, in the order of their days."""
    dates: Mapping[str, Day] = field(default_factory=dict)
    told: Mapping[str, Since] = field(default_factory=dict)
    """By date, since when it has its day."""
    held: Mapping[str, Since] = field(default_factory=dict)
    """By journey, since when it has a place."""
    waiting: Mapping[str, Since] = field(default_factory=dict)
    """By journey, the one that waits longest first."""
    closed: bool = False
    seq: int = 0

    @property
    def free(self) -> int:
        return self.places - len(self.held)


@dataclass(frozen=True, slots=True)
class Owed:
    """A day that a journey is told: by which event of the cohort's stream (`since`)."""

    journey: str
    date: str
    on: Day
    since: Since


def read(kind: str, header: bytes) -> Event[Fact]:
    """An event of a cohort's stream from its stored bytes."""
    return read_fact(kind, header)  # type: ignore[return-value]


def fold(events: Iterable[Event[Fact]]) -> Cohort:
    """The cohort after these events, from the first of its stream."""
    cohort = Cohort()
    for event in events:
        cohort = evolve(cohort, event.data, event.recorded_at)
    return cohort


def evolve(cohort: Cohort, fact: Fact, at: datetime) -> Cohort:
    """The cohort after the next fact."""
    now = replace(cohort, seq=cohort.seq + 1)
    since = Since(now.seq, at)
    match fact:
        case CohortOpened(programme=programme, places=places, order=order, dates=dates):
            told = dict.fromkeys(dates, since)
            return replace(now, programme=programme, places=places, order=order, dates=dates, told=told)
        case CohortDateMoved(date=name, on=on):
            return replace(now, dates={**now.dates, name: on}, told={**now.told, name: since})
        case CohortPlacesSet(places=places):
            return replace(now, places=places)
        case PlaceTaken(journey=journey):
            return replace(now, held={**now.held, journey: since})
        case PlaceQueued(journey=journey):
            return replace(now, waiting={**now.waiting, journey: since})
        case PlaceGiven(journey=journey):
            return replace(now, held={**now.held, journey: since}, waiting=_without(now.waiting, journey))
        case PlaceFreed(journey=journey):
            return replace(now, held=_without(now.held, journey), waiting=_without(now.waiting, journey))
        case CohortClosed():
            return replace(now, closed=True, waiting={})
        case _:
            assert_never(fact)


def owed(cohort: Cohort, today: Day) -> Iterator[Owed]:
    """The days that its journeys are to have, each by the later of two events: the day's, and the place's.

    A day that has passed is no longer told: whether it took place is for each journey to say.
    """
    for journey, place in cohort.held.items():
        for name, on in cohort.dates.items():
            if on >= today and not cohort.closed:
                yield Owed(journey, name, on, max(place, cohort.told[name], key=lambda since: since.seq))


# --- decisions


@dataclass(slots=True)
class Deciding:
    """A decision in the making: the cohort as it is after each fact."""

    cohort: Cohort
    at: datetime
    facts: list[Fact] = field(default_factory=list)

    def fact(self, fact: Fact) -> None:
        self.facts.append(fact)
        self.cohort = evolve(self.cohort, fact, self.at)


def opened(programme: Programme, places: int, dates: Mapping[str, Day], today: Day) -> CohortOpened:
    """The first fact of a cohort of this programme. Raises Refusal."""
    order = tuple(name for name, rule in programme.dates.items() if rule.shared)
    if not order:
        raise Refusal("no-shared-date")
    for name, on in dates.items():
        _shared(order, name)
        _ahead(name, on, today)
    _in_order(order, dates)
    _possible(places)
    return CohortOpened(programme=programme.programme, places=places, order=order, dates=dict(dates))


def move(work: Deciding, name: str, on: Day, today: Day) -> None:
    """Another day for all, or the first one. Raises Refusal: past, out of order, the same day."""
    cohort = _open(work)
    _shared(cohort.order, name)
    _ahead(name, on, today)
    before = cohort.dates.get(name)
    if on == before:
        raise Refusal("same-day", date=name, on=on.isoformat())
    _in_order(cohort.order, {**cohort.dates, name: on})
    work.fact(CohortDateMoved(date=name, on=on, before=before))


def join(work: Deciding, journey: str, programme: str, *, over: bool) -> None:
    """A place, or the end of the waiting list, for a journey under this programme. Raises Refusal."""
    cohort = _open(work)
    if programme != cohort.programme:
        raise Refusal("other-programme", programme=cohort.programme)
    if over:
        raise Refusal("journey-over")
    if journey in cohort.held or journey in cohort.waiting:
        raise Refusal("cohort-joined")
    if cohort.free > 0 and not cohort.waiting:
        work.fact(PlaceTaken(journey=journey))
    else:
        work.fact(PlaceQueued(journey=journey))


def elsewhere() -> Refusal:
    """A journey has, or awaits, a place in one cohort."""
    return Refusal("in-another-cohort")


def leave(work: Deciding, journey: str) -> None:
    """The place goes to whoever waits longest. Raises Refusal."""
    if journey not in work.cohort.held and journey not in work.cohort.waiting:
        raise Refusal("not-in-cohort")
    work.fact(PlaceFreed(journey=journey, why="left"))
    give(work)


def resize(work: Deciding, places: int) -> None:
    """More places go to those who wait; never fewer than are taken. Raises Refusal."""
    cohort = _open(work)
    _possible(places)
    if places < len(cohort.held):
        raise Refusal("places-taken", taken=len(cohort.held), places=places)
    if places == cohort.places:
        raise Refusal("same-places", places=places)
    work.fact(CohortPlacesSet(places=places, before=cohort.places))
    give(work)


def close(work: Deciding) -> None:
    """Raises Refusal."""
    _open(work)
    work.fact(CohortClosed())


def settle(work: Deciding, over: Collection[str]) -> None:
    """Free the places and turns of journeys that are over, and give them on; of a closed cohort none."""
    if work.cohort.closed:
        return
    for journey in (*work.cohort.held, *work.cohort.waiting):
        if journey in over:
            work.fact(PlaceFreed(journey=journey, why="closed"))
    give(work)


def give(work: Deciding) -> None:
    """Free places to those who wait, in their order."""
    while work.cohort.free > 0 and work.cohort.waiting:
        work.fact(PlaceGiven(journey=next(iter(work.cohort.waiting))))


def _open(work: Deciding) -> Cohort:
    if work.cohort.closed:
        raise Refusal("cohort-closed")
    return work.cohort


def _shared(order: tuple[str, ...], name: str) -> None:
    if name not in order:
        raise Refusal("not-shared", date=name, known=", ".join(order))


def _ahead(name: str, on: Day, today: Day) -> None:
    if on < today:
        raise Refusal("shared-date-past", date=name, on=on.isoformat())


def _in_order(order: tuple[str, ...], dates: Mapping[str, Day]) -> None:
    known = [name for name in order if name in dates]
    for first, then in pairwise(known):
        if dates[then] < dates[first]:
            raise Refusal("dates-out-of-order", first=first, on=dates[first].isoformat(), then=then,
                          until=dates[then].isoformat())  # fmt: skip


def _possible(places: int) -> None:
    if not 1 <= places <= MOST_PLACES:
        raise Refusal("places-impossible", places=places, most=MOST_PLACES)


def _without(table: Mapping[str, Since], journey: str) -> dict[str, Since]:
    return {id: since for id, since in table.items() if id != journey}
