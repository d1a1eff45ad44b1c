"""`journeys payments` before a real stack: out to the bank and back, what is typed wrongly, who may."""

import contextlib
import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from journeys.app.cli.main import run
from journeys.app.reading import today_of
from journeys.channels.sepa.transfers import read
from journeys.local import bank_files as bank
from journeys.local.bank_files import Fate, Plan

from .conftest import TEAM, Journeys, Up, gone_up
from .test_papers import pages

OURS = "FR7630006000011234567890189"
ACCOUNT = {"JOURNEYS_ACCOUNT__NAME": "Association Exemple", "JOURNEYS_ACCOUNT__IBAN": OURS}
PAYEE = "Essai Martin, FR14 2004 1010 0505 0001 3M02 606"
FATES = (Fate.SETTLE, Fate.RETURN, Fate.SHORT, Fate.SILENCE)


@pytest.fixture(scope="module")
def till() -> Iterator[Up]:
    """A stack whose transfers go into a file, with staff and a fund."""
    words = [["fund", "open", "parvis-solidaire", "--balance", "100000"]]
    words += [["staff", "add", handle, "--name", handle.title(), "--role", role] for handle, role in TEAM.items()]
    words += [["staff", "add", "bound", "--name", "B", "--role", "finance", "--fund", "parvis-solidaire"]]
    with gone_up(pages=False, JOURNEYS_BANK="file") as up, pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOURNEYS_DATA_DIR", str(up.data_dir))
        with contextlib.redirect_stdout(io.StringIO()):
            assert [run(each) for each in words] == [0] * len(words)
        yield up


@pytest.fixture
def desk(till: Up, journeys: Journeys, monkeypatch: pytest.MonkeyPatch) -> Journeys:
    """The command line before this stack, where the association's account is known."""
    for name, value in {"JOURNEYS_DATA_DIR": str(till.data_dir), **ACCOUNT}.items():
        monkeypatch.setenv(name, value)
    return journeys


def granted(desk: Journeys, name: str) -> None:
    """A grant of 100 EUR, approved: half of it is paid at once."""
    begun = desk("start", "-p", "auxilia", "--person", name, "--reference", name, "--referent", "aline", "--release",
                 "2099-05-12", "--json")  # fmt: skip
    assert begun.code == 0, begun.out
    asked = ["--grant", "bourse", "--purpose", "training", "--amount", "100", "--payee", PAYEE, "--pay-by", "sepa"]
    for words in (["request-grant", *asked, "--as", "aline"], ["approve-grant", "--as", "sam"]):
        done = desk("do", begun.journey["id"], *words)
        assert done.code == 0, done.out + done.err


