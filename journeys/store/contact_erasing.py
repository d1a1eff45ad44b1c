"""Forgetting a mentor, a member of staff who left, or a partner: the order, once nobody counts on them; what goes."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from journeys.domain.directory import Held
from journeys.domain.events import ErasureOrdered, ErasureReason
from journeys.domain.record import SYSTEM
from journeys.store import contacts, erasing, partners
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, NotFound, record
from journeys.store.erasing import FORGOTTEN, Contact, Order
from journeys.store.journal import open_parts

_PATIENCE: Final = 60.0
"""Seconds that a question over the whole journal may take."""
Why = Literal["active", "counted-on", "decides", "on-call"]


class StillNeeded(Exception):
    """They are not forgotten yet: they are here, journeys count on them, wait for what they decide, or a shift does."""

    def __init__(self, why: Why, streams: Collection[str] = (), journeys: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.streams = tuple(streams)
        """Of the journeys; none for a partner."""
        self.journeys = journeys or len(self.streams)


@dataclass(frozen=True, slots=True)
class _Register:
    """Where those of a kind stand."""

    table: str
    offered: str
    """The column that says whether one may count on them."""
    found_by: tuple[str, ...]
    """What they are found by in letters."""
    must_be_free: Callable[[Connection, str, datetime], Awaitable[None]]
    """Raises StillNeeded."""


async def order(pool: Pool, kind: Contact, id: str, reason: ErasureReason, by: By) -> Order:
    """Order the erasure of somebody, or what was ordered before. From here on they are in no list.

    Raises NotFound: there is no such one. StillNeeded: not where a copy of before is put right (reason `restored`).
    """
    register = _REGISTERS[kind]
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(f"SELECT erasing FROM {register.table} WHERE id = $1 FOR UPDATE", id) is None:
            raise NotFound(kind, id)
        known = await erasing.ordered(connection, id, kind)
        if known is not None:
            return known
        if reason != "restored":
            await register.must_be_free(connection, id, by.at)
        await connection.execute(
            f"UPDATE {register.table} SET erasing = true, {register.offered} = false WHERE id = $1", id
        )
        seq = await record(connection, f"{kind}-{id}", [Fact(ErasureOrdered(reason=reason))], by)
        return await erasing.put_down(connection, Order(kind, id, seq, reason, by.at, by.actor, None, None))


# --- whom something still waits for


async def counting_on(connection: Pool | Connection, mentor: str, timeout: float | None = None) -> list[str]:
    """Streams of the journeys whose person this mentor accompanies, or is asked to."""
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT stream FROM (
            SELECT DISTINCT ON (stream, header -> 'data' ->> 'proposal') stream, kind
            FROM (SELECT stream, seq, kind, convert_from(header, 'UTF8')::jsonb AS header FROM events
                  WHERE kind IN ('MentorProposed', 'MentorMatched', 'MentorDeclined', 'MentorProposalCancelled',
                                 'MentorEnded')) AS told
            WHERE header -> 'data' ->> 'mentor' = $1
            ORDER BY stream, header -> 'data' ->> 'proposal', seq DESC
        ) AS last WHERE kind IN ('MentorProposed', 'MentorMatched')
            AND NOT EXISTS (SELECT FROM journeys j WHERE 'journey-' || j.id = stream AND {FORGOTTEN}) ORDER BY stream
        """,
        mentor, timeout=timeout,
    )  # fmt: skip
    return [row["stream"] for row in rows]


async def led_by(connection: Pool | Connection, member: str) -> list[str]:
    """Streams of the open journeys whose caseworker a member is, or is asked to be."""
    rows = await connection.fetch(
        "SELECT 'journey-' || id AS stream FROM journeys j"
        f" WHERE status <> 'closed' AND (referent = $1::uuid OR offered_to = $1::uuid) AND NOT {FORGOTTEN} ORDER BY 1",
        member,
    )
    return [row["stream"] for row in rows]


