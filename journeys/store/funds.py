"""Funds and their ledger, as lists show them, and money that comes in."""

from dataclasses import dataclass
from datetime import date, datetime

from journeys.domain.fund import Account, Move, postings
from journeys.store.database import Connection, Pool


@dataclass(frozen=True, slots=True)
class Fund:
    """A fund as a list shows it, in cents."""

    code: str
    stream: str
    cap_per_person: int | None
    available: int
    reserved: int
    paid: int
    """Justified or not."""
    justified: int
    donor: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    """When it gives, both days included; None: no bound."""
    purposes: tuple[str, ...] = ()
    """None: every purpose."""
    closed_at: datetime | None = None
    """Nothing is promised from it since; None: it is open."""

    @property
    def unjustified(self) -> int:
        """Paid, and not justified (yet)."""
        return self.paid - self.justified


async def enter_fund(connection: Connection, move: Move, fund: str, amount: int, stream: str, seq: int) -> None:
    """Write money that comes into a fund (opened, topped up) and raise its balance."""
    transaction = await connection.fetchval(
        "INSERT INTO ledger_transactions (kind, fund, amount, stream, seq) VALUES ($1, $2, $3, $4, $5) RETURNING id",
        move.value,
        fund,
        amount,
        stream,
        seq,
    )
    await _entries(connection, transaction, move, fund, None, amount)


async def funds(pool: Pool) -> list[Fund]:
    """Every fund by code, those that are closed last, with where its cents are."""
    rows = await pool.fetch(
        """
        SELECT f.code, f.stream, f.cap_per_person, f.balance AS available,
               coalesce(sum(e.cents) FILTER (WHERE e.account = 'reserved'), 0)::bigint AS reserved,
               coalesce(sum(e.cents) FILTER (WHERE e.account IN ('paid', 'justified')), 0)::bigint AS paid,
               coalesce(sum(e.cents) FILTER (WHERE e.account = 'justified'), 0)::bigint AS justified,
               f.donor, f.first_day, f.last_day, f.purposes, f.closed_at
        FROM funds f LEFT JOIN ledger_entries e ON e.fund = f.code
        GROUP BY f.code ORDER BY f.closed_at IS NOT NULL, f.code
        """
    )
    return [Fund(**{**row, "purposes": tuple(row["purposes"])}) for row in rows]


async def committed(pool: Pool | Connection, fund: str, person: str) -> int:
    """Cents reserved and paid, less returned, for a person over all journeys."""
    cents: int = await pool.fetchval(
        "SELECT coalesce(sum(cents), 0)::bigint FROM ledger_entries"
        " WHERE fund = $1 AND person = $2 AND account IN ('reserved', 'paid', 'justified')",
        fund,
        person,
    )
    return cents


async def _entries(
    connection: Connection, transaction: int, move: Move, fund: str, person: str | None, amount: int
) -> None:
    entries = postings(move, amount)
    await connection.execute(
        "INSERT INTO ledger_entries (transaction, account, fund, person, cents)"
        " SELECT $1, e.account, $2, $3, e.cents FROM unnest($4::text[], $5::bigint[]) AS e (account, cents)",
        transaction,
        fund,
        person,
        [account.value for account in entries],
        list(entries.values()),
    )
    if change := entries.get(Account.AVAILABLE, 0):
        await connection.execute("UPDATE funds SET balance = balance + $2 WHERE code = $1", fund, change)
