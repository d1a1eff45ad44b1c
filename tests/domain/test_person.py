"""The person: situations that last, outcomes measured, consent and messages, death and erasure."""

from uuid import UUID

import pytest
from pydantic import ValidationError

from journeys.domain import agenda
from journeys.domain import commands as c
from journeys.domain.decide import Accepted, decide
from journeys.domain.invariants import check
from journeys.domain.messages import why_not
from journeys.domain.record import SYSTEM
from journeys.domain.state import UNREACHED
from tests.domain.given import PERSON, Life, by, day, given, paris, plan, released, said, told
from tests.domain.lives import SEEDS, play
from tests.domain.test_grants import approved


def test_a_situation_has_a_value_since_a_day() -> None:
    released().when("2027-03-05", c.RecordSituation(situation="housing", value="relay", since=day("2027-03-02"))).then(
        said("SituationChanged", value="relay", since="2027-03-02")
    )
    released().when("2027-03-05", told(c.RecordSituation(situation="housing", value="relay"), "2027-03-03 10:00")).then(
        said("SituationChanged", since="2027-03-03")
    )


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (c.RecordSituation(situation="health", value="good"), "unknown-situation"),
        (c.RecordSituation(situation="housing", value="castle"), "unknown-value"),
        (c.RecordSituation(situation="housing", value="own", since=day("2027-03-06")), "in-the-future"),
        (c.Correct(what="situation", id="housing", to="own"), "nothing-to-correct"),
        (c.MeasureOutcome(measure="housed", number=2, value="yes"), "measure-ahead"),
        (c.MeasureOutcome(measure="housed", number=9, value="yes"), "unknown-measure"),
        (c.MeasureOutcome(measure="taxed", number=1, value="yes"), "unknown-measure"),
    ],
)
def test_what_cannot_be_said_of_a_situation(asked: c.Body, code: str) -> None:
    released().when("2027-03-05", asked).refused(code)


def test_unknown_is_always_allowed_and_is_not_no() -> None:
    life = (
        released()
        .when("2027-03-01 11:00", c.RecordSituation(situation="housing", value="unknown"))
        .when("2027-03-08 18:00")
    )
    life.then(said("OutcomeMeasured", number=1, day="2027-03-01", value="unknown"), also=True)


def test_an_outcome_is_of_the_day_it_measures_and_is_written_down_some_days_later() -> None:
    """Housed on the day of release, not any more on the day of writing."""
    life = released().when("2027-03-01 11:00", c.RecordSituation(situation="housing", value="relay"))
    life.when("2027-03-04", c.RecordSituation(situation="housing", value="none"))
    life.when("2027-03-08 18:00").then(
        said("OutcomeMeasured", measure="housed", number=1, day="2027-03-01", value="yes"), also=True
    )
    life.when("2027-06-08 18:00").then(said("OutcomeMeasured", number=2, day="2027-06-01", value="no"), also=True)


def test_nothing_said_is_unknown_and_may_be_written_down_by_hand() -> None:
    life = released().when("2027-03-08 18:00").then(said("OutcomeMeasured", value="unknown"), also=True)
    life.when("2027-03-09", c.MeasureOutcome(measure="housed", number=1, value="no")).then(
        said("OutcomeMeasured", value="no")
    )


def test_a_fact_told_later_changes_what_was_written_down() -> None:
    life = released().when("2027-03-08 18:00")
    life.when("2027-03-10", c.RecordSituation(situation="housing", value="own", since=day("2027-02-20"))).then(
        "SituationChanged", said("OutcomeMeasured", number=1, value="yes")
    )
    life.when("2027-03-11", c.Correct(what="situation", id="housing", to="none")).then(
        said("SituationCorrected", since="2027-02-20", value="none"), said("OutcomeMeasured", number=1, value="no")
    )
    life.when("2027-03-11", c.Correct(what="situation", id="housing", to="none")).refused("same-value")


