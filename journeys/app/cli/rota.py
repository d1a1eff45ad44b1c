"""`journeys rota`: who is on call day and night, written down, struck out, and where nobody is."""

from typing import TYPE_CHECKING, Any

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, group, option

if TYPE_CHECKING:
    from journeys.store.rota import Kept


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group("Les astreintes, de jour et de nuit.", "Who is on call, by day and by night.")
    app.add_typer(room, name="rota")

    @command(room, "list", "Les astreintes d'une semaine, et les trous.", "The shifts of a week, and the gaps.")
    async def list_(
        ctx: typer.Context,
        week: str = option("--week", "un jour de la semaine", "a day of the week"),
    ) -> None:
        await _list(at(ctx), week)

    @command(room, "add", "Note une astreinte, ou les mêmes heures plusieurs jours.",
             "Writes a shift down, or the same hours on several days.")  # fmt: skip
    async def add(
        ctx: typer.Context,
        who: str = argument("un pseudo, ou un mentor (nom ou id)", "a handle, or a mentor (name or id)", "QUI"),
        first: str = option("--from", "premier jour", "first day", ...),
        hours: str = option("--hours", "de quand à quand : 20:00-08:00", "from when until when: 20:00-08:00", ...),
        last: str = option("--to", "dernier jour", "last day"),
        role: str = option("--role", "le rôle (duty)", "the role (duty)", "duty"),
        site: str = option("--site", "pour un site seulement", "for one site only"),
        phone: str = option("--phone", "un autre téléphone que le sien", "another phone than their own"),
    ) -> None:
        await _add(at(ctx), who, first, last, hours, role, site, phone)

    @command(room, "drop", "Supprime une astreinte.", "Strikes a shift out.")
    async def drop(
        ctx: typer.Context, id: str = argument("l'astreinte (début de son id)", "the shift (beginning of its id)", "ID")
    ) -> None:
        await _drop(at(ctx), id)

    @command(room, "end", "Une astreinte n'est plus tenue : personne n'y est plus attendu.",
             "A rota is kept no longer: nobody is missed on it.")  # fmt: skip
    async def end(
        ctx: typer.Context,
        role: str = option("--role", "le rôle (duty)", "the role (duty)", "duty"),
        site: str = option("--site", "celle d'un site seulement", "that of one site only"),
    ) -> None:
        await _end(at(ctx), role, site)


async def _list(desk: Desk, week: str | None) -> None:
    from datetime import datetime, time, timedelta

    from journeys.app.reading import ZONE, read_day, today_of
    from journeys.app.rota import holes, told
    from journeys.i18n import format_instant
    from journeys.identifiers import short
    from journeys.store import rota

    pool, out, lang = await desk.pool(), desk.out, desk.out.lang
    day = read_day(week, "--week") if week is not None else today_of(desk.now)
    begins = datetime.combine(day - timedelta(days=day.weekday()), time(), tzinfo=ZONE)
    kept = await rota.between(pool, begins, begins + timedelta(days=7))
    gaps = await holes(pool, desk.now)

    def show() -> None:
        if kept:
            heads = (out.t("astreinte", "shift"), out.t("de", "from"), out.t("à", "until"), out.t("qui", "who"),
                     out.t("rôle", "role"), out.t("site", "site"), out.t("téléphone", "phone"))  # fmt: skip
            out.table(heads, [
                (short(each.shift.id), format_instant(each.shift.begins, lang, ZONE),
                 format_instant(each.shift.ends, lang, ZONE), each.name, each.shift.role, each.shift.site or "—",
                 each.phone or "—")
                for each in kept
            ])  # fmt: skip
        else:
            out.line(out.t("Rien de noté cette semaine.", "Nothing written down that week."))
        for (role, site), several in gaps.items():
            where = f"{role} ({site})" if site else role
            for gap in several:
                out.line(out.t(f"! {where} : personne {told(gap, lang)}", f"! {where}: nobody {told(gap, lang)}"))

    out.result({
        "shifts": [_as_json(each) for each in kept],
        "gaps": [
            {"role": role, "site": site, "from": gap.begins.isoformat(), "until": gap.ends.isoformat()}
            for (role, site), several in gaps.items() for gap in several
        ],
    }, show)  # fmt: skip


