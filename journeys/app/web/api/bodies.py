"""What a program sends: one model a command, its own fields first, then its texts and when it happened."""

import json
import re
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, create_model

from journeys.app.attaching import Attached
from journeys.app.entry import LONGEST_TEXT
from journeys.app.failures import Exit, Failure, Said, usage
from journeys.app.fields import ABOUT, BESIDE, FILLED_IN, NAMES_RULES, commands, fields_of
from journeys.app.publishing import Rules
from journeys.app.web.api.problems import Unreadable, Wrong, unreadable
from journeys.app.web.api.shapes import A_COMMAND, SOMEBODY
from journeys.app.web.bodies import attached_of, carries_a_file, file_of
from journeys.domain import document
from journeys.domain.commands import BODIES, AnyBody, Body, Day, StaffId, When
from journeys.domain.payee import IBAN, PAYEE
from journeys.domain.programme import Code
from journeys.domain.record import Id

_PLAIN: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
"""No control character but line ends and tabs."""
_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
"""One line that says something."""
_WORDS: Final = _LINE.replace(r"\x00-\x1f", r"\x00-\x08\x0b\x0c\x0e-\x1f")
"""The same on several lines."""
Free = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, pattern=_PLAIN)]
Line = Annotated[str, Field(max_length=100, pattern=_LINE)]
Name = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=_WORDS)]
Iban = Annotated[str, Field(pattern="^[A-Za-z]{2}[0-9]{2}( ?[0-9A-Za-z]){8,30}$", json_schema_extra={"format": "iban"})]
"""An account that SEPA reaches: its length and key are those of its country (ISO 13616)."""

_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

_WHOLE: Final = re.compile("-?[0-9]{1,18}", re.ASCII)

LARGEST: Final = 1_000_000
"""Bytes of one request's JSON."""


class Sent(BaseModel):
    """Base of what is sent: JSON types are taken as they are, and an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SentWithAccount(Sent):
    """What may name an account: it is taken with the name of whoever is paid only, for an approval covers both."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"iban": {"type": "string"}}, "required": ["iban"]},
            "then": {"properties": {"payee": {"type": "string"}}, "required": ["payee"]},
        }
    )


class Described(Sent):
    """What is sent and written down here: the text beneath a field describes it."""

    # Pydantic reads the source for it: of the models that are made of the commands there is none, and that takes long.
    model_config = ConfigDict(use_attribute_docstrings=True)


_PHONE: Final = (
    r"^(?:\+[1-9](?:[ .-]?[0-9]){7,14}|0[ .-]?0[ .-]?[1-9](?:[ .-]?[0-9]){7,14}"
    r"|0[ .-]?[1-9](?:[ .-]?[0-9]){8}|[1-9](?:[ .-]?[0-9]){3,14})$"
)
"""As people write numbers: with the country's code, ten digits after a 0, or a number of elsewhere."""


class PersonSent(Described):
    """Who is accompanied."""

    first_name: Line
    last_name: Line
    birth_date: Day | None = None
    """Between 1900 and today."""
    reference: Line | None = None
    """Your own number; unique. By it, or by name and birth date, a person is known again."""
    email: (
        Annotated[
            str,
            Field(max_length=200, pattern=r"^[A-Za-z0-9_%+-]+(\.[A-Za-z0-9_%+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"),
        ]
        | None
    ) = None
    phone: Annotated[str, Field(pattern=_PHONE)] | None = None
    language: Annotated[str, Field(pattern="^(fr|en)$")] = "fr"
    place: Line | None = None
    """Town or district: mentors and partners are proposed by it, as by the two that follow."""
    languages: Line | None = None
    """Those that they speak, with commas."""
    interests: Line | None = None
    """With commas."""


