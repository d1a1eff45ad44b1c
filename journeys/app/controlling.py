"""What the control of the money found, in words."""

from datetime import datetime, timedelta
from typing import Final

from journeys.app.reading import ZONE
from journeys.i18n import Lang, format_instant, ngettext, text
from journeys.identifiers import is_uuid, short
from journeys.narration import spoken
from journeys.store.controlling import Control, Finding

STALE: Final = timedelta(hours=26)
"""A control is made every day: an older one says that no worker makes it."""


def stale(found: Control | None, now: datetime) -> bool:
    """Whether the last control is missing or too old."""
    return found is None or now - found.at > STALE


def told(finding: Finding, lang: Lang) -> str:
    """A finding as people read it: how many of what, which, since when."""
    _ = text(lang)

    def n(one: str, more: str, **fields: str) -> str:
        return ngettext(lang, one, more, finding.count).format(count=finding.count, **fields)

    match finding.code:
        case "fund-balance":
            said = n("{count} fonds n'a pas le solde que dit le grand livre",
                        "{count} fonds n'ont pas le solde que dit le grand livre")  # fmt: skip
        case "ledger-payments":
            said = n("{count} versement n'est pas dans le grand livre comme dans les listes",
                        "{count} versements ne sont pas dans le grand livre comme dans les listes")  # fmt: skip
        case "ledger-bank":
            said = n("{count} versement n'est pas dans le grand livre comme à la banque",
                     "{count} versements ne sont pas dans le grand livre comme à la banque")  # fmt: skip
        case "bank-lines":
            said = n("{count} ligne de la banque que quelqu'un doit regarder",
                     "{count} lignes de la banque que quelqu'un doit regarder")  # fmt: skip
        case "bank-tellings":
            said = n("{count} nouvelle de la banque pas encore portée sur son parcours",
                     "{count} nouvelles de la banque pas encore portées sur leurs parcours")  # fmt: skip
        case "unknown-long":
            said = n("{count} versement sans nouvelle de la banque depuis plus d'un jour ouvré",
                        "{count} versements sans nouvelle de la banque depuis plus d'un jour ouvré")  # fmt: skip
        case "right-lost":
            said = n("{count} aide non versée dont l'accord vient de quelqu'un qui n'a plus ce droit",
                        "{count} aides non versées dont l'accord vient de quelqu'un qui n'a plus ce droit")  # fmt: skip
        case "held":
            said = n("{count} versement n'a pas encore pu partir", "{count} versements n'ont pas encore pu partir")
        case "doubted":
            said = n("{count} versement dont la banque met le compte en doute",
                        "{count} versements dont la banque met le compte en doute")  # fmt: skip
        case state:
            said = n("{count} versement dans cet état : {state}", "{count} versements dans cet état : {state}",
                        state=spoken(state, lang))  # fmt: skip
    if finding.alarm and finding.about:
        named = ", ".join(short(each) if is_uuid(each) else each for each in finding.about)
        said += f" ({named}{'…' if finding.count > len(finding.about) else ''})"
    if finding.since is not None:
        said += ", " + _("depuis le {when}").format(when=format_instant(finding.since, lang, ZONE))
    return said
