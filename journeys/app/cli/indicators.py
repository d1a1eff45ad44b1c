"""`journeys indicators`: what came of the journeys, by programme, month or site; also as the report for a funder."""

from pathlib import Path
from typing import Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.files import check, write
from journeys.app.cli.shape import at, command, option

MANY: Final = 500
"""More journeys than this take a while to count: it is said."""


def add_to(app: typer.Typer) -> None:
    """Declare the command."""

    @command(app, "indicators", "Ce que deviennent les parcours : logement, emploi, contacts, échéances, aides.",
             "What comes of the journeys: housing, jobs, contacts, deadlines, grants.")  # fmt: skip
    async def indicators(
        ctx: typer.Context,
        by: str = option("--by", "par programme, month (mois de la sortie) ou site",
                         "by programme, month (of release) or site", "programme",
                         metavar="programme|month|site"),
        programme: str = option("--programme -p", "de ce programme seulement", "of this programme only"),
        first: str = option("--from", "sorties à partir de ce mois (2027-05)", "releases from this month on (2027-05)",
                            "", metavar="MOIS"),
        last: str = option("--to", "sorties jusqu'à ce mois, compris", "releases up to this month, included",
                           "", metavar="MOIS"),
        pdf: str = option("--pdf", "écrit aussi le rapport", "also writes the report", metavar="FICHIER"),
        sender: str = option("--sender", "nom de l'association, en tête du rapport",
                             "the association's name, at the top of the report", ""),
        force: bool = option("--force", "remplace le fichier s'il existe", "replaces the file if there is one", False),
    ) -> None:  # fmt: skip
        await _indicators(at(ctx), by, programme, first, last, Path(pdf) if pdf else None, sender, force)


async def _indicators(
    desk: Desk, by: str, programme: str | None, first: str, last: str, pdf: Path | None, sender: str, force: bool
) -> None:
    from journeys.app import figures
    from journeys.app.failures import Said, not_found
    from journeys.app.publishing import in_force

    asked = figures.asked_for(by, programme, first, last, ("--by", "--from", "--to"))
    if pdf is not None:
        check(pdf, force, "--pdf")
    pool, out = await desk.pool(), desk.out
    programmes = {name: known for name, (_, known) in (await in_force(pool)).items()}
    if asked.programme is not None and asked.programme not in programmes:
        known = ", ".join(programmes) or "—"
        raise not_found(
            "unknown-programme", f"--programme : aucun parcours sous « {asked.programme} »",
            f"--programme: no journey under “{asked.programme}”", field="--programme",
            remedy=Said(f"programmes en vigueur : {known}", f"programmes in force: {known}"),
        )  # fmt: skip
    if (waiting := await figures.waiting(pool)) > MANY:
        out.note(out.t(f"{waiting} parcours à compter, une minute pour quelques milliers…",
                       f"{waiting} journeys to count, a minute for some thousands…"))  # fmt: skip
    await figures.count_anew(pool)
    counted, words = await figures.counted(pool, asked, desk.now), figures.Words(out.lang, programmes)
    found = figures.as_json(counted, words)
    if pdf is not None:
        made = figures.report(counted, words, words.say("tous les parcours"), sender=sender)
        write(pdf, made, force, "--pdf")
        found |= {"file": str(pdf), "bytes": len(made)}

    def show() -> None:
        out.line(f"{words.behind(counted.reach)} · {words.period(asked)}")
        if grown := counted.reach.grown:
            out.line(out.t(f"{grown} parcours n'ont pas pu être relus : voyez « journeys audit verify »",
                           f"{grown} journeys could not be read: see “journeys audit verify”"))  # fmt: skip
        for indicator, told in counted.lines():
            out.heading(words.title(indicator))
            out.table(words.heads(words.by(asked.by)), words.rows(counted, indicator, told))
            for label, value in words.definition(indicator):
                out.line(f"  {label}{out.t(' :', ':')} {value}")
        out.heading(out.t("Comment c'est compté", "How it is counted"))
        for line in words.method(asked):
            out.line(f"  {line}")
        if pdf is not None:
            out.line(out.t(f"Rapport écrit : {pdf}", f"Report written: {pdf}"))

    out.result(found, show)
