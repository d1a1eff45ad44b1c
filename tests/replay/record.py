"""Record histories of real journeys to replay for ever: python -m tests.replay.record NAME.

A life each: quiet, with money, suspended, continued as new.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from journeys import contract
from journeys.contract import Begin
from journeys.domain import commands as c
from journeys.local.stack import Stack
from journeys.store.database import open_pool
from journeys.store.migrating import migrate
from tests.conftest import RealStack
from tests.workflow.conftest import Engine, make_engine

FOLDER = Path(__file__).with_name("histories")


async def quiet(engine: Engine) -> None:
    await engine.plan(release_in_days=20)
    await engine.pass_days(25)


async def money(engine: Engine) -> None:
    await engine.plan(release_in_days=3)
    await engine.pass_days(3)
    await engine.do(c.ConfirmDate(date="release"))
    asked = await engine.do(c.RequestGrant(grant="bourse", purpose="training", amount=20000), payee="FR76")
    digest = next(event.data.digest for event in await engine.events() if event.kind == "GrantRequested")  # type: ignore[attr-defined]
    approve = c.ApproveGrant(grant=asked.command, digest=digest)
    await engine.do(approve)
    await engine.do(approve, actor=engine.supervisor, roles=("supervisor",))
    await engine.pass_days(20)
    await engine.do(c.Close(outcome="completed"))
    await engine.pass_days(40)


async def suspended(engine: Engine) -> None:
    await engine.plan(release_in_days=3)
    await engine.pass_days(3)
    await engine.do(c.ConfirmDate(date="release"))
    await engine.pass_days(10)
    await engine.do(c.Suspend(why="custody"))
    await engine.pass_days(30)
    await engine.do(c.Resume())
    await engine.pass_days(20)


async def continued(engine: Engine) -> None:
    await engine.client.start_workflow(
        contract.WORKFLOW, Begin(history_limit=60), id=engine.stream, task_queue=engine.queue
    )
    await suspended(engine)


LIVES: tuple[Callable[[Engine], Awaitable[None]], ...] = (quiet, money, suspended, continued)


async def main(name: str) -> None:
    home = Path(tempfile.mkdtemp(prefix="journeys-"))
    home.chmod(0o755)
    async with Stack.start(home, time_skipping=True) as stack:
        await migrate(stack.database_url)
        pool = await open_pool(stack.database_url, largest=16)
        for life in LIVES:
            engine = await make_engine(RealStack(stack.database_url, stack.temporal_address), pool)
            async with engine.worker():
                await life(engine)
            await _save(engine, f"{name}-{life.__name__}")
        await pool.close()


async def _save(engine: Engine, name: str) -> None:
    """The last two runs of the chain, the last first."""
    run: str | None = None
    for number in range(2):
        handle: Any = engine.client.get_workflow_handle(engine.stream, run_id=run)
        history = await handle.fetch_history()
        path = FOLDER / f"{name}{f'-{number}' if number else ''}.json"
        path.write_text(history.to_json())
        print(path.name, len(history.events), "events")
        begun = history.events[0].workflow_execution_started_event_attributes
        run = begun.continued_execution_run_id
        if not run:
            return


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
