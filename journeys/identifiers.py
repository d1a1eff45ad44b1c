"""Ids that an entry point makes: UUIDv7 for what is new, UUIDv5 for what is forwarded."""

import re
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

from journeys.domain.record import Cause

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC) - _EPOCH
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def uuid7(at: datetime) -> str:
    """A fresh UUIDv7 of this instant (to the millisecond)."""
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    value = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def instant_of(id: str) -> datetime | None:
    """When a UUIDv7 was made; None for another kind, and for one of a time that no calendar has (after 9999)."""
    made = uuid.UUID(id)
    at = timedelta(milliseconds=made.int >> 80)
    return _EPOCH + at if made.version == 7 and at < _LAST else None


def is_uuid(text: str) -> bool:
    """Whether this is a UUID in its usual form, in lower case."""
    return _UUID.fullmatch(text) is not None


def forwarded_id(target: str, cause: Cause, about: str = "") -> str:
    """The id of a command that follows from an event of another stream: the same whenever it is forwarded.

    Args:
        target: the journey's stream. about: what it is about, where one event calls for several commands.
    """
    key = f"{cause.stream}/{cause.seq}" + (f"/{about}" if about else "")
    return str(uuid.uuid5(uuid.UUID(target.removeprefix("journey-")), key))


def following_id(command: str, what: str) -> str:
    """The id of what a command begins, where whoever sent it chose the command's id: the same each time it is sent."""
    return str(uuid.uuid5(uuid.UUID(command), what))


def short(id: str) -> str:
    """The beginning of an id that people read and type: of a UUIDv7, its millisecond."""
    return id.removeprefix("journey-")[:13]
