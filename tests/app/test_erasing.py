"""A person forgotten from the command line, on a stack that is up: shown, ordered, done, proved; and what falls due."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.app.conftest import Journeys, Up
from tests.documents.papers import flat, text_of


def plain(text: str) -> str:
    """Without what terminals and papers set finely."""
    return " ".join(text.replace("’", "'").replace("\xa0", " ").replace("\u202f", " ").split())


def test_a_person_is_forgotten_once_it_is_confirmed_and_a_certificate_says_so(
    here: Journeys, started: Callable[..., str], up: Up
) -> None:
    life = started("--site", "nanterre")
    person = here("show", life, "--json").json["journeys"][0]["person"]
    asked = ("person", "erase", person, "--reason", "person-asked")
    assert here(*asked, "--as", "aline").code == 4
    lea = f"lea{time.monotonic_ns()}"
    assert here("staff", "add", lea, "--name", "Léa", "--role", "supervisor", "--site", "lyon").code == 0
    elsewhere = here(*asked, "--yes", "--as", lea, "--json")
    assert (elsewhere.code, elsewhere.error["code"]) == (4, "journeys-elsewhere")
    assert here("mentor", "add", "Nadia Ici", "--phone", "+33612345678", "--site", "nanterre", "--as", "sam").code == 0
    theirs = here("mentor", "erase", "Nadia Ici", "--reason", "ordered", "--yes", "--as", lea, "--json")
    assert (theirs.code, theirs.error["code"]) == (4, "mentor-elsewhere")
    house = here("retention", "apply", "--only", "sessions", "--yes", "--as", lea, "--json")
    assert (house.code, house.error["code"]) == (4, "some-sites-only")
    assert here("person", "erase", person, "--reason", "tired", "--as", "sam").code == 2
    shown = here(*asked, "--as", "sam")
    assert shown.code == 0 and "Rien n’a changé" in shown.out and "Ce qui reste" in shown.out
    assert here("erasures", "--json").json["erasures"] == []
    before = here("person", "show", person, "--json").json["person"]["last_name"]
    assert before

    assert here(*asked, "--yes", "--as", "sam", "--json").json["ordered"] is True
    began = time.monotonic()
    while (found := here("erasures", person)).code:
        assert time.monotonic() < began + 60, found.out
        time.sleep(0.3)
    assert (
        found.out.startswith("Certificat d’effacement\n")
        and "la personne l’a demandé" in found.out
        and "Sam R." in found.out
    )
    assert before not in found.out and f"person-{person}" in found.out
    paper = up.data_dir / "certificat.pdf"
    told = here("erasures", person, "--pdf", str(paper), "--json").json
    assert told["files"] == [str(paper)] and here("erasures", person, "--pdf", str(paper)).code != 0, "not over another"
    assert here("erasures", "--pdf", str(paper)).code == 2
    printed = flat(text_of(paper.read_bytes()))
    for each in told["certificate"]["goes"] + told["certificate"]["stays"] + told["certificate"]["beyond"]:
        assert plain(each)[1:] in plain(printed) and plain(each) in plain(found.out), each
    assert here("person", "show", person, "--json").json["person"]["last_name"] == ""
    late = here("person", "export", person, "--to", str(up.data_dir / "late"), "--as", "sam", "--json")
    assert (late.code, late.error["code"]) == (4, "erasing")
    assert here("do", life, "opt-out", "--as", "sam", "--json").error["code"] == "erasing"
    verified = here("audit", "verify", life, "--strict", "--json")
    accounts = {each["account"]: each["verdict"] for each in verified.json["journeys"][0]["accounts"]}
    assert (verified.code, accounts) == (0, {
        "journal": "agrees", "view": "agrees", "workflow": "erased", "history": "erased", "replay": "erased",
    })  # fmt: skip
    assert here("audit", "replay", life).code == 3
    assert here("audit", "verify", "--all").code == 0
    assert here("do", life, "add-note", "--text", "encore", "--as", "aline").code == 4
    assert f"person-{person}" in (up.data_dir / "destroyed-keys").read_text().split()


def test_what_has_been_kept_long_enough_is_shown_with_why_and_goes_only_by_who_may(
    here: Journeys, started: Callable[..., str], tmp_path: Path
) -> None:
    life = started()
    person = here("show", life, "--json").json["journeys"][0]["person"]
    rules = {each["rule"]: each for each in here("retention", "show", "--json").json["rules"]}
    assert rules["people"]["kept"] == "24 mois" and not rules["people"]["default"] and rules["tokens"]["default"]
    later = here("retention", "plan", "--as", "sam", "--json", JOURNEYS_CLOCK_OFFSET="P800D").json
    mine = next(each for each in later["people"] if each["person"] == person)
    assert (mine["rule"], mine["goes"], mine["holds"]) == ("people", False, ["journey-open"])
    assert later["applied"] is False and {each["rule"] for each in later["rows"]} >= {"letters", "sessions", "forms"}
    said = here("retention", "plan", "--as", "sam", JOURNEYS_CLOCK_OFFSET="P800D").out
    assert "un parcours est ouvert" in said and "Rien n’a changé." in said
    assert here("retention", "apply", "--yes", "--as", "aline").code == 4
    assert here("retention", "apply", "--only", "people-", "--yes", "--as", "sam").code == 2
    done = here("retention", "apply", "--only", "sessions", "--yes", "--as", "sam", "--json")
    assert done.code == 0 and done.json["applied"] is True and set(done.json["gone"]) == {"sessions"}
    broken = tmp_path / "mine.yaml"
    broken.write_text("retention: mine\n", encoding="utf-8")
    refused = here("retention", "plan", "--as", "sam", "--json", JOURNEYS_RETENTION=str(broken))
    assert refused.code == 2 and refused.error["code"] == "invalid-retention"
    nowhere = here("retention", "plan", "--as", "sam", JOURNEYS_RETENTION=str(tmp_path / "none.yaml"))
    assert nowhere.code == 2 and "il n’existe pas" in nowhere.err and "No such file" not in nowhere.err


def test_a_mentor_is_forgotten_once_it_is_confirmed(here: Journeys, up: Up) -> None:
    mentor = here("mentor", "add", "Lina Canari", "--phone", "+33612345678", "--as", "sam", "--json").json["mentor"][
        "id"
    ]
    asked = ("mentor", "erase", "Lina Canari", "--reason", "person-asked")
    assert here(*asked, "--as", "aline").code == 4
    shown = here(*asked, "--as", "sam")
    assert shown.code == 0 and "Rien n’a changé" in shown.out and "Ce qui part" in shown.out
    assert here(*asked, "--yes", "--as", "sam", "--json").json["ordered"] is True
    assert here(*asked, "--as", "sam").code == 3, "nobody is called so any more"
    began = time.monotonic()
    while (found := here("erasures", f"mentor-{mentor}")).code:
        assert time.monotonic() < began + 60, found.out
        time.sleep(0.3)
    assert found.out.startswith("Certificat d’effacement\n") and "Numéro du mentor" in found.out
    assert f"mentor-{mentor}" in here("erasures").out and "Canari" not in here("mentor", "list").out
    assert f"mentor-{mentor}" in (up.data_dir / "destroyed-keys").read_text().split()

    # As where a copy of before was put back under a stack that runs.
    other = here("mentor", "add", "Nora Canari", "--as", "sam", "--json").json["mentor"]["id"]
    with (up.data_dir / "destroyed-keys").open("a") as listed:
        listed.write(f"mentor-{other}\n")
    assert here("sync", "--all").code == 0
    assert f"mentor-{other}" in here("erasures").out and "Nora" not in here("mentor", "list").out


def test_a_member_of_staff_who_left_is_forgotten_and_the_record_still_holds(
    here: Journeys, started: Callable[..., str], up: Up
) -> None:
    handle = f"yann{time.monotonic_ns()}"
    assert here("staff", "add", handle, "--name", "Yann Canari", "--role", "referent").code == 0
    life = started("--referent", handle)
    asked = ("staff", "erase", handle, "--reason", "person-asked")
    assert here(*asked, "--as", "aline").code == 4
    working = here(*asked, "--yes", "--as", "sam", "--json")
    assert (working.code, working.error["code"]) == (4, "staff-active")
    assert here("do", life, "add-note", "--text", "Vu au foyer.", "--as", handle).code == 0
    left = here("staff", "change", handle, "--left")
    assert left.code == 0 and "1 parcours ouvert(s) sont encore à son nom" in left.out + left.err
    assert "led" in [check["name"] for check in here("doctor", "--json").json["checks"]]
    to = ("do", life, "transfer", "--to", handle, "--as", "aline", "--reason", "il part", "--json")
    assert here(*to).error["code"] == "has-left"
    leading = here(*asked, "--yes", "--as", "sam", "--json")
    assert (leading.code, leading.error["code"]) == (4, "staff-counted-on")
    assert here("do", life, "assign-referent", "--referent", "aline", "--reason", "il part", "--as", "sam").code == 0
    shown = here(*asked, "--as", "sam")
    assert shown.code == 0 and "Rien n’a changé" in shown.out and "Ce qui reste" in shown.out
    ordered = here(*asked, "--yes", "--as", "sam", "--json")
    assert ordered.json["ordered"] is True
    whose = f"staff-{ordered.json['staff']}"
    began = time.monotonic()
    while (found := here("erasures", whose)).code:
        assert time.monotonic() < began + 60, found.out
        time.sleep(0.3)
    assert "Numéro du membre de l’équipe" in found.out and "Canari" not in found.out
    assert whose in here("erasures").out and handle not in here("staff", "list").out
    assert whose in (up.data_dir / "destroyed-keys").read_text().split()
    told = here("audit", "narrate", life)
    assert told.code == 0 and "Canari" not in told.out and "une personne (" in told.out
    assert here("audit", "checkpoint").code == 0
    verified = here("audit", "verify", "--all")
    assert verified.code == 0, verified.out
