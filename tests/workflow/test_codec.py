"""The codec: each journey under its person's key, plain payloads of before read, nothing sealed that has no key."""

import ast
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import WorkflowHistory
from temporalio.converter import WorkflowSerializationContext
from temporalio.exceptions import ApplicationError
from temporalio.plugin import SimplePlugin
from temporalio.worker import Replayer, Worker

from journeys import codec as codec_module
from journeys import temporal
from journeys.codec import ENCODING, SealingCodec, Unreadable
from journeys.settings import load_settings
from journeys.store.keys import HOUSE, Keys, NoKey, person_key
from tests.conftest import RealStack
from tests.replay.test_replay import HISTORIES, replayer
from workflows.journey import JourneyWorkflow

PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"Zoe"')


def speaking(codec: SealingCodec, workflow: str) -> SealingCodec:
    return codec.with_context(WorkflowSerializationContext(namespace="default", workflow_id=workflow))


async def test_a_journey_is_sealed_under_its_persons_key_the_rest_under_that_of_the_house(journal_pool: Any) -> None:
    codec, person, journey = SealingCodec(journal_pool.keys), str(uuid.uuid4()), f"journey-{uuid.uuid4()}"
    await journal_pool.keys.assign(journey, person)
    for workflow, id in ((journey, person_key(person)), ("housekeeping", HOUSE), ("webhooks-x", HOUSE)):
        [sealed] = await speaking(codec, workflow).encode([PLAIN])
        assert sealed.metadata["encoding"] == ENCODING and sealed.metadata["key"].decode() == id
        assert b"Zoe" not in sealed.SerializeToString()
        assert await speaking(codec, workflow).decode([sealed]) == [PLAIN] == await codec.decode([sealed])
    assert await speaking(codec, journey).decode([PLAIN]) == [PLAIN], "of before the sealing"


