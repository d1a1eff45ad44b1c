"""Each paper as its readers get it: order, tags, language, title, pages, and the same bytes every time."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journeys.documents import CannotTypeset, Document, Letter, Receipt, render
from journeys.documents.summary import Day, Line
from journeys.documents.typesetting import typeset
from tests.audit.lives import Life, whole_life
from tests.documents.papers import (
    AT,
    catalog,
    certificate,
    flat,
    in_order,
    letter,
    read,
    receipt,
    summary_of,
    tags,
    text_of,
)


@pytest.fixture(scope="module")
def life() -> Life:
    return whole_life()


KINDS: dict[str, Callable[[Life, str], Document]] = {
    "letter": lambda life, lang: letter(),
    "receipt": lambda life, lang: receipt(),
    "certificate": lambda life, lang: certificate(),
    "summary": lambda life, lang: summary_of(life, lang),
}
each_kind = pytest.mark.parametrize("kind", KINDS)
each_language = pytest.mark.parametrize("lang", ["fr", "en"])


@each_kind
@each_language
def test_a_paper_can_be_heard(life: Life, kind: str, lang: str) -> None:
    """What PDF/UA-1 wants: marked, tagged, the language and the title known and shown."""
    made = render(KINDS[kind](life, lang), lang, AT)
    root = catalog(made)
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == lang
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_object().get_data()
    found = tags(made)
    assert found[0] == "/Document" and found.count("/Title") == 1
    assert found.count("/TH") > 0 or kind == "letter"


def test_the_titles(life: Life) -> None:
    def title(paper: Document) -> str | None:
        information = read(render(paper, "fr", AT)).metadata
        return information.title if information is not None else None

    assert title(letter()) == "Votre rendez-vous"
    assert title(letter(subject=" ")) == "Courrier"
    assert title(receipt(title="")) == "Reçu"
    assert title(summary_of(life)) == "Synthèse du parcours – Samir Haddad"
    assert title(letter(subject="a\nb\x07 " + "c" * 400)) == "a b[U+0007] " + "c" * 187 + "…"


@each_kind
def test_same_paper_same_instant_same_bytes(life: Life, kind: str) -> None:
    first = render(KINDS[kind](life, "fr"), "fr", AT)
    assert render(KINDS[kind](life, "fr"), "fr", AT) == first
    assert render(KINDS[kind](life, "fr"), "fr", AT + timedelta(days=1)) != first
    assert render(KINDS[kind](life, "fr"), "en", AT) != first


@each_kind
def test_only_the_instant_given_is_in_the_file(life: Life, kind: str) -> None:
    information = read(render(KINDS[kind](life, "fr"), "fr", AT)).metadata
    assert information is not None
    assert information.creation_date == AT
    assert information.author is None


@each_kind
def test_the_fonts_are_inside_and_are_those_of_the_typesetter(life: Life, kind: str) -> None:
    pages: Any = read(render(KINDS[kind](life, "fr"), "fr", AT)).pages
    fonts = {font["/BaseFont"].partition("+")[2] for page in pages for font in page["/Resources"]["/Font"].values()}
    assert fonts and {re.split(r"[-,]", name)[0] for name in fonts} <= {"LibertinusSerif", "DejaVuSansMono"}


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        render(letter(), "fr", datetime(2027, 1, 1))


def test_what_the_typesetter_refuses_is_typed_and_quotes_nobody() -> None:
    layout = b'#set document(title: "t")\n#title()\n#json(bytes(sys.inputs.sheet)).said'
    with pytest.raises(CannotTypeset) as refused:
        typeset(layout, "letter", "t", {"said": "你"}, "fr", AT)
    assert "你" not in str(refused.value) and refused.value.__suppress_context__
    with pytest.raises(CannotTypeset, match="title"):
        typeset(b"no title", "letter", "t", {}, "fr", AT)


# --- letter


def test_a_letter_reads_from_sender_to_signature() -> None:
    in_order(
        text_of(render(letter(), "fr", AT)), "Association Auxilia", "69007 Lyon", "Samir Haddad", "Lyon, le 4 mai 2027",
        "Objet : Votre rendez-vous", "Référence : 2027-118", "Bonjour,", "Je vous attends le 12 mai.", "À bientôt,",
        "Claire Dupont", "référente",
    )  # fmt: skip
    in_order(text_of(render(letter(), "en", AT)), "Lyon, 4 May 2027", "Subject: Votre rendez-vous", "Reference:")
    assert "Le 4 mai 2027" in text_of(render(letter(place=""), "fr", AT))


def test_paragraphs_are_told_apart_by_empty_lines() -> None:
    one, three = (tags(render(letter(paragraphs=(body,)), "fr", AT)).count("/P") for body in ("a", "a\n\nb\n \nc"))
    assert three == one + 2


@each_language
def test_the_words_of_the_house_say_nothing_of_where_somebody_was(lang: str) -> None:
    """A letter may be opened by others. Of what is in the file, only what its author wrote may tell."""
    bare = Letter(sender="A", recipient="B", subject="", paragraphs=("C",), day=AT.date(), place="D", reference="E")
    made = render(bare, lang, AT)
    root = catalog(made)
    said = (text_of(made) + str(read(made).metadata) + root["/Metadata"].get_object().get_data().decode()).lower()
    for word in (
        "prison",
        "détention",
        "detention",
        "sortie",
        "release",
        "écrou",
        "spip",
        "pénal",
        "parcours",
        "journey",
    ):
        assert word not in said
    own = "A B C D, le Objet : Courrier Référence : E 21 septembre 2027 September Subject: Letter Reference:"
    assert set(flat(text_of(made)).split()) <= set(own.split())


def test_a_long_letter_has_numbered_pages_and_a_short_one_has_not() -> None:
    long = read(render(letter(paragraphs=("Une phrase qui se répète. " * 60,) * 10), "fr", AT)).pages
    assert len(long) > 2
    assert f"page 2 / {len(long)}" in long[1].extract_text()
    assert "page" not in text_of(render(letter(), "fr", AT))


# --- receipt


def test_a_receipt_says_what_by_whom_and_when() -> None:
    text = text_of(render(receipt(), "fr", AT))
    in_order(
        text, "Association Auxilia", "Aide remise en main propre", "Bénéficiaire", "Samir Haddad", "Montant",
        "600,50 €", "Noté par", "Inès Roux (gestionnaire)", "mercredi 12 mai 2027 à 10 h 04", "0198c2f4",
        "Reçu ce jour.", "La personne", "Samir Haddad", "Date et signature :", "Pour l'association",
    )  # fmt: skip
    assert "Édité le 21 septembre 2027 à 10 h 30" in text
    assert "à 12 h 04" in text_of(render(receipt(), "fr", AT, zone="Indian/Reunion"))
    assert "Signatures" not in text_of(render(replace(receipt(), signatures=()), "fr", AT))
    english = text_of(render(receipt(), "en", AT))
    in_order(english, "Recorded by", "Wednesday 12 May 2027 at 10:04", "Date and signature:")


def test_a_certificate_says_what_is_certified_and_then_each_list_that_holds_something() -> None:
    said = text_of(render(certificate(), "fr", AT))
    in_order(said, "Association Auxilia", "Certificat d'effacement", "0198c2f4", "Ce qui est parti", "Le nom",
             "3 textes")  # fmt: skip
    assert "Ce qui reste" not in said


def test_many_facts_go_on_over_pages_with_their_heads() -> None:
    many = Receipt(
        sender="A", title="T", facts=tuple(receipt().facts) * 60, reference="R", recorded_by="B",
        recorded_at=datetime(2027, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    pages = [page.extract_text() for page in read(render(many, "fr", AT)).pages]
    assert len(pages) > 1
    assert all("Ce qui est noté" in page for page in pages if "Montant" in page)


# --- pages of a summary


def test_three_hundred_lines_of_story_break_well(life: Life) -> None:
    days = tuple(
        Day(f"Jour {day}", tuple(Line("9 h", f"Fait {day}-{nth}, raconté en une phrase.") for nth in range(10)))
        for day in range(30)
    )
    made = render(replace(summary_of(life), days=days), "fr", AT)
    pages = [page.extract_text() for page in read(made).pages]
    text = flat(text_of(made))
    in_order(text, *(f"Fait {day}-{nth}," for day in range(30) for nth in range(10)))
    assert len(pages) >= 6
    for nth, page in enumerate(pages, 1):
        assert f"page {nth} / {len(pages)}" in page and "Samir Haddad" in page
        body = page.split("Samir Haddad · ")[0].rstrip().splitlines()
        assert not body[-1].startswith("Jour "), "a day's title is left alone at the foot"
