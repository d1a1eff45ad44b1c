"""Errors as Temporal sees them: a type, whether to try again, and no text that could be personal.

A failure's message and causes stand in plain text in Temporal's history, so neither a row nor an address may reach it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar

import asyncpg
import structlog
from temporalio.exceptions import ApplicationError

from journeys.channels.bank import OtherContent
from journeys.contract import Effect
from journeys.store.canonical import NotCanonical
from journeys.store.journal import JournalBehind
from journeys.store.offer import BadOffer

UNAVAILABLE: Final = "Unavailable"
"""The database cannot be used now: try again."""
UNREACHABLE: Final = (
    asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError,
)  # fmt: skip
"""What the driver raises when the database does not do what it is asked. The third is what it says of a connection
that the dying server has broken off and not closed yet.
"""
MAIL_UNAVAILABLE: Final = "MailUnavailable"
"""Nobody could be told for now: try again."""
BAD_OFFER: Final = "BadOffer"
JOURNAL_BEHIND: Final = "JournalBehind"
NOT_CALLED_FOR: Final = "NotCalledFor"
"""The journal does not hold the event that would call for this effect."""
OTHER_CONTENT: Final = "OtherContent"
"""A payment id came with other content than before."""

P = ParamSpec("P")
T = TypeVar("T")

_PAUSES_SECONDS: Final = (0.1, 0.5, 2.0, 4.0)

_log = structlog.get_logger("journeys.activities")


def not_called_for(effect: Effect) -> ApplicationError:
    """Somebody but the journey's own run asked for an effect, or the journal was lost."""
    return ApplicationError(
        f"nothing at {effect.stream}/{effect.seq} calls for this", type=NOT_CALLED_FOR, non_retryable=True
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever goes wrong into an ApplicationError."""
    try:
        yield
    except ApplicationError:
        raise
    except (BadOffer, NotCanonical):
        _log.error("offer refused", exc_info=True)
        raise ApplicationError("the journal cannot take this offer", type=BAD_OFFER, non_retryable=True) from None
    except JournalBehind as error:
        _log.critical("journal behind", seq=error.head)
        raise ApplicationError(str(error), type=JOURNAL_BEHIND, non_retryable=True) from None
    except OtherContent as error:
        _log.critical("payment id used twice")
        raise ApplicationError(str(error), type=OTHER_CONTENT, non_retryable=True) from None
    except UNREACHABLE as error:
        _log.warning("store unavailable", reason=type(error).__name__)
        raise ApplicationError("the store cannot be used now", type(error).__name__, type=UNAVAILABLE) from None
    except Exception as error:
        # Not a silent fallback: it is logged with its place and raised again, only without its text.
        _log.exception("activity failed")
        raise ApplicationError("unexpected; the worker's log says where", type=type(error).__name__) from None


async def through_a_loss(record: Callable[P, Awaitable[T]], *given: P.args, **named: P.kwargs) -> T:
    """Record through a short loss of the database: what is known must not become unknown. Raises UNREACHABLE."""
    for pause in _PAUSES_SECONDS:
        try:
            return await record(*given, **named)
        except UNREACHABLE:
            await asyncio.sleep(pause)
    return await record(*given, **named)
