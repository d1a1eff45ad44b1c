"""Staff: handles, roles, sites and absences; who is there on a day."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import asyncpg

from journeys.domain.directory import (
    AbsenceDropped,
    AbsenceSet,
    FundsSet,
    Holder,
    MailFailed,
    RoleGiven,
    RoleTaken,
    SitesSet,
    StaffAdded,
    StaffChanged,
    StaffLeft,
    StaffReturned,
    search_form,
)
from journeys.store import contacts
from journeys.store.database import Connection, Pool
from journeys.store.directory import AlreadyThere, By, Fact, NotFound, contact_texts, record
from journeys.store.erasing import FORGOTTEN
from journeys.store.vault import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of staff. No site means every site, no fund every fund."""

    id: str
    handle: str
    """The short name that `--as` takes; unique."""
    name: str
    email: str | None
    phone: str | None
    language: str
    roles: tuple[str, ...]
    sites: tuple[str, ...]
    active: bool
    funds: tuple[str, ...] = ()
    mail_failed: str | None = None
    """Why the last letter to them did not arrive; None: as far as is known, all do."""
    mail_failed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """Days away, both included. Without a deputy nobody stands in."""

    staff: str
    first_day: date
    last_day: date
    deputy: str | None


_COLUMNS: Final = "id::text, handle, sealed, language, roles, sites, active, funds, mail_failed, mail_failed_at"


def stream_of(staff: str) -> str:
    """The stream of a member's own facts."""
    return f"staff-{staff}"


async def add(pool: Pool, member: Member, by: By) -> None:
    """Add a member under an id made by the entry point. Raises AlreadyThere: handle or id is taken."""
    texts = {"handle": member.handle, **contact_texts(member.name, member.email, member.phone)}
    async with pool.acquire() as connection, connection.transaction():
        try:
            await connection.execute(
                "INSERT INTO staff (id, handle, sealed, language, roles, sites, active, funds)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                member.id,
                member.handle,
                await contacts.seal(connection, stream_of(member.id), _known(member.name, member.email, member.phone)),
                member.language,
                list(member.roles),
                list(member.sites),
                member.active,
                list(member.funds),
            )
        except asyncpg.UniqueViolationError as error:
            raise AlreadyThere("staff", "handle" if "handle" in str(error.constraint_name) else "id") from None
        await record(
            connection,
            stream_of(member.id),
            [Fact(StaffAdded(roles=member.roles, sites=member.sites, funds=member.funds), texts)],
            by,
        )


async def change(pool: Pool, id: str, *, name: str, email: str | None, phone: str | None, by: By) -> None:
    """Replace how a member is called and reached; mail is tried anew from now on. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        await _locked(connection, id)
        sealed = await contacts.seal(connection, stream_of(id), _known(name, email, phone))
        await connection.execute(
            "UPDATE staff SET sealed = $2, mail_failed = NULL, mail_failed_at = NULL, mail_returned = false"
            " WHERE id = $1", id, sealed,
        )  # fmt: skip
        await record(connection, stream_of(id), [Fact(StaffChanged(), contact_texts(name, email, phone))], by)


async def mail_failed(
    pool: Pool, id: str, reason: str, by: By, *, returned: bool, tried_at: datetime | None = None
) -> bool:  # fmt: skip
    """Note that mail to a member did not arrive; False (and no event) where that is known, or they have another
    address since.

    Args:
        returned: it was taken and came back, since nobody is there.
        tried_at: when it left, by the database's clock, if not just now.
    """
    async with pool.acquire() as connection, connection.transaction():
        changed = await connection.fetchval(
            """
            UPDATE staff SET mail_failed = $2, mail_failed_at = $4, mail_returned = mail_returned OR $3
            WHERE id = $1 AND active AND (mail_failed IS NULL OR $3 AND NOT mail_returned)
              AND NOT EXISTS (SELECT FROM events WHERE stream = $5 AND kind = 'StaffChanged' AND wall > $6)
            RETURNING true
            """,
            id, reason, returned, by.at, stream_of(id), tried_at or by.at,
        )  # fmt: skip
        if changed:
            await record(connection, stream_of(id), [Fact(MailFailed(reason=reason, returned=returned))], by)
        return bool(changed)


async def mail_taken(pool: Pool, id: str) -> None:
    """A letter to a member was taken: what failed before is over. Where nobody is there, another address ends it."""
    await pool.execute(
        "UPDATE staff SET mail_failed = NULL, mail_failed_at = NULL"
        " WHERE id = $1 AND mail_failed IS NOT NULL AND NOT mail_returned",
        id,
    )


async def failing(pool: Pool | Connection, ids: Sequence[str]) -> set[str]:
    """Those of them whose last letter did not arrive, as far as is known."""
    rows = await pool.fetch(
        "SELECT id::text FROM staff WHERE mail_failed IS NOT NULL AND id::text = ANY ($1::text[])", list(ids)
    )
    return {row["id"] for row in rows}


async def give_role(pool: Pool, id: str, role: str, by: By) -> bool:
    """Give a role; False (and no event) when the member has it. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        if role in (await _locked(connection, id)).roles:
            return False
        await connection.execute("UPDATE staff SET roles = array_append(roles, $2) WHERE id = $1", id, role)
        await record(connection, stream_of(id), [Fact(RoleGiven(given=role))], by)
        return True


