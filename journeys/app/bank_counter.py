"""The bank's counter: the file of a day handed over, a file of the bank taken in, for pages."""

import hashlib
import json
from datetime import date, datetime, timedelta
from functools import cache
from typing import BinaryIO, Final

from journeys.app.reading import ZONE
from journeys.app.reconciling import Given, account_of, give_out, take_in
from journeys.authoring.calendars import calendar_text
from journeys.channels.sepa.receiving import received
from journeys.channels.sepa.transfers import render
from journeys.settings import Settings
from journeys.store.bank_files import Imported, Incoming
from journeys.store.database import Pool
from journeys.store.directory import By
from journeys.store.signing import KeyRing

_SATURDAY: Final = 5


async def file_of_day(
    pool: Pool, ring: KeyRing, settings: Settings, on: date, by: By, batch: str | None = None
) -> Given:
    """The file of a day, or a batch once more. Raises Failure as `give_out` does, and where there is no account."""
    return await give_out(pool, ring, account_of(settings), render, on, by, batch)


async def file_from_bank(
    pool: Pool, ring: KeyRing, settings: Settings, content: BinaryIO, by: By, field: str
) -> Imported:
    """Take a file of the bank in, whole or not at all. Raises Failure as `take_in` does."""
    account = account_of(settings)
    digest = hashlib.sha256(content.read()).hexdigest()
    content.seek(0)
    return await take_in(pool, ring, Incoming(digest, received(content)), account, by, field)


def a_working_day_ago(now: datetime) -> datetime:
    """The same time on the last working day before: neither weekend nor public holiday in France."""
    ago = now.astimezone(ZONE) - timedelta(days=1)
    while ago.weekday() >= _SATURDAY or ago.date().isoformat() in _holidays(ago.year):
        ago -= timedelta(days=1)
    return ago


@cache
def _holidays(year: int) -> frozenset[str]:
    return frozenset(json.loads(calendar_text(ZONE.key, "FR", year, 1))["non_working"])
