"""Signatures of commands and commitments of their parts."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from journeys.domain.commands import Command
from journeys.domain.record import Part
from journeys.store.canonical import NotCanonical, canonical


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that hold, by id; new signatures are made with the current one. Never shown."""

    current_id: str
    keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if self.current_id not in self.keys:
            raise ValueError(f"the current signing key {self.current_id} is not in the ring")

    def proof(self, id: str) -> bytes:
        """32 bytes that show that one has the key of this id, and tell nothing of it."""
        return hmac.digest(self.keys[id], b"journeys: this signing key", "sha256")


def draw_parts(texts: Mapping[str, str]) -> tuple[dict[str, Part], dict[str, str]]:
    """Each text with 32 fresh random bytes, and the commitment of each, both by the part's name."""
    parts = {name: Part(text=text, salt=secrets.token_hex(32)) for name, text in texts.items()}
    return parts, {name: part.commitment() for name, part in parts.items()}


def sign(command: Command, ring: KeyRing) -> Command:
    """The command with the current key's id and its signature."""
    keyed = command.model_copy(update={"key": ring.current_id})
    return keyed.model_copy(
        update={"signature": _signature(canonical(keyed.signed_content()), ring.keys[ring.current_id])}
    )


def holds(command: Command, ring: KeyRing) -> bool:
    """Whether the signature was made with a key of the ring and every part present gives its commitment."""
    return signed_bytes(command, ring) is not None


def signed_bytes(command: Command, ring: KeyRing) -> bytes | None:
    """The RFC 8785 bytes that the signature covers; None when the command does not hold."""
    key = ring.keys.get(command.key)
    if key is None or not command.signature.isascii():
        return None
    try:
        signed = canonical(command.signed_content())
    except NotCanonical:
        return None
    if not hmac.compare_digest(_signature(signed, key), command.signature):
        return None
    for name, part in command.parts.items():
        if not hmac.compare_digest(part.commitment(), command.commitments[name]):
            return None
    return signed


def stored_holds(signed: bytes, signature: str, key_id: str, ring: KeyRing) -> bool:
    """Whether the journal's own record of a command holds: its verbatim bytes under the key named."""
    key = ring.keys.get(key_id)
    return key is not None and hmac.compare_digest(_signature(signed, key), signature)


def _signature(signed: bytes, key: bytes) -> str:
    return hmac.digest(key, signed, "sha256").hex()
