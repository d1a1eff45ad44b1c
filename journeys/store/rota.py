"""The rota: who is on call for a role, at a site or everywhere, and by which phone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from journeys.domain.directory import RotaEnded, ShiftDropped, ShiftSet
from journeys.domain.rota import Shift
from journeys.store import contacts, mentors, staff, vault
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, NotFound, record
from journeys.store.keys import key_of_stream

_OF: Final = """
    SELECT s.id::text, s.role, s.site, coalesce(s.staff, s.mentor)::text AS who, s.begins, s.ends,
           s.mentor IS NOT NULL AS mentor, coalesce(m.active, v.available, false) AS reachable,
           coalesce(m.sealed, v.sealed) AS contact, s.sealed AS phone
    FROM shifts s LEFT JOIN staff m ON m.id = s.staff LEFT JOIN mentors v ON v.id = s.mentor AND NOT v.erasing
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A shift with how whoever keeps it is called and reached."""

    shift: Shift
    name: str
    phone: str | None
    """That of the shift, else their usual one."""
    own: str | None
    """The shift's own: it goes from hand to hand, to a deputy too."""
    mentor: bool
    """A mentor, not a member of staff."""
    reachable: bool
    """Still active, or available: whoever is not leaves a gap."""


def _stream(mentor: bool, who: str) -> str:
    return mentors.stream_of(who) if mentor else staff.stream_of(who)


def place_of(id: str) -> str:
    """Where a shift's own phone stands."""
    return f"shift/{id}"


async def _read(connection: Pool | Connection, rows: Sequence[Mapping[str, Any]]) -> list[Kept]:
    """Shifts with the names and phones of those who keep them, in order; whoever is forgotten keeps none."""
    found = await contacts.unseal(connection, [(_stream(row["mentor"], row["who"]), row["contact"]) for row in rows])
    own = await vault.opened(connection, [(place_of(row["id"]), row["phone"]) for row in rows])
    return [
        Kept(_shift(row), known["name"], (phone or known).get("phone"), (phone or {}).get("phone"), row["mentor"],
             row["reachable"])
        for row, known, phone in zip(rows, found, own, strict=True)
        if known is not None
    ]  # fmt: skip


async def between(connection: Pool | Connection, begins: datetime, ends: datetime) -> list[Kept]:
    """Shifts that touch this time, in their order; those of staff who left are among them."""
    rows = await connection.fetch(
        f"{_OF} WHERE s.ends > $1 AND s.begins < $2 ORDER BY s.begins, s.ends, s.role, s.id", begins, ends
    )
    return await _read(connection, rows)


async def begun(connection: Pool | Connection, begins: datetime, ends: datetime) -> set[tuple[str, str | None]]:
    """The rotas, each a role at a site or everywhere, that have a shift in this time, whoever has it; not those that
    are ended."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT s.role, s.site FROM shifts s
        WHERE s.ends > $1 AND s.begins < $2 AND NOT EXISTS (
            SELECT FROM rotas_ended e WHERE e.role = s.role AND e.site IS NOT DISTINCT FROM s.site)
        """,
        begins, ends,
    )  # fmt: skip
    return {(row["role"], row["site"]) for row in rows}


async def now(connection: Pool | Connection, at: datetime) -> list[Kept]:
    """Shifts of an instant, of those who can still be reached: active staff, mentors who are available."""
    return await _read(connection, await _rows_at(connection, at))


async def shifts_now(connection: Pool | Connection, at: datetime) -> list[Shift]:
    """The same without names and phones: nothing is unsealed to know who is on call."""
    return [_shift(row) for row in await _rows_at(connection, at)]


async def _rows_at(connection: Pool | Connection, at: datetime) -> Sequence[Mapping[str, Any]]:
    rows: Sequence[Mapping[str, Any]] = await connection.fetch(
        f"{_OF} WHERE s.begins <= $1 AND s.ends > $1 AND coalesce(m.active, v.available) ORDER BY s.begins, s.id", at
    )
    return rows


def _shift(row: Mapping[str, Any]) -> Shift:
    return Shift(row["id"], row["role"], row["site"], row["who"], row["begins"], row["ends"])


async def kept(connection: Pool | Connection, id: str) -> Kept | None:
    """A shift by id."""
    found = await _read(connection, await connection.fetch(f"{_OF} WHERE s.id = $1", id))
    return found[0] if found else None


async def add(pool: Pool, shifts: Sequence[Shift], phone: str | None, by: By) -> None:
    """Write shifts of one person down, all of them or none; one that is there already (by id) stays as it is. A rota
    that was ended is kept again, whenever the shift begins.

    Raises NotFound: they are neither of the staff nor a mentor.
    """
    who = shifts[0].who
    async with pool.acquire() as connection, connection.transaction():
        mentor = not await connection.fetchval("SELECT true FROM staff WHERE id = $1", who)
        if mentor and not await connection.fetchval(
            "SELECT true FROM mentors WHERE id = $1 AND NOT erasing FOR SHARE", who
        ):
            raise NotFound("staff", who)
        stream = _stream(mentor, who)
        facts = []
        for each in shifts:
            done = await connection.execute(
                "INSERT INTO shifts (id, role, site, staff, mentor, begins, ends, sealed)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
                each.id, each.role, each.site, None if mentor else who, who if mentor else None, each.begins,
                each.ends, await _sealed(connection, stream, each.id, phone),
            )  # fmt: skip
            if done != "INSERT 0 0":
                await connection.execute(
                    "DELETE FROM rotas_ended WHERE role = $1 AND site IS NOT DISTINCT FROM $2", each.role, each.site
                )
                fact = ShiftSet(shift=each.id, role=each.role, site=each.site, begins=each.begins, ends=each.ends)
                facts.append(Fact(fact, {"phone": phone} if phone is not None else {}))
        if facts:
            await record(connection, stream, facts, by)


async def _sealed(connection: Connection, stream: str, id: str, phone: str | None) -> bytes | None:
    if phone is None:
        return None
    return await vault.shut(connection, key_of_stream(stream), place_of(id), {"phone": phone})


async def drop(pool: Pool, id: str, by: By) -> bool:
    """Strike a shift out; False (and no event) when there is none."""
    async with pool.acquire() as connection, connection.transaction():
        known = await kept(connection, id)
        if known is None or await connection.execute("DELETE FROM shifts WHERE id = $1", id) == "DELETE 0":
            return False
        await record(connection, _stream(known.mentor, known.shift.who), [Fact(ShiftDropped(shift=id))], by)
        return True


class StillPlanned(Exception):
    """Somebody is planned on call later on, from `begins` on for the first time."""

    def __init__(self, begins: datetime) -> None:
        super().__init__(begins)
        self.begins = begins


async def end(pool: Pool, role: str, site: str | None, since: datetime, by: By) -> bool:
    """Keep a rota no longer; False (and no event) for one that is not kept.

    Args:
        since: after a shift that ended then or later, one counts as kept.

    Raises:
        StillPlanned: a shift of it is still to begin; nothing is written.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE rotas_ended IN SHARE ROW EXCLUSIVE MODE")
        coming = await connection.fetchval(
            "SELECT min(begins) FROM shifts WHERE role = $1 AND site IS NOT DISTINCT FROM $2 AND begins > $3",
            role, site, by.at,
        )  # fmt: skip
        if coming is not None:
            raise StillPlanned(coming)
        if (role, site) not in await begun(connection, since, by.at):
            return False
        await connection.execute("INSERT INTO rotas_ended (role, site) VALUES ($1, $2)", role, site)
        await record(connection, "system", [Fact(RotaEnded(role=role, site=site))], by)
        return True