def test_a_measure_after_a_suspension_looks_at_a_day_as_much_later() -> None:
    life = (
        released().when("2027-03-02", c.Suspend(why="custody")).when("2027-03-12", c.Resume()).when("2027-06-18 18:00")
    )
    assert [(data.number, data.day.isoformat()) for data in life.all("OutcomeMeasured")] == [
        (1, "2027-03-01"),
        (2, "2027-06-11"),
    ]


def test_a_measure_is_not_written_down_while_suspended() -> None:
    life = released().when("2027-03-02", c.Suspend(why="custody")).when("2027-03-20")
    assert not life.all("OutcomeMeasured")


# --- messages wanted or not


def test_opting_out_tells_the_referent_and_opting_in_ends_it() -> None:
    life = released().when("2027-03-02", by(PERSON, c.OptOut())).then("OptedOut", "EscalationRaised")
    assert life.state.opted_out
    life.when("2027-03-03", c.OptIn()).then("OptedIn", "EscalationResolved")
    assert not life.state.opted_out


def test_a_pause_ends_by_itself_at_the_end_of_its_last_day() -> None:
    life = (
        released()
        .when("2027-03-02", c.PauseMessages(until=day("2027-03-05")))
        .then(said("MessagesPaused", until="2027-03-06 00:00"))
    )
    life.when("2027-03-06 00:00").then(said("MessagesResumed", by_itself=True))
    released().when("2027-03-02", c.PauseMessages(until=day("2027-03-01"))).refused("in-the-past")


def test_a_pause_may_be_ended() -> None:
    life = released().when("2027-03-02", c.PauseMessages(until=day("2027-03-05")))
    life.when("2027-03-03", c.ResumeMessages()).then(said("MessagesResumed", by_itself=False))
    life.when("2027-03-06 00:00").then()


# --- death and erasure


def test_a_death_closes_the_journey_in_silence() -> None:
    life = released().when("2027-03-09", c.RecordDeath(on=day("2027-03-07"))).then(
        said("PersonDied", on="2027-03-07"), said("JourneyClosed", outcome="deceased", silent=True, on="2027-03-07"),
        "DeadlineCancelled", "ContactCancelled", also=True,
    ).never("MessageDue")  # fmt: skip
    life.when("2027-03-10", c.Reopen()).refused("died")
    given(("2027-01-11", plan())).when("2027-01-12", c.RecordDeath(on=day("2027-01-13"))).refused("in-the-future")


def test_a_death_told_after_an_outage_sends_nothing() -> None:
    """Dues catch up before the command; effects start when all of it is folded, and are then looked at again."""
    out = ("2027-03-01 10:00", c.ConfirmDate(date="release"))
    life = given(("2027-01-11 10:00", plan()), out, deliver=None).after_outage("2027-03-03 09:30", c.RecordDeath())
    waiting = {message.to: why_not(life.state, message, life.now) for message in life.state.messages.values()}
    assert waiting == {"participant": "died", "referent": "closed-silently"}


def test_an_erasure_is_asked_for_and_the_supervisor_is_told() -> None:
    released().when("2027-03-02", c.RequestErasure()).then("ErasureRequested", said("MessageDue", to="supervisor"))


def test_an_erasure_closes_what_is_open_and_nothing_happens_any_more() -> None:
    life = released().when("2027-03-02", c.Erase(reason="person-asked")).then(
        said("ErasureOrdered", reason="person-asked"), said("JourneyClosed", outcome="erased", silent=True),
        "DeadlineCancelled", "ContactCancelled", also=True,
    ).never("MessageDue")  # fmt: skip
    assert agenda.is_over(life.state)
    life.when("2027-03-03", c.Erase(reason="person-asked")).refused("erasing")
    life.when("2027-03-03", c.Reopen()).refused("erasing")


