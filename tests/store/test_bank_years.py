"""What is kept of the bank: under a key of its year, which no key of commands opens and which goes in its time."""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
import structlog

from journeys.app import reconciling
from journeys.app.failures import Failure
from journeys.authoring.retention import read_retention
from journeys.domain.banking import Line, StatementHead
from journeys.local.postgres import binary
from journeys.store import bank_files, bank_years, batches, erasing, keys, payment_lists, retaining, sealing_up
from journeys.store.bank_years import YearGone
from journeys.store.database import open_pool
from journeys.store.directory import By
from journeys.store.journal import read_all
from journeys.store.keys import Keys, bank_key, person_key
from journeys.store.sealing import CannotUnseal, seal, sealed_by, unseal_with
from journeys.store.sealing import _cipher as cipher_of
from journeys.store.sealing_up import SealedUp, seal_up
from journeys.store.signing import KeyRing
from tests.store.test_bank import BY, DAY, HEAD, OURS, PAYEE, Bank, back, out, written

pytestmark = pytest.mark.asyncio
LONG_AGO = By(actor=BY.actor, role="finance", at=datetime(1991, 5, 13, 8, tzinfo=UTC))
THEN = date(1991, 5, 13)
TABLES = ("transfers", "batch_files", "bank_texts")


@pytest_asyncio.fixture
async def kept(dsn: str) -> AsyncIterator[Keys]:
    """A database of keys of this test's own: a year that is destroyed stays so for whoever else uses it."""
    shared = Keys.beside(dsn)
    name = f"keys_{uuid4().hex}"
    connection = await asyncpg.connect(shared.dsn)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    made = Keys(shared.dsn.replace("/journeys_keys?", f"/{name}?"), KeyRing("w1", {"w1": b"w" * 32}))
    await keys.prepare(made.dsn)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def bank(dsn: str, kept: Keys, ring: KeyRing) -> AsyncIterator[Bank]:
    pool = await open_pool(dsn, largest=4, keys=kept)
    yield Bank(pool, ring)
    await pool.close()


@pytest.fixture
def long_ago() -> Callable[[], None]:
    """From here on transfers are queued in 1991, until the function is called."""

    patched = pytest.MonkeyPatch()
    patched.setattr(batches, "datetime", SimpleNamespace(now=lambda _: LONG_AGO.at))
    return patched.undo


async def of_then(bank: Bank, on: date = THEN) -> tuple[str, str]:
    """A payment of 1991 in a file that was given out, and a line of the bank about it; payment and batch."""
    payment = await bank.payment(50_00)
    made = await batches.make(bank.pool, bank.ring, str(uuid4()), on, OURS, "Versement", written, LONG_AGO)
    assert made is not None
    await batches.give_out(bank.pool, bank.ring, made.id, LONG_AGO)
    digest = sha256(made.id.encode()).hexdigest()
    pieces: list[StatementHead | Line] = [HEAD, out(payment), replace(out(payment), reference="TYPEDBYHAND")]
    await bank_files.take_in(bank.pool, bank.ring, bank_files.Incoming(digest, pieces), OURS.iban, LONG_AGO)
    return payment, made.id


def dumped(dsn: str) -> dict[str, list[dict[str, str]]]:
    """The rows of the bank in a dump of the database, as somebody finds them who has only that."""
    text = subprocess.run([binary("pg_dump"), "--data-only", "--dbname", dsn], check=True, capture_output=True,
                          text=True, timeout=60).stdout  # fmt: skip
    found = {}
    for table in TABLES:
        told = re.search(rf"^COPY public\.{table} \((.*?)\) FROM stdin;\n(.*?)^\\\.$", text, re.M | re.S)
        assert told is not None
        names = told[1].replace('"', "").split(", ")
        found[table] = [dict(zip(names, line.split("\t"), strict=True)) for line in told[2].splitlines()]
    return found


