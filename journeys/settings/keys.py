"""Keys that sign: those of commands with their ids and files, and secrets shared with systems elsewhere."""

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from journeys.settings.problems import TEXTS, Problem, SettingsError, unreadable_file

KEY_BYTES: Final = 32
_KEY_ID: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}")
_SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/]{32,88}={0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeys:
    """The keys that sign and verify commands: 32 bytes each, by id. Only `current` signs."""

    current: str
    by_id: Mapping[str, bytes]

    def __repr__(self) -> str:
        return f"SigningKeys(current={self.current!r}, ids={sorted(self.by_id)!r})"

    @property
    def key(self) -> bytes:
        """The key that signs."""
        return self.by_id[self.current]


def key_id_of(key: bytes) -> str:
    """The id of a key that was given none: it tells keys apart and says nothing about them."""
    return "k-" + hashlib.sha256(b"journeys key id\0" + key).hexdigest()[:12]


def key_bytes(text: str) -> bytes:
    """The key that 64 hexadecimal digits say. Raises ValueError."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise ValueError("key") from None
    if len(key) != KEY_BYTES:
        raise ValueError("key")
    return key


def secret_bytes(text: str) -> bytes:
    """The bytes of a secret of Standard Webhooks."""
    try:
        found = base64.b64decode(text.removeprefix("whsec_"), validate=True) if _SECRET.fullmatch(text) else b""
    except ValueError:
        found = b""
    if not 24 <= len(found) <= 64:
        raise ValueError("notice_secret")
    return found


def check_key_id(key_id: str) -> None:
    """Raises ValueError unless this may name a key."""
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError("key_id")


def other_key_files(current: Path) -> list[Path]:
    """The key files beside this one, by name: they verify only."""
    return sorted(path for path in current.parent.glob("*.key") if path != current)


def read_or_make_key(path: Path, variable: str) -> bytes:
    """The key of a file, which is made (0600) where there is none. Raises SettingsError."""
    try:
        if not path.exists():
            _make_key(path)
    except OSError as error:
        raise SettingsError(unreadable_file("JOURNEYS_DATA_DIR", path, error)) from None
    return read_key(path, variable)


def _make_key(path: Path) -> None:
    """Written aside and linked: two first starts at once end with one key, a full disk with none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            return
    finally:
        aside.unlink()


def read_key(path: Path, variable: str) -> bytes:
    """The key of a file. Raises SettingsError: it cannot be read, others can read it, it holds no key."""
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(unreadable_file(variable, path, error)) from None
    if mode & 0o077:
        raise SettingsError(
            Problem(
                variable=variable,
                fr=f"d'autres utilisateurs peuvent lire la clé {path} (droits {mode:o}) ; faites : chmod 600 {path}",
                en=f"other users can read the key {path} (mode {mode:o}); run: chmod 600 {path}",
            )
        )
    try:
        return key_bytes(text)
    except ValueError:
        fr, en = TEXTS["key"]
        raise SettingsError(Problem(variable=str(path), fr=fr, en=en)) from None
