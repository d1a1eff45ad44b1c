"""Speed and memory as ratios: python -m benchmarks [FIGURE ...] [--rounds N] [--json].

`burst` takes the better part of an hour and runs only when it is named: python -m benchmarks burst [--journeys N]
[--spread-minutes N]; `burst-at-once` and `burst-spread` are its halves.

Never asserts: a ratio on a busy machine is a measurement, not a verdict. Each figure's module says what is compared.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from benchmarks import actions, agenda, append, burst, checkpoints, commands, folding, memory, money, starts, verifying
from benchmarks.ground import Ground
from benchmarks.measuring import Figure, keep_quiet, told
from journeys.leaving import leave

Module = Callable[[Ground, int], Awaitable[list[Figure]]]

MODULES: dict[str, Module] = {
    "agenda": agenda.measure,
    "fold": folding.measure,
    "append": append.measure,
    "checkpoint": checkpoints.measure,
    "money": money.measure,
    "commands": commands.measure,
    "starts": starts.measure,
    "memory": memory.measure,
    "actions": actions.measure,
    "verify": verifying.measure,
}


BURSTS: Final = ("burst", "burst-at-once", "burst-spread")


async def measure(
    names: Sequence[str], rounds: int, tell: Callable[[str], None], journeys: int, spread_minutes: int
) -> list[Figure]:
    """Every figure named, in the order of the table."""
    figures: list[Figure] = []
    bursts: dict[str, Module] = {
        "burst": lambda ground, _: burst.measure(ground, journeys, spread_minutes),
        "burst-at-once": lambda ground, _: burst.measure_at_once(ground, journeys),
        "burst-spread": lambda ground, _: burst.measure_spread(ground, journeys, spread_minutes),
    }
    async with Ground() as ground:
        for name, module in {**MODULES, **bursts}.items():
            if name in names:
                tell(f"{name} …")
                figures += await module(ground, rounds)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join((*MODULES, *BURSTS)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--journeys", type=int, default=burst.JOURNEYS, help="of the burst")
    parser.add_argument("--spread-minutes", type=int, default=burst.SPREAD_MINUTES, help="of the burst")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if unknown := sorted(set(given.figures) - {*MODULES, *BURSTS}):
        parser.error(f"no such figure: {', '.join(unknown)}; there are {', '.join((*MODULES, *BURSTS))}")
    keep_quiet()
    figures = asyncio.run(
        measure(
            given.figures or list(MODULES),
            given.rounds,
            lambda text: print(text, file=sys.stderr, flush=True),
            given.journeys,
            given.spread_minutes,
        )
    )
    print(told(figures, as_json=given.json))
    leave(0)


if __name__ == "__main__":
    main()
