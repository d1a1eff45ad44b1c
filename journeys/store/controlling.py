"""The control of the money: what ledger, payments and staff say of each other, and what was found before."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal

from journeys.domain.calendar import Calendar, CalendarText, compile_calendar
from journeys.domain.fund import ZONE
from journeys.domain.moments import Duration, Unit
from journeys.domain.programme import Clock
from journeys.store import bank_files, batches
from journeys.store.database import Pool

Code = Literal[
    "fund-balance", "ledger-payments", "ledger-bank", "unknown-long", "right-lost",
    "reserved", "instructed", "accepted", "unknown", "blocked", "held", "doubted", "bank-lines", "bank-tellings",
]  # fmt: skip
ALARMS: Final[tuple[Code, ...]] = ("fund-balance", "ledger-payments", "ledger-bank", "unknown-long", "right-lost")
"""What must not be; the others say what waits, and since when."""
_A_DAY: Final = Duration(1, Unit.WORKING_DAY)
_NAMED: Final = 20
"""Ids that a finding names at most."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: how many, since when the oldest, which."""

    code: Code
    count: int
    about: tuple[str, ...] = ()
    """Funds, payments or grants, at most 20 of them."""
    since: datetime | None = None

    @property
    def alarm(self) -> bool:
        return self.code in ALARMS


@dataclass(frozen=True, slots=True)
class Control:
    """What a control found, and when."""

    at: datetime
    findings: tuple[Finding, ...]

    @property
    def alarms(self) -> int:
        return sum(each.alarm for each in self.findings)


async def control(pool: Pool, now: datetime) -> Control:
    """Look at everything; nothing is changed."""
    checks = (_balances, _payments, _bank, _long_unknown, _rights, _ages, _bank_waits)
    found = [finding for check in checks for finding in await check(pool, now)]
    return Control(now, tuple(found))


async def keep(pool: Pool, run: str, found: Control) -> None:
    """Keep what a control found under the id of its run; kept again, the first stands."""
    told = [asdict(each) | {"since": each.since.isoformat() if each.since else None} for each in found.findings]
    await pool.execute(
        "INSERT INTO controls (run, at, findings, alarms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        run, found.at, json.dumps(told), found.alarms,
    )  # fmt: skip


_LAST: Final = "SELECT at, findings FROM controls ORDER BY at DESC LIMIT 1"


async def last(pool: Any) -> Control | None:
    """What was found last; None before the first control."""
    row = await pool.fetchrow(_LAST)
    return None if row is None else _control(row["at"], row["findings"])


async def before(pool: Pool, run: str, at: datetime) -> tuple[Finding, ...]:
    """What the daily control before this run found; nothing before the first. Those made by hand do not count."""
    row = await pool.fetchrow(
        "SELECT at, findings FROM controls WHERE run <> $1 AND at <= $2 AND NOT starts_with(run, $3)"
        " ORDER BY at DESC LIMIT 1",
        run, at, BY_HAND,
    )  # fmt: skip
    return () if row is None else _control(row["at"], row["findings"]).findings


BY_HAND: Final = "by-hand-"
"""How the run of a control begins that somebody asked for."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What waits on the account: lines of the bank that fit nothing, transfers without a file, the last control."""

    lines: int
    transfers: int
    control: Control | None


async def desk(pool: Any) -> Desk:
    """All of it in one question."""
    row = await pool.fetchrow(
        f"SELECT ({bank_files.COUNT_OPEN}) AS lines, ({batches.COUNT_WAITING}) AS transfers, c.at, c.findings"
        f" FROM (SELECT) AS one LEFT JOIN ({_LAST}) AS c ON true"
    )
    control = None if row["at"] is None else _control(row["at"], row["findings"])
    return Desk(row["lines"], row["transfers"], control)


def _control(at: datetime, findings: str) -> Control:
    return Control(at, tuple(
        Finding(each["code"], each["count"], tuple(each["about"]),
                datetime.fromisoformat(each["since"]) if each["since"] else None)
        for each in json.loads(findings)
    ))  # fmt: skip


def _told(code: Code, about: list[str], since: datetime | None = None) -> list[Finding]:
    return [Finding(code, len(about), tuple(about[:_NAMED]), since)] if about else []


