"""Effacement: what goes and what stays before it is confirmed, how far it is, and the certificate."""

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import erasing, stopping
from journeys.app.erasing import Told
from journeys.app.failures import Exit, Failure, Said, not_found
from journeys.app.finding import Loaded
from journeys.app.web.bodies import typed_in
from journeys.app.web.pages.commands import journey
from journeys.app.web.pages.documents import PDF, handed_over, sender_of
from journeys.app.web.policy import FORGETTING, SUPERVISION
from journeys.app.web.proof import require_proof
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.identifiers import is_uuid, short
from journeys.store import erasing as store
from journeys.store import mentor_erasing, mentors, partner_erasing, partners, staff, staff_erasing
from journeys.store.erasing import Order
from journeys.store.mentors import Mentor
from journeys.store.partners import Partner
from journeys.store.staff import Member

router = APIRouter()


@router.get("/parcours/{id}/effacement")
async def screen(id: str, visit: Visit = door(SUPERVISION)) -> Response:
    return await _screen(visit, await _seen(visit, id), {})


@router.post("/parcours/{id}/effacement")
async def order(id: str, visit: Visit = door(SUPERVISION)) -> Response:
    """After a proof anew: it cannot be taken back."""
    loaded, typed, house = await _seen(visit, id), typed_in(await visit.request.form()), visit.house
    by = stopping.by(visit.actor, "order-erasure", visit.now)
    await require_proof(visit)
    try:
        reason = erasing.reason_of(typed.get("reason", ""), "reason")
    except Failure as failure:
        return await _screen(visit, loaded, typed, failure)
    await visit.done()
    await erasing.order(
        house.writing, house.client, house.settings.task_queue, loaded.state.person, reason, by
    )  # fmt: skip
    return go(f"/parcours/{id}/effacement")


@router.get("/mentors/{id}/effacement")
async def mentor_screen(id: str, visit: Visit = door(SUPERVISION)) -> Response:
    return await _mentor_screen(visit, await _theirs(visit, id), {})


@router.post("/mentors/{id}/effacement")
async def order_mentor(id: str, visit: Visit = door(SUPERVISION)) -> Response:
    """After a proof anew, as for a person."""
    found, typed, house = await _theirs(visit, id), typed_in(await visit.request.form()), visit.house
    by = stopping.by(visit.actor, "order-erasure", visit.now)
    if isinstance(found, Mentor):
        await require_proof(visit)
        try:
            reason = erasing.reason_of(typed.get("reason", ""), "reason")
        except Failure as failure:
            return await _mentor_screen(visit, found, typed, failure)
        await visit.done()
        await erasing.order_mentor(house.writing, house.client, house.settings.task_queue, found, reason, by)
    return go(f"/mentors/{id}/effacement")


@router.get("/parcours/{id}/effacement/certificat.pdf")
async def paper(id: str, visit: Visit = door(SUPERVISION)) -> Response:
    """The certificate, to be handed over."""
    loaded = await _seen(visit, id)
    return await _paper(visit, await store.ordered(visit.house.writing, loaded.state.person))


@router.get("/mentors/{id}/effacement/certificat.pdf")
async def mentor_paper(id: str, visit: Visit = door(SUPERVISION)) -> Response:
    found = await _theirs(visit, id)
    return await _paper(visit, found if isinstance(found, Order) else None)


@router.get("/equipe/{id}/effacement/certificat.pdf")
async def staff_paper(id: str, visit: Visit = door(FORGETTING)) -> Response:
    found = await _member(visit, id)
    return await _paper(visit, found if isinstance(found, Order) else None)


@router.get("/partenaires/{id}/effacement/certificat.pdf")
async def partner_paper(id: str, visit: Visit = door(FORGETTING)) -> Response:
    found = await _partner(visit, id)
    return await _paper(visit, found if isinstance(found, Order) else None)


async def _paper(visit: Visit, known: Order | None) -> Response:
    if known is None or known.certificate is None:
        raise not_found("no-certificate", "il n'y a pas encore de certificat d'effacement",
                        "there is no certificate of erasure yet")  # fmt: skip
    found = await erasing.certificate(visit.house.writing, known, visit.lang)
    await visit.done()
    made = await asyncio.to_thread(erasing.certificate_pdf, found, visit.lang, visit.now, sender=sender_of(visit))
    name = visit.say("effacement")
    return handed_over(made, f"{name}-{short(known.person)}.pdf", PDF)


