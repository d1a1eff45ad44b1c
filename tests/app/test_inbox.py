"""What waits on somebody, in words."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from journeys.app.inbox import said, waits


@pytest.mark.parametrize(
    ("note", "fr"), [("call", "appeler"), ("letter", "lettre à poster"), ("held", "relance en attente")]
)
def test_what_is_done_after_a_missed_appointment(note: str, fr: str) -> None:
    item = {"kind": "chase", "id": "c", "about": "", "at": None, "since": "2027-03-19T13:00:00+00:00", "note": note}
    told = said(waits(cast(Any, SimpleNamespace(programme="essai")), item), "fr", {})
    assert told.startswith(fr) and "rendez-vous manqué" in told and "19 mars" in told
    assert said(waits(cast(Any, SimpleNamespace(programme="essai")), item), "en", {}) != told
