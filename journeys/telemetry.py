"""Logs without personal data: structlog on stderr, allowed keys only, errors by type and place, never by text."""

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, Literal, TextIO

import structlog

ALLOWED_KEYS: Final = frozenset(
    {
        "event", "level", "logger", "timestamp", "exception",
        "journey", "effect", "kind", "answer", "reason", "command", "seq", "activity", "attempt", "template",
        "channel", "migration", "version", "part", "exit", "again_in_seconds", "pid", "port", "host", "seconds",
        "count", "webhook", "log", "data_dir", "address", "namespace", "task_queue", "signal",
    }
)  # fmt: skip
"""Ids, codes, counts and places of this machine. Whatever else is logged is dropped, and its key named."""

_FRAMES: Final = 12


def configure(*, form: Literal["json", "console"] = "json", level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's logging to stderr, one line an entry.

    Args:
        form: `console` for a person before a terminal. stream: stderr when not given.
    """
    out = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        errors_by_place,
        only_allowed,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_by_its_logger, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            # Otherwise the standard library adds the error's own text again.
            keep_exc_info=False,
            keep_stack_info=False,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "asyncio", "aiosmtplib"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


@contextmanager
def bound(**ids: str | int) -> Iterator[None]:
    """Put ids on every entry logged within."""
    with structlog.contextvars.bound_contextvars(**ids):
        yield


def only_allowed(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every key that is not allowed, and what could break a line out of its entry."""
    kept = {key: _plain(value) for key, value in entry.items() if key in ALLOWED_KEYS or key.startswith("_")}
    dropped = sorted(str(key) for key in entry if key not in kept)
    return {**kept, "dropped": dropped} if dropped else kept


def errors_by_place(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say an error by its types and where it came from. Its text may quote a row, a letter or an address."""
    info = entry.pop("exc_info", None)
    entry.pop("stack_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        entry["exception"] = by_place(error)
    return entry


def by_place(error: BaseException) -> str:
    """An error, and those that it came from, by type and place in the code."""
    said: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(said) < 5:
        frames = traceback.extract_tb(seen.__traceback__)[-_FRAMES:]
        places = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
        said.append(f"{type(seen).__name__} at {places}" if places else type(seen).__name__)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return " from ".join(said)


def _by_its_logger(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Another library's entry: its text as it wrote it, without the arguments' own objects."""
    record = entry.get("_record")
    if isinstance(record, logging.LogRecord):
        entry["logger"] = record.name
        if record.exc_info and record.exc_info[1] is not None:
            entry["exc_info"] = record.exc_info
    return entry


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return "".join(sign if sign.isprintable() else " " for sign in value)
    return value
