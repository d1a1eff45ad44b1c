"""Ladders: who is told, when it climbs, when it holds, and that somebody always hears."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from journeys.domain import commands as c
from journeys.domain.sending import SPREAD, spread
from journeys.domain.summary import HELD, Item, summary
from tests.domain.given import (
    DUTY,
    FINANCE,
    OTHER_REFERENT,
    REFERENT,
    STREAM,
    SUPERVISOR,
    Answer,
    Life,
    book_of,
    by,
    day,
    given,
    paris,
    plan,
    released,
    said,
)

OFFICE = """
programme: small
label: petit
ladders:
  office:
    acknowledged_for: 2 working days
    steps: [{to: referent, after: 0 hours}, {to: supervisor, after: 4 hours}, {to: duty, after: 12 hours}]
  days:
    steps:
      - {to: referent, after: 0 hours, fallback: [supervisor]}
      - {to: supervisor, after: 3 working days}
      - {to: duty, after: 8 working days, repeat: 10 working days, times: 2}
milestones:
  hours: {label: heures, due: 3 working days after start, missed: office}
  call: {label: appel, due: 10 working days after start, missed: days}
"""


def missed(at: str = "2027-01-14 18:00", **world: object) -> Life:
    """Started on Monday 11 January 2027: `hours` is missed on the 14th, `call` on the 25th."""
    life = given(("2027-01-11 10:00", plan(None)), book=book_of(OFFICE), **world)  # type: ignore[arg-type]
    return life.when(at)


def test_the_first_step_is_told_at_once() -> None:
    life = missed().then(
        "DeadlineMissed", said("EscalationRaised", ladder="office", to="referent", next_at="2027-01-15 13:00")
    )
    assert life.all("EscalationTold", step=0, role="referent")


def test_hours_count_while_the_office_is_open() -> None:
    life = (
        missed()
        .when("2027-01-15 13:00")
        .then(said("EscalationClimbed", step=1, to="supervisor", next_at="2027-01-18 12:00"))
    )
    life.when("2027-01-18 12:00").then(said("EscalationClimbed", step=2, to="duty", next_at=None))


def test_days_end_when_the_office_opens() -> None:
    """The miss at 18:00 is after the cut-off: day 0 is the 26th."""
    life = missed("2027-01-25 18:00").then(
        "DeadlineMissed", said("EscalationRaised", ladder="days", next_at="2027-01-29 09:00")
    )
    life.when("2027-01-29 09:00").then(said("EscalationClimbed", step=1, to="supervisor", next_at="2027-02-05 09:00"))


def test_where_the_programme_spreads_each_journey_climbs_at_its_own_moment() -> None:
    """Nine o'clock is one instant for all that was missed two days before, or since the office closed."""
    book = book_of(OFFICE.replace("label: petit\n", "label: petit\nclock: {spread: 30 minutes}\n"))

    def own(at: str) -> datetime:
        moment = spread(paris(at), SPREAD, STREAM)
        assert moment > paris(at)
        return moment

    life = given(("2027-01-11 10:00", plan(None)), book=book).when("2027-01-14 18:04")
    assert life.state.escalations[life.about("milestone", "hours")].next_at == own("2027-01-15 13:00")
    life.when("2027-01-25 18:04").when(own("2027-01-29 09:00")).then(said("EscalationClimbed", step=1), also=True)
    assert life.state.escalations[life.about("milestone", "call")].next_at == own("2027-02-05 09:00")


def test_the_last_step_repeats_a_bounded_number_of_times_and_is_told_again_at_each_review() -> None:
    life = missed("2027-02-05 09:00").then(
        said("EscalationClimbed", step=2, repeat=0, next_at="2027-02-19 09:00"), also=True
    )
    life.when("2027-02-19 09:00").then(said("EscalationClimbed", step=2, repeat=1, next_at="2027-03-05 09:00"))
    life.when("2027-03-05 09:00").then(said("EscalationClimbed", step=2, repeat=2, next_at=None))
    about = life.about("milestone", "call")
    life.when("2027-03-11 09:00").then(
        said("ReviewDue", found=["ladder-spent", "nothing-planned"]),
        said("EscalationClimbed", escalation=about, repeat=3),
        also=True,
    )
    life.when("2027-04-12 09:00")
    assert len(life.all("EscalationClimbed", escalation=about)) == 6
    assert life.state.escalations[about].spent


def test_an_urgent_ladder_counts_elapsed_hours() -> None:
    life = (
        released()
        .when("2027-03-04 18:00")
        .then("DeadlineMissed", said("EscalationRaised", urgent=True, next_at="2027-03-04 22:00"))
    )
    life.when("2027-03-04 22:00").then(said("EscalationClimbed", step=1, next_at="2027-03-08 09:00"))


