"""`journeys audit export`: the record as files that an auditor checks without us."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.looks import looked
from journeys.app.cli.shape import argument, at, command, option
from journeys.app.failures import Exit, Failure, Said, usage, why

WRITING: Final = Said("Écriture de l'export", "Writing the export")


def add_to(room: typer.Typer) -> None:
    """Declare the command in the group of the audit."""

    @command(
        room, "export",
        "Tout le journal en fichiers, à vérifier sans ce programme par verify_export.py, qui est livré avec.",
        "The whole log as files, to be checked without this programme by verify_export.py, which comes with it.",
    )  # fmt: skip
    async def export(
        ctx: typer.Context,
        folder: str = argument("un dossier qui n'existe pas encore", "a folder that is not there yet", "DIR"),
        journey: str = option("--journey", "un seul parcours, chaque événement avec sa preuve",
                              "one journey, each event with its proof", None, metavar="ID"),
        disclose: bool = option("--disclose", "avec les textes et les historiques (données personnelles)",
                                "with texts and histories (personal data)", False),
    ) -> None:  # fmt: skip
        await _export(at(ctx), folder, journey, disclose)


async def _export(desk: Desk, folder: str, journey: str | None, disclose: bool) -> None:
    from journeys.app import verifier
    from journeys.app.finding import find_journey
    from journeys.audit.exporting import NothingSigned, NotInTheLog, export_journey, export_log
    from journeys.evidence.tiles import TooLong
    from journeys.store import sequencing

    target = Path(folder).expanduser().absolute()
    if target.exists() or target.is_symlink():
        raise usage("folder-there", f"{target} existe déjà ; nommez un dossier nouveau",
                    f"{target} is there already; name a new folder", field="DIR")  # fmt: skip
    ring = None
    if disclose:
        await desk.keeper("auditor")
        ring = desk.ring()
    pool, out = await desk.pool(), desk.out
    stream = (await find_journey(pool, journey)).stream if journey is not None else None
    await looked(desk, stream.removeprefix("journey-") if stream is not None else None, "export")
    size = (await sequencing.head(pool)).size
    aside: Path | None = None
    try:
        # Of this run alone: two at once do not clear each other's away.
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        if stream is not None:
            found = await export_journey(pool, ring, aside, stream, desk.now, disclose=disclose)
        else:
            with out.progress(WRITING, size) as tell:
                found = await export_log(pool, ring, aside, desk.now, disclose=disclose,
                                         progress=lambda done, _: tell(done, None))  # fmt: skip
        aside.rename(target)
    except NothingSigned:
        raise Failure(Exit.CONFLICT, "nothing-signed",
                      Said("rien n'est encore attesté : un export ne prouverait rien",
                           "nothing is signed yet: an export would prove nothing"),
                      Said("faites d'abord : journeys audit checkpoint",
                           "first run: journeys audit checkpoint")) from None  # fmt: skip
    except NotInTheLog:
        raise Failure(Exit.CONFLICT, "not-signed-yet",
                      Said("ce parcours n'est pas encore attesté", "this journey is not signed yet"),
                      Said("faites d'abord : journeys audit checkpoint",
                           "first run: journeys audit checkpoint")) from None  # fmt: skip
    except TooLong as error:
        raise Failure(Exit.FAILED, "too-long",
                      Said(f"un événement est trop long pour le format ({error})",
                           f"an event is too long for the format ({error})")) from None  # fmt: skip
    except OSError as error:
        raise Failure(Exit.FAILED, "unwritable", Said(f"{target} : {why(error).fr}", f"{target}: {why(error).en}"),
                      field="DIR") from None  # fmt: skip
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)

    def show() -> None:
        out.line(
            out.t(
                f"{found.events} événements, {found.files} fichiers, {found.bytes / 1e6:.1f} Mo dans {target}",
                f"{found.events} events, {found.files} files, {found.bytes / 1e6:.1f} MB in {target}",
            )
        )
        out.line(out.t(f"Le vérificateur : {verifier.FILE}", f"The verifier: {verifier.FILE}"))
        out.line(
            out.t(
                f"  son empreinte (SHA-256), à comparer avec celle du fichier publié : {verifier.digest()}",
                f"  its digest (SHA-256), to be compared with that of the published file: {verifier.digest()}",
            )
        )

    out.result(
        {"folder": str(target), "size": found.size, "events": found.events, "files": found.files,
         "bytes": found.bytes, "disclosed": disclose, "manifest": found.digest,
         "verifier": {"file": str(verifier.FILE), "sha256": verifier.digest()}},
        show,
    )  # fmt: skip
