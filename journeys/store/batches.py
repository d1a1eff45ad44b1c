"""Transfers that wait for a file, and the files: each claims its payments alone, and is rendered once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, Final, Literal

from journeys.domain.banking import MOST_TRANSFERS, Account, Batch, Transfer, reference_of
from journeys.domain.directory import BatchGivenOut, BatchMade, BatchWithdrawn
from journeys.domain.payee import Payee, read_payee
from journeys.store import bank_years, giving
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, NotFound, record
from journeys.store.sealing import CannotUnseal
from journeys.store.signing import KeyRing
from journeys.store.treasury import STREAM

_SECONDS: Final = 60.0
"""For what carries whole files."""


class PaymentsStopped(Exception):
    """Nothing is given to the bank while payments are stopped."""


class ClosedSince(Exception):
    """Payments in a batch are closed: its file would pay them although others may have, or once more."""

    def __init__(self, payments: Sequence[str], *, given: bool) -> None:
        super().__init__(f"closed since the file was made: {', '.join(payments)}")
        self.payments = tuple(payments)
        self.given = given
        """Somebody has the file."""


class GivenOut(Exception):
    """Somebody has the file: it cannot be withdrawn any more."""


class Withdrawn(Exception):
    """The batch was withdrawn: nobody gets its file."""


class OtherTransfer(Exception):
    """A payment was queued before with another amount or payee; nothing was written."""

    def __init__(self, payment: str) -> None:
        super().__init__(f"payment {payment} was queued before with other content")
        self.payment = payment


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A file for the bank."""

    id: str
    message: str
    """By which the bank names it."""
    execute_on: date
    made_at: datetime
    made_by: str
    number: int
    """Of transfers."""
    total: int
    """Cents."""
    digest: str
    """SHA-256 of the file."""
    given_at: datetime | None
    """When it was first given out; None while nobody has it."""
    given: int
    """How often it was given out, always the same bytes."""
    withdrawn_at: datetime | None = None
    """Then nobody gets it, and its payments wait again."""


# --- transfers that wait


async def queue(pool: Pool, ring: KeyRing, payment: str, amount: int, payee: Payee) -> None:
    """Let a payment wait for its batch; once more with the same content changes nothing.

    Raises OtherTransfer. CannotUnseal: it was queued before, and nobody here can read for whom.
    """
    sealed = await bank_years.seal(
        pool, bank_years.year_of(datetime.now(UTC)), payee.text.encode(), place_of_transfer(payment)
    )
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO transfers (payment, reference, amount, sealed) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            payment, reference_of(payment), amount, sealed,
        )  # fmt: skip
        row = await connection.fetchrow("SELECT amount, sealed FROM transfers WHERE payment = $1", payment)
        [known] = await payees_of(connection, ring, [(payment, row["sealed"])])
        if isinstance(known, CannotUnseal):
            raise known
        if row["amount"] != amount or known != payee:
            raise OtherTransfer(payment)


async def payees_of(
    connection: Pool | Connection, ring: KeyRing, rows: Sequence[tuple[str, bytes]]
) -> list[Payee | CannotUnseal]:
    """Whom transfers, as (payment, what is sealed), are for, in order; or why that cannot be read."""
    opened = await bank_years.unseal_all(
        connection, ring, [(sealed, place_of_transfer(payment)) for payment, sealed in rows]
    )
    return [each if isinstance(each, CannotUnseal) else read_payee(each.decode()) for each in opened]


def place_of_transfer(payment: str) -> str:
    """Where it stands whom a transfer is for."""
    return f"transfer/{payment}"


def place_of_file(batch: str) -> str:
    """Where the file of a batch stands."""
    return f"batch/{batch}"


_FREE: Final = """
    WHERE p.status IN ('instructed', 'unknown') AND p.pay_by = 'sepa' AND p.doubt IS NULL
    AND NOT EXISTS (SELECT FROM batch_transfers m WHERE m.payment = t.payment)
"""

