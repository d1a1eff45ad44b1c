"""What a person had before their eyes: whether somebody else has since changed what they act on."""

from collections.abc import Sequence
from typing import Any, Final

from journeys.domain import events as e
from journeys.domain.commands import AnyBody
from journeys.domain.record import SYSTEM, Event, Payload

_SUBJECTS: Final = ("date", "milestone", "contact", "appointment", "escalation", "grant", "payment", "receipt",
                    "mentor", "referral", "situation", "measure", "chase")  # fmt: skip
_APART: Final = (e.NoteAdded, e.EvidenceAdded, e.CommandRefused)
"""Facts of which nothing that somebody decides can have depended."""
_ADDING: Final = frozenset({"add-note", "add-evidence"})


def changed_since(
    events: Sequence[Event[Payload]], seen: int | None, actor: str, body: AnyBody
) -> list[Event[Payload]]:
    """What other people did after `seen` to the same subject: the milestone, grant, appointment that the command names.

    A command that names none is about the whole journey, and so is a fact that names none. None seen: nothing to
    compare with.
    """
    if seen is None or body.name in _ADDING:
        return []
    mine = _subjects(body)
    return [
        event
        for event in events[seen:]
        if event.command is not None
        and event.actor not in (actor, SYSTEM)
        and not isinstance(event.data, _APART)
        and (not mine or not (theirs := _subjects(event.data)) or mine & theirs)
    ]


def _subjects(told: Any) -> frozenset[tuple[str, str]]:
    found = {(name, value) for name in _SUBJECTS if isinstance(value := getattr(told, name, None), str)}
    if getattr(told, "name", None) == "correct":
        found.add((told.what, told.id))
    return frozenset(found)
