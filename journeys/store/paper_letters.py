"""Letters on paper: their words wait, sealed under the person's key, until somebody has printed and posted them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from journeys.domain.directory import LetterPosted
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, Forgotten, NotFound, record
from journeys.store.keys import Lost
from journeys.store.letters import Told, open_letter, seal_letter


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in a letter, and its language."""

    recipient: str
    subject: str
    body: str
    lang: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter that was made and not posted."""

    message: str
    journey: str
    at: datetime
    why: str | None = None
    """Why it is not for posting: `erasing`, `died`, `opted-out`, `closed`, `settled`, `moved`, `too-late`, `suspended`
    or `paused`."""
    since: datetime | None = None
    """Since when, as far as that is recorded; of one letter only."""


SHOWN: Final = timedelta(days=60)
"""How long a letter that is not for posting is still shown after it was made, so that a printed one is thrown away."""

_RECORDED: Final = "(convert_from({}.header, 'UTF8')::jsonb ->> 'recorded_at')::timestamptz"

_SETTLED: Final = f"""
    SELECT min({_RECORDED.format("ended")}) AS since FROM events begun, events ended
            WHERE begun.stream = 'journey-' || p.journey AND begun.kind = 'ChaseDue'
              AND ended.stream = begun.stream AND ended.kind IN ('ChaseDone', 'ChaseCancelled')
              AND convert_from(begun.header, 'UTF8')::jsonb -> 'data' ->> 'message' = p.message::text
              AND convert_from(ended.header, 'UTF8')::jsonb -> 'data' ->> 'chase'
                = convert_from(begun.header, 'UTF8')::jsonb -> 'data' ->> 'chase'
"""
"""Since when it was written for nothing: after a missed appointment, and the person was heard of since, or had not
missed it."""

_HOUR: Final = """
          (SELECT convert_from(told.header, 'UTF8')::jsonb -> 'data' ->> 'at' FROM events told
           WHERE told.stream = due.stream AND told.kind IN ('AppointmentBooked', 'AppointmentMoved') AND {}
             AND convert_from(told.header, 'UTF8')::jsonb -> 'data' ->> 'appointment'
               = convert_from(due.header, 'UTF8')::jsonb -> 'data' -> 'about' ->> 'id'
           ORDER BY told.seq DESC LIMIT 1)
"""
"""SQL: when the appointment of a letter is, as far as these events tell."""

_OVERTAKEN: Final = f"""
    SELECT (array_agg(CASE later.kind WHEN 'DeadlineMissed' THEN 'too-late'
                                      WHEN 'AppointmentMoved' THEN 'moved' WHEN 'DeadlineMoved' THEN 'moved'
                                      ELSE 'settled' END ORDER BY later.seq DESC))[1] AS why,
           min(later.at) AS since
    FROM (SELECT due.seq, convert_from(due.header, 'UTF8')::jsonb -> 'data' AS data,
                 {_HOUR.format("told.seq < due.seq")} AS hour, {_HOUR.format("true")} AS hour_now FROM events due
          WHERE due.stream = 'journey-' || p.journey AND due.kind = 'MessageDue'
            AND convert_from(due.header, 'UTF8')::jsonb -> 'data' ->> 'message' = p.message::text) AS owed
    CROSS JOIN LATERAL (
          SELECT e.seq, e.kind, {_RECORDED.format("e")} AS at,
                 convert_from(e.header, 'UTF8')::jsonb -> 'data' AS data,
                 convert_from(e.header, 'UTF8')::jsonb -> 'parts' AS parts FROM events e
          WHERE e.stream = 'journey-' || p.journey AND e.seq > owed.seq
            AND e.kind IN ('AppointmentMoved', 'AppointmentAttended', 'AppointmentMissed', 'AppointmentExcused',
                           'AppointmentCancelled', 'DeadlineMoved', 'DeadlineMet', 'DeadlineMissed',
                           'DeadlineCancelled')) AS later
    WHERE (owed.data -> 'about' ->> 'kind' = 'appointment'
           AND later.data ->> 'appointment' = owed.data -> 'about' ->> 'id'
           AND (later.kind <> 'AppointmentMoved' OR later.parts ? 'place' OR owed.hour <> owed.hour_now
                OR (owed.data ->> 'template' = 'appointment-times' AND NOT later.data ? 'or_at')))
       OR (owed.data ->> 'purpose' = 'reminder' AND owed.data -> 'about' ->> 'kind' = 'milestone'
           AND starts_with(owed.data ->> 'occurrence', (later.data ->> 'deadline') || '/'))
