"""Commands of programs: one address each under a journey, and the beginning of a journey."""

import json
from dataclasses import replace
from typing import Any, Final

from asyncpg import PostgresError
from fastapi import APIRouter, Request, Response

from journeys.app.allowing import who_may
from journeys.app.asking import worth_knowing
from journeys.app.changing import rules_asked
from journeys.app.failures import Failure
from journeys.app.finding import unknown_code
from journeys.app.hours import at_its_site
from journeys.app.paying import with_account
from journeys.app.people_file import details_of
from journeys.app.publishing import Rules, programme_text_of, rules
from journeys.app.reading import today_of
from journeys.app.starting import Beginning, Starter
from journeys.app.web.api import bodies
from journeys.app.web.api.acting import (
    Asked,
    Key,
    Seen,
    act,
    etag,
    seq_of,
    settled,
    unanswered,
    unknown_fate,
    used_otherwise,
)
from journeys.app.web.api.entering import CODE_HEADER, read_upload, token_door
from journeys.app.web.api.problems import ROOT
from journeys.app.web.api.reading import JourneyId
from journeys.app.web.api.shapes import Answered, Done, Journey, Warning
from journeys.app.web.bodies import carries_a_file
from journeys.app.web.pages.commands import journey
from journeys.app.web.policy import CASEWORK, STAFF
from journeys.app.web.proof import WANTED
from journeys.app.web.visit import Visit
from journeys.contract import Answer
from journeys.domain.document import KINDS, PART
from journeys.i18n import capital
from journeys.narration import command_word
from journeys.store import people, staff, views
from journeys.store.evidence import RecordedCommand, command_of
from journeys.store.journal import said_before
from journeys.store.people import Details
from journeys.temporal import Malformed, Unreachable

router = APIRouter(tags=["commands"])

_PROOF: Final = [
    {
        "name": CODE_HEADER, "in": "header", "required": False, "schema": {"type": "string", "pattern": "^[0-9]{6}$"},
        "description": "The six digits of the moment: money wants a fresh proof, a token is not enough.",
        "example": "492039",
    }
]  # fmt: skip


def content(ref: str, example: Any) -> dict[str, Any]:
    """The request body of an operation, for OpenAPI."""
    schema = {"$ref": f"#/components/schemas/{ref}"}
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}


def _content_of(name: str) -> dict[str, Any]:
    """The request body of a command; as a form, where it may bring a document."""
    told = content(bodies.model_of(name).__name__, bodies.example_of(name))
    if bodies.takes_document(name):
        kinds = ", ".join(kind.media_type for kind in KINDS.values())
        told["content"]["multipart/form-data"] = {
            "schema": bodies.form_schema(name), "encoding": {PART: {"contentType": kinds}},
        }  # fmt: skip
    return told


# --- one route a command


def _route(name: str) -> None:
    async def give(request: Request, id: JourneyId, key: Key, response: Response, seen: Seen = None,
                   visit: Visit = token_door(STAFF)) -> Done:  # fmt: skip
        if bodies.takes_document(name) and carries_a_file(request):
            await read_upload(visit)
        loaded = await journey(visit, id)

        async def find(asked: str) -> Rules:
            pool = visit.house.writing
            before = await said_before(pool, key, [loaded.row.stream]) or {}
            return await rules_asked(pool, asked, loaded, visit.now, before.get("fields", {}).get("programme"))

        read = await bodies.command_sent(request, name, visit.house.settings.largest_document, find)
        body = await at_its_site(visit.house.writing, loaded, read.body)
        read = replace(read, body=body, texts=with_account(body, read.texts, loaded))
        warned = await worth_knowing(visit.house.writing, loaded, read.body, key)
        answer = await act(visit, loaded, Asked(name, read, key, seq_of(seen)))
        row = await views.journey(visit.house.writing, id) or loaded.row
        response.headers.update(etag(row.seq))
        told = Warning(code=warned.code, message=warned.what.in_(visit.lang)) if warned is not None else None
        return Done(answer=Answered.of(answer), journey=Journey.of(row), warning=told)

    router.add_api_route(
        f"/journeys/{{id}}/commands/{name}", give, methods=["POST"],
        summary=capital(command_word(name, "en")), description=f"Who may: {who_may(name, 'en')}.",
        operation_id="".join(word.capitalize() if nth else word for nth, word in enumerate(name.split("-"))),
        openapi_extra={
            "requestBody": _content_of(name),
            **({"parameters": _PROOF} if name in WANTED else {}),
        },
    )  # fmt: skip


