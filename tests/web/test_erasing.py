"""The page of an erasure: who may, what it shows before it is confirmed, that it wants a proof, what it shows then."""

import dataclasses
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from journeys.store import erasing, mentor_erasing, mentors, partners, staff, staff_erasing
from journeys.store.directory import By
from tests.conftest import RealStack
from tests.web.conftest import BY, form
from tests.web.office import Office, open_office


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        yield made


async def test_what_goes_is_shown_before_it_is_confirmed_and_the_certificate_after(office: Office) -> None:
    sam, aline, pool = await office.enter("sam"), await office.enter("aline"), office.house.writing
    assert (await aline.get("/effacement")).status_code == 403
    assert "/effacement" in (await sam.get()).text and "/effacement" not in (await aline.get()).text
    shown = await sam.get("/effacement")
    assert shown.status_code == 200 and "Ce qui part" in shown.text and "Certificat" not in shown.text
    where = f"{office.path}/effacement"
    assert (await sam.client.post(where, data=form(sam.token, reason=""))).status_code == 422
    await pool.execute("UPDATE sessions SET proved_at = $1", datetime.now(UTC) - timedelta(hours=1))
    asked = await sam.client.post(where, data=form(sam.token, reason="person-asked"))
    assert asked.status_code == 403 and await erasing.erasures(pool) == [], "a proof anew first"
    await pool.execute("UPDATE sessions SET proved_at = clock_timestamp()")
    assert (await sam.client.post(where, data=form(sam.token, reason="person-asked"))).status_code == 303
    (known,) = await erasing.erasures(pool)
    assert (known.reason, known.by) == ("person-asked", office.staff["sam"])
    assert "Effacement en cours" in (await sam.get("/effacement")).text

    name = (await aline.get()).text.partition("<h1>")[2].partition("</h1>")[0]
    await erasing.note(pool, known.person, await erasing.survey(pool, known.person))
    await erasing.destroy(pool.keys, await erasing.keys_of(pool, known.person), None)
    await erasing.delete(pool, known.person)
    await erasing.certify(pool, known.person, By(actor="system", role="system", at=datetime.now(UTC)))
    done = await sam.get("/effacement")
    assert "Certificat d’effacement" in done.text and name not in done.text
    assert "Personne effacée" in (await aline.get()).text


async def test_a_member_of_staff_who_left_is_forgotten_and_is_a_role_from_then_on(office: Office) -> None:
    sam, aline, pool = await office.enter("sam"), await office.enter("aline"), office.house.writing
    bob = office.staff["bob"]
    called = "Bob"
    assert (await aline.send("add-note", text="Vu avec Bob.")).status_code == 303
    where = f"/equipe/{bob}/effacement"
    assert where not in (await sam.client.get("/equipe")).text, "he works here"
    shown = await sam.client.get(where)
    assert shown.status_code == 200 and called in shown.text and "Ce qui part" in shown.text
    refused = await sam.client.post(where, data=form(sam.token, reason="person-asked"))
    assert refused.status_code == 403 and "travaille encore ici" in refused.text
    await staff.set_active(pool, bob, False, BY)
    assert where in (await sam.client.get("/equipe")).text and where not in (await aline.client.get("/equipe")).text
    assert (await aline.client.get(where)).status_code == 403
    assert (await aline.client.post(where, data=form(aline.token, reason="person-asked"))).status_code == 403
    assert (await sam.client.post(where, data=form(sam.token))).status_code == 422 and not await erasing.erasures(pool)
    leads = office.staff["aline"]
    await staff.set_active(pool, leads, False, BY)
    counted = await sam.client.post(f"/equipe/{leads}/effacement", data=form(sam.token, reason="person-asked"))
    assert counted.status_code == 403 and "suit encore quelqu" in counted.text
    assert (await sam.client.post(where, data=form(sam.token, reason="person-asked"))).status_code == 303
    assert "Effacement en cours" in (await sam.client.get(where)).text
    assert f">{called}<" not in (await sam.client.get("/equipe")).text
    await erasing.note(pool, bob, await staff_erasing.survey(pool, bob), "staff")
    await erasing.destroy(pool.keys, await erasing.keys_of(pool, bob, "staff"), None)
    await staff_erasing.delete(pool, bob)
    await erasing.certify(pool, bob, BY, "staff")
    done = (await sam.client.get(where, headers={"Accept-Language": "en"})).text
    assert f"staff-{bob}" in done and called not in done
    assert (await sam.client.get(f"/equipe/{uuid.uuid4()}/effacement")).status_code == 404


