"""What a crowd looks like from the lists: counted in the database, not taken from what was meant to be made."""

import json
from datetime import datetime
from typing import Any

from journeys.store.database import Pool


async def counted(pool: Pool, now: datetime) -> dict[str, Any]:
    """Rows, and open items by kind and by when they fall due."""
    rows = await pool.fetchrow(
        """
        SELECT (SELECT count(*) FROM events WHERE stream >= 'journey-' AND stream < 'journey.') AS events,
               (SELECT count(*) FROM journeys WHERE status <> 'closed') AS open,
               (SELECT count(*) FROM journeys WHERE late > 0) AS late,
               (SELECT count(*) FROM journeys WHERE next_due <= $1) AS overdue,
               (SELECT count(*) FROM journeys WHERE next_due < $1 + interval '1 day') AS due_in_a_day,
               pg_database_size(current_database()) / 1000000 AS megabytes
        """,
        now,
        timeout=120,
    )
    by_status = await pool.fetch("SELECT status, count(*) FROM journeys GROUP BY 1 ORDER BY 1", timeout=60)
    board = await pool.fetch(
        """
        SELECT item ->> 'kind' AS kind, count(*) AS items,
               count(*) FILTER (WHERE (item ->> 'at')::timestamptz < $1) AS past,
               count(*) FILTER (WHERE (item ->> 'at')::timestamptz >= $1
                                  AND (item ->> 'at')::timestamptz < $1 + interval '15 hours') AS today,
               count(*) FILTER (WHERE (item ->> 'at')::timestamptz >= $1 + interval '15 hours'
                                  AND (item ->> 'at')::timestamptz < $1 + interval '7 days') AS week
        FROM journeys j CROSS JOIN LATERAL jsonb_array_elements(j.summary -> 'board') AS item
        GROUP BY 1 ORDER BY 1
        """,
        now,
        timeout=120,
    )
    loads = await pool.fetchrow(
        """
        SELECT count(*) AS caseworkers, min(n) AS least, percentile_disc(0.5) WITHIN GROUP (ORDER BY n) AS median,
               max(n) AS most
        FROM (SELECT count(*) AS n FROM journeys GROUP BY referent) AS loads
        """,
        timeout=60,
    )
    return {
        **dict(rows),
        "by_status": {row["status"]: row["count"] for row in by_status},
        "board": {row["kind"]: {name: row[name] for name in ("items", "past", "today", "week")} for row in board},
        "journeys_a_caseworker": dict(loads),
    }


def as_lines(found: dict[str, Any]) -> str:
    """For people."""
    return "\n".join(f"{name.replace('_', ' '):24} {json.dumps(value)}" for name, value in found.items())
