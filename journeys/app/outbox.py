"""The outbox of one machine: its letters opened for whoever posts them, and those of before the sealing sealed."""

import asyncio
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from journeys.channels.letter import read
from journeys.channels.outbox import NAME, PLAIN, SUFFIX, lay, lying
from journeys.store.database import Connection
from journeys.store.keys import Keys
from journeys.store.letters import journeys_of, open_letter, seal_letter
from journeys.store.sealing import sealed_by


@dataclass(frozen=True, slots=True)
class Laid:
    """A letter that lies in the outbox, opened."""

    id: str
    at: datetime
    to: str
    subject: str
    text: str
    whole: bytes
    """As RFC 5322 has it, for a mail program."""
    key: str
    """The id of the key that opened it."""


async def laid(folder: Path, keys: Keys, beginning: str = "") -> tuple[list[Laid], int]:
    """The letters whose id begins so, the oldest first; and how many of them nobody can read any more."""
    found: list[Laid] = []
    closed = 0
    for file in await asyncio.to_thread(lying, folder):
        if not file.stem.startswith(beginning):
            continue
        letter = await _open(file, keys)
        if letter is not None:
            found.append(letter)
        else:
            closed += 1
    return sorted(found, key=lambda each: (each.at, each.id)), closed


async def opened(folder: Path, keys: Keys, id: str) -> Laid | None:
    """One letter, opened; None: there is none of this id, or nobody can read it any more."""
    if not NAME.fullmatch(id):
        return None
    try:
        return await _open(folder / f"{id}{SUFFIX}", keys)
    except FileNotFoundError:
        return None


async def _open(file: Path, keys: Keys) -> Laid | None:
    """A letter; None: nobody can read it any more. Raises FileNotFoundError."""
    sealed = await asyncio.to_thread(file.read_bytes)
    whole = await open_letter(keys, file.stem, sealed)
    if not isinstance(whole, bytes):
        return None
    letter = read(whole)
    return Laid(file.stem, letter.at, letter.to, letter.subject, letter.text, whole, sealed_by(sealed))


@dataclass(frozen=True, slots=True)
class Lying:
    """A letter that lies in the outbox, as it can be seen from outside."""

    id: str
    laid_at: datetime
    size: int
    """Of the file, in bytes."""
    key: str
    """The id of the key under which it is sealed; empty: it is no sealed file."""

    @property
    def person(self) -> str | None:
        """The id of the person whom it tells of; None: of nobody's journey."""
        kind, _, id = self.key.partition("-")
        return id if kind == "person" else None


async def listed(folder: Path) -> list[Lying]:
    """What lies there, the newest first; nothing is opened."""
    return await asyncio.to_thread(_listed, folder)


def _listed(folder: Path) -> list[Lying]:
    found = []
    for file in lying(folder):
        try:
            with file.open("rb") as held:
                head, stat = held.read(_HEAD), os.fstat(held.fileno())
        except FileNotFoundError:
            continue  # Forgotten just now.
        laid_at = datetime.fromtimestamp(stat.st_mtime, UTC)
        found.append(Lying(file.stem, laid_at, stat.st_size, sealed_by(head)))
    return sorted(found, key=lambda each: (each.laid_at, each.id), reverse=True)


_HEAD: Final = 300
"""Bytes in which the id of a key stands."""


@dataclass(frozen=True, slots=True)
class _Before:
    """A letter of before the sealing."""

    id: str
    about: str | None


async def seal_up_letters(folder: Path, keys: Keys, connection: Connection) -> int:
    """Seal the letters that were laid plain; how many. Whatever was done before a stop stays done.

    One to a participant comes under the key of the person; of others the file does not say whom they tell of, so they
    come under the key of the house.
    """
    plain = lying(folder, PLAIN)
    about = await journeys_of(connection, [file.stem for file in plain]) if plain else {}
    for file in plain:
        text = await asyncio.to_thread(file.read_bytes)
        sealed = await seal_letter(keys, _Before(file.stem, about.get(file.stem)), text)
        if sealed is not None:
            await asyncio.to_thread(lay, folder, f"{file.stem}{SUFFIX}", sealed)
        file.unlink()
    return len(plain)
