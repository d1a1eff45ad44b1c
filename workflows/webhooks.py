"""One system elsewhere that is told what happened: deliveries, and when to try again what was not taken."""

from datetime import datetime, timedelta
from typing import ClassVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from journeys import contract
    from journeys.contract import Deliver, Delivered, Held, StopWebhook, Subscription

AGAIN = (
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5),
    timedelta(hours=10), timedelta(hours=14), timedelta(hours=20), timedelta(hours=24),
)  # fmt: skip
"""How long an event that was not taken waits each time: the schedule that Standard Webhooks proposes, 75 hours in all.
Up to a tenth is added by chance, so that a receiver that comes back is not met by everybody at once.
"""

LONGEST_ASKED = timedelta(hours=24)
"""A receiver that asks to be left alone (`Retry-After`) is left alone so long at most, and never for less than the
schedule says: its tries would be spent in no time.
"""

MOST_HELD = 3
"""So many journeys may be tried again while others are told. When all of them wait, the receiver counts as away:
nothing is posted until the first of them is due.
"""

WATCH = timedelta(minutes=10)
"""How long one delivery waits for something to tell."""

WATCH_HELD = timedelta(minutes=1)
"""The same while something waits to be tried again: a wake-up is heard between deliveries."""

HISTORY_LIMIT = 1_000

_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
)
"""For what is ours, a lost worker or database. What the receiver does is answered, not raised."""


@workflow.defn(name=contract.WEBHOOK)
class WebhookWorkflow:
    """Runs as long as the webhook is active. The journal and the places reached in it are in the database."""

    HEARTBEAT: ClassVar = timedelta(seconds=30)
    """Twice what one post may take: a worker that is silent longer is gone, and another goes on."""

    @workflow.init
    def __init__(self, begin: Subscription) -> None:
        self._begin = begin
        self._held = dict(begin.held)
        self._taken_at: datetime | None = begin.taken_at
        self._woken = False

    @workflow.signal(name=contract.WEBHOOK_WAKE)
    def wake(self) -> None:
        """Somebody has looked into it: try at once what waits, and begin the schedule anew."""
        self._woken = True

    @workflow.run
    async def run(self, begin: Subscription) -> str:
        """Deliver until the webhook is paused or has ended; returns which, or why."""
        while True:
            if self._woken:
                self._woken = False
                self._held.clear()
            now = workflow.now()
            waiting = tuple(stream for stream, held in self._held.items() if held.until > now)
            if len(waiting) >= MOST_HELD:
                await self._rest(min(held.until for held in self._held.values()) - now)
                continue
            done = await self._deliver(waiting)
            if done.state == "gone":
                await self._stop(StopWebhook(webhook=begin.webhook, why="gone", reason="status-410"))
                return "gone"
            if done.state != "active" and not self._woken:
                return done.state
            if await self._spent(self._note(done)) and not self._woken:
                return "failing"
            limit = begin.history_limit or HISTORY_LIMIT
            if workflow.info().get_current_history_length() >= limit and not self._woken:
                workflow.continue_as_new(begin.model_copy(update={"held": self._held, "taken_at": self._taken_at}))

    async def _rest(self, span: timedelta) -> None:
        try:
            await workflow.wait_condition(lambda: self._woken, timeout=span, timeout_summary="receiver away")
        except TimeoutError:
            return

    async def _deliver(self, waiting: tuple[str, ...]) -> Delivered:
        watch = WATCH
        if self._held:
            left = [held.until - workflow.now() for stream, held in self._held.items() if stream in waiting]
            watch = max(min([WATCH_HELD, *left]), timedelta(seconds=1))
        done: Delivered = await workflow.execute_activity(
            contract.WEBHOOK_DELIVER,
            Deliver(
                webhook=self._begin.webhook,
                again=tuple(stream for stream in self._held if stream not in waiting),
                without=waiting,
                room=MOST_HELD - len(waiting),
                wait_seconds=watch.total_seconds(),
            ),
            start_to_close_timeout=timedelta(minutes=20),
            heartbeat_timeout=self.HEARTBEAT,
            retry_policy=_RETRY,
            result_type=Delivered,
        )
        return done

    def _note(self, done: Delivered) -> list[str]:
        """Take down what became of a delivery; returns the streams that have just failed."""
        now = workflow.now()
        if done.taken:
            self._taken_at = now
        for stream in done.recovered:
            self._held.pop(stream, None)
        for stream, reason in done.failed.items():
            before = self._held.get(stream)
            failures = before.failures + 1 if before is not None else 1
            asked = min(timedelta(seconds=done.after_seconds.get(stream, 0)), LONGEST_ASKED)
            wait = max(AGAIN[min(failures, len(AGAIN)) - 1], asked) * (1 + workflow.random().random() / 10)
            since = before.since if before is not None else now
            self._held[stream] = Held(failures=failures, since=since, until=now + wait, reason=reason)
        return list(done.failed)

    async def _spent(self, failed: list[str]) -> bool:
        """After the last try of the schedule staff are told; True when nothing was taken meanwhile: it is paused."""
        for stream in failed:
            held = self._held[stream]
            if held.failures <= len(AGAIN):
                continue
            others_taken = self._taken_at is not None and self._taken_at > held.since
            if not others_taken:
                await self._stop(StopWebhook(webhook=self._begin.webhook, why="failing", reason=held.reason))
                return True
            if held.failures == len(AGAIN) + 1:
                await self._stop(
                    StopWebhook(webhook=self._begin.webhook, why="stuck", reason=held.reason, stream=stream)
                )
        return False

    async def _stop(self, stopped: StopWebhook) -> None:
        try:
            await workflow.execute_activity(
                contract.WEBHOOK_STOP,
                stopped,
                start_to_close_timeout=timedelta(minutes=2),
                schedule_to_close_timeout=timedelta(days=1),
                retry_policy=_RETRY,
            )
        except ActivityError:
            workflow.logger.error("webhook stopped and nobody was told")
