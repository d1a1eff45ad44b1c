"""What was done late, and by how much: read off the journal, where each due stands with the instant it was due at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from journeys.domain.agenda import DueKind
from journeys.store.database import Pool

What = Literal[
    "deadline", "reminder", "message", "appointment", "chase", "contact", "alert", "date", "answer", "phase", "kept",
    "closing", "review", "payment", "measure",
]  # fmt: skip

DUES: Final[Mapping[DueKind, tuple[What, tuple[str, ...]]]] = {
    DueKind.PHASE: ("phase", ("PhaseEntered", "PhaseCompleted")),
    DueKind.DATE: ("date", ("DateUnconfirmed",)),
    DueKind.KEPT: ("kept", ("MomentsPlanned",)),
    DueKind.MEASURE: ("measure", ("OutcomeMeasured",)),
    DueKind.DEADLINE: ("deadline", ("DeadlineMissed", "CheckCalled")),
    DueKind.CONTACT_CLOSES: ("contact", ("ContactMissed",)),
    DueKind.CONTACT_OPENS: ("contact", ("ContactDue",)),
    DueKind.APPOINTMENT_ASKED: ("appointment", ("AppointmentAsked",)),
    DueKind.GRANT_EXPIRES: ("answer", ("GrantExpired",)),
    DueKind.INSTALMENT: ("payment", ("PaymentReserved", "PaymentBlocked")),
    DueKind.PAYMENT_LOOKED_AT: ("payment", ("PaymentEnquired", "PaymentReleased")),
    DueKind.RECEIPT_LATE: ("answer", ("ReceiptOverdue", "ReceiptUnanswered")),
    DueKind.REFERRAL_EXPIRES: ("answer", ("ReferralExpired",)),
    DueKind.TRANSFER: ("answer", ("TransferReminded", "JourneyTransferred")),
    DueKind.ESCALATION: ("alert", ("EscalationClimbed",)),
    DueKind.PAUSE_ENDS: ("message", ("MessagesResumed",)),
    DueKind.ENDS: ("closing", ("ClosingWanted",)),
    DueKind.REVIEW: ("review", ("ReviewDue",)),
    DueKind.REMINDER: ("reminder", ("ReminderTaken",)),
    DueKind.APPOINTMENT_REMINDER: ("reminder", ("AppointmentReminded",)),
    DueKind.MESSAGE: ("message", ("MessageReady",)),
    DueKind.TELLING: ("alert", ("EscalationReady",)),
    DueKind.CHASE: ("chase", ("ChasePassed",)),
}
"""What each kind of due is called, and by which events time alone takes it. A payment that is called for again after a
stop is not late: it was held."""

LATE: Final = timedelta(minutes=5)
"""What is done within this of its instant is done in time (docs/overview, invariant 5)."""


@dataclass(frozen=True, slots=True)
class Late:
    """What of one kind was done late."""

    what: What
    count: int
    journeys: int
    longest: timedelta
    usual: timedelta
    """The median."""
    stream: str
    """Of the journey with the longest."""
    planned: datetime
    """When that was due."""
    done: datetime


@dataclass(frozen=True, slots=True)
class Lateness:
    """What was done late since an instant, the most often late first, and what an outage made of the rest."""

    found: tuple[Late, ...]
    begins: datetime | None
    """When the first of it was due."""
    ends: datetime | None
    """When the last of it was done."""
    journeys: int
    dropped: int
    """Messages that were not sent any more because they would have come too late."""
    spans: int
    """Contacts missed with another one, told as one."""

    @property
    def count(self) -> int:
        return sum(each.count for each in self.found)

    @property
    def longest(self) -> timedelta:
        return max((each.longest for each in self.found), default=timedelta())


async def lateness(pool: Pool, since: datetime, more_than: timedelta = LATE) -> Lateness:
    """What was recorded since an instant (of the wall clock) and had been due earlier than `more_than` before.

    A due counts from when it was set, if that was later: what somebody tells of last week was never owed last week.
    """
    by_kind = {kind: what for what, kinds in DUES.values() for kind in kinds}
    rows = await pool.fetch(_LATE, since, list(by_kind), more_than)
    grouped: dict[What, list[_Row]] = {}
    for row in rows:
        late = _Row(row["stream"], row["planned"], row["done"], row["late"])
        grouped.setdefault(by_kind[row["kind"]], []).append(late)
    dropped, spans = await pool.fetchrow(_COLLAPSED, since)
    return Lateness(
        tuple(sorted((_late(what, each) for what, each in grouped.items()), key=lambda each: -each.count)),
        min((row["planned"] for row in rows), default=None), max((row["done"] for row in rows), default=None),
        len({row["stream"] for row in rows}), dropped, spans,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Row:
    stream: str
    planned: datetime
    done: datetime
    late: timedelta


def _late(what: What, rows: list[_Row]) -> Late:
    rows = sorted(rows, key=lambda each: each.late)
    worst = rows[-1]
    return Late(
        what, len(rows), len({each.stream for each in rows}), worst.late, rows[len(rows) // 2].late, worst.stream,
        worst.planned, worst.done,
    )  # fmt: skip


# Events of one offer share their instant. Whatever was recorded between the due and the offer set the due anew; and
# what stands in one offer behind somebody's command follows from that command.
_LATE: Final = """
    WITH dues AS MATERIALIZED (
        SELECT stream, seq, kind, header ->> 'recorded_at' AS recorded, header ->> 'occurred_at' AS occurred
        FROM (SELECT stream, seq, kind, convert_from(header, 'UTF8')::jsonb AS header FROM events
              WHERE wall >= $1 AND kind = ANY ($2)) each
        WHERE header ->> 'command' IS NULL
    ), old AS MATERIALIZED (
        SELECT *, recorded::timestamptz AS done FROM dues WHERE recorded::timestamptz - occurred::timestamptz > $3
    ), owed AS (
        SELECT old.*, greatest(occurred::timestamptz, before.recorded::timestamptz) AS planned
        FROM old LEFT JOIN LATERAL (
            SELECT seq, header ->> 'recorded_at' AS recorded
            FROM (SELECT seq, convert_from(header, 'UTF8')::jsonb AS header FROM events e
                  WHERE e.stream = old.stream AND e.seq < old.seq) each
            WHERE header ->> 'recorded_at' < old.recorded ORDER BY seq DESC LIMIT 1
        ) before ON true
        WHERE NOT EXISTS (
            SELECT FROM events e WHERE e.stream = old.stream AND e.seq < old.seq AND e.seq > coalesce(before.seq, 0)
              AND convert_from(e.header, 'UTF8')::jsonb ->> 'command' IS NOT NULL)
    )
    SELECT stream, kind, planned, done, done - planned AS late FROM owed WHERE done - planned > $3
"""

_COLLAPSED: Final = """
    SELECT count(*) FILTER (WHERE kind = 'MessageSuppressed' AND data ->> 'reason' = 'too-late'),
           coalesce(sum((data ->> 'spans')::int - 1) FILTER (WHERE kind = 'ContactMissed'), 0)::int
    FROM (SELECT kind, convert_from(header, 'UTF8')::jsonb -> 'data' AS data FROM events
          WHERE wall >= $1 AND kind IN ('MessageSuppressed', 'ContactMissed')) each
"""
