"""Cents: read, written, split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.domain.money import format_euro, parse_euro, split


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("1200 EUR", 120_000), ("1200", 120_000), ("85,50 EUR", 8_550), ("85.5 €", 8_550), ("0,01", 1),
        ("1200\u00a0€", 120_000), (300, 30_000),
    ],
)  # fmt: skip
def test_an_amount_is_read(text: str, cents: int) -> None:
    assert parse_euro(text) == cents


@pytest.mark.parametrize("text", ["-5", "1,234.50", "12,345", "twelve", "", "1e3", True, 1.5])
def test_what_is_no_amount_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="write for example"):
        parse_euro(text)  # type: ignore[arg-type]


def test_an_amount_is_written_as_people_read_it() -> None:
    assert format_euro(120_050) == "1\u202f200,50\u00a0€"
    assert format_euro(120_050, "en") == "€1,200.50"
    assert format_euro(-5) == "-0,05\u00a0€"


def test_the_last_part_takes_the_rest_of_the_cents() -> None:
    assert split(10_001, [33, 33, 34]) == [3_300, 3_300, 3_401]
    assert split(1, [50, 50]) == [0, 1]


@given(st.integers(0, 10**9), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_no_cent_is_lost_or_made(cents: int, shares: list[int]) -> None:
    whole = [*shares[:-1], 0]
    if sum(whole) <= 100:
        parts = split(cents, whole)
        assert sum(parts) == cents
        assert all(part >= 0 for part in parts)
