"""Local days, working days and the hours of an office: the arithmetic of deadlines.

A calendar is data (a zone and its non-working days), stored once under its SHA-256, so that neither a new
holiday nor a new time-zone library changes a decision taken before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict

from journeys.domain.moments import Duration, Unit, elapsed
from journeys.domain.programme import Clock, Roll

ONE_DAY = timedelta(days=1)
SATURDAY = 5
SUNDAY = 6

ABOLITION: Final[Mapping[str, tuple[int, int]]] = {
    "America/Martinique": (5, 22),
    "America/Guadeloupe": (5, 27),
    "America/St_Barthelemy": (10, 9),
    "America/Marigot": (5, 28),
    "America/Cayenne": (6, 10),
    "Indian/Reunion": (12, 20),
    "Indian/Mayotte": (4, 27),
}
"""Month and day of the end of slavery, a holiday of its own overseas (loi 83-550, décret 83-1003), by the zone."""


class CalendarText(BaseModel):
    """The stored form of a calendar. `non_working` lists public holidays; weekends are understood."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: str
    name: str
    non_working: frozenset[date]


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """The days and hours of one programme in one place; one object for each text and clock, so compared as such."""

    zone: ZoneInfo
    holidays: frozenset[date]
    clock: Clock

    # --- days and instants

    def day(self, instant: datetime) -> date:
        """The local date of an instant."""
        return instant.astimezone(self.zone).date()

    def at(self, day: date, clock_time: str) -> datetime:
        """The instant of a local time of day; one that the clocks skip is taken an hour later."""
        return _instant(self.zone, day, clock_time)

    def midnight(self, day: date) -> datetime:
        return _instant(self.zone, day, "00:00")

    def opening(self, day: date) -> datetime:
        return _instant(self.zone, day, self.clock.opens)

    def closing(self, day: date) -> datetime:
        return _instant(self.zone, day, self.clock.closes)

    # --- working days

    def works(self, day: date) -> bool:
        return day.weekday() < SATURDAY and day not in self.holidays

    def rests(self, day: date) -> bool:
        """Whether people are left alone on a day: a Sunday, or a public holiday of where they live."""
        holiday = day in self.holidays or (day.month, day.day) == ABOLITION.get(self.zone.key)
        return holiday or day.weekday() == SUNDAY

    def roll(self, day: date, roll: Roll) -> date:
        """Move a day off non-working days, forward or back."""
        if roll is Roll.NONE:
            return day
        step = ONE_DAY if roll is Roll.FORWARD else -ONE_DAY
        while not self.works(day):
            day += step
        return day

    def add_working_days(self, day: date, count: int) -> date:
        """The day that lies `count` working days after `day` (before it when negative); 0 is `day` itself."""
        step = ONE_DAY if count > 0 else -ONE_DAY
        left = abs(count)
        while left:
            day += step
            left -= self.works(day)
        return day

    def working_days(self, day: date, last: date) -> int:
        """How many working days lie behind `day`, `last` among them."""
        return sum(self.works(day + timedelta(days=each)) for each in range(1, (last - day).days + 1))

    def add(self, day: date, length: Duration, sign: int = 1) -> date:
        """A day count from a local day. Months keep the day of the month, or take its last."""
        return _added(self, day, length.amount, length.unit, sign)

    # --- terms that begin with an event

    def first_day(self, instant: datetime) -> date:
        """Day 0 of a term in working days: the next working day after the cut-off or off working days."""
        day = self.day(instant)
        if self.works(day) and instant <= self.at(day, self.clock.cut_off):
            return day
        return self.roll(day + ONE_DAY, Roll.FORWARD)

    def term_end(self, begun: datetime, length: Duration, ends_at: str | None = None) -> datetime:
        """When a term that begins with an event ends: hours are elapsed, days end at `ends_at` (usually closing)."""
        if length.unit.counts_instants:
            return begun + elapsed(length)
        first = self.first_day(begun) if length.unit is Unit.WORKING_DAY else self.day(begun)
        return self.at(self.add(first, length), ends_at or self.clock.closes)

    def after_office_hours(self, begun: datetime, length: Duration) -> datetime:
        """The instant when `length` (hours or minutes) of opening time has passed since `begun`."""
        return self.after_office_time(begun, elapsed(length))

    def after_office_time(self, begun: datetime, left: timedelta) -> datetime:
        """The instant when so much opening time has passed since `begun`."""
        day = self.day(begun)
        while True:
            if self.works(day):
                start, end = max(begun, self.opening(day)), self.closing(day)
                if start + left <= end:
                    return start + left
                left -= max(end - start, timedelta(0))
            day += ONE_DAY

    def office_time(self, begun: datetime, until: datetime) -> timedelta:
        """How much opening time lies between two instants."""
        day, found = self.day(begun), timedelta(0)
        while day <= self.day(until):
            if self.works(day):
                found += max(min(until, self.closing(day)) - max(begun, self.opening(day)), timedelta(0))
            day += ONE_DAY
        return found

    def quiet_until(self, instant: datetime) -> datetime | None:
        """When the quiet hours end that hold `instant`, or None outside them."""
        local = instant.astimezone(self.zone)
        begins, ends = time.fromisoformat(self.clock.quiet_from), time.fromisoformat(self.clock.quiet_to)
        now = local.time()
        if begins <= ends:
            return self._end_of_quiet(local.date(), instant) if begins <= now < ends else None
        if now >= begins:
            return self._end_of_quiet(local.date() + ONE_DAY, instant)
        return self._end_of_quiet(local.date(), instant) if now < ends else None

    def _end_of_quiet(self, day: date, instant: datetime) -> datetime:
        """The first time after an instant that the clocks show the end of the quiet hours, where they show it twice."""
        end = self.at(day, self.clock.quiet_to)
        if end > instant:
            return end
        return datetime.combine(day, time.fromisoformat(self.clock.quiet_to), self.zone).replace(fold=1).astimezone(UTC)


