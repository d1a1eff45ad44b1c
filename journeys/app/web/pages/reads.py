"""Consultations: who opened whose file, when, in which role and by which way."""

from datetime import datetime
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.seeing_reads import ENTRIES, WORDS
from journeys.app.web.policy import OVERSEEING
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.identifiers import is_uuid
from journeys.store import reads, staff

router = APIRouter()

HERE: Final = "/controle/consultations"
A_PAGE: Final = 100


@router.get(HERE)
async def screen(visit: Visit = door(OVERSEEING)) -> Response:
    """`parcours` and `par` (an id) choose; `avant` (an instant) goes on from there. No name of a person stands here."""
    query, pool = visit.request.query_params, visit.house.writing
    journey, by = (query.get(name, "") for name in ("parcours", "par"))
    await visit.done()
    members = await staff.members(pool)
    found = await reads.noted(
        pool, journey=journey if is_uuid(journey) else None, staff=by if is_uuid(by) else None,
        before=_instant(query.get("avant", "")), limit=A_PAGE + 1,
    )  # fmt: skip
    return page(
        visit, "reads.html", found=found[:A_PAGE], more=found[A_PAGE - 1].at.isoformat() if len(found) > A_PAGE else "",
        alarms=await reads.many(pool, visit.house.settings.reads_an_hour), most=visit.house.settings.reads_an_hour,
        months=visit.house.settings.reads_kept_months, members=members, by=by, journey=journey,
        opens=visit.holds("auditor"),
        looks={look: visit.say(word) for look, word in WORDS.items()},
        entries={entry: visit.say(word) for entry, word in ENTRIES.items()},
    )  # fmt: skip


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
