"""A member of staff who left is forgotten: not while a decision of theirs is open; what was decided keeps its role."""

import uuid
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import ActivityEnvironment

from activities.erasure import Erasure
from journeys.audit import duties
from journeys.audit.reading import read_names, read_record
from journeys.channels.letter import Letter
from journeys.channels.outbox import FileOutbox
from journeys.contract import Erasing
from journeys.domain import commands as c
from journeys.narration.telling import Speech
from journeys.store import contact_erasing, erasing, partners, staff, treasury
from journeys.store.letters import seal_letter
from tests.activities.conftest import Life, make_life


@pytest_asyncio.fixture
async def life(journal_pool: Any) -> Life:
    made = await make_life(journal_pool)
    await made.begin()
    return made


async def fund(life: Life) -> None:
    await treasury.open_fund(life.pool, str(uuid.uuid4()), "main", cap_per_person=None, balance=100_000, by=life.by)


async def left(life: Life, id: str) -> None:
    await staff.set_active(life.pool, id, False, life.by)


async def test_who_asked_or_approved_what_is_not_decided_stays_until_it_is(life: Life) -> None:
    noor = await life.hire(str(uuid.uuid4()), "noor", "supervisor")
    await fund(life)
    body = c.RequestGrant(grant="help", purpose="training", amount=5_000)
    asked = await life.do(body, actor=noor, role="supervisor", payee="FR76")
    await left(life, noor)
    with pytest.raises(contact_erasing.StillNeeded) as caught:
        await contact_erasing.order(life.pool, "staff", noor, "person-asked", life.by)
    assert (caught.value.why, caught.value.streams) == ("decides", (life.stream,))
    await left(life, life.referent)
    with pytest.raises(contact_erasing.StillNeeded) as caught:
        await contact_erasing.order(life.pool, "staff", life.referent, "person-asked", life.by)
    assert (caught.value.why, caught.value.streams) == ("counted-on", (life.stream,))
    digest = life.state.grants[asked.command].digest
    await life.do(c.ApproveGrant(grant=asked.command, digest=digest), actor=life.supervisor, role="supervisor")
    assert await contact_erasing.decided_by(life.pool, noor) == []
    assert (await contact_erasing.order(life.pool, "staff", noor, "person-asked", life.by)).kind == "staff"


async def test_a_journey_that_a_copy_has_open_of_who_is_forgotten_holds_up_nobody(life: Life) -> None:
    mentor, partner = str(uuid.uuid4()), str(uuid.uuid4())
    await life.do(c.ProposeMentor(mentor=mentor))
    await life.do(c.SendReferral(partner=partner, purpose="housing"))
    assert await contact_erasing.counting_on(life.pool, mentor) == [life.stream]
    assert (await partners.taken(life.pool))[partner] == 1
    assert await contact_erasing.led_by(life.pool, life.referent) == [life.stream]
    await erasing.order(life.pool, life.person, "restored", life.by)
    assert await contact_erasing.counting_on(life.pool, mentor) == [life.stream], "until there is a certificate"
    await erasing.note(life.pool, life.person, await erasing.survey(life.pool, life.person))
    await erasing.certify(life.pool, life.person, life.by)
    assert await contact_erasing.counting_on(life.pool, mentor) == []
    assert partner not in await partners.taken(life.pool)
    assert await contact_erasing.led_by(life.pool, life.referent) == []


async def test_the_record_still_holds_and_says_role_without_name(life: Life, tmp_path: Path) -> None:
    await fund(life)
    await life.approved(5_000)
    outbox = FileOutbox(tmp_path / "outbox", partial(seal_letter, life.pool.keys))
    to_them, names_them = (str(uuid.uuid4()) for _ in range(2))
    for id, to in ((to_them, "karim@example.org"), (names_them, "eloise@example.org")):
        await outbox.send(Letter(id=id, to=to, subject="Demain", body="Karim Martin vous attend.", lang="fr",
                                 at=life.now, about=life.stream))  # fmt: skip
    life.now += timedelta(days=1)
    await left(life, life.supervisor)
    await contact_erasing.order(life.pool, "staff", life.supervisor, "person-asked", life.by)
    steps, asked = Erasure(replace(life.resources, mailer=outbox)), Erasing(person=life.supervisor, kind="staff")
    run = ActivityEnvironment().run
    assert await run(steps.close, asked) is True
    for step in (steps.survey, steps.letters, steps.destroy, steps.delete, steps.delete, steps.letters):
        await run(step, asked)
    await run(steps.certify, asked)
    [known] = await erasing.erasures(life.pool)
    certificate = await erasing.certificate(life.pool, known)
    assert certificate is not None and certificate.data.held.letters == 1  # type: ignore[attr-defined]
    assert [file.stem for file in (tmp_path / "outbox").iterdir()] == [names_them], "what is signed is the reader's"

    record = await read_record(life.pool, life.stream)
    names = await read_names(life.pool, record.events)
    assert life.supervisor not in names and life.referent in names
    found = duties.duties(record.events, await duties.careers(life.pool, duties.actors(record.events)))
    [approved] = [duty for grant in found for duty in grant.duties if duty.task is duties.Task.APPROVED]
    assert approved.held is True and not [breach for grant in found for breach in grant.breaches]
    erased = await staff.erased(life.pool, {life.supervisor, life.referent})
    assert erased == {life.supervisor}
    for lang, words in (
        ("fr", "un membre de l'équipe dont le nom est effacé (responsable"),
        ("en", "a member of staff"),
    ):
        told = duties.told(approved, Speech(record.book, names, lang), erased).replace("’", "'")
        assert words in told and "Karim" not in told
    assert "Karim" not in Speech(record.book, names, "fr").person(life.supervisor, "supervisor")
