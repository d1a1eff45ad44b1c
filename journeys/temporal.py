"""What client, worker and replayer share: connection, converter, sandbox, and the sending of commands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.update.v1 import UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    PollWorkflowExecutionUpdateRequest,
)
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError as UpdateTimedOut
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    StorageDriverStoreContext,
    WorkflowSerializationContext,
)
from temporalio.envconfig import ClientConfig
from temporalio.plugin import SimplePlugin
from temporalio.service import RetryConfig, RPCError, RPCStatusCode
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info

from journeys import contract
from journeys.codec import SealingCodec
from journeys.codec import Unreadable as Unreadable
from journeys.contract import Answer, Begin, Erasing, Fate, Subscription
from journeys.domain.commands import Command, Plan
from journeys.domain.fund import ZONE
from journeys.settings import Settings
from journeys.store.database import LOST
from journeys.store.keys import Destroyed, Keys, NoKey, OtherPerson

_ENCODINGS = tuple(PydanticPayloadConverter().converters.values())


class OnePayloadConverter(CompositePayloadConverter):
    """Pydantic's converter, the readers of its types built once a process.

    The SDK makes a converter for each workflow and two for each of its tasks.
    """

    def __init__(self) -> None:
        super().__init__(*_ENCODINGS)


DATA_CONVERTER = DataConverter(
    payload_converter_class=OnePayloadConverter, failure_converter_class=DefaultFailureConverterWithEncodedAttributes
)
"""Without keys: reads histories of before the sealing, and what has no person in it."""


def sealing(keys: Keys) -> DataConverter:
    """What payloads are written and read with: failures among them, each under the key of whose workflow it is."""
    return replace(DATA_CONVERTER, payload_codec=SealingCodec(keys))


class JourneysPlugin(SimplePlugin):
    """How Temporal is spoken with here: payloads by this converter, workflows in their sandbox.

    Given to a client, every worker of that client has it too; a replayer, which has no client, is given it.
    """

    def __init__(self, converter: DataConverter) -> None:
        super().__init__("journeys", data_converter=converter, workflow_runner=lambda _: sandbox_runner())


def plugin(keys: Keys) -> JourneysPlugin:
    """The plugin that seals under these keys."""
    return JourneysPlugin(sealing(keys))


TASK_TIMEOUT = timedelta(seconds=5)
"""A killed worker costs its callers one such timeout."""

PATIENCE = timedelta(seconds=30)
"""How long a command is sent again (it is safe: the same id has one effect) before the caller is told."""

HOUSEKEEPING_INTERVAL = timedelta(minutes=10)
DIGESTS_INTERVAL = timedelta(minutes=5)
_ARCHIVE_HOUR = 3
_VERIFY_HOUR = 4
_RETENTION_HOUR = 5
CHECKPOINTS_INTERVAL = timedelta(minutes=10)

_AGAIN = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED,
                    RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.ABORTED,
                    RPCStatusCode.INTERNAL, RPCStatusCode.UNKNOWN})  # fmt: skip


_NEVER_LEFT = ("tcp connect error", "dns error")
"""How the client's library says that there was nobody to send a call to (a test knows when it says it otherwise)."""

_BETWEEN_LOOKS = 0.2
"""Seconds after which it is looked again what a server has not forgotten yet."""

_LOOK = timedelta(seconds=2)
"""How long the engine is asked what became of a command."""

_ONE_TRY = RetryConfig(max_retries=1)
"""The library would try a failed call again by itself and tell of the last failure only: the first may have arrived."""


class Unreachable(Exception):
    """Temporal gave no answer in time. `fate` says what became of the command; sending it again is safe."""

    def __init__(self, why: str, fate: Fate = Fate.NOT_TAKEN, command: str | None = None) -> None:
        super().__init__(why)
        self.fate = fate
        self.command_id = command


class Malformed(Exception):
    """The command was rejected before it could become part of any history."""


