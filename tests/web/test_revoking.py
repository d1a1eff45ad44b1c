"""What is taken away stops the next request: roles, sites, funds, sessions, accounts, absences, transfers."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from journeys.domain import commands as c
from journeys.store import sessions, staff
from tests.conftest import RealStack, a_database
from tests.days import paris_today
from tests.web.conftest import BY
from tests.web.scene import ELSEWHERE, OTHER_FUND, Scene, open_scene, token_in

Taken = Callable[[Scene], Awaitable[Any]]
LOGIN, REFUSED, UNSEEN = 303, 403, 404
together = pytest.mark.asyncio(loop_scope="module")

CASES: dict[str, tuple[str, str, Taken, int]] = {
    "fund taken": (
        "fin", "fund", lambda on: staff.set_funds(on.house.writing, on.people["fin"].id, (OTHER_FUND,), BY), UNSEEN,
    ),
    "role taken": (
        "fin", "other-fund", lambda on: staff.take_role(on.house.writing, on.people["fin"].id, "finance", BY), REFUSED,
    ),
    "absence ended": (
        "aline", "absent",
        lambda on: staff.drop_absence(on.house.writing, on.people["dora"].id, paris_today() - timedelta(1), BY), UNSEEN,
    ),
    "asked no more": ("aline", "asked", lambda on: on.do("carl", "asked", c.CancelTransfer()), UNSEEN),
    "given to another": (
        "aline", "own", lambda on: on.do("sam", "own", c.AssignReferent(referent=on.people["bob"].id)), UNSEEN,
    ),
    "transfer accepted elsewhere": ("bob", "nowhere", lambda on: _handed_on(on, "nowhere"), UNSEEN),
    "session ended": ("sam", "own", lambda on: sessions.close_all(on.house.writing, on.people["sam"].id), LOGIN),
    "site taken": (
        "sam", "own", lambda on: staff.set_sites(on.house.writing, on.people["sam"].id, (ELSEWHERE,), BY), UNSEEN,
    ),
    "account closed": (
        "sam", "nowhere", lambda on: staff.set_active(on.house.writing, on.people["sam"].id, False, BY), LOGIN,
    ),
}  # fmt: skip
"""What is taken: from whom, on whose journey, how, and what the next request is answered. None is undone."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(stack: RealStack, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One scene for all; whoever takes away comes last."""
    async with a_database(stack, migrated) as url, open_scene(stack, url, tmp_path_factory.mktemp("scene")) as made:
        yield made


async def _handed_on(scene: Scene, scope: str) -> None:
    await scene.do("bob", scope, c.Transfer(to=scene.people["carl"].id))
    await scene.do("carl", scope, c.AcceptTransfer())


@together
async def test_a_stream_tells_nothing_of_a_journey_that_is_not_seen(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its version stays 0, whatever happens on it."""
    from journeys.app.web.pages import changes

    monkeypatch.setattr(changes, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(changes, "LONGEST_SECONDS", 0.5)
    for scope, told in (("own", True), ("elsewhere", False)):
        async with await scene.browser("supervisor") as browser:
            answer = await browser.get(f"/changements?parcours={scene.journeys[scope]}")
        assert ("event: changed" in answer.text) is told, scope


@together
async def test_a_stream_of_changes_ends_with_its_session(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from journeys.app.web.pages import changes

    monkeypatch.setattr(changes, "LOOK_SECONDS", 0.05)
    token = await sessions.open_session(scene.house.writing, scene.people["sam"].id, "password")
    async with scene.ground.browser(token) as browser:
        stream = asyncio.create_task(browser.get(f"/changements?parcours={scene.journeys['own']}"))
        await asyncio.sleep(0.5)
        assert not stream.done()
        await sessions.close_all(scene.house.writing, scene.people["sam"].id)
        answer = await asyncio.wait_for(stream, 5)
    assert answer.status_code == 200


@together
async def test_what_is_taken_stops_the_next_request(scene: Scene) -> None:
    """Reading and writing, in a session that was open before."""
    for what, (handle, scope, take, status) in CASES.items():
        token = await sessions.open_session(scene.house.writing, scene.people[handle].id, "password")
        async with scene.ground.browser(token) as browser:
            path = f"/parcours/{scene.journeys[scope]}"
            assert (await browser.get(path)).status_code == 200, what
            await take(scene)
            id = str(uuid.uuid4())
            typed = {"csrf": token_in(browser), "command": id, "text": "encore moi"}
            answers = [
                await browser.get(path), await browser.get(f"{path}/agir/add-note"),
                await browser.post(f"{path}/agir/add-note", data=typed),
            ]  # fmt: skip
            assert [each.status_code for each in answers] == [status] * 3, what
            listed = await browser.get("/parcours?referent=tous")
            assert not any(scene.name(scope) in each.text for each in (*answers, listed)), what
            assert await scene.house.writing.fetchval("SELECT count(*) FROM commands WHERE id = $1", id) == 0, what
