"""Cohorts: shared days, places, a waiting list; who joins and leaves, and a day that moves for all."""

from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, group, named_date, option
from journeys.app.failures import Said, usage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from journeys.app.cohorts import Known, Told
    from journeys.app.entry import Actor
    from journeys.store.cohorts import CohortRow, Member
    from journeys.store.directory import By

_COHORT: Final[Any] = argument("nom, ou début de l'id", "name, or beginning of the id", "PROMOTION")
_JOURNEY: Final[Any] = argument("le parcours : id, référence ou nom", "the journey: id, reference or name", "ID")


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group(
        "Les promotions : dates communes, places, liste d'attente.", "Cohorts: shared dates, places, a waiting list."
    )
    app.add_typer(room, name="cohort")

    @command(room, "open", "Ouvre une promotion.", "Opens a cohort.")
    async def open_(
        ctx: typer.Context,
        name: str = argument("nom de la promotion", "name of the cohort", "NOM"),
        programme: str = option("--programme -p", "nom ou chemin du programme", "name or path of the programme", ...),
        places: int = option("--places", "nombre de places", "number of places", ...),
        date: list[str] = option(  # noqa: B008
            "--date", "date commune : NOM=2027-05-12 ; à répéter", "shared date: NAME=2027-05-12; may be repeated", []
        ),
    ) -> None:
        await _open(at(ctx), name, programme, places, date)

    @command(room, "list", "Toutes les promotions, avec leurs places.", "All cohorts, with their places.")
    async def list_(ctx: typer.Context) -> None:
        from journeys.store import cohorts

        desk = at(ctx)
        _listed(desk, await cohorts.cohorts(await desk.pool()))

    @command(room, "show", "Une promotion : ses dates, qui en est, qui attend.",
             "A cohort: its dates, who is in it, who waits.")  # fmt: skip
    async def show(ctx: typer.Context, cohort: str = _COHORT) -> None:
        desk = at(ctx)
        await _show(desk, (await _find(desk, cohort)).row.id)

    @command(room, "join", "Fait entrer un parcours : une place, ou la liste d'attente.",
             "Lets a journey in: a place, or the waiting list.")  # fmt: skip
    async def join(ctx: typer.Context, cohort: str = _COHORT, id: str = _JOURNEY) -> None:
        await _join(at(ctx), cohort, id)

    @command(room, "leave", "Retire un parcours ; sa place va au premier qui attend.",
             "Takes a journey out; its place goes to the first who waits.")  # fmt: skip
    async def leave(ctx: typer.Context, cohort: str = _COHORT, id: str = _JOURNEY) -> None:
        await _leave(at(ctx), cohort, id)

    @command(room, "places", "Change le nombre de places.", "Changes the number of places.")
    async def places(
        ctx: typer.Context,
        cohort: str = _COHORT,
        number: int = argument("nombre de places", "number of places", "PLACES"),
    ) -> None:
        await _places(at(ctx), cohort, number)

    @command(
        room, "move-date",
        "Ce que déplacer une date commune changerait ; avec --apply, la déplace pour tous.",
        "What moving a shared date would change; with --apply, moves it for all.",
    )  # fmt: skip
    async def move_date(
        ctx: typer.Context,
        cohort: str = _COHORT,
        name: str = argument("la date commune", "the shared date", "DATE"),
        on: str = option("--to", "le nouveau jour", "the new day", ...),
        apply: bool = option("--apply", "déplace", "moves it", False),
    ) -> None:
        await _move(at(ctx), cohort, name, on, apply)

    @command(room, "close", "Clôt une promotion : plus personne n'y entre.", "Closes a cohort: nobody joins any more.")
    async def close(ctx: typer.Context, cohort: str = _COHORT) -> None:
        await _close(at(ctx), cohort)


async def _open(desk: Desk, name: str, programme: str, places: int, dates: "Sequence[str]") -> None:
    from journeys.app.cohorts import begin, by
    from journeys.app.entry import clean_text
    from journeys.app.publishing import programme_text_of, rules
    from journeys.app.reading import read_day, today_of
    from journeys.identifiers import uuid7

    called = clean_text(name.strip(), "NOM")
    if not called:
        raise usage("no-name", "il manque le nom", "the name is missing", field="NOM")
    days = {code: read_day(day, f"--date {code}") for code, day in map(named_date, dates)}
    pool = await desk.pool()
    of = rules(await programme_text_of(pool, programme), today_of(desk.now))
    who = by(await desk.actor(), "open-cohort", of.book, desk.now)
    await _show(desk, (await begin(pool, uuid7(desk.now), called, of, places, days, who)).id)


async def _join(desk: Desk, cohort: str, id: str) -> None:
    await let_in(desk, await _find(desk, cohort), id, await desk.actor(), {})