_NO_OTHER: Final[dict[str, Any]] = {"additionalProperties": False}
Dates = Annotated[dict[Code, Day], Field(max_length=50, json_schema_extra=_NO_OTHER)]
Named = Annotated[str, Field(pattern="^([a-z][a-z0-9-]{0,39}|[0-9a-f]{64})$")]
"""A programme by its name, or by the SHA-256 of its text: see /programmes."""
_SENT_AS: Final[dict[str, Any]] = {"programme": Named, "dates": Dates}
"""Of the command that names rules: how two of its fields are sent; the calendar is not."""

_TEXTS: Final[dict[str, Any]] = {PAYEE: Name, IBAN: Iban}
"""Texts that are not free."""


class Start(Described):
    """Begin a journey."""

    programme: Code
    """The name of a programme: see /programmes."""
    person: PersonSent
    referent: StaffId
    """Who leads."""
    site: Code | None = None
    start: Day | None = None
    """The first day, if not today."""
    dates: Dates = {}
    """The programme's dates, such as `release`, as far as they are known."""
    watch_from: When | None = None
    """For a journey that began elsewhere: nothing older is owed."""
    happened: Annotated[tuple[Code, ...], Field(max_length=50)] = ()
    """Which of `dates` have happened already, of such a journey."""


START_EXAMPLE: Final = {
    "programme": "auxilia", "person": {"first_name": "Samir", "last_name": "Benali", "birth_date": "1999-04-02"},
    "referent": SOMEBODY, "dates": {"release": "2027-09-15"},
}  # fmt: skip


class Retry(Described):
    """Call for several blocked payments again: those named, or all that are blocked for one reason."""

    payments: Annotated[tuple[Id, ...], Field(max_length=1_000)] = ()
    reason: Code | None = None
    """All that are blocked for this reason, such as `fund-cap`."""
    fund: Code | None = None
    """Of these, from this fund only."""
    why: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


RETRY_EXAMPLE: Final = {"reason": "fund-cap", "fund": "parvis-solidaire", "why": "le fonds a été abondé"}


@dataclass(frozen=True, slots=True)
class Read:
    """A command's body as it was read."""

    body: AnyBody
    texts: dict[str, str]
    occurred_at: datetime | None
    attached: Attached | None = None
    rules: Rules | None = None


Find = Callable[[str], Awaitable[Rules]]
"""Finds the rules that a request names."""


@cache
def model_of(name: str) -> type[BaseModel]:
    """The model of a command's request."""
    kind = BODIES[name]
    fields: dict[str, Any] = {}
    for key, info in kind.model_fields.items():
        if key not in FILLED_IN:
            told = copy(info)
            told.description = _about(key)
            told.json_schema_extra = _NO_OTHER if key == "dates" else None
            fields[key] = (_SENT_AS.get(key, info.annotation) if name == NAMES_RULES else info.annotation, told)
    for part in _texts_of(kind):
        needed, text = part in kind.NEEDED | kind.ASKED, _TEXTS.get(part, Free)
        fields[part] = (
            text if needed else text | None,
            Field(... if needed else None, description=_about(part) + ("" if part in _TEXTS else ": free text")),
        )
    when = "when it happened, if not now: RFC 3339 with an offset"
    fields["occurred_at"] = (When | None, Field(None, description=when))
    title = "".join(word.capitalize() for word in name.split("-"))
    base = SentWithAccount if IBAN in fields else Sent
    made: type[BaseModel] = create_model(title, __base__=base, __doc__=(kind.__doc__ or "").strip() or None, **fields)
    return made


def _texts_of(kind: type[Body]) -> list[str]:
    """The free texts of a command, and what goes into one beside it; a document comes in a form."""
    return sorted((kind.PARTS | {BESIDE[part] for part in kind.PARTS & BESIDE.keys()}) - {document.PART})


def _about(field: str) -> str:
    """A field in a few words; how it is typed on the command line is not how it is sent."""
    words = ABOUT[field].en.partition(":")[0].partition("(")[0].partition(";")[0].strip()
    match field:
        case "amount":
            return "amount in cents"
        case "at" | "wish":
            return "when: RFC 3339 with an offset"
        case "or_at":
            return "other times that would also suit, four at most: RFC 3339 with an offset"
        case _:
            return words


