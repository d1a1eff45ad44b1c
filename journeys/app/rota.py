"""The rota as people write it down: who, for what, from which hour until which, night after night; and its gaps."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid5

from journeys.app.failures import Exit, Failure, Lang, Said, usage
from journeys.app.inbox import role_label
from journeys.app.reading import ZONE, at_local
from journeys.channels import phone
from journeys.domain.programme import Programme
from journeys.domain.recipients import keeps
from journeys.domain.rights import line_of
from journeys.domain.rota import Gap, Shift, uncovered
from journeys.i18n import format_date, format_instant
from journeys.store import rota, staff
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, names_of

MOST_DAYS: Final = 62
"""Days that one entry may repeat a shift."""
AHEAD: Final = timedelta(days=7)
"""How far ahead gaps are warned of."""
BEHIND: Final = timedelta(days=366)
"""So long after its last shift a rota that nobody plans on is warned of: until then it counts as kept."""
DUTY: Final = "duty"

Fields = Mapping[str, str]
"""What each field is named here: `first`, `last`, `ends`, `role`, `phone`."""


def roles_on_call(programmes: Mapping[str, Programme], lang: Lang) -> dict[str, str]:
    """The roles that a rota may be kept for, by code: duty, and a programme's own with its line or a mentor's."""
    found = {DUTY: role_label(DUTY, lang)}
    for programme in programmes.values():
        for code in programme.roles:
            if code != "mentor" and line_of(code, programme) in (DUTY, "mentor"):
                found.setdefault(code, role_label(code, lang, programme))
    return found


def shifts_of(
    entry: str, who: str, role: str, site: str | None, first: date, last: date | None, begins: time, ends: time,
    fields: Fields,
) -> list[Shift]:  # fmt: skip
    """The same hours on each of these days; those that end at or before they begin end on the next day.

    Args:
        entry: an id of this entry, so that giving it again adds nothing. last: None is one day.

    Raises:
        Failure: days backwards or too many, an hour that there is not; it names the field.
    """
    last = last or first
    if last < first:
        raise usage("rota-backwards", f"{fields['last']} : avant le premier jour",
                    f"{fields['last']}: before the first day", field=fields["last"])  # fmt: skip
    if (last - first).days >= MOST_DAYS:
        raise usage("rota-too-long", f"{fields['last']} : {MOST_DAYS} jours au plus à la fois",
                    f"{fields['last']}: {MOST_DAYS} days at most at once", field=fields["last"])  # fmt: skip
    return [
        Shift(
            str(uuid5(UUID(entry), day.isoformat())), role, site, who, at_local(day, begins, fields["first"]),
            at_local(day + timedelta(days=ends <= begins), ends, fields["ends"]),
        )
        for day in (first + timedelta(days=number) for number in range((last - first).days + 1))
    ]  # fmt: skip


def read_hour(text: str, field: str) -> time:
    """`20:00`, `20h`, `8`. Raises Failure (usage)."""
    hours, _, minutes = text.strip().lower().replace("h", ":").partition(":")
    if hours.strip().isdecimal() and (not minutes.strip() or minutes.strip().isdecimal()):
        hour, minute = int(hours), int(minutes or 0)
        if hour < 24 and minute < 60:
            return time(hour, minute)
    raise usage("not-an-hour", f"{field} : « {text[:20]} » n'est pas une heure ; écrivez 20:00",
                f"{field}: “{text[:20]}” is not an hour; write 20:00", field=field)  # fmt: skip


def read_phone(text: str, field: str) -> str | None:
    """A number that short messages reach, as it was typed; None for none. Raises Failure (usage)."""
    if not text.strip():
        return None
    if isinstance(phone.check(text), phone.WrongNumber):
        raise usage("bad-phone", f"{field} : ce n'est pas un numéro de mobile que nous savons joindre",
                    f"{field}: not a mobile number that we can reach", field=field)  # fmt: skip
    return text.strip()


async def holes(connection: Pool | Connection, now: datetime) -> dict[tuple[str, str | None], list[Gap]]:
    """When nobody is on call within the coming days, by role and site; only of rotas that were begun.

    Whoever is away on a day, without a deputy who is there, is on call for nobody. A rota whose last shift is over is
    one long gap.
    """
    begun = await rota.begun(connection, now - BEHIND, now + AHEAD)
    shifts = [each.shift for each in await rota.between(connection, now, now + AHEAD) if each.reachable]
    today = now.astimezone(ZONE).date()
    away: dict[date, set[str]] = {}
    for day in (today + timedelta(days=number) for number in range(AHEAD.days + 1) if shifts):
        roster = await staff.roster(connection, day)
        away[day] = {each.who for each in shifts if keeps(each.who, roster) is None}
    return uncovered([part for each in shifts for part in _served(each, away)], begun, now, now + AHEAD)


async def end(pool: Pool, role: str, site: str | None, by: By) -> None:
    """Keep a rota no longer, so that nobody is missed on it. Raises Failure: shifts are still planned, or it is not
    kept."""
    try:
        done = await rota.end(pool, role, site, by.at - BEHIND, by)
    except rota.StillPlanned as planned:
        fr, en = (format_date(planned.begins.astimezone(ZONE).date(), lang, weekday=True) for lang in ("fr", "en"))
        raise Failure(
            Exit.CONFLICT, "rota-planned",
            Said(f"des astreintes sont encore prévues, la prochaine le {fr} ; rien n'a été changé",
                 f"shifts are still planned, the next on {en}; nothing was changed"),
            Said("supprimez d'abord celles qui sont à venir", "strike those to come out first"),
        ) from None  # fmt: skip
    if not done:
        raise Failure(
            Exit.NOT_FOUND, "no-rota",
            Said("aucune astreinte de ce rôle n'est tenue ici ; rien n'a été changé",
                 "no rota of this role is kept here; nothing was changed"),
            Said("voyez « journeys rota list »", "see “journeys rota list”"),
        )  # fmt: skip


async def answering(connection: Pool | Connection, now: datetime) -> list[tuple[rota.Kept, str]]:
    """The shifts of this moment that somebody answers for, each with the name of who does: a deputy while its keeper is
    away."""
    kept = await rota.now(connection, now)
    roster = await staff.roster(connection, now.astimezone(ZONE).date()) if kept else []
    found = [(each, who) for each in kept if (who := keeps(each.shift.who, roster)) is not None]
    names = await names_of(connection, {who for each, who in found if who != each.shift.who})
    return [(each, each.name if who == each.shift.who else names.get(who, "—")) for each, who in found]


def _served(shift: Shift, away: Mapping[date, set[str]]) -> Iterator[Shift]:
    """A shift day by day, without those on which they are away."""
    begins = shift.begins
    while begins < shift.ends:
        day = begins.astimezone(ZONE).date()
        ends = min(shift.ends, datetime.combine(day + timedelta(days=1), time(), tzinfo=ZONE))
        if shift.who not in away.get(day, ()):
            yield replace(shift, begins=begins, ends=ends)
        begins = ends


def told(gap: Gap, lang: Lang) -> str:
    """`du jeudi 12 mars 2027 à 20 h au vendredi 13 mars 2027 à 8 h`."""
    begins, ends = (format_instant(at, lang, ZONE, weekday=True) for at in (gap.begins, gap.ends))
    return Said(f"du {begins} au {ends}", f"from {begins} to {ends}").in_(lang)
