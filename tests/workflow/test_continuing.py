"""Wherever a run is left behind, what it had not begun yet is begun by the next one, without anybody asking."""

import asyncio
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from journeys import contract
from journeys.authoring.reading import programme_text
from journeys.contract import Begin, Effect, EffectOutcome
from journeys.domain import commands as c
from journeys.domain.evolve import fold
from journeys.domain.programme import Programme
from journeys.store import publishing, staff, treasury
from journeys.store.directory import By
from tests.conftest import RealStack
from tests.workflow.conftest import Engine, World, make_engine

PROGRAMME = {
    "programme": "continuing",
    "label": "Suites",
    "grants": {
        "help": {
            "label": "aide", "fund": "main", "cap": "500 EUR", "purposes": ["training"],
            "levels": [{"approvals": ["supervisor"]}],
        }
    },
}  # fmt: skip
LIMITS = range(16, 48, 2)
"""Lengths of history after which a run is left. At some of them the payment is reserved while the run waits for a
letter before it is left: then nobody but the next run can send it.
"""


class SlowPost(World):
    """A world in which a letter takes its time: the run cannot be left while it is on its way."""

    @activity.defn(name=contract.DELIVER)
    async def deliver(self, effect: Effect) -> EffectOutcome:
        await asyncio.sleep(0.5)
        return await self._answer(effect)


async def test_a_payment_called_for_by_a_run_that_is_left_goes_out(stack: RealStack, journal_pool: Any) -> None:
    engine = await make_engine(stack, journal_pool)
    engine.world = SlowPost(journal_pool)
    text = programme_text(Programme.model_validate(PROGRAMME))
    engine.programme = await publishing.keep(journal_pool, "programme", "continuing", text)
    by = By(actor=engine.supervisor, role="administrator", at=datetime.now(UTC))
    await treasury.open_fund(journal_pool, str(uuid.uuid4()), "main", cap_per_person=None, balance=1_000_000, by=by)
    karim = staff.Member(
        id=engine.supervisor, handle=f"karim-{engine.supervisor[:8]}", name="Karim Martin", email=None, phone=None,
        language="fr", roles=("supervisor",), sites=(), active=True,
    )  # fmt: skip
    await staff.add(journal_pool, karim, by)
    async with engine.worker():
        paid = await asyncio.gather(*(_pays(engine, limit) for limit in LIMITS))
    assert [limit for limit, went_out in zip(LIMITS, paid, strict=True) if not went_out] == []


async def _pays(whole: Engine, limit: int) -> bool:
    engine = replace(whole, stream=f"journey-{uuid.uuid4()}")
    await engine.pool.keys.assign(engine.stream, engine.person)
    await engine.client.start_workflow(
        contract.WORKFLOW, Begin(history_limit=limit), id=engine.stream, task_queue=engine.queue
    )
    await engine.plan(release_in_days=0)
    asked = await engine.do(c.RequestGrant(grant="help", purpose="training", amount=10_000), payee="Auto-école")
    digest = fold(await engine.events()).grants[asked.command].digest
    approval = c.ApproveGrant(grant=asked.command, digest=digest)
    await engine.do(approval, actor=engine.supervisor, roles=("supervisor",))
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if any(event.kind == "PaymentInstructed" for event in await engine.events()):
            return True
        await asyncio.sleep(0.05)
    return False
