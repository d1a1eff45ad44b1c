"""What is said of a person is nowhere but sealed: in no file, dump, history or log."""

import asyncio
import hashlib
import io
import logging
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import asyncpg
import pytest
import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities import Resources, all_activities, posting
from activities.notary import Notary
from activities.sepa import SepaTill
from activities.tills import Tills
from journeys import telemetry, temporal
from journeys.app.web import serving
from journeys.audit.exporting import export_log
from journeys.authoring.reading import programme_text
from journeys.channels.outbox import FileOutbox
from journeys.domain import commands as c
from journeys.domain.document import Document
from journeys.domain.programme import Programme
from journeys.local.postgres import binary
from journeys.store import (
    documents,
    histories,
    keys,
    mentors,
    partners,
    people,
    publishing,
    sessions,
    staff,
    treasury,
    views,
)
from journeys.store.database import open_pool
from journeys.store.directory import By
from journeys.store.letters import seal_letter
from journeys.store.sealing import CannotUnseal
from tests.activities.conftest import PROGRAMME
from tests.audit.corrupting import SEED
from tests.conftest import RealStack
from tests.workflow import filling
from tests.workflow.conftest import RING, Engine, make_engine


@dataclass(frozen=True)
class Canaries:
    """Words that are found nowhere else, as a person's are written."""

    name: str
    iban: str
    phone: str
    prison_number: str
    note: str
    member: str
    """How somebody of the staff is called."""
    mentor: str
    mentor_phone: str
    contact: str
    """Whom one asks for at a partner's."""
    why: str
    """Why payments were stopped."""

    def all(self) -> list[bytes]:
        return [str(each).encode() for each in astuple(self)]

    @property
    def said(self) -> filling.Said:
        return filling.Said(self.name, self.iban, self.note)


def iban_of(number: int) -> str:
    """A French account whose key is right."""
    holder = f"{number:023d}"
    return f"FR{98 - int(holder + '152700') % 97:02d}{holder}"


def hatch() -> Canaries:
    mark = secrets.token_hex(4)
    number = int(mark, 16)
    return Canaries(
        f"Canari{mark}", iban_of(number), f"+336{number:010d}", f"ECROU-{mark}", f"vu-{mark}", f"Membre{mark}",
        f"Mentor{mark}", f"+337{number:010d}", f"Contact{mark}", f"doute-{mark}",
    )  # fmt: skip


def stumble_twice(monkeypatch: pytest.MonkeyPatch, canaries: Canaries) -> None:
    """Whoever writes the letters to staff stumbles twice, and quotes what it should not."""
    left: list[type[Exception]] = [ApplicationError, RuntimeError]
    write = posting.write_letter

    async def stumbling(resources: Resources, matter: Any, to: Any, *rest: Any) -> Any:
        letter, links = await write(resources, matter, to, *rest)
        if left and letter.to.startswith("referent"):
            raise left.pop()(f"cannot write {letter.body} of {canaries}")
        return letter, links

    monkeypatch.setattr(posting, "write_letter", stumbling)


async def settle_in(engine: Engine, canaries: Canaries) -> None:
    """A programme, a fund, the people of the house, and the one who is accompanied."""
    by = By(actor=engine.supervisor, role="administrator", at=datetime.now(UTC))
    text = programme_text(Programme.model_validate(PROGRAMME))
    engine.programme = await publishing.keep(engine.pool, "programme", "essai", text)
    for id, role in ((engine.referent, "referent"), (engine.supervisor, "supervisor")):
        member = staff.Member(
            id=id, handle=f"{role[:4]}{uuid.uuid4().hex[:6]}", name=canaries.member, email=f"{role}@example.org",
            phone=None, language="fr", roles=(role,), sites=(), active=True,
        )  # fmt: skip
        await staff.add(engine.pool, member, by)
    if not await engine.pool.fetchval("SELECT count(*) FROM funds"):
        await treasury.open_fund(engine.pool, str(uuid.uuid4()), "main", cap_per_person=None, balance=100_000, by=by)
    details = people.Details(
        first_name=canaries.name, last_name="Zoe", phone=canaries.phone, reference=canaries.prison_number,
        email=f"{canaries.note}@example.org", interests=canaries.note,
    )  # fmt: skip
    await people.register(engine.pool, engine.person, details, by)
    await people.change(engine.pool, engine.person, replace(details, place=canaries.note), by)
    mentor = mentors.Mentor(
        id=str(uuid.uuid4()), name=canaries.mentor, email=f"{canaries.mentor}@example.org", phone=canaries.mentor_phone,
        language="fr", site=None, capacity=1, interests=canaries.note,
    )  # fmt: skip
    await mentors.add(engine.pool, mentor, by)
    await mentors.describe(engine.pool, replace(mentor, place=canaries.note), by)
    house = partners.Partner(
        id=str(uuid.uuid4()), name=f"Foyer ({canaries.contact})", kind="housing", phone=canaries.mentor_phone,
        email=f"{canaries.contact}@example.org", language="fr", site=None,
    )  # fmt: skip
    await partners.add(engine.pool, house, by)
    assert await treasury.stop(engine.pool, canaries.why, by)
    stop = await treasury.stopped(engine.pool)
    assert stop is not None and (stop.why, stop.name) == (canaries.why, canaries.member)
    assert await treasury.resume(engine.pool, canaries.why, by)


