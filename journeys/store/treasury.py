"""Opening funds, what they give for, putting money in, stopping all payments: facts with what they change, in one
transaction."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import asyncpg

from journeys.domain.directory import (
    FundChanged,
    FundClosed,
    FundOpened,
    FundReopened,
    FundToppedUp,
    PaymentsResumed,
    PaymentsStopped,
)
from journeys.domain.fund import Move
from journeys.domain.record import Cause, instant_text
from journeys.store import contacts, vault
from journeys.store.database import Connection, Pool
from journeys.store.directory import AlreadyThere, By, Fact, NotFound, record
from journeys.store.funds import enter_fund
from journeys.store.journal import open_parts
from journeys.store.keys import HOUSE

STREAM: Final = "system"


@dataclass(frozen=True, slots=True)
class Stop:
    """All payments are stopped, or a fund is closed."""

    since: datetime
    by: str
    """Id of who did it."""
    why: str
    name: str | None
    """What they are called; None: nobody of the staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a fund gives, to whom, when: in cents, both days included; None and no purposes: no bound."""

    cap_per_person: int | None = None
    first_day: date | None = None
    last_day: date | None = None
    purposes: tuple[str, ...] = ()


async def open_fund(
    pool: Pool, id: str, code: str, *, cap_per_person: int | None, balance: int, by: By, donor: str = "",
    first_day: date | None = None, last_day: date | None = None, purposes: tuple[str, ...] = (),
) -> None:  # fmt: skip
    """Open a fund with so many cents, at most `cap_per_person` of them for one person over all journeys.

    Args: as `Terms`.

    Raises:
        AlreadyThere: a fund of this code. asyncpg.CheckViolationError: a negative amount, a period that ends before it
            begins.
    """
    stream = f"fund-{id}"
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE stops IN ROW EXCLUSIVE MODE")
        try:
            await connection.execute(
                "INSERT INTO funds (code, stream, cap_per_person, balance, stopped, donor, first_day, last_day,"
                " purposes) VALUES ($1, $2, $3, 0, EXISTS (SELECT FROM stops WHERE ended IS NULL), $4, $5, $6, $7)",
                code, stream, cap_per_person, donor or None, first_day, last_day, purposes,
            )  # fmt: skip
        except asyncpg.UniqueViolationError:
            raise AlreadyThere("fund", "code") from None
        fact = FundOpened(
            code=code, cap_per_person=cap_per_person, balance=balance, first_day=first_day, last_day=last_day,
            purposes=purposes,
        )  # fmt: skip
        seq = await record(connection, stream, [Fact(fact, _named(donor))], by)
        await enter_fund(connection, Move.OPENED, code, balance, stream, seq)


class ChangedSince(Exception):
    """Somebody has changed the fund, or put money in it, since it was looked at: nothing has changed."""


class Closed(Exception):
    """The fund is closed: nothing has changed."""


class StillReserved(Exception):
    """`cents` are promised from the fund to payments that are under way: it cannot be closed yet."""

    def __init__(self, cents: int) -> None:
        super().__init__(cents)
        self.cents = cents


async def version(pool: Pool | Connection, code: str) -> int:
    """How far the stream of a fund is: what `seen` is compared with. 0: there is no such fund."""
    found: int | None = await pool.fetchval(
        "SELECT s.seq FROM streams s JOIN funds USING (stream) WHERE code = $1", code
    )
    return found or 0


async def change_fund(
    pool: Pool, code: str, terms: Terms, by: By, donor: str | None = None, seen: int | None = None
) -> bool:
    """Give a fund other terms from now on, and another donor where one is named; what was promised stays promised.

    False (and no event) when it is as it was. Raises NotFound, Closed, ChangedSince, asyncpg.CheckViolationError.

    Args:
        seen: `version` when the fund was looked at; None: it does not matter.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await _open(connection, code, seen)
        stream, cap, first, last, purposes, before = (
            row[name] for name in ("stream", "cap_per_person", "first_day", "last_day", "purposes", "donor")
        )
        known = Terms(cap_per_person=cap, first_day=first, last_day=last, purposes=tuple(purposes))
        if known == terms and donor in (None, before):
            return False
        await connection.execute(
            "UPDATE funds SET cap_per_person = $2, first_day = $3, last_day = $4, purposes = $5,"
            " donor = coalesce($6, donor) WHERE code = $1",
            code, terms.cap_per_person, terms.first_day, terms.last_day, terms.purposes, donor,
        )  # fmt: skip
        fact = FundChanged(
            code=code, cap_per_person=terms.cap_per_person, first_day=terms.first_day, last_day=terms.last_day,
            purposes=terms.purposes,
        )  # fmt: skip
        await record(connection, stream, [Fact(fact, _named(donor))], by)
        return True


