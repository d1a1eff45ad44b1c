"""A seeded storm of broken requests over every page and every address of the API; counted by status.

`run(site, count, seed)`: nothing may answer 5xx while every server is there.
"""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx
from fastapi.routing import APIRoute

from journeys.app.fields import commands, fields_of
from journeys.app.web.api import bodies, lists, reading
from journeys.app.web.api import commands as api_commands
from journeys.app.web.pages import ROUTERS
from journeys.app.web.visit import csrf_of
from journeys.store import sessions
from tests.api.site import STAFF_ROLES, Site, fresh

AT_ONCE: Final = 8
NOT_HTTP: Final = (
    httpx.RemoteProtocolError, httpx.LocalProtocolError, httpx.InvalidURL, httpx.WriteError, httpx.ReadError, ValueError
)  # fmt: skip
FEW_OF: Final = ("/connexion", "/confirmer", "/compte/mot-de-passe")
"""Each try at a password costs the server a tenth of a second and more: one in a hundred is enough."""

NASTY: Final[tuple[str, ...]] = (
    "",
    " ",
    "\0",
    "a\0b",
    "\x07",
    "\r\nSet-Cookie: a=b",
    "\u202e",
    "\ufeff",
    "é" * 50,
    "𝔘𝔫𝔦",
    "👩‍👩‍👧",
    "x" * 25_000,
    "'; DROP TABLE journeys; --",
    "../../etc/passwd",
    "/etc/passwd",
    "//evil.test",
    "\\\\evil",
    "javascript:alert(1)",
    "{{7*7}}",
    "${x}",
    "%00",
    "%ff%fe",
    "-1",
    "0",
    "1e309",
    "NaN",
    "9" * 40,
    "٣",
    "²",
    "1.5",
    "true",
    "null",
    "[]",
    "{}",
    "2027-02-30",
    "0000-00-00",
    "9999-12-31",
    "1899-12-31",
    "31/12/9999",
    "2027-05-12T25:00",
    "2027-03-28 02:30",
    "2027-05-12",
    "12/05/2027 14h30",
    "600",
    "600,50",
    "1 200 €",
    "-5",
    "fr",
    "en",
    "zz",
    "on",
    "release",
    "auxilia",
    "concienta",
    "completed",
    "active",
    "housing",
    "own",
    "yes",
    "phone",
    "support",
    "lodging-asked",
    "bourse",
    "training",
    "01a21169-ea00-7de2-a5e5-25f019c99f5d",
    "01A21169-EA00-7DE2-A5E5-25F019C99F5D",
    "00000000-0000-0000-0000-000000000000",
)
WORDS: Final = (
    "page",
    "retard",
    "referent",
    "programme",
    "phase",
    "site",
    "etat",
    "texte",
    "q",
    "suite",
    "lang",
    "version",
    "parcours",
    "semaine",
    "n",
    "vue",
    "controle",
    "tout",
    "fait",
    "qui",
    "note",
    "limit",
    "after",
    "cursor",
    "late",
    "all",
    "back",
    "seen",
    "occurred",
    "command",
    "handle",
    "password",
    "code",
    "again",
    "old",
    "new",
    "repeated",
    "secret",
    "sure",
    "first_name",
    "last_name",
    "birth_date",
    "reference",
    "email",
    "phone",
    "language",
    "date-release",
    "date-start",
    "id",
    "state",
    "name",
    "days",
    "csrf",
)
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "FOO", "get")
HEADERS: Final = (
    ("Accept-Language", "zz;q=0.5, \xff"),
    ("Accept-Language", "," * 4000),
    ("Accept", "image/webp"),
    ("HX-Request", "true"),
    ("Origin", "null"),
    ("Origin", "http://[::1"),
    ("Referer", "http://[bad"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Host", "evil.test"),
    ("Host", "a:b:c"),
    ("X-Forwarded-Host", "evil.test"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("Range", "bytes=5-1"),
    ("If-None-Match", '"x"'),
    ("Expect", "100-continue"),
    ("Content-Encoding", "gzip"),
    ("Cookie", "session=" + "x" * 5000),
    ("Cookie", "session=\xe9; lang=\xff; before=;;="),
    ("Cookie", "lang=de"),
    ("Authorization", "Basic \xff"),
    ("Authorization", "Bearer"),
    ("Authorization", "Bearer " + "y" * 5000),
    ("Content-Length", "-5"),
    ("Content-Length", "1e3"),
    ("Content-Length", "٣"),
    ("Transfer-Encoding", "chunked"),
    ("Idempotency-Key", "x"),
    ("If-Match", "*"),
    ("If-Match", '"99999999999999999999"'),
    ("Journeys-Code", "\xb2" * 6),
)
BODIES: Final[tuple[tuple[str, bytes], ...]] = (
    ("application/json", b"{"),
    ("application/json", b"null"),
    ("application/json", b"[" * 50_000),
    ("application/json", b'{"text": "\\ud800"}'),
    ("application/json", b"\xff\xfe{\x00}\x00"),
    ("application/json", b"NaN"),
    ("application/json", b'{"text": "a", "text": 1e999}'),
    ("application/json; charset=utf-16", "{}".encode("utf-16")),
    ("text/plain", b"x"),
    ("application/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"--y\r\n\r\nz"),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="csrf"; filename="a"\r\n\r\nz\r\n--x--',
    ),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nz\r\n--x--"),
    ("multipart/form-data; boundary=\xe9".encode("latin-1").decode("latin-1"), b"--\xe9--"),
    ("multipart/form-data; boundary=" + "b" * 300, b"x"),
    ("application/x-www-form-urlencoded", b"csrf=%ff%fe&a"),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(3000))),
    ("application/x-www-form-urlencoded", b"csrf=" + b"x" * 200_000),
    ("application/x-www-form-urlencoded", b"\xff\0\xfe=\0"),
    ("", b"csrf=1"),
    ("application/x-www-form-urlencoded; charset=nowhere", b"csrf=1"),
)


