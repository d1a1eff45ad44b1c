"""The pages of a crew's house as a process: where a provider and a gateway tell what became of what they took."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import httpx

from tests.faults.crew import Crew
from tests.faults.points import Guard
from tests.faults.servers import REPO

_SERVED_SECONDS: Final = 180
"""For the pages to begin: they share the machine with what the trial does to it."""
_END_SECONDS: Final = 15


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


@asynccontextmanager
async def running_pages(crew: Crew, port: int, log: Path) -> AsyncIterator[None]:
    """The pages on that port, until the end of the block."""
    bare = Guard.NOTICES in crew.environment["FAULTS_WITHOUT"].split(",")
    served = "tests.faults.pages_without" if bare else "journeys.app.cli"
    pages = subprocess.Popen(
        [sys.executable, "-m", served, "web", "--port", str(port)],
        env=crew.environment, cwd=REPO, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log.open("wb"),
    )  # fmt: skip
    try:
        await _served(port, log)
        yield
    finally:
        pages.terminate()
        with suppress(subprocess.TimeoutExpired):
            pages.wait(_END_SECONDS)
        pages.kill()


async def _served(port: int, log: Path) -> None:
    async with httpx.AsyncClient() as client:
        until = time.monotonic() + _SERVED_SECONDS
        while time.monotonic() < until:
            with suppress(httpx.HTTPError):
                if (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise RuntimeError(f"the pages were not served: {log.read_text()[-2000:]}")
