"""What a programme calls for: due days, what waits for what, notice, and why a deadline does not move again."""

from pathlib import Path
from typing import Any

import pytest

from journeys.domain import commands as c
from journeys.domain.programme import Programme
from journeys.domain.sending import SPREAD, spread
from tests.domain.given import (
    MENTOR,
    OTHER_MENTOR,
    OTHER_REFERENT,
    STREAM,
    book_of,
    day,
    given,
    house,
    paris,
    plan,
    released,
    said,
    told,
)

PLANNED = ("2027-01-11 10:00", plan("2027-03-01"))


def test_planning_says_what_it_hangs_on_and_sets_what_can_be_set() -> None:
    given().when("2027-01-11 10:00", plan("2027-03-01")).then(
        "JourneyPlanned", "ReviewPlanned", "DateExpected", *["DeadlineSet"] * 9, also=True
    )


@pytest.mark.parametrize(
    ("milestone", "due"),
    [
        ("exit-plan", "2027-02-15"),
        ("first-meeting", "2027-03-04"),
        ("call-back", "2027-03-03 10:00"),  # 48 hours from the instant told
        ("law-term", "2027-03-21"),  # a Sunday: a term of law does not roll
        ("rights-open", "2027-04-01"),
        ("rights-used", "2027-04-06"),  # five days after the due day of another milestone
        ("mentor-found", "2027-03-08"),
        ("papers", "2027-05-03"),  # 1 May is a Saturday and a holiday
        ("final-review", "2027-09-01"),
        ("written", None),  # its phase has not begun
        ("course", None),  # its need is not met
        ("jury-file", None),  # its date is not known
        ("job", None),  # has no due
    ],
)
def test_due_days_of_a_release_on_the_first_of_march(milestone: str, due: str | None) -> None:
    life = given(PLANNED, ("2027-02-01", c.AddNote()))
    if milestone != "exit-plan":
        life.when("2027-03-01 10:00", c.ConfirmDate(date="release"))
    assert life.due_day(milestone) == due


def test_what_hangs_on_a_date_that_has_not_happened_is_neither_missed_nor_reminded() -> None:
    life = given(PLANNED).when("2027-06-01 12:00")
    assert {data.deadline for data in life.all("DeadlineMissed")} == {"exit-plan/1"}
    assert life.all("ReminderTaken") == life.all("ReminderTaken", deadline="exit-plan/1")
    assert life.all("ContactDue") == []


def test_a_date_that_moves_moves_its_deadlines_and_they_keep_their_id() -> None:
    given(PLANNED).when("2027-02-01 10:00", c.MoveDate(date="release", on=day("2027-03-15"))).then(
        said("DateMoved", on="2027-03-15", before="2027-03-01"),
        said("DeadlineMoved", deadline="exit-plan/1", day="2027-03-01"),
        said("DeadlineMoved", deadline="first-meeting/1", day="2027-03-18"),
        said("DeadlineMoved", deadline="rights-open/1", day="2027-04-15"),
        said("DeadlineMoved", deadline="rights-used/1", day="2027-04-20"),
        also=True,
    )


def test_a_deadline_that_would_fall_in_the_past_gets_the_least_notice_once() -> None:
    """Release in five days: ten working days before it is past. Nominals are compared, so it does not move again."""
    life = given(("2027-02-24 10:00", plan("2027-03-01")))
    assert life.due_day("exit-plan") == "2027-03-01"
    assert life.last("DeadlineSet", milestone="exit-plan").nominal.date() == day("2027-02-15")
    life.when("2027-02-25 10:00", c.AddNote()).then("NoteAdded")
    life.when("2027-02-26 10:00", c.OptOut()).never("DeadlineMoved")
    assert life.due_day("exit-plan") == "2027-03-01"


def test_a_date_confirmed_late_gives_what_waited_for_it_the_least_notice() -> None:
    life = given(PLANNED)
    life.when("2027-03-15 10:00", c.ConfirmDate(date="release", on=day("2027-03-01")))
    life.then(said("DeadlineMoved", deadline="first-meeting/1", day="2027-03-18"), also=True).never("DeadlineMissed")
    life.when("2027-03-19").then()
    assert life.all("DeadlineMissed", deadline="first-meeting/1")