COUNT_WAITING: Final = f"SELECT count(*)::int FROM transfers t JOIN payments p ON p.id = t.payment {_FREE}"


async def waiting(pool: Pool | Connection) -> tuple[int, int]:
    """How many transfers wait for a batch, and their cents."""
    row = await pool.fetchrow(
        f"SELECT count(*), coalesce(sum(t.amount), 0)::bigint"
        f" FROM transfers t JOIN payments p ON p.id = t.payment {_FREE}"
    )
    return row[0], row[1]


Where = Literal["nowhere", "waiting", "given", "accepted", "rejected", "settled"]


async def whereabouts(pool: Pool, payment: str) -> tuple[Where, str]:
    """What is known of a transfer from its batch and from the bank's files, with the bank's reason.

    `given` is silence: the file left, and no file of the bank says anything of this payment.
    """
    row = await pool.fetchrow(
        """
        SELECT t.payment IS NOT NULL AS queued, g.given,
               (SELECT array_agg(DISTINCT said) FROM bank_tellings WHERE payment = $1) AS said,
               (SELECT max(reason) FROM bank_tellings WHERE payment = $1 AND said = 'rejected') AS reason
        FROM (SELECT $1::uuid AS id) AS asked
        LEFT JOIN transfers t ON t.payment = asked.id
        LEFT JOIN batch_transfers m ON m.payment = asked.id
        LEFT JOIN LATERAL (SELECT true AS given FROM batch_givings WHERE batch = m.batch LIMIT 1) AS g ON true
        """,
        payment,
    )
    said: tuple[Where, ...] = ("settled", "rejected", "accepted")
    heard = next((each for each in said if each in (row["said"] or ())), None)
    if heard is not None:
        return heard, row["reason"] or ""
    return ("given" if row["given"] else "waiting" if row["queued"] else "nowhere"), ""


# --- batches

# An unknown one that waits here has not left either: its worker died between the queue and the journal.


async def make(
    pool: Pool, ring: KeyRing, id: str, execute_on: date, debtor: Account, about: str,
    render: Callable[[Batch], bytes], by: By,
) -> BatchRow | None:  # fmt: skip
    """Put what waits in a file, rendered here once; None when nothing waits.

    A payment is in one batch, until that is withdrawn: of two that are made at once, each claims what the other has
    not. Whatever goes wrong, nothing is claimed.

    Args:
        about: what payees read. render: the file's bytes.

    Raises:
        PaymentsStopped. CannotUnseal: a payee that nobody here can read.
    """
    async with pool.acquire() as connection, connection.transaction():
        await _must_go_on(connection)
        rows = await _claim(connection, id)
        if not rows:
            return None
        transfers = await _transfers(connection, ring, rows, about)
        batch = Batch(reference_of(id), by.at, execute_on, debtor, transfers)
        content = render(batch)
        digest = sha256(content)
        await connection.execute(
            "INSERT INTO batches (id, message, execute_on, made_at, made_by, number, total, digest)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            id, batch.message, execute_on, by.at, by.actor, len(transfers), batch.total, digest.digest(),
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO batch_files (batch, sealed) VALUES ($1, $2)", id,
            await bank_years.seal(connection, execute_on.year, content, place_of_file(id)), timeout=_SECONDS,
        )  # fmt: skip
        fact = BatchMade(
            batch=id, message=batch.message, execute_on=execute_on, number=len(transfers), total=batch.total,
            digest=digest.hexdigest(),
        )  # fmt: skip
        await record(connection, STREAM, [Fact(fact)], by)
        return await batch_of(connection, id)


async def _transfers(
    connection: Connection, ring: KeyRing, rows: Sequence[Mapping[str, Any]], about: str
) -> tuple[Transfer, ...]:  # fmt: skip
    """Rows of transfers as a file tells them. Raises CannotUnseal."""
    found = []
    payees = await payees_of(connection, ring, [(row["payment"], row["sealed"]) for row in rows])
    for row, payee in zip(rows, payees, strict=True):
        if isinstance(payee, CannotUnseal):
            raise payee
        found.append(Transfer(row["payment"], row["reference"], row["amount"], payee.name, payee.iban or "", about))
    return tuple(found)


