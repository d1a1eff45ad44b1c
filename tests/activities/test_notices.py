"""What a provider says later: in any order, twice, lost on the way; its journey is told once, in the right order."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from activities.fleet import Fleet
from activities.tills import Tills
from journeys.channels.bank import BankAnswer, Order, PaymentFate
from journeys.contract import Answer
from journeys.domain import notices
from journeys.domain.banking import reference_of
from journeys.domain.commands import Command
from journeys.domain.state import PaymentStatus
from journeys.issuing import send_notices
from journeys.store import bank_files, provider
from journeys.store.bank_files import CannotMatch, NotOpen
from journeys.store.provider import Notice, OtherNotice
from tests.activities.conftest import Life

PAYEE = "Auto-école du Rhône, FR76 3000 6000 0112 3456 7890 189"


class Accepting:
    """A till that accepts."""

    visible_after = timedelta(0)

    async def instruct(self, order: Order) -> BankAnswer:
        return BankAnswer(PaymentFate.ACCEPTED)

    async def enquire(self, payment_id: str) -> BankAnswer:
        return BankAnswer(PaymentFate.ACCEPTED)


async def instructed(life: Life) -> str:
    """A payment that the provider has accepted; its id."""
    life.use(tills=Tills({"http": Accepting()}))
    effect = await life.granted(PAYEE, pay_by="http")
    await life.settle(effect)
    return str(effect.details["id"])


async def hear(life: Life, payment: str, said: Any, *, amount: int = 20_000, reference: str = "") -> Notice:
    notice = Notice(str(uuid4()), reference or reference_of(payment), amount, said, None, life.now)
    assert await provider.keep(life.pool, notice, notice.event.encode()[:32])
    return notice


async def tell(life: Life, *, lost: bool = False) -> int:
    """Tell the journey; how many still wait. `lost`: the journey has it, and its answer does not arrive."""

    async def send(command: Command) -> Answer | None:
        answer = await life.give(command)
        return None if lost else answer

    return await send_notices(life.pool, life.resources.ring, send, life.now)


async def outcome(life: Life, notice: Notice) -> str | None:
    found: str | None = await life.pool.fetchval("SELECT outcome FROM provider_outcomes WHERE event = $1", notice.event)
    return found


def status(life: Life, payment: str) -> PaymentStatus:
    return life.state.payments[payment].status


async def refusals(life: Life) -> int:
    count: int = await life.pool.fetchval(
        "SELECT count(*) FROM events WHERE stream = $1 AND kind = 'CommandRefused'", life.stream
    )
    return count


async def test_a_return_that_comes_before_the_payment_waits_for_it(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told at once it would be refused, and lost: without the wait it is."""
    payment = await instructed(life)
    back = await hear(life, payment, "returned")
    assert await tell(life) == 1
    assert (status(life, payment), await outcome(life, back)) == (PaymentStatus.ACCEPTED, None)
    left = await hear(life, payment, "settled")
    assert await tell(life) == 0
    assert (await outcome(life, left), await outcome(life, back)) == ("taken", "taken")
    assert status(life, payment) is PaymentStatus.RETURNED
    assert await refusals(life) == 0

    other = await instructed(life)
    early = await hear(life, other, "returned")
    monkeypatch.setattr(notices, "turn", lambda said, status: "tell")
    await tell(life)
    assert (await outcome(life, early), status(life, other)) == ("refused", PaymentStatus.ACCEPTED)


async def test_both_come_in_one_round_and_in_the_wrong_order(life: Life) -> None:
    payment = await instructed(life)
    await hear(life, payment, "returned")
    await hear(life, payment, "settled")
    await hear(life, payment, "accepted")
    assert await tell(life) == 0
    assert status(life, payment) is PaymentStatus.RETURNED
    assert await refusals(life) == 0


async def test_before_our_own_instruction_is_on_record_everything_waits(life: Life) -> None:
    life.use(tills=Tills({"http": Accepting()}))
    effect = await life.granted(PAYEE, pay_by="http")
    payment = effect.details["id"]
    await hear(life, payment, "settled")
    assert await tell(life) == 1
    await life.settle(effect)
    assert await tell(life) == 0
    assert status(life, payment) is PaymentStatus.SETTLED


async def test_an_answer_lost_on_the_way_is_asked_for_again_and_told_once(life: Life) -> None:
    payment = await instructed(life)
    notice = await hear(life, payment, "close")
    assert await tell(life, lost=True) == 1
    seq = life.state.seq
    assert await outcome(life, notice) is None
    assert await tell(life) == 0
    assert (await outcome(life, notice), life.state.seq) == ("taken", seq)


