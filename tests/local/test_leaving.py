"""Leaving: the exit code arrives, what was written is written, and pytest is safe from it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from journeys.leaving import leave

ROOT = Path(__file__).parents[2]
# With unbuffered streams nothing would be left to flush.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def run(script: str, stdout: int | IO[str] = subprocess.PIPE) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", f"from journeys.leaving import leave, on_leave\nimport sys\n{script}"],
        cwd=ROOT,
        env=ENVIRONMENT,
        text=True,
        timeout=30,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )


def test_the_code_arrives_streams_are_flushed_and_exit_handlers_do_not_run() -> None:
    script = "import atexit; atexit.register(print, 'never'); sys.stdout.write('said'); leave(4)"
    done = run(script)
    assert (done.returncode, done.stdout, done.stderr) == (4, "said", "")


def test_a_thread_that_never_ends_does_not_hold_it() -> None:
    script = "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); leave(0)"
    assert run(script).returncode == 0


def test_closers_run_the_last_first_and_one_that_fails_hides_none() -> None:
    script = "on_leave(lambda: print('first'))\non_leave(lambda: 1 / 0)\non_leave(lambda: print('last'))\nleave(0)"
    done = run(script)
    assert done.stdout == "last\nfirst\n" and done.returncode == 0
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_what_cannot_be_written_is_no_success() -> None:
    with open("/dev/full", "w") as full:
        done = run("print('lost'); leave(0)", stdout=full)
        assert done.returncode == 1 and "No space left" in done.stderr
        assert run("print('lost'); leave(3)", stdout=full).returncode == 3


def test_a_reader_that_left_changes_nothing() -> None:
    script = "sys.stdin.read(); print('unread'); leave(0)"
    process = subprocess.Popen(
        [sys.executable, "-c", "from journeys.leaving import leave\nimport sys\n" + script],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    process.stdout.close()
    process.stdin.close()
    assert process.wait(30) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_inside_pytest_it_refuses() -> None:
    with pytest.raises(RuntimeError, match="pytest"):
        leave(0)