async def _claim(connection: Connection, id: str) -> list[Mapping[str, Any]]:
    """The transfers that are this batch's now. Their payments stand still until it is made."""
    claimed = await connection.fetch(
        f"""
        INSERT INTO batch_transfers (payment, batch)
        SELECT t.payment, $1 FROM transfers t JOIN payments p ON p.id = t.payment {_FREE}
        ORDER BY t.payment LIMIT $2 FOR SHARE OF p
        ON CONFLICT DO NOTHING RETURNING payment
        """,
        id, MOST_TRANSFERS, timeout=_SECONDS,
    )  # fmt: skip
    rows: list[Mapping[str, Any]] = await connection.fetch(
        "SELECT payment::text, reference, amount, sealed FROM transfers WHERE payment = ANY ($1::uuid[])"
        " ORDER BY payment",
        [row["payment"] for row in claimed], timeout=_SECONDS,
    )  # fmt: skip
    return rows


async def _must_go_on(connection: Connection) -> None:
    """Raises PaymentsStopped; else whoever stops them waits for the end of this transaction."""
    await connection.execute("LOCK TABLE stops IN ROW EXCLUSIVE MODE")
    if await connection.fetchval("SELECT EXISTS (SELECT FROM stops WHERE ended IS NULL)"):
        raise PaymentsStopped


async def give_out(pool: Pool, ring: KeyRing, id: str, by: By) -> bytes:
    """The bytes of a batch, always the same. On record before anybody has them.

    Raises:
        NotFound. PaymentsStopped. Withdrawn. ClosedSince: a payment in it no longer waits for the bank. CannotUnseal:
            no key here opens it (YearGone: its time was over). Altered: these are not the bytes that were made.
    """
    async with pool.acquire() as connection, connection.transaction():
        await giving.alone(connection)
        await _must_go_on(connection)
        row = await connection.fetchrow(
            "SELECT b.digest, f.sealed, EXISTS (SELECT FROM batch_withdrawals w WHERE w.batch = b.id) AS withdrawn"
            " FROM batches b LEFT JOIN batch_files f ON f.batch = b.id WHERE b.id = $1", id,
            timeout=_SECONDS,
        )  # fmt: skip
        if row is None or row["sealed"] is None:
            raise NotFound("batch", id)
        if row["withdrawn"]:
            raise Withdrawn
        await _all_wait(connection, id)
        content = await bank_years.open_sealed(connection, ring, row["sealed"], place_of_file(id))
        if sha256(content).digest() != row["digest"]:
            raise Altered(id)
        fact = BatchGivenOut(batch=id, digest=row["digest"].hex())
        seq = await record(connection, STREAM, [Fact(fact)], by)
        await connection.execute(
            "INSERT INTO batch_givings (batch, given_at, given_by, seq) VALUES ($1, $2, $3, $4)",
            id, by.at, by.actor, seq,
        )  # fmt: skip
        return content


async def _all_wait(connection: Connection, id: str) -> None:
    """Raises ClosedSince when what became of a payment is known, or said: nothing may pay it any more."""
    closed = await connection.fetch(
        "SELECT p.id::text FROM batch_transfers m JOIN payments p ON p.id = m.payment"
        " WHERE m.batch = $1 AND p.status NOT IN ('instructed', 'accepted', 'unknown') ORDER BY p.id",
        id, timeout=_SECONDS,
    )  # fmt: skip
    if closed:
        raise ClosedSince([row["id"] for row in closed], given=await _was_given(connection, id))


async def _was_given(connection: Connection, id: str) -> bool:
    found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM batch_givings WHERE batch = $1)", id)
    return found


