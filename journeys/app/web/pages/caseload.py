"""Parcours: everybody's journeys that one may see, filtered by the address, mine first; also as a table file."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from journeys.app.inbox import label
from journeys.app.reading import ZONE
from journeys.app.sheets import as_csv
from journeys.app.web.lines import near_date, release_words
from journeys.app.web.paging import A_PAGE, Paging, page_asked
from journeys.app.web.policy import CASEWORK, READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.domain.directory import search_form
from journeys.domain.programme import Programme
from journeys.identifiers import is_uuid
from journeys.narration import spoken
from journeys.store import staff, views
from journeys.store.views import Asked, JourneyRow

router = APIRouter()

MOST: Final = 5_000
"""Rows of a file."""
_STATUSES: Final = ("planned", "active", "suspended", "closed")


@router.get("/parcours")
async def screen(visit: Visit = door(READERS)) -> Response:
    query = visit.request.query_params
    asked = asked_of(visit)
    number = page_asked(visit)
    rows, total = await views.caseload(
        visit.connection, asked, visit.visible, limit=A_PAGE, offset=(number - 1) * A_PAGE
    )
    named = set(filter(None, (asked.referent, *(row.referent for row in rows))))
    members = await staff.referents(visit.connection, visit.visitor.sites, named)
    programmes = await visit.house.programmes()
    return page(
        visit, "caseload.html",
        rows=[_shown(visit, row, programmes, members) for row in rows], total=total,
        paging=Paging(visit, number, total, A_PAGE), asked=asked, members=mine_first(visit, members),
        programmes=programmes,
        statuses=_STATUSES, typed=query.get("texte", ""), address=lambda **more: address_of(visit, **more),
        everybody=query.get("referent") == "tous", begins=visit.admitted(CASEWORK),
    )  # fmt: skip


@router.get("/parcours.csv")
async def table(visit: Visit = door(READERS)) -> Response:
    """The same as a file that a spreadsheet opens: semicolons, and no cell that it would take for a formula."""
    asked = asked_of(visit)
    rows, _ = await views.caseload(visit.connection, asked, visit.visible, limit=MOST)
    members = {each.id: each.name for each in await staff.members(visit.connection)}
    programmes = await visit.house.programmes()
    say = visit.say
    head = (say("Personne"), say("Sortie"), say("Programme"), say("Phase"), say("Prochaine échéance"),
            say("En retard"), say("Référent"), say("Site"), say("État"))  # fmt: skip
    shown = [_shown(visit, row, programmes, members) for row in rows]
    return as_file("parcours", head, ([each[key] for key in _CELLS] for each in shown))


def as_file(name: str, head: Sequence[str], lines: Iterable[Sequence[str]]) -> Response:
    """A table as a file for a spreadsheet; `name` without its ending."""
    return Response(
        as_csv(head, lines), media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )  # fmt: skip


@router.get("/recherche")
async def search(visit: Visit = door(READERS)) -> Response:
    """By name without accents or case, by phone, by reference; one who fits is shown at once."""
    typed = visit.request.query_params.get("q", "").strip()[:100]
    digits = "".join(sign for sign in typed if sign.isascii() and sign.isdigit())
    digits = digits.removeprefix("33").removeprefix("0") if len(digits) >= 6 else ""
    found = (
        await views.found(visit.connection, search_form(typed), digits, typed, visit.visible) if len(typed) >= 2 else []
    )
    if len(found) == 1:
        return RedirectResponse(f"/parcours/{found[0].id}", status_code=303)
    programmes = await visit.house.programmes()
    return page(visit, "search.html", rows=[_shown(visit, row, programmes, {}) for row in found], typed=typed)


_CELLS: Final = ("name", "release", "programme", "phase", "next", "late", "referent", "site", "status")


def _shown(
    visit: Visit, row: JourneyRow, programmes: Mapping[str, Programme], members: Mapping[str, str]
) -> dict[str, str]:
    programme = programmes.get(row.programme)
    return {
        "id": row.id,
        "name": row.name or visit.say("personne effacée"),
        "release": release_words(visit, row.summary),
        "programme": programme.label.in_(visit.lang).partition(":")[0].strip() if programme else row.programme,
        "phase": label(row.phase, visit.lang, programme) if row.phase else "",
        "next": near_date(visit, row.next_due.astimezone(ZONE).date()) if row.next_due else "",
        "late": str(row.late) if row.late else "",
        "referent": members.get(row.referent or "", ""),
        "site": row.site or "",
        "status": spoken(row.status, visit.lang),
    }


def asked_of(visit: Visit) -> Asked:
    """The filters of the address; a caseworker begins with their own journeys."""
    query = visit.request.query_params
    referent = query.get("referent")
    if referent is None and "referent" in visit.lines:
        referent = visit.visitor.id
    status = query.get("etat")
    return Asked(
        words=search_form(query.get("texte", ""))[:80],
        referent=referent if referent is not None and is_uuid(referent) else None,
        programme=query.get("programme") or None,
        phase=query.get("phase") or None,
        site=query.get("site") or None,
        status=status if status in _STATUSES else None,
        late=query.get("retard") == "1",
    )


def address_of(visit: Visit, **more: str) -> str:
    """The present filters with some changed."""
    kept = {key: value for key, value in visit.request.query_params.items() if key not in ("page", "fait") and value}
    return urlencode({**kept, **more})


def mine_first(visit: Visit, members: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Who can be chosen, oneself before the others."""
    me = visit.visitor.id
    return sorted(members.items(), key=lambda each: (each[0] != me, each[1]))
