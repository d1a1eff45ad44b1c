"""Opening funds and putting money in: the facts of a fund's own stream, with their ledger transactions."""

import asyncpg

from journeys.domain.directory import FundOpened, FundToppedUp
from journeys.domain.fund import Move
from journeys.store.database import Pool
from journeys.store.directory import AlreadyThere, By, Fact, NotFound, record
from journeys.store.funds import enter_fund


async def open_fund(pool: Pool, id: str, code: str, *, cap_per_person: int | None, balance: int, by: By) -> None:
    """Open a fund with so many cents, at most `cap_per_person` of them for one person over all journeys.

    Raises:
        AlreadyThere: a fund of this code. asyncpg.CheckViolationError: a negative amount.
    """
    stream = f"fund-{id}"
    async with pool.acquire() as connection, connection.transaction():
        try:
            await connection.execute(
                "INSERT INTO funds (code, stream, cap_per_person, balance) VALUES ($1, $2, $3, 0)",
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
