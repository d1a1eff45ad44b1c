"""A journey as the journal has it now: what an effect is judged on, whatever its input says."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from activities.resources import Resources
from journeys.domain.events import Subject
from journeys.domain.evolve import fold
from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.recipients import Circle
from journeys.domain.record import Event, Part, Payload
from journeys.domain.rights import fund_of, line_of
from journeys.domain.rota import on_call
from journeys.domain.state import State
from journeys.store import journal, rota, staff
from journeys.store.database import Pool
from journeys.store.programmes import texts_of

P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class Known:
    """The events of a journey, and what they come to."""

    events: tuple[Event[Payload], ...]
    state: State

    @property
    def id(self) -> str:
        """The journey's own id, without the kind of its stream."""
        return self.state.stream.partition("-")[2]

    def at(self, seq: int) -> Payload | None:
        """The fact at `seq`; None past the end."""
        return self.events[seq - 1].data if 0 < seq <= len(self.events) else None

    def last(self, kind: type[P], **fields: str) -> P | None:
        """The newest fact of a kind whose fields have these values."""
        for event in reversed(self.events):
            data = event.data
            if isinstance(data, kind) and all(getattr(data, name) == value for name, value in fields.items()):
                return data
        return None


async def read_journey(pool: Pool, stream: str) -> Known:
    """Read and fold a whole journey; empty when there is none."""
    events = tuple(stored.event() for stored in await journal.read_all(pool, stream))
    return Known(events, fold(events))


async def read_handbook(pool: Pool, state: State) -> Handbook:
    """The programme and the calendar in force."""
    texts = await texts_of(pool, (state.programme, state.calendar))
    return open_handbook(texts[state.programme], texts[state.calendar])


async def read_circle(resources: Resources, state: State, book: Handbook, now: datetime, about: Subject) -> Circle:
    """Who stands around the journey, and this matter of it, on the day of `now`."""
    roster = await staff.roster(resources.pool, book.calendar.day(now))
    shifts = await rota.shifts_now(resources.pool, now)
    lines = {role: line_of(role, book.programme) for role in book.programme.roles}
    called = on_call(shifts, state.site, now)
    by_phone = {id for people in called.values() for id in people}
    # Whose mail comes back is told nothing by it: a deputy is, else the fallback.
    roster = [replace(each, absent=True) if each.unread and each.id not in by_phone else each for each in roster]
    return Circle(
        referent=state.referent,
        site=state.site,
        roster=tuple(roster),
        mentor=state.match.mentor if state.match is not None else None,
        desk=resources.duty_address is not None,
        lines=lines,
        fund=fund_of(state, **{about.kind: about.id}) if about.kind in ("grant", "payment", "receipt") else None,
        on_call=called,
    )


async def read_part(pool: Pool, stream: str, name: str, commitment: str) -> str | None:
    """The text that a header commits to; None when it was deleted (or altered)."""
    for part in await journal.parts(pool, stream):
        if part.name == name and Part(text=part.text, salt=part.salt.hex()).commitment() == commitment:
            return part.text
    return None
