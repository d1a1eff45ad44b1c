"""Every command on a journey: its form, and what comes of it. The screens' buttons post here as well."""

from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.allowing import may, not_for
from journeys.app.asking import overlap
from journeys.app.attaching import TOO_LARGE
from journeys.app.failures import Exit, Failure, Said
from journeys.app.fields import NAMES_RULES, commands
from journeys.app.finding import Loaded, load, read_told
from journeys.app.telling import unanswered
from journeys.app.web.acting import Wrong, act, filled, is_stale, read
from journeys.app.web.changing import foreseen
from journeys.app.web.forms import form_of
from journeys.app.web.policy import STAFF
from journeys.app.web.proof import want_proof
from journeys.app.web.rendering import go, local_path, page
from journeys.app.web.resending import Sent, resend_page
from journeys.app.web.story import told_since
from journeys.app.web.visit import Visit, door
from journeys.audit.narrating import Story, StoryDay, narrate
from journeys.audit.reading import Recorded, read_names
from journeys.contract import Fate
from journeys.domain.handbook import Handbook
from journeys.identifiers import is_uuid, uuid7
from journeys.store import views
from journeys.store.database import LOST
from journeys.store.views import JourneyRow
from journeys.temporal import Unreachable

router = APIRouter()


@router.get("/parcours/{id}/agir/{command}")
async def form(id: str, command: str, visit: Visit = door(STAFF)) -> Response:
    """The form of a command; one that this visitor may never send is not opened."""
    loaded, known = await journey(visit, id), dict(visit.request.query_params)
    if command in commands() and not may(visit.actor, loaded, command, known):
        raise not_for(command, loaded.book.programme)
    return await _form(visit, loaded, command, known)


@router.post("/parcours/{id}/agir/{command}")
async def send(id: str, command: str, visit: Visit = door(STAFF)) -> Response:
    loaded = await journey(visit, id)
    asked = filled(command, await visit.request.form(), visit)
    typed = asked.typed
    back = local_path(typed.get("back"), f"/parcours/{id}")
    again = {**typed, "command": asked.id}
    await want_proof(visit, command)
    try:
        form = await read(visit, loaded, asked)
        if asked.seen is not None and await is_stale(visit, loaded, asked, form.body):
            since = await told_since(visit, loaded, asked.seen)
            return await _form(visit, loaded, command, {**again, "seen": str(loaded.state.seq)}, [_CHANGED], 409, since)
        taken = await overlap(visit.house.writing, loaded, form.body, asked.id)
        await act(visit, loaded, asked, form)
    except Wrong as wrong:
        status = 413 if any(each.code == TOO_LARGE for each in wrong.failures) else 422
        return await _form(visit, loaded, command, again, wrong.failures, status)
    except Failure as failure:
        if failure.code == "no-right":
            raise not_for(command, loaded.book.programme, failure.command) from None
        # A refused command is on record under its id: another try is another command.
        status = 409 if failure.code == "erasing" else {Exit.REFUSED: 403, Exit.CONFLICT: 409}.get(failure.exit, 422)
        return await _form(visit, loaded, command, {**typed, "command": uuid7(visit.now)}, [failure], status)
    except Unreachable as error:
        return await _no_answer(visit, loaded, command, Sent(again, asked.file is not None), error)
    return go(back, command, overlaps=taken is not None)


async def _no_answer(visit: Visit, loaded: Loaded, command: str, sent: Sent, error: Unreachable) -> Response:
    """What was not taken may still be changed; what may have been taken can only be sent again as it is."""
    failure = unanswered(error.fate, error.command_id)
    if error.fate is Fate.NOT_TAKEN:
        with suppress(*LOST):
            return await _form(visit, loaded, command, sent.typed, [failure], 503)
    return resend_page(visit, failure, sent, back=local_path(sent.typed.get("back"), f"/parcours/{loaded.row.id}"))


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
    visit.looks_into(row.id)
    return row


async def journey_told(
    visit: Visit,
    id: str,
    choose: Callable[[Sequence[Recorded], Handbook], Container[int]] | None = None,
    most: int | None = None,
) -> tuple[Loaded, dict[str, str], Story]:
    """A journey that the visitor may see, the names in it, and its story; the connection is given back.

    `choose` says which seqs are told, `most` how much of what comes; None: all.
    """
    row = await journey_row(visit, id)
    events, book, texts = await read_told(visit.connection, row)
    names = await read_names(visit.connection, events)
    await visit.done()
    only = choose(events, book) if choose is not None else None
    story = narrate(events, texts, names, book, visit.lang, only, most)
    return Loaded(row, story.state, book, events), names, story


_CHANGED: Final = Failure(
    Exit.CONFLICT, "changed",
    Said("quelqu'un a changé la même chose depuis que vous avez ouvert la page ; votre demande n'est pas partie",
         "somebody has changed the same thing since you opened the page; your request was not sent"),
    Said("lisez ci-dessous ce qui a changé, puis enregistrez de nouveau si c'est toujours juste",
         "read below what changed, then save again if it is still right"),
)  # fmt: skip


async def _form(
    visit: Visit, loaded: Loaded, command: str, typed: Mapping[str, Any], failures: Sequence[Failure] = (),
    status: int = 200, since: Sequence[StoryDay] = (),
) -> Response:  # fmt: skip
    fields = await form_of(visit, loaded, command, typed)
    template, more = "command.html", {}
    if command == NAMES_RULES:
        template, more = "change.html", {"seen": await foreseen(visit, loaded, typed)}
    return page(
        visit, template, status, **more, loaded=loaded, row=loaded.row, command=command, fields=fields,
        failures=failures,
        typed=typed, carries_a_file=any(each.shape == "file" for each in fields),
        id=typed.get("command") or uuid7(visit.now), seq=loaded.state.seq,
        since=since, back=local_path(typed.get("back"), f"/parcours/{loaded.row.id}"),
    )  # fmt: skip