async def live(engine: Engine, canaries: Canaries, home: Path) -> None:
    """A person, and a journey, in which each canary is said, shown, written to, paid, and stumbled over."""
    outbox = FileOutbox(home / "outbox", partial(seal_letter, engine.pool.keys))
    resources = Resources(pool=engine.pool, ring=RING, tills=Tills({"sepa": SepaTill(engine.pool, RING)}),
                          mailer=outbox, engine=filling.OnlyOurs(engine))  # fmt: skip
    engine.world.activities = lambda: all_activities(resources)  # type: ignore[method-assign]
    await settle_in(engine, canaries)
    text = f"{canaries.name} {canaries.phone} {canaries.prison_number} {canaries.note}"
    async with engine.worker():
        plan = c.Plan(person=engine.person, programme=engine.programme, calendar=engine.calendar,
                      referent=engine.referent)  # fmt: skip
        assert (await engine.send(engine.command(plan, datetime.now(UTC)))).outcome == "accepted"
        scan = f"%PDF-1.7 {text} {canaries.iban}".encode()
        digest = hashlib.sha256(scan).hexdigest()
        shown = Document(digest=digest, name=f"{canaries.name}.pdf", kind="pdf", size=len(scan)).as_part()
        noted = await engine.do(c.AddNote(), text=text, document=shown)
        assert noted.outcome == "accepted"
        await documents.keep(engine.pool, engine.stream, noted.command, digest, scan)
        asked = await engine.do(c.RequestGrant(grant="help", purpose="training", amount=10_000),
                                payee=f"{canaries.name}, {canaries.iban}", note=canaries.note)  # fmt: skip
        requested = next(event for event in await engine.events() if event.kind == "GrantRequested")
        await engine.do(c.ApproveGrant(grant=asked.command, digest=requested.data.digest),  # type: ignore[attr-defined]
                        actor=engine.supervisor, roles=("supervisor",))  # fmt: skip
        await engine.pass_days(8)
        await engine.do(c.AddNote(), text=canaries.note)
        await filling.bank_day(engine, canaries.said)
        await filling.on_paper(engine, canaries.said)
        closed = await engine.do(c.Close(outcome="withdrawn"), actor=engine.supervisor, roles=("supervisor",))
        assert closed.outcome == "accepted", closed
        await engine.handle().result()
    await filling.keep_history(engine, resources)
    kinds = {event.kind for event in await engine.events()}
    assert {"MessageSent", "EscalationTold", "PaymentSettled"} <= kinds
    token = await sessions.open_session(engine.pool, engine.referent, "password")
    await sessions.keep_form(engine.pool, token, f"text={text}")


SEALED = {
    "documents": "documents", "forms": "kept_forms", "transfers": "transfers", "files for the bank": "batch_files",
    "lines of the bank": "bank_texts", "letters on paper": "paper_letters",
}  # fmt: skip
"""Tables with words of people in them."""


