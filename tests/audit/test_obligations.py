"""Every obligation is recomputed: none is lost, and one that nobody answered is found."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from journeys.audit.obligations import GRACE, Answer, Obligation, Outcome, counted, obligations, silent, told
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.agenda import DueKind
from journeys.domain.record import Event, Payload
from journeys.narration.telling import Speech
from tests.audit.lives import NAMES, Life, book, day, whole_life
from tests.domain import given as played
from tests.domain.given import released
from tests.domain.lives import play
from tests.domain.test_payments import on_receipt, paid

Recorded = Event[Payload]


def _of(found: Sequence[Obligation], kind: DueKind) -> Counter[str]:
    return Counter(each.outcome.value for each in found if each.kind is kind)


def _unsaid(events: Sequence[Recorded], kind: type[Payload], number: int = 0) -> list[Recorded]:
    """The same record with a note in the place of one event."""
    place = [nth for nth, event in enumerate(events) if isinstance(event.data, kind)][number]
    note = events[place].model_copy(update={"kind": "NoteAdded", "data": e.NoteAdded(note="1")})
    return [*events[:place], note, *events[place + 1 :]]


@pytest.mark.parametrize("seed", range(12))
def test_what_deadlines_and_contacts_came_to_is_what_the_events_say(seed: int) -> None:
    life = play(seed)
    found = obligations(life.events, life.book, life.now)
    kinds = Counter(event.kind for event in life.events)
    deadlines, contacts = _of(found, DueKind.DEADLINE), _of(found, DueKind.CONTACT_CLOSES)
    corrected = sum(each.learnt_late for each in found)
    assert silent(found) == []
    # What hangs on a date that has not happened is owed by nobody yet, and may be met all the same.
    owed = {each.id for each in found if each.kind is DueKind.DEADLINE}
    met = sum(isinstance(event.data, e.DeadlineMet) and event.data.deadline in owed for event in life.events)
    assert deadlines["met"] == met + corrected
    assert deadlines["missed"] == kinds["DeadlineMissed"] - corrected
    assert contacts["met"] == kinds["ContactMade"]
    assert contacts["missed"] == kinds["ContactMissed"]
    assert _of(found, DueKind.GRANT_EXPIRES)["missed"] == kinds["GrantExpired"]
    assert _of(found, DueKind.REFERRAL_EXPIRES)["missed"] == kinds["ReferralExpired"]


def test_the_lives_of_these_tests_have_met_and_missed_and_cancelled_and_moved_some() -> None:
    found = [each for seed in range(24) for each in obligations(play(seed).events, play(seed).book, play(seed).now)]
    assert {each.outcome for each in found} == set(Outcome) - {Outcome.SILENT}
    assert any(each.moves for each in found)
    assert any(each.learnt_late for each in found)


def test_a_due_that_nobody_took_is_silent_once_its_time_is_over() -> None:
    life = Life(book())
    life.do(0, _plan())
    life.until(day(1))
    at = min(each.due for each in obligations(life.events, life.book, life.now) if each.kind is DueKind.DEADLINE)
    assert silent(obligations(life.events, life.book, at + GRACE)) == []
    [first, *_] = silent(obligations(life.events, life.book, at + GRACE + timedelta(seconds=1)))
    assert (first.kind, first.due, first.closed) == (DueKind.DEADLINE, at, None)


def test_a_miss_that_was_taken_out_of_the_record_is_found() -> None:
    life = Life(book())
    life.do(0, _plan())
    life.until(day(40))
    missed = next(event.data.deadline for event in life.events if isinstance(event.data, e.DeadlineMissed))
    cut = next(nth for nth, event in enumerate(life.events) if isinstance(event.data, e.DeadlineMissed))
    shortened = _unsaid(life.events[: cut + 1], e.DeadlineMissed)
    assert missed not in {each.id for each in silent(obligations(life.events, life.book, life.now))}
    assert missed in {each.id for each in silent(obligations(shortened, life.book, life.now))}


def test_a_deadline_that_was_never_set_is_found() -> None:
    life = Life(book())
    life.do(0, _plan())
    life.until(day(1))
    without = _unsaid(life.events, e.DeadlineSet)
    gone = next(event.data.milestone for event in life.events if isinstance(event.data, e.DeadlineSet))
    assert silent(obligations(life.events, life.book, life.now)) == []
    assert [each.id for each in silent(obligations(without, life.book, life.now))] == [f"{gone}/0"]


SUBMITTED = ("2027-03-10", on_receipt(c.SubmitReceipt, amount=16_500))
IN_PART = ("2027-03-10", on_receipt(c.SubmitReceipt, amount=16_000))


@pytest.mark.parametrize(
    ("steps", "handed_in", "answered"),
    [
        ((SUBMITTED, ("2027-03-13", on_receipt(c.AcceptReceipt))), ["met"], ["met"]),
        ((SUBMITTED, ("2027-03-24 18:00",)), ["met"], ["missed"]),
        ((SUBMITTED, ("2027-03-11", on_receipt(c.RefuseReceipt))), ["met", "open"], ["met"]),
        ((SUBMITTED, ("2027-04-02", on_receipt(c.RefuseReceipt))), ["met", "missed"], ["missed"]),
        ((IN_PART, ("2027-03-11", on_receipt(c.AcceptReceipt, amount=10_000))), ["met", "open"], ["met"]),
        (
            (
                ("2027-04-02", on_receipt(c.SubmitReceipt, amount=16_500)),
                ("2027-04-03", on_receipt(c.RefuseReceipt)),
            ),
            ["missed"],
            ["met"],
        ),
        (((SUBMITTED[0],),), ["open"], []),
    ],
)
def test_a_receipt_handed_in_and_the_answer_of_finance_are_owed_each_by_itself(
    steps: Sequence[tuple[Any, ...]], handed_in: list[str], answered: list[str]
) -> None:
    life = paid()
    for step in steps:
        life.when(*step)
    first = next(iter(life.state.receipts))
    found = [each for each in obligations(life.events, life.book, life.now) if each.id == first]
    outcomes = {
        kind: [each.outcome.value for each in found if each.kind is kind]
        for kind in (DueKind.RECEIPT_LATE, Answer.RECEIPT)
    }
    assert outcomes == {DueKind.RECEIPT_LATE: handed_in, Answer.RECEIPT: answered}
    assert not any(each.late for each in found), "nothing was recorded later than it could be"
    speech = Speech(life.book, {}, "fr", life.state)
    lines = {told(each, speech).partition(",")[0] for each in found}
    assert lines == {"dépense à justifier", *(["réponse sur la dépense"] if answered else [])}


@pytest.mark.parametrize(("answer", "outcome"), [("passed", "met"), ("failed", "missed"), (None, "silent")])
def test_a_deadline_about_which_a_check_is_asked_is_one_that_goes_on(answer: str | None, outcome: str) -> None:
    life = released(check=None).when("2027-03-03", c.ReachMilestone(milestone="account"))
    life.when("2027-03-03 12:02", played.Answer("check", "failed")).when("2027-03-15 18:00")
    if answer is not None:
        life.when("2027-03-15 18:04", played.Answer("check", answer))
    found = obligations(life.events, life.book, life.now + GRACE + timedelta(seconds=1))
    about = [each for each in found if each.kind is DueKind.DEADLINE and each.id.startswith("account/")]
    assert [each.outcome.value for each in about] == [outcome], "no other was cancelled, as often as it was asked"
    assert all(each.as_json()["kind"] for each in found), "the engine's own among them"


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_each_is_told_in_words(lang: str) -> None:
    life = whole_life()
    found = obligations(life.events, life.book, life.now)
    speech = Speech(life.book, NAMES, lang, life.state)
    lines = [told(each, speech) for each in found]
    assert all("{" not in line and "/" not in line.replace("et/ou", "") for line in lines)
    assert ("étape à franchir" if lang == "fr" else "deadline") in " ".join(lines)
    assert counted(found, lang).startswith(str(len(found)))


def _plan() -> c.Plan:
    return whole_life().commands[0][0].body  # type: ignore[return-value]
