"""The reduced campaign: one landed fault of each kind loses nothing and doubles nothing; without a guard it fails."""

import asyncio
import gc
import uuid
from pathlib import Path

from journeys.domain import commands as c
from tests.faults.campaign import OTHERS, reduced, without
from tests.faults.checks import Violation
from tests.faults.crew import Crew
from tests.faults.points import Guard, Orders, Point
from tests.faults.servers import Servers
from tests.faults.trial import Person, open_trial

CONTROLS: dict[str, tuple[frozenset[Guard], Point, str]] = {
    "the append does not look at the position": (
        frozenset({Guard.POSITION}), Point.EVENT_AFTER, "not-foldable",
    ),
    "nobody claims": (frozenset({Guard.CLAIM}), Point.AFTER_BANK, "instructed-twice"),
    "what is unknown is instructed again": (frozenset({Guard.LOOK_UP}), Point.AFTER_BANK, "instructed-twice"),
    "the bank does not know the payment again": (frozenset({Guard.BANK_KEY}), Point.AFTER_BANK, "paid-and-unknown"),
    "nobody claims and the bank does not know the payment again": (
        frozenset({Guard.CLAIM, Guard.BANK_KEY}), Point.AFTER_BANK, "paid-twice",
    ),
    "anybody may sign": (frozenset({Guard.SIGNATURE}), Point.APPEND_AFTER, "forged-command-taken"),
}  # fmt: skip
"""What is taken away, where the worker dies, and what the campaign must find."""


async def test_nothing_acknowledged_is_lost_and_nothing_is_paid_twice(home: Path, servers: Servers) -> None:
    tally = await reduced(home, servers)
    print("\n".join(tally.lines()))
    assert tally.wrong == []
    assert {kind for kind, count in tally.landed.items() if count} == {*Point, *OTHERS}


async def test_without_a_guard_it_fails(home: Path, servers: Servers) -> None:
    """Side by side, each with its own database and worker: they wait more than they work."""
    found: list[list[Violation]] = await asyncio.gather(
        *(without(home, servers, guards, point, expected) for guards, point, expected in CONTROLS.values())
    )
    codes = {name: {each.code for each in wrong} for name, wrong in zip(CONTROLS, found, strict=True)}
    missed = {name: codes[name] for name, (_, _, expected) in CONTROLS.items() if expected not in codes[name]}
    assert missed == {}


async def test_a_sender_who_is_told_to_stop_stops_without_a_word(servers: Servers) -> None:
    """Nobody serves this queue. The client tells a cancellation as a timeout, after which one would send again."""
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
    async with open_trial(servers) as trial:
        person = Person(Crew(Orders(servers.home / "nobody"), "nobody", {}, 0))
        await trial.pool.keys.assign(person.stream, str(uuid.uuid4()))
        # The first begins a run, the second finds it.
        for _ in range(2):
            command = trial.command(person, c.AddNote(), text="?")
            sending = asyncio.create_task(trial.ask(person, command))
            await asyncio.sleep(0.5)
            sending.cancel()
            done, _pending = await asyncio.wait([sending], timeout=2)
            assert done and sending.cancelled()
            del done, sending
            gc.collect()
    assert complaints == []
