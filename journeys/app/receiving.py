"""What a gateway of short messages says of its own accord: receipts, and what phones answer. Believed when it is signed
(`journeys.app.noticing`), kept before it is answered; docs/gateways.md says what may come."""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from journeys.app.noticing import Unreadable, signed_event
from journeys.channels import phone
from journeys.store import deliveries, people
from journeys.store.database import Pool
from journeys.store.deliveries import Receipt, Reply, Said, Wish
from journeys.store.vault import SHORTEST_NUMBER

_STOP: Final = frozenset({"STOP", "ARRET", "ARRETEZ", "DESABONNEMENT", "UNSUBSCRIBE"})
_START: Final = frozenset({"START", "REPRENDRE", "REPRISE"})


class _Receipt(BaseModel):
    """What counts of a receipt; whatever else is said is not kept."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["receipt"]
    message: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] | None = None
    reference: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")] | None = None
    said: Said
    reason: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")] | None = None
    at: AwareDatetime


class _Reply(BaseModel):
    """A phone's answer; neither its number nor its words are kept."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["reply"]
    sender: Annotated[str, Field(alias="from", max_length=40)]
    text: Annotated[str, Field(max_length=2_000)]
    at: AwareDatetime


_BODY: Final[TypeAdapter[_Receipt | _Reply]] = TypeAdapter(Annotated[_Receipt | _Reply, Field(discriminator="kind")])


async def take(
    pool: Pool, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime | None = None
) -> bool:
    """Keep what a gateway says; False when it was kept before.

    Args:
        now: of the real clock, which is the one that the gateway has.

    Raises:
        Unsigned, Unreadable, deliveries.OtherSaid: nothing was kept.
    """
    now = now or datetime.now(UTC)
    event = signed_event(headers, body, secrets, now)
    try:
        said = _BODY.validate_json(body)
    except ValidationError:
        raise Unreadable from None
    content, at = hashlib.sha256(body).digest(), min(said.at, now)
    if isinstance(said, _Reply):
        return await deliveries.keep_reply(
            pool, Reply(event, await _owners(pool, said.sender), wish_of(said.text), at), content
        )
    if said.message is None and said.reference is None:
        raise Unreadable
    return await deliveries.keep(
        pool, Receipt(event, said.message, said.reference, said.said, said.reason, at), content
    )


def wish_of(text: str) -> Wish:
    """What an answer asks for, by its only word, however it is written."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if sign.isalnum()).upper()
    return "stop" if plain in _STOP else "start" if plain in _START else "other"


async def _owners(pool: Pool, number: str) -> tuple[str, ...]:
    """Everybody who has this number, by id: a telephone may be shared. Its end is the same however it is dialled."""
    wanted = phone.check(number, None)
    if isinstance(wanted, phone.WrongNumber):
        return ()
    near = await people.with_number_ending(pool, wanted[-SHORTEST_NUMBER:])
    return tuple(each.id for each in near if phone.dialled(each.details.phone or "", each.details.zone) == wanted)
