"""Other rules for a journey under way: seen on a page, then given with a reason; by the API by name."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest_asyncio

from journeys.app.publishing import keep, rules
from journeys.authoring.reading import read_programme
from journeys.domain.evolve import fold
from tests.conftest import RealStack
from tests.web.conftest import BY, form
from tests.web.office import Office, open_office
from tests.web.test_tokens import program, token_of

FORM = "/agir/change-programme"


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        await keep(made.house.writing, later(), BY)
        yield made


def later() -> Any:
    """Auxilia whose last review comes two months later."""
    text = read_programme("auxilia").text.replace("6 months after release", "8 months after release")
    return rules(text, datetime.now(UTC).date())


async def programme_of(office: Office) -> str | None:
    return fold(await office.engine.events()).programme


async def test_a_change_is_seen_before_it_is_confirmed(office: Office) -> None:
    desk, before = await office.enter("sam"), await programme_of(office)
    assert FORM in (await desk.get()).text
    first = await desk.get(FORM)
    assert (
        first.status_code == 200 and "version en vigueur" in first.text and "Confirmer le changement" not in first.text
    )
    seen = await desk.get(f"{FORM}?programme={later().programme_hash}")
    assert "Ce qui reste" in seen.text and "Confirmer le changement" in seen.text, seen.text
    assert await programme_of(office) == before, "seeing changes nothing"
    hidden = await desk.open("change-programme", f"?programme={later().programme_hash}")
    wrong = await desk.send("change-programme", hidden=hidden, programme=later().programme_hash, reason="")
    assert wrong.status_code == 422 and "remplir" in wrong.text and await programme_of(office) == before
    done = await desk.send("change-programme", hidden=hidden, programme=later().programme_hash, reason="Règles revues")
    assert done.status_code == 303 and await programme_of(office) == later().programme_hash
    again = await desk.send("change-programme", hidden=hidden, programme=later().programme_hash, reason="Règles revues")
    assert again.status_code == 303, "the same form sent twice has one effect"
    assert sum(event.kind == "ProgrammeChanged" for event in await office.engine.events()) == 1
    assert "Règles revues" in (await desk.get()).text


async def test_what_cannot_be_given_is_said_and_dates_are_asked_for(office: Office) -> None:
    desk = await office.enter("sam")
    shown = await desk.get(f"{FORM}?programme=actice")
    assert 'name="dates-' in shown.text and " selected>" in shown.text, shown.text
    for strange in ("nowhere", "/etc/passwd", "9" * 64):
        page = await desk.get(f"{FORM}?programme={strange}")
        assert page.status_code == 200 and "Confirmer le changement" not in page.text
        sent = await desk.send("change-programme", programme=strange, reason="x")
        assert sent.status_code in (404, 422), (strange, sent.status_code)
    assert sum(event.kind == "ProgrammeChanged" for event in await office.engine.events()) == 0


async def test_the_form_is_for_supervisors(office: Office) -> None:
    for handle in ("aline", "fin", "aude"):
        answer = await (await office.enter(handle)).get(FORM)
        assert answer.status_code in (403, 404), handle
    assert FORM not in (await (await office.enter("aline")).get()).text


async def test_a_program_names_the_rules_and_the_same_key_means_the_same(office: Office) -> None:
    before, key = await programme_of(office), str(uuid.uuid4())
    path, headers = f"/journeys/{office.journey_id}/commands/change-programme", {"Idempotency-Key": key}
    async with program(office, await token_of(office, office.staff["aline"])) as client:
        refused = await client.post(path, json={"programme": "auxilia", "reason": "x"}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "no-right")
    headers = {"Idempotency-Key": (key := str(uuid.uuid4()))}
    async with program(office, await token_of(office, office.staff["sam"])) as client:
        unknown = await client.post(path, json={"programme": "nowhere", "reason": "x"}, headers=headers)
        assert (unknown.status_code, unknown.json()["field"]) == (404, "programme"), unknown.text
        assert await programme_of(office) == before
        body = {"programme": "auxilia", "reason": "Règles revues"}
        done = await client.post(path, json=body, headers=headers)
        assert done.status_code == 200 and done.json()["answer"]["outcome"] == "accepted", done.text
        assert await programme_of(office) == later().programme_hash
        # Another text is put in force: what was sent before still says what it said.
        newer = later().programme_text.replace("8 months after release", "9 months after release")
        await keep(office.house.writing, rules(newer, datetime.now(UTC).date()), BY)
        again = await client.post(path, json=body, headers=headers)
        assert again.status_code == 200 and again.json()["answer"] == done.json()["answer"], again.text


async def test_every_journey_of_a_programme_is_seen_then_changed_by_its_own_command(office: Office) -> None:
    desk, page = await office.enter("sam"), "/programmes/auxilia/changer"
    shown = (await desk.client.get(page)).text
    value = f"{office.journey_id}.{len(await office.engine.events())}"
    assert "Samir Benali" in shown and f'value="{value}"' in shown and "Changer les parcours cochés" in shown, shown
    hidden = form(desk.token, vers=later().programme_hash, command=str(uuid.uuid4()))
    for missing in ({"parcours": value}, {"reason": "Règles revues"}):
        wrong = await desk.client.post(page, data={**hidden, **missing})
        assert wrong.status_code == 422 and "À corriger" in wrong.text
    stale = await desk.client.post(page, data={**hidden, "parcours": f"{office.journey_id}.0", "reason": "x"})
    assert "quelqu’un a agi" in stale.text.lower(), stale.text
    for _ in range(2):
        done = await desk.client.post(page, data={**hidden, "parcours": value, "reason": "Règles revues"})
        assert done.status_code == 200 and "1 parcours changé" in done.text.replace("\xa0", " "), done.text
    assert sum(event.kind == "ProgrammeChanged" for event in await office.engine.events()) == 1
    assert "Suit déjà ces règles" in (await desk.client.get(page)).text
    strange = await desk.client.post(page, data={**hidden, "vers": "9" * 64, "parcours": value, "reason": "x"})
    assert strange.status_code == 422
    assert (await (await office.enter("aline")).client.get(page)).status_code == 403
