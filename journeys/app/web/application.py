"""The application put together: its screens, its middleware, and how it tells what went wrong."""

from pathlib import Path
from typing import Final
from urllib.parse import quote

import structlog
from asyncpg import DataError, DiskFullError
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from journeys.app.attaching import TOO_LARGE
from journeys.app.failures import Exit, Failure, Said
from journeys.app.telling import locked, missing, unanswered
from journeys.app.web import safety
from journeys.app.web.api.application import make_api
from journeys.app.web.api.problems import BAD_VALUE, ROOT, of_api, problem
from journeys.app.web.bodies import Bounded
from journeys.app.web.house import House
from journeys.app.web.pages import ROUTERS
from journeys.app.web.pages.links import CALL
from journeys.app.web.pages.notices import Teller
from journeys.app.web.policy import check_doors
from journeys.app.web.proof import NotProved, ask_proof
from journeys.app.web.provider import Provider
from journeys.app.web.rendering import STATIC, page
from journeys.app.web.resending import resend_page, sent_form
from journeys.app.web.unforeseen import Unforeseen
from journeys.app.web.visit import NotEntered, Visit, language_of, token_of
from journeys.i18n import capital, text
from journeys.store.database import LOST
from journeys.store.directory import NotFound
from journeys.store.keys import CannotUnwrap
from journeys.store.links import PATH as LINKS
from journeys.temporal import Malformed, Unreachable

STATUS: Final = {
    Exit.USAGE: 422, Exit.NOT_FOUND: 404, Exit.REFUSED: 403, Exit.CONFLICT: 409, Exit.UNREACHABLE: 503,
    Exit.BROKEN: 500, Exit.FAILED: 500,
}  # fmt: skip
STATUS_OF: Final = {"body-too-large": 413, TOO_LARGE: 413, "broken-form": 400, "erasing": 409}
"""Where a code has a status of its own."""


def make_application(house: House, *, pace: safety.Pace | None = None) -> FastAPI:
    """The application over a house. Raises Unguarded when a route has no policy."""
    application = FastAPI(title="Release journeys", docs_url=None, redoc_url=None, openapi_url=None)
    application.state.house = house
    application.state.provider = Provider.of(house)
    application.state.teller = Teller(house)
    for router in ROUTERS:
        application.router.routes.extend(router.routes)
    application.mount("/static", StaticFiles(directory=Path(STATIC)), name="static")
    application.mount(ROOT, make_api(house), name="api")
    check_doors(application)
    # The innermost: what it raises must reach the page that tells it.
    application.add_middleware(Bounded, largest_document=house.settings.largest_document)
    application.add_middleware(Unforeseen, told=told)
    application.add_middleware(safety.Compressed)
    application.middleware("http")(safety.same_origin)
    application.middleware("http")(pace or safety.Pace())
    application.middleware("http")(safety.headers)
    _tell_failures(application)
    return application


async def no_store(request: Request, error: Exception) -> Response:
    """The database gave no answer before anything was sent."""
    structlog.get_logger().error("no answer from the database", path=safety.loggable(request.url.path), exc_info=error)
    failure = DISK_FULL if isinstance(error, DiskFullError) else NO_STORE
    if (sent := await sent_form(request)) is not None:
        return resend_page(_visit(request), failure, sent)
    return told(request, failure)


def _tell_failures(application: FastAPI) -> None:
    @application.exception_handler(NotEntered)
    async def not_entered(request: Request, error: NotEntered) -> Response:
        to = f"/connexion?suite={quote(error.back)}"
        if request.headers.get("hx-request") == "true":
            return PlainTextResponse("", status_code=401, headers={"HX-Redirect": to})
        return RedirectResponse(to, status_code=303)

    @application.exception_handler(NotProved)
    async def not_proved(request: Request, error: NotProved) -> Response:
        return await ask_proof(error)

    @application.exception_handler(Failure)
    async def failure(request: Request, error: Failure) -> Response:
        return told(request, error)

    @application.exception_handler(NotFound)
    async def not_found(request: Request, error: NotFound) -> Response:
        return told(request, missing(error))

    @application.exception_handler(Unreachable)
    async def unreachable(request: Request, error: Unreachable) -> Response:
        return told(request, unanswered(error.fate, error.command_id))

    @application.exception_handler(CannotUnwrap)
    async def wrong_key(request: Request, error: CannotUnwrap) -> Response:
        structlog.get_logger().error("a key does not open", path=safety.loggable(request.url.path), exc_info=error)
        return told(request, locked(error))

    @application.exception_handler(DataError)
    async def bad_value(request: Request, error: DataError) -> Response:
        return told(request, BAD_VALUE)

    @application.exception_handler(Malformed)
    async def malformed(request: Request, error: Malformed) -> Response:
        structlog.get_logger().error(
            "a command of ours is not one", path=safety.loggable(request.url.path), exc_info=error
        )
        return told(request, _MALFORMED)

    for lost in LOST:
        application.exception_handler(lost)(no_store)

    @application.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return told(request, _NO_PAGE)
        return PlainTextResponse(str(error.detail), status_code=error.status_code, headers=error.headers)


def told(request: Request, error: Failure) -> Response:
    """A page that says what, where and what to do; where an address was meant for programs, a problem. Whoever came by
    a one-time link knows nobody who keeps the machine: they are told to call.
    """
    if of_api(request.url.path):
        return problem(request, error)
    visit, status = _visit(request), status_of(error)
    if request.url.path.startswith(LINKS):
        return page(visit, "link-dead.html", status, title=visit.say("Cela n'a pas été possible"),
                    text=_sentence(visit, error.what), advice=visit.say(CALL))  # fmt: skip
    return page(visit, "failure.html", status, failure=error)


def status_of(error: Failure) -> int:
    """The HTTP status of a failure."""
    return STATUS_OF.get(error.code) or STATUS.get(error.exit, 500)


def _sentence(visit: Visit, said: Said) -> str:
    return capital(text(visit.lang)(said.in_(visit.lang))) + "."


def _visit(request: Request) -> Visit:
    return Visit(request.app.state.house, request, language_of(request, None), token_of(request))


NO_STORE: Final = Failure(
    Exit.UNREACHABLE, "no-database",
    Said("la base de données ne répond pas ; rien n'a été changé", "the database does not answer; nothing was changed"),
    Said("réessayez dans un instant ; si cela dure, prévenez la personne qui tient la machine",
         "try again in a moment; if it lasts, tell whoever keeps the machine"),
)  # fmt: skip
_MALFORMED: Final = Failure(
    Exit.FAILED, "malformed",
    Said("cette demande n'a pas pu être lue par le moteur ; rien n'a changé",
         "this request could not be read by the engine; nothing has changed"),
    Said("rouvrez la page et recommencez ; si cela revient, prévenez la personne qui tient la machine",
         "open the page again and retry; if it comes back, tell whoever keeps the machine"),
)  # fmt: skip
DISK_FULL: Final = Failure(
    Exit.UNREACHABLE, "disk-full",
    Said("le disque de la base est plein ; rien n'a été noté", "the database's disk is full; nothing was written"),
    Said("prévenez la personne qui tient la machine : il faut libérer de la place",
         "tell whoever keeps the machine: some space has to be freed"),
)  # fmt: skip
_NO_PAGE: Final = Failure(
    Exit.NOT_FOUND, "no-page", Said("il n'y a pas de page à cette adresse", "there is no page at this address"),
    Said("revenez à l'accueil, ou cherchez la personne par son nom",
         "go back to the start, or search the person by name"),
)  # fmt: skip
