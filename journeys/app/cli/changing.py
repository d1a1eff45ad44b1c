"""`journeys programme change`: other rules for journeys under way, seen journey by journey before they are applied."""

from typing import TYPE_CHECKING, Any

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, option
from journeys.app.failures import Exit, Failure, Said, usage

if TYPE_CHECKING:
    from journeys.app.changing import Foreseen, Wanted
    from journeys.app.finding import Loaded


def add_to(room: typer.Typer) -> None:
    """Declare the command of `programme`."""

    @command(
        room, "change",
        "Ce que d'autres règles changeraient aux parcours en cours ; avec --apply, les applique.",
        "What other rules would change for journeys under way; with --apply, puts them in force.",
    )  # fmt: skip
    async def change(
        ctx: typer.Context,
        name: str = argument("les autres règles : nom ou chemin", "the other rules: name or path", "PROGRAMME"),
        id: str = argument("un parcours : id, référence ou nom", "a journey: id, reference or name", "[ID]", None),
        every: bool = option("--all", "tous les parcours ouverts du même programme",
                             "every open journey of the same programme", False),
        apply: bool = option("--apply", "applique", "puts them in force", False),
        reason: str = option("--reason", "la raison, avec --apply", "the reason, with --apply", None, metavar="TEXTE"),
        dates: str = option("--dates", "les dates du nouveau programme : jury=2027-05-12,examen=2027-06-01",
                            "dates of the new programme: jury=2027-05-12,exam=2027-06-01", None, metavar="NOM=JOUR,…"),
        owed_from: str = option("--owed-from", "rien de plus ancien n'est dû de ce qui s'ajoute",
                                "of what is added, nothing older is owed", None, metavar="DATE"),
        details: bool = option("--details", "chaque conséquence en toutes lettres", "each consequence in words", False),
    ) -> int:  # fmt: skip
        return await _change(at(ctx), name, id, every, apply, reason, dates, owed_from, details)


async def _change(
    desk: Desk, name: str, id: str | None, every: bool, apply: bool, reason: str | None, dates: str | None,
    owed_from: str | None, details: bool,
) -> int:  # fmt: skip
    from journeys.app.changing import change, foresee
    from journeys.domain.programme import compile_programme

    if (id is not None) == every:
        raise usage("which-journeys", "donnez un parcours, ou --all", "name a journey, or give --all", field="ID")
    if apply and not (reason or "").strip():
        raise usage("missing", "--reason : dites pourquoi", "--reason: say why", field="--reason")
    text = await desk.programme_text(name)
    programme = compile_programme(text)
    wanted, actor = _wanted(text, programme.dates, reason, dates, owed_from, desk), await desk.actor()
    found = []
    for loaded in await _loaded(desk, id, programme.programme):
        seen = foresee(desk.ring(), loaded, wanted, actor, desk.now)
        failure = seen.refused
        if apply and failure is None:
            try:
                await change(await desk.pool(), desk.ring(), await desk.client(), desk.settings.task_queue, seen,
                             wanted, actor, desk.now)  # fmt: skip
            except Failure as forbidden:
                failure = forbidden
        found.append((seen, failure))
    names = await _names(desk, [seen for seen, _ in found]) if details else {}
    rows = [_row(desk, seen, failure, applied=apply, names=names if details else None) for seen, failure in found]
    refused = sum(failure is not None for _, failure in found)
    desk.out.result({"journeys": rows, "applied": len(rows) - refused if apply else 0, "refused": refused},
                    lambda: _print(desk, rows, refused, apply))  # fmt: skip
    return Exit.FAILED if refused else Exit.DONE


def _wanted(
    text: str, known: Any, reason: str | None, dates: str | None, owed_from: str | None, desk: Desk
) -> "Wanted":
    from datetime import time

    from journeys.app.changing import Wanted
    from journeys.app.reading import at_local, read_day, read_days

    days = read_days(dates or "", "--dates")
    for code in days.keys() - known.keys():
        listed = ", ".join(known) or "–"
        raise usage("unknown-date", f"--dates : « {code} » ; dates du programme : {listed}",
                    f"--dates: “{code}”; the programme's dates: {listed}", field="--dates")  # fmt: skip
    since = at_local(read_day(owed_from, "--owed-from"), time(), "--owed-from") if owed_from else None
    return Wanted(text, reason or desk.out.t("aperçu", "preview"), days, since)


async def _loaded(desk: Desk, id: str | None, programme: str) -> "list[Loaded]":
    from journeys.app.finding import find_journey, load
    from journeys.store import views

    pool = await desk.pool()
    if id is not None:
        return [await load(pool, await find_journey(pool, id))]
    rows, after = [], None
    while page := await views.journeys(pool, open_only=True, programme=programme, after=after):
        rows += page
        after = page[-1].id
    if not rows:
        raise Failure(Exit.NOT_FOUND, "no-journeys", Said(f"aucun parcours ouvert du programme « {programme} »",
                                                          f"no open journey of the programme “{programme}”"),
                      field="PROGRAMME")  # fmt: skip
    return [await load(pool, row) for row in rows]


async def _names(desk: Desk, found: "list[Foreseen]") -> dict[str, str]:
    from journeys.audit.reading import read_names

    names: dict[str, str] = {}
    pool = await desk.pool()
    for seen in found:
        names |= await read_names(pool, [*seen.loaded.events, *seen.events])
    return names


def _row(
    desk: Desk, seen: "Foreseen", failure: Failure | None, *, applied: bool, names: dict[str, str] | None
) -> dict[str, Any]:
    from journeys.app.cli.listing import row_json

    row = row_json(seen.loaded.row)
    row["name"] = seen.loaded.row.name
    row["change"] = seen.counted
    row["outcome"] = "refused" if failure is not None else "applied" if applied else "foreseen"
    if failure is not None:
        row["error"] = failure.as_json(desk.out.lang)
    elif names is not None:
        row["told"] = seen.sentences(names, desk.out.lang)
    return row


def _print(desk: Desk, rows: list[dict[str, Any]], refused: int, apply: bool) -> None:
    from journeys.identifiers import short

    out = desk.out
    words = {"refused": out.t("refusé", "refused"), "applied": out.t("fait", "done"),
             "foreseen": out.t("prévu", "foreseen")}  # fmt: skip
    columns = {
        "set": out.t("posées", "set"), "moved": out.t("déplacées", "moved"),
        "cancelled": out.t("annulées", "cancelled"), "kept": out.t("gardées", "kept"),
    }  # fmt: skip
    heads = (out.t("parcours", "journey"), out.t("personne", "person"), *columns.values(), out.t("résultat", "result"))
    told = [
        (short(row["id"]), row["name"] or "–", *(str(row["change"][name]) for name in columns),
         words[row["outcome"]] + (f" : {row['error']['message']}" if "error" in row else ""))
        for row in rows
    ]  # fmt: skip
    out.line(out.t("Échéances, parcours par parcours :", "Deadlines, journey by journey:"))
    out.table(heads, told)
    for row in rows:
        if row.get("told"):
            out.heading(f"{short(row['id'])} {row['name'] or ''}")
            for sentence in row["told"]:
                out.line(f"  {sentence}")
    if apply:
        out.line(
            out.t(f"{len(rows) - refused} changé(s), {refused} non.", f"{len(rows) - refused} changed, {refused} not.")
        )
    else:
        out.line(out.t("Rien n'a été changé. Pour appliquer : la même commande avec --apply --reason « … ».",
                       "Nothing was changed. To apply: the same command with --apply --reason “…”."))  # fmt: skip
