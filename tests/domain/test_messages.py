"""Messages: when they are owed, when they wait for the morning, when they must not leave."""

from datetime import timedelta
from pathlib import Path

import pytest

from journeys.domain import commands as c
from journeys.domain.sending import spread
from tests.domain.given import STREAM, Answer, Life, book_of, day, given, paris, plan, released, said

NO_ONE = "00000000-0000-4000-8000-000000000000"

PLANNED = ("2027-01-11 10:00", plan())
OUT = ("2027-03-01 10:00", c.ConfirmDate(date="release"))


def owed(life: Life, template: str) -> str:
    return str(life.last("MessageDue", template=template).message)


# --- reminders


def test_a_reminder_leaves_when_the_office_opens_on_its_day_and_is_valid_until_the_deadline() -> None:
    life = released().when("2027-03-03 09:00").then(
        said("ReminderTaken", deadline="first-meeting/1", index=0),
        said("MessageDue", to="participant", template="meeting-near", occurrence="first-meeting/1/2027-03-04/0",
             valid_until="2027-03-04 18:00"),
        said("ReminderTaken", deadline="first-meeting/1", index=1), said("MessageDue", to="referent"), also=True,
    )  # fmt: skip
    assert life.all("MessageSent")


def test_a_moved_deadline_is_reminded_again() -> None:
    """The key is deadline, due day and index."""
    life = released().when("2027-03-03 10:00", c.RescheduleMilestone(milestone="first-meeting", on=day("2027-03-09")))
    life.when("2027-03-08 09:00").then(said("MessageDue", occurrence="first-meeting/1/2027-03-09/0"), also=True)
    assert len(life.all("MessageDue", template="meeting-near")) == 2


def test_a_deadline_that_moves_away_and_back_is_not_reminded_twice() -> None:
    life = released().when("2027-03-03 10:00", c.RescheduleMilestone(milestone="first-meeting", on=day("2027-03-09")))
    life.when("2027-03-03 11:00", c.RescheduleMilestone(milestone="first-meeting", on=day("2027-03-04"))).when(
        "2027-03-04 12:00"
    )
    assert len(life.all("MessageDue", template="meeting-near")) == 1


def test_a_reminder_whose_moment_lies_before_its_deadline_was_set_was_never_owed() -> None:
    """Released five days after planning: seven days before the exit plan's deadline are past."""
    life = given(("2027-02-24 10:00", plan())).when("2027-03-02 08:00")
    assert life.all("DeadlineMissed", deadline="exit-plan/1")
    assert not life.all("ReminderTaken")


def test_a_reminder_in_hours_is_at_its_instant() -> None:
    life = released().when("2027-03-03 06:00")
    life.then("ReminderTaken", "MessageDue", said("MessageDeferred", until="2027-03-03 08:00"))


def test_after_an_outage_only_what_is_still_valid_leaves() -> None:
    """On the 4th at 10:00 the call was to be made the day before; the meeting is to be held today."""
    life = released().when("2027-03-02 10:00").after_outage("2027-03-04 10:00")
    late = [data.message for data in life.all("MessageSuppressed", reason="too-late")]
    assert [data.about.id for data in life.all("MessageDue") if data.message in late] == ["call-back"]
    assert life.all("MessageSent", message=owed(life, "meeting-near"))


# --- quiet hours


def test_in_quiet_hours_a_message_waits_for_the_morning_though_the_fact_is_immediate() -> None:
    life = (
        released()
        .when("2027-03-02 20:00", c.RequestErasure())
        .then("ErasureRequested", "MessageDue", said("MessageDeferred", until="2027-03-03 08:00"))
    )
    life.when("2027-03-03 08:00").then("MessageReady", also=True)
    assert life.all("MessageSent", message=owed(life, "erasure-asked"))


def test_the_night_when_the_clocks_change_is_an_hour_shorter() -> None:
    """That of Easter, in 2027: nobody is written to before Tuesday, at eight o'clock of summer time."""
    life = (
        released()
        .when("2027-03-27 23:30", c.RequestErasure())
        .then("ErasureRequested", "MessageDue", said("MessageDeferred", until="2027-03-30 08:00"))
    )
    assert life.last("MessageDeferred").until.isoformat() == "2027-03-30T06:00:00+00:00"


