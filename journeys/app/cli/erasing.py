"""`journeys person|mentor|staff|partner erase`, `journeys erasures`: somebody is forgotten, and what proves it."""

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.files import check, write
from journeys.app.cli.shape import argument, at, command, option
from journeys.app.failures import usage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from journeys.app.erasing import Told
    from journeys.store.database import Pool
    from journeys.store.erasing import Contact, Order
    from journeys.store.mentors import Mentor
    from journeys.store.partners import Partner
    from journeys.store.staff import Member


def add_to_mentors(mentors: typer.Typer) -> None:
    """Declare the command of mentors."""

    @command(mentors, "erase", "Efface un mentor ; sans --yes, dit seulement ce qui part et ce qui reste.",
             "Forgets a mentor; without --yes, only says what goes and what stays.")  # fmt: skip
    async def erase(
        ctx: typer.Context,
        name: str = argument("nom ou id", "name or id", "MENTOR"),
        reason: str = option("--reason", "pourquoi : person-asked, kept-long-enough, by-mistake, ordered",
                             "why: person-asked, kept-long-enough, by-mistake, ordered", ...),
        yes: bool = option("--yes", "efface vraiment", "really erases", False),
    ) -> None:  # fmt: skip
        await _erase_contact(at(ctx), "mentor", name, "MENTOR", reason, yes)


def add_to_staff(staff: typer.Typer) -> None:
    """Declare the command of staff."""

    @command(staff, "erase", "Efface un membre parti ; sans --yes, dit seulement ce qui part et ce qui reste.",
             "Forgets a member who left; without --yes, only says what goes and what stays.")  # fmt: skip
    async def erase(
        ctx: typer.Context,
        handle: str = argument("pseudo, nom ou id", "handle, name or id", "PSEUDO"),
        reason: str = option("--reason", "pourquoi : person-asked, kept-long-enough, by-mistake, ordered",
                             "why: person-asked, kept-long-enough, by-mistake, ordered", ...),
        yes: bool = option("--yes", "efface vraiment", "really erases", False),
    ) -> None:  # fmt: skip
        await _erase_contact(at(ctx), "staff", handle, "PSEUDO", reason, yes)


def add_to_partners(partners: typer.Typer) -> None:
    """Declare the command of partners."""

    @command(partners, "erase",
             "Efface un partenaire qui ne reçoit plus personne ; sans --yes, dit ce qui part et ce qui reste.",
             "Forgets a partner who takes nobody any more; without --yes, says what goes and what stays.")  # fmt: skip
    async def erase(
        ctx: typer.Context,
        name: str = argument("nom ou id", "name or id", "PARTENAIRE"),
        reason: str = option("--reason", "pourquoi : person-asked, kept-long-enough, by-mistake, ordered",
                             "why: person-asked, kept-long-enough, by-mistake, ordered", ...),
        yes: bool = option("--yes", "efface vraiment", "really erases", False),
    ) -> None:  # fmt: skip
        await _erase_contact(at(ctx), "partner", name, "PARTENAIRE", reason, yes)


def add_to(app: typer.Typer, people: typer.Typer) -> None:
    """Declare the commands: one among those of people, one of its own."""

    @command(people, "erase", "Efface une personne ; sans --yes, dit seulement ce qui part et ce qui reste.",
             "Forgets a person; without --yes, only says what goes and what stays.")  # fmt: skip
    async def erase(
        ctx: typer.Context,
        person: str = argument("nom, référence ou id", "name, reference or id", "PERSONNE"),
        reason: str = option("--reason", "pourquoi : person-asked, kept-long-enough, by-mistake, ordered",
                             "why: person-asked, kept-long-enough, by-mistake, ordered", ...),
        yes: bool = option("--yes", "efface vraiment", "really erases", False),
    ) -> None:  # fmt: skip
        await _erase(at(ctx), person, reason, yes)

    @command(app, "erasures", "Les effacements demandés ; avec un id, le certificat.",
             "Erasures that were ordered; with an id, the certificate.")  # fmt: skip
    async def erasures(
        ctx: typer.Context,
        person: str = argument("id de la personne, mentor-ID, staff-ID ou partner-ID",
                               "id of the person, mentor-ID, staff-ID or partner-ID", "PERSONNE", None),
        pdf: str = option("--pdf", "écrit aussi le certificat", "also writes the certificate", metavar="FICHIER"),
        sender: str = option("--sender", "nom de l'association, en tête du certificat",
                             "the association's name, at the top of the certificate", ""),
        force: bool = option("--force", "remplace le fichier s'il existe", "replaces the file if there is one", False),
    ) -> None:  # fmt: skip
        if person is None and pdf is not None:
            raise usage("pdf-of-whom", "--pdf : dites de qui, par son id", "--pdf: say of whom, by their id",
                        field="--pdf")  # fmt: skip
        await (_list(at(ctx)) if person is None else _certificate(at(ctx), person, pdf, sender, force))


async def _erase(desk: Desk, asked: str, typed: str, yes: bool) -> None:
    from journeys.app import erasing, stopping
    from journeys.app.finding import find_person

    pool, out = await desk.pool(), desk.out
    actor = await desk.actor()
    by = stopping.by(actor, "order-erasure", desk.now)
    reason = erasing.reason_of(typed, "--reason")
    person = await find_person(pool, asked)
    await erasing.must_be_theirs(pool, actor, person.id)
    held = await erasing.held(pool, desk.settings, person.id)
    if yes:
        await erasing.order(pool, desk.client, desk.settings.task_queue, person.id, reason, by)

    def show() -> None:
        _tell(desk, f"{person.name}  {person.id}", erasing.told(held, out.lang), person.id, yes)

    out.result({"person": person.id, "ordered": yes, "held": held.model_dump(mode="json")}, show)


