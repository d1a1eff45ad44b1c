"""From a seed to a full house: lives played in the pure core, written again for everybody, brought in by two processes.

A few hundred lives are played. Each open journey of the crowd is a clone of one of them: the same facts at the same
instants, on another person, led by other staff at another site.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

import asyncpg

from benchmarks.crowd.around import Around, Somebody, drawn_id, participant
from benchmarks.crowd.inventing import HANDLES, invent, material
from benchmarks.crowd.loading import Batch
from benchmarks.crowd.patterns import Pattern, pattern_of
from benchmarks.crowd.playing import Play, Rules
from journeys.authoring.calendars import calendar_text
from journeys.channels.bank import Order, SimulatedBank
from journeys.domain.calendar import ONE_DAY
from journeys.domain.handbook import open_handbook
from journeys.domain.record import SYSTEM
from journeys.store import mentors, partners, publishing, staff, treasury
from journeys.store.database import Connection, Pool
from journeys.store.directory import By
from journeys.store.keys import Keys
from journeys.store.signing import KeyRing

LIVES: Final = 600
"""How many lives are played; every journey is a clone of one."""

_BATCH: Final = 100
"""Journeys a transaction."""
_REGISTERED_BEFORE: Final = timedelta(minutes=5)
_MOST_SALTS: Final = 8
_AWAY: Final = 0.04
_SETTLED_BEFORE: Final = timedelta(days=300)
"""How long before now staff, mentors, partners and funds were there."""


@dataclass(frozen=True, slots=True)
class CrowdMade:
    """What was made, and how long it took."""

    journeys: int
    lives: int
    """Distinct lives played by the core; the journeys are clones of them."""
    events: int
    """Of the journeys alone; each person has one more."""
    commands: int
    parts: int
    people: int
    staff: int
    mentors: int
    partners: int
    now: str
    """The crowd's present: every due before it was taken."""
    playing_seconds: float
    """Of the process that took longest."""
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Size:
    """What is to be made."""

    journeys: int
    lives: int
    seed: int
    now: datetime


@dataclass(frozen=True, slots=True)
class _Share:
    """What one of several processes makes, and where it brings it."""

    size: Size
    number: int
    of: int
    programme: str
    calendar: str
    ring_id: str
    ring_keys: dict[str, bytes]
    keys_dsn: str
    wrapping: KeyRing


@dataclass(frozen=True, slots=True)
class _Done:
    journeys: int
    lives: int
    events: int
    commands: int
    parts: int
    playing_seconds: float
    under_way: list[tuple[str, int, str]]


def last_working_morning(at: datetime) -> datetime:
    """08:30 of the working day that is or was last, in the programme's zone: what `now` is when nobody says."""
    calendar = open_handbook(material()[0].programme.text, _calendar_text(at)).calendar
    day = calendar.day(at)
    while not calendar.works(day) or calendar.at(day, "08:30") > at:
        day -= ONE_DAY
    return calendar.at(day, "08:30")


async def crowd(
    pool: Pool,
    ring: KeyRing,
    *,
    journeys: int,
    seed: int,
    now: datetime,
    dsn: str,
    lives: int = LIVES,
    processes: int = 2,
) -> CrowdMade:
    """Fill a migrated database that holds nothing yet.

    Args:
        pool: may write (journeys_writer). ring: signs the commands.
        now: aware; where all lives stop.
        dsn: of the same database, as a superuser or its owner: rows are brought in by COPY, which no role may use that
            row-level security holds.
        processes: how many make and load beside this one; 1: this one does it.
    """
    begun = time.perf_counter()
    size = Size(journeys, max(2, min(lives, journeys)), seed, now.astimezone(UTC))
    around = Around(journeys, seed)
    programme, calendar = await _prepare(pool, around, size)
    shares = [
        _Share(
            size,
            number,
            processes,
            programme,
            calendar,
            ring.current_id,
            dict(ring.keys),
            pool.keys.dsn,
            pool.keys.ring,
        )
        for number in range(processes)
    ]
    if processes == 1:
        done = [await _connected(shares[0], dsn)]
    else:
        loop = asyncio.get_running_loop()
        with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as beside:
            done = await asyncio.gather(*(loop.run_in_executor(beside, _in_a_process, one, dsn) for one in shares))
    await _tell_the_bank(pool, [payment for one in done for payment in one.under_way])
    await _settle(dsn)
    return CrowdMade(
        journeys=sum(one.journeys for one in done),
        lives=sum(one.lives for one in done),
        events=sum(one.events for one in done),
        commands=sum(one.commands for one in done),
        parts=sum(one.parts for one in done),
        people=journeys,
        staff=len(around.staff),
        mentors=len(around.mentors),
        partners=len(around.partners),
        now=size.now.isoformat(),
        playing_seconds=round(max(one.playing_seconds for one in done), 1),
        seconds=round(time.perf_counter() - begun, 1),
    )


# --- before


def _calendar_text(now: datetime) -> str:
    clock = material()[0].programme.programme.clock
    return calendar_text(clock.zone, clock.calendar, now.year - 1)