def test_after_an_outage_a_ladder_climbs_once_and_counts_the_next_step_from_then() -> None:
    life = missed("2027-01-26 10:00").after_outage("2027-02-15 11:00")
    life.then(
        said("EscalationClimbed", escalation=life.about("milestone", "call"), step=1, next_at="2027-02-22 09:00"),
        also=True,
    )
    assert len(life.all("EscalationClimbed", escalation=life.about("milestone", "call"))) == 1


def test_nobody_at_a_step_climbs_at_once() -> None:
    life = (
        missed(tell=None)
        .when("2027-01-14 18:01", Answer("tell", "untold", "vacant"))
        .then(
            said("EscalationUntold", step=0),
            said("EscalationClimbed", step=1, to="supervisor", next_at="2027-01-15 17:00"),
        )
    )
    life.when("2027-01-14 18:02", Answer("tell", "untold", "vacant")).then(
        "EscalationUntold", said("EscalationClimbed", step=2)
    )
    life.when("2027-01-14 18:03", Answer("tell", "untold", "vacant")).then(
        said("EscalationUntold", step=2)
    )  # the last resort


def test_a_step_that_was_left_behind_is_not_climbed_from() -> None:
    """The answer for the first step comes when the second has been told already."""
    life = missed(tell=None)
    life.when("2027-01-15 13:00").then("EscalationClimbed")
    life.when("2027-01-15 13:01", Answer("tell", "told")).then(said("EscalationTold", step=1))
    life.when("2027-01-15 13:02", Answer("tell", "untold")).then(said("EscalationUntold", step=0))


def test_acknowledging_stops_the_climb_for_a_bounded_time() -> None:
    life = missed()
    about = life.about("milestone", "hours")
    life.when("2027-01-15 10:00", c.AcknowledgeEscalation(escalation=about, until=day("2027-01-20"))).refused(
        "acknowledged-too-long", until="2027-01-19"
    )
    life.when("2027-01-15 10:00", c.AcknowledgeEscalation(escalation=about, until=day("2027-01-15"))).refused(
        "in-the-past"
    )
    life.when("2027-01-15 10:00", c.AcknowledgeEscalation(escalation=about)).then(
        said("EscalationAcknowledged", until="2027-01-19 09:00")
    )
    life.when("2027-01-15 13:00").then()
    life.when("2027-01-19 09:00").then(said("EscalationClimbed", step=1))


def test_given_to_somebody_else_that_one_is_told() -> None:
    life = missed()
    about = life.about("milestone", "hours")
    told = len(life.all("EscalationTold"))
    life.when("2027-01-15 10:00", by(DUTY, c.ReassignEscalation(escalation=about, to=OTHER_REFERENT))).then(
        "EscalationReassigned"
    )
    assert len(life.all("EscalationTold")) == told + 1


def test_the_fact_is_immediate_but_nobody_is_told_at_night() -> None:
    life = missed()
    about = life.about("milestone", "hours")
    life.when("2027-01-15 22:00", by(DUTY, c.ReassignEscalation(escalation=about, to=OTHER_REFERENT))).then(
        "EscalationReassigned", said("EscalationDeferred", until="2027-01-16 08:00")
    )
    told = len(life.all("EscalationTold"))
    life.when("2027-01-16 07:00")
    assert len(life.all("EscalationTold")) == told
    life.when("2027-01-16 09:00")
    assert len(life.all("EscalationReady")) == 1
    assert len(life.all("EscalationTold")) == told + 1


def test_an_urgent_ladder_tells_at_night() -> None:
    life = released().when("2027-03-03 23:30", c.AddNote())
    about = next(id for id, known in life.state.escalations.items() if known.urgent)
    life.when("2027-03-03 23:45", by(SUPERVISOR, c.ReassignEscalation(escalation=about, to=OTHER_REFERENT))).then(
        "EscalationReassigned"
    )


def test_it_is_resolved_with_a_reason_by_whoever_has_the_right() -> None:
    life = missed()
    about = life.about("milestone", "hours")
    life.when("2027-01-15 10:00", by(FINANCE, c.ResolveEscalation(escalation=about))).then(
        said("EscalationResolved", how="by-hand")
    )
    life.when("2027-01-15 10:00", c.ResolveEscalation(escalation=about)).refused("unknown-escalation")
    life.when("2027-01-15 10:00", by(SUPERVISOR, c.ReassignEscalation(escalation=about, to=DUTY))).refused(
        "unknown-escalation"
    )


def test_at_night_only_an_urgent_ladder_wakes_somebody() -> None:
    """Given to somebody else at 23:00, that one is told in the morning. The first meeting's ladder is urgent."""
    life = missed()
    about = life.about("milestone", "hours")
    life.when("2027-01-14 23:00", by(DUTY, c.ReassignEscalation(escalation=about, to=OTHER_REFERENT))).then(
        "EscalationReassigned", said("EscalationDeferred", until="2027-01-15 08:00")
    )
    told = len(life.all("EscalationTold"))
    life.when("2027-01-15 08:00").then("EscalationReady")
    assert len(life.all("EscalationTold")) == told + 1
    released().when("2027-03-04 22:00").then(said("EscalationClimbed", step=1)).never("EscalationDeferred")


