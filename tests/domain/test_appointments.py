"""Appointments: booked, moved, reminded, and asked about until somebody says how they went."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from journeys.domain import commands as c
from journeys.domain import messages
from journeys.domain.events import KINDS, read_event
from journeys.domain.summary import LAST_MET, summary
from tests.domain.given import MENTOR, PARIS, PERSON, REFERENT, Life, by, paris, released, said

AT = paris("2027-03-19 14:00")
OTHERS = (paris("2027-03-22 10:00"), paris("2027-03-18 16:00"))
"""Other times that would also suit."""


def booked(**fields: object) -> Life:
    life = released().when("2027-03-10 10:00", c.BookAppointment(at=AT, **fields))
    return life.then(said("AppointmentBooked", remind_at="2027-03-17 14:00", ask_at="2027-03-22 09:00"))


def close(life: Life, outcome: str) -> c.CloseAppointment:
    return c.CloseAppointment(appointment=life.appointment, outcome=outcome)


def test_the_participant_is_reminded_two_days_before() -> None:
    booked().when("2027-03-17 14:00").then(
        "AppointmentReminded", said("MessageDue", to="participant", purpose="reminder")
    )


def test_the_next_working_morning_the_referent_is_asked_then_the_silence_is_escalated() -> None:
    """19 March is a Friday."""
    life = booked(contact="support").when("2027-03-22 09:00")
    life.then(
        said("AppointmentAsked", again_at="2027-03-24 09:00"),
        said("MessageDue", template="appointment-outcome"),
        also=True,
    )
    life.when("2027-03-24 09:00").then(said("AppointmentAsked", again_at=None), "EscalationRaised", also=True)
    life.when("2027-03-24 10:00", close(life, "excused")).then(
        "AppointmentExcused", said("EscalationResolved", how="answered")
    )


def test_kept_it_reaches_its_milestone_and_makes_its_contact() -> None:
    life = booked(milestone="visit", contact="support").when("2027-03-20 10:00")
    life.when("2027-03-20 10:00", close(life, "attended")).then(
        "AppointmentAttended", said("MilestoneReached", milestone="visit", how="appointment", on="2027-03-19"),
        "DeadlineMet", said("ContactMade", window=3), "EscalationResolved",
    )  # fmt: skip


def test_kept_but_told_late_it_corrects_the_window_that_was_missed() -> None:
    life = booked(contact="support").when("2027-03-23 10:00")
    life.when("2027-03-23 10:00", close(life, "attended")).then(
        "AppointmentAttended", said("ContactCorrected", window=3, to="made"), "EscalationResolved"
    )


def test_missed_it_escalates_on_the_ladder_of_what_it_was_for() -> None:
    life = booked(milestone="visit").when("2027-03-20 10:00")
    life.when("2027-03-20 10:00", close(life, "missed")).then(
        "AppointmentMissed", said("EscalationRaised", ladder="follow-up")
    )
    life = booked().when("2027-03-20 10:00")
    life.when("2027-03-20 10:00", close(life, "missed")).then(
        "AppointmentMissed", said("EscalationRaised", ladder="standard")
    )


def test_moved_it_is_reminded_and_asked_about_anew() -> None:
    """Two days before is Easter Sunday, and Monday is one of rest: the reminder leaves on Saturday."""
    life = booked().when("2027-03-18 10:00")
    life.when("2027-03-18 10:00", c.MoveAppointment(appointment=life.appointment, at=paris("2027-03-30 10:00"))).then(
        said("AppointmentMoved", remind_at="2027-03-27 10:00", ask_at="2027-03-31 09:00"),
        said("MessageDue", to="participant", template="appointment-changed"),
    )
    life.when("2027-03-27 10:00").then("AppointmentReminded", "MessageDue", also=True)


def test_a_reminder_whose_moment_has_passed_is_not_owed() -> None:
    released().when("2027-03-10 10:00", c.BookAppointment(at=paris("2027-03-11 10:00"))).then(
        said("AppointmentBooked", remind_at=None)
    )


def test_told_wrongly_it_is_corrected() -> None:
    life = booked(milestone="visit").when("2027-03-20 10:00")
    life.when("2027-03-20 10:00", close(life, "missed"))
    life.when("2027-03-21 10:00", c.Correct(what="appointment", id=life.appointment, to="attended")).then(
        said("AppointmentCorrected", to="attended"), "EscalationResolved", "MilestoneReached", "DeadlineMet"
    )
    life.when("2027-03-21 10:00", c.Correct(what="appointment", id=life.appointment, to="lost")).refused("correct-to")
    life.when("2027-03-21 10:00", c.Correct(what="appointment", id=life.appointment, to="attended")).refused(
        "not-settled"
    )


def to(life: Life, outcome: str) -> c.Correct:
    return c.Correct(what="appointment", id=life.appointment, to=outcome)


def test_called_off_by_a_closing_before_anybody_said_how_it_went_it_is_corrected() -> None:
    """On Monday the journey is closed; the appointment of Friday took place."""
    life = booked(milestone="visit", contact="support").when("2027-03-22 08:00", c.Close(outcome="moved"))
    life.then(said("AppointmentCancelled", why="closed"), also=True)
    life.when("2027-03-22 10:00", to(life, "attended")).then(
        said("AppointmentCorrected", to="attended"), said("MilestoneReached", milestone="visit"),
        said("ContactCorrected", to="made"),
    )  # fmt: skip
    life.when("2027-03-22 10:10", to(life, "missed")).then("AppointmentCorrected")
    assert life.state.appointments[life.appointment].outcome == "missed" and not life.state.chases


def test_called_off_by_a_wrong_click_it_is_corrected_once_its_hour_has_passed() -> None:
    life = booked(milestone="visit").when("2027-03-19 13:00", lambda life: close(life, "cancelled"))
    life.when("2027-03-19 13:30", to(life, "attended")).refused("not-settled")
    life.when("2027-03-20 10:00", to(life, "missed")).then("AppointmentCorrected", "EscalationRaised")
    life.when("2027-03-20 10:10", to(life, "attended")).then(
        "AppointmentCorrected", "EscalationResolved", "MilestoneReached", "DeadlineMet"
    )


def test_missed_after_all_it_escalates_as_if_it_had_been_told_at_once() -> None:
    life = booked(milestone="visit").when("2027-03-20 10:00")
    life.when("2027-03-20 10:00", close(life, "excused"))
    life.when("2027-03-22 10:00", c.Correct(what="appointment", id=life.appointment, to="missed")).then(
        said("AppointmentCorrected", to="missed"), said("EscalationRaised", ladder="follow-up")
    )


def test_missed_after_all_nobody_is_alerted_once_the_journey_is_closed() -> None:
    life = booked(milestone="visit").when("2027-03-20 10:00")
    life.when("2027-03-20 10:00", close(life, "excused"))
    life.when("2027-03-21 10:00", c.Close(outcome="moved"))
    life.when("2027-03-22 10:00", c.Correct(what="appointment", id=life.appointment, to="missed")).then(
        said("AppointmentCorrected", to="missed")
    )


@pytest.mark.parametrize("outcome", ["attended", "missed"])
def test_nobody_knows_how_it_went_before_it_was(outcome: str) -> None:
    life = booked()
    life.when("2027-03-11", close(life, outcome)).refused("appointment-ahead")


def test_a_row_keeps_the_latest_that_are_over() -> None:
    life = booked(milestone="visit")
    assert summary(life.state, life.book).met == ()
    assert "met" not in summary(life.state, life.book).model_dump(), "rows of before stay as they are"
    life.when("2027-03-20 10:00", close(life, "missed"))
    (over,) = summary(life.state, life.book).met
    assert (over.id, over.about, over.at, over.outcome) == (life.appointment, "visit", AT, "missed")
    weekly = c.BookAppointment(at=AT + timedelta(days=10), every="week", times=LAST_MET + 1)
    life.when("2027-03-20 10:00", weekly).when("2027-03-20 11:00", c.Close(outcome="moved"))
    first, *kept = summary(life.state, life.book).met
    assert first == over, "what a closing calls off does not crowd out what was"
    assert [each.outcome for each in kept] == ["cancelled"] * LAST_MET
    assert [each.at for each in kept] == sorted(known.at for known in life.state.appointments.values())[-LAST_MET:]


def test_of_those_that_are_over_a_row_keeps_the_last_dozen() -> None:
    life = booked()
    life.when("2027-03-20 10:00", close(life, "missed"))
    for day in range(LAST_MET):
        at = paris("2027-04-01 14:00") + timedelta(days=day)
        life.when("2027-03-21 10:00", c.BookAppointment(at=at)).when("2027-03-21 10:00", close(life, "excused"))
    assert [each.outcome for each in summary(life.state, life.book).met] == ["excused"] * LAST_MET


def test_it_is_settled_once() -> None:
    life = booked()
    life.when("2027-03-11", close(life, "cancelled")).then(
        said("AppointmentCancelled", why="by-hand"), said("MessageDue", template="appointment-cancelled")
    )
    life.when("2027-03-11", close(life, "excused")).refused("appointment-settled")
    life.when("2027-03-11", c.MoveAppointment(appointment=life.appointment, at=AT)).refused("appointment-settled")
    life.when("2027-03-30 10:00")
    assert not life.all("AppointmentAsked")


def test_it_lies_ahead_when_booked() -> None:
    released().when("2027-03-20", c.BookAppointment(at=AT)).refused("in-the-past")
    released().when("2027-03-02", c.BookAppointment(at=AT, milestone="flight")).refused("unknown-milestone")
    released().when("2027-03-02", c.BookAppointment(at=AT, contact="chess")).refused("unknown-contact")


# --- what the person is told of a change


def moved(life: Life, at: str, *, place: str = "", **fields: Any) -> Any:
    """Staff move it."""
    parts = {"place": place} if place else {}
    return by(REFERENT, c.MoveAppointment(appointment=life.appointment, at=paris(at), **fields), **parts)


def changes(life: Life) -> list[tuple[str, str]]:
    """What was owed to the person of changes: template, and until when."""
    return [
        (each.template, each.valid_until.astimezone(PARIS).strftime("%m-%d %H:%M"))
        for each in life.all("MessageDue", to="participant")
        if each.template in ("appointment-changed", "appointment-cancelled")
    ]


def test_who_was_reminded_is_told_of_another_time_another_place_and_the_end() -> None:
    life = booked().when("2027-03-18 10:00")
    life.when("2027-03-18 10:00", moved(life, "2027-03-19 16:00")).then(
        "AppointmentMoved", said("MessageDue", template="appointment-changed", purpose="notice")
    )
    life.when("2027-03-18 11:00", moved(life, "2027-03-19 16:00", place="12 rue des Lilas"))
    life.when("2027-03-18 12:00", moved(life, "2027-03-19 16:00"))
    life.when("2027-03-18 13:00", close(life, "cancelled")).then(
        "AppointmentCancelled", said("MessageDue", template="appointment-cancelled")
    )
    changed = ("appointment-changed", "03-19 16:00")
    assert changes(life) == [changed, changed, ("appointment-cancelled", "03-19 16:00")], "the same again is no news"


@pytest.mark.parametrize("summons", [False, True])
def test_of_what_lies_far_ahead_the_person_is_told_too(summons: bool) -> None:
    """It was agreed by two, or handed over on paper: nine days before, they count on it."""
    life = booked(summons=summons).when("2027-03-10 11:01", lambda life: moved(life, "2027-03-22 14:00").body)
    life.when("2027-03-12 10:00", lambda life: close(life, "cancelled"))
    assert [template for template, _ in changes(life)] == ["appointment-changed", "appointment-cancelled"]


def test_a_slip_that_is_set_right_at_once_is_told_to_nobody_unless_they_heard_of_it() -> None:
    life = booked().when("2027-03-10 10:20", lambda life: moved(life, "2027-03-22 14:00").body)
    life.when("2027-03-10 11:00", lambda life: close(life, "cancelled"))
    assert changes(life) == []
    life = booked().when("2027-03-10 10:20", lambda life: moved(life, "2027-03-11 14:00").body)
    assert changes(life) == [("appointment-changed", "03-11 14:00")], "no reminder comes before it"
    life = booked().when("2027-03-10 10:10", by(PERSON, lambda life: answer(life, "coming")))
    life.when("2027-03-10 10:20", lambda life: close(life, "cancelled"))
    assert [template for template, _ in changes(life)] == ["appointment-cancelled"]


def test_who_has_answered_or_chosen_or_was_told_of_a_change_knows_of_it() -> None:
    for life in (
        booked().when("2027-03-11 10:00", by(PERSON, lambda life: answer(life, "coming"))),
        booked(or_at=(paris("2027-03-23 10:00"),)).when("2027-03-11 10:00", choose("2027-03-23 10:00")),
    ):
        life.when("2027-03-12 10:00", moved(life, "2027-03-30 10:00"))
        life.when("2027-03-13 10:00", moved(life, "2027-03-31 10:00"))
        life.when("2027-03-15 10:00", close(life, "cancelled"))
        assert [template for template, _ in changes(life)] == ["appointment-changed"] * 2 + ["appointment-cancelled"]


def times_told(life: Life) -> list[str]:
    """When the person was to be told of other times."""
    return [each.at.astimezone(PARIS).strftime("%d %H:%M") for each in life.all("MessageDue", template=messages.TIMES)]


def asked_for_another() -> Life:
    """Reminded, they asked for another time and said none."""
    return (
        booked().when("2027-03-17 15:00").when("2027-03-17 15:00", by(PERSON, lambda life: answer(life, "other-time")))
    )


def test_other_times_of_an_appointment_that_stays_are_told() -> None:
    life = asked_for_another()
    life.when("2027-03-17 16:00", moved(life, "2027-03-19 14:00", or_at=OTHERS)).then(
        "AppointmentMoved",
        said("MessageDue", to="participant", template="appointment-times", purpose="notice"),
        also=True,
    )
    life.when("2027-03-17 17:00", moved(life, "2027-03-19 14:00", or_at=OTHERS))
    life.when("2027-03-17 17:10", moved(life, "2027-03-19 14:00", or_at=OTHERS[:1]))
    assert times_told(life) == ["17 16:00"], "what was offered already is no news"
    life.when("2027-03-17 17:20", choose("2027-03-22 10:00")).then("AppointmentMoved", also=True)


def test_what_tells_of_another_time_tells_of_those_offered_with_it() -> None:
    life = asked_for_another()
    life.when("2027-03-17 22:00", moved(life, "2027-03-19 10:00", or_at=OTHERS[:1]))
    life.when("2027-03-17 22:10", moved(life, "2027-03-19 10:00", or_at=OTHERS))
    assert [template for template, _ in changes(life)] == ["appointment-changed"] and times_told(life) == []


def test_other_times_that_wait_for_the_morning_are_told_once_and_not_once_there_are_none() -> None:
    for offered, told in ((OTHERS[:1], 1), ((), 0)):
        life = asked_for_another()
        life.when("2027-03-17 22:00", moved(life, "2027-03-19 14:00", or_at=OTHERS))
        life.when("2027-03-17 22:10", moved(life, "2027-03-19 14:00", or_at=offered)).when("2027-03-18 12:00")
        due = {each.message for each in life.all("MessageDue", template=messages.TIMES)}
        assert len(due) == 1 and len(due & {each.message for each in life.all("MessageSent")}) == told


def test_other_times_that_a_suspension_held_back_are_told_when_the_journey_is_resumed() -> None:
    life = suspended()
    life.when("2027-03-18 10:00", moved(life, "2027-03-19 14:00", or_at=OTHERS)).when("2027-03-18 15:00", c.Resume())
    assert times_told(life) == ["18 10:00", "18 15:00"]
    life = suspended()
    life.when("2027-03-18 10:00", moved(life, "2027-03-19 16:00"))
    life.when("2027-03-18 10:10", moved(life, "2027-03-19 16:00", or_at=OTHERS)).when("2027-03-18 15:00", c.Resume())
    assert told_of_changes(life) == [("appointment-changed", "03-19 16:00")] and times_told(life) == []


def test_a_reminder_that_waits_tells_of_no_other_times() -> None:
    """Its link may be missing: without a public address, or in words that were edited."""
    life = released().when("2027-03-17 20:00", c.BookAppointment(at=paris("2027-03-19 21:00")))
    life.when("2027-03-17 21:30")
    near = life.last("MessageDue", template="appointment-near")
    assert near.message in life.state.messages, "it waits for the morning"
    life.when("2027-03-17 22:00", moved(life, "2027-03-19 21:00", or_at=OTHERS[:1]))
    assert times_told(life) == ["17 22:00"]


def test_a_new_hour_brings_a_link_only_where_other_times_may_be_taken() -> None:
    for offered, linked in ((OTHERS[:1], True), ((), False)):
        life = asked_for_another()
        life.when("2027-03-17 16:00", moved(life, "2027-03-19 16:00", or_at=offered))
        due = life.last("MessageDue", to="participant")
        assert due.template == messages.CHANGED
        assert messages.brings_a_link(life.state, due.template, due.about, due.at) is linked
        assert messages.brings_a_link(life.state, "appointment-near", due.about, due.at)


def test_other_times_are_told_until_the_last_of_them_and_not_once_none_is_left() -> None:
    life = asked_for_another()
    life.when("2027-03-17 22:00", moved(life, "2027-03-19 14:00", or_at=(paris("2027-03-18 07:00"),)))
    due = life.last("MessageDue", template=messages.TIMES)
    assert due.valid_until == paris("2027-03-18 07:00"), "who gets up at eight can take it no more"
    assert life.all("MessageSuppressed", message=due.message, reason="too-late")
    life = suspended()
    life.when("2027-03-18 10:00", moved(life, "2027-03-19 14:00", or_at=(paris("2027-03-18 14:00"),)))
    life.when("2027-03-18 15:00", c.Resume())
    assert times_told(life) == ["18 10:00"]


def test_of_other_times_that_wait_and_have_become_past_ones_nobody_is_told() -> None:
    life = asked_for_another()
    life.when("2027-03-17 22:00", moved(life, "2027-03-19 14:00", or_at=OTHERS))
    life.when("2027-03-17 22:10", moved(life, "2027-03-19 14:00", or_at=(paris("2027-03-18 07:00"),)))
    life.when("2027-03-18 12:00")
    due = life.last("MessageDue", template=messages.TIMES)
    assert life.all("MessageSuppressed", message=due.message, reason="settled") and not life.all(
        "MessageSent", message=due.message
    )


def test_a_reminder_held_back_by_a_suspension_leaves_beside_the_other_times() -> None:
    """Suspended before the reminder, which names the place."""
    life = booked().when("2027-03-15 10:00", c.Suspend(why="hospital")).when("2027-03-18 10:00")
    life.when("2027-03-18 10:00", moved(life, "2027-03-19 14:00", or_at=OTHERS[:1])).when(
        "2027-03-18 15:00", c.Resume()
    )
    sent = {each.message for each in life.all("MessageSent")}
    owed = life.all("MessageDue", to="participant")
    assert [each.template for each in owed if each.message in sent][-2:] == [messages.TIMES, "appointment-near"]


def test_of_what_has_passed_and_what_they_declined_nobody_is_told() -> None:
    life = booked().when("2027-03-19 15:00")
    life.when("2027-03-19 15:00", close(life, "cancelled")).then("AppointmentCancelled")
    life = booked().when("2027-03-18 10:00", by(PERSON, lambda life: answer(life, "declined")))
    assert changes(life) == []


def test_a_change_waits_for_the_morning_and_the_last_one_counts() -> None:
    life = booked().when("2027-03-17 22:00")
    life.when("2027-03-17 22:00", moved(life, "2027-03-19 16:00"))
    life.when("2027-03-17 22:10", moved(life, "2027-03-19 10:00")).then(
        "AppointmentMoved", said("MessageSuppressed", reason="moved"), "MessageDue", "MessageDeferred"
    )
    life.when("2027-03-18 12:00")
    told = {each.message for each in life.all("MessageDue", template="appointment-changed")}
    assert len(told & {each.message for each in life.all("MessageSent")}) == 1


def told_of_changes(life: Life) -> list[tuple[str, str]]:
    """What the person got of changes: template, and how late it might have been sent."""
    sent = {each.message for each in life.all("MessageSent")}
    owed = [each for each in life.all("MessageDue", to="participant") if each.message in sent]
    return [
        (each.template, each.valid_until.astimezone(PARIS).strftime("%m-%d %H:%M"))
        for each in owed
        if each.template in ("appointment-changed", "appointment-cancelled")
    ]


def suspended() -> Life:
    """Reminded of Friday at two; suspended on Thursday at nine."""
    life = booked().when("2027-03-17 14:30")
    return life.when("2027-03-18 09:00", c.Suspend(why="hospital"))


def test_a_change_that_a_suspension_held_back_is_told_when_the_journey_is_resumed() -> None:
    life = suspended()
    life.when("2027-03-18 10:00", moved(life, "2027-03-19 17:00"))
    life.when("2027-03-18 11:00", moved(life, "2027-03-19 16:00")).then(
        "AppointmentMoved", "MessageDue", said("MessageSuppressed", reason="suspended")
    )
    life.when("2027-03-18 15:00", c.Resume())
    assert told_of_changes(life) == [("appointment-changed", "03-19 16:00")], "the last one"
    life.when("2027-03-18 15:30", c.Suspend(why="hospital")).when("2027-03-18 15:40", c.Resume())
    assert len(told_of_changes(life)) == 1, "once"


def test_an_end_that_a_suspension_held_back_is_told_when_the_journey_is_resumed() -> None:
    life = suspended()
    life.when("2027-03-18 10:00", moved(life, "2027-03-19 16:00"))
    life.when("2027-03-18 11:00", close(life, "cancelled")).when("2027-03-18 15:00", c.Resume())
    assert told_of_changes(life) == [("appointment-cancelled", "03-19 16:00")]


def test_of_a_change_whose_hour_has_passed_or_that_the_person_chose_nobody_is_told_afterwards() -> None:
    life = suspended()
    life.when("2027-03-18 10:00", moved(life, "2027-03-18 14:00"))
    assert told_of_changes(life.when("2027-03-18 15:00", c.Resume())) == []
    life = suspended()
    life.when("2027-03-18 10:00", moved(life, "2027-03-19 16:00", or_at=OTHERS[:1]))
    life.when("2027-03-18 11:00", choose("2027-03-22 10:00")).when("2027-03-18 15:00", c.Resume())
    assert told_of_changes(life) == []


def test_a_change_told_after_a_suspension_needs_no_reminder_beside_it() -> None:
    """Moved on the tenth to the sixteenth, of which the reminder was held back too."""
    life = booked().when("2027-03-10 11:00", by(PERSON, lambda life: answer(life, "coming")))
    life.when("2027-03-10 12:00", c.Suspend(why="hospital"))
    life.when("2027-03-10 13:00", moved(life, "2027-03-16 10:00")).when("2027-03-15 10:00", c.Resume())
    assert told_of_changes(life) == [("appointment-changed", "03-16 10:00")]
    life.when("2027-03-17")
    near = {each.message for each in life.all("MessageDue", template="appointment-near")}
    assert not near & {each.message for each in life.all("MessageSent")}


@pytest.mark.parametrize("paused", [False, True])
def test_moved_away_and_back_it_is_reminded_once(paused: bool) -> None:
    """Saturday, 15 May 2027 is followed by a Sunday and a Monday of rest: the reminder of Tuesday at ten left on
    Saturday, or was held back."""
    life = released().when("2027-05-10 10:00", c.BookAppointment(at=paris("2027-05-18 10:00")))
    life.then(said("AppointmentBooked", remind_at="2027-05-15 10:00"))
    if paused:
        life.when("2027-05-11 10:00", c.PauseMessages(until=paris("2027-05-15").date()))
    life.when("2027-05-15 11:00")
    life.when("2027-05-15 11:00", moved(life, "2027-05-19 10:00"))
    life.when("2027-05-15 11:05", moved(life, "2027-05-18 10:00")).when("2027-05-18 09:00")
    near = {each.message for each in life.all("MessageDue", template="appointment-near")}
    assert len(near) == 1 + paused and len(near & {each.message for each in life.all("MessageSent")}) == 1


@pytest.mark.parametrize("resumed", ["2027-05-17 10:00", "2027-05-18 08:40"])
def test_a_reminder_that_waits_or_has_left_after_a_move_is_no_second_time_owed_by_a_suspension(resumed: str) -> None:
    """As above, held back by a pause and owed anew: it leaves on Tuesday at eight."""
    life = released().when("2027-05-10 10:00", c.BookAppointment(at=paris("2027-05-18 10:00")))
    life.when("2027-05-11 10:00", c.PauseMessages(until=paris("2027-05-15").date())).when("2027-05-15 11:00")
    life.when("2027-05-15 11:00", moved(life, "2027-05-19 10:00"))
    life.when("2027-05-15 11:05", moved(life, "2027-05-18 10:00"))
    life.when(paris(resumed) - timedelta(minutes=5), c.Suspend(why="hospital")).when(resumed, c.Resume())
    life.when("2027-05-18 09:00")
    near = {each.message for each in life.all("MessageDue", template="appointment-near")}
    assert len(near & {each.message for each in life.all("MessageSent")}) == 1


def answer(life: Life, said: str) -> c.AnswerAppointment:
    return c.AnswerAppointment(appointment=life.appointment, answer=said)  # type: ignore[arg-type]


def test_the_person_says_that_they_will_come() -> None:
    life = booked().when("2027-03-17 10:00", by(PERSON, lambda life: answer(life, "coming")))
    life.then(said("AppointmentAnswered", answer="coming"))
    assert life.state.appointments[life.appointment].answer == "coming"


def test_another_time_is_asked_of_the_referent_until_it_is_moved() -> None:
    life = booked().when("2027-03-17 10:00", by(PERSON, lambda life: answer(life, "other-time")))
    life.then(
        said("AppointmentAnswered", answer="other-time"),
        said("MessageDue", to="referent", template="appointment-other-time"),
    )
    life.when("2027-03-17 11:00", c.MoveAppointment(appointment=life.appointment, at=paris("2027-03-30 10:00")))
    assert life.state.appointments[life.appointment].answer is None


def test_nobody_answers_for_what_is_past_or_settled_nor_for_somebody_else() -> None:
    booked().when("2027-03-19 15:00", lambda life: answer(life, "coming")).refused("appointment-past")
    life = booked().when("2027-03-11", lambda life: close(life, "cancelled"))
    life.when("2027-03-12", answer(life, "coming")).refused("appointment-settled")
    booked().when("2027-03-12", by(MENTOR, lambda life: answer(life, "coming"))).refused("no-right")


# --- other times


def choose(at: str, actor: str = PERSON, **fields: Any) -> Any:
    """The person takes one of the times."""
    return by(actor, lambda life: c.MoveAppointment(appointment=life.appointment, at=paris(at), **fields))


def chosen() -> Life:
    """The person has taken another of the times offered."""
    return booked(or_at=OTHERS).when("2027-03-16 10:00", choose("2027-03-22 10:00"))


def test_the_person_moves_it_to_a_time_that_was_offered_and_the_referent_is_told() -> None:
    life = chosen().then(
        said("AppointmentMoved", at="2027-03-22 10:00", remind_at="2027-03-20 10:00", ask_at="2027-03-23 09:00"),
        said("MessageDue", to="referent", template="appointment-chosen"),
    )
    assert (life.new[0].actor, life.new[0].role) == (PERSON, "participant")
    life.when("2027-03-17 14:00")
    assert life.all("AppointmentReminded") == [], "what was due of the former time is not owed any more"
    life.when("2027-03-20 10:00").then("AppointmentReminded", said("MessageDue", to="participant"), also=True)
    life.when("2027-03-23 09:00").then("AppointmentAsked", "MessageDue", also=True)


def test_what_is_offered_is_kept_once_and_in_order() -> None:
    life = booked(or_at=(*OTHERS, AT, OTHERS[0]))
    assert life.state.appointments[life.appointment].or_at == (OTHERS[1], OTHERS[0])


@pytest.mark.parametrize(
    ("at", "fields"),
    [("2027-03-22 11:00", {}), ("2027-03-19 14:00", {}), ("2027-03-22 10:00", {"or_at": (paris("2027-03-24 10:00"),)})],
)
def test_no_other_time_is_the_persons_to_take_nor_to_offer(at: str, fields: dict[str, Any]) -> None:
    booked(or_at=OTHERS).when("2027-03-16 10:00", choose(at, **fields)).refused("time-not-offered")


def test_a_time_offered_is_taken_once_and_only_while_both_lie_ahead() -> None:
    chosen().when("2027-03-16 11:00", choose("2027-03-18 16:00")).refused("time-not-offered")
    booked(or_at=OTHERS).when("2027-03-18 17:00", choose("2027-03-18 16:00")).refused("in-the-past")
    booked(or_at=OTHERS).when("2027-03-19 15:00", choose("2027-03-22 10:00")).refused("appointment-past")
    booked(or_at=OTHERS).when("2027-03-16 10:00", choose("2027-03-22 10:00", MENTOR)).refused("no-right")


def test_staff_move_it_to_any_time_and_what_was_offered_before_is_not_any_more() -> None:
    life = booked(or_at=OTHERS).when("2027-03-16 10:00", choose("2027-03-25 10:00", REFERENT))
    life.then(said("AppointmentMoved", at="2027-03-25 10:00"), said("MessageDue", template="appointment-changed"))
    life.when("2027-03-16 11:00", choose("2027-03-22 10:00")).refused("time-not-offered")
    life.when("2027-03-16 12:00", choose("2027-03-26 10:00", REFERENT, or_at=OTHERS))
    life.when("2027-03-16 13:00", choose("2027-03-22 10:00")).then("AppointmentMoved", "MessageDue")


def test_what_is_offered_lies_ahead() -> None:
    past = c.BookAppointment(at=AT, or_at=(paris("2027-03-01 10:00"),))
    released().when("2027-03-10 10:00", past).refused("in-the-past")


def test_the_person_says_which_time_they_wish() -> None:
    wish = paris("2027-03-23 10:00")
    life = booked().when("2027-03-17 10:00", by(PERSON, lambda life: wished(life, "other-time", wish)))
    life.then(said("AppointmentAnswered", answer="other-time", wish="2027-03-23 10:00"), "MessageDue")
    assert life.state.appointments[life.appointment].wish == wish
    life.when("2027-03-17 11:00", answer(life, "coming"))
    assert life.state.appointments[life.appointment].wish is None
    life.when("2027-03-17 12:00", wished(life, "coming", wish)).refused("wish-though-coming")
    life.when("2027-03-17 12:00", wished(life, "other-time", paris("2027-03-17 11:00"))).refused("in-the-past")


def wished(life: Life, said: Any, wish: Any) -> c.AnswerAppointment:
    return c.AnswerAppointment(appointment=life.appointment, answer=said, wish=wish)


FIELDS_AT_FIRST = {
    "AppointmentBooked": {"appointment", "at", "minutes", "milestone", "contact", "summons", "remind_at", "ask_at"},
    "AppointmentMoved": {"appointment", "at", "remind_at", "ask_at"},
    "AppointmentAnswered": {"appointment", "answer"},
}
"""What the events of appointments said before other times could be offered or wished."""


def test_what_was_stored_before_keeps_its_bytes() -> None:
    life = booked().when("2027-03-17 10:00", by(PERSON, lambda life: answer(life, "other-time")))
    life.when("2027-03-17 11:00", choose("2027-03-30 10:00", REFERENT))
    for kind, fields in FIELDS_AT_FIRST.items():
        header = next(event for event in life.events if event.kind == kind).header()
        assert set(header["data"]) == fields
        assert read_event(header).header() == header
        assert set(KINDS[kind].model_fields) > fields
    assert "site_zone" not in life_command(c.BookAppointment(at=AT, every="week", times=2)).fields()
    body = c.MoveAppointment(appointment=life.appointment, at=AT)
    assert set(life_command(body).fields()) == {"appointment", "at"}, "nor do the bytes that were signed change"


def life_command(body: c.Body) -> c.Command:
    return c.Command.model_validate(
        {"id": PERSON, "stream": f"journey-{PERSON}", "body": body, "actor": PERSON, "roles": (), "occurred_at": AT,
         "signed_at": AT}
    )  # fmt: skip


# --- series


def test_a_series_keeps_its_hour_through_a_change_of_clocks_and_leaves_holidays_alone() -> None:
    """Mondays at ten: 29 March is Easter Monday, in summer time."""
    life = released().when("2027-03-10 10:00", c.BookAppointment(at=paris("2027-03-15 10:00"), every="week", times=4))
    life.then(
        said("AppointmentBooked", at="2027-03-15 10:00"), said("AppointmentBooked", at="2027-03-22 10:00"),
        said("AppointmentBooked", at="2027-03-30 10:00", remind_at="2027-03-27 10:00"),
        said("AppointmentBooked", at="2027-04-05 10:00"),
    )  # fmt: skip
    assert len(life.state.appointments) == 4


def test_a_monthly_series_takes_the_last_day_of_a_short_month() -> None:
    life = released().when("2027-03-10 10:00", c.BookAppointment(at=paris("2027-03-31 15:00"), every="month", times=3))
    life.then(
        said("AppointmentBooked", at="2027-03-31 15:00"), said("AppointmentBooked", at="2027-04-30 15:00"),
        said("AppointmentBooked", at="2027-05-31 15:00"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "then"), [("2027-03-16 09:00", "Tuesday 09:00"), ("2027-03-19 21:00", "Friday 21:00")]
)
def test_a_series_at_a_site_overseas_goes_by_the_clocks_and_days_there(first: str, then: str) -> None:
    """Paris turns its clocks on 28 March; its Friday evening over there is Saturday in Paris."""
    there = ZoneInfo("America/Cayenne")
    at = datetime.fromisoformat(first).replace(tzinfo=there).astimezone(UTC)
    weekly = c.BookAppointment(at=at, every="week", times=4, site_zone=there.key)
    life = released().when("2027-03-10 10:00", weekly)
    assert [f"{each.at.astimezone(there):%A %H:%M}" for each in life.all("AppointmentBooked")] == [then] * 4


def test_a_series_at_a_site_overseas_leaves_its_own_holiday_alone() -> None:
    """27 May, a Thursday in 2027: the end of slavery is a holiday in Guadeloupe, and in no calendar of a programme."""
    there = ZoneInfo("America/Guadeloupe")
    weekly = c.BookAppointment(
        at=datetime(2027, 5, 20, 10, tzinfo=there).astimezone(UTC), every="week", times=3, site_zone=there.key
    )
    life = released().when("2027-05-03 10:00", weekly)
    days = [f"{each.at.astimezone(there):%d.%m. %H:%M}" for each in life.all("AppointmentBooked")]
    assert days == ["20.05. 10:00", "28.05. 10:00", "03.06. 10:00"]


@pytest.mark.parametrize("half", [{"every": "week"}, {"times": 3}])
def test_half_a_series_is_none(half: dict[str, Any]) -> None:
    released().when("2027-03-10 10:00", c.BookAppointment(at=AT, **half)).refused("half-a-series")
