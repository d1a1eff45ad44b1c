"""A summons and an appointment freely agreed: what the person may do, what follows a miss, and who is told."""

from typing import Any

import pytest

from journeys.domain import chases, links
from journeys.domain import commands as c
from journeys.domain.state import State
from journeys.domain.summary import summary
from tests.domain.given import PERSON, REFERENT, Answer, Asked, Life, by, paris, said
from tests.domain.test_chases import SOFT, booked, close, missed

AT = paris("2027-03-19 14:00")
OTHER = paris("2027-03-22 10:00")
RULES = SOFT.replace("]}", "], summons_missed: urgent}").replace("ladder: urgent", "ladder: follow-up")


def summoned(text: str = RULES, **fields: Any) -> Life:
    return booked(text, summons=True, **fields)


def answer(said: str) -> Asked:
    """The person's own answer."""
    return by(PERSON, lambda life: c.AnswerAppointment(appointment=life.appointment, answer=said))


def move(life: Life) -> c.MoveAppointment:
    return c.MoveAppointment(appointment=life.appointment, at=OTHER)


# --- what the person may do


def test_an_appointment_is_declined_by_the_person_and_the_referent_is_told() -> None:
    life = booked().when("2027-03-12 10:00", answer("declined"))
    life.then(
        said("AppointmentAnswered", answer="declined"), said("AppointmentCancelled", why="declined"),
        said("MessageDue", to="referent", template="appointment-declined"),
    )  # fmt: skip
    assert life.state.appointments[life.appointment].outcome == "cancelled"
    life.when("2027-03-30")
    assert not life.all("AppointmentReminded") and not life.all("AppointmentAsked")


def test_a_summons_is_neither_declined_nor_moved_by_the_person_who_may_ask() -> None:
    summoned().when("2027-03-12 10:00", answer("declined")).refused("summons-stands")
    summoned().when("2027-03-12 10:00", by(PERSON, move)).refused("summons-stands")
    life = summoned().when("2027-03-12 10:00", answer("other-time"))
    life.then("AppointmentAnswered", said("MessageDue", to="referent", template="appointment-other-time"))
    assert life.state.appointments[life.appointment].at == AT
    life.when("2027-03-12 11:00", move).then(
        "AppointmentMoved", said("MessageDue", to="participant", template="appointment-changed")
    )


def test_a_summons_offers_no_other_times_and_those_of_before_are_not_the_persons_to_take() -> None:
    summoned(or_at=(OTHER,)).refused("summons-stands")
    offered = c.MoveAppointment(appointment=summoned().appointment, at=OTHER, or_at=(AT,))
    summoned().when("2027-03-12 10:00", offered).refused("summons-stands")
    life = booked(or_at=(OTHER,))
    (id,) = life.state.appointments
    assert links.times_offered(life.state, id, life.now) == (OTHER,)
    life.state.appointments[id] = as_summons(life, id)
    assert links.times_offered(life.state, id, life.now) == ()
    life.when("2027-03-12 10:00", by(PERSON, move)).refused("summons-stands")


def as_summons(life: Life, id: str) -> Any:
    """As it was recorded when a summons could still offer other times."""
    place = next(place for place, event in enumerate(life.events) if event.kind == "AppointmentBooked")
    event = life.events[place]
    life.events[place] = event.model_copy(update={"data": event.data.model_copy(update={"summons": True})})
    life.read = State(stream=life.state.stream)  # The record was changed: from its first event again.
    known = life.state.appointments[id]
    return type(known)(
        known.at, known.minutes, None, None, True, known.remind_at, known.ask_at, or_at=known.or_at, booked=known.booked
    )


def test_another_time_is_wished_only_with_the_request_for_one() -> None:
    wish = by(PERSON, lambda life: c.AnswerAppointment(appointment=life.appointment, answer="declined", wish=OTHER))
    booked().when("2027-03-12 10:00", wish).refused("wish-though-coming")


# --- what follows a miss


def test_a_missed_summons_is_told_at_once_to_whom_the_programme_says() -> None:
    life = summoned(milestone="visit").when("2027-03-22 10:00", close)
    life.then("AppointmentMissed", said("EscalationRaised", ladder="urgent", urgent=True))
    assert not life.all("ChaseDue")
    missed(RULES, milestone="visit").then("AppointmentMissed", said("ChaseDue", do="call"))


