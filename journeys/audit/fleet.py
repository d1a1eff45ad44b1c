"""Everything verified at once: the log, each journey's journal and lists, what was owed, duties, kept histories."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from journeys.audit.duties import Career, GrantDuties, actors, careers, duties
from journeys.audit.journal_account import BROKEN_FOLD
from journeys.audit.log_account import verify_log
from journeys.audit.obligations import GRACE, Obligation, Outcome, obligations, subject
from journeys.audit.reading import JourneyRecord, Unreadable, read_record
from journeys.audit.verifying import Sources, verify
from journeys.contract import Run
from journeys.domain.evolve import fold
from journeys.evidence.note import Verifier
from journeys.narration.telling import Speech
from journeys.store import histories
from journeys.store.checkpoints import Copy
from journeys.store.database import Pool
from journeys.store.evidence import each_journey
from journeys.store.findings import Beat, DutiesLine, Lines, LinesOf, OwedLine
from journeys.store.histories import Altered
from journeys.store.keys import CannotUnwrap
from journeys.store.signing import KeyRing
from journeys.store.verifications import NAMED, Found, HistoriesFound, Named, Verified

A_NIGHT: Final = timedelta(hours=26)
"""Histories are kept every night: a run that ended before, and is not kept, was passed over."""
_AT_ONCE: Final = 100
"""Journeys whose lines are kept in one transaction."""


async def verify_fleet(
    pool: Pool,
    ring: KeyRing,
    now: datetime,
    ended: AsyncIterator[Run],
    key: Verifier | None = None,
    copies: Sequence[Copy] = (),
    beat: Beat = lambda: None,
    lines: Lines | None = None,
) -> Verified:
    """Read the whole record once, journey by journey; nothing is changed and the engine is not asked for its account.

    Args:
        ended: the runs that ended, as the engine lists them. key, copies: see `verify_log`. lines: where what was owed
            and who did what is kept, line by line.

    Raises: OSError, TimeoutError, asyncpg.PostgresError: no database.
    """
    began = time.monotonic()
    report = await verify_log(pool, key, copies, lambda done, all: beat())
    walk = _Walk(pool, ring, now, lines)
    async for stream in each_journey(pool):
        await walk.take(stream)
        beat()
    await walk.keep()
    kept = await _histories(pool, ring, now, ended, beat)
    return walk.told(report.as_json(), kept, time.monotonic() - began)


@dataclass(slots=True)
class _Walk:
    """From journey to journey: what is to be told of each."""

    pool: Pool
    ring: KeyRing
    now: datetime
    lines: Lines | None = None
    journeys: int = 0
    grants: int = 0
    owed: Counter[str] = field(default_factory=Counter)
    apart: list[Named] = field(default_factory=list)
    silent: list[Named] = field(default_factory=list)
    missed: list[Named] = field(default_factory=list)
    breaches: list[Named] = field(default_factory=list)
    careers: dict[str, Career] = field(default_factory=dict)
    waiting: list[LinesOf] = field(default_factory=list)
    """To be kept with the next ones."""

    async def take(self, stream: str) -> None:
        self.journeys += 1
        journey = stream.removeprefix("journey-")
        found = await verify(Sources(self.pool, self.ring), stream)
        for account in found.disagreeing[:1]:
            self.apart.append(Named(journey=journey, count=len(found.disagreeing), code=account.name.value))
        try:
            record = await read_record(self.pool, stream)
            owed = self._owed(journey, record)
            grants = await self._duties(journey, record)
        except (Unreadable, CannotUnwrap, *BROKEN_FOLD):
            # What cannot be read stands in `apart`; nothing more can be said of it.
            self.waiting.append(LinesOf(journey, read=False))
        else:
            if self.lines is not None:
                self.waiting.append(_lines(journey, record, owed, grants))
        if len(self.waiting) >= _AT_ONCE:
            await self.keep()

    async def keep(self) -> None:
        """Keep the lines that wait."""
        if self.lines is not None and self.waiting:
            await self.lines.add(self.waiting)
        self.waiting = []

    def _owed(self, journey: str, record: JourneyRecord) -> list[Obligation]:
        found = obligations(record.events, record.book, self.now)
        self.owed.update(each.outcome.value for each in found)
        for outcome, those in ((Outcome.SILENT, self.silent), (Outcome.MISSED, self.missed)):
            dues = [each.due for each in found if each.outcome is outcome]
            if dues:
                at = min(dues) if outcome is Outcome.SILENT else max(dues)
                those.append(Named(journey=journey, count=len(dues), at=at))
        return found

    async def _duties(self, journey: str, record: JourneyRecord) -> list[GrantDuties]:
        who = actors(record.events)
        self.careers |= await careers(self.pool, who - self.careers.keys())
        found = duties(record.events, self.careers)
        self.grants += len(found)
        if breaches := [breach for grant in found for breach, _ in grant.breaches]:
            self.breaches.append(Named(journey=journey, count=len(breaches), code=breaches[0].value))
        return found

    def told(self, log: dict[str, object], kept: HistoriesFound, seconds: float) -> Verified:
        return Verified(
            at=self.now, seconds=round(seconds, 1), log=log, journeys=self.journeys, apart=_found(self.apart),
            owed=dict(self.owed), silent=_found(sorted(self.silent, key=_at)),
            missed=_found(sorted(self.missed, key=_at, reverse=True)), grants=self.grants,
            breaches=_found(self.breaches), histories=kept,
        )  # fmt: skip


def _lines(journey: str, record: JourneyRecord, owed: Sequence[Obligation], grants: Sequence[GrantDuties]) -> LinesOf:
    state = fold(record.events)
    french, english = (Speech(record.book, {}, lang, state) for lang in ("fr", "en"))
    return LinesOf(
        journey, [_owed_line(each, french, english) for each in owed],
        [_duties_line(each, french, english) for each in grants],
    )  # fmt: skip


def _owed_line(each: Obligation, french: Speech, english: Speech) -> OwedLine:
    return OwedLine(
        outcome=each.outcome.value, due=each.due, at=each.at, late=each.late > GRACE, learnt_late=each.learnt_late,
        fr=subject(each, french), en=subject(each, english),
    )  # fmt: skip


def _duties_line(each: GrantDuties, french: Speech, english: Speech) -> DutiesLine:
    return DutiesLine(
        amount=each.amount, asked_at=each.duties[0].at, breaches=tuple(breach.value for breach, _ in each.breaches),
        acts=tuple(duty.as_json() for duty in each.duties), fr=french.grant(each.grant), en=english.grant(each.grant),
    )  # fmt: skip


def _at(named: Named) -> datetime:
    assert named.at is not None
    return named.at


def _found(those: Iterable[Named]) -> Found:
    every = tuple(those)
    return Found(journeys=len(every), count=sum(each.count for each in every), named=every[:NAMED])


async def _histories(pool: Pool, ring: KeyRing, now: datetime, ended: AsyncIterator[Run], beat: Beat) -> HistoriesFound:
    """Each kept file opened and compared with its digest, then what the engine still has and is not kept."""
    kept, gone, altered = 0, 0, list[str]()
    async for run in histories.each(pool):
        beat()
        try:
            await histories.read(pool, ring, run)
            kept += 1
        except Altered as found:
            if found.why == "gone":
                gone += 1
            else:
                altered.append(run)
    waiting = [run async for run in histories.not_kept(pool, ended, beat)]
    late = sum(run.closed_at < now - A_NIGHT for run in waiting)
    return HistoriesFound(kept=kept, gone=gone, altered=tuple(altered[:NAMED]), waiting=len(waiting), late=late)
