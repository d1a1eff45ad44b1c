"""The outbox of one machine: its letters opened for whoever posts them, and those of before the sealing sealed."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from journeys.channels.letter import read
from journeys.channels.outbox import PLAIN, SUFFIX, lay, lying
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
    for file in lying(folder):
        if not file.stem.startswith(beginning):
            continue
        sealed = await asyncio.to_thread(file.read_bytes)
        opened = await open_letter(keys, file.stem, sealed)
        if isinstance(opened, bytes):
            letter = read(opened)
            found.append(Laid(file.stem, letter.at, letter.to, letter.subject, letter.text, opened, sealed_by(sealed)))
        else:
            closed += 1
    return sorted(found, key=lambda each: (each.at, each.id)), closed


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