def test_a_need_holds_back_the_deadline_never_the_fact() -> None:
    life = released()
    life.when("2027-03-02 10:00", c.ReachMilestone(milestone="course")).then("MilestoneReached")
    life = released().when("2027-03-02 10:00", c.AddEvidence(milestone="exit-plan", kind="exit-plan"))
    life.when("2027-03-02 11:00", c.ReachMilestone(milestone="exit-plan")).then(
        "MilestoneReached", said("DeadlineSet", milestone="course", day="2027-04-01"), also=True
    )


def test_a_phase_gates_its_deadlines_and_its_end_cancels_the_optional_ones() -> None:
    life = released().when("2027-03-02")
    assert life.due_day("extra") == "2027-05-03"
    life.when("2027-04-01 00:00").then(
        said("PhaseCompleted", phase="first-days"), said("DeadlineCancelled", deadline="extra/1"), also=True
    )


def test_phases_follow_the_dates_and_the_facts() -> None:
    life = released()
    assert [data.phase for data in life.all("PhaseEntered")] == ["inside", "outside", "first-days"]
    assert [data.phase for data in life.all("PhaseCompleted")] == ["inside"]
    life.when("2027-03-03 10:00", told(c.ReachMilestone(milestone="first-meeting"), "2027-03-02 15:00")).then(
        said("MilestoneReached", on="2027-03-02"), said("PhaseEntered", phase="project", on="2027-03-02"),
        said("DeadlineSet", milestone="written", day="2027-03-23"), also=True,
    )  # fmt: skip


def test_what_hangs_on_a_due_waits_for_the_same_date() -> None:
    """rights-used is due after rights-open, which waits for a release that nobody confirmed."""
    life = given(PLANNED).when("2027-06-01")
    assert life.last("DeadlineSet", milestone="rights-used").awaits == "release"
    assert not life.all("DeadlineMissed", deadline="rights-used/1")


COUNTED_FROM_A_DUE = """
programme: suite
label: Suite
dates: {release: {label: Sortie}}
milestones:
  second: {label: Deuxième, due: 5 days after first due, roll: none}
  first: {label: Premier, due: 10 days after release, roll: none}
"""


def second_due() -> str | None:
    """When what is written first, and counted from what is written after it, is due once the release was moved."""
    life = given(PLANNED, book=book_of(COUNTED_FROM_A_DUE))
    return life.when("2027-02-01 10:00", c.MoveDate(date="release", on=day("2027-03-15"))).due_day("second")


def test_what_hangs_on_a_due_moves_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert second_due() == "2027-03-30"
    monkeypatch.setattr(Programme, "counted_from_due", property(lambda _: frozenset()))
    assert second_due() != "2027-03-30", "what hangs on a due is planned again after it"


def test_a_cancelled_date_takes_its_deadlines_with_it() -> None:
    life = given(PLANNED)
    life.when("2027-02-01", c.CancelDate(date="release")).then(
        "DateCancelled", said("DeadlineCancelled", why="not-called-for"), also=True
    )
    assert life.state.deadlines == {}


def test_a_programme_of_three_lines_runs_without_any_release() -> None:
    book = book_of(
        "programme: small\nlabel: petit\nmilestones: {call: {label: appel, due: 3 working days after start}}"
    )
    life = given(("2027-01-11 10:00", plan(None)), book=book)
    assert life.state.status == "active"
    life.when("2027-01-14 18:00").then(said("DeadlineMissed", deadline="call/1"))


@pytest.mark.parametrize(
    ("release", "due"), [("2027-01-31", "2027-02-28"), ("2027-03-31", "2027-04-30"), ("2028-01-31", "2028-02-29")]
)
def test_a_month_later_is_the_same_day_or_the_last(release: str, due: str) -> None:
    text = (
        "programme: small\nlabel: petit\ndates: {release: {label: sortie}}\n"
        "milestones: {call: {label: appel, roll: none, due: 1 month after release}}"
    )
    life = given(("2027-01-11 10:00", plan(release)), book=book_of(text))
    assert life.due_day("call") == due


def test_an_import_owes_nothing_older_than_its_line_in_time() -> None:
    """Released in January, imported in March: what was due before is neither set nor missed, contacts begin now."""
    imported = plan("2027-01-11", watch_from="2027-03-10T09:00:00Z", start=day("2026-12-01"))
    life = given(("2027-03-10 10:00", imported))
    life.when("2027-03-10 10:05", c.ConfirmDate(date="release", on=day("2027-01-11")))
    assert life.due_day("first-meeting") is None
    assert life.due_day("rights-open") is None
    assert life.due_day("papers") == "2027-03-11"
    assert [data.window for data in life.all("ContactDue")] == [6]  # the one that is still open
    life.when("2027-03-11 08:00")
    assert not life.all("DeadlineMissed")
    assert not life.all("OutcomeMeasured")


