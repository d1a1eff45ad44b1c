"""Past journeys under other rules: read from the journal, played again side by side, told apart."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from journeys.app.publishing import Rules
from journeys.audit.reading import handbook_of, rules_named
from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.play import Wedged
from journeys.simulation.comparing import Sum, course, differences
from journeys.simulation.replaying import NotComparable, Stored, again, read
from journeys.simulation.running import players
from journeys.store import evidence, journal
from journeys.store.database import Pool
from journeys.store.programmes import all_texts

A_SHARE: Final = 25
"""Journeys that a process takes at once."""


async def compare(
    pool: Pool, streams: list[str], rules: Rules, processes: int,
    told: Callable[[int], None] = lambda done: None,
) -> Sum:  # fmt: skip
    """How these journeys would have gone under other rules from their first day on, against how they went."""
    texts = await all_texts(pool)
    whole, under_way = Sum(), set[asyncio.Future[Sum]]()
    loop = asyncio.get_running_loop()
    with players(processes, _begin, rules.programme_text, rules.calendar_text, texts) as workers:
        async for share in _shares(pool, streams):
            under_way.add(loop.run_in_executor(workers, _judge, share))
            if len(under_way) > processes:
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                _join(whole, done, told)
        if under_way:
            done, _ = await asyncio.wait(under_way)
            _join(whole, done, told)
    return whole


def _join(whole: Sum, done: set["asyncio.Future[Sum]"], told: Callable[[int], None]) -> None:
    for each in done:
        whole.join(each.result())
    told(whole.journeys)


async def _shares(pool: Pool, streams: list[str]) -> AsyncIterator[list[Stored]]:
    for first in range(0, len(streams), A_SHARE):
        yield [await _stored(pool, stream) for stream in streams[first : first + A_SHARE]]


async def _stored(pool: Pool, stream: str) -> Stored:
    events = await journal.read_all(pool, stream)
    commands = await evidence.commands_of(pool, stream)
    return stream, tuple((each.kind, each.header) for each in events), tuple(each.signed for each in commands)


# --- in a process that plays

_given: tuple[Handbook, dict[str, str]] | None = None


def _begin(programme: str, calendar: str, texts: dict[str, str]) -> None:
    global _given
    _given = (open_handbook(programme, calendar), texts)


def _judge(share: list[Stored]) -> Sum:
    assert _given is not None
    book, texts = _given
    found = Sum()
    for stored in share:
        record = read(stored)
        own = handbook_of(rules_named(record.events), texts)
        assert own is not None, "the store keeps every text that a journey names"
        try:
            played = again(record, book)
        except NotComparable as refused:
            found.leave_apart(refused.code)
        except Wedged:
            found.leave_apart("wedged")
        else:
            found.add(differences(course(record.events, own), course(played, book)))
    return found
