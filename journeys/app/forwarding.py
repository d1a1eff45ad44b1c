"""Where a command goes: to its journey; about a person, onto the person's stream first, then to each journey."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from journeys.app.allowing import must_be_there, must_reach
from journeys.app.asking import must_be_askable
from journeys.app.attaching import Attached
from journeys.app.entry import Actor, give, make_command, must_be_trusted
from journeys.app.failures import usage
from journeys.app.finding import Loaded
from journeys.app.publishing import Rules, shelve
from journeys.clock import now
from journeys.contract import Answer, Fate
from journeys.domain.commands import PERSONAL, Command, SubmitReceipt
from journeys.domain.decide import Refused, decide
from journeys.domain.document import PART
from journeys.issuing import forwarded
from journeys.store import documents, people, views
from journeys.store.database import LOST, Pool
from journeys.store.directory import Forgotten
from journeys.store.journal import known_answer
from journeys.store.keys import NoKey
from journeys.store.signing import KeyRing

if TYPE_CHECKING:
    from temporalio.client import Client


async def forward(
    pool: Pool, ring: KeyRing, client: "Callable[[], Awaitable[Client]]", command: Command, task_queue: str
) -> dict[str, Answer]:
    """Append a signed person command to the person's stream, and send it on to each of their journeys.

    The answers, by stream, the person's own first; when it was not accepted, there is no other. About somebody who is
    being forgotten it is refused, and nothing is recorded. Sent again whole it has no second effect: every id is the
    same.

    Args:
        client: connects to Temporal; asked once the person's own stream has it, which needs no engine.

    Raises:
        Failure: nobody trusts this process's key; nothing was changed. NotFound: no such person.
        Unreachable: some journey has not answered; the person's stream has it, so it is under way (or, from the
            database, unknown).
    """
    from journeys.temporal import Unreachable

    await must_be_trusted(pool, ring)
    try:
        own = await people.obey(pool, ring, command, now())
    except Forgotten:
        refused = Answer(command=command.id, outcome="refused", code="erasing")
        own = await known_answer(pool, command) or refused
    except LOST as error:
        raise Unreachable("no answer from the database", Fate.UNKNOWN, command.id) from error
    answers = {command.stream: own}
    if own.outcome != "accepted":
        return answers
    try:
        for row in await views.journeys(pool, person=command.stream.removeprefix("person-")):
            # A closed journey has been told everything that a death would end.
            if row.status == "closed" and command.name == "record-death":
                continue
            sent_on = forwarded(ring, people.OwnFact.of(command, own.first), row.stream, now())
            answers[row.stream] = await give(pool, await client(), sent_on, task_queue)
    except Unreachable as error:
        raise Unreachable(str(error), Fate.UNDER_WAY, command.id) from error
    return answers


async def deliver(
    pool: Pool, ring: KeyRing, client: "Callable[[], Awaitable[Client]]", task_queue: str, loaded: Loaded,
    command: Command, texts: Mapping[str, str], actor: Actor, attached: Attached | None = None,
    patience: timedelta | None = None, rules: Rules | None = None,
) -> Answer:  # fmt: skip
    """Send a signed command of a journey; one about the person by their own stream, unless a right or rule refuses it.

    Args:
        client: connects to Temporal; asked once the id is known to be free.
        texts: those of the command, from which its twin for the person's stream is made.
        attached: the document that the command's part tells of; kept before it is sent, gone when it is not taken.
        patience: how long an answer is waited for, if not as long as `send` does.
        rules: those that the command names; their texts are kept before it is sent.

    Raises:
        Unreachable: with the command's fate and id. Malformed: the command is not one.
        Failure: nobody trusts this process's key; the command tells of a document and none is attached; or it hands
            an alert to somebody who cannot act on it, or the journey to somebody who has left, or turns to
            a mentor who may not be one, or to a partner who takes nobody any more.
        asyncpg.DiskFullError: the document cannot be kept; nothing was sent.
    """
    # Temporal answers an update id that it remembers without looking at what it says.
    before = await known_answer(pool, command)
    if before is not None and before.outcome == "conflict":
        return before
    if before is None:
        await must_reach(pool, loaded, command.body)
        await must_be_there(pool, loaded, command.body)
        await must_be_askable(pool, loaded.book.programme, command.body)
    if (PART in command.commitments) != (attached is not None):
        raise usage("document-without-file", "il manque le fichier du document", "the document's file is missing",
                    field=PART)  # fmt: skip
    if rules is not None:
        await must_be_trusted(pool, ring)
        await shelve(pool, rules)
    if attached is not None:
        try:
            await documents.keep(
                pool, command.stream, command.id, attached.document.digest, attached.content,
                accounting=isinstance(command.body, SubmitReceipt),
            )  # fmt: skip
        except NoKey:
            # Nobody ever planned it, or its person was forgotten.
            return Answer(command=command.id, outcome="refused", code="unknown-journey")
    answer = await _send(pool, ring, client, task_queue, loaded, command, texts, actor, patience)
    if attached is not None:
        await documents.settle(pool, command.stream, command.id)
    return answer


async def _send(
    pool: Pool, ring: KeyRing, client: "Callable[[], Awaitable[Client]]", task_queue: str, loaded: Loaded,
    command: Command, texts: Mapping[str, str], actor: Actor, patience: timedelta | None,
) -> Answer:  # fmt: skip
    from journeys.temporal import Unreachable

    try:
        refused = command.name in PERSONAL and isinstance(decide(loaded.state, command, now(), loaded.book), Refused)
        if command.name not in PERSONAL or refused:
            return await give(pool, await client(), command, task_queue, patience)
        about = f"person-{loaded.state.person}"
        own = make_command(
            ring, stream=about, body=command.body, actor=actor, now=command.signed_at, texts=texts, id=command.id,
            occurred_at=command.occurred_at, seen=command.seen,
        )  # fmt: skip
        answers = await forward(pool, ring, client, own, task_queue)
        return answers.get(loaded.row.stream, answers[about])
    except Unreachable as error:
        error.command_id = command.id
        raise
