"""Forgetting somebody, as people ask for it: what would go and what stays, the order, and the certificate in words."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, get_args

from journeys import clock
from journeys import documents as papers
from journeys.app.failures import Exit, Failure, Said, usage
from journeys.app.papers import typeset
from journeys.app.reading import ZONE
from journeys.channels import outbox
from journeys.contract import Erasing
from journeys.domain.directory import Held, PersonErased
from journeys.domain.events import ErasureReason
from journeys.domain.record import SYSTEM
from journeys.domain.rights import Somebody
from journeys.i18n import N_, Lang, capital, format_date, format_instant, ngettext, text
from journeys.identifiers import short
from journeys.narration import spoken
from journeys.settings import Settings
from journeys.store import contact_erasing, erasing
from journeys.store.database import Pool
from journeys.store.directory import By, names_of
from journeys.store.erasing import Contact, Kind, Order
from journeys.store.mentors import Mentor
from journeys.store.partners import Partner
from journeys.store.staff import Member

if TYPE_CHECKING:
    from temporalio.client import Client

REASONS: Final[tuple[ErasureReason, ...]] = tuple(each for each in get_args(ErasureReason) if each != "restored")
"""Those that people give."""


def reason_of(typed: str, field: str) -> ErasureReason:
    """A reason by its code. Raises Failure (usage)."""
    for reason in REASONS:
        if reason == typed:
            return reason
    known = ", ".join(REASONS)
    raise usage("erasure-reason", f"{field} : dites pourquoi", f"{field}: say why", field=field,
                remedy=Said(f"un motif : {known}", f"a reason: {known}"))  # fmt: skip


async def must_be_theirs(pool: Pool, actor: Somebody, person: str) -> None:
    """Whoever is for some sites has people forgotten all of whose journeys are of these, or of none. Raises Failure."""
    if not actor.sites:
        return
    sites = await erasing.sites_of(pool, person)
    if not sites <= set(actor.sites):
        raise Failure(
            Exit.REFUSED, "journeys-elsewhere",
            Said("cette personne a un parcours sur un site qui n'est pas le vôtre",
                 "this person has a journey at a site that is not yours"),
            _OF_ALL_SITES,
        )  # fmt: skip


def contact_must_be_theirs(actor: Somebody, kind: Contact, who: Mentor | Member | Partner) -> None:
    """The same of a mentor, a member of staff or a partner: of one of their sites, or (but for staff) of every site.
    Raises Failure."""
    theirs = who.sites if isinstance(who, Member) else None if who.site is None else (who.site,)
    if actor.sites and theirs is not None and not set(theirs) & set(actor.sites):
        raise Failure(
            Exit.REFUSED, f"{kind}-elsewhere", _ELSEWHERE[kind],
            Said("demandez-le à un responsable de ce site", "ask a supervisor of that site"),
        )  # fmt: skip


def must_be_of_every_site(actor: Somebody) -> None:
    """What goes by the rules of retention is the whole house's. Raises Failure."""
    if actor.sites:
        raise Failure(
            Exit.REFUSED, "some-sites-only",
            Said("ce qui part ainsi est de toute la maison, et vous êtes de certains sites : rien n'a changé",
                 "what goes this way is the whole house's, and you are of some sites: nothing has changed"),
            _OF_ALL_SITES,
        )  # fmt: skip


_OF_ALL_SITES: Final = Said("demandez-le à un responsable de tous les sites", "ask a supervisor of all sites")
_ELSEWHERE: Final[Mapping[Contact, Said]] = {
    "mentor": Said("ce mentor est d'un site qui n'est pas le vôtre", "this mentor is of a site that is not yours"),
    "staff": Said("ce membre de l'équipe n'est pas d'un site qui est le vôtre",
                  "this member of staff is not of a site that is yours"),
    "partner": Said("ce partenaire est d'un site qui n'est pas le vôtre",
                    "this partner is of a site that is not yours"),
}  # fmt: skip


