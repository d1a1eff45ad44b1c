"""Who goes when: counted from the last fact about a person, and nobody whom something keeps."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.authoring.retention import read_retention
from journeys.domain.moments import Duration, Unit
from journeys.domain.retention import LEAST, Hold, Keeping, Rules, Standing, falling, falling_until, too_short

SHIPPED = read_retention().rules


@pytest.mark.parametrize(
    ("last", "journeys", "kept", "due"),
    [
        ("2025-03-03", 1, "24 months", "2027-03-03"),
        ("2024-02-29", 3, "12 months", "2025-02-28"),
        ("2026-08-31", 1, "6 months", "2027-02-28"),
        ("2026-12-31", 0, "30 days", "2027-01-30"),
        ("2026-03-28", 0, "6 weeks", "2026-05-09"),
    ],
)
def test_the_time_is_counted_from_the_last_fact(last: str, journeys: int, kept: str, due: str) -> None:
    rule = {"kept": kept, "default": {"fr": "a", "en": "b"}}
    rules = Rules.model_validate(dict.fromkeys(Rules.model_fields, rule))
    found = falling(Standing("p", date.fromisoformat(last), journeys), rules)
    assert (found.due, found.rule) == (date.fromisoformat(due), "people" if journeys else "unstarted")
    assert not found.goes(found.due - timedelta(days=1)) and found.goes(found.due)


DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
KEPT = st.builds(Duration, st.integers(1, 200), st.sampled_from([Unit.DAY, Unit.WEEK, Unit.MONTH]))
STANDINGS = st.builds(
    Standing, person=st.uuids().map(str), last=DAYS, journeys=st.integers(0, 3),
    holds=st.frozensets(st.sampled_from(Hold), max_size=2),
)  # fmt: skip


def ruled(people: Duration, unstarted: Duration) -> Rules:
    return SHIPPED.model_copy(update={"people": Keeping(kept=people), "unstarted": Keeping(kept=unstarted)})


@given(st.lists(STANDINGS, max_size=8), KEPT, KEPT, DAYS)
def test_nobody_goes_early_and_nobody_who_is_held(
    standings: list[Standing], people: Duration, unstarted: Duration, today: date
) -> None:
    found = falling_until(standings, ruled(people, unstarted), today)
    assert [each.due for each in found] == sorted(each.due for each in found)
    for each in found:
        assert each.standing.last <= each.due <= today
        assert each.goes(today) == (not each.standing.holds)
    assert {each.standing.person for each in found} == {
        each.person for each in standings if falling(each, ruled(people, unstarted)).due <= today
    }


@given(STANDINGS, KEPT, st.integers(0, 50), st.integers(0, 400))
def test_a_later_fact_or_a_longer_time_never_makes_somebody_go_earlier(
    standing: Standing, kept: Duration, more: int, later: int
) -> None:
    due = falling(standing, ruled(kept, kept)).due
    longer = Duration(kept.amount + more, kept.unit)
    moved = replace(standing, last=standing.last + timedelta(days=later))
    assert falling(standing, ruled(longer, longer)).due >= due
    assert falling(moved, ruled(kept, kept)).due >= due


def test_no_rule_may_say_too_little_and_those_shipped_do_not() -> None:
    for name, least in LEAST.items():
        assert not too_short(name, least) and not too_short(name, SHIPPED.of(name).kept)
        assert too_short(name, Duration(least.amount - 1, least.unit))
    assert too_short("people", Duration(25, Unit.WEEK)) and not too_short("people", Duration(26, Unit.WEEK))


def test_what_a_rule_is_about_is_known_by_all_who_tell_it() -> None:
    from journeys.app.retaining import HOLDS, WHAT
    from journeys.store.retaining import RULES

    names: Any = set(Rules.model_fields)
    assert names == set(RULES) == set(WHAT) == set(LEAST) and set(HOLDS) == set(Hold)
