"""Workers of one queue as real processes: started, kept alive, killed, ended; none outlives the campaign."""

import asyncio
import os
import runpy
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

import asyncpg

from journeys.local.record import StackInfo
from tests import forking
from tests.faults.points import Guard, Orders
from tests.faults.servers import REPO

SCRIPT: Final = Path(__file__).with_name("worker_with_kills.py")
GRACE_SECONDS: Final = 15.0
SERVED_SECONDS: Final = 15.0
"""How long a worker waits for its servers before it begins all the same."""
_BETWEEN_LOOKS: Final = 0.02
KEY_ID: Final = "faults"
KEY: Final = bytes(range(32))
NO_SETTINGS: Final[Mapping[str, str]] = {}


@dataclass
class Crew:
    """The workers of one queue. Whoever dies is started again at once, as a supervisor would."""

    orders: Orders
    queue: str
    environment: dict[str, str]
    size: int
    processes: list[ForkServerProcess] = field(default_factory=list)
    deaths: int = 0
    """How many workers died by kill -9."""
    ended: list[int] = field(default_factory=list)
    """Exit codes of workers that ended by themselves: there must be none."""
    away: bool = False
    """Nobody is started again while this lasts."""

    def kill_one(self) -> None:
        """kill -9, wherever it is."""
        self.processes[0].kill()

    async def keep(self) -> None:
        """Start again whoever dies, for ever."""
        while True:
            for place, process in enumerate(() if self.away else self.processes):
                code = process.exitcode
                if code is None:
                    continue
                if code == -signal.SIGKILL:
                    self.deaths += 1
                else:
                    self.ended.append(code)
                self.processes[place] = self._spawn()
            await asyncio.sleep(0.05)

    def start(self) -> None:
        self.processes = [self._spawn() for _ in range(self.size)]

    async def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        end = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < end and any(process.is_alive() for process in self.processes):
            await asyncio.sleep(0.05)
        for process in self.processes:
            process.kill()
            process.join()

    @asynccontextmanager
    async def gone(self) -> AsyncIterator[None]:
        """No worker at all, told to end as an administrator would, until the end of the block."""
        self.away = True
        await self.stop()
        try:
            yield
        finally:
            self.start()
            self.away = False

    @property
    def log(self) -> Path:
        return self.orders.home / "worker.log"

    def _spawn(self) -> ForkServerProcess:
        return forking.begin(_work, self.environment, self.log)


def _work() -> None:
    """In a process of its own: the worker, from the first line of its script, once both servers are there."""
    asyncio.run(_served())
    runpy.run_path(str(SCRIPT), run_name="__main__")


async def _served() -> None:
    """Until both servers are there, as a supervisor has it: a worker that finds none ends by itself."""
    host, _, port = os.environ["TEMPORAL_ADDRESS"].rpartition(":")
    end = time.monotonic() + SERVED_SECONDS
    while time.monotonic() < end:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError):
            connection = await asyncpg.connect(os.environ["DATABASE_URL"], timeout=SERVED_SECONDS)
            await connection.close()
            _, writer = await asyncio.open_connection(host, int(port))
            writer.close()
            return
        await asyncio.sleep(_BETWEEN_LOOKS)


@asynccontextmanager
async def running_crew(
    home: Path,
    servers: StackInfo,
    database_url: str,
    queue: str,
    *,
    size: int = 1,
    without: frozenset[Guard] = frozenset(),
    effect_seconds: float | None = 4,
    settings: Mapping[str, str] = NO_SETTINGS,
) -> AsyncIterator[Crew]:
    """Workers for `queue`; `effect_seconds` None for the product's own patience with an effect."""
    orders = Orders(home / queue)
    orders.prepare()
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "JOURNEYS_", "FAULTS_"))
    }
    environment = {
        **inherited,
        "PYTHONPATH": str(REPO),
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": servers.temporal_address,
        "JOURNEYS_DATA_DIR": str(orders.home / "data"),
        "JOURNEYS_TASK_QUEUE": queue,
        "JOURNEYS_SEALING_KEY": KEY.hex(),
        "JOURNEYS_SIGNING_KEY": KEY.hex(),
        "JOURNEYS_SIGNING_KEY_ID": KEY_ID,
        "FAULTS_HOME": str(orders.home),
        "FAULTS_WITHOUT": ",".join(sorted(without)),
        "FAULTS_EFFECT_SECONDS": "" if effect_seconds is None else str(effect_seconds),
        **settings,
    }
    crew = Crew(orders, queue, environment, size)
    crew.start()
    keeping = asyncio.create_task(crew.keep())
    try:
        yield crew
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await crew.stop()
