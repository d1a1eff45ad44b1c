"""Cohorts as entry points see them: opened, joined, left, their days moved, and each journey told."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from journeys.app.allowing import may, not_for, who_may
from journeys.app.entry import Actor, give, must_be_trusted
from journeys.app.failures import Exit, Failure, Said
from journeys.app.finding import Loaded, pick
from journeys.app.publishing import Rules, keep, programme_text_of, rules
from journeys.app.reading import today_of
from journeys.app.telling import failure_of, refused_failure
from journeys.domain import cohort as ruling
from journeys.domain.cohort import Deciding
from journeys.domain.deciding import Refusal
from journeys.domain.directory import PlaceGiven
from journeys.domain.handbook import Handbook
from journeys.domain.rights import Scope, covers, line_of, right
from journeys.issuing import days_owed
from journeys.store import cohorts
from journeys.store.cohorts import CohortRow, Member
from journeys.store.database import Pool
from journeys.store.directory import By
from journeys.store.signing import KeyRing

if TYPE_CHECKING:
    from temporalio.client import Client

_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What moving a day would do: decided by the rules, written nowhere."""

    name: str
    on: date
    before: date | None
    told: tuple[Member, ...]
    """Open journeys with a place: each is told the day."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling a cohort's journeys their days."""

    taken: int
    refused: Mapping[str, Failure]
    """By journey, why a rule of its own forbids the day."""
    waiting: int
    """Not answered: sent again by the housekeeping, within ten minutes of the engine's return."""


@dataclass(frozen=True, slots=True)
class Known:
    """A cohort, with the rules of its programme."""

    row: CohortRow
    book: Handbook


async def find(pool: Pool, asked: str, now: datetime) -> Known:
    """The cohort meant by an id, its beginning, or a name. Raises Failure."""
    everyone = {row.id: row for row in await cohorts.cohorts(pool)}
    row = everyone[pick(asked, {id: each.name for id, each in everyone.items()}, "cohort", "PROMOTION")]
    return await known(pool, row, now)


async def known(pool: Pool, row: CohortRow, now: datetime) -> Known:
    """A cohort with the rules of its programme. Raises Failure: the programme is nowhere any more."""
    return Known(row, rules(await programme_text_of(pool, row.programme), today_of(now)).book)


def by(actor: Actor, act: str, book: Handbook, now: datetime) -> By:
    """Who does this to a cohort of this programme, in which role. Raises Failure (refused)."""
    for role in actor.roles:
        if right(line_of(role, book.programme), act) is Scope.ALLOWED:
            return By(actor=actor.id, role=role, at=now)
    raise Failure(
        Exit.REFUSED, "no-right",
        Said("votre rôle ne permet pas de changer cette promotion", "your role does not allow this on a cohort"),
        Said(f"demandez-le à qui peut le faire : {who_may(act, 'fr', book.programme)}",
             f"ask one of those who may: {who_may(act, 'en', book.programme)}"),
    )  # fmt: skip


def by_caseworker(actor: Actor, act: str, loaded: Loaded, now: datetime) -> By:
    """Who does this for one journey, in which role. Raises Failure (refused)."""
    if not may(actor, loaded, act):
        raise not_for(act, loaded.book.programme)
    programme = loaded.book.programme
    role = next(role for role in actor.roles if covers(act, [role], programme, own=True))
    return By(actor=actor.id, role=role, at=now)


async def begin(
    pool: Pool, id: str, name: str, of: Rules, places: int, dates: Mapping[str, date], by: By
) -> CohortRow:  # fmt: skip
    """Open a cohort and put its programme in force. Raises Failure; AlreadyThere: a cohort has this name."""
    with _told(of.book):
        fact = ruling.opened(of.programme, places, dates, today_of(by.at))
    await keep(pool, of, by)
    await cohorts.open_cohort(pool, id, name, fact, by)
    return await _again(pool, id)


async def must_take(pool: Pool, cohort: Known, programme: str, now: datetime) -> None:
    """Raises Failure unless a journey that is yet to begin under this programme could join."""
    with _told(cohort.book):
        ruling.join(Deciding(await cohorts.folded(pool, cohort.row.id), now), "", programme, over=False)


