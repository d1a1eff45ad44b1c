"""Streams without a workflow: an entry point's facts, appended in the transaction that changes a table."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from journeys.contract import Answer
from journeys.domain.commands import Command
from journeys.domain.record import Event, Payload
from journeys.store import contacts, vault
from journeys.store.database import Connection, Pool
from journeys.store.journal import write
from journeys.store.offer import StoredCommand, make_offer, sealed
from journeys.store.signing import draw_parts

RULE: Final = "directory"
"""Stands in the header where no signed command calls for the fact."""


class NotFound(Exception):
    """There is no such row; `kind` and `id` say which was asked for."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"no {kind} {id}")
        self.kind = kind
        self.id = id


class Forgotten(NotFound):
    """There was one, and nothing is written of them any more: they are being forgotten, or are."""


class AlreadyThere(Exception):
    """Something unique is taken; `field` says what, the value is not repeated."""

    def __init__(self, kind: str, field: str) -> None:
        super().__init__(f"another {kind} has this {field}")
        self.kind = kind
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who records a fact, in which role, and when (by the entry point's clock)."""

    actor: str
    role: str
    at: datetime
    occurred_at: datetime | None = None
    """When it happened, if not now."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One event to be: its payload, and the texts that go into parts."""

    data: Payload
    texts: Mapping[str, str] = field(default_factory=dict)


async def names_of(connection: Pool | Connection, ids: Collection[str]) -> dict[str, str]:
    """How staff, mentors, partners and people are called, by id; whoever the connection may not see is left out."""
    if not ids:
        return {}
    rows = await connection.fetch(
        """
        SELECT id::text, 'staff' AS among, sealed FROM staff WHERE id = ANY ($1::uuid[]) AND NOT erasing
        UNION ALL SELECT id::text, 'mentor', sealed FROM mentors WHERE id = ANY ($1::uuid[]) AND NOT erasing
        UNION ALL SELECT id::text, 'partner', sealed FROM partners WHERE id = ANY ($1::uuid[]) AND NOT erasing
        UNION ALL SELECT id::text, 'people', sealed FROM people WHERE id = ANY ($1::uuid[])
        """,
        sorted(ids),
    )
    found = await vault.opened(connection, [(_place(row["among"], row["id"]), row["sealed"]) for row in rows])
    return {
        row["id"]: vault.details_of(known).name if row["among"] == "people" else known["name"]
        for row, known in zip(rows, found, strict=True)
        if known is not None
    }


def _place(among: str, id: str) -> str:
    return vault.place_of(id) if among == "people" else contacts.place_of(f"{among}-{id}")


def contact_texts(name: str, email: str | None, phone: str | None) -> dict[str, str]:
    """How somebody is called and reached, as texts of a fact; what is not known is left out."""
    return {key: text for key, text in (("name", name), ("email", email), ("phone", phone)) if text is not None}


@dataclass(frozen=True, slots=True)
class SignedCommand:
    """A command that calls for the facts: kept with its signed bytes and answered with where they stand."""

    command: Command
    signed: bytes


async def record(
    connection: Connection,
    stream: str,
    facts: Sequence[Fact],
    by: By,
    called_for: SignedCommand | None = None,
    accounts_of: str | None = None,
) -> int:
    """Append facts at the end of a stream, whatever its position, and return the seq of the last.

    Runs in the caller's transaction, and holds the stream's head until its end.

    Args:
        accounts_of: the person whose accounts the texts are about, where the stream is not theirs.
    """
    await connection.execute(
        "INSERT INTO streams (stream, seq, hash) VALUES ($1, 0, decode(repeat('00', 32), 'hex'))"
        " ON CONFLICT DO NOTHING",
        stream,
    )
    seq: int = await connection.fetchval("SELECT seq FROM streams WHERE stream = $1 FOR UPDATE", stream)
    drawn = [draw_parts(fact.texts) for fact in facts]
    parts = [part for kept, _ in drawn for part in kept.values()]
    command = called_for.command if called_for else None
    if command:
        parts += command.parts.values()
    headers = [
        Event(
            stream=stream,
            seq=seq + nth,
            kind=type(fact.data).__name__,
            kind_v=fact.data.VERSION,
            recorded_at=by.at,
            occurred_at=by.occurred_at or by.at,
            actor=by.actor,
            role=by.role,
            command=command.id if command else None,
            rule=None if command else RULE,
            data=fact.data,
            parts={**commitments, **(command.commitments if command else {})},
        ).header()
        for nth, (fact, (_, commitments)) in enumerate(zip(facts, drawn, strict=True), start=1)
    ]
    last = seq + len(facts)
    commands = [_stored(called_for, seq + 1 if facts else 0, last if facts else 0, last)] if called_for else []
    made = make_offer(stream, seq, headers, parts=parts, commands=commands)
    offer = await sealed(made, connection.keys, accounts_of)
    [written] = await write(connection, [offer])
    if written.outcome != "accepted":
        raise AlreadyThere("command", "id")
    return last


async def change(pool: Pool, stream: str, statement: str, given: Sequence[Any], fact: Fact, by: By) -> None:
    """Change the row of a mentor or partner, and record the fact on their stream.

    Args:
        statement: with the id as `$1` and what is given from `$2` on.

    Raises NotFound where the statement finds no row.
    """
    kind, _, id = stream.partition("-")
    async with pool.acquire() as connection, connection.transaction():
        if await connection.execute(statement, id, *given) == "UPDATE 0":
            raise NotFound(kind, id)
        await record(connection, stream, [fact], by)


def _stored(called_for: SignedCommand, first: int, last: int, seq: int) -> StoredCommand:
    answer = Answer(command=called_for.command.id, outcome="accepted", first=first, last=last, seq=seq)
    return StoredCommand(called_for.command, called_for.signed, first or None, last or None, answer.model_dump_json())
