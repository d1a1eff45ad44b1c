"""Every route and every command for every role and scope, asked of the real application and the real engine.

Without MATRIX=whole each role's commands are asked where they tell most apart, each route of a journey on one that the
role sees and one that it does not, in turns, and by one in turn of those who are answered alike everywhere; `make
campaign-matrix` asks them all.
"""

import asyncio
import hashlib
import json
import os
import random
import re
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount

from journeys.app import allowing
from journeys.app.fields import commands
from journeys.app.finding import load
from journeys.app.reading import today_of
from journeys.domain import commands as c
from journeys.store import treasury, views
from journeys.store.database import open_pool
from journeys.store.directory import By
from tests.conftest import RealStack, a_database
from tests.days import paris_today
from tests.web import matrix
from tests.web.matrix import COMMANDS, NOBODY, ROLES, ROUTES, SCOPES, SEES, may, seen_by
from tests.web.scene import FAMILY, FUND, Scene, open_scene, programmes, short_streams, token_in

WHOLE: Final = os.environ.get("MATRIX") == "whole"
ASKED: Final = {
    "referent": ("own", "absent", "asked"), "supervisor": ("nowhere", "colleague"), "finance": ("fund",),
    "duty": ("elsewhere",), "auditor": ("other-fund",),
}  # fmt: skip
"""Where each role gives every command in a usual run; and each command on one journey that it does not see."""
IN_TURN: Final = ("supervisor",)
"""Gives each command on one of its journeys, in turn: what it may do hangs on neither."""
ALIKE: Final = ("mentor", "partner", "participant")
"""Roles that the matrix answers alike on every route: one of them asks for each, in turn."""
STOPPED: Final = "Compte de la matrice en doute"
"""Why all payments are stopped while every route is asked: each page of a member of staff says it."""
MENU: Final = 'aria-label="Navigation principale"'
EXACT: Final = {"/parcours": "referent=tous", "/parcours.csv": "referent=tous", "/recherche": f"q={FAMILY}"}
"""Lists that show every open journey that one sees, and how they are asked; the search shows the closed ones too."""


together = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(stack: RealStack, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One scene for all who leave its journeys in their scopes."""
    async with a_database(stack, migrated) as url, open_scene(stack, url, tmp_path_factory.mktemp("scene")) as made:
        yield made


def routes_of(application: Any) -> set[str]:
    """Every route of the application with its method."""
    found = {f"ANY {route.path}" for route in application.routes if isinstance(route, Mount)}
    for route in application.routes:
        if isinstance(route, APIRoute):
            found |= {f"{method} {route.path}" for method in route.methods}
    return found


@together
async def test_every_route_has_its_line_and_every_line_its_route(shared: Scene) -> None:
    known = routes_of(shared.ground.application)
    assert not (said := without_line(known)), said
    assert not set(ROUTES) - known, f"lines of the matrix without a route: {sorted(set(ROUTES) - known)}"


def without_line(known: set[str]) -> str:
    """What is said of routes that the matrix does not know; empty when there are none."""
    return "\n".join(matrix.unknown_route(route) for route in sorted(known - set(ROUTES)))


def test_a_route_without_a_line_is_named_with_what_to_do() -> None:
    application = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @application.put("/sorties/{day}")
    async def new(day: str) -> None: ...

    said = without_line(routes_of(application))
    assert said.startswith("PUT /sorties/{day} is not in the matrix. Add a line to ROUTES_TEXT in tests/web/matrix.py")


def test_every_command_and_every_role_has_its_line() -> None:
    assert set(COMMANDS) == {*commands(), "plan"}
    assert set(ROLES) == set(next(iter(COMMANDS.values())))
    assert set(SEES) == set(SCOPES)
    cells = {cell for cells in ROUTES.values() for cell in cells.values()}
    assert not {cell for cell in cells - set(matrix.CELLS) if not cell.isdecimal()}


def test_roles_that_ask_in_turn_are_answered_alike() -> None:
    assert not [route for route, cells in ROUTES.items() if len({cells[role] for role in ALIKE}) > 1]
    assert not [scope for scope, cells in SEES.items() if "sees" in {cells[role] for role in ALIKE}]


def test_the_document_says_what_is_tested() -> None:
    said = matrix.DOCUMENT.read_text()
    assert said == matrix.document(), "python -m tests.web.matrix > docs/rights.md"


@together
async def test_every_route_for_every_role_and_scope(shared: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, handed = Counter[str](), 0
    await at_rest(shared)
    by = By(actor=shared.people["sam"].id, role="supervisor", at=shared.house.now)
    await treasury.stop(shared.house.writing, STOPPED, by)
    events = await count(shared, "events")
    with short_streams(monkeypatch):
        for role in (NOBODY, *ROLES):
            for place, (route, cells) in enumerate(ROUTES.items()):
                if role in ALIKE and role != ALIKE[place % len(ALIKE)] and not WHOLE:
                    continue
                for scope in asked_of(role, place) if "{id}" in route else ("own",):
                    answer = await open_route(shared, role, route, scope)
                    judge(shared, answer, role, route, scope, cells[role])
                    asked[cells[role]] += 1
                    handed += (route, role) == (HANDED, "supervisor") and SEES[scope][role] == "sees"
                    if MENU in answer.text:
                        assert STOPPED in answer.text, ("does not say that payments are stopped", role, route)
                        asked["says the stop"] += 1
    taken = await count(shared, "events WHERE kind = 'PersonExported'")
    assert taken == handed > 0, "what is handed over is on record, each time"
    assert await count(shared, "events") == events + taken, "opening pages writes nothing"
    assert await treasury.resume(shared.house.writing, STOPPED, by)
    assert asked["says the stop"] > 200, asked
    assert sum(asked.values()) > 800 and set(asked) >= set(matrix.CELLS)
    print(f"routes: {sum(asked.values())} answers, {dict(asked)}")


HANDED: Final = "POST /parcours/{id}/acces"
"""Hands over what is held about a person."""


def asked_of(role: str, place: int) -> Sequence[str]:
    """The scopes on which a role asks for a route of a journey: one that it sees and one that it does not, others for
    each route, so that all come up; or all."""
    if WHOLE:
        return tuple(SCOPES)
    seen = seen_by(role) if role != NOBODY else []
    unseen = [scope for scope in SCOPES if scope not in seen]
    return [some[place % len(some)] for some in (seen, unseen) if some]


@together
async def test_no_route_takes_a_method_that_it_does_not_have(shared: Scene) -> None:
    asked: Counter[str] = Counter()
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
    for place, path in enumerate(sorted({route.partition(" ")[2] for route in ROUTES} - {"/static", "/api/v1"})):
        missing = [method for method in methods if f"{method} {path}" not in ROUTES]
        for method in missing if WHOLE else [missing[place % len(missing)]]:
            asked[method] += 1
            async with await shared.browser("supervisor") as browser:
                answer = await browser.request(method, filled(shared, path, "own"), headers={"X-Test": "1"})
            assert answer.status_code in (403, 405), (method, path, answer.status_code)
    assert set(asked) == set(methods), "the turn came to each"


async def test_every_command_for_every_role_and_scope(scene: Scene) -> None:
    asked: Counter[str] = Counter()
    # The supervisor comes last: it is the one who may reopen what is closed.
    for role in sorted(ROLES, key=lambda each: each == "supervisor"):
        if role in ("mentor", "partner", "participant"):
            continue  # Behind the door already: the routes say so.
        seen = seen_by(role)
        where = [scope for scope in seen if WHOLE or scope in ASKED.get(role, ())]
        for results in await asyncio.gather(*(give_all(scene, role, scope, names_for(role, scope)) for scope in where)):
            asked.update(results)
        unseen = [scope for scope in SCOPES if scope not in seen]
        for place, name in enumerate(commands()):
            for scope in unseen if WHOLE else unseen[place % len(unseen) :][:1] if unseen else ():
                asked[await give_unseen(scene, role, scope, name)] += 1
    wanted = {"passed": 100, "no-right": 100, "not seen": 200}
    assert all(asked[what] >= least for what, least in wanted.items()), asked
    print(f"commands: {sum(asked.values())} answers, {dict(asked)}")


def names_for(role: str, scope: str) -> list[str]:
    """The commands that a role gives on a journey: all, or those whose turn it is."""
    if WHOLE or role not in IN_TURN:
        return list(commands())
    return list(commands())[ASKED[role].index(scope) :: len(ASKED[role])]


@together
async def test_starting_a_journey_is_the_caseworkers_own_and_the_supervisors(shared: Scene) -> None:
    before = await count(shared, "journeys")
    for role, leader, may_plan in (
        ("referent", "aline", True), ("referent", "bob", False), ("supervisor", "bob", True), ("finance", "bob", False),
        ("duty", "bob", False), ("auditor", "bob", False), ("administrator", "bob", False),
    ):  # fmt: skip
        typed = {
            "programme": "auxilia", "first_name": "Nour", "last_name": f"{role} {leader}", "sure": "yes",
            "referent": shared.people[leader].id, "date-release": f"{paris_today() + timedelta(40)}",
        }  # fmt: skip
        async with await shared.browser(role) as browser:
            answer = await browser.post("/nouveau", data={"csrf": token_in(browser), **typed})
        assert answer.status_code == (303 if may_plan else 422 if role == "referent" else 403), (role, answer.text)
        before += may_plan
        assert await count(shared, "journeys") == before


@together
async def test_a_form_is_for_whoever_the_table_lets_send_it(shared: Scene) -> None:
    """Every command on every journey for everybody who sees it: what the pages ask before they open or offer a form."""
    asked: Counter[bool] = Counter()
    for scope, id in shared.journeys.items():
        row = await views.journey(shared.house.writing, id)
        assert row is not None
        loaded = await load(shared.house.writing, row)
        for role in ROLES:
            handle, away = shared.holder(role).handle, (shared.people["dora"].id,) if role == "referent" else ()
            for name in commands() if SEES[scope][role] == "sees" else ():
                opened = allowing.may(replace(shared.actor(handle), stands_in_for=away), loaded, name)
                assert opened == may(role, name, scope), (role, scope, name)
                asked[opened] += 1
    assert min(asked[True], asked[False]) > 200, asked


BUTTON: Final = re.compile(r'(?:href|action)="(/parcours/([0-9a-f-]{36})/agir/([a-z-]+))')


@together
async def test_no_button_leads_to_a_form_that_is_refused(shared: Scene) -> None:
    pressed: Counter[str] = Counter()
    scopes = {id: scope for scope, id in shared.journeys.items()}
    for role in ("referent", "supervisor", "finance", "duty", "auditor"):
        pages = [
            "/",
            "/alertes",
            "/alertes/tableau",
            "/sorties?periode=tout",
            *(f"/parcours/{shared.journeys[s]}" for s in seen_by(role)),
        ]
        async with await shared.browser(role) as browser:
            for path in pages:
                for _, id, name in BUTTON.findall((await browser.get(path)).text):
                    if id not in scopes:
                        continue  # Another test has begun it here.
                    assert may(role, name, scopes[id]), (role, path, name)
                    pressed[role] += 1
    assert min(pressed["referent"], pressed["supervisor"]) > 50, pressed


@together
async def test_a_form_that_is_refused_says_who_may(shared: Scene) -> None:
    path = f"/parcours/{shared.journeys['other-fund']}/agir"
    async with await shared.browser("duty") as browser:
        answer = await browser.get(f"{path}/close")
        assert answer.status_code == 403, answer.text
        assert "référent (ses parcours)" in answer.text and ", responsable" in answer.text, answer.text
        assert (await browser.get(f"{path}/nothing-known")).status_code == 404
        sent = await browser.post(f"{path}/close", data={"csrf": token_in(browser), "outcome": "lost"})
        assert sent.status_code == 403 and "responsable" in sent.text and "<form class=" not in sent.text


@together
async def test_an_alert_is_handed_to_somebody_who_may_act_on_it(shared: Scene) -> None:
    """Refused before the journey is asked; and whoever may be chosen is offered, nobody else."""
    choices = re.compile(r'<option value="([0-9a-f-]{36})"')
    able = {
        scope: {
            shared.holder(role).handle
            for role in ROLES
            if SEES[scope][role] == "sees" and may(role, "acknowledge-escalation", scope)
        }
        for scope in SCOPES
    }
    async with await shared.browser("duty") as browser:
        for scope, leader in (("elsewhere", "carl"), ("absent", "dora"), ("fund", "carl"), ("asked", "carl")):
            page = await browser.get(f"/parcours/{shared.journeys[scope]}/agir/reassign-escalation")
            handles = {member.id: handle for handle, member in shared.people.items()}
            offered = {handles[id] for id in choices.findall(page.text.partition('name="to"')[2])}
            assert offered == able[scope] | {leader}, scope
    events = await count(shared, "events")
    for to, code in (("bob", "cannot-see"), ("aude", "cannot-see"), ("carl", "unknown-escalation")):
        words = {"escalation": str(uuid.uuid4()), "to": shared.people[to].id}
        async with await shared.browser("duty") as browser:
            typed = {"csrf": token_in(browser), **words}
            path = f"/parcours/{shared.journeys['elsewhere']}/agir/reassign-escalation"
            answer = await browser.post(path, data=typed)
        assert answer.status_code == 403, answer.text
        assert ("ne pourrait rien faire" in answer.text) == (code == "cannot-see"), answer.text
        assert await count(shared, "events") == events + (code != "cannot-see")


SHOWING: Final = [
    route for route, cells in ROUTES.items()
    if route.startswith("GET") and {"lists", "journey", "form"} & set(cells.values())
]  # fmt: skip
"""Routes that show journeys."""


async def ask_at_random(scene: Scene, times: int) -> int:
    """Open routes that show journeys, eight at a time over three connections; how many answers were not of their cell.

    Each role keeps one session throughout, as people do.
    """
    browsers = {role: await scene.browser(role) for role in ROLES}
    draw, wrong = random.Random(11), 0
    chosen = [(draw.choice(ROLES), draw.choice(SHOWING), draw.choice(list(SCOPES))) for _ in range(times)]
    usual = scene.house.reading
    scene.house.reading = await open_pool(scene.ground.owner, role="journeys_web", largest=3)

    async def ask(some: list[tuple[str, str, str]]) -> None:
        nonlocal wrong
        for role, route, scope in some:
            path = route.partition(" ")[2]
            answer = await browsers[role].get(f"{filled(scene, path, scope)}?{EXACT.get(path, '')}")
            try:
                judge(scene, answer, role, route, scope, ROUTES[route][role])
            except AssertionError:
                wrong += 1

    await asyncio.gather(*(ask(chosen[place::8]) for place in range(8)))
    for browser in browsers.values():
        await browser.aclose()
    await scene.house.reading.close()
    scene.house.reading = usual
    return wrong


@together
async def test_requests_of_all_over_shared_connections_never_show_anothers_journey(shared: Scene) -> None:
    times = 10_000 if WHOLE else 500
    assert await ask_at_random(shared, times) == 0
    print(f"reads across scopes: 0 in {times} requests")


@together
async def test_without_the_second_lock_they_would(shared: Scene) -> None:
    """The guard taken away from outside: journeys of others come in, and these tests see it."""
    owner = await asyncpg.connect(shared.ground.owner)
    await owner.execute("ALTER TABLE journeys DISABLE ROW LEVEL SECURITY")
    try:
        assert await ask_at_random(shared, 200) > 20
    finally:
        await owner.execute("ALTER TABLE journeys ENABLE ROW LEVEL SECURITY")
        await owner.close()


# --- asking


def filled(scene: Scene, path: str, scope: str) -> str:
    """The path with its places filled for a scope. A place that nobody knows fails with what to do."""
    known = {"id": scene.journeys[scope], "command": "add-note", "grant": scene.grants.get(scope, str(uuid.uuid4())),
             "seq": "1", "name": "auxilia", "template": "escalation", "message": str(uuid.uuid4()),
             "cohort": scene.cohort,
             "payment": str(uuid.uuid4()), "appointment": str(uuid.uuid4()),
             "link": str(uuid.uuid4()), "feed": str(uuid.uuid4()), "token": "no-link", "fund": FUND,
             "letter": "no-letter", "file": "0" * 12, "position": "1"}  # fmt: skip
    strange = set(re.findall(r"{(\w+)}", path)) - set(known)
    assert not strange, f"say in `filled` of tests/web/test_matrix.py what stands for {strange} of {path}"
    return path.format(**known)


async def open_route(scene: Scene, role: str, route: str, scope: str) -> httpx.Response:
    method, _, path = route.partition(" ")
    if path == "/static":
        method, path = "GET", "/static/journeys.css"
    if path == "/api/v1":
        # Its own addresses want a token; each and every role is asked in test_tokens.
        method, path = "GET", "/api/v1/openapi.json"
    async with await scene.browser(None if role == NOBODY else role) as browser:
        address = filled(scene, path, scope)
        if path in EXACT:
            address += f"?{EXACT[path]}"
        # An empty form: the right is asked before what was typed, and nothing can be taken.
        data = {"csrf": token_in(browser), "suite": "/compte"} if method == "POST" else None
        answer = await browser.request(method, address, data=data)
    if method == "POST" and "{id}" not in route:
        scene.kept.pop(role, None)  # It may have been ended by this.
    return answer


def judge(scene: Scene, answer: httpx.Response, role: str, route: str, scope: str, cell: str) -> None:
    """Whether an answer is the one of its cell."""
    what = (role, route, scope, cell, answer.status_code, answer.headers.get("location"))
    status, to = answer.status_code, answer.headers.get("location", "")
    sees = role != NOBODY and SEES[scope][role] == "sees"
    shown = named(scene, answer.text)
    match cell:
        case "login":
            assert status == 303 and to.startswith("/connexion?suite="), what
        case "leaves":
            assert status == 303 and to == "/connexion", what
        case "refused":
            assert status == 403 and not shown, what
        case "open":
            assert status in (200, 303, 422) and not to.startswith("/connexion") and not shown, what
        case "figures":
            assert status == 200 and not shown, what
        case "lists":
            judge_list(scene, answer, role, route, shown)
        case "journey" | "form" | "command" | "piece" | "links" | "letters" | "details" | "access" if not sees:
            assert status == 404 and not shown and NO_JOURNEY in answer.text, what
        case "piece":
            assert status == 404 and not shown and NO_JOURNEY not in answer.text, what
        case "links":
            assert status in ((200, 303, 409) if may(role, "add-note", scope) else (403,)), what
        case "details":
            assert status in ((200, 303) if may(role, "propose-mentor", scope) else (403,)), what
        case "access":
            assert (status, shown) == (200, {scope} if route.startswith("GET") else set()), what
        case "form":
            assert (status, shown) == ((200, {scope}) if may(role, "add-note", scope) else (403, set())), what
        case "letters":
            assert status in ((200, 404, 422) if may(role, "add-note", scope) else (403,)), what
        case "journey" if answer.headers["content-type"] == "application/pdf":
            assert status == 200, what
        case "journey" if "{grant}" in route:
            assert (status, shown) == ((200, {scope}) if scope in scene.grants else (404, set())), what
        case "journey":
            assert status == 200 and shown == {scope}, what
        case "command":
            assert status == 422 and shown == {scope}, what
        case _:
            assert status == int(cell) and not shown, what


NO_JOURNEY: Final = "parcours n’existe pas, ou ne vous est pas ouvert"


def judge_list(scene: Scene, answer: httpx.Response, role: str, route: str, shown: set[str]) -> None:
    path, seen = route.partition(" ")[2], set(seen_by(role))
    if path == "/recherche" and len(seen) == 1:
        assert answer.headers.get("location") == f"/parcours/{scene.journeys[next(iter(seen))]}"
        return
    wrong_form = 422 if route.startswith("POST") else 200
    assert answer.status_code == wrong_form, (role, route, answer.status_code)
    if path in EXACT:
        assert shown == (seen if path == "/recherche" else seen - {"closed"}), (role, route)
    else:
        assert shown <= seen, (role, route)


def named(scene: Scene, text: str) -> set[str]:
    """The scopes whose person is named in an answer."""
    return {scope for scope in SCOPES if scene.name(scope) in text}


async def give_all(scene: Scene, role: str, scope: str, names: Iterable[str]) -> list[str]:
    """Give these commands as a role on a journey that it sees, and hold each answer against the table."""
    results = []
    for name in in_order(names, scope):
        if name == "accept-transfer" and scope == "asked" and role == "referent":
            await scene.do("carl", "asked", c.Transfer(to=scene.people["aline"].id))
        status, outcome, code = await give(scene, role, scope, name)
        what = (role, scope, name, status, outcome, code)
        if scope == "closed" and code == "closed":
            results.append("closed")
        elif may(role, name, scope):
            assert outcome == "accepted" or (outcome == "refused" and code != "no-right"), what
            assert status == (303 if outcome == "accepted" else 403), what
            results.append("passed")
        else:
            assert (status, outcome, code) == (403, "refused", "no-right"), what
            results.append("no-right")
    return results


async def give_unseen(scene: Scene, role: str, scope: str, name: str) -> str:
    status, outcome, _ = await give(scene, role, scope, name)
    assert (status, outcome) == (404, None), (role, scope, name, status, outcome)
    return "not seen"


async def give(scene: Scene, role: str, scope: str, name: str) -> tuple[int, str | None, str | None]:
    """Send a command's form; the status of the page, and the answer as the journal keeps it."""
    id = str(uuid.uuid4())
    async with await scene.browser(role) as browser:
        typed = {"csrf": token_in(browser), "command": id, **words_of(scene, name, scope)}
        answer = await browser.post(f"/parcours/{scene.journeys[scope]}/agir/{name}", data=typed)
    told = await scene.house.writing.fetchval("SELECT answer FROM commands WHERE id = $1 ORDER BY stream LIMIT 1", id)
    kept = json.loads(told) if told else {}
    return answer.status_code, kept.get("outcome"), kept.get("code")


def in_order(names: Iterable[str], scope: str) -> list[str]:
    """The answers to a transfer last where one is asked, reopening last where it is closed: they change the scope."""
    last = {"asked": ("decline-transfer", "accept-transfer"), "closed": ("reopen",)}.get(scope, ())
    return [*(name for name in names if name not in last), *last]


def words_of(scene: Scene, name: str, scope: str) -> dict[str, str]:
    """A form that can be read and that a rule refuses, or that leaves the journey in its scope."""
    today = today_of(datetime.now(UTC))
    tomorrow, yesterday = f"{today + timedelta(1)}", f"{today - timedelta(1)}"
    nobody, leader = str(uuid.uuid4()), _leader(scene, scope)
    words = {
        **dict.fromkeys(("date", "milestone", "contact", "situation", "measure", "kind", "means", "value", "purpose"),
                        "nowhere"),
        **dict.fromkeys(("appointment", "escalation", "payment", "receipt", "referral", "mentor", "partner"), nobody),
        "chase": nobody,
        **dict.fromkeys(("reason", "text", "note", "payee", "description", "letter", "place"), "essai"),
        "grant": "nowhere" if name == "request-grant" else nobody, "digest": "0" * 64, "amount": "10", "number": "1",
        "on": tomorrow, "at": f"{tomorrow}T10:00", "minutes": "30", "outcome": "nowhere", "what": "milestone",
        "id": "nowhere", "why": "custody", "until": yesterday, "programme": _same_rules(),
        "to": leader, "referent": leader,
    }  # fmt: skip
    more = {
        "answer-appointment": {"answer": "coming"}, "close-appointment": {"outcome": "attended"},
        "note-chase": {"result": "reached"},
        "correct": {"to": "reached"}, "measure-outcome": {"value": "yes"}, "settle-doubt": {"decision": "keep"},
        "settle-payment": {"fate": "paid", "signed_for": "essai"},
        "acknowledge-escalation": {"until": tomorrow}, "snooze-escalation": {"until": tomorrow},
        "reassign-escalation": {"to": scene.holder("duty").id},  # Sees each journey, whoever has taken it over.
    }  # fmt: skip
    return words | more.get(name, {})


def _same_rules() -> str:
    """The rules that the journeys of the scene are under: putting them under these is refused by a rule."""
    return hashlib.sha256(programmes()[0].encode()).hexdigest()


def _leader(scene: Scene, scope: str) -> str:
    """Who leads already: handing the journey to them is refused by a rule."""
    by = {"own": "aline", "closed": "aline", "colleague": "bob", "nowhere": "bob", "absent": "dora"}
    return scene.people[by.get(scope, "carl")].id


async def at_rest(scene: Scene) -> None:
    """Wait until each effect that was called for has its outcome: from then on nothing is written by itself."""
    async with asyncio.timeout(60):
        for id in scene.journeys.values():
            while True:
                row = await views.journey(scene.house.writing, id)
                assert row is not None
                if not (await load(scene.house.writing, row)).state.effects:
                    break
                await asyncio.sleep(0.05)


async def count(scene: Scene, table: str) -> int:
    found: int = await scene.house.writing.fetchval(f"SELECT count(*) FROM {table}")
    return found
