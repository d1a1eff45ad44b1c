"""What keeps a page from being used against its reader: headers, the origin of a form, how much and how often."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import PlainTextResponse, Response
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from journeys.app.failures import Exit, Failure, Said
from journeys.app.web.api.problems import of_api, problem
from journeys.app.web.policy import CODEC, NOTICES, RECEIPTS, SAFE
from journeys.app.web.visit import BEFORE, set_cookie, token_of
from journeys.domain.record import instant_text
from journeys.store.links import AT_ONCE
from journeys.store.links import PATH as LINKS

Next = Callable[[Request], Awaitable[Response]]

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
A_MINUTE: Final = 300
"""Requests of one session or token; a person with many windows stays far below."""
OF_AN_ADDRESS: Final = 10
"""How many times that one address may ask for: behind it may be a whole association."""
LOGINS_A_MINUTE: Final = 60
"""Tries to log in or to prove who one is, from one address: on Monday at nine a whole association comes."""
LINKS_A_MINUTE: Final = 60
"""One-time links opened or answered from one address; behind it may be a whole association."""
STOPPED_HEADER: Final = "Payments-Stopped"
"""Since when all payments are stopped (RFC 3339), on every answer to a program, refusals too, while they are."""
LEVEL: Final = 4
"""Of compression: nine tenths of what the highest saves, for a third of its time."""
_ASKED_HERE: Final = ("same-origin", "none")
_TRIES: Final = ("/connexion", "/confirmer", "/compte")


def loggable(path: str) -> str:
    """A path as logs may hold it: what opens a one-time link is left out."""
    return f"{LINKS}…" if path.startswith(LINKS) else path


def policy_with(origins: Iterable[str]) -> str:
    """The policy where a form may lead to the identity provider: browsers hold redirects to `form-action` too."""
    return POLICY.replace("form-action 'self'", " ".join(["form-action 'self'", *sorted(origins)]))


async def headers(request: Request, call_next: Next) -> Response:
    """The same headers on every answer; what never changes may be kept by the browser, a page never."""
    answer = await call_next(request)
    if (before := getattr(request.state, "before", None)) is not None:
        set_cookie(request, answer, BEFORE, before)
    if (stop := getattr(request.state, "stopped", None)) is not None:
        answer.headers[STOPPED_HEADER] = instant_text(stop.since)
    provider = getattr(request.app.state, "provider", None)
    if provider is not None:
        answer.headers.setdefault("Content-Security-Policy", policy_with(provider.origins))
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.url.path.startswith(LINKS):
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["X-Robots-Tag"] = "noindex"
    if request.url.path.startswith("/static/"):
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if request.url.scheme == "https":
        answer.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return answer


class Compressed(GZipMiddleware):
    """Answers compressed on their way, but for pages that another site may have asked for.

    Whoever can make a browser ask for a page with words of their choice, and sees how long the answer is, could guess
    what stands beside these words. So a page is compressed only when the browser says that it was asked for from here
    or by hand; what is the same for everybody always is.
    """

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, minimum_size=500, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (
            scope["path"].startswith("/static/") or Headers(scope=scope).get("sec-fetch-site") in _ASKED_HERE
        ):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)


async def same_origin(request: Request, call_next: Next) -> Response:
    """A change may only come from a page of ours. No cookie opens what is for programs: no site can borrow one.

    Temporal's own pages, where the settings name them, may have payloads opened, and nothing else.
    """
    path = request.url.path
    programs = of_api(path) or path in (NOTICES, RECEIPTS) or path.startswith(AT_ONCE)
    if request.method not in SAFE and not programs and not _from_here(request) and not _from_temporal(request):
        return PlainTextResponse(
            "Refusé : ce formulaire vient d'un autre site.\nForbidden: this form was sent from another site.\n",
            status_code=403,
        )  # fmt: skip
    return await call_next(request)


def _from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin == "null" and request.url.path.startswith(LINKS):
        # A page that sends no referrer has its forms sent without an origin; who has the link may act, from anywhere.
        return True
    if origin is not None:
        return _host_of(origin) == request.headers.get("host", "")
    referer = request.headers.get("referer")
    return site is not None or (referer is not None and _host_of(referer) == request.headers.get("host", ""))


def _from_temporal(request: Request) -> bool:
    ui = request.app.state.house.settings.temporal_ui
    return request.url.path == CODEC and ui is not None and request.headers.get("origin") == ui


def _host_of(address: str) -> str | None:
    """The host and port in an address; None when it is none."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return None


class Pace:
    """So many requests a minute of one session, and of one address."""

    def __init__(self, a_minute: int = A_MINUTE, logins: int = LOGINS_A_MINUTE, links: int = LINKS_A_MINUTE) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._one = RateLimitItemPerMinute(a_minute)
        self._all = RateLimitItemPerMinute(a_minute * OF_AN_ADDRESS)
        self._logins = RateLimitItemPerMinute(logins)
        self._links = RateLimitItemPerMinute(links)

    async def __call__(self, request: Request, call_next: Next) -> Response:
        """Refuse what comes too often."""
        if request.url.path.startswith("/static/"):
            return await call_next(request)
        who = request.client.host if request.client is not None else "unknown"
        tries = request.method == "POST" and request.url.path.startswith(_TRIES)
        link = request.url.path.startswith(LINKS)
        if (
            not await self._limiter.hit(self._all, "all", who)
            or not await self._limiter.hit(self._one, "one", who, _bearer(request))
            or (tries and not await self._limiter.hit(self._logins, "logins", who))
            or (link and not await self._limiter.hit(self._links, "links", who))
        ):
            if of_api(request.url.path):
                return problem(request, _TOO_OFTEN)
            return PlainTextResponse(
                "Trop de demandes ; attendez une minute.\nToo many requests; wait a minute.\n", status_code=429,
                headers={"Retry-After": "60"},
            )  # fmt: skip
        return await call_next(request)


def _bearer(request: Request) -> str:
    """What tells one visitor of an address from another, as a hash; whoever brings nothing is counted together."""
    return hashlib.sha256((request.headers.get("authorization") or token_of(request)).encode()).hexdigest()


_TOO_OFTEN: Final = Failure(
    Exit.USAGE, "too-often", Said("trop de demandes", "too many requests"), Said("attendez une minute", "wait a minute")
)
