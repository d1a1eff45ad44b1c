"""Ladders: who is told, when it climbs, when it holds, and that somebody always hears."""

from journeys.domain import commands as c
from journeys.domain.summary import summary
from tests.domain.given import (
    DUTY,
    FINANCE,
    OTHER_REFERENT,
    SUPERVISOR,
    Answer,
    Life,
    book_of,
    by,
    day,
    given,
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


def role_on_the_board(life: Life) -> str:
    return next(item.role for item in summary(life.state, life.book).board if item.kind == "escalation")
