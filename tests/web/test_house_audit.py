"""Contrôle over all journeys: what was owed, who did what, histories replayed; each sees what they may see."""

import csv
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import asyncpg
import httpx
import pytest
import pytest_asyncio
from temporalio.worker import Worker

from activities.replaying import Replaying
from activities.resources import Resources
from activities.tills import Tills
from activities.verification import Verification
from journeys import contract, temporal
from journeys.app.web.pages import house_audit
from journeys.channels.outbox import FileOutbox
from journeys.store import reads, replays, verifications
from journeys.store.findings import DutiesLine, Lines, LinesOf, OwedLine
from journeys.store.replays import OtherWay, Replayed
from tests.conftest import RealStack
from tests.replay.test_replay import OneTimerMore
from tests.web.conftest import Ground, form
from tests.web.office import Office, open_office
from tests.web.test_control import AT, verified
from tests.web.test_proposing import counted, words
from tests.workflow.conftest import RING
from workflows.journey import JourneyWorkflow
from workflows.replaying import ReplayingWorkflow
from workflows.verification import VerificationWorkflow

DAY = timedelta(days=1)


def line(outcome: Literal["met", "missed", "cancelled", "open", "silent"], days: int, fr: str) -> OwedLine:
    return OwedLine(
        outcome=outcome, due=AT + days * DAY, at=AT + (days + 1) * DAY if outcome == "missed" else None,
        late=outcome == "missed", learnt_late=False, fr=fr, en=f"{fr} (en)",
    )  # fmt: skip


def grant(asker: str, approver: str, *breaches: str) -> DutiesLine:
    acts = [("requested", asker, "referent", True), ("approved", approver, "supervisor", not breaches),
            ("paid", "system", "system", None)]  # fmt: skip
    return DutiesLine(
        amount=300_00, asked_at=AT, breaches=breaches, fr="l'aide de 300 €", en="the grant of €300",
        acts=tuple({"task": task, "actor": who, "role": role, "at": "2027-03-01T09:00:00Z", "seq": 3, "held": held}
                   for task, who, role, held in acts),
    )  # fmt: skip


@pytest_asyncio.fixture
async def town(ground: Ground) -> dict[str, str]:
    """Two journeys at two sites, and what the last verification kept of them."""
    aline = await ground.member("aline", "referent")
    bob = await ground.member("bob", "referent")
    ids = {
        "aline": aline, "bob": bob, "sam": await ground.member("sam", "supervisor", sites=("Lyon",)),
        "lyon": await ground.journey(aline, site="Lyon", name="Inès Pasquier"),
        "metz": await ground.journey(bob, site="Metz", name="Omar Vidal"),
    }  # fmt: skip
    kept = Lines(ground.house.writing, "last")
    await kept.add([
        LinesOf(ids["lyon"], [line("met", 1, "contact, « bilan »"), line("missed", 3, "étape, « logement »")],
                [grant(aline, ids["sam"])]),
        LinesOf(ids["metz"], [line("silent", 2, "étape, « papiers »"), line("open", 9, "date, « sortie »")],
                [grant(bob, bob, "self-approval", "no-role")]),
    ])  # fmt: skip
    await verifications.keep(ground.house.writing, "last", verified(at=AT + 4 * DAY), lines=True)
    return ids


async def asked(ground: Ground, handle: str, *paths: str, roles: Sequence[str] = ()) -> list[httpx.Response]:
    """What somebody is answered."""
    id = await ground.house.writing.fetchval("SELECT id::text FROM staff WHERE handle = $1", handle)
    token = await ground.session(id or await ground.member(handle, *roles))
    async with ground.browser(token) as browser:
        return [await browser.get(path) for path in paths]