def test_what_waits_for_the_morning_is_not_told_once_it_is_resolved() -> None:
    life = missed()
    about = life.about("milestone", "hours")
    life.when("2027-01-14 23:00", by(DUTY, c.ReassignEscalation(escalation=about, to=OTHER_REFERENT)))
    life.when("2027-01-15 07:00", c.ResolveEscalation(escalation=about)).when("2027-01-15 08:00").then()


def test_an_alert_waits_on_whoever_was_told_of_it() -> None:
    """The fallback's where nobody holds the step's role; the step's own again once it climbs."""
    life = missed(tell=None)
    assert role_on_the_board(life) == "referent"
    life.when("2027-01-14 18:01", Answer("tell", "told", role="supervisor"))
    assert role_on_the_board(life) == "supervisor"
    life.when("2027-01-18 12:00")
    assert role_on_the_board(life) == "duty"


def test_handed_on_it_is_with_that_one_until_it_climbs() -> None:
    life = missed(tell=None)
    life.when("2027-01-14 18:01", Answer("tell", "told"))
    hand_on = c.ReassignEscalation(escalation=life.about("milestone", "hours"), to=OTHER_REFERENT)
    life.when("2027-01-15 10:00", by(DUTY, hand_on))
    assert role_on_the_board(life) == OTHER_REFERENT, "before that one is told"
    life.when("2027-01-15 10:01", Answer("tell", "told", role=OTHER_REFERENT))
    assert role_on_the_board(life) == OTHER_REFERENT
    assert summary(life.state, life.book).waits_on == (OTHER_REFERENT,)
    life.when("2027-01-15 14:00")
    assert role_on_the_board(life) == "supervisor"


def test_an_older_telling_that_ends_late_takes_the_alert_from_nobody() -> None:
    """Mail was away: the telling of the step that goes on, and that of whoever has it now, end before the older one."""
    life = missed(tell=None).when("2027-01-15 13:00")
    life.when("2027-01-15 13:01", Answer("tell", "told", role="supervisor"))
    life.when("2027-01-15 13:02", Answer("tell", "told", role="referent")).then(said("EscalationTold", step=0))
    assert role_on_the_board(life) == "supervisor"
    life = missed(tell=None).when("2027-01-14 18:01")
    hand_on = c.ReassignEscalation(escalation=life.about("milestone", "hours"), to=OTHER_REFERENT)
    life.when("2027-01-15 10:00", by(DUTY, hand_on))
    life.when("2027-01-15 10:01", Answer("tell", "told", role=OTHER_REFERENT))
    life.when("2027-01-15 10:02", Answer("tell", "told", role="referent")).then(said("EscalationTold", step=0))
    assert role_on_the_board(life) == OTHER_REFERENT


@pytest.mark.parametrize("answer", ["told", "untold"])
def test_an_older_telling_that_ends_late_leaves_the_next_step_its_digest(answer: str) -> None:
    life = given(("2027-01-11 10:00", plan(None)), book=TOGETHER, tell=None).when("2027-01-26 09:40")
    about = life.about("milestone", "call")
    life.when("2027-01-29 09:00").then(
        said("EscalationClimbed", step=1), said("EscalationDeferred", digest="2027-01-29 09:30")
    )
    life.when("2027-01-29 09:10", Answer("tell", answer))
    assert life.state.escalations[about].digest == paris("2027-01-29 09:30")


def test_an_older_telling_that_is_put_off_puts_off_nothing_of_whoever_has_it_now() -> None:
    life = given(("2027-01-11 10:00", plan(None)), book=TOGETHER, tell=None).when("2027-01-26 09:40")
    hand_on = c.ReassignEscalation(escalation=life.about("milestone", "call"), to=OTHER_REFERENT)
    life.when("2027-01-26 10:00", by(SUPERVISOR, hand_on)).then(
        "EscalationReassigned", said("EscalationDeferred", digest="2027-01-27 09:30")
    )
    life.when("2027-01-26 10:01", Answer("tell", "deferred")).then(said("EscalationUntold", reason="overtaken"))
    assert life.state.escalations[life.about("milestone", "call")].digest == paris("2027-01-27 09:30")


