"""The pace of an application whose visitors come as often as they like: its limits are asked, and never reached."""

from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from journeys.app.web.safety import Pace


class _Unswept(MemoryStorage):
    """Keeps all that it meets: the usual one goes through every visitor of the last minute at each request, each by
    way of a thread, which is a third of what a page costs where one test is fifty visitors."""

    async def _MemoryStorage__schedule_expiry(self) -> None: ...


class Unhurried(Pace):
    """As the application's own, with limits out of reach."""

    def __init__(self) -> None:
        super().__init__(10**9, 10**9, 10**9)
        self._limiter = MovingWindowRateLimiter(_Unswept())