async def _prepare(pool: Pool, around: Around, size: Size) -> tuple[str, str]:
    """Everything that is there before the first life begins; SHA-256 of programme and calendar."""
    by = By(actor=SYSTEM, role=SYSTEM, at=size.now - _SETTLED_BEFORE)
    demo = material()[0]
    file, fund = demo.programme, demo.cohort.fund
    assert fund is not None and fund.cap_per_person is not None
    programme = await publishing.publish(pool, file.programme.programme, file.text, by)
    calendar = await publishing.keep(pool, "calendar", file.programme.clock.calendar, _calendar_text(size.now))
    for one in around.staff:
        await staff.add(
            pool,
            staff.Member(
                id=one.id, handle=one.handle, name=one.name, email=one.email, phone=None, language="fr",
                roles=(one.kind,), sites=(one.site,) if one.site else (), active=True,
            ),
            by,
        )  # fmt: skip
    for one in around.mentors:
        known = mentors.Mentor(
            id=one.id, name=one.name, email=one.email, phone=None, language="fr", site=one.site, capacity=40
        )
        await mentors.add(pool, known, by)
    for one in around.partners:
        house = partners.Partner(
            id=one.id, name=one.name, kind=one.kind, email=one.email, phone=None, language="fr", site=one.site
        )
        await partners.add(pool, house, by)
    await _absences(pool, around, size, by)
    random = Random(f"{size.seed}/fund")
    await treasury.open_fund(
        pool, drawn_id(random), fund.code, cap_per_person=fund.cap_per_person,
        balance=fund.cap_per_person * size.journeys, by=by,
    )  # fmt: skip
    return programme, calendar


async def _absences(pool: Pool, around: Around, size: Size, by: By) -> None:
    """Some caseworkers are away these days; for every second one somebody stands in."""
    random, today = Random(f"{size.seed}/absences"), size.now.date()
    for one in around.caseworkers:
        if random.random() < _AWAY:
            beside = [each.id for each in around.caseworkers if each.site == one.site and each is not one]
            deputy = random.choice(beside) if beside and random.random() < 0.5 else None
            first, last = today - timedelta(days=random.randint(0, 8)), today + timedelta(days=random.randint(0, 10))
            await staff.set_absence(pool, staff.Absence(one.id, first, last, deputy), by)


# --- a share


def _in_a_process(share: _Share, dsn: str) -> _Done:
    return asyncio.run(_connected(share, dsn))


async def _connected(share: _Share, dsn: str) -> _Done:
    connection = await asyncpg.connect(dsn, timeout=10)
    keys = Keys(share.keys_dsn, share.wrapping)
    try:
        return await _make(share, connection, keys)
    finally:
        await connection.close()
        await keys.close()


async def _make(share: _Share, connection: Connection, keys: Keys) -> _Done:
    """Play the lives of this share, then write every journey that is made after one of them."""
    size = share.size
    around = Around(size.journeys, size.seed)
    ring = KeyRing(share.ring_id, share.ring_keys)
    begun = time.perf_counter()
    patterns = _patterns(share, around)
    playing = time.perf_counter() - begun
    batch, under_way = Batch(ring), list[tuple[str, int, str]]()
    journeys = events = commands = parts = 0
    for number in range(size.journeys):
        random = Random(f"{size.seed}/journey/{number}")
        cast = around.cast(number, random)
        choices = _choices(size, around, cast["caseworker"])
        pattern = patterns.get(choices[random.randrange(len(choices))])
        if pattern is None:
            continue  # another share's
        _add(batch, pattern, number, cast, random, size)
        journeys, events, commands = journeys + 1, events + pattern.size, commands + len(pattern.commands)
        parts += len(pattern.parts)
        if len(batch.views) == _BATCH:
            under_way += batch.under_way
            await batch.load(connection, keys)
            batch = Batch(ring)
    if batch.views:
        under_way += batch.under_way
        await batch.load(connection, keys)
    return _Done(journeys, len(patterns), events, commands, parts, playing, under_way)


def _choices(size: Size, around: Around, leading: Somebody) -> range:
    """Numbers of the lives that fit a site: even ones were played with two supervisors, odd ones with one."""
    return range(0 if around.has_pair(leading.site or "") else 1, size.lives, 2)


def _patterns(share: _Share, around: Around) -> dict[int, Pattern]:
    """The lives of this share, by number, each played and taken apart."""
    size = share.size
    rules = Rules(
        share.programme, share.calendar, open_handbook(material()[0].programme.text, _calendar_text(size.now))
    )
    ids = {handle: drawn_id(Random(f"{size.seed}/handle/{handle}")) for handle in HANDLES}
    # Those told of an alert stand in the order of their ids: here and in each clone.
    ids["supervisor"], ids["second"] = sorted((ids["supervisor"], ids["second"]))
    made = {}
    # Neighbours stay together, so that each share has lives for either kind of site.
    for number in range(size.lives):
        if number // 2 % share.of == share.number:
            random = Random(f"{size.seed}/life/{number}")
            invented = invent(random, size.now, rules.book.calendar, pair=number % 2 == 0, ids=ids)
            played = Play(invented, rules, size.now, random, share.ring_id).play()
            made[number] = pattern_of(played, rules, ids)
    return made


def _add(
    batch: Batch, pattern: Pattern, number: int, cast: dict[str, Somebody], random: Random, size: Size
) -> None:  # fmt: skip
    person = participant(number, random, size.now)
    people = {handle: one.id for handle, one in cast.items()}
    clone = pattern.clone(drawn_id(random), person.id, people, cast["caseworker"].site or "", random)
    salts = [random.randbytes(32) for _ in range(_MOST_SALTS)]
    batch.add_person(person, pattern.begins - _REGISTERED_BEFORE, salts)
    batch.add_journey(clone, pattern.kinds, person.id)


# --- after


async def _settle(dsn: str) -> None:
    """What a database that grew over months has long done: statistics, and pages known to be visible to all."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute("VACUUM (ANALYZE)", timeout=600)
    finally:
        await connection.close()


async def _tell_the_bank(pool: Pool, under_way: Sequence[tuple[str, int, str]]) -> None:
    """The simulated bank knows what is still under way; what it has settled long ago, it has forgotten."""
    bank = SimulatedBank(pool)
    for payment, amount, payee in under_way:
        await bank.instruct(Order(payment, amount, payee, "sepa"))
