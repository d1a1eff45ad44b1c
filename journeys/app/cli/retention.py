"""`journeys retention`: for how long what is kept is kept, what would go today, and its going."""

from typing import TYPE_CHECKING

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import at, command, group, option
from journeys.app.failures import usage

if TYPE_CHECKING:
    from journeys.domain.retention import Falling
    from journeys.store.retaining import Gone, Plan


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group("Durées de conservation : les règles, ce qui partirait, le départ.",
                 "Retention: the rules, what would go, its going.")  # fmt: skip
    app.add_typer(room, name="retention")

    @command(room, "show", "Les durées, ce qu'elles visent et d'où elles viennent.",
             "How long each is kept, and who says so.")  # fmt: skip
    async def show(ctx: typer.Context) -> None:
        _rules(at(ctx))

    @command(room, "plan", "Ce qui partirait aujourd'hui, bientôt, et ce qui reste ; rien ne change.",
             "What would go today, what soon, and what stays; changes nothing.")  # fmt: skip
    async def plan(ctx: typer.Context) -> None:
        await _plan(at(ctx), yes=False, only=())

    @command(room, "apply", "Fait partir ce qui a été gardé assez longtemps ; sans --yes, montre seulement.",
             "Has what was kept long enough go; without --yes, only shows it.")  # fmt: skip
    async def apply(
        ctx: typer.Context,
        only: list[str] = option("--only", "une règle ; à répéter ; sinon toutes",  # noqa: B008
                                 "one rule; may be repeated; otherwise all", [], metavar="RULE"),
        yes: bool = option("--yes", "fait vraiment partir", "really has it go", False),
    ) -> None:  # fmt: skip
        await _plan(at(ctx), yes, tuple(only))


def _rules(desk: Desk) -> None:
    from journeys.app.retaining import rules_of, rules_told

    out, settings = desk.out, desk.settings
    rules = rules_of(settings)
    told = rules_told(rules, settings.reads_kept_months, out.lang)

    def show() -> None:
        for each in told:
            out.heading(f"{each.name} · {each.what}")
            out.line(f"    {each.kept} ; {each.daily}")
            out.line(f"    {out.t('par défaut : ', 'by default: ') if each.default else ''}{each.origin}")
            if each.url is not None:
                out.line(f"    {each.url}")

    shown = [{"rule": each.name, "kept": each.kept, "daily": each.daily, "origin": each.origin, "default": each.default,
              "url": each.url} for each in told]  # fmt: skip
    out.result({"retention": rules.retention, "rules": shown}, show)


async def _plan(desk: Desk, yes: bool, only: tuple[str, ...]) -> None:
    from journeys.app import erasing, retaining, stopping
    from journeys.store.retaining import RULES

    by = None
    if yes:
        actor = await desk.actor()
        by = stopping.by(actor, "order-erasure", desk.now)
        erasing.must_be_of_every_site(actor)
    else:
        await desk.keeper("supervisor", "auditor")
    if unknown := [each for each in only if each not in RULES]:
        known = ", ".join(RULES)
        raise usage("unknown-retention", f"--only : « {unknown[0]} » n'est pas une règle ; écrivez {known}",
                    f"--only: “{unknown[0]}” is no rule; write {known}", field="--only")  # fmt: skip
    wanted = [name for name in RULES if not only or name in only]
    pool = await desk.pool()
    planned = await retaining.plan(pool, desk.settings, desk.now)
    gone = None if by is None else await retaining.apply(pool, desk.client, desk.settings, planned, wanted, by)
    _tell(desk, planned, gone)


def _id(each: "Falling") -> str:
    """As the commands that forget take it."""
    return f"mentor-{each.standing.person}" if each.standing.kind == "mentor" else each.standing.person


def _tell(desk: Desk, planned: "Plan", gone: "Gone | None") -> None:
    from journeys.app.retaining import WHAT, holds, why
    from journeys.domain.record import instant_text
    from journeys.i18n import format_date, text

    out, today, going = desk.out, planned.today, set(planned.going)

    def fate(each: "Falling") -> str:
        if held := holds(each, out.lang):
            return out.t(f"reste : {held}", f"stays: {held}")
        if each in going:
            return out.t("part", "goes")
        return out.t("pas encore", "not yet") if each.due > today else out.t("une autre fois", "another time")

    def show() -> None:
        if planned.people:
            out.table(
                (out.t("personne", "person"), out.t("règle", "rule"), out.t("pourquoi", "why"),
                 out.t("échéance", "due"), out.t("ensuite", "then")),
                [(_id(each), each.rule, why(each, out.lang), format_date(each.due, out.lang), fate(each))
                 for each in planned.people],
            )  # fmt: skip
        else:
            out.line(out.t("Personne n'a été gardé assez longtemps.", "Nobody has been kept long enough."))
        out.line(out.t("Le reste, gardé assez longtemps :", "The rest, kept long enough:"))
        for rows in planned.rows:
            out.line(f"  {text(out.lang)(WHAT[rows.rule])}{out.t(' :', ':')} {rows.count}")
        if gone is None:
            out.line(out.t("Rien n'a changé.", "Nothing has changed."))
            return
        out.line(out.t("C'est parti, et noté au journal : ", "It went, and is on record: ")
                 + (", ".join(f"{name} {count}" for name, count in gone.counts.items() if count)
                    or out.t("rien", "nothing")))  # fmt: skip

    people = [
        {"kind": each.standing.kind, "person": each.standing.person, "rule": each.rule, "last": each.standing.last,
         "due": each.due, "goes": each in going, "holds": sorted(each.standing.holds)}
        for each in planned.people
    ]  # fmt: skip
    rows = [{"rule": each.rule, "before": instant_text(each.before), "count": each.count} for each in planned.rows]
    out.result({"today": today, "people": people, "rows": rows, "applied": gone is not None,
                "gone": dict(gone.counts) if gone is not None else {}}, show)  # fmt: skip
