"""The clock of the entry points: the offset is read, shown, and handed on."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from journeys import clock
from journeys.settings import SettingsError


@pytest.fixture(autouse=True)
def _offset_unread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(clock.VARIABLE, raising=False)
    monkeypatch.setattr(clock, "_offset", None)
    yield


def test_by_default_it_shows_the_present_and_says_nothing() -> None:
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert not clock.simulated() and clock.describe() == "" and clock.environment() == {}


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("86400", timedelta(days=1)),
        ("-3.5", timedelta(seconds=-3.5)),
        ("P180DT6H", timedelta(days=180, hours=6)),
        ("-P1W", timedelta(weeks=-1)),
        ("PT0.5S", timedelta(seconds=0.5)),
        ("", timedelta()),
    ],
)
def test_the_offset_is_seconds_or_a_duration(monkeypatch: pytest.MonkeyPatch, text: str, offset: timedelta) -> None:
    monkeypatch.setenv(clock.VARIABLE, text)
    assert clock.offset() == offset
    assert abs(clock.now() - datetime.now(UTC) - offset) < timedelta(seconds=5)
    assert clock.parse_offset(clock.environment().get(clock.VARIABLE, "")) == offset


@pytest.mark.parametrize("text", ["P6M", "P1Y", "P", "PT", "tomorrow", "nan", "inf", "1e99"])
def test_another_offset_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(clock.VARIABLE, text)
    with pytest.raises(SettingsError, match=clock.VARIABLE):
        clock.now()


def test_an_offset_past_the_last_year_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clock.VARIABLE, "P3000000D")
    with pytest.raises(SettingsError, match=clock.VARIABLE):
        clock.now()


def test_a_simulated_date_is_said_in_both_languages() -> None:
    # 23:30 UTC is already the next day in Paris.
    clock.set_offset(datetime(2027, 5, 11, 23, 30, tzinfo=UTC) - datetime.now(UTC))
    assert clock.simulated()
    assert clock.describe() == "date simulée : 12 mai 2027"
    assert clock.describe("en") == "simulated date: 12 May 2027"
