"""Other rules for a journey under way: what is cancelled, what is set, what goes on."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from journeys.domain import commands as c
from journeys.domain import deciding
from journeys.domain.handbook import Handbook
from journeys.domain.sending import spread
from tests.domain.given import PARIS, STREAM, SUPERVISOR, Life, book_of, by, day, given, paris, plan, released, said
from tests.domain.rules import HOUSE, other, without
from tests.domain.test_grants import asked

CALENDAR = "1" * 64


def under(life: Life, book: Handbook, at: str, number: int = 2, **fields: Any) -> Life:
    """Put a journey under other rules."""
    programme = f"{number}" * 64
    life.shelf[programme, CALENDAR] = book
    return life.when(at, by(SUPERVISOR, c.ChangeProgramme(programme=programme, calendar=CALENDAR, **fields)))


def test_the_same_rules_under_another_text_leave_everything_as_it_is() -> None:
    life = released().when("2027-03-10")
    open_before = dict(life.state.deadlines)
    under(life, other(("label: visite", "label: visite à domicile")), "2027-03-10 10:00").then("ProgrammeChanged")
    assert life.state.deadlines == open_before
    assert life.state.programme == "2" * 64
    assert life.last("ProgrammeChanged").before == "0" * 64


def test_a_milestone_that_is_gone_loses_its_deadline_and_its_alert_ends() -> None:
    life = released().when("2027-03-09", by(SUPERVISOR, c.AddNote()))
    missed = life.about("milestone", "mentor-found") if "mentor-found/1" not in life.state.deadlines else None
    book = without("visit:", "mentor-found:", "mentoring:")
    under(life, book, "2027-03-10 10:00")
    life.then(
        "ProgrammeChanged",
        said("DeadlineCancelled", deadline="visit/1"),
        *([said("EscalationResolved", escalation=missed, how="programme-changed")] if missed else []),
        also=True,
    )
    assert not {known.milestone for known in life.state.deadlines.values()} - set(book.programme.milestones)


def test_a_new_milestone_is_owed_and_what_lies_in_the_past_gets_the_least_notice() -> None:
    added = ("  visit:", "  card: {label: carte, due: 2 days after release, missed: follow-up}\n  visit:")
    life = under(released().when("2027-03-20"), other(added), "2027-03-22 10:00")
    life.then("ProgrammeChanged", said("DeadlineSet", milestone="card", at="2027-03-25 18:00"), also=True)


def test_of_what_is_added_nothing_older_than_the_line_in_time_is_owed() -> None:
    added = ("  visit:", "  card: {label: carte, due: 2 days after release, missed: follow-up}\n  visit:")
    life = released().when("2027-03-20")
    under(life, other(added), "2027-03-22 10:00", watch_from=paris("2027-03-22 09:00"))
    life.then("ProgrammeChanged")


def test_a_deadline_moves_with_its_rule_and_keeps_its_number() -> None:
    life = under(released().when("2027-03-10"), other(("due: 6 weeks after", "due: 8 weeks after")), "2027-03-10 10:00")
    life.then("ProgrammeChanged", said("DeadlineMoved", deadline="visit/1", at="2027-04-26 18:00"))


def test_other_reminders_of_the_same_day_come_with_a_new_number() -> None:
    book = other(("due: 1 month after release, missed: follow-up}\n  rights-used",
                  "due: 1 month after release, remind: [{to: referent, when: 3 days before, template: deadline-near}], "
                  "missed: follow-up}\n  rights-used"))  # fmt: skip
    life = under(released().when("2027-03-10"), book, "2027-03-10 10:00")
    life.then(
        "ProgrammeChanged", said("DeadlineCancelled", deadline="rights-open/1"),
        said("DeadlineSet", deadline="rights-open/2", at="2027-04-01 18:00"),
    )  # fmt: skip
    life.when("2027-03-29 09:00").then("ReminderTaken", "MessageDue", also=True)


def to_the_second(at: datetime, over: timedelta, journey: str) -> datetime:
    """How moments were spread before they were to the millisecond."""
    place = int.from_bytes(sha256(journey.encode()).digest()[:8])
    return at + timedelta(seconds=place % (over // timedelta(seconds=1) + 1))


SPREAD = ("clock: {", "clock: {spread: 30 minutes, ")


def test_a_reminder_that_was_spread_otherwise_in_the_same_window_changes_no_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as before:
        before.setattr(deciding, "spread", to_the_second)
        life = given(
            ("2027-01-11 10:00", plan()), ("2027-03-01 10:00", c.ConfirmDate(date="release")), book=other(SPREAD)
        )
    deadlines = dict(life.state.deadlines)
    (reminder,) = [each for known in deadlines.values() for each in known.reminders if known.milestone == "law-term"]
    own = spread(paris("2027-03-19 09:00"), timedelta(minutes=30), STREAM)
    assert reminder.at != own and abs(reminder.at - own) < timedelta(minutes=30)
    under(life, other(SPREAD, ("label: visite", "label: visite à domicile")), "2027-03-10 10:00")
    life.then("ProgrammeChanged")
    for at in (min(reminder.at, own), max(reminder.at, own)):
        under(life, other(SPREAD, ("label: visite", f"label: vue {at}")), at, number=3 + (at == own))
        assert not life.all("DeadlineCancelled", deadline="law-term/1")
    assert len(life.all("ReminderTaken", deadline="law-term/1")) == 1
    later = other(SPREAD, ("when: 2 days before", "when: 1 day before"))
    life = given(("2027-01-11 10:00", plan()), ("2027-03-01 10:00", c.ConfirmDate(date="release")), book=other(SPREAD))
    under(life, later, "2027-03-10 10:00").then(said("DeadlineSet", deadline="law-term/2"), also=True)


def test_a_window_stays_open_on_the_same_grid_and_ends_on_another() -> None:
    life = under(released().when("2027-03-10"), other(("label: suivi,", "label: suivi proche,")), "2027-03-10 10:00")
    life.then("ProgrammeChanged").never("ContactCancelled")
    fortnightly = other(
        ("cadence: [every 1 week until 1 month, every 2", "cadence: [every 2 weeks until 1 month, every 2")
    )
    under(life, fortnightly, "2027-03-11 10:00", number=3).then(
        said("ProgrammeChanged", grids=["support"]), said("ContactCancelled", window=2), also=True
    )


def test_windows_of_another_grid_are_numbered_on() -> None:
    life = released().when("2027-03-16")
    assert life.state.contacts["support"].window == 3
    fortnightly = other(
        ("cadence: [every 1 week until 1 month, every 2", "cadence: [every 2 weeks until 1 month, every 2")
    )
    under(life, fortnightly, "2027-03-16 13:00")
    opened = life.state.contacts["support"]
    assert (opened.window, opened.open) == (5, True), "the second fortnight, behind the three weeks that were opened"
    assert opened.opens.astimezone(PARIS).strftime("%m-%d") == "03-15"
    life.when("2027-03-18", c.LogContact(contact="support", means="phone")).then(
        said("ContactMade", window=5), also=True
    )
    life.when("2027-04-20").verify()


def test_an_alert_whose_ladder_reads_otherwise_begins_the_new_one() -> None:
    life = released().when("2027-03-09")
    id = life.about("milestone", "mentor-found")
    later = other(
        (
            "{to: supervisor, after: 3 working days}, {to: duty, after: 8",
            "{to: supervisor, after: 5 working days}, {to: duty, after: 8",
        )
    )
    under(life, later, "2027-03-09 15:00").then(
        "ProgrammeChanged", said("EscalationResolved", escalation=id, how="programme-changed"),
        said("EscalationRaised", about={"kind": "milestone", "id": "mentor-found"}, ladder="follow-up"), also=True,
    )  # fmt: skip
    assert life.about("milestone", "mentor-found") != id


def test_a_date_and_a_phase_that_are_gone_end_and_a_new_date_is_expected() -> None:
    life = given(("2027-01-11 10:00", plan(dates={"jury": day("2027-04-01")}))).when("2027-02-01")
    book = other(
        ("  jury: {label: {fr: jury, en: jury}, confirm_within: 2 days, shared: true}", "  exam: {label: examen}"),
        ("  jury-file: {label: dossier du jury, due: 5 days after jury, missed: follow-up}\n", ""),
        ("  inside: {label: dedans, enter: at start, leave: at release}\n", ""),
        ("phase: inside, due: 10", "due: 10"),
    )  # fmt: skip
    under(life, book, "2027-02-01 13:00", dates={"exam": day("2027-05-03")}).then(
        "ProgrammeChanged", said("PhaseCompleted", phase="inside"), said("DateCancelled", date="jury"),
        said("DateExpected", date="exam"), also=True,
    )  # fmt: skip
    life.when("2027-02-02", c.Close(outcome="withdrawn")).when("2027-02-03", by(SUPERVISOR, c.Reopen()))
    expected = [event.data.date for event in life.new if event.kind == "DateExpected"]  # type: ignore[attr-defined]
    assert expected == ["release", "exam"], "a date that the rules do not know any more stays ended"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"dates": {"nowhere": day("2027-06-01")}}, "unknown-date"),
        ({"dates": {"jury": day("2027-03-01")}}, "date-passed"),
        ({"dates": {"release": day("2027-06-01")}}, "date-expected"),
    ],
)
def test_days_that_do_not_fit_are_refused_and_nothing_changes(fields: dict[str, Any], code: str) -> None:
    life = released().when("2027-03-10")
    before = life.state.programme
    under(life, other(("label: visite", "label: v")), "2027-03-10 13:00", **fields).refused(code)
    assert life.state.programme == before


def test_rules_that_nobody_knows_and_the_same_rules_are_refused() -> None:
    life = released()
    life.when("2027-03-10", by(SUPERVISOR, c.ChangeProgramme(programme="9" * 64, calendar=CALENDAR)))
    life.refused("unknown-programme")
    life.shelf["0" * 64, CALENDAR] = life.book
    life.when("2027-03-11", by(SUPERVISOR, c.ChangeProgramme(programme="0" * 64, calendar=CALENDAR)))
    life.refused("same-programme")


def test_money_keeps_its_rules() -> None:
    life = asked(100_00)
    gone = book_of(HOUSE.replace("\n  bourse:\n", "\n  bursary:\n", 1))
    under(life, gone, "2027-03-30 10:00").refused("grant-without-rules", grant="bourse")


def test_a_check_under_way_is_waited_for() -> None:
    life = released(check=None).when("2027-03-03", c.ReachMilestone(milestone="account"))
    under(life, without("account:"), "2027-03-03 13:00").refused("check-under-way")


def test_a_planned_journey_needs_the_date_that_begins_the_other_programme() -> None:
    life = given(("2027-01-11 10:00", plan()))
    book = other(("active_from: release", "active_from: jury"))
    under(life, book, "2027-01-12").refused("date-missing", date="jury")
    under(life, book, "2027-01-13", dates={"jury": day("2027-02-01")}).then("ProgrammeChanged", also=True)
    life.when("2027-02-01 11:00", c.ConfirmDate(date="jury")).then("JourneyActivated", also=True)


def test_only_a_supervisor_changes_the_programme_and_never_of_a_closed_journey() -> None:
    life = released()
    book = other(("label: visite", "label: v"))
    life.shelf["2" * 64, CALENDAR] = book
    life.when("2027-03-10", by(life.state.referent, c.ChangeProgramme(programme="2" * 64, calendar=CALENDAR)))
    life.refused("no-right")
    life.when("2027-03-11", c.Close(outcome="lost"))
    under(life, book, "2027-03-12").refused("closed")


def test_while_suspended_what_was_held_is_planned_by_the_other_rules_when_it_ends() -> None:
    life = released().when("2027-03-03", c.Suspend(why="custody"))
    under(life, without("support:"), "2027-03-05 10:00").then("ProgrammeChanged", "ContactCancelled", also=True)
    life.when("2027-03-20", c.Resume()).never("ContactDue").when("2027-04-20").verify()


def test_the_journey_goes_on_to_its_end_under_the_other_rules() -> None:
    book = other(("due: 6 months after release, closes", "due: 4 months after release, closes"), name="maison")
    life = under(released().when("2027-03-20"), book, "2027-03-22 10:00")
    assert life.state.name == "maison"
    life.when("2027-06-30", c.ReachMilestone(milestone="final-review")).then(
        "MilestoneReached", "ClosingWanted", also=True
    )
    life.when("2027-07-01", c.Close(outcome="completed"))
    assert life.violations() == []
