"""A command of a program: seen or not, proved where it is about money, sent, and which of three became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from asyncpg import PostgresError
from fastapi import Header
from pydantic import ValidationError

from journeys.app import telling
from journeys.app.entry import Actor, make_command
from journeys.app.failures import Exit, Failure, Said
from journeys.app.finding import Loaded
from journeys.app.forwarding import deliver
from journeys.app.seeing import changed_since
from journeys.app.telling import failure_of
from journeys.app.web.api.bodies import Read
from journeys.app.web.api.entering import must_prove
from journeys.app.web.api.problems import unreadable
from journeys.app.web.visit import Visit
from journeys.contract import Answer, Fate
from journeys.domain.commands import PERSONAL
from journeys.identifiers import instant_of
from journeys.store.journal import said_before
from journeys.temporal import Malformed, Unreachable

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key", pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="The id of the command, a UUID of yours (UUIDv7 is best): sent again with the same key it has the "
        "same answer and no second effect; with other content it is a conflict.",
        examples=["01a2116a-1000-7b3c-9c1e-5f0c2f1d8a77"],
    ),
]  # fmt: skip
Seen = Annotated[
    str | None,
    Header(
        alias="If-Match", pattern=r'^"(0|[1-9][0-9]{0,8})"$',
        description="The ETag of the journey that the person had before their eyes. The command is refused (412) when "
        "somebody else has since changed the same subject, and only then.",
        examples=['"42"'],
    ),
]  # fmt: skip

_NEAR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A command as a program asks for it."""

    name: str
    read: Read
    id: str
    seen: int | None


def seq_of(etag: str | None) -> int | None:
    """The seq in an ETag of ours."""
    return int(etag.strip('"')) if etag is not None else None


def etag(seq: int) -> dict[str, str]:
    """The header that says where a journey stands."""
    return {"ETag": f'"{seq}"'}


async def act(visit: Visit, loaded: Loaded, asked: Asked) -> Answer:
    """Send a command to a journey that the visitor may see; the visit's connection is given back before.

    Raises:
        Failure: changed since, no proof, refused, or in conflict: it was not taken. Fate unknown (503), with the
        number under which it may be looked up and sent again. UnderWay: taken, and not yet written.
    """
    house, read = visit.house, asked.read
    # A command about the person may be on their own stream, though the journey has not got it yet.
    streams = (loaded.row.stream, *((f"person-{loaded.state.person}",) if asked.name in PERSONAL else ()))
    before = await said_before(house.writing, asked.id, streams)
    try:
        command = make_command(
            house.ring, stream=loaded.row.stream, body=read.body, actor=visit.actor, now=visit.now, texts=read.texts,
            id=asked.id, occurred_at=read.occurred_at or _occurred(before, asked.id, visit.now), seen=asked.seen,
        )  # fmt: skip
    except ValidationError as error:
        raise unreadable(error) from None
    if before is None:
        _must_be_fresh(loaded, visit.actor, asked)
        await must_prove(visit, asked.name)
    await visit.done()
    try:
        answer = await deliver(
            house.writing, house.ring, house.client, house.settings.task_queue, loaded, command, read.texts,
            visit.actor, read.attached, rules=read.rules,
        )  # fmt: skip
    except (Unreachable, Malformed) as error:
        raise unanswered(error, asked.id, loaded.row.id) from None
    except (OSError, PostgresError) as error:
        if asked.name in PERSONAL:
            # The person's own stream may have it already.
            raise unknown_fate(asked.id) from error
        raise
    return settled(answer, loaded)


def settled(answer: Answer, loaded: Loaded | None) -> Answer:
    """The answer, if the command was taken. Raises Failure."""
    if answer.outcome == "conflict":
        raise used_otherwise(answer.command)
    if (failure := failure_of(answer, loaded.book if loaded is not None else None)) is not None:
        raise failure
    return answer


def _occurred(before: Mapping[str, Any] | None, id: str, now: datetime) -> datetime | None:
    """When a command happened that does not say so: the same each time it is sent."""
    if before is not None:
        return datetime.fromisoformat(before["occurred_at"])
    made = instant_of(id)
    return min(made, now) if made is not None and abs(made - now) < _NEAR else None


def _must_be_fresh(loaded: Loaded, actor: Actor, asked: Asked) -> None:
    """Raises Failure when somebody else has changed the same subject since it was seen."""
    if others := changed_since(loaded.events, asked.seen, actor.id, asked.read.body):
        raise Failure(
            Exit.CONFLICT, "changed",
            Said("quelqu'un a changé la même chose depuis que vous l'avez lue ; la demande n'a pas été prise",
                 "somebody has changed the same thing since you read it; the request was not taken"),
            Said("relisez le parcours, puis renvoyez avec son nouvel ETag si c'est toujours juste",
                 "read the journey again, then send with its new ETag if it is still right"),
            field="If-Match",
            more={"seq": loaded.state.seq, "events": [event.seq for event in others]},
        )  # fmt: skip


class UnderWay(Exception):
    """The engine has taken a command and is writing it down: 202 with its number."""

    def __init__(self, command: str, journey: str) -> None:
        super().__init__(command)
        self.command = command
        self.journey = journey


def unanswered(error: Exception, command: str, journey: str) -> Exception:
    """What became of a command that got no answer in time: taken, not taken, or not known, by the sender's word."""
    fate = error.fate if isinstance(error, Unreachable) else Fate.UNKNOWN
    return UnderWay(command, journey) if fate is Fate.UNDER_WAY else telling.unanswered(fate, command, fate.value)


def unknown_fate(command: str) -> Failure:
    """The engine gave no answer: whether the command was taken is not known, and sending it again is safe."""
    return telling.unanswered(Fate.UNKNOWN, command, Fate.UNKNOWN.value)


def used_otherwise(command: str) -> Failure:
    """The same key with other content, or by somebody else."""
    return Failure(
        Exit.CONFLICT, "key-used",
        Said("cette Idempotency-Key a déjà servi pour autre chose ; rien n'a changé",
             "this Idempotency-Key was used for something else; nothing has changed"),
        Said("renvoyez exactement la même demande, ou choisissez une autre clé",
             "send exactly the same request, or choose another key"),
        field="Idempotency-Key", command=command,
    )  # fmt: skip