@pytest.mark.parametrize("act", ["acknowledge", "snooze", "hand on"])
def test_a_telling_that_fails_late_climbs_over_nobody_who_has_it_in_hand(act: str) -> None:
    """The relay was away, and then refuses the first address for good."""
    life = missed("2027-01-25 18:00", tell=None)
    about = life.about("milestone", "call")
    ask = {
        "acknowledge": c.AcknowledgeEscalation(escalation=about),
        "snooze": snooze("2027-01-28"),
        "hand on": c.ReassignEscalation(escalation=about, to=OTHER_REFERENT),
    }[act]
    life.when("2027-01-26 10:00", by(SUPERVISOR, ask))
    if act == "hand on":
        life.when("2027-01-26 10:01", Answer("tell", "told", role=OTHER_REFERENT))
    before = life.state.escalations[about]
    life.when("2027-01-26 10:02", Answer("tell", "untold", "undeliverable")).then("EscalationUntold")
    assert life.state.escalations[about] == before
    assert before.next_at is not None
    life.when(before.next_at).then(said("EscalationClimbed", step=1), also=True)


def role_on_the_board(life: Life) -> str:
    return next(item.role for item in summary(life.state, life.book).board if item.kind == "escalation")


# --- one digest a day and recipient

_WITH_DIGEST = OFFICE.replace("label: petit\n", 'label: petit\nclock: {digest: "09:30"}\n')
TOGETHER = book_of(_WITH_DIGEST)
WITHIN_HOURS = book_of(_WITH_DIGEST.replace("due: 3 working days after start", "due: 48 hours after start"))
"""A step is missed on the morning of a day, and its ladder goes on in the afternoon."""


def test_what_is_not_urgent_is_told_with_the_next_digest() -> None:
    """Missed on a Monday at closing: the journey asks a few minutes after the digest of Tuesday has left."""
    life = given(("2027-01-11 10:00", plan(None)), book=TOGETHER).when("2027-01-25 18:00")
    life.then(
        "DeadlineMissed", said("EscalationRaised", ladder="days"),
        said("EscalationDeferred", digest="2027-01-26 09:30"),
    )  # fmt: skip
    (deferred,) = life.all("EscalationDeferred", digest="2027-01-26 09:30")
    assert paris("2027-01-26 09:35") <= deferred.until <= paris("2027-01-26 09:40")
    life.when("2027-01-26 09:30").then()
    about = life.about("milestone", "call")
    assert not life.all("EscalationTold", escalation=about)
    assert life.when("2027-01-26 09:40").all("EscalationTold", escalation=about, step=0)
    assert life.state.escalations[life.about("milestone", "call")].digest is None


def test_no_digest_is_waited_for_by_a_step_that_goes_on_before_it() -> None:
    """Missed on a Wednesday at ten, the ladder goes on at two in the afternoon: Thursday morning would be too late."""
    life = given(("2027-01-11 10:00", plan(None)), book=WITHIN_HOURS).when("2027-01-13 10:00")
    life.then("DeadlineMissed", said("EscalationRaised", next_at="2027-01-13 14:00"))
    assert life.when("2027-01-13 10:01").all("EscalationTold", step=0)
    life.when("2027-01-13 14:00").then(
        said("EscalationClimbed", step=1, next_at="2027-01-14 13:00"),
        said("EscalationDeferred", digest="2027-01-14 09:30"),
    )
    assert life.when("2027-01-14 09:40").all("EscalationTold", step=1)


def test_a_digest_leaves_on_working_days_only() -> None:
    life = given(("2027-01-11 10:00", plan(None)), book=TOGETHER).when("2027-01-14 18:00")
    assert life.all("EscalationDeferred", digest="2027-01-15 09:30")
    life.when("2027-01-15 13:00")
    assert life.all("EscalationClimbed", step=1) and life.all("EscalationDeferred", digest="2027-01-18 09:30")


def test_a_step_that_begins_in_the_morning_is_told_the_same_day() -> None:
    life = given(("2027-01-11 10:00", plan(None)), book=TOGETHER).when("2027-01-29 09:00")
    assert life.all("EscalationClimbed", step=1) and life.all("EscalationDeferred", digest="2027-01-29 09:30")


def test_who_had_the_digest_of_the_day_is_told_with_the_next() -> None:
    life = given(("2027-01-11 10:00", plan(None)), book=TOGETHER, tell=None).when("2027-01-26 09:40")
    life.when("2027-01-26 09:41", Answer("tell", "deferred", "")).then(
        said("EscalationDeferred", digest="2027-01-27 09:30")
    )
    life.when("2027-01-27 09:40")
    assert len(life.all("EscalationReady", escalation=life.about("milestone", "call"))) == 2
    life.when("2027-01-27 09:41", Answer("tell", "told", "")).then("EscalationTold")


def test_where_nobody_could_be_told_no_digest_is_waited_for() -> None:
    life = given(("2027-01-11 10:00", plan(None)), book=TOGETHER, tell=None)
    for day_of in ("26", "27", "28"):
        life.when(f"2027-01-{day_of} 09:40").when(f"2027-01-{day_of} 09:41", Answer("tell", "untold", "vacant"))
    assert life.all("EscalationUntold", escalation=life.about("milestone", "call"), step=2)
    assert life.state.escalations[life.about("milestone", "call")].digest is None


