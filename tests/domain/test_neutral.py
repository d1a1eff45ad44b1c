"""Which places tell a stranger why somebody is accompanied, and which are only called like streets elsewhere."""

import pytest

from journeys.domain.neutral import place_tells_why, tells_why


@pytest.mark.parametrize("place", [
    "12 place de la Libération, Lyon", "Mairie, rue de la Justice", "3 place du Palais-de-Justice",
    "8 cours de la Liberation", "2 bd de la Libération", "4 AV. DE LA JUSTICE", "5 place du Palais",
    "1 rue du Tribunal", "avenue de la Libe\u0301ration", "12 rue des Lilas",
    "12 rue de Crimée, 75019 Paris", "54200 Écrouves", "Mairie, Écrouves", "19500 Jugeals-Nazareth",
    "Le Bourg, Jugeals",
    "5 rue des Prisonniers de Guerre", "rond-point de la Libération", "Montée de la Libération",
    "Cité de la Libération",
    "Marché de la Libération", "3 place Libération", "3, rue de la Libération", "3 E rue de la Justice",
    "14 sq. de la Libération", "chem. de la Justice",
    "Mairie (rue du Juge Michel)", "Résidence Parole de Femmes, bât. B", "BP 12 Libération", "21800 Crimolois",
])  # fmt: skip
def test_streets_of_every_town_tell_nothing(place: str) -> None:
    assert place_tells_why(place) is None


@pytest.mark.parametrize(("place", "word"), [
    ("Tribunal judiciaire, 2 cours Mirabeau", "Tribunal"), ("SPIP, 3 rue Haute", "SPIP"),
    ("3 rue de la Prison", "Prison"),
    ("Maison de la Justice, 2 rue de la Libération", "Justice"), ("Palais de Justice, place du Palais", "Justice"),
    ("Tribunal, rue de la Justice", "Tribunal"), ("rue de la Maison d’arrêt", "Maison d’arrêt"),
    ("Aide à la libération", "libération"), ("12 rue de la Prison", "Prison"),
    ("Maison d'arrêt, 12 rue X", "Maison d'arrêt"),
    ("Cité judiciaire, 5 rue X", "judiciaire"), ("Tribunal 2 cours Mirabeau", "Tribunal"),
    ("Salle 3 du tribunal", "tribunal"), ("2e étage du tribunal", "tribunal"), ("1er bureau de la juge", "juge"),
    ("14h30 au tribunal", "tribunal"), ("14 h devant la juge", "juge"), ("14:30 au tribunal", "tribunal"),
    ("2 rue X (tribunal)", "tribunal"), ("2 rue X – point-justice", "justice"), ("2 rue X, bureau du SPIP", "SPIP"),
    ("2 rue X, service de probation", "probation"), ("5 rue X, quartier semi-liberté", "semi-liberté"),
    ("Prison, rue des Prisonniers de Guerre", "Prison"), ("Juge de l’application des peines\n2 rue X", "Juge"),
    ("Centre de détention\u200b, 3 rue X", "détention"),
])  # fmt: skip
def test_what_is_in_the_street_does(place: str, word: str) -> None:
    assert place_tells_why(place) == word


def test_elsewhere_than_in_a_place_the_words_stay_what_they_are() -> None:
    assert tells_why("depuis la rue de la Libération") == "Libération"
