"""Bytes that only those who have the keys can read: AES-256-GCM under a key derived from the signing keys'."""

import hmac
import secrets
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from journeys.store.signing import KeyRing

_FORM: Final = b"\x01"
_NONCE_BYTES: Final = 12


class CannotUnseal(Exception):
    """The key is not in the ring any more, or these are not the bytes that were sealed for this place."""


def seal(ring: KeyRing, plain: bytes, place: str) -> bytes:
    """Sealed with the ring's current key, for one place only (`batch/…`): moved elsewhere it does not open."""
    named = ring.current_id.encode()
    head = _FORM + bytes([len(named)]) + named
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return head + nonce + _cipher(ring.keys[ring.current_id]).encrypt(nonce, plain, head + place.encode())


def unseal(ring: KeyRing, sealed: bytes, place: str) -> bytes:
    """What was sealed. Raises CannotUnseal."""
    end = 2 + sealed[1]
    head, key = sealed[:end], ring.keys.get(sealed[2:end].decode(errors="replace"))
    if key is None:
        raise CannotUnseal("the key that sealed this is not in the ring")
    nonce, rest = sealed[end : end + _NONCE_BYTES], sealed[end + _NONCE_BYTES :]
    try:
        return _cipher(key).decrypt(nonce, rest, head + place.encode())
    except InvalidTag:
        raise CannotUnseal("these are not the bytes that were sealed here") from None


@lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(hmac.digest(key, b"journeys: what is sealed in the database", "sha256"))
