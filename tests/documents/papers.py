"""Papers for the tests, and what a reader of PDF finds in them."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pypdf import PdfReader

from journeys.audit.narrating import Story, narrate
from journeys.documents import Certificate, Fact, Letter, Listed, Receipt, Signature, Summary, journey_summary
from tests.audit.lives import NAMES, Life

AT = datetime(2027, 9, 21, 8, 30, tzinfo=UTC)


def letter(**changed: Any) -> Letter:
    return Letter(**{
        "sender": "Association Auxilia", "sender_lines": ("12 rue du Pont", "69007 Lyon"),
        "recipient": "Samir Haddad", "recipient_lines": ("3 allée des Tilleuls",),
        "subject": "Votre rendez-vous", "paragraphs": ("Bonjour,", "Je vous attends le 12 mai.\n\nÀ bientôt,"),
        "day": date(2027, 5, 4), "place": "Lyon", "reference": "2027-118", "signed": "Claire Dupont",
        "signed_as": "référente", **changed,
    })  # fmt: skip


def receipt(**changed: Any) -> Receipt:
    return Receipt(**{
        "sender": "Association Auxilia", "title": "Aide remise en main propre",
        "facts": (Fact("Bénéficiaire", "Samir Haddad"), Fact("Montant", "600,50 €")), "reference": "0198c2f4",
        "recorded_by": "Inès Roux", "recorded_as": "gestionnaire",
        "recorded_at": datetime(2027, 5, 12, 8, 4, tzinfo=UTC), "statement": "Reçu ce jour.",
        "signatures": (Signature("La personne", "Samir Haddad"), Signature("Pour l’association")), **changed,
    })  # fmt: skip


def certificate(**changed: Any) -> Certificate:
    return Certificate(**{
        "sender": "Association Auxilia", "title": "Certificat d’effacement",
        "facts": (Fact("Numéro de la personne", "0198c2f4"), Fact("Effacé le", "12 mai 2027")),
        "lists": (Listed("Ce qui est parti", ("Le nom", "3 textes")), Listed("Ce qui reste", ())), **changed,
    })  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A text as the store gives it back."""

    seq: int
    name: str
    text: str


def story_of(life: Life, lang: str) -> Story:
    parts = [Written(seq, name, text) for (seq, name), text in life.texts.items()]
    return narrate(life.events, parts, NAMES, life.book, lang)


def summary_of(life: Life, lang: str = "fr", names: Mapping[str, str] = NAMES, **more: Any) -> Summary:
    return journey_summary(life.state, life.book, names, story_of(life, lang), lang, sender="Auxilia", **more)


# --- what is found in a file


def read(made: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(made))


def text_of(made: bytes) -> str:
    """The text of all pages in reading order, with the spaces and apostrophes of a keyboard."""
    found = "\n".join(page.extract_text() for page in read(made).pages)
    return found.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


def flat(text: str) -> str:
    """On one line: where lines break is the layout's affair."""
    return " ".join(text.split())


def in_order(text: str, *wanted: str) -> None:
    """Each of these stands after the one before."""
    place = 0
    for each in wanted:
        found = text.find(each, place)
        assert found >= 0, f"“{each}” does not come after what precedes it in:\n{text}"
        place = found + len(each)


def catalog(made: bytes) -> Any:
    return read(made).trailer["/Root"]


def tags(made: bytes) -> list[str]:
    """Every structure element in order."""
    return list(_tags(catalog(made)["/StructTreeRoot"]))


def _tags(node: Any) -> Iterator[str]:
    node = node.get_object() if hasattr(node, "get_object") else node
    match node:
        case list():
            for each in node:
                yield from _tags(each)
        case dict():
            if "/S" in node:
                yield str(node["/S"])
            if "/K" in node:
                yield from _tags(node["/K"])