def test_a_message_that_would_be_too_late_in_the_morning_is_suppressed() -> None:
    """call-back falls due on 2 March at 07:00; its reminder of 03:00 cannot wait for the morning."""
    life = given(PLANNED, ("2027-02-28 20:00", c.MoveDate(date="release", on=day("2027-03-02"))))
    life.when("2027-03-02 07:00", c.ConfirmDate(date="release"))
    life.when("2027-03-04 03:00").then("ReminderTaken", "MessageDue", said("MessageSuppressed", reason="too-late"))


def test_the_recipients_own_night_is_met_when_it_is_sent() -> None:
    life = given(PLANNED, OUT, deliver=None).when("2027-03-02 10:00", c.RequestErasure())
    life.when("2027-03-02 10:01", Answer("deliver", "deferred", until="2027-03-02 13:00")).then(
        said("MessageDeferred", until="2027-03-02 13:00")
    )
    life.when("2027-03-02 13:00").then("MessageReady")


def test_an_alert_and_a_message_of_easter_wait_for_tuesday() -> None:
    """28 March 2027 is Easter Sunday."""
    life = given(PLANNED, OUT).when("2027-03-27 21:00", c.RequestErasure())
    life.then("ErasureRequested", "MessageDue", said("MessageDeferred", until="2027-03-30 08:00"))
    assert life.last("MessageDue").valid_until == paris("2027-04-02 08:00"), "worth sending from when it might leave"


def test_the_hours_are_those_of_where_the_person_lives() -> None:
    """Nine in the morning in Paris is half past ten in the evening in the Marquesas: day and night hardly meet."""
    life = given((PLANNED[0], plan(zone="Pacific/Marquesas")), OUT).when("2027-03-19 09:00")
    life.then(said("MessageDue", to="participant"), said("MessageDeferred", until="2027-03-19 18:30"), also=True)
    life.when("2027-03-19 18:30").then("MessageReady")
    assert life.all("MessageSent", message=life.last("MessageDue", to="participant").message)


def test_what_has_no_exact_hour_is_spread_and_what_is_urgent_goes_first() -> None:
    """The same journey has the same moment in each window; an appointment keeps its hour."""
    text = Path(__file__).with_name("house.yaml").read_text()
    book = book_of(text.replace("clock: {", "clock: {spread: 30 minutes, ", 1))
    assert book.programme.clock.spread is not None
    nine = spread(paris("2027-03-03 09:00"), timedelta(minutes=30), STREAM)
    assert nine > paris("2027-03-03 09:00")
    life = given(PLANNED, OUT, book=book).when("2027-03-03 09:00").when(nine)
    life.then("ReminderTaken", said("MessageDue", to="participant"), also=True)
    life.when("2027-03-05 22:00", c.RequestErasure())
    assert life.last("MessageDeferred").until == spread(paris("2027-03-06 08:00"), timedelta(minutes=30), STREAM)
    life.when("2027-03-08 10:00", c.BookAppointment(at=paris("2027-03-12 14:00")))
    assert life.last("AppointmentBooked").remind_at == paris("2027-03-10 14:00")
    assert life.last("AppointmentBooked").ask_at == spread(paris("2027-03-15 09:00"), timedelta(minutes=30), STREAM)


def test_what_is_of_no_use_any_more_at_its_own_moment_leaves_as_soon_as_it_may() -> None:
    """call-back falls due on 4 March at 08:05; whoever is woken then is milliseconds late."""
    book = book_of(
        Path(__file__).with_name("house.yaml").read_text().replace("clock: {", "clock: {spread: 2 hours, ", 1)
    )
    assert spread(paris("2027-03-04 08:00"), timedelta(hours=2), STREAM) > paris("2027-03-04 08:05")
    life = given(("2027-02-22 10:00", plan()), ("2027-03-02 08:05", c.ConfirmDate(date="release")), book=book)
    life.when("2027-03-04 07:00")
    due = life.last("MessageDue", template="deadline-near", to="referent")
    assert (due.about.id, due.valid_until) == ("call-back", paris("2027-03-04 08:05"))
    assert life.last("MessageDeferred", message=due.message).until == paris("2027-03-04 08:00")
    life.when(paris("2027-03-04 08:00") + timedelta(milliseconds=40))
    assert life.all("MessageSent", message=due.message)


