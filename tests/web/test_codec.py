"""The codec server: Temporal's pages read what a visitor may read, from one address only, and every look is noted."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from google.protobuf.json_format import MessageToDict

from journeys.app.web import safety
from journeys.app.web.pages import codec
from journeys.app.web.policy import CODEC
from journeys.domain import commands as c
from journeys.store import reads
from journeys.store.keys import person_key
from tests.conftest import RealStack, a_database
from tests.web.scene import FAMILY, Scene, open_scene

UI = "http://localhost:8233"
ASKED = {"Origin": UI, "Sec-Fetch-Site": "same-site", "X-Namespace": "default"}
NOTE = "Vu-au-parloir-4471"


together = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(stack: RealStack, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One for all; the last test forgets a person of it."""
    async with a_database(stack, migrated) as url, open_scene(stack, url, tmp_path_factory.mktemp("scene")) as made:
        made.house.settings = made.house.settings.model_copy(update={"temporal_ui": UI})
        yield made


async def payloads_of(scene: Scene, scope: str) -> list[dict[str, Any]]:
    """Every payload of a journey's real history, as Temporal's pages read it."""
    history = await scene.client.get_workflow_handle(f"journey-{scene.journeys[scope]}").fetch_history()
    return [found for event in history.events for found in within(MessageToDict(event))]


def within(value: Any) -> list[dict[str, Any]]:
    match value:
        case {"metadata": {"encoding": _}, "data": _}:
            return [value]
        case dict():
            return [found for each in value.values() for found in within(each)]
        case list():
            return [found for each in value for found in within(each)]
    return []


def said(payloads: list[dict[str, Any]]) -> str:
    return " ".join(base64.b64decode(each.get("data", "")).decode(errors="replace") for each in payloads)


async def decoded(browser: httpx.AsyncClient, payloads: Any, **headers: str) -> httpx.Response:
    return await browser.post(CODEC, content=json.dumps({"payloads": payloads}), headers=ASKED | headers)


@together
async def test_a_real_history_is_read_by_whoever_sees_the_journey_and_by_nobody_else(scene: Scene) -> None:
    await scene.do("bob", "colleague", c.AddNote(), text=NOTE)
    sealed = {scope: await payloads_of(scene, scope) for scope in ("own", "colleague")}
    everything = [*sealed["own"], *sealed["colleague"]]
    assert len(everything) > 20 and NOTE not in said(everything)
    async with await scene.browser("referent") as browser:
        answer = await decoded(browser, everything)
        found = answer.json()["payloads"]
        mine, others = found[: len(sealed["own"])], found[len(sealed["own"]) :]
        assert answer.headers["access-control-allow-origin"] == UI
        assert answer.headers["access-control-allow-credentials"] == "true" and "Origin" in answer.headers["vary"]
        assert scene.journeys["own"] in said(mine) and others == sealed["colleague"], "sealed as they came"
        plain = await decoded(browser, found)
        assert plain.json()["payloads"] == found, "what is not sealed comes back as it is"
    async with await scene.browser("auditor") as browser:
        answer = await decoded(browser, everything)
        assert NOTE in said(answer.json()["payloads"])
    await scene.house.write_looks()
    looks = [(each.who, each.read.journey) for each in await reads.noted(scene.house.writing)
             if each.read.look == "history"]  # fmt: skip
    aline, aude = scene.people["aline"].name, scene.people["aude"].name
    own, colleague = scene.journeys["own"], scene.journeys["colleague"]
    assert sorted(looks) == sorted([(aline, own), (aude, own), (aude, colleague)])


