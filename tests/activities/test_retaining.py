"""What has been kept long enough: shown without changing anything, gone only as the rules say, never who is held."""

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.worker import Worker

from activities.retention import Retaining
from journeys import contract, temporal
from journeys.authoring.retention import read_retention
from journeys.channels.outbox import FileOutbox, LyingLetters
from journeys.contract import Controlling, Erasing, Retained
from journeys.domain import commands as c
from journeys.domain.directory import RetentionApplied, read_fact
from journeys.domain.retention import Hold, Retention
from journeys.domain.rota import Shift
from journeys.store import erasing, journal, mentors, people, replays, retaining, rota, sessions
from tests.activities.conftest import MONDAY, Life, make_life
from tests.conftest import RealStack
from workflows.retention import RetentionWorkflow

LATER = MONDAY + timedelta(days=800)
RULES = read_retention()
APPLIED = Retention.model_validate(
    RULES.model_dump(mode="json", exclude_none=True)
    | {"rules": {name: RULES.rules.of(name).model_dump(mode="json", exclude_none=True) | {"daily": "apply"}
                 for name in retaining.RULES}}
)  # fmt: skip


@pytest_asyncio.fixture
async def life(journal_pool: Any) -> Life:
    made = await make_life(journal_pool)
    await made.begin()
    return made


@pytest_asyncio.fixture
async def contents(database_url: str) -> AsyncIterator[Callable[[], Awaitable[dict[str, str]]]]:
    """Every row of every table, as one hash a table."""
    owner = await asyncpg.connect(database_url)

    async def read() -> dict[str, str]:
        names = [row["n"] for row in await owner.fetch(
            "SELECT table_name AS n FROM information_schema.tables WHERE table_schema = 'public'"
            " AND table_type = 'BASE TABLE'")]  # fmt: skip
        return {name: await owner.fetchval(f'SELECT md5(coalesce(string_agg(t::text, $1 ORDER BY t::text), $1))'
                                           f' FROM "{name}" t', "\n") for name in names}  # fmt: skip

    yield read
    await owner.close()


async def held(life: Life, at: datetime) -> set[Hold] | None:
    """Why the person stays; None: their time is not over."""
    planned = await retaining.plan(life.pool, RULES, at, None)
    found = [each for each in planned.people if each.standing.person == life.person]
    assert all(each.goes(planned.today) == (each in planned.going) for each in found)
    return set(found[0].standing.holds) if found else None


async def test_a_plan_tells_what_would_go_and_changes_no_row_and_no_file(
    life: Life, contents: Callable[[], Awaitable[dict[str, str]]], tmp_path: Path
) -> None:
    await life.do(c.Close(outcome="completed"))
    await people.register(life.pool, str(uuid.uuid4()), people.Details(first_name="Zoé", last_name="Seule"), life.by)
    await _old_rows(life, tmp_path)
    before, files = await contents(), sorted(tmp_path.iterdir())
    planned = await retaining.plan(life.pool, RULES, LATER, LyingLetters(tmp_path))
    assert {each.rule for each in planned.going} == {"people", "unstarted"}
    assert {each.rule: each.count for each in planned.rows} == {
        "letters": 1, "histories": 1, "bank": 0, "sessions": 1, "tokens": 1, "forms": 1, "digests": 1, "shifts": 1,
        "verifications": 1,
    }  # fmt: skip
    resources = replace(life.resources, retention=RULES, mailer=FileOutbox(tmp_path, _sealed))
    nothing = RULES.model_copy(update={"rules": RULES.rules.model_copy(update={
        name: RULES.rules.of(name).model_copy(update={"daily": "propose"}) for name in retaining.RULES})})  # fmt: skip
    proposed = await Retaining(replace(resources, retention=nothing)).round(Controlling(run="r", at=LATER))
    assert proposed == Retained(due=2, held=0, gone={})
    assert (await contents(), sorted(tmp_path.iterdir())) == (before, files)


