"""A journey as the journal has it now: what an effect is judged on, whatever its input says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from activities.resources import Resources
from journeys.channels import phone
from journeys.domain.directory import Holder
from journeys.domain.events import (
    EscalationClimbed,
    EscalationRaised,
    EscalationReady,
    EscalationReassigned,
    EscalationTold,
    Subject,
)
from journeys.domain.evolve import fold
from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.recipients import Circle, keeps
from journeys.domain.record import Event, Part, Payload
from journeys.domain.rights import fund_about, funds_of, line_of
from journeys.domain.rota import Shift, on_call
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

    def came_back(self, escalation: str) -> bool:
        """Whether the mail by which its step was told came back, and nobody was told since."""
        told = (EscalationRaised, EscalationClimbed, EscalationReassigned, EscalationTold)
        for event in reversed(self.events):
            if isinstance(event.data, (*told, EscalationReady)) and event.data.escalation == escalation:
                if isinstance(event.data, told):
                    return False
                if event.data.returned:
                    return True
        return False


async def read_journey(pool: Pool, stream: str) -> Known:
    """Read and fold a whole journey; empty when there is none."""
    events = tuple(stored.event() for stored in await journal.read_all(pool, stream))
    return Known(events, fold(events))


async def read_handbook(pool: Pool, state: State) -> Handbook:
    """The programme and the calendar in force."""
    texts = await texts_of(pool, (state.programme, state.calendar))
    return open_handbook(texts[state.programme], texts[state.calendar])


async def read_circle(
    resources: Resources, state: State, book: Handbook, now: datetime, about: Subject, *, by_phone: bool = False,
    came_back: bool = False,
) -> Circle:  # fmt: skip
    """Who stands around the journey, and this matter of it, on the day of `now`.

    Whose mail comes back is told nothing by it and counts as absent: a deputy is told, else the fallback.

    Args:
        by_phone: it is told by phone too: not absent is who is on call by one.
        came_back: the mail that told of it did: absent is whose last letter failed, whatever else they have.
    """
    roster = await staff.roster(resources.pool, book.calendar.day(now))
    shifts = await rota.shifts_now(resources.pool, now)
    lines = {role: line_of(role, book.programme) for role in book.programme.roles}
    called = on_call(shifts, state.site, now)
    unread = {each.id for each in roster if each.unread or (came_back and each.failing)}
    if unread and by_phone and not came_back:
        unread -= {each.who for each in await phones_on_call(resources, roster, state.site, now)}
    roster = [replace(each, absent=True) if each.id in unread else each for each in roster]
    return Circle(
        referent=state.referent,
        site=state.site,
        roster=tuple(roster),
        mentor=state.match.mentor if state.match is not None else None,
        desk=resources.duty_address is not None,
        lines=lines,
        fund=fund_about(state, about),
        money=funds_of(state),
        on_call=called,
    )


@dataclass(frozen=True, slots=True)
class OnCall:
    """A shift, who answers for it now, and the phone by which they are told, as it is dialled."""

    shift: Shift
    who: str
    phone: str


async def phones_on_call(
    resources: Resources, roster: Sequence[Holder], site: str | None, at: datetime
) -> Sequence[OnCall]:
    """Shifts of the site and of every site whose phone takes short messages; none where none leave.

    A deputy has a phone, else that of the shift goes from hand to hand; nobody calls who is away.
    """
    if resources.texter is None:
        return ()
    found = []
    for kept in await rota.now(resources.pool, at):
        who = keeps(kept.shift.who, roster) if site is None or kept.shift.site in (None, site) else None
        if who is None:
            continue
        numbers: tuple[str | None, ...] = (kept.phone,)
        if who != kept.shift.who:
            deputy = await staff.member(resources.pool, who)
            numbers = (None if deputy is None else deputy.phone, kept.own)
        checked = (phone.check(number) for number in numbers if number)
        dialled = next((number for number in checked if isinstance(number, str)), None)
        if dialled is not None:
            found.append(OnCall(kept.shift, who, dialled))
    return found


async def read_part(pool: Pool, stream: str, name: str, commitment: str) -> str | None:
    """The text that a header commits to; None when it was deleted (or altered)."""
    for part in await journal.parts(pool, stream):
        if part.name == name and Part(text=part.text, salt=part.salt.hex()).commitment() == commitment:
            return part.text
    return None