# --- what must not leave


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        (c.OptOut(), "opted-out"),
        (c.PauseMessages(until=day("2027-03-05")), "paused"),
        (c.Suspend(why="hospital"), "suspended"),
    ],
)
def test_no_message_to_a_participant_who_wants_or_gets_none(stop: c.Body, reason: str) -> None:
    """The reminder of a term of law, two days before 21 March."""
    life = released().when("2027-03-18 10:00", stop if reason != "paused" else c.PauseMessages(until=day("2027-03-25")))
    life.when("2027-03-19 09:00").then(
        said("MessageDue", to="participant"), said("MessageSuppressed", reason=reason), also=True
    )
    assert life.state.effects == {}


def test_what_was_judged_before_the_journey_was_resumed_is_judged_anew() -> None:
    life = given(PLANNED, OUT, deliver=None).when("2027-03-19 09:00")
    life.when("2027-03-19 09:01", c.Suspend(why="hospital")).when("2027-03-19 09:02", c.Resume())
    life.when("2027-03-19 09:03", Answer("deliver", "suppressed", "suspended"))
    life.then("MessageDeferred", "MessageReady", also=True)
    assert not life.all("MessageSuppressed", reason="suspended")


def test_what_waits_for_the_morning_is_looked_at_again() -> None:
    """Deferred by the participant's own night; opted out meanwhile."""
    life = given(PLANNED, OUT, deliver=None).when("2027-03-19 09:00")
    life.when("2027-03-19 09:01", Answer("deliver", "deferred", until="2027-03-19 11:00"))
    life.when("2027-03-19 10:00", c.OptOut()).when("2027-03-19 11:00")
    life.then("MessageReady", said("MessageSuppressed", reason="opted-out"), also=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (c.ReachMilestone(milestone="call-back"), "settled"),
        (c.RescheduleMilestone(milestone="call-back", on=day("2027-03-12")), "moved"),
        (c.Suspend(why="hospital"), "suspended"),
    ],
)
def test_a_reminder_that_waits_for_the_morning_is_dropped_when_it_is_pointless_by_then(
    change: c.Body, reason: str
) -> None:
    life = given(PLANNED, ("2027-03-01 10:00", c.ConfirmDate(date="release"))).when("2027-03-03 07:00")
    (waits,) = [id for id, known in life.state.messages.items() if known.until is not None]
    assert life.state.messages[waits].about.id == "call-back"
    life.when("2027-03-03 07:30", change).when("2027-03-03 08:30")
    assert life.all("MessageSuppressed", message=waits, reason=reason)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("sent", "MessageSent"), ("failed", "MessageFailed"), ("suppressed", "MessageSuppressed"),
        ("unknown", "MessageUnknown"), ("something else", "MessageUnknown"),
    ],
)  # fmt: skip
def test_what_the_channel_answers_is_final(answer: str, kind: str) -> None:
    life = given(PLANNED, OUT, deliver=None).when("2027-03-02 10:00", c.RequestErasure())
    life.when("2027-03-02 10:01", Answer("deliver", answer, "because")).then(kind)
    assert owed(life, "erasure-asked") not in life.state.messages


