"""What a journey's record answers to each indicator: as tables of lives, played through `decide`."""

from datetime import date
from typing import Any, Final, Literal

import pytest

from journeys.domain import commands as c
from journeys.indicators.definitions import INDICATORS, answers_of
from journeys.indicators.life import life_of
from tests.domain.given import SUPERVISOR, Life, by, day, given, paris, plan, released, said, told
from tests.domain.rules import HOUSE, other
from tests.domain.test_grants import approved, request

MEASURES = "  housed: {label: logé,"
EMPLOYED = (
    "  employed: {label: en emploi, situation: job, good: [fixed-term, permanent], at: [6 weeks after release]}\n"
)
NIGHT, THREE, SIX = "housed-first-night", "housed-3-months", "housed-6-months"

assert MEASURES in HOUSE


def out(release: str = "2027-03-01", planned: str = "2027-01-11 10:00") -> Life:
    """Out on the day, under rules that also measure jobs."""
    book = other((MEASURES, EMPLOYED + MEASURES))
    return given((planned, plan(release)), (f"{release} 10:00", c.ConfirmDate(date="release")), book=book)


def answers(life: Life, code: str) -> list[tuple[str, int, int, int]]:
    """The day from which each answer counts, with how many are so, are not, are not known."""
    known = life_of(life.events, life.book)
    assert known is not None
    return [
        (each.ripe.isoformat(), each.yes, each.no, each.unknown) for name, each in answers_of(known) if name == code
    ]


def one(life: Life, code: str) -> tuple[str, str]:
    """The one answer about a person, with the day from which it counts."""
    [(ripe, yes, no, unknown)] = answers(life, code)
    assert yes + no + unknown == 1
    return ripe, "yes" if yes else "no" if no else "unknown"


def lives(value: str, since: str, situation: str = "housing") -> c.RecordSituation:
    return c.RecordSituation(situation=situation, value=value, since=day(since))


def works(value: str, since: str) -> c.RecordSituation:
    return lives(value, since, "job")


def test_a_journey_that_has_not_begun_answers_nothing() -> None:
    planned = given(("2027-01-11 10:00", plan("2027-03-01")))
    assert life_of(planned.events, planned.book) is None
    known = life_of(released().events, released().book)
    assert known is not None and known.begun == date(2027, 3, 1)


def test_every_indicator_has_a_code_of_its_own() -> None:
    assert len({each.code for each in INDICATORS}) == len(INDICATORS) == 14


@pytest.mark.parametrize(
    ("facts", "night", "three", "six"),
    [
        ([], "unknown", "unknown", "unknown"),
        ([("2027-03-01 11:00", lives("relay", "2027-03-01"))], "yes", "yes", "yes"),
        ([("2027-03-02", lives("relay", "2027-03-02"))], "unknown", "yes", "yes"),
        ([("2027-03-01 11:00", lives("none", "2027-03-01")), ("2027-05-01", lives("own", "2027-05-01"))],
         "no", "yes", "yes"),
        ([("2027-03-01 11:00", lives("own", "2027-02-01")), ("2027-06-02", lives("unknown", "2027-06-01"))],
         "yes", "unknown", "unknown"),
        # Told eight months later, of a day long past.
        ([("2027-11-02", lives("own", "2027-02-20"))], "yes", "yes", "yes"),
        ([("2027-03-01 11:00", lives("own", "2027-03-01")),
          ("2027-11-02", c.Correct(what="situation", id="housing", to="none"))], "no", "no", "no"),
        # By hand, of a day of which no situation was told.
        ([("2027-11-02", c.MeasureOutcome(measure="housed", number=2, value="yes"))], "unknown", "yes", "unknown"),
    ],
    ids=["nothing", "relay", "day-after", "none-then-own", "unknown-later", "late", "corrected", "by-hand"],
)  # fmt: skip
def test_housed(facts: list[tuple[str, Any]], night: str, three: str, six: str) -> None:
    life = out()
    for at, asked in facts:
        life.when(at, asked)
    life.when("2027-11-02")
    assert one(life, NIGHT) == ("2027-03-08", night)
    assert one(life, THREE) == ("2027-06-08", three)
    assert one(life, SIX) == ("2027-09-08", six)


def test_a_release_that_is_corrected_moves_every_day_with_it() -> None:
    life = out().when("2027-03-01 11:00", lives("none", "2027-03-01")).when("2027-03-02", lives("own", "2027-03-02"))
    life.when("2027-03-20")
    assert one(life, NIGHT) == ("2027-03-08", "no")
    life.when("2027-03-21", by(SUPERVISOR, c.Correct(what="date", id="release", on=day("2027-03-02"))))
    assert one(life, NIGHT) == ("2027-03-09", "yes")


def test_what_held_before_the_closing_says_nothing_of_a_day_after_it() -> None:
    life = out().when("2027-03-01 11:00", lives("own", "2027-03-01")).when("2027-05-01", c.Close(outcome="lost"))
    assert [one(life, code)[1] for code in (NIGHT, THREE, SIX)] == ["yes", "unknown", "unknown"]
    assert one(life, "custody-6-months")[1] == "unknown"


