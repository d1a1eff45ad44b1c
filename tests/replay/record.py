"""Record histories of real journeys to replay for ever: python -m tests.replay.record NAME.

A life each: quiet, with money, suspended, under other rules, continued as new, one whose messages wait, one of
whose alerts the journal knows nothing. With the name of one after the name only that, with `webhooks` only those of a
webhook. They are not sealed: nobody lives in them, and no key is kept that long.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client

from journeys import contract, temporal
from journeys.contract import Begin, Delivered
from journeys.domain import commands as c
from journeys.local.stack import Stack
from journeys.store import keys
from journeys.store.database import open_pool
from journeys.store.keys import Keys
from journeys.store.migrating import migrate
from journeys.store.signing import KeyRing
from tests.conftest import RealStack
from tests.workflow.conftest import Engine, make_engine
from tests.workflow.test_changing import change, later_review
from tests.workflow.webhooks import Telling, away, telling
from workflows import journey

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


async def changed(engine: Engine) -> None:
    await engine.plan(release_in_days=3)
    await engine.pass_days(3)
    await engine.do(c.ConfirmDate(date="release"))
    await change(engine, later_review())
    await engine.pass_days(20)


async def continued(engine: Engine) -> None:
    await engine.client.start_workflow(
        contract.WORKFLOW, Begin(history_limit=60), id=engine.stream, task_queue=engine.queue
    )
    await suspended(engine)


async def waited(engine: Engine) -> None:
    """Nothing can be delivered for longer than an effect is waited for; then all can."""
    limit, journey.EFFECT_LIMIT = journey.EFFECT_LIMIT, timedelta(seconds=2)
    engine.world.away = 8
    await quiet(engine)
    journey.EFFECT_LIMIT = limit


async def uncalled(engine: Engine) -> None:
    """The journal calls for the first alerts no more."""
    engine.world.uncalled = 3
    await quiet(engine)


LIVES: tuple[Callable[[Engine], Awaitable[None]], ...] = (quiet, money, suspended, changed, continued, waited, uncalled)


async def webhook_away(hook: Telling) -> None:
    """A receiver that takes something, then nothing more until staff are told; over two runs."""
    rounds = iter([Delivered(taken=3), Delivered()])
    hook.answer = lambda asked: next(rounds, None) or away(asked)
    await hook.begin_short(history_limit=40)
    await hook.until_asked(3)
    await hook.pass_(timedelta(hours=100))
    await hook.handle().result()


async def webhook_gone(hook: Telling) -> None:
    """A journey is held and recovers; in the end the receiver wants no more."""
    rounds = iter([Delivered(taken=1, failed={"journey-a": "timeout"}), Delivered(taken=1, recovered=("journey-a",))])
    hook.answer = lambda _: next(rounds, None) or Delivered(state="gone", failed={"journey-b": "status-410"})
    await hook.begin(wake=True)
    await hook.handle().result()


WEBHOOKS: tuple[Callable[[Telling], Awaitable[None]], ...] = (webhook_away, webhook_gone)


async def main(name: str, only: str = "") -> None:
    home = Path(tempfile.mkdtemp(prefix="journeys-"))
    home.chmod(0o755)
    async with Stack.start(home, time_skipping=True) as stack:
        await migrate(stack.database_url)
        kept = Keys(stack.database_url.replace("/journeys?", "/journeys_keys?"), KeyRing("k1", {"k1": bytes(32)}))
        await keys.prepare(kept.dsn)
        pool = await open_pool(stack.database_url, largest=16, keys=kept)
        for story in WEBHOOKS if only in ("", "webhooks") else ():
            async with telling(RealStack(stack.database_url, stack.temporal_address)) as hook:
                await story(hook)
                await _save(hook.client, hook.handle().id, f"{story.__name__.replace('_', '-')}-{name}")
        for life in LIVES if not only else [life for life in LIVES if life.__name__ == only]:
            sealing = await make_engine(RealStack(stack.database_url, stack.temporal_address), pool)
            plain = {**sealing.client.config(), "plugins": [temporal.JourneysPlugin(temporal.DATA_CONVERTER)]}
            engine = replace(sealing, client=Client(**plain))
            async with engine.worker():
                await life(engine)
            await _save(engine.client, engine.stream, f"{name}-{life.__name__}")
        await pool.close()


async def _save(client: Any, id: str, name: str) -> None:
    """The last two runs of the chain, the last first."""
    run: str | None = None
    for number in range(2):
        handle: Any = client.get_workflow_handle(id, run_id=run)
        history = await handle.fetch_history()
        path = FOLDER / f"{name}{f'-{number}' if number else ''}.json"
        path.write_text(history.to_json())
        print(path.name, len(history.events), "events")
        begun = history.events[0].workflow_execution_started_event_attributes
        run = begun.continued_execution_run_id
        if not run:
            return


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
