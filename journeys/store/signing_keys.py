"""The signing keys that the workers have, told by a proof of each, never the key."""

from journeys.store.database import Pool
from journeys.store.signing import KeyRing


async def announce(pool: Pool, ring: KeyRing) -> None:
    """A worker begins: these keys hold from now on, and no others."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM signing_keys WHERE id <> ALL ($1::text[])", list(ring.keys))
        await connection.executemany(
            "INSERT INTO signing_keys (id, proof) VALUES ($1, $2)"
            " ON CONFLICT (id) DO UPDATE SET proof = excluded.proof",
            [(id, ring.proof(id)) for id in sorted(ring.keys)],
        )


async def hold(pool: Pool, ring: KeyRing) -> bool:
    """Whether the workers take what is signed with the ring's current key; True where no worker ever began."""
    known = {row["id"]: bytes(row["proof"]) for row in await pool.fetch("SELECT id, proof FROM signing_keys")}
    return not known or known.get(ring.current_id) == ring.proof(ring.current_id)
