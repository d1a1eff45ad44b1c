"""What is known of a journey's person, corrected: name, how they are reached, by what somebody is proposed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.allowing import may, not_for
from journeys.app.cohorts import by_caseworker
from journeys.app.failures import Failure, usage
from journeys.app.finding import Loaded
from journeys.app.people_file import details_of, wrong_in
from journeys.app.telling import being_forgotten
from journeys.app.web.bodies import typed_in
from journeys.app.web.pages.commands import journey
from journeys.app.web.pages.start import ABOUT_PERSON, NAMES, labels
from journeys.app.web.policy import STAFF
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.store import people
from journeys.store.directory import AlreadyThere
from journeys.store.people import Details, Person

router = APIRouter()

STANDS_FOR: Final = "propose-mentor"
"""Whoever may look for people to suit somebody may say what they are chosen by."""


@router.get("/parcours/{id}/personne")
async def form(id: str, visit: Visit = door(STAFF)) -> Response:
    loaded, person = await _known(visit, id)
    return _form(visit, loaded, _texts(person.details))


@router.post("/parcours/{id}/personne")
async def change(id: str, visit: Visit = door(STAFF)) -> Response:
    """Change what was typed otherwise than it stood on the page: what somebody else changed meanwhile stays."""
    loaded, person = await _known(visit, id)
    typed = {name: text.strip() for name, text in typed_in(await visit.request.form()).items()}
    fields = {name: typed.get(name, "") for name in ABOUT_PERSON}
    now = _texts(person.details)
    wanted = now | {name: text for name, text in fields.items() if text != typed.get(f"was-{name}", "")}
    filled, called = {name: text for name, text in wanted.items() if text}, {name: name for name in wanted}
    wrong = [usage("missing", "à remplir", "to be filled in", field=name) for name in NAMES if not wanted[name]]
    if wrong := [*wrong, *wrong_in(filled, called)]:
        return _form(visit, loaded, now | fields, wrong, 422, typed)
    try:
        details = details_of(filled, called)
        by = by_caseworker(visit.actor, STANDS_FOR, loaded, visit.now)
        await people.change(visit.house.writing, person.id, replace(details, zone=person.details.zone), by)
    except AlreadyThere:
        taken = usage("reference-taken", "une autre personne a cette référence", "somebody else has this reference",
                      field="reference")  # fmt: skip
        return _form(visit, loaded, now | fields, [taken], 422, typed)
    except Failure as failure:
        if failure.code == "no-right":
            raise
        return _form(visit, loaded, now | fields, [failure], 422, typed)
    return go(f"/parcours/{id}")


async def _known(visit: Visit, id: str) -> tuple[Loaded, Person]:
    """The journey and its person. Raises Failure: not seen, not theirs to change, or being forgotten."""
    loaded = await journey(visit, id)
    if not may(visit.actor, loaded, STANDS_FOR):
        raise not_for(STANDS_FOR, loaded.book.programme)
    person = await people.person(visit.house.writing, loaded.state.person)
    if person is None:
        raise usage("nobody", "on ne sait plus rien de cette personne", "nothing is known of this person any more")
    if person.erasing:
        raise being_forgotten()
    return loaded, person


def _texts(details: Details) -> dict[str, str]:
    known = asdict(details)
    return {name: "" if known[name] is None else str(known[name]) for name in ABOUT_PERSON}


def _form(
    visit: Visit, loaded: Loaded, shown: Mapping[str, str], failures: Sequence[Failure] = (), status: int = 200,
    typed: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    was = {name: (typed or {}).get(f"was-{name}", shown[name]) for name in ABOUT_PERSON}
    return page(
        visit, "details.html", status, row=loaded.row, typed=shown, was=was, inputs=labels(visit),
        failures=[failure.beside_its_field() for failure in failures],
    )  # fmt: skip
