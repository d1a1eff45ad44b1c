"""The embedded stack on real processes: what comes up, what comes back, what ends, who may start it."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from journeys import clock
from journeys.local import stack as local_stack
from journeys.local import temporal_server
from journeys.local.failures import AlreadyRunning, DataDirUnusable, OtherVersion, PathTooLong
from journeys.local.record import StackInfo, connect_running, read_record, write_record
from journeys.local.stack import Stack
from tests.local.conftest import eventually, processes_of

SUPERVISOR = Path(__file__).with_name("supervisor.py")


async def rows(url: str, question: str) -> list[object]:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return [record[0] for record in await connection.fetch(question)]
    finally:
        await connection.close()


def start_supervisor(*arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, str(SUPERVISOR), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(SUPERVISOR.parents[2])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def noted(notes: Path) -> bool:
    """The worker has written its first line, to the end."""
    return notes.exists() and notes.read_text().endswith("\n")


async def test_everything_comes_up_lives_through_kills_and_ends(
    data_dir: Path, worker_command: list[str], worker_notes: Path
) -> None:
    seen: list[StackInfo] = []

    async def migrate(info: StackInfo) -> None:
        seen.append(info)
        assert not worker_notes.exists()
        await rows(info.database_url, "CREATE TABLE kept (n int)")

    async with Stack.start(data_dir, worker_command=worker_command, after_start=migrate) as stack:
        assert eventually(lambda: noted(worker_notes))
        _, pid, url, address = worker_notes.read_text().split()
        assert (int(pid), url, address) == (
            stack.info.pids["worker"],
            stack.database_url,
            stack.temporal_address,
        )
        assert [info.database_url for info in seen] == [stack.database_url]
        assert connect_running(data_dir) == stack.info
        assert await rows(stack.database_url, "SHOW fsync") == ["on"]
        assert await rows(stack.database_url, "SELECT upper('é')") == ["É"]
        client = await Client.connect(stack.temporal_address)
        request = DescribeNamespaceRequest(namespace="default")
        answer = await client.workflow_service.describe_namespace(request)
        assert answer.config.workflow_execution_retention_ttl == Duration(seconds=90 * 24 * 3600)
        await client.start_workflow("Nobody", id="kept", task_queue="nobody")

        for part in ("postgres", "temporal", "worker"):
            await rows(stack.database_url, "INSERT INTO kept VALUES (1)")
            before = stack.info.pids[part]
            os.kill(before, signal.SIGKILL)
            while stack.info.pids[part] == before:
                await asyncio.sleep(0.01)
            await stack.wait_ready(10)
            assert connect_running(data_dir) == stack.info

        assert await rows(stack.database_url, "SELECT count(*) FROM kept") == [3]
        assert (await client.get_workflow_handle("kept").describe()).workflow_type == "Nobody"
        assert eventually(lambda: worker_notes.read_text().count("started") == 2)
        port = stack.temporal_address

    assert worker_notes.read_text().count("stopped") == 1
    assert connect_running(data_dir) is None
    assert processes_of(data_dir) == {}
    async with Stack.start(data_dir) as again:
        assert await rows(again.database_url, "SELECT count(*) FROM kept") == [3]
        assert again.temporal_address == port


async def test_killed_nothing_is_left_and_the_next_start_keeps_the_data_told_to_end_it_leaves_in_order(
    data_dir: Path, worker_command: list[str], worker_notes: Path
) -> None:
    supervisor = start_supervisor(data_dir, *worker_command)
    assert first_line(supervisor) == "up"
    info = connect_running(data_dir)
    assert info is not None and info.pid == supervisor.pid
    await rows(info.database_url, "CREATE TABLE kept AS SELECT 1 AS n")
    assert eventually(lambda: noted(worker_notes))
    assert {*info.pids.values()} <= processes_of(data_dir).keys() | {info.pids["worker"]}

    supervisor.kill()
    supervisor.wait()
    assert connect_running(data_dir) is None
    # Started at once, while what the killed one left is still dying.
    again = start_supervisor(data_dir, *worker_command)
    assert first_line(again) == "up"
    now = connect_running(data_dir)
    assert now is not None and now.temporal_address == info.temporal_address
    assert await rows(now.database_url, "SELECT n FROM kept") == [1]
    for pid in info.pids.values():
        assert not Path(f"/proc/{pid}/cwd").exists()

    worker = now.pids["worker"]
    assert eventually(lambda: f"started {worker} " in worker_notes.read_text())
    again.terminate()
    assert again.wait(30) == 0
    assert f"stopped {worker}\n" in worker_notes.read_text()
    assert processes_of(data_dir) == {}
    record = read_record(data_dir)
    assert record is not None and record.state == "stopped"


async def test_a_moved_clock_is_told_a_second_start_says_who_runs_and_its_pages_are_served_on_loopback(
    data_dir: Path,
) -> None:
    script = "import os, sys; open(sys.argv[1], 'w').write(os.environ['JOURNEYS_CLOCK_OFFSET'])"
    told = data_dir.parent / "offset"
    before = datetime.now(UTC)
    clock.set_offset(timedelta(days=181))
    try:
        command = [sys.executable, "-c", script, str(told)]
        async with Stack.start(data_dir, worker_command=command, ui=True) as stack:
            assert eventually(lambda: told.exists() and told.read_text() == "15638400.0")
            clock.set_offset(timedelta(days=182))
            stack.record_clock()
            running = connect_running(data_dir)
            assert running is not None and running.clock_offset == timedelta(days=182)
            clock.set_offset(timedelta())

            with pytest.raises(AlreadyRunning, match=f"processus {os.getpid()}, depuis") as refused:
                async with Stack.start(data_dir):
                    pass
            assert refused.value.pid == os.getpid()
            assert refused.value.since is not None and before <= refused.value.since <= datetime.now(UTC)
            other = start_supervisor(data_dir)
            assert f"process {os.getpid()}, since" in first_line(other)
            assert other.wait(30) == 1

            assert stack.info.ui_url is not None and stack.info.ui_url.startswith("http://127.0.0.1:")
            async with httpx.AsyncClient() as browser:
                assert (await browser.get(stack.info.ui_url)).status_code == 200
    finally:
        clock.set_offset(timedelta())


async def test_a_path_too_long_for_a_socket_is_said_before_anything_is_started(data_dir: Path) -> None:
    far = data_dir / ("d" * 60) / ("d" * 40)
    with pytest.raises(PathTooLong, match="JOURNEYS_DATA_DIR"):
        async with Stack.start(far):
            pass
    assert processes_of(data_dir) == {}


async def test_data_of_another_postgresql_are_refused_and_left_alone(data_dir: Path) -> None:
    cluster = data_dir / "postgres" / "data"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(OtherVersion, match="PostgreSQL 17"):
        async with Stack.start(data_dir):
            pass
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]


async def test_a_file_in_the_place_of_the_directory_is_said(data_dir: Path) -> None:
    data_dir.write_text("not a directory")
    with pytest.raises(DataDirUnusable, match="JOURNEYS_DATA_DIR"):
        async with Stack.start(data_dir):
            pass


async def test_a_cut_initdb_and_stale_pid_files_are_no_obstacle_and_what_fails_after_the_start_stops_everything(
    data_dir: Path,
) -> None:
    home = data_dir / "postgres"
    (home / "new-1234").mkdir(parents=True)
    (home / "new-1234" / "PG_VERSION").write_text("18\n")

    async def fail(info: StackInfo) -> None:
        assert not (home / "new-1234").exists()
        assert len(processes_of(data_dir)) >= 2
        raise ValueError("a migration")

    with pytest.raises(ValueError, match="a migration"):
        async with Stack.start(data_dir, after_start=fail):
            pass
    assert processes_of(data_dir) == {}
    # As after a reboot: the pid of a dead server now belongs to a living process, this one.
    (home / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{home / 'data'}\n1\n5432\n\n\n")
    async with Stack.start(data_dir) as stack:
        assert await rows(stack.database_url, "SELECT 1") == [1]


def test_a_record_without_its_lock_is_not_a_running_stack(data_dir: Path) -> None:
    data_dir.mkdir()
    info = StackInfo(
        state="running",
        pid=os.getpid(),
        started_at=datetime.now(UTC),
        data_dir=data_dir,
        database_url="postgresql://nowhere/",
        temporal_address="127.0.0.1:1",
        temporal_namespace="default",
        ui_url=None,
        time_skipping=False,
        clock_offset=timedelta(seconds=1.5),
        pids={"postgres": 1},
    )
    write_record(info)
    assert read_record(data_dir) == info
    assert connect_running(data_dir) is None
    (data_dir / "stack.lock").touch()
    assert connect_running(data_dir) is None
    (data_dir / "stack.json").write_text("{")
    assert read_record(data_dir) is None


def test_ports_are_those_of_last_time_where_free_and_never_the_same_twice() -> None:
    with contextlib.ExitStack() as held:
        first = temporal_server.hold_ports(held, ui=True)
        numbers = {first.frontend, first.http, first.metrics, first.ui}
        assert len(numbers) == 4 and 0 not in numbers
    with contextlib.ExitStack() as held:
        again = temporal_server.hold_ports(held, ui=True, frontend=first.frontend, ui_port=first.ui or 0)
        assert (again.frontend, again.ui) == (first.frontend, first.ui)


@pytest.mark.parametrize("skipping", [False, True])
def test_a_task_lost_with_its_workers_is_never_waited_for_by_minutes(tmp_path: Path, skipping: bool) -> None:
    """Decision 12 has what the server does without; a team's server is told the same (tests/architecture)."""
    ports = temporal_server.Ports(frontend=1, http=2, metrics=3, ui=None)
    asked = temporal_server.TemporalServer(tmp_path, ports, time_skipping=skipping).command().argv
    at = asked.index('history.workflowTaskRetryMaxInterval="5s"')
    assert asked[at - 1] == "--dynamic-config-value"


