"""A journey's record as the journal holds it, with the texts of its rules and the names of who acts in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel

from journeys.domain.events import JourneyPlanned, ProgrammeChanged, read_event
from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.record import Event, Payload
from journeys.store.database import Connection, Pool
from journeys.store.directory import names_of
from journeys.store.journal import StoredEvent, StoredPart, parts, read_all
from journeys.store.programmes import texts_of

Recorded = Event[Payload]

RulesNamed = tuple[tuple[str, str], ...]


class NoRecord(LookupError):
    """The journal holds no event of this journey."""


class Unreadable(ValueError):
    """The record cannot be read as it stands: verify it first. `seq` is the first event that cannot be."""

    def __init__(self, stream: str, seq: int) -> None:
        super().__init__(f"{stream}: event {seq} cannot be read")
        self.stream = stream
        self.seq = seq


@dataclass(frozen=True, slots=True)
class JourneyRecord:
    """Everything that is recorded of a journey."""

    stream: str
    events: tuple[Recorded, ...]
    parts: tuple[StoredPart, ...]
    walls: Mapping[int, datetime]
    """Wall time of storing, by seq."""
    book: Handbook


async def read_record(pool: Pool, stream: str) -> JourneyRecord:
    """Read a journey's record. Raises NoRecord, Unreadable."""
    stored = await read_all(pool, stream)
    if not stored:
        raise NoRecord(stream)
    events = tuple(_read(stream, event) for event in stored)
    book = await read_book(pool, events)
    if book is None:
        raise Unreadable(stream, 1)
    return JourneyRecord(
        stream, events, tuple(await parts(pool, stream)), {event.seq: event.wall for event in stored}, book
    )


def _read(stream: str, event: StoredEvent) -> Recorded:
    try:
        return read_event(event.read())
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Unreadable(stream, event.seq) from error


async def read_book(pool: Pool, events: Sequence[Recorded]) -> Handbook | None:
    """The rules in force at the end of a record, with the former ones; None when the store lacks one that it names."""
    wanted = rules_named(events)
    texts = await texts_of(pool, sorted({hash for pair in wanted for hash in pair}))
    return handbook_of(wanted, texts)


def handbook_of(named: RulesNamed, texts: Mapping[str, str]) -> Handbook | None:
    """The last rules of these with the former ones; None when there are none, or a text is missing."""
    if not named or any(hash not in texts for pair in named for hash in pair):
        return None
    *former, last = (open_handbook(texts[programme], texts[calendar]) for programme, calendar in named)
    return replace(last, former=tuple(former)) if former else last


def rules_named(events: Sequence[Recorded]) -> RulesNamed:
    """SHA-256 of the programme and of the calendar that each event naming them put in force, in their order."""
    return tuple(
        (event.data.programme, event.data.calendar)
        for event in events
        if type(event.data) is JourneyPlanned or type(event.data) is ProgrammeChanged
    )


async def read_names(pool: Pool | Connection, events: Sequence[Recorded]) -> dict[str, str]:
    """Display names of staff, mentors, partners and people that these events name, by id."""
    return await names_of(pool, set(_ids(events)))


def _ids(events: Sequence[Recorded]) -> list[str]:
    """Every text of actors and payloads that has the form of an id."""
    waiting: list[Any] = [event.actor for event in events]
    for event in events:
        waiting += event.data.__dict__.values()
    ids: list[str] = []
    for each in waiting:  # grows while it is read
        kind = type(each)
        if kind is str:
            if len(each) == 36 and each.count("-") == 4:
                ids.append(each)
        elif kind is dict:
            waiting += each.values()
        elif kind in _SEVERAL:
            waiting += each
        elif isinstance(each, BaseModel):
            waiting += each.__dict__.values()
    return ids


_SEVERAL: Final = frozenset({list, tuple, frozenset})
