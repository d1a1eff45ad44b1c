"""`journeys messages`, `bounced`: where each message stands, from the command line; and what `doctor` says of texts."""

from collections.abc import Callable
from pathlib import Path

from tests.app.conftest import Journeys
from tests.channels.test_dsn import report


def test_the_messages_of_a_journey_are_told(here: Journeys, started: Callable[..., str]) -> None:
    id = started()
    said = here("messages", id)
    assert said.code == 0 and "message" in said.out
    told = here("messages", id, "--json").json
    assert told["journey"] == id or told["journey"].startswith(id)
    assert {each["state"] for each in told["messages"]} <= {"planned", "waiting", "leaving", "sent", "suppressed"}
    assert here("messages", "personne de ce nom", "--json").code == 3


def test_a_report_is_noted_once_and_what_is_none_is_named(here: Journeys, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.eml", tmp_path / "bad.eml"
    good.write_bytes(report())
    bad.write_text("Je suis absent jusqu'à lundi.")
    first = here("bounced", str(good), str(bad), str(tmp_path / "none.eml"), "--json")
    assert (first.code, first.json["noted"]) == (2, 1)
    assert first.json["not_reports"] == [str(bad), str(tmp_path / "none.eml")]
    again = here("bounced", str(good), "--json")
    assert (again.code, again.json["noted"]) == (0, 0)
    found = {(each["name"], each["state"]) for each in here("doctor", "--json").json["checks"]}
    assert ("messages", "warning") in found, "a report on a letter that is not of ours"


def test_a_vendor_that_was_never_run_is_told_by_the_doctor(here: Journeys) -> None:
    known = {"JOURNEYS_SMS__VENDOR": "brevo", "JOURNEYS_SMS__TOKEN": "x", "JOURNEYS_SMS__SENDER": "Asso"}
    checks = {each["name"]: each for each in here("doctor", "--json", **known).json["checks"]}
    assert checks["sms"]["state"] == "warning" and "never run" in checks["sms"]["found"]
    for wrong in ({"JOURNEYS_SMS__VENDOR": "brevo", "JOURNEYS_SMS__TOKEN": "x"}, {"JOURNEYS_SMS__TOKEN": "x"}):
        said = here("doctor", **wrong)
        assert said.code == 1 and "JOURNEYS_SMS__TOKEN" in said.out


def test_what_was_late_is_told(here: Journeys, started: Callable[..., str]) -> None:
    started()
    said = here("audit", "late", "--hours", "48")
    assert said.code == 0 and "retard" in said.out
    told = here("audit", "late", "--json").json
    assert (told["hours"], told["not_sent"]) == (24, 0)
    assert here("audit", "late", "--hours", "0").code == 2
