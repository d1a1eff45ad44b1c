"""What systems elsewhere are told of a journey: that a fact was recorded, by ids. No name, no text."""

import re
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from journeys.domain.events import KINDS
from journeys.domain.record import Frozen, Id, Instant

_WORD: Final = re.compile(r"(?<!^)(?=[A-Z])")


class About(Frozen):
    """Where the fact stands: who may look it up by these."""

    journey: Id
    seq: Annotated[int, Field(ge=1)]
    kind: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]+$")]
    """The kind of the event, as the record names it."""


class Announcement(Frozen):
    """The whole body of a webhook; a test holds it to these fields."""

    type: Annotated[str, StringConstraints(pattern=r"^journey\.[a-z_]+$")]
    timestamp: Instant
    """When the fact was recorded, not when it is told."""
    data: About


def type_of(kind: str) -> str:
    """`MilestoneReached` is told as `journey.milestone_reached`."""
    return f"journey.{_WORD.sub('_', kind).lower()}"


TYPES: Final[dict[str, str]] = {type_of(kind): kind for kind in KINDS}
"""The kind of event for each type that can be asked for."""


def announce(header: dict[str, Any]) -> Announcement:
    """What is told of an event of a journey, from its header."""
    about = About(journey=header["stream"].removeprefix("journey-"), seq=header["seq"], kind=header["kind"])
    return Announcement(type=type_of(about.kind), timestamp=header["recorded_at"], data=about)


def message_id(header: dict[str, Any]) -> str:
    """The same for ever for the same event: whoever receives it twice can tell."""
    return f"{header['stream']}_{header['seq']}"
