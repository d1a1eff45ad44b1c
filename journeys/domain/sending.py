"""When a message may leave: not in its recipient's quiet hours, not on days of rest, and not once it is too late."""

from datetime import datetime, timedelta
from enum import Enum, auto
from hashlib import sha256

from journeys.domain.calendar import ONE_DAY, Calendar

LONGEST_SPREAD = timedelta(hours=2)
"""A programme spreads nothing over longer: the morning is over by then."""

SPREAD = timedelta(minutes=4)
"""Over how long misses of one closing hour are spread at most: the alert about one is owed within five minutes."""

LONGEST_REST = 14
"""Days that a reminder looks back at most for one on which messages leave."""


class Spares(Enum):
    """What of its recipient's time a message leaves alone."""

    NOTHING = auto()
    """Urgent, to staff: it leaves at any hour."""
    NIGHTS = auto()
    """Urgent, to the person: it leaves on any day."""
    REST = auto()
    """Every other one: quiet hours, Sundays and public holidays."""


def when_to_send(planned: datetime, calendar: Calendar, spares: Spares, valid_until: datetime) -> datetime | None:
    """The first instant from `planned` on at which a message may leave; None when it would come too late.

    Args:
        calendar: hours and holidays of where the recipient lives.
        valid_until: the last instant at which it is worth sending.
    """
    at = first_free(planned, calendar, spares)
    return at if at <= valid_until else None


def first_free(planned: datetime, calendar: Calendar, spares: Spares) -> datetime:
    """The same for a message that is never too late."""
    if spares is Spares.NOTHING:
        return planned
    at = planned
    while True:
        if (quiet_until := calendar.quiet_until(at)) is not None:
            at = quiet_until
        elif spares is Spares.REST and calendar.rests(day := calendar.day(at)):
            at = calendar.midnight(day + ONE_DAY)
        else:
            return at


def next_digest(now: datetime, calendar: Calendar) -> datetime | None:
    """When the next digest leaves; None where each alert is told by itself."""
    hour, day = calendar.clock.digest, calendar.day(now)
    if hour is None:
        return None
    while not calendar.works(day) or calendar.at(day, hour) <= now:
        day += ONE_DAY
    return calendar.at(day, hour)


def spread(at: datetime, over: timedelta, journey: str) -> datetime:
    """A journey's own moment in the window that begins at `at`: always the same, to the millisecond, and as good as
    drawn.

    Monday at nine is one instant for thousands of journeys; none of them needs it to be. To the second, some twenty of
    them would still come at once, and whoever asks for something just then would wait for all twenty.
    """
    place = int.from_bytes(sha256(journey.encode()).digest()[:8])
    return at + timedelta(milliseconds=place % (over // timedelta(milliseconds=1) + 1))


def reminder_of(event: datetime, planned: datetime, calendar: Calendar, now: datetime) -> datetime:
    """When to remind somebody of what happens at `event`, if it was planned for `planned`.

    Earlier where days of rest would leave less than a day between: at the same hour of the last day on which messages
    leave, if that is still ahead.
    """
    leaves = first_free(planned, calendar, Spares.REST)
    if leaves == planned or event - leaves >= ONE_DAY:
        return planned
    day, hour = calendar.day(planned), f"{planned.astimezone(calendar.zone):%H:%M}"
    for _ in range(LONGEST_REST):
        day -= ONE_DAY
        for wanted in (calendar.at(day, hour), calendar.midnight(day)):
            at = first_free(wanted, calendar, Spares.REST)
            if calendar.day(at) == day:
                return at if at > now else planned
    return planned
