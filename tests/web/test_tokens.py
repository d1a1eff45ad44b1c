"""Tokens of programs: bound to a member as they are now, ended at once, and apart from sessions and their cookies."""

import re
import uuid
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute
from starlette.routing import Mount

from journeys.app import starting
from journeys.app.web.api.application import make_api
from journeys.app.web.house import House
from journeys.app.web.policy import PUBLIC, Unguarded, policy_of
from journeys.contract import Fate
from journeys.domain.rights import ROLES
from journeys.store import staff, tokens
from journeys.temporal import Unreachable
from tests.web.conftest import BY, Ground, form
from tests.web.test_reach import Town

HERE = "http://here.test"


@pytest_asyncio.fixture
async def town(ground: Ground) -> Town:
    return await Town(ground).settle()


def brought(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def token_of(ground: Ground, member: str, **more: Any) -> str:
    return await tokens.make(ground.house.writing, str(uuid.uuid4()), member, "essai", **more)


def program(ground: Ground, token: str | None = None) -> httpx.AsyncClient:
    """A program: no cookie, no origin."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(ground.application, raise_app_exceptions=False), base_url=f"{HERE}/api/v1",
        headers=brought(token) if token else {},
    )  # fmt: skip


def api_routes(ground: Ground) -> list[APIRoute]:
    api = next(route.app for route in ground.application.routes if isinstance(route, Mount) and route.path == "/api/v1")
    return [route for route in api.routes if isinstance(route, APIRoute)]  # type: ignore[attr-defined]


async def test_every_route_and_every_role(ground: Ground) -> None:
    """Each is opened by a token of each role as its policy says, and by nobody without one."""
    held = {role: await token_of(ground, await ground.member(role[:6] + "t", role)) for role in ROLES}
    asked = 0
    for route in api_routes(ground):
        policy = policy_of(route)
        assert policy is not None, route.path
        path = route.path.format(id="01a21169-ea00-7de2-a5e5-25f019c99f5d", command=str(uuid.uuid4()), seq=1)
        for method in route.methods:
            for role, token in {**held, "": None}.items():
                async with program(ground, token) as client:
                    more: dict[str, Any] = {"json": {}, "headers": {"Idempotency-Key": str(uuid.uuid4())}}
                    answer = await client.request(method, path, **(more if method == "POST" else {}))
                asked += 1
                if policy is PUBLIC:
                    assert answer.status_code == 200
                elif not role:
                    assert (answer.status_code, answer.json()["code"]) == (401, "no-token"), path
                elif not policy.admits((role,)):
                    assert (answer.status_code, answer.json()["code"]) == (403, "no-right"), (path, role)
                else:
                    assert answer.status_code in (200, 404, 422), (path, role, answer.text)
    assert asked > 500


async def test_a_token_sees_exactly_what_a_session_of_the_same_member_sees(town: Town) -> None:
    pool = town.ground.house.reading
    for member in town.staff:
        token = await token_of(town.ground, member)
        async with pool.acquire() as connection, connection.transaction():
            assert await tokens.enter(connection, token) is not None
            seen = {str(row["id"]) for row in await connection.fetch("SELECT id FROM journeys")}
        assert seen == town.sees(member), town.staff[member]
        async with program(town.ground, token) as client:
            listed = await client.get("/journeys")
        if listed.status_code == 200:
            assert {each["id"] for each in listed.json()["journeys"]} == seen


async def test_pages_of_a_list_hold_each_journey_once(town: Town) -> None:
    auditor = next(id for id, held in town.staff.items() if held[0] == ("auditor",))
    found: list[str] = []
    async with program(town.ground, await token_of(town.ground, auditor)) as client:
        cursor: dict[str, str] = {}
        while True:
            page = (await client.get("/journeys", params={"limit": "7", **cursor})).json()
            found += [each["id"] for each in page["journeys"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
    assert sorted(found) == found and set(found) == set(town.journeys) and len(found) == len(town.journeys)


async def test_pages_of_an_inbox_hold_each_line_once_in_the_order_of_the_whole(town: Town) -> None:
    await _hold_each_line_once(town, ("auditor",))
    await _hold_each_line_once(town, ("referent", "supervisor"))


async def _hold_each_line_once(town: Town, roles: tuple[str, ...]) -> None:
    member, path = next(id for id, held in town.staff.items() if held[0] == roles), "escalations"
    async with program(town.ground, await token_of(town.ground, member)) as client:
        whole = (await client.get(f"/{path}")).json()
        found: list[str] = []
        page: dict[str, Any] = {"next": ""}
        while page["next"] is not None:
            cursor = {"cursor": page["next"]} if page["next"] else {}
            page = (await client.get(f"/{path}", params={"limit": "5", **cursor})).json()
            assert len(page[path]) == 5 or page["next"] is None
            found += [each["journey"] for each in page[path]]
        strange = await client.get(f"/{path}", params={"cursor": "1_0_somewhere"})
    assert found == [each["journey"] for each in whole[path]] and whole["next"] is None
    assert set(found) == town.sees(member) and len(found) == len(set(found)) > 5
    assert strange.status_code == 422 and strange.json()["errors"][0]["field"] == "cursor"


async def test_what_is_taken_stops_the_next_request(ground: Ground) -> None:
    """A role, the token, the membership: each looked at anew at every request."""
    pool, me = ground.house.writing, await ground.member("aline", "referent")
    id = str(uuid.uuid4())
    token = await tokens.make(pool, id, me, "essai")
    async with program(ground, token) as client:
        assert (await client.get("/journeys")).status_code == 200
        await staff.take_role(pool, me, "referent", BY)
        assert (await client.get("/journeys")).status_code == 403
        await staff.give_role(pool, me, "referent", BY)
        await staff.set_active(pool, me, False, BY)
        assert (await client.get("/journeys")).status_code == 401
        await staff.set_active(pool, me, True, BY)
        assert (await client.get("/journeys")).status_code == 200
        assert await tokens.revoke(pool, me, id) and not await tokens.revoke(pool, me, id)
        assert (await client.get("/journeys")).status_code == 401


async def test_a_token_ends_by_itself(ground: Ground) -> None:
    me = await ground.member("aline", "referent")
    over = await token_of(ground, me, lasts=timedelta(seconds=-1))
    async with program(ground, over) as client:
        assert (await client.get("/me")).status_code == 401
    shown = await tokens.tokens_of(ground.house.writing, me)
    assert [(each.name, each.open, each.used_at) for each in shown] == [("essai", False, None)]
    await token_of(ground, me, lasts=timedelta(days=100_000))
    newest = (await tokens.tokens_of(ground.house.writing, me))[0]
    assert newest.expires_at - newest.created_at < tokens.LONGEST + timedelta(seconds=1)  # Two looks at the clock.


async def test_only_a_hash_is_kept(ground: Ground) -> None:
    token = await token_of(ground, await ground.member("aline", "referent"))
    row = await ground.house.writing.fetchrow("SELECT t::text AS kept FROM tokens t")
    assert token not in row["kept"] and token.removeprefix(tokens.PREFIX) not in row["kept"]


async def test_no_cookie_opens_the_api_and_no_token_a_page(ground: Ground) -> None:
    me = await ground.member("aline", "referent")
    session, token = await ground.session(me), await token_of(ground, me)
    async with ground.browser(session) as browser:
        assert (await browser.get("/")).status_code == 200
        assert (await browser.get("/api/v1/me")).status_code == 401
        assert (await browser.get("/api/v1/me", headers=brought(session))).status_code == 401
    async with ground.browser(token) as browser:
        assert (await browser.get("/")).status_code == 303, "a token in the cookie is no session"
    async with ground.browser() as browser:
        assert (await browser.get("/", headers=brought(token))).status_code == 303


async def test_an_authorization_header_does_not_open_a_page_to_another_site(ground: Ground) -> None:
    session = await ground.session(await ground.member("aline", "referent"))
    async with ground.browser(session) as browser:
        for authorization in ("Bearer x", "Basic eDp4", "Bearer", ""):
            headers = {"Origin": "https://evil.test", "Authorization": authorization}
            answer = await browser.post("/compte/sessions", data=form(session), headers=headers)
            assert answer.status_code == 403, authorization
            assert (await browser.get("/")).status_code == 200, authorization


async def test_what_is_no_token_opens_nothing(ground: Ground) -> None:
    async with program(ground) as client:
        for token in ("", "journeys_", "é", "x" * 60_000, "journeys_" + "A" * 43):
            answer = await client.get("/me", headers=[(b"authorization", b"Bearer " + token.encode())])
            assert (answer.status_code, answer.json()["code"]) == (401, "no-token"), token[:60]


async def test_an_address_for_programs_is_answered_as_programs_are(ground: Ground) -> None:
    async with program(ground) as client:
        for path in ("/a%0Ab", "/journeys/%0A/events", "/nowhere", "/"):
            answer = await client.get(f"{HERE}/api/v1{path}")
            assert answer.headers["content-type"] == "application/problem+json", path
            assert answer.status_code in (401, 404), path


async def test_an_api_with_a_route_without_a_door_is_not_built(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    from journeys.app.web.api import lists

    async def naked() -> None: ...

    monkeypatch.setattr(lists.router, "routes", [*lists.router.routes, APIRoute("/open", naked)])
    with pytest.raises(Unguarded, match="/open"):
        make_api(ground.house)


async def test_whoever_asks_too_often_is_told_as_programs_are(ground: Ground) -> None:
    from journeys.app.web.application import make_application
    from journeys.app.web.safety import Pace

    ground.application = make_application(ground.house, pace=Pace(2, 2))
    async with program(ground) as client:
        asked = [await client.get("/me") for _ in range(3)]
        assert [each.status_code for each in asked] == [401, 401, 429]
        assert asked[2].headers["content-type"] == "application/problem+json" and asked[2].headers["retry-after"]


async def test_a_body_that_is_too_large_is_not_read(ground: Ground) -> None:
    token = await token_of(ground, await ground.member("aline", "referent"))
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    async with program(ground, token) as client:
        large = await client.post("/journeys", content=b"x" * 1_000_001, headers=headers)
    assert (large.status_code, large.json()["code"]) == (413, "body-too-large")


async def test_without_a_database_the_problem_says_so(ground: Ground) -> None:
    token = await token_of(ground, await ground.member("aline", "referent"))
    owner = await asyncpg.connect(ground.owner)
    await owner.execute("REVOKE EXECUTE ON FUNCTION token_enter FROM journeys_web")
    async with program(ground, token) as client:
        answer = await client.get("/journeys")
    assert (answer.status_code, answer.json()["code"]) == (503, "no-database")
    await owner.execute("GRANT EXECUTE ON FUNCTION token_enter TO journeys_web")
    await owner.close()


async def test_the_role_that_reads_cannot_claim_to_be_somebody(ground: Ground) -> None:
    """Only who brings a token or a session is anybody: the functions that enter are nobody else's."""
    me = await ground.member("aline", "referent")
    await ground.journey(me)
    async with ground.house.reading.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT enter_as($1)", me)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT hash FROM tokens")


