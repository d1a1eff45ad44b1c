"""Funds and their ledger: rows locked before money is promised, one balanced transaction for each move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from journeys.domain.fund import (
    MOVE_OF_KIND,
    Account,
    FundState,
    Move,
    Reservation,
    after,
    postings,
    refusal,
)
from journeys.store.database import Connection, Pool
from journeys.store.offer import BadOffer


class FundRefused(Exception):
    """The fund cannot take a reservation; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Fund:
    """A fund as a list shows it, in cents."""

    code: str
    stream: str
    cap_per_person: int | None
    available: int
    reserved: int
    paid: int


@dataclass(frozen=True, slots=True)
class Locked:
    """What a money append holds: fund rows by code, and the reservations that events close, by payment."""

    funds: Mapping[str, FundState]
    reservations: Mapping[str, Reservation]


async def lock_funds(connection: Connection, moves: Sequence[Mapping[str, Any]]) -> Locked:
    """Lock every fund that the events touch, in order of code. In a transaction, before the stream's head."""
    wanted = [event["data"]["payment"] for event in moves if event["kind"] != "PaymentReserved"]
    rows = await connection.fetch(
        "SELECT payment::text, fund, person::text, amount FROM ledger_transactions"
        " WHERE kind = 'reserved' AND payment = ANY ($1::uuid[])",
        wanted,
    )
    reservations = {
        row["payment"]: Reservation(row["payment"], row["fund"], row["person"], row["amount"]) for row in rows
    }
    codes = {event["data"]["fund"] for event in moves if event["kind"] == "PaymentReserved"}
    codes |= {reservation.fund for reservation in reservations.values()}
    found = await connection.fetch(
        "SELECT code, balance, cap_per_person FROM funds WHERE code = ANY ($1::text[]) ORDER BY code FOR UPDATE",
        sorted(codes),
    )
    funds = {row["code"]: FundState(row["code"], row["balance"], row["cap_per_person"], 0) for row in found}
    return Locked(funds, reservations)


async def book(
    connection: Connection, locked: Locked, moves: Sequence[Mapping[str, Any]], *, person: str | None
) -> None:
    """Write the ledger transaction of each event, in the append's own transaction.

    Args:
        person: whose journey it is; None looks it up in the view.

    Raises:
        FundRefused: a reservation goes over a cap or names no fund; the caller rolls back.
        BadOffer: the outcome of a payment that was never reserved, or a second one.
    """
    reservations = dict(locked.reservations)
    funds = dict(locked.funds)
    for event in moves:
        move, data = MOVE_OF_KIND[event["kind"]], event["data"]
        if move is Move.RESERVED:
            owner = data.get("person") or person or await _person_of(connection, event["stream"])
            reservation = Reservation(data["payment"], data["fund"], owner, data["amount"])
            await _check(connection, funds.get(data["fund"]), reservation)
            reservations[reservation.payment] = reservation
        elif data["payment"] not in reservations:
            raise BadOffer(f"{event['stream']}/{event['seq']}: payment {data['payment']} was never reserved")
        reservation = reservations[data["payment"]]
        funds[reservation.fund] = after(funds[reservation.fund], move, reservation.amount)
        await _enter(connection, move, reservation, event)


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
    """Every fund by code, with where its cents are."""
    rows = await pool.fetch(
        """
        SELECT f.code, f.stream, f.cap_per_person, f.balance,
               coalesce(sum(e.cents) FILTER (WHERE e.account = 'reserved'), 0)::bigint AS reserved,
               coalesce(sum(e.cents) FILTER (WHERE e.account = 'paid'), 0)::bigint AS paid
        FROM funds f LEFT JOIN ledger_entries e ON e.fund = f.code
        GROUP BY f.code ORDER BY f.code
        """
    )
    return [Fund(*row) for row in rows]


async def committed(pool: Pool | Connection, fund: str, person: str) -> int:
    """Cents reserved and paid, less returned, for a person over all journeys."""
    cents: int = await pool.fetchval(
        "SELECT coalesce(sum(cents), 0)::bigint FROM ledger_entries"
        " WHERE fund = $1 AND person = $2 AND account IN ('reserved', 'paid')",
        fund,
        person,
    )
    return cents


async def _check(connection: Connection, fund: FundState | None, reservation: Reservation) -> None:
    # The person's commitments are read under the fund's lock, earlier reservations of this offer included.
    known = fund and replace(fund, committed=await committed(connection, reservation.fund, reservation.person))
    if code := refusal(known, reservation):
        raise FundRefused(code)


async def _enter(connection: Connection, move: Move, reservation: Reservation, event: Mapping[str, Any]) -> None:
    try:
        transaction = await connection.fetchval(
            "INSERT INTO ledger_transactions (kind, fund, payment, person, amount, stream, seq)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
            move.value,
            reservation.fund,
            reservation.payment,
            reservation.person,
            reservation.amount,
            event["stream"],
            event["seq"],
        )
    except asyncpg.UniqueViolationError as error:
        raise BadOffer(
            f"{event['stream']}/{event['seq']}: payment {reservation.payment} was already reserved or closed"
        ) from error
    await _entries(connection, transaction, move, reservation.fund, reservation.person, reservation.amount)


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


async def _person_of(connection: Connection, stream: str) -> str:
    person: str | None = await connection.fetchval(
        "SELECT person::text FROM journeys WHERE id = $1", stream.removeprefix("journey-")
    )
    if person is None:
        raise BadOffer(f"{stream}: nobody known to reserve for")
    return person
