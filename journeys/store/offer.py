"""An offer made ready for the journal: canonical bytes with a hole for the link, parts, signed commands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from pydantic_core import to_json

from journeys.domain.commands import Command
from journeys.domain.record import NO_EVENT, Part
from journeys.store.canonical import canonical
from journeys.store.keys import Keys, NoKey, finance_key

_HOLE: Final = b'"prev":"' + NO_EVENT.encode()


class BadOffer(ValueError):
    """An offer that no state of the journal can take: a mistake of the caller, not worth trying again."""


@dataclass(frozen=True, slots=True)
class StoredCommand:
    """A command with what is kept of it: first and last seq (None without events) and its answer."""

    command: Command
    signed: bytes
    """What the signature covers, verbatim."""
    first: int | None
    last: int | None
    answer: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class KeptPart:
    """A body part on its way to the journal, with the event that commits to it."""

    seq: int
    kind: str
    name: str
    text: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class Offer:
    """The arguments of `journal_append`, in columns."""

    stream: str
    expected: int
    kinds: list[str]
    headers: list[bytes]
    holes: list[int]
    """Where each header's `prev` begins, counted from 0."""
    parts: Sequence[KeptPart]
    commands: Sequence[StoredCommand]
    view: str | None
    person: str | None = None
    """Whose journey it is, where the offer says so."""
    sealed: Sequence[bytes] = ()
    """The parts as the database gets them: see `sealed`."""

    @property
    def empty(self) -> bool:
        """Nothing would be written: only a read."""
        return not self.headers and not self.commands and self.view is None

    def arguments(self) -> tuple[Any, ...]:
        """In the order of `journal_append`."""
        if len(self.sealed) != len(self.parts):
            raise BadOffer(f"{self.stream}: a part is not sealed")
        commands = [stored.command for stored in self.commands]
        return (
            self.stream,
            self.expected,
            self.kinds,
            self.headers,
            [hole + 1 for hole in self.holes],
            [part.seq for part in self.parts],
            [part.name for part in self.parts],
            list(self.sealed),
            [command.id for command in commands],
            [stored.signed for stored in self.commands],
            [command.signature for command in commands],
            [command.key for command in commands],
            [stored.first for stored in self.commands],
            [stored.last for stored in self.commands],
            [stored.answer for stored in self.commands],
            self.view,
        )

    def links(self, link: bytes) -> list[str]:
        """The `prev` of each header as the journal stores it after an event whose hash is `link`."""
        links = [link.hex()]
        for header, hole in zip(self.headers[:-1], self.holes, strict=False):
            whole = header[:hole] + links[-1].encode() + header[hole + len(NO_EVENT) :]
            links.append(sha256(whole).hexdigest())
        return links[: len(self.headers)]


def make_offer(
    stream: str,
    expected: int,
    headers: Sequence[Mapping[str, Any]],
    *,
    parts: Iterable[Part] = (),
    commands: Sequence[StoredCommand] = (),
    view: Mapping[str, Any] | None = None,
) -> Offer:
    """Make the headers ready at the position after `expected`.

    Args:
        headers: `Event.header()` without `prev`.
        parts: texts that some header commits to; one that none names is not kept.

    Raises:
        BadOffer: headers of another stream or not in sequence, two commands of one id.
        NotCanonical: a header with a float or an integer of 2^53 or more.
    """
    for seq, header in enumerate(headers, start=expected + 1):
        if header["stream"] != stream or header["seq"] != seq:
            raise BadOffer(f"{header['stream']}/{header['seq']} offered where {stream}/{seq} was due")
    if len({stored.command.id for stored in commands}) != len(commands):
        raise BadOffer(f"{stream}: one command offered twice")
    ready = [canonical({**header, "prev": NO_EVENT}) for header in headers]
    by_commitment = {part.commitment(): part for part in parts}
    kept = [
        KeptPart(header["seq"], header["kind"], name, part.text, bytes.fromhex(part.salt))
        for header in headers
        for name, commitment in header["parts"].items()
        if (part := by_commitment.get(commitment)) is not None
    ]
    return Offer(
        stream=stream,
        expected=expected,
        kinds=[header["kind"] for header in headers],
        headers=ready,
        # From the right: after `prev` come only texts, where quotes are escaped; before it stands `data`.
        holes=[header.rindex(_HOLE) + len(_HOLE) - len(NO_EVENT) for header in ready],
        parts=kept,
        commands=commands,
        view=None if view is None else to_json(view).decode(),
        person=next(
            (header["data"].get("person") for header in headers if header["kind"] == "JourneyPlanned"),
            None if view is None else view.get("person"),
        ),
    )


async def sealed(offer: Offer, keys: Keys, accounts_of: str | None = None) -> Offer:
    """The offer with its parts as the database gets them. Raises BadOffer: nobody said whose the journey is, or the
    key that they belong under was destroyed.

    Args:
        accounts_of: the person under the key of whose accounts all parts go, whatever the stream.
    """
    try:
        if offer.person is not None and offer.stream not in await keys.person_of([offer.stream]):
            await keys.assign(offer.stream, offer.person)
        if not offer.parts:
            return offer
        return replace(offer, sealed=await sealed_parts(keys, offer.stream, offer.parts, accounts_of))
    except NoKey as missing:
        raise BadOffer(f"{offer.stream}: {missing}") from missing


async def sealed_parts(
    keys: Keys, stream: str, parts: Sequence[KeptPart], accounts_of: str | None = None
) -> list[bytes]:
    """Parts of a stream as the database gets them, in order. Raises NoKey."""
    own = finance_key(accounts_of) if accounts_of is not None else await keys.key_of(stream)
    money = finance_key(own.removeprefix("person-")) if own.startswith("person-") else own
    return await keys.seal_all(
        [
            (money if is_accounting(part.kind, part.name) else own, part.salt + part.text.encode(),
             place_of_part(stream, part.seq, part.name))
            for part in parts
        ]
    )  # fmt: skip


def is_accounting(kind: str, part: str) -> bool:
    """Whether accounting must keep this part of an event: who was paid, and what shows how money was used."""
    return part in ("payee", "signed_for") or kind.startswith("Receipt")


def place_of_part(stream: str, seq: int, name: str) -> str:
    """What the ciphertext of a part is bound to."""
    return f"part/{stream}/{seq}/{name}"
