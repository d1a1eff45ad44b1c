"""What people type is read as they mean it, and what cannot be meant is refused by field."""

from datetime import UTC, date, datetime

import pytest

from journeys.app.failures import Exit, Failure
from journeys.app.reading import read_amount, read_day, read_instant, read_occurred


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2027-05-12", date(2027, 5, 12)),
        ("12/05/2027", date(2027, 5, 12)),
        ("1.2.2028", date(2028, 2, 1)),
        (" 2028-02-29 ", date(2028, 2, 29)),
    ],
)
def test_days(text: str, day: date) -> None:
    assert read_day(text, "--on") == day


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2027-02-29", "no-such-date"),
        ("31/04/2027", "no-such-date"),
        ("0000-01-01", "year-out-of-range"),
        ("12/05/27", "not-a-date"),
        ("demain", "not-a-date"),
        ("", "not-a-date"),
        ("2027-05-12\x00", "not-a-date"),
    ],
)
def test_days_that_are_not(text: str, code: str) -> None:
    with pytest.raises(Failure) as refused:
        read_day(text, "--on")
    assert (refused.value.code, refused.value.exit, refused.value.field) == (code, Exit.USAGE, "--on")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2027-05-12 14:30", datetime(2027, 5, 12, 12, 30, tzinfo=UTC)),
        ("12/01/2027 9h", datetime(2027, 1, 12, 8, 0, tzinfo=UTC)),
        ("2027-05-12T14:30+00:00", datetime(2027, 5, 12, 14, 30, tzinfo=UTC)),
    ],
)
def test_instants_are_local_unless_they_say_otherwise(text: str, instant: datetime) -> None:
    assert read_instant(text, "--at") == instant


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2027-03-28 02:30", "no-such-hour"),
        ("2027-05-12 25:00", "not-an-instant"),
        ("2027-05-12", "not-an-instant"),
        ("2027-02-30 10:00", "no-such-date"),
        ("0001-01-01T00:00+14:00", "year-out-of-range"),
        ("9999-12-31T23:59-12:00", "year-out-of-range"),
        ("2200-01-01T00:00Z", "year-out-of-range"),
    ],
)
def test_instants_that_are_not(text: str, code: str) -> None:
    with pytest.raises(Failure) as refused:
        read_instant(text, "--at")
    assert refused.value.code == code


def test_a_day_in_the_past_is_its_noon_and_today_is_now() -> None:
    now = datetime(2027, 5, 12, 6, 0, tzinfo=UTC)
    assert read_occurred("2027-05-12", "--on", now) == now
    assert read_occurred("2027-05-10", "--on", now) == datetime(2027, 5, 10, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("600", 60000),
        ("600,50", 60050),
        ("600.5 €", 60050),
        ("1200 EUR", 120000),
        ("1 150,50", 115050),
        ("1\u202f200,00\u00a0€", 120000),
    ],
)
def test_amounts(text: str, cents: int) -> None:
    assert read_amount(text, "--amount") == cents


@pytest.mark.parametrize(
    "text", ["-5", "1,234", "1e3", "douze", "", "0x10", "12 34", "1 2345", "1 200 50", "\u0661\u0662"]
)
def test_amounts_that_are_not(text: str) -> None:
    with pytest.raises(Failure) as refused:
        read_amount(text, "--amount")
    assert refused.value.code == "not-an-amount"


@pytest.mark.parametrize("text", ["20/08/1850", "2850-08-20"])
def test_a_slip_of_the_pen_in_a_year_is_named(text: str) -> None:
    with pytest.raises(Failure) as refused:
        read_day(text, "--release")
    assert (refused.value.code, refused.value.field) == ("year-out-of-range", "--release")
