"""`sync`: journeys whose workflow is missing, behind the journal or late are asked to adopt what the journal holds."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from journeys import contract
from journeys.app.entry import THE_SYSTEM, give, make_command
from journeys.contract import Answer
from journeys.domain.commands import Sync
from journeys.store import views
from journeys.store.database import Pool
from journeys.store.erasing import journeys_forgotten
from journeys.store.signing import KeyRing
from journeys.store.views import JourneyRow

if TYPE_CHECKING:
    from temporalio.client import Client

LATE: Final = timedelta(minutes=5)
"""A due that passed so long ago should have been taken."""

_AT_ONCE: Final = 8
_PAGE: Final = 500

Why = Literal["missing", "behind", "late"]


@dataclass(frozen=True, slots=True)
class Lagging:
    """A journey that needs a sync."""

    row: JourneyRow
    why: Why


async def under_way(pool: Pool) -> list[JourneyRow]:
    """Every journey of which something may still happen by itself: open, or closed with money or an alert about it that
    falls due; nothing moves any more where the person is forgotten."""
    return await _each(pool, under_way=True)


async def at_work(pool: Pool) -> list[JourneyRow]:
    """These, and closed ones with something that somebody is still to do, though nothing falls due."""
    return await _each(pool, at_work=True)


async def _each(pool: Pool, *, under_way: bool = False, at_work: bool = False) -> list[JourneyRow]:
    rows: list[JourneyRow] = []
    while page := await views.journeys(
        pool, under_way=under_way, at_work=at_work, after=rows[-1].id if rows else None, limit=_PAGE
    ):
        rows += page
    forgotten = await journeys_forgotten(pool)
    return [row for row in rows if row.stream not in forgotten]


async def lagging(pool: Pool, client: "Client", now: datetime) -> list[Lagging]:
    """Journeys under way without a running workflow, with one that knows less than the journal, or with an old due."""
    rows = await under_way(pool)
    running = await _running(client)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def judge(row: JourneyRow) -> Lagging | None:
        if row.stream not in running:
            return Lagging(row, "missing")
        if row.next_due is not None and row.next_due < now - LATE:
            return Lagging(row, "late")
        async with limit:
            known = await _seq(client, row.stream)
        return Lagging(row, "behind") if known is None or known < row.seq else None

    return [found for found in await asyncio.gather(*map(judge, rows)) if found is not None]


async def sync(
    pool: Pool, client: "Client", ring: KeyRing, streams: Sequence[str], now: datetime, task_queue: str
) -> dict[str, Answer]:
    """Send a signed `sync` to each of these journeys. Raises Unreachable."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(stream: str) -> Answer:
        command = make_command(ring, stream=stream, body=Sync(), actor=THE_SYSTEM, now=now)
        async with limit:
            return await give(pool, client, command, task_queue)

    return dict(zip(streams, await asyncio.gather(*map(one, streams)), strict=True))


async def _running(client: "Client") -> set[str]:
    query = f'WorkflowType = "{contract.WORKFLOW}" AND ExecutionStatus = "Running"'
    return {found.id async for found in client.list_workflows(query)}


async def _seq(client: "Client", stream: str) -> int | None:
    """What the workflow has folded; None when it does not say."""
    from temporalio.client import WorkflowQueryFailedError
    from temporalio.service import RPCError

    try:
        state = await client.get_workflow_handle(stream).query(contract.STATE, rpc_timeout=timedelta(seconds=10))
    except (RPCError, WorkflowQueryFailedError):
        return None
    seq = state.get("seq") if isinstance(state, dict) else None
    return seq if isinstance(seq, int) else None
