"""What went wrong, as RFC 9457 tells it: `application/problem+json` with the code, the field and the remedy."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from journeys.app.attaching import TOO_LARGE
from journeys.app.failures import Exit, Failure, Said, usage
from journeys.i18n import Lang, language

ROOT: Final = "/api/v1"
MEDIA: Final = "application/problem+json"
KIND: Final = "urn:release-journeys:problem:"

STATUS: Final = {
    Exit.USAGE: 422, Exit.NOT_FOUND: 404, Exit.REFUSED: 403, Exit.CONFLICT: 409, Exit.UNREACHABLE: 503,
    Exit.BROKEN: 500, Exit.FAILED: 500,
}  # fmt: skip
_BY_CODE: Final = {
    "not-json": 400, "bad-request": 400, "broken-form": 400, "bad-length": 400, "no-token": 401, "proof-wanted": 401,
    "wrong-proof": 401, "no-method": 405, "changed": 412, "too-large": 413, "body-too-large": 413, TOO_LARGE: 413,
    "not-json-media": 415, "too-often": 429, "erasing": 409,
}  # fmt: skip
"""Statuses that say more than the exit code of the command line does."""

_TITLES: Final = {
    400: Said("demande illisible", "unreadable request"),
    401: Said("il faut dire qui vous êtes", "it must be known who you are"),
    403: Said("refusé", "refused"),
    404: Said("introuvable", "not found"),
    405: Said("méthode inconnue à cette adresse", "unknown method at this address"),
    409: Said("en conflit avec ce qui est déjà noté", "in conflict with what is recorded"),
    412: Said("changé depuis que vous l'avez lu", "changed since you read it"),
    413: Said("demande trop grande", "request too large"),
    415: Said("type de contenu inconnu", "unknown type of content"),
    422: Said("quelque chose n'est pas juste dans la demande", "something is not right in the request"),
    429: Said("trop de demandes", "too many requests"),
    500: Said("échec", "failed"),
    503: Said("une partie du service ne répond pas", "a part of the service does not answer"),
}


class Wrong(BaseModel):
    """One field that cannot be taken."""

    field: str = Field(description="Where, with dots: `person.first_name`.")
    code: str
    message: str


class Problem(BaseModel):
    """RFC 9457. `code` is stable, for programs; `detail` and `remedy` are for people, in their language."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": f"{KIND}no-right", "title": "refused", "status": 403,
                "detail": "your role does not allow this on this journey", "code": "no-right", "field": None,
                "remedy": None, "command": "01a21169-ea00-7de2-a5e5-25f019c99f5d",
            }
        },
    )  # fmt: skip

    type: str = Field(description=f"`{KIND}` and the code.")
    title: str
    status: int
    detail: str
    code: str
    field: str | None = Field(description="The field, header or part of the address that is meant.")
    remedy: str | None
    command: str | None = Field(None, description="Id of the command that was refused, or whose fate is unknown.")
    errors: list[Wrong] | None = Field(None, description="Every field that cannot be taken, where there are some.")


class Unreadable(Failure):
    """A request whose fields cannot be taken: each is named."""

    def __init__(self, wrong: Sequence[Wrong]) -> None:
        first = usage("bad-value", "", "")
        named = ", ".join(dict.fromkeys(each.field for each in wrong))
        super().__init__(
            first.exit, first.code,
            Said(f"rien n'a été pris ; à corriger : {named}", f"nothing was taken; to correct: {named}"),
            Said("voyez /api/v1/openapi.json", "see /api/v1/openapi.json"),
            field=wrong[0].field if wrong else None,
            more={"errors": [each.model_dump() for each in wrong]},
        )  # fmt: skip


def unreadable(error: ValidationError, *before: str) -> Unreadable:
    """What pydantic refused; `before` is the place of the whole."""
    return Unreadable([wrong_of(detail, *before) for detail in error.errors(include_url=False, include_input=False)])


def wrong_of(detail: Mapping[str, Any], *before: str) -> Wrong:
    """One error of pydantic or of the framework."""
    place = ".".join([*before, *(str(each) for each in detail["loc"])])
    return Wrong(field=place or "body", code=str(detail["type"]), message=str(detail["msg"]))


def of_api(path: str) -> bool:
    """Whether an address belongs to programs: they are told by problems, and no cookie opens it."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def language_asked(request: Request, otherwise: str | None = None) -> Lang:
    """The language of the header, else the member's, else French. Cookies count for nothing here."""
    return language(request.headers.get("accept-language") or otherwise or "fr")


def problem(request: Request, failure: Failure, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A failure as the API tells it."""
    lang = getattr(request.state, "lang", None) or language_asked(request)
    status = _BY_CODE.get(failure.code) or STATUS.get(failure.exit, 500)
    told = failure.as_json(lang)
    body = {
        "type": KIND + failure.code, "title": _TITLES[status].in_(lang), "status": status,
        "detail": told.pop("message"), **told,
    }  # fmt: skip
    more = dict(headers or {})
    if status == 401:
        more.setdefault("WWW-Authenticate", _challenge(failure.code))
    if status in (429, 503):
        more.setdefault("Retry-After", "60" if status == 429 else "5")
    return JSONResponse(body, status, media_type=MEDIA, headers={"Content-Language": lang, **more})


def _challenge(code: str) -> str:
    """RFC 6750 and, where a fresh proof is wanted, RFC 9470."""
    if code == "no-token":
        return 'Bearer realm="release journeys"'
    return 'Bearer realm="release journeys", error="insufficient_user_authentication", max_age=0'


BAD_VALUE: Final = usage(
    "bad-value",
    "une valeur ne peut pas être lue (un caractère de contrôle, ou une forme inattendue) ; rien n'a été changé",
    "a value cannot be read (a control character, or an unexpected form); nothing was changed",
)
"""What the database cannot take as a value: the sender's slip, not the database's silence."""

NO_TOKEN: Final = Failure(
    Exit.REFUSED, "no-token",
    Said("il faut un jeton valable : Authorization: Bearer journeys_…",
         "a valid token is needed: Authorization: Bearer journeys_…"),
    Said("faites-en un sur la page « Mon compte », ou par « journeys staff token add »",
         "make one on the page “My account”, or with “journeys staff token add”"),
    field="Authorization",
)  # fmt: skip