async def test_client_worker_and_replayer_have_it_through_one_plugin(
    stack: RealStack, journal_pool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, keys = load_settings(data_dir=tmp_path, signing_key="ab" * 32), journal_pool.keys

    async def made() -> tuple[Any, Any, Any, Any]:
        """By what client and replayer write, and in what worker and replayer run workflows."""
        client = await temporal.connect(settings, keys, stack.temporal)
        worker = Worker(client, task_queue="nobody", workflows=[JourneyWorkflow])
        replays = Replayer(workflows=[JourneyWorkflow], plugins=[temporal.plugin(keys)]).config(active_config=True)
        return (client.data_converter.payload_codec, replays["data_converter"].payload_codec,
                worker.config(active_config=True)["workflow_runner"], replays["workflow_runner"])  # fmt: skip

    codec, again, *runners = await made()
    assert isinstance(codec, SealingCodec) and codec.keys is keys and again == codec
    assert all(isinstance(each, temporal.JourneyRunner) for each in runners)
    monkeypatch.setattr(temporal, "plugin", lambda keys: SimplePlugin("nothing"))
    codec, again, *runners = await made()
    assert codec is again is None and not any(isinstance(each, temporal.JourneyRunner) for each in runners)


def test_nothing_else_says_how_payloads_are_written_or_where_workflows_run() -> None:
    home = Path(__file__).parents[2]
    files = [home / "worker.py", *(path for room in ("journeys", "activities", "workflows")
                                   for path in (home / room).rglob("*.py"))]  # fmt: skip
    said = [
        (path.name, call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", ""))
        for path in files for call in ast.walk(ast.parse(path.read_text())) if isinstance(call, ast.Call)
        for given in call.keywords if given.arg in ("data_converter", "workflow_runner")
    ]  # fmt: skip
    assert set(said) == {("temporal.py", "__init__")}, "the plugin does"


async def test_what_is_large_is_compressed_inside_its_seal(journal_pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    codec = SealingCodec(journal_pool.keys, "housekeeping")
    large = Payload(metadata={"encoding": b"json/plain"}, data=b'"' + b"A programme's text. " * 1_000 + b'"')
    [packed], [small] = await codec.encode([large]), await codec.encode([PLAIN])
    assert len(packed.data) < len(large.data) / 10
    assert await codec.decode([packed, small]) == [large, PLAIN]
    monkeypatch.setattr(codec_module, "PACKED_FROM_BYTES", 10**9)
    [whole] = await codec.encode([large])
    assert len(whole.data) > len(large.data) and await codec.decode([whole]) == [large], "as it was sealed before"


async def test_it_seals_nothing_of_which_it_does_not_know_whose_it_is(journal_pool: Any) -> None:
    codec = SealingCodec(journal_pool.keys)
    with pytest.raises(Unreadable):
        await codec.encode([PLAIN])
    with pytest.raises(NoKey):
        await speaking(codec, f"journey-{uuid.uuid4()}").encode([PLAIN])


async def test_it_reads_neither_what_is_anothers_nor_what_was_altered_nor_what_was_forgotten(journal_pool: Any) -> None:
    codec, person = SealingCodec(journal_pool.keys), str(uuid.uuid4())
    mine, other = f"journey-{uuid.uuid4()}", f"journey-{uuid.uuid4()}"
    for stream in (mine, other):
        await journal_pool.keys.assign(stream, person)
    [sealed] = await speaking(codec, mine).encode([PLAIN])
    with pytest.raises(Unreadable, match="another workflow"):
        await speaking(codec, other).decode([sealed])
    moved = Payload(metadata={**sealed.metadata, "workflow": other.encode()}, data=sealed.data)
    with pytest.raises(Unreadable, match="not what was sealed"):
        await speaking(codec, other).decode([moved])
    await journal_pool.keys.destroy([person_key(person)])
    with pytest.raises(Unreadable, match="destroyed"):
        await codec.decode([sealed])


async def test_a_history_of_before_the_sealing_replays_with_it(journal_pool: Any) -> None:
    path = next(path for path in HISTORIES if not path.stem.startswith("webhook"))
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    await journal_pool.keys.assign(history.workflow_id, str(uuid.uuid4()))
    await replayer(converter=temporal.sealing(journal_pool.keys)).replay_workflow(history)


async def test_a_failure_tells_neither_its_message_nor_its_details(journal_pool: Any) -> None:
    journey = f"journey-{uuid.uuid4()}"
    await journal_pool.keys.assign(journey, str(uuid.uuid4()))
    context = WorkflowSerializationContext(namespace="default", workflow_id=journey)
    converter, failure = temporal.sealing(journal_pool.keys).with_context(context), Failure()
    await converter.encode_failure(ApplicationError("Zoe is away", "Zoe", type="Away"), failure)
    assert b"Zoe" not in failure.SerializeToString()
    told = await converter.decode_failure(failure)
    assert isinstance(told, ApplicationError) and (told.message, told.type, *told.details) == (
        "Zoe is away",
        "Away",
        "Zoe",
    )


@pytest.mark.parametrize(("patience", "read"), [(codec_module.PATIENCE_SECONDS, True), (0.0, False)])
async def test_keys_that_are_away_for_a_moment_fail_no_task(
    patience: float, read: bool, journal_pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = SealingCodec(journal_pool.keys, "housekeeping")
    sealed = await codec.encode([Payload(data=b"plain")])
    known, away = codec.keys.known, 3

    async def coming_up(_: Keys, ids: Collection[str]) -> dict[str, Any]:
        nonlocal away
        away -= 1
        if away >= 0:
            raise asyncpg.CannotConnectNowError("the database system is starting up")
        return await known(ids)

    monkeypatch.setattr(Keys, "known", coming_up)
    monkeypatch.setattr(codec_module, "PATIENCE_SECONDS", patience)
    if read:
        assert [each.data for each in await codec.decode(sealed)] == [b"plain"]
        away = 3
        assert await codec.encode([Payload(data=b"plain")])
    else:
        with pytest.raises(asyncpg.CannotConnectNowError):
            await codec.decode(sealed)