def test_a_run_that_has_just_ended_is_deleted_within_seconds(tmp_path: Path) -> None:
    """Decision 12 has what the server does without. tests/workflow/test_erasure.py deletes such runs."""
    ports = temporal_server.Ports(frontend=1, http=2, metrics=3, ui=None)
    asked = temporal_server.TemporalServer(tmp_path, ports).command().argv
    for queue in ("transfer", "visibility"):
        at = asked.index(f'history.{queue}ProcessorUpdateAckInterval="1s"')
        assert asked[at - 1] == "--dynamic-config-value"


def test_a_port_that_was_drawn_is_nobody_elses_before_its_server_listens() -> None:
    def takes(port: int, *, as_our_server: bool = False) -> bool:
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, as_our_server)
            try:
                other.bind(("127.0.0.1", port))
                other.listen()
            except OSError:
                return False
            return True

    with contextlib.ExitStack() as first, contextlib.ExitStack() as second:
        port = temporal_server.hold_port(first)
        assert not takes(port)
        assert takes(port, as_our_server=True)
        assert temporal_server.hold_port(second, port) != port, "another stack that wants it draws another"
        first.close()
        assert takes(port)
        assert temporal_server.hold_port(second, port) == port


async def test_two_stacks_of_the_same_instant_that_want_the_same_port_both_come_up(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.ExitStack() as held:
        wanted = temporal_server.hold_port(held)
    monkeypatch.setattr(local_stack, "_former_ports", lambda _: {"frontend": wanted})
    async with contextlib.AsyncExitStack() as running:
        places = data_dir, data_dir.with_name("other")
        stacks = await asyncio.gather(*(running.enter_async_context(Stack.start(place)) for place in places))
        addresses = [stack.temporal_address for stack in stacks]
        assert f"127.0.0.1:{wanted}" in addresses and len({*addresses}) == 2
        for stack in stacks:
            pid = stack.info.pids["temporal"]
            await (await Client.connect(stack.temporal_address)).start_workflow("Nobody", id="one", task_queue="nobody")
            assert stack.info.pids["temporal"] == pid, "it did not have to be started again"
