"""What changed between two instants is told, whichever of them is named first."""

from datetime import timedelta

from journeys.audit.differing import difference
from tests.audit.lives import START, day, whole_life


def test_a_housing_learnt_late_came_when_it_was_known_and_earlier_in_truth() -> None:
    life = whole_life()
    calendar = life.book.calendar
    known = difference(life.events, day(44), day(59), calendar, "known-at")
    true = difference(life.events, day(44), day(59), calendar, "as-of")
    assert ("situation", "housing") not in {(fact.kind, fact.id) for fact in known.came}
    assert ("situation", "housing", "shared") in {(fact.kind, fact.id, fact.value) for fact in true.came}


def test_a_new_value_goes_and_comes_with_the_event_that_says_so() -> None:
    life = whole_life()
    found = difference(life.events, day(89), day(90.5), life.book.calendar, "known-at")
    assert [(fact.id, fact.value) for fact in found.went if fact.kind == "situation"] == [("housing", "relay")]
    [came] = [fact for fact in found.came if fact.kind == "situation"]
    assert (came.id, came.value) == ("housing", "shared")
    assert came.seq in found.between


def test_two_instants_in_either_order_are_one_difference_and_one_with_itself_is_none() -> None:
    life = whole_life()
    calendar = life.book.calendar
    assert difference(life.events, day(90), day(10), calendar, "known-at") == difference(
        life.events, day(10), day(90), calendar, "known-at"
    )
    same = difference(life.events, START, START + timedelta(0), calendar, "as-of")
    assert (same.came, same.went, same.between) == ((), (), ())
