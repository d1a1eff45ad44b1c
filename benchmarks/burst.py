"""Many journeys that owe something at once: how late it is decided, and what a caseworker feels of it.

All at once, decisions only, against as many bare workflows with one timer and one local activity each; then as the
product runs, with its rounds and checkpoints, spread: misses of one closing hour over four minutes, each with an alert
that waits for the digest of the next morning; reminders, with the letter, over the window of the programme. It takes
N / 25 seconds to plan each house of N journeys, and the window: with 5,000 some 55 minutes in all, with 300 and a
window of 3 minutes some 12.
"""

import asyncio
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from benchmarks.bare import BareWaits, BareWaitsInput, new_id
from benchmarks.commands import at_once
from benchmarks.ground import REFERENT, Ground, Place, Worker, signed
from benchmarks.measuring import Figure, Target, alone, compared
from journeys import temporal
from journeys.app.entry import give
from journeys.authoring.calendars import calendar_text
from journeys.authoring.reading import programme_text
from journeys.domain import commands as c
from journeys.domain.programme import Programme
from journeys.store import people, publishing, staff
from journeys.store.directory import By

JOURNEYS: Final = 5_000
SPREAD_MINUTES: Final = 30
PLANNED_A_SECOND: Final = 25
"""As slow as a machine may plan journeys; slower, and it is told."""
SPARE_SECONDS: Final = 60
IDLE_SECONDS: Final = 60
PEAK: Final = timedelta(minutes=5)
"""The misses are taken, and what follows them."""
LOOK_SECONDS: Final = 10
"""Seldom: a look reads the journal beside what is measured."""
AFTERWARDS_SECONDS: Final = 60
"""So long after the last that was awaited one looks whether one came twice."""
TEAM: Final = 25
"""Journeys of one caseworker."""
PAUSE_SECONDS: Final = 0.2
"""Of the caseworker between two commands."""
PATIENCE_SECONDS: Final = 900
ZONES: Final = ("Europe/Paris", "America/Cayenne", "Pacific/Noumea")


@dataclass(frozen=True, slots=True)
class House:
    """Journeys under one programme, all planned."""

    referents: Mapping[str, str]
    """By stream."""
    at: datetime
    """When the first of what they owe is due."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What is on record of what was owed."""

    late: list[float]
    """Seconds from the planned instant to the record, of each decision."""
    wrong: int
    """How many are missing, and how many there are too many."""


async def measure(ground: Ground, journeys: int = JOURNEYS, spread_minutes: int = SPREAD_MINUTES) -> list[Figure]:
    """One measurement, no rounds."""
    return [*await measure_at_once(ground, journeys), *await measure_spread(ground, journeys, spread_minutes)]


async def measure_at_once(ground: Ground, journeys: int) -> list[Figure]:
    place = await ground.place()
    ours = await _all_at_once(place, journeys)
    _tell("all at once", ours)
    bare = await _bare(place, journeys)
    _tell("bare workflows", bare)
    return [
        compared(
            f"lateness of {journeys:,} decisions due at once, p99, against bare workflows with a timer and a local"
            " activity", "s", [(_percentile(ours.late, 99), _percentile(bare.late, 99))], Target("at most", 1.5),
            f"p50 {_percentile(ours.late, 50):.1f} s against {_percentile(bare.late, 50):.1f} s",
        ),
        alone("decisions lost or doubled, at once", "", [ours.wrong], Target("at most", 0),
              f"of the bare ones {bare.wrong}"),
    ]  # fmt: skip


async def measure_spread(ground: Ground, journeys: int, minutes: int) -> list[Figure]:
    place = await ground.place()
    spread, idle, peak = await _as_it_runs(place, journeys, minutes)
    _tell("spread", spread)
    return [
        alone(
            f"the latest of {len(spread.late):,} decisions, spread", "s", [max(spread.late)], Target("at most", 30),
            f"p50 {_percentile(spread.late, 50):.2f} s, p99 {_percentile(spread.late, 99):.2f} s",
        ),
        alone("decisions lost or doubled, spread", "", [spread.wrong], Target("at most", 0)),
        compared(
            "a caseworker's command at the peak, p95, against the same on an idle stack", "ms",
            [(_percentile(peak, 95) * 1000, _percentile(idle, 95) * 1000)], Target("at most", 3),
            f"{len(peak)} commands in the {PEAK.total_seconds() / 60:.0f} minutes of the misses against {len(idle)}",
        ),
    ]  # fmt: skip


