"""Alertes: why, since when, what comes next and when if nobody acts; take charge, hand on, settle."""

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.inbox import Waiting, waiting
from journeys.app.web.lines import Action, line
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.store import views

router = APIRouter()


@router.get("/alertes")
async def screen(visit: Visit = door(READERS)) -> Response:
    rows = await views.alerted(visit.connection)
    programmes = await visit.house.programmes()
    found = sorted(
        (item for row in rows for item in waiting(row) if item.kind == "escalation"),
        key=lambda item: (item.note == "acknowledged", item.at is None, item.at or item.since or visit.now, item.id),
    )
    only_mine = visit.request.query_params.get("qui") == "moi"
    mine = [item for item in found if _is_mine(visit, item)]
    shown = mine if only_mine else found
    acts = visit.holds("referent", "supervisor", "finance", "duty")
    return page(
        visit, "escalations.html",
        lines=[
            (line(visit, item, programmes, mine=acts and _may_act(visit, item)), _more(visit, item)) for item in shown
        ],
        count=len(found), mine=len(mine), only_mine=only_mine,
    )  # fmt: skip


def _is_mine(visit: Visit, item: Waiting) -> bool:
    return item.row.referent == visit.visitor.id or bool(set(item.role.split(", ")) & (visit.roles - {"referent"}))


def _may_act(visit: Visit, item: Waiting) -> bool:
    return visit.holds("supervisor", "finance", "duty") or item.row.referent == visit.visitor.id


def _more(visit: Visit, item: Waiting) -> Action | None:
    """Handing an alert to somebody else is the supervisors' and the duty's."""
    if not visit.holds("supervisor", "duty"):
        return None
    return Action(visit.say("Confier…"), "reassign-escalation", {"escalation": item.id}, form=True)
