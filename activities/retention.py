"""What has been kept long enough: looked at, told to the log, and gone where its rule says so."""

import structlog
from temporalio import activity

from activities.resources import Resources
from journeys import contract
from journeys.channels.outbox import FileOutbox, LyingLetters
from journeys.contract import Retained
from journeys.domain.record import SYSTEM
from journeys.store import retaining
from journeys.store.directory import By


class Retaining:
    """What the workflow of the retention asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.RETENTION_ROUND)
    async def round(self, asked: contract.Controlling) -> Retained:
        """Plan, and apply the rules that say `daily: apply`; tried again, what went is gone and the rest goes on."""
        pool, rules, mailer = self._resources.pool, self._resources.retention, self._resources.mailer
        if rules is None:
            return Retained(due=0, held=0)
        letters = LyingLetters(mailer.folder) if isinstance(mailer, FileOutbox) else None
        planned = await retaining.plan(pool, rules, asked.at, letters)
        wanted = [name for name in retaining.RULES if rules.rules.of(name).daily == "apply"]
        by = By(actor=SYSTEM, role=SYSTEM, at=asked.at)
        gone = await retaining.apply(pool, planned, wanted, letters, by, self._resources.destroyed)
        for each in gone.ordered:
            await self._resources.begin_erasure(each)
        due = [each for each in planned.people if each.due <= planned.today]
        found = Retained(due=len(due), held=sum(bool(each.standing.holds) for each in due), gone=dict(gone.counts))
        structlog.get_logger().info("kept long enough", count=found.due)
        return found
