"""Justificatifs: what is owed for money that was paid, the oldest first; accepted or waived from the list."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.funds import Words, owing_counted, owing_words, theirs, within
from journeys.app.reading import today_of
from journeys.app.web.paging import A_PAGE, Paging, page_asked
from journeys.app.web.policy import BOOKS, KEEPING
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.store import receipts
from journeys.store.receipts import OPEN, Order, Status

router = APIRouter()

_ALL: Final[tuple[Status, ...]] = (*OPEN, "waived", "accepted")
ORDERS: Final[tuple[Order, ...]] = ("age", "amount")


@router.get("/justificatifs")
async def screen(visit: Visit = door(BOOKS)) -> Response:
    """Those to be checked at first; the address says others."""
    query, number = visit.request.query_params, page_asked(visit)
    asked = query.get("etat", "submitted")
    statuses: tuple[Status, ...] = (asked,) if asked in _ALL else OPEN
    order: Order = "amount" if query.get("tri") == "amount" else "age"
    fund = query.get("fonds") or None
    rows, total = await receipts.listed(
        visit.connection, visit.now, statuses=statuses, fund=fund, order=order, limit=A_PAGE,
        offset=(number - 1) * A_PAGE,
    )  # fmt: skip
    paging, today = Paging(visit, number, total, A_PAGE), today_of(visit.now)
    counts: dict[Status, int] = {}
    for each in await receipts.owing(visit.connection, visit.now):
        if fund in (None, each.fund):
            counts[each.status] = counts.get(each.status, 0) + each.count
    return page(
        visit, "receipts.html", rows=[(each, (today - today_of(each.since)).days) for each in rows], paging=paging,
        asked=asked if asked in _ALL else "", order=order, fund=fund or "", words=Words(visit.lang),
        funds=[each.code for each in await theirs(visit.house.writing, within(visit.lines, visit.visitor.funds))],
        called=dict(owing_words(visit.lang)),
        told=[owing_counted(each, counts[each], visit.lang) for each in (*OPEN, "waived") if counts.get(each)],
        keeps=visit.admitted(KEEPING), back=paging.at(number),
    )  # fmt: skip