async def connect(settings: Settings, keys: Keys, address: str | None = None, *, entering: bool = False) -> Client:
    """A client of the configured server (TEMPORAL_* through envconfig). Raises Unreachable.

    Args:
        keys: what it sends is sealed under these.
        entering: of an entry point, whose `send` tries again by itself and must know how each try ended.
    """
    config = ClientConfig.load_client_connect_config()
    config["target_host"] = address or config.get("target_host") or settings.temporal_address
    config.setdefault("namespace", settings.temporal_namespace)
    retries = _ONE_TRY if entering else None
    try:
        return await Client.connect(**config, plugins=[plugin(keys)], retry_config=retries)
    except (RPCError, RuntimeError) as failure:
        raise Unreachable(f"no Temporal server answers at {config['target_host']}") from failure


async def serves(client: Client, patience: timedelta) -> bool:
    """Whether the server of a client answers within this time that it serves."""
    try:
        return await client.service_client.check_health(timeout=patience)
    except RPCError:
        return False


class JourneyRunner(SandboxedWorkflowRunner):
    """The sandbox, entered only to run a workflow.

    The SDK also enters it to ask in which context each payload is written: eighteen times a command, a fifth of the
    worker's time. Payloads of a journey are all written in the context of its id, which is known outside.
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """See WorkflowRunner."""
        return _KnownById(super().create_instance(det))


class _KnownById(WorkflowInstance):
    """A workflow in its sandbox. A codec may read the workflow's id from the context, not which activity is meant."""

    def __init__(self, instance: WorkflowInstance) -> None:
        info = instance.get_info()
        self._instance = instance
        self._context = WorkflowSerializationContext(namespace=info.namespace, workflow_id=info.workflow_id)
        self._gone: WorkflowActivationCompletion | None = None

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        if not any(job.HasField("remove_from_cache") for job in act.jobs):
            return self._instance.activate(act)
        return self._let_go(act)

    def _let_go(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Leave the cache, and leave no cycle behind that only the garbage collector would find.

        A worker of thousands of journeys lets go of one for each that it takes up. What they left, a million objects in
        five minutes, the collector looked through at once, and for four seconds nobody was answered. A timer that is
        called off while its workflow leaves raises an error that keeps every frame below it; everything else hangs on
        the instance and on its sandbox's importer. (A test counts what is left, should the library be built otherwise.)
        One that took too long is asked for again, and has gone by then.
        """
        if self._gone is not None:
            return self._gone
        inside = getattr(self._instance, "globals_and_locals", {}).get("__temporal_in_sandbox")
        running = getattr(inside, "instance", None)
        getattr(running, "_pending_timers", {}).clear()
        self._gone = self._instance.activate(act)
        for each in (running, inside, getattr(self._instance, "importer", None)):
            held = vars(each) if each is not None else {}
            for name in held.keys() - {"_deleting"}:  # A task that goes only now asks its loop whether to complain.
                del held[name]
        return self._gone

    def get_info(self) -> Info:
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        return self._instance.get_thread_id()

    def get_serialization_context(self, command_info: object) -> WorkflowSerializationContext:
        return self._context

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        return StorageDriverStoreContext()


def sandbox_runner() -> JourneyRunner:
    """Workflows run in the sandbox; the pure core is passed through it (a test keeps clocks out of the core).

    So is the journey's own module: the sandbox would load it anew for each journey in the cache, a third of its
    memory.
    """
    passed = SandboxRestrictions.default.with_passthrough_modules("journeys", "workflows.journey")
    return JourneyRunner(restrictions=passed)


async def send(
    client: Client, command: Command, *, task_queue: str = contract.TASK_QUEUE, patience: timedelta = PATIENCE
) -> Answer:
    """Send a signed command to its journey, starting a run where none is, until it is answered.

    The same command may be sent any number of times: it has one effect and one answer. Raises Unreachable, with the
    command's fate, when nobody answers within `patience`; Malformed when the command is not one.
    """
    clock = asyncio.get_running_loop().time
    until, pause, arrived = clock() + patience.total_seconds(), 0.1, False
    reason: Exception
    while True:
        began = clock()
        left = timedelta(seconds=max(until - began, 1))
        # The client's own deadline is that of each of its calls; a server that cannot write makes it begin again.
        limit = asyncio.timeout(left.total_seconds() + 1)
        again = True
        try:
            async with limit:
                return await _send_once(client, command, task_queue, left)
        except OtherPerson:
            return Answer(command=command.id, outcome="conflict", code="id-used")
        except NoKey as missing:
            # Its person was forgotten, or nobody ever planned it.
            code = "erasing" if isinstance(missing, Destroyed) else "unknown-journey"
            return Answer(command=command.id, outcome="refused", code=code)
        except TimeoutError as late:
            raise await _unanswered(client, command, "no answer in time") from late
        except LOST as failure:
            reason = failure  # The keys did not answer.
        except UpdateTimedOut as failure:
            # The client dresses a cancellation of ours as a timeout: whoever cancels must not wait out our patience.
            if isinstance(failure.__cause__, asyncio.CancelledError) and not limit.expired():
                raise asyncio.CancelledError from failure
            arrived, reason = True, failure
        except RPCError as failure:
            if failure.status is RPCStatusCode.INVALID_ARGUMENT:
                raise Malformed(str(failure)) from failure
            again, reason = failure.status in _AGAIN, failure
            # Nobody to connect to is told at once; later, it was a look at an update that had been taken.
            arrived = arrived or (again and not (_nobody_there(failure) and clock() - began < 1))
        except WorkflowUpdateFailedError as failure:
            if getattr(failure.cause, "type", None) != "AcceptedUpdateCompletedWorkflow":
                raise Malformed(str(failure.cause)) from failure
            arrived, reason = True, failure
        if not again or clock() + pause >= until:
            if not arrived:
                raise Unreachable(str(reason), Fate.NOT_TAKEN, command.id) from reason
            raise await _unanswered(client, command, str(reason)) from reason
        await asyncio.sleep(pause)
        pause = min(pause * 2, 2)


def _nobody_there(failure: RPCError) -> bool:
    return failure.status is RPCStatusCode.UNAVAILABLE and str(failure).startswith(_NEVER_LEFT)


async def _unanswered(client: Client, command: Command, why: str) -> Unreachable:
    """Ask the engine once more, briefly, how far it is with a command that was sent."""
    asked = PollWorkflowExecutionUpdateRequest(
        namespace=client.namespace,
        update_ref=UpdateRef(workflow_execution=WorkflowExecution(workflow_id=command.stream), update_id=command.id),
        identity=client.identity,
        wait_policy=WaitPolicy(lifecycle_stage=Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED),
    )
    fate = Fate.UNKNOWN
    with suppress(RPCError, TimeoutError):
        async with asyncio.timeout(_LOOK.total_seconds() + 1):
            found = await client.workflow_service.poll_workflow_execution_update(asked, timeout=_LOOK)
        # Until a worker accepts it, the server keeps it in memory only.
        if found.stage >= Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED:
            fate = Fate.UNDER_WAY
    return Unreachable(why, fate, command.id)


async def _send_once(client: Client, command: Command, task_queue: str, timeout: timedelta) -> Answer:
    """A plain update of a running journey; where none runs, start a run with it."""
    codec = client.data_converter.payload_codec
    if isinstance(command.body, Plan) and isinstance(codec, SealingCodec):
        await codec.keys.assign(command.stream, command.body.person)
    if command.name != "plan":
        try:
            handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(command.stream)
            known: Answer = await handle.execute_update(
                contract.COMMAND, command, id=command.id, result_type=Answer, rpc_timeout=timeout
            )
            return known
        except RPCError as failure:
            if failure.status is not RPCStatusCode.NOT_FOUND:
                raise
    begin: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        contract.WORKFLOW,
        Begin(),
        id=command.stream,
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        task_timeout=TASK_TIMEOUT,
    )
    try:
        answer: Answer = await client.execute_update_with_start_workflow(
            contract.COMMAND,
            command,
            id=command.id,
            result_type=Answer,
            start_workflow_operation=begin,
            rpc_timeout=timeout,
        )
    except (RPCError, UpdateTimedOut):
        # The client keeps the failure in a future as well, and a traceback is printed when nobody looks at it.
        with suppress(RPCError, TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(begin.workflow_handle(), 0.1)
        raise
    return answer


async def keep_house(client: Client, task_queue: str) -> None:
    """Make the schedule of the housekeeping, once for all workers."""
    await _every(client, contract.HOUSEKEEPING, task_queue, HOUSEKEEPING_INTERVAL)


async def send_digests(client: Client, task_queue: str) -> None:
    """Make the schedule of the digests, once for all workers; each programme says at which hour its own leave."""
    await _every(client, contract.DIGESTS, task_queue, DIGESTS_INTERVAL)


async def _every(client: Client, workflow: str, task_queue: str, interval: timedelta) -> None:
    """A workflow again and again under its own name, one after the other."""
    action = ScheduleActionStartWorkflow(workflow, id=workflow, task_queue=task_queue)
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=interval)])
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP)
    await _once(client, workflow, Schedule(action=action, spec=spec, policy=policy))


async def _once(client: Client, workflow: str, schedule: Schedule) -> None:
    """The schedule of a workflow, made by the first worker."""
    with suppress(ScheduleAlreadyRunningError):
        await client.create_schedule(workflow, schedule)


async def control_daily(client: Client, task_queue: str, hour: int) -> None:
    """Make the schedule of the money's control, or give it this hour (of Paris): the same for all workers."""
    schedule = _daily(contract.CONTROL, task_queue, hour, "control of the money", timedelta(hours=20))
    try:
        await client.create_schedule(contract.CONTROL, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(contract.CONTROL).update(lambda _: ScheduleUpdate(schedule=schedule))


async def archive_daily(client: Client, task_queue: str) -> None:
    """Make the schedule of the keeping of histories, once for all workers."""
    schedule = _daily(contract.ARCHIVE, task_queue, _ARCHIVE_HOUR, "histories kept", timedelta(days=7))
    await _once(client, contract.ARCHIVE, schedule)


async def verify_daily(client: Client, task_queue: str) -> None:
    """Make the schedule of the verification of everything, once for all workers."""
    schedule = _daily(contract.VERIFICATION, task_queue, _VERIFY_HOUR, "everything verified", timedelta(hours=20))
    await _once(client, contract.VERIFICATION, schedule)


async def verify_now(client: Client) -> bool:
    """Have everything verified now, but for a verification under way; False: no worker has made the schedule yet."""
    try:
        handle = client.get_schedule_handle(contract.VERIFICATION)
        await handle.trigger(overlap=ScheduleOverlapPolicy.SKIP)
    except RPCError as failure:
        if failure.status is RPCStatusCode.NOT_FOUND:
            return False
        raise Unreachable("Temporal does not answer") from failure
    return True


async def replay_now(client: Client, by: str, task_queue: str) -> None:
    """Have every history replayed, as a member of staff (an id) asks; one under way goes on. Raises Unreachable."""
    try:
        await client.start_workflow(
            contract.REPLAYING,
            contract.Replaying(by=by),
            id=contract.REPLAYING,
            task_queue=task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
    except RPCError as failure:
        raise Unreachable("Temporal does not answer") from failure


async def retain_daily(client: Client, task_queue: str) -> None:
    """Make the schedule of the look at what has been kept long enough, once for all workers."""
    schedule = _daily(contract.RETENTION, task_queue, _RETENTION_HOUR, "kept long enough", timedelta(hours=20))
    await _once(client, contract.RETENTION, schedule)


def _daily(workflow: str, task_queue: str, hour: int, comment: str, catchup: timedelta) -> Schedule:
    """A workflow once a day at an hour of Paris, under its own name; one missed is made up for within `catchup`."""
    return Schedule(
        action=ScheduleActionStartWorkflow(workflow, id=workflow, task_queue=task_queue),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(hour)], comment=comment)], time_zone_name=ZONE.key
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=catchup),
    )


