"""One round of the notary: what is new gets its place, is signed, and the signed checkpoint goes to those outside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from journeys.channels.parties import Delivery, Directory, Party
from journeys.channels.wording import Texts
from journeys.domain.fund import ZONE
from journeys.evidence.note import BadNote, Signer, open_checkpoint, unsigned
from journeys.store import checkpoints, sequencing
from journeys.store.checkpoints import Copy, Refused, Signed, Standing
from journeys.store.database import Pool

HELD: Final = "checkpoints"
"""The folder of the data directory in which the last note is kept apart from the database."""
_NO_NOTE: Final = ""
"""Stands for what cannot be read: nobody signed it, so it stops the signing."""
_SOON: Final = timedelta(minutes=1)
_LATEST: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Round:
    """What a round came to."""

    placed: int
    made: Signed | None = None
    refused: Refused | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    """Parties that took nothing, and why."""


@dataclass(frozen=True, slots=True)
class Notary:
    """Keeps the log. Without a key it gives places and signs nothing, which `doctor` says."""

    pool: Pool
    """Acts as journeys_sequencer."""
    writer: Pool
    held: Path
    """Where the last note is kept by this machine itself."""
    seed: bytes | None = field(default=None, repr=False)
    parties: tuple[Party, ...] = ()

    async def round(self, now: datetime, copies: Sequence[Copy] = ()) -> Round:
        """Do what is due; `copies` are held against the log besides those that it finds itself.

        Raises what the database raises, and OSError where the note cannot be kept here; whatever else fails is told.
        """
        placed = await sequencing.sequence(self.pool)
        if self.seed is None:
            return Round(placed)
        origin = (await sequencing.head(self.pool)).origin
        if await checkpoints.announce(self.writer, Signer(origin, self.seed).verifier, now):
            placed += await sequencing.sequence(self.pool)
        if await checkpoints.snapshot(self.pool, self.writer, now.astimezone(ZONE).date(), now):
            placed += await sequencing.sequence(self.pool)
        try:
            made = await checkpoints.sign(self.pool, self.seed, [*self.copies(origin), *copies], now, self._keep)
        except Refused as refused:
            return Round(placed, refused=refused)
        return Round(placed, made, failed=await self._deliver(origin, now))

    def copies(self, origin: str) -> list[Copy]:
        """What stands outside the database, here under whatever name, and with those who keep a directory; there, of
        other logs only what this key has signed."""
        found, own = [], self._own
        for directory in (own, *(each for each in self.parties if isinstance(each, Directory))):
            for name, note in _notes(directory, must=directory is own):
                if directory is own or name == directory.called(origin) or self._signed(note):
                    found.append(Copy(directory.address, note))
        return found

    def _signed(self, note: str) -> bool:
        """Whether our key signed a note, under whatever name of the log."""
        try:
            name = unsigned(note).origin
            return self.seed is not None and bool(open_checkpoint(note, [Signer(name, self.seed).verifier]))
        except BadNote:
            return False

    @property
    def _own(self) -> Directory:
        return Directory(self.held)

    async def _keep(self, made: Signed) -> None:
        self.held.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._own.lay(_delivery(made, made.made_at))

    async def _deliver(self, origin: str, now: datetime) -> dict[str, str]:
        newest = await checkpoints.last(self.pool, origin)
        if newest is None or not self.parties:
            return {}
        standings = await checkpoints.standings(self.pool, origin)
        failed = {}
        for party in self.parties:
            if not _is_due(party, standings.get(party.id), newest, now):
                continue
            reason = await party.deliver(_delivery(newest, now))
            await checkpoints.note_delivery(self.pool, party.id, newest, now, reason)
            if reason:
                failed[party.id] = reason
        return failed


def _notes(directory: Directory, *, must: bool) -> Iterator[tuple[str, str]]:
    """The last note of each log in a directory, by the name of its own in it; what cannot be read as no note.

    Args:
        must: it has to be there to be read. A share may be away: its delivery says so.
    """
    try:
        logs = directory.logs()
    except OSError:
        if must:
            yield "", _NO_NOTE
        return
    for name in logs:
        try:
            note = directory.latest(name)
        except ValueError:
            note = _NO_NOTE
        except OSError:
            note = _NO_NOTE if must else None
        if note is not None:
            yield name, note


def letter_of(lang: str) -> tuple[str, str]:
    """Subject and words of a letter with a checkpoint, for somebody who is to keep it."""
    return (_SUBJECT.in_(lang), _WORDS.in_(lang))


_SUBJECT: Final = Texts(fr="Empreinte du registre, à conserver", en="Fingerprint of the record, to be kept")
_WORDS: Final = Texts(
    fr="Gardez ce message. Les lignes ci-dessous résument tout ce que le registre contenait à cette date, sans aucun "
    "nom. Si quelqu'un change ou retire plus tard une ligne du registre, elles permettront de le voir. Il n'y a rien "
    "à faire aujourd'hui.",
    en="Keep this message. The lines below sum up all that the record held on this date, without any name. Should "
    "somebody change or remove a line of the record later, they will show it. There is nothing to do today.",
)


def _delivery(made: Signed, now: datetime) -> Delivery:
    return Delivery(made.origin, made.size, made.note, now)


def _is_due(party: Party, standing: Standing | None, newest: Signed, now: datetime) -> bool:
    """Whether a party has less than the newest and its time has come; after failures, ever later up to an hour."""
    if standing is None:
        return True
    if standing.size == newest.size:
        return False
    if standing.failures and standing.tried_at is not None:
        pause: timedelta = min(_SOON * int(2 ** min(standing.failures - 1, 10)), _LATEST)
        return _is_over(standing.tried_at, pause, now)
    return standing.delivered_at is None or _is_over(standing.delivered_at, party.every, now)


def _is_over(since: datetime, pause: timedelta, now: datetime) -> bool:
    """Whether a pause is over. What a clock that ran ahead noted holds nothing up."""
    return not timedelta() <= now - since < pause