async def join(pool: Pool, ring: KeyRing, cohort: Known, loaded: Loaded, by: By) -> Member:
    """A place for a journey, or the end of the waiting list. Its days are told by `tell`. Raises Failure."""
    row = loaded.row
    over = row.status == "closed"
    await _change(pool, ring, cohort, lambda work: ruling.join(work, row.id, row.programme, over=over), by)
    return next(each for each in await cohorts.members(pool, cohort.row.id) if each.journey == row.id)


async def leave(pool: Pool, ring: KeyRing, cohort: Known, journey: str, by: By) -> tuple[str, ...]:
    """Free a journey's place or turn: the journeys to which a place was given. Raises Failure."""
    return await _change(pool, ring, cohort, lambda work: ruling.leave(work, journey), by)


async def resize(pool: Pool, ring: KeyRing, cohort: Known, places: int, by: By) -> tuple[str, ...]:
    """Set the places: the journeys to which one was given. Raises Failure."""
    return await _change(pool, ring, cohort, lambda work: ruling.resize(work, places), by)


async def end(pool: Pool, ring: KeyRing, cohort: Known, by: By) -> None:
    """Close a cohort; its journeys keep their days. Raises Failure."""
    await _change(pool, ring, cohort, ruling.close, by)


async def foresee(pool: Pool, cohort: Known, name: str, on: date, now: datetime) -> Foreseen:
    """Whom moving a day would concern. Raises Failure: past, out of order, the same day, no such date."""
    with _told(cohort.book):
        ruling.move(Deciding(await cohorts.folded(pool, cohort.row.id), now), name, on, today_of(now))
    told = [each for each in await cohorts.members(pool, cohort.row.id) if each.rank is None and each.is_open]
    return Foreseen(name, on, dict(cohort.row.dates)[name], tuple(told))


async def move(pool: Pool, ring: KeyRing, cohort: Known, name: str, on: date, by: By) -> None:
    """Another day for all. The journeys are told by `tell`. Raises Failure."""
    await _change(pool, ring, cohort, lambda work: ruling.move(work, name, on, today_of(by.at)), by)


async def tell(
    pool: Pool, ring: KeyRing, client: "Callable[[], Awaitable[Client]]", task_queue: str, cohort: Known, now: datetime,
    patience: timedelta | None = None,
) -> Told:  # fmt: skip
    """Send each journey of a cohort the days that it neither has nor has answered.

    What gets no answer now is sent again by the housekeeping, under the same ids.
    """
    from journeys.temporal import Unreachable

    owed = await days_owed(pool, ring, cohort.row.id, now, today_of(now))
    if not owed:
        return Told(0, {}, 0)
    refused: dict[str, Failure] = {}
    limit = asyncio.Semaphore(_AT_ONCE)
    try:
        temporal = await client()
    except Unreachable:
        return Told(0, {}, len(owed))

    async def one(nth: int) -> bool:
        command = owed[nth]
        async with limit:
            try:
                answer = await give(pool, temporal, command, task_queue, patience)
            except Unreachable:
                return False
        if (failure := failure_of(answer, cohort.book)) is not None:
            refused[command.stream.removeprefix("journey-")] = failure
        return True

    answers = await asyncio.gather(*map(one, range(len(owed))))
    return Told(sum(answers) - len(refused), refused, len(owed) - sum(answers))


def own_days(row: CohortRow, member: Member) -> dict[str, date | None]:
    """Shared dates that a journey with a place has on another day than its cohort, or not at all (None)."""
    if member.rank is not None or not member.is_open:
        return {}
    return {name: member.dates.get(name) for name, on in row.dates if on is not None and member.dates.get(name) != on}


async def _change(
    pool: Pool, ring: KeyRing, cohort: Known, decide: Callable[[Deciding], None], by: By
) -> tuple[str, ...]:
    """Decide and write: the journeys to which a place was given from the waiting list."""
    await must_be_trusted(pool, ring)
    with _told(cohort.book):
        facts = await cohorts.change(pool, cohort.row.id, decide, by)
    return tuple(fact.journey for fact in facts if isinstance(fact, PlaceGiven))


async def _again(pool: Pool, id: str) -> CohortRow:
    row = await cohorts.cohort(pool, id)
    assert row is not None
    return row


@contextmanager
def _told(book: Handbook) -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        raise refused_failure(refusal.code, refusal.details, book) from None