@dataclass
class Storm:
    """What came of it. `failed` holds the first requests that were answered 5xx, or not at all."""

    seed: int
    statuses: Counter[int] = field(default_factory=Counter)
    by_route: Counter[str] = field(default_factory=Counter)
    not_http: int = 0
    """Requests that cannot be sent as they are, and that the server did not take as HTTP."""
    failed: list[str] = field(default_factory=list)

    @property
    def server_errors(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 500)


@dataclass(frozen=True)
class Shot:
    """One request as bytes of its parts."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    route: str
    quick: bool = False

    def told(self, status: object) -> str:
        return f"{status} {self.method} {self.path[:300]} {self.headers!r:.600} {self.body[:400]!r}"


class Gunner:
    """Makes requests, some of them right, by one source of chance."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._chance = random.Random(seed)
        self._names = list(commands())
        self._pages = _routes(ROUTERS, "")
        self._api = _routes([reading.router, api_commands.router, lists.router], "/api/v1")
        self._api.append(("/api/v1/openapi.json", ["GET"]))

    def shot(self) -> Shot:
        chance = self._chance
        kind = chance.random()
        if kind < 0.02:
            return self._nowhere()
        path, methods = chance.choice(self._pages if kind < 0.55 else self._api)
        method = chance.choice(methods) if chance.random() < 0.85 else chance.choice(METHODS)
        if method == "POST" and path in FEW_OF and chance.random() > 0.05:
            method = "GET"
        api = path.startswith("/api/")
        command = chance.choice(self._names) if chance.random() < 0.8 else self._nasty()
        if api and path.rpartition("/commands/")[1]:
            command = path.rpartition("/")[2]
        headers = self._who(api)
        media, body = self._body(method, path, api, command, headers)
        if media and method != "GET":
            headers.append(("Content-Type", media))
        if chance.random() < 0.15:
            name, value = chance.choice(HEADERS)
            headers = [*(each for each in headers if each[0].lower() != name.lower()), (name, value)]
        filled = self._filled(path, command)
        query = f"?{self._query()}" if chance.random() < 0.4 else ""
        return Shot(method, filled + query, headers, body if method != "GET" else b"", path, path == "/changements")

    def _nowhere(self) -> Shot:
        path = (
            "/" + quote(self._nasty()[:2000], safe="/%?#&") + self._chance.choice(["", "/", "/..", "?", "/static/../x"])
        )
        start = self._chance.choice(["", "/static", "/api/v1", "/api", "/parcours", "/compte"])
        return Shot(self._chance.choice(METHODS[:9]), start + path, self._who(False), b"", "nowhere")

    def _filled(self, path: str, command: str) -> str:
        id = self._chance.choice(self._site.journeys) if self._chance.random() < 0.75 else self._nasty()
        places = {"{id}": id, "{command}": command, "{grant}": self._nasty()}
        for place, value in places.items():
            path = path.replace(place, quote(value[:3000], safe="" if self._chance.random() < 0.9 else "/%"))
        return path or "/"

    def _nasty(self) -> str:
        return self._chance.choice(NASTY)

    def _query(self) -> str:
        chance = self._chance
        pairs = [(chance.choice(WORDS), self._nasty()[:6000]) for _ in range(chance.randint(1, 4))]
        return urlencode(pairs) if chance.random() < 0.9 else "&".join(f"{a}={quote(b, safe='%&=')}" for a, b in pairs)

    def _who(self, api: bool) -> list[tuple[str, str]]:
        chance = self._chance
        found = [("Accept-Language", chance.choice(["fr", "en"]))]
        role = chance.choice(STAFF_ROLES)
        if chance.random() < 0.9:
            if api or chance.random() < 0.05:
                found.append(("Authorization", f"Bearer {self._site.tokens[role]}"))
            if not api or chance.random() < 0.05:
                found.append(("Cookie", f"session={self._site.sessions[role]}"))
        if chance.random() < 0.95:
            found += [("Origin", self._site.url), ("Sec-Fetch-Site", "same-origin")]
        if api:
            found.append(("Idempotency-Key", fresh() if chance.random() < 0.9 else self._nasty()[:200]))
            if chance.random() < 0.2:
                found.append(("If-Match", f'"{chance.randint(0, 60)}"'))
        return found

    def _body(
        self, method: str, path: str, api: bool, command: str, headers: list[tuple[str, str]]
    ) -> tuple[str, bytes]:
        chance = self._chance
        if method in ("GET", "HEAD"):
            return "", b""
        if chance.random() < 0.12:
            return chance.choice(BODIES)
        if api:
            return "application/json", json.dumps(
                self._mutated(path, command), ensure_ascii=chance.random() < 0.5
            ).encode(errors="surrogatepass")
        session = next((value.removeprefix("session=") for name, value in headers if name == "Cookie"), "")
        known = [each.name for each in fields_of(command)] if command in self._names else []
        typed = {name: self._nasty() for name in known if chance.random() < 0.9}
        typed |= {chance.choice(WORDS): self._nasty() for _ in range(chance.randint(0, 5))}
        if chance.random() < 0.9:
            typed["csrf"] = csrf_of(session)
        if chance.random() < 0.85:
            return "application/x-www-form-urlencoded", urlencode(typed).encode()
        parts = [f'--x\r\nContent-Disposition: form-data; name="{a}"\r\n\r\n{b}\r\n' for a, b in typed.items()]
        return "multipart/form-data; boundary=x", ("".join(parts) + "--x--\r\n").encode(errors="surrogatepass")

    def _mutated(self, path: str, command: str) -> Any:
        chance = self._chance
        if path.endswith("/journeys"):
            said: dict[str, Any] = json.loads(json.dumps(bodies.START_EXAMPLE))
            said["referent"] = self._site.staff["referent"]
            said["person"]["last_name"] = f"N{chance.randrange(10**9)}"
        else:
            said = bodies.example_of(command) if command in self._names else {}
            said |= {"mentor": self._site.mentor} if "mentor" in said else {}
            said |= {"partner": self._site.partner} if "partner" in said else {}
            said |= {
                name: self._site.staff["referent"]
                for name in ("referent", "to")
                if name in said and command != "correct"
            }
        for _ in range(chance.choice([0, 0, 1, 1, 2, 4])):
            name = chance.choice([*said, "occurred_at", "more"])
            match chance.randrange(4):
                case 0:
                    said.pop(name, None)
                case 1:
                    said[name] = self._nasty()
                case 2:
                    said[name] = chance.choice(
                        [None, True, 0, -1, 2**63, 10**40, 1.5, [], {}, ["a"], {"a": {"b": []}}, "\ud800"]
                    )
                case _:
                    said[name] = chance.choice(
                        ["0001-01-01", "2027-05-12T10:00:00Z", "2199-12-31", "1900-01-01T00:00:00+23:59"]
                    )
        return said


