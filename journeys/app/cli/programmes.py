"""`journeys programme`: what is shipped and in force, what a programme says, what is wrong in a file, its schema."""

from typing import TYPE_CHECKING, Any

import typer

from journeys.app.cli import changing, trying
from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, group
from journeys.app.failures import Exit, Failure, Said

if TYPE_CHECKING:
    from journeys.domain.handbook import Handbook


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group("Les programmes : ce qui est prévu, pour qui, quand.", "Programmes: what is planned, for whom, when.")
    app.add_typer(room, name="programme")
    trying.add_to(room)
    changing.add_to(room)

    @command(room, "list", "Les programmes livrés et ceux en vigueur.", "Programmes shipped and in force.")
    async def list_(ctx: typer.Context) -> None:
        await _list(at(ctx))

    @command(room, "show", "Ce que dit un programme.", "What a programme says.")
    async def show(ctx: typer.Context, name: str = argument("nom ou chemin", "name or path", "PROGRAMME")) -> None:
        await _show(at(ctx), name)

    @command(
        room,
        "validate",
        "Cherche ce qui ne peut pas marcher, ligne par ligne.",
        "Finds what cannot work, line by line.",
    )
    async def validate(ctx: typer.Context, name: str = argument("nom ou chemin", "name or path", "PROGRAMME")) -> int:
        return await _validate(at(ctx), name)

    @command(room, "publish", "Met un programme en vigueur pour les nouveaux parcours.",
             "Puts a programme in force for new journeys.")  # fmt: skip
    async def publish(ctx: typer.Context, name: str = argument("nom ou chemin", "name or path", "PROGRAMME")) -> None:
        await _publish(at(ctx), name)

    @command(
        room,
        "schema",
        "Le schéma JSON d'un programme, pour un éditeur.",
        "The JSON Schema of a programme, for an editor.",
    )
    def schema(ctx: typer.Context) -> None:
        import json

        from journeys.authoring.schema import programme_schema

        out = at(ctx).out
        print(json.dumps(programme_schema(out.lang), ensure_ascii=False, indent=None if out.json else 2))


async def _list(desk: Desk) -> None:
    """Also without a running stack: then only what is shipped."""
    from journeys.app.publishing import in_force
    from journeys.authoring.reading import programme_names, read_programme

    try:
        published = await in_force(await desk.pool())
    except Failure as failure:
        if failure.code != "not-running":
            raise
        published = {}
    found: list[dict[str, Any]] = []
    for name in sorted(set(programme_names()) | set(published)):
        shipped = read_programme(name) if name in programme_names() else None
        current = published.get(name)
        programme = current[1] if current else (shipped.programme if shipped else None)
        if programme is None:
            continue
        state = "shipped"
        if current is not None:
            state = "in-force" if shipped is None or shipped.sha256 == current[0].sha256 else "differs"
        found.append({
            "name": name, "label": programme.label.in_(desk.out.lang), "state": state,
            "sha256": current[0].sha256 if current else (shipped.sha256 if shipped else None),
        })  # fmt: skip
    out = desk.out
    words = {
        "shipped": out.t("livré, pas encore utilisé", "shipped, not used yet"),
        "in-force": out.t("en vigueur", "in force"),
        "differs": out.t("en vigueur ; le fichier livré diffère (journeys programme publish)",
                         "in force; the shipped file differs (journeys programme publish)"),
    }  # fmt: skip
    rows = [(each["name"], each["label"], words[each["state"]]) for each in found]
    out.result(
        {"programmes": found},
        lambda: out.table((out.t("nom", "name"), out.t("programme", "programme"), out.t("état", "state")), rows),
    )


async def _show(desk: Desk, name: str) -> None:
    from journeys import clock
    from journeys.app.publishing import rules
    from journeys.app.reading import today_of

    known = rules(await desk.programme_text(name), today_of(clock.now()))
    desk.out.result({"programme": known.programme.model_dump(mode="json")}, lambda: _print(desk, known.book))


