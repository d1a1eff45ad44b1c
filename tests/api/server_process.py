"""The application as a process of its own on a free port, before a stack that runs; without the limit of its pace.

server_process.py DATA_DIR: prints its port, ends with its input.
"""

import asyncio
import sys
from pathlib import Path

import structlog
import uvicorn

from journeys.app.web.application import make_application
from journeys.app.web.house import open_house
from journeys.local.record import connect_running
from journeys.settings import load_settings
from tests.web.pace import Unhurried


async def main(data_dir: Path) -> None:
    running = connect_running(data_dir)
    assert running is not None
    settings = load_settings(data_dir=data_dir)
    async with open_house(settings, running.database_url, running.temporal_address) as house:
        config = uvicorn.Config(
            make_application(house, pace=Unhurried()), host="127.0.0.1", port=0, log_level="error",
            access_log=False, server_header=False, lifespan="off", h11_max_incomplete_event_size=65_536,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0.02)
        print(server.servers[0].sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        server.should_exit = True
        await serving


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(Path(sys.argv[1])))