def _routes(routers: list[Any], before: str) -> list[tuple[str, list[str]]]:
    return [
        (before + route.path, sorted(route.methods or ()))
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
    ]


def run(site: Site, count: int, seed: int) -> Storm:
    """Send so many requests, several at a time; sessions that a request ended are opened anew."""
    return asyncio.run(_run(site, count, seed))


async def _run(site: Site, count: int, seed: int) -> Storm:
    storm, gunner = Storm(seed), Gunner(site, seed)
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(base_url=site.url, timeout=60, limits=limits, follow_redirects=False) as client:
        left = count
        while left > 0:
            batch = [gunner.shot() for _ in range(min(200, left))]
            left -= len(batch)
            waiting = iter(batch)
            await asyncio.gather(*(_fire(client, waiting, storm) for _ in range(AT_ONCE)))
            await _reopen(site)
    return storm


async def _fire(client: httpx.AsyncClient, waiting: Any, storm: Storm) -> None:
    for shot in waiting:
        storm.by_route[shot.route] += 1
        try:
            status = await _send(client, shot)
        except NOT_HTTP:
            # What is not HTTP is not answered; that the server lives is seen by the next request.
            storm.not_http += 1
            continue
        except httpx.TimeoutException as error:
            storm.failed.append(shot.told(type(error).__name__))
            continue
        storm.statuses[status] += 1
        if status >= 500:
            storm.failed.append(shot.told(status))


async def _send(client: httpx.AsyncClient, shot: Shot) -> int:
    headers = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in shot.headers]
    async with client.stream(shot.method, shot.path, headers=headers, content=shot.body or None) as answer:
        if not shot.quick:
            await answer.aread()
        return answer.status_code


async def _reopen(site: Site) -> None:
    """Sessions that the storm has ended by pressing the right button."""
    async with site.pool() as pool:
        for role, id in site.staff.items():
            site.sessions[role] = await sessions.open_session(pool, id, "password")