async def top_up(pool: Pool, code: str, amount: int, by: By, donor: str = "", seen: int | None = None) -> None:
    """Put cents in a fund; when they came, `by` says.

    Raises NotFound, Closed, ChangedSince; `seen`: as for change_fund.
    """
    async with pool.acquire() as connection, connection.transaction():
        stream = (await _open(connection, code, seen))["stream"]
        seq = await record(connection, stream, [Fact(FundToppedUp(code=code, amount=amount), _named(donor))], by)
        await enter_fund(connection, Move.TOPPED_UP, code, amount, stream, seq)


async def close_fund(pool: Pool, code: str, why: str, by: By, seen: int | None = None) -> None:
    """Close a fund: once this returns, nothing is promised from it. What was paid is still justified, or comes back.

    Raises:
        NotFound, Closed, ChangedSince: `seen` as for change_fund.
        StillReserved: payments that are under way have to end first, or be cancelled.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await _open(connection, code, seen)
        reserved: int = await connection.fetchval(
            "SELECT coalesce(sum(cents), 0)::bigint FROM ledger_entries WHERE fund = $1 AND account = 'reserved'", code
        )
        if reserved:
            raise StillReserved(reserved)
        await connection.execute("UPDATE funds SET closed_at = $2 WHERE code = $1", code, by.at)
        await record(connection, row["stream"], [Fact(FundClosed(code=code, left=row["balance"]), {"why": why})], by)


async def reopen_fund(pool: Pool, code: str, why: str, by: By) -> bool:
    """Let a fund give again under the terms it had; False (and no event) when it is open. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        row = await _held(connection, code)
        if row["closed_at"] is None:
            return False
        await connection.execute("UPDATE funds SET closed_at = NULL WHERE code = $1", code)
        await record(connection, row["stream"], [Fact(FundReopened(code=code), {"why": why})], by)
        return True


async def closing(pool: Pool, code: str) -> Stop | None:
    """Who closed a fund, when, why; None while it is open."""
    row = await pool.fetchrow(
        """
        SELECT f.closed_at AS since, h.actor AS by, m.sealed AS called, h.stream, h.seq, p.name, p.text, p.salt,
               p.sealed
        FROM funds f
        CROSS JOIN LATERAL (
            SELECT e.stream, e.seq, convert_from(e.header, 'UTF8')::jsonb ->> 'actor' AS actor FROM events e
            WHERE e.stream = f.stream AND e.kind = 'FundClosed' ORDER BY e.seq DESC LIMIT 1) AS h
        LEFT JOIN parts p ON p.stream = h.stream AND p.seq = h.seq AND p.name = 'why'
        LEFT JOIN staff m ON m.id::text = h.actor
        WHERE f.code = $1 AND f.closed_at IS NOT NULL
        """,
        code,
    )
    if row is None:
        return None
    why = await open_parts(pool, [row]) if row["name"] is not None else [None]
    [called] = await contacts.called(pool, [(f"staff-{row['by']}", row["called"])])
    return Stop(row["since"], row["by"], why[0].text if why[0] is not None else "", called)


async def _held(connection: Connection, code: str) -> asyncpg.Record:
    """The fund's row, locked. Raises NotFound."""
    row = await connection.fetchrow("SELECT * FROM funds WHERE code = $1 FOR UPDATE", code)
    if row is None:
        raise NotFound("fund", code)
    return row


async def _open(connection: Connection, code: str, seen: int | None) -> asyncpg.Record:
    """The row of an open fund, locked: nobody else appends to its stream. Raises NotFound, ChangedSince, Closed."""
    row = await _held(connection, code)
    stream = row["stream"]
    if seen is not None and seen != await connection.fetchval("SELECT seq FROM streams WHERE stream = $1", stream):
        raise ChangedSince
    if row["closed_at"] is not None:
        raise Closed
    return row


def _named(donor: str | None) -> dict[str, str]:
    return {"donor": donor} if donor else {}