def test_an_erasure_of_a_closed_journey_waits_for_no_receipt_and_measures_nothing() -> None:
    life = approved().when("2027-03-20", c.Close(outcome="completed"))
    assert life.state.receipts and not agenda.is_over(life.state)
    life.when("2027-03-21", c.Erase(reason="kept-long-enough")).then("ErasureOrdered", "ReceiptWaived", also=True)
    assert agenda.is_over(life.state)


def test_an_erasure_sees_a_payment_under_way_through_and_asks_for_no_receipt() -> None:
    life = approved(instruct=("accepted", ""), enquire=("accepted", "")).when(
        "2027-03-20", c.Erase(reason="person-asked")
    )
    payment = next(iter(life.state.payments))
    assert not agenda.is_over(life.state)
    life.when("2027-03-22", c.RecordReceipt(of="payment", id=payment, said="settled")).never("ReceiptDue")
    assert agenda.is_over(life.state)


@pytest.mark.parametrize("seed", SEEDS[:8])
def test_whatever_a_life_came_to_it_can_be_erased_and_every_rule_holds(seed: int) -> None:
    life = play(seed)
    asked = c.Command(
        id=str(UUID(int=1)), stream=life.state.stream, body=c.Erase(reason="by-mistake"), actor=SYSTEM,
        roles=(SYSTEM,), occurred_at=life.now, signed_at=life.now,
    )  # fmt: skip
    found = decide(life.state, asked, life.now, life.book)
    assert isinstance(found, Accepted)
    over = agenda.is_over(found.state)
    assert check([*life.events, *found.events], book=life.book, outages=life.outages, complete=over) == []
    assert over or found.state.effects or any(paid.status.open for paid in found.state.payments.values())


# --- how the person is reached


def test_an_opt_out_is_a_task_for_the_referent_until_they_agree_on_another_way_or_the_person_opts_in() -> None:
    about = {"kind": "consent", "id": "opted-out"}
    life = released().when("2027-03-02", by(PERSON, c.OptOut()))
    life.then("OptedOut", said("EscalationRaised", about=about, to="referent", ladder="standard"))
    life.when("2027-03-02 13:00", c.OptOut()).then("OptedOut")
    life.when("2027-03-03", c.OptIn()).then("OptedIn", said("EscalationResolved", how="opted-in"))
    life.when("2027-03-04", c.OptOut()).then("OptedOut", "EscalationRaised")
    settled = c.ResolveEscalation(escalation=life.about("consent", "opted-out"))
    life.when("2027-03-05", settled).then(said("EscalationResolved", how="by-hand"))
    life.when("2027-03-06", c.OptIn()).then("OptedIn")


@pytest.mark.parametrize(
    ("reason", "dead"),
    [("mail-550", True), ("dead-number", True), ("blocked-number", True), ("no-address", False), ("sms-402", False)],
)
def test_an_address_that_will_never_work_is_a_task_for_the_referent(reason: str, dead: bool) -> None:
    life = released(deliver=None).when("2027-03-03 09:00")
    (seq,) = [seq for seq, effect in life.state.effects.items() if effect.data.get("to") == "participant"]
    life.outcome("2027-03-03 09:01", seq, "failed", reason)
    assert bool(life.all("EscalationRaised", about={"kind": "consent", "id": "address-dead"})) is dead


def alerts(life: Life) -> int:
    """How often somebody was to ask for a number or an address."""
    return len(life.all("EscalationRaised", about={"kind": "consent", "id": "address-dead"}))


def sent(life: Life, at: str, *passed: str) -> Life:
    """What is owed to the person leaves, after other channels will not take it for these reasons."""
    (seq,) = [seq for seq, effect in life.when(at).state.effects.items() if effect.data.get("to") == "participant"]
    return life.outcome(at, seq, "sent", "mail", passed)


