"""A channel that says what arrives and has said nothing: an alert, once a message, until somebody knows better."""

from typing import Any

import pytest

from journeys.domain import commands as c
from journeys.domain.messages import NO_RECEIPT
from journeys.domain.state import UNREACHED
from tests.domain.given import MENTOR, PERSON, Life, by, paris, released, said, told

NEXT = paris("2027-03-19 14:00")


def heard(life: Life, said: str, nth: int = 0, to: str = "participant") -> Any:
    """What a channel says of a message that left."""
    return c.RecordReceipt(of="message", id=life.all("MessageDue", to=to)[nth].message, said=said)  # type: ignore[arg-type]


def silent(nth: int = 0) -> Life:
    """A reminder of the 3rd of which nothing was said."""
    life = released().when("2027-03-04 09:00")
    return life.when("2027-03-04 10:00", lambda life: heard(life, "silent", nth))


def alerts(life: Life) -> list[Any]:
    return [known for known in life.state.escalations.values() if known.about == NO_RECEIPT]


def test_it_is_an_alert_of_the_referent_once_a_message() -> None:
    life = silent().then("MessageSilent", said("EscalationRaised", to="referent", ladder="standard"))
    life.when("2027-03-04 11:00", lambda life: heard(life, "silent")).then()
    assert len(alerts(life)) == 1


def test_a_late_receipt_ends_it() -> None:
    silent().when("2027-03-06 10:00", lambda life: heard(life, "delivered")).then(
        "MessageDelivered", said("EscalationResolved", how="delivered")
    )


def test_one_that_comes_back_late_is_another_alert() -> None:
    life = silent().when("2027-03-06 10:00", lambda life: heard(life, "bounced"))
    life.then("MessageBounced", said("EscalationRaised", about={"kind": "consent", "id": "address-dead"}),
              said("EscalationResolved", how="bounced"))  # fmt: skip
    assert alerts(life) == []


def two_silent() -> Life:
    life = silent().when("2027-03-10 10:00", c.BookAppointment(at=NEXT))
    life.when("2027-03-18 10:00", lambda life: heard(life, "silent", -1))
    return life.then("MessageSilent")


def test_a_second_silent_message_joins_the_open_alert_and_only_what_left_since_ends_it() -> None:
    life = two_silent()
    assert len(alerts(life)) == 1
    life.when("2027-03-18 11:00", lambda life: heard(life, "delivered", 0)).then("MessageDelivered")
    assert len(alerts(life)) == 1, "the later one is still silent"
    life.when("2027-03-18 12:00", lambda life: heard(life, "delivered", -1)).then(
        "MessageDelivered", "EscalationResolved"
    )


def test_what_arrived_before_a_number_was_gone_does_not_end_its_alert() -> None:
    life = released().when("2027-03-04 09:00").when("2027-03-10 10:00", c.BookAppointment(at=NEXT))
    life.when("2027-03-18 10:00", lambda life: heard(life, "bounced", -1)).then("MessageBounced", "EscalationRaised")
    life.when("2027-03-18 11:00", lambda life: heard(life, "delivered", 0)).then("MessageDelivered")
    assert UNREACHED in [known.about for known in life.state.escalations.values()]
    life.when("2027-03-18 12:00", lambda life: heard(life, "delivered", -1)).then(
        "MessageDelivered", said("EscalationResolved", how="delivered")
    )


def test_a_later_message_that_arrives_says_that_the_phone_works() -> None:
    life = silent().when("2027-03-10 10:00", c.BookAppointment(at=NEXT))
    life.when("2027-03-18 10:00", lambda life: heard(life, "delivered", -1)).then(
        "MessageDelivered", said("EscalationResolved", how="delivered")
    )


def test_a_contact_since_ends_it_and_the_volunteers_does_not() -> None:
    life = (
        silent()
        .when("2027-03-05 10:00", c.ProposeMentor(mentor=MENTOR))
        .when("2027-03-05", c.MatchMentor(mentor=MENTOR))
    )
    life.when("2027-03-05 11:00", by(MENTOR, c.LogContact(contact="mentoring", means="phone")))
    assert len(alerts(life)) == 1
    life.when("2027-03-05 12:00", told(c.LogContact(contact="support", means="phone"), "2027-03-03"))
    assert len(alerts(life)) == 1, "that was before the message left"
    life.when("2027-03-05 13:00", c.LogContact(contact="support", means="phone")).then(
        said("EscalationResolved", how="contact-made"), also=True
    )


def answering(life: Life) -> c.AnswerAppointment:
    return c.AnswerAppointment(appointment=life.appointment, answer="coming")


def test_who_answers_through_a_link_is_heard_of_and_the_note_of_staff_says_nothing() -> None:
    life = silent().when("2027-03-10 10:00", c.BookAppointment(at=NEXT))
    life.when("2027-03-11 10:00", answering)
    assert len(alerts(life)) == 1
    life.when("2027-03-12 10:00", by(PERSON, answering)).then(
        "AppointmentAnswered", said("EscalationResolved", how="answered")
    )


def test_what_left_before_the_person_acted_is_not_silent_afterwards() -> None:
    life = (
        released().when("2027-03-04 09:00", c.BookAppointment(at=NEXT)).when("2027-03-05 10:00", by(PERSON, answering))
    )
    life.when("2027-03-05 11:00", lambda life: heard(life, "silent")).then()
    life.when("2027-03-18 10:00", lambda life: heard(life, "silent", -1)).then("MessageSilent", "EscalationRaised")


def test_who_takes_another_time_is_heard_of() -> None:
    other = paris("2027-03-22 10:00")
    life = silent().when("2027-03-10 10:00", c.BookAppointment(at=NEXT, or_at=(other,)))
    move = by(PERSON, lambda life: c.MoveAppointment(appointment=life.appointment, at=other))
    life.when("2027-03-11 10:00", move).then(said("EscalationResolved", how="answered"), also=True)


@pytest.mark.parametrize("before", ["delivered", "bounced"])
def test_of_what_was_heard_of_nothing_is_silent(before: str) -> None:
    life = released().when("2027-03-04 09:00").when("2027-03-04 10:00", lambda life: heard(life, before))
    life.when("2027-03-04 11:00", lambda life: heard(life, "silent")).then()
    assert alerts(life) == []


def test_of_a_message_to_staff_and_of_a_closed_journey_nobody_is_alerted() -> None:
    life = released().when("2027-03-04 09:00")
    life.when("2027-03-04 10:00", lambda life: heard(life, "silent", to="referent")).then()
    life.when("2027-03-04 11:00", c.Close(outcome="moved")).when("2027-03-04 12:00", lambda life: heard(life, "silent"))
    life.then()


def test_the_alert_is_told_when_people_work() -> None:
    """7 March is a Sunday."""
    life = released().when("2027-03-07 10:00", lambda life: heard(life, "silent"))
    life.then("MessageSilent", "EscalationRaised", said("EscalationDeferred", until="2027-03-08 08:00"))
