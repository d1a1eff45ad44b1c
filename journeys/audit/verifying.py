"""Verifying a journey: every account of it compared with the journal, at the seq that the account itself knows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from journeys import contract
from journeys.audit.comparing import judge_history, judge_view, judge_workflow
from journeys.audit.history import Chain, Listed, Shelf, appended_events, read_chain
from journeys.audit.journal_account import BROKEN_FOLD, Evidence, Recorded, judge_journal, read_events
from journeys.audit.reading import NoRecord, read_book
from journeys.audit.replaying import Replay, replay_chain
from journeys.audit.verdicts import (
    Account,
    AccountName,
    Verification,
    agrees,
    disagrees,
    erased,
    not_available,
)
from journeys.domain.evolve import fold
from journeys.domain.invariants import Outage
from journeys.store.database import Pool
from journeys.store.documents import standing
from journeys.store.erasing import forgotten
from journeys.store.evidence import commands_of, each_journey, head_of, kinds_of, money_of
from journeys.store.histories import Altered
from journeys.store.journal import StoredEvent, parts, read_all
from journeys.store.keys import CannotUnwrap
from journeys.store.signing import KeyRing
from journeys.store.views import journey as row_of
from journeys.temporal import JourneysPlugin, Unreadable, listed_runs

_PATIENCE: Final = timedelta(seconds=15)
_LOOKS_AGAIN: Final = 6
_BETWEEN_LOOKS_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the accounts come from. What is missing is told as not available."""

    pool: Pool
    ring: KeyRing | None = None
    client: Client | None = None
    workflows: Sequence[type] = ()
    """The workflow classes, for the replay."""
    outages: Sequence[Outage] | None = None
    """When nothing ran; None: not known, punctuality is not judged. `()`: nothing ever stood still."""
    listed: Listed | None = None
    """The runs that the server lists, where it was asked for those of all; None: it is asked for each journey's."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What Temporal said, before the journal was read: it can know no event that the journal has not."""

    answer: Any
    """The workflow's state, or the reason (a code) why there is none."""
    chain: Chain | str
    replay: Account


async def verify(sources: Sources, journey: str) -> Verification:
    """Compare every account of a journey (its stream).

    A journey that is just moving (a payment under way) may show one account behind another: it is looked at again
    while the journal grows. One that stays behind is said to be behind.

    Raises:
        NoRecord: neither journal nor head knows it. OSError, TimeoutError, asyncpg.PostgresError: no database.
    """
    try:
        return await _settled(sources, journey)
    except NoRecord:
        raise
    except CannotUnwrap as locked:
        # What is sealed for it can neither be read nor asked for.
        return _unsound(journey, disagrees(AccountName.JOURNAL, "key-locked", None, key=locked.id))
    except BROKEN_FOLD:
        return _unsound(journey, disagrees(AccountName.JOURNAL, "beside-unreadable", None))


def _unsound(journey: str, journal: Account) -> Verification:
    """A journey whose record cannot even be read."""
    others = (AccountName.VIEW, AccountName.WORKFLOW, AccountName.HISTORY, AccountName.REPLAY)
    return Verification(journey, 0, (journal, *(not_available(name, "unsound") for name in others)))


async def _settled(sources: Sources, journey: str) -> Verification:
    found = await _look(sources, journey)
    for _ in range(_LOOKS_AGAIN):
        if not found.behind:
            break
        await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)
        before, found = found, await _look(sources, journey)
        if found.seq == before.seq and found.behind == before.behind:
            break
    return found