async def held(pool: Pool, settings: Settings, person: str) -> Held:
    """What is held of a person now: nothing is changed."""
    found = await erasing.survey(pool, person)
    if settings.smtp.host is not None:
        return found
    letters = outbox.count(settings.outbox_dir, await erasing.letters_to(pool, person))
    return found.model_copy(update={"letters": found.letters + letters})


async def order(
    pool: Pool, client: "Callable[[], Awaitable[Client]]", task_queue: str, person: str, reason: ErasureReason, by: By
) -> Order:
    """Order it and have it begun; where the engine is away, the housekeeping begins it after its return.

    Raises NotFound: no such person.
    """
    return await _begun(await erasing.order(pool, person, reason, by), client, task_queue)


async def order_contact(
    pool: Pool,
    client: "Callable[[], Awaitable[Client]]",
    task_queue: str,
    kind: Contact,
    who: Mentor | Member | Partner,
    reason: ErasureReason,
    by: By,
) -> Order:
    """The same for a mentor, a member of staff who left, or a partner. Raises Failure (refused): something waits for
    them still."""
    try:
        known = await contact_erasing.order(pool, kind, who.id, reason, by)
    except contact_erasing.StillNeeded as needed:
        said, remedy = _needed(kind, who, needed)
        said = Said(f"{said.fr} ; rien n'a changé", f"{said.en}; nothing has changed")
        raise Failure(Exit.REFUSED, f"{kind}-{needed.why}", said, remedy) from None
    return await _begun(known, client, task_queue)


def _needed(kind: Contact, who: Mentor | Member | Partner, needed: contact_erasing.StillNeeded) -> tuple[Said, Said]:
    """Why somebody is not forgotten yet, and what to do first."""
    name, where = who.name, ", ".join(short(stream.removeprefix("journey-")) for stream in needed.streams)
    match kind, needed.why:
        case _, "on-call":
            return (
                Said(f"{name} est encore d'astreinte, ou le sera", f"{name} is still on call, or will be"),
                Said("supprimez d'abord ces astreintes, ou confiez-les à quelqu'un d'autre",
                     "strike these shifts out first, or give them to somebody else"),
            )  # fmt: skip
        case "mentor", _:
            return (
                Said(f"{name} accompagne encore quelqu'un, ou doit encore répondre",
                     f"{name} still accompanies somebody, or has yet to answer"),
                Said(f"mettez fin à cela d'abord (end-mentor, decline-mentor) : {where}",
                     f"end that first (end-mentor, decline-mentor): {where}"),
            )  # fmt: skip
        case "staff", "active":
            handle = who.handle if isinstance(who, Member) else who.id
            return (
                Said(f"{name} travaille encore ici", f"{name} still works here"),
                Said(f"notez d'abord son départ : journeys staff change {handle} --left",
                     f"note first that they left: journeys staff change {handle} --left"),
            )  # fmt: skip
        case "staff", "counted-on":
            return (
                Said(f"{name} suit encore quelqu'un, ou doit dire s'il le prend",
                     f"{name} still leads a journey, or has yet to say whether they take one"),
                Said(f"donnez d'abord ces parcours à quelqu'un d'autre : {where}",
                     f"give these journeys to somebody else first: {where}"),
            )  # fmt: skip
        case "staff", _:
            return (
                Said(f"une demande d'aide que {name} a faite ou accordée attend encore une décision, ou une alerte"
                     " reste entre ses mains",
                     f"a request for money that {name} made or approved still waits for a decision, or an alert is"
                     " still in their hands"),
                Said(f"réglez cela d'abord : {where}", f"settle that first: {where}"),
            )  # fmt: skip
        case _, "active":
            return (
                Said(f"{name} reçoit encore des personnes", f"{name} still takes people"),
                Said("notez d'abord que ce partenaire ne reçoit plus personne : journeys partner leave",
                     "note first that this partner takes nobody any more: journeys partner leave"),
            )  # fmt: skip
        case _:
            return (
                Said(f"{needed.journeys} parcours ouvert(s) sont adressés à {name} ou y sont accueillis",
                     f"{needed.journeys} open journey(s) were sent to {name} or taken there"),
                Said("attendez qu'ils soient clos, ou mettez fin à ces orientations (cancel-referral)",
                     "wait until they are closed, or end these referrals (cancel-referral)"),
            )  # fmt: skip


