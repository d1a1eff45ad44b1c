"""Replaying histories with today's code: the same decisions of timers, appends and activities must come out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Final

from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from journeys.audit.history import Chain, Shelf, read_chain
from journeys.store.histories import Altered
from journeys.store.keys import Keys
from journeys.store.signing import KeyRing
from journeys.temporal import DATA_CONVERTER, JourneysPlugin, listed_runs, plugin

_AHEAD: Final = 3
"""Journeys that are fetched ahead for each process."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One run, replayed. `failure` is empty when it went the same way."""

    run_id: str
    history_events: int
    failure: str

    def as_json(self) -> dict[str, Any]:
        return {"run": self.run_id, "history_events": self.history_events, "failure": self.failure or None}


@dataclass(frozen=True, slots=True)
class Replay:
    """The runs of a journey, replayed, the first one first."""

    journey: str
    runs: tuple[Replayed, ...]
    complete: bool
    """Each run that there was is among them, as far as is known."""
    gone: tuple[str, ...] = ()
    """Runs that are not, because their kept history was deleted since."""

    @property
    def failed(self) -> Replayed | None:
        """The first run that today's code takes another way."""
        return next((run for run in self.runs if run.failure), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "journey": self.journey.partition("-")[2],
            "complete": self.complete,
            "gone": list(self.gone),
            "runs": [run.as_json() for run in self.runs],
        }


async def replay(
    client: Client | None,
    journey: str,
    workflows: Sequence[type],
    shelf: Shelf | None = None,
    keys: Keys | None = None,
) -> Replay | None:
    """Replay every run of a journey (its stream), those that the server has and those kept; None when there is none.

    keys: under which their payloads are sealed, where no client knows them.

    Raises RPCError, histories.Altered.
    """
    chain = await read_chain(client, journey, shelf)
    return None if chain is None else await replay_chain(journey, chain, workflows, *_spoken(client, keys))


def _spoken(client: Client | None, keys: Keys | None) -> tuple[JourneysPlugin, str]:
    if client is not None:
        return JourneysPlugin(client.data_converter), client.namespace
    return (plugin(keys) if keys is not None else JourneysPlugin(DATA_CONVERTER)), "default"


async def replay_chain(
    journey: str, chain: Chain, workflows: Sequence[type], spoken: JourneysPlugin, namespace: str
) -> Replay:
    """Replay runs that were fetched before."""
    replayer = Replayer(workflows=workflows, plugins=[spoken], namespace=namespace)
    failures: list[str] = []
    async with replayer.workflow_replay_iterator(_each(chain.histories)) as results:
        async for result in results:
            failures.append("" if result.replay_failure is None else _told(result.replay_failure))
    runs = tuple(
        Replayed(history.run_id, len(history.events), failure)
        for history, failure in zip(chain.histories, failures, strict=True)
    )
    return Replay(journey, runs, chain.complete, chain.gone)


async def replay_all(
    client: Client | None,
    journeys: AsyncIterator[str],
    workflows: Sequence[type],
    shelf: Shelf | None,
    processes: int,
    keys: Keys,
) -> AsyncGenerator[tuple[str, Replay | Altered | None], None]:
    """Replay every one of these journeys in processes side by side; each as it comes out.

    Whoever may stop before its end closes it (`aclosing`), so that nothing goes on being replayed.

    None where no run is known; Altered where what was kept of one is not what was exported, or is gone of all: that
    journey is not replayed.

    Raises RPCError.
    """
    loop, spoken = asyncio.get_running_loop(), _spoken(client, keys)[1]
    listed = await listed_runs(client) if client is not None else None
    waiting: set[asyncio.Future[Replay]] = set()
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        async for journey in journeys:
            try:
                chain = await read_chain(client, journey, shelf, listed)
            except Altered as found:
                yield journey, found
                continue
            if chain is None:
                yield journey, None
                continue
            exported = [(history.workflow_id, history.to_json()) for history in chain.histories]
            waiting.add(
                loop.run_in_executor(
                    pool, _apart, journey, exported, chain.complete, chain.gone, tuple(workflows), spoken, keys.dsn,
                    keys.ring,
                )
            )  # fmt: skip
            if len(waiting) >= processes * _AHEAD:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for each in done:
                    yield each.result().journey, each.result()
        for finished in asyncio.as_completed(waiting):
            replayed = await finished
            yield replayed.journey, replayed
    finally:
        # Whoever stops early does not wait for what is being replayed: other work runs on this loop.
        pool.shutdown(wait=False, cancel_futures=True)


def _apart(
    journey: str, exported: Sequence[tuple[str, str]], complete: bool, gone: tuple[str, ...],
    workflows: Sequence[type], namespace: str, keys_dsn: str, ring: KeyRing,
) -> Replay:  # fmt: skip
    """What a process of its own does."""
    chain = Chain(tuple(WorkflowHistory.from_json(*each) for each in exported), complete, gone)

    async def replayed() -> Replay:
        keys = Keys(keys_dsn, ring)
        try:
            return await replay_chain(journey, chain, workflows, plugin(keys), namespace)
        finally:
            await keys.close()

    return asyncio.run(replayed())


async def _each(histories: Sequence[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        yield history


def _told(failure: Exception) -> str:
    """The first line of what the replayer says."""
    lines = str(failure).strip().splitlines()
    return lines[0] if lines else type(failure).__name__
