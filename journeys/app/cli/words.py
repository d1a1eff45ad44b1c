"""Texts of the command line in both languages, and the language that a person asked for."""

import os
from collections.abc import Mapping

from journeys.app.failures import Lang
from journeys.i18n import either

_BETWEEN = "\x1f"


def both(fr: str, en: str) -> str:
    """A help text in both languages, told apart by `in_lang` when it is shown."""
    return fr + _BETWEEN + en


def in_lang(text: str | None, lang: Lang) -> str:
    """The half of `both` that is read."""
    fr, _, en = (text or "").partition(_BETWEEN)
    return either(lang, fr, en or fr)


def language_of(environ: Mapping[str, str] = os.environ) -> Lang:
    """English when JOURNEYS_LANG or the locale says so; French otherwise."""
    for name in ("JOURNEYS_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if said := environ.get(name, "").strip():
            return "en" if said.lower().startswith("en") else "fr"
    return "fr"
