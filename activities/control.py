"""The daily control of the money: looked at, and kept for those who read it."""

import structlog
from temporalio import activity

from activities.resources import Resources
from journeys import contract
from journeys.store import controlling


class Control:
    """What the workflow of the control asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.CONTROL_MONEY)
    async def control(self, asked: contract.Controlling) -> int:
        """How many alarms; what was found is kept under the run, once however often this is tried."""
        found = await controlling.control(self._resources.pool, asked.at)
        await controlling.keep(self._resources.pool, asked.run, found)
        if found.alarms:
            structlog.get_logger().warning("control of the money", alarms=found.alarms)
        return found.alarms
