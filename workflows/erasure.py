"""Forgetting somebody: what runs is ended, keys go, then all that they opened, and a certificate says so."""

from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from journeys import contract
    from journeys.contract import Erasing

STEP = timedelta(minutes=2)
"""A worker that has not ended a step by then is gone; another does it again."""
SOON = timedelta(milliseconds=500)
LATEST = timedelta(hours=1)
"""Money under way is asked about ever later, up to this."""

STEPS = (
    contract.ERASURE_SURVEY, contract.ERASURE_DESTROY, contract.ERASURE_RUNS, contract.ERASURE_DELETE,
    contract.ERASURE_LETTERS,
)  # fmt: skip
"""What is done once nothing runs any more, in this order: what there was is noted before any of it goes, and the keys
go before what they opened, so that nothing can be read of what a cut leaves behind. The engine forgets before kept
histories go: nobody can keep one of them again in between."""

STEPS_OF_BEFORE = (
    contract.ERASURE_SURVEY, contract.ERASURE_DESTROY, contract.ERASURE_DELETE, contract.ERASURE_RUNS,
    contract.ERASURE_LETTERS,
)  # fmt: skip
"""Of an erasure that had come this far with the code of before."""

OF_A_MENTOR = (contract.ERASURE_SURVEY, contract.ERASURE_LETTERS, contract.ERASURE_DESTROY, contract.ERASURE_DELETE)
"""Letters first: they are those of the people whom they tell of, and a mentor is found in them by name."""

T = TypeVar("T")


@workflow.defn(name=contract.ERASURE)
class ErasureWorkflow:
    """Each step may be done any number of times; none is begun before the one before has ended."""

    @workflow.run
    async def run(self, asked: Erasing) -> int:
        """Returns the seq of the certificate in their stream."""
        pause = SOON
        while not await self._step(contract.ERASURE_CLOSE, asked, bool):
            await workflow.sleep(pause, summary="a payment is under way")
            pause = min(2 * pause, LATEST)
        steps: tuple[str, ...] = OF_A_MENTOR
        if asked.kind == "person":
            steps = STEPS if workflow.patched("runs-before-delete") else STEPS_OF_BEFORE
        for name in steps:
            await self._step(name, asked, type(None))
        return await self._step(contract.ERASURE_CERTIFY, asked, int)

    async def _step(self, name: str, asked: Erasing, result: type[T]) -> T:
        limit = STEP if asked.step_seconds is None else timedelta(seconds=asked.step_seconds)
        done: T = await workflow.execute_activity(
            name,
            asked,
            start_to_close_timeout=limit,
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5)),
            result_type=result,
        )
        return done
