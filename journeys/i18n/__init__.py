"""Texts that people read: French in the code (the msgid), English in en.po; dates, hours and money likewise.

`_ = text(lang)`; in code that only names a text, mark it with `N_`. `KEYWORDS` says which calls hold texts.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, tzinfo
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date as babel_date
from babel.dates import get_timezone_location
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from journeys.domain.money import format_euro

Lang = Literal["fr", "en"]
LANGS: Final = ("fr", "en")

KEYWORDS: Final = {"_": None, "N_": None, "say": None, "s": None, "ngettext": (2, 3), "n": (1, 2)}
"""Calls whose arguments are texts, for babel's extraction; `n` counts in templates."""

METHODS: Final = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
"""How babel reads a file."""

OPTIONS: Final = {"**.html": {"silent": "false"}}
"""A page that cannot be read is said, instead of passed over with all its texts."""

ENGLISH: Final = Path(__file__).with_name("en.po")


def N_(french: str) -> str:
    """Mark a text that is looked up elsewhere."""
    return french


def language(asked: str | None) -> Lang:
    """The language for a tag such as `en_GB.UTF-8`: English when it says so, French otherwise."""
    return "en" if asked is not None and asked.lower().startswith("en") else "fr"


def text(lang: str) -> Callable[[str], str]:
    """The function that gives a French text in a language; a text without English stays French."""
    return _english if lang == "en" else _french


def either(lang: str, french: str, english: str) -> str:
    """One of two texts. French has the apostrophe of print, between letters only: quotes of a command stay as typed."""
    return english if lang == "en" else _ELISION.sub("’", french)


_ELISION: Final = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")


def ngettext(lang: str, one: str, many: str, count: int) -> str:
    """The text for a number of things. In French 0 counts as one; in English it does not."""
    if lang != "en":
        return _french(one if count < 2 else many)
    forms = _plurals().get(one, (one, many))
    return forms[0] if count == 1 else forms[1]


# --- dates, hours, money, lists


@lru_cache(maxsize=4096)
def format_date(day: date, lang: str, *, weekday: bool = False) -> str:
    """`12 mai 2027`, `jeudi 1er avril 2027`, `Thursday 1 April 2027`."""
    pattern = ("EEEE d MMMM y" if weekday else "d MMMM y") if day.day != 1 or lang == "en" else _FIRST[weekday]
    return babel_date(day, pattern, locale=lang)


def format_month(day: date, lang: str) -> str:
    """`mai 2027`, `May 2027`."""
    return babel_date(day, "MMMM y", locale=lang)


@lru_cache(maxsize=64)
def format_weekday(day: date, lang: str) -> str:
    """`jeudi`, `on Thursday`."""
    return babel_date(day, "EEEE" if lang != "en" else "'on' EEEE", locale=lang)


_FIRST: Final = {True: "EEEE d'er' MMMM y", False: "d'er' MMMM y"}


def format_time(at: datetime, lang: str, zone: str | tzinfo) -> str:
    """`9 h`, `9 h 30`, `09:30`, in the zone (a name of the tz database, or its object)."""
    local = _local(at, zone)
    if lang == "en":
        return f"{local:%H:%M}"
    return f"{local.hour}\u00a0h" + (f"\u00a0{local.minute:02d}" if local.minute else "")


def zone_place(zone: ZoneInfo, lang: str) -> str:
    """The place after which a zone is called: `La Réunion`, `Cayenne`."""
    place: str = get_timezone_location(zone, locale=lang, return_city=True)
    return place


def format_instant(at: datetime, lang: str, zone: str | tzinfo, *, weekday: bool = False) -> str:
    """`12 mai 2027 à 9 h 30`, `12 May 2027 at 09:30`, in the zone."""
    day = format_date(_local(at, zone).date(), lang, weekday=weekday)
    return f"{day} {'at' if lang == 'en' else 'à'} {format_time(at, lang, zone)}"


def format_money(cents: int, lang: str) -> str:
    """`1 200,50 €` or `€1,200.50`."""
    return format_euro(cents, lang)


def format_size(size: int, lang: str) -> str:
    """A file's size: `240 ko`, `1,2 Mo`; `240 kB`, `1.2 MB`."""
    octet = "B" if lang == "en" else "o"
    if size < 1_000_000:
        return f"{max(round(size / 1_000), 1)}\u00a0k{octet}"
    millions = f"{size / 1_000_000:.1f}"
    return f"{millions if lang == 'en' else millions.replace('.', ',')}\u00a0M{octet}"


def listed(items: Iterable[str], lang: str) -> str:
    """`a, b et c`."""
    words = list(items)
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {'and' if lang == 'en' else 'et'} {words[-1]}"


def capital(sentence: str) -> str:
    """The same with a capital first letter."""
    return sentence[:1].upper() + sentence[1:]


def _local(at: datetime, zone: str | tzinfo) -> datetime:
    return at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)


# --- catalogs


@lru_cache(maxsize=8192)
def _french(french: str) -> str:
    """As printed: no-break spaces around « » and before : ; ? !, and the apostrophe of print."""
    for plain, printed in (("« ", "«\u00a0"), (" »", "\u00a0»"), (" :", "\u00a0:"), (" ;", "\u202f;"),
                           (" ?", "\u202f?"), (" !", "\u202f!"), ("'", "’")):  # fmt: skip
        french = french.replace(plain, printed)
    return french


def _english(french: str) -> str:
    return _singulars().get(french, french)


@cache
def _catalog() -> Catalog:
    with ENGLISH.open("rb") as file:
        return read_po(file, locale="en")


@cache
def _singulars() -> dict[str, str]:
    return {str(m.id): str(m.string) for m in _catalog() if m.id and not m.pluralizable and m.string}


@cache
def _plurals() -> dict[str, tuple[str, str]]:
    forms = [(m.id, m.string) for m in _catalog() if m.pluralizable]
    return {id[0]: (told[0], told[1]) for id, told in forms if isinstance(told, tuple) and all(told)}
