"""Views rebuilt from the journal: fold each journey's events anew, write the rows that lists show."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from journeys.store import payments, receipts
from journeys.store.database import Pool
from journeys.store.journal import read_all
from journeys.store.programmes import texts_of

S = TypeVar("S")

_BATCH: Final = 500


async def rebuild(
    pool: Pool,
    fold: Callable[[Sequence[dict[str, Any]], Mapping[str, str]], S],
    summary: Callable[[S], Mapping[str, Any]],
    *,
    only: str | None = None,
) -> int:
    """Write the view row of every journey (or of one stream), with those of its payments and receipts.

    Returns how many journeys were written.

    Args:
        fold: all headers of a journey, in order, with the texts of its programmes and calendars by SHA-256.
        summary: what a list shows of a state; the same as appends send.

    Appends go on meanwhile; each waits only while its own journey is rebuilt.
    """
    count = 0
    async for stream in _streams(pool, only):
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT FROM streams WHERE stream = $1 FOR UPDATE", stream)
            headers = [event.read() for event in await read_all(connection, stream)]
            if not headers:
                continue
            named = {header["data"].get(key) for header in headers for key in ("programme", "calendar")}
            hashes = sorted(each for each in named if isinstance(each, str) and len(each) == 64)
            state = fold(headers, await texts_of(connection, hashes))
            await connection.execute("SELECT view_put($1, $2)", stream, json.dumps(summary(state)))
            await payments.rebuild(connection, stream, headers)
            await receipts.rebuild(connection, stream, headers)
        count += 1
    return count


async def _streams(pool: Pool, only: str | None) -> AsyncIterator[str]:
    if only is not None:
        yield only
        return
    last = "journey-"
    while rows := await pool.fetch(
        "SELECT stream FROM streams WHERE stream > $1 AND stream < 'journey.' ORDER BY stream LIMIT $2",
        last,
        _BATCH,
    ):
        for row in rows:
            yield row["stream"]
        last = rows[-1]["stream"]
