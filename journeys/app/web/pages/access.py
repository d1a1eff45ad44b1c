"""Right of access: what is held about a journey's person, taken as one archive to be read and handed over."""

import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.accessing import GIVES, files_of, journeys_of
from journeys.app.failures import usage
from journeys.app.finding import Loaded
from journeys.app.web.pages.commands import journey
from journeys.app.web.pages.documents import file_name, handed_over, sender_of
from journeys.app.web.policy import SUPERVISION
from journeys.app.web.proof import require_proof
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.store import people
from journeys.store.directory import By
from journeys.store.people import Person

router = APIRouter()

ZIP: Final = "application/zip"


@dataclass(frozen=True, slots=True)
class _Asked:
    """The journey from whose page it was asked, its person, and every journey of theirs."""

    loaded: Loaded
    person: Person
    journeys: list[Loaded]


@router.get("/parcours/{id}/acces")
async def screen(id: str, visit: Visit = door(SUPERVISION)) -> Response:
    """What the archive will hold, and what is to be read in it before it is handed over."""
    asked = await _asked(visit, id)
    return page(visit, "access.html", row=asked.loaded.row, count=len(asked.journeys))


@router.post("/parcours/{id}/acces")
async def archive(id: str, visit: Visit = door(SUPERVISION)) -> Response:
    """The archive. That it was taken is on record before anybody has it."""
    await require_proof(visit)
    asked = await _asked(visit, id)
    await visit.done()
    pool, held, documents = visit.house.writing, BytesIO(), 0
    # In memory, as each document was when it was brought: nothing of it is to lie on the server's disk unsealed.
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        files = files_of(
            pool, asked.person, asked.journeys, visit.lang, visit.now, sender=sender_of(visit), ring=visit.house.ring,
            outbox=visit.house.settings.outbox_dir,
        )  # fmt: skip
        async for name, content in files:
            made.writestr(zipfile.ZipInfo(name, visit.now.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
            documents += name.startswith("document-")
    by = By(actor=visit.actor.id, role=GIVES, at=visit.now)
    await people.note_export(pool, asked.person.id, len(asked.journeys), documents, by)
    return handed_over(held.getvalue(), visit.say("acces-{name}.zip", name=file_name(asked.loaded)), ZIP)


async def _asked(visit: Visit, id: str) -> _Asked:
    """Raises Failure: not seen, a journey of another site among them, or nobody is known any more."""
    loaded, pool = await journey(visit, id), visit.house.writing
    person = await people.person(pool, loaded.state.person)
    if person is None:
        raise usage("nobody", "on ne sait plus rien de cette personne", "nothing is known of this person any more")
    return _Asked(loaded, person, await journeys_of(pool, person, visit.actor))
