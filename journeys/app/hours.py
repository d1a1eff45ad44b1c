"""Hours of appointments: typed and shown as clocks tell them at the journey's site, else in its programme."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from journeys.app.failures import Lang
from journeys.app.finding import Loaded
from journeys.app.reading import ZONE
from journeys.domain.calendar import Calendar, in_zone, is_zone
from journeys.domain.commands import AnyBody, BookAppointment
from journeys.domain.programme import Programme
from journeys.i18n import N_, format_date, format_time, text, zone_place
from journeys.store import sites
from journeys.store.database import Connection, Pool


async def zone_of(connection: Pool | Connection, site: str | None, calendar: Calendar) -> ZoneInfo:
    """The zone of a journey by its site and its rules."""
    return in_zone(calendar, await sites.zone_of(connection, () if site is None else (site,))).zone


async def at_its_site(connection: Pool | Connection, loaded: Loaded, body: AnyBody) -> AnyBody:
    """A command as it is sent: a series goes by the clocks and days of the journey's site, where they are not those of
    its programme."""
    if not isinstance(body, BookAppointment) or body.every is None:
        return body
    calendar = loaded.book.calendar
    zone = await zone_of(connection, loaded.state.site, calendar)
    return body if zone.key == calendar.zone.key else body.model_copy(update={"site_zone": zone.key})


def zone_among(zones: Mapping[str, str], site: str | None, programme: Programme | None) -> ZoneInfo:
    """The same where the zone of each site is known already; of a programme that is not, that of the house."""
    name = zones.get(site or "") or (programme.clock.zone if programme is not None else ZONE.key)
    return ZoneInfo(name) if is_zone(name) else ZONE


def filled_hour(word: str, zone: ZoneInfo) -> str:
    """What a form of hours in this zone begins with: an instant as clocks tell it there, anything else as it is."""
    try:
        at = datetime.fromisoformat(word)
        return word if at.tzinfo is None else f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"
    except (ValueError, OverflowError):
        return word


def said_zone(zone: ZoneInfo, lang: Lang) -> str:
    """Beside an hour of elsewhere, `heure de Cayenne`; nothing where it is the house's own."""
    return "" if zone.key == ZONE.key else _clocks_of(zone, lang)


def _clocks_of(zone: ZoneInfo, lang: Lang) -> str:
    return text(lang)(N_("heure de {place}")).format(place=zone_place(zone, lang))


def said_there(words: str, lang: Lang, zone: ZoneInfo) -> str:
    """Words, and behind them of where their hour is: `9 h 30`, `9 h 30 (heure de Cayenne)`."""
    where = said_zone(zone, lang)
    return f"{words} ({where})" if where else words


def beside(at: datetime, lang: Lang, there: ZoneInfo, own: ZoneInfo) -> str:
    """Beside an hour of there, for whoever's own clocks tell another, whose it is; else nothing."""
    differs = at.astimezone(there).utcoffset() != at.astimezone(own).utcoffset()
    return _clocks_of(there, lang) if differs else ""


def day_and_hour(at: datetime, lang: Lang, there: ZoneInfo, own: ZoneInfo) -> str:
    """An instant in words to somebody outside, as clocks tell it there: `mardi 12 mai 2027 à 9 h 30`, and where that is
    for whoever's own tell another."""
    hour, where = format_time(at, lang, there), beside(at, lang, there, own)
    day = format_date(at.astimezone(there).date(), lang, weekday=True)
    return text(lang)(N_("{day} à {hour}")).format(day=day, hour=f"{hour} ({where})" if where else hour)


def hour_there(at: datetime, lang: Lang, zone: ZoneInfo) -> str:
    """An hour as clocks tell it there, and where that is."""
    return said_there(format_time(at, lang, zone), lang, zone)
