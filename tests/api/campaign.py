"""The whole campaigns: `schema` (schemathesis on every operation) and `fuzz` (20,000 broken requests).

python -m tests.api.campaign schema|fuzz [--seed N] [--count N] [--only END_OF_AN_ADDRESS …]
"""

import argparse
import json
import os
import platform
import sys
import time
from typing import Any

from tests.api import fuzz
from tests.api.schema_campaign import MANY, check_all
from tests.api.site import open_site

SEED = 20261128


def main() -> int:
    """0 when nothing failed."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("which", choices=["schema", "fuzz"])
    reader.add_argument("--seed", type=int, default=SEED)
    reader.add_argument("--count", type=int, help="requests of the fuzz (20000), cases an operation of each kind (60)")
    reader.add_argument("--only", default=[""], nargs="+", help="of schema: the operations whose address ends so (all)")
    asked = reader.parse_args()
    began = time.monotonic()
    with open_site(journeys=12) as site:
        said = _schema(site, asked) if asked.which == "schema" else _fuzz(site, asked)
    failures = said.pop("failures")
    told = {"campaign": asked.which, "seed": asked.seed, **said, "failures": len(failures),
            "minutes": round((time.monotonic() - began) / 60, 1),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"}  # fmt: skip
    for each in failures[:50]:
        print(each, file=sys.stderr)
    print(json.dumps(told))
    return 1 if failures else 0


def _schema(site: Any, asked: argparse.Namespace) -> dict[str, Any]:
    found = check_all(site, examples=asked.count or MANY, seed=asked.seed, only=asked.only)
    return {"operations": found.operations, "cases": found.cases, "failures": found.failures}


def _fuzz(site: Any, asked: argparse.Namespace) -> dict[str, Any]:
    storm = fuzz.run(site, asked.count or 20_000, asked.seed)
    return {
        "requests": sum(storm.by_route.values()), "routes": len(storm.by_route), "not_http": storm.not_http,
        "statuses": {str(status): count for status, count in sorted(storm.statuses.items())},
        "server_errors": storm.server_errors, "failures": storm.failed,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