def _as_json(kept: "Kept") -> dict[str, Any]:
    shift = kept.shift
    return {
        "id": shift.id, "who": shift.who, "name": kept.name, "role": shift.role, "site": shift.site,
        "from": shift.begins.isoformat(), "until": shift.ends.isoformat(), "phone": kept.phone,
    }  # fmt: skip


async def _add(
    desk: Desk, who: str, first: str, last: str | None, hours: str, role: str, site: str | None, phone: str | None
) -> None:
    from journeys.app.failures import usage
    from journeys.app.publishing import in_force
    from journeys.app.reading import read_day
    from journeys.app.rota import read_hour, read_phone, roles_on_call, shifts_of
    from journeys.identifiers import uuid7
    from journeys.store import rota

    pool, out = await desk.pool(), desk.out
    by = await desk.keeper("supervisor", "duty")
    known = roles_on_call({name: each for name, (_, each) in (await in_force(pool)).items()}, out.lang)
    if role not in known:
        raise usage("unknown-role", f"--role : « {role} » n'a pas d'astreinte ; rôles possibles : {', '.join(known)}",
                    f"--role: nobody is on call for “{role}”; possible roles: {', '.join(known)}",
                    field="--role")  # fmt: skip
    begins, _, ends = hours.partition("-")
    fields = {"first": "--from", "last": "--to", "ends": "--hours", "role": "--role", "phone": "--phone"}
    shifts = shifts_of(
        uuid7(desk.now), await _whose(desk, who), role, site, read_day(first, "--from"),
        read_day(last, "--to") if last is not None else None, read_hour(begins, "--hours"), read_hour(ends, "--hours"),
        fields,
    )  # fmt: skip
    await rota.add(pool, shifts, read_phone(phone or "", "--phone"), by)
    told = out.t(f"{len(shifts)} astreinte(s) notée(s).", f"{len(shifts)} shift(s) written down.")
    out.result({"shifts": [each.id for each in shifts]}, lambda: out.line(told))


async def _whose(desk: Desk, who: str) -> str:
    """A member of staff by handle, name or id; else a mentor. Raises Failure."""
    from journeys.app.failures import Failure
    from journeys.app.finding import find_mentor, find_staff

    pool = await desk.pool()
    try:
        return (await find_staff(pool, who, "QUI")).id
    except Failure:
        return (await find_mentor(pool, who, "QUI")).id


async def _drop(desk: Desk, id: str) -> None:
    from datetime import timedelta

    from journeys.app.finding import pick
    from journeys.identifiers import is_uuid
    from journeys.store import rota

    pool, out = await desk.pool(), desk.out
    by = await desk.keeper("supervisor", "duty")
    kept = await rota.between(pool, desk.now - timedelta(days=31), desk.now + timedelta(days=366))
    known = await rota.kept(pool, id) if is_uuid(id) else None
    found = known.shift.id if known else pick(id, {each.shift.id: each.name for each in kept}, "shift", "ID")
    await rota.drop(pool, found, by)
    out.result({"dropped": found}, lambda: out.line(out.t("Astreinte supprimée.", "Shift struck out.")))


async def _end(desk: Desk, role: str, site: str | None) -> None:
    from journeys.app.rota import end

    pool, out = await desk.pool(), desk.out
    await end(pool, role, site, await desk.keeper("supervisor", "duty"))
    told = out.t("Astreinte terminée : personne n'y sera attendu jusqu'à ce que quelqu'un y soit noté.",
                 "Rota ended: nobody is missed on it until somebody is planned again.")  # fmt: skip
    out.result({"ended": {"role": role, "site": site}}, lambda: out.line(told))
