"""Contacts: a fixed grid of windows, one contact made in each."""

from datetime import datetime
from pathlib import Path

import pytest

from journeys.domain import commands as c
from journeys.domain.plan import grid
from tests.domain.given import MENTOR, PARIS, Life, book_of, by, given, paris, plan, released, said, told


def windows(life: Life, contact: str = "support") -> list[str]:
    found = grid(life.state, life.book, contact)
    return [f"{w.number}: {_local(w.opens)} to {_local(w.closes)}" for w in found]


def _local(instant: datetime) -> str:
    return instant.astimezone(PARIS).strftime("%m-%d %H:%M")


def test_the_grid_lightens_and_a_stub_joins_the_window_before() -> None:
    """Three days are left of the first month, five of the third: both are under half an interval."""
    assert windows(released()) == [
        "1: 03-01 09:00 to 03-07 18:00", "2: 03-08 09:00 to 03-14 18:00", "3: 03-15 09:00 to 03-21 18:00",
        "4: 03-22 09:00 to 03-31 18:00", "5: 04-01 09:00 to 04-14 18:00", "6: 04-15 09:00 to 04-28 18:00",
        "7: 04-29 09:00 to 05-12 18:00", "8: 05-13 09:00 to 05-31 18:00", "9: 06-01 09:00 to 06-30 18:00",
        "10: 07-01 09:00 to 07-31 18:00", "11: 08-01 09:00 to 08-31 18:00",
    ]  # fmt: skip


def test_a_stub_of_half_an_interval_or_more_is_a_window() -> None:
    """From 31 March a month ends on 30 April: thirty days, two are left."""
    assert windows(released("2027-04-02", "2027-03-01 10:00"))[3:5] == [
        "4: 04-23 09:00 to 05-01 18:00", "5: 05-02 09:00 to 05-15 18:00",
    ]  # fmt: skip
    assert windows(released("2027-05-03", "2027-04-01 10:00"))[3:5] == [
        "4: 05-24 09:00 to 06-02 18:00", "5: 06-03 09:00 to 06-16 18:00",
    ]  # fmt: skip


def test_a_window_opens_is_met_and_the_next_one_keeps_to_the_grid() -> None:
    life = released()
    assert life.all("ContactDue") == life.all(
        "ContactDue", window=1, opens="2027-03-01 09:00", closes="2027-03-07 18:00"
    )
    life.when("2027-03-06 17:00", c.LogContact(contact="support", means="phone")).then(said("ContactMade", window=1))
    life.when("2027-03-07 12:00", c.LogContact(contact="support", means="phone")).then("ContactLogged")
    life.when("2027-03-08 09:00").then(said("ContactDue", window=2), also=True)


HOUSE = Path(__file__).with_name("house.yaml").read_text()
SPREADS = HOUSE.replace("clock: {", "clock: {spread: 30 minutes, ", 1)


@pytest.mark.parametrize(("text", "at"), [(HOUSE, "2027-03-08 07:30"), (SPREADS, "2027-03-08 09:00")])
def test_a_contact_on_the_opening_day_before_the_window_opens_is_that_windows(text: str, at: str) -> None:
    life = given(
        ("2027-01-11 10:00", plan()), ("2027-03-01 10:00", c.ConfirmDate(date="release")),
        ("2027-03-03 10:00", c.LogContact(contact="support", means="phone")), book=book_of(text),
    )  # fmt: skip
    life.when(at, c.LogContact(contact="support", means="phone")).then(
        said("ContactDue", window=2, opens="2027-03-08 09:00"), said("ContactMade", window=2)
    )
    life.when("2027-03-14 22:00")
    assert not life.all("ContactMissed") and len(life.all("ContactDue")) == 2
    life.when("2027-03-15 10:00")
    assert life.last("ContactDue").window == 3


def test_an_appointment_kept_before_its_window_opens_makes_that_windows_contact() -> None:
    life = released().when("2027-03-03 10:00", c.LogContact(contact="support", means="phone"))
    life.when("2027-03-04 10:00", c.BookAppointment(at=paris("2027-03-08 08:00"), contact="support"))
    kept = c.CloseAppointment(appointment=life.appointment, outcome="attended")
    life.when("2027-03-08 08:45", kept).then(
        "AppointmentAttended", said("ContactDue", window=2), said("ContactMade", window=2)
    )


def test_no_window_is_opened_before_its_day_nor_while_the_journey_is_suspended() -> None:
    log = c.LogContact(contact="support", means="phone")
    life = released().when("2027-03-03 10:00", log)
    life.when("2027-03-07 23:57", told(log, "2027-03-08 00:01")).then("ContactLogged")
    life.when("2027-03-08 07:30", c.Suspend(why="hospital")).when("2027-03-08 07:40", log).then("ContactLogged")


def test_a_window_without_contact_is_missed_at_its_closing_hour_and_the_next_miss_joins() -> None:
    """On a Sunday: the alert is raised at once, and told on Monday."""
    life = released().when("2027-03-07 18:00")
    life.then(
        said("ContactMissed", window=1, spans=1), said("EscalationRaised", about={"kind": "contact", "id": "support"}),
        said("EscalationDeferred", until="2027-03-08 08:00"),
    )  # fmt: skip
    life.when("2027-03-14 18:00").then(said("ContactMissed", window=2, spans=1), also=True).never("EscalationRaised")
    life.when("2027-03-16", c.LogContact(contact="support", means="meeting")).then(
        said("ContactMade", window=3), said("EscalationResolved", how="contact-made")
    )


