"""Many journeys that owe something at once: how late it is decided, and what a caseworker feels of it.

All at once, decisions only, against as many bare workflows with one timer and one local activity each; then as the
product runs, spread: misses of one closing hour over four minutes, reminders over the window of the programme. It takes
N / 25 seconds to plan each house of N journeys, and the window: with 5,000 some 50 minutes in all, with 300 and a
window of 2 minutes some 8.
"""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any, Final
from zoneinfo import ZoneInfo

from benchmarks.bare import BareWaits, BareWaitsInput, new_id
from benchmarks.commands import at_once
from benchmarks.ground import REFERENT, Ground, Place, Worker
from benchmarks.measuring import Figure, Target, alone, compared
from journeys import temporal
from journeys.app.entry import give
from journeys.authoring.calendars import calendar_text
from journeys.authoring.reading import programme_text
from journeys.domain import commands as c
from journeys.domain.programme import Programme
from journeys.store import people, publishing
from journeys.store.directory import By

JOURNEYS: Final = 5_000
SPREAD_MINUTES: Final = 30
PLANNED_A_SECOND: Final = 25
"""As slow as a machine may plan journeys; slower, and it is told."""
SPARE_SECONDS: Final = 60
IDLE_SECONDS: Final = 30
PAUSE_SECONDS: Final = 0.2
"""Of the caseworker between two commands."""
PATIENCE_SECONDS: Final = 900
ZONES: Final = ("Europe/Paris", "America/Cayenne", "Pacific/Noumea")


@dataclass(frozen=True, slots=True)
class House:
    """Journeys under one programme, all planned."""

    streams: tuple[str, ...]
    at: datetime
    """When the first of what they owe is due."""


async def measure(
    ground: Ground, rounds: int, journeys: int = JOURNEYS, spread_minutes: int = SPREAD_MINUTES
) -> list[Figure]:
    """One measurement, no rounds."""
    place = await ground.place()
    ours = await _all_at_once(place, journeys)
    bare = await _bare(place, journeys)
    late, wrong, idle, busy = await _as_it_runs(place, journeys, spread_minutes)
    return [
        compared(
            f"lateness of {journeys:,} decisions due at once, p99, against bare workflows with a timer and a local"
            " activity", "s", [(_percentile(ours, 99), _percentile(bare, 99))], Target("at most", 1.5),
            f"p50 {_percentile(ours, 50):.1f} s against {_percentile(bare, 50):.1f} s",
        ),
        alone(
            f"the latest of {len(late):,} decisions, spread", "s", [max(late)], Target("at most", 30),
            f"p50 {_percentile(late, 50):.2f} s, p99 {_percentile(late, 99):.2f} s",
        ),
        alone("decisions lost or doubled", "", [wrong], Target("at most", 0)),
        compared(
            "a caseworker's command meanwhile, p95, against the same on an idle stack", "ms",
            [(_percentile(busy, 95) * 1000, _percentile(idle, 95) * 1000)], Target("at most", 3),
            f"{len(busy)} commands against {len(idle)}",
        ),
    ]  # fmt: skip


# --- the two burst


async def _all_at_once(place: Place, count: int) -> list[float]:
    """Seconds between the closing hour and each of so many misses on record."""
    async with place.worker() as worker:
        house = await _house(place, worker, count, spread=None)
        await _until(house.at)
        return [late for _, late in await _decided(place, house, count, ("DeadlineMissed",))]


async def _bare(place: Place, count: int) -> list[float]:
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
            if len(rows) == count:
                break
            await asyncio.sleep(1)
        return [(row["at"] - at).total_seconds() for row in rows]


async def _as_it_runs(place: Place, count: int, minutes: int) -> tuple[list[float], int, list[float], list[float]]:
    """Lateness of every decision, how many are missing or doubled, and how long commands took before and meanwhile."""
    async with place.worker() as worker:
        house = await _house(place, worker, count, spread=minutes)
        async with _caseworker(place, worker, house.streams[:20]) as idle:
            await asyncio.sleep(IDLE_SECONDS)
        await _until(house.at)
        async with _caseworker(place, worker, house.streams[:20]) as busy:
            found = await _decided(place, house, 2 * count, ("DeadlineMissed", "ReminderTaken"))
        kinds = Counter(key for key, _ in found)
        wrong = 2 * count - len(kinds) + sum(number - 1 for number in kinds.values())
        return [late for _, late in found], wrong, idle, busy


