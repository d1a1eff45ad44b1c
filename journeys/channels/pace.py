"""How fast a gateway may be asked: so many messages a second from all workers, the others told when to come back."""

from typing import Protocol


class Pace(Protocol):
    """Gives turns at a gateway, one after the other."""

    async def turn(self, *, ahead: bool) -> tuple[bool, float]:
        """Whether it has a turn, and in how many seconds; or else after how many it should ask again. Never raises.

        Args:
            ahead: it goes before everything that has no turn yet.
        """
