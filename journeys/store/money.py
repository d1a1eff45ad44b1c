"""The money append: what an offer says of money is judged on what was locked, and stored with its events or not at all.

A reservation is looked at twice here: against the record of its grant (`gate.Story`), and against the fund whose row
is locked. Offers that wait for the same fund are stored together, so that they share one lock and one flush; each
is judged in its turn, on what those before it leave.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import asyncpg

from journeys.contract import Append
from journeys.domain import events as e
from journeys.domain.events import read_event, read_stored
from journeys.domain.fund import MOVE_OF_KIND, FundState, Move, Reservation, after, day_of, postings, refusal
from journeys.domain.gate import STORY, Colleague, Proof, Story
from journeys.domain.payments import NEVER_PAID
from journeys.domain.programme import Programme, compile_programme
from journeys.domain.record import SYSTEM
from journeys.store import receipts
from journeys.store.database import Connection, Pool
from journeys.store.giving import left_since
from journeys.store.offer import BadOffer, Offer
from journeys.store.payments import KINDS, row_of
from journeys.store.programmes import texts_of
from journeys.store.signing import KeyRing, stored_holds

MONEY_KINDS: Final = KINDS | receipts.KINDS | frozenset(MOVE_OF_KIND)
"""Events with which the append writes more than the journal."""

AT_MOST: Final = 16
"""Offers that share a lock and a flush. A refused one costs the others nothing."""

_PROGRAMMES: Final[dict[str, Programme]] = {}
"""By SHA-256: a text never changes, and a journey's is asked for at each of its payments."""


