"""How fast a gateway may be asked: so many messages a second from one process, the others told when to come back."""

import time
from dataclasses import dataclass, field
from typing import Final

HELD_SECONDS: Final = 2.0
"""Whoever would have to wait longer than this does not wait here: it would keep a worker from other work."""


@dataclass(slots=True)
class Pace:
    """Gives turns, each `1 / per_second` after the one before.

    Who is turned away gets a time of its own to come back, each after the other too: so a thousand at once come back
    as fast as they can be taken, and not a thousand at once.
    """

    per_second: float
    _free_at: float = field(default=0.0, init=False)
    """When the next turn is."""
    _back_at: float = field(default=0.0, init=False)
    """When the last of those turned away comes back."""

    def turn(self) -> tuple[bool, float]:
        """Whether it has a turn, and in how many seconds; or else after how many it should ask again."""
        now = time.monotonic()
        self._free_at = max(self._free_at, now)
        if self._free_at - now <= HELD_SECONDS:
            wait = self._free_at - now
            self._free_at += 1 / self.per_second
            return True, wait
        self._back_at = max(self._back_at, self._free_at) + 1 / self.per_second
        return False, self._back_at - now
