"""Messages of a journey: each with where it stands, so that nobody believes that words arrived which did not."""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.web.pages.commands import journey_told
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.audit import messages as sent
from journeys.audit.messages import Fate
from journeys.domain.messages import PARTICIPANT
from journeys.narration.telling import Speech
from journeys.store import attempts, deliveries

router = APIRouter()

TONES: Final = {
    Fate.PLANNED: "calm", Fate.WAITING: "soon", Fate.LEAVING: "soon", Fate.SENT: "done", Fate.SILENT: "late",
    Fate.DELIVERED: "done", Fate.BOUNCED: "late", Fate.FAILED: "late", Fate.UNKNOWN: "late", Fate.SUPPRESSED: "calm",
}  # fmt: skip


@router.get("/parcours/{id}/messages")
async def screen(id: str, visit: Visit = door(READERS)) -> Response:
    """Every message, recomputed from the record now, with the attempts to reach the person."""
    loaded, names, _ = await journey_told(visit, id, lambda events, book: ())
    pool, silence = visit.house.writing, timedelta(hours=visit.house.settings.sms.silent_hours)
    found = sent.sendings(
        loaded.events, loaded.state, loaded.book, await attempts.of_journey(pool, loaded.row.stream),
        await deliveries.silent_of(pool, loaded.row.stream, silence),
    )  # fmt: skip
    doubted = [each for each in found if each.fate in sent.LOOKED_AT]
    speech = Speech(loaded.book, names, visit.lang, loaded.state)
    return page(
        visit, "messages.html", row=loaded.row, counted=sent.counted(found, visit.lang),
        wrong=sum(each.to == PARTICIPANT for each in doubted), others=sum(each.to != PARTICIPANT for each in doubted),
        lines=[
            (speech.when(each.at), speech.recipient(each.to, each.person), speech.spoken(each.purpose),
             speech.about(each.about), sent.told(each, speech), TONES[each.fate], sent.passed_over(each, speech))
            for each in found
        ],
    )  # fmt: skip