async def test_one_makes_and_revokes_ones_own_on_the_account_page(ground: Ground) -> None:
    me = await ground.member("aline", "referent", password=True)
    other = await ground.member("bob", "referent", password=True)
    theirs = await token_of(ground, other)
    browser = await ground.entered("aline")
    await browser.get("/compte")
    wrong = await browser.send("/compte/jetons", name="", days="400")
    assert wrong.status_code == 422 and wrong.text.count('aria-invalid="true"') == 2
    await browser.get("/compte")
    made = await browser.send("/compte/jetons", name="tableau de bord", days="30")
    token = re.findall(r"journeys_[\w-]{43}", made.text)[0]
    async with program(ground, token) as client:
        assert (await client.get("/me")).json()["id"] == me
        assert token not in (await browser.get("/compte")).text, "it is shown once"
        assert (await browser.send("/compte/jetons/retirer")).status_code == 303
        assert (await client.get("/me")).status_code == 401
    known = (await tokens.tokens_of(ground.house.writing, other))[0].id
    await browser.get("/compte")
    await browser.post("/compte/jetons/retirer", {**browser.hidden("/compte/sessions"), "id": known})
    async with program(ground, theirs) as client:
        assert (await client.get("/me")).status_code == 200, "another's token is not mine to revoke"


