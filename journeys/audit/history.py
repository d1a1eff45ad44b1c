"""What Temporal's own histories say was appended: the results of the appends, in every run of a journey."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter, WorkflowSerializationContext
from temporalio.service import RPCError, RPCStatusCode

from journeys.contract import APPEND, Appended
from journeys.store import evidence, histories
from journeys.store.database import Pool
from journeys.store.signing import KeyRing
from journeys.temporal import last_run, listed_runs

_LOCAL_ACTIVITY: Final = "core_local_activity"
_PATIENCE: Final = timedelta(seconds=15)
_BETWEEN_LISTS_SECONDS: Final = 0.3
"""A server gives out some ten lists a second."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Every run of a journey, the first one first.

    Those that continue one another are one after the other; a journey that was closed and taken up again has several
    such lines, of which the later ones continue nothing.
    """

    histories: tuple[WorkflowHistory, ...]
    complete: bool
    """Nothing is missing: each run that another continues is here, and one that ran when the journal began."""
    gone: tuple[str, ...] = ()
    """Runs whose kept history was deleted since."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The histories that were kept beyond the engine's retention, and when there was something to keep."""

    pool: Pool
    ring: KeyRing

    async def runs(self, journey: str) -> list[str]:
        """The runs of a journey whose history was kept, in the order in which they ended."""
        return [kept.run for kept in await histories.of_stream(self.pool, journey)]

    async def history(self, journey: str, run: str) -> WorkflowHistory | None:
        """A kept history; None when none is kept of this run. Raises histories.Altered."""
        if await histories.missing(self.pool, [run]):
            return None
        return WorkflowHistory.from_json(journey, (await histories.read(self.pool, self.ring, run)).decode())

    async def began(self, journey: str) -> datetime | None:
        """When the first event of a journey was recorded; None where the journal does not say it."""
        return await evidence.began(self.pool, journey)


Listed = Mapping[str, Collection[str]]
"""Runs by journey, as a server lists them."""


async def read_chain(
    client: Client | None, workflow_id: str, shelf: Shelf | None = None, listed: Listed | None = None
) -> Chain | None:
    """Every run of a journey, from the server or, where it has one no more, from the shelf.

    None when neither has a run of this id.

    Args:
        listed: what the server lists of all journeys, for whoever reads many; None: it is asked.

    Raises:
        RPCError: the server does not answer. histories.Altered: what was kept is not what was exported; or it is gone,
        of every run that there was.
    """
    wanted = await shelf.runs(workflow_id) if shelf is not None else []
    if client is not None:
        last = await last_run(client, workflow_id, _PATIENCE)
        wanted += [last] if last is not None else []
        wanted += (listed if listed is not None else await _listed(client, workflow_id)).get(workflow_id, ())
    found, gone = dict[str, WorkflowHistory | None](), list[str]()
    for run in wanted:  # grows while it is read
        if run in found:
            continue
        found[run] = None
        try:
            found[run] = history = await _read(client, workflow_id, run, shelf)
        except histories.Altered as altered:
            if altered.why != "gone":
                raise
            gone.append(run)
        else:
            wanted += [continued_from(history)] if history is not None and continued_from(history) else []
    runs = {run: history for run, history in found.items() if history is not None}
    if not runs:
        if gone:
            raise histories.Altered(gone[0], "gone")
        return None
    whole = all(not continued_from(each) or continued_from(each) in runs for each in runs.values())
    began = await shelf.began(workflow_id) if shelf is not None else None
    first = min(map(_started, runs.values()))
    return Chain(_in_order(runs), whole and not gone and (began is None or first <= began), tuple(gone))


async def _listed(client: Client, workflow_id: str) -> Listed:
    clock = asyncio.get_running_loop().time
    until = clock() + _PATIENCE.total_seconds()
    while True:
        try:
            return await listed_runs(client, workflow_id, _PATIENCE)
        except RPCError as failure:
            if failure.status is not RPCStatusCode.RESOURCE_EXHAUSTED or clock() > until:
                raise
        await asyncio.sleep(_BETWEEN_LISTS_SECONDS)


def _in_order(runs: Mapping[str, WorkflowHistory]) -> tuple[WorkflowHistory, ...]:
    """Line after line by when each began, and each run behind the one that it continues."""
    behind = defaultdict[str, list[str]](list)
    for run in sorted(runs, key=lambda run: _started(runs[run]), reverse=True):
        before = continued_from(runs[run])
        behind[before if before in runs else ""].append(run)
    ordered, waiting = list[WorkflowHistory](), behind[""]
    while waiting:
        run = waiting.pop()
        ordered.append(runs[run])
        waiting += behind[run]
    return tuple(ordered)


def _started(history: WorkflowHistory) -> datetime:
    return history.events[0].event_time.ToDatetime(UTC) if history.events else datetime.max.replace(tzinfo=UTC)


async def _read(client: Client | None, workflow_id: str, run: str, shelf: Shelf | None) -> WorkflowHistory | None:
    history = await _from_server(client, workflow_id, run) if client is not None else None
    return await shelf.history(workflow_id, run) if history is None and shelf is not None else history


async def _from_server(client: Client, workflow_id: str, run_id: str) -> WorkflowHistory | None:
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
