"""`journeys summary`: a journey on paper."""

import os
from pathlib import Path
from typing import Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, option
from journeys.app.failures import Exit, Failure, Said, usage

_OWNER_ONLY: Final = 0o600


def add_to(app: typer.Typer) -> None:
    """Declare the command."""

    @command(app, "summary", "La synthèse d'un parcours en PDF, à imprimer ou à remettre.",
             "The summary of a journey as PDF, to print or hand over.")  # fmt: skip
    async def summary(
        ctx: typer.Context,
        id: str = argument("id, début d'id, référence ou nom", "id, its beginning, reference or name", "ID"),
        pdf: str = option("--pdf", "le fichier à écrire", "the file to write", ..., metavar="FICHIER"),
        sender: str = option("--sender", "nom de l'association, en tête", "the association's name, at the top", ""),
        notes: bool = option(
            "--notes",
            "avec ce que chacun a écrit (notes, raisons, lettres)",
            "with what people wrote (notes, reasons, letters)",
            False,
        ),
        force: bool = option("--force", "remplace le fichier s'il existe", "replaces the file if there is one", False),
    ) -> None:
        await _summary(at(ctx), id, Path(pdf), sender, notes, force)


async def _summary(desk: Desk, id: str, file: Path, sender: str, notes: bool, force: bool) -> None:
    from journeys import clock
    from journeys.app.cli.listing import row_json
    from journeys.app.finding import find_journey, load
    from journeys.audit.narrating import narrate
    from journeys.audit.reading import read_names
    from journeys.documents import CannotTypeset, journey_summary, render
    from journeys.store import journal

    _check(file, force)
    pool = await desk.pool()
    known = await load(pool, await find_journey(pool, id))
    names = await read_names(pool, known.events)
    out, lang, now = desk.out, desk.out.lang, desk.now
    # What nobody asked to print is not read.
    parts = await journal.parts(pool, known.row.stream) if notes else []
    story = narrate(known.events, parts, names, known.book, lang)
    paper = journey_summary(
        known.state, known.book, names, story, lang, sender=sender, notes=notes, remark=clock.describe(lang) or ""
    )
    try:
        made = render(paper, lang, now, zone=known.book.calendar.zone.key)
    except CannotTypeset as error:
        raise Failure(
            Exit.FAILED,
            "cannot-typeset",
            Said(f"la mise en page a échoué ({error}) ; rien n'a été écrit",
                 f"the typesetter refused ({error}); nothing was written"),
            Said(f"« journeys show {id} » dit où en est le parcours", f"“journeys show {id}” tells where it stands"),
        ) from None  # fmt: skip
    _write(file, made, force)
    found = {"journeys": [row_json(known.row)], "file": str(file), "bytes": len(made), "lang": lang}
    out.result(found, lambda: out.line(out.t(f"Synthèse écrite : {file}", f"Summary written: {file}")))


def _check(file: Path, force: bool) -> None:
    """Raises Failure when nothing can be written there, before anything is read."""
    if not file.name or file.is_dir():
        raise usage("is-a-folder", f"--pdf : {file} est un dossier ; donnez le nom d'un fichier",
                    f"--pdf: {file} is a folder; give the name of a file", field="--pdf")  # fmt: skip
    if not file.parent.is_dir():
        raise usage("no-folder", f"--pdf : le dossier {file.parent} n'existe pas",
                    f"--pdf: there is no folder {file.parent}", field="--pdf")  # fmt: skip
    if file.exists() and not force:
        raise _taken(file)


def _taken(file: Path) -> Failure:
    return Failure(
        Exit.CONFLICT,
        "file-exists",
        Said(
            f"--pdf : {file} existe déjà ; rien n'a été écrit", f"--pdf: {file} is there already; nothing was written"
        ),
        Said(
            "donnez un autre nom, ou ajoutez --force pour le remplacer",
            "give another name, or add --force to replace it",
        ),
        field="--pdf",
    )


def _write(file: Path, made: bytes, force: bool) -> None:
    """The whole file or none; only its owner reads it. Raises Failure."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(made)
            if force:
                os.replace(beside, file)
            else:
                os.link(beside, file)
        finally:
            beside.unlink(missing_ok=True)
    except FileExistsError:
        raise _taken(file) from None
    except OSError as error:
        raise Failure(
            Exit.FAILED,
            "cannot-write",
            Said(f"--pdf : {file} ne peut pas être écrit ({error.strerror})",
                 f"--pdf: {file} cannot be written ({error.strerror})"),
            Said("choisissez un dossier où vous pouvez écrire", "choose a folder where you may write"),
            field="--pdf",
        ) from None  # fmt: skip
