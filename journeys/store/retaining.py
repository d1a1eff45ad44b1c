"""What falls due by the rules of retention, and its going: somebody by an order of erasure, the rest by its rows."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, Literal, Protocol, get_args

from journeys.contract import Erasing
from journeys.domain.calendar import plainly_added
from journeys.domain.directory import RetentionApplied
from journeys.domain.fund import ZONE
from journeys.domain.retention import FORGETTING, Falling, Hold, Retention, RuleName, Standing, falling, falling_until
from journeys.domain.state import PaymentStatus
from journeys.store import bank_years, contact_erasing, erasing
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, record
from journeys.store.keys import bank_key
from journeys.store.treasury import STREAM

RULES: Final[tuple[RuleName, ...]] = get_args(RuleName)
REASON: Final = "kept-long-enough"
"""Why the erasures are ordered."""
PATIENCE: Final = 60.0
"""Seconds that a question over a whole house may take, at night."""


class Letters(Protocol):
    """The outbox of a machine without a mail server."""

    async def laid_before(self, instant: datetime) -> int:
        """How many letters lie there since before an instant."""
        ...

    async def remove_before(self, instant: datetime) -> int:
        """Remove these; how many."""
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """What of one rule's rows or files has been kept long enough."""

    rule: RuleName
    before: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What would go, what will soon, and what stays although its time is over. Nothing was changed to find out."""

    today: date
    rules: Retention
    people: tuple[Falling, ...]
    """Those, mentors among them, whose time is over within `rules.ahead`, the longest over first."""
    rows: tuple[Rows, ...]
    """One for each rule that is not about people."""
    gone: int
    """People whose erasure these rules have ordered today already: a day is not longer for being tried again."""

    @property
    def going(self) -> tuple[Falling, ...]:
        """The people who would go now: today at most `rules.at_most`."""
        return self.going_by(RULES)

    def going_by(self, wanted: Collection[RuleName]) -> tuple[Falling, ...]:
        """The same of some rules alone: who waits under another one takes nobody's place."""
        found = [each for each in self.people if each.goes(self.today) and each.rule in wanted]
        return tuple(found[: max(0, self.rules.at_most - self.gone)])


@dataclass(frozen=True, slots=True)
class Gone:
    """What an application of the rules did."""

    ordered: tuple[Erasing, ...]
    """The erasures that it ordered."""
    counts: Mapping[str, int]
    """By rule, of those applied; zero too."""


# Rows of a rule: how those older than $1 are counted, and what makes them go. A form goes with its session: first.
# A digest stays while an alert in it may still be told anew: nobody is to be told twice.
_OLD_DIGESTS: Final = """
    FROM digests d WHERE d.ended_at IS NOT NULL AND d.begun_at < $1 AND NOT EXISTS (
        SELECT FROM digest_lines l JOIN journeys j ON j.id = substr(l.stream, 9)::uuid
        WHERE (l.recipient, l.day) = (d.recipient, d.day) AND j.status <> 'closed')
"""
_ROWS: Final[Mapping[RuleName, tuple[str, str]]] = {
    "digests": (
        f"SELECT count(*) {_OLD_DIGESTS}",
        f"WITH gone AS (DELETE {_OLD_DIGESTS} RETURNING 1) SELECT count(*) FROM gone",
    ),
    "shifts": (
        "SELECT count(*) FROM shifts WHERE ends < $1",
        "WITH gone AS (DELETE FROM shifts WHERE ends < $1 RETURNING 1) SELECT count(*) FROM gone",
    ),
    "verifications": (
        "SELECT (SELECT count(*) FROM verifications WHERE at < $1 AND stored < (SELECT max(stored) FROM verifications))"
        " + (SELECT count(*) FROM replays WHERE begun < $1 AND begun < (SELECT max(begun) FROM replays))",
        "SELECT verifications_forget($1) + replays_forget($1)",
    ),
    "forms": (
        "SELECT count(*) FROM kept_forms WHERE kept_at < $1",
        "WITH gone AS (DELETE FROM kept_forms WHERE kept_at < $1 RETURNING 1) SELECT count(*) FROM gone",
    ),
    "histories": (
        "SELECT count(*) FROM history_files JOIN histories h USING (run) WHERE h.closed_at < $1 AND NOT EXISTS"
        " (SELECT FROM journeys j WHERE 'journey-' || j.id = h.stream AND j.status <> 'closed')",
        "SELECT histories_forget($1)",
    ),
    "sessions": (
        "SELECT count(*) FROM sessions WHERE least(ends_at, seen_at + idle) < $1",
        "WITH gone AS (DELETE FROM sessions WHERE least(ends_at, seen_at + idle) < $1 RETURNING 1)"
        " SELECT count(*) FROM gone",
    ),
    "tokens": ("SELECT count(*) FROM tokens WHERE least(expires_at, revoked_at) < $1", "SELECT tokens_forget($1)"),
}


