"""Alertes: why, since when, what comes next and when if nobody acts; take charge, hand on, settle."""

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.inbox import Waiting, waits
from journeys.app.web.lines import Action, line
from journeys.app.web.paging import A_SHEET, Paging, page_asked
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.store import views

router = APIRouter()


@router.get("/alertes")
async def screen(visit: Visit = door(READERS)) -> Response:
    me, number = visit.visitor, page_asked(visit)
    only_mine = visit.request.query_params.get("qui") == "moi"
    found = await views.open_items(
        visit.connection, "escalation", visit.visible, staff=me.id, roles=me.roles, mine=only_mine, limit=A_SHEET,
        offset=(number - 1) * A_SHEET,
    )  # fmt: skip
    programmes = await visit.house.programmes()
    shown = [waits(each.journey, each.item) for each in found.items]
    acts = visit.holds("referent", "supervisor", "finance", "duty")
    return page(
        visit, "escalations.html",
        lines=[
            (line(visit, item, programmes, mine=acts and _may_act(visit, item)), _more(visit, item)) for item in shown
        ],
        count=found.total, mine=found.mine, only_mine=only_mine,
        paging=Paging(visit, number, found.mine if only_mine else found.total, A_SHEET),
    )  # fmt: skip


def _may_act(visit: Visit, item: Waiting) -> bool:
    return visit.holds("supervisor", "finance", "duty") or visit.actor.leads(item.row.referent)


def _more(visit: Visit, item: Waiting) -> Action | None:
    """Handing an alert to somebody else is the supervisors' and the duty's."""
    if not visit.holds("supervisor", "duty"):
        return None
    return Action(visit.say("Confier…"), "reassign-escalation", {"escalation": item.id}, form=True)
