"""A report of figures: all together on one page, then (of indicators) each with its definition and its groups."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from journeys.documents.receipt import Fact
from journeys.documents.summary import Section, section_sheet
from journeys.i18n import format_instant, text


@dataclass(frozen=True, slots=True)
class Entry:
    """An indicator: how it is defined, and its table by group."""

    title: str
    definition: tuple[Fact, ...]
    table: Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything in words already, in the language in which it is rendered."""

    sender: str
    """The association; may be empty."""
    title: str
    facts: tuple[Fact, ...]
    """Whose journeys, which period: what the figures are about."""
    overview: Section
    entries: tuple[Entry, ...]
    method: tuple[str, ...]
    remark: str = ""
    """For instance that the date is simulated."""
    entries_title: str = ""
    """Of a report of something else than indicators."""
    method_title: str = ""


def sheet_of(report: Report, lang: str, at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The report as the layout takes it."""
    _, colon = text(lang), ": " if lang == "en" else "\N{NO-BREAK SPACE}: "
    return {
        "sender": report.sender,
        "kind": _("Rapport"),
        "title": report.title,
        "foot": report.title,
        "remark": report.remark,
        "facts_heads": [_("Objet"), _("Valeur")],
        "facts": [[fact.label, fact.value] for fact in report.facts],
        "overview": section_sheet(report.overview),
        "entries": [
            {
                "title": entry.title,
                "definition": [[f"{fact.label}{colon}", fact.value] for fact in entry.definition],
                "table": section_sheet(entry.table),
            }
            for entry in report.entries
        ],
        "entries_title": report.entries_title or _("Chaque indicateur"),
        "method_title": report.method_title or _("Comment c'est compté"),
        "method": report.method,
        "printed": _("Édité le {when}").format(when=format_instant(at, lang, zone)),
    }
