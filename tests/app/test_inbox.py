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


def test_what_somebody_had_in_hand_until_before_now_is_in_nobodys_hands() -> None:
    item = {
        "kind": "escalation", "id": "a", "about": "milestone cv", "at": "2027-03-22T08:00:00+00:00", "note": "snoozed",
        "held_by": "me", "held_until": "2027-03-19T08:00:00+00:00",
    }  # fmt: skip
    row = cast(Any, SimpleNamespace(programme="essai"))
    before, after = (waits(row, item, datetime(2027, 3, day, tzinfo=UTC)) for day in (18, 20))
    assert (before.note, before.held_by, before.held_until) == ("snoozed", "me", datetime(2027, 3, 19, 8, tzinfo=UTC))
    assert (after.note, after.held_by, after.held_until) == ("", None, None)
    assert "(en attente)" in said(before, "fr", {}) and "(en attente)" not in said(after, "fr", {})
