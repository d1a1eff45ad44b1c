"""Claims of effects: an activity claims before it touches the world, so none begins twice unknowingly."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from journeys.store.database import Pool


@dataclass(frozen=True, slots=True)
class Claim:
    """What an activity finds when it claims.

    `outcome` set: done before, return it. Otherwise `fresh`: nobody tried; not fresh: somebody tried, and
    what came of it is not known.
    """

    fresh: bool
    attempts: tuple[datetime, ...]
    outcome: dict[str, Any] | None


async def claim(pool: Pool, journey: str, effect: int, kind: str, at: datetime) -> Claim:
    """Claim an effect, or learn who did.

    Args:
        journey: the stream. effect: seq of the event that calls for it.
        at: the workflow's time, kept as an attempt when the effect has no outcome yet.
    """
    row = await pool.fetchrow(
        """
        INSERT INTO claims AS c (journey, effect, kind, state, attempts)
        VALUES ($1, $2, $3, 'claimed', ARRAY[$4::timestamptz])
        ON CONFLICT (journey, effect) DO UPDATE
            SET attempts = CASE WHEN c.state = 'done' THEN c.attempts ELSE c.attempts || $4::timestamptz END
        RETURNING attempts, outcome
        """,
        journey,
        effect,
        kind,
        at,
    )
    outcome = None if row["outcome"] is None else json.loads(row["outcome"])
    attempts = tuple(row["attempts"])
    return Claim(fresh=outcome is None and len(attempts) == 1, attempts=attempts, outcome=outcome)


async def settle(pool: Pool, journey: str, effect: int, outcome: dict[str, Any]) -> dict[str, Any]:
    """Record what came of an effect and return what is recorded: the first outcome stays.

    Raises:
        LookupError: nobody claimed it.
    """
    recorded = await pool.fetchval(
        """
        UPDATE claims SET state = 'done', outcome = coalesce(outcome, $3::jsonb)
        WHERE journey = $1 AND effect = $2 RETURNING outcome
        """,
        journey,
        effect,
        json.dumps(outcome),
    )
    if recorded is None:
        raise LookupError(f"{journey}/{effect} was never claimed")
    kept: dict[str, Any] = json.loads(recorded)
    return kept


async def recorded(pool: Pool, journey: str, effect: int) -> dict[str, Any] | None:
    """What came of an effect; None when nothing is recorded."""
    outcome = await pool.fetchval("SELECT outcome FROM claims WHERE journey = $1 AND effect = $2", journey, effect)
    if outcome is None:
        return None
    kept: dict[str, Any] = json.loads(outcome)
    return kept
