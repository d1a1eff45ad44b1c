"""A receipt: proof that something was recorded, by whom and when. What it is about, the facts say."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from journeys.i18n import N_, format_instant, text


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a table: what, and its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A place to sign, for whom: `La personne`, with a name where it is known."""

    label: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """That a journey was started, a grant asked for or paid, money handed over."""

    sender: str
    """The association."""
    title: str
    """`Remise d'une aide en main propre`."""
    facts: tuple[Fact, ...]
    reference: str
    """By which the record is found again."""
    recorded_by: str
    recorded_at: datetime
    """Aware."""
    recorded_as: str = ""
    """The role in which it was recorded."""
    sender_lines: tuple[str, ...] = ()
    statement: str = ""
    """What those who sign confirm."""
    signatures: tuple[Signature, ...] = ()
    remark: str = ""
    """For instance that the date is simulated."""


def title_of(receipt: Receipt, lang: str) -> str:
    """Title of the paper, and in the properties of the file."""
    return receipt.title.strip() or text(lang)(N_("Reçu"))


def sheet_of(receipt: Receipt, lang: str, at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The receipt as the layout takes it."""
    _ = text(lang)
    when = format_instant(receipt.recorded_at, lang, zone, weekday=True)
    by = f"{receipt.recorded_by} ({receipt.recorded_as})" if receipt.recorded_as else receipt.recorded_by
    return {
        "sender": receipt.sender,
        "sender_lines": receipt.sender_lines,
        "kind": _("Reçu"),
        "title": title_of(receipt, lang),
        "remark": receipt.remark,
        "heads": [_("Objet"), _("Ce qui est noté")],
        "facts": [[fact.label, fact.value] for fact in receipt.facts],
        "record": [
            [_("Noté par"), by],
            [_("Noté le"), when],
            [_("Référence"), receipt.reference],
        ],
        "record_title": _("Enregistrement"),
        "record_heads": [_("Objet"), _("Valeur")],
        "statement": receipt.statement,
        "signatures": [[each.label, each.name] for each in receipt.signatures],
        "signed_on": _("Date et signature :"),
        "signatures_title": _("Signatures"),
        "printed": _("Édité le {when}").format(when=format_instant(at, lang, zone)),
    }
