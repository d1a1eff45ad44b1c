"""The nightly verification: what must not be is found and named, kept once for a run, made by a schedule."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from activities.archive import Archive
from activities.resources import NoEngine
from activities.verification import Verification
from journeys import contract, temporal
from journeys.audit.fleet import verify_fleet
from journeys.contract import Run
from journeys.domain import commands as c
from journeys.store import erasing, findings, histories, sequencing, staff, verifications
from journeys.store.database import open_pool
from journeys.store.findings import ORDER, Asked, Lines, LinesOf, OwedLine
from journeys.store.verifications import Verified
from tests.activities.conftest import MONDAY, Life, make_life
from tests.conftest import RealStack
from workflows.verification import VerificationWorkflow

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def life(journal_pool: Any, database_url: str) -> Life:
    """A journey with a grant, all of whose events have their place in the log."""
    made = await make_life(journal_pool)
    await made.begin()
    await made.do(c.RequestGrant(grant="help", purpose="training", amount=100_00), payee="Samir, FR76", note="oui")
    sequencer = await open_pool(database_url, role="journeys_sequencer", largest=1)
    await sequencing.sequence(sequencer)
    await sequencer.close()
    return made


class Ended:
    """The engine's list of runs that ended."""

    def __init__(self, *runs: Run) -> None:
        self._runs = runs

    async def ended(self) -> AsyncIterator[Run]:
        for run in self._runs:
            yield run


def run(life: Life, closed_at: datetime) -> Run:
    return Run(id=str(uuid.uuid4()), stream=life.stream, events=9, closed_at=closed_at)


async def look(life: Life, at: datetime, runs: Sequence[Run] = ()) -> Verified:
    return await verify_fleet(life.pool, life.resources.ring, at, Ended(*runs).ended())


async def test_a_sound_fleet_agrees_and_what_is_done_to_it_is_named(life: Life, database_url: str) -> None:
    journey = life.stream.removeprefix("journey-")
    sound = await look(life, MONDAY)
    assert sound.wrong == 0 and (sound.journeys, sound.grants) == (1, 1) and sound.owed["open"] >= 1
    assert sound.log["holds"] and Verified.model_validate_json(sound.model_dump_json()) == sound
    # Nobody takes what falls due: no event says what became of it.
    late = await look(life, MONDAY + timedelta(days=60))
    assert (late.silent.journeys, late.silent.named[0].journey) == (1, journey) and late.wrong == late.silent.count > 0
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE journeys SET referent = gen_random_uuid() WHERE id = $1", journey)
    (apart,) = (await look(life, MONDAY)).apart.named
    assert (apart.journey, apart.code) == (journey, "view")
    await owner.execute("ALTER TABLE events DISABLE TRIGGER ALL")
    await owner.execute("UPDATE events SET header = 'x' WHERE stream = $1 AND seq = 2", life.stream)
    broken = await look(life, MONDAY)
    assert broken.apart.named[0].code == "journal" and {"not-a-header", "link"} <= {
        each["code"] for each in broken.log["findings"]
    }
    assert broken.owed == {} and broken.wrong > 2, "what cannot be read is not judged, and said"
    await owner.close()
    lines = Lines(life.pool, "broken")
    again = await verify_fleet(life.pool, life.resources.ring, MONDAY, Ended().ended(), lines=lines)
    await verifications.keep(life.pool, "broken", again, lines=True)
    for found in (
        await findings.owed(life.pool, Asked(), ORDER, "true", limit=9),
        await findings.owed(life.pool, Asked(since=MONDAY), ORDER, "true", limit=9),
        await findings.duties(life.pool, Asked(), "true", wrong_only=False, limit=9),
    ):
        assert found.unread == 1 and found.lines == (), "its pages say so as well"
    elsewhere = await findings.owed(life.pool, Asked(site="Metz"), ORDER, "true", limit=9)
    assert elsewhere.unread == 0