def test_the_digest_leaves_out_what_somebody_has_in_hand() -> None:
    life = given(("2027-01-11 10:00", plan(None)), book=TOGETHER).when("2027-01-25 18:00")
    about = life.about("milestone", "call")
    life.when("2027-01-26 09:00", c.AcknowledgeEscalation(escalation=about, until=day("2027-01-28")))
    life.when("2027-01-27 12:00")
    assert life.all("EscalationReady", escalation=about)
    assert life.all("EscalationDeferred", escalation=about, until="2027-01-28 09:00")
    assert not life.all("EscalationTold", escalation=about)
    life.when("2027-01-28 09:00").then("EscalationReady", said("EscalationDeferred", digest="2027-01-28 09:30"))
    assert life.when("2027-01-28 09:40").all("EscalationTold", escalation=about, step=0)
    life.when("2027-01-29 09:00").then(said("EscalationClimbed", step=1), "EscalationDeferred")


def in_charge() -> Life:
    """Taken in charge before its digest, until Thursday: the telling waits for that."""
    life = given(("2027-01-11 10:00", plan(None)), book=TOGETHER).when("2027-01-25 18:00")
    take = c.AcknowledgeEscalation(escalation=life.about("milestone", "call"), until=day("2027-01-28"))
    return life.when("2027-01-26 09:00", take).when("2027-01-26 12:00")


@pytest.mark.parametrize("more", [c.AcknowledgeEscalation, c.SnoozeEscalation])
def test_what_is_kept_in_hand_for_longer_is_not_told_meanwhile(more: Callable[..., c.Body]) -> None:
    life = in_charge()
    about = life.about("milestone", "call")
    life.when("2027-01-27 12:00", more(escalation=about, until=day("2027-01-29"))).when("2027-01-28 12:00")
    assert life.all("EscalationDeferred", escalation=about, until="2027-01-29 09:00")
    life.when("2027-01-29 09:00").then(said("EscalationClimbed", step=1), "EscalationDeferred")
    assert life.when("2027-01-29 09:40").all("EscalationTold", escalation=about, step=1)
    assert not life.all("EscalationTold", escalation=about, step=0)


@pytest.mark.parametrize(
    ("resumed", "ends", "goes_on"),
    [("2027-01-27 12:00", "2027-01-29", "2027-02-01 09:00"), ("2027-02-03 12:00", "2027-02-05", "2027-02-08 09:00")],
)
def test_a_suspension_holds_the_time_for_which_somebody_has_it_in_hand(resumed: str, ends: str, goes_on: str) -> None:
    """Suspended with two working days left of it: neither meanwhile nor in these days is anybody told."""
    life = in_charge().when("2027-01-26 12:00", c.Suspend(why="hospital"))
    about = life.about("milestone", "call")
    life.when(resumed, c.Resume()).when(f"{ends} 09:00")
    assert not life.all("EscalationTold", escalation=about)
    assert life.when(f"{ends} 09:40").all("EscalationTold", escalation=about, step=0)
    life.when(goes_on).then(said("EscalationClimbed", escalation=about, step=1), also=True)


def test_what_is_taken_in_charge_in_the_night_is_not_told_in_the_morning() -> None:
    life = missed()
    about = life.about("milestone", "hours")
    life.when("2027-01-14 23:00", by(DUTY, c.ReassignEscalation(escalation=about, to=OTHER_REFERENT)))
    told = len(life.all("EscalationTold"))
    life.when("2027-01-14 23:10", c.AcknowledgeEscalation(escalation=about)).when("2027-01-15 12:00")
    assert len(life.all("EscalationTold")) == told


def test_what_is_taken_in_charge_once_the_digest_has_left_was_told_with_it() -> None:
    life = given(("2027-01-11 10:00", plan(None)), book=TOGETHER).when("2027-01-25 18:00")
    about = life.about("milestone", "call")
    life.when("2027-01-26 09:31", c.AcknowledgeEscalation(escalation=about))
    assert life.when("2027-01-26 09:40").all("EscalationTold", escalation=about, step=0)


def test_after_an_outage_that_ends_at_night_the_next_digest_tells_it() -> None:
    life = given(("2027-01-11 10:00", plan(None)), book=TOGETHER).when("2027-01-25 18:00")
    life.after_outage("2027-01-27 23:00").then(
        "EscalationReady", said("EscalationDeferred", digest="2027-01-28 09:30"), also=True
    )


