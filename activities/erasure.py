"""The steps of forgetting somebody. Each may be done again: what is gone stays gone, and nothing is counted twice."""

import asyncio
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime

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
from journeys.store import contact_erasing, erasing, paper_letters
from journeys.store.directory import By
from journeys.store.journal import answered
from journeys.store.keys import person_key
from journeys.store.letters import open_letter

OVER = frozenset({"erasing", "unknown-journey"})
"""Refusals of a journey that was told before."""


class Erasure:
    """What the workflow of an erasure asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.ERASURE_CLOSE)
    async def close(self, asked: Erasing) -> bool:
        """Tell each journey of the person; whether none of them runs any more. On others none counts by now.

        A run that a restored engine brought back, of somebody whose key is destroyed, can be told nothing and do
        nothing: it is waited for no more, and goes with the others.

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
        if await pool.keys.destroyed([person_key(asked.person)]):
            return True
        return not any([await self._resources.engine.runs(stream) for stream in journeys])

    @activity.defn(name=contract.ERASURE_SURVEY)
    async def survey(self, asked: Erasing) -> None:
        """Note what is held of them before anything goes."""
        pool, id, kind = self._resources.pool, asked.person, asked.kind
        held = await (erasing.survey(pool, id) if kind == "person" else contact_erasing.survey(pool, kind, id))
        letters = await self._letters(asked, remove=False)
        await erasing.note(pool, id, held.model_copy(update={"letters": held.letters + letters}), kind)

    @activity.defn(name=contract.ERASURE_DESTROY)
    async def destroy(self, asked: Erasing) -> None:
        """Destroy their keys: from here on nobody reads what is left of them, in no copy."""
        pool = self._resources.pool
        keys = await erasing.keys_of(pool, asked.person, asked.kind)
        await erasing.destroy(pool.keys, keys, self._resources.destroyed)

    @activity.defn(name=contract.ERASURE_DELETE)
    async def delete(self, asked: Erasing) -> None:
        """Delete texts, documents, kept histories, what is known of them and by what they are found."""
        pool, id, kind = self._resources.pool, asked.person, asked.kind
        await (erasing.delete(pool, id) if kind == "person" else contact_erasing.delete(pool, kind, id))

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
        """Record the certificate; its seq in their stream. Keys that a copy brought back meanwhile go again first."""
        await self.destroy(asked)
        by = By(actor=SYSTEM, role=SYSTEM, at=datetime.now(UTC))
        return await erasing.certify(self._resources.pool, asked.person, by, asked.kind)

    async def _letters(self, asked: Erasing, *, remove: bool) -> int:
        pool, id, on_paper = self._resources.pool, asked.person, list[str]()
        if asked.kind == "person":
            ids = await erasing.letters_to(pool, id)
        else:
            known = await contact_erasing.found_by(pool, asked.kind, id)
            if asked.kind == "mentor" and known:
                ids = await self._lying(known, lambda letter: names(letter.whole, known))
                on_paper = await paper_letters.naming(pool, lambda text: names(text, known))
            else:
                ids = await contact_erasing.letters_owed(pool, asked.kind, id)
                if asked.kind == "mentor":
                    # Their key went before: what is in a copy that was put back is known only by what it was about.
                    on_paper = await contact_erasing.on_paper(pool, ids)
                else:
                    ids += await self._lying(known, lambda letter: letter.to in known)
        if remove and on_paper:
            await contact_erasing.delete_letters(pool, id, on_paper)
        outbox = self._resources.mailer
        if not isinstance(outbox, FileOutbox):
            return len(on_paper)
        return len(on_paper) + await (outbox.forget(set(ids)) if remove else outbox.count(set(ids)))

    async def _lying(self, known: Collection[str], theirs: Callable[[Read], bool]) -> list[str]:
        """Ids of the letters in the outbox that are somebody's; none where nothing is known that finds them."""
        outbox, found = self._resources.mailer, list[str]()
        for file in lying(outbox.folder) if known and isinstance(outbox, FileOutbox) else ():
            try:
                sealed = await asyncio.to_thread(file.read_bytes)
            except FileNotFoundError:  # another erasure took it meanwhile
                continue
            opened = await open_letter(self._resources.pool.keys, file.stem, sealed)
            if isinstance(opened, bytes) and theirs(read(opened)):
                found.append(file.stem)
        return found


def names(text: str, known: Collection[str]) -> bool:
    """Whether one of these stands in a text, not as a piece of a longer word."""
    return any(re.search(rf"(?<!\w){re.escape(each)}(?!\w)", text) for each in known)
