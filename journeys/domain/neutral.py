"""Words that would tell a stranger who sees a message why the person is accompanied."""

import re
import unicodedata
from typing import Final

NOT_NEUTRAL: Final = re.compile(
    r"\b(prison\w*|p[ée]nitentia\w*|d[ée]tention\w*|d[ée]tenue?s?|incarc[ée]r\w*|r[ée]incarc\w*|[ée]crou\w*|"
    r"lib[ée]ration\w*|lib[ée]r[ée]e?s?|probation\w*|spip|cpip|justice|juge\w*|judiciaire\w*|infraction\w*|d[ée]lits?|"
    r"peines?|condamn\w*|d[ée]linquan\w*|r[ée]cidiv\w*|jail\w*|inmates?|custody|releas\w*|offen[cs]e\w*|offender\w*|"
    r"convict\w*|sentenc\w*|crim\w*|judges?|parole|maison\s+d\W?arr[êe]t|maison\s+centrale|tribuna\w*|parloirs?|"
    r"carc[ée]ra\w*|p[ée]na(?:le?s?|ux|lement)|probatoires?|sursis|semi\W{0,3}libert[ée]s?|correction(?:al|nel)\w*|"
    r"(?:bracelets?|surveillances?)\s+[ée]lectroniques?|electronic\s+(?:tag\w*|monitoring)|remand\w*|detain\w*)\b",
    re.IGNORECASE,
)


STREET: Final = re.compile(
    r"\b(?:rues?|places?|avenues?|cours|quais?|boulevards?|impasses?|all[ée]es?|squares?|chemins?|routes?|passages?|"
    r"esplanades?|faubourgs?|promenades?|mails?|voies?|r\.|av\.?|bd\.?|pl\.?)"
    r"[\s-]+(?:de[\s-]+la[\s-]+(?:lib[ée]ration|justice)|du[\s-]+(?:tribunal|palais(?:[\s-]+de[\s-]+justice)?))\b",
    re.IGNORECASE,
)
"""Streets that every town has, called by words which elsewhere tell why."""


def tells_why(text: str) -> str | None:
    """The first such word of a text, as somebody reads it: accents put together, without signs that nobody sees."""
    found = NOT_NEUTRAL.search(_seen(text))
    return found[0] if found is not None else None


def place_tells_why(place: str) -> str | None:
    """The same of a place: what such a street is called tells nothing."""
    return tells_why(STREET.sub(" ", _seen(place)))


def _seen(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
