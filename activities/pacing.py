"""The pace at which all workers together ask a gateway."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from activities.failures import UNREACHABLE
from journeys.store import turns
from journeys.store.database import Pool

HELD: Final = timedelta(seconds=2)
"""Whoever would have to wait longer than this does not wait here: it would keep a worker from other work."""
HELD_AHEAD: Final = timedelta(seconds=10)
"""What goes ahead waits behind those only who have a turn already; nobody else has one before it then."""
_AWAY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class SharedPace:
    """A `Pace` that is kept in the database."""

    pool: Pool
    gateway: str
    per_second: float

    async def turn(self, *, ahead: bool) -> tuple[bool, float]:
        """See Pace. While the database is away nobody has a turn."""
        apart = timedelta(seconds=1 / self.per_second)
        try:
            return await turns.take(self.pool, self.gateway, apart, HELD_AHEAD if ahead else HELD)
        except UNREACHABLE:
            structlog.get_logger("journeys.activities").warning("no turn without the store", gateway=self.gateway)
            return False, _AWAY_SECONDS
