"""Letters laid as sealed files, for one machine without a mail server: `journeys outbox` opens them."""

import asyncio
import os
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from journeys.channels.letter import Fate, Letter, Sent, check_address, compose

Seal: TypeAlias = Callable[[Letter, bytes], Awaitable[bytes | None]]
"""Makes of a letter's text what only who has the key reads; None: whom it tells of was forgotten."""

SUFFIX: Final = ".sealed"

_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


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
        if not _NAME.fullmatch(letter.id):
            raise ValueError("a letter's id is a UUID")
        sealed = await self.seal(letter, compose(letter, self.sender))
        if sealed is None:
            return Sent(Fate.REFUSED, "person-forgotten")
        try:
            await asyncio.to_thread(lay, self.folder, f"{letter.id}{SUFFIX}", sealed)
        except OSError:
            return Sent(Fate.NOTHING_LEFT, "outbox-unwritable")
        return Sent(Fate.SENT)


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


def _sync(folder: Path) -> None:
    """Make the new name itself durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
