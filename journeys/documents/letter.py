"""A letter that an association writes to somebody. Its own words are neutral: an envelope may be opened by others."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from journeys.documents.verbatim import paragraphs, right_to_left
from journeys.i18n import N_, format_date, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What stands in a letter; only its date, “subject” and “reference” are worded by the house."""

    sender: str
    """The association."""
    recipient: str
    subject: str
    paragraphs: tuple[str, ...]
    """An empty line within one begins another."""
    day: date
    place: str = ""
    """Where it is written: `Lyon` makes `Lyon, le 12 mai 2027`."""
    sender_lines: tuple[str, ...] = ()
    """Address, telephone: below the sender's name."""
    recipient_lines: tuple[str, ...] = ()
    reference: str = ""
    signed: str = ""
    """Name below the last paragraph."""
    signed_as: str = ""
    """What the one who signs is: `référente`."""


def title_of(letter: Letter, lang: str) -> str:
    """Title in the properties of the file: the subject."""
    return letter.subject.strip() or text(lang)(N_("Courrier"))


def sheet_of(letter: Letter, lang: str) -> dict[str, Any]:
    """The letter as the layout takes it."""
    _ = text(lang)
    day = format_date(letter.day, lang)
    return {
        "sender": letter.sender,
        "sender_lines": letter.sender_lines,
        "recipient": letter.recipient,
        "recipient_lines": letter.recipient_lines,
        "dated": _("{place}, le {day}").format(place=letter.place, day=day)
        if letter.place
        else _("Le {day}").format(day=day),
        "subject": _("Objet : {subject}").format(subject=title_of(letter, lang)),
        "reference": _("Référence : {reference}").format(reference=letter.reference) if letter.reference else "",
        "paragraphs": [
            {"text": each, "rtl": right_to_left(each)} for whole in letter.paragraphs for each in paragraphs(whole)
        ],
        "signed": letter.signed,
        "signed_as": letter.signed_as,
    }
