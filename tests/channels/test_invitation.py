"""Appointments for calendars: when and where, read back by the library that reads them."""

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Literal

import pytest
from icalendar import Calendar

from journeys.channels.invitation import Meeting, calendar
from journeys.channels.letter import Letter, compose

AT = datetime(2027, 5, 12, 7, 30, tzinfo=UTC)
MEETING = Meeting("0190b5a0-0000-7000-8000-00000000000a", AT, 45, "12 rue des Lilas; 2e étage, à gauche\nX:EVIL", 2)


def test_it_says_when_and_where_and_how_often_it_was_moved() -> None:
    raw = calendar([MEETING], association="L’association", lang="fr", stamp=AT)
    assert b"\r\nX:EVIL" not in raw
    (event,) = Calendar.from_ical(raw).walk("VEVENT")
    assert (event["UID"], int(event["SEQUENCE"])) == ("0190b5a0-0000-7000-8000-00000000000a@release-journeys", 2)
    assert event["DTSTART"].dt == AT and (event["DTEND"].dt - AT).total_seconds() == 45 * 60
    assert (str(event["SUMMARY"]), str(event["LOCATION"])) == ("Rendez-vous, L’association", MEETING.place)


@pytest.mark.parametrize(("method", "status"), [("PUBLISH", "CONFIRMED"), ("CANCEL", "CANCELLED")])
def test_one_that_is_off_is_taken_away(method: str, status: str) -> None:
    read = Calendar.from_ical(calendar([MEETING], association="", lang="en", stamp=AT, method=method))  # type: ignore[arg-type]
    assert read["METHOD"] == method and read.walk("VEVENT")[0]["STATUS"] == status


@pytest.mark.parametrize("method", ["PUBLISH", "CANCEL"])
def test_a_letter_carries_it_beside_its_words(method: Literal["PUBLISH", "CANCEL"]) -> None:
    made = calendar([MEETING], association="", lang="fr", stamp=AT, method=method)
    raw = compose(
        Letter(id="x", to="eloise@example.org", subject="Rendez-vous", body="Le 12 mai\n", lang="fr", at=AT,
               invitation=made), "suivi@association.example",
    )  # fmt: skip
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body, (attached,) = message.get_body(), list(message.iter_attachments())
    assert body is not None and body.get_content().strip() == "Le 12 mai"
    assert (attached.get_content_type(), attached.get_filename()) == ("text/calendar", "rendez-vous.ics")
    assert (attached.get_param("method"), attached.get_content_charset()) == (method, "utf-8")
    assert attached.get_payload(decode=True) == made
