"""Opening funds, putting money in, stopping all payments: facts with what they change, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from journeys.domain.directory import FundOpened, FundToppedUp, PaymentsResumed, PaymentsStopped
from journeys.domain.fund import Move
from journeys.store.database import Connection, Pool
from journeys.store.directory import AlreadyThere, By, Fact, NotFound, record
from journeys.store.funds import enter_fund

STREAM: Final = "system"


@dataclass(frozen=True, slots=True)
class Stop:
    """All payments are stopped."""

    since: datetime
    by: str
    """Id of who stopped them."""
    why: str


async def open_fund(pool: Pool, id: str, code: str, *, cap_per_person: int | None, balance: int, by: By) -> None:
    """Open a fund with so many cents, at most `cap_per_person` of them for one person over all journeys.

    Raises:
        AlreadyThere: a fund of this code. asyncpg.CheckViolationError: a negative amount.
    """
    stream = f"fund-{id}"
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE stops IN ROW EXCLUSIVE MODE")
        try:
            await connection.execute(
                "INSERT INTO funds (code, stream, cap_per_person, balance, stopped)"
                " VALUES ($1, $2, $3, 0, EXISTS (SELECT FROM stops WHERE ended IS NULL))",
                code,
                stream,
                cap_per_person,
            )
        except asyncpg.UniqueViolationError:
            raise AlreadyThere("fund", "code") from None
        fact = FundOpened(code=code, cap_per_person=cap_per_person, balance=balance)
        seq = await record(connection, stream, [Fact(fact)], by)
        await enter_fund(connection, Move.OPENED, code, balance, stream, seq)


async def top_up(pool: Pool, code: str, amount: int, by: By) -> None:
    """Put cents in a fund. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        stream = await connection.fetchval("SELECT stream FROM funds WHERE code = $1 FOR UPDATE", code)
        if stream is None:
            raise NotFound("fund", code)
        seq = await record(connection, stream, [Fact(FundToppedUp(code=code, amount=amount))], by)
        await enter_fund(connection, Move.TOPPED_UP, code, amount, stream, seq)


async def stop(pool: Pool, why: str, by: By) -> bool:
    """Stop all payments: once this returns, no fund gives a reservation. False (and no event) when they are stopped."""
    async with pool.acquire() as connection, connection.transaction():
        await _lock_all(connection)
        if await stopped(connection) is not None:
            return False
        await connection.execute(
            "INSERT INTO stops (began, began_by, why) VALUES ($1, $2::uuid, $3)", by.at, by.actor, why
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
            "UPDATE stops SET ended = $1, ended_by = $2::uuid, ended_why = $3 WHERE ended IS NULL",
            by.at, by.actor, why,
        )  # fmt: skip
        await connection.execute("UPDATE funds SET stopped = false")
        await record(connection, STREAM, [Fact(PaymentsResumed(), {"why": why})], by)
        return True


async def stopped(pool: Pool | Connection) -> Stop | None:
    """Who stopped all payments, since when, why; None when they go on."""
    row = await pool.fetchrow("SELECT began, began_by::text, why FROM stops WHERE ended IS NULL")
    return None if row is None else Stop(*row)


async def _lock_all(connection: Connection) -> None:
    # The table first: a fund opened meanwhile waits, and finds what holds then.
    await connection.execute("LOCK TABLE stops IN SHARE ROW EXCLUSIVE MODE")
    await connection.execute("SELECT FROM funds ORDER BY code FOR UPDATE")