def tried(ring: KeyRing, rows: dict[str, list[dict[str, str]]]) -> list[str]:
    """The tables of which a key that signs commands opens a row, whatever key the row says that it is under."""
    opened = []
    places: dict[str, Callable[[dict[str, str]], str]] = {
        "transfers": lambda row: batches.place_of_transfer(row["payment"]),
        "batch_files": lambda row: batches.place_of_file(row["batch"]),
        "bank_texts": lambda row: bank_files.place_of_line(_bytes(row["file"]), int(row["position"])),
    }
    for table, place in places.items():
        assert rows[table]
        for row in rows[table]:
            for key in ring.keys.values():
                try:
                    unseal_with(cipher_of(key), _bytes(row["sealed"]), place(row))
                    opened.append(table)
                except CannotUnseal:
                    continue
    return opened


def _bytes(told: str) -> bytes:
    return bytes.fromhex(told.removeprefix("\\\\x"))


async def as_before(owner: Any, ring: KeyRing, pool: Any) -> None:
    """Have every row of the bank stand as it did before there were keys of years: under the key that signs."""
    for table in TABLES:
        await owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT sealed_only")
        told = sealing_up._OF_THE_BANK[table]
        for row in await owner.fetch(f"SELECT * FROM {table}"):
            plain = await pool.keys.unseal(row["sealed"], told.place(row))
            assert isinstance(plain, bytes)
            values = dict(row) | {"sealed": seal(ring, plain, told.place(row))}
            which = " AND ".join(f"{name} = ${nth}" for nth, name in enumerate(told.key, 1))
            await owner.execute(f"DELETE FROM {table} WHERE {which}", *(row[name] for name in told.key))
            slots = ", ".join(f"${nth}" for nth in range(1, len(values) + 1))
            await owner.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({slots})", *values.values())
        await owner.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT sealed_only CHECK (sealed_under_year(sealed)) NOT VALID"
        )


async def test_a_dump_and_the_key_that_signs_open_no_file_transfer_or_line(bank: Bank, owner: Any, dsn: str) -> None:
    (payment,), _ = await bank.given(50_00)
    await bank.take(HEAD, out(payment, about="pour Lina"))
    rows = dumped(dsn)
    assert tried(bank.ring, rows) == []
    year = datetime.now(UTC).year
    assert {table: {sealed_by(_bytes(row["sealed"])) for row in rows[table]} for table in TABLES} == {
        "transfers": {bank_key(year)}, "batch_files": {bank_key(DAY.year)}, "bank_texts": {bank_key(BY.at.year)},
    }  # fmt: skip
    await as_before(owner, bank.ring, bank.pool)
    assert sorted(tried(bank.ring, dumped(dsn))) == sorted(TABLES), "as it was, whoever signs could read them"


async def test_nothing_is_put_under_the_key_that_signs_any_more(bank: Bank, owner: Any) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="sealed_only"):
        await bank.pool.execute(
            "INSERT INTO transfers (payment, reference, amount, sealed) VALUES ($1, 'R', 1, $2)", str(uuid4()),
            seal(bank.ring, b"[]", "transfer/x"),
        )  # fmt: skip


async def test_keys_of_years_are_of_their_own_kind_and_are_wrapped_anew_with_the_others(bank: Bank, dsn: str) -> None:
    (payment,), batch = await bank.given(50_00)
    await bank.take(HEAD, replace(out(payment), reference="TYPEDBYHAND"))
    kept = bank.pool.keys
    years = sorted({bank_key(datetime.now(UTC).year), bank_key(DAY.year)})
    assert await kept.live("bank") == years and await kept.live("finance") == []
    both = Keys(kept.dsn, KeyRing("w2", {**kept.ring.keys, "w2": b"v" * 32}))
    assert await both.wrap_anew() == len(years) + len(await kept.live("house"))
    await both.close()
    only = await open_pool(dsn, largest=2, keys=Keys(kept.dsn, KeyRing("w2", {"w2": b"v" * 32})))
    try:
        assert batch.message.encode() in await batches.give_out(only, bank.ring, batch.id, BY)
        [line] = await bank_files.exceptions(only, bank.ring)
        assert (line.name, line.iban) == (PAYEE.name, PAYEE.iban)
        assert await payment_lists.payees(only, bank.ring, [payment]) == {payment: PAYEE}
    finally:
        await only.close()