async def _begun(known: Order, client: "Callable[[], Awaitable[Client]]", task_queue: str) -> Order:
    from journeys.temporal import Unreachable, begin_erasure

    if known.certificate is None:
        with suppress(Unreachable):
            await begin_erasure(await client(), Erasing(person=known.person, kind=known.kind), task_queue)
    return known


@dataclass(frozen=True, slots=True)
class Told:
    """What goes, what stays and until when, and what this cannot reach; lines to read."""

    goes: tuple[str, ...]
    stays: tuple[str, ...]
    beyond: tuple[str, ...]


def told(held: Held, lang: Lang) -> Told:
    """What an erasure takes and leaves, in words."""
    _ = text(lang)

    def n(one: str, many: str, count: int) -> str:
        return ngettext(lang, one, many, count).format(count=count)

    goes = [_("le nom, les coordonnées, la date de naissance et tout ce par quoi la personne se retrouve")]
    if held.journeys:
        goes.append(n("{count} parcours, clos s'il ne l'est pas", "{count} parcours, clos s'ils ne le sont pas",
                      held.journeys))  # fmt: skip
    if held.parts:
        goes.append(n("{count} texte", "{count} textes", held.parts))
    if held.documents:
        goes.append(n("{count} document", "{count} documents", held.documents))
    if held.letters:
        goes.append(n("{count} message dans la boîte d'envoi ou sur papier",
                      "{count} messages dans la boîte d'envoi ou sur papier", held.letters))  # fmt: skip
    goes.append(_("les historiques du moteur"))
    paid = held.kept_until is not None
    stays = [
        _("les faits sans nom ni texte (dates, étapes, montants), sous un numéro qui mène encore à la personne par ce"
          " que garde la comptabilité, tant qu'elle le garde")
        if paid else
        _("les faits sans nom ni texte (dates, étapes, montants), sous un numéro qui ne mène plus à personne")
    ]  # fmt: skip
    if held.kept_until is not None:
        until = format_date(held.kept_until, lang)
        stays.append(n("{count} texte de comptabilité : qui a été payé, ce qui justifie la dépense",
                       "{count} textes de comptabilité : qui a été payé, ce qui justifie la dépense",
                       held.kept_parts))  # fmt: skip
        if held.kept_documents:
            stays.append(n("{count} justificatif", "{count} justificatifs", held.kept_documents))
        stays.append(_("la comptabilité se garde dix ans après l'année du dernier versement : jusqu'au {day}").format(
            day=until))  # fmt: skip
    stays += _of_bank(held, lang)
    beyond = [
        _("les messages déjà partis restent chez qui les a reçus"),
        _("un papier imprimé ou un export déjà remis ne s'efface pas d'ici"),
        _("dans les copies de sauvegarde, textes et documents ne peuvent plus être lus : leur clé est détruite ;"
          " sauf à qui de l'argent devait aller, et les justificatifs : leur clé reste aussi longtemps que la"
          " comptabilité")
        if paid else
        _("dans les copies de sauvegarde, textes et documents ne peuvent plus être lus : leur clé est détruite"),
    ]  # fmt: skip
    return Told(tuple(goes), tuple(stays), tuple(beyond))


