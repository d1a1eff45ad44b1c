"""The pages of a crew's house without a guard, taken away from outside: its command line, told to serve them.

Environment besides their own: FAULTS_WITHOUT (guards, commas between).
"""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime

from journeys.app import receiving
from journeys.app.cli import main
from tests.faults.points import Guard


def by_anybody(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime) -> str:
    return headers["webhook-id"]


if __name__ == "__main__":
    if Guard.NOTICES in os.environ["FAULTS_WITHOUT"].split(","):
        receiving.signed_event = by_anybody  # type: ignore[attr-defined]
    main()
