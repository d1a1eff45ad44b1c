"""Appending a journey's events to the journal."""

from dataclasses import dataclass

from temporalio import activity

from activities.failures import translated
from activities.resources import Resources
from journeys.contract import APPEND, Append, Appended
from journeys.store import journal
from journeys.telemetry import bound


@dataclass(frozen=True, slots=True)
class Journal:
    """The append; idempotent, because it is offered at a position."""

    resources: Resources

    @activity.defn(name=APPEND)
    async def append(self, offer: Append) -> Appended:
        """See `journeys.store.journal.append`. Raises ApplicationError: BadOffer, JournalBehind, Unavailable."""
        with bound(journey=offer.stream, seq=offer.expected), translated():
            return await journal.append(self.resources.pool, self.resources.ring, offer)
