"""Batches and what the bank sends: claimed once, rendered once, imported whole or not at all, each line once."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from journeys.domain.banking import Account, Batch, FileRefused, Line, Report, StatementHead, reference_of
from journeys.domain.notices import ORDER
from journeys.domain.payee import Payee
from journeys.identifiers import uuid7
from journeys.store import bank_files, batches, staff
from journeys.store.bank_files import CannotMatch, Imported, Incoming, NotOpen
from journeys.store.batches import BatchRow, ClosedSince, GivenOut, OtherTransfer, PaymentsStopped, Withdrawn
from journeys.store.database import open_pool
from journeys.store.directory import By
from journeys.store.journal import read_all
from journeys.store.sealing import CannotUnseal, seal, unseal
from journeys.store.signing import KeyRing
from journeys.store.staff import Member
from journeys.store.treasury import open_fund, stop

from .conftest import Server
from .samples import ACTOR, NOW

pytestmark = pytest.mark.asyncio
BY = By(actor=ACTOR, role="finance", at=NOW)
DAY = date(2027, 5, 12)
OURS = Account("Association Exemple", "FR7630006000011234567890189")
PAYEE = Payee("Lina Martin", "FR1420041010050500013M02606")


def written(batch: Batch) -> bytes:
    """Stands for the file: a test of the store needs no ISO 20022."""
    return "\n".join(
        [batch.message, *(f"{each.reference} {each.amount} {each.iban}" for each in batch.transfers)]
    ).encode()


@dataclass
class Bank:
    """What the tests do, on one database."""

    pool: Any
    ring: KeyRing
    numbers: Iterable[int] = field(default_factory=lambda: count(1))

    async def payment(self, amount: int = 50_00, status: str = "instructed", *, queued: bool = True) -> str:
        id = str(uuid4())
        await self.pool.execute(
            "INSERT INTO payments (id, stream, seq, grant_id, number, fund, person, amount, pay_by, reference, status,"
            " since, moved) VALUES ($1, $2, 1, $3, 1, 'aid', $4, $5, 'sepa', $6, $7, $8, 1)",
            id, f"journey-{uuid4()}", str(uuid4()), str(uuid4()), amount, reference_of(id), status, NOW,
        )  # fmt: skip
        if queued:
            await batches.queue(self.pool, self.ring, id, amount, PAYEE)
        return id

    async def make(self, on: date = DAY) -> BatchRow | None:
        return await batches.make(self.pool, self.ring, uuid7(datetime.now(UTC)), on, OURS, "Versement", written, BY)

    async def given(self, *amounts: int) -> tuple[list[str], BatchRow]:
        """Payments of these amounts in a file that was given out."""
        made = [await self.payment(amount) for amount in amounts]
        batch = await self.make()
        assert batch is not None
        await batches.give_out(self.pool, self.ring, batch.id, BY)
        return made, batch

    async def take(self, *pieces: StatementHead | Line | Report, name: str | None = None) -> Imported:
        digest = sha256((name or f"file {next(iter(self.numbers))}").encode()).hexdigest()
        return await bank_files.take_in(self.pool, self.ring, Incoming(digest, pieces), OURS.iban, BY)

    async def rows(self, table: str) -> int:
        found: int = await self.pool.fetchval(f"SELECT count(*) FROM {table}")
        return found

    async def said(self, payment: str) -> list[str]:
        rows = await self.pool.fetch(
            "SELECT said FROM bank_tellings JOIN bank_files ON digest = file WHERE payment = $1"
            " ORDER BY seq, position, array_position($2::text[], said)",
            payment, list(ORDER),
        )  # fmt: skip
        return [row["said"] for row in rows]

    async def troubles(self) -> list[str | None]:
        return [row.trouble for row in await bank_files.exceptions(self.pool, self.ring)]


@pytest.fixture
def bank(pool: Any, ring: KeyRing) -> Bank:
    return Bank(pool, ring)


HEAD = StatementHead("2027-05-12", "camt.053", OURS.iban, "EUR", 1_000_00, 900_00, DAY, DAY, NOW)
ADVICE = replace(HEAD, kind="camt.054", opening=None, closing=None)


def out(payment: str | None, cents: int = 50_00, *, bank_reference: str | None = None, **more: Any) -> Line:
    plain = Line(
        position=1, booked_on=DAY, cents=-cents, currency="EUR",
        reference=reference_of(payment) if payment is not None else None, iban=PAYEE.iban, name=PAYEE.name,
        bank_reference=bank_reference or f"B{uuid4().hex[:12]}", returned=False, reason=None, about="Versement",
    )  # fmt: skip
    return replace(plain, **more)


def back(payment: str, cents: int = 50_00) -> Line:
    return replace(out(payment), cents=cents, returned=True, reason="AC04")


def answer(batch: BatchRow, said: Any, payment: str | None = None, reason: str | None = None) -> Report:
    level = "transfer" if payment is not None else "file"
    return Report(1, level, batch.message, batch.message, reference_of(payment) if payment else None, said,  # type: ignore[arg-type]
                  "RJCT" if said == "rejected" else "ACCP", reason, "")  # fmt: skip


# --- batches


async def test_a_batch_claims_what_waits_and_is_the_same_bytes_for_ever(bank: Bank) -> None:
    one, two = await bank.payment(50_00), await bank.payment(30_00, "unknown")
    await bank.payment(10_00, "settled-by-hand")
    await bank.payment(10_00, "reserved")
    await bank.payment(10_00, queued=False)
    assert await batches.waiting(bank.pool) == (2, 80_00)
    made = await bank.make()
    assert made is not None and (made.number, made.total, made.given) == (2, 80_00, 0)
    assert await bank.make() is None, "a payment is in one batch"
    first = await batches.give_out(bank.pool, bank.ring, made.id, BY)
    again = await batches.give_out(bank.pool, bank.ring, made.id, BY)
    assert first == again and sha256(first).hexdigest() == made.digest
    assert all(reference_of(each) in first.decode() for each in (one, two))
    told = await batches.batch_of(bank.pool, made.id)
    assert told is not None and told.given == 2 and told.message == made.message
    facts = [event.kind for event in await read_all(bank.pool, "system")]
    assert facts == ["BatchMade", "BatchGivenOut", "BatchGivenOut"]
    later = await bank.payment()
    second = await bank.make()
    assert second is not None and second.number == 1 and second.message != made.message
    assert (await batches.batch_with(bank.pool, later)) == second


async def test_what_people_closed_since_is_named_before_its_file_pays_it_once_more(bank: Bank) -> None:
    made, batch = await bank.given(50_00, 40_00, 30_00, 20_00)
    await bank.take(answer(batch, "rejected", made[3]))
    for payment, status in zip(made, ("settled-by-hand", "cancelled", "instructed", "rejected"), strict=True):
        await bank.pool.execute("UPDATE payments SET status = $2 WHERE id = $1", payment, status)
    assert await batches.closed_meanwhile(bank.pool, batch.id) == sorted(made[:2])


@pytest.mark.parametrize("status", ["settled-by-hand", "rejected", "cancelled", "returned", "settled"])
async def test_a_file_is_not_given_out_while_a_payment_in_it_is_closed(bank: Bank, status: str) -> None:
    one, two = await bank.payment(50_00), await bank.payment(30_00)
    first = await bank.make()
    assert first is not None
    await bank.pool.execute("UPDATE payments SET status = $2 WHERE id = $1", one, status)
    with pytest.raises(ClosedSince) as refused:
        await batches.give_out(bank.pool, bank.ring, first.id, BY)
    assert (refused.value.payments, refused.value.given) == ((one,), False)
    await batches.withdraw(bank.pool, first.id, "réglé autrement", BY)
    assert await batches.waiting(bank.pool) == (1, 30_00)
    second = await bank.make()
    assert second is not None and (second.number, second.total) == (1, 30_00) and second.message != first.message
    content = (await batches.give_out(bank.pool, bank.ring, second.id, BY)).decode()
    assert reference_of(two) in content and reference_of(one) not in content
    with pytest.raises(Withdrawn):
        await batches.give_out(bank.pool, bank.ring, first.id, BY)
    facts = [event.kind for event in await read_all(bank.pool, "system")]
    assert facts == ["BatchMade", "BatchWithdrawn", "BatchMade", "BatchGivenOut"]
    assert await bank.rows("batch_transfers_withdrawn") == 2 and await bank.rows("batch_givings") == 1


async def test_without_the_look_the_file_would_pay_it_once_more(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: Any) -> None: ...

    monkeypatch.setattr(batches, "_all_wait", nothing)
    one = await bank.payment(50_00)
    made = await bank.make()
    assert made is not None
    await bank.pool.execute("UPDATE payments SET status = 'rejected' WHERE id = $1", one)
    assert reference_of(one) in (await batches.give_out(bank.pool, bank.ring, made.id, BY)).decode()


async def test_what_was_given_out_once_is_not_given_again_when_a_payment_is_closed(bank: Bank) -> None:
    (one, _), batch = await bank.given(50_00, 30_00)
    await batches.give_out(bank.pool, bank.ring, batch.id, BY)
    await bank.pool.execute("UPDATE payments SET status = 'rejected' WHERE id = $1", one)
    with pytest.raises(ClosedSince) as refused:
        await batches.give_out(bank.pool, bank.ring, batch.id, BY)
    assert refused.value.given
    with pytest.raises(GivenOut):
        await batches.withdraw(bank.pool, batch.id, "trop tard", BY)
    assert await batches.waiting(bank.pool) == (0, 0)


async def test_a_batch_is_withdrawn_once_and_whole(bank: Bank, owner: Any) -> None:
    await bank.payment()
    made = await bank.make()
    assert made is not None
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute("DELETE FROM batch_transfers")
    done = await asyncio.gather(
        *(batches.withdraw(bank.pool, made.id, "doublon", BY) for _ in range(3)),
        batches.give_out(bank.pool, bank.ring, made.id, BY), return_exceptions=True,
    )  # fmt: skip
    assert sorted(type(each).__name__ for each in done) in (
        ["NoneType", "Withdrawn", "Withdrawn", "Withdrawn"], ["GivenOut", "GivenOut", "GivenOut", "bytes"],
    )  # fmt: skip


async def test_names_and_accounts_stand_nowhere_in_the_clear(bank: Bank, owner: Any) -> None:
    (payment,), _ = await bank.given(50_00)
    await bank.take(HEAD, out(payment, about="pour Lina"))
    tables = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for table in (row["tablename"] for row in tables):
        for row in await owner.fetch(f"SELECT * FROM {table}"):
            said = " ".join(bytes(v).decode(errors="replace") if isinstance(v, bytes) else str(v) for v in row.values())
            assert str(PAYEE.iban) not in said and "Lina" not in said, table


async def test_what_is_sealed_opens_with_its_key_in_its_place_only() -> None:
    ring, other = KeyRing("k1", {"k1": b"1" * 32}), KeyRing("k2", {"k2": b"2" * 32})
    sealed = seal(ring, b"secret", "batch/1")
    assert unseal(ring, sealed, "batch/1") == b"secret" and b"secret" not in sealed
    assert unseal(KeyRing("k2", {**other.keys, **ring.keys}), sealed, "batch/1") == b"secret"
    for wrong in ((other, sealed, "batch/1"), (ring, sealed, "batch/2"), (ring, sealed[:-1] + b"x", "batch/1")):
        with pytest.raises(CannotUnseal):
            unseal(*wrong)


async def test_a_transfer_is_queued_once_with_one_content(bank: Bank) -> None:
    id = await bank.payment()
    await batches.queue(bank.pool, bank.ring, id, 50_00, PAYEE)
    for amount, payee in ((51_00, PAYEE), (50_00, replace(PAYEE, iban="DE89370400440532013000"))):
        with pytest.raises(OtherTransfer):
            await batches.queue(bank.pool, bank.ring, id, amount, payee)
    assert await bank.rows("transfers") == 1


async def test_nothing_is_made_or_given_while_payments_are_stopped(bank: Bank) -> None:
    await open_fund(bank.pool, str(uuid4()), "aid", cap_per_person=None, balance=1, by=BY)
    await bank.payment()
    made = await bank.make()
    assert made is not None
    await bank.payment()
    await stop(bank.pool, "audit", BY)
    with pytest.raises(PaymentsStopped):
        await bank.make()
    with pytest.raises(PaymentsStopped):
        await batches.give_out(bank.pool, bank.ring, made.id, BY)
    assert await bank.rows("batches") == await bank.rows("batch_transfers") == 1


async def test_what_cannot_be_rendered_claims_nothing(bank: Bank) -> None:
    await bank.payment()

    def broken(_: Batch) -> bytes:
        raise ValueError("no bank takes this")

    with pytest.raises(ValueError, match="no bank"):
        await batches.make(bank.pool, bank.ring, str(uuid4()), DAY, OURS, "", broken, BY)
    assert await bank.rows("batches") == await bank.rows("batch_transfers") == 0
    assert await batches.waiting(bank.pool) == (1, 50_00)


async def memberships(bank: Bank) -> list[int]:
    """How many batches each payment is in, after four made at once."""
    for _ in range(40):
        await bank.payment()
    await asyncio.gather(*(bank.make() for _ in range(4)))
    rows = await bank.pool.fetch("SELECT count(*) FROM batch_transfers GROUP BY payment")
    return sorted({row["count"] for row in rows})


async def test_batches_made_at_once_share_no_payment(bank: Bank) -> None:
    assert await memberships(bank) == [1]
    assert await batches.waiting(bank.pool) == (0, 0)


async def test_without_the_constraint_they_would(bank: Bank, owner: Any) -> None:
    await owner.execute("ALTER TABLE batch_transfers DROP CONSTRAINT batched_once")
    assert await memberships(bank) != [1]


# --- what comes back


async def test_a_statement_settles_what_it_shows(bank: Bank) -> None:
    (one, two, three), batch = await bank.given(50_00, 30_00, 20_00)
    found = await bank.take(HEAD, out(one), out(two, 30_00))
    assert (found.lines, found.fresh, found.troubled, found.known) == (2, 2, 0, False)
    assert [await bank.said(each) for each in (one, two, three)] == [["settled"], ["settled"], []]
    assert (await batches.whereabouts(bank.pool, one))[0] == "settled"
    assert (await batches.whereabouts(bank.pool, three))[0] == "given"
    assert [event.kind for event in await read_all(bank.pool, "system")][-1] == "BankFileImported"
    assert batch.given_at is None, "as it was when it was made"


async def test_the_same_file_again_changes_nothing(bank: Bank) -> None:
    (one,), _ = await bank.given(50_00)
    first = await bank.take(HEAD, out(one), name="may")
    again = await bank.take(HEAD, out(None), out(None), name="may")
    assert again == replace(first, known=True)
    assert await bank.rows("bank_lines") == 1


@pytest.mark.parametrize("bare", ["neither", "first", "second", "both"])
async def test_a_line_of_a_notice_is_known_again_in_the_statement(bank: Bank, bare: str) -> None:
    (one, two), _ = await bank.given(50_00, 30_00)
    line = out(one, bank_reference="B1")
    bared = replace(line, bank_reference=None)
    await bank.take(ADVICE, bared if bare in ("first", "both") else line)
    later = await bank.take(HEAD, bared if bare in ("second", "both") else line, out(two, 30_00))
    assert (later.lines, later.fresh, later.troubled) == (2, 1, 0)
    assert await bank.said(one) == ["settled"]


async def test_a_reference_that_a_bank_uses_again_another_day_hides_nothing(bank: Bank) -> None:
    fee = out(None, 12_50, bank_reference="1")
    await bank.take(HEAD, fee)
    assert (await bank.take(HEAD, replace(fee, booked_on=date(2027, 6, 14)))).fresh == 1
    assert (await bank.take(ADVICE, fee)).fresh == 0


async def test_equal_lines_of_one_statement_are_two(bank: Bank) -> None:
    (one,), _ = await bank.given(50_00)
    twice = await bank.take(HEAD, *[replace(out(one), bank_reference=None)] * 2)
    assert (twice.fresh, twice.troubled) == (2, 1) and await bank.troubles() == ["doubled"]
    again = await bank.take(HEAD, *[replace(out(one), bank_reference=None)] * 2)
    assert again.fresh == 0 and await bank.said(one) == ["settled"]


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"cents": -50_01}, "wrong-amount"),
        ({"cents": 50_00}, "unexpected-money"),
        ({"iban": "DE89370400440532013000"}, "wrong-iban"),
        ({"reference": "NOBODYKNOWSTHIS"}, "unknown-reference"),
        ({"reference": None}, "unknown-reference"),
        ({"reference": None, "cents": 12_00}, "unexpected-money"),
        ({"reference": None, "batch": "M1"}, "unsplit"),
    ],
)
async def test_a_line_that_fits_nothing_waits_for_a_person(bank: Bank, change: dict[str, Any], trouble: str) -> None:
    (one,), _ = await bank.given(50_00)
    found = await bank.take(HEAD, replace(out(one), **change))
    assert found.troubled == 1 and await bank.troubles() == [trouble] and await bank.said(one) == []


async def test_what_the_bank_takes_for_itself_is_in_order_unless_it_names_a_payment(bank: Bank) -> None:
    (one,), _ = await bank.given(50_00)
    fee = out(None, 3_20, fee="CHRG", about="FRAIS DE TENUE")
    found = await bank.take(HEAD, fee, replace(fee, bank_reference="B", batch="M1"), out(one, 49_99, fee="CHRG"))
    assert (found.troubled, found.fees) == (1, 2) and await bank.troubles() == ["wrong-amount"]
    rows = await bank_files.fees(bank.pool, bank.ring)
    assert [(row.cents, row.code, row.about) for row in rows] == [(-3_20, "CHRG", "FRAIS DE TENUE")] * 2
    known = await bank_files.imported(bank.pool, rows[0].file)
    assert known == replace(found, known=True)
    with pytest.raises(NotOpen):
        await bank_files.resolve(bank.pool, rows[0], "fee", "frais", BY)


async def test_what_the_bank_does_not_call_a_charge_is_closed_as_one(bank: Bank) -> None:
    await bank.take(HEAD, out(None, 3_20), replace(out(None), cents=5_00))
    debit, credit = await bank_files.exceptions(bank.pool, bank.ring)
    await bank_files.resolve(bank.pool, debit, "fee", "frais de tenue de compte", BY)
    with pytest.raises(CannotMatch, match="no-debit"):
        await bank_files.resolve(bank.pool, credit, "fee", "frais", BY)
    await bank_files.resolve(bank.pool, credit, "noted", "intérêts", BY)
    assert await bank.troubles() == []


async def test_a_debit_after_a_debit_is_doubled(bank: Bank) -> None:
    (one,), _ = await bank.given(50_00)
    await bank.take(HEAD, out(one))
    await bank.take(HEAD, out(one))
    assert await bank.troubles() == ["doubled"] and await bank.said(one) == ["settled"]


async def test_money_that_was_never_sent_out_is_told(bank: Bank) -> None:
    one = await bank.payment()
    await bank.make()
    await bank.take(HEAD, out(one))
    assert await bank.troubles() == ["never-sent"]


async def test_what_comes_back_left_before(bank: Bank) -> None:
    (one, two), _ = await bank.given(50_00, 30_00)
    await bank.take(ADVICE, back(one))
    assert await bank.said(one) == ["settled", "returned"]
    await bank.take(HEAD, out(two, 30_00), back(two, 30_00))
    assert await bank.said(two) == ["settled", "returned"]
    await bank.take(HEAD, out(one))
    assert await bank.troubles() == [] and await bank.said(one) == ["settled", "returned"], "the late debit agrees"


async def test_answers_reach_a_file_a_block_or_one_transfer(bank: Bank) -> None:
    (one, two), batch = await bank.given(50_00, 30_00)
    await bank.take(answer(batch, "accepted"))
    assert [await bank.said(each) for each in (one, two)] == [["accepted"], ["accepted"]]
    assert (await batches.whereabouts(bank.pool, two))[0] == "accepted"
    await bank.take(answer(batch, "rejected", one, "AC01"))
    assert await bank.said(one) == ["accepted", "rejected"]
    assert await batches.whereabouts(bank.pool, one) == ("rejected", "AC01")
    await bank.take(HEAD, out(one))
    assert await bank.troubles() == ["contradicted"]
    other, _ = await bank.given(10_00)
    unknown = replace(answer(batch, "rejected"), message="NOTOURS")
    await bank.take(unknown)
    assert await bank.troubles() == ["contradicted", "unknown-reference"] and await bank.said(other[0]) == []


async def test_a_rejected_file_rejects_each_of_it_once(bank: Bank) -> None:
    (one, two), batch = await bank.given(50_00, 30_00)
    await bank.take(answer(batch, "rejected", reason="AM04"), answer(batch, "rejected", one, "AM04"))
    assert [await bank.said(each) for each in (one, two)] == [["rejected"], ["rejected"]]


@pytest.mark.parametrize("said", ["close", "no-match", "unchecked"])
async def test_a_doubt_about_the_name_is_told(bank: Bank, said: str) -> None:
    (one,), batch = await bank.given(50_00)
    await bank.take(answer(batch, said, one))
    assert await bank.said(one) == [said]


async def test_nothing_of_a_file_that_breaks_off_is_kept(bank: Bank) -> None:
    (one,), _ = await bank.given(50_00)

    class Broken(Sequence[Any]):
        def __len__(self) -> int:
            return 0

        def __getitem__(self, nth: Any) -> Any:
            raise IndexError

        def __iter__(self) -> Any:
            yield HEAD
            for _ in range(bank_files._AT_ONCE):
                yield out(None)
            yield out(one)
            raise FileRefused("truncated", 812)

    with pytest.raises(FileRefused):
        await bank_files.take_in(bank.pool, bank.ring, Incoming("ab" * 32, Broken()), OURS.iban, BY)
    with pytest.raises(FileRefused, match="other-account"):
        await bank.take(HEAD, out(one), replace(HEAD, iban="DE89370400440532013000"), out(None))
    for table in ("bank_files", "bank_statements", "bank_lines", "bank_texts", "bank_tellings"):
        assert await bank.rows(table) == 0, table
    assert [event.kind for event in await read_all(bank.pool, "system")] == ["BatchMade", "BatchGivenOut"]


async def test_the_same_lines_at_once_are_kept_once(bank: Bank) -> None:
    made, _ = await bank.given(*[50_00] * 20)
    lines = [out(each) for each in made]
    found = await asyncio.gather(*(bank.take(HEAD, *lines) for _ in range(4)))
    assert sorted(each.fresh for each in found) == [0, 0, 0, 20]
    assert await bank.troubles() == []


# --- exceptions


async def test_a_person_resolves_a_line_once(bank: Bank) -> None:
    (one,), _ = await bank.given(50_00)
    await bank.take(HEAD, out(None), replace(out(one), reference="TYPEDBYHAND"), out(None, 3_00))
    first, second, third = await bank_files.exceptions(bank.pool, bank.ring)
    assert (second.name, second.iban, second.about) == (PAYEE.name, PAYEE.iban, "Versement")
    await bank_files.resolve(bank.pool, first, "not-ours", "frais de tenue de compte", BY)
    with pytest.raises(NotOpen):
        await bank_files.resolve(bank.pool, first, "refund", "encore", BY)
    with pytest.raises(bank_files.CannotMatch, match="amount"):
        await bank_files.resolve(bank.pool, third, "match", "le même", BY, one)
    await bank_files.resolve(bank.pool, second, "match", "référence recopiée", BY, one)
    assert await bank.said(one) == ["settled"]
    assert [row.id for row in await bank_files.exceptions(bank.pool, bank.ring)] == [third.id]
    assert await bank_files.open_exceptions(bank.pool) == 1
    done = {row.id: row for row in await bank_files.exceptions(bank.pool, bank.ring, resolved=True)}
    assert (done[first.id].how, done[first.id].why) == ("not-ours", "frais de tenue de compte")
    assert done[second.id].matched == one and done[second.id].resolved_by == ACTOR
    assert [row.id for row in await bank_files.lines_of(bank.pool, bank.ring, one)] == [second.id]
    found = await bank_files.line(bank.pool, bank.ring, first.id)
    assert found is not None and found.how == "not-ours"
    for wrong in ("", "/", f"{first.id}0", "zz/1", first.file, "/1", f"{first.file}/x"):
        assert await bank_files.line(bank.pool, bank.ring, wrong) is None, wrong
    await bank.take(HEAD, out(one))
    assert [row.trouble for row in await bank_files.exceptions(bank.pool, bank.ring)][-1] == "doubled"


async def test_a_batch_booked_as_one_sum_is_matched_as_a_whole(bank: Bank) -> None:
    (one, two, three), batch = await bank.given(50_00, 30_00, 20_00)
    other = (await bank.given(10_00))[1]
    await bank.take(answer(batch, "rejected", three, "AC01"))
    await bank.take(HEAD, out(None, 100_00, batch=batch.message), out(None, 80_00, batch=batch.message, iban=None))
    whole, rest = await bank_files.exceptions(bank.pool, bank.ring)
    for row, id, code in ((whole, batch.id, "amount"), (rest, other.id, "other-batch")):
        with pytest.raises(bank_files.CannotMatch, match=code):
            await bank_files.resolve(bank.pool, row, "match", "le lot", BY, batch=id)
    await bank_files.resolve(bank.pool, rest, "match", "le lot, sans le rejet", BY, batch=batch.id)
    assert [await bank.said(each) for each in (one, two, three)] == [["settled"], ["settled"], ["rejected"]]
    assert [row.matched for row in await bank_files.lines_of(bank.pool, bank.ring, one)] == [batch.message]
    await bank.take(HEAD, out(one))
    assert (await bank.troubles())[-1] == "doubled", "the sum held it already"


async def test_what_is_in_order_is_not_resolved(bank: Bank) -> None:
    (one,), _ = await bank.given(50_00)
    await bank.take(HEAD, out(one))
    [row] = await bank_files.lines_of(bank.pool, bank.ring, one)
    with pytest.raises(NotOpen):
        await bank_files.resolve(bank.pool, row, "not-ours", "pourquoi", BY)


async def test_what_a_journey_refuses_waits_for_a_person(bank: Bank) -> None:
    (one, two), _ = await bank.given(50_00, 30_00)
    await bank.take(HEAD, out(one), out(two, 30_00))
    first, second = await bank_files.waiting(bank.pool)
    await bank_files.told(bank.pool, first, None, NOW)
    await bank_files.told(bank.pool, second, "payment-settled", NOW)
    assert await bank_files.waiting(bank.pool) == [] and await bank_files.count_waiting(bank.pool) == 0
    [row] = await bank_files.exceptions(bank.pool, bank.ring)
    assert (row.trouble, row.refused, row.payment) == (None, "payment-settled", two)


# --- what nobody changes


@pytest.fixture(scope="module")
def kept(server: Server, ring: KeyRing) -> Iterator[str]:
    """A database with a file given out, one taken in and what was decided about it; nothing of it changes. Its dsn."""

    async def make() -> str:
        dsn = await server.create(server.migrated)
        bank = Bank(await open_pool(dsn), ring)
        (one,), _ = await bank.given(50_00)
        await bank.take(HEAD, out(one), out(None))
        row = (await bank_files.exceptions(bank.pool, bank.ring))[0]
        await bank_files.resolve(bank.pool, row, "not-ours", "frais", BY)
        await bank.pool.close()
        return dsn

    made = asyncio.run(make())
    yield made
    asyncio.run(server.drop(made))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE batches SET total = 1", "DELETE FROM batch_transfers", "TRUNCATE batch_givings",
        "UPDATE batch_files SET sealed = ''", "UPDATE transfers SET amount = 1", "UPDATE bank_files SET lines = 0",
        "UPDATE bank_lines SET cents = -1", "DELETE FROM bank_lines", "TRUNCATE bank_statements",
        "UPDATE bank_texts SET sealed = ''", "DELETE FROM bank_resolutions",
    ],
)  # fmt: skip
async def test_what_is_written_stays(kept: str, statement: str) -> None:
    owner = await asyncpg.connect(kept)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute(statement)
    await owner.close()


async def test_the_pages_see_lines_as_far_as_the_session_reaches(bank: Bank, dsn: str) -> None:
    (one,), _ = await bank.given(50_00)
    await bank.take(HEAD, out(one))
    bound, free = str(uuid4()), str(uuid4())
    for who, handle, funds in ((bound, "bound", ("aid",)), (free, "free", ())):
        member = Member(
            id=who, handle=handle, name="F.", email=None, phone=None, language="fr", roles=("finance",), sites=(),
            active=True, funds=funds,
        )  # fmt: skip
        await staff.add(bank.pool, member, BY)
    web = await open_pool(dsn, role="journeys_web")
    cases = [(free, "", 0), (free, "own", 0), (free, "site", 0), (free, "money", 1), (bound, "money", 0),
             (free, "all", 1)]  # fmt: skip
    try:
        for who, reach, sees in cases:
            async with web.acquire() as connection, connection.transaction():
                await connection.execute(
                    "SELECT set_config('journeys.staff', $1, true), set_config('journeys.reach', $2, true)", who, reach
                )
                for table in ("bank_lines", "bank_texts", "bank_files", "bank_tellings", "batches", "batch_givings"):
                    found = await connection.fetchval(f"SELECT count(*) FROM {table}")
                    assert found == sees, (reach, who == bound, table)
        for table in ("transfers", "batch_files"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await web.fetchval(f"SELECT count(*) FROM {table}")
    finally:
        await web.close()
