"""Modèles de messages: what each says in both languages, filled in with examples; other words tried and kept."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import wordings
from journeys.app.failures import Exit, Failure
from journeys.app.stopping import may
from journeys.app.web.bodies import typed_in
from journeys.app.web.policy import STAFF, WORDING
from journeys.app.web.rendering import LANGUAGES, go, page
from journeys.app.web.visit import Visit, door
from journeys.app.wordings import Known, Shown
from journeys.authoring.templates import TemplateInvalid, check_edit
from journeys.store import templates

router = APIRouter()


@router.get("/modeles")
async def listed(visit: Visit = door(STAFF)) -> Response:
    return page(
        visit, "templates.html", found=await wordings.all_known(visit.connection), audiences=wordings.AUDIENCES
    )  # fmt: skip


@router.get("/modeles/{template}")
async def one(template: str, visit: Visit = door(STAFF)) -> Response:
    known = await wordings.known(visit.connection, template)
    return page(
        visit, "template.html", known=known, previews=wordings.previews(known.template, visit.lang),
        audiences=wordings.AUDIENCES, versions=await templates.versions(visit.house.writing, template),
        edits=may(visit.actor, "edit-template"), note=visit.request.query_params.get("note", ""),
    )  # fmt: skip


@router.get("/modeles/{template}/modifier")
async def form(template: str, visit: Visit = door(WORDING)) -> Response:
    known = await wordings.known(visit.connection, template)
    return _form(visit, known, wordings.written(known.template), known.wording)


@router.post("/modeles/{template}/modifier")
async def edit(template: str, visit: Visit = door(WORDING)) -> Response:
    """Try other words, or keep them; `reset` puts the shipped ones back."""
    known, typed = await wordings.known(visit.connection, template), typed_in(await visit.request.form())
    house, seen, act = visit.house, typed.get("seen", ""), typed.get("act", "")
    try:
        if act == "reset":
            await wordings.reset(house.writing, visit.actor, visit.now, template, seen)
            return go(f"/modeles/{template}?note=livre")
        raw = wordings.typed_template(template, typed, known.template.label)
        if act != "keep":
            return _form(visit, known, typed, seen, tried=wordings.previews(check_edit(raw, template), visit.lang))
        await wordings.edit(house.writing, visit.actor, visit.now, template, raw, seen)
    except TemplateInvalid as error:
        return _form(visit, known, typed, seen, [wordings.beside(each) for each in error.findings])
    except Failure as failure:
        if failure.code == "no-right":
            raise
        return _form(visit, known, typed, seen, [failure])
    return go(f"/modeles/{template}?note=garde")


def _form(
    visit: Visit, known: Known, typed: Mapping[str, str], seen: str, failures: Sequence[Failure] = (),
    tried: Sequence[Shown] = (),
) -> Response:  # fmt: skip
    status = 200 if not failures else 409 if any(each.exit is Exit.CONFLICT for each in failures) else 422
    return page(
        visit, "template-edit.html", status, known=known, typed=typed, seen=seen,
        failures=[failure.beside_its_field() for failure in failures], audiences=wordings.offered(known.name),
        pieces=wordings.PIECES, langs=LANGUAGES, variables=wordings.VARIABLES, previews=tried,
    )  # fmt: skip