async def _look(sources: Sources, journey: str) -> Verification:
    gone = await forgotten(sources.pool, journey)
    engine = None if gone else await ask_engine(sources, journey)
    async with (
        sources.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        evidence = await _evidence(connection, journey, gone)
        events = read_events(evidence.stored)
        row = await row_of(connection, journey.partition("-")[2])
        money = await money_of(connection, journey)
        book = await read_book(connection, events)
    journal = judge_journal(evidence, events, book, sources.ring, sources.outages)
    if book is None or not _folds(events) or len(events) < len(evidence.stored):
        sound, view = False, not_available(AccountName.VIEW, "unsound")
    else:
        sound, view = True, judge_view(row, events, book, money)
    if engine is None:
        others = tuple(erased(name) for name in (AccountName.WORKFLOW, AccountName.HISTORY, AccountName.REPLAY))
    else:
        answer = _workflow(engine, events) if sound else not_available(AccountName.WORKFLOW, "unsound")
        others = (answer, await _history(sources, engine, _headers(evidence.stored)), engine.replay)
    return Verification(journey, len(evidence.stored), (journal, view, *others))


def _folds(events: Sequence[Recorded]) -> bool:
    """Whether there is a state to compare with."""
    try:
        fold(events)
    except BROKEN_FOLD:
        return False
    return True


def _headers(stored: Sequence[StoredEvent]) -> list[dict[str, Any]]:
    """The headers up to the first that is no JSON any more."""
    headers = []
    for event in stored:
        try:
            headers.append(event.read())
        except (ValueError, RecursionError):
            break
    return headers


async def verify_all(sources: Sources, journeys: Sequence[str] | None = None) -> AsyncIterator[Verification]:
    """Verify the given journeys, or all of the journal, one after the other."""
    if journeys is not None:
        for stream in journeys:
            yield await verify(sources, stream)
        return
    if sources.client is not None:
        with suppress(RPCError):
            sources = replace(sources, listed=await listed_runs(sources.client))
    async for stream in each_journey(sources.pool):
        yield await verify(sources, stream)


async def _evidence(connection: Any, journey: str, gone: bool) -> Evidence:
    head = await head_of(connection, journey)
    stored = await read_all(connection, journey)
    if head is None and not stored:
        raise NoRecord(journey)
    return Evidence(
        journey, stored, await kinds_of(connection, journey), head,
        await parts(connection, journey), await commands_of(connection, journey), await standing(connection, journey),
        gone,
    )  # fmt: skip


# --- Temporal


async def ask_engine(sources: Sources, journey: str) -> Engine:
    """The workflow's own state, its histories and their replay; reasons where they cannot be had."""
    client = sources.client
    if client is None:
        return Engine("no-client", "no-client", not_available(AccountName.REPLAY, "no-client"))
    chain = await _ask_chain(sources, client, journey)
    # The worker too replays a journey that is not in its cache, to answer: side by side they cost the time of one.
    answer, replay = await asyncio.gather(ask_state(client, journey), _replay(sources, client, chain, journey))
    return Engine(answer, chain, replay)


async def ask_state(client: Client, journey: str) -> Any:
    """The workflow's answer to `contract.STATE`; a reason (a code) when there is none."""
    try:
        return await client.get_workflow_handle(journey).query(contract.STATE, rpc_timeout=_PATIENCE)
    except WorkflowQueryFailedError:
        return "no-answer"
    except RPCError as failure:
        match failure.status:
            case RPCStatusCode.NOT_FOUND:
                return "no-workflow"
            case RPCStatusCode.UNAVAILABLE:
                return "unreachable"
            case _:
                return "no-answer"


async def _ask_chain(sources: Sources, client: Client, journey: str) -> Chain | str:
    shelf = Shelf(sources.pool, sources.ring) if sources.ring is not None else None
    try:
        return await read_chain(client, journey, shelf, sources.listed) or "no-workflow"
    except RPCError:
        return "unreachable"
    except Altered as found:
        return "kept-gone" if found.why == "gone" else "kept-altered"


def _workflow(engine: Engine, events: Sequence[Recorded]) -> Account:
    if isinstance(engine.answer, str):
        return not_available(AccountName.WORKFLOW, engine.answer)
    return judge_workflow(engine.answer, events)


async def _history(sources: Sources, engine: Engine, headers: Sequence[dict[str, Any]]) -> Account:
    name = AccountName.HISTORY
    if engine.chain == "kept-altered":
        return disagrees(name, engine.chain, None)
    if isinstance(engine.chain, str) or sources.client is None:
        return not_available(name, engine.chain if isinstance(engine.chain, str) else "no-client")
    try:
        told = await appended_events(engine.chain.histories, sources.client.data_converter, sources.client.namespace)
    except (*BROKEN_FOLD, RuntimeError, Unreadable):
        return not_available(name, "history-unreadable")
    return judge_history(told, headers, complete=engine.chain.complete)


async def _replay(sources: Sources, client: Client, chain: Chain | str, journey: str) -> Account:
    if isinstance(chain, str):
        return not_available(AccountName.REPLAY, chain)
    if not sources.workflows:
        return not_available(AccountName.REPLAY, "no-code")
    spoken = JourneysPlugin(client.data_converter)
    return judge_replay(await replay_chain(journey, chain, sources.workflows, spoken, client.namespace))


def judge_replay(replay: Replay) -> Account:
    """The account of a replay; `compared` counts the history's own events."""
    compared = sum(run.history_events for run in replay.runs)
    failed = replay.failed
    if failed is not None:
        return disagrees(AccountName.REPLAY, "replay", None, compared, run=failed.run_id, failure=failed.failure)
    if not replay.complete:
        return not_available(AccountName.REPLAY, "retention", compared)
    return agrees(AccountName.REPLAY, compared)
