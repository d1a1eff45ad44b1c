"""`journeys up` without the rest: run by tests as a process of its own, told what to do by its arguments.

    supervisor.py DATA_DIR [WORKER_ARGUMENT...]

Prints one line, "up" or the error that a person would read, and stays until it is told to end.
"""

import asyncio
import sys
from pathlib import Path

import structlog

from journeys.local.failures import LocalError
from journeys.local.stack import Stack


async def main(data_dir: Path, worker: list[str]) -> int:
    try:
        async with Stack.start(data_dir, worker_command=worker or None) as stack:
            print("up", flush=True)
            await stack.until_told_to_end()
    except LocalError as error:
        print(f"{error.code} {error.text('en')}".replace("\n", " "), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2:])))
