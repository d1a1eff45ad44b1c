"""Bytes that only those who have the key can read, in one place only: AES-256-GCM, the key's id in front."""

import hmac
import re
import secrets
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from journeys.store.signing import KeyRing

_FORM: Final = b"\x01"
_NONCE_BYTES: Final = 12
_ID: Final = re.compile(r"[A-Za-z0-9._-]+")


class CannotUnseal(Exception):
    """The key is not there (any more), or these are not the bytes that were sealed for this place."""


def seal_with(cipher: AESGCM, id: str, plain: bytes, place: str) -> bytes:
    """Sealed with a key of this id, for one place only (`batch/…`): moved elsewhere it does not open."""
    head = _head(id)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return head + nonce + cipher.encrypt(nonce, plain, head + place.encode())


def unseal_with(cipher: AESGCM, sealed: bytes, place: str) -> bytes:
    """What was sealed. Raises CannotUnseal: another key, other bytes, another place."""
    end = 2 + sealed[1]
    nonce, rest = sealed[end : end + _NONCE_BYTES], sealed[end + _NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, rest, sealed[:end] + place.encode())
    except (InvalidTag, ValueError):
        raise CannotUnseal("these are not the bytes that were sealed here") from None


def sealed_by(sealed: bytes) -> str:
    """The id of the key that sealed these bytes, as they say themselves; empty where that is no id of a key."""
    said = sealed[2 : 2 + int.from_bytes(sealed[1:2])].decode(errors="replace")
    return said if _ID.fullmatch(said) else ""


def seal(ring: KeyRing, plain: bytes, place: str) -> bytes:
    """Sealed with the ring's current key, for one place only."""
    return seal_with(_cipher(ring.keys[ring.current_id]), ring.current_id, plain, place)


def unseal(ring: KeyRing, sealed: bytes, place: str) -> bytes:
    """What was sealed with a key of the ring. Raises CannotUnseal."""
    key = ring.keys.get(sealed_by(sealed))
    if key is None:
        raise CannotUnseal("the key that sealed this is not in the ring")
    return unseal_with(_cipher(key), sealed, place)


def _head(id: str) -> bytes:
    named = id.encode()
    return _FORM + bytes([len(named)]) + named


@lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(hmac.digest(key, b"journeys: what is sealed in the database", "sha256"))
