"""Forgetting a mentor: the order, once nobody counts on them any more; what is held of them, and what goes."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from journeys.domain.directory import Held
from journeys.domain.events import ErasureOrdered, ErasureReason
from journeys.domain.record import SYSTEM
from journeys.store import contacts, erasing, mentors, partner_erasing, staff_erasing
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, NotFound, record
from journeys.store.erasing import Order


class StillCounted(Exception):
    """Journeys (their streams) still have this mentor, or wait for their answer."""

    def __init__(self, streams: Collection[str]) -> None:
        super().__init__(f"{len(streams)} journeys count on this mentor")
        self.streams = tuple(streams)


class StillOnCall(StillCounted):
    """They are on call, or will be: somebody else takes their shifts first."""

    def __init__(self) -> None:
        super().__init__(())


async def order(pool: Pool, mentor: str, reason: ErasureReason, by: By) -> Order:
    """Order the erasure of a mentor, or what was ordered before. From here on they are in no list.

    Raises NotFound: no such mentor. StillCounted, or StillOnCall: not where a copy of before is put right
    (reason `restored`).
    """
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval("SELECT erasing FROM mentors WHERE id = $1 FOR UPDATE", mentor) is None:
            raise NotFound("mentor", mentor)
        known = await erasing.ordered(connection, mentor, "mentor")
        if known is not None:
            return known
        if reason != "restored" and (streams := await counting_on(connection, mentor)):
            raise StillCounted(streams)
        if reason != "restored" and await connection.fetchval(
            "SELECT EXISTS (SELECT FROM shifts WHERE mentor = $1 AND ends > $2)", mentor, by.at
        ):
            raise StillOnCall
        await connection.execute("UPDATE mentors SET erasing = true, available = false WHERE id = $1", mentor)
        seq = await record(connection, mentors.stream_of(mentor), [Fact(ErasureOrdered(reason=reason))], by)
        return await erasing.put_down(connection, Order("mentor", mentor, seq, reason, by.at, by.actor, None, None))


async def counting_on(connection: Pool | Connection, mentor: str, timeout: float | None = None) -> list[str]:
    """Streams of the journeys whose person this mentor accompanies, or is asked to."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT stream FROM (
            SELECT DISTINCT ON (stream, header -> 'data' ->> 'proposal') stream, kind
            FROM (SELECT stream, seq, kind, convert_from(header, 'UTF8')::jsonb AS header FROM events
                  WHERE kind IN ('MentorProposed', 'MentorMatched', 'MentorDeclined', 'MentorProposalCancelled',
                                 'MentorEnded')) AS told
            WHERE header -> 'data' ->> 'mentor' = $1
            ORDER BY stream, header -> 'data' ->> 'proposal', seq DESC
        ) AS last WHERE kind IN ('MentorProposed', 'MentorMatched') ORDER BY stream
        """,
        mentor, timeout=timeout,
    )  # fmt: skip
    return [row["stream"] for row in rows]


async def called_and_reached(pool: Pool, mentor: str) -> tuple[str, ...]:
    """Name, address and number of a mentor who is being forgotten, as far as they can still be read."""
    sealed = await pool.fetchval("SELECT sealed FROM mentors WHERE id = $1", mentor)
    [known] = await contacts.unseal(pool, [(mentors.stream_of(mentor), sealed)])
    return tuple(known[each] for each in ("name", "email", "phone") if known.get(each)) if known is not None else ()


async def survey(pool: Pool, mentor: str) -> Held:
    """What is held of a mentor in the database, letters aside."""
    parts = await pool.fetchval("SELECT count(*) FROM parts WHERE stream = $1", mentors.stream_of(mentor))
    return Held(journeys=0, parts=parts, documents=0, histories=0, letters=0)


async def delete(pool: Pool, mentor: str) -> None:
    """Delete all that is known of a mentor. Raises asyncpg.InsufficientPrivilegeError: nobody ordered it."""
    await pool.execute("SELECT erase_mentor($1)", mentor)


async def delete_letters(pool: Pool, mentor: str, letters: Collection[str]) -> None:
    """Delete letters on paper that name a mentor. Raises asyncpg.InsufficientPrivilegeError: nobody forgets them."""
    await pool.execute("SELECT erase_letters($1, $2::uuid[])", mentor, list(letters))


async def order_again(pool: Pool, listed: Path | None, at: datetime) -> list[str]:
    """Order anew the erasure of mentors whom a restored record has brought back: see `erasing.order_again`."""
    rows = await pool.fetch(
        "SELECT id::text FROM mentors m WHERE id = ANY ($1::uuid[])"
        " AND NOT EXISTS (SELECT FROM erasures WHERE kind = 'mentor' AND person = m.id)",
        erasing.listed_of(listed, mentors.stream_of("")),
    )
    back = [row["id"] for row in rows]
    for mentor in back:
        await order(pool, mentor, "restored", By(actor=SYSTEM, role=SYSTEM, at=at))
    return back


async def put_right(pool: Pool, listed: Path | None, at: datetime) -> tuple[int, list[str]]:
    """Undo what a restored copy brings back: how many keys are destroyed again, and who is to be erased again."""
    keys = await erasing.destroy_again(pool, listed)
    again = (erasing.order_again, order_again, staff_erasing.order_again, partner_erasing.order_again)
    return keys, [id for each in again for id in await each(pool, listed, at)]