async def _balances(pool: Pool, now: datetime) -> list[Finding]:
    """A fund's balance is what its ledger says is available."""
    rows = await pool.fetch(
        """
        SELECT f.code FROM funds f LEFT JOIN ledger_entries l ON l.fund = f.code AND l.account = 'available'
        GROUP BY f.code HAVING f.balance <> coalesce(sum(l.cents), 0) ORDER BY f.code
        """
    )
    return _told("fund-balance", [row["code"] for row in rows])


async def _payments(pool: Pool, now: datetime) -> list[Finding]:
    """What the ledger holds for each payment is what its status says."""
    rows = await pool.fetch(
        """
        WITH ledger AS (
            SELECT t.payment, coalesce(sum(l.cents) FILTER (WHERE l.account = 'reserved'), 0) AS reserved,
                   coalesce(sum(l.cents) FILTER (WHERE l.account IN ('paid', 'justified')), 0) AS paid
            FROM ledger_transactions t JOIN ledger_entries l ON l.transaction = t.id
            WHERE t.payment IS NOT NULL GROUP BY t.payment
        ), lists AS (
            SELECT id,
                   CASE WHEN status IN ('reserved', 'instructed', 'accepted', 'unknown') THEN amount END AS reserved,
                   CASE WHEN status IN ('settled', 'settled-by-hand') THEN amount END AS paid
            FROM payments
        )
        SELECT coalesce(ledger.payment, lists.id)::text AS id
        FROM ledger FULL JOIN lists ON lists.id = ledger.payment
        WHERE coalesce(ledger.reserved, 0) <> coalesce(lists.reserved, 0)
           OR coalesce(ledger.paid, 0) <> coalesce(lists.paid, 0)
        ORDER BY 1
        """
    )
    return _told("ledger-payments", [row["id"] for row in rows])


async def _bank(pool: Pool, now: datetime) -> list[Finding]:
    """What the ledger booked of each transfer is what the bank booked of it, but for what its journey is to be told.

    A transfer that people closed by hand may be booked by the bank later.
    """
    rows = await pool.fetch(
        """
        WITH bank AS (
            SELECT payment, bool_or(cents < 0) AS went, bool_or(cents > 0) AS back FROM (
                SELECT payment, cents FROM bank_lines
                WHERE payment IS NOT NULL AND trouble IS NULL AND cents IS NOT NULL
                UNION ALL SELECT r.payment, l.cents FROM bank_resolutions r JOIN bank_lines l USING (file, position)
                WHERE r.payment IS NOT NULL
                UNION ALL SELECT m.payment, l.cents FROM bank_resolutions r JOIN bank_lines l USING (file, position)
                JOIN batch_transfers m ON m.batch = r.batch
            ) AS each GROUP BY payment
        ), ledger AS (
            SELECT payment, bool_or(kind = 'settled') AS settled,
                   bool_or(kind IN ('settled', 'settled-by-hand')) AS paid, bool_or(kind = 'returned') AS returned
            FROM ledger_transactions WHERE payment IN (SELECT payment FROM batch_transfers) GROUP BY payment
        )
        SELECT p.id::text FROM payments p JOIN batch_transfers m ON m.payment = p.id
        LEFT JOIN bank b ON b.payment = p.id LEFT JOIN ledger l ON l.payment = p.id
        WHERE NOT EXISTS (SELECT FROM bank_tellings t WHERE t.payment = p.id AND t.told_at IS NULL)
            AND ((coalesce(l.settled, false) AND NOT coalesce(b.went OR b.back, false))
                 OR (coalesce(b.went, false) AND NOT coalesce(l.paid, false))
                 OR (coalesce(l.returned, false) AND NOT coalesce(b.back, false))
                 OR (coalesce(b.back, false) AND NOT coalesce(l.returned, false) AND p.status <> 'rejected'))
        ORDER BY p.id
        """
    )
    return _told("ledger-bank", [row["id"] for row in rows])


async def _bank_waits(pool: Pool, now: datetime) -> list[Finding]:
    """Lines of the bank that somebody must look at, and what journeys have not been told yet."""
    counts: tuple[tuple[Code, int], ...] = (
        ("bank-lines", await bank_files.open_exceptions(pool)), ("bank-tellings", await bank_files.count_waiting(pool)),
    )  # fmt: skip
    return [Finding(code, count) for code, count in counts if count]


