"""A journey under way is put under other rules, on the real server: it goes on by them, also in a new run."""

import asyncio
from datetime import UTC, datetime

from temporalio.client import Client

from journeys import contract
from journeys.authoring.reading import read_programme
from journeys.contract import Answer
from journeys.domain import commands as c
from journeys.domain.evolve import fold
from journeys.domain.state import dump
from journeys.store import publishing
from tests.replay.test_replay import replayer
from tests.workflow.conftest import Engine
from tests.workflow.test_runs import agree


async def change(engine: Engine, text: str) -> Answer:
    """Publish a text and put the journey under it."""
    programme = await publishing.keep(engine.pool, "programme", "auxilia", text)
    body = c.ChangeProgramme(programme=programme, calendar=engine.calendar)
    return await engine.do(body, actor=engine.supervisor, roles=("supervisor",), reason="nouvelles règles")


def later_review() -> str:
    text = read_programme("auxilia").text
    assert '"final-review":{' in text
    return text.replace("6 months after release", "8 months after release")


async def test_the_journey_goes_on_by_the_other_rules(engine: Engine) -> None:
    await engine.plan(release_in_days=2)
    await engine.pass_days(2)
    await engine.do(c.ConfirmDate(date="release"))
    before = fold(await engine.events()).deadlines["final-review/1"].at
    answer = await change(engine, later_review())
    assert answer.outcome == "accepted" and answer.last > answer.first
    await agree(engine)
    state = fold(await engine.events())
    assert state.deadlines["final-review/1"].at > before
    await engine.pass_days(10)
    again = await change(engine, later_review())
    assert (again.outcome, again.code) == ("refused", "same-programme")
    await agree(engine)
    await replayer(converter=engine.client.data_converter).replay_workflow(await engine.handle().fetch_history())


async def test_rules_that_the_journal_does_not_hold_are_refused(engine: Engine) -> None:
    await engine.plan()
    body = c.ChangeProgramme(programme="9" * 64, calendar=engine.calendar)
    answer = await engine.do(body, actor=engine.supervisor, roles=("supervisor",), reason="inconnu")
    assert (answer.outcome, answer.code) == ("refused", "unknown-programme")
    await agree(engine)


async def test_commands_behind_the_change_are_decided_by_the_new_rules(engine: Engine) -> None:
    """All at once: what is sent with the change waits for it, and nothing is decided by rules that are gone."""
    await engine.plan()
    text = read_programme("auxilia").text.replace('"lodging-asked":', '"lodging-sought":')
    programme = await publishing.keep(engine.pool, "programme", "auxilia", text)
    now = datetime.now(UTC)
    body = c.ChangeProgramme(programme=programme, calendar=engine.calendar)
    changed = engine.command(body, now, actor=engine.supervisor, roles=("supervisor",), reason="r")
    notes = [engine.command(c.AddNote(), now, text=str(number)) for number in range(6)]
    answers = await asyncio.gather(*(engine.send(each) for each in (*notes[:3], changed, *notes[3:])))
    assert {answer.outcome for answer in answers} == {"accepted"}
    reached = await engine.do(c.ReachMilestone(milestone="lodging-sought"))
    assert reached.outcome == "accepted"
    gone = await engine.do(c.ReachMilestone(milestone="lodging-asked"))
    assert (gone.outcome, gone.code) == ("refused", "unknown-milestone")
    await agree(engine)


async def test_a_new_server_takes_the_rules_from_the_journal(engine: Engine, second_server: Client) -> None:
    await engine.plan(release_in_days=5)
    await change(engine, later_review())
    before = await engine.events()
    engine.client = second_server
    async with engine.worker():
        assert (await engine.send(engine.command(c.AddNote(), datetime.now(UTC), text="après"))).outcome == "accepted"
        assert (await engine.events())[: len(before)] == before
        assert await engine.handle().query(contract.STATE) == dump(fold(await engine.events()))