async def _theirs(visit: Visit, id: str) -> Mentor | Order:
    """A mentor of the visitor's sites, or the order to forget them. Raises Failure."""
    pool = visit.house.writing
    found: Mentor | Order | None = None
    if is_uuid(id):
        found = await store.ordered(pool, id, "mentor") or await mentors.mentor(pool, id)
    if found is None:
        raise not_found("unknown-mentor", "ce mentor n'est pas connu", "this mentor is not known")
    mine = visit.visitor.sites
    if isinstance(found, Mentor) and mine and found.site is not None and found.site not in mine:
        raise Failure(
            Exit.REFUSED, "mentor-elsewhere",
            Said("ce mentor est d'un site qui n'est pas le vôtre", "this mentor is of a site that is not yours"),
            Said("demandez-le à un responsable de ce site", "ask a supervisor of that site"),
        )  # fmt: skip
    return found


async def _mentor_screen(
    visit: Visit, found: Mentor | Order, typed: Mapping[str, str], failure: Failure | None = None
) -> Response:
    told = None
    if isinstance(found, Mentor):
        id, title = found.id, visit.say("Effacer les données de {name}", name=found.name)
        told = erasing.told_of_mentor(await mentor_erasing.survey(visit.house.writing, id), visit.lang)
    else:
        id, title = found.person, visit.say("Effacer les données d'un mentor")
    return await _page(
        visit, found if isinstance(found, Order) else None, told, typed, failure, back="/mentors",
        called=visit.say("Mentors"), here=f"/mentors/{id}/effacement", title=title,
    )  # fmt: skip


@router.get("/equipe/{id}/effacement")
async def staff_screen(id: str, visit: Visit = door(FORGETTING)) -> Response:
    return await _staff_screen(visit, await _member(visit, id), {})


@router.post("/equipe/{id}/effacement")
async def order_staff(id: str, visit: Visit = door(FORGETTING)) -> Response:
    """After a proof anew, as for a person."""
    found, typed, house = await _member(visit, id), typed_in(await visit.request.form()), visit.house
    by = stopping.by(visit.actor, "order-erasure", visit.now)
    if isinstance(found, Member):
        await require_proof(visit)
        try:
            reason = erasing.reason_of(typed.get("reason", ""), "reason")
        except Failure as failure:
            return await _staff_screen(visit, found, typed, failure)
        await visit.done()
        await erasing.order_staff(house.writing, house.client, house.settings.task_queue, found, reason, by)
    return go(f"/equipe/{id}/effacement")


async def _member(visit: Visit, id: str) -> Member | Order:
    """A member of the visitor's sites, or the order to forget them. Raises Failure."""
    pool = visit.house.writing
    found: Member | Order | None = None
    if is_uuid(id):
        found = await store.ordered(pool, id, "staff") or await staff.member(pool, id)
    if found is None:
        raise not_found("unknown-staff", "ce membre de l'équipe n'est pas connu", "this member of staff is not known")
    mine = visit.visitor.sites
    if isinstance(found, Member) and mine and not set(found.sites) & set(mine):
        raise Failure(
            Exit.REFUSED, "staff-elsewhere",
            Said("ce membre de l'équipe n'est pas d'un site qui est le vôtre",
                 "this member of staff is not of a site that is yours"),
            Said("demandez-le à un responsable de ce site", "ask a supervisor of that site"),
        )  # fmt: skip
    return found


async def _staff_screen(
    visit: Visit, found: Member | Order, typed: Mapping[str, str], failure: Failure | None = None
) -> Response:
    told = None
    if isinstance(found, Member):
        id, title = found.id, visit.say("Effacer les données de {name}", name=found.name)
        told = erasing.told_of_staff(await staff_erasing.survey(visit.house.writing, id), visit.lang)
    else:
        id, title = found.person, visit.say("Effacer les données d'un membre de l'équipe")
    return await _page(
        visit, found if isinstance(found, Order) else None, told, typed, failure, back="/equipe",
        called=visit.say("Équipe"), here=f"/equipe/{id}/effacement", title=title,
    )  # fmt: skip


@router.get("/partenaires/{id}/effacement")
async def partner_screen(id: str, visit: Visit = door(FORGETTING)) -> Response:
    return await _partner_screen(visit, await _partner(visit, id), {})


