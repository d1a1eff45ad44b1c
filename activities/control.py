"""The daily control of the money: looked at, kept for those who read it, told to those who must act."""

import structlog
from temporalio import activity

from activities.digest import tell_finance
from activities.resources import Resources
from journeys import contract
from journeys.store import controlling


class Control:
    """What the workflow of the control asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.CONTROL_MONEY)
    async def control(self, asked: contract.Controlling) -> int:
        """How many alarms; what was found is kept under the run, once however often this is tried, and told to finance.

        Raises:
            ApplicationError: MailUnavailable: kept, and nobody could be told for now.
        """
        found = await controlling.control(self._resources.pool, asked.at)
        await controlling.keep(self._resources.pool, asked.run, found)
        await tell_finance(self._resources, asked.run, found)
        if found.alarms:
            structlog.get_logger().warning("control of the money", alarms=found.alarms)
        return found.alarms
