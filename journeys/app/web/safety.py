"""What keeps a page from being used against its reader: headers, the origin of a form, how much and how often."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import PlainTextResponse, Response
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from journeys.app.failures import Exit, Failure, Said
from journeys.app.web.api.problems import of_api, problem
from journeys.app.web.policy import SAFE
from journeys.app.web.visit import BEFORE, set_cookie

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
LARGEST_FORM: Final = 12_000_000
"""Bytes: a document of 10 MB and its form."""

A_MINUTE: Final = 300
"""Requests of one address; a person with many windows stays far below."""
LOGINS_A_MINUTE: Final = 20
_TRIES: Final = ("/connexion", "/confirmer", "/compte")


def policy_with(origins: Iterable[str]) -> str:
    """The policy where a form may lead to the identity provider: browsers hold redirects to `form-action` too."""
    return POLICY.replace("form-action 'self'", " ".join(["form-action 'self'", *sorted(origins)]))


async def headers(request: Request, call_next: Next) -> Response:
    """The same headers on every answer; what never changes may be kept by the browser, a page never."""
    answer = await call_next(request)
    if (before := getattr(request.state, "before", None)) is not None:
        set_cookie(request, answer, BEFORE, before)
    provider = getattr(request.app.state, "provider", None)
    if provider is not None:
        answer.headers.setdefault("Content-Security-Policy", policy_with(provider.origins))
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.url.path.startswith("/static/"):
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if request.url.scheme == "https":
        answer.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return answer


async def same_origin(request: Request, call_next: Next) -> Response:
    """A change may only come from a page of ours. No cookie opens the API: no site can borrow one."""
    if request.method not in SAFE and not of_api(request.url.path) and not _from_here(request):
        return PlainTextResponse("Forbidden: this form was sent from another site.", status_code=403)
    return await call_next(request)


def _from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is not None:
        return _host_of(origin) == request.headers.get("host", "")
    referer = request.headers.get("referer")
    return site is not None or (referer is not None and _host_of(referer) == request.headers.get("host", ""))


def _host_of(address: str) -> str | None:
    """The host and port in an address; None when it is none."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return None


class Pace:
    """So many requests a minute of one address."""

    def __init__(self, a_minute: int = A_MINUTE, logins: int = LOGINS_A_MINUTE) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._all = RateLimitItemPerMinute(a_minute)
        self._logins = RateLimitItemPerMinute(logins)

    async def __call__(self, request: Request, call_next: Next) -> Response:
        """Refuse what comes too often, and what is too large before it is read."""
        if request.headers.get("content-length", "0").isdecimal():
            if int(request.headers.get("content-length", "0")) > LARGEST_FORM:
                return refused(request, 413, "Too large.")
        else:
            return refused(request, 400, "Bad length.")
        if request.url.path.startswith("/static/"):
            return await call_next(request)
        who = request.client.host if request.client is not None else "unknown"
        tries = request.method == "POST" and request.url.path.startswith(_TRIES)
        if not await self._limiter.hit(self._all, "all", who) or (
            tries and not await self._limiter.hit(self._logins, "logins", who)
        ):
            return refused(request, 429, "Too many requests; wait a minute.")
        return await call_next(request)


def refused(request: Request, status: int, why: str) -> Response:
    """A request that is not even looked at; programs are told as they are of everything."""
    if of_api(request.url.path):
        return problem(request, _NOT_LOOKED_AT[status])
    return PlainTextResponse(why, status_code=status, headers={"Retry-After": "60"} if status == 429 else None)


_NOT_LOOKED_AT: Final = {
    400: Failure(Exit.USAGE, "bad-length", Said("longueur illisible", "unreadable length"), field="Content-Length"),
    413: Failure(Exit.USAGE, "too-large", Said("demande trop grande", "request too large")),
    429: Failure(Exit.USAGE, "too-often", Said("trop de demandes", "too many requests"),
                 Said("attendez une minute", "wait a minute")),
}  # fmt: skip
