"""Without any server: what is typed wrongly, help, languages, and that nothing ends in a traceback."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer

from journeys.app.cli.commands import application
from journeys.app.cli.desk import Desk
from journeys.app.cli.explaining import explained
from journeys.app.fields import commands
from journeys.clock import now
from journeys.domain.directory import HeadsSnapshot
from journeys.domain.record import Cause
from journeys.identifiers import forwarded_id, instant_of, uuid7

from .conftest import Journeys, Said


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["bogus"], None),
        (["staf"], None),
        (["list", "extra"], None),
        (["list", "--lat"], "--lat"),
        (["list", "--phase"], "--phase"),
        (["list", "--lang", "de"], "--lang"),
        (["list", "--as"], "--as"),
        (["show"], "ID"),
        (["start", "--person", "A B"], "--programme"),
        (["do"], None),
        (["do", "x"], None),
        (["do", "x", "ad-note"], "COMMANDE"),
        (["do", "x", "add-note", "--txt", "a"], "--txt"),
        (["do", "x", "add-note", "--text"], "--text"),
        (["do", "x", "add-note", "--text", "a", "--text", "b"], "--text"),
        (["do", "x", "add-note", "--text", "a", "--text-file", "b"], "--text-file"),
        (["do", "x", "add-note", "--text-file", "/none/such"], "--text-file"),
        (["next", "x", "--limit", "many"], "--limit"),
        (["staff", "add", "x", "--name"], "--name"),
        (["programme", "simulate", "auxilia", "--participants", "0"], "--participants"),
        (["programme", "simulate", "auxilia", "--processes", "99"], "--processes"),
        (["programme", "simulate", "auxilia", "--from", "2026-02-30"], "--from"),
        (["programme", "simulate", "auxilia", "--svg", "/none/such.svg"], "--svg"),
        ([], None),
    ],
)
def test_wrong_usage_is_exit_2_and_names_the_field(nowhere: Journeys, words: list[str], field: str | None) -> None:
    said = nowhere(*words, "--json")
    assert said.code == 2, said
    assert said.error["field"] == field
    assert said.error["message"]


def test_errors_for_people_stand_on_stderr_with_what_to_do(nowhere: Journeys) -> None:
    said = nowhere("do", "x", "ad-note")
    assert said.out == ""
    assert "« ad-note » n’est pas une commande" in said.err and "add-note" in said.err


def test_nothing_runs_is_exit_7_and_says_up(nowhere: Journeys) -> None:
    for words in (["list"], ["show", "x"], ["migrate"], ["sync", "--all"], ["do", "x", "resume", "--as", "y"]):
        said = nowhere(*words)
        assert said.code == 7, words
        assert "journeys up" in said.err


@pytest.mark.parametrize(("variable", "lang"), [("JOURNEYS_LANG", "en"), ("LANG", "en_GB.UTF-8"), ("LC_ALL", "en_US")])
def test_english_by_the_environment(nowhere: Journeys, variable: str, lang: str) -> None:
    assert "nothing runs" in nowhere("list", **{variable: lang}).err
    assert "rien ne tourne" in nowhere("list", LANG="C.UTF-8").err
    assert "rien ne tourne" in nowhere("list", "--lang", "fr", **{variable: lang}).err


def test_help_in_both_languages(journeys: Journeys) -> None:
    assert "Utilisation" in journeys("--help").out
    assert "Usage" in journeys("--lang", "en", "--help").out
    for room in ("staff", "partner", "mentor", "person", "fund", "programme", "audit"):
        said = journeys(room, "--help")
        assert said.code == 0 and "Commandes" in said.out and "Partout" in said.out
    assert "--release" in journeys("start", "--help").out


def test_programmes_can_be_read_without_a_stack(nowhere: Journeys, tmp_path: Path) -> None:
    assert {each["name"] for each in nowhere("programme", "list", "--json").json["programmes"]} >= {
        "auxilia",
        "concienta",
    }
    assert nowhere("programme", "show", "auxilia").code == 0
    assert nowhere("programme", "validate", "auxilia", "--json").json["valid"] is True
    assert nowhere("programme", "schema", "--json").json["$schema"]
    assert nowhere("programme", "validate", "auxila").code == 3
    bad = tmp_path / "bad.yaml"
    bad.write_text("programme: bad\nlabel: x\nmilestones: {a: {label: a, needs: [a]}}\n")
    said = nowhere("programme", "validate", str(bad), "--json")
    assert said.code == 2 and said.json["valid"] is False and {one["line"] for one in said.json["findings"]} >= {3}
    assert str(bad) in nowhere("programme", "validate", str(bad)).out


def test_a_wrong_setting_is_exit_2_and_named(nowhere: Journeys) -> None:
    said = nowhere("list", "--json", JOURNEYS_SMTP__PORT="many")
    assert (said.code, said.error["field"]) == (2, "JOURNEYS_SMTP__PORT")
    assert nowhere("list", DATABASE_URL="mysql://x").code == 2


def test_up_refuses_another_database(nowhere: Journeys) -> None:
    said = nowhere("up", "--json", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert (said.code, said.error["field"]) == (2, "DATABASE_URL")


def test_a_simulated_clock_is_shown_everywhere(nowhere: Journeys) -> None:
    assert "date simulée" in nowhere("programme", "list", JOURNEYS_CLOCK_OFFSET="P180D").out
    assert "date simulée" in nowhere("list", JOURNEYS_CLOCK_OFFSET="P180D").err
    assert nowhere("programme", "list", "--json", JOURNEYS_CLOCK_OFFSET="P180D").json["simulated_date"]


def test_doctor_without_a_stack_fails_with_what_to_do(nowhere: Journeys) -> None:
    said = nowhere("doctor", "--quick")
    assert said.code == 1 and "journeys up" in said.out
    whole = nowhere("doctor", "--json", JOURNEYS_SMPT__HOST="x")
    assert whole.code == 1
    checks = {check["name"]: check for check in whole.json["checks"]}
    assert checks["settings"]["state"] == "warning" and "JOURNEYS_SMTP__HOST" in checks["settings"]["remedy"]
    assert checks["python"]["state"] == "ok" and checks["keys"]["state"] == "warning"


def test_the_unexpected_is_one_line_and_a_private_file(
    nowhere: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(desk: Desk) -> None:
        try:
            HeadsSnapshot.model_validate({"size": "secret"})
        except ValueError as error:
            raise RuntimeError("secret") from error

    monkeypatch.setattr(Desk, "place", broken)
    said = nowhere("list")
    log = tmp_path / "data" / "log" / "cli.log"
    assert said.code == 1 and "secret" not in said.err and str(log) in said.err
    assert "RuntimeError at test_command_line.py:" in log.read_text() and " from ValidationError" in log.read_text()
    assert "secret" not in log.read_text(), "neither the error's own text nor what it quotes"
    assert log.stat().st_mode & 0o077 == 0


def test_ctrl_c_is_130(nowhere: Journeys, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(desk: Desk) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Desk, "place", interrupted)
    assert nowhere("list").code == 130


def test_the_process_leaves_with_its_own_code(process: Callable[..., Said], tmp_path: Path) -> None:
    home = {"JOURNEYS_DATA_DIR": str(tmp_path / "data")}
    assert process("bogus", **home).code == 2
    assert process("list", **home).code == 7
    listed = process("programme", "list", **home)
    assert listed.code == 0 and "auxilia" in listed.out and "\x1b" not in listed.out


def test_help_loads_nothing_that_it_does_not_need() -> None:
    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "journeys.app.cli", "--help"], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in said.stderr.splitlines() if line.startswith("import time:")}
    assert "journeys.app.cli.main" in loaded
    assert not loaded & {"temporalio", "asyncpg", "fastapi", "typst", "ruamel.yaml", "aiosmtplib"}


def test_no_database_answers(nowhere: Journeys) -> None:
    said = nowhere("list", "--json", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert (said.code, said.error["code"]) == (7, "database")
    said = nowhere("list", "--json", DATABASE_URL="postgresql:///none?host=/no/such/folder")
    assert (said.code, said.error["code"]) == (7, "database")


def test_ids() -> None:
    at = now()
    made = uuid7(at)
    known = instant_of(made)
    assert known is not None and abs((known - at).total_seconds()) < 0.002
    assert len({uuid7(at) for _ in range(100)}) == 100
    target = f"journey-{made}"
    one = forwarded_id(target, Cause("person-x", 3))
    assert one == forwarded_id(target, Cause("person-x", 3)) != forwarded_id(target, Cause("person-x", 4))
    assert instant_of(one) is None
    assert instant_of("ffffffff-ffff-7fff-bfff-ffffffffffff") is None


@pytest.mark.parametrize(
    "lost",
    [
        asyncpg.InternalClientError("got result for unknown protocol state 3"), asyncpg.ConnectionDoesNotExistError(),
        asyncpg.InterfaceError("connection is closed"), asyncpg.CannotConnectNowError(), ConnectionResetError(),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_connection_lost_in_whatever_way_is_a_database_that_does_not_answer(lost: Exception) -> None:
    told = explained(lost)
    assert (told.exit, told.code) == (7, "database")


def paths(command: Any, *so_far: str) -> Iterator[tuple[str, ...]]:
    """Every command and group of the command line."""
    yield so_far
    for name, each in getattr(command, "commands", {}).items():
        yield from paths(each, *so_far, name)


FRENCH = re.compile(
    r"[éèêàçùœ«]|\b(le|la|les|des|du|une|un parcours|pour|avec|sans|qui|que|dans|sur|est|sont|aucun|ou|et|par|à)\b"
)
ENGLISH = re.compile(r"[“”]|\b(the|of|and|with|without|who|which|from|this|that|is|are|whose|every|its|it|an)\b")


@pytest.mark.parametrize(
    "words",
    [*paths(typer.main.get_command(application())), *(("do", "ID", name) for name in sorted(commands()))],
    ids=" ".join,
)
def test_each_help_speaks_one_language(journeys: Journeys, words: tuple[str, ...]) -> None:
    for lang, other in (("fr", ENGLISH), ("en", FRENCH)):
        said = journeys(*words, "--help", "--lang", lang)
        assert said.code == 0 and said.out
        foreign = [line for line in said.out.splitlines() if other.search(re.sub(r"--[a-z-]+", "", line))]
        assert foreign == [], lang


def test_a_programme_is_tried_without_any_server(nowhere: Journeys, tmp_path: Path) -> None:
    picture = tmp_path / "work.svg"
    words = ["programme", "simulate", "auxilia", "--participants", "3", "--from", "2026-01-05", "--processes", "1"]
    found = nowhere(*words, "--json", "--svg", str(picture))
    assert found.code == 0 and found.json["simulation"]["lives"] == 3, found
    assert picture.read_text().startswith("<svg") and "Référent" in picture.read_text()
    again = nowhere(*words, "--json")
    assert again.json["simulation"] == found.json["simulation"]
    refused = nowhere(*words, "--json", "--svg", str(picture))
    assert refused.code == 5 and refused.error["code"] == "file-exists"


@pytest.mark.parametrize(
    ("file", "code", "exit"), [("label: x\nlead: soon\n", "invalid-behaviour", 2), (None, "unknown-behaviour", 3)]
)
def test_a_behaviour_that_cannot_serve_is_named_with_its_line(
    nowhere: Journeys, tmp_path: Path, file: str | None, code: str, exit: int
) -> None:
    path = tmp_path / "people.yaml"
    if file is not None:
        path.write_text(file)
    said = nowhere("programme", "simulate", "auxilia", "--behaviour", str(path), "--json")
    assert (said.code, said.error["code"]) == (exit, code)
    assert file is None or ":2: lead" in said.error["message"]


def test_rules_are_listed_and_checked_without_any_server(nowhere: Journeys) -> None:
    listed = nowhere("rules", "list", "--json").json["rules"]
    by_name = {each["name"]: each for each in listed}
    assert by_name["spip-summons"]["url"].startswith("https://") and by_name["spip-summons"]["to_confirm"] is True
    assert "spip-suivi" in by_name["spip-summons"]["named_by"]
    said = nowhere("rules", "list", "--lang", "en").out
    assert "summons by the probation service" in said and "to be confirmed" in said
    checked = nowhere("rules", "check", "--json")
    assert checked.code == 1
    unconfirmed = {each["name"] for each in checked.json["rules"] if "unconfirmed" in each["concerns"]}
    assert unconfirmed == {each["name"] for each in listed if each["to_confirm"]}
    later = nowhere("rules", "check", "--json", "--months", "12", JOURNEYS_CLOCK_OFFSET="P700D").json["rules"]
    assert {each["name"] for each in later if "old" in each["concerns"]} == set(by_name)
    assert nowhere("rules", "check", "--months", "0").code == 2