@dataclass(frozen=True, slots=True)
class Gift:
    """Money put in a fund: when it came, in cents, by whom where that was said."""

    at: datetime
    amount: int
    donor: str | None


async def gifts(pool: Pool, code: str) -> list[Gift]:
    """What was put in a fund, in the order in which it was noted."""
    rows = await pool.fetch(
        """
        SELECT (convert_from(e.header, 'UTF8')::jsonb ->> 'occurred_at')::timestamptz AS at, t.amount, t.stream, t.seq,
               p.name, p.text, p.salt, p.sealed
        FROM ledger_transactions t JOIN events e USING (stream, seq)
        LEFT JOIN parts p ON p.stream = t.stream AND p.seq = t.seq AND p.name = 'donor'
        WHERE t.fund = $1 AND t.kind IN ('opened', 'topped-up') AND t.amount > 0 ORDER BY t.id
        """,
        code,
    )
    told = [row for row in rows if row["name"] is not None]
    donors = {part.seq: part.text for part in await open_parts(pool, told) if part is not None}
    return [Gift(row["at"], row["amount"], donors.get(row["seq"])) for row in rows]


async def stop(pool: Pool, why: str, by: By) -> bool:
    """Stop all payments: once this returns, no fund gives a reservation. False (and no event) when they are stopped."""
    async with pool.acquire() as connection, connection.transaction():
        await _lock_all(connection)
        if await stopped(connection) is not None:
            return False
        sealed = await vault.shut(connection, HOUSE, place_of_stop(by.at), {"why": why})
        await connection.execute(
            "INSERT INTO stops (began, began_by, sealed) VALUES ($1, $2::uuid, $3)", by.at, by.actor, sealed
        )
        await connection.execute("UPDATE funds SET stopped = true")
        await record(connection, STREAM, [Fact(PaymentsStopped(), {"why": why})], by)
        return True


async def resume(pool: Pool, why: str, by: By) -> bool:
    """Let payments go on; False (and no event) when they are not stopped."""
    async with pool.acquire() as connection, connection.transaction():
        await _lock_all(connection)
        if await stopped(connection) is None:
            return False
        await connection.execute(
            "UPDATE stops SET ended = $1, ended_by = $2::uuid WHERE ended IS NULL", by.at, by.actor
        )
        await connection.execute("UPDATE funds SET stopped = false")
        await record(connection, STREAM, [Fact(PaymentsResumed(), {"why": why})], by)
        return True


STOPPED: Final = (
    "SELECT jsonb_build_array(s.began, s.began_by, encode(s.sealed, 'hex'), encode(m.sealed, 'hex')) FROM stops s"
    " LEFT JOIN staff m ON m.id = s.began_by WHERE s.ended IS NULL"
)
"""The stop that holds, as a value among others of a query: see `read_stop`."""


async def stopped(pool: Pool | Connection) -> Stop | None:
    """Who stopped all payments, since when, why; None when they go on."""
    return await read_stop(pool, await pool.fetchval(STOPPED))


async def read_stop(connection: Pool | Connection, found: str | None) -> Stop | None:
    """What STOPPED gave."""
    if found is None:
        return None
    began, by, *sealed = json.loads(found)
    since = datetime.fromisoformat(began)
    places = place_of_stop(since), contacts.place_of(f"staff-{by}")
    said, member = await vault.opened(
        connection,
        [(place, None if each is None else bytes.fromhex(each)) for place, each in zip(places, sealed, strict=True)],
    )
    return Stop(since, by, said["why"] if said is not None else "", member["name"] if member is not None else None)


def place_of_stop(began: datetime) -> str:
    """Where it stands why payments were stopped at an instant."""
    return f"stop/{instant_text(began)}"


async def last_resumed(pool: Pool | Connection) -> Cause | None:
    """The event by which payments went on last; None while they are stopped, or never were."""
    seq = await pool.fetchval(
        "SELECT max(seq) FROM events WHERE stream = $1 AND kind = 'PaymentsResumed'"
        " AND NOT EXISTS (SELECT FROM stops WHERE ended IS NULL)",
        STREAM,
    )
    return Cause(STREAM, seq) if seq is not None else None


async def _lock_all(connection: Connection) -> None:
    # The table first: a fund opened meanwhile waits, and finds what holds then.
    await connection.execute("LOCK TABLE stops IN SHARE ROW EXCLUSIVE MODE")
    await connection.execute("SELECT FROM funds ORDER BY code FOR UPDATE")
