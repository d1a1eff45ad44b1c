"""`journeys demo`: a cohort's lives over months of virtual time on a stack of its own, the report, and the audit."""

import contextlib
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.output import LIVES
from journeys.app.cli.shape import at, command, option
from journeys.app.failures import Exit, Failure, Said, usage

if TYPE_CHECKING:
    from temporalio.client import Client

    from journeys.local.lives import Lives
    from journeys.local.player import Progress, Report
    from journeys.local.stack import Stack
    from journeys.store.directory import By
    from journeys.store.signing import KeyRing

DEFAULT: Final = "auxilia"


def add_to(app: typer.Typer) -> None:
    """Declare the command."""

    @command(
        app, "demo",
        "Joue des parcours inventés sur plusieurs mois simulés, dit qui en est où, et contrôle le tout "
        "(sortie 0 si tout concorde).",
        "Plays invented journeys over simulated months, says who got where, and audits all "
        "(exit 0 if everything agrees).",
    )  # fmt: skip
    async def demo(
        ctx: typer.Context,
        programme: str = option(
            "--programme -p", "les vies livrées pour ce programme (auxilia)", "the lives shipped for it (auxilia)"
        ),
        lives: str = option("--lives", "un fichier de vies", "a file of lives", metavar="FICHIER"),
        keep: bool = option("--keep", "laisser tourner à la fin, à la date simulée, jusqu'à Ctrl-C",
                            "leave it running at the end, on the simulated date, until Ctrl-C", False),
        data_dir: str = option("--data-dir", "garder les données dans ce dossier, qui doit être vide",
                               "keep the data in this directory, which has to be empty", metavar="DOSSIER"),
    ) -> int:  # fmt: skip
        return await _demo(at(ctx), programme, lives, keep, data_dir)


async def _demo(desk: Desk, programme: str | None, lives: str | None, keep: bool, data_dir: str | None) -> int:
    from journeys import telemetry
    from journeys.app.cli.demo_tables import Pages, as_json
    from journeys.local.player import PlayFailed, stage
    from worker import WORKFLOWS

    telemetry.configure(form="console", level="ERROR")
    found = read(programme, lives)
    out = desk.out
    try:
        with _home(data_dir) as home, contextlib.ExitStack() as shown:
            progress = shown.enter_context(_progress(desk))
            async with stage(found, home, workflows=WORKFLOWS, finance=Clerk, progress=progress) as (report, stack):
                shown.close()
                if out.json:
                    out.result(as_json(report), lambda: None)
                else:
                    Pages(report, out.lang).show()
                if keep:
                    await _stay(desk, stack)
                return _exit(report)
    except PlayFailed as error:
        raise Failure(
            Exit.FAILED, "play-failed", Said(error.text("fr"), error.text("en")),
            Said(f"corrigez cette étape dans {found.source}, ou signalez-le si le fichier est livré avec le logiciel",
                 f"correct this step in {found.source}, or report it when the file came with the software"),
        ) from None  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clerk:
    """Finance at its desk: makes files for the bank and imports what the bank sends, as the commands do."""

    pool: Any
    ring: "KeyRing"
    client: "Client"

    async def give_out(self, on: date, by: "By") -> bytes | None:
        """See journeys.local.bank_days.Finance."""
        from journeys.app.reconciling import account_of, give_out
        from journeys.channels.sepa.transfers import render
        from journeys.settings import load_settings
        from journeys.store import batches

        number, _ = await batches.waiting(self.pool)
        if not number:
            return None
        account = account_of(load_settings())
        return (await give_out(self.pool, self.ring, account, render, on, by)).content

    async def take_in(self, content: bytes, by: "By") -> None:
        """See journeys.local.bank_days.Finance."""
        from journeys.app.reconciling import account_of, take_in, tell
        from journeys.channels.sepa.receiving import received
        from journeys.settings import load_settings
        from journeys.store.bank_files import Incoming

        settings = load_settings()
        digest = hashlib.sha256(content).hexdigest()
        file = Incoming(digest, received(BytesIO(content)))
        await take_in(self.pool, self.ring, file, account_of(settings), by, "FICHIER")
        await tell(self.pool, self.ring, self._client, settings.task_queue, by.at, digest)

    async def _client(self) -> "Client":
        return self.client


