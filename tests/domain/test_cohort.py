"""A cohort: places in order, days that keep their order and never lie in the past, whoever is over makes room."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from journeys.authoring.reading import read_programme
from journeys.domain import cohort as rules
from journeys.domain.cohort import Cohort, Deciding, Owed, Since
from journeys.domain.deciding import Refusal
from journeys.domain.directory import (
    CohortClosed,
    CohortDateMoved,
    CohortPlacesSet,
    PlaceFreed,
    PlaceGiven,
    PlaceQueued,
    PlaceTaken,
)
from journeys.domain.programme import compile_programme

AT = datetime(2027, 1, 4, 9, tzinfo=UTC)
TODAY = date(2027, 1, 4)
ACTICE = compile_programme(read_programme("actice").text)
JURY, OPENING, SEMINAR = date(2027, 2, 1), date(2027, 3, 1), date(2027, 4, 5)
DATES = {"jury": JURY, "opening": OPENING, "seminar-1": SEMINAR}

Step = Callable[[Deciding], None]


def cohort(*steps: Step, places: int = 2) -> Cohort:
    """A cohort of ACTICE to which this happened."""
    made = rules.evolve(Cohort(), rules.opened(ACTICE, places, DATES, TODAY), AT)
    for step in steps:
        work = Deciding(made, AT)
        step(work)
        made = work.cohort
    return made


def join(journey: str, programme: str = "actice", over: bool = False) -> Step:
    return lambda work: rules.join(work, journey, programme, over=over)


def leave(journey: str) -> Step:
    return lambda work: rules.leave(work, journey)


def move(name: str, on: date) -> Step:
    return lambda work: rules.move(work, name, on, TODAY)


def resize(places: int) -> Step:
    return lambda work: rules.resize(work, places)


def settle(*over: str) -> Step:
    return lambda work: rules.settle(work, over)


FULL = (join("a"), join("b"), join("c"), join("d"))


@pytest.mark.parametrize(
    ("before", "step", "facts"),
    [
        ((), join("a"), [PlaceTaken(journey="a")]),
        ((join("a"),), join("b"), [PlaceTaken(journey="b")]),
        ((join("a"), join("b")), join("c"), [PlaceQueued(journey="c")]),
        (FULL, leave("a"), [PlaceFreed(journey="a", why="left"), PlaceGiven(journey="c")]),
        (FULL, leave("c"), [PlaceFreed(journey="c", why="left")]),
        (FULL, settle("b", "c"), [
            PlaceFreed(journey="b", why="closed"), PlaceFreed(journey="c", why="closed"), PlaceGiven(journey="d"),
        ]),
        (FULL, settle("x"), []),
        (FULL, resize(3), [CohortPlacesSet(places=3, before=2), PlaceGiven(journey="c")]),
        ((join("a"),), resize(1), [CohortPlacesSet(places=1, before=2)]),
        ((), move("jury", OPENING), [CohortDateMoved(date="jury", on=OPENING, before=JURY)]),
        ((), move("prize", date(2027, 9, 1)), [CohortDateMoved(date="prize", on=date(2027, 9, 1), before=None)]),
        (FULL, rules.close, [CohortClosed()]),
        ((*FULL, rules.close), settle("a"), []),
        ((*FULL, rules.close), leave("a"), [PlaceFreed(journey="a", why="left")]),
    ],
)  # fmt: skip
def test_what_is_decided(before: tuple[Step, ...], step: Step, facts: list[rules.Fact]) -> None:
    work = Deciding(cohort(*before), AT)
    step(work)
    assert work.facts == facts


@pytest.mark.parametrize(
    ("before", "step", "code"),
    [
        ((), move("jury", date(2027, 1, 3)), "shared-date-past"),
        ((), move("jury", date(2027, 3, 2)), "dates-out-of-order"),
        ((), move("seminar-1", date(2027, 2, 28)), "dates-out-of-order"),
        ((), move("prize", date(2027, 4, 4)), "dates-out-of-order"),
        ((), move("jury", JURY), "same-day"),
        ((), move("release", OPENING), "not-shared"),
        (FULL, join("a"), "cohort-joined"),
        (FULL, join("c"), "cohort-joined"),
        ((), join("a", programme="auxilia"), "other-programme"),
        ((), join("a", over=True), "journey-over"),
        ((), leave("a"), "not-in-cohort"),
        (FULL, resize(1), "places-taken"),
        ((), resize(2), "same-places"),
        ((), resize(0), "places-impossible"),
        ((), resize(1_001), "places-impossible"),
        ((rules.close,), join("a"), "cohort-closed"),
        ((rules.close,), move("jury", OPENING), "cohort-closed"),
        ((rules.close,), resize(3), "cohort-closed"),
        ((rules.close,), rules.close, "cohort-closed"),
    ],
)  # fmt: skip
def test_what_is_refused(before: tuple[Step, ...], step: Step, code: str) -> None:
    work = Deciding(cohort(*before), AT)
    with pytest.raises(Refusal) as refused:
        step(work)
    assert (refused.value.code, work.facts) == (code, [])


@pytest.mark.parametrize(
    ("programme", "places", "dates", "code"),
    [
        ("auxilia", 2, {}, "no-shared-date"),
        ("actice", 0, {}, "places-impossible"),
        ("actice", 2, {"start": JURY}, "not-shared"),
        ("actice", 2, {"jury": date(2027, 1, 3)}, "shared-date-past"),
        ("actice", 2, {"jury": OPENING, "opening": JURY}, "dates-out-of-order"),
    ],
)
def test_a_cohort_that_is_not_opened(programme: str, places: int, dates: dict[str, date], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        rules.opened(compile_programme(read_programme(programme).text), places, dates, TODAY)
    assert refused.value.code == code


def test_whoever_has_a_place_is_owed_each_day_by_the_later_event() -> None:
    known = cohort(join("a"), move("jury", OPENING), join("b"), join("c"))
    told = {(each.journey, each.date): each for each in rules.owed(known, TODAY)}
    assert {key for key in told if key[0] == "c"} == set(), "whoever waits is told nothing"
    assert told["a", "jury"] == Owed("a", "jury", OPENING, Since(3, AT)), "the move came after the place"
    assert told["b", "jury"] == Owed("b", "jury", OPENING, Since(4, AT)), "the place came after the move"
    assert told["a", "opening"].since.seq == 2
    assert ("a", "prize") not in told, "it has no day yet"
    later = {each.date for each in rules.owed(known, date(2027, 3, 2))}
    assert later == {"seminar-1"}, "a day that has passed is for each journey to confirm"


_STEPS = st.one_of(
    st.builds(join, st.sampled_from("abcdefg")),
    st.builds(leave, st.sampled_from("abcdefg")),
    st.builds(resize, st.integers(0, 5)),
    st.builds(lambda over: settle(*over), st.sets(st.sampled_from("abcdefg"), max_size=3)),
)


@over(st.lists(_STEPS, max_size=40))
def test_never_over_its_places_and_never_a_free_place_while_somebody_waits(steps: list[Step]) -> None:
    known = cohort()
    for step in steps:
        work = Deciding(known, AT)
        try:
            step(work)
        except Refusal:
            continue
        known = work.cohort
        assert len(known.held) <= known.places
        assert known.free == 0 or not known.waiting
        assert not known.held.keys() & known.waiting.keys()
