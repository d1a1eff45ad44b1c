"""Offers that wait at the same time are stored in one transaction: one round trip and one flush for all of them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from journeys.store.database import Pool


class Offered(Protocol):
    """What is stored: something of one stream."""

    @property
    def stream(self) -> str: ...


O = TypeVar("O", bound=Offered)  # noqa: E741
W = TypeVar("W")


class GroupCommit(Generic[O, W]):
    """Takes the offers of one pool. An offer that finds nothing under way is stored at once and alone.

    Args:
        write: stores offers of distinct streams, all or none; what became of each, in their order.
        at_most: offers in one transaction. More make the last of them wait for the first.
        lanes: transactions under way at once: others are prepared and written while a flush is waited for.
    """

    def __init__(
        self, pool: Pool, write: Callable[[Pool, Sequence[O]], Awaitable[list[W]]], *, at_most: int, lanes: int
    ) -> None:
        self._pool = pool
        self._write = write
        self._at_most = at_most
        self._most_lanes = lanes
        self._waiting: deque[tuple[O, asyncio.Future[W]]] = deque()
        self._lanes: set[asyncio.Task[None]] = set()

    async def store(self, offer: O) -> W:
        """What became of an offer, once that is durable. Raises what `write` raises for this offer alone."""
        stored: asyncio.Future[W] = asyncio.get_running_loop().create_future()
        self._waiting.append((offer, stored))
        if len(self._lanes) < self._most_lanes:
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

    async def _store(self, group: list[tuple[O, "asyncio.Future[W]"]]) -> None:
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

    def _next(self) -> list[tuple[O, "asyncio.Future[W]"]]:
        """The next offers of distinct streams, by stream: two transactions that lock the same heads cannot deadlock."""
        group: dict[str, tuple[O, asyncio.Future[W]]] = {}
        later = []
        while self._waiting and len(group) < self._at_most:
            offer, stored = self._waiting.popleft()
            if stored.done():
                continue
            if offer.stream in group:
                later.append((offer, stored))
            else:
                group[offer.stream] = (offer, stored)
        self._waiting.extendleft(reversed(later))
        return [group[stream] for stream in sorted(group)]