# The same few days and hours are asked for again and again: at each event the whole plan of a journey is compared.


@lru_cache(maxsize=16_384)
def _instant(zone: ZoneInfo, day: date, clock_time: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock_time), zone).astimezone(UTC)


@lru_cache(maxsize=16_384)
def _added(calendar: Calendar, day: date, amount: int, unit: Unit, sign: int) -> date:
    if unit is Unit.WORKING_DAY:
        return calendar.add_working_days(day, sign * amount)
    return plainly_added(day, Duration(amount, unit), sign)


def plainly_added(day: date, length: Duration, sign: int = 1) -> date:
    """The day so many days, weeks or months after a day, or before it (-1); 31 January and a month is the last of
    February. Raises ValueError for what needs a calendar or a clock."""
    match length.unit:
        case Unit.WEEK:
            return day + sign * timedelta(weeks=length.amount)
        case Unit.MONTH:
            return _add_months(day, sign * length.amount)
        case Unit.DAY:
            return day + sign * timedelta(days=length.amount)
        case _:
            raise ValueError(f"{length} cannot be counted in plain days")


def _add_months(day: date, count: int) -> date:
    months = day.year * 12 + day.month - 1 + count
    year, month = divmod(months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - ONE_DAY).day
    return date(year, month + 1, min(day.day, last))


@lru_cache(maxsize=256)
def compile_calendar(text: str, clock: Clock) -> Calendar:
    """Read a calendar from its stored text; once per process and clock."""
    stored = CalendarText.model_validate_json(text)
    return Calendar(ZoneInfo(stored.zone), stored.non_working, clock)


def is_zone(name: str) -> bool:
    """Whether hours can be read there: `Indian/Reunion`, not `America` nor `Nowhere/Near`."""
    try:
        return ZoneInfo(name).key == name
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


@lru_cache(maxsize=1_024)
def in_zone(calendar: Calendar, zone: str | None) -> Calendar:
    """The same hours in another zone; the programme's own where none is known, or not as a zone."""
    # A zone mistyped in a person's row must not keep every message from leaving.
    return calendar if zone is None or not is_zone(zone) else replace(calendar, zone=ZoneInfo(zone))
