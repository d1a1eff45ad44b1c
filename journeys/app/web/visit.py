"""One request of somebody who entered: who they are, what they may see, and the token that their forms carry."""

import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from fastapi import Depends, Request
from fastapi.responses import Response

from journeys.app.entry import Actor
from journeys.app.failures import Exit, Failure, Said
from journeys.app.web.bodies import BrokenForm, carries_a_file, read_form
from journeys.app.web.house import House
from journeys.app.web.policy import PUBLIC, SAFE, Door, Policy
from journeys.i18n import Lang, language, text
from journeys.store.database import Connection
from journeys.store.reads import Entry, Look, Read
from journeys.store.sessions import Visitor, enter
from journeys.store.treasury import Stop
from journeys.store.views import within

COOKIE: Final = "session"
BEFORE: Final = "before"
"""The cookie of a browser that has not entered: what its forms are derived from."""
LANG_COOKIE: Final = "lang"


class NotEntered(Exception):
    """There is no session: the person is asked to log in, and comes back to `back`."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


@dataclass(slots=True)
class Visit:
    """What a screen is given. `connection` reads under the visitor's own eyes until `done` is awaited."""

    house: House
    request: Request
    lang: Lang
    token: str = field(repr=False)
    """The session's token, else that of a browser which has not entered; empty: a new browser."""
    _visitor: Visitor | None = None
    _connection: Connection | None = None
    stopped: Stop | None = None
    """Who stopped all payments; None while they go on."""
    opened: dict[str, Look] = field(default_factory=dict)
    """The journeys into whose file this request looks, and what kind of look it is."""
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)
    _actor: Actor | None = None
    _now: datetime | None = None

    @property
    def visitor(self) -> Visitor:
        """Who came. Only behind a door that is not public."""
        assert self._visitor is not None
        return self._visitor

    @property
    def known(self) -> Visitor | None:
        """Who came, where somebody did."""
        return self._visitor

    @property
    def csrf(self) -> str:
        """What a form must carry. A browser without any token is given one: nobody else can then write its forms."""
        if not self.token:
            self.token = self.request.state.before = secrets.token_urlsafe(24)
        return csrf_of(self.token)

    @property
    def connection(self) -> Connection:
        """A connection that sees what the visitor may see, in the transaction of this request."""
        assert self._connection is not None
        return self._connection

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(self._visitor.roles) if self._visitor is not None else frozenset()

    @property
    def lines(self) -> frozenset[str]:
        """Their roles, and the lines of the rights table that these have in some programme: what doors look at."""
        return self.roles | frozenset(self._visitor.lines) if self._visitor is not None else frozenset()

    @property
    def visible(self) -> str:
        """What every journey that the visitor may see fulfils: `views.within`."""
        return visible(self.visitor)

    @property
    def actor(self) -> Actor:
        """As the actor of a command."""
        if self._actor is None:
            known = self.visitor
            self._actor = Actor(known.id, known.name, known.roles, known.sites, known.funds, known.stands_in_for)
        return self._actor

    @property
    def now(self) -> datetime:
        """The instant of this request: all that a page says of time is said of the same one."""
        if self._now is None:
            self._now = self.house.now
        return self._now

    def holds(self, *roles: str) -> bool:
        return bool(self.roles & set(roles))

    def admitted(self, policy: Policy) -> bool:
        """Whether a page behind this policy opens for them."""
        return policy.admits(self.lines)

    def say(self, french: str, **fields: object) -> str:
        """A text in the visitor's language, its places filled."""
        told = text(self.lang)(french)
        return told.format(**fields) if fields else told

    def looks_into(self, journey: str) -> None:
        """Somebody opens this file: noted once the request has come to its end, where it only reads."""
        if self.request.method in SAFE:
            self.opened[journey] = look_of(self.request.scope["route"].path)

    def note_looks(self, entry: Entry) -> None:
        """Have what was opened written to the log of looks."""
        for journey, look in self.opened.items():
            self.house.looked(Read(self.visitor.id, tuple(self.visitor.roles), journey, look, entry))

    async def done(self) -> None:
        """Give the connection back: nothing may wait for the engine or a bank while it is held."""
        self._connection = None
        await self._open.aclose()


