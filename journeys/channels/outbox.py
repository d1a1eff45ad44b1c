"""Letters laid as files, for one machine without a mail server: whoever may open the folder reads them, nobody else."""

import asyncio
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from journeys.channels.letter import Fate, Letter, Sent, check_address, compose

_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class FileOutbox:
    """A `Mailer` that writes `<id>.eml` (0600) in a folder (0700). The same id is laid once, whatever happens."""

    folder: Path
    sender: str = "journeys@localhost"
    name: str = "outbox"

    async def send(self, letter: Letter) -> Sent:
        """Lay one letter down; it is on the disk when this returns. Raises BadAddress."""
        check_address(letter.to)
        if not _NAME.fullmatch(letter.id):
            raise ValueError("a letter's id is a UUID")
        text = compose(letter, self.sender)
        try:
            await asyncio.to_thread(self._lay, f"{letter.id}.eml", text)
        except OSError:
            return Sent(Fate.NOTHING_LEFT, "outbox-unwritable")
        return Sent(Fate.SENT)

    async def forget(self, ids: Iterable[str]) -> int:
        """Remove the letters of these ids that lie there; how many."""
        return await asyncio.to_thread(self._remove, list(ids))

    async def count(self, ids: Iterable[str]) -> int:
        """How many letters of these ids lie there."""
        return await asyncio.to_thread(lambda: sum((self.folder / f"{id}.eml").exists() for id in ids))

    def _remove(self, ids: Iterable[str]) -> int:
        done = 0
        for path in (self.folder / f"{id}.eml" for id in ids):
            try:
                path.unlink()
                done += 1
            except FileNotFoundError:
                continue
        if done:
            _sync(self.folder)
        return done

    def _lay(self, name: str, text: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The umask or an earlier hand may have left it otherwise.
        self.folder.chmod(0o700)
        target = self.folder / name
        if target.exists():
            return
        aside = self.folder / f".{name}.{secrets.token_hex(4)}"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            aside.rename(target)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        _sync(self.folder)


def _sync(folder: Path) -> None:
    """Make the new name itself durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
