"""The whole suite: python -m tests [OPTION OF PYTEST ...].

Three runs of pytest side by side on two cores, for a test waits as much as it works; by what CONTRIBUTING.md allows
each room they end about together. Each run has servers of its own. The first tells as it goes, what the others told
follows, and how all ended comes last.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from tests.browser.chromium import CHROMIUM
from tests.conftest import allowed_seconds

HERE = Path(__file__).parent
BROWSER = "browser"
"""It takes no time where there is no Chromium, and comes last, see its conftest."""
RUNS = 3
"""With two, each core was idle for a third of the time; a fourth would only make the others slower."""

_ENDED = re.compile(r"^=*\s*\d+ (passed|failed|skipped|error|deselected|warning).* in [\d.]+s", re.MULTILINE)
_LEFT_OUT = re.compile(r"^\d+ browser tests did not run.*$", re.MULTILINE)


def weights(browser: bool) -> Mapping[str, int]:
    """Seconds that each room is allowed, with or without a browser."""
    allowed = allowed_seconds()
    rooms = {each.parent.name for each in HERE.glob("*/test_*.py")}
    return {room: 0 if room == BROWSER and not browser else allowed.get(room, 0) for room in rooms}


def runs(browser: bool) -> list[list[str]]:
    """The rooms of each run: the longest first, each where least has been put so far."""
    seconds = weights(browser)
    made: list[list[str]] = [[] for _ in range(RUNS)]
    for room in sorted(seconds, key=lambda room: (-seconds[room], room)):
        min(made, key=lambda run: sum(seconds[each] for each in run)).append(room)
    return [sorted(run, key=lambda room: (room == BROWSER, room)) for run in made]


def main() -> int:
    rooms = runs(CHROMIUM.exists())
    with ExitStack() as stack:
        told = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in rooms]
        first, *others = [_begin(*each) for each in zip(rooms, [subprocess.PIPE, *told[1:]], strict=True)]
        assert first.stdout is not None
        for line in first.stdout:
            print(line, end="", flush=True)
            told[0].write(line)
        codes = [each.wait() for each in (first, *others)]
        texts = [_whole(each) for each in told]
    for run, text in zip(rooms[1:], texts[1:], strict=True):
        print(f"\n--- beside it: {', '.join(run)}\n{text}")
    print("--- all")
    for run, text, code in zip(rooms, texts, codes, strict=True):
        ends = [found.group() for found in _ENDED.finditer(text)]
        print(f"{', '.join(run)}: {(ends or ['it came to no end'])[-1].strip('= ')}, exit code {code}")
    for found in _LEFT_OUT.finditer("\n".join(texts)):
        print(found.group())
    return int(any(codes))  # One that was killed has a code below 0.


def _begin(rooms: Sequence[str], told: IO[str] | int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pytest", *sys.argv[1:], *(f"{HERE.name}/{room}" for room in rooms)]
    # Processes by the dozen that each compile the same files anew are most of a minute.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.Popen(command, cwd=HERE.parent, stdout=told, stderr=subprocess.STDOUT, text=True, env=environment)


def _whole(told: IO[str]) -> str:
    told.seek(0)
    return told.read()


if __name__ == "__main__":
    sys.exit(main())
