"""Letters on paper: their words wait, sealed under the person's key, until somebody has printed and posted them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from journeys.domain.directory import LetterPosted
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, NotFound, record
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
    """A letter that is to be posted."""

    message: str
    journey: str
    at: datetime


async def lay(pool: Pool, letter: Told, words: Words, at: datetime) -> bool:
    """Lay a letter down, once; False: whom it tells of was forgotten."""
    assert letter.about is not None
    text = json.dumps({name: getattr(words, name) for name in Words.__slots__}, ensure_ascii=False).encode()
    sealed = await seal_letter(pool.keys, letter, text)
    if sealed is None:
        return False
    await pool.execute(
        "INSERT INTO paper_letters (message, journey, sealed, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        letter.id, letter.about.removeprefix("journey-"), sealed, at,
    )  # fmt: skip
    return True


async def waiting(connection: Pool | Connection, referent: str | None = None, limit: int = 200) -> list[Waiting]:
    """Letters to post that the connection may see, the oldest first; of the open journeys that somebody leads."""
    rows = await connection.fetch(
        "SELECT message::text, journey::text, at FROM paper_letters p WHERE posted_at IS NULL AND EXISTS (SELECT FROM"
        " journeys j WHERE j.id = p.journey AND j.status <> 'closed' AND ($1::uuid IS NULL OR j.referent = $1))"
        " ORDER BY at, message LIMIT $2",
        referent, limit,
    )  # fmt: skip
    return [Waiting(*row) for row in rows]


async def words_of(connection: Connection, message: str) -> tuple[Waiting, Words | Lost] | None:
    """A letter and its words; None where the connection sees none of this id."""
    row = await connection.fetchrow(
        "SELECT message::text, journey::text, at, sealed FROM paper_letters WHERE message = $1", message
    )
    if row is None:
        return None
    found = Waiting(row["message"], row["journey"], row["at"])
    text = await open_letter(connection.keys, message, row["sealed"])
    if not isinstance(text, bytes):
        return found, text
    known: Mapping[str, str] = json.loads(text)
    return found, Words(**known)


async def posted(pool: Pool, message: str, by: By) -> bool:
    """Note that somebody has posted a letter, or handed it over; noted again it changes nothing. Raises NotFound."""
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
        await connection.execute(
            "UPDATE paper_letters SET posted_at = $2, posted_by = $3 WHERE message = $1", message, by.at, by.actor
        )
        fact = LetterPosted(message=message, journey=f"journey-{row['journey']}")
        await record(connection, f"person-{row['person']}", [Fact(fact)], by)
        return True
