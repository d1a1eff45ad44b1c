"""Tableau de l'équipe: the open alerts of a site, who has each in hand until when, and what follows if nobody acts."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.inbox import Waiting, handed, holding, waits
from journeys.app.rota import answering, holes, roles_on_call, told
from journeys.app.web.lines import Action, Line, near
from journeys.app.web.pages.escalations import alert_line
from journeys.app.web.paging import A_SHEET, Paging, page_asked
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.domain.summary import HELD
from journeys.store import views
from journeys.store.directory import names_of

router = APIRouter()

NOWHERE = "aucun"
"""Stands for journeys at no site."""


@dataclass(frozen=True, slots=True)
class Row:
    """An alert on the board."""

    line: Line
    actions: tuple[Action, ...]
    held: str
    """Who has it in hand, until when; empty while nobody has."""
    told: str
    """With which message it is told, while it is not."""


@router.get("/alertes/tableau")
async def screen(visit: Visit = door(READERS)) -> Response:
    asked, number = visit.request.query_params.get("site"), page_asked(visit)
    site = None if asked == NOWHERE else asked
    found = await views.alerts(
        visit.connection, visit.visible, site, all_sites=asked is None, limit=A_SHEET, offset=(number - 1) * A_SHEET
    )
    programmes = await visit.house.programmes()
    shown = [waits(each.journey, each.item, visit.now) for each in found.items]
    names = await names_of(visit.connection, handed(shown) | holding(shown))
    gaps = await holes(visit.connection, visit.now)
    rows = []
    for item in shown:
        line, more = alert_line(visit, item, programmes, names)
        held = _held(visit, item, names.get(item.held_by or "", ""))
        rows.append(Row(line, (*line.actions, *more), held, _told(visit, item)))
    total = sum(found.sites.values()) if asked is None else found.sites.get(site, 0)
    return page(
        visit, "board.html", rows=rows, count=sum(found.sites.values()), asked=asked,
        sites=[(NOWHERE if name is None else name, name, count) for name, count in found.sites.items()],
        paging=Paging(visit, number, total, A_SHEET), roles=roles_on_call(programmes, visit.lang),
        on_call=await answering(visit.connection, visit.now),
        gaps=[(role, at, [told(gap, visit.lang) for gap in several]) for (role, at), several in gaps.items()],
    )  # fmt: skip


def _held(visit: Visit, item: Waiting, who: str) -> str:
    """`prise en charge par Claire, jusqu'à jeudi à 9 h`."""
    until = near(visit, item.at) if item.at is not None else ""
    match item.note:
        case "acknowledged":
            return visit.say("prise en charge par {who}, suite {until}", who=who or "—", until=until)
        case "snoozed":
            return visit.say("mise en attente par {who}, suite {until}", who=who or "—", until=until)
        case note if note == HELD and item.held_by is not None:
            return visit.say("{who}, parcours suspendu", who=who or "—")
        case _:
            return ""


def _told(visit: Visit, item: Waiting) -> str:
    """`avec le message de jeudi à 9 h 30`."""
    if item.digest is None:
        return ""
    return visit.say("à dire avec le message groupé, {at}", at=near(visit, item.digest))
