"""What a programme bars is refused in its own words; what lifts it lifts it; the minor of `benevolat` is apart."""

from datetime import date
from typing import Any

import pytest

from journeys.authoring.reading import read_programme
from journeys.domain import commands as c
from journeys.domain import feasibility, guards
from journeys.domain.handbook import open_handbook
from journeys.domain.programme import Programme
from journeys.narration import refusal
from tests.domain.given import CALENDAR, Life, day, plan

BOOK = open_handbook(read_programme("benevolat").text, CALENDAR)
UNDER_AGE, OF_AGE, UNTOLD = date(2012, 5, 1), date(1990, 5, 1), None


def volunteer(*dates: str) -> Life:
    life = Life(BOOK, {})
    life.when("2027-01-04 10:00", plan(None))
    for name in dates:
        life.when("2027-01-04 11:00", c.ExpectDate(date=name, on=day("2027-02-01")))
    return life


def mission(value: str) -> c.RecordSituation:
    return c.RecordSituation(situation="mission", value=value)


def authorised(life: Life) -> Life:
    kind = "parent-authorisation"
    life.when("2027-01-05 10:00", c.AddEvidence(milestone=kind, kind=kind))
    return life.when("2027-01-05 10:05", c.ReachMilestone(milestone=kind))


def test_a_minor_has_no_mission_before_the_authorisation_and_mentoring_never() -> None:
    life = volunteer("minor-entry")
    for value in ("mentoring", "calls"):
        life.when("2027-01-05 09:00", mission(value)).refused("guarded")
    authorised(life)
    life.when("2027-01-06 09:00", mission("calls")).then("SituationChanged", also=True)
    life.when("2027-01-06 09:05", mission("mentoring")).refused("guarded")
    correction = c.Correct(what="situation", id="mission", to="mentoring")
    life.when("2027-01-06 09:10", correction).refused("guarded")


def test_an_authorisation_that_was_waived_is_none() -> None:
    life = volunteer("minor-entry")
    life.when("2027-01-05 10:00", c.WaiveMilestone(milestone="parent-authorisation"))
    life.when("2027-01-06 09:00", mission("calls")).refused("guarded")


def test_whoever_is_of_age_is_not_concerned() -> None:
    volunteer().when("2027-01-05 09:00", mission("mentoring")).then("SituationChanged", also=True)
    life = volunteer("minor-entry").when("2027-01-05 09:00", c.CancelDate(date="minor-entry"))
    life.when("2027-01-05 09:05", mission("mentoring")).then("SituationChanged", also=True)


@pytest.mark.parametrize(("lang", "says"), [("fr", "rencontre jamais"), ("en", "never meets participants")])
def test_the_refusal_is_told_in_the_programmes_words(lang: str, says: str) -> None:
    assert says in refusal("guarded", {"guard": "minor-apart", "value": "mentoring"}, lang, BOOK)
    assert refusal("guarded", {}, lang, BOOK)


@pytest.mark.parametrize(
    ("born", "dates", "barred"),
    [
        (UNDER_AGE, (), True), (UNDER_AGE, ("minor-entry",), True), (OF_AGE, ("minor-entry",), False),
        (UNTOLD, ("minor-entry",), True), (UNTOLD, (), False),
    ],
)  # fmt: skip
def test_who_may_be_a_mentor(born: date | None, dates: tuple[str, ...], barred: bool) -> None:
    state = authorised(volunteer(*dates)).state
    assert (guards.no_mentor(BOOK.programme, state, born, day("2027-02-01")) == "minor-apart") is barred


def test_the_age_counts_once_the_journey_is_over() -> None:
    life = volunteer("minor-entry")
    life.when("2027-01-05 10:00", c.Close(outcome="stopped"))
    for born, barred in ((UNDER_AGE, True), (UNTOLD, False)):
        found = guards.no_mentor(BOOK.programme, life.state, born, day("2027-02-01"))
        assert (found is not None) is barred


def test_of_age_on_the_birthday() -> None:
    assert [guards.age(date(2009, 3, 1), date(2027, month, on)) for month, on in ((2, 28), (3, 1))] == [17, 18]
    assert guards.age(date(2008, 2, 29), date(2026, 2, 28)) == 17


def test_the_programme_wants_to_be_told_who_is_under_age() -> None:
    def wanted(born: date | None, *dates: str) -> Any:
        found = guards.date_wanted(BOOK.programme, born, day("2027-01-04"), frozenset(dates))
        return found and found[0]

    assert wanted(UNDER_AGE) == "minor-entry"
    assert wanted(UNDER_AGE, "minor-entry") is wanted(OF_AGE) is wanted(UNTOLD) is None


@pytest.mark.parametrize(
    ("guard", "code", "where"),
    [
        ({"bars": ["calls"]}, None, ()),
        ({"bars": ["unknown"], "when": "young", "under": 18, "needs": ["paper"]}, None, ()),
        ({"bars": ["cooking"]}, "unknown-value", ("bars", 0)),
        ({"bars": ["calls"], "situation": "task"}, "unknown-situation", ("situation",)),
        ({"bars": ["calls"], "when": "start"}, "unknown-date", ("when",)),
        ({"bars": ["calls"], "needs": ["papers"]}, "unknown-milestone", ("needs", 0)),
        ({"bars": ["calls"], "under": 18}, "age-without-date", ("under",)),
    ],
)
def test_a_guard_that_cannot_hold_is_found(guard: dict[str, Any], code: str | None, where: tuple[Any, ...]) -> None:
    label = {"fr": "x", "en": "x"}
    written = Programme.model_validate({
        "programme": "p", "label": label, "dates": {"young": {"label": label}},
        "milestones": {"paper": {"label": label, "due": "1 month after start"}}, "situations": {"mission": ["calls"]},
        "guards": {"apart": {"says": label, "situation": "mission", **guard}},
    })  # fmt: skip
    found = [(each.code, each.path) for each in feasibility.findings(written, frozenset()) if "guards" in each.path]
    assert found == ([] if code is None else [(code, ("guards", "apart", *where))])
