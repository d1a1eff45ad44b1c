"""After a missed appointment: call, letter, escalation, as the programme says; a miss always has a next step."""

from collections.abc import Callable
from typing import Any

import pytest

from journeys.domain import chases
from journeys.domain import commands as c
from journeys.domain.events import KINDS, Payload, read_event
from journeys.domain.handbook import Handbook
from journeys.domain.summary import Item, summary
from tests.domain.given import MENTOR, REFERENT, Answer, Life, by, given, paris, plan, said
from tests.domain.rules import other

AT = paris("2027-03-19 14:00")
SOFT = "appointments: {missed: [{do: call}, {do: letter, within: 5 working days}, {do: escalation, ladder: urgent}]}"


def rules(text: str = SOFT) -> Handbook:
    """house.yaml, with what follows a missed appointment."""
    return other(("grants:\n", f"{text}\ngrants:\n"))


def booked(text: str = SOFT, **fields: Any) -> Life:
    life = given(
        ("2027-01-11 10:00", plan("2027-03-01")), ("2027-03-01 10:00", c.ConfirmDate(date="release")), book=rules(text)
    )
    return life.when("2027-03-10 10:00", c.BookAppointment(at=AT, **fields))


def close(life: Life, outcome: str = "missed") -> c.CloseAppointment:
    return c.CloseAppointment(appointment=life.appointment, outcome=outcome)  # type: ignore[arg-type]


def missed(text: str = SOFT, **fields: Any) -> Life:
    """Friday 19 March was missed; that is noted on Monday morning. Easter is on the 28th."""
    return booked(text, **fields).when("2027-03-22 10:00", close)


def result(life: Life, result: str) -> c.NoteChase:
    return c.NoteChase(chase=next(iter(life.state.chases)), result=result)  # type: ignore[arg-type]


def reached(life: Life) -> c.NoteChase:
    return result(life, "reached")


def no_answer(life: Life) -> c.NoteChase:
    return result(life, "no-answer")


# --- the steps


def test_the_referent_is_to_call_within_working_days() -> None:
    missed().then("AppointmentMissed", said("ChaseDue", step=0, do="call", by="2027-03-24 18:00", message=None))


def test_without_news_a_letter_goes_on_paper_and_then_the_ladder_of_the_step() -> None:
    life = missed().when("2027-03-24 18:00")
    life.then(
        said("ChasePassed", why="too-late"), said("ChaseDue", step=1, do="letter", by="2027-04-02 18:00"),
        said("MessageDue", to="participant", template="appointment-missed", channel="letter"),
        also=True,
    )  # fmt: skip
    life.when("2027-04-02 18:00").then(
        said("ChasePassed", why="too-late"), said("EscalationRaised", ladder="urgent"), also=True
    )
    assert life.state.chases == {}


def test_who_does_not_answer_is_written_to_at_once() -> None:
    life = missed().when("2027-03-22 11:00", no_answer)
    life.then(said("ChasePassed", why="no-answer"), said("ChaseDue", do="letter", by="2027-03-30 18:00"), "MessageDue")
    assert (life.new[0].actor, life.new[0].role) == (REFERENT, "referent")
    life.when("2027-03-23 10:00", no_answer).then("ChasePassed", "EscalationRaised")


def test_who_is_reached_is_chased_no_more() -> None:
    life = missed().when("2027-03-22 11:00", reached).then(said("ChaseDone", how="reached"))
    life.when("2027-03-25 10:00", reached_again(life)).refused("unknown-chase")
    life.when("2027-05-01")
    assert not life.all("EscalationRaised", ladder="urgent", about={"kind": "appointment", "id": life.appointment})
    assert len(life.all("ChaseDue")) == 1


def reached_again(life: Life) -> c.NoteChase:
    return c.NoteChase(chase=life.all("ChaseDue")[0].chase, result="reached")


def test_a_contact_made_since_ends_it_and_one_from_before_does_not() -> None:
    before = by(REFERENT, c.LogContact(contact="support", means="phone"), occurred="2027-03-18 10:00")
    life = missed().when("2027-03-22 11:00", before)
    life.never("ChaseDone")
    life.when("2027-03-22 12:00", c.LogContact(contact="support", means="phone")).then(
        said("ChaseDone", how="contact-made"), also=True
    )


def test_a_contact_of_the_day_itself_noted_later_ends_it() -> None:
    """It is noted as a day, which is its noon: the appointment was at two."""
    noted = by(REFERENT, c.LogContact(contact="support", means="phone"), occurred="2027-03-19 12:00")
    missed().when("2027-03-22 11:00", noted).then(said("ChaseDone", how="contact-made"), also=True)


