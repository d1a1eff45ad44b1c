"""The pages of a cohort: a day is moved after a look, places go in order, and what is refused changes nothing."""

import html
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest_asyncio

from journeys.store import cohorts, views
from tests.conftest import RealStack
from tests.days import paris_today
from tests.web.scene import Scene, open_scene, token_in
from tests.web.test_tokens import program, token_of

LATER = paris_today() + timedelta(days=47)


@pytest_asyncio.fixture
async def scene(stack: RealStack, database_url: str, tmp_path: Any) -> AsyncIterator[Scene]:
    """In its cohort are a journey of here and one of elsewhere; a colleague's waits."""
    async with open_scene(stack, database_url, tmp_path) as made:
        yield made


async def send(scene: Scene, role: str, act: str, **typed: str) -> httpx.Response:
    async with await scene.browser(role) as browser:
        return await browser.post(f"/promotions/{scene.cohort}/{act}", data={"csrf": token_in(browser), **typed})


async def shown(scene: Scene, role: str, note: str = "") -> str:
    async with await scene.browser(role) as browser:
        return html.unescape((await browser.get(f"/promotions/{scene.cohort}?note={note}")).text).replace("\xa0", " ")


async def days(scene: Scene) -> set[str]:
    """Which scopes' journeys expect their release on LATER."""
    rows = {scope: await views.journey(scene.house.writing, id) for scope, id in scene.journeys.items()}
    return {scope for scope, row in rows.items() if row and row.summary["dates"]["release"] == LATER.isoformat()}


async def events(scene: Scene) -> int:
    return (await cohorts.folded(scene.house.writing, scene.cohort)).seq


async def test_a_day_is_moved_for_all_after_a_look(scene: Scene) -> None:
    before = await events(scene)
    past = await send(scene, "supervisor", "dates", date="release", on="2020-01-01")
    assert past.status_code == 422 and "déjà passé" in past.text and 'value="2020-01-01"' in past.text
    unread = await send(scene, "supervisor", "dates", date="release", on="un jour")
    assert unread.status_code == 422 and 'id="e-on"' in unread.text
    seen = await send(scene, "supervisor", "dates", date="release", on=LATER.isoformat())
    assert seen.status_code == 200 and "2 parcours changent de jour" in seen.text.replace("\xa0", " ")
    wanted = {"date": "release", "on": LATER.isoformat(), "sure": "yes"}
    stale = await send(scene, "supervisor", "dates", **wanted, before="2027-01-01")
    assert stale.status_code == 409 and "entre-temps" in stale.text
    assert (await events(scene), await days(scene)) == (before, set()), "nothing has changed so far"

    assert (await send(scene, "supervisor", "dates", **wanted)).status_code == 303
    assert (await events(scene), await days(scene)) == (before + 1, {"own", "elsewhere"})
    assert "La date est déplacée" in await shown(scene, "supervisor", "date")
    again = await send(scene, "supervisor", "dates", **wanted, before=LATER.isoformat())
    assert again.status_code == 422 and await events(scene) == before + 1, "sent twice it moves once"


async def test_a_caseworker_sees_their_own_and_gives_a_place_on(scene: Scene) -> None:
    page = await shown(scene, "referent")
    assert scene.name("own") in page and scene.name("elsewhere") not in page and scene.name("colleague") not in page
    assert "1 place prise par une personne dont vous ne suivez pas" in page and "1 personne attend dont" in page
    assert "Nouveau jour" not in page, "a supervisor moves a day"

    unseen = await send(scene, "referent", "entrer", journey=scene.journeys["nowhere"])
    assert unseen.status_code == 422 and "hoisissez dans la liste" in unseen.text
    left = await send(scene, "referent", "quitter", journey=scene.journeys["own"])
    assert left.headers["location"].endswith("note=donnee")
    waits = await send(scene, "referent", "entrer", journey=scene.journeys["own"])
    assert waits.headers["location"].endswith("note=attente")
    ranks = {each.journey: each.rank for each in await cohorts.members(scene.house.writing, scene.cohort)}
    assert ranks == {scene.journeys["elsewhere"]: None, scene.journeys["colleague"]: None, scene.journeys["own"]: 1}

    few = await send(scene, "supervisor", "places", places="1")
    assert few.status_code == 422 and "2 places sont prises" in few.text.replace("\xa0", " ")
    assert (await send(scene, "supervisor", "places", places="deux")).status_code == 422
    assert (await send(scene, "supervisor", "places", places="3")).status_code == 303
    assert (await cohorts.folded(scene.house.writing, scene.cohort)).free == 0, "the third place went to who waited"


async def test_a_supervisor_opens_and_closes_a_cohort(scene: Scene) -> None:
    async def put(role: str, **typed: str) -> httpx.Response:
        async with await scene.browser(role) as browser:
            return await browser.post("/promotions/ouvrir", data={"csrf": token_in(browser), **typed})

    asked = {"programme": "actice", "name": "Promotion d'essai", "places": "2", "date-jury": LATER.isoformat()}
    assert (await put("referent", **asked)).status_code == 403
    few = await put("supervisor", **asked | {"places": "peu"})
    assert few.status_code == 422 and 'id="e-places"' in few.text and LATER.isoformat() in few.text
    past = await put("supervisor", **asked | {"date-jury": "2020-01-01"})
    assert past.status_code == 422 and "déjà passé" in past.text
    assert len(await cohorts.cohorts(scene.house.writing)) == 1, "nothing was opened so far"
    begun = await put("supervisor", **asked)
    assert begun.status_code == 303, begun.text
    again = await put("supervisor", **asked)
    assert again.status_code == 422 and "porte déjà ce nom" in again.text
    [row] = [each for each in await cohorts.cohorts(scene.house.writing) if each.programme == "actice"]
    assert (row.places, dict(row.dates)["jury"]) == (2, LATER)

    unsure = await send(scene, "supervisor", "clore")
    assert unsure.status_code == 422 and "ochez la case" in unsure.text
    assert (await send(scene, "supervisor", "clore", sure="yes")).status_code == 303
    known = await cohorts.folded(scene.house.writing, scene.cohort)
    assert known.closed and not known.waiting
    assert await cohorts.apart(scene.house.writing) == (2, [])


async def test_a_persons_page_names_their_cohort(scene: Scene) -> None:
    async with await scene.browser("referent") as browser:
        page = (await browser.get(f"/parcours/{scene.journeys['own']}")).text
    assert f'promotion <a href="/promotions/{scene.cohort}">Promotion</a>' in page


async def test_a_program_reads_cohorts_and_indicators_as_its_owner_sees_them(scene: Scene) -> None:
    async with program(scene.ground, await token_of(scene.ground, scene.holder("referent").id)) as client:
        [row] = (await client.get("/cohorts")).json()["cohorts"]
        whole = (await client.get(f"/cohorts/{scene.cohort}")).json()
        counted = (await client.get("/indicators", params={"by": "month", "programme": "auxilia"})).json()
        wrong = await client.get("/indicators", params={"from": "2027-09", "to": "2027-03"})
    assert (row["id"], row["places"], row["taken"], row["waiting"]) == (scene.cohort, 2, 2, 1)
    assert [(each["journey"], each["rank"]) for each in whole["journeys"]] == [(scene.journeys["own"], None)]
    assert whole["taken"] == 2, "those that the owner does not see are counted, not named"
    assert counted["by"] == "month" and counted["indicators"], counted
    assert wrong.status_code == 422 and wrong.json()["code"] == "months-turned"