async def test_making_a_token_wants_a_fresh_proof(ground: Ground) -> None:
    me = await ground.member("aline", "referent", password=True)
    browser = await ground.entered("aline")
    await browser.get("/compte")
    await ground.house.writing.execute("UPDATE sessions SET proved_at = now() - interval '11 minutes'")
    answer = await browser.send("/compte/jetons", name="x", days="30")
    assert answer.status_code == 403 and await tokens.tokens_of(ground.house.writing, me) == []


async def test_a_command_without_an_answer_says_which_of_three_it_is(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the sender says of a command that it sent, as a program is told it."""

    def silent(fate: Fate) -> Any:
        async def give(*given: Any, **more: Any) -> None:
            raise Unreachable("no answer in time", fate)

        return give

    monkeypatch.setattr(starting, "must_be_trusted", _nothing)
    monkeypatch.setattr(House, "client", _nothing)
    me = await ground.member("aline", "referent")
    body = {"programme": "auxilia", "person": {"first_name": "Samir", "last_name": "Benali"}, "referent": me,
            "dates": {"release": "2099-01-01"}}  # fmt: skip
    async with program(ground, await token_of(ground, me)) as client:
        for fate, status, code in (
            (Fate.UNDER_WAY, 202, None), (Fate.NOT_TAKEN, 503, "not-taken"), (Fate.UNKNOWN, 503, "unknown"),
        ):  # fmt: skip
            key = str(uuid.uuid4())
            monkeypatch.setattr(starting, "give", silent(fate))
            answer = await client.post("/journeys", json=body, headers={"Idempotency-Key": key})
            told = (answer.status_code, answer.json().get("code"), answer.json()["command"])
            assert told == (status, code, key), answer.text
            assert answer.headers["retry-after"], fate
            if status == 202:
                assert answer.headers["location"] == f"/api/v1/journeys/{key}/answers/{key}"


async def _nothing(*given: Any) -> None:
    return None
