"""`journeys programme simulate`, `diff`: a programme tried on people who do not exist, two programmes side by side."""

import os
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.files import check, write
from journeys.app.cli.output import LIVES
from journeys.app.cli.shape import argument, at, command, must_be_within, option
from journeys.app.failures import not_found

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
        behaviour: str = option("--behaviour", "comment les gens agissent : nom ou fichier (du programme, ou usual)",
                                "how people behave: name or file (the programme's own, or usual)", None,
                                metavar="FICHIER"),
        begin: str = option("--from", "premier jour (le 1er janvier)", "first day (1 January)", None, metavar="DATE"),
        svg: str = option("--svg", "le dessin de la charge, à écrire dans ce fichier",
                          "the picture of the workload, to write into this file", None, metavar="FICHIER"),
        processes: int = option("--processes", f"processus côte à côte ({PROCESSES})",
                                f"processes side by side ({PROCESSES})", PROCESSES, metavar="N"),
        force: bool = option("--force", "remplace le fichier s'il existe", "replaces the file if there is one", False),
    ) -> None:  # fmt: skip
        must_be_within("--participants", participants, MOST)
        must_be_within("--processes", processes, 64)
        target = Path(svg) if svg else None
        if target is not None:
            check(target, force, "--svg")
        await _simulate(at(ctx), name, participants, seed, behaviour, begin, target, processes, force)

    @command(
        room, "replay",
        "Rejoue les parcours passés sous d'autres règles : échéances, messages, alertes et accords différents.",
        "Plays past journeys again under other rules: which deadlines, messages, escalations, approvals differ.",
    )  # fmt: skip
    async def replay(
        ctx: typer.Context,
        name: str = argument("les autres règles : nom ou chemin", "the other rules: name or path", "PROGRAMME"),
        of: str = option("--of", "les parcours de ce programme (celui du même nom)",
                         "journeys of this programme (the one of the same name)", None, metavar="PROGRAMME"),
        processes: int = option("--processes", f"processus côte à côte ({PROCESSES})",
                                f"processes side by side ({PROCESSES})", PROCESSES, metavar="N"),
    ) -> None:  # fmt: skip
        must_be_within("--processes", processes, 64)
        await _replay(at(ctx), name, of, processes)

    @command(
        room, "diff", "Ce que deux programmes disent différemment, en toutes lettres.",
        "What two programmes say differently, in plain words.",
    )  # fmt: skip
    async def diff(
        ctx: typer.Context,
        before: str = argument("nom ou chemin du premier", "name or path of the first", "A"),
        after: str = argument("nom ou chemin du second", "name or path of the second", "B"),
    ) -> None:
        await _diff(at(ctx), before, after)


async def _simulate(
    desk: Desk, name: str, participants: int, seed: int, behaviour: str | None, begin: str | None, svg: Path | None,
    processes: int, force: bool,
) -> None:  # fmt: skip
    from journeys import clock
    from journeys.app.reading import read_day, today_of
    from journeys.app.trying import prepared, tried
    from journeys.simulation.drawing import weeks
    from journeys.simulation.telling import limits, tables, workload

    today = today_of(clock.now())
    day = read_day(begin, "--from") if begin else date(today.year, 1, 1)
    ready = prepared(await desk.programme_text(name), behaviour, day, participants, seed)
    trial, read, programme = ready.trial, ready.behaviour, ready.book.programme
    with desk.out.progress(LIVES, participants) as told:
        tally = tried(trial, processes, lambda played: told(played, None))
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
        for line in limits(read, programme, lang):
            out.note(line)

    out.result({"simulation": _json(trial, tally, read.unknown)}, show)


async def _replay(desk: Desk, name: str, of: str | None, processes: int) -> None:
    from journeys.app.publishing import programme_text_of, read, rules
    from journeys.app.reading import today_of
    from journeys.app.replaying import compare
    from journeys.domain.programme import compile_programme
    from journeys.narration import refusal
    from journeys.simulation.telling import replayed
    from journeys.store import views

    pool, out, lang, now = await desk.pool(), desk.out, desk.out.lang, desk.now
    known = rules(read(name).text, today_of(now))
    own = of or known.programme.programme
    before = compile_programme(await programme_text_of(pool, own))
    streams = await views.streams_of(pool, own)
    if not streams:
        raise not_found("no-journeys", f"aucun parcours du programme « {own} »", f"no journey of the programme “{own}”",
                        field="--of")  # fmt: skip
    with desk.out.progress(LIVES, len(streams)) as told:
        found = await compare(pool, streams, known, processes, lambda played: told(played, None))

    def show() -> None:
        out.line(out.t(
            f"{found.journeys} parcours rejoués, dont {found.unchanged} sans aucune différence.",
            f"{found.journeys} journeys played again, {found.unchanged} of them without any difference.",
        ))  # fmt: skip
        out.line(out.t(
            "Chacun y fait ce qu'il a fait : ce que les gens auraient fait d'autre, personne ne le sait.",
            "Everybody does what they did: what people would have done otherwise, nobody knows.",
        ))  # fmt: skip
        for code, count in found.apart.most_common():
            out.line(out.t(f"{count} ne peuvent pas commencer sous ces règles : ",
                           f"{count} cannot begin under these rules: ") + refusal(code, {}, lang))  # fmt: skip
        for table in replayed(found, before, known.programme, lang):
            out.line()
            out.heading(table.title)
            out.table(table.heads, table.rows)

    counted = [
        {"what": what, "about": about, "change": change, "before": old, "after": new, "times": times}
        for (what, about, change, old, new), times in sorted(found.counted.items())
    ]
    told_json = {"journeys": found.journeys, "unchanged": found.unchanged, "apart": dict(found.apart)}
    out.result({"replay": {**told_json, "differences": counted}}, show)


async def _diff(desk: Desk, before: str, after: str) -> None:
    from journeys import clock
    from journeys.app.publishing import rules
    from journeys.app.reading import today_of
    from journeys.narration.apart import apart

    today, out = today_of(clock.now()), desk.out
    old, new = rules(await desk.programme_text(before), today), rules(await desk.programme_text(after), today)
    found = apart(old.book, new.book, out.lang)

    def show() -> None:
        if not found:
            out.line(out.t("Les deux programmes disent la même chose.", "The two programmes say the same."))
        section, signs = "", {"new": "+", "gone": "−", "otherwise": "≠"}
        for each in found:
            if each.section != section:
                section = each.section
                out.heading(section)
            what = out.t(" : ", ": ").join(part for part in (each.name, each.facet) if part)
            said = {"new": f" ({each.after})" if each.after else "", "gone": "",
                    "otherwise": f"\n      {each.before}\n    → {each.after}"}[each.how]  # fmt: skip
            out.line(f"  {signs[each.how]} {what}{said}")

    out.result({"differences": [asdict(each) for each in found]}, show)


def _json(trial: "Trial", tally: "Tally", unknown: tuple[str, ...]) -> dict[str, Any]:
    from journeys.simulation.tally import as_json

    return {
        "programme": trial.programme_hash, "participants": trial.participants, "seed": trial.seed,
        "from": trial.day.isoformat(), "left_aside": list(unknown), **as_json(tally),
    }  # fmt: skip
