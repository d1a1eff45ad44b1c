"""Past journeys under other rules: the same rules give the same course, other rules give what they say."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from journeys.authoring.reading import programme_names, read_programme
from journeys.domain.commands import Command
from journeys.domain.handbook import open_handbook
from journeys.simulation.comparing import Course, Difference, Sum, course, differences
from journeys.simulation.replaying import NotComparable, Record, again
from journeys.simulation.running import Trial, one_life
from tests.simulation.test_simulating import book_of, trial


def records(given: Trial) -> list[Record]:
    """Simulated journeys, as if the journal had kept them."""
    found = []
    for number in range(given.participants):
        commands: dict[str, Command] = {}
        events: list[Any] = []
        for moment in one_life(given, book_of(given), number):
            events += moment.offer.events
            commands |= {decided.command.id: decided.command for decided in moment.offer.decided}
        found.append(Record(events, commands, events[-1].recorded_at + timedelta(days=1)))
    return found


@pytest.mark.parametrize("name", programme_names())
def test_under_the_same_rules_every_journey_takes_the_same_course(name: str) -> None:
    given = trial(name, participants=5)
    book = book_of(given)
    for record in records(given):
        played = again(record, book)
        assert [event.data for event in played] == [event.data for event in record.events]
        assert differences(course(record.events, book), course(played, book)) == []


def changed(given: Trial, *edits: tuple[str, str]) -> Any:
    text = given.programme
    for before, after in edits:
        assert before in text, before
        text = text.replace(before, after)
    return open_handbook(text, given.calendar)


def summed(given: Trial, book: Any) -> Sum:
    whole = Sum()
    for record in records(given):
        whole.add(differences(course(record.events, book_of(given)), course(again(record, book), book)))
    return whole


def test_a_shorter_term_moves_deadlines_and_misses_more_of_them() -> None:
    given = trial("auxilia", participants=12)
    book = changed(
        given,
        (
            '"due":"1 month after release","missed":"follow-up","origin":"default","rule":"job-centre"}',
            '"due":"1 week after release","missed":"follow-up","origin":"default","rule":"job-centre"}',
        ),
    )
    found = summed(given, book)
    assert found.journeys == 12
    assert found.counted["deadline", "rights-open", "moved", "", ""] >= 10
    assert found.counted["deadline", "rights-open", "otherwise", "met", "missed"] > 0
    assert any(what == "alert" and change == "added" for what, _, change, _, _ in found.counted)


def test_one_more_approval_is_told() -> None:
    given = trial("auxilia", participants=12)
    book = changed(
        given,
        (
            '{"up_to":"300.00 EUR","approvals":["supervisor"]}',
            '{"up_to":"300.00 EUR","approvals":["supervisor","finance"]}',
        ),
    )
    told = [key for key in summed(given, book).counted if key[0] == "approval"]
    small = [record for record in records(given) for event in record.events
             if event.kind == "GrantRequested" and event.data.amount <= 30_000]  # type: ignore[attr-defined]  # fmt: skip
    assert told == ([("approval", "bourse", "otherwise", "supervisor", "supervisor, finance")] if small else [])


def test_rules_that_refuse_the_beginning_are_not_compared() -> None:
    record = records(trial("auxilia", participants=1))[0]
    other = read_programme("auxilia").programme.model_copy(update={"active_from": "jury"})
    book = replace(book_of(trial("auxilia")), programme=other)
    with pytest.raises(NotComparable) as found:
        again(record, book)
    assert found.value.code == "date-missing"


def test_nothing_differs_between_a_course_and_itself() -> None:
    assert differences(Course(), Course()) == []
    assert differences(Course(ending="lost"), Course()) == [Difference("ending", "", "otherwise", "lost", "")]
