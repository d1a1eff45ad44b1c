"""A full disk, on a small file system of its own: said plainly, nothing acknowledged lost, recovered by itself."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from journeys import temporal

from .conftest import REPOSITORY, Journeys, Said, in_its_own, in_this_process, plain_environment

WHOLE = "200m"
LONGEST_SECONDS = 60.0
"""A command whose answer does not come gives up after its patience; the machine may be busy."""
HASTY = timedelta(seconds=8)
"""Less patient than the half minute of ours."""


@dataclass
class Disk:
    """A file system in memory that can be made larger, and filled to its last byte."""

    place: Path

    @property
    def data(self) -> Path:
        return self.place / "data"

    def enlarge(self) -> None:
        subprocess.run(["mount", "-o", f"remount,size={WHOLE}", str(self.place)], check=True)

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        filler = self.place / "filler"
        try:
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(bytes(4096)):
                    pass
            yield
        finally:
            filler.unlink()

    def journeys(self, *words: str) -> Said:
        return in_this_process(*words, JOURNEYS_DATA_DIR=str(self.data))


@pytest.fixture
def disk(journeys: Journeys, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """20 MB: too small for a cluster."""
    monkeypatch.setattr(temporal, "PATIENCE", HASTY)
    place = Path(tempfile.mkdtemp(prefix="full-"))
    place.chmod(0o755)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m,mode=755", "tmpfs", str(place)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        place.rmdir()
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield Disk(place)
    subprocess.run(["umount", str(place)], check=True)
    place.rmdir()


@contextlib.contextmanager
def running(disk: Disk) -> Iterator[None]:
    environment = plain_environment(JOURNEYS_DATA_DIR=str(disk.data))
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "journeys.app.cli", "up", "--json"],
            stdout=subprocess.PIPE, stderr=errors, text=True, cwd=REPOSITORY, env=environment,
        )  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        try:
            errors.seek(0)
            assert json.loads(first)["up"] is True, errors.read()
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(40)
        errors.seek(0)
        assert "Traceback" not in errors.read()


@dataclass
class Notes:
    """Notes on one journey: those that were acknowledged, and the ids of those that were not."""

    disk: Disk
    journey: str
    done: list[str] = field(default_factory=list)
    not_done: list[str] = field(default_factory=list)

    def write(self, *more: str) -> Said:
        said = self.disk.journeys(
            "do", self.journey, "add-note", "--text", "x" * 4000, "--as", "aline", "--json", *more
        )  # fmt: skip
        if said.code == 0:
            self.done.append(said.json["command"]["command"])
        return said


def test_a_disk_too_small_is_said_and_with_room_it_starts_loses_nothing_acknowledged_and_recovers_by_itself(
    disk: Disk,
) -> None:
    home = {"JOURNEYS_DATA_DIR": str(disk.data)}
    too_small = in_its_own("up", "--json", **home)
    assert (too_small.code, too_small.error["code"]) == (1, "disk_full")
    told = in_its_own("up", **home)
    assert str(disk.data) in told.err and "libérez de la place" in told.err
    disk.enlarge()
    with running(disk):
        assert disk.journeys("list", "--json").json["journeys"] == []
        assert disk.journeys("staff", "add", "aline", "--name", "Aline R.", "--role", "referent").code == 0
        begun = disk.journeys(
            "start", "--programme", str(REPOSITORY / "programmes" / "exemple-trois-lignes.yaml"), "--person", "A B",
            "--referent", "aline", "--json",
        )  # fmt: skip
        notes = Notes(disk, begun.journey["id"])
        assert notes.write().code == 0
        with disk.full():
            # What lies ready in pages and log may still take some.
            for _ in range(40):
                before = time.monotonic()
                said = notes.write()
                waited = time.monotonic() - before
                if said.code != 0:
                    break
            assert said.out, said
            assert (said.code, said.error["code"]) == (7, "disk-full"), said.out
            assert "libérez de la place" in said.error["remedy"]
            assert waited < LONGEST_SECONDS
            if "command" in said.error:
                notes.not_done.append(said.error["command"])
            assert disk.journeys("list", "--json").code in (0, 7)
        end = time.monotonic() + LONGEST_SECONDS
        while notes.write(*(("--command-id", notes.not_done[0]) if notes.not_done else ())).code != 0:
            assert time.monotonic() < end, "it does not recover"
        assert noted(disk, notes.journey) == set(notes.done)
        held = disk.journeys("audit", "verify", "--strict", "--json")
        assert held.code == 0, held.out
    assert os.listdir(disk.place) == ["data"]


def noted(disk: Disk, journey: str) -> set[str]:
    """The commands that the notes on record came from; each note has its own."""

    async def read() -> list[str]:
        connection = await asyncpg.connect(f"postgresql://journeys@/journeys?host={disk.data}/postgres/run")
        try:
            found = await connection.fetch(
                "SELECT convert_from(header, 'UTF8')::json ->> 'command' AS id FROM events"
                " WHERE stream = $1 AND kind = 'NoteAdded'",
                f"journey-{journey}",
            )
        finally:
            await connection.close()
        return [row["id"] for row in found]

    ids = asyncio.run(read())
    assert len(ids) == len(set(ids))
    return set(ids)
