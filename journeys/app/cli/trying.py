"""`journeys programme simulate`: a programme tried on people who do not exist."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.files import check, write
from journeys.app.cli.shape import argument, at, command, option
from journeys.app.failures import usage

if TYPE_CHECKING:
    from journeys.simulation.running import Trial
    from journeys.simulation.tally import Tally

MOST: Final = 1_000_000
"""Lives of one simulation."""

PROCESSES: Final = min(os.cpu_count() or 1, 2)


def add_to(room: typer.Typer) -> None:
    """Declare the commands of `programme`."""

    @command(
        room, "simulate",
        "Essaie un programme sur des personnes imaginaires : charge, retards, alertes, argent, issues.",
        "Tries a programme on people who do not exist: workload, lateness, escalations, money, outcomes.",
    )  # fmt: skip
    async def simulate(
        ctx: typer.Context,
        name: str = argument("nom ou chemin", "name or path", "PROGRAMME"),
        participants: int = option("--participants", "combien de personnes (200)", "how many people (200)", 200,
                                   metavar="N"),
        seed: int = option("--seed", "le tirage : le même donne le même résultat (1)",
                           "the draw: the same one gives the same result (1)", 1, metavar="S"),
        behaviour: str = option("--behaviour", "comment les gens agissent : nom ou fichier (usual)",
                                "how people behave: name or file (usual)", "usual", metavar="FICHIER"),
        begin: str = option("--from", "premier jour (le 1er janvier)", "first day (1 January)", None, metavar="DATE"),
        svg: str = option("--svg", "le dessin de la charge, à écrire dans ce fichier",
                          "the picture of the workload, to write into this file", None, metavar="FICHIER"),
        processes: int = option("--processes", f"processus côte à côte ({PROCESSES})",
                                f"processes side by side ({PROCESSES})", PROCESSES, metavar="N"),
        force: bool = option("--force", "remplace le fichier s'il existe", "replaces the file if there is one", False),
    ) -> None:  # fmt: skip
        _within("--participants", participants, MOST)
        _within("--processes", processes, 64)
        target = Path(svg) if svg else None
        if target is not None:
            check(target, force, "--svg")
        await _simulate(at(ctx), name, participants, seed, behaviour, begin, target, processes, force)


def _within(field: str, number: int, most: int) -> None:
    if not 1 <= number <= most:
        raise usage("out-of-range", f"{field} : {number} ; écrivez un nombre de 1 à {most}",
                    f"{field}: {number}; write a number from 1 to {most}", field=field)  # fmt: skip


async def _simulate(
    desk: Desk, name: str, participants: int, seed: int, behaviour: str, begin: str | None, svg: Path | None,
    processes: int, force: bool,
) -> None:  # fmt: skip
    from journeys import clock
    from journeys.app.cli.programmes import text_of
    from journeys.app.reading import read_day, today_of
    from journeys.app.trying import prepared, tried
    from journeys.simulation.drawing import weeks
    from journeys.simulation.telling import tables, workload

    today = today_of(clock.now())
    day = read_day(begin, "--from") if begin else date(today.year, 1, 1)
    ready = prepared(await text_of(desk, name), behaviour, day, participants, seed)
    trial, read, programme = ready.trial, ready.behaviour, ready.book.programme
    with _progress(desk, participants) as told:
        tally = tried(trial, processes, told)
    out, lang = desk.out, desk.out.lang
    if svg is not None:
        title = out.t("Charge de travail par semaine", "Work by week")
        write(svg, weeks(workload(tally, programme, lang), title, lang, style=True).encode(), force, "--svg")

    def show() -> None:
        out.line(out.t(
            f"« {programme.label.in_(lang)} », {participants} personnes imaginaires, comportement "
            f"« {read.behaviour.label.in_(lang)} », tirage {seed}, à partir du {day:%d/%m/%Y}.",
            f"“{programme.label.in_(lang)}”, {participants} people who do not exist, behaviour "
            f"“{read.behaviour.label.in_(lang)}”, draw {seed}, from {day.isoformat()}.",
        ))  # fmt: skip
        out.line(out.t("Chaque chiffre du comportement est une supposition : remplacez-les par ce que vous observez.",
                       "Each figure of the behaviour is an assumption: replace them by what you observe."))  # fmt: skip
        for table in tables(tally, programme, lang):
            out.line()
            out.heading(table.title)
            out.table(table.heads, table.rows)
            if table.note:
                out.line(table.note)
        if svg is not None:
            out.line()
            out.line(out.t(f"Dessin écrit : {svg}", f"Picture written: {svg}"))
        if read.unknown:
            out.note(out.t("Laissés de côté, ce programme ne les a pas : ", "Left aside, this programme has not: ")
                     + ", ".join(read.unknown))  # fmt: skip

    out.result({"simulation": _json(trial, tally, read.unknown)}, show)


def _json(trial: "Trial", tally: "Tally", unknown: tuple[str, ...]) -> dict[str, Any]:
    from journeys.simulation.tally import as_json

    return {
        "programme": trial.programme_hash, "participants": trial.participants, "seed": trial.seed,
        "from": trial.day.isoformat(), "left_aside": list(unknown), **as_json(tally),
    }  # fmt: skip


@contextlib.contextmanager
def _progress(desk: Desk, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda played: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(file=sys.stderr), transient=True,
    ) as bars:  # fmt: skip
        task = bars.add_task(desk.out.t("Les vies se déroulent", "Lives unfold"), total=total)
        yield lambda played: bars.update(task, completed=played)
