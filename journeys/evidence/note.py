"""Checkpoints as C2SP signed notes: their text, their signature (Ed25519), the keys that people hold (vkeys)."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LONGEST: Final = 20_000
"""Bytes of a note that are looked at: sixteen signatures, and room."""
_ED25519: Final = b"\x01"
_NAME: Final = re.compile(r"[^\s+\x00-\x1f]{1,200}")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_DASH: Final = "\N{EM DASH}"


class BadNote(ValueError):
    """A note that says nothing: `reason` is `malformed`, `unknown-key`, `bad-signature` or `not-a-vkey`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: who it is, how many entries it has, the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What the signature covers."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under the name of its log."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def vkey(self) -> str:
        """As people hold it: `name+id+key`."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    def holds(self, text: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key (a seed of 32 bytes) under the name of its log."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> str:
        """The checkpoint as a signed note."""
        text = checkpoint.text()
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        line = base64.b64encode(self.verifier.id + signature).decode()
        return f"{text}\n{_DASH} {self.name} {line}\n"


def read_vkey(vkey: str) -> Verifier:
    """A key as people hold it. Raises BadNote."""
    name, _, rest = vkey.strip().partition("+")
    id, _, encoded = rest.partition("+")
    key = _decoded(encoded)
    if not _NAME.fullmatch(name) or len(key) != 33 or key[:1] != _ED25519:
        raise BadNote("not-a-vkey")
    found = Verifier(name, key[1:])
    if found.id.hex() != id:
        raise BadNote("not-a-vkey")
    return found


def open_checkpoint(note: str, known: Iterable[Verifier]) -> tuple[Checkpoint, Verifier]:
    """What a note says, once a known key bears it out, and which. Raises BadNote.

    Signatures of others (witnesses, keys not known here) are left aside, as the specification wants it.
    """
    text, lines = _parts(note)
    keys = {(each.name, each.id): each for each in known}
    borne: Verifier | None = None
    for name, blob in lines:
        key = keys.get((name, blob[:4]))
        if key is None:
            continue
        if not key.holds(text.encode(), blob[4:]):
            raise BadNote("bad-signature")
        borne = borne or key
    if borne is None:
        raise BadNote("unknown-key")
    return read_text(text), borne


def read_text(text: str) -> Checkpoint:
    """The text of a checkpoint, whoever signed it. Raises BadNote."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or not _SIZE.fullmatch(lines[1]):
        raise BadNote("malformed")
    root = _decoded(lines[2])
    if len(root) != 32:
        raise BadNote("malformed")
    return Checkpoint(lines[0], int(lines[1]), root)


def unsigned(note: str) -> Checkpoint:
    """What a note says, whether or not anybody signed it. Raises BadNote."""
    return read_text(_parts(note)[0])


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    text, blank, signatures = note.rpartition("\n\n")
    lines = signatures.split("\n")
    if len(note) > LONGEST or not blank or lines.pop() or not lines or re.search(r"[\x00-\x09\x0b-\x1f]", note):
        raise BadNote("malformed")
    found = []
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        blob = _decoded(encoded)
        if dash != _DASH or not _NAME.fullmatch(name) or len(blob) < 5:
            raise BadNote("malformed")
        found.append((name, blob))
    return text + "\n", found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""
