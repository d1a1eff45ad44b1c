"""What a provider of payments or a gateway says of its own accord: believed when it is signed, kept before it is
answered, then told to the journeys that it is about."""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from journeys.app.entry import give
from journeys.channels.webhook import signature
from journeys.contract import Answer
from journeys.domain.commands import Command
from journeys.domain.notices import Said
from journeys.issuing import Round, note_wishes, send_notices, send_receipts, send_wishes
from journeys.store import provider
from journeys.store.database import AWAY, Pool
from journeys.store.provider import Notice
from journeys.store.signing import KeyRing

if TYPE_CHECKING:
    from temporalio.client import Client

LARGEST: Final = 16_000
"""Bytes of one notice."""
APART: Final = timedelta(minutes=5)
"""How far the clock of whoever signs may be from ours, and how long what was overheard may be sent again."""

_EVENT: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_MOST_SIGNATURES: Final = 10


class Unsigned(Exception):
    """Nobody who has a secret of the provider's signed this, now."""


class Unreadable(Exception):
    """Signed, and not what docs/providers.md says."""


class _Body(BaseModel):
    """What counts of a notice; whatever else is said is not kept."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    reference: Annotated[str, Field(pattern=r"^[A-Z2-7]{26}$")]
    amount: Annotated[int, Field(strict=True, gt=0, lt=10**15)]
    said: Said
    reason: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")] | None = None
    at: AwareDatetime


def signed_event(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime) -> str:
    """The id of the event whose headers and body were signed with one of these secrets. Raises Unsigned."""
    event, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _EVENT.fullmatch(event) or not _SECONDS.fullmatch(seconds):
        raise Unsigned
    if abs(now.timestamp() - int(seconds)) > APART.total_seconds():
        raise Unsigned
    given = headers.get("webhook-signature", "").split(" ")[:_MOST_SIGNATURES]
    wanted = [signature(secret, event, int(seconds), body) for secret in secrets]
    # Every pair is compared: how long it takes says nothing of which one held.
    held = [hmac.compare_digest(one.encode(), other.encode()) for one in given for other in wanted]
    if not any(held):
        raise Unsigned
    return event


async def take(
    pool: Pool, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime | None = None
) -> bool:
    """Keep a notice; False when it was kept before.

    Args:
        now: of the real clock, which is the one that the provider has.

    Raises:
        Unsigned, Unreadable, provider.OtherNotice: nothing was kept.
    """
    now = now or datetime.now(UTC)
    event = signed_event(headers, body, secrets, now)
    try:
        said = _Body.model_validate_json(body)
    except ValidationError:
        raise Unreadable from None
    notice = Notice(event, said.reference, said.amount, said.said, said.reason, min(said.at, now))
    return await provider.keep(pool, notice, hashlib.sha256(body).digest())


async def tell(
    pool: Pool, ring: KeyRing, client: "Callable[[], Awaitable[Client]]", task_queue: str, now: datetime
) -> bool:
    """Tell journeys what is kept for them; whether some of it still waits, and the engine can be reached.

    What people wish comes first: it is noted before the engine is asked for, since nothing may leave once it is back;
    and each journey that does not answer holds up whatever follows.

    Raises:
        Unfinished: some of it failed; the rest is done.
    """
    from journeys.temporal import Unreachable

    done, left = Round(through=AWAY), 0
    with done.part("wishes"):
        await note_wishes(pool, ring, now)
    try:
        temporal = await client()
    except Unreachable:
        done.end()
        return False

    async def send(command: Command) -> Answer | None:
        try:
            return await give(pool, temporal, command, task_queue)
        except Unreachable:
            return None

    for name, tell_all in (("wishes", send_wishes), ("notices", send_notices), ("receipts", send_receipts)):
        with done.part(name):
            left += await tell_all(pool, ring, send, now)
    done.end()
    return left > 0