def read(programme: str | None, lives: str | None) -> "Lives":
    """The lives asked for. Raises Failure (usage, not found)."""
    from journeys.local.lives import LIVES, LivesInvalid, cohort_names, read_lives

    if programme is not None and lives is not None:
        raise usage(
            "programme-or-lives",
            "--programme ou --lives, pas les deux",
            "--programme or --lives, not both",
            field="--lives",
        )
    name = programme or DEFAULT
    if lives is None and name not in cohort_names():
        known = ", ".join(cohort_names())
        raise Failure(
            Exit.NOT_FOUND, "no-lives",
            Said(f"aucune vie n'est livrée pour le programme « {name} »", f"no lives are shipped for “{name}”"),
            Said(f"livrées : {known} ; ou donnez un fichier par --lives",
                 f"shipped: {known}; or give a file by --lives"),
            field="--programme",
        )  # fmt: skip
    try:
        return read_lives(Path(lives) if lives is not None else LIVES / f"{name}.yaml")
    except LivesInvalid as error:
        raise _invalid(error) from None


def _invalid(error: Any) -> Failure:
    faults = [
        {"line": one.line, "path": one.path, "code": one.code, "message": one.fr, "message_en": one.en,
         "remedy": one.remedy_fr, "remedy_en": one.remedy_en}
        for one in error.faults
    ]  # fmt: skip
    first = error.faults[0]
    intro = Said("ces vies ne peuvent pas être jouées\n", "these lives cannot be played\n")
    return Failure(
        Exit.USAGE, "lives-invalid", Said(intro.fr + error.text("fr"), intro.en + error.text("en")),
        Said("corrigez le fichier, puis recommencez", "correct the file, then try again"),
        field=first.path or "--lives", more={"file": str(error.source), "faults": faults},
    )  # fmt: skip


def _exit(report: "Report") -> int:
    """0 only when every account was compared and agrees, and nothing came late."""
    from journeys.audit.verdicts import exit_code

    return exit_code(report.verifications, strict=True) or (Exit.DONE if report.holds else Exit.FAILED)


@contextlib.contextmanager
def _home(asked: str | None) -> Iterator[Path]:
    """A directory of the demonstration's own: never one where somebody's data are. Raises Failure."""
    if asked is not None:
        path = Path(asked).expanduser()
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise usage(
                "not-empty",
                f"--data-dir : {path} n'est pas un dossier vide",
                f"--data-dir: {path} is not an empty directory",
                field="--data-dir",
                remedy=Said("donnez un dossier vide ou nouveau", "give an empty or a new directory"),
            )  # fmt: skip
        yield path
        return
    made = Path(tempfile.mkdtemp(prefix="journeys-"))
    # As root, PostgreSQL runs as another user, who has to get through; what is inside stays closed.
    made.chmod(0o711)
    try:
        yield made / "demo"
    finally:
        _forget(made)


def _forget(made: Path) -> None:
    """All but the files to and from the bank, whose place the report says: somebody may want to read them."""
    bank = made / "demo" / "bank"
    if not bank.is_dir():
        shutil.rmtree(made, ignore_errors=True)
        return
    for each in bank.parent.iterdir():
        if each != bank:
            shutil.rmtree(each, ignore_errors=True) if each.is_dir() else each.unlink(missing_ok=True)


@contextlib.contextmanager
def _progress(desk: Desk) -> Iterator["Progress"]:
    begins = Said("Démarrage", "Starting")
    words = {"start": begins, "play": LIVES, "audit": Said("Contrôle", "Audit")}
    with desk.out.progress(begins, 1.0) as told:
        yield lambda what, done: told(done, words[what])


async def _stay(desk: Desk, stack: "Stack") -> None:
    """Leave everything up, with the clock where the lives ended."""
    from journeys import clock

    stack.record_clock()
    out = desk.out
    if not out.json:
        where = stack.info.data_dir
        out.line(clock.describe(out.lang))
        out.line(out.t(
            "Tout reste en marche jusqu'à Ctrl-C ; les parcours ouverts se poursuivent. Dans une autre fenêtre :",
            "Everything stays up until Ctrl-C; journeys that are open can be continued. In another window:",
        ))  # fmt: skip
        for words in ("list --all", "escalations", "audit verify --strict"):
            out.line(f"  JOURNEYS_DATA_DIR={where} journeys {words}")
    sys.stdout.flush()
    await stack.until_told_to_end()
    out.note(out.t("Arrêt…", "Stopping…"))
