"""The log kept, minute by minute: one activity for many rounds, so that Temporal counts few."""

import asyncio
from datetime import UTC, datetime

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.notary import Notary, Round
from journeys import contract

_log = structlog.get_logger("journeys.activities")

LOOK_SECONDS = 2.0
"""How often it shows that it lives."""


class Checkpoints:
    """What the workflow of the checkpoints asks for."""

    def __init__(self, notary: Notary | None) -> None:
        self._notary = notary

    @activity.defn(name=contract.KEEP_CHECKPOINTS)
    async def keep(self, asked: contract.KeepCheckpoints) -> int:
        """Rounds until the time is over; how many checkpoints were signed."""
        if self._notary is None:
            raise ApplicationError("this worker keeps no log", type="NoNotary", non_retryable=True)
        clock = asyncio.get_running_loop().time
        until, made = clock() + asked.seconds, 0
        while True:
            begun = clock()
            found = await self._notary.round(datetime.now(UTC))
            made += found.made is not None
            _tell(found)
            while clock() < min(begun + asked.every, until):
                activity.heartbeat(made)
                if await _told_to_end():
                    raise ApplicationError("the worker ends", type="WorkerEnds")
            if clock() >= until:
                return made


def _tell(found: Round) -> None:
    if found.refused is not None:
        _log.error("checkpoint refused", reason=found.refused.code, count=found.refused.size)
    for party, reason in found.failed.items():
        _log.warning("checkpoint not taken", address=party, reason=reason)


async def _told_to_end() -> bool:
    """Wait a little; True when the worker is to end meanwhile."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await activity.wait_for_worker_shutdown()
    except TimeoutError:
        return False
    return True