def models() -> dict[str, type[BaseModel]]:
    """The request of every command that people give to a journey that exists, by its name."""
    return {name: model_of(name) for name in commands()}


_SAID: Final[dict[str, Any]] = {
    "amount": 60000, "answer": "coming", "appointment": A_COMMAND, "at": "2027-05-12T14:30:00+02:00",
    "channel": "sms", "chase": A_COMMAND, "result": "reached",
    "every": "week", "times": 4, "contact": "support", "language": "fr", "zone": "Indian/Reunion",
    "date": "release", "decision": "keep", "dates": {"release": "2027-10-01"},
    "description": "signed lease", "fate": "paid", "digest": "3" * 64, "escalation": A_COMMAND, "grant": A_COMMAND,
    "id": "lodging-asked", "kind": "exit-plan", "letter": "Could you receive this person?", "means": "phone",
    "measure": "housed", "mentor": SOMEBODY, "milestone": "lodging-asked", "minutes": 45, "note": "asked today",
    "number": 1, "on": "2027-10-01", "or_at": ["2027-05-13T09:00:00+02:00"],
    "outcome": "completed", "partner": SOMEBODY, "pay_by": "sepa",
    "programme": "auxilia", "watch_from": "2027-05-12T00:00:00+02:00",
    "iban": "FR7630006000011234567890189", "payee": "Auto-école du Pont", "payment": A_COMMAND,
    "place": "12, rue de la Paix", "purpose": "training",
    "reason": "postponed by the judge", "receipt": A_COMMAND, "referent": SOMEBODY, "referral": A_COMMAND,
    "since": "2027-05-01", "signed_for": "A. Benali",
    "site": "nanterre", "situation": "housing", "summons": False, "text": "called back",
    "to": SOMEBODY, "until": "2027-06-30", "value": "own", "what": "milestone", "why": "hospital", "window": 1,
}  # fmt: skip
_SAID_OF: Final[dict[str, dict[str, Any]]] = {
    "correct": {"to": "open"}, "request-grant": {"grant": "bourse"}, "close-appointment": {"outcome": "attended"},
    "measure-outcome": {"value": "yes"},
}  # fmt: skip


def takes_document(name: str) -> bool:
    """Whether a command can carry a document: it may then be sent as a form as well."""
    return document.PART in BODIES[name].PARTS


def form_schema(name: str) -> dict[str, Any]:
    """The schema of such a form: the fields of the model, and the file."""
    known = model_of(name).model_json_schema(ref_template="#/components/schemas/{model}")
    file = {"type": "string", "format": "binary", "description": "PDF, photo, Word or OpenDocument text, by its bytes."}
    plain = {key: _without_null(field) for key, field in known["properties"].items()}
    return {
        **known, "title": f"{known['title']}Form", "properties": {**plain, document.PART: file},
        "required": [*known.get("required", ()), document.PART],
    }  # fmt: skip


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """What may be left out of a form is never null there."""
    kinds: list[dict[str, Any]] = [kind for kind in field.get("anyOf", []) if kind != {"type": "null"}]
    return {key: value for key, value in field.items() if key not in ("anyOf", "default")} | (kinds or [{}])[0]


def example_of(name: str) -> dict[str, Any]:
    """What a request of this command may look like."""
    said = {**_SAID, **_SAID_OF.get(name, {})}
    return {key: said[key] for key in model_of(name).model_fields if key in said}