def test_nothing_is_counted_of_the_dead() -> None:
    life = out().when("2027-03-01 11:00", lives("own", "2027-03-01"))
    life.when("2027-05-01", c.RecordDeath(on=day("2027-04-30")))
    assert one(life, NIGHT)[1] == "yes"
    assert answers(life, THREE) == answers(life, SIX) == answers(life, "custody-6-months") == []
    life = out().when("2027-04-01", c.Suspend(why="custody")).when("2027-05-01", c.RecordDeath(on=day("2027-04-30")))
    assert answers(life, "custody-6-months") == [], "a return is not kept of those whose staying out is not"


def test_suspended_days_push_the_day_out_as_they_push_the_measure() -> None:
    life = out().when("2027-03-02", c.Suspend(why="hospital")).when("2027-03-12", c.Resume())
    assert one(life, THREE)[0] == "2027-06-18"
    life.when("2027-03-13", lives("own", "2027-03-12")).when("2027-06-12", lives("none", "2027-06-12"))
    assert one(life, THREE)[1] == "yes"  # On the 11th.


def test_a_programme_that_measures_no_job_is_not_asked() -> None:
    life = released().when("2027-03-02", works("permanent", "2027-03-02"))
    assert [code for code in ("employed-6-weeks", "kept-30-days") if answers(life, code)] == []


@pytest.mark.parametrize(
    ("facts", "weeks", "months"),
    [
        ([], "unknown", "unknown"),
        ([("2027-03-10", works("training", "2027-03-10"))], "no", "no"),
        ([("2027-04-12", works("fixed-term", "2027-04-12"))], "yes", "yes"),
        ([("2027-04-13", works("fixed-term", "2027-04-13"))], "unknown", "yes"),
        ([("2027-03-10", works("fixed-term", "2027-03-10")), ("2027-04-13", works("none", "2027-04-12"))], "no", "no"),
    ],
)
def test_employed(facts: list[tuple[str, Any]], weeks: str, months: str) -> None:
    life = out()
    for at, asked in facts:
        life.when(at, asked)
    life.when("2027-10-01")
    assert one(life, "employed-6-weeks") == ("2027-04-19", weeks)
    assert one(life, "employed-6-months") == ("2027-09-08", months)


@pytest.mark.parametrize(
    ("facts", "kept"),
    [
        ([], [None, None, None]),
        ([works("training", "2027-03-10")], [None, None, None]),
        ([works("fixed-term", "2027-03-10")], ["yes", "yes", "yes"]),
        ([works("fixed-term", "2027-03-10"), works("permanent", "2027-04-01")], ["yes", "yes", "yes"]),
        ([works("fixed-term", "2027-03-10"), works("none", "2027-04-08")], ["no", "no", "no"]),
        ([works("fixed-term", "2027-03-10"), works("none", "2027-04-09")], ["yes", "no", "no"]),
        ([works("fixed-term", "2027-03-10"), works("unknown", "2027-05-20")], ["yes", "yes", "unknown"]),
        # The first job counts, not the next.
        ([works("fixed-term", "2027-03-10"), works("none", "2027-03-20"), works("permanent", "2027-03-22")],
         ["no", "no", "no"]),
    ],
)  # fmt: skip
def test_a_job_kept(facts: list[c.RecordSituation], kept: list[str | None]) -> None:
    life = out().when("2027-09-20", *facts)
    found = [answers(life, f"kept-{days}-days") for days in (30, 60, 90)]
    assert [one(life, f"kept-{days}-days")[1] if found[place] else None for place, days in enumerate((30, 60, 90))] == (
        kept
    )
    assert not found[0] or [each[0][0] for each in found] == ["2027-04-16", "2027-05-16", "2027-06-15"]


def test_a_job_of_a_closed_journey_is_known_as_far_as_it_was_accompanied() -> None:
    life = out().when("2027-03-20", works("permanent", "2027-03-10")).when("2027-05-01", c.Close(outcome="lost"))
    assert [one(life, f"kept-{days}-days")[1] for days in (30, 60, 90)] == ["yes", "unknown", "unknown"]


def log(means: str = "phone") -> c.LogContact:
    return c.LogContact(contact="support", means=means)


NOT_MADE: Final = c.Correct(what="contact", id="support", window=1, to="missed")


@pytest.mark.parametrize(
    ("facts", "three", "seven"),
    [
        ([], "no", "no"),
        ([("2027-03-03", log())], "yes", "yes"),
        ([("2027-03-05", log())], "no", "yes"),
        # Written down in May: it was on the second day.
        ([("2027-05-20", told(log(), "2027-03-02 15:00"))], "yes", "yes"),
        ([("2027-03-03", log()), ("2027-05-20", by(SUPERVISOR, NOT_MADE))], "no", "no"),
    ],
    ids=["none", "third-day", "fifth-day", "late", "not-after-all"],
)  # fmt: skip
def test_the_first_contact(facts: list[tuple[str, Any]], three: str, seven: str) -> None:
    life = out()
    for at, asked in facts:
        life.when(at, asked)
    life.when("2027-06-01")
    assert one(life, "met-3-days") == ("2027-03-11", three)
    assert one(life, "met-7-days") == ("2027-03-15", seven)


