"""Processes of tests, forked from one that has imported everything: what takes two seconds of processor is done once.

Only what is imported is older than a process: its environment is that of whoever begins it. It dies with them.
"""

import ctypes
import os
import signal
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

REPO = Path(__file__).parents[1]
FORKED = get_context("forkserver")
FORKED.set_forkserver_preload(
    ["worker", "journeys.audit.replaying", "tests.workflow.erasure_worker", "tests.workflow.webhook_worker"]
)
_PR_SET_PDEATHSIG: Final = 1


def begin(program: Callable[[], object], environment: Mapping[str, str], said: Path | None = None) -> ForkServerProcess:
    """Run a function of a module in a process of its own, with this environment alone; what it says is appended to
    `said`."""
    process = FORKED.Process(target=_become, args=(program, dict(environment), said))
    process.start()
    return process


def _become(program: Callable[[], object], environment: Mapping[str, str], said: Path | None) -> None:
    # The process that forks ends with whoever made it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(REPO)
    if said is not None:
        log = os.open(said, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
    program()