async def plan(pool: Pool, rules: Retention, now: datetime, letters: Letters | None) -> Plan:
    """What the rules would do. Nothing is changed.

    Args:
        now: by which people are judged. Rows and files bear the time of the machine: that counts for them, if earlier.
        letters: None where letters leave by a mail server.
    """
    today = now.astimezone(ZONE).date()
    until = plainly_added(today, rules.ahead)
    people = falling_until([*await _lasts(pool), *await _mentors(pool)], rules.rules, until)
    wall = min(now, await pool.fetchval("SELECT clock_timestamp()"))
    rows = []
    for name in RULES:
        if name in FORGETTING:
            continue
        before = _before(wall, rules, name)
        if name == "bank":
            rows.append(Rows(name, before, len(await _accounting(pool, before))))
        elif name in _ROWS:
            rows.append(Rows(name, before, await pool.fetchval(_ROWS[name][0], before, timeout=PATIENCE)))
        elif letters is not None:
            rows.append(Rows(name, before, await letters.laid_before(before)))
    gone = await pool.fetchval(
        "SELECT count(*) FROM erasures WHERE reason = $1 AND ordered_at >= $2 AND ordered_at < $3", REASON,
        *(datetime.combine(day, time(), ZONE) for day in (today, today + timedelta(days=1))),
    )  # fmt: skip
    return Plan(today, rules, tuple(await _held(pool, people, today)), tuple(rows), gone)


async def apply(
    pool: Pool, planned: Plan, wanted: Collection[RuleName], letters: Letters | None, by: By, listed: Path | None = None
) -> Gone:
    """Do what a plan says, of the rules wanted, and write down what was done. Each person is looked at again first.

    The erasures are ordered; whoever calls begins them, or the housekeeping does.

    Args:
        listed: the list of destroyed keys that no backup brings back; None: this process keeps none.

    Raises OSError: that list cannot be written; no key is destroyed.
    """
    counts = dict[str, int]()
    before = {rows.rule: rows.before for rows in planned.rows if rows.rule in wanted}
    # Rows first: where they cannot go, and all is tried again, nobody more is forgotten for it.
    if letters is not None and "letters" in before:
        counts["letters"] = await letters.remove_before(before["letters"])
    keys = await _accounting(pool, before["bank"]) if "bank" in before else []
    async with pool.acquire() as connection, connection.transaction():
        for name, (_, removes) in _ROWS.items():
            if name in before:
                counts[name] = await connection.fetchval(removes, before[name], timeout=PATIENCE)
        if "bank" in before:
            counts["bank"] = len(keys)
        await _write_down(connection, planned, counts, by, keys)
    # On record first: a key that is gone without a word would be no different from a lost one.
    await erasing.destroy(pool.keys, keys, listed)
    ordered = [each for each in planned.going_by(wanted) if await _order(pool, each, planned, by)]
    forgotten: dict[str, int] = {
        name: sum(each.rule == name for each in ordered) for name in FORGETTING if name in wanted
    }
    async with pool.acquire() as connection, connection.transaction():
        await _write_down(connection, planned, forgotten, by)
    counts |= forgotten
    return Gone(tuple(Erasing(person=each.standing.person, kind=each.standing.kind) for each in ordered), counts)


