"""How every entry point ends: flush what is written, then leave at once with the right exit code.

A process that used the Temporal client must not go through the interpreter's own exit: the client's native
threads can abort it there (sdk-python issue 300) and the exit code is lost. So `main()` of each entry point
closes its pools, then calls `leave(code)`, on the exception path too.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Callable
from typing import Final, NoReturn

_UNWRITTEN: Final = 1

_closers: list[Callable[[], object]] = []


def on_leave(closer: Callable[[], object]) -> None:
    """Have `closer` called by `leave`, the last registered first: what `atexit` would have run.

    Give it only what is quick and needs no event loop: an asyncio pool is closed before, in its own loop.
    """
    _closers.append(closer)


def leave(code: int) -> NoReturn:
    """Run the closers, flush logs and streams, and end this process with `code` without further ado.

    What could not be written (a full disk) turns 0 into 1; a reader that left (`| head`) does not.

    Raises:
        RuntimeError: called inside pytest, where it would end the whole test run without a word.
    """
    if "pytest" in sys.modules:
        raise RuntimeError(f"leave({code}) inside pytest: test the function that returns the exit code instead")
    while _closers:
        closer = _closers.pop()
        # A closer that fails must neither keep the process nor hide the others: said, then passed over.
        try:
            closer()
        except Exception as error:
            _complain(f"{getattr(closer, '__qualname__', closer)}: {type(error).__name__}: {error}")
    with contextlib.suppress(OSError, ValueError):
        logging.shutdown()
    written = [_flushed(stream) for stream in (sys.stdout, sys.stderr)]
    os._exit(code if all(written) else code or _UNWRITTEN)


def _flushed(stream: object) -> bool:
    """True when everything reached the stream, or nobody reads it any more."""
    flush = getattr(stream, "flush", None)
    if flush is None:
        return True
    try:
        flush()
    except BrokenPipeError:
        return True
    except ValueError:  # closed on purpose, so nothing is waiting in it
        return True
    except OSError as error:
        _complain(f"{getattr(stream, 'name', stream)}: {error.strerror}")
        return False
    return True


def _complain(text: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"leave: {text}\n")