async def archive_now(client: Client, task_queue: str) -> int:
    """Keep at once what is not kept yet, or wait for the keeping that is under way; how many it kept."""
    kept: int = await client.execute_workflow(
        contract.ARCHIVE, id=contract.ARCHIVE, task_queue=task_queue, result_type=int,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )  # fmt: skip
    return kept


class EndedRuns:
    """The runs of journeys that a server says have ended, and their histories; and how they are forgotten."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def ended(self) -> AsyncIterator[contract.Run]:
        """Each run that ended, as long as its retention lasts; a journey that goes on has some too."""
        query = f"WorkflowType = '{contract.WORKFLOW}' AND ExecutionStatus != 'Running'"
        async for each in self._client.list_workflows(query, page_size=500):
            if each.close_time is not None:
                yield contract.Run(
                    id=each.run_id, stream=each.id, events=each.history_length, closed_at=each.close_time
                )

    async def history(self, run: contract.Run) -> bytes | None:
        """The history of a run as JSON, its payloads as the server has them; None when the server has it no more."""
        handle = self._client.get_workflow_handle(run.stream, run_id=run.id)
        try:
            return (await handle.fetch_history()).to_json().encode()
        except RPCError as failure:
            if failure.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    async def runs(self, stream: str) -> bool:
        """Whether a journey runs now."""
        try:
            described = await self._client.get_workflow_handle(stream).describe()
        except RPCError as failure:
            if failure.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return described.status is WorkflowExecutionStatus.RUNNING

    async def forget(self, stream: str) -> None:
        """Forget every run of a journey; none is left when this returns."""
        while runs := await self._known(stream):
            for run in runs:
                asked = DeleteWorkflowExecutionRequest(
                    namespace=self._client.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=stream, run_id=run),
                )
                with suppress(RPCError):  # It is being deleted, or gone; else it is found again.
                    await self._client.workflow_service.delete_workflow_execution(asked)
            await asyncio.sleep(_BETWEEN_LOOKS)

    async def _known(self, stream: str) -> set[str]:
        """The runs of a journey that the server knows."""
        last = await last_run(self._client, stream)
        return (await listed_runs(self._client, stream)).get(stream, set()) | ({last} if last is not None else set())


async def listed_runs(
    client: Client, journey: str | None = None, patience: timedelta | None = None
) -> dict[str, set[str]]:
    """The runs of a journey, or of all, that a server lists, by journey. Raises RPCError."""
    query = f"WorkflowId = '{journey}'" if journey is not None else f"WorkflowType = '{contract.WORKFLOW}'"
    found = dict[str, set[str]]()
    async for each in client.list_workflows(query, rpc_timeout=patience):
        found.setdefault(each.id, set()).add(each.run_id)
    return found


async def last_run(client: Client, journey: str, patience: timedelta | None = None) -> str | None:
    """The last run of a journey, which lists may not have yet; None: the server knows none. Raises RPCError."""
    try:
        return (await client.get_workflow_handle(journey).describe(rpc_timeout=patience)).run_id
    except RPCError as failure:
        if failure.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


async def keep_checkpoints(client: Client, task_queue: str) -> None:
    """Make the schedule that keeps the log, once for all workers, and have it run now where it does not."""
    action = ScheduleActionStartWorkflow(contract.CHECKPOINTS, id=contract.CHECKPOINTS, task_queue=task_queue)
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=CHECKPOINTS_INTERVAL)])
    # A run that ends after the next was due is followed by it at once.
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=CHECKPOINTS_INTERVAL)
    try:
        await client.create_schedule(
            contract.CHECKPOINTS, Schedule(action=action, spec=spec, policy=policy), trigger_immediately=True
        )
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(contract.CHECKPOINTS).trigger(overlap=ScheduleOverlapPolicy.SKIP)


async def begin_webhook(client: Client, webhook: str, task_queue: str, *, wake: bool = False) -> None:
    """Have a webhook's workflow run, where none does. `wake`: one that waits to try again tries at once."""
    try:
        await client.start_workflow(
            contract.WEBHOOK,
            Subscription(webhook=webhook),
            id=f"webhooks-{webhook}",
            task_queue=task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            task_timeout=TASK_TIMEOUT,
            start_signal=contract.WEBHOOK_WAKE if wake else None,
        )
    except RPCError as failure:
        raise Unreachable(str(failure)) from failure


async def begin_erasure(client: Client, asked: Erasing, task_queue: str) -> None:
    """Have an erasure run, where none does. Raises Unreachable."""
    whose = asked.person if asked.kind == "person" else f"{asked.kind}-{asked.person}"
    try:
        await client.start_workflow(
            contract.ERASURE,
            asked,
            id=f"{contract.ERASURE}-{whose}",
            task_queue=task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            task_timeout=TASK_TIMEOUT,
        )
    except RPCError as failure:
        raise Unreachable(str(failure)) from failure
