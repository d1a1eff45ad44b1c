"""Offers that wait at the same time are stored in one transaction: one round trip and one flush for all of them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from journeys.store.database import Pool
from journeys.store.offer import Offer

if TYPE_CHECKING:
    from journeys.store.journal import Written

AT_MOST: Final = 4
"""Offers in one transaction. More make the last of them wait for the first; what one waits for is bounded."""

LANES: Final = 3
"""Transactions under way at once: others are prepared and written while a flush is waited for."""

Waiting: TypeAlias = "tuple[Offer, asyncio.Future[Written]]"

Write: TypeAlias = Callable[[Pool, Sequence[Offer]], Awaitable[list["Written"]]]
"""Stores offers of distinct streams, all or none; what became of each, in their order."""


class GroupCommit:
    """Takes the offers of one pool. An offer that finds nothing under way is stored at once and alone."""

    def __init__(self, pool: Pool, write: Write) -> None:
        self._pool = pool
        self._write = write
        self._waiting: deque[Waiting] = deque()
        self._lanes: set[asyncio.Task[None]] = set()

    async def store(self, offer: Offer) -> "Written":
        """What became of an offer, once that is durable. Raises what `write` raises for this offer alone."""
        stored: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        self._waiting.append((offer, stored))
        if len(self._lanes) < LANES:
            self._lanes.add(asyncio.create_task(self._serve()))
        return await stored

    async def _serve(self) -> None:
        lane = asyncio.current_task()
        assert lane is not None
        try:
            while group := self._next():
                await self._store(group)
        finally:
            # In the same step in which nothing waits any more: the next offer must find this lane free.
            self._lanes.discard(lane)

    async def _store(self, group: "list[Waiting]") -> None:
        try:
            written = await self._write(self._pool, [offer for offer, _ in group])
        except Exception as error:  # Whatever it was, nobody is left waiting.
            if len(group) > 1:
                # Nothing of it was stored, or that is not known. Offered again alone, each meets its own answer only.
                await asyncio.gather(*(self._store([one]) for one in group))
            elif not group[0][1].done():
                group[0][1].set_exception(error)
            return
        for (_, stored), one in zip(group, written, strict=True):
            if not stored.done():
                stored.set_result(one)

    def _next(self) -> "list[Waiting]":
        """The next offers of distinct streams, by stream: two transactions that lock the same heads cannot deadlock."""
        group: dict[str, Waiting] = {}
        later = []
        while self._waiting and len(group) < AT_MOST:
            offer, stored = self._waiting.popleft()
            if stored.done():
                continue
            if offer.stream in group:
                later.append((offer, stored))
            else:
                group[offer.stream] = (offer, stored)
        self._waiting.extendleft(reversed(later))
        return [group[stream] for stream in sorted(group)]
