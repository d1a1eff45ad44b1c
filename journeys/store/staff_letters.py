"""Letters to staff that left, for as long as one may come back: to whom, and what each told of."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from journeys.store.database import Pool

COME_BACK_WITHIN: Final = timedelta(days=30)
"""Mail servers give up within days; a report on an older letter is one of no letter of ours."""


@dataclass(frozen=True, slots=True)
class About:
    """One thing that a letter told of: an alert, by the seq of the event that called for the telling, or a message."""

    stream: str
    effect: int | None = None
    message: str | None = None
    """One that nobody else got."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter to a member of staff."""

    staff: str
    about: tuple[About, ...]
    at: datetime
    """When it was about to leave, by the database's clock."""


async def note(pool: Pool, letter: str, staff: str, about: Sequence[About]) -> None:
    """Note a letter that is about to leave, once."""
    await pool.execute(
        "INSERT INTO staff_letters (letter, staff, about) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        letter, staff, json.dumps([asdict(each) for each in about]),
    )  # fmt: skip


async def of(pool: Pool, letter: str) -> Kept | None:
    """The letter of an id; None: it is none to staff, or an old one."""
    row = await pool.fetchrow("SELECT staff::text, about, at FROM staff_letters WHERE letter = $1", letter)
    if row is None:
        return None
    return Kept(row["staff"], tuple(About(**each) for each in json.loads(row["about"])), row["at"])


async def sweep(pool: Pool) -> None:
    """Forget those that can come back no more."""
    await pool.execute("DELETE FROM staff_letters WHERE at < clock_timestamp() - $1::interval", COME_BACK_WITHIN)