def test_who_came_in_the_morning_and_not_at_two_is_chased() -> None:
    life = booked().when("2027-03-10 11:00", c.BookAppointment(at=paris("2027-03-19 10:00")))
    first, second = (each.appointment for each in life.all("AppointmentBooked"))
    life.when("2027-03-22 10:00", c.CloseAppointment(appointment=first, outcome="missed"))
    life.when("2027-03-22 11:00", c.CloseAppointment(appointment=second, outcome="attended")).never("ChaseDone")


def test_who_is_reached_is_chased_for_no_other_appointment_either() -> None:
    life = missed().when("2027-03-22 11:00", c.BookAppointment(at=paris("2027-03-23 10:00")))
    second = life.last("AppointmentBooked").appointment
    life.when("2027-03-23 11:00", c.CloseAppointment(appointment=second, outcome="missed"))
    assert len(life.state.chases) == 2
    life.when("2027-03-23 12:00", reached).then(said("ChaseDone", how="reached"), said("ChaseDone", how="contact-made"))
    assert life.state.chases == {}


def at_night() -> Life:
    """The letter is written at nine in the evening: it waits for the morning."""
    life = missed().when("2027-03-22 21:00", no_answer)
    return life.then("ChasePassed", "ChaseDue", "MessageDue", "MessageDeferred")


@pytest.mark.parametrize("how", ["reached", "attended", "excused"])
def test_a_letter_that_waits_for_the_morning_leaves_no_more_once_there_is_news(how: str) -> None:
    life = at_night()
    news = reached if how == "reached" else c.Correct(what="appointment", id=life.appointment, to=how)  # type: ignore[arg-type]
    life.when("2027-03-22 21:30", news).when("2027-03-23 12:00")
    assert life.all("MessageSuppressed", reason="settled", message=life.last("MessageDue").message)
    assert not life.all("MessageSent", message=life.last("MessageDue").message)


def test_without_news_it_leaves_in_the_morning() -> None:
    life = at_night().when("2027-03-23 12:00")
    assert life.all("MessageSent", message=life.last("MessageDue").message)


def test_the_volunteers_contact_does_not_tell_the_referent() -> None:
    life = missed().when("2027-03-22 11:00", c.ProposeMentor(mentor=MENTOR))
    life.when("2027-03-22 12:00", c.MatchMentor(mentor=MENTOR))
    life.when("2027-03-22 13:00", by(MENTOR, c.LogContact(contact="mentoring", means="phone"))).never("ChaseDone")


def test_who_comes_to_another_appointment_was_heard_of() -> None:
    life = missed().when("2027-03-22 11:00", c.BookAppointment(at=paris("2027-03-23 10:00")))
    life.when("2027-03-23 11:00", lambda life: close(life, "attended")).then(
        "AppointmentAttended", said("ChaseDone", how="seen")
    )


@pytest.mark.parametrize("to", ["attended", "excused"])
def test_not_missed_after_all_there_is_nothing_to_chase(to: str) -> None:
    life = missed()
    life.when("2027-03-22 11:00", c.Correct(what="appointment", id=life.appointment, to=to)).then(
        said("AppointmentCorrected", to=to), said("ChaseCancelled", why="corrected"), also=True
    )


def test_an_excuse_learnt_later_ends_the_alert_too() -> None:
    life = missed("appointments: {}")
    life.when("2027-03-22 11:00", c.Correct(what="appointment", id=life.appointment, to="excused")).then(
        "AppointmentCorrected", said("EscalationResolved", how="answered")
    )


def test_missed_after_all_the_first_step_follows() -> None:
    life = booked().when("2027-03-22 10:00", lambda life: close(life, "excused"))
    life.when("2027-03-23 10:00", c.Correct(what="appointment", id=life.appointment, to="missed")).then(
        said("AppointmentCorrected", to="missed"), said("ChaseDue", do="call")
    )


def test_a_programme_that_says_nothing_alerts_at_once_as_before() -> None:
    for silent in ("appointments: {}", "appointments: {missed: []}"):
        missed(silent, milestone="visit").then("AppointmentMissed", said("EscalationRaised", ladder="follow-up"))


def test_the_ladder_comes_after_the_last_step_though_the_programme_does_not_name_it() -> None:
    life = missed("appointments: {missed: [{do: call, within: 1 working day}]}", milestone="visit")
    life.when("2027-03-23 18:00").then("ChasePassed", said("EscalationRaised", ladder="follow-up"), also=True)


def test_a_term_in_days_ends_on_a_working_day() -> None:
    """Six days after Monday 22 March is Easter Sunday; Monday is one of rest."""
    missed("appointments: {missed: [{do: call, within: 6 days}]}").then(
        "AppointmentMissed", said("ChaseDue", by="2027-03-30 18:00")
    )


# --- what cannot be sent, and what holds it