"""
"""What has become, since it was owed, of the appointment or of the deadline that it tells of; null: nothing. One that
stays at its hour and place, at which other times are offered, is not moved."""


def _last(of: Literal["person", "journey"], kind: str) -> str:
    """SQL: when this was recorded last of the person, or of the journey, of a letter."""
    stream = "'person-' || o.id" if of == "person" else "'journey-' || p.journey"
    return f"(SELECT max({_RECORDED.format('e')}) FROM events e WHERE e.stream = {stream} AND e.kind = '{kind}')"


_LETTERS: Final = f"""
    SELECT p.message::text, p.journey::text, p.at, p.sealed,
           CASE WHEN o.erasing THEN 'erasing' WHEN o.died THEN 'died' WHEN o.opted_out THEN 'opted-out'
                WHEN j.status = 'closed' THEN 'closed' WHEN settled.since IS NOT NULL THEN 'settled'
                WHEN overtaken.why IS NOT NULL THEN overtaken.why WHEN p.valid_until <= $1 THEN 'too-late'
                WHEN j.status = 'suspended' THEN 'suspended' WHEN o.paused_until > $1 THEN 'paused' END AS why,
           CASE WHEN o.died THEN {_last("person", "PersonDied")}
                WHEN o.opted_out THEN {_last("person", "OptedOut")}
                WHEN j.status = 'closed' THEN {_last("journey", "JourneyClosed")}
                WHEN settled.since IS NOT NULL THEN settled.since
                WHEN overtaken.why IS NOT NULL THEN overtaken.since WHEN p.valid_until <= $1 THEN p.valid_until
                WHEN j.status = 'suspended' THEN {_last("journey", "JourneySuspended")}
                WHEN o.paused_until > $1 THEN {_last("person", "MessagesPaused")} END AS since,
           p.posted_at, j.referent
    FROM paper_letters p JOIN journeys j ON j.id = p.journey JOIN people o ON o.id = j.person
    CROSS JOIN LATERAL ({_OVERTAKEN}) AS overtaken CROSS JOIN LATERAL ({_SETTLED}) AS settled
"""


async def lay(pool: Pool, letter: Told, words: Words, at: datetime, until: datetime | None = None) -> bool:
    """Lay a letter down, once; False: whom it tells of was forgotten.

    Args:
        until: from then on it is of no use.
    """
    assert letter.about is not None
    text = json.dumps({name: getattr(words, name) for name in Words.__slots__}, ensure_ascii=False).encode()
    sealed = await seal_letter(pool.keys, letter, text)
    if sealed is None:
        return False
    await pool.execute(
        "INSERT INTO paper_letters (message, journey, sealed, at, valid_until) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        letter.id, letter.about.removeprefix("journey-"), sealed, at, until,
    )  # fmt: skip
    return True


async def waiting(
    connection: Pool | Connection, now: datetime, referent: str | None = None, limit: int = 200, beginning: str = ""
) -> list[Waiting]:
    """Letters that were not posted, of those that the connection may see, or of the journeys that somebody leads.

    The oldest first; after them those that are not for posting, for as long as they are SHOWN.

    Args:
        beginning: only those whose id begins so.
    """
    rows = await connection.fetch(
        f"SELECT message, journey, at, why FROM ({_LETTERS}) AS letters WHERE posted_at IS NULL"
        " AND ($2::uuid IS NULL OR referent = $2) AND (why IS NULL OR at > $3) AND starts_with(message, $5)"
        " ORDER BY why IS NOT NULL, at, message LIMIT $4",
        now, referent, now - SHOWN, limit, beginning,
    )  # fmt: skip
    return [Waiting(*row) for row in rows]


async def to_post(connection: Pool | Connection, now: datetime, referent: str | None = None) -> list[Waiting]:
    """Those of `waiting` that are for posting."""
    return [each for each in await waiting(connection, now, referent) if each.why is None]


async def words_of(connection: Connection, message: str, now: datetime) -> tuple[Waiting, Words | Lost] | None:
    """A letter and its words; None where the connection sees none of this id."""
    row = await connection.fetchrow(f"{_LETTERS} WHERE message = $2", now, message)
    if row is None:
        return None
    found = Waiting(row["message"], row["journey"], row["at"], row["why"], row["since"])
    text = await open_letter(connection.keys, message, row["sealed"])
    if not isinstance(text, bytes):
        return found, text
    known: Mapping[str, str] = json.loads(text)
    return found, Words(**known)


async def posted(pool: Pool, message: str, by: By, on: date | None = None) -> bool:
    """Note that somebody has posted a letter, or handed it over; noted again it changes nothing.

    Args:
        on: the day on which it was, where it is not said now.

    Raises NotFound; Forgotten: nothing is noted of the person any more.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "SELECT journey::text, posted_at, j.person::text FROM paper_letters p JOIN journeys j ON j.id = p.journey"
            " WHERE message = $1 FOR UPDATE OF p",
            message,
        )
        if row is None:
            raise NotFound("letter", message)
        if row["posted_at"] is not None:
            return False
        if await connection.fetchval("SELECT erasing FROM people WHERE id = $1 FOR UPDATE", row["person"]):
            raise Forgotten("person", row["person"])
        await connection.execute(
            "UPDATE paper_letters SET posted_at = $2, posted_by = $3 WHERE message = $1", message, by.at, by.actor
        )
        fact = LetterPosted(message=message, journey=f"journey-{row['journey']}", on=on)
        await record(connection, f"person-{row['person']}", [Fact(fact)], by)
        return True


async def naming(pool: Pool, names: Callable[[str], bool]) -> list[str]:
    """Ids of the letters, posted or not, in whose words something is named."""
    rows = await pool.fetch("SELECT message::text, sealed FROM paper_letters")
    opened = [(row["message"], await open_letter(pool.keys, row["message"], row["sealed"])) for row in rows]
    return [id for id, text in opened if isinstance(text, bytes) and names("\n".join(json.loads(text).values()))]
