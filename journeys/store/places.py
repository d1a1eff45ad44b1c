"""Where an appointment is: the newest text that was given with it."""

from collections.abc import Iterable

from journeys.domain.events import AppointmentBooked, AppointmentMoved
from journeys.domain.record import Event, Part, Payload
from journeys.store import journal
from journeys.store.database import Connection, Pool


async def place_of(
    connection: Pool | Connection, stream: str, events: Iterable[Event[Payload]], appointment: str
) -> str:
    """Empty when none was given, or when it was deleted or altered since."""
    places = {part.seq: part for part in await journal.parts(connection, stream) if part.name == "place"}
    for event in reversed(tuple(events)):
        mine = isinstance(event.data, AppointmentBooked | AppointmentMoved)
        if mine and event.seq in places and getattr(event.data, "appointment", None) == appointment:
            part = places[event.seq]
            held = Part(text=part.text, salt=part.salt.hex()).commitment() == event.parts.get("place")
            return part.text if held else ""
    return ""
