"""Which places tell a stranger why somebody is accompanied, and which are only called like streets elsewhere."""

import pytest

from journeys.domain.neutral import place_tells_why, tells_why


@pytest.mark.parametrize("place", [
    "12 place de la Libération, Lyon", "Mairie, rue de la Justice", "3 place du Palais-de-Justice",
    "8 cours de la Liberation", "2 bd de la Libération", "4 AV. DE LA JUSTICE", "5 place du Palais",
    "1 rue du Tribunal", "avenue de la Libe\u0301ration", "12 rue des Lilas",
])  # fmt: skip
def test_streets_of_every_town_tell_nothing(place: str) -> None:
    assert place_tells_why(place) is None


@pytest.mark.parametrize(("place", "word"), [
    ("Tribunal judiciaire, 2 cours Mirabeau", "Tribunal"), ("SPIP, 3 rue Haute", "SPIP"),
    ("3 rue de la Prison", "Prison"),
    ("Maison de la Justice, 2 rue de la Libération", "Justice"), ("Palais de Justice, place du Palais", "Justice"),
    ("Tribunal, rue de la Justice", "Tribunal"), ("rue de la Maison d’arrêt", "Maison d’arrêt"),
    ("Aide à la libération", "libération"),
])  # fmt: skip
def test_what_is_in_the_street_does(place: str, word: str) -> None:
    assert place_tells_why(place) == word


def test_elsewhere_than_in_a_place_the_words_stay_what_they_are() -> None:
    assert tells_why("depuis la rue de la Libération") == "Libération"
