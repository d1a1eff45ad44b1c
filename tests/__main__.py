"""The whole suite: python -m tests [OPTION OF PYTEST ...].

Two runs of pytest side by side, one a core, that end about together by what CONTRIBUTING.md allows each room: the pages
in one, and of the other rooms as much as it has time for. Each run has servers of its own. One tells as it goes, what
the other told follows, and how both ended comes last.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tests.conftest import allowed_seconds

HERE = Path(__file__).parent
PAGES = ("web", "browser")
"""The browser's tests come last, see their conftest."""

_ENDED = re.compile(r"^=*\s*\d+ (passed|failed|skipped|error|deselected|warning).* in [\d.]+s", re.MULTILINE)
_LEFT_OUT = re.compile(r"^\d+ browser tests did not run.*$", re.MULTILINE)


def halves() -> tuple[list[str], list[str]]:
    """The rooms of each run: those without the pages, and the pages with what fits beside them."""
    allowed = allowed_seconds()
    rooms = {each.parent.name for each in HERE.glob("*/test_*.py")}
    engine: list[str] = []
    pages = [*PAGES]
    for room in sorted(rooms - {*PAGES}, key=lambda room: (-allowed.get(room, 0), room)):
        lighter = min(engine, pages, key=lambda half: sum(allowed.get(each, 0) for each in half))
        lighter.append(room)
    return sorted(engine), sorted(pages, key=lambda room: (room in PAGES, room))


def main() -> int:
    engine_rooms, pages_rooms = halves()
    with tempfile.TemporaryFile("w+") as engine_told, tempfile.TemporaryFile("w+") as pages_told:
        pages = _begin(pages_rooms, pages_told)
        engine = _begin(engine_rooms, subprocess.PIPE)
        assert engine.stdout is not None
        for line in engine.stdout:
            print(line, end="", flush=True)
            engine_told.write(line)
        codes = (engine.wait(), pages.wait())
        told = [_whole(each) for each in (engine_told, pages_told)]
    print(f"\n--- beside it: {', '.join(pages_rooms)}\n{told[1]}\n--- both")
    for name, text, code in zip(("engine", "pages"), told, codes, strict=True):
        ends = _ENDED.findall(text) and [found.group() for found in _ENDED.finditer(text)][-1]
        print(f"{name}: {(ends or 'it came to no end').strip('= ')}, exit code {code}")
    for found in _LEFT_OUT.finditer(told[1]):
        print(found.group())
    return max(codes)


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