class FundRefused(Exception):
    """The gate or the fund cannot let a reservation through, or a command what it says of a payment.

    `code` says why; `command` is the id of the command that is refused, None for a reservation.
    """

    def __init__(self, code: str, command: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.command = command


@dataclass(frozen=True, slots=True)
class MoneyOffer:
    """An offer that says something of money."""

    request: Append
    offer: Offer
    story: Story | None
    """The grants of the journey as its record bears them out; None when it reserves nothing."""

    @property
    def stream(self) -> str:
        return self.request.stream

    @property
    def reserved(self) -> list[Mapping[str, Any]]:
        return [event["data"] for event in self.request.events if event["kind"] == "PaymentReserved"]

    @property
    def never_paid(self) -> list[str]:
        """Payments of which somebody says that they never left."""
        return [event["data"]["payment"] for event in self.request.events if _never_paid(event)]

    @property
    def earlier(self) -> list[str]:
        """Payments that were reserved before, and move."""
        return [
            event["data"]["payment"]
            for event in self.request.events
            if event["kind"] in MOVE_OF_KIND and event["kind"] != "PaymentReserved" and event["data"].get("payment")
        ]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a money offer: the outcome of `journal_append`, or why it was refused."""

    outcome: str
    head: int
    link: bytes
    refused: FundRefused | None = None


@dataclass(slots=True)
class Locked:
    """What a transaction holds, in cents; what is booked in it is counted at once."""

    funds: dict[str, FundState]
    """By code; `committed` is that of nobody."""
    committed: Counter[tuple[str, str]]
    """Reserved and paid, less what came back, by fund and person."""
    promised: dict[str, Reservation]
    justified: Counter[str]
    """What receipts justify, by payment."""
    staff: Mapping[str, Colleague]
    left: Set[str] = frozenset()
    """Payments in a file that the bank may have, of which no statement says anything yet."""

    def fund(self, code: str, person: str) -> FundState | None:
        """The fund as it stands for a person."""
        known = self.funds.get(code)
        return None if known is None else replace(known, committed=self.committed[code, person])

    def book(self, move: Move, reservation: Reservation, amount: int) -> None:
        """Count a move."""
        before = self.fund(reservation.fund, reservation.person)
        assert before is not None
        now = after(before, move, amount)
        self.funds[reservation.fund] = now
        self.committed[reservation.fund, reservation.person] = now.committed
        if move is Move.JUSTIFIED:
            self.justified[reservation.payment] += amount


async def money_offer(pool: Pool, request: Append, offer: Offer, ring: KeyRing) -> MoneyOffer:
    """An offer with the story that it will be judged by.

    The story is read without a lock: what is recorded never changes, and the append takes an offer only behind the
    very event that was the last one when it was made.
    """
    reserves = any(event["kind"] == "PaymentReserved" for event in request.events)
    return MoneyOffer(request, offer, await _story(pool, request, ring) if reserves else None)


async def write_money(pool: Pool, offers: Sequence[MoneyOffer]) -> list[Stored]:
    """Store offers of distinct streams in one transaction; what became of each, in order.

    Raises:
        BadOffer: the outcome of a payment that was never reserved, or a second one; nothing of any was stored.
    """
    try:
        async with pool.acquire() as connection, connection.transaction():
            # Funds before heads, always: two transactions that take both can then not wait for each other.
            locked = await _lock(connection, offers)
            verdicts = [_judged(locked, each) for each in offers]
            taken = [(each, said) for each, said in zip(offers, verdicts, strict=True) if isinstance(said, list)]
            rows = await _append(connection, taken)
            if len(taken) < len(offers) and any(row["outcome"] != "accepted" for row in rows):
                raise _Uncertain
    except _Uncertain:
        # Somebody was refused on account of an offer that was not taken after all: each for itself.
        return [(await write_money(pool, [each]))[0] for each in offers]
    except asyncpg.UniqueViolationError as error:
        raise BadOffer("a payment was already reserved or closed") from error
    written = iter(rows)
    return [
        Stored(*next(written)) if isinstance(said, list) else Stored("refused", 0, b"", said) for said in verdicts
    ]  # fmt: skip


async def _append(connection: Connection, taken: Sequence[tuple[MoneyOffer, list[dict[str, Any]]]]) -> list[Any]:
    """Each offer with what it says of money: what became of it, or nothing of both. One round trip."""
    rows: list[Any] = await connection.fetchmany(
        "SELECT outcome, head, link FROM money_append"
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        [(*each.offer.arguments(), json.dumps(said)) for each, said in taken],
    )
    return rows


class _Uncertain(Exception):
    """Roll back: a refusal stood on an offer that was not taken."""


async def _lock(connection: Connection, offers: Sequence[MoneyOffer]) -> Locked:
    """Lock every fund that the offers touch, in order of code, and read what they are judged by."""
    never_paid = [payment for each in offers for payment in each.never_paid]
    left = await left_since(connection, never_paid) if never_paid else set()
    stories = [each.story for each in offers if each.story is not None]
    held = json.loads(
        await connection.fetchval(
            "SELECT money_lock($1, $2, $3, $4)",
            sorted({data["fund"] for each in offers for data in each.reserved}),
            sorted({story.state.person for story in stories if story.state.person}),
            [payment for each in offers for payment in each.earlier],
            sorted({actor for story in stories for actor in story.approvers()}),
        )
    )
    promised = {each["payment"]: Reservation(**each) for each in held["promised"]}
    return Locked(
        {each["code"]: _fund(each) for each in held["funds"]},
        Counter({(each["fund"], each["person"]): each["cents"] for each in held["committed"]}),
        promised,
        Counter(held["justified"]),
        {id: Colleague(**row) for id, row in held["staff"].items()},
        left,
    )


def _never_paid(header: Mapping[str, Any]) -> bool:
    """Whether a person says so: a bank may call its own reasons what it likes."""
    by_somebody: bool = header["kind"] == "PaymentRejected" and header["actor"] != SYSTEM
    return by_somebody and header["data"].get("reason") == NEVER_PAID


def _judged(locked: Locked, offer: MoneyOffer) -> list[dict[str, Any]] | FundRefused:
    """What the append writes besides the journal (`money_book`'s argument), or why it is refused."""
    said: list[dict[str, Any]] = []
    # A copy: what a transaction that is rolled back has told must not be told again.
    story = offer.story.copy(locked.staff) if offer.story is not None else None
    for header in offer.request.events:
        if _never_paid(header) and header["data"]["payment"] in locked.left:
            return FundRefused("payment-at-bank", header["command"])
        about = row_of(header) if header["kind"] in KINDS else receipts.row_of(header)
        move = MOVE_OF_KIND.get(header["kind"])
        if move is not None and header["data"].get("payment"):
            try:
                reservation = _reservation(locked, header, story)
            except FundRefused as refused:
                return refused
            amount = header["data"]["amount"] if move is Move.JUSTIFIED else reservation.amount
            entries = postings(move, amount, locked.justified[reservation.payment])
            locked.book(move, reservation, amount)
            about |= {
                "move": move, "fund": reservation.fund, "payment": reservation.payment, "person": reservation.person,
                "amount": amount, "seq": header["seq"], "entries": entries,
            }  # fmt: skip
        if about:
            said.append(about)
        if story is not None and header["kind"] in STORY:
            story.add(read_event(dict(header)))
    return said


def _reservation(locked: Locked, header: Mapping[str, Any], story: Story | None) -> Reservation:
    """The reservation that an event is about; a new one only past the gate and the fund's own rules."""
    payment = header["data"]["payment"]
    if header["kind"] != "PaymentReserved":
        if payment not in locked.promised:
            raise BadOffer(f"{header['stream']}/{header['seq']}: payment {payment} was never reserved")
        return locked.promised[payment]
    event = read_event(dict(header))
    assert isinstance(event.data, e.PaymentReserved)
    assert story is not None
    asked = Reservation(payment, event.data.fund, event.data.person, event.data.amount)
    if code := story.refusal(event.data):
        raise FundRefused(code)
    purpose, on = story.state.grants[event.data.grant].purpose, day_of(event.recorded_at)
    if code := refusal(locked.fund(asked.fund, asked.person), asked, purpose=purpose, on=on):
        raise FundRefused(code)
    locked.promised[payment] = asked
    return asked


def _fund(row: Mapping[str, Any]) -> FundState:
    first, last = (date.fromisoformat(day) if (day := row[name]) else None for name in ("first_day", "last_day"))
    rest = {"first_day": first, "last_day": last, "purposes": tuple(row["purposes"])}
    return FundState(**{**row, **rest}, committed=0)


async def _story(pool: Pool, request: Append, ring: KeyRing) -> Story:
    rows = await pool.fetch(
        "SELECT kind, header FROM events WHERE stream = $1 AND seq <= $2 AND kind = ANY ($3::text[]) ORDER BY seq",
        request.stream,
        request.expected,
        list(STORY),
    )
    events = [read_stored(row["kind"], row["header"]) for row in rows]
    signed = await pool.fetch(
        "SELECT id::text, signed, signature, key, first, last FROM commands"
        " WHERE stream = $1 AND id = ANY ($2::uuid[])",
        request.stream,
        sorted({event.command for event in events if event.command is not None}),
    )
    proofs = {
        row["id"]: _proof(json.loads(row["signed"]), row["first"] or 0, row["last"] or 0)
        for row in signed
        if stored_holds(row["signed"], row["signature"], row["key"], ring)
    }
    # Their signatures were checked first of all, with those of every command of the offer.
    proofs |= {
        each.command.id: _proof(each.command.signed_content(), each.answer.first, each.answer.last)
        for each in request.answered
    }
    named = [event.data.programme for event in events if isinstance(event.data, e.JourneyPlanned | e.ProgrammeChanged)]
    return Story.of(events, proofs, await _programmes(pool, named))


def _proof(signed: Mapping[str, Any], first: int, last: int) -> Proof:
    return Proof(
        signed["name"], signed["actor"], tuple(signed["roles"]), signed["fields"], signed["commitments"], first, last
    )


async def _programmes(pool: Pool, hashes: Sequence[str]) -> Mapping[str, Programme]:
    if lacking := [each for each in hashes if each not in _PROGRAMMES]:
        for hash_, text in (await texts_of(pool, lacking)).items():
            _PROGRAMMES[hash_] = compile_programme(text)
    return _PROGRAMMES
