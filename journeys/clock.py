"""The one clock of the entry points: the present, plus an offset that only demo and tests set.

The domain and the workflows never read it: they are given their instants. Every output of an entry point
shows `describe()` while the offset is not zero, so that nobody takes a simulated date for today.
"""

import os
import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date

from journeys.settings import Language, Problem, SettingsError

VARIABLE: Final = "JOURNEYS_CLOCK_OFFSET"

_SHOWN_IN: Final = ZoneInfo("Europe/Paris")
_SIMULATED: Final[dict[Language, str]] = {"fr": "date simulée : {date}", "en": "simulated date: {date}"}
_BABEL_LOCALE: Final[dict[Language, str]] = {"fr": "fr_FR", "en": "en_GB"}

# Weeks, days and time only: a month has no fixed length, so an offset of months would mean nothing.
_DURATION: Final = re.compile(
    r"(?P<sign>[+-])?P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)

_UNITS: Final = ("weeks", "days", "hours", "minutes", "seconds")

_offset: timedelta | None = None


def now() -> datetime:
    """The present instant, aware UTC, moved by the offset.

    Raises:
        SettingsError: the variable JOURNEYS_CLOCK_OFFSET cannot be read, or leads past the year 9999.
    """
    try:
        return datetime.now(UTC) + offset()
    except OverflowError:
        raise _unreadable(str(offset())) from None


def offset() -> timedelta:
    """How far the clock is from the present; zero unless demo or tests moved it."""
    global _offset
    if _offset is None:
        _offset = parse_offset(os.environ.get(VARIABLE, ""))
    return _offset


def simulated() -> bool:
    """True when the clock does not show the present."""
    return offset() != timedelta()


def set_offset(value: timedelta) -> None:
    """Move the clock of this process; for demo and tests only. Children are told by `environment()`."""
    global _offset
    _offset = value


def environment() -> dict[str, str]:
    """What to add to the environment of a child process so that it shares this clock; maybe empty."""
    return {VARIABLE: repr(offset().total_seconds())} if simulated() else {}


def describe(lang: Language = "fr", zone: tzinfo = _SHOWN_IN) -> str:
    """Like "date simulée : 12 mai 2027" while the clock is simulated, else ""."""
    if not simulated():
        return ""
    date = format_date(now().astimezone(zone).date(), format="long", locale=_BABEL_LOCALE[lang])
    return _SIMULATED[lang].format(date=date)


def parse_offset(text: str) -> timedelta:
    """Read seconds ("86400", "-3.5") or an ISO 8601 duration without years and months ("P180DT6H").

    Raises:
        SettingsError: neither of the two.
    """
    text = text.strip()
    if not text:
        return timedelta()
    try:
        if match := _DURATION.fullmatch(text):
            parts = {name: float(match[name] or 0) for name in _UNITS}
            duration = timedelta(**parts)
            return -duration if match["sign"] == "-" else duration
        return timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        raise _unreadable(text) from None


def _unreadable(text: str) -> SettingsError:
    return SettingsError(
        Problem(
            variable=VARIABLE,
            fr=f"« {text} » n'est pas un décalage d'horloge ; "
            "écrivez des secondes (86400) ou une durée ISO sans mois (P180D, PT6H)",
            en=f'"{text}" is not a clock offset; write seconds (86400) or an ISO duration without months (P180D, PT6H)',
        )
    )
