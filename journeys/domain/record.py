"""The envelope of an event: what every fact carries, whatever happened. See docs/overview for the stored form."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints


class Frozen(BaseModel):
    """Base of everything that is stored or sent: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def instant_text(instant: datetime) -> str:
    """The one written form of an instant: `2027-05-12T07:30:00.000000Z`."""
    # Not strftime: it imports at each call, which the workflow sandbox looks into.
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[:_WITHOUT_OFFSET] + "Z"


_WITHOUT_OFFSET = len("2027-05-12T07:30:00.000000")


Instant = Annotated[AwareDatetime, PlainSerializer(instant_text, return_type=str)]
"""An aware instant in UTC."""


def _is_empty(value: object) -> bool:
    return value is None or value == ()


def added(default: Any) -> Any:
    """A field that a model got later, None or an empty tuple by default: not written then, so that what was stored,
    signed and hashed before keeps its bytes."""
    return Field(default=default, exclude_if=_is_empty)


Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 or HMAC-SHA256 in lower-case hexadecimal."""

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""A UUID in its usual form."""

Stream = Annotated[str, StringConstraints(pattern=r"^([a-z]+-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|system)$")]
"""`kind-uuid`, or `system`. A journey's stream is also its workflow id."""

SYSTEM = "system"
"""The actor and role of what follows by itself."""

NO_EVENT = "0" * 64
"""`prev` of a stream's first event."""


class Cause(NamedTuple):
    """The event that something follows from."""

    stream: str
    seq: int


class Payload(Frozen):
    """Base of each kind of event: what is particular to it. The class name is the stored kind."""

    VERSION: ClassVar[int] = 1


P = TypeVar("P", bound=Payload, covariant=True)


class Event(BaseModel, Generic[P]):
    """One fact of a stream. The header that is hashed holds exactly these fields (`data` as its own object)."""

    model_config = ConfigDict(frozen=True)

    v: int = 1
    """Version of this envelope."""
    stream: str
    seq: int
    """1 for the first event of the stream, without gaps."""
    kind: str
    kind_v: int
    recorded_at: Instant
    """The workflow's time of the decision."""
    occurred_at: Instant
    """When it happened in the world."""
    actor: str
    """A staff, mentor or partner id, or `system`."""
    role: str
    """The role in which the actor acted."""
    command: str | None = None
    rule: str | None = None
    caused_by: Cause | None = None
    programme: str | None = None
    """SHA-256 of the programme in force."""
    data: P
    parts: dict[str, str] = Field(default_factory=dict)
    """Commitment of each body part: HMAC-SHA256 under the part's own salt."""
    prev: str = ""
    """Hash of the event before; the journal fills it in."""

    def header(self) -> dict[str, Any]:
        """The JSON object that is stored as RFC 8785 bytes and hashed."""
        return self.model_dump(mode="json")


class Part(Frozen):
    """A body part: text that no fold needs (names, addresses, IBAN, free text), with the salt of its commitment."""

    text: Annotated[str, StringConstraints(max_length=20_000)]
    salt: Digest
    """32 random bytes in hexadecimal, drawn by the entry point."""

    def commitment(self) -> str:
        """HMAC-SHA256 of the text under the salt."""
        return hmac.new(bytes.fromhex(self.salt), self.text.encode(), hashlib.sha256).hexdigest()
