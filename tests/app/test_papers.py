"""`journeys summary`: a file that only its owner reads, never written over by accident."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfReader

from .conftest import Journeys


def pages(file: Path) -> str:
    found = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(file.read_bytes())).pages)
    return found.replace("\u00a0", " ").replace("’", "'")


def test_a_summary_is_written_once(here: Journeys, started: Callable[..., str], tmp_path: Path) -> None:
    id, file = started(), tmp_path / "dossier.pdf"
    assert here("do", id, "add-note", "--text", "Bien arrivé.", "--as", "aline").code == 0
    said = here("summary", id, "--pdf", str(file), "--sender", "Auxilia")
    assert said.code == 0 and str(file) in said.out
    text = pages(file)
    assert "SYNTHÈSE DU PARCOURS" in text and "Ensuite, si personne n'agit" in text and "Aline R." in text
    assert "Bien arrivé." not in text
    assert file.stat().st_mode & 0o077 == 0
    before = file.read_bytes()

    again = here("summary", id, "--pdf", str(file), "--notes", "--json")
    assert (again.code, again.error["code"], again.error["field"]) == (5, "file-exists", "--pdf")
    assert file.read_bytes() == before

    forced = here("summary", id, "--pdf", str(file), "--notes", "--force", "--lang", "en", "--json")
    assert forced.code == 0 and forced.json["bytes"] == file.stat().st_size and forced.journey["id"] == id
    assert "Note: Bien arrivé." in pages(file) and "Next, if nobody acts" in pages(file)
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".pdf" or each.name.startswith(".")] == [
        file.name
    ]


def test_an_unknown_journey_writes_nothing(here: Journeys, tmp_path: Path) -> None:
    said = here("summary", "nobody at all", "--pdf", str(tmp_path / "x.pdf"), "--json")
    assert (said.code, said.error["code"]) == (3, "unknown-journey")
    assert not (tmp_path / "x.pdf").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 2, "missing"),
        (["--pdf", "{here}"], 2, "is-a-folder"),
        (["--pdf", "{here}/none/x.pdf"], 2, "no-folder"),
        (["--pdf", "{here}/there.pdf"], 5, "file-exists"),
        (["--pdf", "{here}/new.pdf"], 7, "not-running"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_read(
    nowhere: Journeys, tmp_path: Path, words: list[str], code: int, told: str
) -> None:
    (tmp_path / "there.pdf").write_text("mine")
    said = nowhere("summary", "x", *(word.format(here=tmp_path) for word in words), "--json")
    assert (said.code, said.error["code"]) == (code, told)
    assert said.error["field"] == ("--pdf" if code in (2, 5) else None)
    assert (tmp_path / "there.pdf").read_text() == "mine"