async def withdraw(pool: Pool, id: str, why: str, by: By) -> None:
    """Take back a batch that nobody has: its file is never given out, what still waits in it goes into another.

    Raises:
        NotFound. GivenOut. Withdrawn: it was before.
    """
    async with pool.acquire() as connection, connection.transaction():
        await giving.alone(connection)
        if (row := await batch_of(connection, id)) is None:
            raise NotFound("batch", id)
        if row.given:
            raise GivenOut
        if row.withdrawn_at is not None:
            raise Withdrawn
        seq = await record(connection, STREAM, [Fact(BatchWithdrawn(batch=id), {"why": why})], by)
        await connection.execute(
            "INSERT INTO batch_withdrawals (batch, withdrawn_at, withdrawn_by, seq) VALUES ($1, $2, $3, $4)",
            id, by.at, by.actor, seq,
        )  # fmt: skip
        await connection.execute(
            "WITH gone AS (DELETE FROM batch_transfers WHERE batch = $1 RETURNING payment, batch)"
            " INSERT INTO batch_transfers_withdrawn (payment, batch) SELECT payment, batch FROM gone",
            id, timeout=_SECONDS,
        )  # fmt: skip


class Altered(Exception):
    """The bytes kept of a batch are not those whose digest is on record."""

    def __init__(self, batch: str) -> None:
        super().__init__(f"the file of batch {batch} is not the one that was made")
        self.batch = batch


_BATCH: Final = """
    SELECT b.id::text, b.message, b.execute_on, b.made_at, b.made_by, b.number, b.total,
           encode(b.digest, 'hex') AS digest, min(g.given_at) AS given_at, count(g.seq)::int AS given,
           (SELECT w.withdrawn_at FROM batch_withdrawals w WHERE w.batch = b.id) AS withdrawn_at
    FROM batches b LEFT JOIN batch_givings g ON g.batch = b.id
"""


async def batches(pool: Pool | Connection, execute_on: date | None = None, limit: int = 100) -> list[BatchRow]:
    """The newest batches, of one day where one is given."""
    rows = await pool.fetch(
        f"{_BATCH} WHERE $1::date IS NULL OR b.execute_on = $1 GROUP BY b.id ORDER BY b.made_at DESC, b.id LIMIT $2",
        execute_on, limit,
    )  # fmt: skip
    return [BatchRow(*row) for row in rows]


async def batch_of(connection: Pool | Connection, id: str) -> BatchRow | None:
    """A batch by id."""
    row = await connection.fetchrow(f"{_BATCH} WHERE b.id = $1 GROUP BY b.id", id)
    return None if row is None else BatchRow(*row)


async def batch_with(connection: Pool | Connection, payment: str) -> BatchRow | None:
    """The batch in which a payment is."""
    id = await connection.fetchval("SELECT batch::text FROM batch_transfers WHERE payment = $1", payment)
    return None if id is None else await batch_of(connection, id)


async def withdrawn_with(connection: Pool | Connection, payment: str) -> list[BatchRow]:
    """The batches in which a payment was when they were withdrawn, the oldest first: nobody got their files."""
    rows = await connection.fetch(
        f"{_BATCH} JOIN batch_transfers_withdrawn m ON m.batch = b.id WHERE m.payment = $1"
        " GROUP BY b.id ORDER BY b.made_at, b.id",
        payment,
    )
    return [BatchRow(*row) for row in rows]


async def closed_meanwhile(pool: Pool | Connection, id: str) -> list[str]:
    """Payments of a batch that people have closed since, not the bank: its file pays them all the same."""
    rows = await pool.fetch(
        """
        SELECT p.id::text FROM batch_transfers m JOIN payments p ON p.id = m.payment
        WHERE m.batch = $1 AND p.status IN ('settled-by-hand', 'rejected', 'cancelled')
        AND NOT EXISTS (SELECT FROM bank_tellings t WHERE t.payment = p.id AND t.said = p.status) ORDER BY p.id
        """,
        id,
    )
    return [row["id"] for row in rows]
