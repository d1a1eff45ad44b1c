"""Funds, the statement, the switch and the control from the command line, before a real stack."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from journeys.app.cli.commands import application
from tests.app.conftest import Journeys


def made(here: Journeys, *words: str) -> Any:
    done = here(*words, "--json")
    assert done.code == 0, done.out + done.err
    return done.json


def plain(said: str) -> str:
    return said.replace("\u00a0", " ").replace("\u202f", " ")


def test_a_fund_is_created_changed_and_topped_up_and_tells_its_donor(here: Journeys, tmp_path: Path) -> None:
    code = f"fonds-{os.urandom(3).hex()}"
    create = ("fund", "create", code, "--balance", "1000", "--cap", "300", "--donor", "=Fondation")
    (fund,) = made(here, *create, "--from", "2027-01-01", "--to", "31/12/2027", "--purpose", "rent")["funds"]
    assert (fund["donor"], fund["first_day"], fund["purposes"]) == ("=Fondation", "2027-01-01", ["rent"])
    assert here(*create).code == 5
    assert here("fund", "create", "Fonds !").code == 2
    assert here("fund", "change", code, "--to", "2026-01-01").code == 2
    assert here("fund", "change", code, "--cap", "1", "--no-cap").code == 2
    (fund,) = made(here, "fund", "change", code, "--no-cap", "--always", "--purpose", "food")["funds"]
    assert (fund["cap_per_person"], fund["last_day"], fund["purposes"]) == (None, None, ["food"])
    (fund,) = made(here, "fund", "top-up", code, "250,50", "--donor", "Mairie", "--on", "2026-01-31")["funds"]
    assert fund["available"] == 1_250_50
    shown = made(here, "fund", "show", code)
    assert [(each["donor"], each["at"][:10]) for each in shown["gifts"]][1] == ("Mairie", "2026-01-31")
    assert "250,50" in here("fund", "show", code).out.replace("\u202f", " ")
    csv, pdf = tmp_path / "r.csv", tmp_path / "r.pdf"
    told = made(here, "fund", "statement", code, "--csv", str(csv), "--pdf", str(pdf))
    assert (told["total"]["received"], told["closing"], told["total"]["people"]) == (1_250_50, 1_250_50, 0)
    assert csv.read_bytes().startswith(b"\xef\xbb\xbfMois;Dons;") and b"\nEnsemble;1250,50;0,00;" in csv.read_bytes()
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert here("fund", "statement", code, "--csv", str(csv)).code == 5
    assert here("fund", "statement", code, "--from", "2027-02", "--to", "2027-01").code == 2
    assert here("fund", "show", "nulle-part").code == 3
    bound, other = f"f{os.urandom(3).hex()}", f"fonds-{os.urandom(3).hex()}"
    made(here, "staff", "add", bound, "--name", "Un Nom", "--role", "finance", "--fund", code)
    refused = here("--as", bound, "fund", "create", other)
    assert refused.code == 4 and "tous les fonds" in refused.err and here("fund", "show", other).code == 3


def test_a_fund_is_closed_and_reopened_with_a_reason(here: Journeys) -> None:
    code = f"fonds-{os.urandom(3).hex()}"
    made(here, "fund", "create", code, "--balance", "1000")
    assert here("fund", "close", code, "--why", " ").code == 2
    (fund,) = made(here, "fund", "close", code, "--why", "Don terminé")["funds"]
    assert fund["closed_at"] and made(here, "fund", "show", code)["closed"]["why"] == "Don terminé"
    assert "par le système : Don terminé" in plain(here("fund", "show", code).out)
    for words in (("close", code, "--why", "x"), ("top-up", code, "5"), ("change", code, "--cap", "5")):
        refused = here("fund", *words)
        assert refused.code == 4 and "rouvrez-le d’abord" in refused.err, words
    assert code in here("fund", "list").out.splitlines()[-1] and "clos depuis le" in here("fund", "list").out
    bound = f"f{os.urandom(3).hex()}"
    made(here, "staff", "add", bound, "--name", "Un Nom", "--role", "finance", "--fund", code)
    assert here("--as", bound, "fund", "reopen", code, "--why", "non").code == 4
    (fund,) = made(here, "--as", "fin", "fund", "reopen", code, "--why", "Il reprend")["funds"]
    assert fund["closed_at"] is None and here("fund", "reopen", code, "--why", "x").code == 0
    assert here("fund", "close", "nulle-part", "--why", "x").code == 3


SAYS_THE_STOP = """
list | show ID | next ID | today | approvals | escalations | indicators | documents ID | do ID add-note --text x
summary ID --pdf FILE | receipt ID --pdf FILE | letter ID --pdf FILE | link ID
start -p auxilia --person NAME --referent aline --release 2099-05-12
import FILE -p auxilia --model | sync ID | rebuild ID | doctor
messages ID | bounced FILE | outbox list | outbox show ID
letters list | letters print ID --pdf FILE | letters posted ID
fund create x | fund change x | fund top-up x 5 | fund close x --why x | fund reopen x --why x
fund list | fund show x | fund statement x
payments control | payments list | payments show ID | payments retry ID --why x | payments batches
payments export FILE | payments withdraw ID --why x | payments import FILE | payments exceptions
payments resolve ID --how fee --why x
cohort open x -p auxilia --places 2 | cohort list | cohort show x | cohort join x ID | cohort leave x ID
cohort places x 3 | cohort move-date x release --to 2099-01-01 | cohort close x
person list x | person show x | person change x | person export x --to FILE
person erase x --reason x | mentor erase x --reason x | staff erase x --reason x
partner erase x --reason x | erasures
partner propose ID --purpose x | mentor propose ID
programme change auxilia ID | programme replay auxilia
audit show ID | audit narrate ID | audit replay ID | audit verify ID | audit deadlines ID | audit duties ID
audit diff ID 2026-01-01 2026-02-01 | audit reads | audit late
retention plan | retention apply --yes
"""
"""Whatever shows journeys or touches money, however it ends: `ID` is of nothing known."""
APART = """
up migrate worker web demo login logout payments-stop payments-resume
programme-simulate programme-diff programme-list programme-show programme-validate programme-publish programme-schema
rules-list rules-check staff-add staff-list staff-change staff-password staff-sessions staff-role staff-absence
staff-token-add staff-token-list staff-token-revoke partner-add partner-list partner-change partner-leave
mentor-add mentor-list mentor-change webhook-add webhook-list webhook-events webhook-rotate webhook-redeliver
webhook-resume webhook-end rota-list rota-add rota-drop rota-end audit-archive audit-key audit-checkpoint audit-export
retention-show templates-list templates-show templates-preview templates-edit templates-reset site-list site-describe
"""
"""What shows no journey and touches no money, runs for long, or turns the switch."""


def every_command(group: Any, *path: str) -> Iterator[str]:
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from every_command(found, *path, name)
        elif not found.hidden:
            yield "-".join((*path, name))


def test_every_command_about_journeys_or_money_says_that_payments_are_stopped(here: Journeys, tmp_path: Path) -> None:
    asked = [line.split() for line in SAYS_THE_STOP.replace("\n", "|").split("|") if line.strip()]
    known = set(every_command(typer.main.get_command(application())))
    sorted_in = {next(name for n in (3, 2, 1) if (name := "-".join(words[:n])) in known) for words in asked}
    assert sorted_in | set(APART.split()) == known, "sort the new command in: does it show a journey, or touch money?"
    assert not sorted_in & set(APART.split())
    made(here, "payments", "stop", "--why", "Doute", "--as", "sam")
    account = {"JOURNEYS_ACCOUNT__NAME": "Auxilia", "JOURNEYS_ACCOUNT__IBAN": "FR7630006000011234567890189"}
    silent = list[Any]()
    try:
        for nth, words in enumerate(asked):
            file = tmp_path / f"{nth}.xml"
            if "import" in words:
                file.write_text("x")
            stands = {"FILE": str(file), "ID": "01a2b3c4d5e6", "NAME": "Paul Essai"}
            said = here("--as", "sam", *(stands.get(word, word) for word in words), **account)
            if "Sam R. : Doute" not in said.out + said.err:
                silent.append((" ".join(words), said.err))
    finally:
        made(here, "payments", "resume", "--why", "Rien", "--as", "sam")
    assert silent == []
    assert "Doute" not in here("list").out


def test_payments_are_stopped_said_and_let_go_on_and_the_control_is_in_the_doctor(here: Journeys) -> None:
    assert here("payments", "stop", "--why", "doute", "--as", "aline").code == 4
    assert here("payments", "stop", "--why", " ", "--as", "sam").code == 2
    assert made(here, "payments", "stop", "--why", "Doute", "--as", "sam")["stopped"]["why"] == "Doute"
    try:
        assert made(here, "payments", "stop", "--why", "encore", "--as", "sam")["changed"] is False
        for words in (("today",), ("approvals",), ("payments", "control"), ("fund", "list"), ("doctor",)):
            assert here(*words).out.count("Sam R. : Doute") == 1, words
        told = here("approvals", "--json")
        assert "Sam R. : Doute" in told.err and told.json["stopped"]["why"] == "Doute"
        assert here("fund", "show", "nulle-part", "--json").json["stopped"]["name"] == "Sam R."
    finally:
        assert made(here, "payments", "resume", "--why", "Rien", "--as", "sam")["stopped"] is None
    assert "arrêtés" not in here("today").out
    found = made(here, "payments", "control", "--now")["control"]
    assert found["alarms"] == 0 and "Rien d’anormal" in here("payments", "control").out
    assert "versements contrôlés" in here("doctor").out
