"""Under which user PostgreSQL runs: it refuses root, so root finds it an ordinary one."""

import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from journeys.local.failures import NoOrdinaryUser

NOBODY: Final = 65534
TETHER: Final = Path(__file__).with_name("tether.py")

_PROBE_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class RunAs:
    """`same`: as we are; `drop`: as user and group 65534; `map`: as we are, called so in a user namespace."""

    kind: Literal["same", "drop", "map"]

    @property
    def argument(self) -> str:
        """How tether.py is told."""
        return self.kind if self.kind == "same" else f"{self.kind}:{NOBODY}:{NOBODY}"

    @property
    def owner(self) -> tuple[int, int]:
        """(uid, gid) that must own the files, as seen from here."""
        return (NOBODY, NOBODY) if self.kind == "drop" else (os.geteuid(), os.getegid())


def ordinary_user(program: Path, directory: Path) -> RunAs:
    """The user as which `program` can run with its files in `directory` (which exists).

    Raises:
        NoOrdinaryUser: we are root and neither giving up root nor a user namespace works.
    """
    if os.geteuid() != 0:
        return RunAs("same")
    blocked = first_blocked(program) or first_blocked(directory)
    dropped, mapped = RunAs("drop"), RunAs("map")
    if blocked is None and _refusal(dropped, program) is None:
        return dropped
    reason = _refusal(mapped, program)
    if reason is None:
        return mapped
    raise NoOrdinaryUser(blocked, reason)


def first_blocked(path: Path) -> Path | None:
    """The first place on the way to `path`, itself included, that user 65534 cannot traverse, else None."""
    whole = path.resolve()
    for place in (*reversed(whole.parents), whole):
        status = place.stat()
        wanted = stat.S_IXUSR if status.st_uid == NOBODY else stat.S_IXGRP if status.st_gid == NOBODY else stat.S_IXOTH
        if not status.st_mode & wanted:
            return place
    return None


def _refusal(run_as: RunAs, program: Path) -> str | None:
    """None when `program --version` runs under `run_as`, else what the system said."""
    command = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), "9", run_as.argument]
    try:
        probe = subprocess.run(
            [*command, str(program), "--version"],
            cwd="/",
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = probe.stderr.strip().splitlines()
    return None if probe.returncode == 0 else (lines[-1] if lines else f"exit {probe.returncode}")
