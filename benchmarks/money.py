"""The money append against one fund, beside a transaction that locks one row and inserts as many rows."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.bare import ROW
from benchmarks.core import Journey
from benchmarks.ground import Ground, Place
from benchmarks.measuring import Figure, Target, compared, in_turns
from journeys.contract import Append
from journeys.domain import commands as c
from journeys.domain.fund import Move, postings
from journeys.store import journal, staff
from journeys.store.directory import By
from journeys.store.treasury import open_fund

AT_ONCE = 16
EACH = 20
AMOUNT = 100_00
FUND = "parvis-solidaire"
CLAIRE = str(uuid.uuid4())

_BESIDE_EVENTS = 3
"""Rows of a reservation besides its events: the ledger's transaction, the payment, the row of the lists."""


async def measure(ground: Ground, rounds: int) -> list[Figure]:
    place = await ground.place()
    await _house(place)
    rows = _BESIDE_EVENTS + len(postings(Move.RESERVED, AMOUNT)) + len((await _approved(place)).events)

    async def bare() -> float:
        async def insert() -> None:
            for _ in range(EACH):
                async with place.pool.acquire() as connection, connection.transaction():
                    await connection.fetchrow("SELECT balance FROM funds WHERE code = $1 FOR UPDATE", FUND)
                    await connection.execute(
                        "INSERT INTO bare (batch, body) SELECT $1, each FROM unnest($2::bytea[]) AS each",
                        "", [ROW] * rows,
                    )  # fmt: skip
                    await connection.execute("UPDATE funds SET balance = balance - 0 WHERE code = $1", FUND)

        begun = time.perf_counter()
        await asyncio.gather(*(insert() for _ in range(AT_ONCE)))
        return AT_ONCE * EACH / (time.perf_counter() - begun)

    async def ours() -> float:
        ready = [[await _approved(place) for _ in range(EACH)] for _ in range(AT_ONCE)]

        async def pay(requests: Sequence[Append]) -> None:
            for request in requests:
                if not (await journal.append(place.pool, place.ring, request)).accepted:
                    raise RuntimeError(request)

        begun = time.perf_counter()
        await asyncio.gather(*(pay(requests) for requests in ready))
        return AT_ONCE * EACH / (time.perf_counter() - begun)

    turns = await in_turns(ours, bare, rounds=rounds)
    return [
        compared(
            f"reservations from one fund, 16 at a time, against locking its row and inserting {rows} rows", "a second",
            [(mine, reference) for mine, reference in turns], Target("at least", 0.5),
        )
    ]  # fmt: skip


async def _house(place: Place) -> None:
    """Somebody who approves, and a fund that never runs dry."""
    by = By(actor=CLAIRE, role="administrator", at=datetime.now(UTC))
    claire = staff.Member(
        id=CLAIRE, handle="claire", name="Claire Martin", email=None, phone=None, language="fr", roles=("supervisor",),
        sites=(), active=True, funds=(),
    )  # fmt: skip
    await staff.add(place.pool, claire, by)
    await open_fund(place.pool, str(uuid.uuid4()), FUND, cap_per_person=None, balance=10**12, by=by)


async def _approved(place: Place) -> Append:
    """A new journey whose grant is approved; the offer that reserves its payment."""
    journey, plan = Journey.begun(place.ring, programme=place.programme, calendar=place.calendar)
    asked = journey.ask(c.RequestGrant(grant="bourse", purpose="training", amount=AMOUNT), payee="Auto-école du Rhône")
    id, grant = next(iter(journey.state.grants.items()))
    approval = journey.ask(c.ApproveGrant(grant=id, digest=grant.digest), by=CLAIRE, role="supervisor")
    for request in (plan, asked, approval):
        if not (await journal.append(place.pool, place.ring, request)).accepted:
            raise RuntimeError(request)
    return journey.offer([])