async def _erase_contact(desk: Desk, kind: "Contact", asked: str, field: str, typed: str, yes: bool) -> None:
    from journeys.app import erasing, finding, stopping
    from journeys.store import contact_erasing

    pool, out = await desk.pool(), desk.out
    actor = await desk.actor()
    by = stopping.by(actor, "order-erasure", desk.now)
    reason = erasing.reason_of(typed, "--reason")
    finders: dict[Contact, Callable[[Pool, str, str], Awaitable[Mentor | Member | Partner]]] = {
        "mentor": finding.find_mentor, "staff": finding.find_staff, "partner": finding.find_partner,
    }  # fmt: skip
    who = await finders[kind](pool, asked, field)
    erasing.contact_must_be_theirs(actor, kind, who)
    held = await contact_erasing.survey(pool, kind, who.id)
    if yes:
        await erasing.order_contact(pool, desk.client, desk.settings.task_queue, kind, who, reason, by)

    def show() -> None:
        _tell(desk, f"{who.name}  {who.id}", erasing.TOLD[kind](held, out.lang), f"{kind}-{who.id}", yes)

    out.result({kind: who.id, "ordered": yes, "held": held.model_dump(mode="json")}, show)


def _tell(desk: Desk, title: str, told: "Told", whose: str, yes: bool) -> None:
    """What goes and what stays, and whether that is under way."""
    out = desk.out
    out.heading(title)
    _show(desk, told)
    out.line(out.t(f"L'effacement est en cours : « journeys erasures {whose} » dira quand il est fini.",
                   f"The erasure is under way: “journeys erasures {whose}” will say when it is done.")
             if yes else
             out.t("Rien n'a changé. Ajoutez --yes pour effacer ; cela ne se reprend pas.",
                   "Nothing has changed. Add --yes to erase; it cannot be taken back."))  # fmt: skip


def _show(desk: Desk, told: "Told") -> None:
    out = desk.out
    for title, lines in (
        (out.t("Ce qui part", "What goes"), told.goes),
        (out.t("Ce qui reste", "What stays"), told.stays),
        (out.t("Ce que cela n'atteint pas", "What this does not reach"), told.beyond),
    ):
        out.line(title)
        for line in lines:
            out.line(f"  · {line}")


async def _list(desk: Desk) -> None:
    from journeys.app.reading import ZONE
    from journeys.i18n import format_instant
    from journeys.narration import spoken
    from journeys.store import erasing

    await desk.keeper("supervisor", "auditor")
    found, out = await erasing.erasures(await desk.pool()), desk.out
    rows = [
        (_whose(each), format_instant(each.at, out.lang, ZONE), spoken(each.reason, out.lang),
         format_instant(each.erased_at, out.lang, ZONE) if each.erased_at else out.t("en cours", "under way"))
        for each in found
    ]  # fmt: skip
    heads = (out.t("personne", "person"), out.t("demandé le", "ordered"), out.t("pourquoi", "why"),
             out.t("effacé le", "erased"))  # fmt: skip
    shown = [{"kind": each.kind, "person": each.person, "ordered_at": each.at, "reason": each.reason,
              "erased_at": each.erased_at, "certificate": each.certificate} for each in found]  # fmt: skip
    out.result({"erasures": shown}, lambda: out.table(heads, rows))


def _whose(order: "Order") -> str:
    """By what an erasure is named: the id of a person, the stream of anybody else."""
    return order.person if order.kind == "person" else order.stream


async def _certificate(desk: Desk, asked: str, pdf: str | None, sender: str, force: bool) -> None:
    from journeys.app import erasing
    from journeys.app.failures import not_found
    from journeys.identifiers import is_uuid
    from journeys.store import erasing as store

    if pdf is not None:
        check(Path(pdf), force, "--pdf")
    await desk.keeper("supervisor", "auditor")
    pool, out = await desk.pool(), desk.out
    kind: store.Kind = next((each for each in get_args(store.Contact) if asked.startswith(f"{each}-")), "person")
    id = asked.removeprefix(f"{kind}-")
    known = await store.ordered(pool, id, kind) if is_uuid(id) else None
    if known is None:
        raise not_found("no-erasure", "aucun effacement n'a été demandé pour cet id",
                        "no erasure was ordered for this id")  # fmt: skip
    found = await erasing.certificate(pool, known, out.lang)
    if pdf is not None:
        write(Path(pdf), erasing.certificate_pdf(found, out.lang, desk.now, sender=sender), force, "--pdf")

    def show() -> None:
        out.heading(out.t("Certificat d'effacement", "Certificate of erasure"))
        for label, value in found.facts:
            out.line(f"{label}{out.t(' :', ':')} {value}")
        _show(desk, found.told)
        if pdf is not None:
            out.line(out.t(f"Écrit : {pdf}", f"Written: {pdf}"))

    shown = {"facts": [list(each) for each in found.facts], "goes": found.told.goes, "stays": found.told.stays,
             "beyond": found.told.beyond}  # fmt: skip
    out.result({"certificate": shown, "files": [pdf] if pdf is not None else []}, show)
