"""The real activities in a real worker: a journey on the real server reaches people and the bank by itself."""

import uuid
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from activities import Resources, all_activities
from activities.tills import Tills
from journeys.authoring.calendars import calendar_text
from journeys.authoring.reading import programme_text
from journeys.channels.bank import SimulatedBank
from journeys.channels.outbox import FileOutbox
from journeys.domain import commands as c
from journeys.domain.programme import Programme
from journeys.store import people, publishing, staff, treasury
from journeys.store.directory import By
from journeys.store.letters import seal_letter
from tests.activities.conftest import PROGRAMME
from tests.conftest import RealStack
from tests.workflow.conftest import RING, Engine, make_engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


async def test_a_week_passes_and_the_world_was_told(stack: RealStack, journal_pool: Any, folder: Path) -> None:
    engine = await make_engine(stack, journal_pool)
    resources = Resources(
        pool=journal_pool,
        ring=RING,
        tills=Tills({"sepa": SimulatedBank(journal_pool)}),
        mailer=FileOutbox(folder, partial(seal_letter, journal_pool.keys)),
        duty_address="astreinte@example.org",
    )
    engine.world.activities = lambda: all_activities(resources)  # type: ignore[method-assign]
    person = await settle_in(engine)
    async with engine.worker():
        now = datetime.now(UTC)
        plan = c.Plan(person=person, programme=engine.programme, calendar=engine.calendar, referent=engine.referent)
        assert (await engine.send(engine.command(plan, now))).outcome == "accepted"
        asked = await engine.do(c.RequestGrant(grant="help", purpose="training", amount=10_000), payee="Auto-école")
        digest = next(event.data.digest for event in await engine.events() if event.kind == "GrantRequested")  # type: ignore[attr-defined]
        await engine.do(
            c.ApproveGrant(grant=asked.command, digest=digest), actor=engine.supervisor, roles=("supervisor",)
        )
        await engine.pass_days(8)
    events = await engine.events()
    kinds = [event.kind for event in events]
    assert kinds.count("MessageSent") >= 2
    assert "EscalationTold" in kinds
    assert "PaymentSettled" in kinds
    assert not {"MessageUnknown", "MessageFailed", "EscalationUntold", "PaymentUnknown"} & set(kinds)
    told = [event for event in events if event.kind == "EscalationTold"]
    assert told[0].data.told == (engine.referent,)  # type: ignore[attr-defined]
    assert len(list(folder.iterdir())) == kinds.count("MessageSent") + len(told)
    assert await journal_pool.fetchval("SELECT sum(cents) FROM bank.movements WHERE kind = 'paid'") == 10_000


async def settle_in(engine: Engine) -> str:
    """A programme, the people of the house, and the one who is accompanied."""
    by = By(actor=engine.supervisor, role="administrator", at=datetime.now(UTC))
    text = programme_text(Programme.model_validate(PROGRAMME))
    engine.programme = await publishing.keep(engine.pool, "programme", "essai", text)
    engine.calendar = await publishing.keep(
        engine.pool, "calendar", "FR", calendar_text("Europe/Paris", "FR", datetime.now(UTC).year)
    )
    for id, handle, role in ((engine.referent, "claire", "referent"), (engine.supervisor, "karim", "supervisor")):
        member = staff.Member(
            id=id, handle=handle, name=handle, email=f"{handle}@example.org", phone=None, language="fr",
            roles=(role,), sites=(), active=True,
        )  # fmt: skip
        await staff.add(engine.pool, member, by)
    await treasury.open_fund(engine.pool, str(uuid.uuid4()), "main", cap_per_person=None, balance=100_000, by=by)
    details = people.Details(first_name="Éloïse", last_name="D", email="eloise@example.org")
    await people.register(engine.pool, engine.person, details, by)
    return engine.person
