"""`journeys today`, `approvals`, `escalations`: what waits on somebody, and what happens if they do nothing."""

from typing import TYPE_CHECKING, Any

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import at, command, option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from journeys.app.inbox import Waiting
    from journeys.domain.programme import Programme
    from journeys.store.staff import Member


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""

    @command(
        app, "today",
        "En retard, pour aujourd'hui, dans les sept jours, en attente d'autres (de --as, sinon de tous).",
        "Late, for today, within seven days, waiting on others (of --as, else of everybody).",
    )  # fmt: skip
    async def today(
        ctx: typer.Context,
        referent: str = option("--referent", "les parcours suivis par (pseudo)", "journeys led by (handle)"),
    ) -> None:
        await _today(at(ctx), referent)

    @command(
        app,
        "approvals",
        "Les aides à décider, avec ce qu'un accord engage.",
        "Grants to decide, with what an approval binds.",
    )
    async def approvals(ctx: typer.Context, team: str = option("--team", "rôle ou site", "role or site")) -> None:
        await _approvals(at(ctx), team)

    @command(
        app, "escalations", "Les alertes ouvertes et leur prochaine étape.", "Open escalations and their next step."
    )
    async def escalations(ctx: typer.Context, team: str = option("--team", "rôle ou site", "role or site")) -> None:
        await _escalations(at(ctx), team)


async def _today(desk: Desk, referent: str | None) -> None:
    from journeys.app.finding import find_staff
    from journeys.app.inbox import handed, today
    from journeys.app.reading import today_of
    from journeys.app.syncing import at_work
    from journeys.i18n import capital, format_date
    from journeys.store import staff
    from journeys.store.directory import names_of

    pool = await desk.pool()
    whose: Member | None = None
    if referent is not None:
        whose = await find_staff(pool, referent, "--referent")
    elif desk.acting_as is not None:
        whose = await desk.member()
    rows = await at_work(pool)
    roles = frozenset(whose.roles) if whose is not None else frozenset[str]()
    away = await staff.stood_in_for(pool, whose.id, desk.now) if whose is not None else ()
    found = today(rows, whose.id if whose is not None else None, roles, desk.now, away)
    programmes = await _programmes(desk)
    out, lang = desk.out, desk.out.lang
    sections = (
        (out.t("En retard ou en alerte", "Late or escalated"), found.late),
        (out.t("Pour aujourd'hui", "For today"), found.today),
        (out.t("Sept prochains jours", "Next seven days"), found.week),
        (out.t("En attente d'autres", "Waiting on others"), found.others),
    )

    names = await names_of(pool, handed(item for _, items in sections for item in items))

    def show() -> None:
        out.heading(
            capital(format_date(today_of(desk.now), lang, weekday=True)) + (f" · {whose.name}" if whose else "")
        )
        for title, items in sections:
            if items:
                out.heading(f"{title} ({len(items)})")
                _table(desk, items, programmes, names)
        if not any(items for _, items in sections):
            out.line(out.t("Rien n'attend.", "Nothing is waiting."))

    out.result(
        {
            name: [item.as_json(lang, programmes) for item in items]
            for name, items in (
                ("late", found.late),
                ("today", found.today),
                ("week", found.week),
                ("others", found.others),
            )
        },
        show,
    )


def _table(
    desk: Desk, items: "Sequence[Waiting]", programmes: "dict[str, Programme]", names: "Mapping[str, str]"
) -> None:
    from journeys.app.inbox import otherwise, said, turn
    from journeys.identifiers import short

    out, lang = desk.out, desk.out.lang
    out.table(
        (
            out.t("personne", "person"),
            out.t("quoi", "what"),
            out.t("à qui", "whose turn"),
            out.t("sinon", "otherwise"),
            out.t("parcours", "journey"),
        ),
        [
            (
                item.row.name or "—",
                said(item, lang, programmes),
                turn(item, lang, programmes, names),
                otherwise(item, lang, programmes),
                short(item.row.id),
            )
            for item in items
        ],
    )


async def _programmes(desk: Desk) -> "dict[str, Programme]":
    from journeys.app.publishing import in_force

    return {name: programme for name, (_, programme) in (await in_force(await desk.pool())).items()}


async def _of_kind(desk: Desk, kind: str, team: str | None) -> "list[Waiting]":
    """Items of a kind over all journeys (a closed one may still owe money), of a role or a site."""
    from journeys.app.inbox import waiting
    from journeys.store import views

    pool = await desk.pool()
    found: list[Waiting] = []
    after: str | None = None
    while page := await views.journeys(pool, after=after, limit=500):
        after = page[-1].id
        found += [item for row in page for item in waiting(row, desk.now) if item.kind == kind]
    mine = [item for item in found if team is None or team in item.role.split(", ") or team == item.row.site]
    return sorted(mine, key=lambda item: (item.at is None, item.at or item.since or desk.now, item.id))


async def _escalations(desk: Desk, team: str | None) -> None:
    from journeys.app.inbox import handed, holding, otherwise, said, turn
    from journeys.app.reading import ZONE
    from journeys.i18n import format_instant
    from journeys.identifiers import short
    from journeys.store.directory import names_of

    items = await _of_kind(desk, "escalation", team)
    programmes = await _programmes(desk)
    names = await names_of(await desk.pool(), handed(items) | holding(items))
    out, lang = desk.out, desk.out.lang

    def show() -> None:
        if items:
            out.table(
                (
                    out.t("alerte", "escalation"),
                    out.t("personne", "person"),
                    out.t("objet", "about"),
                    out.t("depuis", "since"),
                    out.t("à qui", "with"),
                    out.t("en main", "in hand"),
                    out.t("sinon", "otherwise"),
                    out.t("parcours", "journey"),
                ),
                [
                    (
                        short(item.id),
                        item.row.name or "—",
                        said(item, lang, programmes),
                        format_instant(item.since, lang, ZONE) if item.since else "",
                        turn(item, lang, programmes, names),
                        names.get(item.held_by or "", "—"),
                        otherwise(item, lang, programmes),
                        short(item.row.id),
                    )
                    for item in items
                ],
            )
        out.line(out.t(f"{len(items)} alerte(s) ouverte(s).", f"{len(items)} open escalation(s)."))

    out.result({"escalations": [item.as_json(lang, programmes) for item in items]}, show)


async def _approvals(desk: Desk, team: str | None) -> None:
    from journeys.app.approving import sight

    items = await _of_kind(desk, "grant", team)
    pool = await desk.pool()
    sights = [await sight(pool, item.row, item.id) for item in items]
    out, lang = desk.out, desk.out.lang
    found: list[dict[str, Any]] = [each.as_json() for each in sights]

    def show() -> None:
        for each in sights:
            for line in each.lines(lang):
                out.line(line)
            out.line()
        out.line(out.t(f"{len(sights)} aide(s) à décider.", f"{len(sights)} grant(s) to decide."))

    out.result({"approvals": found}, show)
