"""Alertes: why, since when, what comes next and when if nobody acts; take charge, hand on, settle."""

from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.inbox import Waiting, handed, waits
from journeys.app.web.lines import Action, Line, line, may_here
from journeys.app.web.paging import A_SHEET, Paging, page_asked
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.domain.programme import Programme
from journeys.store import views
from journeys.store.directory import names_of

router = APIRouter()


@router.get("/alertes")
async def screen(visit: Visit = door(READERS)) -> Response:
    me, number = visit.visitor, page_asked(visit)
    only_mine = visit.request.query_params.get("qui") == "moi"
    found = await views.open_items(
        visit.connection, "escalation", visit.visible, staff=me.leaders, roles=me.roles, mine=only_mine, limit=A_SHEET,
        offset=(number - 1) * A_SHEET, now=visit.now,
    )  # fmt: skip
    programmes = await visit.house.programmes()
    shown = [waits(each.journey, each.item, visit.now) for each in found.items]
    names = await names_of(visit.connection, handed(shown))
    return page(
        visit, "escalations.html",
        lines=[alert_line(visit, item, programmes, names) for item in shown],
        count=found.total, mine=found.mine, only_mine=only_mine,
        paging=Paging(visit, number, found.mine if only_mine else found.total, A_SHEET),
    )  # fmt: skip


def alert_line(
    visit: Visit, item: Waiting, programmes: Mapping[str, Programme], names: Mapping[str, str]
) -> tuple[Line, list[Action]]:
    """An alert as a line, and what else those who may do with it: put it off, hand it on."""
    may = partial(may_here, visit, item.row, programmes=programmes)
    shown = line(visit, item, programmes, names, cures=False, mine=may("resolve-escalation"))
    asks = {"escalation": item.id}
    more = [
        Action(label, command, asks, form=True)
        for label, command in (
            (visit.say("Plus tard…"), "snooze-escalation"), (visit.say("Confier…"), "reassign-escalation"),
        )
        if may(command) and (command != "snooze-escalation" or item.at is not None)
    ]  # fmt: skip
    return shown, more