@pytest.mark.parametrize(
    ("reason", "dead"),
    [
        ("dead-number", 1), ("blocked-number", 1), ("bad-number-short", 1), ("bad-address", 1), ("mail-550", 1),
        ("mail-5-1-1", 1), ("known-dead", 1),
        ("mail-5-7-1", 0), ("mail-5-2-2", 0), ("mail-554", 0), ("sms-too-long", 0),
    ],
)  # fmt: skip
def test_a_dead_number_or_mailbox_is_a_task_also_where_another_channel_takes_the_message(
    reason: str, dead: int
) -> None:
    life = sent(released(deliver=None), "2027-03-03 09:00", reason)
    assert alerts(life) == dead
    assert life.last("MessageSent").dead == ((reason,) if dead else ())


def test_it_is_a_task_once_a_number_and_not_with_each_message() -> None:
    life = released(deliver=None)
    for on in ("2027-03-09", "2027-03-12", "2027-03-16", "2027-03-19"):
        life.when("2027-03-02", c.BookAppointment(at=paris(f"{on} 14:00")))
    sent(life, "2027-03-03 09:00", "dead-number")
    first = life.about("consent", "address-dead")
    sent(life, "2027-03-08 18:00", "known-dead").when("2027-03-09", c.ResolveEscalation(escalation=first))
    assert alerts(sent(life, "2027-03-11 18:00", "known-dead")) == 1
    assert alerts(sent(life, "2027-03-15 18:00", "dead-number")) == 2, "the one that they gave since"


def test_what_arrives_by_another_channel_does_not_end_it() -> None:
    life = sent(released(deliver=None), "2027-03-03 09:00", "mail-5-1-1")
    arrived = c.RecordReceipt(of="message", id=life.last("MessageSent").message, said="delivered")
    life.when("2027-03-03 10:00", arrived).then("MessageDelivered")


def gone(life: Life, at: str, passed: dict[str, str], by: str = "sms", alive: tuple[str, ...] = ()) -> str:
    """A message to the person leaves by one of their channels, after these would not take it."""
    (seq,) = [seq for seq, effect in life.when(at).state.effects.items() if effect.data.get("to") == "participant"]
    life.outcome(at, seq, "sent", by, tuple(passed.values()), passed_by=tuple(passed), alive=alive, by=by)
    return str(life.last("MessageSent").message)


def receipt(life: Life, at: str, message: str, said: str) -> Life:
    return life.when(at, c.RecordReceipt(of="message", id=message, said=said, reason="dead-number"))


def booked(*days: str) -> Life:
    life = released(deliver=None)
    for on in days:
        life.when("2027-03-02", c.BookAppointment(at=paris(f"{on} 14:00")))
    return life


def asking(life: Life) -> bool:
    return any(each.about == UNREACHED for each in life.state.escalations.values())


def test_what_arrives_by_the_channel_that_it_is_about_ends_it_although_another_is_dead() -> None:
    life = booked("2027-03-09", "2027-03-12")
    first = gone(life, "2027-03-03 09:00", {"mail": "known-dead"})
    receipt(life, "2027-03-03 10:00", first, "delivered")
    assert asking(life), "somebody has still to ask for a mailbox"
    life.when("2027-03-04", c.ResolveEscalation(escalation=life.about("consent", "address-dead")))
    receipt(life, "2027-03-08 19:00", gone(life, "2027-03-08 18:00", {"mail": "known-dead"}), "bounced")
    assert asking(life)
    receipt(life, "2027-03-11 19:00", gone(life, "2027-03-11 18:00", {"mail": "known-dead"}), "delivered")
    assert not asking(life) and alerts(life) == 2


@pytest.mark.parametrize("why", ["known-dead", "bad-number-abroad"])
def test_a_letter_or_another_channel_that_tries_no_other_leaves_a_dead_one_as_it_was(why: str) -> None:
    life = booked("2027-03-09", "2027-03-12")
    gone(life, "2027-03-03 09:00", {"sms": why}, "mail")
    life.when("2027-03-04", c.ResolveEscalation(escalation=life.about("consent", "address-dead")))
    gone(life, "2027-03-08 18:00", {}, "letter", ("letter",))
    gone(life, "2027-03-11 18:00", {"sms": why}, "mail")
    assert alerts(life) == 1, "it was asked for already"


