"""Funds and their ledger: rows locked before money is promised, one balanced transaction for each move."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from journeys.contract import Append
from journeys.domain import events as e
from journeys.domain.events import read_event
from journeys.domain.fund import (
    MOVE_OF_KIND,
    Account,
    FundState,
    Move,
    Reservation,
    after,
    day_of,
    postings,
    refusal,
)
from journeys.domain.gate import STORY, Colleague, Proof, Story
from journeys.domain.programme import Programme, compile_programme
from journeys.store import receipts
from journeys.store.database import Connection, Pool
from journeys.store.offer import BadOffer
from journeys.store.payments import KINDS, row_of
from journeys.store.programmes import texts_of
from journeys.store.signing import KeyRing, stored_holds

MONEY_KINDS: Final = KINDS | receipts.KINDS | frozenset(MOVE_OF_KIND)
"""Events with which the append writes more than the journal."""

_PROGRAMMES: Final[dict[str, Programme]] = {}
"""By SHA-256: a text never changes, and a journey's is asked for at each of its payments."""


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
    """Justified or not."""
    justified: int
    donor: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    """When it gives, both days included; None: no bound."""
    purposes: tuple[str, ...] = ()
    """None: every purpose."""

    @property
    def unjustified(self) -> int:
        """Paid, and not justified (yet)."""
        return self.paid - self.justified


@dataclass(frozen=True, slots=True)
class Locked:
    """What a money append holds: funds by code, what was promised before by payment, and the story of the grants."""

    funds: Mapping[str, FundState]
    promised: Mapping[str, Reservation]
    justified: Mapping[str, int]
    """Cents of each payment that receipts justify."""
    story: Story | None = None
    """None where nothing is reserved."""


async def lock(connection: Connection, request: Append, ring: KeyRing) -> Locked:
    """Lock every fund that the events touch, in order of code, and read what they are judged by.

    In a transaction, before the stream's head: two appends that take both can then not wait for each other.
    """
    moves = [event for event in request.events if event["kind"] in MOVE_OF_KIND]
    reserved = [event["data"] for event in moves if event["kind"] == "PaymentReserved"]
    found = await connection.fetchval(
        "SELECT money_lock($1, $2, $3, $4)",
        request.stream,
        sorted({data["fund"] for data in reserved}),
        [event["data"]["payment"] for event in moves if event["data"].get("payment")],
        [data["grant"] for data in reserved],
    )
    held = json.loads(found)
    return Locked(
        {each["code"]: _fund(each) for each in held["funds"]},
        {each["payment"]: Reservation(**each) for each in held["promised"]},
        held["justified"],
        await _story(connection, request, held, ring) if reserved else None,
    )


def judged(locked: Locked, request: Append) -> list[dict[str, Any]]:
    """What the append writes besides the journal: `money_book`'s argument, event by event.

    Raises:
        FundRefused: the gate or the fund refuses a reservation; nothing may be written.
        BadOffer: the outcome of a payment that was never reserved.
    """
    funds, promised = dict(locked.funds), dict(locked.promised)
    said: list[dict[str, Any]] = []
    for header in request.events:
        about = row_of(header) if header["kind"] in KINDS else receipts.row_of(header)
        if (move := MOVE_OF_KIND.get(header["kind"])) is not None and header["data"].get("payment"):
            reservation = _reservation(locked, header, funds, promised)
            amount = header["data"]["amount"] if move is Move.JUSTIFIED else reservation.amount
            entries = postings(move, amount, locked.justified.get(reservation.payment, 0))
            funds[reservation.fund] = after(funds[reservation.fund], move, amount)
            about |= {
                "move": move, "fund": reservation.fund, "payment": reservation.payment, "person": reservation.person,
                "amount": amount, "seq": header["seq"], "entries": entries,
            }  # fmt: skip
        if about:
            said.append(about)
        if locked.story is not None and _told_by(header["kind"]):
            locked.story.add(read_event(dict(header)))
    return said


def _reservation(
    locked: Locked, header: Mapping[str, Any], funds: Mapping[str, FundState], promised: dict[str, Reservation]
) -> Reservation:
    """The reservation that an event is about; a new one only past the gate and the fund's own rules."""
    payment = header["data"]["payment"]
    if header["kind"] != "PaymentReserved":
        if payment not in promised:
            raise BadOffer(f"{header['stream']}/{header['seq']}: payment {payment} was never reserved")
        return promised[payment]
    event = read_event(dict(header))
    assert isinstance(event.data, e.PaymentReserved)
    assert locked.story is not None
    asked = Reservation(payment, event.data.fund, event.data.person, event.data.amount)
    if code := locked.story.refusal(event.data):
        raise FundRefused(code)
    purpose, on = locked.story.state.grants[event.data.grant].purpose, day_of(event.recorded_at)
    if code := refusal(funds.get(asked.fund), asked, purpose=purpose, on=on):
        raise FundRefused(code)
    promised[payment] = asked
    return asked


def _fund(row: Mapping[str, Any]) -> FundState:
    first, last = (date.fromisoformat(day) if (day := row[name]) else None for name in ("first_day", "last_day"))
    return FundState(**{**row, "first_day": first, "last_day": last, "purposes": tuple(row["purposes"])})


def _told_by(kind: str) -> bool:
    """Whether a fact is a part of the story of a journey's grants (`money_lock` reads the same kinds)."""
    return kind in STORY or kind.startswith(("Grant", "Payment"))


async def _story(connection: Connection, request: Append, held: Mapping[str, Any], ring: KeyRing) -> Story:
    events = [read_event(json.loads(each["header"])) for each in held["story"]]
    proofs = {
        id: _proof(json.loads(row["signed"]), row["first"] or 0, row["last"] or 0)
        for id, row in held["commands"].items()
        if stored_holds(row["signed"].encode(), row["signature"], row["key"], ring)
    }
    # Their signatures were checked first of all, with those of every command of the offer.
    proofs |= {
        each.command.id: _proof(each.command.signed_content(), each.answer.first, each.answer.last)
        for each in request.answered
    }
    named = [event.data.programme for event in events if isinstance(event.data, e.JourneyPlanned | e.ProgrammeChanged)]
    staff = {id: Colleague(**row) for id, row in held["staff"].items()}
    return Story.of(events, proofs, staff, await _programmes(connection, named))


def _proof(signed: Mapping[str, Any], first: int, last: int) -> Proof:
    return Proof(
        signed["name"], signed["actor"], tuple(signed["roles"]), signed["fields"], signed["commitments"], first, last
    )


async def _programmes(connection: Connection, hashes: Sequence[str]) -> Mapping[str, Programme]:
    if lacking := [each for each in hashes if each not in _PROGRAMMES]:
        for hash_, text in (await texts_of(connection, lacking)).items():
            _PROGRAMMES[hash_] = compile_programme(text)
    return _PROGRAMMES


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
        SELECT f.code, f.stream, f.cap_per_person, f.balance AS available,
               coalesce(sum(e.cents) FILTER (WHERE e.account = 'reserved'), 0)::bigint AS reserved,
               coalesce(sum(e.cents) FILTER (WHERE e.account IN ('paid', 'justified')), 0)::bigint AS paid,
               coalesce(sum(e.cents) FILTER (WHERE e.account = 'justified'), 0)::bigint AS justified,
               f.donor, f.first_day, f.last_day, f.purposes
        FROM funds f LEFT JOIN ledger_entries e ON e.fund = f.code
        GROUP BY f.code ORDER BY f.code
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
