"""Letters laid as sealed files, for one machine without a mail server: `journeys outbox` opens them."""

import asyncio
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeAlias

from journeys.channels.letter import Fate, Letter, Sent, check_address, compose

Seal: TypeAlias = Callable[[Letter, bytes], Awaitable[bytes | None]]
"""Makes of a letter's text what only who has the key reads; None: whom it tells of was forgotten."""

SUFFIX: Final = ".sealed"
PLAIN: Final = ".eml"
"""Of before the sealing."""

NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
"""What the id of a letter looks like: it leads out of no folder."""


@dataclass(frozen=True, slots=True)
class FileOutbox:
    """A `Mailer` that writes `<id>.sealed` (0600) in a folder (0700). The same id is laid once, whatever happens."""

    folder: Path
    seal: Seal
    sender: str = "journeys@localhost"
    name: str = "outbox"

    async def send(self, letter: Letter) -> Sent:
        """Lay one letter down; it is on the disk when this returns. Raises BadAddress."""
        check_address(letter.to)
        if not NAME.fullmatch(letter.id):
            raise ValueError("a letter's id is a UUID")
        sealed = await self.seal(letter, compose(letter, self.sender))
        if sealed is None:
            return Sent(Fate.REFUSED, "person-forgotten")
        try:
            await asyncio.to_thread(lay, self.folder, f"{letter.id}{SUFFIX}", sealed)
        except OSError:
            return Sent(Fate.NOTHING_LEFT, "outbox-unwritable")
        return Sent(Fate.SENT)

    async def forget(self, ids: Iterable[str]) -> int:
        """Remove the letters of these ids that lie there; how many."""
        return await asyncio.to_thread(_remove, self.folder, list(ids))

    async def count(self, ids: Iterable[str]) -> int:
        """How many letters of these ids lie there."""
        return await asyncio.to_thread(count, self.folder, list(ids))


@dataclass(frozen=True, slots=True)
class LyingLetters:
    """The letters that lie in a folder, by when they were laid there."""

    folder: Path

    async def laid_before(self, instant: datetime) -> int:
        """How many letters lie there since before an instant."""
        return len(await asyncio.to_thread(self._before, instant))

    async def remove_before(self, instant: datetime) -> int:
        """Remove these; how many."""
        old = await asyncio.to_thread(self._before, instant)
        return await asyncio.to_thread(_remove, self.folder, old)

    def _before(self, instant: datetime) -> list[str]:
        found = set()
        for file in (file for ending in (SUFFIX, PLAIN) for file in lying(self.folder, ending)):
            try:
                laid = file.stat().st_mtime
            except FileNotFoundError:  # an erasure took it meanwhile
                continue
            if laid < instant.timestamp():
                found.add(file.stem)
        return sorted(found)


def lying(folder: Path, suffix: str = SUFFIX) -> list[Path]:
    """The letters that lie in a folder, by their ids; those of before the sealing have another suffix."""
    return sorted(file for file in folder.iterdir() if _is_letter(file, suffix)) if folder.is_dir() else []


def _is_letter(file: Path, suffix: str) -> bool:
    return file.suffix == suffix and not file.name.startswith(".")


def lay(folder: Path, name: str, sealed: bytes) -> None:
    """Lay a file down, once; it is on the disk when this returns. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The umask or an earlier hand may have left it otherwise.
    folder.chmod(0o700)
    target = folder / name
    if target.exists():
        return
    aside = folder / f".{name}.{secrets.token_hex(4)}"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    _sync(folder)


def count(folder: Path, ids: Iterable[str]) -> int:
    """How many letters of these ids lie there."""
    return sum(any(file.exists() for file in _files_of(folder, id)) for id in ids)


def _remove(folder: Path, ids: Iterable[str]) -> int:
    done = 0
    for id in ids:
        lying = [file for file in _files_of(folder, id) if file.exists()]
        for file in lying:
            file.unlink(missing_ok=True)
        done += bool(lying)
    if done:
        _sync(folder)
    return done


def _files_of(folder: Path, id: str) -> tuple[Path, ...]:
    """Where the letter of an id lies, or lay before the sealing."""
    return folder / f"{id}{SUFFIX}", folder / f"{id}{PLAIN}"


def _sync(folder: Path) -> None:
    """Make the new name itself durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
