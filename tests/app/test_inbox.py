"""What waits on somebody, in words."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from journeys.app.inbox import otherwise, said, today, waits


@pytest.mark.parametrize(
    ("note", "fr"), [("call", "appeler"), ("letter", "lettre à poster"), ("held", "relance en attente")]
)
def test_what_is_done_after_a_missed_appointment(note: str, fr: str) -> None:
    item = {"kind": "chase", "id": "c", "about": "", "at": None, "since": "2027-03-19T13:00:00+00:00", "note": note}
    told = said(waits(cast(Any, SimpleNamespace(programme="essai")), item), "fr", {})
    assert told.startswith(fr) and "rendez-vous manqué" in told and "19 mars" in told
    assert said(waits(cast(Any, SimpleNamespace(programme="essai")), item), "en", {}) != told


def test_an_alert_that_a_suspension_holds_is_still_somebodys_turn_and_says_so() -> None:
    item = {
        "kind": "escalation", "id": "a", "about": "milestone cv", "at": None, "since": "2027-03-19T13:00:00+00:00",
        "note": "held", "role": "referent", "then": "supervisor",
    }  # fmt: skip
    row = cast(Any, SimpleNamespace(
        programme="essai", id="j", referent="me", summary={"board": [item, item | {"kind": "contact", "about": "s"}]}
    ))  # fmt: skip
    (late,) = today([row], "me", frozenset({"referent"}), datetime(2027, 3, 22, tzinfo=UTC)).late
    assert late.kind == "escalation"
    assert otherwise(late, "fr", {}) == "suspendu : le délai reprendra avec le parcours"