async def let_in(desk: Desk, known: "Known", id: str, actor: "Actor", shown: dict[str, Any]) -> None:
    """Let a journey in, and say whether it has a place; `shown` goes with it as JSON. Raises Failure."""
    from journeys.app.cohorts import by_caseworker, join
    from journeys.app.finding import find_journey, load

    pool = await desk.pool()
    loaded = await load(pool, await find_journey(pool, id))
    who = by_caseworker(actor, "join-cohort", loaded, desk.now)
    member = await join(pool, desk.ring(), known, loaded, who)
    told = await _tell(desk, known)
    name = member.person or id
    _said(
        desk, {**shown, "cohort": known.row.id, "journey": member.journey, "rank": member.rank},
        Said(f"{name} a une place dans « {known.row.name} ».", f"{name} has a place in “{known.row.name}”.")
        if member.rank is None
        else Said(f"« {known.row.name} » est complète : {name} attend, au rang {member.rank}.",
                  f"“{known.row.name}” is full: {name} waits, number {member.rank} on the list."),
        told,
    )  # fmt: skip


async def _leave(desk: Desk, cohort: str, id: str) -> None:
    from journeys.app.cohorts import by_caseworker, leave
    from journeys.app.finding import find_journey, load

    known, pool = await _find(desk, cohort), await desk.pool()
    loaded = await load(pool, await find_journey(pool, id))
    who = by_caseworker(await desk.actor(), "leave-cohort", loaded, desk.now)
    given = await leave(pool, desk.ring(), known, loaded.row.id, who)
    name = loaded.row.name or id
    _said(desk, {"cohort": known.row.id, "journey": loaded.row.id, "given": list(given)},
          Said(f"{name} n'est plus dans « {known.row.name} » ; ses dates restent sur son parcours.",
               f"{name} is no longer in “{known.row.name}”; its dates stay on the journey."),
          await _tell(desk, known), await _given(desk, known, given))  # fmt: skip


async def _places(desk: Desk, cohort: str, number: int) -> None:
    from journeys.app.cohorts import resize

    known = await _find(desk, cohort)
    given = await resize(await desk.pool(), desk.ring(), known, number, await _by(desk, known, "set-cohort-places"))
    _said(desk, {"cohort": known.row.id, "places": number, "given": list(given)},
          Said(f"« {known.row.name} » : {number} places.", f"“{known.row.name}”: {number} places."),
          await _tell(desk, known), await _given(desk, known, given))  # fmt: skip


async def _move(desk: Desk, cohort: str, name: str, on: str, apply: bool) -> None:
    from journeys.app.cohorts import foresee, move
    from journeys.app.reading import read_day

    day = read_day(on, "--to")
    known, pool = await _find(desk, cohort), await desk.pool()
    seen = await foresee(pool, known, name, day, desk.now)
    label, many = known.book.programme.dates[name].label, len(seen.told)
    shown = {"cohort": known.row.id, "date": name, "on": day, "before": seen.before,
             "journeys": [each.journey for each in seen.told]}  # fmt: skip
    before = _day(desk, seen.before), _day(desk, day)
    if not apply:
        _said(desk, shown | {"applied": False},
              Said(f"{label.fr} : {before[0] or 'pas de jour'} → {before[1]}, pour {many} parcours. "
                   "Rien n'a changé : ajoutez --apply.",
                   f"{label.en}: {before[0] or 'no day'} → {before[1]}, for {many} journeys. "
                   "Nothing has changed: add --apply."))  # fmt: skip
        return
    await move(pool, desk.ring(), known, name, day, await _by(desk, known, "move-cohort-date"))
    _said(desk, shown | {"applied": True},
          Said(f"{label.fr} : {before[1]}, pour {many} parcours.", f"{label.en}: {before[1]}, for {many} journeys."),
          await _tell(desk, known))  # fmt: skip


async def _close(desk: Desk, cohort: str) -> None:
    from journeys.app.cohorts import end

    known = await _find(desk, cohort)
    await end(await desk.pool(), desk.ring(), known, await _by(desk, known, "close-cohort"))
    _said(desk, {"cohort": known.row.id, "closed": True},
          Said(f"« {known.row.name} » est close.", f"“{known.row.name}” is closed."))  # fmt: skip


async def _find(desk: Desk, asked: str) -> "Known":
    from journeys.app.cohorts import find

    return await find(await desk.pool(), asked, desk.now)


async def _by(desk: Desk, known: "Known", act: str) -> "By":
    from journeys.app.cohorts import by

    return by(await desk.actor(), act, known.book, desk.now)


async def _tell(desk: Desk, known: "Known") -> "Told":
    from journeys.app.cohorts import tell

    return await tell(await desk.pool(), desk.ring(), desk.client, desk.settings.task_queue, known, desk.now)


