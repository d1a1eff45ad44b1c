"""`journeys summary`, `receipt`, `letter`: a journey on paper; `journeys documents`: what people brought."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.files import check, write
from journeys.app.cli.looks import looked
from journeys.app.cli.shape import argument, at, command, option
from journeys.app.failures import Said, not_found, usage

if TYPE_CHECKING:
    from journeys.app.finding import Loaded

_ID: Final = ("id, début d'id, référence ou nom", "id, its beginning, reference or name", "ID")
_SENDER: Final = ("--sender", "nom de l'association, en tête", "the association's name, at the top", "")
_FORCE: Final = ("--force", "remplace le fichier s'il existe", "replaces the file if there is one", False)


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""

    @command(app, "summary", "La synthèse d'un parcours en PDF, à imprimer ou à remettre.",
             "The summary of a journey as PDF, to print or hand over.")  # fmt: skip
    async def summary(
        ctx: typer.Context,
        id: str = argument(*_ID),
        pdf: str = option("--pdf", "le fichier à écrire", "the file to write", ..., metavar="FICHIER"),
        sender: str = option(*_SENDER),
        notes: bool = option(
            "--notes",
            "avec ce que chacun a écrit (notes, raisons, lettres)",
            "with what people wrote (notes, reasons, letters)",
            False,
        ),
        force: bool = option(*_FORCE),
    ) -> None:
        await _summary(at(ctx), id, Path(pdf), sender, notes, force)

    @command(app, "receipt", "Le reçu d'un versement en PDF, à faire signer.",
             "The receipt of a payment as PDF, to be signed.")  # fmt: skip
    async def receipt(
        ctx: typer.Context,
        id: str = argument(*_ID),
        pdf: str = option("--pdf", "le fichier à écrire", "the file to write", ..., metavar="FICHIER"),
        payment: str = option("--payment", "lequel ; sans lui, le seul arrivé", "which one; else the only one"),
        sender: str = option(*_SENDER),
        force: bool = option(*_FORCE),
    ) -> None:
        await _receipt(at(ctx), id, Path(pdf), payment, sender, force)

    @command(app, "letter", "La lettre d'une orientation en PDF.", "The letter of a referral as PDF.")
    async def letter(
        ctx: typer.Context,
        id: str = argument(*_ID),
        pdf: str = option("--pdf", "le fichier à écrire", "the file to write", ..., metavar="FICHIER"),
        referral: str = option("--referral", "laquelle ; sans elle, la seule", "which one; else the only one"),
        sender: str = option(*_SENDER),
        force: bool = option(*_FORCE),
    ) -> None:
        await _letter(at(ctx), id, Path(pdf), referral, sender, force)

    @command(app, "documents", "Les documents déposés sur un parcours ; --get N --to FICHIER en reprend un.",
             "The documents brought to a journey; --get N --to FILE takes one out.")  # fmt: skip
    async def documents(
        ctx: typer.Context,
        id: str = argument(*_ID),
        get: int = option("--get", "le numéro du document", "the document's number", metavar="N"),
        to: str = option("--to", "le fichier à écrire", "the file to write", metavar="FICHIER"),
        force: bool = option(*_FORCE),
    ) -> None:
        await _documents(at(ctx), id, get, to, force)


async def _known(desk: Desk, id: str) -> "tuple[Loaded, dict[str, str]]":
    from journeys.app.finding import find_journey, load
    from journeys.audit.reading import read_names

    pool = await desk.pool()
    known = await load(pool, await find_journey(pool, id))
    await looked(desk, known.row.id, "paper")
    return known, await read_names(pool, known.events)


async def _summary(desk: Desk, id: str, file: Path, sender: str, notes: bool, force: bool) -> None:
    from journeys.app import papers
    from journeys.audit.narrating import narrate
    from journeys.store import journal

    check(file, force, "--pdf")
    known, names = await _known(desk, id)
    out, lang = desk.out, desk.out.lang
    # What nobody asked to print is not read.
    parts = await journal.parts(await desk.pool(), known.row.stream) if notes else []
    story = narrate(known.events, parts, names, known.book, lang)
    made = papers.summary(known, names, story, lang, desk.now, sender=sender, notes=notes)
    _hand_over(desk, known, file, made, force, out.t(f"Synthèse écrite : {file}", f"Summary written: {file}"))


async def _receipt(desk: Desk, id: str, file: Path, payment: str | None, sender: str, force: bool) -> None:
    from journeys.app import papers
    from journeys.app.finding import only, pick

    check(file, force, "--pdf")
    known, names = await _known(desk, id)
    out = desk.out
    paid = {each: f"{known.state.payments[each].amount / 100:.2f} €" for each in papers.payments_made(known)}
    chosen = pick(payment, paid, "payment", "--payment") if payment else only(paid, "payment", "--payment")
    made = papers.receipt(known, names, chosen, out.lang, desk.now, sender=sender)
    _hand_over(desk, known, file, made, force, out.t(f"Reçu écrit : {file}", f"Receipt written: {file}"))


async def _letter(desk: Desk, id: str, file: Path, referral: str | None, sender: str, force: bool) -> None:
    from journeys.app import papers
    from journeys.app.finding import only, pick
    from journeys.store import journal

    check(file, force, "--pdf")
    known, names = await _known(desk, id)
    out = desk.out
    sent = {each.referral: (seq, names.get(each.partner, "")) for seq, each in papers.letters_sent(known).items()}
    called = {id: name for id, (_, name) in sent.items()}
    chosen = pick(referral, called, "referral", "--referral") if referral else only(called, "referral", "--referral")
    parts = await journal.parts(await desk.pool(), known.row.stream)
    made = papers.letter(known, names, parts, sent[chosen][0], out.lang, desk.now, sender=sender)
    _hand_over(desk, known, file, made, force, out.t(f"Lettre écrite : {file}", f"Letter written: {file}"))


async def _documents(desk: Desk, id: str, number: int | None, to: str | None, force: bool) -> None:
    from journeys.app.attaching import altered
    from journeys.app.cli.listing import row_json
    from journeys.domain.document import PART, read_document
    from journeys.i18n import format_size
    from journeys.store import journal
    from journeys.store.documents import content_of

    if (number is None) != (to is None):
        raise usage("get-and-to", "--get et --to vont ensemble", "--get and --to go together", field="--get")
    if to is not None:
        check(Path(to), force, "--to")
    known, names = await _known(desk, id)
    pool, out, stream = await desk.pool(), desk.out, known.row.stream
    parts = [part for part in await journal.parts(pool, stream) if part.name == PART]
    found = {part.seq: document for part in parts if (document := read_document(part.text)) is not None}
    if number is None or to is None:
        rows = [
            (str(seq), each.name, each.label, format_size(each.size, out.lang),
             names.get(known.events[seq - 1].actor, "—"))
            for seq, each in found.items()
        ]  # fmt: skip
        told = [{"number": seq, **each.model_dump(mode="json")} for seq, each in found.items()]
        heads = (out.t("N°", "No."), out.t("Nom", "Name"), out.t("Genre", "Kind"), out.t("Taille", "Size"),
                 out.t("Déposé par", "Brought by"))  # fmt: skip
        out.result({"journeys": [row_json(known.row)], "documents": told}, lambda: out.table(heads, rows))
        return
    if number not in found:
        raise not_found(
            "no-document", f"--get : il n'y a pas de document {number}", f"--get: there is no document {number}",
            field="--get", remedy=Said(f"voyez « journeys documents {id} »", f"see “journeys documents {id}”"),
        )  # fmt: skip
    content = await content_of(pool, stream, found[number].digest)
    if content is None:
        raise altered()
    said = out.t(f"Document écrit : {to}", f"Document written: {to}")
    _hand_over(desk, known, Path(to), content, force, said, "--to")


def _hand_over(
    desk: Desk, known: "Loaded", file: Path, made: bytes, force: bool, said: str, field: str = "--pdf"
) -> None:
    """Write the file, then say so."""
    from journeys.app.cli.listing import row_json

    write(file, made, force, field)
    out = desk.out
    found: dict[str, Any] = {
        "journeys": [row_json(known.row)], "file": str(file), "bytes": len(made), "lang": out.lang,
    }  # fmt: skip
    out.result(found, lambda: out.line(said))