async def test_what_is_applied_goes_once_and_is_on_record(life: Life, tmp_path: Path) -> None:
    await life.do(c.Close(outcome="completed"))
    await _old_rows(life, tmp_path)
    begun: list[Erasing] = []

    async def begin(asked: Erasing) -> None:
        begun.append(asked)

    resources = replace(life.resources, retention=APPLIED, mailer=FileOutbox(tmp_path, _sealed), begin_erasure=begin)
    did = await Retaining(resources).round(Controlling(run="r", at=LATER))
    gone = {"people": 1, "letters": 1, "histories": 1, "sessions": 1, "tokens": 1, "forms": 1}
    gone |= {"digests": 1, "shifts": 1, "verifications": 1}
    assert (did.due, did.held) == (1, 0) and {name: n for name, n in did.gone.items() if n} == gone
    assert begun == [Erasing(person=life.person)]
    known = await erasing.ordered(life.pool, life.person)
    assert known is not None and (known.reason, known.by) == ("kept-long-enough", "system")
    stored = [e for e in await journal.read_all(life.pool, "system") if e.kind == RetentionApplied.__name__]
    rows, somebody = (read_fact(each.kind, each.header).data for each in stored)
    assert isinstance(rows, RetentionApplied) and isinstance(somebody, RetentionApplied)
    assert rows.gone | somebody.gone == gone and somebody.kept == {"people": "24 months"}
    again = await Retaining(resources).round(Controlling(run="r", at=LATER))
    assert (again.due, again.held, sum(again.gone.values())) == (1, 1, 0), "an erasure under way is not begun anew"
    assert [file.name for file in tmp_path.iterdir()] == ["new.sealed"]


async def test_a_round_is_made_every_day_and_takes_what_its_rules_say(stack: RealStack, life: Life) -> None:
    queue = f"q-{uuid.uuid4()}"
    client = await Client.connect(stack.temporal, data_converter=temporal.DATA_CONVERTER)
    resources = replace(life.resources, retention=RULES)
    worker = Worker(
        client, task_queue=queue, workflows=[RetentionWorkflow], activities=[Retaining(resources).round],
        workflow_runner=temporal.sandbox_runner(),
    )  # fmt: skip
    async with worker:
        found = await client.execute_workflow(contract.RETENTION, id=f"retention-{uuid.uuid4()}", task_queue=queue,
                                              result_type=Retained)  # fmt: skip
    applied = {"sessions": 0, "tokens": 0, "forms": 0, "digests": 0, "shifts": 0, "verifications": 0}
    assert found == Retained(due=0, held=0, gone=applied), "the rules that say apply"
    try:
        for _ in range(2):
            await temporal.retain_daily(client, queue)
        made = await client.get_schedule_handle(contract.RETENTION).describe()
        (daily,) = made.schedule.spec.calendars
        assert (daily.hour[0].start, made.schedule.spec.time_zone_name) == (5, "Europe/Paris")
    finally:
        await client.get_schedule_handle(contract.RETENTION).delete()


async def test_who_is_held_stays_and_it_is_said_why(life: Life) -> None:
    assert await held(life, MONDAY + timedelta(days=690)) is None, "the time is not over"
    assert Hold.JOURNEY in (await held(life, LATER) or set())
    await life.granted("FR76")
    await life.do(c.Close(outcome="completed"))
    assert await held(life, LATER) == {Hold.MONEY}


