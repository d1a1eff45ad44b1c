"""A programme is changed by hand: seen first, then applied; past journeys are played again under it."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from journeys.authoring.reading import PROGRAMMES
from tests.days import paris_today

from .conftest import Journeys


@pytest.fixture
def other(tmp_path: Path) -> str:
    """Auxilia without the application for lodging, with a smaller grant."""
    lines = (PROGRAMMES / "auxilia.yaml").read_text().splitlines()
    kept = [line for line in lines if not line.strip().startswith("lodging-asked:")]
    file = tmp_path / "auxilia.yaml"
    file.write_text("\n".join(kept).replace("cap: 1200 EUR", "cap: 900 EUR"))
    return str(file)


def test_a_change_is_seen_then_applied_and_every_account_agrees(
    here: Journeys, started: Callable[..., str], other: str
) -> None:
    id = started()
    before = here("show", id, "--json").journey["seq"]
    seen = here("programme", "change", other, id, "--as", "sam", "--details", "--json")
    assert seen.code == 0, seen
    [row] = seen.json["journeys"]
    assert row["outcome"] == "foreseen" and row["change"]["cancelled"] >= 1 and row["change"]["kept"] >= 1
    assert any("logement" in told or "hébergement" in told for told in row["told"])
    assert here("show", id, "--json").journey["seq"] == before, "seeing changes nothing"
    done = here("programme", "change", other, id, "--as", "sam", "--apply", "--reason", "règles revues", "--json")
    assert done.code == 0 and done.json["applied"] == 1, done
    assert done.json["journeys"][0]["change"] == row["change"]
    assert "règles revues" in here("audit", "narrate", id).out
    verified = here("audit", "verify", id, "--strict", "--json")
    assert verified.code == 0 and verified.json["holds"] is True
    again = here("programme", "change", other, id, "--as", "sam", "--apply", "--reason", "encore", "--json")
    assert again.code == 1 and again.json["journeys"][0]["error"]["code"] == "same-programme"


@pytest.mark.parametrize(
    ("words", "code", "field"),
    [
        (["ID", "--all"], 2, "ID"),
        ([], 2, "ID"),
        (["ID", "--apply"], 2, "--reason"),
        (["ID", "--dates", "nowhere=2027-01-01"], 2, "--dates"),
        (["ID", "--dates", "release=31/02/2027"], 2, "--dates"),
        (["ID", "--owed-from", "hier"], 2, "--owed-from"),
    ],
)
def test_what_is_typed_wrongly_is_named(
    here: Journeys, started: Callable[..., str], other: str, words: list[str], code: int, field: str
) -> None:
    id = started()
    said = here(
        "programme", "change", other, *(id if word == "ID" else word for word in words), "--as", "sam", "--json"
    )
    assert (said.code, said.error["field"]) == (code, field), said


def test_whoever_has_not_the_right_is_refused_and_nothing_changes(
    here: Journeys, started: Callable[..., str], other: str
) -> None:
    id = started()
    said = here("programme", "change", other, id, "--as", "aline", "--apply", "--reason", "je veux", "--json")
    assert said.code == 1 and said.json["journeys"][0]["error"]["code"] == "no-right"
    assert said.json["applied"] == 0


def test_past_journeys_are_played_again(here: Journeys, started: Callable[..., str], other: str) -> None:
    started()
    same = here("programme", "replay", "auxilia", "--processes", "1", "--json")
    assert same.code == 0 and same.json["replay"]["journeys"] >= 1, same
    told = here("programme", "replay", other, "--processes", "1", "--json").json["replay"]
    assert {"deadline"} <= {each["what"] for each in told["differences"]}
    assert any(each["about"] == "lodging-asked" and each["change"] == "dropped" for each in told["differences"])
    assert here("programme", "replay", "concienta", "--json").code == 3


def test_a_journey_is_put_under_other_rules_by_their_name(here: Journeys, started: Callable[..., str]) -> None:
    id, key = started(), str(uuid.uuid4())
    said = here("do", id, "change-programme", "--programme", "concient", "--reason", "x", "--as", "sam", "--json")
    assert said.code == 3 and "concienta" in said.json["error"]["remedy"], said
    words = ("do", id, "change-programme", "--programme", "concienta", "--reason", "autre lieu",
             "--dates", f"arrival={paris_today() + timedelta(days=20)}", "--as", "sam")  # fmt: skip
    refused = here(*words[:-1], "aline", "--json")
    assert refused.code == 4 and refused.json["error"]["code"] == "no-right", refused
    done = here(*words, "--command-id", key, "--json")
    assert done.code == 0 and done.journey["programme"] == "concienta", done
    again = here(*words, "--command-id", key, "--json")
    assert again.code == 0 and again.json["command"] == done.json["command"], again
    assert "autre lieu" in here("audit", "narrate", id).out