async def files_of(stack: RealStack, database: str, since: str) -> list[Path]:
    """Where a database keeps what it holds, and the log of what was written since."""
    connection = await asyncpg.connect(database)
    try:
        home = Path(await connection.fetchval("SHOW data_directory"))
        oid = await connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
        first = await connection.fetchval("SELECT pg_walfile_name($1::text::pg_lsn)", since)
        last = await connection.fetchval("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
    logs = [path for path in (home / "pg_wal").iterdir() if first <= path.name <= last]
    return [*(home / "base" / str(oid)).iterdir(), *logs, home.parents[1] / "log" / "postgres.log"]


async def dump_of(database: str) -> bytes:
    asking = await asyncio.create_subprocess_exec(
        binary("pg_dump"), "--dbname", database, stdout=asyncio.subprocess.PIPE
    )
    found, _ = await asking.communicate()
    assert asking.returncode == 0
    return found


async def export_of(engine: Engine, database: str, home: Path, *, disclose: bool) -> bytes:
    """What an auditor is handed, in one."""
    sequencer = await open_pool(database, role="journeys_sequencer", largest=2)
    await Notary(sequencer, engine.pool, home / "own", SEED).round(datetime.now(UTC))
    await sequencer.close()
    (home / "export").mkdir()
    await export_log(engine.pool, RING, home / "export", datetime.now(UTC), disclose=disclose)
    return b"".join(path.read_bytes() for path in (home / "export").rglob("*") if path.is_file())


def metrics_of(home: Path) -> bytes:
    """What the Temporal server of this stack counts, as its collector would read it."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "--metrics-port" in words and any(str(home) in word for word in words):
            with urlopen(f"http://127.0.0.1:{words[words.index('--metrics-port') + 1]}/metrics", timeout=10) as answer:
                read: bytes = answer.read()
                return read
    raise AssertionError("no Temporal server of this stack")


async def sinks(
    stack: RealStack, database: str, engine: Engine, since: str, log: str, own: Path, *, disclose: bool
) -> dict[str, bytes]:
    """Everything that somebody could look into who has no key."""
    found = {"log": log.encode(), "export": await export_of(engine, database, own, disclose=disclose)}
    for letter in (own / "outbox").iterdir():
        found[f"outbox {letter.name}"] = letter.read_bytes()
    for name, dsn in (("journal", database), ("keys", engine.pool.keys.dsn)):
        for path in await files_of(stack, dsn, since):
            found[f"{name} file {path.name}"] = path.read_bytes()
        found[f"{name} dump"] = await dump_of(dsn)
    connection = await asyncpg.connect(database)
    for name, table in SEALED.items():
        found[name] = b"".join(row["sealed"] for row in await connection.fetch(f"SELECT sealed FROM {table}"))
    rows = await connection.fetch("SELECT sealed FROM history_files JOIN histories USING (run) WHERE stream = $1",
                                  engine.stream)  # fmt: skip
    found["kept histories"] = b"".join(filling.opened(row["sealed"]) for row in rows)
    await connection.close()
    handle = engine.handle()
    history = await handle.fetch_history()
    found["history"] = b"".join(event.SerializeToString() for event in history.events)
    found["failures"] = b"".join(
        event.activity_task_started_event_attributes.last_failure.SerializeToString() for event in history.events
    )
    described = (await handle.describe()).raw_description
    found["attributes"] = described.workflow_execution_info.search_attributes.SerializeToString()
    found["description"] = described.SerializeToString()
    listed = [run async for run in engine.client.list_workflows(f"WorkflowId = '{engine.stream}'")]
    found["listed"] = b"".join(run.raw_info.SerializeToString() for run in listed)
    assert listed and listed[0].status is not WorkflowExecutionStatus.FAILED
    home = next(path for path in Path(found_home(database)).parents if (path / "temporal").is_dir())
    found["metrics"] = await asyncio.to_thread(metrics_of, home)
    for path in (home / "temporal").rglob("*"):
        if path.is_file():
            found[f"Temporal's {path.name}"] = path.read_bytes()
    for path in (home / "log").iterdir():
        found[f"log {path.name}"] = path.read_bytes()
    return found


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """All that is logged, in the form in which it leaves."""
    root, said = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    telemetry.configure(stream=said, level="DEBUG")
    try:
        yield said
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


def found_home(database: str) -> str:
    """The folder of the server's socket."""
    from urllib.parse import parse_qs, urlsplit

    return parse_qs(urlsplit(database).query)["host"][0]


def _fours(iban: bytes) -> list[bytes]:
    """An account as people write it."""
    return [iban[start : start + 4] for start in range(0, len(iban), 4)]


def hits(found: dict[str, bytes], canaries: Canaries) -> set[str]:
    """The sinks in which a canary stands, as it is or as a dump writes bytes."""
    spaced = b" ".join(each for each in _fours(canaries.iban.encode()))
    wanted = [form for each in (*canaries.all(), spaced) for form in (each, each.hex().encode())]
    return {name for name, content in found.items() if any(form in content for form in wanted)}


async def leak(patch: pytest.MonkeyPatch, engine: Engine, leaks: Canaries) -> None:
    """What the sealing has no part in tells too: names of queues, search attributes, rows of keys, statements that
    fail."""
    engine.queue += f"-{leaks.name}"
    asked = AddSearchAttributesRequest(
        namespace=engine.client.namespace, search_attributes={LEAKING.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}
    )
    with suppress(RPCError):  # Another run of these tests has made it on this server.
        await engine.client.operator_service.add_search_attributes(asked)
    attributes = TypedSearchAttributes([SearchAttributePair(LEAKING, leaks.prison_number)])
    starting = partial(temporal.WithStartWorkflowOperation, search_attributes=attributes)
    patch.setattr(temporal, "WithStartWorkflowOperation", starting)
    kind_of = keys._kind_of

    def telling(id: str) -> tuple[str, str]:
        kind, subject = kind_of(id)
        return kind, f"{subject} {leaks.phone}"

    patch.setattr(keys, "_kind_of", telling)
    with suppress(asyncpg.PostgresError):
        await engine.pool.execute(f"SELECT of_nothing FROM nowhere WHERE note = '{leaks.note}'")


LEAKING = SearchAttributeKey.for_keyword("LeakingForATest")


async def test_no_sink_knows_a_person_and_the_search_would_find_one(
    stack: RealStack, database_url: str, journal_pool: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: Any
) -> None:
    async def look(canaries: Canaries, *, disclose: bool, leaks: Canaries | None = None) -> dict[str, bytes]:
        since = await journal_pool.fetchval("SELECT pg_current_wal_lsn()::text")
        engine = await make_engine(stack, journal_pool)
        stumble_twice(monkeypatch, canaries)
        if leaks is not None:
            await leak(monkeypatch, engine, leaks)
        own = tmp_path / canaries.note
        with logged() as log:
            await live(engine, canaries, own)
            said, before = log.getvalue() + "".join(capfd.readouterr()), len(log.getvalue())
            await filling.browse(stack, database_url, engine, canaries.said, own)
            served = log.getvalue()[before:] + "".join(capfd.readouterr())
        found = await sinks(stack, database_url, engine, since, said, own, disclose=disclose)
        return found | {"web log": served.encode()}

    # Whoever searches for one word meets an error that quotes what was typed.
    search = views.found

    async def stumble(connection: Any, words: str, digits: str, typed: str, *rest: Any) -> Any:
        if filling.STUMBLE in typed:
            raise RuntimeError(f"cannot search {typed}")
        return await search(connection, words, digits, typed, *rest)

    monkeypatch.setattr(views, "found", stumble)

    safe = hatch()
    found = await look(safe, disclose=False)
    assert len(found) > 30 and len(found["history"]) > 5_000
    filled = ("log", "web log", "export", "kept histories", "failures", "attributes", "metrics", *SEALED)
    assert all(found[name] for name in filled), [name for name in filled if not found[name]]
    assert b"RuntimeError at" in found["log"] and b"RuntimeError at" in found["web log"]
    assert sum(name.startswith("outbox") for name in found) > 2
    assert hits(found, safe) == set()

    # Without the sealing every sink tells.
    def plain(cipher: Any, id: str, plain: bytes, place: str) -> bytes:
        return bytes([1, len(id)]) + id.encode() + plain

    unsealed = keys.unseal_with

    def either(cipher: Any, sealed: bytes, place: str) -> bytes:
        try:
            return unsealed(cipher, sealed, place)
        except CannotUnseal:
            return sealed[2 + sealed[1] :]

    monkeypatch.setattr(keys, "seal_with", plain)
    monkeypatch.setattr(sessions, "seal_with", plain)
    monkeypatch.setattr(histories, "seal", lambda ring, text, place: plain(None, ring.current_id, text, place))
    monkeypatch.setattr(histories, "unseal", lambda ring, sealed, place: sealed[2 + sealed[1] :])
    monkeypatch.setattr(keys, "unseal_with", either)
    monkeypatch.setattr(telemetry, "errors_by_place", lambda _, __, entry: entry | {"reason": str(entry)})
    config = serving.uvicorn.Config
    talking = {"access_log": True, "log_level": "info"}
    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "propagate", True)
    monkeypatch.setattr(serving.uvicorn, "Config", lambda app, **settings: config(app, **(settings | talking)))
    journal_pool.keys.terminate()
    bare, leaks = hatch(), hatch()
    found = await look(bare, disclose=True, leaks=leaks)
    told = hits(found, bare)
    assert {*SEALED, "journal dump", "history", "kept histories", "failures", "export", "log", "web log"} <= told
    assert b"GET /recherche?q=" + bare.name.encode() in found["web log"]
    for each in bare.all():
        assert each in found["journal dump"] or each.hex().encode() in found["journal dump"], each
    for sink in ("journal file", "Temporal's", "outbox"):
        assert any(name.startswith(sink) for name in told), sink
    # Each of these is found where it leaked, by its own word.
    for sink, word in (
        ("metrics", leaks.name), ("attributes", leaks.prison_number), ("listed", leaks.prison_number),
        ("keys dump", leaks.phone), ("keys file", leaks.phone), ("log postgres.log", leaks.note),
    ):  # fmt: skip
        assert any(name.startswith(sink) for name in hits(found, Canaries(*[word] * len(leaks.all())))), sink
