"""`journeys outbox`: the letters that wait on this machine, where no mail server is set, for whoever posts them."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.files import check, write
from journeys.app.cli.looks import looked
from journeys.app.cli.shape import argument, at, command, group, option
from journeys.app.failures import Said, not_found, usage

if TYPE_CHECKING:
    from journeys.app.outbox import Laid


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group("Les messages déposés sur cette machine, sans serveur de messagerie.",
                 "Messages laid on this machine, without a mail server.")  # fmt: skip
    app.add_typer(room, name="outbox")

    @command(room, "list", "Les messages qui attendent, le plus ancien en tête.", "Messages waiting, the oldest first.")
    async def list_(ctx: typer.Context) -> None:
        await _list(at(ctx))

    @command(room, "show", "Un message en clair, à lire, à imprimer ou à envoyer.",
             "A message in plain, to read, to print or to send.")  # fmt: skip
    async def show(
        ctx: typer.Context,
        id: str = argument("numéro du message, ou son début", "the message's number, or its beginning", "ID"),
        to: str = option("--to", "écrit le message dans ce fichier (.eml)", "writes the message to this file (.eml)",
                         metavar="FICHIER"),
        force: bool = option("--force", "remplace le fichier s'il existe", "replaces the file if there is one", False),
    ) -> None:  # fmt: skip
        await _show(at(ctx), id, to, force)


async def _list(desk: Desk) -> None:
    from journeys.app.reading import ZONE
    from journeys.domain.record import instant_text
    from journeys.i18n import format_instant
    from journeys.identifiers import short

    found, closed = await _opened(desk)
    if found:
        await looked(desk, None, "letters")
    out, lang = desk.out, desk.out.lang

    def show() -> None:
        if found:
            heads = (out.t("N°", "No."), out.t("Quand", "When"), out.t("À", "To"), out.t("Objet", "Subject"))
            out.table(heads, [(short(each.id), format_instant(each.at, lang, ZONE), each.to, each.subject)
                              for each in found])  # fmt: skip
        else:
            out.line(out.t("Aucun message n'attend.", "No message is waiting."))
        if closed:
            out.line(out.t(f"{closed} message(s) illisibles : personne oubliée, ou fichier modifié.",
                           f"{closed} message(s) cannot be read: person forgotten, or file altered."))  # fmt: skip

    told = [{"id": each.id, "at": instant_text(each.at), "to": each.to, "subject": each.subject} for each in found]
    out.result({"letters": told, "unreadable": closed}, show)


async def _show(desk: Desk, id: str, to: str | None, force: bool) -> None:
    from journeys.domain.record import instant_text

    if to is not None:
        check(Path(to), force, "--to")
    found, closed = await _opened(desk, id)
    if not found:
        raise not_found(
            "no-letter", f"aucun message « {id} » ne peut être lu ici", f"no message “{id}” can be read here",
            remedy=Said("voyez « journeys outbox list »", "see “journeys outbox list”"),
        )  # fmt: skip
    if len(found) + closed > 1:
        raise usage("ambiguous", f"plusieurs messages commencent par « {id} » ; donnez-en plus",
                    f"several messages begin with “{id}”; give more of it")  # fmt: skip
    (letter,) = found
    await _noted(desk, letter)
    out = desk.out
    if to is not None:
        write(Path(to), letter.whole, force, "--to")

    def show() -> None:
        if to is not None:
            out.line(out.t(f"Message écrit : {to}", f"Message written: {to}"))
            return
        out.line(out.t(f"À : {letter.to}", f"To: {letter.to}"))
        out.line(out.t(f"Objet : {letter.subject}", f"Subject: {letter.subject}"))
        out.line()
        for line in letter.text.splitlines():
            out.line(line)

    out.result(
        {"id": letter.id, "at": instant_text(letter.at), "to": letter.to, "subject": letter.subject,
         "text": letter.text, "file": to},
        show,
    )  # fmt: skip


async def _opened(desk: Desk, beginning: str = "") -> "tuple[list[Laid], int]":
    from journeys.app.outbox import laid

    await desk.keeper("supervisor")
    return await laid(desk.settings.outbox_dir, (await desk.pool()).keys, beginning)


async def _noted(desk: Desk, letter: "Laid") -> None:
    """Whoever reads a letter has looked into the files of the person whom it tells of."""
    from journeys.store import views

    kind, _, person = letter.key.partition("-")
    rows = await views.journeys(await desk.pool(), person=person, limit=20) if kind == "person" else []
    for row in rows:
        await looked(desk, row.id, "letters")
    if not rows:
        await looked(desk, None, "letters")
