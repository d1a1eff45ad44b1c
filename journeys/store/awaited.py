"""What mentors and partners may still answer, on every journey that one may see."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from journeys.store import vault
from journeys.store.database import Connection, Pool


@dataclass(frozen=True, slots=True)
class Awaited:
    """The last that is known of a proposal, a mentorship or a referral, where it leaves something to answer."""

    journey: str
    name: str | None
    """The person's; None when they were erased."""
    programme: str
    """SHA-256 of the programme in force on it."""
    referent: str | None
    kind: Literal["MentorProposed", "MentorMatched", "ReferralSent"]
    subject: str
    """The proposal or the referral."""
    recipient: str
    purpose: str | None
    """What a referral is for."""


_SETTLED_BY: Final = {
    "mentor": "'MentorProposed', 'MentorMatched', 'MentorDeclined', 'MentorProposalCancelled', 'MentorEnded'",
    "partner": "'ReferralSent', 'ReferralAccepted', 'ReferralDeclined', 'ReferralExpired', 'ReferralCancelled'",
}


async def awaited(
    connection: Pool | Connection, role: Literal["mentor", "partner"], visible: str, now: datetime, *, limit: int = 200
) -> tuple[list[Awaited], int]:
    """By the name within those shown, and how many there are in all. visible: `views.within`."""
    rows = await connection.fetch(
        f"""
        WITH told AS MATERIALIZED (
            SELECT j.id, e.seq, e.kind, convert_from(e.header, 'UTF8')::jsonb -> 'data' AS data
            FROM journeys j JOIN events e ON e.stream = 'journey-' || j.id
            WHERE ({visible}) AND j.status <> 'closed' AND e.kind IN ({_SETTLED_BY[role]})
        ), last AS (
            SELECT DISTINCT ON (id, subject) id, kind, data, subject
            FROM (SELECT *, coalesce(data ->> 'referral', data ->> 'proposal') AS subject FROM told) AS about
            ORDER BY id, subject, seq DESC
        )
        SELECT j.id::text AS journey, j.person::text, p.sealed AS name,
               j.summary ->> 'programme_hash' AS programme,
               j.referent::text AS referent, last.kind, last.subject,
               coalesce(last.data ->> 'mentor', last.data ->> 'partner') AS recipient,
               last.data ->> 'purpose' AS purpose, count(*) OVER () AS total
        FROM last JOIN journeys j ON j.id = last.id LEFT JOIN people p ON p.id = j.person
        WHERE last.kind IN ('MentorProposed', 'MentorMatched')
           OR (last.kind = 'ReferralSent' AND (last.data ->> 'answer_by')::timestamptz > $1)
        ORDER BY j.id, last.subject LIMIT $2
        """,
        now, limit,
    )  # fmt: skip
    names = await vault.names(connection, [(row["person"], row["name"]) for row in rows])
    found = [
        Awaited(**{column: row[column] for column in Awaited.__slots__ if column != "name"}, name=name)
        for row, name in vault.by_name(rows, names)
    ]
    return found, rows[0]["total"] if rows else 0