async def test_a_key_that_does_not_open_is_named_and_stops_no_verification(life: Life, database_url: str) -> None:
    pool, key = life.pool, await life.pool.keys.key_of(life.stream)
    owner = await asyncpg.connect(pool.keys.dsn)
    wrapped = await owner.fetchval("SELECT wrapped FROM keys WHERE id = $1", key)
    change = "UPDATE keys SET wrapped = $2 WHERE id = $1"
    await owner.execute(change, key, wrapped[:-1] + bytes([wrapped[-1] ^ 1]))
    try:
        pool.keys.terminate()
        found = await look(life, MONDAY)
    finally:
        await owner.execute(change, key, wrapped)
        await owner.close()
        pool.keys.terminate()
    assert [(each["code"], each.get("key")) for each in found.log["findings"]] == [("key-locked", key)]
    assert (found.journeys, found.apart.named[0].code, found.owed) == (1, "journal", {})
    assert (await look(life, MONDAY)).wrong == 0
    # Nor does what stands beside the events and cannot be read.
    owner = await asyncpg.connect(database_url)
    await owner.execute("ALTER TABLE commands DISABLE TRIGGER ALL")
    await owner.execute("UPDATE commands SET answer = '{}' WHERE stream = $1", life.stream)
    await owner.close()
    assert (await look(life, MONDAY)).apart.named[0].code == "journal"