async def _long_unknown(pool: Pool, now: datetime) -> list[Finding]:
    """Whether a payment went through was found out within a working day."""
    rows = await pool.fetch("SELECT id::text, since FROM payments WHERE status = 'unknown' ORDER BY since, id")
    calendar = await working_days(pool) if rows else None
    long = [row for row in rows if calendar is not None and calendar.term_end(row["since"], _A_DAY) < now]
    return _told("unknown-long", [row["id"] for row in long], long[0]["since"] if long else None)


async def working_days(pool: Pool) -> Calendar:
    """The working days of the last calendar of Paris that was kept; without one, all but weekends."""
    rows = await pool.fetch("SELECT text FROM texts WHERE kind = 'calendar'")
    kept = [CalendarText.model_validate_json(row["text"]) for row in rows]
    mine = [each for each in kept if each.zone == ZONE.key and each.non_working]
    latest = max(mine, key=lambda each: max(each.non_working), default=None)
    none = CalendarText(zone=ZONE.key, name="", non_working=frozenset())
    return compile_calendar((latest or none).model_dump_json(), Clock())


async def _rights(pool: Pool, now: datetime) -> list[Finding]:
    """Whoever approved a grant that is not paid out still works here, with the role that the approval filled.

    Of a programme's own role with the line of finance, the funds are not looked at; the append looks at all of it.
    """
    rows = await pool.fetch(
        """
        WITH facts AS MATERIALIZED (
            SELECT e.stream, e.seq, e.kind, h -> 'data' ->> 'grant' AS id, h ->> 'actor' AS actor,
                   h -> 'data' ->> 'stands_for' AS role, h -> 'data' ->> 'fund' AS fund
            FROM events e CROSS JOIN LATERAL (SELECT convert_from(e.header, 'UTF8')::jsonb AS h) AS told
            WHERE e.kind IN ('GrantRequested', 'GrantChanged', 'GrantReopened', 'GrantApprovalGiven', 'GrantApproved',
                             'GrantCompleted', 'GrantEnded')
        ), standing AS (
            SELECT DISTINCT ON (stream, id) stream, id, kind, seq FROM facts
            WHERE kind IN ('GrantReopened', 'GrantApproved', 'GrantCompleted', 'GrantEnded')
            ORDER BY stream, id, seq DESC
        )
        SELECT DISTINCT a.id
        FROM standing g JOIN facts a ON a.stream = g.stream AND a.id = g.id AND a.kind = 'GrantApprovalGiven'
        JOIN facts r ON r.stream = g.stream AND r.id = g.id AND r.kind = 'GrantRequested'
        LEFT JOIN staff s ON s.id::text = a.actor
        WHERE g.kind = 'GrantApproved' AND a.seq < g.seq AND a.seq > (
            SELECT max(v.seq) FROM facts v WHERE v.stream = g.stream AND v.id = g.id AND v.seq < g.seq
                AND v.kind IN ('GrantRequested', 'GrantChanged', 'GrantReopened'))
            AND (s.id IS NULL OR NOT s.active OR NOT a.role = ANY (s.roles)
                 OR (a.role = 'finance' AND s.funds <> '{}' AND NOT r.fund = ANY (s.funds)))
        ORDER BY a.id
        """
    )
    return _told("right-lost", [row["id"] for row in rows])


async def _ages(pool: Pool, now: datetime) -> list[Finding]:
    """What waits, by status, since when the oldest does."""
    rows = await pool.fetch(
        """
        SELECT state, count(*) AS count, min(since) AS since,
               (array_agg(id::text ORDER BY since, id))[1:20] AS about
        FROM payments CROSS JOIN LATERAL unnest(ARRAY[
            CASE WHEN status IN ('reserved', 'instructed', 'accepted', 'unknown')
                 OR (status = 'blocked' AND NOT replaced) THEN status END,
            CASE WHEN held THEN 'held' END, CASE WHEN doubt IS NOT NULL THEN 'doubted' END]) AS told (state)
        WHERE state IS NOT NULL GROUP BY state ORDER BY state
        """
    )
    return [Finding(row["state"], row["count"], tuple(row["about"]), row["since"]) for row in rows]
