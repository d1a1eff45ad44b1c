"""The loop on the real server: a life in virtual time, and the record that it leaves."""

from datetime import timedelta

from journeys.domain import commands as c
from journeys.domain.evolve import fold
from journeys.domain.state import dump
from tests.workflow.conftest import Engine


async def test_a_life_leaves_a_record_that_folds_to_what_the_workflow_knows(engine: Engine) -> None:
    planned = await engine.plan(release_in_days=10)
    assert planned.outcome == "accepted"
    await engine.pass_days(10)
    assert (await engine.do(c.ConfirmDate(date="release"))).outcome == "accepted"
    asked = await engine.do(c.RequestGrant(grant="bourse", purpose="training", amount=20000), payee="FR76")
    assert asked.outcome == "accepted"
    await engine.pass_days(30)
    events = await engine.events()
    known = await engine.handle().query("state")
    assert dump(fold(events)) == known
    kinds = {event.kind for event in events}
    assert {"DeadlineMissed", "EscalationTold", "ContactMissed", "GrantExpired", "MessageSent"} <= kinds
    late = max(event.recorded_at - event.occurred_at for event in events if event.rule in ("deadline", "reminder"))
    assert late < timedelta(minutes=5)
