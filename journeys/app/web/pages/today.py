"""Aujourd'hui: what burns, what is mine today, what comes within seven days, what others owe me."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.inbox import Today, Waiting, today
from journeys.app.reading import today_of
from journeys.app.web.lines import Line, line
from journeys.app.web.policy import STAFF
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.domain.programme import Programme
from journeys.store import views
from journeys.store.views import JourneyRow

router = APIRouter()

SHOWN = 60
"""Lines of a list at most; the count says how many there are."""
RELEASES = timedelta(days=28)


@router.get("/")
async def screen(visit: Visit = door(STAFF)) -> Response:
    me = visit.visitor
    rows = await views.desk_of(visit.connection, me.id, me.roles)
    programmes = await visit.house.programmes()
    found = today(rows, me.id, frozenset(me.roles), visit.now)
    led = [row for row in rows if row.referent == me.id]
    return page(
        visit, "today.html",
        lists=_lists(visit, found, programmes),
        led=len(led),
        releases=_releases(visit, led),
        version=sum(row.seq for row in rows),
    )  # fmt: skip


def _lists(visit: Visit, found: Today, programmes: Mapping[str, Programme]) -> dict[str, tuple[list[Line], int]]:
    def lines(items: Sequence[Waiting], mine: bool) -> tuple[list[Line], int]:
        return [line(visit, item, programmes, mine=mine) for item in items[:SHOWN]], len(items)

    return {
        "late": lines(found.late, True),
        "today": lines(found.today, True),
        "week": lines(found.week, True),
        "others": lines(found.others, False),
    }


def _releases(visit: Visit, rows: Sequence[JourneyRow]) -> list[tuple[date, JourneyRow]]:
    """Releases expected within four weeks, the nearest first."""
    day, horizon = today_of(visit.now), today_of(visit.now) + RELEASES
    coming = [
        (date.fromisoformat(row.summary["dates"]["release"]), row)
        for row in rows
        if row.status == "planned" and "release" in row.summary["dates"]
    ]
    return sorted(((on, row) for on, row in coming if day <= on <= horizon), key=lambda each: (each[0], each[1].id))
