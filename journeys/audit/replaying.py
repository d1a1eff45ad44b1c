"""Replaying histories with today's code: the same decisions of timers, appends and activities must come out."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from journeys.audit.history import Chain, read_chain
from journeys.temporal import sandbox_runner


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
    """The chain of runs goes back to its beginning."""

    @property
    def failed(self) -> Replayed | None:
        """The first run that today's code takes another way."""
        return next((run for run in self.runs if run.failure), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "journey": self.journey.partition("-")[2],
            "complete": self.complete,
            "runs": [run.as_json() for run in self.runs],
        }


async def replay(client: Client, journey: str, workflows: Sequence[type]) -> Replay | None:
    """Fetch and replay the runs of a journey (its stream); None when the server has none. Raises RPCError."""
    chain = await read_chain(client, journey)
    return None if chain is None else await replay_chain(client, journey, chain, workflows)


async def replay_chain(client: Client, journey: str, chain: Chain, workflows: Sequence[type]) -> Replay:
    """Replay runs that were fetched before."""
    replayer = Replayer(
        workflows=workflows,
        workflow_runner=sandbox_runner(),
        data_converter=client.data_converter,
        namespace=client.namespace,
    )
    failures: list[str] = []
    async with replayer.workflow_replay_iterator(_each(chain.histories)) as results:
        async for result in results:
            failures.append("" if result.replay_failure is None else _told(result.replay_failure))
    runs = tuple(
        Replayed(history.run_id, len(history.events), failure)
        for history, failure in zip(chain.histories, failures, strict=True)
    )
    return Replay(journey, runs, chain.complete)


async def _each(histories: Sequence[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        yield history


def _told(failure: Exception) -> str:
    """The first line of what the replayer says."""
    lines = str(failure).strip().splitlines()
    return lines[0] if lines else type(failure).__name__