def test_what_is_urgent_waits_for_no_digest() -> None:
    life = given(("2027-01-11 10:00", plan(None)),
                 book=book_of(_WITH_DIGEST.replace("  days:\n", "  days:\n    urgent: true\n")))  # fmt: skip
    life.when("2027-01-25 18:00").then("DeadlineMissed", "EscalationRaised")
    assert life.when("2027-01-25 18:01").all("EscalationTold", step=0)


def test_a_volunteer_is_told_of_each_matter_by_itself() -> None:
    text = _WITH_DIGEST.replace(
        "{to: referent, after: 0 hours, fallback: [supervisor]}", "{to: mentor, after: 0 hours, fallback: [supervisor]}"
    )
    life = given(("2027-01-11 10:00", plan(None)), book=book_of(text))
    life.when("2027-01-25 18:00").then("DeadlineMissed", said("EscalationRaised", to="mentor"))


# --- put off


def snooze(until: str) -> Callable[[Life], c.Body]:
    return lambda life: c.SnoozeEscalation(escalation=life.about("milestone", "call"), until=day(until))


def test_what_is_put_off_goes_on_when_its_time_is_over() -> None:
    life = missed("2027-01-25 18:00").when("2027-01-26 10:00", snooze("2027-01-29"))
    life.then(said("EscalationSnoozed", until="2027-01-29 09:00"))
    assert [each.parts for each in life.new if each.kind == "EscalationSnoozed"] != [{}], "why is kept"
    life.when("2027-01-29 09:00").then(said("EscalationClimbed", step=1))


def test_until_a_saturday_is_until_the_office_opens_again() -> None:
    life = missed("2027-01-29 09:00").when("2027-01-29 10:00", by(SUPERVISOR, snooze("2027-01-30")))
    life.then(said("EscalationSnoozed", until="2027-02-01 09:00"))
    life = missed()
    take = c.AcknowledgeEscalation(escalation=life.about("milestone", "hours"), until=day("2027-01-16"))
    life.when("2027-01-15 10:00", take).then(said("EscalationAcknowledged", until="2027-01-18 09:00"))
    urgent = given(
        ("2027-01-11 10:00", plan(None)), book=book_of(OFFICE.replace("  days:\n", "  days:\n    urgent: true\n"))
    )
    urgent.when("2027-01-29 10:00", by(SUPERVISOR, snooze("2027-01-30"))).then(
        said("EscalationSnoozed", until="2027-01-30 09:00")
    )


def test_it_is_put_off_within_the_bound_of_its_step_however_often() -> None:
    """It was to go on on Friday 29 January: three working days behind that."""
    life = missed("2027-01-25 18:00").when("2027-01-26 10:00", snooze("2027-02-04"))
    life.refused("snoozed-too-long", until="2027-02-03")
    life.when("2027-01-26 11:00", snooze("2027-02-02")).then("EscalationSnoozed")
    life.when("2027-02-01 11:00", snooze("2027-02-04")).refused("snoozed-too-long", until="2027-02-03")
    life.when("2027-02-01 12:00", snooze("2027-01-26")).refused("in-the-past")
    life.when("2027-02-02 09:00").then(said("EscalationClimbed", step=1, next_at="2027-02-09 09:00"))
    life.when("2027-02-03 10:00", by(SUPERVISOR, snooze("2027-02-12"))).then(
        "EscalationSnoozed"
    )  # a step of its own, with a bound of its own


@pytest.mark.parametrize("act", [c.SnoozeEscalation, c.AcknowledgeEscalation])
def test_whoever_takes_it_in_hand_brings_no_step_forward(act: Callable[..., c.Body]) -> None:
    life = missed("2027-01-25 18:00")
    about = life.about("milestone", "call")
    life.when("2027-01-26 10:00", act(escalation=about, until=day("2027-01-28")))
    (held,) = [each.data for each in life.new]
    assert (held.until, held.next_at) == (paris("2027-01-28 09:00"), paris("2027-01-29 09:00"))  # type: ignore[attr-defined]
    assert shown(life).held_until == paris("2027-01-28 09:00")
    life.when("2027-01-28 10:00").then()
    life.when("2027-01-29 09:00").then(said("EscalationClimbed", step=1, next_at="2027-02-05 09:00"))


def test_what_repeats_later_is_not_repeated_sooner_for_being_taken_in_charge() -> None:
    life = missed("2027-02-05 09:00")
    about = life.about("milestone", "call")
    life.when("2027-02-05 10:00", by(DUTY, c.AcknowledgeEscalation(escalation=about))).then(
        said("EscalationAcknowledged", until="2027-02-12 09:00", next_at="2027-02-19 09:00")
    )
    life.when("2027-02-18 10:00").then()
    life.when("2027-02-19 09:00").then(said("EscalationClimbed", step=2, repeat=1))