async def test_what_was_sealed_before_is_read_as_it_is_and_then_sealed_anew_from_wherever_it_was_left(
    bank: Bank, owner: Any, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, batch = await bank.given(50_00, 30_00)
    waits = await bank.payment(20_00)
    await bank.take(HEAD, replace(out(first[0]), reference="TYPEDBYHAND"), out(None))

    async def as_they_were(ring: KeyRing) -> None:
        assert await payment_lists.payees(bank.pool, ring, [*first, waits]) == dict.fromkeys([*first, waits], PAYEE)
        assert batch.message.encode() in await batches.give_out(bank.pool, ring, batch.id, BY)
        assert {line.iban for line in await bank_files.exceptions(bank.pool, ring)} == {PAYEE.iban}
        await batches.queue(bank.pool, ring, waits, 20_00, PAYEE)
        with pytest.raises(batches.OtherTransfer):
            await batches.queue(bank.pool, ring, waits, 21_00, PAYEE)

    await as_before(owner, KeyRing("k0", bank.ring.keys), bank.pool)
    await as_they_were(bank.ring)
    other = KeyRing("k9", {"k9": b"9" * 32})
    for ring in (other, None):
        done = await seal_up(dsn, bank.pool.keys, ring)
        assert (done.transfers, done.batch_files, done.bank_texts, done.left, done.locked) == (0, 0, 0, 0, 6)
    await as_they_were(bank.ring)

    monkeypatch.setattr(sealing_up, "_OF_THE_BANK", {
        table: replace(each, at_once=1) for table, each in sealing_up._OF_THE_BANK.items()
    })  # fmt: skip
    anew, left = sealing_up._anew, 3

    async def cut(*asked: Any) -> Any:
        nonlocal left
        done = await anew(*asked)
        left -= 1
        if not left:
            raise OSError("the disk is full")
        return done

    with monkeypatch.context() as patched, pytest.raises(OSError, match="disk is full"):
        patched.setattr(sealing_up, "_anew", cut)
        await seal_up(dsn, bank.pool.keys, bank.ring)
    done = await seal_up(dsn, bank.pool.keys, bank.ring)
    assert (done.transfers, done.batch_files, done.bank_texts, done.locked) == (1, 1, 2, 0)
    assert await seal_up(dsn, bank.pool.keys, bank.ring) == SealedUp()
    await as_they_were(other)
    assert not await owner.fetch("SELECT FROM pg_constraint WHERE conname = 'sealed_only' AND NOT convalidated")
    under = await owner.fetch("SELECT sealed, queued_at FROM transfers")
    assert {sealed_by(row["sealed"]) for row in under} == {bank_key(datetime.now(UTC).year)}
    assert sealed_by(await owner.fetchval("SELECT sealed FROM batch_files")) == bank_key(DAY.year)


async def test_what_stands_elsewhere_than_it_was_sealed_for_does_not_open(bank: Bank) -> None:
    sealed = await bank_years.seal(bank.pool, 2026, b"secret", "batch/1")
    for other in ((sealed, "batch/2"), (sealed[:-1] + bytes([sealed[-1] ^ 1]), "batch/1")):
        with pytest.raises(CannotUnseal) as refused:
            await bank_years.open_sealed(bank.pool, bank.ring, *other)
        assert not isinstance(refused.value, YearGone)
    assert await bank_years.open_sealed(bank.pool, bank.ring, sealed, "batch/1") == b"secret"


async def test_a_year_whose_key_is_not_there_is_not_told_as_gone(bank: Bank, dsn: str, kept: Keys) -> None:
    sealed = await bank_years.seal(bank.pool, 2026, b"secret", "batch/1")
    other = Keys.beside(dsn)
    assert await other.known([bank_key(1900)]) == {}
    moved = sealed.replace(b"bank-2026", b"bank-1900")
    pool = await open_pool(dsn, largest=1, keys=other)
    try:
        with pytest.raises(CannotUnseal, match="not in the database of keys"):
            await bank_years.open_sealed(pool, bank.ring, moved, "batch/1")
    finally:
        await pool.close()


async def test_what_is_gone_says_so_where_it_is_asked_for_and_breaks_nothing(
    bank: Bank, long_ago: Callable[[], None]
) -> None:
    payment, batch = await of_then(bank)
    long_ago()
    [line] = await bank_files.exceptions(bank.pool, bank.ring)
    assert (line.name, line.gone) == (PAYEE.name, None)
    await erasing.destroy(bank.pool.keys, [bank_key(1991)], None)

    with pytest.raises(YearGone) as gone:
        await batches.give_out(bank.pool, bank.ring, batch, BY)
    assert gone.value.year == 1991
    with pytest.raises(Failure) as refused:
        await reconciling.give_out(bank.pool, bank.ring, OURS, written, THEN, BY, batch)
    assert (
        refused.value.code == "bank-year-gone" and "1991" in refused.value.what.fr and "1991" in refused.value.what.en
    )
    [line] = await bank_files.exceptions(bank.pool, bank.ring)
    assert (line.name, line.iban, line.about, line.gone, line.cents) == (None, None, "", 1991, -50_00)
    assert await payment_lists.payees(bank.pool, bank.ring, [payment]) == {}
    kept = await batches.batch_of(bank.pool, batch)
    assert kept is not None and (kept.number, kept.total) == (1, 50_00), "what names nobody stays"

    found = await bank.take(HEAD, back(payment))
    assert (found.fresh, found.troubled) == (1, 0), "the bank may still say something of the payment"
    with pytest.raises(keys.Destroyed):
        await bank_years.seal(bank.pool, 1991, b"more", "batch/2")
    assert await bank.make() is None


async def test_a_year_goes_ten_years_after_its_end_and_comes_back_with_no_copy(
    bank: Bank, long_ago: Callable[[], None], tmp_path: Path, dsn: str, kept: Keys
) -> None:
    payment, _ = await of_then(bank)
    late = await bank.payment(30_00)
    long_ago()
    made = await batches.make(bank.pool, bank.ring, str(uuid4()), date(1992, 1, 3), OURS, "", written, LONG_AGO)
    assert made is not None and made.number == 1
    rules = read_retention()

    async def due(day: datetime) -> int:
        planned = await retaining.plan(bank.pool, rules, day, None)
        [rows] = [each for each in planned.rows if each.rule == "bank"]
        return rows.count

    assert await due(datetime(2030, 1, 1, 12, tzinfo=UTC)) == 0, "payments are under way"
    await bank.pool.execute("UPDATE payments SET status = 'settled' WHERE id = $1", payment)
    assert await due(datetime(2001, 12, 31, 12, tzinfo=UTC)) == 0
    assert await due(datetime(2002, 1, 1, 12, tzinfo=UTC)) == 0, "a transfer of the year was paid in the next"
    assert await due(datetime(2003, 1, 1, 12, tzinfo=UTC)) == 0, "one is under way"
    await bank.pool.execute("UPDATE payments SET status = 'settled' WHERE id = $1", late)
    assert await due(datetime(2002, 12, 31, 12, tzinfo=UTC)) == 0
    assert await due(datetime(2003, 1, 1, 12, tzinfo=UTC)) == 2
    assert await kept.live("bank") == ["bank-1991", "bank-1992"], "a plan changes nothing"

    await kept.close()
    copy = f"copy_{uuid4().hex}"
    connection = await asyncpg.connect(Keys.beside(dsn).dsn)
    await connection.execute(f"CREATE DATABASE {copy} TEMPLATE {re.search('/(keys_[0-9a-f]+)', kept.dsn)[1]}")  # type: ignore[index]
    await connection.close()

    listed = tmp_path / "destroyed-keys"
    planned = await retaining.plan(bank.pool, rules, datetime(2003, 1, 1, 12, tzinfo=UTC), None)
    gone = await retaining.apply(bank.pool, planned, ["bank"], None, BY, listed)
    assert gone.counts["bank"] == 2 and await kept.live("bank") == []
    assert listed.read_text().split() == ["bank-1991", "bank-1992"]
    header = next(event.header for event in await read_all(bank.pool, "system") if event.kind == "RetentionApplied")
    fact = json.loads(header)["data"]
    assert (fact["kept"], fact["gone"]) == ({"bank": "120 months"}, {"bank": 2})
    assert fact["keys"] == ["bank-1991", "bank-1992"]
    assert (await retaining.apply(bank.pool, planned, ["bank"], None, BY, listed)).counts["bank"] == 0
    assert await payment_lists.payees(bank.pool, bank.ring, [payment, late]) == {}

    for list_of_before in (None, tmp_path / "another"):
        restored = Keys(re.sub("/keys_[0-9a-f]+", f"/{copy}", kept.dsn), kept.ring)
        pool = await open_pool(dsn, largest=2, keys=restored)
        try:
            back_again = 2 if list_of_before is None else 0
            assert len(await restored.live("bank")) == back_again
            assert await erasing.destroy_again(pool, list_of_before) == back_again, "by the record, and once"
            assert await restored.live("bank") == []
        finally:
            await pool.close()
    assert (tmp_path / "another").read_text().split() == ["bank-1991", "bank-1992"]


async def test_the_database_of_keys_gives_no_year_up_before_its_time(bank: Bank, kept: Keys) -> None:
    year = datetime.now(UTC).year
    connection = await asyncpg.connect(kept.dsn)
    try:
        for early in (year, year - 10, year + 1):
            await bank_years.seal(bank.pool, early, b"secret", "batch/1")
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="ten years after"):
                await kept.destroy([bank_key(early)])
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="ten years after"):
            await kept.destroy([bank_key(year + 2)])
        await bank_years.seal(bank.pool, year - 11, b"secret", "batch/1")
        assert await kept.destroy([bank_key(year - 11)]) == 1
        await connection.execute("ALTER TABLE keys DISABLE TRIGGER bank_years_stay")
        assert await kept.destroy([bank_key(year)]) == 1, "without the trigger it would go"
    finally:
        await connection.close()


