"""What happened on a journey as people are told it: which facts, and those since somebody looked."""

from collections.abc import Container, Sequence
from dataclasses import replace
from typing import Final

from journeys.app.finding import Loaded
from journeys.app.web.visit import Visit
from journeys.audit.narrating import PLUMBING, StoryDay, narrate
from journeys.audit.reading import read_names
from journeys.domain import events as e
from journeys.store.journal import parts

QUIET: Final = (
    e.DeadlineSet, e.DeadlineMoved, e.DeadlineMet, e.DeadlineCancelled, e.ContactDue, e.ContactCancelled,
    e.MessageDue, e.MessageDeferred, e.ReviewDue, e.EscalationTold, e.ReceiptDue, e.CheckCalled,
)  # fmt: skip
"""What follows by itself and changes nothing for the person: told with the whole story only."""


async def told_since(visit: Visit, loaded: Loaded, seen: int) -> list[StoryDay]:
    """What was recorded after the event that the visitor saw last, about whatever it is."""
    later = loaded.events[seen:]
    texts = await parts(visit.connection, loaded.row.stream)
    names = await read_names(visit.connection, loaded.events)
    shown = {event.seq for event in later if not isinstance(event.data, (*QUIET, *PLUMBING))}
    story = narrate(loaded.events, texts, names, loaded.book, visit.lang, shown)
    return told_days(story.days, shown)


def told_days(days: Sequence[StoryDay], shown: Container[int]) -> list[StoryDay]:
    """The newest first, with the facts of these seqs."""
    kept = [
        replace(day, told=tuple(told for told in reversed(day.told) if told.seq in shown)) for day in reversed(days)
    ]
    return [day for day in kept if day.told]