def rows(answer: httpx.Response) -> list[list[str]]:
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.reader(StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


async def test_what_is_wrong_comes_first_and_filters_leave_the_rest_out(ground: Ground, town: dict[str, str]) -> None:
    here = "/controle/echeances"
    first, every, site, days, empty = await asked(
        ground, "aude", here, f"{here}?issue=toutes", f"{here}?site=Lyon&issue=toutes",
        f"{here}?issue=toutes&de={(AT + 3 * DAY):%Y-%m-%d}&a={(AT + 3 * DAY):%Y-%m-%d}",
        f"{here}?referent={town['aline']}&issue=a-venir", roles=["auditor"],
    )  # fmt: skip
    told = words(first.text)
    assert told.index("1 échéance est passée sans trace") < told.index("« papiers »") < told.index("« logement »")
    assert "bilan" not in told and "noté en retard" in told and "2 échéances" in told
    assert f'href="/parcours/{town["metz"]}/obligations">Omar Vidal' in first.text
    assert "Aline" in told and "Metz" in told and "Calculé le" in told
    assert "bilan" in every.text and "4 échéances" in words(every.text)
    assert "Pasquier" in site.text and "Vidal" not in site.text and "sans trace : un fait" not in site.text
    assert "logement" in days.text and "papiers" not in days.text and "bilan" not in days.text
    assert "Aucune échéance ne répond" in words(empty.text)
    wrong, refused = await asked(ground, "aude", f"{here}?de=hier", f"{here}.csv?de=hier")
    assert wrong.status_code == 422 and 'href="#f-de"' in wrong.text and refused.status_code == 422
    [english] = await asked(ground, "aude", f"{here}?issue=toutes&lang=en")
    assert english.status_code == 200


async def test_the_table_is_a_file_and_lists_go_by_pages(
    ground: Ground, town: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house_audit, "A_PAGE", 1)
    first, second, file, acts = await asked(
        ground, "aude", "/controle/echeances", "/controle/echeances?page=2", "/controle/echeances.csv?issue=toutes",
        "/controle/aides.csv?tout=1", roles=["auditor"],
    )  # fmt: skip
    assert "papiers" in first.text and "logement" not in first.text and "page 1 sur 2" in words(first.text)
    assert "logement" in second.text and "papiers" not in second.text
    monkeypatch.setattr(house_audit, "MOST", 1)
    [bounded] = await asked(ground, "aude", "/controle/echeances?page=2")
    assert "papiers" in bounded.text and "les 1 premières lignes" in bounded.text
    head, *lines = rows(file)
    assert head[:5] == ["Parcours", "Personne", "Obligation", "Échéance", "Issue"]
    assert [each[4] for each in lines] == ["passée sans trace", "manquée", "à venir", "tenue"]
    assert lines[1][:2] == [town["lyon"], "Inès Pasquier"] and lines[1][-2:] == ["Aline", "Lyon"]
    _, *lines = rows(acts)
    assert [each[6] for each in lines] == [
        "Demandée par Bob (référent)", "Accordée par Bob (responsable)", "Versement lancé par le système",
        "Demandée par Aline (référent)", "Accordée par Sam (responsable)", "Versement lancé par le système",
    ]  # fmt: skip
    assert [each[7] for each in lines[:3]] == ["oui", "non", ""]


async def test_who_did_what_shows_what_must_be_looked_at(ground: Ground, town: dict[str, str]) -> None:
    first, every, none = await asked(
        ground, "aude", "/controle/aides", "/controle/aides?tout=1", "/controle/aides?site=Lyon", roles=["auditor"]
    )
    told = words(first.text)
    assert "1 aide est à regarder" in told and "2 aides en tout" in told
    assert "La même personne a demandé et accordé" in told and "sans ce rôle à ce moment" in told
    assert "Pasquier" not in first.text and f'href="/parcours/{town["metz"]}/roles">Omar Vidal' in first.text
    told = words(every.text)
    assert told.index("Omar Vidal") < told.index("Inès Pasquier")
    assert "Rien à regarder" in words(none.text) and "Aucune aide ne répond" in words(none.text)
    assert "dont le nom est effacé" not in told
    owner = await asyncpg.connect(ground.owner)
    await owner.execute("UPDATE staff SET erasing = true WHERE id = $1", town["bob"])
    await owner.close()
    [gone] = await asked(ground, "aude", "/controle/aides")
    assert "un membre de l’équipe dont le nom est effacé (référent)" in words(gone.text) and "Bob" not in gone.text


async def test_each_sees_their_own_and_without_the_lock_they_would_see_the_others(
    ground: Ground, town: dict[str, str]
) -> None:
    paths = ("/controle/echeances?issue=toutes", "/controle/echeances.csv?issue=toutes", "/controle/aides?tout=1")
    for answer in await asked(ground, "sam", *paths):
        assert answer.status_code == 200 and "Pasquier" in answer.text and "Vidal" not in answer.text
        assert "papiers" not in answer.text, "nor what is counted of it"
    [bounded] = await asked(ground, "sam", paths[0])
    assert "sans trace : un fait" not in words(bounded.text)
    for role in ("referent", "finance", "administrator"):
        for answer in await asked(ground, f"x-{role}", *paths, roles=[role]):
            assert answer.status_code == 403 and "Pasquier" not in answer.text
    owner = await asyncpg.connect(ground.owner)
    reader = await ground.house.reading.fetch("SELECT journey FROM found_owed")
    assert reader == [], "nobody entered: nothing is seen"
    await owner.execute("ALTER TABLE found_owed DISABLE ROW LEVEL SECURITY")
    assert len(await ground.house.reading.fetch("SELECT journey FROM found_owed")) == 4, "the guard taken away"
    await owner.execute("ALTER TABLE found_owed ENABLE ROW LEVEL SECURITY")
    await owner.execute("ALTER TABLE journeys DISABLE ROW LEVEL SECURITY")
    try:
        [open] = await asked(ground, "x-duty", paths[0], roles=["duty"])
        assert "Vidal" in open.text and "Pasquier" in open.text
    finally:
        await owner.execute("ALTER TABLE journeys ENABLE ROW LEVEL SECURITY")
        await owner.close()


async def test_a_screen_asks_little_and_its_reading_is_noted(ground: Ground, town: dict[str, str]) -> None:
    aude = await ground.member("aude", "auditor")
    async with ground.browser(await ground.session(aude)) as browser:
        await browser.get("/controle/echeances")
        for path in ("/controle/echeances?issue=toutes", "/controle/aides?tout=1", "/controle/rejeux"):
            with counted() as questions:
                assert (await browser.get(path)).status_code == 200
            assert 2 <= len(questions) <= 5, (path, questions)
        await browser.get("/controle/echeances.csv")
        refused = await asked(ground, "x-finance", "/controle/echeances", roles=["finance"])
        assert refused[0].status_code == 403
    await ground.house.write_looks()
    noted = [each.read for each in await reads.noted(ground.house.writing)]
    assert len(noted) == 4, "the replays show nobody's file"
    assert {(each.staff, each.journey, each.look, each.entry) for each in noted} == {(aude, None, "audit", "web")}


async def test_nothing_is_said_to_be_sound_where_a_journey_could_not_be_read(
    ground: Ground, town: dict[str, str]
) -> None:
    paths = ("/controle/echeances", "/controle/aides")
    pool = ground.house.writing
    await verifications.keep(pool, "empty", verified(at=AT + 5 * DAY), lines=True)
    for answer in await asked(ground, "aude", *paths, roles=["auditor"]):
        assert "Rien à regarder" in words(answer.text)
    await Lines(pool, "empty").add([LinesOf(town["metz"], read=False)])
    for answer in await asked(ground, "aude", *paths):
        told = words(answer.text)
        assert "1 parcours n’a pas pu être lu" in told and "Rien à regarder" not in told
    for answer in await asked(ground, "sam", *paths):
        assert "pas pu être lu" not in answer.text and "Rien à regarder" in answer.text, "only of those that one sees"


async def test_before_the_first_verification_nothing_is_pretended(ground: Ground) -> None:
    await verifications.keep(ground.house.writing, "old", verified())
    for answer in await asked(ground, "aude", "/controle/echeances", "/controle/aides", roles=["auditor"]):
        assert "Pas encore calculé" in words(answer.text) and "Rien à regarder" not in words(answer.text)
        assert 'action="/controle/verifier"' in answer.text
    [duty] = await asked(ground, "x-duty", "/controle/echeances", roles=["duty"])
    assert "/controle/verifier" not in duty.text, "only whoever may"
    [table] = await asked(ground, "aude", "/controle/echeances.csv")
    assert len(rows(table)) == 1


async def test_replays_tell_how_far_they_are_what_they_found_and_when_they_stand_still(
    ground: Ground, town: dict[str, str]
) -> None:
    pool, aude = ground.house.writing, await ground.member("aude", "auditor")
    [before] = await asked(ground, "aude", "/controle/rejeux")
    assert "Aucun rejeu" in words(before.text)
    await replays.begin(pool, "one", aude, datetime.now(UTC) - DAY, 2)
    other = OtherWay(journey=town["metz"], run="run-1", why="Nondeterminism error <b>")
    await replays.keep(pool, "one", Replayed(seconds=3.2, journeys=2, runs=3, history_events=90, failures=1,
                                             failed=(other,), gone=1))  # fmt: skip
    await replays.keep(pool, "one", Replayed(seconds=3, journeys=2, runs=3, history_events=90, failures=0))
    await replays.begin(pool, "two", aude, datetime.now(UTC), 8)
    await replays.tell(pool, "two", 3)
    [page] = await asked(ground, "aude", "/controle/rejeux")
    told = words(page.text)
    assert "3 parcours rejoués sur 8" in told and "1 parcours ne prend plus le même chemin" in told
    assert "Omar Vidal" in told and "error <b>" in told and "<b>" not in page.text.partition("Omar Vidal")[2][:300]
    assert "Tous les historiques" not in told and "n'avance plus" not in told and "par Aude" in told
    [ada] = await asked(ground, "x-administrator", "/controle/rejeux", roles=["administrator"])
    assert ada.status_code == 200 and "Vidal" not in ada.text and town["metz"][:8] in ada.text
    owner = await asyncpg.connect(ground.owner)
    for statement in ("UPDATE replays SET found = NULL WHERE run = 'one'", "DELETE FROM replays", "TRUNCATE replays",
                      "UPDATE replays SET staff = gen_random_uuid() WHERE run = 'two'"):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute(statement)
    await owner.execute("UPDATE replays SET told = told - interval '11 minutes' WHERE run = 'two'")
    await owner.close()
    [still] = await asked(ground, "aude", "/controle/rejeux")
    assert "n’avance plus" in still.text


# --- with an engine


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        yield made


def resources(office: Office, home: Path, code: type) -> Resources:
    return Resources(
        pool=office.engine.pool, ring=RING, tills=Tills({}), mailer=FileOutbox(home, None, sender=""),  # type: ignore[arg-type]
        client=office.engine.client, replayable=(code,),
    )  # fmt: skip


async def test_the_pages_show_what_a_verification_has_recomputed(office: Office, tmp_path: Path) -> None:
    made, queue = resources(office, tmp_path, JourneyWorkflow), f"q-{uuid.uuid4()}"
    pool, client = office.engine.pool, office.engine.client
    await Lines(pool, "a run of yesterday").add([LinesOf(office.journey_id, [line("met", 1, "l'ancienne")])])
    async with Worker(client, task_queue=queue, workflows=[VerificationWorkflow],
                      activities=[Verification(made).verify], workflow_runner=temporal.sandbox_runner()):  # fmt: skip
        await client.execute_workflow(contract.VERIFICATION, id=queue, task_queue=queue)
    [page] = await asked(office, "aude", "/controle/echeances?issue=toutes")
    told = words(page.text)
    assert "plan de sortie" in told and "ancienne" not in told, told
    assert await pool.fetchval("SELECT count(DISTINCT run) FROM found_owed") == 1, "only the last one's lines are kept"
    [own] = await asked(office, "aude", f"{office.path}/obligations")
    assert own.text.count('<span class="state') == await pool.fetchval(
        "SELECT count(*) FROM found_owed WHERE journey = $1", office.journey_id
    )


@pytest.mark.parametrize("code", [JourneyWorkflow, OneTimerMore])
async def test_a_replay_is_asked_for_on_a_page_and_its_result_kept(office: Office, tmp_path: Path, code: type) -> None:
    made, queue = resources(office, tmp_path, code), office.engine.queue + "-replay"
    pool, client = office.engine.pool, office.engine.client
    office.house.settings = office.house.settings.model_copy(update={"task_queue": queue})
    token = await office.session(office.staff["aude"])
    async with (
        Worker(client, task_queue=queue, workflows=[ReplayingWorkflow], activities=[Replaying(made).replay],
               workflow_runner=temporal.sandbox_runner()),
        office.browser(token) as browser,
    ):  # fmt: skip
        sent = await browser.post("/controle/rejeux", data=form(token))
        assert sent.status_code == 303 and sent.headers["location"] == "/controle/rejeux?note=demande"
        wrong = await client.get_workflow_handle(contract.REPLAYING).result()
        page = words((await browser.get("/controle/rejeux?note=demande")).text)
    [kept] = await replays.last(pool, 5)
    assert kept.staff == office.staff["aude"] and kept.found is not None and kept.done == kept.journeys
    journeys = await pool.fetchval("SELECT count(*) FROM journeys")
    assert kept.found.journeys == journeys > 0 and kept.found.runs == journeys
    if code is JourneyWorkflow:
        assert wrong == kept.found.wrong == 0 and "Tous les historiques prennent le même chemin" in page
    else:
        assert wrong == kept.found.failures == journeys and "plus le même chemin" in page
