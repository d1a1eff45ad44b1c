"""When a message may leave and a term ends, against a plain reckoning minute by minute, day by day: nights when clocks
change, zones, days of rest.

`make campaign-sending` plays 10,000 cases of each; an ordinary run a part of them.
"""

import calendar as calendar_module
import os
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import product
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from journeys.authoring.calendars import calendar_text
from journeys.domain.calendar import Calendar, compile_calendar, in_zone
from journeys.domain.moments import Duration, Unit
from journeys.domain.programme import Clock, Roll
from journeys.domain.sending import LONGEST_REST, SPREAD, Spares, first_free, reminder_of, spread, when_to_send

CASES = int(os.environ.get("SENDING_CASES", "200"))
ZONES = (
    "Europe/Paris", "Indian/Reunion", "Indian/Mayotte", "America/Martinique", "America/Guadeloupe", "America/Cayenne",
    "America/Miquelon", "Pacific/Noumea", "Pacific/Tahiti", "Pacific/Marquesas", "Pacific/Wallis", "America/Marigot",
    "America/St_Barthelemy", "Pacific/Gambier", "Atlantic/Azores", "Australia/Lord_Howe",
)  # fmt: skip
"""Paris, every zone overseas, and two whose clocks change at midnight and by half an hour."""
CALENDARS = ("FR", "FR-57", "FR-974")
NIGHTS = (("20:00", "08:00"), ("21:30", "07:45"), ("00:00", "08:00"), ("22:00", "02:30"), ("02:15", "06:00"),
          ("12:00", "14:00"), ("09:00", "09:00"))  # fmt: skip
OFFICES = (("09:00", "18:00", "13:00"), ("08:30", "12:15", "12:15"), ("13:00", "23:00", "14:30"),
           ("00:00", "06:00", "05:59"))  # fmt: skip
