"""Every programme's simulated lives answer, and say the same as the measures that the engine wrote down."""

from collections import Counter

import pytest

from journeys.authoring.reading import programme_names
from journeys.indicators.definitions import INDICATORS, Told, answers_of, told
from journeys.indicators.life import life_of
from journeys.simulation.running import one_life
from tests.simulation.test_simulating import book_of, trial

MEASURED = {
    ("auxilia", "housed/1"): "housed-first-night", ("auxilia", "housed/2"): "housed-3-months",
    ("auxilia", "housed/3"): "housed-6-months", ("auxilia", "employed/1"): "employed-6-weeks",
    ("auxilia", "employed/2"): "employed-6-months", ("sortie-seche", "housed/1"): "housed-first-night",
    ("sortie-seche", "settled/1"): "housed-3-months", ("concienta", "housed/2"): "housed-3-months",
}  # fmt: skip


@pytest.mark.parametrize("name", programme_names())
def test_lives_answer_what_was_measured(name: str) -> None:
    given, seen = trial(name, participants=4), Counter[str]()
    book = book_of(given)
    texts = {given.programme_hash: given.programme, given.calendar_hash: given.calendar}
    for number in range(given.participants):
        moments = list(one_life(given, book, number))
        events, state = [event for each in moments for event in each.offer.events], moments[-1].offer.state
        life, found = life_of(events, book), told(events, texts)
        if life is None:
            assert found == Told(state.seq, None, ())
            continue
        assert found == Told(state.seq, life.begun, tuple(answers_of(life)))
        known = Counter(code for code, answer in found.answers if answer.yes or answer.no)
        assert not known or max(known.values()) == 1
        answers = {code: answer for code, answer in found.answers if answer.yes + answer.no + answer.unknown == 1}
        for (programme, key), code in MEASURED.items():
            written = state.measured.get(key)
            if programme == name and written in ("yes", "no") and code in answers:
                assert getattr(answers[code], written) == 1, (key, number)
                seen[code] += 1
        seen["answers"] += len(found.answers)
    assert seen["answers"] > 0 and set(seen) >= {code for (programme, _), code in MEASURED.items() if programme == name}
    assert {code for code in seen if code != "answers"} <= {each.code for each in INDICATORS}
