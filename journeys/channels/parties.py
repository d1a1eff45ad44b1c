"""Those outside who hold checkpoints: a directory, a mailbox, a system elsewhere."""

import asyncio
import hashlib
import json
import os
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from journeys.channels.letter import BadAddress, Fate, Letter, Mailer
from journeys.channels.webhook import Messenger


@dataclass(frozen=True, slots=True)
class Delivery:
    """A checkpoint on its way out."""

    origin: str
    size: int
    note: str
    at: datetime
    """When it leaves."""


class Party(Protocol):
    """Somebody outside."""

    @property
    def id(self) -> str:
        """Kind and a digest of the address: what tables say."""

    @property
    def address(self) -> str:
        """What people read."""

    @property
    def every(self) -> timedelta:
        """How long after one checkpoint the next is due."""

    async def deliver(self, delivery: Delivery) -> str:
        """Deliver; empty when it was taken, else why not, as a code. Never raises for what the world does."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that somebody else keeps (a share, a stick, a mirror): `checkpoint`, and the last one of each day.

    Each log has a directory of its own in it, by its name.
    """

    path: Path
    every: timedelta = timedelta()

    @property
    def id(self) -> str:
        return party_id("directory", str(self.path))

    @property
    def address(self) -> str:
        return str(self.path)

    def latest(self, origin: str) -> str | None:
        """The note that was laid there last; None before the first. Raises OSError, ValueError: not readable."""
        try:
            return self._place(origin).joinpath("checkpoint").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def logs(self) -> list[str]:
        """What each log that has a note there is called, as the names of directories. Raises OSError: not readable."""
        try:
            return sorted(each.name for each in self.path.iterdir() if each.joinpath("checkpoint").exists())
        except FileNotFoundError:
            return []

    def called(self, origin: str) -> str:
        """The name of the directory of a log."""
        return self._place(origin).name

    async def deliver(self, delivery: Delivery) -> str:
        try:
            await asyncio.to_thread(self.lay, delivery)
        except OSError:
            return "directory-unwritable"
        return ""

    def lay(self, delivery: Delivery) -> None:
        """On the disk when this returns. Raises OSError: also where the directory is not there (a share is away)."""
        if not self.path.is_dir():
            raise FileNotFoundError(self.path)
        place = self._place(delivery.origin)
        days = place / "days"
        days.mkdir(mode=0o755, parents=True, exist_ok=True)
        for target in (days / delivery.at.astimezone(UTC).date().isoformat(), place / "checkpoint"):
            aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            try:
                with aside.open("x", encoding="utf-8") as file:
                    file.write(delivery.note)
                    file.flush()
                    os.fsync(file.fileno())
                aside.replace(target)
            finally:
                aside.unlink(missing_ok=True)
            descriptor = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _place(self, origin: str) -> Path:
        return self.path / origin.replace("/", "_")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Somebody who keeps mail: one a day."""

    to: str
    mailer: Mailer
    subject: str
    words: str
    """What stands before the note."""
    lang: str = "fr"
    every: timedelta = timedelta(days=1)

    @property
    def id(self) -> str:
        return party_id("mail", self.to)

    @property
    def address(self) -> str:
        return self.to

    async def deliver(self, delivery: Delivery) -> str:
        letter = Letter(
            id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.to} {delivery.origin} {delivery.size}")), to=self.to,
            subject=self.subject, body=f"{self.words}\n\n{delivery.note}", lang=self.lang, at=delivery.at,
        )  # fmt: skip
        try:
            sent = await self.mailer.send(letter)
        except BadAddress:
            return "bad-address"
        # A checkpoint twice harms nobody: one of which nobody knows is sent again.
        return "" if sent.fate is Fate.SENT else sent.reason or sent.fate.value


@dataclass(frozen=True, slots=True)
class System:
    """A system elsewhere, told as Standard Webhooks says: `{"type": "checkpoint", "note": …}`, once an hour."""

    url: str
    messenger: Messenger
    keys: Sequence[bytes]
    every: timedelta = timedelta(hours=1)

    @property
    def id(self) -> str:
        return party_id("webhook", self.url)

    @property
    def address(self) -> str:
        return self.url

    async def deliver(self, delivery: Delivery) -> str:
        if not self.keys:
            return "no-key"
        told = {"type": "checkpoint", "origin": delivery.origin, "size": delivery.size, "note": delivery.note}
        posted = await self.messenger.post(
            self.url, id=f"checkpoint-{_digest(delivery.origin)}-{delivery.size}", at=delivery.at,
            body=json.dumps(told, ensure_ascii=False).encode(), secrets=self.keys,
        )  # fmt: skip
        return posted.reason


def party_id(kind: str, address: str) -> str:
    """What tables call a party: its kind and a digest of its address."""
    return f"{kind}-{_digest(address)}"


def _digest(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()[:12]
