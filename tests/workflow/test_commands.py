"""Commands from outside: one effect for ever, signed, answered, recorded when refused."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from journeys import contract
from journeys.domain import commands as c
from journeys.domain.events import GrantRequested
from journeys.domain.record import Part
from journeys.store.signing import KeyRing, sign
from tests.workflow.conftest import Engine

NOTE = c.AddNote()
plainly = pytest.mark.parametrize("engine", ["cached"], indirect=True)
"""For what is answered before any journey is, or by rules that other rooms replay: a replay adds nothing."""


async def test_the_same_command_twice_has_one_effect_and_one_answer(engine: Engine) -> None:
    await engine.plan()
    command = engine.command(NOTE, datetime.now(UTC), text="vu ce matin")
    first, again = await engine.send(command), await engine.send(command)
    assert first == again
    assert [event.kind for event in await engine.events()].count("NoteAdded") == 1


async def test_the_same_id_with_another_content_is_a_conflict(engine: Engine) -> None:
    await engine.plan()
    id = str(uuid.uuid4())
    await engine.send(engine.command(c.ConfirmDate(date="release"), datetime.now(UTC), id=id))
    # another run of the server has forgotten the update's id: only the journal knows
    await _next_run(engine)
    other = await engine.send(engine.command(NOTE, datetime.now(UTC), id=id, text="autre chose"))
    assert other.outcome == "conflict"


async def test_a_command_sent_again_after_the_run_changed_gets_its_old_answer(engine: Engine) -> None:
    await engine.plan()
    command = engine.command(NOTE, datetime.now(UTC), text="vu ce matin")
    first = await engine.send(command)
    await _next_run(engine)
    again = await engine.send(command)
    assert (again.outcome, again.first, again.last) == (first.outcome, first.first, first.last)
    assert [event.kind for event in await engine.events()].count("NoteAdded") == 1


async def test_a_forged_command_changes_nothing(engine: Engine) -> None:
    await engine.plan()
    before = await engine.events()
    signed = engine.command(NOTE, datetime.now(UTC), text="bonjour")
    forged = signed.model_copy(update={"actor": engine.supervisor, "roles": ("supervisor",)})
    answer = await engine.send(forged)
    assert (answer.outcome, answer.code) == ("unsigned", "unsigned")
    assert await engine.events() == before


@plainly
async def test_a_part_that_is_not_the_one_signed_changes_nothing(engine: Engine) -> None:
    await engine.plan()
    before = await engine.events()
    signed = engine.command(
        c.RequestGrant(grant="bourse", purpose="training", amount=10000), datetime.now(UTC), payee="FR76 1"
    )
    parts = {"payee": Part(text="FR76 2", salt=signed.parts["payee"].salt)}
    answer = await engine.send(signed.model_copy(update={"parts": parts}))
    assert answer.outcome == "unsigned"
    assert await engine.events() == before


async def test_a_forged_command_does_not_hold_up_the_others(engine: Engine) -> None:
    await engine.plan()
    now = datetime.now(UTC)
    good = [engine.command(NOTE, now, text=f"note {n}") for n in range(5)]
    forged = [engine.command(NOTE, now, text="x").model_copy(update={"signature": "0" * 64}) for _ in range(3)]
    answers = await asyncio.gather(*(engine.send(command) for command in [*good, *forged]))
    assert [answer.outcome for answer in answers] == ["accepted"] * 5 + ["unsigned"] * 3


@plainly
async def test_a_refusal_is_an_event_and_names_its_rule(engine: Engine) -> None:
    await engine.plan()
    answer = await engine.send(
        engine.command(c.Reopen(), datetime.now(UTC), actor=engine.supervisor, roles=("supervisor",), reason="erreur")
    )
    assert (answer.outcome, answer.code) == ("refused", "not-closed")
    refused = (await engine.events())[-1]
    assert (refused.kind, refused.actor, refused.command) == ("CommandRefused", engine.supervisor, answer.command)


@plainly
async def test_an_unknown_journey_is_answered_and_leaves_nothing(engine: Engine) -> None:
    answer = await engine.send(engine.command(NOTE, datetime.now(UTC), text="?"))
    assert (answer.outcome, answer.code) == ("refused", "unknown-journey")
    assert await engine.events() == []


@plainly
async def test_an_unknown_programme_is_refused(engine: Engine) -> None:
    engine.programme = "f" * 64
    answer = await engine.plan()
    assert (answer.outcome, answer.code) == ("refused", "unknown-programme")


@pytest.mark.parametrize("raw", [{"nonsense": 1}, "text", {"id": "x", "stream": "y"}, None])
async def test_malformed_input_is_rejected_and_leaves_no_trace(engine: Engine, raw: object) -> None:
    await engine.plan()
    before = (await engine.handle().describe()).history_length
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the client's own class of error is not the point
        await engine.handle().execute_update(
            contract.COMMAND, raw, id=str(uuid.uuid4()), rpc_timeout=timedelta(seconds=8)
        )
    assert "timeout" not in str(caught.value).lower()
    after = await engine.do(NOTE, text="le parcours vit encore")
    assert after.outcome == "accepted"
    assert (await engine.handle().describe()).history_length - before < 12


@plainly
async def test_a_command_for_another_journey_is_rejected(engine: Engine) -> None:
    await engine.plan()
    command = engine.command(NOTE, datetime.now(UTC), text="x")
    other = command.model_copy(update={"stream": f"journey-{uuid.uuid4()}"})
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await engine.handle().execute_update(contract.COMMAND, other, id=other.id)
    assert "another journey" in str(caught.value.cause)


async def _next_run(engine: Engine) -> None:
    """Make Temporal forget this journey altogether; the next command begins a new run from the journal."""
    await engine.client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=engine.client.namespace, workflow_execution=WorkflowExecution(workflow_id=engine.stream)
        )
    )
    for _ in range(100):
        try:
            await engine.handle().describe()
        except RPCError:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the server still knows the journey")


@plainly
async def test_approvals_sent_straight_to_temporal_pay_nothing(engine: Engine) -> None:
    """A key of one's own, somebody else's signature, one's own command under another name: nothing leaves."""
    await engine.plan()
    asked = await engine.do(c.RequestGrant(grant="bourse", purpose="training", amount=10000), payee="FR76")
    digest = next(e.data.digest for e in await engine.events() if isinstance(e.data, GrantRequested))
    approve = c.ApproveGrant(grant=asked.command, digest=digest)
    own_key = KeyRing("test", {"test": b"1" * 32})
    honest = engine.command(approve, await engine.now(), actor=engine.supervisor, roles=("supervisor",))
    forged = [
        sign(honest, own_key),
        honest.model_copy(update={"actor": engine.finance, "id": str(uuid.uuid4())}),
        engine.command(approve, await engine.now()).model_copy(update={"roles": ("supervisor",)}),
    ]
    answers = [await engine.send(command) for command in forged]
    assert [answer.outcome for answer in answers] == ["unsigned"] * 3
    await engine.pass_days(5)
    assert not [event for event in await engine.events() if event.kind.startswith(("GrantApproval", "Payment"))]
    assert not [effect for effect in engine.world.asked if effect.details["kind"] == "instruct"]
