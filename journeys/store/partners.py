"""Partners: housing, employers, care, public services to which people are referred."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from journeys.domain.directory import PartnerAdded, PartnerDescribed, PartnerLeft, search_form
from journeys.store import contacts, directory, erasing
from journeys.store.database import Connection, Pool
from journeys.store.directory import AlreadyThere, By, Fact, contact_texts, record
from journeys.store.vault import Known


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
    place: str | None = None
    """Town or district."""
    purposes: tuple[str, ...] = ()
    """What people are referred to them for, the operator's own codes; none: their kind."""
    places: int | None = None
    """How many people at once; None where nobody counts."""

    @property
    def serves(self) -> tuple[str, ...]:
        """What people may be referred to them for."""
        return self.purposes or (self.kind,)


_COLUMNS: Final = "id::text, sealed, kind, language, site, active, purposes, places"
_KNOWN: Final = ("name", "email", "phone", "place")
"""What is sealed."""


def stream_of(partner: str) -> str:
    """The stream of a partner's own facts."""
    return f"partner-{partner}"


async def add(pool: Pool, partner: Partner, by: By) -> None:
    """Add a partner under an id made by the entry point. Raises AlreadyThere for an id that is taken."""
    async with pool.acquire() as connection, connection.transaction():
        try:
            await connection.execute(
                "INSERT INTO partners (id, sealed, kind, language, site, active, purposes, places)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                partner.id,
                await contacts.seal(connection, stream_of(partner.id), _known(partner)),
                partner.kind,
                partner.language,
                partner.site,
                partner.active,
                partner.purposes,
                partner.places,
            )
        except asyncpg.UniqueViolationError:
            raise AlreadyThere("partner", "id") from None
        fact = Fact(
            PartnerAdded(kind=partner.kind, site=partner.site),
            contact_texts(partner.name, partner.email, partner.phone),
        )
        described = [_described(partner)] if partner.place or partner.purposes or partner.places is not None else []
        await record(connection, stream_of(partner.id), [fact, *described], by)


async def describe(pool: Pool, partner: Partner, by: By) -> None:
    """Say where a partner is, for what and how many people they take, as the partner given has it. Raises NotFound."""
    stream = stream_of(partner.id)
    statement = "UPDATE partners SET sealed = $2, purposes = $3, places = $4 WHERE id = $1 AND NOT erasing"
    given = (await contacts.seal(pool, stream, _known(partner)), partner.purposes, partner.places)
    await directory.change(pool, stream, statement, given, _described(partner), by)


def _described(partner: Partner) -> Fact:
    return Fact(PartnerDescribed(purposes=partner.purposes, places=partner.places), {"place": partner.place or ""})


async def leave(pool: Pool, id: str, by: By) -> None:
    """Nobody is referred to this partner any more. Raises NotFound."""
    statement = "UPDATE partners SET active = false WHERE id = $1 AND active"
    await directory.change(pool, stream_of(id), statement, (), Fact(PartnerLeft()), by)


async def partner(pool: Pool, id: str) -> Partner | None:
    """A partner by id."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM partners WHERE id = $1 AND NOT erasing", id)
    return None if row is None else (await _partners(pool, [row]))[0]


async def partners(pool: Pool) -> list[Partner]:
    """All partners by name."""
    found = await _partners(pool, await pool.fetch(f"SELECT {_COLUMNS} FROM partners WHERE NOT erasing ORDER BY id"))
    return sorted(found, key=lambda each: search_form(each.name))


async def taken(pool: Pool | Connection, but: str | None = None) -> dict[str, int]:
    """How many people each partner has taken, or was asked to take, on journeys that are open, by partner; of nobody
    who is forgotten.

    but: a referral that does not count.
    """
    rows = await pool.fetch(
        f"""
        SELECT partner, count(*) AS people
        FROM (
            SELECT sent.header ->> 'stream' AS stream, sent.header -> 'data' ->> 'partner' AS partner,
                   sent.header -> 'data' ->> 'referral' AS referral
            FROM (SELECT convert_from(header, 'UTF8')::jsonb AS header FROM events WHERE kind = 'ReferralSent') AS sent
        ) AS sent
        WHERE referral IS DISTINCT FROM $1
          AND EXISTS (
            SELECT FROM journeys j WHERE 'journey-' || j.id = sent.stream AND j.status <> 'closed'
              AND NOT {erasing.FORGOTTEN})
          AND NOT EXISTS (
            SELECT FROM events
            WHERE events.stream = sent.stream
              AND kind IN ('ReferralDeclined', 'ReferralExpired', 'ReferralCancelled')
              AND convert_from(header, 'UTF8')::jsonb -> 'data' ->> 'referral' = sent.referral
        )
        GROUP BY partner
        """,
        but,
    )
    return {row["partner"]: int(row["people"]) for row in rows}


async def _partners(pool: Pool, rows: Sequence[Mapping[str, Any]]) -> list[Partner]:
    known = await contacts.unseal(pool, [(stream_of(row["id"]), row["sealed"]) for row in rows])
    return [_partner(row, found or {}) for row, found in zip(rows, known, strict=True)]


def _partner(row: Mapping[str, Any], known: Known) -> Partner:
    """One of whom nothing can be read is called nothing."""
    return Partner(
        id=row["id"], kind=row["kind"], language=row["language"], site=row["site"], active=row["active"],
        purposes=tuple(row["purposes"]), places=row["places"], **{**dict.fromkeys(_KNOWN), "name": "", **known},
    )  # fmt: skip


def _known(partner: Partner) -> Known:
    return {name: getattr(partner, name) for name in _KNOWN}
