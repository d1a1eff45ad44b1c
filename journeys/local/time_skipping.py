"""Virtual time on a real server: months of a journey in seconds. The one place that uses Temporal's experimental API.

For demo, tests and simulation only, on a server started with `Stack.start(..., time_skipping=True)`. Each workflow has
a clock of its own, which runs with the wall clock and is moved forward here, due by due.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper, TimeSkippingConfig

MOST_SKIPS: Final = 1_000_000
"""The server's own limit is 200 a session, after which it stops skipping without a word."""

_ENOUGH: Final = timedelta(milliseconds=1)


class VirtualTime:
    """A client whose workflows can be moved forward in time, and the moving."""

    def __init__(self, client: Client) -> None:
        """Wrap a connected client; start workflows through `self.client` only."""
        self._skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False, max_session_skip_count=MOST_SKIPS))

    @property
    def client(self) -> Client:
        """The client through which workflows are started."""
        return self._skipper.client

    async def now(self, workflow: str) -> datetime:
        """The workflow's own time, aware UTC; the wall clock's where none of this id ever ran."""
        try:
            return await self._skipper.get_current_time(self._handle(workflow))
        except RPCError as failure:
            if failure.status is not RPCStatusCode.NOT_FOUND:
                raise
            return datetime.now(UTC)

    async def pass_until(self, workflow: str, instant: datetime) -> bool:
        """Let everything happen that falls due until `instant`; at once when that is past.

        Returns:
            False when the workflow (and what it continued as) ended before.
        """
        left = instant - await self.now(workflow)
        if left < _ENOUGH:
            return True
        return await self.pass_for(workflow, left)

    async def pass_for(self, workflow: str, duration: timedelta) -> bool:
        """The same for a length of time; follows continue-as-new."""
        try:
            return await self._skipper.fast_forward(self._handle(workflow), duration)
        except RPCError as failure:
            # A workflow that has ended has no clock to move.
            if failure.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION):
                return False
            raise

    def _handle(self, workflow: str) -> WorkflowHandle[Any, Any]:
        # Without a run id: the chain is followed from run to run.
        return self.client.get_workflow_handle(workflow)
