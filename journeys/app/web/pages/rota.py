"""Astreintes: who is on call day and night, week by week, with the gaps; those who may write it down here."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.failures import Exit, Failure, Said, usage
from journeys.app.reading import ZONE, read_day, today_of
from journeys.app.rota import AHEAD, end, holes, read_hour, read_phone, roles_on_call, shifts_of, told
from journeys.app.web.pages.directory import noted, typed_in
from journeys.app.web.pages.week import monday_asked
from journeys.app.web.policy import ROTA, STAFF
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.identifiers import is_uuid
from journeys.store import mentors, rota, staff
from journeys.store.directory import By

router = APIRouter()

_FIELDS: Final = {name: name for name in ("first", "last", "ends", "role", "phone")}
_WEEK: Final = timedelta(days=7)


@router.get("/astreintes")
async def screen(visit: Visit = door(STAFF)) -> Response:
    return await _week(visit, {})


@router.post("/astreintes")
async def add(visit: Visit = door(ROTA)) -> Response:
    """Somebody is on call: one shift, or the same hours on several days."""
    typed = await typed_in(visit)
    wrong: list[Failure] = []
    people = await _people(visit)
    who = noted(wrong, lambda: _chosen(people, typed.get("who", ""), "who"))
    roles = roles_on_call(await visit.house.programmes(), visit.lang)
    role = noted(wrong, lambda: _chosen(roles, typed.get("role", ""), "role"))
    first = noted(wrong, lambda: read_day(typed.get("first", ""), "first"))
    last = noted(wrong, lambda: read_day(typed["last"], "last")) if typed.get("last") else None
    begins = noted(wrong, lambda: read_hour(typed.get("begins", ""), "begins"))
    ends = noted(wrong, lambda: read_hour(typed.get("ends", ""), "ends"))
    phone = noted(wrong, lambda: read_phone(typed.get("phone", ""), "phone"))
    site, shifts = typed.get("site") or None, None
    if not wrong:
        _must_keep(visit, site)
        shifts = noted(
            wrong,
            lambda: shifts_of(_entry(typed), who, role, site, first, last, begins, ends, _FIELDS),
        )
    if not shifts:
        return await _week(visit, typed, wrong, 422)
    await visit.done()
    await rota.add(visit.house.writing, shifts, phone, _by(visit))
    return go(f"/astreintes?semaine={shifts[0].begins.astimezone(ZONE).date()}&note=ajout")


@router.post("/astreintes/supprimer")
async def drop(visit: Visit = door(ROTA)) -> Response:
    """Strike a shift out; one that is gone already stays so."""
    typed = await typed_in(visit)
    id = typed.get("shift", "")
    known = await rota.kept(visit.connection, id) if is_uuid(id) else None
    if known is not None:
        _must_keep(visit, known.shift.site)
        await visit.done()
        await rota.drop(visit.house.writing, id, _by(visit))
    day = known.shift.begins.astimezone(ZONE).date() if known is not None else today_of(visit.now)
    return go(f"/astreintes?semaine={day}&note=suppression")


@router.post("/astreintes/terminer")
async def close(visit: Visit = door(ROTA)) -> Response:
    """A rota is kept no longer: nobody is missed on it until somebody is planned again."""
    typed = await typed_in(visit)
    role, site = typed.get("role", ""), typed.get("site") or None
    try:
        if not role:
            raise usage("choose", "choisissez dans la liste", "choose from the list", field="role")
        _must_keep(visit, site)
        await end(visit.house.writing, role, site, _by(visit))
    except Failure as failure:
        if failure.exit is Exit.REFUSED:
            raise
        return await _week(visit, typed, [failure], 409 if failure.exit is Exit.CONFLICT else 422)
    return go("/astreintes?note=fin")


async def _week(
    visit: Visit, typed: Mapping[str, str], failures: Sequence[Failure] = (), status: int = 200
) -> Response:
    monday = monday_asked(visit)
    begins, ends = (datetime.combine(day, time(), tzinfo=ZONE) for day in (monday, monday + _WEEK))
    kept = await rota.between(visit.connection, begins, ends)
    people = await _people(visit) if visit.admitted(ROTA) else {}
    gaps = await holes(visit.connection, visit.now)
    roles = roles_on_call(await visit.house.programmes(), visit.lang)
    sites = sorted({site for each in await staff.members(visit.connection) for site in each.sites}
                   | {each.shift.site for each in kept if each.shift.site})  # fmt: skip
    await visit.done()
    days = [monday + timedelta(days=number) for number in range(7)]
    return page(
        visit, "rota.html", status, monday=monday, before=monday - _WEEK, after=monday + _WEEK,
        days=[(day, [each for each in kept if each.shift.begins.astimezone(ZONE).date() == day
                     or (day == monday and each.shift.begins < begins)]) for day in days],
        people=people, roles=roles, sites=[each for each in sites if _keeps(visit, each)],
        everywhere=_keeps(visit, None), keeps=lambda site: visit.admitted(ROTA) and _keeps(visit, site), typed=typed,
        gaps=[(role, at, [told(gap, visit.lang) for gap in several], several[-1].ends >= visit.now + AHEAD)
              for (role, at), several in gaps.items()],
        failures=[failure.beside_its_field() for failure in failures],
        note=visit.request.query_params.get("note", ""),
        fields={"who": visit.say("Qui"), "role": visit.say("Pour quoi"), "site": visit.say("Site"),
                "first": visit.say("Premier jour"), "last": visit.say("Dernier jour"),
                "begins": visit.say("De (heure)"), "ends": visit.say("À (heure)"),
                "phone": visit.say("Téléphone d'astreinte")},
    )  # fmt: skip


async def _people(visit: Visit) -> dict[str, str]:
    """Who may be on call, by name: active staff, and mentors who are available."""
    found = [(each.name, each.id) for each in await staff.members(visit.connection) if each.active]
    found += [(each.name, each.id) for each in await mentors.mentors(visit.connection) if each.available]
    return {id: name for name, id in sorted(found)}


def _keeps(visit: Visit, site: str | None) -> bool:
    """Whether the visitor writes the rota of a site: a supervisor bound to sites, of these alone."""
    me = visit.visitor
    bound = bool(me.sites) and not (visit.holds("administrator") or visit.holds("duty"))
    return not bound or site in me.sites


def _must_keep(visit: Visit, site: str | None) -> None:
    if not _keeps(visit, site):
        raise Failure(
            Exit.REFUSED, "no-right",
            Said("l'astreinte de ce site revient à sa responsable", "this site's rota is its supervisor's"),
            Said("choisissez l'un de vos sites", "choose one of your own sites"),
        )  # fmt: skip


def _entry(typed: Mapping[str, str]) -> str:
    """The id of the form, so that sent twice it adds nothing."""
    id = typed.get("command", "")
    if not is_uuid(id):
        raise usage("choose", "rechargez la page", "load the page again", field="who")
    return id


def _chosen(known: Mapping[str, str], id: str, field: str) -> str:
    if id not in known:
        raise usage("choose", "choisissez dans la liste", "choose from the list", field=field)
    return id


def _by(visit: Visit) -> By:
    role = next(role for role in ("administrator", "supervisor", "duty") if visit.holds(role))
    return By(actor=visit.visitor.id, role=role, at=visit.now)
