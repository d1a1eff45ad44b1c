"""Journeys read by programs: lists, one journey, what comes by itself, its history, and what became of a command."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from journeys.app.failures import Failure, not_found
from journeys.app.inbox import waiting
from journeys.app.web.api.acting import etag
from journeys.app.web.api.entering import token_door
from journeys.app.web.api.shapes import (
    A_COMMAND,
    A_JOURNEY,
    Agenda,
    Answered,
    Due,
    History,
    Journey,
    Journeys,
    Recorded,
    Whole,
)
from journeys.app.web.pages.commands import journey, journey_told
from journeys.app.web.pages.documents import handed_out
from journeys.app.web.policy import READERS
from journeys.app.web.visit import Visit
from journeys.audit.reading import read_names
from journeys.domain.agenda import agenda
from journeys.domain.document import KINDS
from journeys.domain.evolve import fold
from journeys.domain.programme import Code
from journeys.domain.record import Id
from journeys.domain.state import dump
from journeys.narration import what_happens_next
from journeys.store import views
from journeys.store.evidence import command_of
from journeys.store.journal import parts

router = APIRouter(tags=["journeys"])

MOST: Final = 500
JourneyId = Annotated[Id, Path(description="The journey's id.", examples=[A_JOURNEY])]
CommandId = Annotated[Id, Path(description="The command's id: its Idempotency-Key.", examples=[A_COMMAND])]


Seq = Annotated[int, Path(ge=1, le=1_000_000_000, description="The event's seq.", examples=[12])]
BYTES: Final = {"type": "string", "format": "binary"}


class Filters(BaseModel):
    """What a list is filtered by; without filters, every open journey that the token's owner may see."""

    late: bool = Field(False, description="Late ones only.")
    phase: Code | None = Field(None, description="In this phase (code).")
    referent: Id | None = Field(None, description="Led by (id).")
    programme: Code | None = Field(None, description="Of this programme.")
    site: Code | None = Field(None, description="Of this site.")
    all: bool = Field(False, description="Closed ones too.")
    cursor: Id | None = Field(None, description="`next` of the page before.")
    limit: int = Field(100, ge=1, le=MOST, description="Journeys of a page at most.")


class Pages(BaseModel):
    """Which stretch of a history."""

    after: int = Field(0, ge=0, le=1_000_000_000, description="Events after this seq.")
    limit: int = Field(100, ge=1, le=MOST, description="Events of a page at most.")


class Few(BaseModel):
    """How many."""

    limit: int = Field(20, ge=1, le=MOST, description="How many at most.")


@router.get("/journeys", summary="Journeys", operation_id="listJourneys")
async def list_(filters: Annotated[Filters, Query()], visit: Visit = token_door(READERS)) -> Journeys:
    """Open journeys by id, a page at a time: those that the token's owner may look into, and no others."""
    rows = await views.journeys(
        visit.connection, late=filters.late, phase=filters.phase, referent=filters.referent, site=filters.site,
        programme=filters.programme, open_only=not filters.all, after=filters.cursor, limit=filters.limit + 1,
    )  # fmt: skip
    page = rows[: filters.limit]
    return Journeys(journeys=[Journey.of(row) for row in page], next=page[-1].id if len(rows) > filters.limit else None)


@router.get("/journeys/{id}", summary="A journey", operation_id="getJourney")
async def get(id: JourneyId, response: Response, visit: Visit = token_door(READERS)) -> Whole:
    """Where a journey stands and what waits on it. The ETag is its seq: send it back as `If-Match`."""
    loaded = await journey(visit, id)
    state, seq = loaded.state, loaded.row.seq
    if state.seq > seq:  # It went on since its row was read: answered is what stood then, and its ETag.
        state = fold(event for event in loaded.events if event.seq <= seq)
    response.headers.update(etag(state.seq))
    programmes = {loaded.row.programme: loaded.book.programme}
    return Whole.model_validate(
        {
            **Journey.of(loaded.row).model_dump(),
            "waiting": [item.as_json(visit.lang, programmes) for item in waiting(loaded.row, visit.now)],
            "state": dump(state),
        }
    )


@router.get("/journeys/{id}/agenda", summary="What comes by itself", operation_id="getAgenda")
async def next_(
    id: JourneyId, few: Annotated[Few, Query()], response: Response, visit: Visit = token_door(READERS)
) -> Agenda:
    """What happens unless something else happens first, in order."""
    loaded = await journey(visit, id)
    names = await read_names(visit.connection, loaded.events)
    response.headers.update(etag(loaded.state.seq))
    coming = [
        Due(
            at=due.at, kind=due.kind.name.lower(), id=due.id,
            text=what_happens_next(due, loaded.state, loaded.book, names, visit.lang),
        )
        for due in agenda(loaded.state)[: few.limit]
    ]  # fmt: skip
    return Agenda(agenda=coming)


@router.get("/journeys/{id}/events", summary="A journey's history", operation_id="listEvents")
async def events(
    id: JourneyId, pages: Annotated[Pages, Query()], response: Response, visit: Visit = token_door(READERS)
) -> History:
    """Every event as the journal holds it, a page at a time, with the texts that people wrote."""
    loaded = await journey(visit, id)
    written: dict[int, dict[str, str]] = {}
    for part in await parts(visit.connection, loaded.row.stream):
        written.setdefault(part.seq, {})[part.name] = part.text
    _, _, story = await journey_told(visit, id)
    told = {each.seq: each.text for day in story.days for each in day.told}
    page = loaded.events[pages.after : pages.after + pages.limit]
    response.headers.update(etag(loaded.state.seq))
    found = [Recorded.model_validate(_recorded(each, told, written)) for each in page]
    more = pages.after + pages.limit < len(loaded.events)
    return History(events=found, next=page[-1].seq if more else None)


def _recorded(event: Any, told: dict[int, str], written: dict[int, dict[str, str]]) -> dict[str, Any]:
    header = event.header()
    cause = header["caused_by"]
    kept = {name: header[name] for name in Recorded.model_fields if name in header and name != "caused_by"}
    return {
        **kept,
        "caused_by": {"stream": cause[0], "seq": cause[1]} if cause else None,
        "text": told.get(event.seq),
        "texts": written.get(event.seq, {}),
    }


@router.get("/journeys/{id}/answers/{command}", summary="What became of a command", operation_id="getAnswer")
async def answer(id: JourneyId, command: CommandId, visit: Visit = token_door(READERS)) -> Answered:
    """What a command was answered, by its id. 404 while the journal has not seen it: sending it again is safe."""
    loaded = await journey(visit, id)
    await visit.done()
    pool = visit.house.writing
    found = await command_of(pool, loaded.row.stream, command) or await command_of(
        pool, f"person-{loaded.state.person}", command
    )
    if found is None:
        raise _no_answer(command)
    return Answered.of(found.answer)


@router.get(
    "/journeys/{id}/documents/{seq}", summary="A document", operation_id="getDocument", response_class=Response,
    responses={200: {"content": {kind.media_type: {"schema": BYTES} for kind in KINDS.values()}}},
)  # fmt: skip
async def document(id: JourneyId, seq: Seq, visit: Visit = token_door(READERS)) -> Response:
    """The document that came with an event (its history tells of it under `texts.document`), as it was brought."""
    return await handed_out(visit, id, str(seq))


def _no_answer(command: str) -> Failure:
    failure = not_found(
        "no-answer", "le journal n'a pas (encore) vu cette demande", "the journal has not (yet) seen this command",
        field="command",
    )  # fmt: skip
    failure.command = command
    return failure
