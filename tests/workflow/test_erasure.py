"""A person is forgotten: by workers that are killed after any step, for good, and the record still verifies."""

import asyncio
import hashlib
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

import worker
from journeys import contract, temporal
from journeys.audit.verifying import Sources, verify
from journeys.authoring.retention import read_retention
from journeys.channels.letter import Letter
from journeys.channels.outbox import FileOutbox
from journeys.contract import Erasing
from journeys.domain import commands as c
from journeys.domain.directory import Held, KeptOfBank, MentorErased, PersonErased
from journeys.local.postgres import binary
from journeys.store import (
    contact_erasing,
    documents,
    erasing,
    journal,
    mentors,
    partners,
    people,
    retaining,
    staff,
    treasury,
)
from journeys.store.database import open_pool
from journeys.store.directory import By, NotFound
from journeys.store.keys import Keys, finance_key, person_key
from journeys.store.letters import seal_letter
from tests import forking
from tests.conftest import RealStack
from tests.workflow import erasure_worker
from tests.workflow.conftest import RING, Engine, make_engine
from tests.workflow.test_canaries import Canaries, dump_of, hatch
from workflows import erasure
from workflows.journey import JourneyWorkflow

STEPS = ("close", "survey", "destroy", "delete", "runs", "letters", "certify")
WHOLE = os.environ.get("ERASURE") == "whole"
"""`make campaign-erasure`: a death after each step of one whole life, then one among 10,000 journeys."""
DEATHS = STEPS if WHOLE else ()
NO_FILE = KeptOfBank(payments=1, transfers=0, files=0, lines=0, until=None)
"""Of a payment that no file carried."""
AMONG = 10_000
MOST_SECONDS = 10


@dataclass
class House:
    """A person with a journey, a payment, a receipt, a document, a letter; and who forgets them."""

    engine: Engine
    home: Path
    canaries: Canaries
    other: Engine
    """Somebody else, who stays."""

    @property
    def person(self) -> str:
        return self.engine.person

    async def order(self) -> None:
        by = By(actor=self.engine.supervisor, role="supervisor", at=datetime.now(UTC))
        await erasing.order(self.engine.pool, self.person, "person-asked", by)

    async def erased(self) -> erasing.Order:
        """Have it done, and what was done."""
        asked = Erasing(person=self.person, step_seconds=3)
        await temporal.begin_erasure(self.engine.client, asked, self.engine.queue)
        done = self.engine.client.get_workflow_handle(f"erasure-{self.person}").result()
        await asyncio.wait_for(done, timeout=90)
        known = await erasing.ordered(self.engine.pool, self.person)
        assert known is not None
        return known

    async def accounts(self, engine: Engine) -> dict[str, str]:
        sources = Sources(engine.pool, RING, engine.client, [JourneyWorkflow])
        found = await verify(sources, engine.stream)
        return {account.name.value: account.verdict.value for account in found.accounts}


Jobs = dict[str, tuple[Path, tuple[str, ...]]]
"""By queue, the folder of its worker, and the steps after which it dies."""


@contextmanager
def workers(stack: RealStack, database: str, jobs: Jobs) -> Iterator[None]:
    told = {queue: (str(home), list(deaths)) for queue, (home, deaths) in jobs.items()}
    given = {"DATABASE": database, "TEMPORAL": stack.temporal, "JOBS": json.dumps(told)}
    process = forking.begin(
        erasure_worker.main, os.environ | {f"ERASURE_{name}": value for name, value in given.items()}
    )
    try:
        yield
    finally:
        process.terminate()
        process.join(10)


