"""The calendar that a journey freezes when it starts: public holidays of ten years, as stored text; days of banks."""

import json
import re
from datetime import date, timedelta
from functools import cache

import holidays

from journeys.domain.calendar import is_zone

_ALSACE = {"FR-67": "6AE", "FR-68": "6AE"}
"""Its two departments have the days of Alsace, under whose code alone these are known."""

_NAME = re.compile(r"^([A-Z]{2})(?:-([A-Z0-9]{1,3}))?$")


class CalendarUnknown(ValueError):
    """No public holidays under this name, or no such time zone. `name` is what was asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no calendar or zone named {name!r}")
        self.name = name


def calendar_text(zone: str, country: str, first_year: int, years: int = 10) -> str:
    """The text stored under its SHA-256: `{"zone", "name", "non_working": ["2026-01-01", ...]}`.

    `country` is `FR`, or with a subdivision `FR-974` (`FR-RE` also; `FR-67` and `FR-68` are Alsace). Public holidays on
    any day of the week, in order; Saturdays and Sundays are implied and not listed. Raises CalendarUnknown.
    """
    if not is_zone(zone):
        raise CalendarUnknown(zone)
    code, subdivision = _holidays_of(country)
    span = range(first_year, first_year + years)
    days = sorted(holidays.country_holidays(code, subdiv=subdivision, years=span))
    written = {
        "zone": zone,
        "name": country,
        "non_working": [day.isoformat() for day in days if day.year in span],
    }
    return json.dumps(written, ensure_ascii=False, separators=(",", ":"))


def bank_day(day: date) -> date:
    """This day, or the next on which banks of the euro area settle transfers.

    Not on Saturdays, Sundays, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December: the closing days of
    TARGET (Guideline ECB/2022/8, annex I; the same since 2002), not the public holidays of a country.
    """
    while day.weekday() >= _SATURDAY or day in _closed(day.year):
        day += timedelta(days=1)
    return day


_SATURDAY = 5


@cache
def _closed(year: int) -> frozenset[date]:
    return frozenset(holidays.financial_holidays("XECB", years=year))


def is_calendar(name: str) -> bool:
    """Whether public holidays are known under this name."""
    try:
        _holidays_of(name)
    except CalendarUnknown:
        return False
    return True


def _holidays_of(name: str) -> tuple[str, str | None]:
    found = _NAME.match(name)
    if found is None or found[1] not in holidays.list_supported_countries(include_aliases=True):
        raise CalendarUnknown(name)
    country, subdivision = found.groups()
    if subdivision is None:
        return country, None
    known = holidays.country_holidays(country)
    code = _ALSACE.get(name) or known.subdivisions_aliases.get(subdivision, subdivision)
    if code not in known.subdivisions:
        raise CalendarUnknown(name)
    return country, code
