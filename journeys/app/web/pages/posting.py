"""Lettres à poster: messages that go on paper, each to be printed and posted by whoever leads the journey."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import papers
from journeys.app.failures import Exit, Failure, Said, not_found
from journeys.app.stopping import by
from journeys.app.web.pages.commands import journey
from journeys.app.web.pages.documents import PDF, file_name, handed_over, sender_of
from journeys.app.web.policy import CASEWORK
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.i18n import language
from journeys.identifiers import is_uuid
from journeys.narration import spoken
from journeys.store import paper_letters, staff, views
from journeys.store.paper_letters import Waiting, Words

router = APIRouter()


@router.get("/courriers")
async def listed(visit: Visit = door(CASEWORK)) -> Response:
    found = await paper_letters.waiting(visit.connection, visit.now)
    rows = {each.journey: await views.journey(visit.connection, each.journey) for each in found}
    return page(
        visit, "posting.html", found=[(each, rows[each.journey]) for each in found],
        note=visit.request.query_params.get("note", ""),
    )  # fmt: skip


@router.get("/courriers/{message}.pdf")
async def printed(message: str, visit: Visit = door(CASEWORK)) -> Response:
    """The letter to print, in the person's language, with the reader's name below it."""
    found, words = await _letter(visit, message)
    loaded = await journey(visit, found.journey)
    me = await staff.member(visit.connection, visit.visitor.id)
    role = next((role for role in visit.actor.roles if role in ("referent", "supervisor")), visit.actor.roles[0])
    hand = papers.Hand(sender_of(visit), visit.visitor.name, role, (me.phone or "") if me is not None else "")
    await visit.done()
    made = await asyncio.to_thread(
        papers.free_letter, loaded, words.recipient, "", words.subject, words.body, language(words.lang), found.at, hand
    )
    return handed_over(made, visit.say("lettre-{name}.pdf", name=file_name(loaded)), PDF)


@router.post("/courriers/{message}/postee")
async def posted(message: str, visit: Visit = door(CASEWORK)) -> Response:
    """It was posted, or handed over: a fact of the person's. Sent twice it is one."""
    found, _ = await _letter(visit, message)
    who = by(visit.actor, "post-letter", visit.now)
    await paper_letters.posted(visit.house.writing, found.message, who)
    return go("/courriers?note=postee")


async def _letter(visit: Visit, message: str) -> tuple[Waiting, Words]:
    """A letter that the visitor may see. Raises Failure: there is none, it is not for posting, or nobody reads it."""
    found = await paper_letters.words_of(visit.connection, message, visit.now) if is_uuid(message) else None
    if found is None:
        raise not_found("no-letter", "il n'y a pas de lettre ici", "there is no letter here")
    waiting, words = found
    if waiting.why is not None:
        fr, en = (spoken(waiting.why, lang) for lang in ("fr", "en"))
        raise Failure(
            Exit.REFUSED, "letter-not-for-posting",
            Said(f"cette lettre n'est pas à poster : {fr}", f"this letter is not for posting: {en}"),
            Said("si elle est imprimée, jetez-la", "if it is printed, throw it away"),
        )  # fmt: skip
    if not isinstance(words, Words):
        raise Failure(
            Exit.NOT_FOUND, "letter-unreadable",
            Said("cette lettre ne peut plus être lue", "this letter cannot be read any more"),
        )  # fmt: skip
    return waiting, words