async def live(engine: Engine, canaries: Canaries) -> None:
    details = people.Details(first_name="Zoe", last_name=canaries.name, phone=canaries.phone, email="zoe@example.org",
                             reference=canaries.prison_number)  # fmt: skip
    await people.register(engine.pool, engine.person, details, By(actor="system", role="system", at=datetime.now(UTC)))
    await engine.plan(release_in_days=5)
    document = f"scan of {canaries.note}".encode()
    told = await engine.do(c.AddNote(), text=f"{canaries.name} {canaries.note}")
    assert told.outcome == "accepted", told
    await documents.keep(engine.pool, engine.stream, told.command, hashlib.sha256(document).hexdigest(), document)
    asked = await engine.do(
        c.RequestGrant(grant="bourse", purpose="training", amount=10_000),
        payee=f"{canaries.name}, {canaries.iban}, SIM-SETTLE", note=canaries.note,
    )  # fmt: skip
    state = await engine.handle().query("state")
    digest = state["grants"][asked.command]["digest"]
    given = c.ApproveGrant(grant=asked.command, digest=digest)
    answer = await engine.do(given, actor=engine.supervisor, roles=("supervisor",))
    assert answer.outcome == "accepted", answer


@pytest_asyncio.fixture
async def house(
    stack: RealStack, journal_pool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    # A process remembers a key for half a minute; nothing here is about waiting that long.
    monkeypatch.setattr("journeys.store.keys.REMEMBERED_SECONDS", 2.0)
    engine = await make_engine(stack, journal_pool)
    other = await make_engine(stack, journal_pool)
    other.queue = engine.queue
    by = By(actor="system", role="system", at=datetime.now(UTC))
    fund = str(uuid.uuid4())
    await treasury.open_fund(journal_pool, fund, "parvis-solidaire", cap_per_person=None, balance=1_000_000, by=by)
    for each, role in (
        (engine.supervisor, "supervisor"),
        (other.supervisor, "supervisor"),
        (engine.referent, "referent"),
    ):
        member = staff.Member(
            id=each, handle=each[:8], name="Claire", email="claire@example.org", phone=None, language="fr",
            roles=(role,), sites=(), active=True,
        )  # fmt: skip
        await staff.add(journal_pool, member, by)
    yield House(engine, tmp_path, hatch(), other)


async def test_a_person_is_forgotten_by_workers_that_die_and_the_record_still_holds(
    stack: RealStack, database_url: str, house: House, second_server: Client
) -> None:
    engine, pool, others = house.engine, house.engine.pool, hatch()
    with workers(stack, database_url, {engine.queue: (house.home, DEATHS)}):
        await asyncio.gather(live(engine, house.canaries), live(house.other, others))
        before, kept_before = await dump_of(database_url), await dump_of(pool.keys.dsn)
        await house.order()
        began = asyncio.get_running_loop().time()
        known = await house.erased()
        print(f"erased in {asyncio.get_running_loop().time() - began:.1f} s, {len(DEATHS)} deaths")
        assert sorted(path.name for path in house.home.glob("died-*")) == sorted(f"died-after-{s}" for s in DEATHS)
        await _certified(house, known)
        await _nothing_left(house)
        assert await house.accounts(engine) == {
            "journal": "agrees", "view": "agrees", "workflow": "erased", "history": "erased", "replay": "erased",
        }  # fmt: skip
        assert set((await house.accounts(house.other)).values()) == {"agrees"}, "somebody else is as they were"
    async with _restored(stack, before, kept_before) as restored:
        await _does_not_come_back(house, stack, restored)
        await _a_worker_begins_on_the_copies(house, stack, second_server, restored)


async def test_a_worker_that_dies_after_any_step_leaves_nobody_half_forgotten(
    stack: RealStack, database_url: str, journal_pool: Any, tmp_path: Path
) -> None:
    """Side by side: a person, a queue, a worker and its death for each step."""
    houses: dict[str, House] = {}
    for step in STEPS:
        engine = await make_engine(stack, journal_pool)
        houses[step] = House(engine, tmp_path / step, hatch(), other=engine)
    jobs: Jobs = {house.engine.queue: (house.home, (step,)) for step, house in houses.items()}
    for house in houses.values():
        house.home.mkdir()
    with workers(stack, database_url, jobs):
        await asyncio.gather(*(noted(house) for house in houses.values()))
        await asyncio.gather(*(house.erased() for house in houses.values()))
        for step, house in houses.items():
            assert [mark.name for mark in house.home.glob("died-*")] == [f"died-after-{step}"]
            kinds = [event.kind for event in await journal.read_all(journal_pool, f"person-{house.person}")]
            assert kinds == ["PersonRegistered", "ErasureOrdered", "PersonErased"], step
            assert list(await journal.parts(journal_pool, house.engine.stream)) == [], step
            keys = {person_key(house.person), finance_key(house.person)}
            assert set(await journal_pool.keys.destroyed(sorted(keys))) == keys, step
            assert keys <= set((house.home / "destroyed-keys").read_text().split()), step
            assert (await house.accounts(house.engine))["workflow"] == "erased", step


@pytest.mark.parametrize("began", ["now", "before"])
async def test_the_engine_forgets_before_kept_histories_go_and_what_began_otherwise_ends_so(
    stack: RealStack, began: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await Client.connect(stack.temporal, data_converter=temporal.DATA_CONVERTER)
    queue, asked = f"q-{uuid.uuid4()}", Erasing(person=str(uuid.uuid4()))
    done: list[str] = []
    results = {contract.ERASURE_CLOSE: True, contract.ERASURE_CERTIFY: 7}

    def step(name: str) -> Any:
        @activity.defn(name=name)
        async def taken(_: Erasing) -> Any:
            done.append(name)
            return results.get(name)

        return taken

    steps = [step(name) for name in (*erasure.STEPS, *results)]
    with monkeypatch.context() as patch:
        if began == "before":
            # As the code of before: without the mark, in its order.
            patch.setattr(erasure.workflow, "patched", lambda _: False)
        async with Worker(client, task_queue=queue, workflows=[erasure.ErasureWorkflow], activities=steps,
                          workflow_runner=UnsandboxedWorkflowRunner()):  # fmt: skip
            handle = await client.start_workflow(contract.ERASURE, asked, id=f"erasure-{asked.person}",
                                                 task_queue=queue, result_type=int)  # fmt: skip
            assert await handle.result() == 7
    wanted = erasure.STEPS if began == "now" else erasure.STEPS_OF_BEFORE
    assert done == [contract.ERASURE_CLOSE, *wanted, contract.ERASURE_CERTIFY]
    assert (wanted.index(contract.ERASURE_RUNS) < wanted.index(contract.ERASURE_DELETE)) is (began == "now")
    replayer = Replayer(workflows=[erasure.ErasureWorkflow], workflow_runner=UnsandboxedWorkflowRunner(),
                        data_converter=temporal.DATA_CONVERTER)  # fmt: skip
    await replayer.replay_workflow(await handle.fetch_history())


async def noted(house: House) -> None:
    """A person with a journey and a note, whose erasure is ordered."""
    engine, by = house.engine, By(actor="system", role="system", at=datetime.now(UTC))
    details = people.Details(first_name="Zoe", last_name=house.canaries.name)
    await people.register(engine.pool, engine.person, details, by)
    await engine.plan(release_in_days=5)
    answer = await engine.do(c.AddNote(), text=house.canaries.note)
    assert answer.outcome == "accepted", answer
    await house.order()


async def test_a_mentor_is_forgotten_with_the_letters_that_name_them_and_nothing_is_read_in_any_sink(
    stack: RealStack, database_url: str, house: House
) -> None:
    engine, pool, said = house.engine, house.engine.pool, house.canaries
    by = By(actor=engine.supervisor, role="supervisor", at=datetime.now(UTC))
    mentor = mentors.Mentor(
        id=str(uuid.uuid4()), name=said.mentor, email=f"{said.mentor}@example.org", phone=said.mentor_phone,
        language="fr", site=None, capacity=1,
    )  # fmt: skip
    await mentors.add(pool, mentor, by)
    outbox = FileOutbox(house.home / "outbox", partial(seal_letter, pool.keys))
    to_them, names_them, other = (str(uuid.uuid4()) for _ in range(3))
    for id, to, body in (
        (to_them, mentor.email, "Bonjour"), (names_them, "z@example.org", f"Avec {said.mentor}, demain"),
        (other, "z@example.org", f"{said.mentor}s"),
    ):  # fmt: skip
        assert to is not None
        await outbox.send(Letter(id=id, to=to, subject="Votre mentor", body=body, lang="fr", at=by.at))
    await contact_erasing.order(pool, "mentor", mentor.id, "person-asked", by)
    with workers(stack, database_url, {engine.queue: (house.home, ("letters", "destroy"))}):
        await temporal.begin_erasure(
            engine.client, Erasing(person=mentor.id, kind="mentor", step_seconds=3), engine.queue
        )
        done = engine.client.get_workflow_handle(f"erasure-mentor-{mentor.id}").result()
        await asyncio.wait_for(done, timeout=90)
    assert sorted(path.name for path in house.home.glob("died-*")) == ["died-after-destroy", "died-after-letters"]
    known = await erasing.ordered(pool, mentor.id, "mentor")
    assert known is not None and known.certificate is not None
    certificate = await erasing.certificate(pool, known)
    assert certificate is not None and isinstance(certificate.data, MentorErased)
    assert (certificate.data.held.letters, certificate.data.held.parts) == (2, 3)
    assert [path.stem for path in (house.home / "outbox").iterdir()] == [other]
    assert f"mentor-{mentor.id}" in (house.home / "destroyed-keys").read_text().split()
    assert (await pool.keys.destroyed([f"mentor-{mentor.id}"])) == {f"mentor-{mentor.id}"}
    for dump in (await dump_of(database_url), await dump_of(pool.keys.dsn)):
        for word in (said.mentor, said.mentor_phone):
            assert word.encode() not in dump and word.encode().hex().encode() not in dump


async def test_a_member_who_left_and_a_partner_are_forgotten_by_workers_that_die_and_no_dump_knows_them(
    stack: RealStack, database_url: str, house: House
) -> None:
    engine, pool, said = house.engine, house.engine.pool, house.canaries
    by = By(actor=engine.supervisor, role="supervisor", at=datetime.now(UTC))
    member = staff.Member(
        id=str(uuid.uuid4()), handle=said.member.lower(), name=said.member, email=f"{said.member}@example.org",
        phone=said.phone, language="fr", roles=("referent",), sites=(), active=True,
    )  # fmt: skip
    await staff.add(pool, member, by)
    await staff.set_active(pool, member.id, False, by)
    partner = partners.Partner(
        id=str(uuid.uuid4()), name=f"Foyer ({said.contact})", kind="housing", email=f"{said.contact}@example.org",
        phone=said.mentor_phone, language="fr", site=None,
    )  # fmt: skip
    await partners.add(pool, partner, by)
    await partners.leave(pool, partner.id, by)
    outbox = FileOutbox(house.home / "outbox", partial(seal_letter, pool.keys))
    for to in (member.email, partner.email):
        assert to is not None
        await outbox.send(Letter(id=str(uuid.uuid4()), to=to, subject="Rappel", body="Bonjour", lang="fr", at=by.at))
    await contact_erasing.order(pool, "staff", member.id, "person-asked", by)
    await contact_erasing.order(pool, "partner", partner.id, "person-asked", by)
    words = (said.member, said.member.lower(), said.phone, said.contact, said.mentor_phone)

    async def read() -> set[str]:
        dump = await dump_of(database_url)
        return {word for word in words if word.encode() in dump or word.encode().hex().encode() in dump}

    assert await read() == {said.member.lower()}, "a handle is plain, until it goes"
    with workers(stack, database_url, {engine.queue: (house.home, ("letters", "destroy", "delete"))}):
        for kind, id in (("staff", member.id), ("partner", partner.id)):
            asked = Erasing(person=id, kind=kind, step_seconds=3)  # type: ignore[arg-type]
            await temporal.begin_erasure(engine.client, asked, engine.queue)
            await asyncio.wait_for(engine.client.get_workflow_handle(f"erasure-{kind}-{id}").result(), timeout=90)
    deaths = sorted(path.name for path in house.home.glob("died-*"))
    assert deaths == ["died-after-delete", "died-after-destroy", "died-after-letters"]
    for order in await erasing.erasures(pool):
        certificate = await erasing.certificate(pool, order)
        assert certificate is not None and certificate.data.held.letters == 1  # type: ignore[attr-defined]
    assert list((house.home / "outbox").iterdir()) == []
    keys = {f"staff-{member.id}", f"partner-{partner.id}"}
    assert await pool.keys.destroyed(sorted(keys)) == keys
    assert keys <= set((house.home / "destroyed-keys").read_text().split())
    assert await read() == set()


async def _certified(house: House, known: erasing.Order) -> None:
    header = await erasing.certificate(house.engine.pool, known)
    assert header is not None and isinstance(header.data, PersonErased)
    assert header.data.keys == (person_key(house.person),)
    held = header.data.held
    assert held == Held(
        journeys=1, parts=held.parts, documents=1, histories=0, letters=held.letters, kept_parts=1,
        kept_until=held.kept_until, bank=NO_FILE,
    )  # fmt: skip
    assert held.parts >= 6 and held.kept_until is not None
    kinds = [event.kind for event in await journal.read_all(house.engine.pool, f"person-{house.person}")]
    assert kinds == ["PersonRegistered", "ErasureOrdered", "PersonErased"], "once, however often workers died"


async def _nothing_left(house: House) -> None:
    pool, person = house.engine.pool, house.person
    assert [part.name for part in await journal.parts(pool, house.engine.stream)] == ["payee"], "accounting keeps it"
    found = await people.person(pool, person)
    assert found is not None and found.name == ""
    assert await people.search(pool, house.canaries.name) == []
    assert await erasing.survey(pool, person) == Held(
        journeys=1, parts=0, documents=0, histories=0, letters=0, kept_parts=1,
        kept_until=(await erasing.survey(pool, person)).kept_until, bank=NO_FILE,
    )  # fmt: skip
    assert await temporal.EndedRuns(house.engine.client)._known(house.engine.stream) == set()
    with pytest.raises(NotFound):
        by = By(actor="system", role="system", at=datetime.now(UTC))
        await people.change(pool, person, people.Details(first_name="Zoe", last_name="Back"), by)
    answer = await house.engine.do(c.AddNote(), text="back")
    assert answer.code == "erasing", "nothing begins anew"


async def _does_not_come_back(house: House, stack: RealStack, before: str) -> None:
    """The copies of before are restored: first the record alone, then the keys too."""
    person = house.person
    async with _copies(stack, before) as name:
        ring = house.engine.pool.keys.ring
        today, back = Keys(house.engine.pool.keys.dsn, ring), Keys(stack.database_url(f"{name}_keys"), ring)
        restored = await open_pool(stack.database_url(name), keys=today)
        assert await restored.fetchval("SELECT count(*) FROM person_tokens WHERE person = $1", person), "the rows are"
        assert [part.name for part in await journal.parts(restored, house.engine.stream)] == ["payee"]
        found = await people.person(restored, person)
        assert found is not None and found.name == ""
        # A restored database of keys knows them again, until a worker begins: its list says which must be gone.
        restored.keys = back
        assert (await people.person(restored, person)).name.endswith(house.canaries.name)  # type: ignore[union-attr]
        assert await erasing.destroy_again(restored, house.home / "destroyed-keys") == 1
        assert (await people.person(restored, person)).name == ""  # type: ignore[union-attr]
        assert (await back.known([finance_key(person)]))[finance_key(person)].cipher is not None
        # The record of before knows of no order: what nothing seals, and whatever else is there, goes again.
        assert (await erasing.survey(restored, person)).documents == 1
        listed = house.home / "destroyed-keys"
        assert await erasing.order_again(restored, listed, datetime.now(UTC)) == [person]
        assert await erasing.order_again(restored, listed, datetime.now(UTC)) == []
        assert [each.person for each in await erasing.under_way(restored)] == [person]
        await erasing.delete(restored, person)
        assert (await erasing.survey(restored, person)).documents == 0
        await restored.close()
        await today.close()


@asynccontextmanager
async def _restored(stack: RealStack, before: bytes, kept_before: bytes) -> AsyncIterator[str]:
    """Both databases as they were before, from their dumps; gone in the end."""
    async with _pair(stack) as name:
        for each, dump in ((name, before), (f"{name}_keys", kept_before)):
            await _restore(stack.database_url(each), dump)
        yield name


@asynccontextmanager
async def _copies(stack: RealStack, restored: str) -> AsyncIterator[str]:
    """A copy of what was restored, to go on with."""
    async with _pair(stack, restored) as name:
        yield name


@asynccontextmanager
async def _pair(stack: RealStack, template: str | None = None) -> AsyncIterator[str]:
    """Two new databases, under this name and beside it; gone in the end."""
    name = f"restored_{uuid.uuid4().hex}"
    main = await asyncpg.connect(stack.database)
    try:
        for beside in ("", "_keys"):
            copied = f" TEMPLATE {template}{beside}" if template else ""
            await main.execute(f"CREATE DATABASE {name}{beside}{copied}")
        yield name
    finally:
        for beside in ("", "_keys"):
            await main.execute(f"DROP DATABASE IF EXISTS {name}{beside} WITH (FORCE)")
        await main.close()


@asynccontextmanager
async def _worker_of(
    house: House, database: tuple[str, str], address: str, program: Callable[[], None]
) -> AsyncIterator[str]:
    """A worker process of this record and its keys, from when it says that it is ready.

    Yields what it has said until then.
    """
    given = {
        "DATABASE_URL": database[0], "JOURNEYS_KEYS_DSN": database[1], "TEMPORAL_ADDRESS": address,
        "JOURNEYS_DATA_DIR": str(house.home),
        "JOURNEYS_SIGNING_KEY": RING.keys["test"].hex(), "JOURNEYS_SIGNING_KEY_ID": "test",
        "JOURNEYS_TASK_QUEUE": "restored",
    }  # fmt: skip
    said = house.home / f"said-{uuid.uuid4()}"
    said.touch()
    process = forking.begin(program, os.environ | given, said)
    try:
        async with asyncio.timeout(90):
            while "worker ready" not in said.read_text():
                assert process.is_alive(), said.read_text()
                await asyncio.sleep(0.05)
        yield said.read_text()
        process.terminate()
        await asyncio.to_thread(process.join, 30)
        assert process.exitcode == 0, said.read_text()
    finally:
        process.kill()
        process.join()


async def _a_worker_begins_on_the_copies(house: House, stack: RealStack, server: Client, before: str) -> None:
    """The worker, begun on what was restored, keeps them forgotten, and forgets the rest of them by itself."""
    address, person = server.service_client.config.target_host, house.person
    async with _copies(stack, before) as name:
        database = stack.database_url(name), stack.database_url(f"{name}_keys")
        assert await _name_in(stack, name, person) == f"Zoe {house.canaries.name}", "both copies know them"
        async with _worker_of(house, database, address, erasure_worker.without_its_guard):
            assert await _name_in(stack, name, person) == f"Zoe {house.canaries.name}", "the guard taken away"
        # The engine was restored too: it has the journey under way, and nobody can tell it anything.
        plainly = await Client.connect(address, data_converter=temporal.DATA_CONVERTER)
        stream = house.engine.stream
        await plainly.start_workflow(contract.WORKFLOW, contract.Begin(), id=stream, task_queue="nobody")
        async with _worker_of(house, database, address, worker.main) as said:
            assert "a backup had brought back" in said and "erased again" in said
            assert house.canaries.name not in said
            assert await _name_in(stack, name, person) == ""
            assert await _name_in(stack, name, house.other.person) != "", "somebody else is as they were"
            restored = await open_pool(database[0], keys=Keys(database[1], house.engine.pool.keys.ring))
            assert [part.name for part in await journal.parts(restored, house.engine.stream)] == ["payee"]
            await server.get_schedule_handle(contract.HOUSEKEEPING).trigger()
            async with asyncio.timeout(90):
                while (known := await erasing.ordered(restored, person)) is None or known.certificate is None:
                    await asyncio.sleep(0.5)
            left = await erasing.survey(restored, person)
            assert (left.parts, left.documents, left.letters, left.kept_parts) == (0, 0, 0, 1)
            assert await people.search(restored, house.canaries.name) == []
            assert await temporal.EndedRuns(plainly)._known(stream) == set()
            accounts = (await verify(Sources(restored, RING, plainly, [JourneyWorkflow]), stream)).accounts
            assert [account.verdict.value for account in accounts] == ["agrees"] * 2 + ["erased"] * 3
            await restored.close()
        async with _worker_of(house, database, address, worker.main) as said:
            assert "erased again" not in said and await _name_in(stack, name, person) == ""


async def _name_in(stack: RealStack, name: str, person: str) -> str:
    """How a person is called in a restored record, asked by somebody who remembers no key."""
    keys = Keys(stack.database_url(f"{name}_keys"), Keys.beside(stack.database).ring)
    pool = await open_pool(stack.database_url(name), keys=keys)
    found = await people.person(pool, person)
    await pool.close()
    await keys.close()
    assert found is not None
    return found.name


async def _restore(url: str, dump: bytes) -> None:
    restoring = await asyncio.create_subprocess_exec(
        binary("psql"), "--quiet", "--no-psqlrc", "--dbname", url, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await restoring.communicate(dump)
    assert restoring.returncode == 0


@pytest.mark.skipif(not WHOLE, reason="make campaign-erasure")
async def test_among_ten_thousand_journeys_it_takes_less_than_ten_seconds(
    stack: RealStack, database_url: str, house: House
) -> None:
    with workers(stack, database_url, {house.engine.queue: (house.home, ())}):
        await live(house.engine, house.canaries)
        await _crowd(database_url, house.engine.stream)
        await house.order()
        began = asyncio.get_running_loop().time()
        await house.erased()
        took = asyncio.get_running_loop().time() - began
    print(f"erased among {AMONG} journeys in {took:.1f} s")
    assert took < MOST_SECONDS
    began = asyncio.get_running_loop().time()
    later = datetime.now(UTC) + timedelta(days=800)
    planned = await retaining.plan(house.engine.pool, read_retention(), later, None)
    took = asyncio.get_running_loop().time() - began
    print(f"planned among {AMONG} people whose time is over in {took:.1f} s")
    assert sum(each.rule == "people" for each in planned.people) == AMONG and took < MOST_SECONDS


async def _crowd(database_url: str, stream: str) -> None:
    """As many others who lived what this one did, each under an id of their own."""
    owner = await asyncpg.connect(database_url, command_timeout=300)
    await owner.execute("CREATE TEMPORARY TABLE crowd AS SELECT gen_random_uuid() AS id, gen_random_uuid() AS person"
                        f" FROM generate_series(1, {AMONG})")  # fmt: skip
    for statement in (
        "INSERT INTO people (id, sealed) SELECT c.person, p.sealed FROM crowd c, people p WHERE p.id ="
        " (SELECT person FROM journeys WHERE 'journey-' || id = $1)",
        "INSERT INTO person_tokens (person, token) SELECT c.person, decode(md5(c.person::text), 'hex') FROM crowd c"
        " WHERE $1 <> ''",
        "INSERT INTO journeys (id, person, programme, status, phase, referent, site, seq, next_due, late, summary)"
        " SELECT c.id, c.person, j.programme, j.status, j.phase, j.referent, j.site, j.seq, j.next_due, j.late,"
        " j.summary FROM crowd c, journeys j WHERE 'journey-' || j.id = $1",
        "INSERT INTO streams (stream, seq, hash) SELECT 'journey-' || c.id, s.seq, s.hash FROM crowd c, streams s"
        " WHERE s.stream = $1",
        "INSERT INTO events (stream, seq, kind, header) SELECT 'journey-' || c.id, e.seq, e.kind, e.header"
        " FROM crowd c, events e WHERE e.stream = $1",
        "INSERT INTO parts (stream, seq, name, sealed) SELECT 'journey-' || c.id, p.seq, p.name, p.sealed"
        " FROM crowd c, parts p WHERE p.stream = $1",
    ):
        await owner.execute(statement, stream)
    await owner.execute("ANALYZE")
    await owner.close()
