"""Several blocked payments called for again at once, each by a command of its own to its journey, under every rule."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from journeys.app.entry import Actor, give, make_command, must_be_trusted
from journeys.domain.commands import RetryPayment
from journeys.identifiers import instant_of, uuid7
from journeys.store.database import Pool
from journeys.store.payments import PaymentRow
from journeys.store.signing import KeyRing

if TYPE_CHECKING:
    from temporalio.client import Client

AT_MOST: Final = 1_000
"""Payments in one go."""
_AT_ONCE: Final = 8
_NEAR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CalledAgain:
    """What came of one of them."""

    payment: str
    journey: str
    outcome: str
    """That of the command: accepted, refused; `waiting`: no answer yet."""
    code: str | None
    """Why it was refused."""

    def as_json(self) -> dict[str, Any]:
        return {"payment": self.payment, "journey": self.journey, "outcome": self.outcome, "code": self.code}


async def call_again(
    pool: Pool, ring: KeyRing, client: "Callable[[], Awaitable[Client]]", task_queue: str,
    rows: Sequence[PaymentRow], why: str, actor: Actor, now: datetime, key: str | None = None,
) -> list[CalledAgain]:  # fmt: skip
    """Call for blocked payments again; what came of each, in their order. One refusal stops none of the others.

    Args:
        key: of the whole, a UUIDv7: asked again with it, each payment gets its first answer. None: a new one.

    Raises:
        Failure: nobody trusts this process's key; a text that cannot be kept. Unreachable: no engine at all.
    """
    from journeys.temporal import Unreachable

    await must_be_trusted(pool, ring)
    space, limit = UUID(key or uuid7(now)), asyncio.Semaphore(_AT_ONCE)
    made = instant_of(key) if key is not None else None
    commands = [
        make_command(
            ring, stream=row.stream, body=RetryPayment(payment=row.id), actor=actor, now=now,
            texts={"reason": why} if why else None, id=str(uuid5(space, row.id)),
            occurred_at=min(made, now) if made is not None and abs(made - now) < _NEAR else None,
        )
        for row in rows
    ]  # fmt: skip
    temporal = await client()

    async def one(row: PaymentRow, command: Any) -> CalledAgain:
        async with limit:
            try:
                answer = await give(pool, temporal, command, task_queue)
            except Unreachable:
                return CalledAgain(row.id, row.stream.removeprefix("journey-"), "waiting", None)
        return CalledAgain(row.id, row.stream.removeprefix("journey-"), answer.outcome, answer.code)

    return list(await asyncio.gather(*map(one, rows, commands)))
