"""What the control of the money found, in words."""

from datetime import datetime, timedelta
from typing import Final

from journeys.app.reading import ZONE
from journeys.channels.control import counted
from journeys.i18n import Lang, format_instant, ngettext, text
from journeys.identifiers import is_uuid, short
from journeys.narration import spoken
from journeys.store.controlling import Control, Finding

STALE: Final = timedelta(hours=26)
"""A control is made every day: an older one says that no worker makes it."""


def stale(found: Control | None, now: datetime) -> bool:
    """Whether the last control is missing or too old."""
    return found is None or now - found.at > STALE


def told(finding: Finding, lang: Lang, *, naming: bool = True) -> str:
    """A finding as people read it: how many of what, which (`naming` what must not be), since when."""
    _ = text(lang)
    said = counted(finding.code, finding.count, lang) or ngettext(
        lang, "{count} versement dans cet état : {state}", "{count} versements dans cet état : {state}", finding.count
    ).format(count=finding.count, state=spoken(finding.code, lang))
    if naming and finding.alarm and finding.about:
        named = ", ".join(short(each) if is_uuid(each) else each for each in finding.about)
        said += f" ({named}{'…' if finding.count > len(finding.about) else ''})"
    if finding.since is not None:
        said += ", " + _("depuis le {when}").format(when=format_instant(finding.since, lang, ZONE))
    return said
