"""Sites: what the world may know of each, a neutral name and address, and in which zone it lies."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from journeys.domain.directory import SiteDescribed
from journeys.domain.neutral import place_tells_why
from journeys.domain.programme import Label
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, record

AGREED: Final = Label(fr="à l’adresse convenue", en="at the agreed address")
"""Stands for a place that may not be named: any other in its stead would be the wrong one."""


@dataclass(frozen=True, slots=True)
class Site:
    """A site as it may be named to anybody."""

    code: str
    name: str
    address: str
    zone: str

    @property
    def place(self) -> str:
        """Name and address, as a message says where."""
        return ", ".join(part for part in (self.name, self.address) if part)


async def site(connection: Pool | Connection, code: str) -> Site | None:
    """One site; None: nobody has described it."""
    row = await connection.fetchrow("SELECT code, name, address, zone FROM sites WHERE code = $1", code)
    return None if row is None else Site(*row)


async def sites(connection: Pool | Connection) -> list[Site]:
    """Every site that was described, by code."""
    return [Site(*row) for row in await connection.fetch("SELECT code, name, address, zone FROM sites ORDER BY code")]


async def zone_of(connection: Pool | Connection, codes: Iterable[str]) -> str | None:
    """The zone in which all of these sites lie; None where it is not known of each, or not one."""
    wanted = sorted({*codes})
    rows = await connection.fetch("SELECT zone FROM sites WHERE code = ANY ($1::text[])", wanted) if wanted else []
    zones = {str(row["zone"]) for row in rows}
    return zones.pop() if len(rows) == len(wanted) and len(zones) == 1 else None


async def describe(pool: Pool, wanted: Site, by: By) -> bool:
    """Say how a site is named to the world from now on; as it is already, it changes and writes nothing."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE sites IN SHARE ROW EXCLUSIVE MODE")
        if await site(connection, wanted.code) == wanted:
            return False
        await connection.execute(
            "INSERT INTO sites (code, name, address, zone) VALUES ($1, $2, $3, $4) ON CONFLICT (code) DO UPDATE"
            " SET name = excluded.name, address = excluded.address, zone = excluded.zone",
            wanted.code, wanted.name, wanted.address, wanted.zone,
        )  # fmt: skip
        texts = {"name": wanted.name, "address": wanted.address}
        await record(connection, "system", [Fact(SiteDescribed(site=wanted.code, zone=wanted.zone), texts)], by)
        return True


async def said_outside(connection: Pool | Connection, place: str, code: str | None, lang: str) -> str:
    """What somebody outside is told of a place: its own words where they are neutral, else that it was agreed on; where
    none was noted, the site's.

    Args:
        place: as it was noted with an appointment; empty: nothing was. code: the journey's site.
    """
    if place:
        return place if place_tells_why(place) is None else AGREED.in_(lang)
    known = await site(connection, code) if code is not None else None
    return known.place if known is not None else ""