async def _accounting(pool: Pool, before: datetime) -> list[str]:
    """Ids of the keys of what accounting need keep no more: of the bank's years, and of those who are forgotten."""
    years = await bank_years.over(pool, before, _OPEN, PATIENCE)
    return [*map(bank_key, years), *await erasing.accounts_over(pool, before, _OPEN, PATIENCE)]


async def _write_down(
    connection: Connection, planned: Plan, counts: Mapping[str, int], by: By, keys: Sequence[str] = ()
) -> None:
    """Record what went, if anything did."""
    if gone := {name: count for name, count in counts.items() if count}:
        kept = {name: str(planned.rules.rules.of(name).kept) for name in RULES if name in gone}
        await record(connection, STREAM, [Fact(RetentionApplied(kept=kept, gone=gone, keys=tuple(keys)))], by)


async def _order(pool: Pool, found: Falling, planned: Plan, by: By) -> bool:
    """Order the erasure of somebody who still goes when their row is held."""
    id = found.standing.person
    if found.standing.kind == "mentor":
        if not await _still(pool, await _mentors(pool, id), planned):
            return False
        with suppress(contact_erasing.StillNeeded):
            await contact_erasing.order(pool, "mentor", id, REASON, by)
            return True
        return False
    async with pool.acquire() as connection, connection.transaction():
        if not await erasing.lock(connection, id) or not await _still(
            connection, await _lasts(connection, id), planned
        ):
            return False
        await erasing.order_locked(connection, id, REASON, by)
    return True


async def _still(pool: Pool | Connection, standings: list[Standing], planned: Plan) -> bool:
    again = await _held(pool, [falling(each, planned.rules.rules) for each in standings], planned.today)
    return any(each.goes(planned.today) for each in again)


def _before(now: datetime, rules: Retention, name: RuleName) -> datetime:
    """The beginning of the day (of Paris) before which what a rule is about has been kept long enough."""
    today = now.astimezone(ZONE).date()
    return datetime.combine(plainly_added(today, rules.rules.of(name).kept, -1), time(), ZONE)


async def _lasts(pool: Pool | Connection, person: str | None = None) -> list[Standing]:
    """Everybody who is not forgotten (or this person), with the day of the last fact about them.

    Of what holds them only the erasure under way is there.
    """
    rows = await pool.fetch(
        """
        WITH known AS (
            SELECT p.id FROM people p WHERE ($1::uuid IS NULL OR p.id = $1)
                AND NOT EXISTS (SELECT FROM erasures x
                            WHERE x.kind = 'person' AND x.person = p.id AND x.certificate IS NOT NULL)
        ), own AS (
            SELECT k.id, NULL::uuid AS journey, 'person-' || k.id AS stream FROM known k
            UNION ALL SELECT k.id, j.id, 'journey-' || j.id FROM known k JOIN journeys j ON j.person = k.id
        )
        SELECT o.id::text AS person, count(o.journey) AS journeys,
               EXISTS (SELECT FROM erasures x WHERE x.kind = 'person' AND x.person = o.id) AS erasing,
               (array_agg(o.journey::text ORDER BY o.journey DESC) FILTER (WHERE o.journey IS NOT NULL))[1] AS journey,
               max((convert_from(e.header, 'UTF8')::jsonb ->> 'recorded_at')::timestamptz) AS last
        FROM own o JOIN streams s USING (stream) JOIN events e ON e.stream = s.stream AND e.seq = s.seq GROUP BY o.id
        """,
        person, timeout=PATIENCE,
    )  # fmt: skip
    return [_standing(row, "person", row["journeys"], row["journey"]) for row in rows]