async def test_a_journey_taken_up_between_plan_and_order_is_seen_under_the_lock(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    await life.do(c.Close(outcome="completed"))
    planned = await retaining.plan(life.pool, APPLIED, LATER, None)
    assert [each.standing.person for each in planned.going] == [life.person]
    life.now = LATER
    await life.do(c.Reopen(), actor=life.supervisor, role="supervisor", reason="il revient")
    assert (await retaining.apply(life.pool, planned, retaining.RULES, None, life.by)).ordered == ()

    async def unseen(*_: Any) -> dict[str, Any]:
        return {}

    monkeypatch.setattr(retaining, "_holds", unseen)
    monkeypatch.setattr(retaining, "falling", lambda standing, rules: planned.going[0])
    ordered = (await retaining.apply(life.pool, planned, retaining.RULES, None, life.by)).ordered
    assert ordered == (Erasing(person=life.person),)


async def test_a_mentor_goes_once_nobody_counts_on_them_and_nothing_was_noted_of_them(life: Life) -> None:
    quiet, busy = str(uuid.uuid4()), str(uuid.uuid4())
    for id in (quiet, busy):
        mentor = mentors.Mentor(id=id, name="Lina", email=None, phone=None, language="fr", site=None, capacity=1)
        await mentors.add(life.pool, mentor, life.by)
    life.now += timedelta(days=300)
    await life.do(c.ProposeMentor(mentor=busy))
    found = await retaining.plan(life.pool, RULES, MONDAY + timedelta(days=735), None)
    assert [each.standing.person for each in found.people if each.rule == "mentors"] == [quiet]
    planned = await retaining.plan(life.pool, RULES, MONDAY + timedelta(days=1100), None)
    holds = {each.standing.person: set(each.standing.holds) for each in planned.people if each.rule == "mentors"}
    assert holds == {quiet: set(), busy: {Hold.MENTORING}}
    begins = MONDAY + timedelta(days=1100, hours=6)
    shift = Shift(str(uuid.uuid4()), "duty", None, quiet, begins, begins + timedelta(hours=2))
    await rota.add(life.pool, [shift], "+33612", life.by)
    on_call = await retaining.plan(life.pool, RULES, MONDAY + timedelta(days=1100), None)
    assert {Hold.ON_CALL} in [set(each.standing.holds) for each in on_call.people if each.standing.person == quiet]
    assert quiet not in [each.standing.person for each in on_call.going], "what is not ordered is not promised"
    await rota.drop(life.pool, shift.id, life.by)
    done = await retaining.apply(life.pool, planned, ["mentors"], None, life.by)
    assert (done.ordered, done.counts) == ((Erasing(person=quiet, kind="mentor"),), {"mentors": 1})
    again = await retaining.plan(life.pool, RULES, MONDAY + timedelta(days=1100), None)
    assert {each.standing.person: set(each.standing.holds) for each in again.people if each.rule == "mentors"} == {
        quiet: {Hold.ERASING}, busy: {Hold.MENTORING},
    }  # fmt: skip


async def test_a_round_forgets_at_most_so_many(life: Life) -> None:
    for _ in range(3):
        await people.register(life.pool, str(uuid.uuid4()), people.Details(first_name="Zoé", last_name="Seule"),
                              life.by)  # fmt: skip
    rules, by = APPLIED.model_copy(update={"at_most": 2}), replace(life.by, at=LATER)
    planned = await retaining.plan(life.pool, rules, LATER, None)
    done = await retaining.apply(life.pool, planned, ["unstarted"], None, by)
    assert done.counts == {"unstarted": 2}, "whoever waits under another rule takes nobody's place"
    # Tried again the same day, as a round is that broke off, it forgets nobody more; the next day goes on.
    for day, more in ((LATER, 0), (LATER + timedelta(days=1), 1)):
        planned = await retaining.plan(life.pool, rules, day, None)
        done = await retaining.apply(life.pool, planned, ["unstarted"], None, replace(by, at=day))
        assert done.counts == {"unstarted": more}


async def test_the_database_lets_nobody_make_a_token_or_a_history_go_early(life: Life) -> None:
    now = datetime.now(UTC)
    for statement in ("SELECT tokens_forget($1)", "SELECT histories_forget($1)", "SELECT verifications_forget($1)",
                      "SELECT replays_forget($1)"):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await life.pool.fetchval(statement, now)
    for table in ("tokens", "history_files", "verifications", "replays"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await life.pool.execute(f"DELETE FROM {table}")


async def test_what_was_just_found_or_told_stays_and_so_does_what_is_still_of_use(
    life: Life, database_url: str
) -> None:
    now = datetime.now(UTC)
    await _told(life, "duty", now - timedelta(days=400), now - timedelta(days=400))
    await _told(life, life.referent, now - timedelta(days=400), now - timedelta(days=400), life.stream)
    await _told(life, life.supervisor, now - timedelta(days=2), now)
    await _shift(life, now - timedelta(days=400))
    await _shift(life, now)
    for run, days in (("old", 500), ("older", 600), ("new", 3)):
        await _verified(life, run, now - timedelta(days=days))
        await replays.begin(life.pool, run, str(uuid.uuid4()), now - timedelta(days=days), 1)
    owner = await asyncpg.connect(database_url)
    for table, which in (("digests", "ended_at > $1"), ("verifications", "at > $1"), ("replays", "begun > $1")):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute(f"DELETE FROM {table} WHERE {which}", now - timedelta(days=20))
    planned = await retaining.plan(life.pool, RULES, now, None)
    due = {each.rule: each.count for each in planned.rows}
    assert (due["digests"], due["shifts"], due["verifications"]) == (1, 1, 4), "an alert of an open journey is kept"
    done = await retaining.apply(life.pool, planned, ["digests", "shifts", "verifications"], None, life.by)
    assert done.counts == {"digests": 1, "shifts": 1, "verifications": 4}
    left = await owner.fetch("SELECT recipient FROM digests ORDER BY recipient")
    assert {row["recipient"] for row in left} == {life.referent, life.supervisor}
    for table in ("verifications", "replays"):
        assert await owner.fetchval(f"SELECT string_agg(run, ' ') FROM {table}") == "new"
    # Without the guards they would go.
    await owner.execute("DROP TRIGGER left_stays_a_month ON digests; DROP TRIGGER stays_a_month ON verifications")
    assert await owner.execute("DELETE FROM digests") == "DELETE 2"
    assert await owner.execute("DELETE FROM verifications") == "DELETE 1"
    await owner.close()


async def test_the_last_verification_stays_however_old_it_is(life: Life) -> None:
    await _verified(life, "ahead", LATER + timedelta(days=400))
    await _verified(life, "only", datetime(2020, 1, 1, tzinfo=UTC))
    planned = await retaining.plan(life.pool, RULES, LATER, None)
    assert {each.rule: each.count for each in planned.rows}["verifications"] == 0
    done = await retaining.apply(life.pool, planned, ["verifications"], None, life.by)
    assert done.counts == {"verifications": 0}
    assert await life.pool.fetchval("SELECT count(*) FROM verifications") == 2, "whatever a clock said before"


async def _told(life: Life, recipient: str, begun: datetime, ended: datetime, stream: str | None = None) -> None:
    await life.pool.execute(
        "INSERT INTO digests (recipient, day, at, until, begun_at, ended_at, fate)"
        " VALUES ($1, $2, $3, $3, $3, $4, 'sent')",
        recipient, begun.date(), begun, ended,
    )  # fmt: skip
    if stream is not None:
        await life.pool.execute("INSERT INTO digest_lines VALUES ($1, 1, $2, $3, 'referent')", stream, recipient,
                                begun.date())  # fmt: skip


async def _shift(life: Life, ends: datetime) -> None:
    await life.pool.execute(
        "INSERT INTO shifts (id, role, staff, begins, ends) VALUES ($1, 'duty', $2, $3, $4)",
        uuid.uuid4(), life.referent, ends - timedelta(hours=8), ends,
    )  # fmt: skip


async def _verified(life: Life, run: str, at: datetime) -> None:
    await life.pool.execute("INSERT INTO verifications (run, at, wrong, found) VALUES ($1, $2, 0, '{}')", run, at)


async def _sealed(*_: Any) -> bytes:
    return b"sealed"


async def _old_rows(life: Life, outbox: Path) -> None:
    """One of each that has been kept long enough at LATER, and a letter that has not."""
    token = await sessions.open_session(life.pool, life.referent, "password")
    await sessions.keep_form(life.pool, token, "a=1")
    old = datetime(2020, 1, 1, tzinfo=UTC)
    await life.pool.execute("UPDATE sessions SET ends_at = $1", old)
    await life.pool.execute(
        "INSERT INTO kept_forms (key, session, sealed, kept_at)"
        " SELECT sha256('x'), session, sealed, $1 FROM kept_forms",
        old,
    )
    await life.pool.execute(
        "INSERT INTO tokens (id, hash, staff, name, expires_at) VALUES ($1, sha256('x'), $2, 'old', $3)",
        uuid.uuid4(), life.referent, old,
    )  # fmt: skip
    await _told(life, "duty", old, old)
    await _shift(life, old)
    await _verified(life, "old", old)
    await _verified(life, "new", datetime.now(UTC))
    for stream in (life.stream, f"journey-{uuid.uuid4()}"):
        run = uuid.uuid4()
        await life.pool.execute(
            "INSERT INTO histories (run, stream, digest, events, closed_at, seq)"
            " VALUES ($1, $2, sha256('x'), 1, $3, 1)",
            run, stream, old if stream == life.stream else LATER,
        )  # fmt: skip
        await life.pool.execute("INSERT INTO history_files (run, sealed) VALUES ($1, 'x')", run)
    for name, at in (("old", old), ("new", LATER)):
        file = outbox / f"{name}.sealed"
        file.write_bytes(b"x")
        os.utime(file, (at.timestamp(), at.timestamp()))
