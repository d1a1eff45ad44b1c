"""Durations and moments as programmes write them: `10 working days before release`."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema


class Unit(StrEnum):
    """What a duration counts. Minutes and hours count instants, all others count local days."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WORKING_DAY = "working day"
    WEEK = "week"
    MONTH = "month"

    @property
    def counts_instants(self) -> bool:
        return self is Unit.HOUR or self is Unit.MINUTE


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time. `amount` is 0 or more, in `unit`."""

    amount: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.amount} {self.unit.value}{'' if self.amount == 1 else 's'}"


def elapsed(length: Duration) -> timedelta:
    """A count of instants as elapsed time."""
    return timedelta(hours=length.amount) if length.unit is Unit.HOUR else timedelta(minutes=length.amount)


class Side(StrEnum):
    BEFORE = "before"
    AT = "at"
    AFTER = "after"


class AnchorKind(StrEnum):
    """What a moment hangs on."""

    START = "start"
    DATE = "date"
    MILESTONE_REACHED = "reached"
    MILESTONE_DUE = "due"
    PHASE = "phase"


@dataclass(frozen=True, slots=True)
class Anchor:
    """`start`, a date's name, `<milestone> reached`, `<milestone> due` or `phase <name>` (its entry)."""

    kind: AnchorKind
    name: str = ""

    def __str__(self) -> str:
        match self.kind:
            case AnchorKind.START:
                return "start"
            case AnchorKind.DATE:
                return self.name
            case AnchorKind.PHASE:
                return f"phase {self.name}"
            case _:
                return f"{self.name} {self.kind.value}"


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time relative to an anchor: `at release`, `3 weeks after cv reached`."""

    offset: Duration
    side: Side
    anchor: Anchor

    def __str__(self) -> str:
        if self.side is Side.AT:
            return f"at {self.anchor}"
        return f"{self.offset} {self.side.value} {self.anchor}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of a cadence: a contact every `every` until `until` after the beginning."""

    every: Duration
    until: Duration

    def __hash__(self) -> int:
        return hash((self.every.amount, self.until.amount))  # quick: grids are looked up by their stretches

    def __str__(self) -> str:
        return f"every {self.every} until {self.until}"


LARGEST_AMOUNT = 5_000
"""No duration counts more than this: an author's slip must not plan a deadline in the year 9000."""

_CODE = r"[a-z][a-z0-9-]*"
_DURATION = re.compile(r"^(\d{1,6}) (minute|hour|day|working day|week|month)s?$")
_ANCHOR = re.compile(rf"^(?:(start)|phase ({_CODE})|({_CODE}) (reached|due)|({_CODE}))$")
_STRETCH = re.compile(r"^every (.+) until (.+)$")


def parse_duration(text: str) -> Duration:
    """Read `4 hours`, `10 working days`. Raises ValueError that says what may be written."""
    found = _DURATION.match(_plain(text))
    if found is None:
        raise ValueError(
            f"“{text}” is not a duration; write for example 4 hours, 3 days, 10 working days, 2 weeks, 6 months"
        )
    amount = int(found[1])
    if amount > LARGEST_AMOUNT:
        raise ValueError(f"“{text}” is too long; at most {LARGEST_AMOUNT} of a unit")
    return Duration(amount, Unit(found[2]))


def parse_anchor(text: str) -> Anchor:
    """Read `start`, `release`, `cv reached`, `jury due`, `phase project`."""
    found = _ANCHOR.match(_plain(text))
    if found is None:
        raise ValueError(
            f"“{text}” is not an anchor; write start, a date’s name, "
            "“<milestone> reached”, “<milestone> due” or “phase <name>”"
        )
    start, phase, milestone, how, date = found.groups()
    if start:
        return Anchor(AnchorKind.START)
    if phase:
        return Anchor(AnchorKind.PHASE, phase)
    if milestone:
        return Anchor(AnchorKind(how), milestone)
    return Anchor(AnchorKind.DATE, date)


def parse_moment(text: str) -> Moment:
    """Read `at start` or `10 working days before release`."""
    words = _plain(text)
    if words.startswith("at "):
        return Moment(Duration(0, Unit.DAY), Side.AT, parse_anchor(words[3:]))
    for side in (Side.BEFORE, Side.AFTER):
        length, found, anchor = words.partition(f" {side.value} ")
        if found:
            return Moment(parse_duration(length), side, parse_anchor(anchor))
    raise ValueError(
        f"“{text}” is not a moment; write for example at start, 10 working days before release, "
        "3 weeks after cv reached"
    )


def parse_stretch(text: str) -> Stretch:
    """Read `every 2 weeks until 3 months`."""
    found = _STRETCH.match(_plain(text))
    if found is None:
        raise ValueError(f"“{text}” is not a cadence; write for example every 1 week until 1 month")
    every, until = parse_duration(found[1]), parse_duration(found[2])
    if every.amount == 0:
        raise ValueError(f"“{text}”: the interval must be longer than nothing")
    return Stretch(every, until)


def parse_lead(text: str) -> Duration:
    """Read a reminder's `7 days before` (its deadline)."""
    words = _plain(text)
    if not words.endswith(" before"):
        raise ValueError(f"“{text}” is not a reminder’s moment; write for example 7 days before")
    return parse_duration(words.removesuffix(" before"))


def _plain(text: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"“{text}” is not a text; put it between quotes")
    return " ".join(text.split())


def _field(kind: type, parse: Any, pattern: str, example: str) -> Any:
    return (
        BeforeValidator(lambda raw: raw if isinstance(raw, kind) else parse(raw)),
        PlainSerializer(str, return_type=str),
        WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]}),
    )


def _lead_text(lead: Duration) -> str:
    return f"{lead} before"


_LENGTH = r"\d+ (minute|hour|day|working day|week|month)s?"
DurationField = Annotated[Duration, *_field(Duration, parse_duration, rf"^{_LENGTH}$", "10 working days")]
MomentField = Annotated[
    Moment,
    *_field(Moment, parse_moment, rf"^(at|{_LENGTH} (before|after)) .+$", "10 working days before release"),
]
StretchField = Annotated[
    Stretch,
    *_field(Stretch, parse_stretch, rf"^every {_LENGTH} until {_LENGTH}$", "every 1 week until 1 month"),
]
LeadField = Annotated[
    Duration,
    BeforeValidator(lambda raw: raw if isinstance(raw, Duration) else parse_lead(raw)),
    PlainSerializer(_lead_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^{_LENGTH} before$", "examples": ["7 days before"]}),
]
