"""Where the servers of a test keep what they hold: short paths that everybody may enter, in memory where there is room.

Servers of ours wait for the disk at each commit, which is what they are for and no part of what these tests ask. A
file system in memory answers at once, and the servers run as they are.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
ROOM_BYTES: Final = 2_000_000_000
"""Free space below which memory is left alone: a whole run takes some hundred megabytes."""


@cache
def place() -> Path:
    """Where homes are made: where TMPDIR says, else in memory, else in the usual temporary directory."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM_BYTES:
        return Path(tempfile.gettempdir())
    return MEMORY


def new_home(prefix: str = "journeys-") -> Path:
    """An empty directory; whoever made it takes it away."""
    home = Path(tempfile.mkdtemp(prefix=prefix, dir=place()))
    home.chmod(0o755)
    return home


@contextmanager
def a_home(prefix: str = "journeys-") -> Iterator[Path]:
    """An empty directory, gone afterwards."""
    home = new_home(prefix)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
