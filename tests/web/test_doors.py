"""Who may open what: every route has a policy, and no form is taken from elsewhere."""

import html
import re
import uuid
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI

from journeys.app import web
from journeys.app.web.application import make_application
from journeys.app.web.policy import Unguarded, check_doors
from journeys.app.web.safety import Pace
from journeys.store import tokens
from tests.web.conftest import Ground, form


async def test_an_application_with_a_route_without_a_door_is_not_built() -> None:
    application = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @application.get("/open")
    async def naked() -> None: ...

    with pytest.raises(Unguarded, match="/open"):
        check_doors(application)


@pytest.mark.parametrize("csrf", ["", "0" * 64], ids=["none", "another"])
async def test_a_form_without_its_token_changes_nothing(ground: Ground, csrf: str) -> None:
    token = await ground.session(await ground.member("aline", "referent"))
    async with ground.browser(token) as browser:
        answer = await browser.post("/compte/sessions", data={"csrf": csrf})
        assert answer.status_code == 403
        assert (await browser.get("/")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://here.test"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://here.test"},
    ],
    ids=["origin", "null", "cross-site", "same-site"],
)
async def test_a_form_of_another_site_changes_nothing(ground: Ground, headers: dict[str, str]) -> None:
    token = await ground.session(await ground.member("aline", "referent"))
    async with ground.browser(token) as browser:
        answer = await browser.post("/compte/sessions", data=form(token), headers=headers)
        assert answer.status_code == 403
        assert (await browser.get("/")).status_code == 200


def test_a_page_asks_for_a_script_in_two_places_only() -> None:
    """What a link opens has none, and no form waits for one: what is walked with scripts goes without, too."""
    texts = {file.name: file.read_text() for file in (Path(web.__file__).parent / "templates").glob("*.html")}
    opened = {name for name, text in texts.items() if text.startswith('{% extends "link-base.html" %}')}
    assert opened == {"link.html", "link-done.html", "link-dead.html"}
    assert {name for name, text in texts.items() if "<script" in text} == {"base.html"}
    asking = re.compile(r"\s(?:data-)?(?:hx|sse|on[a-z]+)[-=]")
    assert {name for name, text in texts.items() if asking.search(text)} == {"person.html", "today.html"}


async def test_every_answer_carries_the_headers_and_no_page_is_kept(ground: Ground) -> None:
    token = await ground.session(await ground.member("aline", "referent"))
    async with ground.browser(token) as browser:
        for path in ("/", "/connexion", "/nowhere", "/parcours/x"):
            answer = await browser.get(path)
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "<script>" not in answer.text and " style=" not in answer.text and "http://" not in answer.text


async def test_over_tls_the_browser_is_told_to_stay_there(ground: Ground) -> None:
    """And only there: over plain http the header would mean nothing, or lock an association out of its own page."""
    over_tls, plain = ground.person("https://here.test"), ground.person()
    for path in ("/connexion", "/healthz", "/static/icon.svg", "/nowhere"):
        assert (await over_tls.get(path)).headers["strict-transport-security"] == "max-age=31536000", path
        assert "strict-transport-security" not in (await plain.get(path)).headers, path


async def test_whoever_asks_too_often_waits(ground: Ground) -> None:
    from journeys.app.web.application import make_application
    from journeys.app.web.safety import Pace

    ground.application = make_application(ground.house, pace=Pace(5, 3))
    async with ground.browser() as browser:
        tries = [
            (await browser.post("/connexion", data=form(None, handle="a", password="b"))).status_code for _ in range(5)
        ]
        assert tries == [422, 422, 422, 429, 429]
        assert (await browser.get("/connexion")).status_code == 429


async def test_a_body_that_is_too_large_is_not_read(ground: Ground) -> None:
    async with ground.browser() as browser:
        form_of = {"content-type": "application/x-www-form-urlencoded"}
        answer = await browser.post("/connexion", content=b"x" * 1_000_001, headers=form_of)
        assert answer.status_code == 413 and "rien n’a été gardé" in answer.text


async def test_without_a_database_the_page_says_what_to_do(ground: Ground) -> None:
    token = await ground.session(await ground.member("aline", "referent"))
    owner = await asyncpg.connect(ground.owner)
    await owner.execute("REVOKE EXECUTE ON FUNCTION session_enter FROM journeys_web")
    async with ground.browser(token) as browser:
        answer = await browser.get("/")
    assert answer.status_code == 503 and "rien n’a été changé" in answer.text
    await owner.execute("GRANT EXECUTE ON FUNCTION session_enter TO journeys_web")
    await owner.close()


async def test_each_session_has_its_own_pace_and_an_address_has_one_of_all(ground: Ground) -> None:
    """Behind one address may be a whole association; random sessions do not get round it."""
    ground.application = make_application(ground.house, pace=Pace(3, 100, 100))
    tokens = [await ground.session(await ground.member(f"pace{n}", "referent")) for n in range(2)]
    for token in tokens:
        async with ground.browser(token) as browser:
            assert [(await browser.get("/compte")).status_code for _ in range(4)] == [200, 200, 200, 429]
    statuses = []
    for number in range(30):
        async with ground.browser(f"forged-{number}") as browser:
            statuses.append((await browser.get("/compte")).status_code)
    assert statuses[:5] == [303] * 5 and statuses[-1] == 429


@pytest.mark.parametrize("path", ["/alertes", "/api/v1/journeys"])
async def test_what_nobody_foresaw_is_told_as_everything_is(
    ground: Ground, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam = await ground.member("sam", "supervisor")

    async def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret of Samir Benali")

    monkeypatch.setattr("journeys.store.views.open_items", breaks)
    monkeypatch.setattr("journeys.store.views.journeys", breaks)
    async with ground.browser(await ground.session(sam)) as browser:
        if path.startswith("/api"):
            token = await tokens.make(ground.house.writing, str(uuid.uuid4()), sam, "test")
            browser.headers["Authorization"] = f"Bearer {token}"
        answer = await browser.get(path)
    assert answer.status_code == 500 and "quelque chose a mal tourné de notre côté" in answer.text.lower(), answer.text
    assert "Samir" not in answer.text and "RuntimeError" not in answer.text
    assert answer.headers["content-security-policy"] and answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (RuntimeError("unforeseen"), 500, "Quelque chose a mal tourné de notre côté."),
        (asyncpg.InterfaceError("closed"), 503, "La base de données ne répond pas"),
    ],
)
async def test_who_came_by_a_link_is_told_whom_to_call(
    ground: Ground, error: Exception, status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("journeys.store.links.enter", breaks)
    async with ground.browser() as browser:
        answer = await browser.get(f"/lien/{'Xy3k' * 12}")
    text = html.unescape(answer.text).replace("\xa0", " ")
    assert answer.status_code == status and said in text
    assert "Appelez la personne qui vous a donné ce lien" in text and "machine" not in text
