"""`journeys indicators`: counted up to the last event before it answers, as text, as JSON, as the report."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Journeys
from .test_papers import pages


def test_what_came_of_the_journeys(here: Journeys, started: Callable[..., str], tmp_path: Path) -> None:
    before = here("indicators", "--json").json
    id = started()
    found = here("indicators", "--by", "month", "--json").json
    assert (found["ahead"], found["grown"], found["least"]) == (before["ahead"] + 1, 0, 5)
    assert [each["code"] for each in found["indicators"]][:2] == ["housed-first-night", "housed-3-months"]
    assert here("do", id, "confirm-date", "--date", "release", "--as", "aline").code == 0
    assert here("indicators", "--json").json["journeys"] == before["journeys"] + 1
    file = tmp_path / "rapport.pdf"
    said = here("indicators", "--by", "site", "--pdf", str(file), "--sender", "Auxilia")
    assert said.code == 0 and str(file) in said.out and "Logés la nuit de la sortie" in said.out
    text = pages(file)
    assert "tous les parcours" in text and "RAPPORT" in text and "Comment c'est compté" in text
    assert here("indicators", "--pdf", str(file)).code == 5
    assert "First contact within 3 days" in here("indicators", "--lang", "en").out


@pytest.mark.parametrize(
    ("words", "code", "told", "field"),
    [
        (["--by", "person"], 2, "not-a-grouping", "--by"),
        (["--from", "mai"], 2, "not-a-month", "--from"),
        (["--from", "2027-05", "--to", "04/2027"], 2, "months-turned", "--to"),
        (["--programme", "nowhere"], 3, "unknown-programme", "--programme"),
    ],
)
def test_what_cannot_be_counted_is_said(here: Journeys, words: list[str], code: int, told: str, field: str) -> None:
    said = here("indicators", *words, "--json")
    assert (said.code, said.error["code"], said.error["field"]) == (code, told, field)
