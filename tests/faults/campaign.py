"""The fault campaign: kills, freezes and resets under load, then every account compared.

    python -m tests.faults.campaign [--seed N] [--journeys N] [--minutes M]

Prints the faults that landed in flight at each point and the longest wait after each; exit 1 when anything is wrong.
"""

import argparse
import asyncio
import contextlib
import faulthandler
import logging
import os
import random
import shutil
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.checks import Violation, first_sign, violations, waits
from tests.faults.crew import Crew, running_crew
from tests.faults.points import APPEND, Guard, Point
from tests.faults.servers import Servers, running_servers
from tests.faults.trial import Person, Trial, open_trial
from tests.homes import new_home

LANDING_SECONDS = 40.0
"""How long an ordered death is waited for."""

SHORT_HISTORY = 200
"""Events after which a journey of the campaign continues as new."""

FORGOTTEN = "reset, updates forgotten"
APPLIED_AGAIN = "reset, updates applied again"
OTHERS = frozenset(
    {
        "worker: anywhere", "PostgreSQL", "PostgreSQL: stopped and continued", "Temporal server", FORGOTTEN,
        APPLIED_AGAIN,
    }
)  # fmt: skip
"""Kinds of fault that have no point in the code."""

RESETS = 5
"""A reset that found no command under way is tried again so often in all."""

KEPT = "kept"
"""A file of this name keeps a campaign's directory."""

PAUSE_SECONDS = 0.2
"""Between two commands of a journey under load: the machine is to be busy with faults, not with notes."""


@dataclass
class Tally:
    """Faults that landed, by kind, and how long the callers of that moment waited."""

    landed: Counter[str] = field(default_factory=Counter)
    longest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    wrong: list[Violation] = field(default_factory=list)

    def add(self, kind: str, landed: bool, seconds: float = 0.0) -> None:
        self.landed[kind] += landed
        self.longest[kind] = max(self.longest[kind], seconds)

    def lines(self) -> list[str]:
        return [
            f"{kind:<52} landed {count:>4}   longest wait {self.longest[kind]:5.1f} s"
            for kind, count in sorted(self.landed.items())
        ]


# --- one fault at a time


async def die_at(trial: Trial, person: Person, point: Point, tally: Tally) -> None:
    """Have the worker killed at a point of this journey, and send a command meanwhile."""
    orders, before = person.crew.orders, person.crew.orders.landed(point)
    orders.order(point, person.stream)
    asking = asyncio.create_task(trial.note(person) if point in APPEND else trial.grant(person))
    end = time.monotonic() + LANDING_SECONDS
    while orders.landed(point) == before and time.monotonic() < end:
        await asyncio.sleep(0.02)
    if orders.landed(point) == before and orders.take_back(point):
        tally.add(point, landed=False)
        await asking
        return
    # Whoever asked already waits from before the kill; whoever comes now finds nobody.
    killed = time.monotonic()
    await trial.note(person)
    await asking
    concerned = trial.waiting_since(killed, person.crew)
    tally.add(point, True, max(sent.seconds for sent in concerned))
    tally.wrong += waits(concerned)


async def die_at_each(trial: Trial, crew: Crew, points: Sequence[Point], tally: Tally) -> None:
    """One kill after the other, each in a journey of its own."""
    for point in points:
        person = await trial.begin(crew)
        await die_at(trial, person, point, tally)


# --- load


@asynccontextmanager
async def load(trial: Trial, persons: Sequence[Person], *, grants: bool = True) -> AsyncIterator[None]:
    """Each of these journeys gets one command after the other, now and then money, now and then a forged command."""
    stop = asyncio.Event()

    async def live(person: Person, place: int) -> None:
        turn = place
        while not stop.is_set():
            turn += 1
            if turn % 7 == 0:
                await trial.forge(person)
            elif grants and turn % 11 == 0:
                await trial.grant(person)
            else:
                await trial.note(person)
            await asyncio.sleep(PAUSE_SECONDS)

    living = [asyncio.create_task(live(person, place)) for place, person in enumerate(persons)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*living)


async def recovered(trial: Trial, persons: Sequence[Person]) -> None:
    """Every journey answers again."""
    await asyncio.gather(*(trial.note(person) for person in persons))


