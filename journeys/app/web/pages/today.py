"""Aujourd'hui: what burns, what is mine today, what comes within seven days, what others owe me."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.bank_counter import a_working_day_ago
from journeys.app.inbox import Waiting, ends, handed, in_order, today, waits
from journeys.app.reading import today_of
from journeys.app.web.lines import Line, line, together
from journeys.app.web.pages.payments import HERE as PAYMENTS
from journeys.app.web.pages.payments import counted, sees_account
from journeys.app.web.paging import A_SHEET, Paging, page_asked
from journeys.app.web.policy import CASEWORK, KEEPING, OVERSEEING, STAFF
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.domain.evolve import replace
from journeys.i18n import ngettext
from journeys.store import controlling, paper_letters, payment_lists, people, verifications, views
from journeys.store.directory import names_of
from journeys.store.views import JourneyRow

router = APIRouter()

SHOWN: Final[Mapping[str, int]] = {"late": 12, "today": 15, "week": 8, "others": 6}
"""Lines of each list at first sight; its count says how many there are, and leads to all of them."""
ADDRESSES: Final = {"retard": "late", "jour": "today", "semaine": "week", "autres": "others"}
"""What `voir` may say: one list alone, whole, by pages."""
RELEASES = timedelta(days=28)
TOLD_OF_SILENCE: Final = frozenset({"supervisor", "administrator"})
"""Who can ask a gateway that says nothing any more."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A list with the lines that are shown of it."""

    lines: tuple[Line, ...]
    total: int


@router.get("/")
async def screen(visit: Visit = door(STAFF)) -> Response:
    me = visit.visitor
    only = ADDRESSES.get(visit.request.query_params.get("voir", ""))
    number = page_asked(visit) if only is not None else 1
    until = ends(visit.now)
    rows = await views.led_by(visit.connection, me.leaders, until[-1])
    theirs = await views.turns(
        visit.connection, me.leaders, me.roles, visit.visible, until,
        number * A_SHEET if only is not None else max(SHOWN.values()),
    )  # fmt: skip
    programmes = await visit.house.programmes()
    found = today(rows, me.id, frozenset(me.roles), visit.now, me.stands_in_for)
    shown, totals = {}, {}
    for name, first in SHOWN.items():
        mine, waiting = getattr(found, name), theirs.of(name)
        items = in_order([*mine, *(waits(each.journey, each.item, visit.now) for each in waiting.items)])
        part = slice((number - 1) * A_SHEET, number * A_SHEET) if name == only else slice(0 if only else first)
        shown[name], totals[name] = items[part], len(mine) + waiting.total
    led = [row for row in rows if row.status != "closed" and visit.actor.leads(row.referent)]
    coming = _releases(visit, led)
    named = await views.named(
        visit.connection, [*(item.row for items in shown.values() for item in items), *(row for _, row in coming)]
    )
    phones = await _phones(visit, [item for name, items in shown.items() if name != "others" for item in items])
    called = await names_of(visit.connection, handed(item for items in shown.values() for item in items))
    lists = {}
    for name, items in shown.items():
        lines = [
            replace(
                line(visit, replace(item, row=named[item.row.id]), programmes, called, mine=name != "others"),
                phone=phones.get(item.id, ""),
            )
            for item in items
        ]
        lists[name] = Shown(tuple(together(lines)), totals[name])
    return page(
        visit, "today.html",
        lists=lists, begins=visit.admitted(CASEWORK), led=len(led), only=only,
        releases=[(day, named[row.id]) for day, row in coming],
        version=sum(row.seq for row in rows) + theirs.version,
        paging=Paging(visit, number, lists[only].total, A_SHEET) if only is not None else None,
        letters=len(await paper_letters.to_post(visit.connection, visit.now, me.id)) if visit.admitted(CASEWORK) else 0,
        **await _warnings(visit),
        **await _finance(visit, only),
    )  # fmt: skip


async def _warnings(visit: Visit) -> dict[str, object]:
    """What must be looked at before all else, by those who can."""
    oversees, asks = visit.admitted(OVERSEEING), bool(TOLD_OF_SILENCE & visit.lines)
    if not (oversees or asks):
        return {"alarming": False, "quiet": None}
    found = await verifications.warnings(visit.house.writing)
    return {"alarming": oversees and found.alarming, "quiet": found.quiet if asks else None}


async def _phones(visit: Visit, items: Sequence[Waiting]) -> dict[str, str]:
    """By item: the phone of each person whom the visitor is to call."""
    calls = {item.id: item.row.person for item in items if item.kind == "chase" and item.note == "call"}
    if not calls:
        return {}
    numbers = await people.phones(visit.connection, sorted(set(calls.values())))
    return {id: numbers[person] for id, person in calls.items() if person in numbers}


async def _finance(visit: Visit, only: str | None) -> dict[str, object]:
    """What waits for finance, most pressing first (an address, and how many of what), and the last control."""
    if not visit.admitted(KEEPING):
        return {"money": [], "control": None}
    if only is not None or not sees_account(visit):
        control = await controlling.last(visit.connection)
        return {"money": await _money(visit, None) if only is None else [], "control": control}
    desk = await controlling.desk(visit.house.writing)
    return {"money": await _money(visit, desk), "control": desk.control}


async def _money(visit: Visit, desk: controlling.Desk | None) -> list[tuple[str, str]]:
    counts = await payment_lists.counted(visit.connection, a_working_day_ago(visit.now))
    asked = [each for each in payment_lists.WANTS if each != "way" and counts.get(each)]
    found = [(f"{PAYMENTS}?faire={each}", counted(each, counts[each], visit.lang)) for each in asked]
    if desk is None:
        return found
    lines, waiting = desk.lines, desk.transfers
    said = ngettext(visit.lang, "{count} ligne à rapprocher", "{count} lignes à rapprocher", lines)
    found += [("/a-rapprocher", said.format(count=lines))] if lines else []
    said = ngettext(
        visit.lang, "{count} virement à donner à la banque", "{count} virements à donner à la banque", waiting
    )
    found += [(f"{PAYMENTS}/fichiers", said.format(count=waiting))] if waiting else []
    return found


def _releases(visit: Visit, rows: Sequence[JourneyRow]) -> list[tuple[date, JourneyRow]]:
    """Releases expected within four weeks, the nearest first."""
    day, horizon = today_of(visit.now), today_of(visit.now) + RELEASES
    coming = [
        (date.fromisoformat(row.summary["dates"]["release"]), row)
        for row in rows
        if row.status == "planned" and "release" in row.summary["dates"]
    ]
    return sorted(((on, row) for on, row in coming if day <= on <= horizon), key=lambda each: (each[0], each[1].id))
