"""Mentors: how they are reached, how many people each can accompany, and whether they can now."""

from dataclasses import dataclass
from typing import Final

import asyncpg

from journeys.domain.directory import MentorAdded, MentorChanged, MentorDescribed
from journeys.store import directory
from journeys.store.database import Pool
from journeys.store.directory import AlreadyThere, By, Fact, contact_texts, record


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


_COLUMNS: Final = "id::text, name, email, phone, language, site, capacity, available, place, languages, interests"


def stream_of(mentor: str) -> str:
    """The stream of a mentor's own facts."""
    return f"mentor-{mentor}"


async def add(pool: Pool, mentor: Mentor, by: By) -> None:
    """Add a mentor under an id made by the entry point. Raises AlreadyThere for an id that is taken."""
    async with pool.acquire() as connection, connection.transaction():
        try:
            await connection.execute(
                "INSERT INTO mentors (id, name, email, phone, language, site, capacity, available, place, languages,"
                " interests) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                mentor.id,
                mentor.name,
                mentor.email,
                mentor.phone,
                mentor.language,
                mentor.site,
                mentor.capacity,
                mentor.available,
                mentor.place,
                mentor.languages,
                mentor.interests,
            )
        except asyncpg.UniqueViolationError:
            raise AlreadyThere("mentor", "id") from None
        fact = Fact(
            MentorAdded(site=mentor.site, capacity=mentor.capacity),
            contact_texts(mentor.name, mentor.email, mentor.phone),
        )
        described = [_described(mentor)] if mentor.place or mentor.languages or mentor.interests else []
        await record(connection, stream_of(mentor.id), [fact, *described], by)


async def change(pool: Pool, id: str, *, capacity: int, available: bool, by: By) -> None:
    """Say how many people a mentor can accompany, and whether now. Raises NotFound."""
    statement = "UPDATE mentors SET capacity = $2, available = $3 WHERE id = $1"
    fact = Fact(MentorChanged(capacity=capacity, available=available))
    await directory.change(pool, stream_of(id), statement, (capacity, available), fact, by)


async def describe(pool: Pool, mentor: Mentor, by: By) -> None:
    """Say where a mentor lives, what they speak and like, as the mentor given has it. Raises NotFound."""
    statement = "UPDATE mentors SET place = $2, languages = $3, interests = $4 WHERE id = $1"
    given = (mentor.place, mentor.languages, mentor.interests)
    await directory.change(pool, stream_of(mentor.id), statement, given, _described(mentor), by)


def _described(mentor: Mentor) -> Fact:
    texts = {"place": mentor.place, "languages": mentor.languages, "interests": mentor.interests}
    return Fact(MentorDescribed(), {name: text or "" for name, text in texts.items()})


async def mentor(pool: Pool, id: str) -> Mentor | None:
    """A mentor by id."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM mentors WHERE id = $1", id)
    return None if row is None else Mentor(**row)


async def mentors(pool: Pool) -> list[Mentor]:
    """All mentors by name."""
    return [Mentor(**row) for row in await pool.fetch(f"SELECT {_COLUMNS} FROM mentors ORDER BY name, id")]


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
