"""Who runs the stack of a data directory: a lock that the kernel keeps, and stack.json that says the rest."""

import contextlib
import errno
import fcntl
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from journeys.local.failures import AlreadyRunning, DataDirUnusable

State = Literal["starting", "running", "stopped"]

_LOCK: Final = "stack.lock"
_RECORD: Final = "stack.json"
_FORMAT: Final = 1
# A look at the lock holds it for an instant, and the children of a killed supervisor need a moment to die.
_PATIENCE_SECONDS: Final = 0.5
_DYING_SECONDS: Final = 10.0
_STEP_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class StackInfo:
    """A stack as its supervisor describes it to others.

    `database_url` is postgresql://… over a Unix socket; `temporal_address` host:port; `ui_url` None when headless,
    `web_url` None without the application; `started_at` aware UTC, true time; `clock_offset` as of journeys.clock;
    `pids` by part.
    """

    state: State
    pid: int
    started_at: datetime
    data_dir: Path
    database_url: str
    temporal_address: str
    temporal_namespace: str
    ui_url: str | None
    web_url: str | None = None
    time_skipping: bool
    clock_offset: timedelta
    pids: Mapping[str, int]


def prepare(data_dir: Path) -> Path:
    """Make the data directory; its absolute path.

    As root it may be traversed by others (PostgreSQL then runs as another user); what is in it is closed.

    Raises:
        DataDirUnusable: it cannot be made or written.
    """
    path = data_dir.absolute()
    try:
        path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DataDirUnusable(path, _reason(error)) from None
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise DataDirUnusable(path, os.strerror(errno.EACCES))
    return path


def take_lock(data_dir: Path) -> int:
    """The descriptor that holds the stack's lock; close it to give it up. Blocks for seconds at most.

    Raises:
        AlreadyRunning: a living supervisor holds it, or what a dead one left does not end.
        DataDirUnusable: the lock cannot be opened.
    """
    descriptor = _open_lock(data_dir)
    began = time.monotonic()
    while not _locked(descriptor, fcntl.LOCK_EX):
        holder = read_record(data_dir)
        dying = holder is not None and not _alive(holder.pid)
        if time.monotonic() - began > (_DYING_SECONDS if dying else _PATIENCE_SECONDS):
            os.close(descriptor)
            who = (holder.pid, holder.started_at) if holder else (None, None)
            raise AlreadyRunning(data_dir, *who)
        time.sleep(_STEP_SECONDS)
    return descriptor


def connect_running(data_dir: Path) -> StackInfo | None:
    """The stack that runs on these data now, once it is ready to be used; else None.

    Raises:
        DataDirUnusable: the directory belongs to somebody else.
    """
    data_dir = data_dir.absolute()
    if not (data_dir / _LOCK).exists():
        return None
    descriptor = _open_lock(data_dir)
    try:
        if _locked(descriptor, fcntl.LOCK_SH):
            return None
    finally:
        os.close(descriptor)
    info = read_record(data_dir)
    return info if info is not None and info.state == "running" and _alive(info.pid) else None


def read_record(data_dir: Path) -> StackInfo | None:
    """What stack.json says, true or outdated; None when there is none that can be understood.

    Raises:
        DataDirUnusable: it is there and cannot be read.
    """
    path = data_dir / _RECORD
    try:
        stored = json.loads(path.read_bytes())
        return _from_json(stored) if stored["format"] == _FORMAT else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataDirUnusable(path, _reason(error)) from None
    except (ValueError, KeyError, TypeError):
        return None


def write_record(info: StackInfo) -> None:
    """Replace stack.json whole, readable by its owner only.

    Raises:
        DataDirUnusable: it cannot be written, a full disk for instance.
    """
    path = info.data_dir / _RECORD
    aside = path.with_suffix(".json.new")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(_to_json(info), file, indent=2)
        aside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise DataDirUnusable(path, _reason(error)) from None


def _to_json(info: StackInfo) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "state": info.state,
        "pid": info.pid,
        "started_at": info.started_at.isoformat(),
        "data_dir": str(info.data_dir),
        "database_url": info.database_url,
        "temporal_address": info.temporal_address,
        "temporal_namespace": info.temporal_namespace,
        "ui_url": info.ui_url,
        "web_url": info.web_url,
        "time_skipping": info.time_skipping,
        "clock_offset_seconds": info.clock_offset.total_seconds(),
        "pids": dict(info.pids),
    }


def _from_json(stored: dict[str, Any]) -> StackInfo:
    return StackInfo(
        state=stored["state"],
        pid=stored["pid"],
        started_at=datetime.fromisoformat(stored["started_at"]),
        data_dir=Path(stored["data_dir"]),
        database_url=stored["database_url"],
        temporal_address=stored["temporal_address"],
        temporal_namespace=stored["temporal_namespace"],
        ui_url=stored["ui_url"],
        web_url=stored.get("web_url"),
        time_skipping=stored["time_skipping"],
        clock_offset=timedelta(seconds=stored["clock_offset_seconds"]),
        pids=dict(stored["pids"]),
    )


def _open_lock(data_dir: Path) -> int:
    path = data_dir / _LOCK
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DataDirUnusable(path, _reason(error)) from None


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