def test_after_an_outage_one_miss_stands_for_the_whole_span() -> None:
    life = released().when("2027-03-02 10:00").after_outage("2027-04-20 10:00")
    assert life.all("ContactMissed") == life.all("ContactMissed", window=1, spans=5)
    assert life.all("ContactDue", window=6)
    assert len(life.all("EscalationRaised", about={"kind": "contact", "id": "support"})) == 1


def test_a_window_that_passed_whole_in_an_outage_is_missed_too() -> None:
    life = released().when("2027-03-02 10:00", c.LogContact(contact="support", means="phone"))
    life.after_outage("2027-03-23 10:00")
    assert life.all("ContactMissed") == life.all("ContactMissed", window=2, spans=2)


def test_a_contact_told_late_corrects_the_miss_of_its_window() -> None:
    life = released().when("2027-03-16 10:00", told(c.LogContact(contact="support", means="phone"), "2027-03-06 10:00"))
    life.then(said("ContactCorrected", window=1, to="made"), "EscalationResolved")
    life.when("2027-03-16 11:00", c.Correct(what="contact", id="support", window=1, to="missed")).then(
        said("ContactCorrected", window=1, to="missed")
    )


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (c.LogContact(contact="support", means="pigeon"), "unknown-means"),
        (c.LogContact(contact="chess", means="phone"), "unknown-contact"),
        (c.Correct(what="contact", id="support", window=1, to="made"), "unknown-window"),
        (c.Correct(what="contact", id="support", window=9, to="made"), "unknown-window"),
    ],
)
def test_what_cannot_be_said_of_a_contact(asked: c.Body, code: str) -> None:
    released().when("2027-03-02 10:00", asked).refused(code)


def test_a_contact_before_the_release_is_a_contact_besides() -> None:
    given(("2027-01-11 10:00", plan())).when("2027-02-01", c.LogContact(contact="support", means="phone")).then(
        "ContactLogged"
    )


def test_lost_days_push_the_window_that_was_open_and_all_that_follow() -> None:
    life = released().when("2027-03-10 10:00", c.Suspend(why="hospital")).when("2027-03-20 10:00", c.Resume())
    assert life.state.contacts["support"].closes.isoformat() == "2027-03-24T17:00:00+00:00"
    assert windows(life)[1:3] == ["2: 03-08 09:00 to 03-24 18:00", "3: 03-25 09:00 to 03-31 18:00"]


def test_a_window_that_closed_on_the_day_of_return_gets_the_least_notice() -> None:
    """Suspended on its last day, resumed in the evening of a day: the window is not missed that very evening."""
    life = released().when("2027-03-07 10:00", c.Suspend(why="hospital")).when("2027-03-17 19:00", c.Resume())
    life.then(said("JourneyResumed", windows={"support": "2027-03-22 18:00"}), also=True).never("ContactMissed")


def test_a_mentors_windows_come_and_go_with_the_mentor() -> None:
    life = (
        released()
        .when("2027-03-03", c.ProposeMentor(mentor=MENTOR))
        .when("2027-03-04", by(MENTOR, c.MatchMentor(mentor=MENTOR)))
    )
    assert life.all("ContactDue", contact="mentoring", window=1, opens="2027-03-04 09:00")
    life.when("2027-03-10", by(MENTOR, c.LogContact(contact="mentoring", means="meeting"))).then("ContactMade")
    life.when("2027-03-20 10:00", c.EndMentor()).then(
        "MentorEnded",
        said("ContactCancelled", contact="mentoring", window=2, why="mentor-ended"),
        said("MessageDue", template="mentor-wanted"),
    )
    life.when("2027-05-03")
    assert not life.all("ContactMissed", contact="mentoring")
    life.when("2027-05-03", c.ProposeMentor(mentor=MENTOR)).when("2027-05-04", by(MENTOR, c.MatchMentor(mentor=MENTOR)))
    assert life.last("ContactDue", contact="mentoring").window == 5


def test_the_windows_of_a_role_with_a_mentors_rights_come_and_go_with_the_mentor_too() -> None:
    text = Path(__file__).with_name("house.yaml").read_text()
    started = text.replace("start: at mentor-found reached", "start: at release")
    peers = started.replace("by: mentor", "by: peer") + "roles: {peer: {fr: pair, en: peer, rights: mentor}}\n"
    life = given(
        ("2027-01-11 10:00", plan()), ("2027-03-01 10:00", c.ConfirmDate(date="release")), book=book_of(peers)
    )  # fmt: skip
    life.when("2027-03-20")
    assert not life.all("ContactDue", contact="mentoring")
    life.when("2027-03-20 12:00", c.ProposeMentor(mentor=MENTOR))
    life.when("2027-03-21", by(MENTOR, c.MatchMentor(mentor=MENTOR)))
    assert life.all("ContactDue", contact="mentoring")
    life.when("2027-03-23 10:00", c.EndMentor()).then(said("ContactCancelled", contact="mentoring"), also=True)