"""When it opens, closes, and until when what happens counts from the same day; the last one sees the clocks change."""
FROM, UNTIL = datetime(2026, 1, 2, tzinfo=UTC), datetime(2029, 12, 28, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@cache
def calendar_of(name: str, night: tuple[str, str]) -> Calendar:
    clock = Clock(quiet_from=night[0], quiet_to=night[1], calendar=name)
    return compile_calendar(calendar_text("Europe/Paris", name, 2026, 4), clock)


@cache
def office_of(name: str, office: tuple[str, str, str]) -> Calendar:
    clock = Clock(opens=office[0], closes=office[1], cut_off=office[2], calendar=name)
    return compile_calendar(calendar_text("Europe/Paris", name, 2026, 4), clock)


def edges() -> list[datetime]:
    """Where reckonings go wrong: clocks changing, 29 February, month ends, Easter, Christmas, new year, local days."""
    days = [date(2026, 3, 29), date(2026, 10, 25), date(2027, 3, 28), date(2027, 10, 31), date(2028, 2, 29),
            date(2028, 3, 26), date(2028, 10, 29), date(2027, 2, 28), date(2026, 4, 4), date(2027, 3, 27),
            date(2028, 4, 15), date(2026, 4, 30), date(2026, 5, 1), date(2026, 5, 22), date(2027, 5, 27),
            date(2026, 6, 10), date(2026, 12, 20), date(2028, 4, 27), date(2026, 12, 24), date(2027, 12, 31),
            date(2028, 1, 1), date(2026, 11, 1), date(2028, 11, 10), date(2027, 7, 13), date(2026, 8, 31),
            date(2026, 3, 7), date(2026, 11, 1), date(2027, 4, 3), date(2026, 10, 9)]  # fmt: skip
    return [datetime.combine(day, time(), UTC) for day in days]


INSTANTS = st.one_of(
    st.integers(0, int((UNTIL - FROM) / MINUTE)).map(lambda minutes: FROM + minutes * MINUTE),
    st.tuples(st.sampled_from(edges()), st.integers(-36 * 60, 60 * 60)).map(lambda at: at[0] + at[1] * MINUTE),
)
NEAR = st.timedeltas(timedelta(0), timedelta(days=6)).map(lambda length: length - length % MINUTE)
SEARCH = settings(max_examples=CASES, deadline=None, derandomize=True,
                    suppress_health_check=[HealthCheck.too_slow])  # fmt: skip


# --- the plain reckoning: look at the clock on the wall, minute after minute

LOCAL = {
    "America/Martinique": (22, "May"), "America/Guadeloupe": (27, "May"), "America/Cayenne": (10, "June"),
    "Indian/Reunion": (20, "December"), "Indian/Mayotte": (27, "April"), "America/Marigot": (28, "May"),
    "America/St_Barthelemy": (9, "October"),
}  # fmt: skip
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip


def disturbs(at: datetime, zone: str, calendar: Calendar, spares: Spares) -> bool:
    wall = at.astimezone(ZoneInfo(zone))
    hour = f"{wall.hour:02}:{wall.minute:02}"
    begins, ends = calendar.clock.quiet_from, calendar.clock.quiet_to
    night = begins <= hour < ends if begins <= ends else hour >= begins or hour < ends
    if spares is Spares.NOTHING or night:
        return spares is not Spares.NOTHING
    local = LOCAL.get(zone) == (wall.day, MONTHS[wall.month - 1])
    return spares is Spares.REST and (wall.isoweekday() == 7 or wall.date() in calendar.holidays or local)


def plainly(planned: datetime, zone: str, calendar: Calendar, spares: Spares) -> datetime:
    at = planned
    while disturbs(at, zone, calendar, spares):
        at += MINUTE
    return at


# --- the same


@SEARCH
@given(
    INSTANTS, NEAR, st.sampled_from(ZONES), st.sampled_from(CALENDARS), st.sampled_from(NIGHTS), st.sampled_from(Spares)
)
@example(datetime(2026, 10, 25, 0, 15, tzinfo=UTC), timedelta(1), "Europe/Paris", "FR", ("22:00", "02:30"), Spares.REST)
@example(
    datetime(2026, 10, 24, 1, 15, tzinfo=UTC), timedelta(3), "Europe/Paris", "FR", ("22:00", "02:30"), Spares.NIGHTS
)
def test_it_leaves_at_the_first_minute_that_disturbs_nobody_or_never(
    planned: datetime, valid: timedelta, zone: str, name: str, night: tuple[str, str], spares: Spares
) -> None:
    calendar = calendar_of(name, night)
    expected = plainly(planned, zone, calendar, spares)
    found = when_to_send(planned, in_zone(calendar, zone), spares, planned + valid)
    assert found == (expected if expected <= planned + valid else None)


@SEARCH
@given(INSTANTS, NEAR, st.integers(0, 4 * 24 * 60), st.sampled_from(ZONES), st.sampled_from(NIGHTS))
def test_a_reminder_comes_a_day_before_or_on_the_last_day_that_is_nobodys_rest(
    planned: datetime, ahead: timedelta, since: int, zone: str, night: tuple[str, str]
) -> None:
    """It never comes later than planned, never before now, and what it is brought forward for is a day of rest.

    As planned it stays where it disturbs nobody then, or leaves a day all the same, or could leave on no day before.
    """
    hours, event, now = in_zone(calendar_of("FR", night), zone), planned + ahead, planned - (since + 1) * MINUTE
    found = reminder_of(event, planned, hours, now)
    assert now < found <= planned
    leaves = plainly(planned, zone, hours, Spares.REST)
    if leaves == planned or event - leaves >= timedelta(days=1):
        assert found == planned
        return
    before = last_free_day_before(planned, zone, hours)
    assert found == (planned if before is None or before <= now else before)
    if found == planned:
        return
    assert not disturbs(found, zone, hours, Spares.REST)
    day = hours.day(found) + timedelta(days=1)
    while day < hours.day(planned):
        first = plainly(hours.midnight(day), zone, hours, Spares.REST)
        assert hours.day(first) > day, f"{day} was free"
        day += timedelta(days=1)


def last_free_day_before(planned: datetime, zone: str, hours: Calendar) -> datetime | None:
    """When a message may leave on the last day before on which any may: at the same hour, else as soon as it may."""
    wall = planned.astimezone(ZoneInfo(zone))
    for back in range(1, LONGEST_REST + 1):
        day = wall.date() - timedelta(days=back)
        for hour in (wall.time(), time()):
            wanted = datetime.combine(day, hour.replace(fold=0), ZoneInfo(zone)).astimezone(UTC)
            at = plainly(wanted, zone, hours, Spares.REST)
            if at.astimezone(ZoneInfo(zone)).date() == day:
                return at
    return None


def as_people_count(day: date, length: Duration, sign: int, holidays: frozenset[date]) -> date:
    """Turn the leaves of a calendar."""
    if length.unit is Unit.MONTH:
        year, month = day.year, day.month
        for _ in range(length.amount):
            month += sign
            year, month = (year + 1, 1) if month == 13 else (year - 1, 12) if month == 0 else (year, month)
        return date(year, month, min(day.day, calendar_module.monthrange(year, month)[1]))
    if length.unit is Unit.WEEK:
        length = Duration(length.amount * 7, Unit.DAY)
    left = length.amount
    while left:
        day += sign * timedelta(days=1)
        if length.unit is Unit.DAY or (day.isoweekday() < 6 and day not in holidays):
            left -= 1
    return day


@SEARCH
@given(
    st.dates(date(2026, 7, 1), date(2029, 6, 30)),
    st.sampled_from([Unit.DAY, Unit.WORKING_DAY, Unit.WEEK, Unit.MONTH]),
    st.integers(0, 40),
    st.sampled_from([1, -1]),
)
@example(date(2028, 1, 31), Unit.MONTH, 1, 1)
@example(date(2028, 2, 29), Unit.MONTH, 12, 1)
@example(date(2028, 3, 31), Unit.MONTH, 1, -1)
def test_days_and_months_are_counted_as_people_count_them(day: date, unit: Unit, amount: int, sign: int) -> None:
    calendar = calendar_of("FR", ("20:00", "08:00"))
    length = Duration(amount if unit in (Unit.DAY, Unit.WORKING_DAY) else amount // 4, unit)
    assert calendar.add(day, length, sign) == as_people_count(day, length, sign, calendar.holidays)


# --- terms


def at_work(at: datetime, zone: str, calendar: Calendar) -> bool:
    wall = at.astimezone(ZoneInfo(zone))
    hour = f"{wall.hour:02}:{wall.minute:02}"
    open_now = calendar.clock.opens <= hour < calendar.clock.closes
    return open_now and wall.isoweekday() < 6 and wall.date() not in calendar.holidays


def shown(day: date, hour: str, zone: str) -> datetime:
    """The first minute at which the clocks there show this day and hour."""

    def before(at: datetime) -> bool:
        return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" < f"{day} {hour}"

    at = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    while before(at + 120 * MINUTE):
        at += 60 * MINUTE
    while before(at):
        at += MINUTE
    return at


@SEARCH
@given(INSTANTS, st.integers(1, 12 * 60), st.sampled_from(ZONES), st.sampled_from(CALENDARS), st.sampled_from(OFFICES))
@example(datetime(2026, 3, 27, 15, 0, tzinfo=UTC), 600, "Europe/Paris", "FR", OFFICES[0])
@example(datetime(2026, 12, 31, 16, 59, tzinfo=UTC), 120, "Europe/Paris", "FR", OFFICES[0])
def test_hours_of_an_office_are_counted_minute_by_minute_while_it_is_open(
    begun: datetime, minutes: int, zone: str, name: str, office: tuple[str, str, str]
) -> None:
    hours, at, left = in_zone(office_of(name, office), zone), begun, minutes
    while left:
        left -= at_work(at, zone, hours)
        at += MINUTE
    assert hours.after_office_hours(begun, Duration(minutes, Unit.MINUTE)) == at


@SEARCH
@given(
    INSTANTS, st.sampled_from([Unit.DAY, Unit.WORKING_DAY, Unit.WEEK, Unit.MONTH, Unit.HOUR]), st.integers(0, 24),
    st.sampled_from(ZONES), st.sampled_from(CALENDARS), st.sampled_from(OFFICES),
)  # fmt: skip
@example(datetime(2026, 10, 23, 11, 0, tzinfo=UTC), Unit.WORKING_DAY, 2, "Europe/Paris", "FR", OFFICES[0])
@example(datetime(2026, 10, 23, 11, 1, tzinfo=UTC), Unit.WORKING_DAY, 2, "Europe/Paris", "FR", OFFICES[0])
def test_a_term_of_days_begins_on_the_day_that_still_counts_and_ends_at_closing(
    begun: datetime, unit: Unit, amount: int, zone: str, name: str, office: tuple[str, str, str]
) -> None:
    hours = in_zone(office_of(name, office), zone)
    length = Duration(amount if unit in (Unit.DAY, Unit.WORKING_DAY, Unit.HOUR) else amount // 4, unit)
    found = hours.term_end(begun, length)
    if unit is Unit.HOUR:
        assert found == begun + amount * 60 * MINUTE
        return
    wall = begun.astimezone(ZoneInfo(zone))
    day, too_late = wall.date(), begun > shown(wall.date(), office[2], zone)
    while unit is Unit.WORKING_DAY and (too_late or day.isoweekday() > 5 or day in hours.holidays):
        day, too_late = day + timedelta(days=1), False
    assert found == shown(as_people_count(day, length, 1, hours.holidays), office[1], zone)


@SEARCH
@given(
    st.dates(date(2026, 3, 1), date(2029, 10, 31)), st.integers(0, 40), st.sampled_from([1, -1]),
    st.sampled_from(Roll), st.sampled_from(ZONES), st.sampled_from(OFFICES),
)  # fmt: skip
@example(date(2026, 3, 28), 1, 1, Roll.FORWARD, "Europe/Paris", OFFICES[3])
@example(date(2026, 10, 24), 1, 1, Roll.NONE, "Europe/Paris", OFFICES[3])
@example(date(2027, 5, 1), 0, 1, Roll.BACK, "Europe/Paris", OFFICES[0])
def test_a_due_day_moves_off_days_on_which_nobody_works_and_ends_at_closing(
    day: date, amount: int, sign: int, roll: Roll, zone: str, office: tuple[str, str, str]
) -> None:
    hours = in_zone(office_of("FR", office), zone)
    found = hours.closing(hours.roll(hours.add(day, Duration(amount, Unit.DAY), sign), roll))
    expected = day + sign * timedelta(days=amount)
    while roll is not Roll.NONE and (expected.isoweekday() > 5 or expected in hours.holidays):
        expected += timedelta(days=1 if roll is Roll.FORWARD else -1)
    assert found == shown(expected, office[1], zone)


# --- told


def wall(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("planned", "zone", "leaves"),
    [
        ("2026-04-05 10:00", "Europe/Paris", "2026-04-07 08:00"),  # Easter Sunday, then Monday
        ("2026-12-24 20:30", "Europe/Paris", "2026-12-26 08:00"),
        ("2026-12-19 20:30", "Indian/Reunion", "2026-12-21 08:00"),  # the end of slavery, a Sunday this year
        ("2027-12-20 09:00", "Indian/Reunion", "2027-12-21 08:00"),  # a Monday
        ("2027-12-20 09:00", "Europe/Paris", "2027-12-20 09:00"),
        ("2026-05-22 09:00", "America/Martinique", "2026-05-23 08:00"),
        ("2028-02-29 22:00", "Europe/Paris", "2028-03-01 08:00"),
        ("2027-03-27 23:00", "Europe/Paris", "2027-03-30 08:00"),  # the short night before Easter Sunday
    ],
)
def test_days_of_rest(planned: str, zone: str, leaves: str) -> None:
    hours = in_zone(calendar_of("FR", ("20:00", "08:00")), zone)
    assert first_free(wall(planned, zone), hours, Spares.REST) == wall(leaves, zone)


@pytest.mark.parametrize("guard", ["rests", "quiet_until"])
def test_without_its_guard_somebody_is_disturbed(monkeypatch: pytest.MonkeyPatch, guard: str) -> None:
    """The search bites: its very first cases find it."""
    monkeypatch.setattr(Calendar, guard, lambda *_: None)
    search = test_it_leaves_at_the_first_minute_that_disturbs_nobody_or_never.hypothesis.inner_test  # type: ignore[attr-defined]
    with pytest.raises(AssertionError):
        for at in edges():
            search(at, timedelta(days=6), "Europe/Paris", "FR", NIGHTS[0], Spares.REST)


def bare(test: Any) -> Callable[..., None]:
    """A search as a function of one case."""
    found: Callable[..., None] = test.hypothesis.inner_test
    return found


def reminders() -> None:
    for at, hour in product(edges(), (9, 15)):
        planned = at + timedelta(hours=hour)
        test = bare(test_a_reminder_comes_a_day_before_or_on_the_last_day_that_is_nobodys_rest)
        test(planned, timedelta(hours=30), 3 * 24 * 60, "Europe/Paris", NIGHTS[0])


def office_hours() -> None:
    for at in edges():
        test = bare(test_hours_of_an_office_are_counted_minute_by_minute_while_it_is_open)
        test(at, 600, "Europe/Paris", "FR", OFFICES[0])


def terms() -> None:
    for at, hour in product(edges(), (9, 15)):
        test = bare(test_a_term_of_days_begins_on_the_day_that_still_counts_and_ends_at_closing)
        test(at + timedelta(hours=hour), Unit.WORKING_DAY, 2, "Europe/Paris", "FR", OFFICES[0])


def due_days() -> None:
    for at, roll in product(edges(), Roll):
        test = bare(test_a_due_day_moves_off_days_on_which_nobody_works_and_ends_at_closing)
        test(at.date(), 1, 1, roll, "Europe/Paris", OFFICES[0])


@pytest.mark.parametrize(
    ("search", "where", "guard", "instead"),
    [
        (reminders, sys.modules[__name__], "reminder_of", lambda event, planned, calendar, now: planned),
        (office_hours, Calendar, "works", lambda self, day: True),
        (office_hours, Calendar, "after_office_time", lambda self, begun, left: begun + left),
        (terms, Calendar, "first_day", lambda self, instant: self.day(instant)),
        (due_days, Calendar, "roll", lambda self, day, roll: day),
    ],
    ids=["reminder", "day-off", "closed", "cut-off", "roll"],
)
def test_without_its_guard_each_search_finds_it(
    monkeypatch: pytest.MonkeyPatch, search: Callable[[], None], where: Any, guard: str, instead: Callable[..., Any]
) -> None:
    search()
    monkeypatch.setattr(where, guard, instead)
    with pytest.raises(AssertionError):
        search()


def test_a_zone_that_is_none_counts_as_the_programmes() -> None:
    calendar = calendar_of("FR", ("20:00", "08:00"))
    assert in_zone(calendar, None) is calendar
    assert in_zone(calendar, "Nowhere/Near") is calendar
    assert in_zone(calendar, "America") is calendar
    assert in_zone(calendar, "../../etc/passwd") is calendar


# --- spread


JOURNEYS = [f"journey-{UUID(int=number)}" for number in range(5_000)]


def test_five_thousand_journeys_of_monday_at_nine_are_spread_evenly_each_always_at_its_own_moment() -> None:
    nine, half_an_hour = wall("2027-03-01 09:00", "Europe/Paris"), timedelta(minutes=30)
    moments = [spread(nine, half_an_hour, journey) for journey in JOURNEYS]
    assert moments == [spread(nine, half_an_hour, journey) for journey in JOURNEYS]
    assert all(nine <= at <= nine + half_an_hour for at in moments)
    by_minute = Counter((at - nine) // timedelta(minutes=1) for at in moments)
    assert max(by_minute.values()) < 2 * len(JOURNEYS) / 30
    by_second = Counter((at - nine) // timedelta(seconds=1) for at in moments)
    assert max(by_second.values()) < 20, "within what any gateway takes in a second"
    minutes = [spread(nine, SPREAD, journey) for journey in JOURNEYS]
    assert Counter(minutes).most_common(1)[0][1] < 5, "nobody's command waits behind twenty that come at once"
