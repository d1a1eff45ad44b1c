"""Forgetting a partner who takes nobody any more, with whom one asked for there: the order, what is held, what goes."""

from datetime import datetime
from pathlib import Path

from journeys.domain.directory import Held
from journeys.domain.events import ErasureOrdered, ErasureReason
from journeys.domain.record import SYSTEM
from journeys.store import contacts, erasing, partners
from journeys.store.database import Pool
from journeys.store.directory import By, Fact, NotFound, record
from journeys.store.erasing import Order


class StillThere(Exception):
    """They take people: first it is noted that they do not any more."""


class StillCounted(Exception):
    """People were sent there or taken, on so many open journeys."""

    def __init__(self, journeys: int) -> None:
        super().__init__(f"{journeys} journeys count on this partner")
        self.journeys = journeys


async def order(pool: Pool, partner: str, reason: ErasureReason, by: By) -> Order:
    """Order the erasure of a partner, or what was ordered before. From here on they are in no list.

    Raises NotFound: no such partner. StillThere, StillCounted: not where a copy of before is put right (reason
    `restored`).
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow("SELECT active FROM partners WHERE id = $1 FOR UPDATE", partner)
        if row is None:
            raise NotFound("partner", partner)
        known = await erasing.ordered(connection, partner, "partner")
        if known is not None:
            return known
        if reason != "restored" and row["active"]:
            raise StillThere
        if reason != "restored" and (journeys := (await partners.taken(connection)).get(partner, 0)):
            raise StillCounted(journeys)
        await connection.execute("UPDATE partners SET erasing = true, active = false WHERE id = $1", partner)
        seq = await record(connection, partners.stream_of(partner), [Fact(ErasureOrdered(reason=reason))], by)
        return await erasing.put_down(connection, Order("partner", partner, seq, reason, by.at, by.actor, None, None))


async def reached(pool: Pool, partner: str) -> tuple[str, ...]:
    """The addresses of a partner who is being forgotten, as far as they can still be read."""
    sealed = await pool.fetchval("SELECT sealed FROM partners WHERE id = $1", partner)
    return await contacts.reached(pool, partners.stream_of(partner), sealed)


async def survey(pool: Pool, partner: str) -> Held:
    """What is held of a partner in the database, letters aside."""
    parts = await pool.fetchval("SELECT count(*) FROM parts WHERE stream = $1", partners.stream_of(partner))
    return Held(journeys=0, parts=parts, documents=0, histories=0, letters=0)


async def delete(pool: Pool, partner: str) -> None:
    """Delete all that is known of a partner. Raises asyncpg.InsufficientPrivilegeError: nobody ordered it."""
    await pool.execute("SELECT erase_partner($1)", partner)


async def order_again(pool: Pool, listed: Path | None, at: datetime) -> list[str]:
    """Order anew the erasure of partners whom a restored record has brought back: see `erasing.order_again`."""
    rows = await pool.fetch(
        "SELECT id::text FROM partners p WHERE id = ANY ($1::uuid[])"
        " AND NOT EXISTS (SELECT FROM erasures WHERE kind = 'partner' AND person = p.id)",
        erasing.listed_of(listed, partners.stream_of("")),
    )
    back = [row["id"] for row in rows]
    for partner in back:
        await order(pool, partner, "restored", By(actor=SYSTEM, role=SYSTEM, at=at))
    return back