class _Door(Door):
    async def __call__(self, request: Request) -> AsyncIterator[Visit]:
        visit = await arrive(request)
        try:
            if self.policy is not PUBLIC:
                if visit.known is None:
                    raise NotEntered(_back(request))
                if not visit.admitted(self.policy):
                    raise _no_right()
            if request.method not in SAFE:
                await self._read_form(visit)
                await _check_token(visit)
            yield visit
            visit.note_looks("web")
        finally:
            await visit.done()

    async def _read_form(self, visit: Visit) -> None:
        """Read the form. One that may be long on its way holds no connection meanwhile; a stranger's brings no file."""
        request, long = visit.request, carries_a_file(visit.request)
        if long and self.policy is PUBLIC:
            raise BrokenForm
        if long:
            await visit.done()
        await read_form(request, visit.house.settings.largest_document)
        # Whoever tells a failure has another object of this request, whose body is read.
        request.state.form = await request.form()
        if long:
            await _enter(visit)
            if visit.known is None:
                raise NotEntered(_back(request))


LOOKS: Final[dict[str, Look]] = {
    "agir": "form", "aides": "form", "relances": "form", "personne": "details", "acces": "details",
    "effacement": "details", "documents": "document", "synthese.pdf": "paper", "recus": "paper", "lettres": "paper",
    "rendez-vous": "paper", "courrier": "letters", "messages": "letters", "liens": "links", "agenda": "links",
    "audit": "audit", "obligations": "audit", "roles": "audit", "differences": "audit", "events": "events",
}  # fmt: skip
"""What is opened, by what follows the journey in the address; anything else is the file itself."""


def look_of(path: str) -> Look:
    """The kind of look of a route's path."""
    return LOOKS.get(path.partition("{id}/")[2].partition("/")[0], "file")


def visible(visitor: Visitor) -> str:
    """What every journey that a visitor may see fulfils: `views.within`."""
    return within(visitor.roles, visitor.sites, apart=bool(visitor.lines))


def door(policy: Policy) -> Any:
    """The dependency of a route: `visit: Visit = door(STAFF)`."""
    return Depends(_Door(policy))


async def arrive(request: Request) -> Visit:
    """Whoever comes, with the session that they bring, if any. `done` must be awaited."""
    visit = Visit(request.app.state.house, request, language_of(request, None), token_of(request))
    await _enter(visit)
    return visit


async def _enter(visit: Visit) -> None:
    """Who brings this session, and a connection that sees what they may see."""
    token = visit.request.cookies.get(cookie_name(visit.request))
    if token:
        connection = await visit._open.enter_async_context(visit.house.reading.acquire())
        await visit._open.enter_async_context(connection.transaction())
        visit._connection = connection
        visit._visitor, visit._actor = await enter(connection, token), None
        visit.lang = language_of(visit.request, visit._visitor)
        visit.stopped = visit._visitor.stopped if visit._visitor is not None else None


def cookie_name(request: Request, name: str = COOKIE) -> str:
    """`__Host-session` over TLS; a browser takes that name over nothing else."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


def set_cookie(request: Request, answer: Response, name: str, value: str, seconds: int | None = None) -> None:
    """A cookie that scripts cannot read and that other sites' forms do not bring along."""
    answer.set_cookie(
        cookie_name(request, name), value, max_age=seconds, path="/", httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip


def drop_cookie(request: Request, answer: Response, name: str) -> None:
    """Take a cookie back; over TLS a browser lets go of a `__Host-` name only as it was set."""
    answer.delete_cookie(
        cookie_name(request, name), path="/", httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )


def token_of(request: Request) -> str:
    """The token that this browser's forms are derived from."""
    cookies = request.cookies
    return cookies.get(cookie_name(request)) or cookies.get(cookie_name(request, BEFORE)) or ""


def csrf_of(token: str) -> str:
    """What the forms of a session carry: derived from its token, which no other site can read."""
    return hmac.new(token.encode(), b"form", "sha256").hexdigest()


def language_of(request: Request, visitor: Visitor | None) -> Lang:
    """As chosen in this browser, else as the member is written to, else as the browser asks."""
    chosen = request.cookies.get(LANG_COOKIE) or (visitor.language if visitor is not None else None)
    return language(chosen or request.headers.get("accept-language", "fr"))


async def _check_token(visit: Visit) -> None:
    form = await visit.request.form()
    if not visit.token or not hmac.compare_digest(str(form.get("csrf", "")).encode(), visit.csrf.encode()):
        raise Failure(
            Exit.REFUSED, "stale-form",
            Said("cette page a été ouverte dans une session qui a pris fin ; rien n'a changé",
                 "this page was opened in a session that has ended; nothing has changed"),
            Said("rouvrez la page, puis recommencez", "open the page again, then retry"),
        )  # fmt: skip


def _no_right() -> Failure:
    return Failure(
        Exit.REFUSED, "no-right",
        Said("cette page n'est pas ouverte à votre rôle", "this page is not open to your role"),
        Said("si vous en avez besoin, demandez le rôle à l'administration",
             "if you need it, ask the administration for the role"),
    )  # fmt: skip


def _back(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}" if request.method in SAFE else "/"
