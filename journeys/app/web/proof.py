"""Before money is approved or settled, whoever does it has just proved who they are."""

from datetime import UTC, datetime, timedelta
from typing import Final

from journeys.app.web.visit import Visit

PROVED_FOR: Final = timedelta(minutes=10)
WANTED: Final = frozenset({"approve-grant", "settle-payment", "cancel-payment"})
"""Commands that want a fresh proof."""


class ProofWanted(Exception):
    """The person is asked for their password again, then comes back to `back`."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


def proved(visit: Visit) -> bool:
    """Whether the visitor proved who they are within PROVED_FOR, by wall time."""
    return datetime.now(UTC) - visit.visitor.proved_at <= PROVED_FOR


def want_proof(visit: Visit, command: str, back: str) -> None:
    """Raises ProofWanted where a command wants a proof and the last one is too old."""
    if command in WANTED and not proved(visit):
        raise ProofWanted(back)
