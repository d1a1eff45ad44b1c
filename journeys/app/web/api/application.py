"""The API put together: its routes, its problems, and the OpenAPI document that describes both."""

from typing import Any, Final

import structlog
from asyncpg import DataError, InterfaceError, InternalClientError, PostgresError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

from journeys.app import telling
from journeys.app.failures import Exit, Failure, Said, not_found
from journeys.app.web.api import bodies, commands, lists, payments, reading
from journeys.app.web.api.acting import UnderWay
from journeys.app.web.api.entering import open_door
from journeys.app.web.api.problems import BAD_VALUE, MEDIA, ROOT, Problem, Unreadable, problem, wrong_of
from journeys.app.web.api.shapes import Taken
from journeys.app.web.house import House
from journeys.app.web.policy import check_doors
from journeys.app.web.unforeseen import Unforeseen
from journeys.store.directory import NotFound
from journeys.store.keys import CannotUnwrap

VERSION: Final = "1.0.0"
DESCRIPTION: Final = """\
Journeys of people on their way out of prison. Reads come from lists; every change is a command through the journey's
workflow, decided by the same rules and rights as on the pages.

- **Who.** `Authorization: Bearer journeys_…`, a token of a member of staff (page *Mon compte*, or
  `journeys staff token add`). It may what the member may, now: a role taken stops the next request. No cookie opens
  this API.
- **Once.** Every command carries an `Idempotency-Key`, the command's id, a UUID of yours. Sent again with the same
  content it has the same answer and no second effect; with other content it is a conflict.
- **Seen.** `If-Match` with the journey's ETag refuses a command when somebody else has since changed the same subject.
- **Without an answer.** 202: taken and being written. 503: not taken, or the fate is `unknown`. Sending the same
  again is safe in each case.
  `/journeys/{id}/answers/{command}` says what became of it.
- **Money.** Approving a grant, settling or cancelling a payment wants `Journeys-Code`, the code of the moment. While
  all payments are stopped, every answer to a token carries `Payments-Stopped`: since when.
- **Documents.** A command that may bring one (`add-evidence`, `add-note`, `submit-receipt`) is then sent as
  `multipart/form-data`: its fields, and the file in `document`. `/journeys/{id}/documents/{seq}` hands it back.
- **Nothing is passed over.** A field, or a parameter in an address, that is not described here is refused.
- **Problems** are `application/problem+json` (RFC 9457), in French or English by `Accept-Language`.
"""

_WHEN: Final = {
    400: "The request cannot be read.",
    401: "No valid token, or a fresh proof is wanted.",
    403: "A rule or a right forbids it; `code` names which one. Nothing was changed.",
    404: "There is no such thing, or it is not open to you.",
    409: "In conflict: the key was used for something else, or the same person is in this programme already.",
    412: "Somebody else has changed the same subject since it was seen. Nothing was changed.",
    413: "Too large.",
    415: "Not JSON, nor a form where a document may come along.",
    422: "A field cannot be taken; `errors` names each.",
    429: "Too many requests.",
    503: "A part of the service does not answer. `code` says whether nothing was changed or the fate is `unknown`.",
}
_UNDER_WAY: Final = {
    "description": "Taken by the engine and not yet written: look it up, or send it again with the same key.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Taken"}}},
    "headers": {"Location": {"description": "What became of it.", "schema": {"type": "string"}}},
}  # fmt: skip
_READ: Final = (401, 403, 404, 422, 429, 503)
_COMMAND: Final = (400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503)


