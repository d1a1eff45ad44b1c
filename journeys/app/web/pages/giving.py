"""Links that staff give by hand: made for what somebody may answer now, shown once, printable, and taken back; and
calendar feeds for the person."""

import segno
import structlog
from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from journeys.app.failures import Exit, Failure, Said
from journeys.app.finding import Loaded
from journeys.app.giving import givable, give, must_give
from journeys.app.web.pages.commands import journey
from journeys.app.web.policy import STAFF
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.identifiers import is_uuid, uuid7
from journeys.store import feeds, links, people

router = APIRouter()


@router.get("/parcours/{id}/liens")
async def screen(id: str, visit: Visit = door(STAFF)) -> Response:
    loaded = await _journey(visit, id)
    found = await givable(visit.connection, loaded, visit.lang, visit.now)
    await visit.done()
    return page(visit, "links.html", loaded=loaded, row=loaded.row, found=found,
                feeds=await feeds.of_journey(visit.house.writing, loaded.row.id) if loaded.state.is_open else None,
                public=visit.house.settings.public_url is not None)  # fmt: skip


@router.post("/parcours/{id}/liens")
async def make(id: str, visit: Visit = door(STAFF)) -> Response:
    """Make a link and show it, this once: only its hash is kept."""
    loaded = await _journey(visit, id)
    typed = await visit.request.form()
    wanted = [str(typed.get(name, "")) for name in ("role", "recipient", "purpose", "subject")]
    found = await givable(visit.connection, loaded, visit.lang, visit.now)
    one = next((each for each in found if each.ask.same(*wanted)), None)
    if one is None:
        raise Failure(
            Exit.CONFLICT, "not-asked",
            Said("cela n'attend plus de réponse ; aucun lien n'a été fait",
                 "that no longer waits for an answer; no link was made"),
            Said("rouvrez la page des liens : elle dit ce qui attend une réponse",
                 "open the page of links again: it says what waits for an answer"),
        )  # fmt: skip
    await visit.done()
    house = visit.house
    drawn = await give(house.writing, house.ring, one, loaded.row.id, visit.now, visit.visitor.id)
    structlog.get_logger().info("link made by hand", link=drawn.link.id, staff=visit.visitor.id)
    return _shown(visit, "link-given.html", loaded, drawn.address(_base(visit)), one=one)


@router.post("/parcours/{id}/liens/{link}/retirer")
async def take_back(id: str, link: str, visit: Visit = door(STAFF)) -> Response:
    loaded = await _journey(visit, id)
    await visit.done()
    if is_uuid(link):
        await links.revoke(visit.house.writing, loaded.row.id, link, visit.now)
        structlog.get_logger().info("link taken back", link=link, staff=visit.visitor.id)
    return go(f"/parcours/{loaded.row.id}/liens")


@router.post("/parcours/{id}/agenda")
async def make_feed(id: str, visit: Visit = door(STAFF)) -> Response:
    """Make a calendar feed of the journey's appointments and show its address, this once."""
    loaded = await _journey(visit, id)
    if not loaded.state.is_open:
        raise Failure(
            Exit.CONFLICT, "journey-closed",
            Said("ce parcours est clos ; aucune adresse n'a été faite",
                 "this journey is closed; no address was made"),
        )  # fmt: skip
    person = await people.person(visit.connection, loaded.state.person)
    lang = person.details.language if person is not None else visit.lang
    await visit.done()
    feed = uuid7(visit.now)
    token = await feeds.issue(visit.house.writing, feed, loaded.row.id, lang, visit.now, visit.visitor.id)
    structlog.get_logger().info("calendar feed made", feed=feed, staff=visit.visitor.id)
    return _shown(visit, "feed-given.html", loaded, f"{_base(visit)}{feeds.PATH}{token}")


@router.post("/parcours/{id}/agenda/{feed}/retirer")
async def end_feed(id: str, feed: str, visit: Visit = door(STAFF)) -> Response:
    loaded = await _journey(visit, id)
    await visit.done()
    if is_uuid(feed):
        await feeds.end(visit.house.writing, loaded.row.id, feed, visit.now, visit.visitor.id)
        structlog.get_logger().info("calendar feed taken back", feed=feed, staff=visit.visitor.id)
    return go(f"/parcours/{loaded.row.id}/liens")


def _base(visit: Visit) -> str:
    """The public address; else the one by which the visitor is here."""
    url = visit.request.url
    return visit.house.settings.public_url or f"{url.scheme}://{url.netloc}"


def _shown(visit: Visit, template: str, loaded: Loaded, address: str, **more: object) -> Response:
    """An address in words and as the square that a phone photographs."""
    drawing = segno.make(address, error="m").svg_inline(
        border=4, omitsize=True, svgclass="qr", lineclass=None, light="#fff"
    )
    return page(visit, template, row=loaded.row, address=address, drawn=Markup(drawing),
                public=visit.house.settings.public_url is not None, **more)  # fmt: skip


async def _journey(visit: Visit, id: str) -> Loaded:
    """A journey on which the visitor may give links. Raises Failure."""
    loaded = await journey(visit, id)
    must_give(visit.actor, loaded)
    return loaded
