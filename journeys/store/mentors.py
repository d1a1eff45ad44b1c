"""Mentors: how they are reached, how many people each can accompany, and whether they can now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from journeys.domain.directory import MentorAdded, MentorChanged, MentorDescribed, search_form
from journeys.store import contacts, directory
from journeys.store.database import Pool
from journeys.store.directory import AlreadyThere, By, Fact, contact_texts, record
from journeys.store.keys import NoKey
from journeys.store.vault import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentor:
    """A volunteer or peer. `capacity` counts people at once."""

    id: str
    name: str
    email: str | None
    phone: str | None
    language: str
    site: str | None
    capacity: int
    available: bool = True
    place: str | None = None
    """Town or district."""
    languages: str | None = None
    """Those that they speak, with commas."""
    interests: str | None = None


_COLUMNS: Final = "id::text, sealed, language, site, capacity, available"
_KNOWN: Final = ("name", "email", "phone", "place", "languages", "interests")
"""What is sealed."""


def stream_of(mentor: str) -> str:
    """The stream of a mentor's own facts."""
    return f"mentor-{mentor}"


async def add(pool: Pool, mentor: Mentor, by: By) -> None:
    """Add a mentor under an id made by the entry point. Raises AlreadyThere for an id that is taken, or forgotten."""
    async with pool.acquire() as connection, connection.transaction():
        try:
            await connection.execute(
                "INSERT INTO mentors (id, sealed, language, site, capacity, available) VALUES ($1, $2, $3, $4, $5, $6)",
                mentor.id,
                await contacts.seal(connection, stream_of(mentor.id), _known(mentor)),
                mentor.language,
                mentor.site,
                mentor.capacity,
                mentor.available,
            )
        except (asyncpg.UniqueViolationError, NoKey):
            raise AlreadyThere("mentor", "id") from None
        fact = Fact(
            MentorAdded(site=mentor.site, capacity=mentor.capacity),
            contact_texts(mentor.name, mentor.email, mentor.phone),
        )
        described = [_described(mentor)] if mentor.place or mentor.languages or mentor.interests else []
        await record(connection, stream_of(mentor.id), [fact, *described], by)


async def change(pool: Pool, id: str, *, capacity: int, available: bool, by: By) -> None:
    """Say how many people a mentor can accompany, and whether now. Raises NotFound."""
    statement = "UPDATE mentors SET capacity = $2, available = $3 WHERE id = $1 AND NOT erasing"
    fact = Fact(MentorChanged(capacity=capacity, available=available))
    await directory.change(pool, stream_of(id), statement, (capacity, available), fact, by)


async def describe(pool: Pool, mentor: Mentor, by: By) -> None:
    """Say where a mentor lives, what they speak and like, as the mentor given has it. Raises NotFound."""
    stream = stream_of(mentor.id)
    statement = "UPDATE mentors SET sealed = $2 WHERE id = $1 AND NOT erasing"
    given = (await contacts.seal(pool, stream, _known(mentor)),)
    await directory.change(pool, stream, statement, given, _described(mentor), by)


def _described(mentor: Mentor) -> Fact:
    texts = {"place": mentor.place, "languages": mentor.languages, "interests": mentor.interests}
    return Fact(MentorDescribed(), {name: text or "" for name, text in texts.items()})


async def mentor(pool: Pool, id: str) -> Mentor | None:
    """A mentor by id; None also for one who is forgotten."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM mentors WHERE id = $1 AND NOT erasing", id)
    return None if row is None else (await _mentors(pool, [row]))[0]


async def mentors(pool: Pool) -> list[Mentor]:
    """All mentors by name, but those who are forgotten."""
    found = await _mentors(pool, await pool.fetch(f"SELECT {_COLUMNS} FROM mentors WHERE NOT erasing ORDER BY id"))
    return sorted(found, key=lambda each: search_form(each.name))


async def _mentors(pool: Pool, rows: Sequence[Mapping[str, Any]]) -> list[Mentor]:
    known = await contacts.unseal(pool, [(stream_of(row["id"]), row["sealed"]) for row in rows])
    return [_mentor(row, found or {}) for row, found in zip(rows, known, strict=True)]


def _mentor(row: Mapping[str, Any], known: Known) -> Mentor:
    """One of whom nothing can be read is called nothing."""
    return Mentor(
        id=row["id"], language=row["language"], site=row["site"], capacity=row["capacity"], available=row["available"],
        **{**dict.fromkeys(_KNOWN), "name": "", **known},
    )  # fmt: skip


def _known(mentor: Mentor) -> Known:
    return {name: getattr(mentor, name) for name in _KNOWN}


async def matched(pool: Pool) -> dict[str, int]:
    """How many people each mentor accompanies now, by mentor; those with nobody are left out."""
    rows = await pool.fetch(
        """
        SELECT mentor, sum(step) AS people
        FROM (SELECT convert_from(header, 'UTF8')::jsonb -> 'data' ->> 'mentor' AS mentor,
                     CASE kind WHEN 'MentorMatched' THEN 1 ELSE -1 END AS step
              FROM events WHERE kind IN ('MentorMatched', 'MentorEnded')) AS steps
        GROUP BY mentor HAVING sum(step) > 0
        """
    )
    return {row["mentor"]: int(row["people"]) for row in rows}
