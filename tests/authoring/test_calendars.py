"""Calendars as stored: public holidays of ten years, overseas also."""

import json
from datetime import date

import pytest

from journeys.authoring.calendars import CalendarUnknown, bank_day, calendar_text, is_calendar
from journeys.domain.calendar import CalendarText, is_zone


def days(name: str, zone: str = "Europe/Paris", years: int = 10) -> list[str]:
    found: list[str] = json.loads(calendar_text(zone, name, 2026, years))["non_working"]
    return found


def test_the_holidays_of_france() -> None:
    assert days("FR", years=1) == [
        "2026-01-01", "2026-04-06", "2026-05-01", "2026-05-08", "2026-05-14", "2026-05-25",
        "2026-07-14", "2026-08-15", "2026-11-01", "2026-11-11", "2026-12-25",
    ]  # fmt: skip


def test_ten_years_in_order_and_only_those() -> None:
    found = days("FR")
    assert found == sorted(set(found)) and len(found) == 110
    assert {day[:4] for day in found} == {str(year) for year in range(2026, 2036)}


def test_overseas_has_its_own_days() -> None:
    assert "2026-12-20" in days("FR-974", "Indian/Reunion") and "2026-12-20" not in days("FR")
    assert days("FR-RE") == days("FR-974")
    assert "2026-05-22" in days("FR-972")


def test_alsace_and_moselle_have_good_friday_and_the_day_after_christmas_by_the_number_of_each() -> None:
    alsace = days("FR-6AE")
    assert {"2026-04-03", "2026-12-26"} <= set(alsace) - set(days("FR"))
    assert days("FR-67") == days("FR-68") == alsace and set(days("FR-57")) >= {"2026-12-26"}


def test_the_text_is_the_same_each_time_and_the_domain_reads_it() -> None:
    text = calendar_text("Europe/Paris", "FR", 2026)
    assert text == calendar_text("Europe/Paris", "FR", 2026)
    assert text.startswith('{"zone":"Europe/Paris","name":"FR","non_working":["2026-01-01"')
    assert len(CalendarText.model_validate_json(text).non_working) == len(days("FR"))


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Europe/Pari", "FR"),
        ("../etc/passwd", "FR"),
        ("Europe", "FR"),
        ("Europe/Paris", "XX"),
        ("Europe/Paris", "FR-ZZ"),
        ("Europe/Paris", "fr"),
    ],
)
def test_what_is_not_known_is_refused(zone: str, name: str) -> None:
    with pytest.raises(CalendarUnknown):
        calendar_text(zone, name, 2026)
    assert not (is_zone(zone) and is_calendar(name))


@pytest.mark.parametrize(
    ("asked", "settles"),
    [
        ("2027-03-25", "2027-03-25"),  # Thursday before Easter
        ("2027-03-26", "2027-03-30"),  # Good Friday, to after Easter Monday
        ("2026-12-25", "2026-12-28"),  # Christmas on a Friday
        ("2027-12-31", "2027-12-31"),
        ("2028-01-01", "2028-01-03"),
        ("2026-05-01", "2026-05-04"),
        ("2026-05-08", "2026-05-08"),  # a public holiday in France; banks settle
        ("2026-11-28", "2026-11-30"),  # a Saturday
    ],
)
def test_banks_settle_on_days_of_their_own(asked: str, settles: str) -> None:
    assert bank_day(date.fromisoformat(asked)) == date.fromisoformat(settles)
