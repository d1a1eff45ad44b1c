"""Funds, the statement, the switch and the control from the command line, before a real stack."""

import os
from pathlib import Path
from typing import Any

from tests.app.conftest import Journeys


def made(here: Journeys, *words: str) -> Any:
    done = here(*words, "--json")
    assert done.code == 0, done.out + done.err
    return done.json


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


def test_payments_are_stopped_said_and_let_go_on_and_the_control_is_in_the_doctor(here: Journeys) -> None:
    assert here("payments", "stop", "--why", "doute", "--as", "aline").code == 4
    assert here("payments", "stop", "--why", " ", "--as", "sam").code == 2
    assert made(here, "payments", "stop", "--why", "Doute", "--as", "sam")["stopped"]["why"] == "Doute"
    try:
        assert made(here, "payments", "stop", "--why", "encore", "--as", "sam")["changed"] is False
        for words in (("today",), ("approvals",), ("payments", "control")):
            assert "Sam R. : Doute" in here(*words).out, words
        assert "Sam R. : Doute" in here("approvals", "--json").err
        assert "Sam R. : Doute" in here("doctor").out
    finally:
        assert made(here, "payments", "resume", "--why", "Rien", "--as", "sam")["stopped"] is None
    assert "arrêtés" not in here("today").out
    found = made(here, "payments", "control", "--now")["control"]
    assert found["alarms"] == 0 and "Rien d’anormal" in here("payments", "control").out.replace("’", "'")
    assert "versements contrôlés" in here("doctor").out
