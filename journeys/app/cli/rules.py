"""`journeys rules`: the legal and social rules that programmes name, and which somebody should look at again."""

from datetime import date
from typing import TYPE_CHECKING, Any

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import at, command, group, must_be_within, option
from journeys.app.failures import Exit, Failure, Said

if TYPE_CHECKING:
    from journeys.authoring.rules import Rule

LONGEST = 120
"""Months after which any rule is old."""


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group("Les règles de droit et d'usage que les programmes nomment.",
                 "The rules of law and practice that programmes name.")  # fmt: skip
    app.add_typer(room, name="rules")

    @command(room, "list", "Les règles : ce qu'elles disent, d'où elles viennent, qui les nomme.",
             "The rules: what they say, where they come from, who names them.")  # fmt: skip
    async def list_(
        ctx: typer.Context,
        journey: str = option("--journey", "telles que ce parcours les a prises", "as this journey took them", None,
                              metavar="ID"),
    ) -> None:  # fmt: skip
        if journey:
            await _of_journey(at(ctx), journey)
        else:
            _list(at(ctx))

    @command(room, "check", "Les règles anciennes, échues ou à confirmer ; code 1 s'il y en a.",
             "Rules that are old, expired or to be confirmed; code 1 if there are any.")  # fmt: skip
    def check(
        ctx: typer.Context,
        months: int = option("--months", "ancienne : non relue depuis N mois (6)",
                             "old: not read again for N months (6)", None, metavar="N"),
    ) -> int:  # fmt: skip
        return _check(at(ctx), months)


def _list(desk: Desk) -> None:
    from journeys.authoring.rules import concerns

    out, lang, today = desk.out, desk.out.lang, _today()
    rules, named = _rules(), _named()

    def show() -> None:
        for rule in rules:
            current = rule.current
            out.heading(f"{rule.rule} · {rule.label.in_(lang)}")
            out.line(current.says.in_(lang))
            out.line(f"    {current.source}")
            out.line(f"    {current.url}")
            out.line(f"    {_since(desk, current.valid_from, current.valid_to)} ; "
                     + out.t("relue le ", "read again on ") + _day(current.checked_on, lang)
                     + "".join(f" ; {_word(desk, each)}" for each in concerns(rule, today)))  # fmt: skip
            if current.doubt is not None:
                out.line(out.t("    à vérifier : ", "    to be checked: ") + current.doubt.in_(lang))
            if programmes := named.get(rule.rule):
                out.line(out.t("    nommée par : ", "    named by: ") + ", ".join(programmes))

    out.result({"rules": [_as_json(desk, rule, named, concerns(rule, today)) for rule in rules]}, show)


async def _of_journey(desk: Desk, id: str) -> None:
    """The rules in the versions that a journey's programme carries, and whether they have changed since."""
    from journeys.app.finding import find_journey, load
    from journeys.authoring.rules import rule_names

    pool = await desk.pool()
    loaded = await load(pool, await find_journey(pool, id))
    out, lang, rules = desk.out, desk.out.lang, loaded.book.programme.rules
    now = {rule.rule: rule.as_read() for rule in _rules()}
    changed = {name for name, held in rules.items() if name in rule_names() and now[name] != held}

    def show() -> None:
        for name, held in rules.items():
            out.heading(f"{name} · {held.label.in_(lang)}")
            out.line(held.says.in_(lang))
            out.line(f"    {held.source}")
            out.line(f"    {_since(desk, held.valid_from, held.valid_to)}"
                     + (out.t(" ; une autre version existe depuis", "; there is another version since")
                        if name in changed else ""))  # fmt: skip
        if not rules:
            out.line(out.t("Le programme de ce parcours ne nomme aucune règle.",
                           "This journey's programme names no rule."))  # fmt: skip

    found = [{"name": name, "changed": name in changed, **held.model_dump(mode="json")} for name, held in rules.items()]
    out.result({"journey": loaded.state.stream, "rules": found}, show)