def listed(desk: Journeys, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk("payments", "list", *words, "--json").json["payments"]
    return found


def awaited(look: Callable[[], list[Any]], many: int) -> list[Any]:
    until = time.monotonic() + 30
    while len(found := look()) < many and time.monotonic() < until:
        time.sleep(0.2)
    assert len(found) == many
    return found


def test_out_to_the_bank_and_back(desk: Journeys, tmp_path: Path) -> None:
    for nth in range(len(FATES)):
        granted(desk, f"Essai P{nth}")
    made = awaited(lambda: listed(desk, "--state", "instructed"), len(FATES))
    assert desk("payments", "batches", "--json").json["waiting"] == {"number": 4, "total": 200_00}

    file = tmp_path / "virements.xml"
    out = desk("payments", "export", str(file), "--as", "fin", "--json")
    assert out.code == 0, out.out
    content, batch = file.read_bytes(), out.json["batch"]
    assert hashlib.sha256(content).hexdigest() == batch["sha256"] and file.stat().st_mode & 0o077 == 0
    assert [each.amount for each in read(content).transfers] == [50_00] * 4
    taken = desk("payments", "export", str(file), "--as", "fin", "--json")
    assert (taken.code, taken.error["code"]) == (5, "file-exists")
    again = desk("payments", "export", str(file), "--force", "--batch", batch["message"], "--as", "fin", "--json")
    assert again.json["again"] and file.read_bytes() == content and again.json["batch"]["sha256"] == batch["sha256"]

    today, at = today_of(datetime.now(UTC)), datetime.now(UTC)
    settle, back, short, silent = (each["reference"] for each in made)
    plan = Plan(fates=dict(zip((settle, back, short, silent), FATES, strict=True)))
    came = tmp_path / "banque.xml"

    def take(content: bytes, code: int = 0) -> dict[str, Any]:
        came.write_bytes(content)
        said = desk("payments", "import", str(came), "--as", "fin", "--json")
        assert said.code == code, said.out
        answer: dict[str, Any] = said.json
        return answer

    assert take(bank.report(content, plan, at))["told"] == {"taken": 3, "refused": 0, "waiting": 0}
    statement = bank.statement([content], plan, today, opening=1_000_00)
    first = take(statement)
    assert (first["file"]["kind"], first["file"]["fresh"], first["file"]["troubled"]) == ("camt.053", 3, 1)
    assert first["told"] == {"taken": 2, "refused": 0, "waiting": 0}
    known = take(statement)
    assert known["file"]["known"] and known["told"]["taken"] == 0
    assert take(bank.returns([content], plan, today, opening=800_00))["told"]["taken"] == 1
    states = {each["reference"]: each["state"] for each in listed(desk)}
    assert states == {settle: "settled", back: "returned", short: "accepted", silent: "instructed"}

    [line] = desk("payments", "exceptions", "--json").json["exceptions"]
    assert (line["trouble"], line["amount"], line["reference"]) == ("wrong-amount", -49_99, short)
    wrong = desk("payments", "resolve", line["id"], "--how", f"match:{short}", "--why", "presque", "--as", "fin",
                 "--json")  # fmt: skip
    assert (wrong.code, wrong.error["code"]) == (4, "cannot-match-amount")
    resolve = ("payments", "resolve", line["id"], "--how", "not-ours", "--why", "la banque a retenu un centime")
    assert desk(*resolve, "--as", "fin").code == 0
    assert desk(*resolve, "--as", "fin", "--json").error["code"] == "line-not-open"
    assert desk("payments", "exceptions", "--json").json["exceptions"] == []
    assert "retenu un centime" in desk("payments", "exceptions", "--resolved").out

    shown = desk("payments", "show", back)
    assert shown.code == 0 and batch["message"] in shown.out, shown.out
    assert "Sam (responsable) a donné son accord" in shown.out and "L’argent est revenu" in shown.out
    story = desk("payments", "show", settle, "--json").json
    assert story["payment"]["state"] == "settled" and story["batch"]["sha256"] == batch["sha256"]
    assert [each["kind"] for each in story["lines"]] == ["pain.002", "camt.053"]
    late = desk("payments", "withdraw", batch["message"], "--why", "trop tard", "--as", "fin", "--json")
    assert (late.code, late.error["code"]) == (4, "batch-given-out")
    again = desk(
        "payments", "export", str(tmp_path / "again.xml"), "--batch", batch["message"], "--as", "fin", "--json"
    )
    assert (again.code, again.error["code"]) == (4, "batch-closed") and not (tmp_path / "again.xml").exists()
    assert desk("audit", "verify", "--json").code == 0
    assert "Essai P0" in desk("payments", "list", "--lang", "en").out
    assert batch["message"] in desk("payments", "batches").out

    whose = next(each["person"] for each in listed(desk) if each["reference"] == short)
    export = desk("person", "export", whose, "--to", str(tmp_path / "remise"), "--as", "sam", "--json")
    assert export.code == 0, export.out
    rows = json.loads((tmp_path / "remise" / "donnees.json").read_text())["registers"]
    found = {(row["booked_on"] is None, row["cents"]) for row in rows["bank_lines"]}
    assert found == {(True, None), (False, -49_99)} and len(rows["bank_lines"]) == 2
    assert [row["why"] for row in rows["bank_resolutions"]] == ["la banque a retenu un centime"]
    told = pages(tmp_path / "remise" / "registres.pdf")
    assert "réponse de la banque" in " ".join(told.split())
    assert "Essai Martin" in pages(tmp_path / "remise" / "parcours-1.pdf"), "where the money went"


@pytest.mark.parametrize(
    ("words", "code", "name", "field"),
    [
        (["list", "--state", "setled"], 3, "unknown-payment-state", "--state"),
        (["list", "--older-than", "0"], 2, "out-of-range", "--older-than"),
        (["show", "nothing"], 3, "unknown-payment", "VERSEMENT"),
        (["show", "x"], 3, "unknown-payment", "VERSEMENT"),
        (["export", "{here}/nowhere/x.xml", "--as", "fin"], 2, "no-folder", "FICHIER"),
        (["export", "{here}/x.xml", "--day", "2020-01-02", "--as", "fin"], 2, "past", "--day"),
        (["export", "{here}/x.xml", "--day", "demain", "--as", "fin"], 2, "not-a-date", "--day"),
        (["export", "{here}/x.xml", "--batch", "NOSUCH", "--as", "fin"], 3, "unknown-batch", "--batch"),
        (["export", "{here}/x.xml", "--day", "2098-12-31", "--as", "fin"], 3, "nothing-waits", None),
        (["export", "{here}/x.xml", "--as", "sam"], 4, "no-right", "--as"),
        (["export", "{here}/x.xml", "--as", "bound"], 4, "no-right", "--as"),
        (["withdraw", "NOSUCH", "--why", "x", "--as", "fin"], 3, "unknown-payment", "LOT"),
        (["withdraw", "NOSUCH", "--why", " ", "--as", "fin"], 2, "no-reason", "--why"),
        (["withdraw", "NOSUCH", "--why", "x", "--as", "sam"], 4, "no-right", "--as"),
        (["import", "{here}/nothing.xml", "--as", "fin"], 2, "cannot-read", "FICHIER"),
        (["import", "{here}", "--as", "fin"], 2, "cannot-read", "FICHIER"),
        (["import", "{here}/hostile.xml", "--as", "fin"], 2, "file-entity", "FICHIER"),
        (["import", "{here}/half.xml", "--as", "fin"], 2, "file-truncated", "FICHIER"),
        (["import", "{here}/half.xml", "--as", "aline"], 4, "no-right", "--as"),
        (["resolve", "abc/1", "--how", "not-ours", "--why", "x", "--as", "fin"], 3, "unknown-line", "LIGNE"),
        (["resolve", "abc/1", "--how", "match", "--why", "x", "--as", "fin"], 2, "not-a-way", "--how"),
        (["resolve", "abc/1", "--how", "refund:x", "--why", "x", "--as", "fin"], 2, "not-a-way", "--how"),
        (["resolve", "abc/1", "--how", "refund", "--why", "x", "--as", "aline"], 4, "no-right", "--as"),
    ],
)
def test_what_is_typed_wrongly_changes_nothing(
    desk: Journeys, tmp_path: Path, words: list[str], code: int, name: str, field: str | None
) -> None:
    (tmp_path / "hostile.xml").write_text('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
    (tmp_path / "half.xml").write_text(
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr>'
    )
    said = desk("payments", *(word.format(here=tmp_path) for word in words), "--json")
    assert (said.code, said.error["code"], said.error["field"]) == (code, name, field), said.out
    assert said.error["message"] and not (tmp_path / "x.xml").exists()


def test_several_blocked_for_one_reason_are_called_for_again(desk: Journeys) -> None:
    change = ("fund", "change", "parvis-solidaire", "--json")
    assert desk(*change, "--from", "2020-01-01", "--to", "2020-12-31").code == 0
    for nth in range(2):
        granted(desk, f"Essai R{nth}")
    blocked = awaited(lambda: listed(desk, "--state", "blocked"), 2)
    assert {each["reason"] for each in blocked} == {"fund-period"}
    retry = ("payments", "retry", "--as", "fin", "--why", "période corrigée", "--json")
    wrong = desk(*retry)
    assert (wrong.code, wrong.error["code"]) == (2, "nothing-named")
    assert desk(*retry, "--reason", "person-cap").json["payments"] == []
    assert desk(*change, "--always").code == 0
    done = desk(*retry, "--reason", "fund-period")
    assert (done.code, done.json["taken"]) == (0, 2), done.out
    assert [each["replaced"] for each in listed(desk, "--state", "blocked")] == [True, True]
    again = desk(*retry, blocked[0]["id"])
    assert (again.code, again.json["payments"][0]["code"]) == (4, "payment-not-blocked")
    assert desk(*retry, blocked[0]["id"], "--as", "aline").code == 4


def test_without_an_account_nothing_is_made_or_taken(desk: Journeys, tmp_path: Path) -> None:
    for words in (["export", str(tmp_path / "x.xml")], ["import", str(tmp_path)]):
        said = desk("payments", *words, "--as", "fin", "--json", JOURNEYS_ACCOUNT__IBAN="", JOURNEYS_ACCOUNT__NAME="")
        assert (said.code, said.error["code"]) == (2, "no-account")
    wrong = desk("payments", "list", "--json", JOURNEYS_ACCOUNT__IBAN="FR7630006000011234567890188")
    assert (wrong.code, wrong.error["field"]) == (2, "JOURNEYS_ACCOUNT__IBAN")
    assert "FR763" not in wrong.out
