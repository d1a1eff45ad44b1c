"""Modèles de messages: what each says in both languages, filled in with examples; other words tried and kept."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import wordings
from journeys.app.entry import clean_text
from journeys.app.failures import Exit, Failure
from journeys.app.stopping import may
from journeys.app.web.bodies import typed_in
from journeys.app.web.policy import STAFF, WORDING
from journeys.app.web.rendering import LANGUAGES, go, page
from journeys.app.web.visit import Visit, door
from journeys.app.wordings import Known
from journeys.authoring.templates import VARIABLES, TemplateInvalid, check_edit, like, preview
from journeys.channels.wording import Audience, Template
from journeys.store import templates

router = APIRouter()

PIECES: Final = ("subject", "text", "body")


@router.get("/modeles")
async def listed(visit: Visit = door(STAFF)) -> Response:
    return page(
        visit, "templates.html", found=await wordings.all_known(visit.connection), audiences=wordings.AUDIENCES,
        edits=may(visit.actor, "edit-template"),
    )  # fmt: skip


@router.get("/modeles/{name}")
async def one(name: str, visit: Visit = door(STAFF)) -> Response:
    known = await wordings.known(visit.connection, name)
    return page(
        visit, "template.html", known=known, previews=_previews(visit, known.template), audiences=wordings.AUDIENCES,
        versions=await templates.versions(visit.connection, name), edits=may(visit.actor, "edit-template"),
        note=visit.request.query_params.get("note", ""),
    )  # fmt: skip


@router.get("/modeles/{name}/modifier")
async def form(name: str, visit: Visit = door(WORDING)) -> Response:
    known = await wordings.known(visit.connection, name)
    return _form(visit, known, _written(known.template), known.wording)


@router.post("/modeles/{name}/modifier")
async def edit(name: str, visit: Visit = door(WORDING)) -> Response:
    """Try other words, or keep them; `reset` puts the shipped ones back."""
    known, typed = await wordings.known(visit.connection, name), typed_in(await visit.request.form())
    house, seen, act = visit.house, typed.get("seen", ""), typed.get("act", "")
    try:
        if act == "reset":
            await wordings.reset(house.writing, visit.actor, visit.now, name, seen)
            return go(f"/modeles/{name}?note=livre")
        raw = _read(name, typed)
        if act != "keep":
            return _form(visit, known, typed, seen, tried=check_edit(raw, name))
        await wordings.edit(house.writing, visit.actor, visit.now, name, raw, seen)
    except TemplateInvalid as error:
        return _form(visit, known, typed, seen, [wordings.beside(each) for each in error.findings])
    except Failure as failure:
        if failure.code == "no-right":
            raise
        return _form(visit, known, typed, seen, [failure])
    return go(f"/modeles/{name}?note=garde")


def _form(
    visit: Visit, known: Known, typed: Mapping[str, str], seen: str, failures: Sequence[Failure] = (),
    tried: Template | None = None,
) -> Response:  # fmt: skip
    status = 200 if not failures else 409 if any(each.exit is Exit.CONFLICT for each in failures) else 422
    return page(
        visit, "template-edit.html", status, known=known, typed=typed, seen=seen,
        failures=[failure.beside_its_field() for failure in failures], audiences=_offered(known.name), pieces=PIECES,
        langs=LANGUAGES, variables={audience: sorted(names) for audience, names in VARIABLES.items()},
        previews=_previews(visit, tried) if tried is not None else [],
    )  # fmt: skip


def _offered(name: str) -> dict[Audience, Any]:
    """Who a template may be written for: whoever the shipped one is."""
    return {audience: label for audience, label in wordings.AUDIENCES.items() if like(name).for_(audience) is not None}


def _previews(visit: Visit, template: Template) -> list[tuple[Audience, str, Any, str]]:
    found = [(audience, lang, preview(message, lang, audience))
             for audience, message in wordings.messages(template) for lang in LANGUAGES]  # fmt: skip
    return [(audience, lang, each, wordings.lengths(each.length, visit.lang) if each.length else "")
            for audience, lang, each in found]  # fmt: skip


def _written(template: Template) -> dict[str, str]:
    """A template as its form shows it: `participant.subject.fr`."""
    words = template.model_dump(mode="json", exclude_none=True)
    return {
        f"{audience}.{piece}.{lang}": text
        for audience in get_args(Audience)
        for piece, texts in words.get(audience, {}).items()
        for lang, text in texts.items()
    }


def _read(name: str, typed: Mapping[str, str]) -> bytes:
    """What was typed as a template's file. Raises Failure: a text that cannot be kept."""
    words: dict[str, Any] = {"template": name}
    for audience in _offered(name):
        message = {}
        for piece in PIECES:
            fields = {lang: f"{audience}.{piece}.{lang}" for lang in LANGUAGES}
            texts = {lang: clean_text(typed.get(field, ""), field) for lang, field in fields.items()}
            if piece != "text" or any(text.strip() for text in texts.values()):
                message[piece] = texts
        words[audience] = message
    return json.dumps(words, ensure_ascii=False).encode()
