"""Every command on a journey: its form, and what comes of it. The screens' buttons post here as well."""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.attaching import TOO_LARGE
from journeys.app.failures import Exit, Failure, Said
from journeys.app.finding import Loaded, load, read_journey
from journeys.app.web.acting import Wrong, act, filled
from journeys.app.web.forms import form_of
from journeys.app.web.policy import STAFF
from journeys.app.web.proof import want_proof
from journeys.app.web.rendering import go, local_path, page
from journeys.app.web.visit import Visit, door
from journeys.audit.narrating import Story, narrate
from journeys.audit.reading import Recorded, read_names
from journeys.domain.handbook import Handbook
from journeys.identifiers import is_uuid, uuid7
from journeys.store import views
from journeys.store.journal import parts
from journeys.store.views import JourneyRow

router = APIRouter()


@router.get("/parcours/{id}/agir/{command}")
async def form(id: str, command: str, visit: Visit = door(STAFF)) -> Response:
    loaded = await journey(visit, id)
    return await _form(visit, loaded, command, dict(visit.request.query_params))


@router.post("/parcours/{id}/agir/{command}")
async def send(id: str, command: str, visit: Visit = door(STAFF)) -> Response:
    loaded = await journey(visit, id)
    asked = filled(command, await visit.request.form(), visit)
    typed = asked.typed
    back = local_path(typed.get("back"), f"/parcours/{id}")
    again = {**typed, "command": asked.id}
    await want_proof(visit, command)
    if (changed := await _changed_since(visit, loaded, asked.seen)) is not None:
        return await _form(visit, loaded, command, {**again, "seen": str(loaded.state.seq)}, [changed], 409)
    try:
        await act(visit, loaded, asked)
    except Wrong as wrong:
        status = 413 if any(each.code == TOO_LARGE for each in wrong.failures) else 422
        return await _form(visit, loaded, command, again, wrong.failures, status)
    except Failure as failure:
        # A refused command is on record under its id: another try is another command.
        status = {Exit.REFUSED: 403, Exit.CONFLICT: 409}.get(failure.exit, 422)
        return await _form(visit, loaded, command, {**typed, "command": uuid7(visit.now)}, [failure], status)
    return go(back, command)


async def journey(visit: Visit, id: str) -> Loaded:
    """A journey that the visitor may see, folded. Raises Failure: not found, or not theirs, which is told alike."""
    return await load(visit.connection, await journey_row(visit, id))


async def journey_row(visit: Visit, id: str) -> JourneyRow:
    """A journey that the visitor may see, as lists show it. Raises as `journey` does."""
    row = await views.journey(visit.connection, id) if is_uuid(id) else None
    if row is None:
        raise Failure(
            Exit.NOT_FOUND, "unknown-journey",
            Said("ce parcours n'existe pas, ou ne vous est pas ouvert",
                 "there is no such journey, or it is not open to you"),
            Said("cherchez la personne par son nom, ou demandez à la personne qui la suit",
                 "search the person by name, or ask who leads the journey"),
        )  # fmt: skip
    return row


async def journey_told(
    visit: Visit, id: str, choose: Callable[[Sequence[Recorded], Handbook], Container[int]] | None = None
) -> tuple[Loaded, dict[str, str], Story]:
    """A journey that the visitor may see, the names in it, and its story; the connection is given back.

    `choose` says which seqs are told; None: all.
    """
    row = await journey_row(visit, id)
    events, book = await read_journey(visit.connection, row)
    texts = await parts(visit.connection, row.stream)
    names = await read_names(visit.connection, events)
    await visit.done()
    story = narrate(events, texts, names, book, visit.lang, choose(events, book) if choose is not None else None)
    return Loaded(row, story.state, book, events), names, story


async def _changed_since(visit: Visit, loaded: Loaded, seen: int | None) -> Failure | None:
    """Somebody else acted on this journey after the page was opened: they see what, and decide again."""
    if seen is None or seen >= loaded.state.seq:
        return None
    others = [e for e in loaded.events[seen:] if e.command is not None and e.actor not in (visit.visitor.id, "system")]
    if not others:
        return None
    return Failure(
        Exit.CONFLICT, "changed",
        Said("quelqu'un a agi sur ce parcours depuis que vous avez ouvert la page ; votre demande n'est pas partie",
             "somebody acted on this journey since you opened the page; your request was not sent"),
        Said("relisez ce qui a changé sur la page de la personne, puis envoyez de nouveau si c'est toujours juste",
             "read what changed on the person's page, then send again if it is still right"),
    )  # fmt: skip


async def _form(
    visit: Visit, loaded: Loaded, command: str, typed: Mapping[str, Any], failures: Sequence[Failure] = (),
    status: int = 200,
) -> Response:  # fmt: skip
    fields = await form_of(visit, loaded, command, typed)
    return page(
        visit, "command.html", status, loaded=loaded, row=loaded.row, command=command, fields=fields, failures=failures,
        typed=typed, carries_a_file=any(each.shape == "file" for each in fields),
        id=typed.get("command") or uuid7(visit.now), seq=loaded.state.seq,
        back=local_path(typed.get("back"), f"/parcours/{loaded.row.id}"),
    )  # fmt: skip