def meeting(at: str) -> c.BookAppointment:
    return c.BookAppointment(at=paris(at))


OUTCOMES: Final[tuple[Literal["attended", "missed", "excused", "cancelled"], ...]] = (
    "attended", "missed", "missed", "excused", "cancelled",
)  # fmt: skip


def over(outcome: Literal["attended", "missed", "excused", "cancelled"], place: int = -1) -> Any:
    """How an appointment went, the last one booked unless said otherwise."""
    return lambda life: c.CloseAppointment(appointment=list(life.state.appointments)[place], outcome=outcome)


def test_an_appointment_that_was_kept_is_a_contact_of_its_day() -> None:
    life = out().when("2027-03-01 11:00", meeting("2027-03-02 10:00"))
    assert one(life, "met-3-days")[1] == "no"
    life.when("2027-04-20", over("attended"))
    assert one(life, "met-3-days")[1] == "yes"


def test_no_show_counts_appointments_and_not_those_that_were_called_off() -> None:
    life = out()
    assert answers(life, "no-show") == []
    life.when("2027-03-01 11:00", *[meeting("2027-03-02 10:00")] * 5)
    assert answers(life, "no-show") == [("2027-03-09", 0, 0, 1)] * 5
    for place, outcome in enumerate(OUTCOMES):
        life.when("2027-03-02 11:00", over(outcome, place))
    life.when("2027-03-02 12:00", meeting("2027-03-20 10:00"))
    assert answers(life, "no-show") == [("2027-03-01", 2, 1, 0), ("2027-03-27", 0, 0, 1)]
    life.when("2027-04-02", c.Correct(what="appointment", id=list(life.state.appointments)[1], to="attended"))
    assert answers(life, "no-show")[0] == ("2027-03-01", 1, 2, 0)


def test_grants_count_their_money_as_it_arrives() -> None:
    life = released().when("2027-03-02 10:00", request(50_000))
    assert answers(life, "grants-used") == []
    life = approved(instruct=None)
    assert answers(life, "grants-used") == [("2027-03-01", 0, 0, 50_000)]
    life = approved()
    assert answers(life, "grants-used") == [("2027-03-01", 16_500, 0, 33_500)]
    life.when("2027-03-20", c.Close(outcome="lost"))
    assert answers(life, "grants-used") == [("2027-03-01", 16_500, 33_500, 0)]


def test_a_journey_brought_in_later_is_not_blamed_for_what_nobody_wrote_down() -> None:
    life = given(("2027-06-01 10:00", plan(None, watch_from="2027-06-01T08:00:00Z", start=day("2027-02-01"),
                                           dates={"release": day("2027-03-01")})),
                 ("2027-06-01 11:00", told(c.ConfirmDate(date="release"), "2027-03-01 10:00")))  # fmt: skip
    assert one(life, "met-3-days")[1] == "unknown"


def test_deadlines_count_once_each_and_a_late_fact_moves_them() -> None:
    life = out().when("2027-03-20")
    missed = len(life.all("DeadlineMissed"))
    [(_, met, late, _)] = answers(life, "deadlines-kept")
    assert late == missed > 2
    life.when("2027-03-20 15:00", told(c.ReachMilestone(milestone="first-meeting"), "2027-03-03 10:00"))
    life.then(said("DeadlineCorrected"), also=True)
    assert answers(life, "deadlines-kept")[0][1:3] == (met + 1, missed - 1)
    life.when("2027-03-20 16:00", c.WaiveMilestone(milestone="call-back"))
    assert answers(life, "deadlines-kept")[0][1:3] == (met + 1, missed - 2)


@pytest.mark.parametrize(
    ("facts", "back"),
    [
        ([], "no"),
        ([("2027-04-01", c.Suspend(why="hospital"))], "no"),
        ([("2027-04-01", c.Suspend(why="custody"))], "yes"),
        ([("2027-04-01", c.Suspend(why="custody")), ("2027-05-01", c.Resume())], "yes"),
        ([("2027-04-01", c.Close(outcome="custody"))], "yes"),
        ([("2027-04-01", c.Close(outcome="completed"))], "unknown"),
        ([("2027-04-01", c.Suspend(why="custody")), ("2027-05-01", c.Close(outcome="lost"))], "yes"),
        ([("2027-09-10", c.Suspend(why="custody"))], "no"),
    ],
)
def test_back_in_custody(facts: list[tuple[str, Any]], back: str) -> None:
    life = out()
    for at, asked in facts:
        life.when(at, asked)
    assert one(life, "custody-6-months") == ("2027-09-08", back)
