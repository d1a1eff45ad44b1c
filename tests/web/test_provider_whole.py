"""The whole way of a payment by HTTP: engine, worker as composed, fake bank, and what the bank tells the pages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

import worker
from activities import all_activities
from journeys.app.web.application import make_application
from journeys.app.web.house import House, open_house
from journeys.domain import commands as c
from journeys.settings import Settings, load_settings
from tests.activities.test_worker import settle_in
from tests.bank.ledger import paid
from tests.bank.process import SECRET, TOKEN, bank_process
from tests.conftest import RealStack
from tests.workflow.conftest import RING, Engine, make_engine

PAYEE = "École BANK-{way}, FR76 3000 6000 0112 3456 7890 189"


def settings(home: Path, engine: Engine, **provider: str) -> Settings:
    return load_settings(
        data_dir=home, signing_key=RING.keys["test"].hex(), signing_key_id="test", task_queue=engine.queue,
        provider={"notice_secret": SECRET, **provider},
    )  # fmt: skip


@asynccontextmanager
async def served(house: House) -> AsyncIterator[str]:
    """The pages on a port of their own; where notices go."""
    server = uvicorn.Server(uvicorn.Config(make_application(house), port=0, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    (port,) = {each.getsockname()[1] for each in server.servers[0].sockets}
    yield f"http://127.0.0.1:{port}/retours/paiements"
    server.should_exit = True
    await serving


async def ask(engine: Engine, person: str, way: str) -> None:
    plan = c.Plan(person=person, programme=engine.programme, calendar=engine.calendar, referent=engine.referent)
    assert (await engine.send(engine.command(plan, datetime.now(UTC)))).outcome == "accepted"
    asked = await engine.do(
        c.RequestGrant(grant="help", purpose="training", amount=10_000, pay_by="http"), payee=PAYEE.format(way=way)
    )
    digest = next(event.data.digest for event in await engine.events() if event.kind == "GrantRequested")  # type: ignore[attr-defined]
    await engine.do(c.ApproveGrant(grant=asked.command, digest=digest), actor=engine.supervisor, roles=("supervisor",))


async def until(engine: Engine, kind: str) -> list[str]:
    """The kinds of events about payments, once this one is among them."""
    async with asyncio.timeout(20):
        while True:
            kinds = [event.kind for event in await engine.events() if event.kind.startswith(("Payment", "Command"))]
            if kind in kinds:
                return kinds
            await asyncio.sleep(0.1)


async def test_money_that_left_and_came_back_is_told_by_the_provider_alone(
    stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path
) -> None:
    """It tells the return first, each twice where it can; paid once, and nothing is refused on the way."""
    engine = await make_engine(stack, journal_pool)
    person = await settle_in(engine)
    async with open_house(settings(tmp_path, engine), database_url, stack.temporal) as house, served(house) as notices:
        with bank_process(tmp_path / "ledger", "--notices", notices, "--secret", SECRET) as bank:
            known = settings(tmp_path, engine, url=bank.url, token=TOKEN)
            resources = worker.make_resources(journal_pool, known, engine.client)
            engine.world.activities = lambda: all_activities(resources)  # type: ignore[method-assign]
            async with engine.worker():
                await ask(engine, person, "RETURNS")
                kinds = await until(engine, "PaymentReturned")
    assert kinds[0] == "PaymentReserved" and kinds[-2:] == ["PaymentSettled", "PaymentReturned"]
    assert "CommandRefused" not in kinds
    assert [cents for each in paid(tmp_path / "ledger").values() for cents in each] == [10_000]