async def _mentors(pool: Pool | Connection, mentor: str | None = None) -> list[Standing]:
    """The same of mentors: the last fact about them is their own, or one of a journey that names them."""
    rows = await pool.fetch(
        """
        WITH told AS (
            SELECT header -> 'data' ->> 'mentor' AS mentor, header ->> 'recorded_at' AS at
            FROM (SELECT convert_from(header, 'UTF8')::jsonb AS header FROM events
                  WHERE kind IN ('MentorProposed', 'MentorMatched', 'MentorDeclined', 'MentorProposalCancelled',
                                 'MentorEnded')) AS named
            UNION ALL SELECT m.id::text, convert_from(e.header, 'UTF8')::jsonb ->> 'recorded_at' FROM mentors m
            JOIN streams s ON s.stream = 'mentor-' || m.id JOIN events e ON e.stream = s.stream AND e.seq = s.seq
        )
        SELECT m.id::text AS person, m.erasing, max(t.at::timestamptz) AS last
        FROM mentors m JOIN told t ON t.mentor = m.id::text
        WHERE ($1::uuid IS NULL OR m.id = $1) AND NOT EXISTS (
            SELECT FROM erasures x WHERE x.kind = 'mentor' AND x.person = m.id AND x.certificate IS NOT NULL)
        GROUP BY m.id
        """,
        mentor, timeout=PATIENCE,
    )  # fmt: skip
    return [_standing(row, "mentor") for row in rows]


def _standing(
    row: Mapping[str, Any], kind: Literal["person", "mentor"], journeys: int = 0, journey: str | None = None
) -> Standing:
    holds = frozenset({Hold.ERASING}) if row["erasing"] else frozenset[Hold]()
    return Standing(row["person"], row["last"].astimezone(ZONE).date(), journeys, journey, holds, kind)


async def _held(pool: Pool | Connection, people: Sequence[Falling], today: date) -> list[Falling]:
    """The same, with all that holds each on a day."""
    morning = datetime.combine(today, time(), ZONE)
    of_people = await _holds(pool, [each.standing.person for each in people if each.standing.kind == "person"])
    found = []
    for each in people:
        standing = each.standing
        if standing.kind == "person":
            more = of_people.get(standing.person, frozenset())
        else:
            counted = await contact_erasing.counting_on(pool, standing.person, PATIENCE)
            more = frozenset({Hold.MENTORING}) if counted else frozenset()
            if await contact_erasing.on_call(pool, "mentor", standing.person, morning):
                more |= {Hold.ON_CALL}
        found.append(replace(each, standing=replace(standing, holds=standing.holds | more)))
    return found


_OPEN: Final = [status.value for status in PaymentStatus if status.open]


async def _holds(pool: Pool | Connection, people: Sequence[str]) -> dict[str, frozenset[Hold]]:
    """Why these people stay, where they do."""
    rows = await pool.fetch(
        """
        SELECT person::text, array_agg(DISTINCT hold) AS holds FROM (
            SELECT person, 'journey-open' AS hold FROM journeys WHERE person = ANY ($1::uuid[]) AND status <> 'closed'
            UNION ALL SELECT person, 'still-due' FROM journeys
            WHERE person = ANY ($1::uuid[]) AND status = 'closed' AND next_due IS NOT NULL
            UNION ALL SELECT j.person, CASE item ->> 'kind' WHEN 'payment' THEN 'payment-open'
                WHEN 'receipt' THEN 'receipt-owed' WHEN 'escalation' THEN 'alert-open' ELSE 'request-open' END
            FROM journeys j, jsonb_array_elements(j.summary -> 'board') AS item
            WHERE j.person = ANY ($1::uuid[]) AND j.status = 'closed'
            UNION ALL SELECT person, 'payment-open' FROM payments
            WHERE person = ANY ($1::uuid[]) AND status = ANY ($2::text[])
            UNION ALL SELECT person, 'receipt-owed' FROM receipts
            WHERE person = ANY ($1::uuid[]) AND settled IS NULL
        ) AS each GROUP BY person
        """,
        people, _OPEN, timeout=PATIENCE,
    )  # fmt: skip
    return {row["person"]: frozenset(map(Hold, row["holds"])) for row in rows}
