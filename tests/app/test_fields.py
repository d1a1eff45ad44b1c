"""The command line offers every command of the handbook with all its fields, each explained."""

from zoneinfo import ZoneInfo

import pytest

from journeys.app.fields import ABOUT, commands, fields_of, read_field
from journeys.app.web.api.bodies import model_of
from journeys.domain.commands import BODIES, INTERNAL, Command
from journeys.domain.rights import TABLE

from .conftest import Journeys


def test_every_command_but_the_system_s_own() -> None:
    assert set(commands()) == set(BODIES) - INTERNAL - {"plan"}
    assert set(commands()) <= set(TABLE)


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_field_is_there_and_explained(name: str) -> None:
    fields = fields_of(name)
    typed = set(BODIES[name].model_fields) - {"name", "calendar", "site_zone"}
    assert {field.name for field in fields} == typed | BODIES[name].PARTS | (
        {"iban"} if "payee" in BODIES[name].PARTS else set()
    )
    assert {field.name for field in fields} <= ABOUT.keys()


def test_kinds_follow_from_the_models() -> None:
    kinds = {(name, field.name): field.kind for name in commands() for field in fields_of(name)}
    assert kinds["request-grant", "amount"] == "amount"
    assert kinds["request-grant", "grant"] == "code"
    assert kinds["approve-grant", "grant"] == "grant"
    assert kinds["transfer", "to"] == "staff"
    assert kinds["correct", "to"] == "code"
    assert kinds["book-appointment", "at"] == "instant"
    assert kinds["book-appointment", "or_at"] == kinds["move-appointment", "or_at"] == "instants"
    assert kinds["answer-appointment", "wish"] == "instant"
    assert kinds["book-appointment", "summons"] == "flag"
    assert kinds["suspend", "why"] == "choice"
    assert kinds["move-date", "on"] == "day"
    assert kinds["change-programme", "programme"] == "programme" and kinds["change-programme", "dates"] == "days"


def test_a_pause_of_messages_asks_why_and_one_on_record_without_a_reason_is_still_read() -> None:
    assert {field.name for field in fields_of("pause-messages") if field.required} == {"until", "reason"}
    assert model_of("pause-messages").model_fields["reason"].is_required()
    journey, day = "01890a5d-ac96-774b-bcce-b302099a8057", "2027-03-02T09:00:00Z"
    stored = {"id": journey, "stream": f"person-{journey}", "body": {"name": "pause-messages", "until": "2027-03-05"},
              "actor": "aline", "roles": ["referent"], "occurred_at": day, "signed_at": day}  # fmt: skip
    assert Command.model_validate(stored).commitments == {}


def test_help_of_all_and_of_one(journeys: Journeys) -> None:
    everything = journeys("do", "--help")
    assert everything.code == 0
    for name in commands():
        assert f"  {name} : " in everything.out
    one = journeys("do", "ID", "approve-grant", "--help")
    assert "--digest EMPREINTE" in one.out and "responsable" in one.out
    english = journeys("do", "ID", "approve-grant", "--help", "--lang", "en")
    assert "--digest DIGEST" in english.out and "supervisor" in english.out


def test_hours_of_an_appointment_are_read_where_the_journey_is_and_no_others() -> None:
    there = ZoneInfo("Indian/Reunion")
    found = {
        name: read_field(
            next(each for each in fields_of(command) if each.name == name), "2027-05-12 10:00", name, there
        )
        for command, name in (
            ("book-appointment", "at"),
            ("answer-appointment", "wish"),
            ("change-programme", "watch_from"),
        )
    }
    assert [f"{at:%H:%M}" for at in found.values()] == ["06:00", "06:00", "08:00"]