async def decided_by(connection: Pool | Connection, member: str) -> list[str]:
    """Streams in which a request that a member made or approved is open, or an alert that they took in charge."""
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT 'journey-' || j.id AS stream FROM journeys j, jsonb_array_elements(j.summary -> 'board') AS item
        WHERE NOT {FORGOTTEN} AND (item ->> 'held_by' = $1::text OR (j.asks AND item ->> 'kind' = 'grant' AND EXISTS (
            SELECT FROM (SELECT convert_from(header, 'UTF8')::jsonb AS header FROM events
                         WHERE stream = 'journey-' || j.id AND kind IN ('GrantRequested', 'GrantApprovalGiven')) AS e
            WHERE e.header ->> 'actor' = $1::text AND e.header -> 'data' ->> 'grant' = item ->> 'id')))
        ORDER BY 1
        """,
        member,
    )  # fmt: skip
    return [row["stream"] for row in rows]


async def _mentor_must_be_free(connection: Connection, mentor: str, now: datetime) -> None:
    if streams := await counting_on(connection, mentor):
        raise StillNeeded("counted-on", streams)
    await _must_be_off_call(connection, "mentor", mentor, now)


async def _member_must_be_free(connection: Connection, member: str, now: datetime) -> None:
    if await connection.fetchval("SELECT active FROM staff WHERE id = $1", member):
        raise StillNeeded("active")
    if streams := await led_by(connection, member):
        raise StillNeeded("counted-on", streams)
    if streams := await decided_by(connection, member):
        raise StillNeeded("decides", streams)
    await _must_be_off_call(connection, "staff", member, now)


async def _partner_must_be_free(connection: Connection, partner: str, now: datetime) -> None:
    if await connection.fetchval("SELECT active FROM partners WHERE id = $1", partner):
        raise StillNeeded("active")
    if journeys := (await partners.taken(connection)).get(partner, 0):
        raise StillNeeded("counted-on", journeys=journeys)


async def _must_be_off_call(connection: Connection, column: Literal["mentor", "staff"], id: str, now: datetime) -> None:
    if await on_call(connection, column, id, now):
        raise StillNeeded("on-call")


async def on_call(connection: Pool | Connection, column: Literal["mentor", "staff"], id: str, now: datetime) -> bool:
    """Whether somebody is on call at an instant, or will be."""
    found: bool = await connection.fetchval(
        f"SELECT EXISTS (SELECT FROM shifts WHERE {column} = $1 AND ends > $2)", id, now
    )
    return found


_REGISTERS: Final[Mapping[Contact, _Register]] = {
    "mentor": _Register("mentors", "available", ("name", "email", "phone"), _mentor_must_be_free),
    "staff": _Register("staff", "active", ("email", "phone"), _member_must_be_free),
    "partner": _Register("partners", "active", ("email", "phone"), _partner_must_be_free),
}


# --- what there is, and what goes


async def found_by(pool: Pool, kind: Contact, id: str) -> tuple[str, ...]:
    """What somebody who is being forgotten is, or was, found by in letters, as far as it can still be read: their
    addresses; of a mentor the name too, since letters to others name them."""
    register, stream = _REGISTERS[kind], f"{kind}-{id}"
    sealed = await pool.fetchval(f"SELECT sealed FROM {register.table} WHERE id = $1", id)
    [known] = await contacts.unseal(pool, [(stream, sealed)])
    rows = await pool.fetch(
        "SELECT stream, seq, name, text, salt, sealed FROM parts WHERE stream = $1 AND name = ANY ($2::text[])"
        " ORDER BY seq DESC, name",
        stream, list(register.found_by),
    )  # fmt: skip
    now = [known.get(each) for each in register.found_by] if known is not None else []
    before = [part.text for part in await open_parts(pool, rows) if part is not None]
    return tuple(dict.fromkeys(each for each in (*now, *before) if each))


async def letters_owed(pool: Pool, kind: Contact, id: str) -> list[str]:
    """Ids of the letters that the record says were owed to somebody, whatever can be read of them; of a mentor those
    that tell of them."""
    rows = await pool.fetch(
        "SELECT data ->> 'message' AS id FROM"
        " (SELECT convert_from(header, 'UTF8')::jsonb -> 'data' AS data FROM events WHERE kind = 'MessageDue') AS due"
        " WHERE CASE $2::text WHEN 'mentor' THEN data -> 'about' ->> 'kind' = $2 AND data -> 'about' ->> 'id' = $1"
        " ELSE data ->> 'person' = $1 END"
        " UNION SELECT letter::text FROM staff_letters WHERE staff::text = $1 AND $2 = 'staff'",
        id, kind, timeout=_PATIENCE,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def survey(pool: Pool, kind: Contact, id: str) -> Held:
    """What is held of somebody in the database, letters aside."""
    parts = await pool.fetchval("SELECT count(*) FROM parts WHERE stream = $1", f"{kind}-{id}")
    return Held(journeys=0, parts=parts, documents=0, histories=0, letters=0)


async def delete(pool: Pool, kind: Contact, id: str) -> None:
    """Delete all that is known of somebody, the handle of a member too. Raises asyncpg.InsufficientPrivilegeError:
    nobody ordered it."""
    await pool.execute(f"SELECT erase_{kind}($1)", id)


async def on_paper(pool: Pool, letters: Collection[str]) -> list[str]:
    """Those of these letters that lie there on paper, or did."""
    rows = await pool.fetch("SELECT message::text AS id FROM paper_letters WHERE message::text = ANY ($1)", letters)
    return [row["id"] for row in rows]


async def delete_letters(pool: Pool, mentor: str, letters: Collection[str]) -> None:
    """Delete letters on paper that name a mentor. Raises asyncpg.InsufficientPrivilegeError: nobody forgets them."""
    await pool.execute("SELECT erase_letters($1, $2::uuid[])", mentor, list(letters))


# --- that it stays so


async def order_again(pool: Pool, listed: Path | None, at: datetime) -> list[str]:
    """Order anew the erasure of those whom a restored record has brought back: see `erasing.order_again`."""
    back = []
    for kind, register in _REGISTERS.items():
        for id in await erasing.brought_back(pool, kind, register.table, listed):
            await order(pool, kind, id, "restored", By(actor=SYSTEM, role=SYSTEM, at=at))
            back.append(id)
    return back


async def put_right(pool: Pool, listed: Path | None, at: datetime) -> tuple[int, list[str]]:
    """Undo what a restored copy brings back: how many keys are destroyed again, and who is to be erased again.

    The orders first: once one is on record it is carried out, whenever this process dies, and a mentor's key is
    needed until the letters that name them are gone.
    """
    again = [id for each in (erasing.order_again, order_again) for id in await each(pool, listed, at)]
    return await erasing.destroy_again(pool, listed), again
