"""Lettres à poster: messages that go on paper, each to be printed and posted by whoever leads the journey."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import posting
from journeys.app.reading import read_day, today_of
from journeys.app.stopping import by
from journeys.app.web.pages.commands import journey
from journeys.app.web.pages.documents import PDF, file_name, handed_over, sender_of
from journeys.app.web.policy import CASEWORK
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.store import paper_letters, staff, views

router = APIRouter()


@router.get("/courriers")
async def listed(visit: Visit = door(CASEWORK)) -> Response:
    found = await paper_letters.waiting(visit.connection, visit.now)
    rows = {each.journey: await views.journey(visit.connection, each.journey) for each in found}
    return page(
        visit, "posting.html", found=[(each, rows[each.journey]) for each in found],
        note=visit.request.query_params.get("note", ""), day_of=today_of,
    )  # fmt: skip


@router.get("/courriers/{message}.pdf")
async def printed(message: str, visit: Visit = door(CASEWORK)) -> Response:
    """The letter to print, in the person's language, with the reader's name below it."""
    found, words = await posting.to_post(visit.connection, message, visit.now)
    loaded = await journey(visit, found.journey)
    me = await staff.member(visit.connection, visit.visitor.id)
    phone = me.phone if me is not None else None
    hand = posting.hand(sender_of(visit), visit.visitor.name, visit.actor.roles, phone)
    await visit.done()
    made = await asyncio.to_thread(posting.printed, loaded, found, words, hand)
    return handed_over(made, visit.say("lettre-{name}.pdf", name=file_name(loaded)), PDF)


@router.post("/courriers/{message}/postee")
async def posted(message: str, visit: Visit = door(CASEWORK)) -> Response:
    """It was posted, or handed over: a fact of the person's. Sent twice it is one.

    One that is not for posting any more may have been before: then it is said on which day.
    """
    typed = str((await visit.request.form()).get("on", "")).strip()
    on = read_day(typed, visit.say("Jour")) if typed else None
    found = await posting.was_posted(visit.connection, visit.house.writing, message, visit.now, on)
    who = by(visit.actor, "post-letter", visit.now)
    await paper_letters.posted(visit.house.writing, found.message, who, on)
    return go("/courriers?note=postee")
