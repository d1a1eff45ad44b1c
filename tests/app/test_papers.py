"""`journeys summary`, `letter`, `receipt`, `documents`: files that only their owner reads, never written over."""

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


def test_a_document_goes_in_and_comes_back_as_it_was(
    here: Journeys, started: Callable[..., str], tmp_path: Path
) -> None:
    id, scan, out = started(), tmp_path / "Plan signé.PDF", tmp_path / "back.pdf"
    scan.write_bytes(b"%PDF-1.7 signed")
    words = ("do", id, "add-evidence", "--milestone", "exit-plan", "--kind", "exit-plan", "--as", "aline")
    said = here(*words, "--document", str(scan), "--json")
    assert said.code == 0, said.out
    again = here(*words, "--document", str(scan), "--command-id", said.json["command"]["command"], "--json")
    assert (again.code, again.json["command"]["first"]) == (0, said.json["command"]["first"])
    (told,) = here("documents", id, "--json").json["documents"]
    assert (told["name"], told["kind"], told["size"]) == ("Plan signé.pdf", "pdf", 15)
    assert "Plan signé.pdf" in here("documents", id).out
    assert here("documents", id, "--get", str(told["number"]), "--to", str(out)).code == 0
    assert out.read_bytes() == scan.read_bytes() and out.stat().st_mode & 0o077 == 0
    taken = here("documents", id, "--get", str(told["number"]), "--to", str(out), "--json")
    assert (taken.code, taken.error["code"], taken.error["field"]) == (5, "file-exists", "--to")
    assert here("audit", "verify", id).code == 0
    assert "Plan signé.pdf (PDF, 1 ko)" in here("audit", "narrate", id).out.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "unreadable-file"), (b"", "empty-document"), (b"<html>", "unknown-kind"),
     (b"%PDF-" + bytes(10_000_000), "document-too-large")],
)  # fmt: skip
def test_what_cannot_be_a_document_is_said_and_changes_nothing(
    here: Journeys, started: Callable[..., str], tmp_path: Path, content: bytes | None, code: str
) -> None:
    id, scan = started(), tmp_path / "scan.pdf"
    if content is not None:
        scan.write_bytes(content)
    words = ("do", id, "add-note", "--text", "x", "--document", str(scan), "--as", "aline")
    said = here(*words, "--json")
    assert (said.code, said.error["code"], said.error["field"]) == (2, code, "--document")
    assert "--document" in here(*words).err
    assert here("documents", id, "--json").json["documents"] == []


def test_a_document_or_paper_that_is_not_there_is_said(
    here: Journeys, started: Callable[..., str], tmp_path: Path
) -> None:
    id, file = started(), str(tmp_path / "x.pdf")
    for words, code, field in (
        (("documents", id, "--get", "1", "--to", file), (3, "no-document"), "--get"),
        (("documents", id, "--get", "1"), (2, "get-and-to"), "--get"),
        (("receipt", id, "--pdf", file), (3, "nothing-open"), "--payment"),
        (("letter", id, "--pdf", file), (3, "nothing-open"), "--referral"),
    ):
        said = here(*words, "--json")
        assert ((said.code, said.error["code"]), said.error["field"]) == (code, field), said.out
    assert list(tmp_path.glob("*.pdf")) == []


def test_the_letter_of_a_referral(here: Journeys, started: Callable[..., str], tmp_path: Path) -> None:
    id, file = started(), tmp_path / "lettre.pdf"
    partner = here("partner", "add", "Foyer du Pont", "--kind", "housing", "--json")
    assert partner.code == 0, partner.out
    sent = here("do", id, "send-referral", "--partner", "Foyer du Pont", "--purpose", "housing",
                "--letter", "Une place est-elle libre ?", "--as", "aline")  # fmt: skip
    assert sent.code == 0, sent.err
    assert here("letter", id, "--pdf", str(file), "--sender", "Auxilia").code == 0
    assert "Une place est-elle libre" in pages(file) and "Foyer du Pont" in pages(file)
