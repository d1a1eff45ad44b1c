"""The pages of a full house beside an empty one: python -m benchmarks.pages [--journeys N] [--data-dir DIR] [--json].

Never asserts a time. Without --data-dir the crowd is made, asked and thrown away; with one it is made there, or found.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.crowd.__main__ import fill
from benchmarks.crowd.making import LIVES, last_working_morning
from benchmarks.ground import ROOT
from benchmarks.measuring import Figure, Target, alone, compared, keep_quiet, told
from benchmarks.pages.asking import Refused, Turn, first_visit, take_turn
from benchmarks.pages.people import SCREENS, Somebody, askers, idle, people
from journeys import clock
from journeys.leaving import leave
from journeys.local.stack import Stack
from journeys.settings import load_settings
from journeys.store.database import Pool, open_pool
from journeys.store.keys import Keys
from journeys.store.migrating import migrate

MOST_TIMES: Final = 4.0
MOST_QUERIES: Final = 5
MOST_KB: Final = 60.0
_NOTES: Final = "crowd.json"
"""In the data directory: what the crowd is, and its present."""


async def measure(
    dsn: str, data_dir: Path, now: datetime, *, seed: int, rounds: int, pages: int, screens: Sequence[str],
    tell: Callable[[str], None],
) -> list[Figure]:  # fmt: skip
    """The figures of a database with a crowd whose present is `now`.

    Args:
        dsn: the login of the servers. data_dir: where the keys are. pages: of each browser in a round.
    """
    pool: Pool = await open_pool(dsn, keys=Keys.beside(dsn, load_settings(data_dir=data_dir)))
    try:
        everybody = await people(pool, seed, now)
    finally:
        await pool.close()
    async with _server(dsn, data_dir, now) as port:
        figures, queries = [], {}
        for screen in screens:
            tell(f"{screen} …")
            turns = await _turns(port, screen, everybody, rounds, pages)
            figures.append(_times(screen, turns))
            queries[screen] = max(ours.queries for ours, _ in turns)
        busiest = max(everybody, key=lambda one: one.led)
        weights = first_visit(port, "/", busiest.token)
    told = ", ".join(f"{screen} {most}" for screen, most in queries.items())
    return [
        *figures,
        alone("queries of a screen, most", "", [float(max(queries.values()))], Target("at most", MOST_QUERIES),
              f"{told}; the session's one is counted, BEGIN, COMMIT and the one that may go to the keys are not"),
        alone("first visit, compressed", "kB", [sum(weights.values()) / 1000], Target("at most", MOST_KB),
              ", ".join(f"{path} {weight / 1000:.1f}" for path, weight in weights.items())),
    ]  # fmt: skip


async def _turns(
    port: int, screen: str, everybody: Sequence[Somebody], rounds: int, pages: int
) -> list[tuple[Turn, Turn]]:
    """The screen, then the empty page, again and again, after one round that is not counted."""
    turns = []
    for number in range(rounds + 1):
        ours = await take_turn(port, screen, askers(everybody, screen), pages)
        empty = await take_turn(port, screen, idle(everybody, screen), pages)
        if number:
            turns.append((ours, empty))
    return turns


def _times(screen: str, turns: Sequence[tuple[Turn, Turn]]) -> Figure:
    ours, empty = turns[len(turns) // 2]
    away = sum(one.away + other.away for one, other in turns)
    client = compared("", "", [(one.client, other.client) for one, other in turns], None)
    cpu = compared("", "", [(one.cpu, other.cpu) for one, other in turns], None)
    middle = compared("", "", [(one.middle, other.middle) for one, other in turns], None)
    return compared(
        f"{screen}, p95 in the server", "ms", [(one.server, other.server) for one, other in turns],
        Target("at most", MOST_TIMES),
        f"median {middle.ours:.1f} / {middle.reference:.1f} ms, {middle.judged:.2f}; p95 at the browser "
        f"{client.ours:.1f} / {client.reference:.1f} ms, {client.judged:.2f}; CPU of the server a page "
        f"{cpu.ours:.2f} / {cpu.reference:.2f} ms, {cpu.judged:.2f}; {ours.pages} and {empty.pages} pages a round"
        + (f"; {away} pages could not be shown, their time counts" if away else ""),
    )  # fmt: skip


@asynccontextmanager
async def _server(dsn: str, data_dir: Path, now: datetime) -> AsyncIterator[int]:
    """The pages on a free port, as a process of its own whose clock stands at the crowd's present."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.pages.served", cwd=ROOT,
        env={**os.environ, "JOURNEYS_DATA_DIR": str(data_dir), "DATABASE_URL": dsn, "PORT": str(port),
             clock.VARIABLE: repr((now - datetime.now(UTC)).total_seconds())},
    )  # fmt: skip
    try:
        await _answers(port, process)
        yield port
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)


async def _answers(port: int, process: asyncio.subprocess.Process) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if process.returncode is not None or time.monotonic() > until:
                raise RuntimeError("the pages were not served") from None
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return


async def _measure_house(
    home: Path, journeys: int, seed: int, rounds: int, pages: int, screens: Sequence[str]
) -> list[Figure]:
    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    notes = home / _NOTES
    if not notes.exists():
        tell(f"{journeys} journeys …")
        made = await fill(home, journeys, LIVES, seed, last_working_morning(datetime.now(UTC)))
        notes.write_text(json.dumps(made, indent=1))
    made = json.loads(notes.read_text())
    tell(f"{made['journeys']} journeys, {made['events']} events, made in {made['total_seconds']} s; {_load()}")
    async with Stack.start(home) as stack:
        await migrate(stack.database_url)
        now = datetime.fromisoformat(made["now"])
        figures = await measure(
            stack.database_url, home, now, seed=seed, rounds=rounds, pages=pages, screens=screens, tell=tell
        )
    tell(_load())
    return figures


def _load() -> str:
    return "load {:.1f} {:.1f} {:.1f}".format(*os.getloadavg())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("screens", nargs="*", metavar="SCREEN", help=", ".join(SCREENS))
    parser.add_argument("--journeys", type=int, default=20_000)
    parser.add_argument("--data-dir", type=Path, help="kept; an earlier run's crowd there is asked again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pages", type=int, default=20, help="of each of the 16 browsers in a round")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if unknown := sorted(set(given.screens) - SCREENS.keys()):
        parser.error(f"no such screen: {', '.join(unknown)}; there are {', '.join(SCREENS)}")
    keep_quiet()
    home = given.data_dir or Path(tempfile.mkdtemp(prefix="journeys-pages-"))
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)
    try:
        figures = asyncio.run(
            _measure_house(
                home, given.journeys, given.seed, given.rounds, given.pages, given.screens or list(SCREENS)
            )
        )  # fmt: skip
    except Refused as error:
        print(f"a page was not shown, so nothing is said: {error}", file=sys.stderr)
        leave(1)
    finally:
        if given.data_dir is None:
            shutil.rmtree(home, ignore_errors=True)
    print(told(figures, as_json=given.json))
    leave(0)


if __name__ == "__main__":
    main()
