"""When a message may leave, against a plain reckoning minute by minute: nights when clocks change, zones, days of rest.

`make campaign-sending` plays 10,000 cases of each; an ordinary run a part of them.
"""

import calendar as calendar_module
import os
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from journeys.authoring.calendars import calendar_text
from journeys.domain.calendar import Calendar, compile_calendar, in_zone
from journeys.domain.moments import Duration, Unit
from journeys.domain.programme import Clock
from journeys.domain.sending import Spares, first_free, reminder_of, spread, when_to_send

CASES = int(os.environ.get("SENDING_CASES", "200"))
ZONES = (
    "Europe/Paris", "Indian/Reunion", "Indian/Mayotte", "America/Martinique", "America/Guadeloupe", "America/Cayenne",
    "America/Miquelon", "Pacific/Noumea", "Pacific/Tahiti", "Pacific/Marquesas", "Pacific/Wallis", "America/Marigot",
    "Atlantic/Azores", "Australia/Lord_Howe",
)  # fmt: skip
"""Paris, every zone overseas, and two whose clocks change at midnight and by half an hour."""
CALENDARS = ("FR", "FR-57", "FR-974")
NIGHTS = (("20:00", "08:00"), ("21:30", "07:45"), ("00:00", "08:00"), ("22:00", "02:30"), ("02:15", "06:00"),
          ("12:00", "14:00"), ("09:00", "09:00"))  # fmt: skip
FROM, UNTIL = datetime(2026, 1, 2, tzinfo=UTC), datetime(2029, 12, 28, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@cache
def calendar_of(name: str, night: tuple[str, str]) -> Calendar:
    clock = Clock(quiet_from=night[0], quiet_to=night[1], calendar=name)
    return compile_calendar(calendar_text("Europe/Paris", name, 2026, 4), clock)


def edges() -> list[datetime]:
    """Where reckonings go wrong: clocks changing, 29 February, month ends, Easter, Christmas, new year, local days."""
    days = [date(2026, 3, 29), date(2026, 10, 25), date(2027, 3, 28), date(2027, 10, 31), date(2028, 2, 29),
            date(2028, 3, 26), date(2028, 10, 29), date(2027, 2, 28), date(2026, 4, 4), date(2027, 3, 27),
            date(2028, 4, 15), date(2026, 4, 30), date(2026, 5, 1), date(2026, 5, 22), date(2027, 5, 27),
            date(2026, 6, 10), date(2026, 12, 20), date(2028, 4, 27), date(2026, 12, 24), date(2027, 12, 31),
            date(2028, 1, 1), date(2026, 11, 1), date(2028, 11, 10), date(2027, 7, 13), date(2026, 8, 31),
            date(2026, 3, 7), date(2026, 11, 1), date(2027, 4, 3)]  # fmt: skip
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
    """It never comes later than planned, never before now, and what it is brought forward for is a day of rest."""
    hours, event, now = in_zone(calendar_of("FR", night), zone), planned + ahead, planned - (since + 1) * MINUTE
    found = reminder_of(event, planned, hours, now)
    assert now < found <= planned
    if found == planned:
        return
    leaves = plainly(planned, zone, hours, Spares.REST)
    assert event - leaves < timedelta(days=1)
    assert not disturbs(found, zone, hours, Spares.REST)
    day = hours.day(found) + timedelta(days=1)
    while day < hours.day(planned):
        first = plainly(hours.midnight(day), zone, hours, Spares.REST)
        assert hours.day(first) > day, f"{day} was free"
        day += timedelta(days=1)


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
    assert Counter(moments).most_common(1)[0][1] < 20, "within what any gateway takes in a second"
