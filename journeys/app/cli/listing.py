"""`journeys list`, `show`, `next`: which journeys there are, where one stands, what comes by itself."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.looks import looked
from journeys.app.cli.shape import argument, at, command, option

if TYPE_CHECKING:
    from journeys.app.finding import Loaded
    from journeys.store.cohorts import Place
    from journeys.store.views import JourneyRow


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""

    @command(app, "list", "Les parcours ouverts.", "Open journeys.")
    async def list_(
        ctx: typer.Context,
        late: bool = option("--late", "seulement ceux en retard", "late ones only", False),
        phase: str = option("--phase", "dans cette phase (code)", "in this phase (code)"),
        referent: str = option("--referent", "suivis par (pseudo)", "led by (handle)"),
        programme: str = option("--programme -p", "de ce programme", "of this programme"),
        site: str = option("--site", "de ce site", "of this site"),
        every: bool = option("--all", "aussi les parcours clos", "closed ones too", False),
    ) -> None:
        await _list(at(ctx), late, phase, referent, programme, site, every)

    @command(app, "show", "Où en est un parcours.", "Where a journey stands.")
    async def show(
        ctx: typer.Context,
        id: str = argument("id, début d'id, référence ou nom", "id, its beginning, reference or name", "ID"),
    ) -> None:
        await _show(at(ctx), id)

    @command(app, "next", "Ce qui arrivera tout seul, dans l'ordre.", "What will happen by itself, in order.")
    async def next_(
        ctx: typer.Context,
        id: str = argument("id, début d'id, référence ou nom", "id, its beginning, reference or name", "ID"),
        limit: int = option("--limit", "combien", "how many", 20, min=1, max=1000),
    ) -> None:
        await _next(at(ctx), id, limit)


def row_json(row: "JourneyRow") -> dict[str, Any]:
    """A journey as every `--json` answer tells it."""
    return {
        "id": row.id,
        "status": row.status,
        "programme": row.programme,
        "phase": row.phase,
        "seq": row.seq,
        "next_due": row.next_due.isoformat() if row.next_due else None,
        "late": row.late,
        "person": row.person,
        "name": row.name,
        "referent": row.referent,
        "site": row.site,
    }


async def _list(
    desk: Desk,
    late: bool,
    phase: str | None,
    referent: str | None,
    programme: str | None,
    site: str | None,
    every: bool,
) -> None:
    from journeys.app.finding import find_staff
    from journeys.store import views

    pool = await desk.pool()
    leader = (await find_staff(pool, referent, "--referent")).id if referent is not None else None
    rows: list[JourneyRow] = []
    while page := await views.journeys(
        pool, late=late, phase=phase, referent=leader, programme=programme, site=site, open_only=not every,
        after=rows[-1].id if rows else None, limit=500,
    ):  # fmt: skip
        rows += page
    desk.out.result({"journeys": [row_json(row) for row in rows]}, await journeys_table(desk, rows))


async def journeys_table(desk: Desk, rows: "Sequence[JourneyRow]") -> Callable[[], None]:
    """What prints these journeys."""
    from journeys.app.inbox import label
    from journeys.app.publishing import in_force
    from journeys.app.reading import ZONE
    from journeys.i18n import format_instant
    from journeys.identifiers import short
    from journeys.narration import spoken
    from journeys.store import staff

    out, pool = desk.out, await desk.pool()
    programmes = {name: programme for name, (_, programme) in (await in_force(pool)).items()}
    handles = {member.id: member.handle for member in await staff.members(pool)}
    heads = (
        "id",
        out.t("personne", "person"),
        out.t("programme", "programme"),
        out.t("état", "status"),
        out.t("phase", "phase"),
        out.t("référent", "caseworker"),
        out.t("prochaine échéance", "next due"),
        out.t("en retard", "late"),
    )
    cells = [
        (
            short(row.id),
            row.name or "—",
            row.programme,
            spoken(row.status, out.lang),
            label(row.phase, out.lang, programmes.get(row.programme)) if row.phase else "",
            handles.get(row.referent or "", row.referent or ""),
            format_instant(row.next_due, out.lang, ZONE) if row.next_due else "",
            str(row.late) if row.late else "",
        )
        for row in rows
    ]

    def show() -> None:
        if cells:
            out.table(heads, cells)
        out.line(out.t(f"{len(cells)} parcours.", f"{len(cells)} journeys."))

    return show


# --- one journey


async def _load(desk: Desk, id: str) -> "Loaded":
    from journeys.app.finding import find_journey, load

    pool = await desk.pool()
    loaded = await load(pool, await find_journey(pool, id))
    await looked(desk, loaded.row.id, "file")
    return loaded


async def _show(desk: Desk, id: str) -> None:
    from journeys.app.inbox import waiting
    from journeys.domain.state import dump
    from journeys.store import mentors, staff

    known = await _load(desk, id)
    pool = await desk.pool()
    place = known.row.place
    names = {member.id: member.name for member in await staff.members(pool)}
    names |= {mentor.id: mentor.name for mentor in await mentors.mentors(pool)}
    programmes = {known.row.programme: known.book.programme}
    found = row_json(known.row) | {
        "waiting": [item.as_json(desk.out.lang, programmes) for item in waiting(known.row, desk.now)],
        "cohort": {"id": place.cohort, "name": place.name, "rank": place.rank} if place is not None else None,
        "state": dump(known.state),
    }
    desk.out.result({"journeys": [found]}, lambda: _print(desk, known, names, place))


def _print(desk: Desk, known: "Loaded", names: dict[str, str], place: "Place | None") -> None:
    from journeys.app.inbox import otherwise, said, turn, waiting
    from journeys.i18n import format_date
    from journeys.identifiers import short
    from journeys.narration import spoken

    out, lang, state, row = desk.out, desk.out.lang, known.state, known.row
    programme = known.book.programme
    out.heading(f"{row.name or '—'} · {programme.label.in_(lang)}")
    out.line(f"  {row.id}")
    status = spoken(state.outcome, lang) if state.outcome else spoken(state.status.value, lang)
    closed = out.t("clos : ", "closed: ") if state.outcome else ""
    leader = names.get(state.referent, "—")
    out.line(
        f"  {closed}{status} · {out.t('référent', 'caseworker')} {leader}" + (f" · {state.site}" if state.site else "")
    )
    colon = out.t(" :", ":")
    if place is not None:
        waits = out.t(f" (en attente, rang {place.rank})", f" (waiting, number {place.rank})") if place.rank else ""
        out.line(f"  {out.t('promotion', 'cohort')} {place.name}{waits}")
    for name, date in state.dates.items():
        label = programme.dates[name].label.in_(lang) if name in programme.dates else name
        how = (
            out.t("annulée", "cancelled")
            if date.cancelled
            else out.t("a eu lieu", "happened")
            if date.happened
            else out.t("à confirmer", "to be confirmed")
            if date.unconfirmed
            else out.t("prévue", "expected")
        )
        out.line(f"  {label}{colon} {format_date(date.on, lang)} ({how})")
    if state.match is not None:
        out.line(f"  mentor{colon} {names.get(state.match.mentor, state.match.mentor)}")
    for name, values in state.situations.items():
        out.line(
            f"  {spoken(name, lang)}{colon} {spoken(values[-1].value, lang)} ({format_date(values[-1].since, lang)})"
        )
    _print_steps(desk, known)
    items = sorted(
        waiting(row, desk.now), key=lambda item: (item.at is None, item.at or row.next_due or item.since, item.id)
    )
    if items:
        out.heading(out.t("En attente", "Waiting"))
        out.table(
            (out.t("quoi", "what"), out.t("à qui", "whose turn"), out.t("sinon", "otherwise"), "id"),
            [
                (
                    said(item, lang, {row.programme: programme}),
                    turn(item, lang, {row.programme: programme}, names),
                    otherwise(item, lang, {row.programme: programme}),
                    short(item.id) if len(item.id) == 36 else item.id,
                )
                for item in items
            ],
        )


def _print_steps(desk: Desk, known: "Loaded") -> None:
    from journeys.app.reading import ZONE
    from journeys.i18n import format_date, format_instant

    out, lang, state = desk.out, desk.out.lang, known.state
    open_ = {deadline.milestone: deadline for deadline in state.deadlines.values()}
    rows = []
    for code, milestone in known.book.programme.milestones.items():
        here = state.milestones.get(code)
        if here is not None and here.settled is not None:
            how = out.t("faite", "reached") if here.settled == "reached" else out.t("dispensée", "waived")
            when = format_date(here.on, lang) if here.on else ""
        elif here is not None and here.missed is not None:
            how, when = out.t("EN RETARD", "LATE"), format_date(here.missed_day, lang) if here.missed_day else ""
        elif code in open_:
            how, when = out.t("à faire", "to do"), format_instant(open_[code].at, lang, ZONE)
        else:
            how, when = out.t("plus tard", "later"), ""
        rows.append((code, milestone.label.in_(lang), how, when))
    if rows:
        out.heading(out.t("Étapes", "Milestones"))
        out.table(("", out.t("étape", "milestone"), out.t("état", "status"), out.t("date", "date")), rows)


async def _next(desk: Desk, id: str, limit: int) -> None:
    from journeys.audit.reading import read_names
    from journeys.domain.agenda import agenda
    from journeys.i18n import capital
    from journeys.narration import what_happens_next

    known = await _load(desk, id)
    names = await read_names(await desk.pool(), known.events)
    out, lang = desk.out, desk.out.lang
    coming = [
        (due, what_happens_next(due, known.state, known.book, names, lang)) for due in agenda(known.state)[:limit]
    ]
    found = [
        {"at": due.at.isoformat(), "kind": due.kind.name.lower(), "id": due.id, "text": text} for due, text in coming
    ]

    def show() -> None:
        if coming:
            out.heading(out.t("Si personne n'agit", "If nobody acts"))
            for _, text in coming:
                out.line("  " + capital(text))
        else:
            out.line(out.t("Plus rien n'arrivera tout seul.", "Nothing more will happen by itself."))

    out.result({"journeys": [row_json(known.row)], "next": found}, show)