def _tell(what: str, found: Decided) -> None:
    print(
        f"{what}: {len(found.late)} decided, {found.wrong} wrong, p50 {_percentile(found.late, 50):.2f} s,"
        f" p99 {_percentile(found.late, 99):.2f} s, the latest {max(found.late):.2f} s",
        file=sys.stderr, flush=True,
    )  # fmt: skip


# --- the two burst


async def _all_at_once(place: Place, count: int) -> Decided:
    async with place.worker() as worker:
        house = await _house(place, worker, count, spread=None)
        await _until(house.at)
        return await _decided(place, house, count, ("DeadlineMissed",))


async def _bare(place: Place, count: int) -> Decided:
    async with place.worker() as worker:
        at, batch = datetime.now(UTC) + timedelta(seconds=count / PLANNED_A_SECOND + SPARE_SECONDS), str(uuid.uuid4())

        async def start(_: int) -> None:
            await place.client.start_workflow(
                BareWaits.run, BareWaitsInput(batch=batch, until=at), id=new_id(), task_queue=worker.bare_queue,
                task_timeout=temporal.TASK_TIMEOUT,
            )  # fmt: skip

        await at_once(start, range(count))
        await _until(at)
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            rows = await place.pool.fetch("SELECT at FROM bare_waited WHERE batch = $1", batch)
            if len(rows) >= count:
                break
            await asyncio.sleep(1)
        return Decided([(row["at"] - at).total_seconds() for row in rows], abs(count - len(rows)))


async def _as_it_runs(place: Place, count: int, minutes: int) -> tuple[Decided, list[float], list[float]]:
    """The decisions, and how long commands took before and at the peak."""
    async with place.worker(whole=True) as worker:
        house = await _house(place, worker, count, spread=minutes)
        async with _caseworker(place, worker, house) as idle:
            await asyncio.sleep(IDLE_SECONDS)
        await _until(house.at)
        async with _caseworker(place, worker, house) as peak:
            await _until(house.at + PEAK)
        seen = f"peak {_percentile(peak, 95) * 1000:.0f} ms, idle {_percentile(idle, 95) * 1000:.0f} ms (p95)"
        print(seen, file=sys.stderr, flush=True)
        found = await _decided(place, house, 2 * count, ("DeadlineMissed", "ReminderTaken"))
        return found, idle, peak


@asynccontextmanager
async def _caseworker(place: Place, worker: Worker, house: House) -> AsyncIterator[list[float]]:
    """Somebody who notes one thing after the other, on journeys drawn from all; how long each was waited for."""
    took: list[float] = []
    drawn = random.Random(len(house.referents))
    streams = sorted(house.referents)

    async def work() -> None:
        while True:
            stream = drawn.choice(streams)
            begun = time.perf_counter()
            answer = await give(place.pool, place.client, place.note(stream, house.referents[stream]), worker.queue)
            if answer.outcome != "accepted":
                raise RuntimeError(answer)
            took.append(time.perf_counter() - begun)
            await asyncio.sleep(PAUSE_SECONDS)

    working = asyncio.create_task(work())
    try:
        yield took
        if working.done():
            working.result()
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


# --- a house