async def _given(desk: Desk, known: "Known", given: "Sequence[str]") -> list[Said]:
    """Who has a place now, to be told by those who accompany them."""
    from journeys.store import cohorts

    names = {each.journey: each.person for each in await cohorts.members(await desk.pool(), known.row.id)}
    return [
        Said(f"  {names.get(id) or id} attendait, et a maintenant une place : prévenez son référent.",
             f"  {names.get(id) or id} was waiting and now has a place: tell their caseworker.")
        for id in given
    ]  # fmt: skip


def _said(
    desk: Desk, shown: dict[str, Any], what: Said, told: "Told | None" = None, more: "Sequence[Said]" = ()
) -> None:
    out = desk.out
    if told is not None:
        shown |= {"told": told.taken, "waiting": told.waiting,
                  "refused": {id: failure.as_json(out.lang) for id, failure in told.refused.items()}}  # fmt: skip

    def show() -> None:
        out.line(what.in_(out.lang))
        for each in more:
            out.line(each.in_(out.lang))
        if told is None:
            return
        if told.taken:
            out.line(out.t(f"  {told.taken} jour(s) porté(s) sur les parcours.", f"  {told.taken} day(s) told."))
        for id, failure in told.refused.items():
            out.line(f"  {id} : {failure.what.in_(out.lang)}")
        if told.waiting:
            out.line(out.t(f"  {told.waiting} attendent le moteur : renvoyés d'eux-mêmes dans les dix minutes "
                           "de son retour.",
                           f"  {told.waiting} wait for the engine: sent again by themselves within ten minutes "
                           "of its return."))  # fmt: skip

    out.result(shown, show)


def _day(desk: Desk, on: "date | None") -> str:
    from journeys.i18n import format_date

    return format_date(on, desk.out.lang) if on is not None else ""


# --- what is shown


def _listed(desk: Desk, rows: "Sequence[CohortRow]") -> None:
    out = desk.out
    heads = (out.t("promotion", "cohort"), out.t("programme", "programme"), out.t("places", "places"),
             out.t("attendent", "waiting"), out.t("prochaine date", "next date"), "id")  # fmt: skip
    shown = [
        (row.name, row.programme, f"{row.taken}/{row.places}", str(row.waiting or ""), _next(desk, row), row.id)
        for row in rows
    ]
    out.result({"cohorts": [_json(row) for row in rows]}, lambda: out.table(heads, shown))


def _next(desk: Desk, row: "CohortRow") -> str:
    from journeys.app.reading import today_of

    if row.closed:
        return desk.out.t("close", "closed")
    ahead = [(on, name) for name, on in row.dates if on is not None and on >= today_of(desk.now)]
    return f"{min(ahead)[1]} {_day(desk, min(ahead)[0])}" if ahead else ""


async def _show(desk: Desk, id: str) -> None:
    from journeys.app.cohorts import known, own_days
    from journeys.store import cohorts

    pool = await desk.pool()
    row = await cohorts.cohort(pool, id)
    assert row is not None
    members = await cohorts.members(pool, id)
    dates, out = (await known(pool, row, desk.now)).book.programme.dates, desk.out

    def show() -> None:
        closed = out.t(" (close)", " (closed)") if row.closed else ""
        out.heading(f"{row.name}{closed}  {row.id}")
        out.line(
            out.t(
                f"  {row.programme} : places prises {row.taken} sur {row.places}, en attente {row.waiting}",
                f"  {row.programme}: {row.taken} of {row.places} places taken, {row.waiting} waiting",
            )
        )
        out.table((out.t("date", "date"), "", out.t("jour", "day")),
                  [(name, dates[name].label.in_(out.lang) if name in dates else "",
                    _day(desk, on) or out.t("pas encore", "not yet")) for name, on in row.dates])  # fmt: skip
        out.table((out.t("personne", "person"), out.t("place", "place"), out.t("dates à part", "days of their own"),
                   "id"), [_line(each) for each in members])  # fmt: skip

    def _line(each: "Member") -> tuple[str, str, str, str]:
        place = (
            out.t("parcours clos", "journey closed") if not each.is_open
            else out.t("a une place", "has a place") if each.rank is None
            else out.t(f"attend, rang {each.rank}", f"waits, number {each.rank}")
        )  # fmt: skip
        apart = ", ".join(f"{name} {_day(desk, on)}".strip() for name, on in own_days(row, each).items())
        return each.person or "", place, apart, each.journey

    out.result({"cohort": _json(row), "journeys": [_member_json(row, each) for each in members]}, show)


def _json(row: "CohortRow") -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "programme": row.programme, "places": row.places, "taken": row.taken,
            "waiting": row.waiting, "dates": dict(row.dates), "closed": row.closed}  # fmt: skip


def _member_json(row: "CohortRow", each: "Member") -> dict[str, Any]:
    from journeys.app.cohorts import own_days

    return {"journey": each.journey, "person": each.person, "rank": each.rank, "since": each.since,
            "status": each.status, "own_days": own_days(row, each)}  # fmt: skip