@asynccontextmanager
async def _caseworker(place: Place, worker: Worker, streams: Sequence[str]) -> AsyncIterator[list[float]]:
    """Somebody who notes one thing after the other; how long each was waited for."""
    took: list[float] = []

    async def work() -> None:
        for stream in cycle(streams):
            begun = time.perf_counter()
            answer = await give(place.pool, place.client, place.note(stream), worker.queue)
            if answer.outcome != "accepted":
                raise RuntimeError(answer)
            took.append(time.perf_counter() - begun)
            await asyncio.sleep(PAUSE_SECONDS)

    working = asyncio.create_task(work())
    try:
        yield took
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


# --- a house


async def _house(place: Place, worker: Worker, count: int, spread: int | None) -> House:
    """So many journeys, each with a step due at one closing hour, and where it is spread, a reminder of tomorrow's."""
    ahead = timedelta(seconds=count / PLANNED_A_SECOND + SPARE_SECONDS + (IDLE_SECONDS if spread else 0))
    zone, at = _when(ahead, timedelta(minutes=spread or 0))
    calendar = await publishing.keep(
        place.pool, "calendar", f"burst-{zone}", calendar_text(zone, "FR", at.astimezone(ZoneInfo(zone)).year)
    )
    rules = programme_text(Programme.model_validate(_rules(at.astimezone(ZoneInfo(zone)), spread)))
    programme = await publishing.keep(place.pool, "programme", "burst", rules)
    streams: list[str] = []

    async def plan(number: int) -> None:
        person, now = str(uuid.uuid4()), datetime.now(UTC)
        if spread is not None:
            details = people.Details(first_name="Éloïse", last_name=f"N{number}", email=f"n{number}@example.org")
            await people.register(place.pool, person, details, By(actor=REFERENT, role="referent", at=now))
        body = c.Plan(person=person, programme=programme, calendar=calendar, referent=REFERENT)
        command = place.signed(f"journey-{uuid.uuid4()}", body)
        answer = await temporal.send(place.client, command, task_queue=worker.queue)
        if answer.outcome != "accepted":
            raise RuntimeError(answer)
        streams.append(command.stream)

    await at_once(plan, range(count))
    if datetime.now(UTC) > at - timedelta(seconds=IDLE_SECONDS if spread else 0):
        raise RuntimeError(f"{count} journeys were not planned in {ahead}: this machine is too busy for this figure")
    return House(tuple(streams), at)


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
    today = {"label": "aujourd'hui", "due": "at start", "roll": "none"}
    clock = {
        "closes": f"{at:%H:%M}", "opens": f"{at:%H:%M}" if spread else "00:01", "quiet_from": "03:00",
        "quiet_to": "03:01", **({"spread": f"{spread} minutes"} if spread else {}),
    }  # fmt: skip
    reminded = {
        "label": "demain", "due": "1 days after start", "roll": "none",
        "remind": [{"to": "participant", "when": "1 day before", "template": "deadline-near"}],
    }  # fmt: skip
    milestones = {"today": today, **({"tomorrow": reminded} if spread else {})}
    return {"programme": "burst", "label": "Rafale", "clock": clock, "milestones": milestones}


# --- what was decided


_DECIDED: Final = """
    SELECT stream, kind, wall, convert_from(header, 'UTF8')::jsonb ->> 'occurred_at' AS planned
    FROM events WHERE wall >= $1 AND kind = ANY ($2) AND stream = ANY ($3)
"""


async def _decided(place: Place, house: House, count: int, kinds: Sequence[str]) -> list[tuple[tuple[str, str], float]]:
    """Every decision of these kinds, by journey and kind, with its seconds from the planned instant to the record."""
    end = time.monotonic() + PATIENCE_SECONDS + SPREAD_MINUTES * 60
    while True:
        rows = await place.pool.fetch(_DECIDED, house.at - timedelta(minutes=1), list(kinds), list(house.streams))
        if len(rows) >= count or time.monotonic() > end:
            break
        await asyncio.sleep(2)
    return [
        ((row["stream"], row["kind"]), (row["wall"] - datetime.fromisoformat(row["planned"])).total_seconds())
        for row in rows
    ]


async def _until(at: datetime) -> None:
    await asyncio.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))


def _percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