def test_a_channel_may_say_later_that_it_arrived_or_bounced() -> None:
    life = released().when("2027-03-02 10:00", c.RequestErasure())
    message = owed(life, "erasure-asked")
    life.when("2027-03-02 11:00", c.RecordReceipt(of="message", id=message, said="bounced")).then(
        said("MessageBounced", reason="unknown")
    )
    life.when("2027-03-02 12:00", c.RecordReceipt(of="message", id=message, said="delivered")).then("MessageDelivered")
    # What has arrived stays so, whatever is told late of an attempt before.
    life.when("2027-03-02 12:00", c.RecordReceipt(of="message", id=message, said="bounced")).then()
    life.when("2027-03-02 12:00", c.RecordReceipt(of="message", id=message, said="settled")).refused(
        "unknown-receipt-kind"
    )


def test_what_a_channel_says_twice_changes_nothing_the_second_time() -> None:
    life = released().when("2027-03-02 10:00", c.RequestErasure())
    heard = c.RecordReceipt(of="message", id=owed(life, "erasure-asked"), said="delivered")
    life.when("2027-03-02 11:00", heard).then("MessageDelivered").when("2027-03-02 11:05", heard).then()


def test_a_channel_may_know_better_what_became_of_a_message_and_sooner() -> None:
    """Of one whose fate is unknown, and of one that is still on its way by our own account."""
    for answer in ("unknown", None):
        life = given(PLANNED, OUT, deliver=None).when("2027-03-02 10:00", c.RequestErasure())
        message = owed(life, "erasure-asked")
        if answer is not None:
            life.when("2027-03-02 10:01", Answer("deliver", answer))
        life.when("2027-03-02 11:00", c.RecordReceipt(of="message", id=message, said="delivered")).then(
            "MessageDelivered"
        )
        if answer is None:
            life.when("2027-03-02 11:01", Answer("deliver", "sent", "mail")).then("MessageSent")
            life.when("2027-03-02 11:02", c.RecordReceipt(of="message", id=message, said="delivered")).then()


@pytest.mark.parametrize("answer", ["failed", "suppressed"])
def test_nothing_is_heard_of_a_message_that_never_left(answer: str) -> None:
    life = given(PLANNED, OUT, deliver=None).when("2027-03-02 10:00", c.RequestErasure())
    message = owed(life, "erasure-asked")
    life.when("2027-03-02 10:01", Answer("deliver", answer, "because"))
    for id in (message, NO_ONE):
        life.when("2027-03-02 11:00", c.RecordReceipt(of="message", id=id, said="delivered")).refused(
            "unknown-message", id=id
        )


def test_nothing_is_heard_of_a_message_that_still_waits_for_the_morning() -> None:
    life = released().when("2027-03-02 22:00", c.RequestErasure())
    life.when(
        "2027-03-02 23:00", c.RecordReceipt(of="message", id=owed(life, "erasure-asked"), said="bounced")
    ).refused("unknown-message")


# --- what may have left


def test_what_may_have_left_and_is_given_up_is_in_doubt_not_unsent() -> None:
    """The channel failed, and knows the message again: it is asked once more, unless there is nothing more to ask."""
    life = released(deliver=None).when("2027-03-03 09:00", Answer("deliver", "sent", "mail"))
    message = owed(life, "meeting-near")
    life.when("2027-03-03 09:01", Answer("deliver", "perhaps", "sms-500", until="2027-03-03 10:00"))
    life.then(said("MessageDeferred", message=message, doubt=True))
    life.when("2027-03-03 09:30", c.OptOut()).when("2027-03-03 10:00")
    assert life.all("MessageUnknown", message=message, effect=None)
    assert not life.all("MessageSuppressed", message=message)


def test_a_receipt_of_what_may_have_left_is_believed() -> None:
    life = released(deliver=None).when("2027-03-03 09:00", Answer("deliver", "sent", "mail"))
    message = owed(life, "meeting-near")
    life.when("2027-03-03 09:01", Answer("deliver", "perhaps", "sms-500", until="2027-03-03 10:00"))
    life.when("2027-03-03 09:02", c.RecordReceipt(of="message", id=message, said="delivered"))
    life.then(said("MessageDelivered", message=message), also=True)
    life.when("2027-03-03 10:00").when("2027-03-03 10:01", Answer("deliver", "sent", "sms"))
    assert life.all("MessageSent", message=message)