def test_without_a_ladder_of_its_own_that_of_what_it_was_for_begins() -> None:
    summoned(SOFT, milestone="visit").when("2027-03-22 10:00", close).then(
        "AppointmentMissed", said("EscalationRaised", ladder="follow-up")
    )


def test_an_excuse_for_a_summons_wants_its_justification() -> None:
    life = summoned().when("2027-03-22 10:00", lambda life: close(life, "excused")).refused("justification-missing")
    excused = by(REFERENT, lambda life: close(life, "excused"), note="Certificat médical")
    life.when("2027-03-22 10:05", excused).then("AppointmentExcused")
    assert set(life.new[0].parts) == {"note"}
    booked().when("2027-03-22 10:00", lambda life: close(life, "excused")).then("AppointmentExcused")


def test_a_justification_that_comes_later_ends_the_alert() -> None:
    life = summoned().when("2027-03-22 10:00", close)
    life.when("2027-03-23 10:00", c.Correct(what="appointment", id=life.appointment, to="excused")).then(
        said("AppointmentCorrected", to="excused"), said("EscalationResolved", how="answered")
    )


# --- its reminder


def test_it_is_reminded_in_words_of_its_own() -> None:
    for life, template in ((summoned(), "summons-near"), (booked(), "appointment-near")):
        life.when("2027-03-17 14:00").then("AppointmentReminded", said("MessageDue", template=template), also=True)


@pytest.mark.parametrize(
    ("choice", "reason"), [(c.OptOut(), "opted-out"), (c.PauseMessages(until=paris("2027-04-30").date()), "paused")]
)
def test_stop_and_a_pause_hold_and_the_referent_is_told_to_remind_by_voice(choice: c.Body, reason: str) -> None:
    life = summoned().when("2027-03-12 10:00", choice).when("2027-03-17 14:00")
    life.then(
        said("MessageSuppressed", reason=reason),
        said("MessageDue", to="referent", template="summons-unreminded", valid_until="2027-03-19 14:00"), also=True,
    )  # fmt: skip
    life = booked().when("2027-03-12 10:00", choice).when("2027-03-17 14:00")
    assert not life.all("MessageDue", template="summons-unreminded")


def test_what_a_suspension_holds_back_is_told_to_the_referent_and_leaves_when_the_journey_is_resumed() -> None:
    life = summoned().when("2027-03-12 10:00", c.Suspend(why="hospital")).when("2027-03-17 14:00")
    life.then(
        said("MessageSuppressed", reason="suspended"),
        said("MessageDue", to="referent", template="summons-unreminded"), also=True,
    )  # fmt: skip
    life.when("2027-03-18 10:00", c.Resume()).then(
        "JourneyResumed", said("MessageDue", template="summons-near", valid_until="2027-03-19 14:00"), also=True
    )
    assert near(life, "summons-near") == ["MessageSuppressed", "MessageSent"]
    life.when("2027-03-18 11:00", c.Suspend(why="hospital")).when("2027-03-19 09:00", c.Resume())
    assert near(life, "summons-near") == ["MessageSuppressed", "MessageSent"], "once"
    life.when("2027-03-19 09:05", move)
    life.when("2027-03-19 09:10", c.MoveAppointment(appointment=life.appointment, at=AT)).when("2027-03-19 15:00")
    assert near(life, "summons-near") == ["MessageSuppressed", "MessageSent"], "moved away and back, once"


def test_each_suspension_that_holds_a_reminder_back_owes_it_anew_and_none_of_what_has_passed() -> None:
    life = booked().when("2027-03-12 10:00", c.Suspend(why="hospital"))
    life.when("2027-03-17 20:30", c.Resume()).then("MessageDue", "MessageDeferred", also=True)
    life.when("2027-03-17 21:00", c.Suspend(why="hospital")).when("2027-03-18 09:00", c.Resume())
    assert near(life, "appointment-near") == ["MessageSuppressed", "MessageSuppressed", "MessageSent"]
    life = booked().when("2027-03-12 10:00", c.Suspend(why="hospital")).when("2027-03-19 15:00", c.Resume())
    assert near(life, "appointment-near") == ["MessageSuppressed"]
    life = booked().when("2027-03-12 10:00", c.Suspend(why="hospital")).when("2027-03-15 10:00", c.Resume())
    assert near(life.when("2027-03-18"), "appointment-near") == ["MessageSent"], "its moment had not come"


