"""What accounting keeps of somebody who is forgotten: to whom money was promised, no other payee, and not for ever."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from activities.notary import Notary
from journeys.app import erasing as words
from journeys.app import retaining as rules_of_the_house
from journeys.audit.exporting import export_log
from journeys.audit.log_account import verify_log
from journeys.authoring.retention import read_retention
from journeys.domain import commands as c
from journeys.domain.directory import NoticeResolved
from journeys.settings import load_settings
from journeys.store import bank_files, erasing, journal, retaining
from journeys.store.database import open_pool
from journeys.store.directory import Fact, record
from journeys.store.keys import finance_key, person_key
from tests.activities.conftest import Life, make_life
from tests.audit.corrupting import SEED
from tests.audit.verifier import verified

RULES = read_retention()


@pytest_asyncio.fixture
async def life(journal_pool: Any) -> Life:
    made = await make_life(journal_pool)
    await made.begin()
    return made


async def forgotten(life: Life) -> None:
    """By the steps of the workflow."""
    await erasing.order(life.pool, life.person, "person-asked", life.by)
    await erasing.note(life.pool, life.person, await erasing.survey(life.pool, life.person))
    await erasing.destroy(life.pool.keys, await erasing.keys_of(life.pool, life.person), None)
    await erasing.delete(life.pool, life.person)
    await erasing.certify(life.pool, life.person, life.by)


async def texts(life: Life) -> list[str]:
    return [part.text for part in await journal.parts(life.pool, life.stream)]


async def test_a_payee_to_whom_nothing_was_promised_is_not_kept(life: Life) -> None:
    for never in ("Refusée, FR11", "En attente, FR12"):
        asked = await life.do(c.RequestGrant(grant="help", purpose="training", amount=1_000), payee=never)
    await life.do(c.CancelGrant(grant=asked.command), reason="fini")
    await life.granted("Payée, FR76")
    held = await erasing.survey(life.pool, life.person)
    assert (held.kept_parts, held.kept_until) == (1, date(datetime.now(UTC).year + 10, 12, 31))
    for lang, leads, stays in (
        ("fr", "mène encore à la personne", "aussi longtemps que la comptabilité"),
        ("en", "still leads to the person", "as long as accounting is kept"),
    ):
        told = words.told(held, lang)  # type: ignore[arg-type]
        assert leads in told.stays[0] and stays in told.beyond[-1]
    assert "ne mène plus à personne" in words.told(held.model_copy(update={"kept_until": None}), "fr").stays[0]
    await forgotten(life)
    assert await texts(life) == ["Payée, FR76"]
    assert (await erasing.survey(life.pool, life.person)).kept_parts == 1


async def test_what_is_kept_goes_ten_years_after_the_year_of_the_last_payment(
    life: Life, database_url: str, tmp_path: Path
) -> None:
    await life.granted("Payée, FR76")
    listed, key = tmp_path / "destroyed-keys", finance_key(life.person)
    payment = await life.pool.fetchval("SELECT id::text FROM payments WHERE person = $1", life.person)
    async with life.pool.acquire() as connection, connection.transaction():
        of = await bank_files._whose(connection, payment)
        noted = Fact(NoticeResolved(event="e", how="noted"), {"why": "vu"})
        assert of == life.person and await record(connection, "system", [noted], life.by, accounts_of=of)
    owner = await asyncpg.connect(database_url)
    await owner.execute("ALTER TABLE ledger_transactions DISABLE TRIGGER append_only")
    await owner.execute("UPDATE ledger_transactions SET wall = '1999-12-31 22:30Z'")
    await owner.close()

    async def due(day: datetime) -> int:
        planned = await retaining.plan(life.pool, RULES, day, None)
        [rows] = [each for each in planned.rows if each.rule == "bank"]
        return rows.count

    over = datetime(2010, 1, 1, 12, tzinfo=UTC)
    assert await due(over) == 0, "nobody is forgotten"
    await forgotten(life)
    assert await due(over) == 0, "money is under way"
    await life.pool.execute("UPDATE payments SET status = 'settled'")
    assert await due(datetime(2009, 12, 31, 12, tzinfo=UTC)) == 0 and await due(over) == 1
    assert await texts(life) == ["Payée, FR76"] and not await life.pool.keys.destroyed([key]), "a plan changes nothing"

    planned = await retaining.plan(life.pool, RULES, over, None)
    gone = await retaining.apply(life.pool, planned, ["bank"], None, replace(life.by, at=over), listed)
    assert gone.counts == {"bank": 1} and listed.read_text().split() == [key]
    assert await life.pool.keys.destroyed([key]) == {key} and await texts(life) == []
    header = next(e.header for e in await journal.read_all(life.pool, "system") if e.kind == "RetentionApplied")
    assert json.loads(header)["data"]["keys"] == [key] and await due(over) == 0
    assert await erasing.destroy_again(life.pool, None) == 0, "it is gone, and the record says so"
    assert await life.pool.keys.destroyed([person_key(life.person)])

    # What finance wrote of it went with it: for those who verify, too.
    async with life.pool.acquire() as connection:
        assert await bank_files._whose(connection, payment) is None, "what is written from here on is the house's"
    sequencer = await open_pool(database_url, role="journeys_sequencer", largest=2)
    assert (await Notary(sequencer, life.pool, tmp_path / "own", SEED).round(over)).made
    await sequencer.close()
    assert (await verify_log(life.pool)).findings == []
    (tmp_path / "log").mkdir()
    await export_log(life.pool, None, tmp_path / "log", over, disclose=False)
    found = verified(tmp_path / "log")
    assert (found.exit, set(found.counts)) == (5, {"part-erased"})
    named = [line["key"] for line in lines_of(tmp_path / "log" / "parts.jsonl") if "key" in line]
    assert named == [key]


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_a_restored_record_that_does_not_know_of_it_comes_to_it_again(life: Life, database_url: str) -> None:
    await life.granted("Payée, FR76")
    await life.pool.execute("UPDATE payments SET status = 'settled'")
    await forgotten(life)
    await erasing.destroy(life.pool.keys, [finance_key(life.person)], None)
    over = datetime(datetime.now(UTC).year + 12, 1, 1, 12, tzinfo=UTC)
    assert await erasing.accounts_over(life.pool, over, [], 9) == [finance_key(life.person)]


async def test_the_command_line_lists_what_it_destroys_wherever_the_servers_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    async def applied(*asked: Any) -> retaining.Gone:
        given.extend(asked)
        return retaining.Gone((), {})

    async def nobody() -> Any:
        raise AssertionError

    monkeypatch.setattr(retaining, "apply", applied)
    planned: Any = None
    for url in (None, "postgresql://somewhere.example/journeys"):
        settings = load_settings(data_dir=tmp_path, database_url=url)
        by: Any = None
        await rules_of_the_house.apply(planned, nobody, settings, planned, ["bank"], by)
        assert given[-1] == tmp_path / "destroyed-keys"
