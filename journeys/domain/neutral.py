"""Words that would tell a stranger who sees a message why the person is accompanied."""

import re
import unicodedata
from typing import Final

_ANYWHERE: Final = (
    r"prison\w*|p[ée]nitentia\w*|d[ée]tention\w*|d[ée]tenue?s?|incarc[ée]r\w*|r[ée]incarc\w*|probation\w*|spip|cpip|"
    r"judiciaire\w*|infraction\w*|d[ée]lits?|peines?|condamn\w*|d[ée]linquan\w*|r[ée]cidiv\w*|jail\w*|inmates?|custody|"
    r"releas\w*|offen[cs]e\w*|offender\w*|convict\w*|sentenc\w*|maison\s+d\W?arr[êe]t|maison\s+centrale|parloirs?|"
    r"carc[ée]ra\w*|p[ée]na(?:le?s?|ux|lement)|probatoires?|sursis|semi\W{0,3}libert[ée]s?|correction(?:al|nel)\w*|"
    r"(?:bracelets?|surveillances?)\s+[ée]lectroniques?|electronic\s+(?:tag\w*|monitoring)|remand\w*|detain\w*"
)
_IN_NAMES: Final = r"[ée]crou\w*|lib[ée]ration\w*|lib[ée]r[ée]e?s?|justice|juge\w*|crim\w*|judges?|parole|tribuna\w*"
"""What streets and towns are called by, too."""

NOT_NEUTRAL: Final = re.compile(rf"\b({_ANYWHERE}|{_IN_NAMES})\b", re.IGNORECASE)
TELLS_IN_AN_ADDRESS: Final = re.compile(rf"\b({_ANYWHERE})\b", re.IGNORECASE)

NAMES: Final = re.compile(
    r"\b(?:prisonniers?[\s-]+de[\s-]+guerre|[ée]crouves|crim[ée]e|crimolois|jugeals|jugazan)\b", re.IGNORECASE
)
"""Proper names in which such a word is another one."""

_NUMBER: Final = r"^\s*\d+(?!\d|\s*(?:er?|[èe]me|h\d*|heures?|[àa]|aux?|devant)\b)"
_STREET: Final = (
    r"rues?|ruelles?|places?|placettes?|avenues?|cours|quais?|boulevards?|impasses?|all[ée]es?|squares?|chemins?|"
    r"routes?|passages?|esplanades?|faubourgs?|promenades?|mails?|voies?|rond[\s-]?points?|mont[ée]es?|c[ôo]tes?|"
    r"cit[ée]s?|march[ée]s?|parvis|sent(?:es?|iers?)|venelles?|traverses?|villas?|clos|hameaux?|quartiers?|"
    r"lotissements?|lieu[\s-]?dit|r[ée]sidences?|immeubles?|b[âa]timents?|b[âa]t|zac?|zi|bp|cs|r|av|ave|bd|bld|blvd|"
    r"pl|sq|ch|che|chem|rte|imp|all|fg|fbg|crs|r[ée]s|lot"
)
ADDRESS: Final = re.compile(rf"{_NUMBER}|\b(?:{_STREET})\b", re.IGNORECASE)
"""Where an address begins: by the number of a house or a town (neither a floor nor an hour), or a kind of street."""

_PARTS: Final = re.compile(r"[,;:\n()]|\s[-–—/]\s")


def tells_why(text: str) -> str | None:
    """The first such word of a text, as somebody reads it: accents put together, without signs that nobody sees."""
    found = NOT_NEUTRAL.search(_seen(text))
    return found[0] if found is not None else None


def place_tells_why(place: str) -> str | None:
    """The same of a place: what its street or town is called tells nothing, what is there does.

    Each part of it is judged by itself: from where an address begins only words count that tell why in a name, too.
    """
    for part in _PARTS.split(NAMES.sub(" ", _seen(place))):
        begins = ADDRESS.search(part)
        there = part if begins is None else part[: begins.start()]
        if (found := NOT_NEUTRAL.search(there) or TELLS_IN_AN_ADDRESS.search(part)) is not None:
            return found[0]
    return None


def _seen(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