@router.post("/partenaires/{id}/effacement")
async def order_partner(id: str, visit: Visit = door(FORGETTING)) -> Response:
    """After a proof anew, as for a person."""
    found, typed, house = await _partner(visit, id), typed_in(await visit.request.form()), visit.house
    by = stopping.by(visit.actor, "order-erasure", visit.now)
    if isinstance(found, Partner):
        await require_proof(visit)
        try:
            reason = erasing.reason_of(typed.get("reason", ""), "reason")
        except Failure as failure:
            return await _partner_screen(visit, found, typed, failure)
        await visit.done()
        await erasing.order_partner(house.writing, house.client, house.settings.task_queue, found, reason, by)
    return go(f"/partenaires/{id}/effacement")


async def _partner(visit: Visit, id: str) -> Partner | Order:
    """A partner of the visitor's sites, or the order to forget them. Raises Failure."""
    pool = visit.house.writing
    found: Partner | Order | None = None
    if is_uuid(id):
        found = await store.ordered(pool, id, "partner") or await partners.partner(pool, id)
    if found is None:
        raise not_found("unknown-partner", "ce partenaire n'est pas connu", "this partner is not known")
    mine = visit.visitor.sites
    if isinstance(found, Partner) and mine and found.site is not None and found.site not in mine:
        raise Failure(
            Exit.REFUSED, "partner-elsewhere",
            Said("ce partenaire est d'un site qui n'est pas le vôtre", "this partner is of a site that is not yours"),
            Said("demandez-le à un responsable de ce site", "ask a supervisor of that site"),
        )  # fmt: skip
    return found


async def _partner_screen(
    visit: Visit, found: Partner | Order, typed: Mapping[str, str], failure: Failure | None = None
) -> Response:
    told = None
    if isinstance(found, Partner):
        id, title = found.id, visit.say("Effacer les données de {name}", name=found.name)
        told = erasing.told_of_partner(await partner_erasing.survey(visit.house.writing, id), visit.lang)
    else:
        id, title = found.person, visit.say("Effacer les données d'un partenaire")
    return await _page(
        visit, found if isinstance(found, Order) else None, told, typed, failure, back="/partenaires",
        called=visit.say("Partenaires"), here=f"/partenaires/{id}/effacement", title=title,
    )  # fmt: skip


async def _page(
    visit: Visit, known: Order | None, told: Told | None, typed: Mapping[str, str], failure: Failure | None, *,
    back: str, called: str, here: str, title: str,
) -> Response:  # fmt: skip
    """Before the order what would go; after it how far it is, and in the end the certificate."""
    made = None
    if known is not None and known.certificate is not None:
        made = await erasing.certificate(visit.house.writing, known, visit.lang)
    return page(
        visit, "erasing.html", 422 if failure else 200, back=back, called=called, here=here, title=title, known=known,
        certificate=made, told=made.told if made else told, reasons=erasing.REASONS, typed=typed,
        failure=failure.beside_its_field() if failure else None,
    )  # fmt: skip


async def _seen(visit: Visit, id: str) -> Loaded:
    """The journey, of a person all of whose journeys the visitor sees. Raises Failure."""
    loaded = await journey(visit, id)
    mine = await store.streams_of(visit.connection, loaded.state.person)
    if mine != await store.streams_of(visit.house.writing, loaded.state.person):
        raise Failure(
            Exit.REFUSED, "journeys-elsewhere",
            Said("cette personne a un parcours sur un site qui n'est pas le vôtre",
                 "this person has a journey at a site that is not yours"),
            Said("demandez-le à un responsable de tous les sites", "ask a supervisor of all sites"),
        )  # fmt: skip
    return loaded


async def _screen(visit: Visit, loaded: Loaded, typed: Mapping[str, str], failure: Failure | None = None) -> Response:
    pool, person = visit.house.writing, loaded.state.person
    known, told = await store.ordered(pool, person), None
    if known is None:
        told = erasing.told(await erasing.held(pool, visit.house.settings, person), visit.lang)
    return await _page(
        visit, known, told, typed, failure, back=f"/parcours/{loaded.row.id}",
        called=loaded.row.name or visit.say("Personne effacée"), here=f"/parcours/{loaded.row.id}/effacement",
        title=visit.say("Effacer les données d'une personne"),
    )  # fmt: skip
