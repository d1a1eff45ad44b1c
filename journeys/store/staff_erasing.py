"""Forgetting a member of staff who left: the order, once nothing waits for them any more; what is held, what goes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from journeys.domain.directory import Held
from journeys.domain.events import ErasureOrdered, ErasureReason
from journeys.domain.record import SYSTEM
from journeys.store import contacts, erasing, staff
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, NotFound, record
from journeys.store.erasing import Order


class StillHere(Exception):
    """They work here: first they leave."""


class StillOnCall(Exception):
    """They are on call, or will be: somebody else takes their shifts first."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What still waits for somebody: streams of journeys."""

    leads: Collection[str]
    """Whose caseworker they are, or are asked to be."""
    decides: Collection[str]
    """In which a request that they made or approved is open, or an alert that they took in charge."""

    def __bool__(self) -> bool:
        return bool(self.leads or self.decides)


class StillCounted(Exception):
    """Journeys still count on this member."""

    def __init__(self, waiting: Waiting) -> None:
        super().__init__("journeys count on this member")
        self.waiting = waiting


async def order(pool: Pool, member: str, reason: ErasureReason, by: By) -> Order:
    """Order the erasure of a member of staff, or what was ordered before. From here on they are in no list.

    Raises NotFound: no such member. StillHere, StillCounted, StillOnCall: not where a copy of before is put right
    (reason `restored`).
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow("SELECT active FROM staff WHERE id = $1 FOR UPDATE", member)
        if row is None:
            raise NotFound("staff", member)
        known = await erasing.ordered(connection, member, "staff")
        if known is not None:
            return known
        if reason != "restored":
            await _must_be_free(connection, member, row["active"], by.at)
        await connection.execute("UPDATE staff SET erasing = true, active = false WHERE id = $1", member)
        seq = await record(connection, staff.stream_of(member), [Fact(ErasureOrdered(reason=reason))], by)
        return await erasing.put_down(connection, Order("staff", member, seq, reason, by.at, by.actor, None, None))


async def _must_be_free(connection: Connection, member: str, active: bool, now: datetime) -> None:
    if active:
        raise StillHere
    if waiting := await waiting_for(connection, member):
        raise StillCounted(waiting)
    if await connection.fetchval("SELECT EXISTS (SELECT FROM shifts WHERE staff = $1 AND ends > $2)", member, now):
        raise StillOnCall


async def waiting_for(connection: Pool | Connection, member: str) -> Waiting:
    """What still waits for a member."""
    rows = await connection.fetch(
        """
        SELECT 'leads' AS what, 'journey-' || id AS stream FROM journeys
        WHERE status <> 'closed' AND (referent = $1::uuid OR offered_to = $1::uuid)
        UNION SELECT 'decides', 'journey-' || j.id FROM journeys j, jsonb_array_elements(j.summary -> 'board') AS item
        WHERE item ->> 'held_by' = $1::text OR (j.asks AND item ->> 'kind' = 'grant' AND EXISTS (
            SELECT FROM (SELECT convert_from(header, 'UTF8')::jsonb AS header FROM events
                         WHERE stream = 'journey-' || j.id AND kind IN ('GrantRequested', 'GrantApprovalGiven')) AS e
            WHERE e.header ->> 'actor' = $1::text AND e.header -> 'data' ->> 'grant' = item ->> 'id'))
        ORDER BY 2
        """,
        member,
    )  # fmt: skip
    return Waiting(*([row["stream"] for row in rows if row["what"] == what] for what in ("leads", "decides")))


async def reached(pool: Pool, member: str) -> tuple[str, ...]:
    """The addresses of a member who is being forgotten, as far as they can still be read."""
    sealed = await pool.fetchval("SELECT sealed FROM staff WHERE id = $1", member)
    return await contacts.reached(pool, staff.stream_of(member), sealed)


async def survey(pool: Pool, member: str) -> Held:
    """What is held of a member in the database, letters aside."""
    parts = await pool.fetchval("SELECT count(*) FROM parts WHERE stream = $1", staff.stream_of(member))
    return Held(journeys=0, parts=parts, documents=0, histories=0, letters=0)


async def delete(pool: Pool, member: str) -> None:
    """Delete all that is known of a member, their handle too. Raises asyncpg.InsufficientPrivilegeError: nobody ordered
    it."""
    await pool.execute("SELECT erase_staff($1)", member)


async def order_again(pool: Pool, listed: Path | None, at: datetime) -> list[str]:
    """Order anew the erasure of members whom a restored record has brought back: see `erasing.order_again`."""
    rows = await pool.fetch(
        "SELECT id::text FROM staff s WHERE id = ANY ($1::uuid[])"
        " AND NOT EXISTS (SELECT FROM erasures WHERE kind = 'staff' AND person = s.id)",
        erasing.listed_of(listed, staff.stream_of("")),
    )
    back = [row["id"] for row in rows]
    for member in back:
        await order(pool, member, "restored", By(actor=SYSTEM, role=SYSTEM, at=at))
    return back
