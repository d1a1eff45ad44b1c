"""Documents of a journey: those that people brought, handed back as they came, and the papers made from the journal."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import papers
from journeys.app.attaching import altered
from journeys.app.failures import Exit, Failure, Said
from journeys.app.finding import Loaded
from journeys.app.web.pages.commands import journey, journey_row, journey_told
from journeys.app.web.policy import STAFF
from journeys.app.web.visit import Visit, door
from journeys.audit.narrating import Story
from journeys.audit.reading import Recorded, read_names
from journeys.domain import events as e
from journeys.domain.document import PART, Document, read_document
from journeys.i18n import capital
from journeys.narration.telling import Speech
from journeys.store import documents
from journeys.store.journal import parts

router = APIRouter()

PDF: Final = "application/pdf"
SANDBOX: Final = "default-src 'none'; sandbox"
"""Should a browser show what it was told to save, it runs nothing of it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A document that somebody brought, as a line of the list."""

    seq: int
    document: Document
    about: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that can be made."""

    path: str
    label: str


@router.get("/parcours/{id}/documents/{seq}")
async def download(id: str, seq: str, visit: Visit = door(STAFF)) -> Response:
    return await handed_out(visit, id, seq)


async def handed_out(visit: Visit, id: str, seq: str) -> Response:
    """The document that came with an event, byte for byte as it was brought. Raises Failure: none there, or altered."""
    stream = (await journey_row(visit, id)).stream
    told = {str(part.seq): part.text for part in await parts(visit.connection, stream) if part.name == PART}
    document = read_document(told.get(seq, ""))
    if document is None:
        raise Failure(
            Exit.NOT_FOUND, "no-document", Said("il n'y a pas de document ici", "there is no document here"),
            Said("il a pu être effacé : voyez la page de la personne",
                 "it may have been erased: see the person's page"),
        )  # fmt: skip
    content = await documents.content_of(visit.connection, stream, document.digest)
    await visit.done()
    if content is None:
        raise altered()
    return handed_over(content, document.name, document.media_type)


@router.get("/parcours/{id}/synthese.pdf")
async def summary(id: str, visit: Visit = door(STAFF)) -> Response:
    """The summary; with what people wrote, where the address says so."""
    notes = visit.request.query_params.get("notes") == "1"
    loaded, names, story = await journey_told(visit, id)
    made = await asyncio.to_thread(
        papers.summary, loaded, names, story, visit.lang, visit.now, sender=sender_of(visit), notes=notes
    )
    return handed_over(made, visit.say("synthese-{name}.pdf", name=file_name(loaded)), PDF)


@router.get("/parcours/{id}/recus/{payment}.pdf")
async def receipt(id: str, payment: str, visit: Visit = door(STAFF)) -> Response:
    """A receipt of a payment, to be signed."""
    loaded, names, _ = await journey_told(visit, id)
    made = await asyncio.to_thread(
        papers.receipt, loaded, names, payment, visit.lang, visit.now, sender=sender_of(visit)
    )
    return handed_over(made, visit.say("recu-{name}.pdf", name=file_name(loaded)), PDF)


@router.get("/parcours/{id}/lettres/{seq}.pdf")
async def letter(id: str, seq: str, visit: Visit = door(STAFF)) -> Response:
    """The letter that went to a partner."""
    loaded = await journey(visit, id)
    texts = await parts(visit.connection, loaded.row.stream)
    names = await read_names(visit.connection, loaded.events)
    await visit.done()
    number = int(seq) if seq.isdecimal() and len(seq) < 9 else 0
    made = await asyncio.to_thread(
        papers.letter, loaded, names, texts, number, visit.lang, visit.now, sender=sender_of(visit)
    )
    return handed_over(made, visit.say("lettre-{name}.pdf", name=file_name(loaded)), PDF)


def holding(events: Sequence[Recorded]) -> set[int]:
    """The seqs of the events that came with a document or a letter."""
    return {event.seq for event in events if PART in event.parts or type(event.data) is e.ReferralSent}


def brought(visit: Visit, loaded: Loaded, story: Story, speech: Speech) -> list[Shown]:
    """The documents that people brought, the newest first."""
    found = []
    for told in (told for day in story.days for told in day.told):
        for words in told.words:
            if words.document is not None:
                event = loaded.events[told.seq - 1]
                who = speech.person(event.actor, event.role)
                found.append(Shown(told.seq, words.document, _about(visit, event.data, speech), who, event.recorded_at))
    return found[::-1]


def offered(visit: Visit, loaded: Loaded, story: Story, speech: Speech) -> list[Paper]:
    """The papers that can be made of this journey now."""
    here, say, paid = f"/parcours/{loaded.row.id}", visit.say, partial(_payment, visit, loaded, speech)
    kept = {told.seq for day in story.days for told in day.told if any(each.words for each in told.words)}
    return [
        Paper(f"{here}/synthese.pdf", say("Synthèse du parcours")),
        Paper(f"{here}/synthese.pdf?notes=1", say("Synthèse du parcours, avec ce que chacun a écrit")),
        *(
            Paper(f"{here}/recus/{id}.pdf", say("Reçu à signer : {payment}", payment=paid(id)))
            for id in papers.payments_made(loaded)
        ),
        *(
            Paper(f"{here}/lettres/{seq}.pdf", say("Lettre à {partner}", partner=speech.partner(sent.partner)))
            for seq, sent in papers.letters_sent(loaded).items()
            if seq in kept
        ),
        *(
            Paper(f"{here}/rendez-vous/{id}.pdf", say("Lettre pour confirmer {what}", what=speech.appointment(id)))
            for id in (papers.appointments_ahead(loaded, visit.now) if papers.may_write(visit.actor, loaded) else ())
        ),
    ]  # fmt: skip


def _payment(visit: Visit, loaded: Loaded, speech: Speech, id: str) -> str:
    known = loaded.state.payments[id]
    grant = loaded.state.grants[known.grant]
    return visit.say(
        "{kind}, versement {number} sur {count}, {amount}", kind=speech.grant_kind(grant.kind), number=known.number,
        count=len(grant.instalments), amount=speech.money(known.amount),
    )  # fmt: skip


def _about(visit: Visit, fact: object, speech: Speech) -> str:
    match fact:
        case e.EvidenceAdded(milestone=milestone, kind=kind):
            return visit.say(
                "étape {milestone} : {kind}", milestone=speech.milestone(milestone), kind=speech.spoken(kind)
            )
        case e.ReceiptSubmitted(receipt=receipt):
            return speech.receipt(receipt)
        case _:
            return visit.say("note")


def sender_of(visit: Visit) -> str:
    """The association, as papers name it."""
    return visit.house.settings.association


def file_name(loaded: Loaded) -> str:
    """The person's name, as a file is called."""
    return capital(loaded.row.name or loaded.row.id[:8]).replace(" ", "-")


def handed_over(content: bytes, name: str, media_type: str) -> Response:
    """Handed over to be saved, never shown in the page; its name in every browser's way of reading it."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    told = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(
        content, media_type=media_type,
        headers={"Content-Disposition": told, "Content-Security-Policy": SANDBOX},
    )  # fmt: skip