async def test_lines_go_some_at_a_time_and_those_that_stay_stop_no_verification(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, beats = life.pool, list[None]()
    day = OwedLine(outcome="met", due=MONDAY, at=None, late=False, learnt_late=False, fr="une étape", en="a step")
    journeys = [str(uuid.uuid4()) for _ in range(5)]
    for run in ("old", "last"):
        await Lines(pool, run).add([LinesOf(each, [day] * 3) for each in journeys])
    monkeypatch.setattr(findings, "_AT_ONCE", 4)
    await Lines(pool, "last").only(lambda: beats.append(None))
    assert len(beats) == 4 + 2, "15 lines and 5 sums, four at once"
    kept = "SELECT (SELECT array_agg(DISTINCT run) FROM found_owed), count(*) FROM found_sums"
    assert tuple(await pool.fetchrow(kept)) == (["last"], 5)
    assert await pool.fetchval("SELECT count(*) FROM found_owed") == 15
    await Lines(pool, "last").clear(lambda: None)
    assert tuple(await pool.fetchrow(kept)) == (None, 0)

    async def times_out(*_: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(Lines, "only", times_out)
    asked = contract.Controlling(run="tonight", at=MONDAY)
    assert await ActivityEnvironment().run(Verification(life.resources).verify, asked) == 0
    assert await verifications.of_run(pool, "tonight") is not None


async def test_what_was_missed_is_counted_and_who_had_no_right(life: Life) -> None:
    life.reserves = False
    await life.until(MONDAY + timedelta(days=8))
    assert await staff.take_role(life.pool, life.supervisor, "supervisor", replace(life.by, at=MONDAY))
    asked = life.state.grants[life.grant]
    await life.do(c.ApproveGrant(grant=life.grant, digest=asked.digest), actor=life.supervisor, role="supervisor")
    found = await look(life, life.now)
    assert found.owed["missed"] == found.missed.count == 1 and found.missed.named[0].at is not None
    assert found.breaches.count == 1 and found.breaches.named[0].code == "no-role"


async def test_histories_kept_gone_altered_waiting_and_passed_over(life: Life, database_url: str) -> None:
    runs = [run(life, MONDAY - timedelta(hours=hours)) for hours in (1, 1, 1, 1, 40)]
    for each in runs[:3]:
        assert await histories.keep(life.pool, life.resources.ring, each, b'{"events": []}', life.by)
    owner = await asyncpg.connect(database_url)
    await owner.execute("DELETE FROM history_files WHERE run = $1", runs[0].id)
    await owner.execute("ALTER TABLE history_files DISABLE TRIGGER ALL")
    await owner.execute(
        "UPDATE history_files SET sealed = (SELECT sealed FROM history_files WHERE run = $2) WHERE run = $1",
        runs[1].id, runs[2].id,
    )  # fmt: skip
    await owner.close()
    found = (await look(life, MONDAY, runs)).histories
    assert (found.kept, found.gone, found.altered) == (1, 1, (runs[1].id,))
    assert (found.waiting, found.late) == (2, 1)


class Histories(NoEngine):
    """The engine's list, and a history of each but of one."""

    def __init__(self, *runs: Run, without: Run) -> None:
        self._runs, self._without = runs, without

    async def ended(self) -> AsyncIterator[Run]:
        for run in self._runs:
            yield run

    async def history(self, run: Run) -> bytes:
        if run == self._without:
            raise ValueError("not what a history is")
        return b'{"events": []}'


async def test_a_run_that_cannot_be_kept_holds_no_other_back_and_nothing_is_kept_of_the_forgotten(life: Life) -> None:
    pool, ring = life.pool, life.resources.ring
    first, broken, last, late, later = (run(life, MONDAY) for _ in range(5))
    nobodys = first.model_copy(update={"id": str(uuid.uuid4()), "stream": "no-journey"})
    engine = Histories(nobodys, first, broken, last, without=broken)
    archive = Archive(replace(life.resources, engine=engine))
    for tried in ((2, 2), (2, 0)):
        with pytest.raises(ApplicationError) as failed:
            await ActivityEnvironment().run(archive.keep)
        assert (failed.value.type, failed.value.non_retryable, failed.value.details) == ("NotKept", True, tried)
    assert {each.run for each in await histories.of_stream(pool, life.stream)} == {first.id, last.id}

    async with pool.acquire() as connection, connection.transaction():
        assert await erasing.lock(connection, life.person)
        keeping = asyncio.create_task(histories.keep(pool, ring, late, b'{"events": []}', life.by))
        while not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            assert not keeping.done(), "it waits for whoever is at the person"
            await asyncio.sleep(0.01)
        await erasing.order_locked(connection, life.person, "person-asked", life.by)
    assert not await keeping
    assert not await histories.keep(pool, ring, later, b'{"events": []}', life.by)
    assert not [each async for each in histories.not_kept(pool, Ended(late, later).ended())]
    assert await pool.fetchval("SELECT count(*) FROM histories WHERE run = ANY ($1::uuid[])", [late.id, later.id]) == 0


async def test_a_run_is_kept_once_and_the_schedule_made_once(
    stack: RealStack, life: Life, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, queue = await Client.connect(stack.temporal, data_converter=temporal.DATA_CONVERTER), f"q-{uuid.uuid4()}"
    kept, deaths = verifications.keep, iter(("before", "after"))

    async def keep_and_die(*given: Any, **named: Any) -> None:
        death = next(deaths)
        if death == "after":
            await kept(*given, **named)
            monkeypatch.setattr(verifications, "keep", kept)
        raise OSError(f"the worker died {death} it had kept what it found")

    monkeypatch.setattr(verifications, "keep", keep_and_die)
    worker = Worker(
        client, task_queue=queue, workflows=[VerificationWorkflow], activities=[Verification(life.resources).verify],
        workflow_runner=temporal.sandbox_runner(),
    )  # fmt: skip
    async with worker:
        id = f"verification-{uuid.uuid4()}"
        wrong = await client.execute_workflow(contract.VERIFICATION, id=id, task_queue=queue)
    assert await life.pool.fetchval("SELECT count(*) FROM verifications") == 1
    lines = "(SELECT count(*) FROM found_owed WHERE run = $1), (SELECT count(*) FROM found_duties WHERE run = $1)"
    found = await verifications.last(life.pool)
    assert found is not None
    assert tuple(await life.pool.fetchrow(f"SELECT {lines}", id)) == (sum(found.owed.values()), 1), "once as well"
    assert found.wrong == wrong and datetime.now(UTC) - found.at < timedelta(minutes=5)
    owner = await asyncpg.connect(database_url)
    for statement in ("UPDATE verifications SET wrong = 0", "DELETE FROM verifications", "TRUNCATE verifications"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute(statement)
    await owner.close()
    assert not await temporal.verify_now(client), "no worker has made the schedule"
    try:
        for _ in range(2):
            await temporal.verify_daily(client, queue)
        made = await client.get_schedule_handle(contract.VERIFICATION).describe()
        (daily,) = made.schedule.spec.calendars
        assert (daily.hour[0].start, made.schedule.spec.time_zone_name) == (4, "Europe/Paris")
        assert await temporal.verify_now(client)
    finally:
        await client.get_schedule_handle(contract.VERIFICATION).delete()