def _of_bank(held: Held, lang: Lang) -> list[str]:
    """What of the bank stays, why, and until when."""
    _, bank = text(lang), held.bank

    def n(one: str, many: str, count: int) -> str:
        return ngettext(lang, one, many, count).format(count=count)

    if bank is None:
        paid = held.kept_until is not None
        return [_("des fichiers et des lignes de la banque, qui n'avaient pas été comptés alors")] if paid else []
    found = []
    if bank.payments:
        found.append(n("{count} versement, sans nom : montant, jours, moyen",
                       "{count} versements, sans nom : montants, jours, moyens", bank.payments))  # fmt: skip
    if bank.transfers:
        found.append(n("{count} ordre de virement : nom et compte du bénéficiaire",
                       "{count} ordres de virement : noms et comptes des bénéficiaires", bank.transfers))  # fmt: skip
    if bank.files:
        found.append(n("{count} fichier de virements fait pour la banque",
                       "{count} fichiers de virements faits pour la banque", bank.files))  # fmt: skip
    if bank.lines:
        found.append(n("{count} ligne de la banque sur ces versements",
                       "{count} lignes de la banque sur ces versements", bank.lines))  # fmt: skip
    if bank.until is not None:
        found.append(_("ordres, fichiers et lignes de la banque sont des pièces comptables, à garder dix ans (Code de"
                       " commerce, art. L123-22) : au moins jusqu'au {day} ; ensuite, la clé de leur année peut être"
                       " détruite").format(day=format_date(bank.until, lang)))  # fmt: skip
        found.append(_("une ligne de la banque que personne n'a rapprochée d'un versement peut encore porter le nom ;"
                       " elle n'est pas comptée ici"))  # fmt: skip
    return found


def told_of_mentor(held: Held, lang: Lang) -> Told:
    """The same of a mentor."""
    _ = text(lang)
    goes = [
        _("le nom, l'adresse, le téléphone, la ville, les langues et les intérêts du mentor"),
        _("les messages de la boîte d'envoi qui lui sont adressés, et ceux, sur papier aussi, qui le nomment"),
        _("ses astreintes passées"),
    ]
    if held.parts:
        goes.append(ngettext(lang, "{count} texte", "{count} textes", held.parts).format(count=held.parts))
    stays = [
        _("les faits sans nom (qui a été accompagné, de quand à quand), sous un numéro qui ne mène plus à personne")
    ]
    beyond = [
        _("les messages déjà partis restent chez qui les a reçus"),
        _("ce que d'autres ont écrit du mentor dans un parcours y reste, sous la clé de la personne accompagnée"),
        _("un papier imprimé ou un export déjà remis ne s'efface pas d'ici"),
        _("dans les copies de sauvegarde, rien du mentor ne peut plus être lu : sa clé est détruite"),
    ]
    return Told(tuple(goes), tuple(stays), tuple(beyond))


def told_of_staff(held: Held, lang: Lang) -> Told:
    """The same of a member of staff who left."""
    _ = text(lang)
    goes = [
        _("le nom, le pseudo, l'adresse et le téléphone"),
        _("le mot de passe, les sessions, les jetons, les comptes chez un fournisseur d'identité"),
        _("les absences et les astreintes passées"),
        _("les messages de la boîte d'envoi qui lui sont adressés"),
    ]
    if held.parts:
        goes.append(ngettext(lang, "{count} texte", "{count} textes", held.parts).format(count=held.parts))
    stays = [
        _(
            "les faits sans nom (qui a décidé quoi, dans quel rôle, quel jour), sous un numéro qui ne mène plus à"
            " personne : le contrôle des décisions reste possible"
        ),
        _(
            "qui a ouvert quel dossier, sous ce numéro (et, en ligne de commande, sous le nom de son compte sur la"
            " machine), aussi longtemps que ce journal se garde"
        ),
    ]
    beyond = [
        _("les messages déjà partis restent chez qui les a reçus, avec la signature"),
        _("ce que d'autres ont écrit, ou ce qui a été écrit aux personnes suivies, reste sous la clé de ces personnes"),
        _("un papier imprimé ou un export déjà remis ne s'efface pas d'ici"),
        _("dans les copies de sauvegarde, rien de ce membre ne peut plus être lu, sauf un pseudo qui serait son nom"),
    ]
    return Told(tuple(goes), tuple(stays), tuple(beyond))


