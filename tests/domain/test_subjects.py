"""Of project holders and volunteers nothing is kept about custody: no reason for a suspension, no outcome."""

import json

import pytest

from journeys.authoring.reading import read_programme
from journeys.domain import commands as c
from journeys.domain.programme import STANDARD_CLOSINGS, Programme, compile_programme
from tests.domain.given import Life, book_of, plan

SMALL = {"programme": "essai", "label": "Essai", "milestones": {"end": {"label": "fin", "due": "1 month after start"}}}


@pytest.mark.parametrize("subject", ["project_holder", "volunteer"])
def test_only_a_participant_can_return_to_custody(subject: str) -> None:
    programme = Programme.model_validate(SMALL | {"subject": subject})
    assert programme.closings.keys() == STANDARD_CLOSINGS.keys() - {"custody"}
    assert Programme.model_validate(SMALL).closings == STANDARD_CLOSINGS


@pytest.mark.parametrize("name", ["actice", "benevolat"])
def test_the_text_that_is_kept_brings_no_custody_back(name: str) -> None:
    file = read_programme(name)
    assert "custody" not in compile_programme(file.text).closings
    assert "custody" not in json.dumps(json.loads(file.text)["closings"])


@pytest.mark.parametrize(("subject", "code"), [("participant", None), ("volunteer", "no-custody")])
def test_a_suspension_for_custody_is_refused_where_nobody_was_in_custody(subject: str, code: str | None) -> None:
    life = Life(book_of(json.dumps(SMALL | {"subject": subject})), {})
    life.when("2027-01-01 10:00", plan(None)).when("2027-01-05 10:00", c.Suspend(why="custody"))
    if code is None:
        life.then("JourneySuspended", also=True)
    else:
        life.refused(code)
        life.when("2027-01-06 10:00", c.Suspend(why="unreachable")).then("JourneySuspended", also=True)
