"""Between giving a file out and noting that a payment in it never left: each of the two sees what the other did."""

from collections.abc import Sequence
from typing import Final

from journeys.store.database import Connection

_LOCK: Final = 0x67697665
"""`give` in ASCII: a lock of the transaction, taken before any other. Whoever gives a file out or withdraws it holds it
alone; whoever notes that a transfer never left shares it."""
_SECONDS: Final = 60.0


async def alone(connection: Connection) -> None:
    """Until the end of the transaction nobody else gives a file out, and no transfer is noted as never left."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK, timeout=_SECONDS)


async def left_since(connection: Connection, payments: Sequence[str]) -> set[str]:
    """Those of these payments whose file was given out while no statement has come since that reaches to that day.

    Until the end of the transaction no file is given out.
    """
    await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", _LOCK, timeout=_SECONDS)
    rows = await connection.fetch(
        """
        SELECT m.payment::text FROM batch_transfers m JOIN batch_givings g ON g.batch = m.batch
        WHERE m.payment = ANY ($1::uuid[])
        AND NOT EXISTS (
            SELECT FROM bank_files f JOIN bank_statements s ON s.file = f.digest
            WHERE f.kind = 'camt.053' AND f.imported_at > g.given_at
            AND coalesce(s.last_day, (SELECT max(l.booked_on) FROM bank_lines l WHERE l.file = f.digest))
                >= (g.given_at AT TIME ZONE 'Europe/Paris')::date)
        """,
        payments,
    )
    return {row["payment"] for row in rows}