@pytest.mark.parametrize("how", [c.OptOut(), c.PauseMessages(until=paris("2027-04-30").date())])
def test_a_letter_that_may_not_be_written_is_no_step(how: c.Body) -> None:
    life = missed().when("2027-03-22 11:00", how).when("2027-03-22 12:00", no_answer)
    life.then(
        "ChasePassed", said("ChaseDue", do="letter"), "MessageDue", "MessageSuppressed",
        said("ChasePassed", why="not-sent"), said("EscalationRaised", ladder="urgent"),
    )  # fmt: skip


def test_a_letter_that_cannot_be_made_is_no_step() -> None:
    life = missed_without_posting().when("2027-03-22 11:00", no_answer)
    life.when("2027-03-22 11:00", Answer("deliver", "failed", "no-address")).then(
        "MessageFailed", said("ChasePassed", why="not-sent"), said("EscalationRaised", ladder="urgent")
    )


def missed_without_posting() -> Life:
    life = missed()
    life.world["deliver"] = None
    return life


def test_a_suspension_holds_it_and_the_time_that_was_left_goes_on() -> None:
    life = missed().when("2027-03-23 10:00", c.Suspend(why="hospital")).when("2027-04-10")
    assert len(life.state.chases) == 1
    life.when("2027-04-12 10:00", c.Resume())
    assert [known.by for known in life.state.chases.values()] == [paris("2027-04-13 18:00")]
    life.when("2027-04-13 18:00").then("ChasePassed", said("ChaseDue", do="letter"), "MessageDue", also=True)


def test_closing_ends_it() -> None:
    missed().when("2027-03-23 10:00", c.Close(outcome="moved")).then(said("ChaseCancelled", why="closed"), also=True)


def test_other_rules_with_fewer_steps_leave_the_ladder() -> None:
    life = missed().when("2027-03-22 11:00", no_answer)
    life.shelf["2" * 64, "1" * 64] = rules("appointments: {missed: [{do: call}]}")
    life.when("2027-03-23 10:00", c.ChangeProgramme(programme="2" * 64, calendar="1" * 64))
    life.when("2027-03-24 10:00", no_answer).then("ChasePassed", said("EscalationRaised", ladder="standard"))


def test_only_who_leads_the_journey_says_what_came_of_it() -> None:
    missed().when("2027-03-22 11:00", by(MENTOR, no_answer)).refused("no-right")


# --- never a silent gap


def nothing(*_: Any) -> None:
    """The step is taken away."""


@pytest.mark.parametrize(
    ("life", "guard"),
    [(lambda: booked().when("2027-03-22 09:59"), "begin"), (missed, "_go_on"), (missed_without_posting, "_go_on")],
)
def test_a_miss_without_a_next_step_is_found(
    monkeypatch: pytest.MonkeyPatch, life: Callable[[], Life], guard: str
) -> None:
    played = life()
    monkeypatch.setattr(chases, guard, nothing)
    monkeypatch.setattr(Life, "verify", lambda self: self)
    played.when("2027-03-22 12:00", close if guard == "begin" else no_answer)
    assert [violation.code for violation in played.violations()] == ["missed-without-next-step"]


def test_a_letter_that_never_left_is_found_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    life = missed_without_posting().when("2027-03-22 11:00", no_answer)
    monkeypatch.setattr("journeys.domain.chases.letters_that_never_left", nothing)
    life.when("2027-03-22 11:00", Answer("deliver", "failed", "no-address"))
    assert len(life.state.chases) == 1, "its term is still a due: the next step comes then at the latest"
    life.when("2027-03-30 18:00").then("ChasePassed", "EscalationRaised", also=True)


# --- what lists show, and what was stored before


def shown(life: Life) -> list[Item]:
    return [item for item in summary(life.state, life.book).board if item.kind == "chase"]


def test_the_list_says_what_is_to_be_done_and_what_follows() -> None:
    life = missed(milestone="visit")
    (call,) = shown(life)
    assert (call.note, call.about, call.at, call.since) == ("call", "visit", paris("2027-03-24 18:00"), AT)
    assert (call.role, call.then) == ("referent", ""), "a letter follows: nobody is alerted yet"
    (letter,) = shown(life.when("2027-03-22 11:00", no_answer))
    assert (letter.note, letter.then) == ("letter", "referent")
    (held,) = shown(life.when("2027-03-23 10:00", c.Suspend(why="hospital")))
    assert (held.note, held.at) == ("held", None)


@pytest.mark.parametrize("kind", ["MessageDue", "JourneyResumed"])
def test_what_was_stored_before_keeps_its_bytes(kind: str) -> None:
    life = booked("appointments: {}").when("2027-03-11", c.Suspend(why="hospital")).when("2027-03-12", c.Resume())
    header = next(event for event in life.events if event.kind == kind).header()
    fields: set[str] = set(KINDS[kind].model_fields) - {"channel", "chases", "holds"}
    assert set(header["data"]) == fields
    assert read_event(header).header() == header
    assert issubclass(KINDS[kind], Payload)