@together
async def test_only_the_pages_of_temporal_that_the_settings_name_may_ask(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = (await payloads_of(scene, "own"))[:1]
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace"}
    async with await scene.browser("auditor") as browser:
        with monkeypatch.context() as nothing_named:
            nothing_named.setattr(
                scene.house, "settings", scene.house.settings.model_copy(update={"temporal_ui": None})
            )
            assert (await decoded(browser, some)).status_code == 403
            assert (await browser.options(CODEC, headers=ASKED | preflight)).status_code == 403
        for origin in ("http://localhost:8234", "https://localhost:8233", "null", f"{UI}.example.org"):
            answer = await decoded(browser, some, Origin=origin)
            assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers, origin
            asked = await browser.options(CODEC, headers=ASKED | preflight | {"Origin": origin})
            assert asked.status_code == 403 and "access-control-allow-origin" not in asked.headers, origin
        assert (await browser.post("/compte/sessions", headers=ASKED)).status_code == 403, "nothing else"
        allowed = await browser.options(CODEC, headers=ASKED | preflight)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, UI)
        assert allowed.headers["access-control-allow-methods"] == "POST"
        assert (await decoded(browser, some)).status_code == 200
        # The guard taken away from outside: any site could have the session's journeys opened.
        monkeypatch.setattr(safety, "_from_temporal", lambda request: True)
        monkeypatch.setattr(codec, "cors", lambda request: {"Access-Control-Allow-Origin": request.headers["origin"]})
        stolen = await decoded(browser, some, Origin="https://evil.example.org")
        assert stolen.headers["access-control-allow-origin"] == "https://evil.example.org"
        assert stolen.json()["payloads"] != some


@together
async def test_without_a_session_a_role_or_payloads_it_is_said(scene: Scene) -> None:
    some = (await payloads_of(scene, "own"))[:1]
    for role, status in ((None, 401), ("administrator", 403), ("mentor", 403), ("finance", 200)):
        async with await scene.browser(role) as browser:
            answer = await decoded(browser, some)
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, UI), role
    async with await scene.browser("auditor") as browser:
        for body in (
            b"", b"{}", b"[]", b"\xff", b'{"payloads": 1}', b'{"payloads": [1]}', b'{"payloads": [{"data": 5}]}',
            b'{"payloads": [{"nothing": 1}]}', b'{"payloads":' + b"[" * 50_000,
            json.dumps({"payloads": [{}] * (codec.MOST + 1)}).encode(),
        ):  # fmt: skip
            answer = await browser.post(CODEC, content=body, headers=ASKED)
            assert (answer.status_code, answer.json()) == (422, {"error": "not-payloads"}), body[:60]
        answer = await browser.post(CODEC, content=b" " * 1_100_000, headers=ASKED)
        assert answer.status_code == 413


@together
async def test_what_was_moved_altered_or_forgotten_stays_sealed_and_the_rest_is_read(scene: Scene) -> None:
    first, second = (await payloads_of(scene, "own"))[:2]
    theirs = (await payloads_of(scene, "colleague"))[0]
    moved = theirs | {"metadata": theirs["metadata"] | {"workflow": first["metadata"]["workflow"]}}
    housed = theirs | {"metadata": theirs["metadata"] | {"workflow": base64.b64encode(b"housekeeping").decode()}}
    odd = theirs | {"metadata": theirs["metadata"] | {"workflow": base64.b64encode(b"journey-'x").decode()}}
    sealed = base64.b64decode(second["data"])
    broken = second | {"data": base64.b64encode(sealed[:-1] + bytes([sealed[-1] ^ 1])).decode()}
    short = second | {"data": base64.b64encode(b"\x01").decode()}
    async with await scene.browser("referent") as browser:
        asked = [moved, housed, odd, broken, short]
        found = (await decoded(browser, [*asked, first])).json()["payloads"]
        assert found[:-1] == asked and found[-1] != first
        person = await scene.house.writing.fetchval(
            "SELECT person::text FROM journeys WHERE id = $1", scene.journeys["own"]
        )
        await scene.house.writing.keys.destroy([person_key(person)])
        found = (await decoded(browser, [first])).json()["payloads"]
        assert found == [first] and FAMILY not in said(found)