def test_another_number_than_the_dead_one_is_one_more_to_ask_for_once_it_is_dead_too() -> None:
    life = booked("2027-03-09", "2027-03-12")
    gone(life, "2027-03-03 09:00", {"sms": "known-dead"}, "mail")
    life.when("2027-03-04", c.ResolveEscalation(escalation=life.about("consent", "address-dead")))
    gone(life, "2027-03-08 18:00", {}, "mail", ("mail", "sms"))
    assert life.last("MessageSent").mended == ("sms",)
    gone(life, "2027-03-11 18:00", {"sms": "known-dead"}, "mail")
    assert alerts(life) == 2


def test_what_came_back_before_our_own_word_is_about_the_channel_by_which_it_left() -> None:
    life = booked("2027-03-09", "2027-03-12")
    gone(life, "2027-03-03 09:00", {}, "sms", ("sms", "mail"))
    life.when("2027-03-08 18:00")
    ((seq, effect),) = [each for each in life.state.effects.items() if each[1].data.get("to") == "participant"]
    receipt(life, "2027-03-08 18:01", effect.id, "bounced")
    life.outcome("2027-03-08 18:02", seq, "sent", "sms", by="sms", alive=("sms", "mail"))
    assert life.state.asked_anew == ("sms",) and asking(life)
    receipt(life, "2027-03-11 19:00", gone(life, "2027-03-11 18:00", {"sms": "known-dead"}, "mail"), "delivered")
    assert asking(life), "another channel says nothing of it"


def test_a_message_that_fails_by_all_is_no_reason_to_pass_over_a_dead_number() -> None:
    life = released(deliver=None).when("2027-03-03 09:00")
    (seq,) = [seq for seq, effect in life.state.effects.items() if effect.data.get("to") == "participant"]
    assert alerts(life.outcome("2027-03-03 09:01", seq, "failed", "mail-unreachable", ("dead-number",))) == 1


def test_what_comes_back_raises_it_once_and_what_arrives_ends_it() -> None:
    life = released().when("2027-03-03 09:00")
    message = life.last("MessageDue", to="participant").message
    to_staff = life.last("MessageDue", to="referent").message
    bounced = c.RecordReceipt(of="message", id=message, said="bounced")
    life.when("2027-03-03 10:00", c.RecordReceipt(of="message", id=to_staff, said="bounced")).then("MessageBounced")
    life.when("2027-03-03 10:01", bounced).then("MessageBounced", "EscalationRaised")
    life.when("2027-03-03 10:02", bounced).then()
    life.when("2027-03-03 11:00", c.RecordReceipt(of="message", id=message, said="delivered")).then(
        "MessageDelivered", said("EscalationResolved", how="delivered")
    )


def test_wishes_are_the_persons_and_move_the_hours_of_what_is_written_to_them() -> None:
    life = released().when("2027-03-02", by(PERSON, c.RecordWishes(channel="sms", zone="America/Cayenne")))
    life.then(said("WishesRecorded", channel="sms", language=None, zone="America/Cayenne"))
    life.when("2027-03-03 09:00").then(said("MessageDeferred", until="2027-03-03 12:00"), also=True)
    life.when("2027-03-03 13:00", c.RecordWishes(language="en"))
    assert life.state.zone == "America/Cayenne"
    life.when("2027-03-04", c.Close(outcome="moved")).when("2027-03-05", c.RecordWishes(channel="letter"))
    assert life.all("WishesRecorded", channel="letter")
    life.when("2027-03-06", c.RecordWishes()).refused("no-wish")


@pytest.mark.parametrize("said", [{"zone": "America"}, {"zone": "Mars/Olympus"}, {"channel": "pigeon"}])
def test_wishes_for_what_does_not_exist_are_none(said: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        c.RecordWishes.model_validate(said)