async def sent(request: Request, model: type[BaseModel]) -> Any:
    """The request's JSON as its model. Raises Failure: not JSON; Unreadable, which names every field."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Failure(
            Exit.USAGE, "not-json-media",
            Said("le contenu doit être de type application/json", "the content must be of type application/json"),
            field="Content-Type",
        )  # fmt: skip
    raw = await request.body()
    if len(raw) > LARGEST:
        raise Failure(Exit.USAGE, "too-large", Said("plus d'un mégaoctet", "more than a megabyte"), field="body")
    return taken(model, raw)


def taken(model: type[BaseModel], raw: bytes) -> Any:
    """JSON as its model. Raises as `sent` does."""
    try:
        given = _read(model, raw)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        if details[0]["type"] == "json_invalid":
            raise Failure(
                Exit.USAGE, "not-json",
                Said(f"ce n'est pas du JSON : {details[0]['msg']}", f"this is not JSON: {details[0]['msg']}"),
                field="body",
            ) from None  # fmt: skip
        raise unreadable(error) from None
    return _with_whole_instants(given, raw)


def _read(model: type[BaseModel], raw: bytes) -> BaseModel:
    """The model of some JSON; `20.0` is a whole number, as JSON Schema has it. Raises pydantic's ValidationError."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        if all(detail["type"] != "int_type" for detail in error.errors(include_url=False, include_input=False)):
            raise
        try:
            plain = json.loads(raw, parse_float=_whole)
        except ValueError:
            raise error from None
        return model.model_validate_json(json.dumps(plain))


def _whole(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _with_whole_instants(given: BaseModel, raw: bytes) -> BaseModel:
    """The same; instants that pydantic takes though RFC 3339 does not know them are refused. Raises Unreadable."""
    plain = json.loads(raw)
    wrong = [
        Wrong(field=name, code="datetime_parsing", message="write RFC 3339: 2027-05-12T14:30:00+02:00")
        for name in ("at", "or_at", "wish", "occurred_at", "watch_from")
        for text in _several(plain.get(name))
        if isinstance(text, str) and not _RFC3339.fullmatch(text)
    ]
    if wrong:
        raise Unreadable(wrong)
    return given


def _several(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said]


async def command_sent(request: Request, name: str, largest_document: int, find: Find) -> Read:
    """A command out of a request, which is JSON, or a form that was read and brings a document.

    `find` is asked for the rules that it names. Raises what `sent` and `find` raise; of a document also Failure:
    missing, empty, too large, of no kind that is taken.
    """
    if takes_document(name) and carries_a_file(request):
        form = await request.form()
        attached = await attached_of(file_of(form, document.PART), largest_document, document.PART)
        if attached is None:
            raise usage("missing", "il manque le fichier", "the file is missing", field=document.PART)
        # A file in another field is of no type that any field has.
        typed = {key: value if isinstance(value, str) else [] for key, value in form.items() if key != document.PART}
        given = taken(model_of(name), json.dumps(_numbered(name, typed)).encode())
        read = _read_as(name, given, None)
        return replace(read, texts={**read.texts, document.PART: attached.document.as_part()}, attached=attached)
    given = await sent(request, model_of(name))
    return _read_as(name, given, await find(given.programme) if name == NAMES_RULES else None)


def _numbered(name: str, typed: dict[str, Any]) -> dict[str, Any]:
    """What a form holds as text, its whole numbers as numbers."""
    numbers = {each.name for each in fields_of(name) if each.kind in ("amount", "number")}
    return {
        key: int(text) if key in numbers and isinstance(text, str) and _WHOLE.fullmatch(text) else text
        for key, text in typed.items()
    }


def _read_as(name: str, given: Any, rules: Rules | None) -> Read:
    kind = BODIES[name]
    texts = {part: text for part in _texts_of(kind) if (text := getattr(given, part)) is not None}
    own = {key: getattr(given, key) for key in kind.model_fields if hasattr(given, key)}
    own |= rules.named if rules is not None else {}
    try:
        body: Any = kind.model_validate(own)
    except ValidationError as error:
        raise unreadable(error) from None
    return Read(body, texts, given.occurred_at, rules=rules)