def test_a_date_that_happened_before_an_import_is_confirmed_by_its_plan() -> None:
    imported = plan("2027-01-11", watch_from="2027-03-10T00:00:00Z", start=day("2026-12-01"), happened=("release",))
    life = given(("2027-03-10 10:00", imported))
    assert life.state.status == "active" and life.state.dates["release"].happened
    life.when("2027-03-10 17:00")
    assert not life.all("DateUnconfirmed") and not life.all("EscalationRaised")
    left_out = given(("2027-03-10 10:00", plan("2027-01-11", watch_from="2027-03-10T00:00:00Z")))
    left_out.when("2027-03-10 10:00")
    assert left_out.all("DateUnconfirmed"), "without it somebody is asked at once"


@pytest.mark.parametrize(("happened", "code"), [(("release",), "in-the-future"), (("elsewhere",), "date-missing")])
def test_a_plan_tells_no_date_as_happened_that_cannot_have(happened: tuple[str, ...], code: str) -> None:
    life = given().when("2027-03-10 10:00", plan("2027-04-11", happened=happened))
    assert [refused.code for refused in life.refusals] == [code]


def test_before_an_imports_line_nobody_is_written_to_and_after_it_they_are() -> None:
    imported = plan("2027-01-11", watch_from="2027-03-10T00:00:00Z", start=day("2026-12-01"), happened=("release",))
    life = given(("2027-03-10 10:00", imported))
    life.when("2027-03-10 10:05", told(c.ProposeMentor(mentor=MENTOR), "2027-02-01"))
    assert not life.all("MessageDue")
    life.when("2027-03-10 10:06", c.ProposeMentor(mentor=OTHER_MENTOR))
    assert [each.person for each in life.all("MessageDue")] == [OTHER_MENTOR]


def test_contacts_begin_with_the_window_of_an_imports_line() -> None:
    """A line in time that lies ahead: what closes before it is nobody's, also while it has not come."""
    imported = plan("2027-01-11", watch_from="2027-03-20T00:00:00Z", start=day("2026-12-01"), happened=("release",))
    life = given(("2027-03-10 10:00", imported))
    life.when("2027-03-21 10:00")
    assert not life.all("ContactMissed")
    assert all(opened.closes > paris("2027-03-20 00:00") for opened in life.all("ContactDue"))


def test_what_nobody_counts_the_minutes_of_has_the_journeys_own_moment_once_it_is_planned_anew() -> None:
    text = Path(__file__).with_name("house.yaml").read_text()
    spreads = book_of(text.replace("clock: {", "clock: {spread: 30 minutes, ", 1))
    key, asked = "date/release/confirm", c.Transfer(to=OTHER_REFERENT)
    before, own = given(PLANNED), given(PLANNED, book=spreads)
    nominal = before.state.moments[key]
    assert own.state.moments[key] == spread(nominal, SPREAD, STREAM) > nominal
    plainly, late = (each.when("2027-01-12 10:00", asked).last("TransferAsked") for each in (given(PLANNED), own))
    for name in ("remind_at", "accept_at"):
        assert getattr(late, name) == spread(getattr(plainly, name), SPREAD, STREAM) > getattr(plainly, name)
    out = ("2027-03-01 10:00", c.ConfirmDate(date="release"))
    plain_way, own_way = (given(PLANNED, out, book=each).when("2027-05-01 10:00") for each in (house(), spreads))
    windows = [each.last("ContactDue") for each in (plain_way, own_way)]
    assert windows[1].opens == windows[0].opens
    assert windows[1].closes == spread(windows[0].closes, SPREAD, STREAM) > windows[0].closes
    opened = [event for event in own_way.events if event.kind == "ContactDue"][1]
    window: Any = opened.data
    assert opened.occurred_at == spread(window.opens, SPREAD, STREAM) > window.opens

    before.book = spreads
    before.when("2027-01-12 10:00", c.Suspend(why="hospital"))
    assert before.state.moments[key] == nominal, "what is on record stays"
    before.when("2027-01-13 10:00", c.Resume()).when(
        "2027-01-13 11:00", c.MoveDate(date="release", on=day("2027-04-01"))
    )
    moved = given(PLANNED, ("2027-01-13 11:00", c.MoveDate(date="release", on=day("2027-04-01")))).state.moments[key]
    assert before.state.moments[key] == spread(moved, SPREAD, STREAM)
