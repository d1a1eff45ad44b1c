"""The steps of forgetting somebody. Each may be done again: what is gone stays gone, and nothing is counted twice."""

import asyncio
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.resources import Resources
from journeys import contract
from journeys.channels.letter import Read, read
from journeys.channels.outbox import FileOutbox, lying
from journeys.contract import Erasing
from journeys.domain.commands import Erase
from journeys.domain.record import SYSTEM, Cause
from journeys.identifiers import forwarded_id
from journeys.issuing import issue
from journeys.store import erasing, mentor_erasing, paper_letters, partner_erasing, staff_erasing
from journeys.store.directory import By
from journeys.store.journal import answered
from journeys.store.letters import open_letter

_OF: Final[Mapping[erasing.Kind, Any]] = {
    "person": erasing, "mentor": mentor_erasing, "staff": staff_erasing, "partner": partner_erasing,
}  # fmt: skip
"""Where it is written what is held of somebody of a kind (`survey`), and what goes (`delete`)."""

OVER = frozenset({"erasing", "unknown-journey"})
"""Refusals of a journey that was told before."""


class Erasure:
    """What the workflow of an erasure asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.ERASURE_CLOSE)
    async def close(self, asked: Erasing) -> bool:
        """Tell each journey of the person; whether none of them runs any more. On others none counts by now.

        Raises ApplicationError: NotOrdered; NotTold: a journey did not take it.
        """
        pool, ring = self._resources.pool, self._resources.ring
        known = await erasing.ordered(pool, asked.person, asked.kind)
        if known is None:
            raise ApplicationError("nobody ordered this erasure", type="NotOrdered", non_retryable=True)
        if asked.kind != "person":
            return True
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
        """Note what is held of them before anything goes."""
        held = await _OF[asked.kind].survey(self._resources.pool, asked.person)
        letters = await self._letters(asked, remove=False)
        await erasing.note(
            self._resources.pool, asked.person, held.model_copy(update={"letters": held.letters + letters}), asked.kind
        )

    @activity.defn(name=contract.ERASURE_DESTROY)
    async def destroy(self, asked: Erasing) -> None:
        """Destroy their keys: from here on nobody reads what is left of them, in no copy."""
        pool = self._resources.pool
        keys = await erasing.keys_of(pool, asked.person, asked.kind)
        await erasing.destroy(pool.keys, keys, self._resources.destroyed)

    @activity.defn(name=contract.ERASURE_DELETE)
    async def delete(self, asked: Erasing) -> None:
        """Delete texts, documents, kept histories, what is known of them and by what they are found."""
        await _OF[asked.kind].delete(self._resources.pool, asked.person)

    @activity.defn(name=contract.ERASURE_RUNS)
    async def runs(self, asked: Erasing) -> None:
        """Have the engine forget every run of the person's journeys."""
        for stream in (await erasing.streams_of(self._resources.pool, asked.person))[1:]:
            await self._resources.engine.forget(stream)

    @activity.defn(name=contract.ERASURE_LETTERS)
    async def letters(self, asked: Erasing) -> None:
        """Remove letters to them that lie in the outbox; to others too where they name a mentor, on paper as well.

        What a member of staff signed, or what tells of a partner, is the reader's, and stays.
        """
        await self._letters(asked, remove=True)

    @activity.defn(name=contract.ERASURE_CERTIFY)
    async def certify(self, asked: Erasing) -> int:
        """Record the certificate; its seq in their stream."""
        by = By(actor=SYSTEM, role=SYSTEM, at=datetime.now(UTC))
        return await erasing.certify(self._resources.pool, asked.person, by, asked.kind)

    async def _letters(self, asked: Erasing, *, remove: bool) -> int:
        outbox, pool, on_paper = self._resources.mailer, self._resources.pool, list[str]()
        said = await mentor_erasing.called_and_reached(pool, asked.person) if asked.kind == "mentor" else ()
        if said:
            on_paper = await paper_letters.naming(pool, lambda text: names(text, said))
            if remove:
                await mentor_erasing.delete_letters(pool, asked.person, on_paper)
        if not isinstance(outbox, FileOutbox):
            return len(on_paper)
        match asked.kind:
            case "person":
                ids = await erasing.letters_to(pool, asked.person)
            case "mentor":
                ids = await self._lying(outbox, said, lambda letter: names(letter.whole, said))
            case "staff" | "partner":
                own = await _OF[asked.kind].reached(pool, asked.person)
                ids = await self._lying(outbox, own, lambda letter: letter.to in own)
        return len(on_paper) + await (outbox.forget(ids) if remove else outbox.count(ids))

    async def _lying(self, outbox: FileOutbox, said: Collection[str], theirs: Callable[[Read], bool]) -> list[str]:
        """Ids of the letters that are somebody's; none where nothing is known by which they are found."""
        found = []
        for file in lying(outbox.folder) if said else ():
            try:
                sealed = await asyncio.to_thread(file.read_bytes)
            except FileNotFoundError:  # another erasure took it meanwhile
                continue
            opened = await open_letter(self._resources.pool.keys, file.stem, sealed)
            if isinstance(opened, bytes) and theirs(read(opened)):
                found.append(file.stem)
        return found


def names(text: str, said: Collection[str]) -> bool:
    """Whether one of these stands in a text, not as a piece of a longer word."""
    return any(re.search(rf"(?<!\w){re.escape(each)}(?!\w)", text) for each in said)
