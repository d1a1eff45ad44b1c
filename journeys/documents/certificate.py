"""A certificate on paper: what is certified, then what goes with it, in lists."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from journeys.documents.receipt import Fact
from journeys.i18n import format_instant, text


@dataclass(frozen=True, slots=True)
class Listed:
    """A list under its title."""

    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Everything in words already, in the language in which it is rendered."""

    sender: str
    """The association; may be empty."""
    title: str
    facts: tuple[Fact, ...]
    lists: tuple[Listed, ...]
    remark: str = ""
    """For instance that the date is simulated."""


def sheet_of(certificate: Certificate, lang: str, at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The certificate as the layout takes it."""
    _ = text(lang)
    return {
        "sender": certificate.sender,
        "kind": _("Certificat"),
        "title": certificate.title,
        "foot": certificate.title,
        "remark": certificate.remark,
        "facts_heads": [_("Objet"), _("Valeur")],
        "facts": [[fact.label, fact.value] for fact in certificate.facts],
        "lists": [{"title": each.title, "items": each.items} for each in certificate.lists if each.items],
        "printed": _("Édité le {when}").format(when=format_instant(at, lang, zone)),
    }
