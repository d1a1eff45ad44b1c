"""Every text has its English, with the same places; dates, hours and money read as people write them."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from journeys import i18n

HOME = Path(__file__).parents[2]
PLACE = re.compile(r"{(\w+)}")


@cache
def texts() -> dict[str, tuple[str, ...]]:
    """Every text of the code: its forms (one, or singular and plural) by where it stands."""
    found: dict[str, tuple[str, ...]] = {}
    for room in ("journeys", "activities", "workflows"):
        for file, line, message, _, _ in extract_from_dir(
            str(HOME / room), method_map=i18n.METHODS, options_map=i18n.OPTIONS, keywords=i18n.KEYWORDS
        ):
            forms = message if isinstance(message, tuple) else (message,)
            found[f"{room}/{file}:{line} {forms[0]}"] = tuple(str(form) for form in forms)
    return found


def english(forms: tuple[str, ...]) -> tuple[str, ...]:
    if len(forms) == 1:
        return (i18n._singulars().get(forms[0], ""),)
    return i18n._plurals().get(forms[0], ("", ""))


def test_the_extraction_finds_the_texts() -> None:
    found = {forms[0] for forms in texts().values()}
    assert len(found) > 500
    assert {"Le moteur n'a pas été interrogé.", "{who} a rouvert le parcours.", "bénéficiaire"} <= found


def test_every_text_has_its_english_with_the_same_places() -> None:
    wrong = [
        where
        for where, forms in texts().items()
        for french, told in zip(forms, english(forms), strict=True)
        if not told or set(PLACE.findall(french)) != set(PLACE.findall(told))
    ]
    assert wrong == [], "add these to journeys/i18n/en.po"


def pairs() -> Iterator[tuple[str, ast.expr, ast.expr]]:
    """What entry points say in both languages side by side (decision 14): where, the French, the English."""
    for file in [*sorted((HOME / "journeys").rglob("*.py")), HOME / "worker.py"]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and (pair := pair_of(node)):
                yield f"{file.relative_to(HOME)}:{node.lineno}", *pair


def pair_of(call: ast.Call) -> tuple[ast.expr, ast.expr] | None:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if {"fr", "en"} <= named.keys():
        return named["fr"], named["en"]
    begins = {"Said": 0, "both": 0, "group": 0, "usage": 1, "command": 2}.get(getattr(call.func, "id", ""))
    if begins is None or len(call.args) < begins + 2:
        return None
    return call.args[begins], call.args[begins + 1]


def written(text: ast.expr) -> tuple[str, int] | None:
    """The words of a literal text, and how many places it has; None for what is put together elsewhere."""
    if isinstance(text, ast.Constant):
        return str(text.value), 0
    if isinstance(text, ast.JoinedStr):
        words = "".join(str(part.value) for part in text.values if isinstance(part, ast.Constant))
        return words, sum(isinstance(part, ast.FormattedValue) for part in text.values)
    return None


def test_a_pair_has_both_its_texts_with_as_many_places() -> None:
    literal = [(where, fr, en) for where, *pair in pairs() if (fr := written(pair[0])) and (en := written(pair[1]))]
    assert len(literal) > 700
    assert [where for where, fr, en in literal if bool(fr[0]) != bool(en[0]) or fr[1] != en[1]] == []


def test_the_catalog_holds_no_text_that_is_gone() -> None:
    used = {forms[0] for forms in texts().values()}
    assert sorted((i18n._singulars().keys() | i18n._plurals().keys()) - used) == []


def test_french_is_printed_with_its_spaces_and_apostrophes() -> None:
    assert i18n.text("fr")("L'étape « a » : {x} ; quoi ?") == "L’étape «\u00a0a\u00a0»\u00a0: {x}\u202f; quoi\u202f?"
    assert i18n.text("en")("le système") == "the system"
    assert i18n.text("en")("texte inconnu") == "texte inconnu"


@pytest.mark.parametrize(
    ("lang", "count", "expected"),
    [
        ("fr", 0, "événement comparé"),
        ("fr", 1, "événement comparé"),
        ("fr", 2, "événements comparés"),
        ("en", 0, "events"),
        ("en", 1, "event compared"),
        ("en", 2, "events"),
    ],
)
def test_numbers_follow_the_language(lang: str, count: int, expected: str) -> None:
    told = i18n.ngettext(lang, "{count} événement comparé", "{count} événements comparés", count)
    assert expected in told


def test_dates_hours_and_money() -> None:
    at = datetime(2027, 4, 1, 7, 30, tzinfo=UTC)
    assert i18n.format_date(date(2027, 5, 12), "fr") == "12 mai 2027"
    assert i18n.format_date(date(2027, 4, 1), "fr", weekday=True) == "jeudi 1er avril 2027"
    assert i18n.format_date(date(2027, 4, 1), "en", weekday=True) == "Thursday 1 April 2027"
    assert i18n.format_instant(at, "fr", "Europe/Paris") == "1er avril 2027 à 9\u00a0h\u00a030"
    assert i18n.format_instant(at, "en", "Indian/Reunion") == "1 April 2027 at 11:30"
    assert i18n.format_time(datetime(2027, 1, 4, 8, tzinfo=UTC), "fr", "Europe/Paris") == "9\u00a0h"
    assert i18n.format_money(120_050, "fr") == "1\u202f200,50\u00a0€"
    assert i18n.format_money(120_050, "en") == "€1,200.50"


def test_lists_and_languages() -> None:
    assert i18n.listed(["a", "b", "c"], "fr") == "a, b et c"
    assert i18n.listed(["a", "b"], "en") == "a and b"
    assert i18n.listed([], "fr") == ""
    assert [i18n.language(tag) for tag in ("en_GB.UTF-8", "EN", "fr_FR", "C", None)] == ["en", "en", "fr", "fr", "fr"]


def test_french_that_is_not_looked_up_has_the_apostrophe_of_print_too() -> None:
    told = i18n.either("fr", "n'a pas d'adresse : journeys do X --text 'à neuf' --as aline", "has no address")
    assert told == "n’a pas d’adresse : journeys do X --text 'à neuf' --as aline"
    assert i18n.either("en", "n'a rien", "isn't there") == "isn't there"
