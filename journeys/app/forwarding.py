"""Commands about a person: onto the person's stream first, then the same to each journey, under derived ids."""

from typing import TYPE_CHECKING

from journeys.app.entry import give, must_be_trusted
from journeys.clock import now
from journeys.contract import Answer
from journeys.domain.commands import Command
from journeys.issuing import forwarded
from journeys.store import people, views
from journeys.store.database import Pool
from journeys.store.signing import KeyRing

if TYPE_CHECKING:
    from temporalio.client import Client


async def forward(pool: Pool, ring: KeyRing, client: "Client", command: Command, task_queue: str) -> dict[str, Answer]:
    """Append a signed person command to the person's stream, and send it on to each of their journeys.

    The answers, by stream, the person's own first; when it was not accepted, there is no other. Sent again
    whole it has no second effect: every id is the same.

    Raises:
        Failure: nobody trusts this process's key; nothing was changed. NotFound: no such person.
        Unreachable: some journey has not answered; send the same command again.
    """
    await must_be_trusted(pool, ring)
    own = await people.obey(pool, ring, command, now())
    answers = {command.stream: own}
    if own.outcome != "accepted":
        return answers
    for row in await views.journeys(pool, person=command.stream.removeprefix("person-")):
        # A closed journey has been told everything that a death would end.
        if row.status == "closed" and command.name == "record-death":
            continue
        sent_on = forwarded(ring, command, own.first, row.stream, now())
        answers[row.stream] = await give(client, sent_on, task_queue)
    return answers
