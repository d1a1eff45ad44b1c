"""The nightly verification of everything: done, kept for those who look, told to the log."""

import structlog
from temporalio import activity

from activities.resources import Resources
from journeys import contract
from journeys.audit.fleet import verify_fleet
from journeys.evidence.note import Signer
from journeys.store import sequencing, verifications
from journeys.store.database import LOST
from journeys.store.findings import Lines
from journeys.store.verifications import Verified


class Verification:
    """What the workflow of the verification asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.VERIFY_ALL)
    async def verify(self, asked: contract.Controlling) -> int:
        """How many things must not be; what was found is kept under the run, once however often this is tried."""
        lines = Lines(self._resources.pool, asked.run)
        found = await verifications.of_run(self._resources.pool, asked.run) or await self._verified(asked, lines)
        try:
            await lines.only(activity.heartbeat)
        except LOST as error:
            structlog.get_logger().warning("lines of runs before stay until the next", reason=type(error).__name__)
        tell = structlog.get_logger().warning if found.wrong else structlog.get_logger().info
        tell("everything verified", count=found.wrong, seconds=found.seconds)
        return found.wrong

    async def _verified(self, asked: contract.Controlling, lines: Lines) -> Verified:
        pool, ring, notary = self._resources.pool, self._resources.ring, self._resources.notary
        origin = (await sequencing.head(pool)).origin
        copies = notary.copies(origin) if notary is not None else []
        seed = notary.seed if notary is not None else None
        key = Signer(origin, seed).verifier if seed is not None else None
        await lines.clear(activity.heartbeat)
        found = await verify_fleet(
            pool, ring, asked.at, self._resources.engine.ended(), key, copies, activity.heartbeat, lines
        )
        await verifications.keep(pool, asked.run, found, lines=True)
        return found
