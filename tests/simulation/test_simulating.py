"""Programmes tried on people who do not exist: the rules hold, and the same draw gives the same counts."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from random import Random

import pytest

from journeys.authoring.calendars import calendar_text
from journeys.authoring.reading import PROGRAMMES, programme_names, read_programme
from journeys.domain import agenda, invariants
from journeys.domain import events as e
from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.programme import Programme
from journeys.indicators.definitions import answers_of
from journeys.indicators.life import life_of
from journeys.simulation.drawing import weeks
from journeys.simulation.reading import USUAL, BehaviourInvalid, BehaviourNotFound, own_behaviour, read_behaviour
from journeys.simulation.running import Stuck, Trial, one_life, simulate
from journeys.simulation.tally import OPEN, Tally, as_json
from journeys.simulation.telling import limits, tables, workload

DAY = date(2026, 1, 5)


@cache
def trial(name: str, participants: int = 20, seed: int = 3, behaviour: str | None = None) -> Trial:
    file = read_programme(name)
    calendar = calendar_text(file.programme.clock.zone, file.programme.clock.calendar, DAY.year)
    read = read_behaviour(behaviour or own_behaviour(file.programme), file.programme)
    assert not read.unknown or read.source.stem == USUAL
    digest = hashlib.sha256(calendar.encode()).hexdigest()
    return Trial(file.text, file.sha256, calendar, digest, read.behaviour, participants, seed, DAY)


def book_of(given: Trial) -> Handbook:
    return _book(given.programme, given.calendar)


@cache
def _book(programme: str, calendar: str) -> Handbook:
    return open_handbook(programme, calendar)


@pytest.mark.parametrize("name", programme_names())
def test_every_life_ends_and_its_record_holds_every_invariant(name: str) -> None:
    given = trial(name, participants=8)
    book = book_of(given)
    for number in range(given.participants):
        moments = list(one_life(given, book, number))
        events = [event for moment in moments for event in moment.offer.events]
        state = moments[-1].offer.state
        assert agenda.is_over(state), (name, number)
        assert invariants.check(events, complete=True, book=book, outages=(), strict=True) == [], (name, number)


def test_a_programme_written_by_the_guide_alone_ends_thirty_lives() -> None:
    examples = PROGRAMMES / "examples"
    own = str(examples / "behaviours" / "placement-exterieur.yaml")
    tally = simulate(trial(str(examples / "placement-exterieur.yaml"), participants=30, behaviour=own))
    assert tally.outcomes.total() == 30 and tally.outcomes[OPEN] == 0 and not tally.refused
    assert {code for code, fate in tally.contacts if fate == "made"} == {"presence", "work", "village", "after"}
    assert tally.money["ferme", "paid"] > 0 and tally.alerts["contact", 2] > 0


def test_the_same_draw_gives_the_same_counts_by_one_process_or_by_two() -> None:
    given, heard = trial("auxilia", participants=60), list[int]()
    alone = simulate(given, told=heard.append)
    assert as_json(simulate(given, processes=2)) == as_json(alone)
    assert heard == [50, 60], "who is told how far it is hears of every life"
    few = replace(given, participants=15)
    assert as_json(simulate(replace(few, seed=4))) != as_json(simulate(few))


def test_what_is_counted_is_what_the_events_say() -> None:
    given = trial("auxilia", participants=12)
    book, tally = book_of(given), simulate(given)
    lives = [[event for moment in one_life(given, book, nth) for event in moment.offer.events] for nth in range(12)]
    events = [event.data for life in lives for event in life]
    assert tally.lives == 12 and tally.events == len(events)
    assert tally.outcomes.total() == 12 and tally.outcomes[OPEN] == 0
    assert tally.contacts["support", "made"] == sum(
        isinstance(each, e.ContactMade) and each.contact == "support" for each in events
    )
    assert tally.alerts.total() == sum(isinstance(each, e.EscalationRaised) for each in events) > 0
    asked = sum(each.amount for each in events if isinstance(each, e.GrantRequested))
    assert tally.money["parvis-solidaire", "asked"] == asked > 0
    reserved = {each.payment: each.amount for each in events if isinstance(each, e.PaymentReserved)}
    paid = sum(reserved[each.payment] for each in events if isinstance(each, e.PaymentSettled))
    assert tally.money["parvis-solidaire", "paid"] == paid == sum(tally.paid.values()) > 0
    for code in book.programme.milestones:
        assert sum(count for (milestone, _), count in tally.milestones.items() if milestone == code) == 12
    assert not tally.refused
    indicated = Counter[tuple[str, str]]()
    for life in lives:
        known = life_of(life, book)
        for code, answer in answers_of(known) if known is not None else ():
            indicated += Counter({(code, each): getattr(answer, each) for each in ("yes", "no", "unknown")})
    assert tally.indicators == indicated and indicated["housed-3-months", "yes"] > 0


def behaving(edit: Callable[[dict[str, object]], None]) -> Trial:
    given = trial("auxilia", participants=30)
    raw = given.behaviour.model_dump()
    edit(raw)
    return replace(given, behaviour=type(given.behaviour).model_validate(raw))


def test_people_who_do_everything_in_time_have_no_late_deadline() -> None:
    def diligent(raw: dict[str, object]) -> None:
        raw |= {
            "every_milestone": {"in_time": 100, "late": 0}, "mentor": {"in_time": 100, "late": 0}, "mentor_lost": 0,
            "every_contact": 100, "appointments": {"missed": 0, "excused": 0}, "away": {"monthly": 0},
            "leaving": {"monthly": {}}, "dates": {}, "lead": {"least": "80 days", "most": "90 days"},
        }  # fmt: skip

    tally = simulate(behaving(diligent))
    assert tally.outcomes == {"completed": 30}
    unlike_the_calendar = {"stable-housing", "lodging-asked"}  # A home cannot be willed; two months may be too short.
    late = {code for (code, fate), n in tally.milestones.items() if fate in ("late", "missed") and n}
    assert late <= unlike_the_calendar


def test_people_who_do_nothing_are_seen_by_the_last_step_of_every_ladder() -> None:
    def idle(raw: dict[str, object]) -> None:
        raw |= {"every_milestone": {"in_time": 0, "late": 0}, "every_contact": 0, "alerts": {"taken": 0},
                "leaving": {"monthly": {}}, "away": {"monthly": 0}}  # fmt: skip

    tally = simulate(behaving(idle))
    highest = {step for (about, step), n in tally.alerts.items() if about == "milestone" and n}
    assert max(highest) == 2
    assert tally.milestones["exit-plan", "missed"] == 30


def test_a_programme_that_turns_in_circles_is_named_with_its_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("journeys.domain.play.MOST_OFFERS", 5)
    with pytest.raises(Stuck) as found:
        simulate(trial("auxilia", participants=2))
    assert found.value.number == 0


@cache
def forty() -> Tally:
    return simulate(trial("auxilia", participants=40))


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_everything_counted_is_told_in_words(lang: str) -> None:
    programme: Programme = book_of(trial("auxilia")).programme
    tally = forty()
    told = tables(tally, programme, "en" if lang == "en" else "fr")
    for table in told:
        assert table.title and all(len(row) == len(table.heads) for row in table.rows)
    shown = {row[0] for table in told for row in table.rows}
    assert ("Individual support" if lang == "en" else "Suivi individuel") in shown
    assert not any(code in shown for code in ("exit-plan", "milestone", "referent", "completed"))
    bands = workload(tally, programme, "fr")
    assert sum(sum(band) for band in bands.values()) == tally.work.total() + tally.told.total()
    drawing = weeks(bands, "Charge", "fr")
    assert drawing.count("<rect") == sum(1 for band in bands.values() for count in band if count)
    assert weeks({}, "Charge", "fr") == ""


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("label: x\nevery_contact: 140\n", 2, "too-big"),
        ("label: x\nevery_contacts: 40\n", 2, "unknown-key"),
        ("label: x\nlead: {least: 3 dayz, most: 9 days}\n", 2, "bad-duration"),
        ("every_contact: 40\n", 1, "missing-key"),
        ("label: x\nlabel: y\n", 2, "key-twice"),
        ("", 1, "empty-file"),
    ],
)
def test_a_behaviour_file_is_refused_with_line_and_remedy(tmp_path: Path, text: str, line: int, code: str) -> None:
    file = tmp_path / "people.yaml"
    file.write_text(text)
    with pytest.raises(BehaviourInvalid) as found:
        read_behaviour(str(file), read_programme("auxilia").programme)
    [one] = found.value.findings
    assert (one.line, one.code) == (line, code) and one.remedy("fr") and one.remedy("en")


def test_a_name_that_the_programme_has_not_is_left_aside_and_told(tmp_path: Path) -> None:
    file = tmp_path / "people.yaml"
    file.write_text("label: x\nmilestones: {exit-plan: {in_time: 10}, exit-plans: {in_time: 10}}\n")
    programme = read_programme("auxilia").programme
    read = read_behaviour(str(file), programme)
    assert read.unknown == ("milestones.exit-plans",)
    told = limits(read, programme, "en")
    assert "exit-plans" in told[0] and "“housing” for nobody: all keep “none”" in " ".join(told[1:])
    file.write_text("label: x\nsituations: {housing: [{to: own, monthly: 5}], job: [{to: permanent, monthly: 5}]}\n")
    assert limits(read_behaviour(str(file), programme), programme, "fr") == []
    with pytest.raises(BehaviourNotFound):
        read_behaviour(str(tmp_path / "none.yaml"), read_programme("auxilia").programme)


def test_a_life_hangs_on_the_seed_and_its_number_alone() -> None:
    given = trial("auxilia", participants=3)
    book = book_of(given)

    def events(number: int) -> list[str]:
        return [event.model_dump_json() for moment in one_life(given, book, number) for event in moment.offer.events]

    second = events(1)
    Random(1).random()
    assert events(1) == second != events(2)