def make_api(house: House) -> FastAPI:
    """The application under `/api/v1`. Raises Unguarded when a route has no policy."""
    api = FastAPI(
        title="Release journeys", version=VERSION, docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    api.state.house = house
    for router in (reading.router, commands.router, payments.router, lists.router):
        api.router.routes.extend(router.routes)

    @api.get("/openapi.json", include_in_schema=False, dependencies=[open_door()])
    async def openapi() -> JSONResponse:
        return JSONResponse(document(api))

    check_doors(api)
    _tell_problems(api)
    api.add_middleware(Unforeseen, told=problem)
    return api


def document(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document: every request and main answer with an example, every problem described."""
    if api.openapi_schema is None:
        api.openapi_schema = _described(api)
    return api.openapi_schema


def _described(api: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=api.title, version=VERSION, description=DESCRIPTION, routes=api.routes, servers=[{"url": ROOT}],
        license_info={"name": "MIT", "identifier": "MIT"},
    )  # fmt: skip
    schemas: dict[str, Any] = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    sent: list[type[BaseModel]] = [Problem, Taken, bodies.Start, bodies.Retry, *bodies.models().values()]
    for model in sent:
        own = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= own.pop("$defs", {})
        schemas[model.__name__] = own
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            if method == "post":
                operation["responses"]["202"] = _UNDER_WAY
            _without_null(operation.get("parameters", []))
            _told(operation, _COMMAND if method == "post" else _READ, changes=method == "post")
            if method == "post" or "/journeys/{id}" in path:
                headers = operation["responses"]["201" if path == "/journeys" else "200"].setdefault("headers", {})
                if not path.endswith(("/{command}", "/{seq}")):
                    headers["ETag"] = {"description": "The journey's seq.", "required": True,
                                       "schema": {"type": "string"}}  # fmt: skip
    made["paths"]["/journeys"]["post"]["responses"]["201"]["headers"]["Location"] = {
        "description": "The journey.", "required": True, "schema": {"type": "string"},
    }  # fmt: skip
    return made


def _without_null(parameters: list[dict[str, Any]]) -> None:
    """What may be left out of an address or a header is never sent as null there."""
    for each in parameters:
        schema = each["schema"]
        kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
        if kinds:
            schema |= kinds[0]


def _told(operation: dict[str, Any], statuses: tuple[int, ...], *, changes: bool) -> None:
    """The problems of an operation, and the example of its answer."""
    for each in ("200", "201"):
        answer = operation["responses"].get(each)
        if answer is not None:
            answer["description"] = "Taken." if changes else "Found."
    for status in statuses:
        headers = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
        if status == 401:
            headers = {"WWW-Authenticate": {"description": "How to say who you are.", "schema": {"type": "string"}}}
        operation["responses"][str(status)] = {
            "description": _WHEN[status],
            "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            **({"headers": headers} if status in (401, 429, 503) else {}),
        }


def _tell_problems(api: FastAPI) -> None:
    @api.exception_handler(Failure)
    async def failure(request: Request, error: Failure) -> Response:
        return problem(request, error)

    @api.exception_handler(NotFound)
    async def missing(request: Request, error: NotFound) -> Response:
        return problem(request, telling.missing(error))

    @api.exception_handler(UnderWay)
    async def under_way(request: Request, taken: UnderWay) -> Response:
        told = Taken(command=taken.command, journey=taken.journey)
        where = f"{ROOT}/journeys/{taken.journey}/answers/{taken.command}"
        return JSONResponse(told.model_dump(), 202, headers={"Location": where, "Retry-After": "2"})

    @api.exception_handler(RequestValidationError)
    async def unreadable(request: Request, error: RequestValidationError) -> Response:
        return problem(request, Unreadable([_named(detail) for detail in error.errors()]))

    @api.exception_handler(CannotUnwrap)
    async def wrong_key(request: Request, error: CannotUnwrap) -> Response:
        structlog.get_logger().error("a key does not open", path=request.url.path, exc_info=error)
        return problem(request, telling.locked(error))

    @api.exception_handler(DataError)
    async def bad_value(request: Request, error: DataError) -> Response:
        return problem(request, BAD_VALUE)

    @api.exception_handler(OSError)
    @api.exception_handler(PostgresError)
    @api.exception_handler(InterfaceError)
    @api.exception_handler(InternalClientError)
    async def no_store(request: Request, error: Exception) -> Response:
        structlog.get_logger().error("no answer from the database", path=request.url.path, exc_info=error)
        return problem(request, _NO_STORE)

    @api.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        match error.status_code:
            case 404:
                return problem(request, _NO_ADDRESS, headers)
            case 405:
                return problem(request, _NO_METHOD, {**headers, "Allow": ", ".join(_methods(api, request))})
            case _:
                return problem(request, _BAD_REQUEST, headers)


def _methods(api: FastAPI, request: Request) -> list[str]:
    """What an address knows, over all its routes; the framework names those of the first."""
    found: set[str] = set()
    for route in api.routes:
        if isinstance(route, APIRoute) and route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return sorted(found)


def _named(detail: Any) -> Any:
    """Of a header its name, of the rest its place without where it was looked for."""
    return wrong_of({**detail, "loc": detail["loc"][1:] or detail["loc"]})


_NO_STORE: Final = Failure(
    Exit.UNREACHABLE, "no-database",
    Said("la base de données ne répond pas ; rien n'a été changé", "the database does not answer; nothing was changed"),
    Said("réessayez dans un instant", "try again in a moment"),
)  # fmt: skip
_NO_ADDRESS: Final = not_found(
    "no-address", "il n'y a rien à cette adresse", "there is nothing at this address",
    remedy=Said("voyez /api/v1/openapi.json", "see /api/v1/openapi.json"),
)  # fmt: skip
_NO_METHOD: Final = Failure(
    Exit.USAGE,
    "no-method",
    Said("cette adresse ne connaît pas cette méthode", "this address does not know this method"),
)
_BAD_REQUEST: Final = Failure(Exit.USAGE, "bad-request", Said("demande illisible", "unreadable request"))
