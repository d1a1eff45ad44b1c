"""Days, working days, months and office hours, in Paris: French holidays, nights when the clocks change, leap days."""

from datetime import datetime, timedelta

import pytest

from journeys.domain.moments import parse_duration
from journeys.domain.programme import Roll
from tests.domain.given import PARIS, day, house, paris

CALENDAR = house().calendar


def local(instant: datetime) -> str:
    return instant.astimezone(PARIS).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("begins", "length", "ends"),
    [
        ("2027-01-31", "1 month", "2027-02-28"),  # the last of a shorter month
        ("2028-01-31", "1 month", "2028-02-29"),
        ("2028-02-29", "12 months", "2029-02-28"),
        ("2027-02-28", "1 month", "2027-03-28"),  # not the last of March: the same day of the month
        ("2027-12-15", "2 months", "2028-02-15"),
        ("2027-03-01", "2 weeks", "2027-03-15"),
        ("2027-03-26", "1 working day", "2027-03-30"),  # over a weekend and Easter Monday
        ("2027-05-05", "1 working day", "2027-05-07"),  # over Ascension
        ("2027-03-27", "1 working day", "2027-03-30"),
        ("2027-03-01", "0 working days", "2027-03-01"),
    ],
)
def test_a_day_count(begins: str, length: str, ends: str) -> None:
    assert CALENDAR.add(day(begins), parse_duration(length)) == day(ends)


@pytest.mark.parametrize(
    ("anchor", "length", "before"),
    [
        ("2027-03-31", "1 month", "2027-02-28"),
        ("2027-03-01", "10 working days", "2027-02-15"),
        ("2027-03-30", "1 working day", "2027-03-26"),
        ("2028-03-29", "1 month", "2028-02-29"),
    ],
)
def test_a_day_count_back(anchor: str, length: str, before: str) -> None:
    assert CALENDAR.add(day(anchor), parse_duration(length), -1) == day(before)


@pytest.mark.parametrize(
    ("on", "forward", "back"),
    [
        ("2027-03-28", "2027-03-30", "2027-03-26"),  # Easter Sunday: Monday is off too
        ("2027-05-01", "2027-05-03", "2027-04-30"),
        ("2027-05-08", "2027-05-10", "2027-05-07"),
        ("2027-07-14", "2027-07-15", "2027-07-13"),
        ("2027-03-02", "2027-03-02", "2027-03-02"),
    ],
)
def test_rolling_off_days_without_work(on: str, forward: str, back: str) -> None:
    assert CALENDAR.roll(day(on), Roll.FORWARD) == day(forward)
    assert CALENDAR.roll(day(on), Roll.BACK) == day(back)
    assert CALENDAR.roll(day(on), Roll.NONE) == day(on)


@pytest.mark.parametrize(
    ("begun", "length", "ends"),
    [
        ("2027-03-01 12:59", "2 working days", "2027-03-03 18:00"),
        ("2027-03-01 13:00", "2 working days", "2027-03-03 18:00"),  # the cut-off itself is in time
        ("2027-03-01 13:01", "2 working days", "2027-03-04 18:00"),  # day 0 is the next working day
        ("2027-02-27 10:00", "2 working days", "2027-03-03 18:00"),  # a Saturday: day 0 is Monday
        ("2027-03-26 15:00", "1 working day", "2027-03-31 18:00"),  # Good Friday afternoon: day 0 is Tuesday
        ("2027-03-01 15:00", "3 days", "2027-03-04 18:00"),  # the cut-off is for working days only
        ("2027-03-01 15:00", "6 hours", "2027-03-01 21:00"),
    ],
)
def test_a_term_that_begins_with_an_event(begun: str, length: str, ends: str) -> None:
    assert local(CALENDAR.term_end(paris(begun), parse_duration(length))) == ends


@pytest.mark.parametrize(
    ("begun", "length", "ends"),
    [
        ("2027-03-01 10:00", "4 hours", "2027-03-01 14:00"),
        ("2027-03-01 16:00", "4 hours", "2027-03-02 11:00"),
        ("2027-03-05 17:30", "1 hour", "2027-03-08 09:30"),
        ("2027-03-26 17:00", "10 hours", "2027-03-30 18:00"),  # over Easter
        ("2027-03-06 11:00", "30 minutes", "2027-03-08 09:30"),
    ],
)
def test_hours_of_a_ladder_count_while_the_office_is_open(begun: str, length: str, ends: str) -> None:
    assert local(CALENDAR.after_office_hours(paris(begun), parse_duration(length))) == ends


@pytest.mark.parametrize(
    ("instant", "until"),
    [
        ("2027-03-01 19:59", None),
        ("2027-03-01 20:00", "2027-03-02 08:00"),
        ("2027-03-02 07:59", "2027-03-02 08:00"),
        ("2027-03-02 08:00", None),
        ("2027-03-27 23:00", "2027-03-28 08:00"),  # the short night
        ("2027-10-30 23:00", "2027-10-31 08:00"),  # the long one
    ],
)
def test_quiet_hours(instant: str, until: str | None) -> None:
    found = CALENDAR.quiet_until(paris(instant))
    assert (local(found) if found else None) == until


def test_nights_when_the_clocks_change_are_eleven_and_thirteen_hours_long() -> None:
    def night(on: str) -> timedelta:
        return CALENDAR.opening(day(on)) - CALENDAR.at(day(on) - timedelta(days=1), "21:00")

    assert night("2027-03-28") == timedelta(hours=11)
    assert night("2027-10-31") == timedelta(hours=13)


def test_a_time_of_day_that_the_clocks_skip_is_taken_an_hour_later() -> None:
    assert local(CALENDAR.at(day("2027-03-28"), "02:30")) == "2027-03-28 03:30"


def test_the_local_day_is_that_of_paris() -> None:
    assert CALENDAR.day(paris("2027-07-14 00:30")) == day("2027-07-14")
    assert paris("2027-07-14 00:30").date() == day("2027-07-13")
