"""The rota: who is on call for a role, at a site or everywhere, and by which phone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from journeys.domain.directory import ShiftDropped, ShiftSet
from journeys.domain.rota import Shift
from journeys.store import mentors, staff
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, NotFound, record

_OF: Final = """
    SELECT s.id::text, s.role, s.site, coalesce(s.staff, s.mentor)::text AS who, s.begins, s.ends,
           coalesce(m.name, v.name) AS name, coalesce(s.phone, m.phone, v.phone) AS phone,
           s.mentor IS NOT NULL AS mentor
    FROM shifts s LEFT JOIN staff m ON m.id = s.staff LEFT JOIN mentors v ON v.id = s.mentor
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A shift with how whoever keeps it is called and reached."""

    shift: Shift
    name: str
    phone: str | None
    mentor: bool
    """A mentor, not a member of staff."""


def _kept(row: Mapping[str, Any]) -> Kept:
    shift = Shift(row["id"], row["role"], row["site"], row["who"], row["begins"], row["ends"])
    return Kept(shift, row["name"], row["phone"], row["mentor"])


def _stream(kept: Kept) -> str:
    return mentors.stream_of(kept.shift.who) if kept.mentor else staff.stream_of(kept.shift.who)


async def between(connection: Pool | Connection, begins: datetime, ends: datetime) -> list[Kept]:
    """Shifts that touch this time, in their order; those of staff who left are among them."""
    rows = await connection.fetch(
        f"{_OF} WHERE s.ends > $1 AND s.begins < $2 ORDER BY s.begins, s.ends, s.role, s.id", begins, ends
    )
    return [_kept(row) for row in rows]


async def now(connection: Pool | Connection, at: datetime) -> list[Kept]:
    """Shifts of an instant, of those who can still be reached: active staff, mentors who are available."""
    rows = await connection.fetch(
        f"{_OF} WHERE s.begins <= $1 AND s.ends > $1 AND (m.active OR v.available) ORDER BY s.begins, s.id", at
    )
    return [_kept(row) for row in rows]


async def kept(connection: Pool | Connection, id: str) -> Kept | None:
    """A shift by id."""
    row = await connection.fetchrow(f"{_OF} WHERE s.id = $1", id)
    return None if row is None else _kept(row)


async def add(pool: Pool, shifts: Sequence[Shift], phone: str | None, by: By) -> None:
    """Write shifts of one person down, all of them or none; one that is there already (by id) stays as it is.

    Raises NotFound: they are neither of the staff nor a mentor.
    """
    who = shifts[0].who
    async with pool.acquire() as connection, connection.transaction():
        mentor = not await connection.fetchval("SELECT true FROM staff WHERE id = $1", who)
        if mentor and not await connection.fetchval("SELECT true FROM mentors WHERE id = $1", who):
            raise NotFound("staff", who)
        facts = []
        for each in shifts:
            done = await connection.execute(
                "INSERT INTO shifts (id, role, site, staff, mentor, begins, ends, phone)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
                each.id, each.role, each.site, None if mentor else who, who if mentor else None, each.begins,
                each.ends, phone,
            )  # fmt: skip
            if done != "INSERT 0 0":
                fact = ShiftSet(shift=each.id, role=each.role, site=each.site, begins=each.begins, ends=each.ends)
                facts.append(Fact(fact, {"phone": phone} if phone is not None else {}))
        if facts:
            await record(connection, mentors.stream_of(who) if mentor else staff.stream_of(who), facts, by)


async def drop(pool: Pool, id: str, by: By) -> bool:
    """Strike a shift out; False (and no event) when there is none."""
    async with pool.acquire() as connection, connection.transaction():
        known = await kept(connection, id)
        if known is None or await connection.execute("DELETE FROM shifts WHERE id = $1", id) == "DELETE 0":
            return False
        await record(connection, _stream(known), [Fact(ShiftDropped(shift=id))], by)
        return True
