"""A full house in a data directory: python -m benchmarks.crowd --journeys 20000 --data-dir DIR --seed 1 [--json].

The directory must hold no journeys yet; `journeys up` can use it afterwards (handles: ref-001, sup-01, fin-01, …).
"""

import argparse
import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.crowd.counting import as_lines, counted
from benchmarks.crowd.making import LIVES, CrowdMade, crowd, last_working_morning
from benchmarks.measuring import keep_quiet
from journeys.leaving import leave
from journeys.local.failures import LocalError
from journeys.local.stack import Stack
from journeys.settings import load_settings
from journeys.store.database import open_pool
from journeys.store.keys import Keys, prepare
from journeys.store.migrating import migrate
from journeys.store.signing import KeyRing


class Occupied(Exception):
    """The directory has journeys already."""


async def fill(home: Path, journeys: int, lives: int, seed: int, now: datetime) -> dict[str, Any]:
    """Start the servers, make the crowd, count it, stop the servers. Raises Occupied, LocalError."""
    begun = time.perf_counter()
    settings = load_settings(data_dir=home, database_url=None)
    async with Stack.start(settings.data_dir) as stack:
        await migrate(stack.database_url)
        keys = settings.signing_keys()
        kept = Keys.beside(stack.database_url, settings)
        await prepare(kept.dsn)
        pool = await open_pool(stack.database_url, keys=kept)
        try:
            if await pool.fetchval("SELECT EXISTS (SELECT FROM streams)"):
                raise Occupied
            made: CrowdMade = await crowd(
                pool, KeyRing(keys.current, dict(keys.by_id)), journeys=journeys, lives=lives, seed=seed, now=now,
                dsn=stack.database_url,
            )  # fmt: skip
            found = await counted(pool, now)
        finally:
            await pool.close()
    return {**made.as_json(), "total_seconds": round(time.perf_counter() - begun, 1), "found": found}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--journeys", type=int, default=20_000)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lives", type=int, default=LIVES, help="distinct lives that the journeys are clones of")
    parser.add_argument("--now", type=datetime.fromisoformat, help="an instant with its offset; else 08:30 of the "
                        "last working day")  # fmt: skip
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.journeys < 4 or given.lives < 2:
        parser.error("at least 4 journeys and 2 lives")
    if given.now is not None and given.now.tzinfo is None:
        parser.error("--now needs its offset: 2026-11-23T08:30+01:00")
    keep_quiet()
    now = given.now or last_working_morning(datetime.now(UTC))
    try:
        made = asyncio.run(fill(given.data_dir, given.journeys, given.lives, given.seed, now))
    except Occupied:
        print(f"{given.data_dir} holds journeys already; name an empty directory", file=sys.stderr)
        leave(1)
    except LocalError as error:
        print(error, file=sys.stderr)
        leave(1)
    if given.json:
        print(json.dumps(made, indent=1, ensure_ascii=False))
    else:
        found = made.pop("found")
        print(as_lines({**made, **found}))
    leave(0)


if __name__ == "__main__":
    main()