async def test_a_partner_who_takes_nobody_any_more_is_forgotten(office: Office) -> None:
    sam, aline, pool = await office.enter("sam"), await office.enter("aline"), office.house.writing
    house = partners.Partner(id=str(uuid.uuid4()), name="Foyer Canari", kind="housing", email=None, phone="+33612",
                             language="fr", site=None)  # fmt: skip
    await partners.add(pool, house, BY)
    where = f"/partenaires/{house.id}/effacement"
    assert where not in (await sam.client.get("/partenaires")).text
    assert (await aline.client.get(where)).status_code == 403
    refused = await sam.client.post(where, data=form(sam.token, reason="person-asked"))
    assert refused.status_code == 403 and "encore des personnes" in refused.text
    assert (await aline.send("send-referral", partner=house.id, purpose="housing")).status_code == 303
    await partners.leave(pool, house.id, BY)
    assert where in (await sam.client.get("/partenaires")).text
    counted = await sam.client.post(where, data=form(sam.token, reason="person-asked"))
    assert counted.status_code == 403 and "1 parcours ouvert" in counted.text and await erasing.erasures(pool) == []
    [referral] = (await office.engine.handle().query("state"))["referrals"]
    assert (await aline.send("cancel-referral", referral=referral, reason="ferme")).status_code == 303
    shown = await sam.client.get(where)
    assert shown.status_code == 200 and "Ce qui part" in shown.text and "Foyer Canari" in shown.text
    assert (await sam.client.post(where, data=form(sam.token, reason="person-asked"))).status_code == 303
    assert "Effacement en cours" in (await sam.client.get(where)).text
    assert "Foyer Canari" not in (await sam.client.get("/partenaires")).text + (await aline.get()).text
    again = await aline.send("send-referral", partner=house.id, purpose="housing")
    assert again.status_code in (403, 422)


async def test_a_mentor_is_forgotten_once_nobody_counts_on_them(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam, aline, pool = await office.enter("sam"), await office.enter("aline"), office.house.writing
    mentor = mentors.Mentor(id=str(uuid.uuid4()), name="Lina Canari", email=None, phone="+33612", language="fr",
                            site=None, capacity=1)  # fmt: skip
    await mentors.add(pool, mentor, BY)
    where = f"/mentors/{mentor.id}/effacement"
    assert where in (await sam.client.get("/mentors")).text and where not in (await aline.client.get("/mentors")).text
    assert (await aline.client.get(where)).status_code == 403
    shown = await sam.client.get(where)
    assert shown.status_code == 200 and "Ce qui part" in shown.text and "Lina Canari" in shown.text
    assert (await aline.send("propose-mentor", mentor=mentor.id)).status_code == 303
    asked = await sam.client.post(where, data=form(sam.token, reason="person-asked"))
    assert asked.status_code == 403 and "accompagne encore" in asked.text and await erasing.erasures(pool) == []
    assert (await aline.send("decline-mentor", mentor=mentor.id, reason="trop loin")).status_code == 303
    assert (await sam.client.post(where, data=form(sam.token, reason="person-asked"))).status_code == 303
    assert "Effacement en cours" in (await sam.client.get(where)).text
    assert "Lina Canari" not in (await sam.client.get("/mentors")).text + (await aline.get()).text
    assert (await aline.send("propose-mentor", mentor=mentor.id)).status_code in (403, 422)
    await erasing.note(pool, mentor.id, await mentor_erasing.survey(pool, mentor.id), "mentor")
    await erasing.destroy(pool.keys, await erasing.keys_of(pool, mentor.id, "mentor"), None)
    await mentor_erasing.delete(pool, mentor.id)
    await erasing.certify(pool, mentor.id, BY, "mentor")
    done = (await sam.client.get(where)).text
    assert "Certificat d’effacement" in done and f"mentor-{mentor.id}" in done and "Lina" not in done

    # Without the guard a person is left with somebody who is gone.
    other = dataclasses.replace(mentor, id=str(uuid.uuid4()))
    await mentors.add(pool, other, BY)
    assert (await aline.send("propose-mentor", mentor=other.id)).status_code == 303
    with pytest.raises(mentor_erasing.StillCounted):
        await mentor_erasing.order(pool, other.id, "person-asked", BY)

    async def nobody(*_: Any) -> list[str]:
        return []

    monkeypatch.setattr(mentor_erasing, "counting_on", nobody)
    assert (await mentor_erasing.order(pool, other.id, "person-asked", BY)).kind == "mentor"
