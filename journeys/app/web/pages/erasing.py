"""Effacement: what goes and what stays before it is confirmed, how far it is, and the certificate."""

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import erasing, stopping
from journeys.app.failures import Exit, Failure, Said
from journeys.app.finding import Loaded
from journeys.app.web.bodies import typed_in
from journeys.app.web.pages.commands import journey
from journeys.app.web.policy import SUPERVISION
from journeys.app.web.proof import require_proof
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.store import erasing as store
from journeys.store.directory import names_of

router = APIRouter()


@router.get("/parcours/{id}/effacement")
async def screen(id: str, visit: Visit = door(SUPERVISION)) -> Response:
    return await _screen(visit, await _seen(visit, id), {})


@router.post("/parcours/{id}/effacement")
async def order(id: str, visit: Visit = door(SUPERVISION)) -> Response:
    """After a proof anew: it cannot be taken back."""
    loaded, typed, house = await _seen(visit, id), typed_in(await visit.request.form()), visit.house
    by = stopping.by(visit.actor, "order-erasure", visit.now)
    await require_proof(visit)
    try:
        reason = erasing.reason_of(typed.get("reason", ""), "reason")
    except Failure as failure:
        return await _screen(visit, loaded, typed, failure)
    await visit.done()
    await erasing.order(
        house.writing, house.client, house.settings.task_queue, loaded.state.person, reason, by
    )  # fmt: skip
    return go(f"/parcours/{id}/effacement")


async def _seen(visit: Visit, id: str) -> Loaded:
    """The journey, of a person all of whose journeys the visitor sees. Raises Failure."""
    loaded = await journey(visit, id)
    mine = await store.streams_of(visit.connection, loaded.state.person)
    if mine != await store.streams_of(visit.house.writing, loaded.state.person):
        raise Failure(
            Exit.REFUSED, "journeys-elsewhere",
            Said("cette personne a un parcours sur un site qui n'est pas le vôtre",
                 "this person has a journey at a site that is not yours"),
            Said("demandez-le à un responsable de tous les sites", "ask a supervisor of all sites"),
        )  # fmt: skip
    return loaded


async def _screen(visit: Visit, loaded: Loaded, typed: Mapping[str, str], failure: Failure | None = None) -> Response:
    pool, person = visit.house.writing, loaded.state.person
    known = await store.ordered(pool, person)
    found = told = None
    if known is None:
        told = erasing.told(await erasing.held(pool, visit.house.settings, person), visit.lang)
    elif known.certificate is not None:
        who = (await names_of(pool, [known.by])).get(known.by)
        found = await erasing.certificate(pool, known, who, visit.lang)
    return page(
        visit, "erasing.html", 422 if failure else 200, row=loaded.row, known=known, certificate=found,
        told=found.told if found else told, reasons=erasing.REASONS, typed=typed,
        failure=failure.beside_its_field() if failure else None,
    )  # fmt: skip
