"""What a person may type wrongly before a real stack: what, where, what to do, the exit code, nothing changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Journeys


@pytest.fixture
def unchanged(here: Journeys) -> Callable[[], tuple[int, int]]:
    """How much there is: journeys and people."""

    def count() -> tuple[int, int]:
        return len(here("list", "--all", "--json").json["journeys"]), len(
            here("person", "list", "Essai", "--json").json["people"]
        )

    return count


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (["-p", "auxila", "--release", "2099-05-12"], 3, "unknown-programme"),
        (["-p", "/none/such.yaml", "--release", "2099-05-12"], 3, "unknown-programme"),
        (["-p", "auxilia", "--release", "2099-02-30"], 2, "no-such-date"),
        (["-p", "auxilia", "--release", "2001-05-12"], 4, "date-passed"),
        (["-p", "auxilia"], 4, "date-missing"),
        (["-p", "auxilia", "--release", "2099-05-12", "--date", "jury=2099-01-01"], 3, "unknown-date"),
        (["-p", "auxilia", "--release", "2099-05-12", "--date", "jury"], 2, "not-a-named-date"),
        (["-p", "auxilia", "--release", "2099-05-12", "--start", "2098-01-01"], 4, "in-the-future"),
        (["-p", "auxilia", "--release", "2099-05-12", "--born", "2099-01-01"], 2, "not-a-birth-date"),
        (["-p", "auxilia", "--release", "2099-05-12", "--email", "nobody"], 2, "not-an-address"),
        (["-p", "auxilia", "--release", "2099-05-12", "--phone", "0\x1b[2J"], 2, "control-character"),
        (["-p", "auxilia", "--release", "2099-05-12", "--referent", "alin"], 3, "unknown-staff"),
        (["-p", "auxilia", "--release", "2099-05-12", "--as", "fin"], 4, "no-right"),
        (["-p", "exemple-trois-lignes", "--release", "2099-05-12"], 3, "unknown-date"),
    ],
)
def test_a_start_that_cannot_be(
    here: Journeys, unchanged: Callable[[], tuple[int, int]], words: list[str], code: int, name: str
) -> None:
    before = unchanged()
    referent = [] if "--referent" in words else ["--referent", "aline"]
    said = here("start", "--person", "Essai Personne", *words, *referent, "--json")
    assert (said.code, said.error["code"]) == (code, name), said.out
    assert said.error["message"]
    assert unchanged() == before


def test_the_nearest_programme_is_named(here: Journeys) -> None:
    assert "« auxilia »" in here("start", "-p", "auxila", "--person", "A B", "--referent", "aline").err


def test_a_file_that_cannot_be_read_is_said_in_the_persons_words(here: Journeys, life: str, tmp_path: Path) -> None:
    for file, words in ((tmp_path / "absent.txt", "il n’existe pas"), (tmp_path, "c’est un dossier")):
        said = here("do", life, "add-note", "--text-file", str(file), "--as", "aline")
        assert (said.code, words in said.err) == (2, True), said.err
        assert "No such" not in said.err


def test_the_same_person_twice(here: Journeys) -> None:
    token = os.urandom(3).hex()
    words = ["start", "-p", "auxilia", "--release", "2099-05-12", "--referent", "aline", "--json"]
    first = here(*words, "--person", f"Éloïse Du{token}", "--born", "1999-04-02", "--reference", token)
    assert first.code == 0
    for more in (
        ["--person", f"ELOISE du{token}", "--born", "02/04/1999"],
        ["--person", "Tout Autre", "--reference", token],
    ):
        said = here(*words, *more)
        assert (said.code, said.error["code"], said.error["journey"]) == (5, "duplicate", first.journey["id"])
    assert here(*words, "--person", f"Éloïse Du{token}", "--born", "1999-04-03").code == 0
    # Once closed, the person may begin again.
    assert here("do", first.journey["id"], "close", "--outcome", "withdrawn", "--as", "aline").code == 0
    again = here(*words, "--person", f"Éloïse Du{token}", "--born", "1999-04-02", "--reference", token)
    assert again.code == 0 and again.json["person"] == first.json["person"]


GOOD = "FR7630006000011234567890189"
GRANT = ["request-grant", "--grant", "bourse", "--purpose", "training", "--iban", GOOD, "--payee", "École"]
PAID = ["request-grant", "--grant", "bourse", "--purpose", "training", "--amount", "5", "--payee"]


@pytest.mark.parametrize(
    ("words", "code", "name", "field"),
    [
        ([*GRANT, "--amount", "-5"], 2, "not-an-amount", "--amount"),
        ([*GRANT, "--amount", "1,234"], 2, "not-an-amount", "--amount"),
        ([*GRANT, "--amount", "1e9"], 2, "not-an-amount", "--amount"),
        ([*GRANT, "--amount", "999999999"], 2, "bad-value", "--amount"),
        ([*GRANT[:-2], "--amount", "5"], 2, "missing", "--payee"),
        (
            ["request-grant", "--grant", "burse", "--purpose", "training", "--payee", "x", "--amount", "5"],
            3,
            "unknown-grant",
            "--grant",
        ),
        (["add-note", "--text", "a\x07b"], 2, "control-character", "--text"),
        (["add-note", "--text", "a\udc80b"], 2, "control-character", "--text"),
        (["add-note", "--text", "x" * 20_001], 2, "text-too-long", "--text"),
        (["add-note"], 2, "missing", "--text"),
        (["add-note", "--text", " \n "], 2, "missing", "--text"),
        ([*GRANT[:-1], "", "--amount", "5"], 2, "missing", "--payee"),
        ([*PAID, "École"], 2, "no-iban", "--iban"),
        ([*PAID, "École", "--iban", "FR7630006000011234567890188"], 2, "iban-key", "--iban"),
        ([*PAID, "École", "--iban", "FR763000600001123456789018"], 2, "iban-length", "--iban"),
        ([*PAID, "École", "--iban", "ZZ7630006000011234567890189"], 2, "iban-country", "--iban"),
        ([*PAID, "École", "--iban", "BR1800360305000010009795493C1"], 2, "iban-outside-sepa", "--iban"),
        ([*PAID, "École", "--iban", "demain"], 2, "iban-shape", "--iban"),
        ([*PAID, "École, FR7630006000011234567890188"], 2, "iban-key", "--iban"),
        ([*PAID, "École, FR7630004000031234567890143", "--iban", GOOD], 2, "two-accounts", "--payee"),
        ([*PAID, GOOD], 2, "no-payee-name", "--payee"),
        (["add-note", "--text", "x", "--on", "1900-01-01"], 2, "bad-value", "--on"),
        (["reach-milestone", "--milestone", "exit-plam"], 3, "unknown-milestone", "--milestone"),
        (["confirm-date", "--date", "relase"], 3, "unknown-date", "--date"),
        (["move-date", "--date", "release", "--on", "2099-02-30"], 2, "no-such-date", "--on"),
        (["suspend", "--why", "holiday"], 2, "not-a-choice", "--why"),
        (["close", "--outcome", "compleeted"], 3, "unknown-outcome", "--outcome"),
        (["book-appointment", "--at", "2099-05-12"], 2, "not-an-instant", "--at"),
        (["book-appointment", "--at", "2099-05-12 10:00", "--minutes", "2"], 2, "bad-value", "--minutes"),
        (["book-appointment", "--at", "2099-05-12 10:00", "--minutes", "x"], 2, "not-a-number", "--minutes"),
        (
            ["book-appointment", "--at", "2099-05-12 10:00", "--or-at", "2099-05-13 9h, demain"],
            2,
            "not-an-instant",
            "--or-at",
        ),
        (
            ["book-appointment", "--at", "2099-05-12 10:00", "--or-at", ",".join(["2099-05-13 9h"] * 5)],
            2,
            "bad-value",
            "--or-at",
        ),
        (["log-contact", "--contact", "support", "--means", "Téléphone !"], 2, "bad-value", "--means"),
        (["propose-mentor", "--mentor", "nobody at all"], 3, "unknown-mentor", "--mentor"),
        (["resolve-escalation", "--reason", "x"], 3, "nothing-open", "--escalation"),
        (["approve-grant"], 3, "nothing-open", "--grant"),
        (["add-note", "--text", "x", "--command-id", "12"], 2, "not-a-command-id", "--command-id"),
        (["add-note", "--text", "x", "--on", "2099-31-31"], 2, "no-such-date", "--on"),
    ],
)
def test_a_command_that_is_malformed_changes_nothing(
    here: Journeys, life: str, words: list[str], code: int, name: str, field: str
) -> None:
    before = here("show", life, "--json").journey["seq"]
    said = here("do", life, *words, "--as", "aline", "--json")
    assert (said.code, said.error["code"], said.error["field"]) == (code, name, field), said.out
    assert here("show", life, "--json").journey["seq"] == before


@pytest.fixture(scope="session")
def lives() -> list[str]:
    return []


@pytest.fixture
def life(started: Callable[..., str], lives: list[str]) -> str:
    """One journey for all that changes nothing."""
    if not lives:
        lives.append(started())
    return lives[0]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ([*GRANT, "--amount", "6000"], "over-cap"),
        ([*GRANT, "--amount", "0"], "no-amount"),
        (["resume"], "not-suspended"),
        (["add-note", "--text", "x", "--on", "2099-01-01"], "in-the-future"),
    ],
)
def test_what_a_rule_refuses_is_exit_4_and_kept(here: Journeys, life: str, words: list[str], name: str) -> None:
    before = here("show", life, "--json").journey["seq"]
    said = here("do", life, *words, "--as", "aline", "--json")
    assert (said.code, said.error["code"]) == (4, name)
    assert here("show", life, "--json").journey["seq"] == before + 1


def test_a_right_that_is_not_held(here: Journeys, life: str) -> None:
    for who in ("bob", "fin"):
        said = here("do", life, "add-note", "--text", "x", "--as", who, "--json")
        assert (said.code, said.error["code"]) == (4, "no-right")
    assert here("do", life, "add-note", "--text", "x").code == 2
    assert here("do", life, "add-note", "--text", "x", "--as", "ghost").code == 3


def test_commands_on_a_closed_journey(here: Journeys, started: Callable[..., str]) -> None:
    id = started()
    assert here("do", id, "close", "--outcome", "withdrawn", "--as", "aline").code == 0
    said = here("do", id, "add-note", "--text", "x", "--as", "aline", "--json")
    assert (said.code, said.error["code"]) == (4, "closed")
    assert here("do", id, "reopen", "--reason", "de retour", "--as", "sam").code == 0
    assert here("do", id, "add-note", "--text", "x", "--as", "aline").code == 0
    assert here("audit", "verify", id, "--strict").code == 0


def test_a_note_of_two_megabytes(here: Journeys, life: str, tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("é" * 2_000_000)
    said = here("do", life, "add-note", "--text-file", str(file), "--as", "aline", "--json")
    assert (said.code, said.error["code"], said.error["field"]) == (2, "text-too-long", "--text")
    file.write_bytes(b"\xff\xfe\x00")
    assert here("do", life, "add-note", "--text-file", str(file), "--as", "aline").code == 2
    file.write_text("x" * 20_000)
    assert here("do", life, "add-note", "--text-file", str(file), "--as", "aline").code == 0
    piped = here("do", life, "add-note", "--text-file", "-", "--as", "aline", stdin="par un tube")
    assert piped.code == 0 and "par un tube" in here("audit", "narrate", life).out


@pytest.mark.parametrize(
    "id", ["ZZZ-none", "journey-", "0000", "01234567-89ab-7cde-8f01-23456789abcd", "%", "\x1b[31m"]
)
def test_a_journey_that_is_not_there(here: Journeys, id: str) -> None:
    for words in (
        ["show", id],
        ["next", id],
        ["do", id, "resume", "--as", "aline"],
        ["audit", "verify", id],
        ["sync", id],
    ):
        said = here(*words)
        assert said.code == 3, words
        assert "\x1b" not in said.err


def test_an_id_that_is_not_utf_8(here: Journeys) -> None:
    said = here("show", "a\udcffb", "--json")
    assert (said.code, said.error["code"]) == (2, "not-utf-8")


def test_several_that_fit(here: Journeys, started: Callable[..., str]) -> None:
    token = os.urandom(3).hex()
    for nth in ("Un", "Deux"):
        started(name=f"Commun{token} {nth}")
    said = here("show", f"commun{token}", "--json")
    assert (said.code, said.error["code"]) == (3, "several")
    assert here("show", f"commun{token} deux", "--json").code == 0
    # A whole name is meant before longer ones that contain it.
    whole = started(name=f"Un Com{token}")
    started(name=f"Quelqu'Un Com{token}ine")
    assert here("show", f"un com{token}", "--json").journey["id"] == whole