def near(life: Life, template: str) -> list[str]:
    """What became of each reminder of a template."""
    owed = [each.message for each in life.all("MessageDue", template=template)]
    ends = ("MessageSent", "MessageSuppressed")
    found: list[Any] = [event for event in life.events if event.kind in ends]
    return [event.kind for event in found if event.data.message in owed]


def test_of_a_new_time_that_cannot_be_told_the_referent_is_to_tell_by_voice() -> None:
    life = summoned().when("2027-03-12 10:00", c.OptOut()).when("2027-03-18 10:00", move)
    life.then(
        said("MessageSuppressed", reason="opted-out"), said("MessageDue", to="referent", template="summons-unreminded"),
        also=True,
    )  # fmt: skip


def test_a_new_time_that_a_suspension_held_back_and_that_comes_too_late_is_told_by_voice() -> None:
    life = summoned().when("2027-03-17 15:00").when("2027-03-18 09:00", c.Suspend(why="hospital"))
    life.when(
        "2027-03-18 10:00", lambda life: c.MoveAppointment(appointment=life.appointment, at=paris("2027-03-19 07:00"))
    )
    life.when("2027-03-18 22:00", c.Resume()).then(
        "JourneyResumed", said("MessageDue", template="appointment-changed"),
        said("MessageSuppressed", reason="too-late"), said("MessageDue", to="referent", template="summons-unreminded"),
        also=True,
    )  # fmt: skip


def test_a_reminder_that_fails_is_told_too_and_one_that_left_is_not() -> None:
    life = summoned()
    life.world["deliver"] = None
    life.when("2027-03-17 14:00").when("2027-03-17 14:00", Answer("deliver", "failed", "mail-550"))
    assert len(life.all("MessageDue", template="summons-unreminded")) == 1
    life = summoned().when("2027-03-18")
    assert not life.all("MessageDue", template="summons-unreminded")


@pytest.mark.parametrize("about", ["reminder", "change"])
def test_what_goes_by_post_may_come_too_late_and_is_told_by_voice_too(about: str) -> None:
    for life, told in ((summoned(), 1), (booked(), 0)):
        life.world["deliver"] = None
        at = "2027-03-17 14:00" if about == "reminder" else "2027-03-16 10:00"
        life.when(at, *(() if about == "reminder" else (move,))).when(at, Answer("deliver", "sent", "letter"))
        assert len(life.all("MessageDue", to="referent", template="summons-unreminded")) == told
        assert life.all("MessageSent", channel="letter")


def test_a_new_time_by_post_comes_in_time_where_it_is_a_week_away_and_its_reminder_is_told() -> None:
    life = summoned()
    life.world["deliver"] = None
    far = paris("2027-04-15 10:00")
    life.when("2027-03-16 10:00", lambda life: c.MoveAppointment(appointment=life.appointment, at=far))
    life.when("2027-03-16 10:00", Answer("deliver", "sent", "letter"))
    assert not life.all("MessageDue", template="summons-unreminded")
    life.when("2027-04-13 10:00").when("2027-04-13 10:00", Answer("deliver", "sent", "letter"))
    assert len(life.all("MessageDue", to="referent", template="summons-unreminded")) == 1


def test_nobody_is_told_of_the_reminder_of_what_is_off() -> None:
    life = summoned().when("2027-03-12 10:00", lambda life: close(life, "cancelled")).when("2027-03-18")
    assert not life.all("MessageDue", template="summons-unreminded")


# --- guards, and lists


def test_a_summons_that_is_chased_or_declined_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    life = summoned()
    monkeypatch.setattr(Life, "verify", lambda self: self)
    monkeypatch.setattr(chases, "begin", lambda work, id: chases._go_on(work, id, 0))
    life.when("2027-03-22 10:00", close)
    assert [violation.code for violation in life.violations()] == ["summons-not-told-at-once"]
    life = booked().when("2027-03-12 10:00", answer("declined"))
    (id,) = life.state.appointments
    as_summons(life, id)
    assert [violation.code for violation in life.violations()] == ["summons-declined"]


def test_the_list_knows_a_summons() -> None:
    for life, told in ((summoned(), True), (booked(), None)):
        (item,) = [each for each in summary(life.state, life.book).board if each.kind == "appointment"]
        assert item.summons is told
