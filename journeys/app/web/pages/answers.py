"""What a journey's record answers to an auditor: what was due and what became of it, and who did what of each grant."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.web.pages.commands import journey_told
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.audit import duties as acts
from journeys.audit import obligations as owed
from journeys.audit.obligations import Outcome
from journeys.narration.telling import Speech
from journeys.store import staff

router = APIRouter()

TONES: Final = {
    Outcome.MET: "done", Outcome.MISSED: "late", Outcome.CANCELLED: "calm", Outcome.OPEN: "soon",
    Outcome.SILENT: "late",
}  # fmt: skip


@router.get("/parcours/{id}/obligations")
async def obligations(id: str, visit: Visit = door(READERS)) -> Response:
    """Every obligation, recomputed from the record now."""
    loaded, names, _ = await journey_told(visit, id, lambda events, book: ())
    found = owed.obligations(loaded.events, loaded.book, visit.now)
    speech = Speech(loaded.book, names, visit.lang, loaded.state)
    return page(
        visit, "owed.html", row=loaded.row, counted=owed.counted(found, visit.lang), silent=len(owed.silent(found)),
        lines=[(owed.told(each, speech), visit.say(owed.OUTCOMES[each.outcome]), TONES[each.outcome])
               for each in found],
    )  # fmt: skip


@router.get("/parcours/{id}/roles")
async def duties(id: str, visit: Visit = door(READERS)) -> Response:
    """Each act about each grant, and what should not have been."""
    loaded, names, _ = await journey_told(visit, id, lambda events, book: ())
    careers = await acts.careers(visit.house.writing, acts.actors(loaded.events))
    erased = await staff.erased(visit.house.writing, acts.actors(loaded.events) - names.keys())
    speech = Speech(loaded.book, names, visit.lang, loaded.state)
    grants = [
        (speech.grant(each.grant), each.amount, [acts.told(duty, speech, erased) for duty in each.duties],
         [visit.say(acts.BREACHES[breach]) for breach, _ in each.breaches])
        for each in acts.duties(loaded.events, careers)
    ]  # fmt: skip
    return page(visit, "duties.html", row=loaded.row, grants=grants, breaches=sum(len(each[3]) for each in grants))
