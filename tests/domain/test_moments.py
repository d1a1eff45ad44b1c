"""Durations and moments as authors write them."""

import pytest

from journeys.domain.moments import parse_anchor, parse_duration, parse_lead, parse_moment, parse_stretch


@pytest.mark.parametrize(
    "text", ["4 hours", "1 day", "10 working days", "2 weeks", "6 months", "0 hours", "15 minutes"]
)
def test_a_duration_reads_back_as_written(text: str) -> None:
    assert str(parse_duration(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "at start", "at release", "10 working days before release", "3 weeks after cv reached",
        "5 days before jury due", "1 month after phase project",
    ],
)  # fmt: skip
def test_a_moment_reads_back_as_written(text: str) -> None:
    assert str(parse_moment(text)) == text


def test_a_cadence_reads_back_as_written() -> None:
    assert str(parse_stretch("every 2 weeks until 3 months")) == "every 2 weeks until 3 months"


def test_spaces_do_not_matter() -> None:
    assert parse_moment("  1  month after   release ") == parse_moment("1 month after release")


@pytest.mark.parametrize(
    ("parse", "text", "instead"),
    [
        (parse_duration, "ten days", "write for example 4 hours"),
        (parse_duration, "-3 days", "write for example"),
        (parse_duration, "9999 months", "too long"),
        (parse_duration, "1 year", "write for example"),
        (parse_anchor, "Release", "write start"),
        (parse_moment, "sometime", "write for example at start"),
        (parse_moment, "5 days release", "write for example"),
        (parse_stretch, "every week", "write for example every 1 week until 1 month"),
        (parse_stretch, "every 0 days until 1 month", "longer than nothing"),
        (parse_lead, "7 days", "write for example 7 days before"),
    ],
)
def test_what_cannot_be_read_says_what_to_write(parse, text: str, instead: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=instead):
        parse(text)
