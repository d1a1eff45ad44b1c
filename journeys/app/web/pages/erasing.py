"""Effacement: what goes and what stays before it is confirmed, how far it is, and the certificate."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import erasing, stopping
from journeys.app.erasing import Told
from journeys.app.failures import Failure, Said, not_found
from journeys.app.finding import Loaded
from journeys.app.web.bodies import typed_in
from journeys.app.web.pages.commands import journey
from journeys.app.web.pages.documents import PDF, handed_over, sender_of
from journeys.app.web.policy import FORGETTING, SUPERVISION, Policy
from journeys.app.web.proof import require_proof
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.i18n import N_
from journeys.identifiers import is_uuid, short
from journeys.store import contact_erasing, mentors, partners, staff
from journeys.store import erasing as store
from journeys.store.database import Pool
from journeys.store.erasing import Contact, Order
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


@router.get("/parcours/{id}/effacement/certificat.pdf")
async def paper(id: str, visit: Visit = door(SUPERVISION)) -> Response:
    """The certificate, to be handed over."""
    loaded = await _seen(visit, id)
    return await _paper(visit, await store.ordered(visit.house.writing, loaded.state.person))


async def _paper(visit: Visit, known: Order | None) -> Response:
    if known is None or known.certificate is None:
        raise not_found("no-certificate", "il n'y a pas encore de certificat d'effacement",
                        "there is no certificate of erasure yet")  # fmt: skip
    found = await erasing.certificate(visit.house.writing, known, visit.lang)
    await visit.done()
    made = await asyncio.to_thread(erasing.certificate_pdf, found, visit.lang, visit.now, sender=sender_of(visit))
    name = visit.say("effacement")
    return handed_over(made, f"{name}-{short(known.person)}.pdf", PDF)


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
    """The journey, of a person all of whose journeys are of the visitor's sites. Raises Failure."""
    loaded = await journey(visit, id)
    await erasing.must_be_theirs(visit.house.writing, visit.actor, loaded.state.person)
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


# --- mentors, members of staff who left, partners


@dataclass(frozen=True, slots=True)
class Register:
    """Where people of the house of a kind are looked after, and what is said of one of them."""

    kind: Contact
    path: str
    called: str
    of_one: str
    """The title once their name is gone."""
    unknown: Said
    door: Policy
    find: Callable[[Pool, str], Awaitable[Mentor | Member | Partner | None]]


def declare(register: Register) -> None:
    """Declare the pages of those of a kind: what would go, the order, the certificate on paper."""
    here, whom = f"{register.path}/{{id}}/effacement", register.kind

    @router.get(here, name=f"{whom}_erasing")
    async def screen(id: str, visit: Visit = door(register.door)) -> Response:
        return await _contact_screen(visit, register, await _theirs(visit, register, id), {})

    @router.post(here, name=f"order_{whom}_erasing")
    async def order(id: str, visit: Visit = door(register.door)) -> Response:
        """After a proof anew, as for a person."""
        found, typed, house = await _theirs(visit, register, id), typed_in(await visit.request.form()), visit.house
        by = stopping.by(visit.actor, "order-erasure", visit.now)
        if not isinstance(found, Order):
            await require_proof(visit)
            try:
                reason = erasing.reason_of(typed.get("reason", ""), "reason")
            except Failure as failure:
                return await _contact_screen(visit, register, found, typed, failure)
            await visit.done()
            await erasing.order_contact(house.writing, house.client, house.settings.task_queue, whom, found, reason, by)
        return go(f"{register.path}/{id}/effacement")

    @router.get(f"{here}/certificat.pdf", name=f"{whom}_certificate")
    async def paper(id: str, visit: Visit = door(register.door)) -> Response:
        found = await _theirs(visit, register, id)
        return await _paper(visit, found if isinstance(found, Order) else None)


async def _theirs(visit: Visit, register: Register, id: str) -> Mentor | Member | Partner | Order:
    """One of the visitor's sites, or the order to forget them. Raises Failure."""
    pool = visit.house.writing
    found: Mentor | Member | Partner | Order | None = None
    if is_uuid(id):
        found = await store.ordered(pool, id, register.kind) or await register.find(pool, id)
    if found is None:
        raise not_found(f"unknown-{register.kind}", register.unknown.fr, register.unknown.en)
    if not isinstance(found, Order):
        erasing.contact_must_be_theirs(visit.actor, register.kind, found)
    return found


async def _contact_screen(
    visit: Visit,
    register: Register,
    found: Mentor | Member | Partner | Order,
    typed: Mapping[str, str],
    failure: Failure | None = None,
) -> Response:
    if isinstance(found, Order):
        known, told, id, title = found, None, found.person, visit.say(register.of_one)
    else:
        known, id, title = None, found.id, visit.say("Effacer les données de {name}", name=found.name)
        held = await contact_erasing.survey(visit.house.writing, register.kind, id)
        told = erasing.TOLD[register.kind](held, visit.lang)
    return await _page(
        visit, known, told, typed, failure, back=register.path, called=visit.say(register.called),
        here=f"{register.path}/{id}/effacement", title=title,
    )  # fmt: skip


declare(Register(
    "mentor", "/mentors", N_("Mentors"), N_("Effacer les données d'un mentor"),
    Said("ce mentor n'est pas connu", "this mentor is not known"),
    SUPERVISION, mentors.mentor,
))  # fmt: skip
declare(Register(
    "staff", "/equipe", N_("Équipe"), N_("Effacer les données d'un membre de l'équipe"),
    Said("ce membre de l'équipe n'est pas connu", "this member of staff is not known"),
    FORGETTING, staff.member,
))  # fmt: skip
declare(Register(
    "partner", "/partenaires", N_("Partenaires"), N_("Effacer les données d'un partenaire"),
    Said("ce partenaire n'est pas connu", "this partner is not known"),
    FORGETTING, partners.partner,
))  # fmt: skip
