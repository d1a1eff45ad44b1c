"""Processes of tests, forked from one that has imported everything: what takes two seconds of processor is done once.

Only what is imported is older than a process: its environment is that of whoever begins it.
"""

import os
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

REPO = Path(__file__).parents[1]
FORKED = get_context("forkserver")
FORKED.set_forkserver_preload(
    ["worker", "journeys.audit.replaying", "tests.workflow.erasure_worker", "tests.workflow.webhook_worker"]
)


def begin(program: Callable[[], object], environment: Mapping[str, str], said: Path | None = None) -> ForkServerProcess:
    """Run a function of a module in a process of its own; what it says is appended to `said`."""
    process = FORKED.Process(target=_become, args=(program, {**os.environ, **environment}, said))
    process.start()
    return process


def _become(program: Callable[[], object], environment: Mapping[str, str], said: Path | None) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(REPO)
    if said is not None:
        log = os.open(said, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
    program()
