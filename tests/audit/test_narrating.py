"""The story of a whole life: days in order, texts with their facts, a future, and still a story without texts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from journeys.audit.narrating import Story, narrate
from tests.audit.lives import NAMES, Life, book, whole_life


@dataclass(frozen=True)
class Kept:
    seq: int
    name: str
    text: str


@pytest.fixture(scope="module")
def life() -> Life:
    return whole_life()


def story(
    life: Life, texts: Mapping[tuple[int, str], str] | None = None, lang: str = "fr", until: int | None = None
) -> Story:
    texts = life.texts if texts is None else texts
    parts = [Kept(seq, name, text) for (seq, name), text in texts.items()]
    return narrate(life.events[:until], parts, NAMES, book(), lang)


def test_days_are_told_in_order_with_every_event_once(life: Life) -> None:
    told = story(life)
    assert [day.day for day in told.days] == sorted({day.day for day in told.days})
    assert [each.seq for day in told.days for each in day.told] == [event.seq for event in life.events]
    assert told.days[0].title == "Lundi 4 janvier 2027"
    assert story(life, lang="en").days[0].title == "Monday 4 January 2027"


def test_who_when_and_under_which_rule(life: Life) -> None:
    told = {each.seq: each for day in story(life).days for each in day.told}
    by_rule = [event for event in life.events if event.rule is not None]
    assert all(told[event.seq].because for event in by_rule)
    assert all(told[event.seq].because is None for event in life.events if event.command is not None)
    late = next(event for event in life.events if event.kind == "DateHappened")
    assert told[late.seq].learnt_late == "arrivé le 16 février 2027"
    assert told[late.seq].time == "10\u00a0h"
    reached = next(event for event in life.events if event.kind == "DeadlineCorrected")
    assert reached.caused_by is not None
    assert told[reached.seq].follows == reached.caused_by.seq


def test_texts_stand_with_their_facts_and_money_is_kept_apart(life: Life) -> None:
    words = {(each.seq, one.label): one for day in story(life).days for each in day.told for one in each.words}
    shown = {one.shown for one in words.values()}
    assert {"Vu au parloir, confiant.", "jugement reporté", "plan signé", "(gardé à part)"} <= shown
    assert "FR7630001007941234567890185" not in str(story(life).as_json())


def test_a_record_without_its_texts_is_still_a_story(life: Life) -> None:
    bare, whole = story(life, texts={}), story(life)
    assert [t.text for d in bare.days for t in d.told] == [t.text for d in whole.days for t in d.told]
    shown = [one.shown for day in bare.days for each in day.told for one in each.words]
    assert len(shown) == len(life.texts) >= 10
    assert set(shown) == {"(texte effacé)"}
    assert {one.shown for d in story(life, texts={}, lang="en").days for t in d.told for one in t.words} == {
        "(text erased)"
    }


def test_an_open_journey_has_a_future(life: Life) -> None:
    coming = story(life, until=120).coming
    assert coming == tuple(sorted(coming, key=lambda each: each.at))
    assert any("sinon" in each.text for each in coming)
    assert coming[0].at > life.events[119].recorded_at


def test_json_is_plain(life: Life) -> None:
    plain = story(life, lang="en").as_json()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["journey"] == life.stream.removeprefix("journey-")