def _print(desk: Desk, book: "Handbook") -> None:
    from journeys.i18n import capital, format_money
    from journeys.narration import spoken
    from journeys.narration.programmes import Rules

    out, lang, programme = desk.out, desk.out.lang, book.programme
    told = Rules(book, lang)
    out.heading(programme.label.in_(lang))
    if programme.active_from in programme.dates:
        label = programme.dates[programme.active_from].label.in_(lang)
        out.line(out.t(f"l'accompagnement commence à : {label}", f"support begins at: {label}"))
    if programme.ends is not None:
        out.line(out.t("terme : ", "ends: ") + told.moment(programme.ends))
    if programme.phases:
        out.heading(out.t("Phases", "Phases"))
        out.table(
            (out.t("code", "code"), "", out.t("début", "begins"), out.t("fin", "ends")),
            [(code, each.label.in_(lang), told.phase(each.enter, each.enter_when),
              told.phase(each.leave, each.leave_when)) for code, each in programme.phases.items()],
        )  # fmt: skip
    out.heading(out.t("Étapes", "Milestones"))
    out.table(
        (out.t("code", "code"), "", out.t("échéance", "due"), out.t("constat", "check"), out.t("rappels", "reminders"),
         out.t("si elle est manquée", "if missed"), ""),
        [(code, each.label.in_(lang), told.due(each) or "—", spoken(each.check.value, lang),
          "; ".join(told.reminders(each)), told.ladder(each.missed) or "—",
          _origin(desk, each.origin, programme.rules[each.rule].label.in_(lang) if each.rule else ""))
         for code, each in programme.milestones.items()],
    )  # fmt: skip
    if programme.contacts:
        out.heading(out.t("Suivis", "Contacts"))
        out.table((out.t("code", "code"), "", out.t("début", "start"), out.t("rythme", "cadence")),
                  [(code, each.label.in_(lang), told.moment(each.start), told.cadence(each))
                   for code, each in programme.contacts.items()])  # fmt: skip
    out.heading(out.t("Alertes", "Escalations"))
    for code, ladder in programme.ladders.items():
        out.line(f"{capital(told.ladder(code))} ({told.acknowledged(ladder)})")
        for step in told.steps(ladder):
            out.line(f"    {step}")
    if programme.grants:
        out.heading(out.t("Aides", "Grants"))
        out.table(
            (out.t("code", "code"), "", out.t("plafond", "cap"), out.t("objets", "purposes"),
             out.t("accords", "approvals"), out.t("versements", "instalments")),
            [(code, each.label.in_(lang), format_money(each.cap, lang), told.spoken(each.purposes),
              "; ".join(told.levels(each)), told.instalments(each)) for code, each in programme.grants.items()],
        )  # fmt: skip


def _origin(desk: Desk, origin: str, rule: str) -> str:
    """Where a milestone's rule comes from, with the name of the rule of law or practice that it follows."""
    told = {"default": desk.out.t("par défaut", "default"), "law": desk.out.t("loi", "law")}.get(origin, "")
    return desk.out.t(" : ", ": ").join(part for part in (told, rule) if part)


async def _validate(desk: Desk, name: str) -> int:
    from journeys.authoring.reading import ProgrammeInvalid, ProgrammeNotFound, read_programme

    out, lang = desk.out, desk.out.lang
    try:
        file = read_programme(name, await desk.reminders())
        findings, source, sha256 = file.findings, file.source, file.sha256
    except ProgrammeInvalid as error:
        findings, source, sha256 = error.findings, error.source, ""
    except ProgrammeNotFound as error:
        exit, code = (Exit.NOT_FOUND, "unknown-programme") if error.readable else (Exit.USAGE, "unreadable-programme")
        raise Failure(exit, code, Said(error.message("fr"), error.message("en")),
                       Said(error.remedy("fr"), error.remedy("en")), field="PROGRAMME") from None  # fmt: skip
    valid = not any(one.severity == "error" for one in findings)

    def show() -> None:
        for one in findings:
            sign = out.t("erreur", "error") if one.severity == "error" else out.t("remarque", "note")
            out.line(f"{source}:{one.line}:{one.column}: {sign}: {one.told(lang)}")
            out.line(f"    → {one.remedy(lang)}")
        out.line(out.t("Le programme peut servir.", "The programme can be used.") if valid
                 else out.t("Le programme ne peut pas servir.", "The programme cannot be used."))  # fmt: skip

    out.result({"valid": valid, "sha256": sha256 or None, "findings": [one.as_json(lang) for one in findings]}, show)
    return Exit.DONE if valid else Exit.USAGE


async def _publish(desk: Desk, name: str) -> None:
    from journeys.app.publishing import keep, read, rules
    from journeys.app.reading import today_of

    by = await desk.keeper("supervisor")
    file = read(name, reminders=await desk.reminders())
    await keep(await desk.pool(), rules(file.text, today_of(desk.now)), by)
    out = desk.out
    out.result(
        {"published": file.programme.programme, "sha256": file.sha256},
        lambda: out.line(out.t(f"« {file.programme.programme} » est en vigueur pour les nouveaux parcours.",
                               f"“{file.programme.programme}” is in force for new journeys.")),
    )  # fmt: skip
