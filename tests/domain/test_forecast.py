"""A programme laid along time: each thing on its day, and no day for what nobody can date."""

from datetime import date

from journeys.authoring.calendars import calendar_text
from journeys.authoring.reading import programme_names, read_programme
from journeys.domain.forecast import Forecast, forecast
from journeys.domain.handbook import Handbook, open_handbook


def book(name: str) -> Handbook:
    text = read_programme(name).text
    return open_handbook(text, calendar_text("Europe/Paris", "FR", 2027))


def laid(name: str, start: str, **dates: str) -> Forecast:
    return forecast(
        book(name), date.fromisoformat(start), {code: date.fromisoformat(day) for code, day in dates.items()}
    )


def test_phases_and_milestones_hang_on_the_dates_and_on_one_another() -> None:
    found = laid("auxilia", "2027-01-04", release="2027-05-12")
    assert (found.phases["inside"].begins, found.phases["inside"].ends) == (date(2027, 1, 4), date(2027, 5, 12))
    assert found.milestones["exit-plan"] == date(2027, 4, 27), "ten working days before, Ascension left out"
    assert found.milestones["first-meeting"] == found.phases["project"].begins == date(2027, 5, 18), "Whitsun left out"
    written = found.milestones["project-written"]
    assert written == date(2027, 7, 12) == found.phases["employment"].begins
    assert found.milestones["partner-met"] == date(2027, 8, 2), "three weeks after what is reached on its day"
    assert found.ends == date(2027, 11, 12)


def test_what_has_no_term_has_no_day_nor_has_what_waits_for_it() -> None:
    found = laid("auxilia", "2027-01-04", release="2027-05-12")
    assert found.milestones["job-kept"] is None and found.milestones["grant-used"] is None
    assert found.phases["employment"].ends is None, "it ends with a milestone that nobody can date"
    without = laid("auxilia", "2027-01-04")
    assert without.milestones["exit-plan"] is None and without.phases["inside"].begins == date(2027, 1, 4)
    assert without.ends is None


def test_every_programme_shipped_can_be_laid_along_time() -> None:
    for name in programme_names():
        rules = book(name)
        days = {code: date(2027, 5, 12) for code in rules.programme.dates}
        found = forecast(rules, date(2027, 1, 4), days)
        assert found.phases.keys() == rules.programme.phases.keys()
        assert found.milestones.keys() == rules.programme.milestones.keys()
        assert any(day is not None for day in found.milestones.values()), name
