"""What people type, read: dates, instants, amounts; each refusal says what may be written."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from journeys.app.failures import usage
from journeys.domain.money import parse_euro

ZONE: Final = ZoneInfo("Europe/Paris")
EARLIEST_YEAR: Final = 1900
LATEST_YEAR: Final = 2199
CODE: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")

_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_MONTH: Final = re.compile(r"(\d{4})-(\d{1,2})")
_LOCAL_MONTH: Final = re.compile(r"(\d{1,2})/(\d{4})")
_LOCAL: Final = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
_THOUSANDS: Final = re.compile(r"(\d{1,3})((?:[ \u00a0\u202f]\d{3})+)(?!\d)")
_TIME: Final = re.compile(r"(\d{1,2})\s*(?:[:h])\s*(\d{2})?")


def read_day(text: str, field: str) -> date:
    """`2027-05-12` or `12/05/2027`. Raises Failure (usage)."""
    text = text.strip()
    if found := _ISO.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _LOCAL.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
    else:
        raise usage(
            "not-a-date",
            f"{field} : « {_few(text)} » n'est pas une date ; écrivez 2027-05-12 ou 12/05/2027",
            f"{field}: “{_few(text)}” is not a date; write 2027-05-12 or 12/05/2027",
            field=field,
        )
    _in_range(year, text, field)
    try:
        return date(year, month, day)
    except ValueError:
        raise usage(
            "no-such-date",
            f"{field} : le {text} n'existe pas dans le calendrier ; vérifiez le jour et le mois",
            f"{field}: {text} does not exist in the calendar; check day and month",
            field=field,
        ) from None


def _in_range(year: int, text: str, field: str) -> None:
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise usage(
            "year-out-of-range",
            f"{field} : {_few(text)} ; vérifiez l'année, elle va de {EARLIEST_YEAR} à {LATEST_YEAR}",
            f"{field}: {_few(text)}; check the year, it lies between {EARLIEST_YEAR} and {LATEST_YEAR}",
            field=field,
        )


def read_month(text: str, field: str) -> date:
    """`2027-05` or `05/2027`: its first day. Raises Failure (usage)."""
    text = text.strip()
    if found := _MONTH.fullmatch(text):
        year, month = int(found[1]), int(found[2])
    elif found := _LOCAL_MONTH.fullmatch(text):
        month, year = int(found[1]), int(found[2])
    else:
        year = month = 0
    if not (1900 <= year <= 2200 and 1 <= month <= 12):
        raise usage(
            "not-a-month",
            f"{field} : « {_few(text)} » n'est pas un mois ; écrivez 2027-05 ou 05/2027",
            f"{field}: “{_few(text)}” is not a month; write 2027-05 or 05/2027",
            field=field,
        )
    return date(year, month, 1)


def read_instant(text: str, field: str, zone: ZoneInfo = ZONE) -> datetime:
    """`2027-05-12 14:30`, `12/05/2027 14h30` in the zone, or RFC 3339 with an offset; aware UTC. Raises Failure."""
    text = text.strip()
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        if instant.tzinfo is not None:
            _in_range(instant.year, text, field)
            return instant.astimezone(UTC)
    day, _, hour = text.replace("T", " ").partition(" ")
    found = _TIME.fullmatch(hour.strip())
    if found is None or int(found[1]) > 23 or int(found[2] or 0) > 59:
        raise usage(
            "not-an-instant",
            f"{field} : « {_few(text)} » n'est pas un jour et une heure ; écrivez 2027-05-12 14:30 ou 12/05/2027 14h30",
            f"{field}: “{_few(text)}” is not a day and time; write 2027-05-12 14:30 or 12/05/2027 14:30",
            field=field,
        )
    return at_local(read_day(day, field), time(int(found[1]), int(found[2] or 0)), field, zone)


def read_instants(text: str, field: str, zone: ZoneInfo = ZONE) -> tuple[datetime, ...]:
    """Several instants with commas between them; none when nothing is written. Raises Failure (usage)."""
    return tuple(read_instant(each, field, zone) for each in text.split(",") if each.strip())


def read_days(text: str, field: str) -> dict[str, date]:
    """Days by the code of their date, `jury=2027-05-12, exam=2027-06-01`. Raises Failure (usage)."""
    days = {}
    for each in filter(str.strip, text.split(",")):
        code, sign, day = each.partition("=")
        if not sign:
            raise usage("not-named", f"{field} : « {_few(each.strip())} » ; écrivez NOM=JOUR, une virgule entre deux",
                        f"{field}: “{_few(each.strip())}”; write NAME=DAY, a comma between two",
                        field=field)  # fmt: skip
        days[code.strip()] = read_day(day, field)
    return days


def at_local(day: date, hour: time, field: str, zone: ZoneInfo = ZONE) -> datetime:
    """An instant of the local clock; one that the change to summer time leaves out is refused."""
    local = datetime.combine(day, hour, tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise usage(
            "no-such-hour",
            f"{field} : {hour:%H:%M} n'existe pas le {day:%d/%m/%Y} (passage à l'heure d'été)",
            f"{field}: {hour:%H:%M} does not exist on {day:%Y-%m-%d} (clocks go forward)",
            field=field,
        )
    return instant


def read_occurred(text: str, field: str, now: datetime) -> datetime:
    """When something happened: an instant, or a day (its noon; now when it is today). Raises Failure (usage)."""
    if " " in text.strip() or "T" in text:
        return read_instant(text, field)
    day = read_day(text, field)
    return now if day == now.astimezone(ZONE).date() else at_local(day, time(12), field)


def read_codes(typed: Sequence[str], field: str) -> tuple[str, ...]:
    """Codes as programmes have them, each once. Raises Failure (usage)."""
    for code in typed:
        if not CODE.fullmatch(code):
            raise usage(
                "not-a-code", f"{field} : « {_few(code)} » ; minuscules, chiffres ou tirets, d'abord une lettre",
                f"{field}: “{_few(code)}”; lower case, digits or dashes, a letter first", field=field,
            )  # fmt: skip
    return tuple(dict.fromkeys(typed))


def read_amount(text: str, field: str) -> int:
    """`600`, `600,50`, `1 200 €` in cents. Raises Failure (usage)."""
    try:
        return parse_euro(_in_one(text))
    except ValueError:
        raise usage(
            "not-an-amount",
            f"{field} : « {_few(text)} » n'est pas un montant en euros ; écrivez 600, 600,50 ou 1200 EUR, sans signe",
            f"{field}: “{_few(text)}” is not an amount in euros; write 600, 600,50 or 1200 EUR, without a sign",
            field=field,
        ) from None


def _in_one(text: str) -> str:
    """An amount without the spaces between its thousands; digits of other scripts are not guessed at."""
    if any(sign.isdecimal() and not sign.isascii() for sign in text):
        raise ValueError(text)
    text = text.strip()
    found = _THOUSANDS.match(text)
    return re.sub(r"\s", "", found[0]) + text[found.end() :] if found is not None else text


def today_of(now: datetime) -> date:
    """The day that the entry point's people live in."""
    return now.astimezone(ZONE).date()


def _few(text: str) -> str:
    plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return plain if len(plain) <= 60 else plain[:60] + "…"