for _name in bodies.models():
    _route(_name)


# --- beginning


@router.post(
    "/journeys", status_code=201, summary="Begin a journey", operation_id="startJourney",
    openapi_extra={"requestBody": content("Start", bodies.START_EXAMPLE)},
)  # fmt: skip
async def start(request: Request, key: Key, response: Response, visit: Visit = token_door(CASEWORK)) -> Done:
    """Register the person where nobody of this reference, or name and birth date, is known, and plan the journey.

    The Idempotency-Key becomes the journey's id: the same start sent again begins nothing new.
    """
    given: bodies.Start = await bodies.sent(request, bodies.Start)
    details = _details(given.person)
    await visit.done()
    answer = await _again(visit, given, details, key) or await _begin(visit, given, details, key)
    row = await views.journey(visit.house.writing, key)
    if row is None:
        raise unknown_fate(key)
    response.headers.update({**etag(row.seq), "Location": f"{ROOT}/journeys/{key}"})
    return Done(answer=Answered.of(answer), journey=Journey.of(row))


async def _begin(visit: Visit, given: bodies.Start, details: Details, key: str) -> Answer:
    house = visit.house
    starter, wanted = await _ready(visit, given, details)
    try:
        client = await house.client()
        begun = await starter.begin(client, house.settings.task_queue, wanted, visit.now, key)
    except Failure as failure:
        raise (used_otherwise(key) if failure.code == "id-used" else failure) from None
    except (Unreachable, Malformed) as error:
        raise unanswered(error, key, key) from None
    except (OSError, PostgresError) as error:
        raise unknown_fate(key) from error
    return settled(begun.answer, None)


async def _ready(visit: Visit, given: bodies.Start, details: Details) -> tuple[Starter, Beginning]:
    pool = visit.house.writing
    found = rules(await programme_text_of(pool, given.programme), today_of(visit.now), given.start)
    for name in given.dates:
        if name not in found.programme.dates:
            raise unknown_code("date", name, found.programme.dates, f"dates.{name}")
    leader = await staff.member(pool, given.referent)
    if leader is None or not leader.active:
        raise unknown_code("staff", given.referent, [], "referent")
    wanted = Beginning(details=details, referent=leader, dates=dict(given.dates), start=given.start, site=given.site,
                       watch_from=given.watch_from, happened=given.happened)  # fmt: skip
    return Starter(pool, visit.house.ring, found, visit.actor), wanted


async def _again(visit: Visit, given: bodies.Start, details: Details, key: str) -> Answer | None:
    """What this key was answered, when it began a journey before. Raises Failure: with other content, by others."""
    before = await command_of(visit.house.writing, f"journey-{key}", key)
    if before is None:
        if await views.journey(visit.house.writing, key) is not None:
            raise used_otherwise(key)
        return None
    if not await _says_the_same(visit, given, details, before):
        raise used_otherwise(key)
    return settled(before.answer, None)


_NOTHING: Final[dict[str, Any]] = {"happened": []}
"""How a field reads that is not written while it has nothing."""


async def _says_the_same(visit: Visit, given: bodies.Start, details: Details, before: RecordedCommand) -> bool:
    signed = json.loads(before.signed)
    fields: dict[str, Any] = signed["fields"]
    row = await views.journey(visit.house.writing, signed["stream"].removeprefix("journey-"))
    person = await people.person(visit.house.writing, fields.get("person", ""))
    sent = given.model_dump(mode="json", exclude={"person", "programme", "site"})
    return (
        (signed["name"], signed["actor"]) == ("plan", visit.visitor.id)
        and all(fields.get(name, _NOTHING.get(name)) == value for name, value in sent.items())
        and given.site in (None, fields["site"])
        and (row is None or row.programme == given.programme)
        and (person is None or _named(person.details) == _named(details))
    )


def _named(details: Details) -> Details:
    """What a person is known by: how they are reached, where they live and what they like may have changed since."""
    return replace(
        details, email=None, phone=None, language="fr", zone="", place=None, languages=None, interests=None
    )  # fmt: skip


def _details(person: bodies.PersonSent) -> Details:
    """As the store keeps a person. Raises Failure."""
    typed = {name: str(value) for name, value in person.model_dump(mode="json").items() if value is not None}
    return details_of(typed, {name: f"person.{name}" for name in bodies.PersonSent.model_fields})