async def test_a_year_that_must_stay_keeps_nobody_elses_key_from_going_again(
    bank: Bank, kept: Keys, tmp_path: Path
) -> None:
    year = datetime.now(UTC).year
    person, listed = person_key(str(uuid4())), tmp_path / "destroyed-keys"
    ids = [bank_key(year), bank_key(year - 11), keys.HOUSE, keys.SEARCH, person]
    await kept.ready(ids)
    listed.write_text("\n".join([*ids, "bank-x", "person-", person[:20]]))
    with structlog.testing.capture_logs() as said:
        assert await erasing.destroy_again(bank.pool, listed) == 2
        assert await erasing.destroy_again(bank.pool, listed) == 0
    assert await kept.destroyed(ids) == {bank_key(year - 11), person}
    assert [each["key"] for each in said] == [bank_key(year)] * 2
    assert await erasing.order_again(bank.pool, listed, BY.at) == [], "half a line is nobody"


async def test_no_rule_may_let_a_year_go_before_its_ten_years(tmp_path: Path) -> None:
    from journeys.authoring.retention import SHIPPED, RetentionInvalid

    text = SHIPPED.read_text()
    assert text.count("kept: 120 months") == 1
    short, without = tmp_path / "short.yaml", tmp_path / "without.yaml"
    short.write_text(text.replace("kept: 120 months", "kept: 119 months"))
    with pytest.raises(RetentionInvalid, match="bank"):
        read_retention(short)
    begin, end = text.index("  bank:"), text.index("  sessions:")
    without.write_text(text[:begin] + text[end:])
    assert read_retention(without).rules.bank == read_retention().rules.bank, "a file of before is read as the shipped"
