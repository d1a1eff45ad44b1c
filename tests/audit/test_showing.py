"""Two times of a fact: what was true at an instant, and what was known then."""

from datetime import date, timedelta

import pytest

from journeys.audit.showing import as_of, known_at, known_state, recorded_by, told
from journeys.domain import commands as c
from journeys.domain.evolve import fold
from journeys.domain.state import Status, dump
from tests.audit.lives import NAMES, OTHER, PERSON, REFERENT, SUPERVISOR, Life, book, day

CALENDAR = book().calendar


@pytest.fixture(scope="module")
def life() -> Life:
    """Released on day 42, told on 44. First meeting on 44, told on 50. Relay since 45, told on 60, shared in truth."""
    life = Life(book())
    life.do(
        0,
        c.Plan(
            person=PERSON,
            programme="0" * 64,
            calendar="1" * 64,
            referent=REFERENT,
            dates={"release": date(2027, 2, 15)},
        ),
    )
    life.do(10, c.MoveDate(date="release", on=date(2027, 2, 16)))
    life.do(20, c.ReachMilestone(milestone="lodging-asked"))
    life.do(42, c.ConfirmDate(date="release", on=date(2027, 2, 15)), told=44)
    life.do(44, c.ReachMilestone(milestone="first-meeting"), told=50)
    life.do(45, c.RecordSituation(situation="housing", value="relay"), told=60)
    life.do(70, c.Correct(what="situation", id="housing", to="shared"), reason="erreur")
    life.do(71, c.Correct(what="milestone", id="lodging-asked", to="open"), reason="erreur")
    life.do(72, c.Suspend(why="custody"))
    life.do(80, c.Resume())
    life.do(81, c.AssignReferent(referent=OTHER), SUPERVISOR)
    life.until(day(90))
    return life


def test_known_at_folds_exactly_what_was_recorded(life: Life) -> None:
    for number in (0, 5, 43, 44.5, 61, 90):
        prefix = recorded_by(life.events, day(number))
        assert [event.seq for event in prefix] == [e.seq for e in life.events if e.recorded_at <= day(number)]
        assert dump(known_state(life.events, day(number))) == dump(fold(prefix))


def test_a_release_told_late_was_true_before_it_was_known(life: Life) -> None:
    known = known_at(life.events, day(43), CALENDAR).fact("date", "release")
    assert known is not None
    assert (known.value, known.on) == ("expected", date(2027, 2, 16))
    true = as_of(life.events, day(43), CALENDAR).fact("date", "release")
    assert true is not None
    assert (true.value, true.on, true.learnt_later) == ("happened", date(2027, 2, 15), True)
    assert true.known_then == "expected 2027-02-16"
    assert true.recorded_at == day(44)
    assert known_state(life.events, day(43)).status is Status.PLANNED
    status = as_of(life.events, day(43), CALENDAR).fact("status")
    assert status is not None
    assert (status.value, status.on, status.known_then) == ("active", date(2027, 2, 15), "planned 2027-01-04")


def test_before_the_day_nothing_of_it_is_true(life: Life) -> None:
    shown = as_of(life.events, day(41), CALENDAR).fact("date", "release")
    assert shown is not None
    assert (shown.value, shown.learnt_later) == ("expected", False)
    assert as_of(life.events, day(9), CALENDAR).fact("date", "release") is not None
    assert as_of(life.events, day(43), CALENDAR).fact("milestone", "first-meeting") is None


def test_a_milestone_told_late(life: Life) -> None:
    assert known_at(life.events, day(46), CALENDAR).fact("milestone", "first-meeting") is None
    fact = as_of(life.events, day(46), CALENDAR).fact("milestone", "first-meeting")
    assert fact is not None
    assert (fact.value, fact.on, fact.learnt_later, fact.known_then) == ("reached", date(2027, 2, 17), True, None)
    later = as_of(life.events, day(51), CALENDAR).fact("milestone", "first-meeting")
    assert later is not None
    assert not later.learnt_later


def test_what_was_held_true_and_was_not(life: Life) -> None:
    then = known_at(life.events, day(30), CALENDAR).fact("milestone", "lodging-asked")
    assert then is not None
    assert then.value == "reached"
    shown = as_of(life.events, day(30), CALENDAR)
    assert shown.fact("milestone", "lodging-asked") is None
    assert [fact.id for fact in shown.withdrawn if fact.kind == "milestone"] == ["lodging-asked"]


def test_situations_with_corrections(life: Life) -> None:
    answers = {
        number: (
            (known_at(life.events, day(number), CALENDAR).fact("situation", "housing")),
            (as_of(life.events, day(number), CALENDAR).fact("situation", "housing")),
        )
        for number in (44, 46, 61, 71)
    }
    values = {n: tuple(fact.value if fact else None for fact in pair) for n, pair in answers.items()}
    assert values == {44: (None, None), 46: (None, "shared"), 61: ("relay", "shared"), 71: ("shared", "shared")}
    true = answers[61][1]
    assert true is not None
    assert (true.learnt_later, true.known_then) == (True, "relay 2027-02-18")


def test_suspension_referent_and_status(life: Life) -> None:
    values = [
        (shown.fact("status"), shown.fact("referent"))
        for shown in (as_of(life.events, day(number), CALENDAR) for number in (73, 80.5, 82))
    ]
    assert [(s.value, r.value) for s, r in values if s is not None and r is not None] == [
        ("suspended", REFERENT), ("active", REFERENT), ("active", OTHER),
    ]  # fmt: skip


def test_known_by_wall_time(life: Life) -> None:
    """Stored an hour after the decision (an outage): by wall time it was not known yet."""
    walls = {event.seq: event.recorded_at + timedelta(hours=1) for event in life.events}
    assert known_at(life.events, day(44) + timedelta(minutes=5), CALENDAR, walls).seq < (
        known_at(life.events, day(44) + timedelta(minutes=5), CALENDAR).seq
    )


def test_told_in_words(life: Life) -> None:
    shown = as_of(life.events, day(46), CALENDAR)
    lines = [told(fact, book(), NAMES, "fr") for fact in shown.facts]
    assert "date : levée d’écrou (a eu lieu), 15 février 2027" in lines
    assert "situation : logement (logement partagé), 18 février 2027 — appris plus tard, le 15 mars 2027" in lines
    english = [told(fact, book(), NAMES, "en") for fact in shown.facts]
    assert (
        "milestone: “first meeting outside” (milestone reached), 17 February 2027 — learnt later, on 23 February 2027"
        in english
    )
    assert shown.as_json()["way"] == "as-of"
