"""Appointments as calendars read them (RFC 5545), to go with a letter or as a feed: when and where, no more."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from journeys.domain.events import AppointmentCancelled, AppointmentMoved
from journeys.domain.record import Event, Payload
from journeys.domain.state import Appointment

_NAMES: Final = {"fr": "Rendez-vous", "en": "Appointment"}
_MADE_BY: Final = "-//release-journeys//FR"


@dataclass(frozen=True, slots=True)
class Meeting:
    """One appointment."""

    id: str
    """A UUID: a calendar knows it again when it is moved."""
    at: datetime
    """Aware."""
    minutes: int
    place: str = field(repr=False)
    moves: int = 0
    """How often it was moved or called off: a calendar believes the highest."""


def meeting(events: Iterable[Event[Payload]], id: str, known: Appointment, place: str) -> Meeting:
    """An appointment of a journey, after all of its events."""
    moves = sum(
        isinstance(event.data, AppointmentMoved | AppointmentCancelled) and event.data.appointment == id
        for event in events
    )
    return Meeting(id, known.at, known.minutes, place, moves)


def calendar(
    meetings: Iterable[Meeting], *, association: str, lang: str, stamp: datetime,
    method: Literal["PUBLISH", "CANCEL"] = "PUBLISH",
) -> bytes:  # fmt: skip
    """A calendar with these appointments, or (CANCEL) one that takes them away. Nobody is asked for an answer by it.

    Args:
        stamp: when this was made; aware.
    """
    from icalendar import Calendar
    from icalendar import Event as Entry

    whole = Calendar()
    whole.add("prodid", _MADE_BY)
    whole.add("version", "2.0")
    whole.add("method", method)
    name = _NAMES["en" if lang == "en" else "fr"]
    for each in meetings:
        entry = Entry()
        entry.add("uid", f"{each.id}@release-journeys")
        entry.add("dtstamp", stamp)
        entry.add("dtstart", each.at)
        entry.add("dtend", each.at + timedelta(minutes=each.minutes))
        entry.add("summary", f"{name}, {association}" if association else name)
        if each.place:
            entry.add("location", each.place)
        entry.add("sequence", each.moves)
        entry.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
        whole.add_component(entry)
    made: bytes = whole.to_ical()
    return made
