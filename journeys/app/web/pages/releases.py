"""Sorties à venir: who gets out when, and what is not ready before; filtered by the address, also as a table file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.inbox import Waiting, waiting
from journeys.app.reading import ZONE, today_of
from journeys.app.web.lines import Line, line, may_here
from journeys.app.web.pages.caseload import address_of, as_file, asked_of, mine_first
from journeys.app.web.paging import A_PAGE, Paging, page_asked
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.domain.programme import Programme
from journeys.store import staff, views
from journeys.store.views import JourneyRow

router = APIRouter()

PERIODS: Final = {"28": timedelta(days=28), "91": timedelta(days=91), "182": timedelta(days=182), "tout": None}
"""What may be chosen in the address; the first but one when nothing is."""
USUAL: Final = "91"
SHOWN: Final = 1_000
"""Releases looked at for the pages, and rows of a file."""
MOST: Final = 5_000


@dataclass(frozen=True, slots=True)
class Coming:
    """A release with what has to be done before it."""

    row: JourneyRow
    on: date
    passed: bool
    """The day has come and nobody has said whether the release took place."""
    confirms: bool
    """Whether the visitor may say so."""
    referent: str
    programme: str
    lacking: tuple[Line, ...]


@router.get("/sorties")
async def screen(visit: Visit = door(READERS)) -> Response:
    found, number = await _found(visit, SHOWN), page_asked(visit)
    asked, programmes = asked_of(visit), await visit.house.programmes()
    shown = found[(number - 1) * A_PAGE : number * A_PAGE]
    members = await _referents(visit, [row for row, _ in shown])
    query = visit.request.query_params
    return page(
        visit, "releases.html",
        found=[_coming(visit, row, items, programmes, members) for row, items in shown], total=len(found),
        lacking=sum(bool(items) for _, items in found), paging=Paging(visit, number, len(found), A_PAGE),
        asked=asked, period=_period(visit), members=mine_first(visit, members), programmes=programmes,
        periods=_periods(visit), unready=query.get("manque") == "1", site=query.get("site", ""),
        address=lambda: address_of(visit),
    )  # fmt: skip


@router.get("/sorties.csv")
async def table(visit: Visit = door(READERS)) -> Response:
    """The same for a spreadsheet."""
    found, programmes, say = await _found(visit, MOST), await visit.house.programmes(), visit.say
    members = await _referents(visit, [row for row, _ in found])
    head = (say("Sortie"), say("Précision"), say("Personne"), say("Référent"), say("Site"), say("Programme"),
            say("Pas prêt avant la sortie"))  # fmt: skip
    coming = (_coming(visit, row, items, programmes, members) for row, items in found)
    return as_file("sorties", head, (
        (each.on.isoformat(), say("à confirmer") if each.passed else say("prévue"),
         each.row.name or say("personne effacée"), each.referent, each.row.site or "", each.programme,
         " ; ".join(one.what for one in each.lacking))
        for each in coming
    ))  # fmt: skip


async def _found(visit: Visit, limit: int) -> list[tuple[JourneyRow, list[Waiting]]]:
    """Each journey with what has to be done before its release."""
    length = PERIODS[_period(visit)]
    until = today_of(visit.now) + length if length is not None else date(9999, 1, 1)
    rows = await views.releases(visit.connection, asked_of(visit), until, visit.visible, limit)
    found = [(row, [item for item in waiting(row) if _is_before(item, _release(row))]) for row in rows]
    return [(row, items) for row, items in found if items or visit.request.query_params.get("manque") != "1"]


async def _referents(visit: Visit, rows: Sequence[JourneyRow]) -> Mapping[str, str]:
    """Who may be chosen, and who leads one of these."""
    named = set(filter(None, (asked_of(visit).referent, *(row.referent for row in rows))))
    return await staff.referents(visit.connection, visit.visitor.sites, named)


def _coming(
    visit: Visit, row: JourneyRow, items: Sequence[Waiting], programmes: Mapping[str, Programme],
    members: Mapping[str, str],
) -> Coming:  # fmt: skip
    on, programme = _release(row), programmes.get(row.programme)
    confirms = may_here(visit, row, "confirm-date", programmes)
    return Coming(
        row, on, on < today_of(visit.now), confirms, members.get(row.referent or "", ""),
        programme.label.in_(visit.lang).partition(":")[0].strip() if programme is not None else row.programme,
        tuple(line(visit, item, programmes, {}, mine=confirms) for item in sorted(items, key=_first)),
    )  # fmt: skip


def _release(row: JourneyRow) -> date:
    return date.fromisoformat(row.summary["dates"]["release"])


def _is_before(item: Waiting, release: date) -> bool:
    """A milestone that falls due by the release, or one that was missed and stands in an alert."""
    if item.kind == "escalation":
        return item.about.startswith("milestone ")
    return item.kind == "deadline" and item.at is not None and item.at.astimezone(ZONE).date() <= release


def _first(item: Waiting) -> tuple[str, str]:
    at = item.since or item.at
    return (at.isoformat() if at is not None else "", item.id)


def _period(visit: Visit) -> str:
    asked = visit.request.query_params.get("periode", USUAL)
    return asked if asked in PERIODS else USUAL


def _periods(visit: Visit) -> list[tuple[str, str]]:
    words = (visit.say("quatre semaines"), visit.say("trois mois"), visit.say("six mois"), visit.say("toutes"))
    return list(zip(PERIODS, words, strict=True))
