"""Letters as PDF for who has no mail: one that confirms an appointment, and one in the writer's own words."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import papers
from journeys.app.entry import clean_text
from journeys.app.failures import Exit, Failure, usage
from journeys.app.finding import Loaded
from journeys.app.hours import zone_of
from journeys.app.telling import unanswered
from journeys.app.web.acting import Filled, Wrong, act, read
from journeys.app.web.bodies import typed_in
from journeys.app.web.forms import Input
from journeys.app.web.pages.commands import journey
from journeys.app.web.pages.documents import PDF, file_name, handed_over, sender_of
from journeys.app.web.policy import STAFF
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.i18n import Lang, language
from journeys.identifiers import is_uuid, uuid7
from journeys.store import people, sites, staff
from journeys.store.people import Person
from journeys.store.places import place_of
from journeys.temporal import Unreachable

router = APIRouter()

LONGEST_LINE: Final = 200
"""Characters of a subject or of a recipient; what may be typed in the text is a note's length."""


@router.get("/parcours/{id}/rendez-vous/{appointment}.pdf")
async def of_appointment(id: str, appointment: str, visit: Visit = door(STAFF)) -> Response:
    """The letter that confirms an appointment ahead, in the person's language."""
    loaded, person, hand = await _ready(visit, id)
    noted = await place_of(visit.connection, loaded.row.stream, loaded.events, appointment)
    lang = _spoken(visit, person)
    place = await sites.said_outside(visit.connection, noted, loaded.state.site, lang)
    there = await zone_of(visit.connection, loaded.state.site, loaded.book.calendar)
    await visit.done()
    made = await asyncio.to_thread(
        papers.appointment_letter, loaded, person, appointment, place, there, lang, visit.now, hand
    )
    return handed_over(made, visit.say("rendez-vous-{name}.pdf", name=file_name(loaded)), PDF)


@router.get("/parcours/{id}/courrier")
async def form(id: str, visit: Visit = door(STAFF)) -> Response:
    loaded, _, hand = await _ready(visit, id)
    return _form(visit, loaded, hand, {"recipient": loaded.row.name or ""})


@router.post("/parcours/{id}/courrier")
async def write(id: str, visit: Visit = door(STAFF)) -> Response:
    """Make the letter and hand it over. A note says that it was made, and of what subject; nothing else is kept."""
    loaded, person, hand = await _ready(visit, id)
    typed = typed_in(await visit.request.form())
    if wrong := _wrong(typed):
        return _form(visit, loaded, hand, typed, wrong, 422)
    recipient, subject = typed["recipient"].strip(), typed["subject"].strip()
    made = await asyncio.to_thread(
        papers.free_letter, loaded, recipient, typed.get("address", ""), subject, clean_text(typed["text"], "text"),
        _spoken(visit, person), visit.now, hand,
    )  # fmt: skip
    command = typed.get("command", "")
    note = visit.say("Lettre faite, pour {who} : {subject}", who=recipient, subject=subject)
    asked = Filled(papers.WRITING, {"text": note}, command if is_uuid(command) else uuid7(visit.now))
    again = {**typed, "command": asked.id}
    try:
        await act(visit, loaded, asked, await read(visit, loaded, asked))
    except Wrong as several:
        return _form(visit, loaded, hand, again, several.failures, 422)
    except Failure as failure:
        status = 403 if failure.exit is Exit.REFUSED else 409
        return _form(visit, loaded, hand, {**typed, "command": uuid7(visit.now)}, [failure], status)
    except Unreachable as error:
        return _form(visit, loaded, hand, again, [unanswered(error.fate, error.command_id)], 503)
    return handed_over(made, visit.say("lettre-{name}.pdf", name=file_name(loaded)), PDF)


async def _ready(visit: Visit, id: str) -> tuple[Loaded, Person | None, papers.Hand]:
    """A journey about which the visitor may write, its person, and who signs. Raises Failure."""
    loaded = await journey(visit, id)
    papers.must_write(visit.actor, loaded)
    person = await people.person(visit.connection, loaded.state.person)
    me = await staff.member(visit.connection, visit.visitor.id)
    role = next(each for each in visit.actor.roles if papers.may_write(replace(visit.actor, roles=(each,)), loaded))
    return (
        loaded,
        person,
        papers.Hand(sender_of(visit), visit.visitor.name, role, (me.phone or "") if me is not None else ""),
    )


def _spoken(visit: Visit, person: Person | None) -> Lang:
    return language(person.details.language) if person is not None else visit.lang


def _wrong(typed: Mapping[str, str]) -> list[Failure]:
    """What is wrong with a letter, by field."""
    wrong = []
    for name in ("recipient", "address", "subject", "text"):
        word = typed.get(name, "").strip()
        if not word and name != "address":
            wrong.append(usage("missing", "à remplir", "to be filled in", field=name))
            continue
        try:
            clean_text(word, name)
        except Failure as failure:
            wrong.append(failure.beside_its_field())
            continue
        if name in ("recipient", "subject") and (len(word) > LONGEST_LINE or "\n" in word):
            wrong.append(usage("too-long", f"{LONGEST_LINE} signes au plus, sur une ligne",
                               f"{LONGEST_LINE} characters at most, on one line", field=name))  # fmt: skip
    return wrong


def _form(
    visit: Visit, loaded: Loaded, hand: papers.Hand, typed: Mapping[str, str], failures: Sequence[Failure] = (),
    status: int = 200,
) -> Response:  # fmt: skip
    words = {"recipient": visit.say("À qui"), "address": visit.say("Son adresse, ligne par ligne"),
             "subject": visit.say("Objet"), "text": visit.say("Le texte")}  # fmt: skip
    inputs = [
        Input(name, label, "area" if name in ("address", "text") else "text", name != "address", typed.get(name, ""))
        for name, label in words.items()
    ]
    return page(
        visit, "letter.html", status, row=loaded.row, book=loaded.book, fields=inputs, failures=failures, hand=hand,
        id=typed.get("command") or uuid7(visit.now),
    )  # fmt: skip