async def take_role(pool: Pool, id: str, role: str, by: By) -> bool:
    """Take a role away; False (and no event) when the member has it not. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        if role not in (await _locked(connection, id)).roles:
            return False
        await connection.execute("UPDATE staff SET roles = array_remove(roles, $2) WHERE id = $1", id, role)
        await record(connection, stream_of(id), [Fact(RoleTaken(taken=role))], by)
        return True


async def set_sites(pool: Pool, id: str, sites: Sequence[str], by: By) -> None:
    """Say where a member works; none means everywhere. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        await _locked(connection, id)
        await connection.execute("UPDATE staff SET sites = $2 WHERE id = $1", id, list(sites))
        await record(connection, stream_of(id), [Fact(SitesSet(sites=tuple(sites)))], by)


async def set_funds(pool: Pool, id: str, funds: Sequence[str], by: By) -> None:
    """Say on which funds' money a member decides; none means on every fund's. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        await _locked(connection, id)
        await connection.execute("UPDATE staff SET funds = $2 WHERE id = $1", id, list(funds))
        await record(connection, stream_of(id), [Fact(FundsSet(funds=tuple(funds)))], by)


async def set_active(pool: Pool, id: str, active: bool, by: By) -> bool:
    """A member leaves or returns; False (and no event) when nothing changes. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        if (await _locked(connection, id)).active == active:
            return False
        await connection.execute("UPDATE staff SET active = $2 WHERE id = $1", id, active)
        await record(connection, stream_of(id), [Fact(StaffReturned() if active else StaffLeft())], by)
        return True


async def set_absence(pool: Pool, absence: Absence, by: By) -> None:
    """Write an absence down; one that begins on the same day is replaced. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        await _locked(connection, absence.staff)
        if absence.deputy is not None:
            await _locked(connection, absence.deputy)
        await connection.execute(
            "INSERT INTO absences (staff, first_day, last_day, deputy) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (staff, first_day)"
            " DO UPDATE SET last_day = excluded.last_day, deputy = excluded.deputy",
            absence.staff,
            absence.first_day,
            absence.last_day,
            absence.deputy,
        )
        fact = AbsenceSet(first_day=absence.first_day, last_day=absence.last_day, deputy=absence.deputy)
        await record(connection, stream_of(absence.staff), [Fact(fact)], by)


async def drop_absence(pool: Pool, id: str, first_day: date, by: By) -> bool:
    """Strike an absence out; False (and no event) when none begins on this day. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        await _locked(connection, id)
        done = await connection.execute("DELETE FROM absences WHERE staff = $1 AND first_day = $2", id, first_day)
        if done == "DELETE 0":
            return False
        await record(connection, stream_of(id), [Fact(AbsenceDropped(first_day=first_day))], by)
        return True


async def member(pool: Pool, id: str) -> Member | None:
    """A member by id."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM staff WHERE id = $1 AND NOT erasing", id)
    return None if row is None else (await _members(pool, [row]))[0]


async def by_handle(pool: Pool, handle: str) -> Member | None:
    """A member by handle."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM staff WHERE handle = $1 AND NOT erasing", handle)
    return None if row is None else (await _members(pool, [row]))[0]


async def members(pool: Pool) -> list[Member]:
    """All staff by handle, those who left included, but for who is forgotten."""
    return await _members(pool, await pool.fetch(f"SELECT {_COLUMNS} FROM staff WHERE NOT erasing ORDER BY handle"))


@dataclass(frozen=True, slots=True)
class Left:
    """An open journey that somebody who has left leads, or is asked to take over (then `transfer` is its id)."""

    journey: str
    member: str
    transfer: str | None
    since: int
    """The fact of their stream by which they left last."""


