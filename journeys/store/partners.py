"""Partners: housing, employers, care, public services to which people are referred."""

from dataclasses import dataclass
from typing import Final

import asyncpg

from journeys.domain.directory import PartnerAdded, PartnerLeft
from journeys.store.database import Pool
from journeys.store.directory import AlreadyThere, By, Fact, NotFound, contact_texts, record


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """An organisation; `kind` is the operator's own code (housing, employer, care)."""

    id: str
    name: str
    kind: str
    email: str | None
    phone: str | None
    language: str
    site: str | None
    active: bool = True


_COLUMNS: Final = "id::text, name, kind, email, phone, language, site, active"


def stream_of(partner: str) -> str:
    """The stream of a partner's own facts."""
    return f"partner-{partner}"


async def add(pool: Pool, partner: Partner, by: By) -> None:
    """Add a partner under an id made by the entry point. Raises AlreadyThere for an id that is taken."""
    async with pool.acquire() as connection, connection.transaction():
        try:
            await connection.execute(
                "INSERT INTO partners (id, name, kind, email, phone, language, site, active)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                partner.id,
                partner.name,
                partner.kind,
                partner.email,
                partner.phone,
                partner.language,
                partner.site,
                partner.active,
            )
        except asyncpg.UniqueViolationError:
            raise AlreadyThere("partner", "id") from None
        fact = Fact(
            PartnerAdded(kind=partner.kind, site=partner.site),
            contact_texts(partner.name, partner.email, partner.phone),
        )
        await record(connection, stream_of(partner.id), [fact], by)


async def leave(pool: Pool, id: str, by: By) -> None:
    """Nobody is referred to this partner any more. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        done = await connection.execute("UPDATE partners SET active = false WHERE id = $1 AND active", id)
        if done == "UPDATE 0":
            raise NotFound("partner", id)
        await record(connection, stream_of(id), [Fact(PartnerLeft())], by)


async def partner(pool: Pool, id: str) -> Partner | None:
    """A partner by id."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM partners WHERE id = $1", id)
    return None if row is None else Partner(**row)


async def partners(pool: Pool) -> list[Partner]:
    """All partners by name."""
    return [Partner(**row) for row in await pool.fetch(f"SELECT {_COLUMNS} FROM partners ORDER BY name, id")]
