"""`journeys person export`: what is held about a person, whole, for those who may hand it over, and on record."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from journeys.app import accessing

from .conftest import Journeys
from .test_papers import pages


def folders(under: Path) -> list[str]:
    return sorted(each.name for each in under.iterdir() if each.is_dir())


def test_what_is_held_is_handed_over_whole(here: Journeys, started: Callable[..., str], tmp_path: Path) -> None:
    id, other, scan, to = started(), started(), tmp_path / "plan.pdf", tmp_path / "remise"
    scan.write_bytes(b"%PDF-1.7 signed")
    words = ("do", id, "add-evidence", "--milestone", "exit-plan", "--kind", "exit-plan", "--as", "aline")
    assert here(*words, "--document", str(scan)).code == 0
    assert here("do", id, "add-note", "--text", "Aime la mécanique.", "--as", "aline").code == 0
    assert here("do", other, "add-note", "--text", "Ne regarde que l'autre.", "--as", "aline").code == 0
    person = here("show", id, "--json").journey["person"]
    who = person["id"] if isinstance(person, dict) else person
    assert here("mentor", "add", "Noor Bénévole", "--volunteer", id, "--place", "Lille", "--as", "sam").code == 0

    said = here("person", "export", who, "--to", str(to), "--sender", "Auxilia", "--as", "sam", "--json")
    assert said.code == 0, said.out
    assert (said.json["journeys"], said.json["documents"]) == (1, 1)
    assert sorted(said.json["files"]) == sorted(each.name for each in to.iterdir())
    assert to.stat().st_mode & 0o077 == 0 and all(each.stat().st_mode & 0o077 == 0 for each in to.iterdir())
    held = json.loads((to / "donnees.json").read_text())
    (journey,) = held["journeys"]
    (document,) = journey["documents"]
    assert (to / document["file"]).read_bytes() == scan.read_bytes() and document["name"] == "plan.pdf"
    assert "Aime la mécanique." in [text for event in journey["events"] for text in event["texts"].values()]
    assert "Aime la mécanique." in pages(to / "parcours-1.pdf")
    letter = pages(to / "lettre.pdf")
    assert held["person"]["first_name"] in letter and held["person"]["reference"] in letter and "Aline R." in letter
    assert [event["kind"] for event in held["facts_as_mentor"]] == ["MentorAdded", "MentorDescribed"]
    noted = pages(to / "registres.pdf")
    assert "Ce qui a été noté sur vous" in noted and held["person"]["first_name"] in noted and "Noor" in noted
    assert not any(b"que l'autre" in each.read_bytes() for each in to.iterdir())

    again = here("person", "export", who, "--to", str(to), "--as", "sam", "--json")
    assert (again.code, again.error["code"]) == (2, "folder-there")
    twice = here("person", "export", who, "--to", str(tmp_path / "encore"), "--lang", "en", "--as", "sam")
    assert twice.code == 0 and "what we hold about you" in pages(tmp_path / "encore" / "lettre.pdf")
    told = pages(tmp_path / "encore" / "registres.pdf")
    assert "Who opened your file" in told and "person 1" in told and "What is not enclosed, and why" in told
    facts = json.loads((tmp_path / "encore" / "donnees.json").read_text())["facts"]
    exported = [fact for fact in facts if "documents" in fact["data"]]
    assert [(fact["role"], fact["data"]["journeys"], fact["data"]["documents"]) for fact in exported] == [
        ("supervisor", 1, 1)
    ]
    assert folders(tmp_path) == ["encore", "remise"]
    assert here("audit", "checkpoint").code == 0
    verified = here("audit", "verify", "--all")
    assert verified.code == 0, verified.out


def test_a_person_with_two_journeys_is_told_both(here: Journeys, started: Callable[..., str], tmp_path: Path) -> None:
    first = started()
    person = here("show", first, "--json").journey["person"]
    who = person["id"] if isinstance(person, dict) else person
    known = here("person", "show", who, "--json").json["person"]
    name = f"{known['first_name']} {known['last_name']}"
    begun = here("start", "-p", "sortie-seche", "--person", name, "--reference", known["reference"],
                 "--referent", "aline", "--release", "2099-06-12", "--json")  # fmt: skip
    assert begun.code == 0, begun.out
    said = here("person", "export", who, "--to", str(tmp_path / "deux"), "--as", "sam", "--json")
    assert (said.code, said.json["journeys"]) == (0, 2)
    held = json.loads((tmp_path / "deux" / "donnees.json").read_text())
    assert {journey["journey"] for journey in held["journeys"]} == {first, begun.journey["id"]}
    assert (tmp_path / "deux" / "parcours-2.pdf").stat().st_size


def test_nothing_leaves_unasked_or_unrecorded(
    here: Journeys, started: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = here("show", started(), "--json").journey["person"]
    who = person["id"] if isinstance(person, dict) else person
    for handle in ("aline", "fin"):
        refused = here("person", "export", who, "--to", str(tmp_path / "x"), "--as", handle, "--json")
        assert (refused.code, refused.error["code"]) == (4, "no-right"), refused.out
    with monkeypatch.context() as patch:
        patch.setattr(accessing, "sees", lambda *_: False)
        elsewhere = here("person", "export", who, "--to", str(tmp_path / "x"), "--as", "sam", "--json")
        assert (elsewhere.code, elsewhere.error["code"]) == (4, "no-right")
    nowhere = here("person", "export", who, "--to", str(tmp_path / "none" / "x"), "--as", "sam", "--json")
    assert (nowhere.code, nowhere.error["code"], nowhere.error["field"]) == (1, "unwritable", "--to")

    async def cut(*_: object) -> None:
        raise OSError("cut off")

    monkeypatch.setattr("journeys.store.people.note_export", cut)
    assert here("person", "export", who, "--to", str(tmp_path / "x"), "--as", "sam").code == 1
    assert folders(tmp_path) == []