def test_who_could_not_be_told_once_their_time_is_over_is_climbed_from() -> None:
    life = missed("2027-01-25 18:00", tell=None).when("2027-01-26 10:00", snooze("2027-01-27"))
    life.when("2027-01-27 10:00", Answer("tell", "untold", "undeliverable")).then(
        "EscalationUntold", said("EscalationClimbed", step=1)
    )


def test_after_a_suspension_it_can_be_put_off_as_before() -> None:
    life = missed("2027-01-25 18:00").when("2027-01-26 10:00", c.Suspend(why="hospital"))
    life.when("2027-02-25 10:00", snooze("2027-03-08")).refused("snoozed-too-long", until="2027-03-05")
    life.when("2027-03-01 10:00", c.Resume())
    assert life.state.escalations[life.about("milestone", "call")].next_at == paris("2027-03-04 09:00")
    life.when("2027-03-01 11:00", snooze("2027-03-10")).refused("snoozed-too-long", until="2027-03-09")
    life.when("2027-03-01 11:00", snooze("2027-03-09")).then(said("EscalationSnoozed", until="2027-03-09 09:00"))


def test_a_suspension_gives_back_nothing_of_what_was_put_off() -> None:
    """It was to go on on Friday 29 January, and is put off to the end of its bound."""
    life = missed("2027-01-25 18:00").when("2027-01-26 10:00", snooze("2027-02-03"))
    life.when("2027-02-02 10:00", c.Suspend(why="hospital"))
    life.when("2027-02-02 10:30", snooze("2027-02-04")).refused("snoozed-too-long", until="2027-02-03")
    life.when("2027-02-02 11:00", c.Resume())
    known = life.state.escalations[life.about("milestone", "call")]
    assert (known.planned, known.next_at) == (paris("2027-01-29 09:00"), paris("2027-02-03 09:00"))
    life.when("2027-02-02 12:00", snooze("2027-02-04")).refused("snoozed-too-long", until="2027-02-03")
    life.when("2027-02-03 09:00").then(said("EscalationClimbed", step=1))


def test_the_last_resort_of_an_urgent_ladder_is_not_put_off_nor_what_nothing_follows() -> None:
    text = OFFICE.replace("  days:\n", "  days:\n    urgent: true\n")
    life = given(("2027-01-11 10:00", plan(None)), book=book_of(text)).when("2027-02-08 10:00")
    assert life.state.escalations[life.about("milestone", "call")].step == 2
    life.when("2027-02-08 10:00", by(DUTY, snooze("2027-02-09"))).refused("urgent-last-resort")
    life = missed("2027-01-25 18:00").when("2027-03-05 10:00")
    life.when("2027-03-05 11:00", by(DUTY, snooze("2027-03-08"))).refused("nothing-to-snooze")


def test_put_off_and_handed_on_it_is_in_nobodys_hands() -> None:
    life = missed("2027-01-25 18:00").when("2027-01-26 10:00", snooze("2027-01-28"))
    hand_on = c.ReassignEscalation(escalation=life.about("milestone", "call"), to=OTHER_REFERENT)
    life.when("2027-01-26 11:00", by(SUPERVISOR, hand_on)).then("EscalationReassigned")
    item = shown(life)
    assert (item.note, item.held_by, item.at) == ("days", None, paris("2027-01-29 09:00"))
    back = c.RecordReceipt(of="alert", id=life.about("milestone", "call"), said="bounced")
    life.when("2027-01-26 12:00", back).then(said("EscalationReady", returned=True))


def test_lists_say_that_a_suspension_holds_it_unless_it_is_spent() -> None:
    life = missed("2027-01-25 18:00").when("2027-01-26 10:00", snooze("2027-01-28"))
    life.when("2027-01-26 11:00", c.Suspend(why="hospital"))
    item = shown(life)
    assert (item.note, item.held_by, item.at) == (HELD, REFERENT, None)
    life.when("2027-02-02 11:00", c.Resume())
    assert (shown(life).note, shown(life).held_until) == ("snoozed", paris("2027-02-04 09:00"))
    assert shown(life).at == paris("2027-02-05 09:00")
    life = missed("2027-01-25 18:00").when("2027-03-05 10:00", c.Suspend(why="hospital"))
    assert (shown(life).note, shown(life).at) == ("days", None), "told again at each review"


def shown(life: Life) -> Item:
    """The alert as lists have it."""
    (item,) = [each for each in summary(life.state, life.book).board if each.about == "milestone call"]
    return item


def test_taken_in_charge_while_suspended_it_goes_on_with_the_time_left_of_that() -> None:
    life = missed("2027-01-25 18:00").when("2027-01-26 10:00", c.Suspend(why="hospital"))
    about = life.about("milestone", "call")
    life.when("2027-03-01 10:00", c.AcknowledgeEscalation(escalation=about, until=day("2027-03-03")))
    life.when("2027-03-02 10:00", c.Resume())
    known = life.state.escalations[about]
    assert known.held_until == paris("2027-03-04 09:00"), "two working days were left"
    assert known.next_at == paris("2027-03-05 09:00"), "and three of the step"


