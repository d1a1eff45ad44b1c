"""Arrêt des versements: whether every payment is stopped, by whom and why; stop them, let them go on."""

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import stopping
from journeys.app.failures import Failure
from journeys.app.web.acting import PATIENCE
from journeys.app.web.bodies import typed_in
from journeys.app.web.policy import STOPPING
from journeys.app.web.proof import require_proof
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.store import treasury

router = APIRouter()


@router.get("/arret")
async def screen(visit: Visit = door(STOPPING)) -> Response:
    return _screen(visit, {})


@router.post("/arret")
async def stop(visit: Visit = door(STOPPING)) -> Response:
    """At once, without a proof anew: it gives nothing out, and whoever is in doubt must not be held up."""
    typed = typed_in(await visit.request.form())
    by = stopping.by(visit.actor, "stop-payments", visit.now)
    try:
        why = stopping.reason(typed.get("why", ""), "why")
    except Failure as failure:
        return _screen(visit, typed, failure)
    await treasury.stop(visit.house.writing, why, by)
    return go("/arret?note=arret")


@router.post("/arret/reprise")
async def resume(visit: Visit = door(STOPPING)) -> Response:
    typed, house = typed_in(await visit.request.form()), visit.house
    by = stopping.by(visit.actor, "resume-payments", visit.now)
    await require_proof(visit)
    try:
        why = stopping.reason(typed.get("why", ""), "why")
    except Failure as failure:
        return _screen(visit, typed, failure)
    await visit.done()
    await stopping.resume(house.writing, house.ring, house.client, house.settings.task_queue, why, by, PATIENCE)
    return go("/arret?note=reprise")


def _screen(visit: Visit, typed: Mapping[str, str], failure: Failure | None = None) -> Response:
    return page(
        visit, "stopping.html", 422 if failure else 200, typed=typed, stop=visit.stopped,
        failure=failure.beside_its_field() if failure else None, note=visit.request.query_params.get("note", ""),
        resumes=stopping.may(visit.actor, "resume-payments"),
    )  # fmt: skip
