"""What Temporal's own histories say was appended: the results of the appends, along the chain of runs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter, WorkflowSerializationContext
from temporalio.service import RPCError, RPCStatusCode

from journeys.contract import APPEND, Appended
from journeys.store import histories
from journeys.store.database import Pool
from journeys.store.signing import KeyRing

_LOCAL_ACTIVITY: Final = "core_local_activity"
_PATIENCE: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Chain:
    """The runs of a journey that continue one another, the first one first."""

    histories: tuple[WorkflowHistory, ...]
    complete: bool
    """The chain goes back to a run that continues no other; else retention has taken its beginning."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The histories that were kept beyond the engine's retention."""

    pool: Pool
    ring: KeyRing

    async def last(self, journey: str) -> str | None:
        """The run of a journey that ended last, of those kept."""
        kept = await histories.of_stream(self.pool, journey)
        return kept[-1].run if kept else None

    async def history(self, journey: str, run: str) -> WorkflowHistory | None:
        """A kept history; None when none is kept of this run. Raises histories.Altered."""
        if await histories.missing(self.pool, [run]):
            return None
        return WorkflowHistory.from_json(journey, (await histories.read(self.pool, self.ring, run)).decode())


async def read_chain(client: Client | None, workflow_id: str, shelf: Shelf | None = None) -> Chain | None:
    """The current run and those that it continues, from the server or, where it has them no more, from the shelf.

    None when neither has a run of this id.

    Raises:
        RPCError: the server does not answer. histories.Altered: what was kept is not what was exported.
    """
    found: list[WorkflowHistory] = []
    run_id: str | None = None
    while True:
        history = await _from_server(client, workflow_id, run_id) if client is not None else None
        if history is None and shelf is not None:
            run_id = run_id or await shelf.last(workflow_id)
            history = await shelf.history(workflow_id, run_id) if run_id else None
        if history is None:
            return Chain(tuple(reversed(found)), complete=False) if found else None
        found.append(history)
        run_id = continued_from(history)
        if not run_id:
            return Chain(tuple(reversed(found)), complete=True)


async def _from_server(client: Client, workflow_id: str, run_id: str | None) -> WorkflowHistory | None:
    try:
        return await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history(rpc_timeout=_PATIENCE)
    except RPCError as failure:
        if failure.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


def continued_from(history: WorkflowHistory) -> str:
    """The id of the run that this one continues; empty when it continues none."""
    if not history.events:
        return ""
    return history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id


async def appended_events(
    runs: Iterable[WorkflowHistory], converter: DataConverter, namespace: str = "default"
) -> list[dict[str, Any]]:
    """Headers of events that the appends of these runs returned, in the order of the histories; some may repeat."""
    headers: list[dict[str, Any]] = []
    for history in runs:
        context = WorkflowSerializationContext(namespace=namespace, workflow_id=history.workflow_id)
        speaking = converter.with_context(context)
        for event in history.events:
            result = append_result(event)
            if result is not None:
                (appended,) = await speaking.decode(result, [Appended])
                headers += appended.events
    return headers


def append_result(event: HistoryEvent) -> list[Any] | None:
    """The payloads of what an append returned; None for any other event, and for an attempt that failed."""
    if event.event_type != EventType.EVENT_TYPE_MARKER_RECORDED:
        return None
    marker = event.marker_recorded_event_attributes
    if marker.marker_name != _LOCAL_ACTIVITY or "result" not in marker.details:
        return None
    about = json.loads(marker.details["data"].payloads[0].data)
    return list(marker.details["result"].payloads) if about["activity_type"] == APPEND else None
