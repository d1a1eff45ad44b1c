"""The steps of forgetting a person. Each may be done again: what is gone stays gone, and nothing is counted twice."""

from datetime import UTC, datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.resources import Resources
from journeys import contract
from journeys.channels.outbox import FileOutbox
from journeys.contract import Erasing
from journeys.domain.commands import Erase
from journeys.domain.record import SYSTEM, Cause
from journeys.identifiers import forwarded_id
from journeys.issuing import issue
from journeys.store import erasing
from journeys.store.directory import By
from journeys.store.journal import answered

OVER = frozenset({"erasing", "unknown-journey"})
"""Refusals of a journey that was told before."""


class Erasure:
    """What the workflow of an erasure asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.ERASURE_CLOSE)
    async def close(self, asked: Erasing) -> bool:
        """Tell each journey of the person; whether none of them runs any more.

        Raises ApplicationError: NotOrdered; NotTold: a journey did not take it.
        """
        pool, ring = self._resources.pool, self._resources.ring
        known = await erasing.ordered(pool, asked.person)
        if known is None:
            raise ApplicationError("nobody ordered this erasure", type="NotOrdered", non_retryable=True)
        own, *journeys = await erasing.streams_of(pool, asked.person)
        cause = Cause(own, known.seq)
        ids = {forwarded_id(stream, cause): stream for stream in journeys}
        for id in ids.keys() - await answered(pool, ids):
            command = issue(
                ring, stream=ids[id], body=Erase(reason=known.reason), actor=SYSTEM, roles=(SYSTEM,),
                now=datetime.now(UTC), occurred_at=known.at, caused_by=cause, id=id,
            )  # fmt: skip
            answer = await self._resources.send(command)
            if answer.outcome != "accepted" and answer.code not in OVER:
                raise ApplicationError(f"{ids[id]}: {answer.code or answer.outcome}", type="NotTold")
        return not any([await self._resources.engine.runs(stream) for stream in journeys])

    @activity.defn(name=contract.ERASURE_SURVEY)
    async def survey(self, asked: Erasing) -> None:
        """Note what is held of the person before anything goes."""
        held = await erasing.survey(self._resources.pool, asked.person)
        letters = await self._letters(asked.person, remove=False)
        await erasing.note(self._resources.pool, asked.person, held.model_copy(update={"letters": letters}))

    @activity.defn(name=contract.ERASURE_DESTROY)
    async def destroy(self, asked: Erasing) -> None:
        """Destroy the person's keys: from here on nobody reads what is left of them, in no copy."""
        pool = self._resources.pool
        await erasing.destroy(pool.keys, await erasing.keys_of(pool, asked.person), self._resources.destroyed)

    @activity.defn(name=contract.ERASURE_DELETE)
    async def delete(self, asked: Erasing) -> None:
        """Delete texts, documents, kept histories, what is known of the person and by what they are found."""
        await erasing.delete(self._resources.pool, asked.person)

    @activity.defn(name=contract.ERASURE_RUNS)
    async def runs(self, asked: Erasing) -> None:
        """Have the engine forget every run of the person's journeys."""
        for stream in (await erasing.streams_of(self._resources.pool, asked.person))[1:]:
            await self._resources.engine.forget(stream)

    @activity.defn(name=contract.ERASURE_LETTERS)
    async def letters(self, asked: Erasing) -> None:
        """Remove letters to the person that lie in the outbox."""
        await self._letters(asked.person, remove=True)

    @activity.defn(name=contract.ERASURE_CERTIFY)
    async def certify(self, asked: Erasing) -> int:
        """Record the certificate; its seq in the person's stream."""
        by = By(actor=SYSTEM, role=SYSTEM, at=datetime.now(UTC))
        return await erasing.certify(self._resources.pool, asked.person, by)

    async def _letters(self, person: str, *, remove: bool) -> int:
        outbox = self._resources.mailer
        if not isinstance(outbox, FileOutbox):
            return 0
        ids = await erasing.letters_to(self._resources.pool, person)
        return await (outbox.forget(ids) if remove else outbox.count(ids))