async def _house(place: Place, worker: Worker, count: int, spread: int | None) -> House:
    """So many journeys, each with a step due at one closing hour, and where it is spread, whoever is told that it was
    missed and a reminder of tomorrow's."""
    ahead = timedelta(seconds=count / PLANNED_A_SECOND + SPARE_SECONDS + (IDLE_SECONDS if spread else 0))
    zone, at = _when(ahead, timedelta(minutes=spread or 0))
    calendar = await publishing.keep(
        place.pool, "calendar", f"burst-{zone}", calendar_text(zone, "FR", at.astimezone(ZoneInfo(zone)).year)
    )
    rules = programme_text(Programme.model_validate(_rules(at.astimezone(ZoneInfo(zone)), spread)))
    programme = await publishing.keep(place.pool, "programme", "burst", rules)
    team = await _team(place, -(-count // TEAM)) if spread else [REFERENT]
    referents: dict[str, str] = {}

    async def plan(number: int) -> None:
        person, now = str(uuid.uuid4()), datetime.now(UTC)
        if spread is not None:
            details = people.Details(first_name="Éloïse", last_name=f"N{number}", email=f"n{number}@example.org")
            await people.register(place.pool, person, details, By(actor=REFERENT, role="referent", at=now))
        body = c.Plan(person=person, programme=programme, calendar=calendar, referent=team[number % len(team)])
        command = signed(place.ring, f"journey-{uuid.uuid4()}", body, now, by=body.referent)
        answer = await temporal.send(place.client, command, task_queue=worker.queue)
        if answer.outcome != "accepted":
            raise RuntimeError(answer)
        referents[command.stream] = body.referent

    await at_once(plan, range(count))
    if datetime.now(UTC) > at - timedelta(seconds=IDLE_SECONDS if spread else 0):
        raise RuntimeError(f"{count} journeys were not planned in {ahead}: this machine is too busy for this figure")
    return House(referents, at)


async def _team(place: Place, count: int) -> list[str]:
    """So many caseworkers."""
    by, team = By(actor=REFERENT, role="supervisor", at=datetime.now(UTC)), [str(uuid.uuid4()) for _ in range(count)]
    for number, id in enumerate(team):
        await staff.add(
            place.pool,
            staff.Member(id=id, handle=f"claire-{number}-{id[:8]}", name=f"Claire {number}",
                         email=f"claire{number}@example.org", phone=None, language="fr", roles=("referent",), sites=(),
                         active=True), by,
        )  # fmt: skip
    return team


def _when(ahead: timedelta, window: timedelta) -> tuple[str, datetime]:
    """A whole minute after `ahead`, and a zone in which that and the window after it are one day with now."""
    now = datetime.now(UTC)
    at = (now + ahead).replace(second=0, microsecond=0) + timedelta(minutes=1)
    for zone in ZONES:
        days = {each.astimezone(ZoneInfo(zone)).date() for each in (now, at + window + timedelta(minutes=5))}
        if len(days) == 1 and at.astimezone(ZoneInfo(zone)).hour >= 4:
            return zone, at
    raise RuntimeError("it is midnight everywhere")


def _rules(at: datetime, spread: int | None) -> dict[str, Any]:
    """A closing hour at that local time; where it is spread, the opening hour too: reminders leave from then on."""
    today = {"label": "aujourd'hui", "due": "at start", "roll": "none", **({"missed": "follow-up"} if spread else {})}
    digest = at - timedelta(minutes=1)  # Misses are told the next morning.
    clock = {
        "closes": f"{at:%H:%M}", "opens": f"{at:%H:%M}" if spread else "00:01", "quiet_from": "03:00",
        "quiet_to": "03:01", **({"spread": f"{spread} minutes", "digest": f"{digest:%H:%M}"} if spread else {}),
    }  # fmt: skip
    steps = [{"to": "referent", "after": "0 hours"}, {"to": "supervisor", "after": "3 working days"}]
    ladder = {"acknowledged_for": "5 working days", "steps": steps}
    reminded = {
        "label": "demain", "due": "1 days after start", "roll": "none",
        "remind": [{"to": "participant", "when": "1 day before", "template": "deadline-near"}],
    }  # fmt: skip
    milestones = {"today": today, **({"tomorrow": reminded} if spread else {})}
    ladders = {"ladders": {"follow-up": ladder}} if spread else {}
    return {"programme": "burst", "label": "Rafale", "clock": clock, "milestones": milestones, **ladders}


# --- what was decided


_WHICH: Final = "WHERE wall >= $1 AND kind = ANY ($2) AND stream = ANY ($3)"
_DECIDED: Final = f"""
    SELECT stream, kind, wall, convert_from(header, 'UTF8')::jsonb ->> 'occurred_at' AS planned FROM events {_WHICH}
"""


async def _decided(place: Place, house: House, count: int, kinds: Sequence[str]) -> Decided:
    """Every decision of these kinds, and a minute after the last whether one is missing or came twice."""

    asked = (house.at - timedelta(minutes=1), list(kinds), list(house.referents))
    end = time.monotonic() + PATIENCE_SECONDS + SPREAD_MINUTES * 60
    while time.monotonic() < end:
        await asyncio.sleep(LOOK_SECONDS)
        if await place.pool.fetchval(f"SELECT count(*) FROM events {_WHICH}", *asked, timeout=LOOK_SECONDS) >= count:
            break
    await asyncio.sleep(AFTERWARDS_SECONDS)
    rows = await place.pool.fetch(_DECIDED, *asked, timeout=PATIENCE_SECONDS)
    each = Counter((row["stream"], row["kind"]) for row in rows)
    late = [(row["wall"] - datetime.fromisoformat(row["planned"])).total_seconds() for row in rows]
    return Decided(late, count - len(each) + sum(number - 1 for number in each.values()))


async def _until(at: datetime) -> None:
    await asyncio.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))


def _percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
