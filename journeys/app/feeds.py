"""What a calendar feed shows: the appointments of an open journey, and nothing of whom or why."""

from datetime import datetime

from journeys.app.finding import Loaded, load
from journeys.channels.invitation import calendar, meeting
from journeys.store import views
from journeys.store.database import Pool
from journeys.store.feeds import Feed
from journeys.store.places import place_of
from journeys.store.sites import said_outside


async def calendar_of(pool: Pool, feed: Feed, association: str, now: datetime) -> bytes | None:
    """The calendar of a feed; None once it was taken back, or its journey is closed."""
    row = await views.journey(pool, feed.journey) if feed.ended_at is None else None
    if row is None:
        return None
    loaded = await load(pool, row)
    if not loaded.state.is_open:
        return None
    return calendar(
        [
            meeting(loaded.events, id, known, await _place(pool, loaded, id, feed.language))
            for id, known in loaded.state.appointments.items() if known.outcome != "cancelled"
        ],
        association=association, lang=feed.language, stamp=now,
    )  # fmt: skip


async def _place(pool: Pool, loaded: Loaded, appointment: str, lang: str) -> str:
    noted = await place_of(pool, loaded.row.stream, loaded.events, appointment)
    return await said_outside(pool, noted, loaded.state.site, lang)