async def test_what_is_said_twice_is_known(life: Life) -> None:
    payment = await instructed(life)
    first, second = await hear(life, payment, "settled"), await hear(life, payment, "settled")
    await tell(life)
    assert [await outcome(life, each) for each in (first, second)] == ["taken", "known"]
    assert await refusals(life) == 0


@pytest.mark.parametrize(
    ("said", "more", "comes_to"),
    [
        ("settled", {"amount": 20_001}, "wrong-amount"),
        ("settled", {"reference": "A" * 26}, "unknown-reference"),
        ("rejected", {}, "contradicted"),
    ],
)
async def test_what_a_person_must_look_at_changes_nothing(
    life: Life, said: str, more: dict[str, Any], comes_to: str
) -> None:
    payment = await instructed(life)
    await hear(life, payment, "settled")
    await tell(life)
    before = (await provider.unsettled(life.pool)).exceptions
    notice = await hear(life, payment, said, **more)
    seq = life.state.seq
    assert await tell(life) == 0
    assert (await outcome(life, notice), life.state.seq) == (comes_to, seq)
    assert (await provider.unsettled(life.pool)).exceptions == before + 1


async def test_an_event_is_kept_once_and_cannot_be_changed(life: Life) -> None:
    payment = await instructed(life)
    notice = await hear(life, payment, "accepted")
    assert not await provider.keep(life.pool, notice, notice.event.encode()[:32])
    with pytest.raises(OtherNotice):
        await provider.keep(life.pool, notice, b"x" * 32)
    async with life.pool.acquire() as connection:
        await connection.execute("RESET ROLE")
        for statement in ("UPDATE provider_notices SET amount = 1", "DELETE FROM provider_notices",
                          "TRUNCATE provider_outcomes"):  # fmt: skip
            with pytest.raises(asyncpg.PostgresError, match=r"append-only|truncate"):
                await connection.execute(statement)
        await connection.execute("SET ROLE journeys_writer")


async def test_the_round_of_the_fleet_tells_what_still_waits(life: Life) -> None:
    payment = await instructed(life)
    await hear(life, payment, "settled")
    life.use(send=life.give)
    await Fleet(life.resources).wake()
    assert status(life, payment) is PaymentStatus.SETTLED


async def test_two_who_tell_at_once_tell_once(life: Life) -> None:
    payment = await instructed(life)
    await hear(life, payment, "settled")
    one = asyncio.Lock()

    async def send(command: Command) -> Answer:
        async with one:
            return await life.give(command)

    await asyncio.gather(*(send_notices(life.pool, life.resources.ring, send, life.now) for _ in range(4)))
    assert status(life, payment) is PaymentStatus.SETTLED
    assert await refusals(life) == 0


async def test_what_contradicts_is_worked_off_with_the_lines_of_the_bank(life: Life) -> None:
    pool, ring = life.pool, life.resources.ring
    before = await bank_files.open_exceptions(pool)
    payment = await instructed(life)
    await hear(life, payment, "settled")
    wrong = await hear(life, payment, "rejected")
    short = await hear(life, payment, "settled", amount=19_999)
    lost = await hear(life, payment, "settled", reference="NOBODYKNOWSTHIS")
    await tell(life)
    mine = {each.event: each for each in (wrong, short, lost)}
    rows = {row.bank_reference: row for row in await bank_files.exceptions(pool, ring) if row.bank_reference in mine}
    assert [rows[each].trouble for each in mine] == ["contradicted", "wrong-amount", "unknown-reference"]
    assert await bank_files.open_exceptions(pool) == before + 3
    row = rows[wrong.event]
    assert (row.kind, row.payment, row.code, row.cents) == ("notice", payment, "rejected", -20_000)
    assert await bank_files.line(pool, ring, row.id) == row
    assert [each.code for each in await bank_files.lines_of(pool, ring, payment)] == ["settled", "rejected", "settled"]
    assert await bank_files.next_exception(pool, row.file, row.position) != row.id
    with pytest.raises(CannotMatch):
        await bank_files.resolve(pool, row, "match", "vu", life.by, payment)
    await bank_files.resolve(pool, row, "noted", "le prestataire s'est trompé, vu au téléphone", life.by)
    with pytest.raises(NotOpen):
        await bank_files.resolve(pool, row, "noted", "encore", life.by)
    known = await bank_files.line(pool, ring, row.id)
    assert known is not None and (known.how, known.why) == ("noted", "le prestataire s'est trompé, vu au téléphone")
    assert await bank_files.open_exceptions(pool) == before + 2
    with pytest.raises(NotOpen):
        taken = next(each for each in await bank_files.lines_of(pool, ring, payment) if each.trouble is None)
        await bank_files.resolve(pool, taken, "noted", "rien", life.by)