async def still_counted_on(connection: Pool | Connection, member: str | None = None) -> list[Left]:
    """Open journeys that wait for somebody who has left: each of them, or one. Nothing moves of who is forgotten."""
    rows = await connection.fetch(
        f"""
        SELECT j.id::text AS journey, s.id::text AS member,
               CASE WHEN j.referent = s.id THEN NULL
                    ELSE jsonb_path_query_first(j.summary, '$.board[*] ? (@.kind == "transfer").id') #>> '{{}}' END
                    AS transfer,
               (SELECT max(seq) FROM events WHERE stream = 'staff-' || s.id AND kind = 'StaffLeft') AS since
        FROM staff s JOIN journeys j ON j.referent = s.id OR j.offered_to = s.id
        WHERE NOT s.active AND j.status <> 'closed' AND ($1::uuid IS NULL OR s.id = $1) AND NOT {FORGOTTEN}
        ORDER BY j.id, s.id
        """,
        member,
    )
    return [Left(row["journey"], row["member"], row["transfer"], row["since"] or 0) for row in rows]


async def referents(pool: Pool, sites: Collection[str], also: Collection[str]) -> dict[str, str]:
    """Names of active caseworkers of these sites (none: of all), and of `also`, by id in the order of their names."""
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} FROM staff WHERE NOT erasing AND (id = ANY ($2::uuid[])"
        " OR (active AND 'referent' = ANY (roles) AND (cardinality($1::text[]) = 0 OR sites = '{}' OR sites && $1)))"
        " ORDER BY id",
        list(sites), list(also),
    )  # fmt: skip
    found = sorted(await _members(pool, rows), key=lambda each: search_form(each.name))
    return {each.id: each.name for each in found}


async def erased(connection: Pool | Connection, ids: Collection[str]) -> set[str]:
    """Who of these is a member of staff that is forgotten, or about to be."""
    if not ids:
        return set()
    rows = await connection.fetch("SELECT id::text FROM staff WHERE id::text = ANY ($1::text[]) AND erasing", list(ids))
    return {row["id"] for row in rows}


async def absences(pool: Pool, since: date) -> list[Absence]:
    """Absences that end on `since` or later, in order of their first day."""
    rows = await pool.fetch(
        "SELECT staff::text, first_day, last_day, deputy::text FROM absences WHERE last_day >= $1"
        " ORDER BY first_day, staff",
        since,
    )
    return [Absence(*row) for row in rows]


async def stood_in_for(pool: Pool, deputy: str, at: datetime) -> tuple[str, ...]:
    """Colleagues whose deputy this member is and who are away at an instant: on a day of theirs in Paris, or at a
    site of the house."""
    found: list[str] = await pool.fetchval("SELECT stood_in_for($1, $2)::text[]", deputy, at)
    return tuple(found)


async def roster(pool: Pool | Connection, on: date) -> list[Holder]:
    """Active staff on a local day, with who is away and who stands in: what `directory.reachable` takes."""
    rows = await pool.fetch(
        """
        SELECT s.id::text, s.roles, s.sites, s.funds, s.mail_returned, s.mail_failed IS NOT NULL AS failing,
               a.staff IS NOT NULL AS absent, a.deputy::text
        FROM staff s
        LEFT JOIN LATERAL (
            SELECT staff, deputy FROM absences WHERE staff = s.id AND $1 BETWEEN first_day AND last_day
            ORDER BY first_day DESC LIMIT 1
        ) a ON true
        WHERE s.active ORDER BY s.id
        """,
        on,
    )
    return [
        Holder(
            row["id"],
            frozenset(row["roles"]),
            frozenset(row["sites"]),
            row["absent"],
            row["deputy"],
            frozenset(row["funds"]),
            row["mail_returned"],
            row["failing"],
        )
        for row in rows
    ]


async def _locked(connection: Connection, id: str) -> Member:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM staff WHERE id = $1 AND NOT erasing FOR UPDATE", id)
    if row is None:
        raise NotFound("staff", id)
    return (await _members(connection, [row]))[0]


async def _members(connection: Pool | Connection, rows: Sequence[Mapping[str, Any]]) -> list[Member]:
    known = await contacts.unseal(connection, [(stream_of(row["id"]), row["sealed"]) for row in rows])
    return [_member(row, found) for row, found in zip(rows, known, strict=True)]


def _member(row: Mapping[str, Any], known: Known | None) -> Member:
    """One of whom nothing can be read is called by their handle."""
    return Member(
        id=row["id"], handle=row["handle"], language=row["language"], roles=tuple(row["roles"]),
        sites=tuple(row["sites"]), active=row["active"], funds=tuple(row["funds"]),
        mail_failed=row["mail_failed"], mail_failed_at=row["mail_failed_at"],
        **{**_known(row["handle"], None, None), **(known or {})},
    )  # fmt: skip


def _known(name: str, email: str | None, phone: str | None) -> dict[str, Any]:
    return {"name": name, "email": email, "phone": phone}