async def under_load(
    trial: Trial, persons: Sequence[Person], kind: str, fault: Awaitable[bool], tally: Tally, *, pause: float = 0.0
) -> None:
    """Bring one fault about while commands are under way; the callers of that moment may wait so long and no longer.

    Args:
        pause: seconds that the fault itself lasts (a freeze), which nobody can be spared.
    """
    begun = time.monotonic()
    asking = [asyncio.create_task(trial.note(person)) for person in persons]
    await asyncio.sleep(0.003)
    landed = await fault
    await asyncio.gather(*asking)
    await recovered(trial, persons)
    concerned = trial.waiting_since(begun)
    tally.add(kind, landed, max(sent.seconds for sent in concerned))
    tally.wrong += waits(concerned, pause)


async def kill_worker(crew: Crew, trial: Trial) -> bool:
    """kill -9 wherever it is; landed when commands were under way."""
    landed = trial.under_way > 0
    crew.kill_one()
    return landed


# --- whole campaigns


async def whole(home: Path, servers: Servers, seed: int, journeys: int, minutes: float) -> tuple[Tally, Trial]:
    """Every point and every other kind once, then faults drawn by lot, one at a time, under load.

    The product's own patience throughout.
    """
    tally, draw = Tally(), random.Random(seed)
    async with open_trial(servers) as trial, AsyncExitStack() as stack:
        crews = [
            await stack.enter_async_context(
                running_crew(home, servers.info, trial.database_url, f"whole-{size}", size=size, effect_seconds=None)
            )
            for size in (1, 2)
        ]
        await die_at_each(trial, crews[0], list(Point), tally)
        # Half of them, on either crew, continue as new again and again.
        limits = [SHORT_HISTORY if number // 2 % 2 else None for number in range(journeys)]
        persons = await asyncio.gather(
            *(trial.begin(crews[number % 2], history_limit=limit) for number, limit in enumerate(limits))
        )
        end = time.monotonic() + minutes * 60
        async with load(trial, persons):
            await each_other_kind(trial, crews[1], persons, tally)
            while time.monotonic() < end:
                await asyncio.sleep(draw.uniform(0.2, 2))
                await _draw_fault(trial, crews, persons, draw, tally)
        tally.wrong += await violations(trial, quiet_seconds=200)
        tally.wrong += [Violation("worker-ended", crew.queue, str(crew.ended)) for crew in crews if crew.ended]
    return tally, trial


async def _draw_fault(
    trial: Trial, crews: Sequence[Crew], persons: Sequence[Person], draw: random.Random, tally: Tally
) -> None:
    person, crew = draw.choice(persons), draw.choice(crews)
    match draw.choice(["point"] * 6 + ["worker", "worker", "temporal", "postgres", "freeze", "reset", "reset"]):
        case "point":
            await die_at(trial, person, draw.choice(list(Point)), tally)
        case "worker":
            await under_load(trial, persons, "worker: anywhere", kill_worker(crew, trial), tally)
        case "temporal":
            await under_load(trial, persons, "Temporal server", trial.kill_server("temporal"), tally)
        case "postgres":
            await under_load(trial, persons, "PostgreSQL", trial.kill_server("postgres"), tally)
        case "freeze":
            seconds = draw.uniform(1, 8)
            freeze = trial.freeze_postgres(seconds)
            await under_load(trial, persons, "PostgreSQL: stopped and continued", freeze, tally, pause=seconds)
        case _:
            kept = draw.random() < 0.5
            reset = trial.reset(person, without_updates=not kept)
            await under_load(trial, persons, APPLIED_AGAIN if kept else FORGOTTEN, reset, tally)


async def each_other_kind(trial: Trial, crew: Crew, persons: Sequence[Person], tally: Tally) -> None:
    """What has no point in the code, each once, under load; the last two journeys are those that are reset."""
    await under_load(trial, persons, "worker: anywhere", kill_worker(crew, trial), tally)
    await under_load(trial, persons, "PostgreSQL", trial.kill_server("postgres"), tally)
    freeze = trial.freeze_postgres(3)
    await under_load(trial, persons, "PostgreSQL: stopped and continued", freeze, tally, pause=3)
    for person, forgotten in zip(persons[-2:], (True, False), strict=True):
        name = FORGOTTEN if forgotten else APPLIED_AGAIN
        for _ in range(RESETS):
            await under_load(trial, persons, name, trial.reset(person, without_updates=forgotten), tally)
            if tally.landed[name]:
                break
    await under_load(trial, persons, "Temporal server", trial.kill_server("temporal"), tally)


async def reduced(home: Path, servers: Servers) -> Tally:
    """Each kind of fault once: the points on several workers side by side, each with its own journeys and callers."""
    tally = Tally()
    shares = [list(Point)[start::3] for start in range(3)]
    async with open_trial(servers) as trial, AsyncExitStack() as stack:
        crews = [
            await stack.enter_async_context(
                running_crew(home, servers.info, trial.database_url, f"part-{number}", size=1 + (number == 2))
            )
            for number in range(3)
        ]
        await asyncio.gather(
            *(die_at_each(trial, crew, share, tally) for crew, share in zip(crews, shares, strict=True))
        )
        persons = [*trial.persons[:3], *[await trial.begin(crew, history_limit=60) for crew in crews]]
        async with load(trial, persons):
            await asyncio.sleep(0.5)
            await each_other_kind(trial, crews[2], persons, tally)
        tally.wrong += await violations(trial)
        tally.wrong += [Violation("worker-ended", crew.queue, str(crew.ended)) for crew in crews if crew.ended]
    return tally


# --- negative controls


async def without(
    home: Path, servers: Servers, guards: frozenset[Guard], point: Point, expected: str
) -> list[Violation]:
    """One kill and one forged command with guards taken away, up to the first violation that is `expected` (a code)."""
    name = "without-" + "-".join(sorted(guards))
    async with (
        open_trial(servers) as trial,
        running_crew(home, servers.info, trial.database_url, name, without=guards) as crew,
    ):
        if Guard.POSITION in guards:
            await forget_the_position(trial)
        attempt = asyncio.create_task(attack(trial, crew, point))
        try:
            while not attempt.done():
                found = await first_sign(trial)
                if any(each.code == expected for each in found):
                    return found
                await asyncio.sleep(0.3)
            await attempt
        finally:
            attempt.cancel()
            await asyncio.wait([attempt])
        return await violations(trial, quiet_seconds=20)


async def attack(trial: Trial, crew: Crew, point: Point) -> None:
    """One kill and one forged command, in a journey of their own."""
    person, tally = await trial.begin(crew), Tally()
    await die_at(trial, person, point, tally)
    assert tally.landed[point], f"nobody died at {point}"
    await trial.forge(person)


async def forget_the_position(trial: Trial) -> None:
    """An append that adds at the end, wherever the workflow believes the end to be."""
    body = await trial.pool.fetchval("SELECT pg_get_functiondef('journal_append'::regproc)")
    careless = body.replace("IF head <> p_expected THEN", "IF false THEN").replace("p_expected + ", "head + ")
    assert careless.count("head + ") > 2
    owner = await trial.owner()
    try:
        await owner.execute(careless)
    finally:
        await owner.close()


# --- the command


@contextmanager
def a_home() -> Iterator[Path]:
    """A directory with a path short enough for a socket, reachable for the user of PostgreSQL; kept when so marked."""
    home = new_home("faults-")
    try:
        yield home
    finally:
        if not (home / KEPT).exists():
            shutil.rmtree(home, ignore_errors=True)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--journeys", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=10)
    asked = parser.parse_args(arguments)
    print(f"seed {asked.seed}, {asked.journeys} journeys, {asked.minutes:g} minutes", flush=True)
    # Should a native thread of the Temporal client take the process down, it is at least said where.
    faulthandler.enable()
    # The driver tells each connection that it could not make while the server was away.
    logging.getLogger("asyncpg").setLevel(logging.ERROR)
    with a_home() as home, running_servers(home / "data") as servers:
        tally, trial = asyncio.run(whole(home, servers, asked.seed, asked.journeys, asked.minutes))
        if tally.wrong:
            (home / KEPT).touch()
            print(f"logs and data are kept in {home}")
    print("\n".join(tally.lines()))
    answered = sum(1 for sent in trial.sent if sent.answer is not None)
    print(f"{answered} of {len(trial.sent)} commands answered; {sum(tally.landed.values())} faults landed in flight")
    print("\n".join(dict.fromkeys(map(str, tally.wrong))) or "nothing lost, nothing doubled, every account agrees")
    missing = {*Point, *OTHERS} - {kind for kind, count in tally.landed.items() if count}
    return 1 if tally.wrong or missing else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    # Not through the interpreter's own exit, which the Temporal client's threads can abort.
    os._exit(code)
