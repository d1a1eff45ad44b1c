"""Fleet work: what is past its due is woken, cohorts are looked after, payments that were stopped are called for again,
erasures that were ordered go on, dropped uploads and old looks go, indicators are counted."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import structlog
from temporalio import activity

from activities.resources import Resources
from activities.silences import tell_of
from journeys import contract
from journeys.contract import Answer, Erasing
from journeys.domain.commands import Command, Sync
from journeys.domain.record import SYSTEM
from journeys.indicators.definitions import VERSION, told
from journeys.issuing import (
    Round,
    days_owed,
    retries_owed,
    send_notices,
    send_receipts,
    send_silences,
    send_waiting,
    send_wishes,
    tell_of_people,
    transfers_unanswered,
)
from journeys.store import cohorts, counting, documents, erasing, reads, silences, staff_letters, views
from journeys.store.directory import By
from journeys.store.signing import sign

PAST = timedelta(minutes=5)
"""A due so long past means that nobody is there to take it."""
AT_ONCE: Final = 2_500
"""Journeys that one round counts for the indicators: half a minute of work, spread over two or three."""
RESTS: Final = 4.0
"""So many times as long as it counts it lets the process serve others: commands waited for seconds behind it."""
TOLD_AT_ONCE: Final = 5_000
"""Journeys that one round tells what the bank said: some two minutes. Whoever imports a file tells all of it."""
CUT_OFF: Final = timedelta(days=1)
"""A document kept so long for a command that the journal has not taken belongs to nothing."""


class Fleet:
    """What the housekeeping workflow asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.WAKE)
    async def wake(self) -> int:
        """Do every part of a round; how many journeys past their due were sent a sync.

        Each part is tried again by the next round. What people wish comes first: each journey that does not answer
        holds up whatever follows.

        Raises Unfinished: some parts failed and are named; the others are done.
        """
        pool, ring, now, woken = self._resources.pool, self._resources.ring, datetime.now(UTC), 0
        done = Round()
        with done.part("wishes"):
            await send_wishes(pool, ring, self._send, now)
        with done.part("what was said of people"):
            await tell_of_people(pool, ring, self._send, now)
        with done.part("journeys past their due"):
            woken = await self._wake_all(now)
        with done.part("cohorts"):
            await self._look_after_cohorts(now)
        with done.part("payments that were stopped"):
            await self._call_again(now)
        with done.part("hand-overs to who left"):
            for command in await transfers_unanswered(pool, ring, now):
                await self._send(command)
        with done.part("notices"):
            await send_notices(pool, ring, self._send, now)
        with done.part("receipts"):
            await send_receipts(pool, ring, self._send, now)
        with done.part("bank"):
            await send_waiting(pool, ring, self._send, now, most=TOLD_AT_ONCE)
        with done.part("erasures"):
            await self._begin_erasures()
        with done.part("letters to staff"):
            await staff_letters.sweep(pool)
        with done.part("documents"):
            await documents.sweep(pool, now - CUT_OFF)
        with done.part("looks"):
            await reads.by_month(pool, self._resources.reads_kept_months)
        with done.part("counts"):
            await counting.recount(pool, told, VERSION, AT_ONCE, RESTS)
        # Last: a warning must not stand in the way of what people asked for.
        with done.part("silences"):
            await self._look_for_silences(now)
        done.end()
        return woken

    async def _wake_all(self, now: datetime) -> int:
        woken = 0
        for row in await views.due_before(self._resources.pool, now - PAST):
            command = Command(
                id=str(uuid4()), stream=row.stream, body=Sync(), actor=SYSTEM, roles=(), occurred_at=now, signed_at=now
            )
            try:
                await self._resources.send(sign(command, self._resources.ring))
                woken += 1
            except Exception as error:
                structlog.get_logger().warning("journey not woken", journey=row.id, reason=type(error).__name__)
        return woken

    async def _begin_erasures(self) -> None:
        """Have every erasure that was ordered go on. Raises Unfinished: some could not be begun."""
        done = Round()
        for order in await erasing.under_way(self._resources.pool):
            with done.part(order.stream):
                await self._resources.begin_erasure(Erasing(person=order.person, kind=order.kind))
        done.end()

    async def _send(self, command: Command) -> Answer | None:
        """Send a command; None when no answer comes."""
        try:
            return await self._resources.send(command)
        except Exception as error:
            structlog.get_logger().warning("journey not told", journey=command.stream, reason=type(error).__name__)
            return None

    async def _look_after_cohorts(self, now: datetime) -> None:
        """Give on the places of journeys that are over, and tell each journey the days that it was not told."""
        pool, by = self._resources.pool, By(actor=SYSTEM, role=SYSTEM, at=now)
        for row in await cohorts.cohorts(pool):
            if row.closed:
                continue
            await cohorts.change(pool, row.id, lambda _: None, by)
            for command in await days_owed(pool, self._resources.ring, row.id, now, now.date()):
                try:
                    await self._resources.send(command)
                except Exception as error:
                    structlog.get_logger().warning(
                        "cohort's day not told", journey=command.stream, reason=type(error).__name__
                    )

    async def _look_for_silences(self, now: datetime) -> None:
        """What channels did not say, where they say anything."""
        if self._resources.silence is None:
            await silences.end(self._resources.pool)
            return
        quiet = await send_silences(
            self._resources.pool, self._resources.ring, self._send, now, self._resources.silence
        )
        if quiet is not None:
            await tell_of(self._resources, quiet, now)

    async def _call_again(self, now: datetime) -> None:
        """Payments that were blocked only because all were stopped."""
        for command in await retries_owed(self._resources.pool, self._resources.ring, now):
            await self._send(command)
