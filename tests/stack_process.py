"""The embedded stack as a process of its own, for a whole test session: prints where things are, ends with its input.

stack_process.py DATA_DIR
"""

import asyncio
import json
import sys
from pathlib import Path

import structlog

from journeys.local.stack import Stack


async def main(data_dir: Path) -> None:
    async with Stack.start(data_dir, time_skipping=True) as stack:
        print(json.dumps({"database": stack.database_url, "temporal": stack.temporal_address}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(Path(sys.argv[1])))
