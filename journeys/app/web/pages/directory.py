"""Who can be counted on: the team with its absences, partners, and mentors."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.absences import absence_of
from journeys.app.failures import Exit, Failure, Said, usage
from journeys.app.giving import matters
from journeys.app.reading import read_day, today_of
from journeys.app.web.policy import CASEWORK, FORGETTING, READERS, STAFF, SUPERVISION
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.identifiers import is_uuid
from journeys.store import mentors, partners, staff
from journeys.store.directory import By
from journeys.store.staff import Member

router = APIRouter()


@router.get("/equipe")
async def team(visit: Visit = door(STAFF)) -> Response:
    return await _team(visit, {"staff": visit.visitor.id})


@router.post("/equipe/absences")
async def note_absence(visit: Visit = door(STAFF)) -> Response:
    """Somebody is away: oneself, or one of the team that one leads."""
    typed = await typed_in(visit)
    wrong: list[Failure] = []
    known = {each.id: each for each in await staff.members(visit.connection) if each.active}
    away = noted(wrong, lambda: _chosen(known, typed.get("staff", ""), "staff"))
    first = noted(wrong, lambda: _needed_day(typed.get("first", ""), "first"))
    last = noted(wrong, lambda: read_day(typed["last"], "last")) if typed.get("last") else None
    deputy = noted(wrong, lambda: _chosen(known, typed["deputy"], "deputy")) if typed.get("deputy") else None
    if away is not None and not _may(visit, away):
        raise _not_theirs()
    absence = None
    if not wrong:
        absence = noted(wrong, lambda: absence_of(away, first, last, deputy, called=("last", "deputy")))
    if absence is None:
        return await _team(visit, typed, wrong, 422)
    await visit.done()
    await staff.set_absence(visit.house.writing, absence, _by(visit))
    return go("/equipe?note=absence")


@router.post("/equipe/absences/supprimer")
async def drop_absence(visit: Visit = door(STAFF)) -> Response:
    """Strike an absence out; one that is gone already stays so."""
    typed = await typed_in(visit)
    known = {each.id: each for each in await staff.members(visit.connection)}
    away, first = _chosen(known, typed.get("staff", ""), "staff"), _needed_day(typed.get("first", ""), "first")
    if not _may(visit, away):
        raise _not_theirs()
    await visit.done()
    await staff.drop_absence(visit.house.writing, away.id, first, _by(visit))
    return go("/equipe?note=supprimee")


@router.get("/partenaires")
async def partner_list(visit: Visit = door(READERS)) -> Response:
    every = await partners.partners(visit.connection)
    answers = await _matters(visit, "partner")
    await visit.done()
    return page(
        visit, "partners.html", partners=[each for each in every if each.active],
        left=[each for each in every if not each.active] if FORGETTING.admits(visit.roles) else (),
        taken=await partners.taken(visit.house.writing), **answers,
    )  # fmt: skip


@router.get("/mentors")
async def mentor_list(visit: Visit = door(READERS)) -> Response:
    found = await mentors.mentors(visit.connection)
    answers = await _matters(visit, "mentor")
    await visit.done()
    return page(
        visit, "mentors.html", mentors=found, matched=await mentors.matched(visit.house.writing),
        erases=SUPERVISION.admits(visit.roles), **answers,
    )  # fmt: skip


async def _matters(visit: Visit, role: Literal["mentor", "partner"]) -> dict[str, Any]:
    """What may be answered by link, for those who may give one."""
    if not CASEWORK.admits(visit.roles):
        return {"matters": {}, "more": 0}
    found, more = await matters(visit.connection, visit.actor, visit.visible, role, visit.lang, visit.now)
    return {"matters": found, "more": more}


async def _team(
    visit: Visit, typed: Mapping[str, str], failures: Sequence[Failure] = (), status: int = 200
) -> Response:
    members = await staff.members(visit.connection)
    absences = await staff.absences(visit.connection, today_of(visit.now))
    await visit.done()
    active = sorted((each for each in members if each.active), key=lambda each: each.name)
    mine = [each for each in active if _may(visit, each)]
    return page(
        visit, "team.html", status, members=active, names={each.id: each.name for each in members}, absences=absences,
        left=sorted((each for each in members if not each.active), key=lambda each: each.name)
        if FORGETTING.admits(visit.roles) else (),
        programmes=await visit.house.programmes(), mine=mine, may={each.id for each in mine}, typed=typed,
        failures=[failure.beside_its_field() for failure in failures],
        note=visit.request.query_params.get("note", ""),
        fields={"staff": visit.say("Qui est absent"), "first": visit.say("Premier jour"),
                "last": visit.say("Dernier jour"), "deputy": visit.say("Qui remplace")},
    )  # fmt: skip


def _may(visit: Visit, member: Member) -> bool:
    """Oneself; whom one leads, on a site of one's own or everywhere; for the administration, everybody."""
    me = visit.visitor
    shares = not me.sites or not member.sites or bool(set(me.sites) & set(member.sites))
    return member.id == me.id or visit.holds("administrator") or (visit.holds("supervisor") and shares)


def _by(visit: Visit) -> By:
    role = next((role for role in ("administrator", "supervisor") if visit.holds(role)), visit.visitor.roles[0])
    return By(actor=visit.visitor.id, role=role, at=visit.now)


async def typed_in(visit: Visit) -> dict[str, str]:
    """What a form says, without the blanks around."""
    return {key: value.strip() for key, value in (await visit.request.form()).items() if isinstance(value, str)}


def noted(wrong: list[Failure], read: Callable[[], Any]) -> Any:
    """What is read; None where it is wrong, which is noted."""
    try:
        return read()
    except Failure as failure:
        wrong.append(failure)
        return None


def _needed_day(text: str, field: str) -> Any:
    if not text:
        raise usage("missing", "à remplir", "to be filled in", field=field)
    return read_day(text, field)


def _chosen(known: Mapping[str, Member], id: str, field: str) -> Member:
    found = known.get(id) if is_uuid(id) else None
    if found is None:
        raise usage("choose", "choisissez dans la liste", "choose from the list", field=field)
    return found


def _not_theirs() -> Failure:
    return Failure(
        Exit.REFUSED, "no-right",
        Said("l'absence de cette personne revient à elle-même ou à sa responsable",
             "this person's absence is theirs or their supervisor's to note"),
        Said("prévenez l'une ou l'autre", "tell one of them"),
    )  # fmt: skip