def _check(desk: Desk, months: int | None) -> int:
    from journeys.authoring.rules import MONTHS, concerns

    if months is not None:
        must_be_within("--months", months, LONGEST)
    out, lang, today, named = desk.out, desk.out.lang, _today(), _named()
    found = [(rule, why) for rule in _rules() if (why := concerns(rule, today, months or MONTHS))]

    def show() -> None:
        if not found:
            out.line(out.t("Toutes les règles sont récentes et confirmées.", "Every rule is recent and confirmed."))
            return
        out.table(
            (out.t("règle", "rule"), "", out.t("pourquoi", "why"), out.t("relue le", "read again on"),
             out.t("nommée par", "named by")),
            [(rule.rule, rule.label.in_(lang), ", ".join(_word(desk, each) for each in why),
              _day(rule.current.checked_on, lang), ", ".join(named.get(rule.rule, ())) or "—") for rule, why in found],
        )  # fmt: skip
        out.line(
            out.t(
                "Comparez chacune avec sa source (journeys rules list), puis corrigez son fichier dans rules/.",
                "Compare each with its source (journeys rules list), then correct its file in rules/.",
            )
        )

    out.result({"rules": [_as_json(desk, rule, named, why) for rule, why in found]}, show)
    return Exit.FAILED if found else Exit.DONE


def _today() -> date:
    from journeys import clock
    from journeys.app.reading import today_of

    return today_of(clock.now())


def _rules() -> "list[Rule]":
    """Every rule. Raises Failure with what is wrong in a file, line by line."""
    from journeys.app.publishing import errors_told
    from journeys.authoring.rules import RuleInvalid, read_rule, rule_names

    try:
        return [read_rule(name) for name in rule_names()]
    except RuleInvalid as error:
        raise Failure(
            Exit.FAILED, "invalid-rule",
            Said(f"la règle {error.source} ne peut pas servir :\n{errors_told(error, 'fr')}",
                 f"the rule {error.source} cannot be used:\n{errors_told(error, 'en')}"),
            more={"findings": [one.as_json("en") for one in error.findings]},
        ) from None  # fmt: skip


def _named() -> dict[str, list[str]]:
    """The shipped programmes that name each rule."""
    from journeys.authoring.reading import programme_names, read_programme

    named: dict[str, list[str]] = {}
    for programme in programme_names():
        for rule in read_programme(programme).programme.rules:
            named.setdefault(rule, []).append(programme)
    return named


def _as_json(desk: Desk, rule: "Rule", named: dict[str, list[str]], why: tuple[str, ...]) -> dict[str, Any]:
    lang, current = desk.out.lang, rule.current
    return {
        "name": rule.rule, "label": rule.label.in_(lang), "says": current.says.in_(lang), "source": current.source,
        "url": current.url, "valid_from": current.valid_from, "valid_to": current.valid_to,
        "checked_on": current.checked_on, "to_confirm": current.to_confirm, "versions": len(rule.versions),
        "doubt": current.doubt.in_(lang) if current.doubt else None,
        "concerns": list(why), "named_by": named.get(rule.rule, []),
    }  # fmt: skip


def _word(desk: Desk, concern: str) -> str:
    from journeys.authoring.rules import Concern

    t = desk.out.t
    return {
        Concern.OLD: t("à relire", "to be read again"),
        Concern.EXPIRED: t("échue", "expired"),
        Concern.NOT_BEGUN: t("pas encore en vigueur", "not in force yet"),
        Concern.UNCONFIRMED: t("à confirmer", "to be confirmed"),
    }[Concern(concern)]


def _since(desk: Desk, since: date | None, until: date | None) -> str:
    t, lang = desk.out.t, desk.out.lang
    begun = t("en vigueur depuis le ", "in force since ") + _day(since, lang) if since else \
        t("début non établi", "first day not established")  # fmt: skip
    return begun + (t(" jusqu'au ", " until ") + _day(until, lang) if until else "")


def _day(day: date, lang: str) -> str:
    from journeys.i18n import format_date

    return format_date(day, lang)
