"""Links that staff give by hand: made for what somebody may answer now, shown once, printable, and taken back."""

from collections.abc import Mapping
from dataclasses import dataclass

import segno
import structlog
from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from journeys.app.failures import Exit, Failure, Said
from journeys.app.finding import Loaded
from journeys.app.web.pages.commands import journey
from journeys.app.web.policy import STAFF
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.audit.reading import read_names
from journeys.domain.links import Ask, Purpose, asks
from journeys.domain.rights import Scope, line_of, right
from journeys.i18n import N_, capital
from journeys.identifiers import is_uuid
from journeys.narration.telling import Speech
from journeys.store import links, mentors, partners, people
from journeys.store.database import Connection

router = APIRouter()

_WORDS: Mapping[str, str] = {
    Purpose.PROPOSAL: N_("dire oui ou non à l'accompagnement"),
    Purpose.CONTACT: N_("noter un contact : {about}"),
    Purpose.REFERRAL: N_("accepter ou décliner l'orientation : {about}"),
    Purpose.APPOINTMENT: N_("dire s'il faut une autre heure : {about}"),
}


@dataclass(frozen=True, slots=True)
class Givable:
    """Something that may be answered by link, in words; `given` once a link for it is about."""

    ask: Ask
    who: str
    what: str
    given: links.Given | None


@router.get("/parcours/{id}/liens")
async def screen(id: str, visit: Visit = door(STAFF)) -> Response:
    loaded = await _journey(visit, id)
    found = await _givable(visit, loaded)
    await visit.done()
    return page(visit, "links.html", loaded=loaded, row=loaded.row, found=found,
                public=visit.house.settings.public_url is not None)  # fmt: skip


@router.post("/parcours/{id}/liens")
async def make(id: str, visit: Visit = door(STAFF)) -> Response:
    """Make a link and show it, this once: only its hash is kept."""
    loaded = await _journey(visit, id)
    typed = await visit.request.form()
    wanted = [str(typed.get(name, "")) for name in ("role", "recipient", "purpose", "subject")]
    one = next((each for each in await _givable(visit, loaded) if each.ask.same(*wanted)), None)
    if one is None:
        raise Failure(
            Exit.CONFLICT, "not-asked",
            Said("cela n'attend plus de réponse ; aucun lien n'a été fait",
                 "that no longer waits for an answer; no link was made"),
            Said("rouvrez la page des liens : elle dit ce qui attend une réponse",
                 "open the page of links again: it says what waits for an answer"),
        )  # fmt: skip
    language = await _language(visit.connection, one.ask)
    await visit.done()
    drawn = links.draw(visit.house.ring, one.ask, loaded.row.id, language, visit.now, visit.visitor.id)
    await links.issue(visit.house.writing, drawn)
    structlog.get_logger().info("link made by hand", link=drawn.link.id, staff=visit.visitor.id)
    address = drawn.address(
        visit.house.settings.public_url or f"{visit.request.url.scheme}://{visit.request.url.netloc}"
    )
    drawing = segno.make(address, error="m").svg_inline(
        border=4, omitsize=True, svgclass="qr", lineclass=None, light="#fff"
    )
    return page(visit, "link-given.html", row=loaded.row, one=one, address=address, drawn=Markup(drawing))


@router.post("/parcours/{id}/liens/{link}/retirer")
async def take_back(id: str, link: str, visit: Visit = door(STAFF)) -> Response:
    loaded = await _journey(visit, id)
    await visit.done()
    if is_uuid(link):
        await links.revoke(visit.house.writing, loaded.row.id, link, visit.now)
        structlog.get_logger().info("link taken back", link=link, staff=visit.visitor.id)
    return go(f"/parcours/{loaded.row.id}/liens")


async def _journey(visit: Visit, id: str) -> Loaded:
    """A journey on which the visitor may give links. Raises Failure."""
    loaded = await journey(visit, id)
    if not may_give(visit, loaded):
        raise Failure(
            Exit.REFUSED, "no-right",
            Said("donner un lien revient à qui suit ce parcours, ou à un responsable",
                 "giving a link is for whoever leads this journey, or a supervisor"),
            Said("demandez-le à la personne qui suit ce parcours", "ask whoever leads this journey"),
        )  # fmt: skip
    return loaded


def may_give(visit: Visit, loaded: Loaded) -> bool:
    """Whoever may ask mentors and partners may give them, and the person, the means to answer."""
    programme, me = loaded.book.programme, visit.visitor
    for command in ("propose-mentor", "send-referral", "book-appointment"):
        scopes = {right(line_of(role, programme), command) for role in me.roles}
        if Scope.ALLOWED not in scopes and not (Scope.OWN in scopes and loaded.state.referent == me.id):
            return False
    return True


async def _givable(visit: Visit, loaded: Loaded) -> list[Givable]:
    names = await read_names(visit.connection, loaded.events)
    speech = Speech(loaded.book, names, visit.lang, loaded.state)
    live = await links.given(visit.connection, loaded.row.id, visit.now)
    found = []
    for ask in asks(loaded.state, loaded.book, visit.now):
        given = next((each for each in live if ask.same(each.role, each.recipient, each.purpose, each.subject)), None)
        found.append(Givable(ask, _who(visit, ask, loaded, names), _what(visit, ask, speech), given))
    return found


def _who(visit: Visit, ask: Ask, loaded: Loaded, names: Mapping[str, str]) -> str:
    if ask.role == "participant":
        return loaded.row.name or visit.say("personne effacée")
    return names.get(ask.recipient, "—")


def _what(visit: Visit, ask: Ask, speech: Speech) -> str:
    match ask.purpose:
        case Purpose.CONTACT:
            about = speech.contact(ask.subject)
        case Purpose.REFERRAL:
            about = speech.referral(ask.subject)
        case Purpose.APPOINTMENT:
            about = speech.appointment(ask.subject)
        case _:
            about = ""
    return capital(visit.say(_WORDS[ask.purpose], about=about))


async def _language(connection: Connection, ask: Ask) -> str:
    """The one in which the recipient is written to."""
    match ask.role:
        case "mentor":
            mentor = await mentors.mentor(connection, ask.recipient)
            return mentor.language if mentor is not None else "fr"
        case "partner":
            partner = await partners.partner(connection, ask.recipient)
            return partner.language if partner is not None else "fr"
        case _:
            person = await people.person(connection, ask.recipient)
            return person.details.language if person is not None else "fr"
