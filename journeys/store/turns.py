"""Turns at gateways, which all workers share: one row a gateway, by the database's clock."""

from datetime import datetime, timedelta

from journeys.store.database import Pool


async def take(
    pool: Pool, gateway: str, apart: timedelta, held: timedelta, asked_at: datetime | None = None
) -> tuple[bool, float]:  # fmt: skip
    """Whether there is a turn, and in how many seconds; or else after how many to ask again.

    Who is turned away gets a time of its own to come back, each after the other too: so a thousand at once come back as
    fast as they can be taken, and not a thousand at once.

    Args:
        apart: how long after one turn the next is. held: who would wait longer gets none.
        asked_at: for tests; now otherwise.
    """
    row = await pool.fetchrow("SELECT its, seconds FROM gateway_turn($1, $2, $3, $4)", gateway, apart, held, asked_at)
    return row["its"], row["seconds"]