def told_of_partner(held: Held, lang: Lang) -> Told:
    """The same of a partner who takes nobody any more."""
    _ = text(lang)
    goes = [
        _("le nom de la maison et de qui on y demande, l'adresse, le téléphone, la ville"),
        _("les messages de la boîte d'envoi qui lui sont adressés"),
    ]
    if held.parts:
        goes.append(ngettext(lang, "{count} texte", "{count} textes", held.parts).format(count=held.parts))
    stays = [
        _(
            "les faits sans nom (pour quoi des personnes y ont été adressées, et la réponse), sous un numéro qui ne"
            " mène plus à personne"
        )
    ]
    beyond = [
        _("les messages déjà partis restent chez qui les a reçus"),
        _("ce que d'autres ont écrit de ce partenaire dans un parcours y reste, sous la clé de la personne suivie"),
        _("un papier imprimé ou un export déjà remis ne s'efface pas d'ici"),
        _("dans les copies de sauvegarde, rien de ce partenaire ne peut plus être lu : sa clé est détruite"),
    ]
    return Told(tuple(goes), tuple(stays), tuple(beyond))


TOLD: Final[Mapping[Kind, Callable[[Held, Lang], Told]]] = {
    "person": told, "mentor": told_of_mentor, "staff": told_of_staff,
    "partner": told_of_partner,
}  # fmt: skip
_NUMBER: Final[Mapping[Kind, str]] = {
    "person": N_("Numéro de la personne"), "mentor": N_("Numéro du mentor"),
    "staff": N_("Numéro du membre de l'équipe"), "partner": N_("Numéro du partenaire"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Certificate:
    """That somebody was forgotten: no line of it says who it was."""

    facts: tuple[tuple[str, str], ...]
    """What, and its value."""
    told: Told
    """As it was before."""


async def certificate(pool: Pool, known: Order, lang: Lang) -> Certificate:
    """The certificate of an erasure, from the record. Raises Failure: it is still under way."""
    event = await erasing.certificate(pool, known)
    if event is None or not isinstance(event.data, PersonErased):
        raise Failure(
            Exit.FAILED, "erasure-under-way",
            Said("l'effacement est encore en cours", "the erasure is still under way"),
            Said("il attend la fin d'un versement, ou un exécutant : voyez « journeys doctor »",
                 "it waits for a payment to end, or for a worker: see “journeys doctor”"),
        )  # fmt: skip
    _, who = text(lang), await _who(pool, known.by, lang)
    facts = (
        (_(_NUMBER[known.kind]), known.person),
        (_("Demandé le"), _at(known.at, lang)),
        (_("Demandé par"), who),
        (_("Pourquoi"), spoken(known.reason, lang)),
        (_("Effacé le"), _at(event.recorded_at, lang)),
        (_("Clés détruites"), ", ".join(event.data.keys)),
        (_("Preuve dans le journal"), f"{event.stream}, {event.seq}"),
    )
    return Certificate(facts, TOLD[known.kind](event.data.held, lang))


async def _who(pool: Pool, by: str, lang: Lang) -> str:
    """Who ordered it: somebody of the staff, or nobody (what had been kept long enough, what a copy brought back)."""
    if by == SYSTEM:
        return text(lang)("le système")
    return (await names_of(pool, [by])).get(by, by)


def certificate_pdf(found: Certificate, lang: Lang, at: datetime, *, sender: str) -> bytes:
    """The certificate on paper. Raises Failure: it cannot be typeset."""
    _ = text(lang)
    paper = papers.Certificate(
        sender=sender, title=_("Certificat d'effacement"),
        facts=tuple(papers.Fact(label, value) for label, value in found.facts),
        lists=(
            papers.Listed(_("Ce qui est parti"), _lines(found.told.goes)),
            papers.Listed(_("Ce qui reste"), _lines(found.told.stays)),
            papers.Listed(_("Ce que cela n'atteint pas"), _lines(found.told.beyond)),
        ),
        remark=clock.describe(lang),
    )  # fmt: skip
    return typeset(paper, lang, at, ZONE.key)


def _lines(told: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(capital, told))


def _at(instant: datetime, lang: Lang) -> str:
    return format_instant(instant, lang, ZONE)
