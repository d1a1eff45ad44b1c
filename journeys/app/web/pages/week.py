"""Rendez-vous: the appointments of a week, day by day, with what came of them."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.asking import overlapping
from journeys.app.failures import Failure
from journeys.app.hours import hour_there, zone_among
from journeys.app.inbox import label
from journeys.app.reading import ZONE, read_day, today_of
from journeys.app.web.paging import A_SHEET, Paging, page_asked
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.domain.summary import LAST_MET
from journeys.i18n import N_
from journeys.narration.words import spoken
from journeys.store import views

router = APIRouter()

_MISSED: Final = N_("absent")
"""As the button says it: that it did not take place would hold of what is off too."""


@router.get("/agenda")
async def screen(visit: Visit = door(READERS)) -> Response:
    monday = monday_asked(visit)
    number, programmes = page_asked(visit), await visit.house.programmes()
    # Its days are those of each site, as the appointments stand under them.
    found = await views.appointments(
        visit.connection, *_week(monday, ZONE), visit.visible, limit=A_SHEET, offset=(number - 1) * A_SHEET,
        at_sites={site: _week(monday, zone_among(visit.house.zones, site, None)) for site in visit.house.zones},
        of_programmes={name: _week(monday, zone_among({}, None, each)) for name, each in programmes.items()},
    )  # fmt: skip
    together = await overlapping(
        visit.connection,
        [(datetime.fromisoformat(each.item["at"]), each.journey, each.item["id"]) for each in found.items
         if "outcome" not in each.item],
    )  # fmt: skip
    shown = []
    for each in found.items:
        row, about = each.journey, each.item["about"]
        programme = programmes.get(row.programme)
        zone = zone_among(visit.house.zones, row.site, programme)
        at = datetime.fromisoformat(each.item["at"]).astimezone(zone)
        called = label(about, visit.lang, programme) if about else ""
        together_with = each.item["id"] in together
        shown.append((at, hour_there(at, visit.lang, zone), row, called, together_with, _came_of(each.item, visit)))
    by_day = groupby(sorted(shown, key=lambda each: each[0].date()), key=lambda each: each[0].date())
    return page(
        visit, "week.html", monday=monday, paging=Paging(visit, number, found.total, A_SHEET),
        days=[(day, list(items)) for day, items in by_day],
        before=monday - timedelta(days=7), after=(after := monday + timedelta(days=7)),
        held=LAST_MET if after <= today_of(visit.now) else None,
    )  # fmt: skip


def _week(monday: date, zone: ZoneInfo) -> views.Span:
    begins, ends = (datetime.combine(day, time(), tzinfo=zone) for day in (monday, monday + timedelta(days=7)))
    return begins, ends


def _came_of(item: Mapping[str, Any], visit: Visit) -> str:
    """What came of an appointment, in a word; nothing of one that has no outcome."""
    match item.get("outcome"):
        case None:
            return ""
        case "missed":
            return visit.say(_MISSED)
        case outcome:
            return spoken(outcome, visit.lang)


def monday_asked(visit: Visit) -> date:
    """The Monday of the week asked for, or of the present one."""
    asked = visit.request.query_params.get("semaine", "")
    try:
        day = read_day(asked, "semaine") if asked else today_of(visit.now)
    except Failure:
        day = today_of(visit.now)
    day = min(max(day, date(1950, 1, 2)), date(2190, 1, 1))
    return day - timedelta(days=day.weekday())
