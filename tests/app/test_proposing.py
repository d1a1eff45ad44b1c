"""Who is proposed for a journey, on the command line: the directory, what was tried, and what is said of each."""

from collections.abc import Callable

import pytest

from journeys.app import asking
from tests.days import paris_today

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


def test_a_volunteer_under_age_is_nobodys_mentor(here: Journeys, started: Callable[..., str]) -> None:
    """By the rules of their own programme: not entered, not proposed, not matched; told in its words."""
    never, born = "ne rencontre jamais les personnes accompagnées", f"{paris_today().year - 16}-01-01"
    beginning = ("start", "-p", "benevolat", "--person", "Nils Mineur", "--born", born, "--referent", "aline")
    untold = here(*beginning, "--json")
    assert (untold.code, untold.error["code"], untold.error["field"]) == (2, "age-date-missing", "date-minor-entry")
    own = here(*beginning, "--date", "minor-entry=2099-01-04", "--json").journey["id"]
    refused = here("do", own, "record-situation", "--situation", "mission", "--value", "mentoring", "--as", "aline")
    assert refused.code == 4 and never in refused.err

    for words in (("Nils  MINEUR",), ("Nils", "--volunteer", own)):
        said = here("mentor", "add", *words, "--json")
        assert (said.code, said.error["code"]) == (4, "no-mentor-here"), said
    # Entered before anybody knew of the volunteer.
    assert here("mentor", "add", "Zoé Homonyme").code == 0
    journey = started(name="Ali Cherche")
    assert here("do", journey, "propose-mentor", "--mentor", "Zoé Homonyme", "--as", "aline").code == 0
    started("--born", born, "--date", "minor-entry=2099-01-04", name="Zoé Homonyme", programme="benevolat")
    match = here("do", journey, "match-mentor", "--mentor", "Zoé Homonyme", "--as", "aline", "--json")
    assert (match.code, match.error["code"]) == (4, "no-mentor-here") and never in match.error["message"]
    rows = {each["name"]: each for each in here("mentor", "propose", journey, "--json").json["mentors"]}
    assert not rows["Zoé Homonyme"]["proposed"] and rows["Zoé Homonyme"]["grounds"][0] in ("asked", "barred")
    assert never in here("mentor", "propose", journey).out.replace("\xa0", " ")

    grown = started("--born", "1990-01-01", name="Max Majeur", programme="benevolat")
    assert here("mentor", "add", "Max Majeur", "--volunteer", grown).code == 0
    here("do", journey, "decline-mentor", "--mentor", "Zoé Homonyme", "--as", "aline")
    assert here("do", journey, "propose-mentor", "--mentor", "Max Majeur", "--as", "aline").code == 0
    assert here("do", journey, "match-mentor", "--mentor", "Max Majeur", "--as", "aline").code == 0


def test_without_the_guard_a_minor_would_be_matched(
    here: Journeys, started: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    born = f"{paris_today().year - 16}-01-01"
    started("--born", born, "--date", "minor-entry=2099-01-04", name="Lou Mineure", programme="benevolat")

    async def nobody(*_: object) -> dict[str, object]:
        return {}

    monkeypatch.setattr(asking, "barred", nobody)
    assert here("mentor", "add", "Lou Mineure").code == 0
    journey = started(name="Eva Cherche")
    for step in ("propose-mentor", "match-mentor"):
        assert here("do", journey, step, "--mentor", "Lou Mineure", "--as", "aline").code == 0


def test_whoever_is_full_or_gone_is_said(here: Journeys, started: Callable[..., str]) -> None:
    assert here("partner", "add", "Foyer Plein", "--kind", "asylum", "--places", "1").code == 0
    first, second = started(), started()
    sending = ("send-referral", "--partner", "Foyer Plein", "--purpose", "asylum", "--as", "aline")
    assert "plus de place" not in here("do", first, *sending).err
    full = here("do", second, *sending)
    assert full.code == 0 and "Foyer Plein n’a plus de place (1 sur 1)" in full.err
    left = here("partner", "leave", "Foyer Plein")
    assert left.code == 0 and "2 parcours" in left.err, "whoever was sent there is not forgotten"
    gone = here("do", started(), *sending, "--json")
    assert (gone.code, gone.error["code"], "place" in gone.err) == (4, "partner-left", False), gone
    assert here("mentor", "add", "Théo Occupé", "--capacity", "0").code == 0
    busy = here("do", first, "propose-mentor", "--mentor", "Théo Occupé", "--as", "aline", "--lang", "en")
    assert busy.code == 0 and "Théo Occupé has no place left (0 of 0)" in busy.err