@pytest.mark.parametrize("again", [None, "2027-04-06"])
def test_spent_and_taken_in_charge_while_suspended_it_sleeps_no_longer_than_that(again: str | None) -> None:
    """Nothing followed: its end is all that is planned, and counts from when it was taken, not from the suspension."""
    life = missed("2027-01-25 18:00").when("2027-03-15 10:00", c.Suspend(why="hospital"))
    about = life.about("milestone", "call")
    assert life.state.escalations[about].spent
    for until in filter(None, ("2027-04-02", again)):
        life.when("2027-04-01 10:00", c.AcknowledgeEscalation(escalation=about, until=day(until)))
    life.when("2027-04-01 15:00", c.Resume())
    known = life.state.escalations[about]
    assert known.next_at == known.held_until == paris("2027-04-07 09:00" if again else "2027-04-05 09:00")


def test_a_hold_carried_over_from_older_code_counts_from_when_it_was_taken() -> None:
    life = missed("2027-01-25 18:00").when("2027-03-15 10:00", c.Suspend(why="hospital"))
    about = life.about("milestone", "call")
    life.when("2027-04-01 10:00", c.AcknowledgeEscalation(escalation=about, until=day("2027-04-02")))
    known = life.state.escalations[about]
    for state in (life.state, life.read):
        state.escalations[about] = replace(known, since=known.raised_at, held_until=None, planned_at=None)
    life.when("2027-04-01 15:00", c.Resume())
    assert life.state.escalations[about].next_at == paris("2027-04-05 09:00")


def test_what_climbed_while_suspended_goes_on_with_the_time_left_of_that_step() -> None:
    life = missed("2027-01-25 18:00", tell=None).when("2027-01-26 10:00", c.Suspend(why="hospital"))
    about = life.about("milestone", "call")
    life.when("2027-02-25 10:00", Answer("tell", "untold", "vacant"))
    climbed = life.state.escalations[about]
    assert climbed.step == 1 and climbed.next_at is not None
    life.when("2027-02-26 10:00", c.Resume())
    assert life.state.escalations[about].next_at == climbed.next_at + timedelta(days=1)


@pytest.mark.parametrize(
    ("suspended", "resumed", "goes_on"),
    [
        ("2027-01-26 10:00", "2027-02-04 10:00", "2027-02-09 09:00"),  # 72 hours later it was a Sunday
        ("2027-01-26 19:00", "2027-02-04 10:00", "2027-02-08 09:00"),
        ("2027-01-29 08:00", "2027-02-04 10:00", "2027-02-05 09:00"),
        ("2027-01-29 08:00", "2027-02-06 10:00", "2027-02-08 09:00"),
    ],
)
def test_what_was_left_of_days_is_counted_in_days_after_a_suspension(
    suspended: str, resumed: str, goes_on: str
) -> None:
    """It was to go on on Friday 29 January at nine."""
    life = missed("2027-01-25 18:00").when(suspended, c.Suspend(why="hospital")).when(resumed, c.Resume())
    assert life.state.escalations[life.about("milestone", "call")].next_at == paris(goes_on)


@pytest.mark.parametrize(
    ("suspended", "resumed", "goes_on"),
    [
        ("2027-01-15 10:00", "2027-01-18 17:00", "2027-01-19 11:00"),  # three hours later it was eight in the evening
        ("2027-01-14 20:00", "2027-01-18 10:00", "2027-01-18 14:00"),
        ("2027-01-15 10:00", "2027-01-16 12:00", "2027-01-18 12:00"),
    ],
)
def test_what_was_left_of_office_hours_is_counted_in_office_hours_after_a_suspension(
    suspended: str, resumed: str, goes_on: str
) -> None:
    """It was to go on on Friday 15 January at one."""
    life = missed().when(suspended, c.Suspend(why="hospital")).when(resumed, c.Resume())
    assert life.state.escalations[life.about("milestone", "hours")].next_at == paris(goes_on)


def test_what_is_urgent_goes_on_after_a_suspension_at_any_hour() -> None:
    life = given(
        ("2027-01-11 10:00", plan(None)), book=book_of(OFFICE.replace("  office:\n", "  office:\n    urgent: true\n"))
    )
    life.when("2027-01-14 20:00", c.Suspend(why="hospital")).when("2027-01-16 22:00", c.Resume())
    assert life.state.escalations[life.about("milestone", "hours")].next_at == paris("2027-01-17 00:00")


def test_lists_say_who_put_it_off() -> None:
    life = missed("2027-01-25 18:00").when("2027-01-26 10:00", snooze("2027-01-28"))
    item = shown(life)
    assert (item.note, item.held_by, item.then) == ("snoozed", REFERENT, "supervisor")
