"""Time of a campaign that cannot wait: a minute of a programme lasts a second, and night comes every half minute.

A programme's shortest length is a minute, and its nights are those of the sky. Worker and campaign put the same haste
in from outside, so that what decides and what judges go by one clock; nothing in the product knows of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Final

from journeys.domain import moments
from journeys.domain.calendar import Calendar
from journeys.domain.moments import Duration, Unit

ROUND_SECONDS: Final = 30
"""A day and its night, counted from the epoch."""
NIGHT_SECONDS: Final = 10
"""How much of the end of it is night."""


def _elapsed(length: Duration) -> timedelta:
    return timedelta(seconds=length.amount * (60 if length.unit is Unit.HOUR else 1))


def _quiet_until(self: Calendar, instant: datetime) -> datetime | None:
    into = instant.timestamp() % ROUND_SECONDS
    if into < ROUND_SECONDS - NIGHT_SECONDS:
        return None
    whole = int(instant.timestamp() // ROUND_SECONDS) + 1
    return datetime.fromtimestamp(whole * ROUND_SECONDS, UTC)


def _rests(self: Calendar, day: date) -> bool:
    return False


def deep_in_the_night(instant: datetime, seconds: float) -> bool:
    """Whether it is night, and so far from both of its edges that no clock on the way can matter."""
    into = instant.timestamp() % ROUND_SECONDS - (ROUND_SECONDS - NIGHT_SECONDS)
    return seconds < into < NIGHT_SECONDS - seconds


@contextmanager
def hastened() -> Iterator[None]:
    """Go by this clock until the end of the block, in this process."""
    code, quiet, rests = moments.elapsed.__code__, Calendar.quiet_until, Calendar.rests
    # Several modules hold the function by its name: it is its body that changes.
    moments.elapsed.__code__ = _elapsed.__code__
    Calendar.quiet_until, Calendar.rests = _quiet_until, _rests  # type: ignore[method-assign]
    try:
        yield
    finally:
        moments.elapsed.__code__ = code
        Calendar.quiet_until, Calendar.rests = quiet, rests  # type: ignore[method-assign]
