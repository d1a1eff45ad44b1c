"""Speed and memory as ratios: python -m benchmarks [FIGURE ...] [--rounds N] [--json].

Never asserts: a ratio on a busy machine is a measurement, not a verdict. Each figure's module says what is compared.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

from benchmarks import actions, agenda, append, checkpoints, commands, folding, memory, money, starts, verifying
from benchmarks.ground import Ground
from benchmarks.measuring import Figure, keep_quiet, told
from journeys.leaving import leave

MODULES: dict[str, Callable[[Ground, int], Awaitable[list[Figure]]]] = {
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


async def measure(names: Sequence[str], rounds: int, tell: Callable[[str], None]) -> list[Figure]:
    """Every figure named, in the order of the table."""
    figures: list[Figure] = []
    async with Ground() as ground:
        for name, module in MODULES.items():
            if name in names:
                tell(f"{name} …")
                figures += await module(ground, rounds)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(MODULES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if unknown := sorted(set(given.figures) - MODULES.keys()):
        parser.error(f"no such figure: {', '.join(unknown)}; there are {', '.join(MODULES)}")
    keep_quiet()
    figures = asyncio.run(
        measure(given.figures or list(MODULES), given.rounds, lambda text: print(text, file=sys.stderr, flush=True))
    )
    print(told(figures, as_json=given.json))
    leave(0)


if __name__ == "__main__":
    main()
