"""Who a provider's account belongs to: members who are on the staff already, and nobody else."""

from journeys.store.database import Pool
from journeys.store.staff import members


async def member_of(pool: Pool, issuer: str, subject: str, verified_email: str | None) -> str | None:
    """The member of staff behind a provider's account; None: nobody's, or of one who left.

    At the first login the account is tied to the one active member who has its address. The address must have been
    verified by the provider, and a member already tied to another account of this provider is not tied again.
    """
    async with pool.acquire() as connection, connection.transaction():
        known = await connection.fetchrow(
            "SELECT s.id::text, s.active FROM identities i JOIN staff s ON s.id = i.staff"
            " WHERE i.issuer = $1 AND i.subject = $2",
            issuer, subject,
        )  # fmt: skip
        if known is not None:
            return str(known["id"]) if known["active"] else None
        if not verified_email:
            return None
        wanted = verified_email.lower()
        found = [
            each.id
            for each in await members(connection)
            if each.active and each.email is not None and each.email.lower() == wanted
        ]
        if len(found) != 1:
            return None
        [staff] = found
        if await connection.fetchval("SELECT true FROM staff WHERE id = $1 AND active FOR UPDATE", staff) is None:
            return None
        tied = await connection.execute(
            "INSERT INTO identities (issuer, subject, staff) SELECT $1, $2, $3"
            " WHERE NOT EXISTS (SELECT FROM identities WHERE issuer = $1 AND staff = $3)"
            " ON CONFLICT DO NOTHING",
            issuer, subject, staff,
        )  # fmt: skip
        return staff if tied == "INSERT 0 1" else None
