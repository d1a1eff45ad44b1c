"""Who is proposed for a journey, on the command line: the directory, what was tried, and what is said of each."""

from collections.abc import Callable

from .conftest import Journeys


def test_mentors_with_room_come_with_their_reasons(here: Journeys, started: Callable[..., str]) -> None:
    for name, *more in (
        ("Lina Propose", "--languages", "français, arabe", "--place", "Colombes"),
        ("Marc Propose", "--place", "Nanterre", "--interests", "Football"),
        ("Rose Propose", "--unavailable"),
        ("Théo Propose", "--capacity", "0"),
    ):
        words = [word for word in more if word != "--unavailable"]
        assert here("mentor", "add", name, *words).code == 0
        if "--unavailable" in more:
            assert here("mentor", "change", name, "--unavailable").code == 0
    assert here("mentor", "change", "Marc Propose", "--capacity", "3", "--interests", "football, cuisine").code == 0
    journey = started(name="Issa Cherche")
    changed = here("person", "change", "Issa Cherche", "--languages", "Arabe", "--place", "nanterre", "--interests",
                   "cuisine", "--json")  # fmt: skip
    assert changed.json["changed"] == ["place", "languages", "interests"]

    found = [each for each in here("mentor", "propose", journey, "--json").json["mentors"] if "Propose" in each["name"]]
    assert [(each["name"], each["proposed"]) for each in found] == [
        ("Lina Propose", True), ("Marc Propose", True), ("Rose Propose", False), ("Théo Propose", False),
    ]  # fmt: skip
    assert found[0]["reasons"] == ["parle Arabe", "n’accompagne personne pour l’instant"]
    assert found[1]["reasons"][:2] == ["même ville (Nanterre)", "intérêts communs\xa0: cuisine"]
    assert found[2]["grounds"][0] == "away" and found[3]["grounds"][0] == "full"

    for name in ("Lina Propose", "Marc Propose"):
        assert here("do", journey, "propose-mentor", "--mentor", name, "--as", "aline").code == 0
    here("do", journey, "decline-mentor", "--mentor", "Lina Propose", "--as", "aline")
    here("do", journey, "match-mentor", "--mentor", "Marc Propose", "--as", "aline")
    told = here("mentor", "propose", journey).out
    assert "Lina Propose — a décliné, parle Arabe" in told and "accompagne 1 personne sur 3" in told
    assert "speaks Arabe" in here("mentor", "propose", journey, "--lang", "en").out


def test_the_next_partner_is_proposed_when_one_declines(here: Journeys, started: Callable[..., str]) -> None:
    for name, *more in (
        ("Foyer Un", "--kind", "shelter", "--place", "Nanterre", "--places", "1"),
        ("Foyer Deux", "--kind", "shelter", "--places", "2"),
        ("Maison Trois", "--kind", "house", "--purpose", "shelter", "--purpose", "meals", "--places", "1"),
        ("Atelier", "--kind", "workshop"),
    ):
        assert here("partner", "add", name, *more).code == 0
    journey = started(name="Awa Cherche")
    here("person", "change", "Awa Cherche", "--place", "Nanterre")

    def proposed(of: str, purpose: str = "shelter") -> list[str]:
        rows = here("partner", "propose", of, "--purpose", purpose, "--json").json["partners"]
        return [each["name"] for each in rows if each["proposed"]]

    assert proposed(journey) == ["Foyer Un", "Foyer Deux", "Maison Trois"]
    assert proposed(journey, "meals") == ["Maison Trois"]
    sent = here("do", journey, "send-referral", "--partner", "Foyer Un", "--purpose", "shelter", "--as", "aline")
    assert sent.code == 0, sent
    assert proposed(journey) == ["Foyer Deux", "Maison Trois"]
    other = started(name="Binta Cherche")
    assert proposed(other) == ["Foyer Deux", "Maison Trois"], "its one place is asked for"
    assert here("do", journey, "decline-referral", "--reason", "complet", "--as", "aline").code == 0
    told = here("partner", "propose", journey, "--purpose", "shelter").out
    assert told.startswith("1. Foyer Deux") and "Foyer Un — a décliné" in told and "Atelier — autre domaine" in told
    assert proposed(other) == ["Foyer Deux", "Foyer Un", "Maison Trois"]
    assert (
        here("do", other, "send-referral", "--partner", "Foyer Un", "--purpose", "shelter", "--as", "aline").code == 0
    )
    assert here("do", other, "close", "--outcome", "moved", "--as", "aline").code == 0
    assert "Foyer Un" in proposed(started()), "a journey that is closed holds no place"
    assert here("partner", "change", "Foyer Deux", "--places", "0").code == 0
    assert "Foyer Deux" not in proposed(journey)


def test_what_is_typed_wrongly_is_named(here: Journeys, started: Callable[..., str]) -> None:
    assert here("partner", "add", "Foyer Cinq", "--kind", "shelter").code == 0
    for words, code, field in (
        (("partner", "propose", started(), "--purpose", "shelte"), 3, "--purpose"),
        (("partner", "propose", "personne-de-tel", "--purpose", "shelter"), 3, "ID"),
        (("mentor", "propose", "personne-de-tel"), 3, "ID"),
        (("partner", "change", "Foyer Cinq", "--purpose", "Du Pain !"), 2, "--purpose"),
        (("mentor", "add", "Zoé", "--languages", "a\nb"), 2, "--languages"),
        (("partner", "add", "Foyer", "--kind", "shelter", "--places", "-1"), 2, "--places"),
    ):
        said = here(*words, "--json")
        assert (said.code, said.error["field"]) == (code, field), said
