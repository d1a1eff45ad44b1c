"""`journeys link`: what mentors, partners and the person may answer without an account, and a link made for it."""

from typing import TYPE_CHECKING, Any

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeys.app.giving import Givable


def add_to(app: typer.Typer) -> None:
    """Declare the command."""

    @command(
        app, "link",
        "Ce que mentors, partenaires et la personne peuvent répondre sans compte ; avec --to, le lien pour le faire.",
        "What mentors, partners and the person may answer without an account; with --to, the link to do so.",
    )  # fmt: skip
    async def link(
        ctx: typer.Context,
        id: str = argument("le parcours : id, référence ou nom", "the journey: id, reference or name", "ID"),
        to: str = option("--to", "à qui (nom ou id)", "to whom (name or id)"),
        purpose: str = option(
            "--for",
            "proposal, contact, referral, appointment ou messages",
            "proposal, contact, referral, appointment or messages",
        ),
        revoke: bool = option("--revoke", "retirer le lien qui est donné", "take back the link that is given", False),
    ) -> None:
        await _link(at(ctx), id, to, purpose, revoke)


async def _link(desk: Desk, id: str, to: str | None, purpose: str | None, revoke: bool) -> None:
    from journeys.app.finding import find_journey, load
    from journeys.app.giving import givable, give, must_give
    from journeys.store import links

    pool = await desk.pool()
    loaded = await load(pool, await find_journey(pool, id))
    if to is None:
        _show(desk, await givable(pool, loaded, desk.out.lang, desk.now))
        return
    actor = await desk.actor()
    must_give(actor, loaded)
    one = _one(await givable(pool, loaded, desk.out.lang, desk.now), to, purpose)
    out = desk.out
    if revoke:
        if one.given is not None:
            await links.revoke(pool, loaded.row.id, one.given.id, desk.now)
        out.result({"link": {"revoked": one.given.id if one.given is not None else None}},
                   lambda: out.line(out.t("Retiré.", "Taken back.") if one.given is not None
                                    else out.t("Aucun lien n'était donné.", "No link was given.")))  # fmt: skip
        return
    base = desk.settings.public_url or _must_be_told()
    drawn = await give(pool, desk.ring(), one, loaded.row.id, desk.now, actor.id)
    address = drawn.address(base)

    def show() -> None:
        out.line(f"{one.who} : {one.what}" if out.lang == "fr" else f"{one.who}: {one.what}")
        out.line(address)
        out.note(out.t("Cette adresse n'est montrée qu'une fois ; elle sert une fois.",
                       "This address is shown only once; it serves once."))  # fmt: skip

    out.result({"link": {"id": drawn.link.id, "address": address, "until": drawn.link.expires_at}}, show)


def _one(found: "Sequence[Givable]", to: str, purpose: str | None) -> "Givable":
    """The one that is meant; the choice about messages where it is named. Raises Failure: nobody, or several."""
    from journeys.app.finding import only, pick
    from journeys.domain.links import Purpose

    wanted = frozenset({purpose}) if purpose is not None else frozenset(Purpose) - {Purpose.MESSAGES}
    fitting = [each for each in found if each.ask.purpose in wanted]
    recipient = pick(to, {each.ask.recipient: each.who for each in fitting}, "recipient", "--to")
    its_own = {each.ask.subject: each for each in fitting if each.ask.recipient == recipient}
    subject = only({subject: each.what for subject, each in its_own.items()}, "answer", "--for")
    return its_own[subject]


def _show(desk: Desk, found: "Sequence[Givable]") -> None:
    out = desk.out

    def show() -> None:
        if not found:
            out.line(out.t("Personne n'a de réponse à donner en ce moment.", "Nobody has an answer to give now."))
            return
        heads = (out.t("à qui", "to whom"), "--for", out.t("quoi", "what"), out.t("lien donné", "link given"))
        out.table(heads, [(each.who, each.ask.purpose.value, each.what, _given(each)) for each in found])

    out.result({"links": [_as_json(each) for each in found]}, show)


def _given(one: "Givable") -> str:
    return f"{one.given.issued_at:%d/%m/%Y}" if one.given is not None else ""


def _as_json(one: "Givable") -> dict[str, Any]:
    return {
        "to": one.ask.recipient, "role": one.ask.role, "for": one.ask.purpose.value, "subject": one.ask.subject,
        "text": one.what, "given": one.given.id if one.given is not None else None,
    }  # fmt: skip


def _must_be_told() -> str:
    from journeys.app.failures import Exit, Failure, Said

    raise Failure(
        Exit.USAGE, "no-public-url",
        Said("l'adresse publique de l'application n'est pas réglée : un lien ne mènerait nulle part",
             "the public address of the application is not set: a link would lead nowhere"),
        Said("donnez-la par JOURNEYS_PUBLIC_URL (https://parcours.exemple.fr), ou faites le lien dans l'application",
             "set JOURNEYS_PUBLIC_URL (https://journeys.example.org), or make the link in the application"),
        field="JOURNEYS_PUBLIC_URL",
    )  # fmt: skip
