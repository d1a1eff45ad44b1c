"""What breaks an invariant, where, and how; and the shape of a rule that says so."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from journeys.domain.record import Event, Payload

Recorded = Event[Payload]
Details = dict[str, str | int | None]

MONEY = frozenset({"grant", "payment", "receipt"})
"""Subjects that outlive a closing."""


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant of docs/overview that the event at `seq` breaks; `code` says how."""

    invariant: int
    seq: int
    code: str
    details: Details = field(default_factory=dict)


class Rule(Protocol):
    """One rule, shown the events one by one and then the end of the record."""

    def see(self, event: Recorded) -> Iterator[Violation]: ...

    def end(self, complete: bool) -> Iterator[Violation]: ...


def kinds(names: str) -> frozenset[str]:
    """Kinds of events, from their names with spaces between."""
    return frozenset(names.split())


def subject_of(data: Payload) -> str:
    """The message, escalation, check or payment that an event is about, or an empty text."""
    names = ("message", "escalation", "check", "payment")
    return next((str(getattr(data, name)) for name in names if hasattr(data, name)), "")
