"""People: who is accompanied, how they are reached, what they chose, over all their journeys."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, Self, assert_never
from zoneinfo import ZoneInfo

import asyncpg
from pydantic import Field, TypeAdapter

from journeys.contract import Answer
from journeys.domain.commands import (
    Command,
    OptIn,
    OptOut,
    PauseMessages,
    PersonBody,
    RecordDeath,
    RecordWishes,
    RequestErasure,
    ResumeMessages,
)
from journeys.domain.directory import (
    PERSON_FIELDS,
    ChannelAlive,
    ChannelDead,
    PersonChanged,
    PersonExported,
    PersonField,
    PersonRegistered,
    search_form,
)
from journeys.domain.events import (
    Channel,
    ErasureRequested,
    MessagesPaused,
    MessagesResumed,
    OptedIn,
    OptedOut,
    PersonDied,
    WishesRecorded,
)
from journeys.domain.record import Payload
from journeys.store import vault
from journeys.store.database import Connection, Pool
from journeys.store.directory import AlreadyThere, By, Fact, Forgotten, NotFound, SignedCommand, record
from journeys.store.journal import known_answer, trusted_bytes
from journeys.store.signing import KeyRing
from journeys.store.vault import Details as Details


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as stored."""

    id: str
    details: Details
    channel: Channel | None
    """By what they want to be reached first; None: they have not said."""
    opted_out: bool
    paused_until: datetime | None
    died: bool
    died_on: date | None
    erasure_requested: bool
    dead: tuple[str, ...] = ()
    """Channels by which they are not reached any more, as these said themselves: `mail`, `sms`."""
    erasing: bool = False
    """They are being forgotten, or are: nothing is written of them, and nothing handed over."""

    @property
    def name(self) -> str:
        return self.details.name

    def may_be_written_to(self, now: datetime) -> bool:
        """Neither opted out, nor paused at `now`, nor dead."""
        return not (self.opted_out or self.died or (self.paused_until is not None and now < self.paused_until))


_REACHED_BY: Final[Mapping[str, PersonField]] = {"mail": "email", "sms": "phone"}
"""Which field of a person a channel reaches them by."""

OVERTAKEN: Final = "opted-out-since"
"""Why messages do not begin again: the person stopped them later than they asked for that."""

_COLUMNS: Final = "id::text, sealed, channel, opted_out, paused_until, died, died_on, erasure_requested, dead, erasing"


def stream_of(person: str) -> str:
    """The stream of a person's own facts."""
    return f"person-{person}"


async def register(pool: Pool, id: str, details: Details, by: By) -> None:
    """Add a person under an id made by the entry point. Raises AlreadyThere: reference or id is taken."""
    texts = _texts(details, PERSON_FIELDS)
    async with pool.acquire() as connection, connection.transaction():
        try:
            await connection.execute(
                "INSERT INTO people (id, sealed, reference_token) VALUES ($1, $2, $3)",
                id,
                *await _row(connection, id, details),
            )
        except asyncpg.UniqueViolationError as error:
            raise AlreadyThere("person", "reference" if "reference" in str(error.constraint_name) else "id") from None
        await _let_be_found(connection, id, details)
        known = tuple(name for name in PERSON_FIELDS if name in texts)
        await record(connection, stream_of(id), [Fact(PersonRegistered(fields=known), texts)], by)


async def change(pool: Pool, id: str, details: Details, by: By) -> tuple[PersonField, ...]:
    """Replace what is known of a person and return the fields that changed; none writes nothing.

    Raises:
        NotFound: no such person. Forgotten. AlreadyThere: the reference is another's.
    """
    async with pool.acquire() as connection, connection.transaction():
        before = asdict((await _locked(connection, id)).details)
        after = asdict(details)
        changed = tuple(name for name in PERSON_FIELDS if before[name] != after[name])
        if not changed:
            return ()
        try:
            await connection.execute(
                "UPDATE people SET sealed = $2, reference_token = $3 WHERE id = $1",
                id,
                *await _row(connection, id, details),
            )
        except asyncpg.UniqueViolationError:
            raise AlreadyThere("person", "reference") from None
        await connection.execute(
            "UPDATE people SET dead = array_remove(array_remove(dead, $2), $3) WHERE id = $1",
            id, "mail" if "email" in changed else None, "sms" if "phone" in changed else None,
        )  # fmt: skip
        await _let_be_found(connection, id, details)
        texts = dict.fromkeys(changed, "") | _texts(details, changed)
        await record(connection, stream_of(id), [Fact(PersonChanged(fields=changed), texts)], by)
        return changed


async def note_channel(
    pool: Pool, id: str, channel: Literal["mail", "sms"], reason: str | None, by: By, *,
    tried_at: datetime | None = None,
) -> bool:  # fmt: skip
    """Note that a channel will never reach a person any more, and why, or (None) that it does after all.

    Args:
        tried_at: when the message that says so began to leave, by the database's clock, if not just now.

    False (and no event) where that is known, nobody of this id is there any more, they have another number, or
    mailbox, since, or what is known happened later than this.
    """
    async with pool.acquire() as connection, connection.transaction():
        try:
            known = await _locked(connection, id)
        except NotFound:
            return False
        if (channel in known.dead) is (reason is not None):
            return False
        if tried_at is not None and await moved_since(connection, id, channel, tried_at):
            return False
        since = by.occurred_at
        if since is not None and (
            await _said_since(connection, id, channel, since)
            or (reason is not None and await _arrived_since(connection, id, channel, since))
        ):
            return False
        dead = {*known.dead, channel} if reason is not None else {*known.dead} - {channel}
        await connection.execute("UPDATE people SET dead = $2 WHERE id = $1", id, sorted(dead))
        fact = ChannelDead(channel=channel, reason=reason) if reason is not None else ChannelAlive(channel=channel)
        await record(connection, stream_of(id), [Fact(fact)], by)
        return True


async def _said_since(connection: Connection, id: str, channel: str, since: datetime) -> bool:
    """Whether a channel said later than that whether it reaches a person."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM events WHERE stream = $1 AND kind IN ('ChannelDead', 'ChannelAlive')"
        " AND convert_from(header, 'UTF8')::jsonb -> 'data' ->> 'channel' = $2"
        " AND (convert_from(header, 'UTF8')::jsonb ->> 'occurred_at')::timestamptz > $3)",
        stream_of(id), channel, since,
    )  # fmt: skip
    return found


async def _arrived_since(connection: Connection, id: str, channel: str, since: datetime) -> bool:
    """Whether a message reached a person by a channel later than that: while nothing stood against it, no fact of
    theirs says so."""
    found: bool = await connection.fetchval(
        """
        WITH mine AS (
            SELECT a.message, e.reference FROM journeys j JOIN message_attempts a ON a.stream = 'journey-' || j.id
            LEFT JOIN message_ends e USING (message, number)
            WHERE j.person = $1 AND a.channel = $2 AND (e.fate IS NULL OR e.fate IN ('sent', 'unknown')))
        SELECT EXISTS (SELECT FROM mine JOIN message_receipts r USING (message) WHERE said = 'delivered' AND at > $3)
            OR EXISTS (SELECT FROM mine JOIN message_receipts r USING (reference)
                       WHERE r.message IS NULL AND said = 'delivered' AND at > $3)
        """,
        id, channel, since,
    )  # fmt: skip
    return found


async def moved_since(pool: Pool | Connection, id: str, channel: str, since: datetime) -> bool:
    """Whether what a channel reaches a person by was changed since an instant of the database's clock."""
    field = _REACHED_BY.get(channel)
    return field is not None and await pool.fetchval(
        "SELECT EXISTS (SELECT FROM events WHERE stream = $1 AND kind = 'PersonChanged' AND wall > $2"
        " AND convert_from(header, 'UTF8')::jsonb -> 'data' -> 'fields' ? $3)",
        stream_of(id), since, field,
    )  # fmt: skip


async def note_export(pool: Pool, id: str, journeys: int, documents: int, by: By) -> None:
    """Record that what is held about a person leaves as files: so many journeys and documents. Raises NotFound,
    Forgotten: they are not to leave."""
    async with pool.acquire() as connection, connection.transaction():
        await _locked(connection, id)
        fact = Fact(PersonExported(journeys=journeys, documents=documents))
        await record(connection, stream_of(id), [fact], by)


async def person(pool: Pool, id: str) -> Person | None:
    """A person by id."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM people WHERE id = $1", id)
    return None if row is None else (await _people(pool, [row]))[0]


async def by_reference(pool: Pool, reference: str) -> Person | None:
    """A person by the operator's own number."""
    token = await vault.reference_token(pool, reference)
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM people WHERE reference_token = $1", token)
    return None if row is None else (await _people(pool, [row]))[0]


async def names(pool: Pool, ids: list[str]) -> dict[str, str]:
    """First and last name of each person that is there and can be read, by id."""
    rows = await pool.fetch("SELECT id::text, sealed FROM people WHERE id = ANY ($1::uuid[])", ids)
    found = zip(rows, await vault.names(pool, [(row["id"], row["sealed"]) for row in rows]), strict=True)
    return {row["id"]: name for row, name in found if name is not None}


async def phones(connection: Pool | Connection, ids: list[str]) -> dict[str, str]:
    """The phone number of each person who has one and can be read, by id."""
    rows = await connection.fetch("SELECT id::text, sealed FROM people WHERE id = ANY ($1::uuid[])", ids)
    known = await vault.unseal(connection, [(row["id"], row["sealed"]) for row in rows])
    return {row["id"]: each.phone for row, each in zip(rows, known, strict=True) if each is not None and each.phone}


async def search(pool: Pool, text: str, limit: int = 50) -> list[Person]:
    """People whose name has each word, or words that begin so (from three letters), whatever the case and accents, by
    name; or with this reference."""
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} FROM people WHERE reference_token = $1 OR id IN (SELECT people_with($2))"
        " ORDER BY id LIMIT $3",
        await vault.reference_token(pool, text.strip()),
        await vault.word_tokens(pool, search_form(text)),
        limit,
    )
    return sorted(await _people(pool, rows), key=lambda person: (person.details.by_name, person.id))


async def with_number_ending(pool: Pool, digits: str) -> list[Person]:
    """People whose phone number ends with these digits, six at least, however it was written."""
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} FROM people WHERE id IN (SELECT people_with($1)) ORDER BY id",
        await vault.phone_tokens(pool, digits),
    )
    return await _people(pool, rows)


async def duplicates(pool: Pool, details: Details) -> list[Person]:
    """People who may be this one: same reference, or same name (case, accents aside) and birth date."""
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} FROM people WHERE (reference_token = $1 OR id IN (SELECT people_with($2)))"
        " AND NOT erasing ORDER BY id",
        await vault.reference_token(pool, details.reference),
        await vault.born_tokens(pool, details),
    )
    return await _people(pool, rows)


async def volunteers(pool: Pool, ids: list[str], names: list[str]) -> list[Person]:
    """People with a journey of their own who have one of these ids, or one of these names (case, accents aside)."""
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} FROM people p WHERE (id = ANY ($1::uuid[])"
        " OR id IN (SELECT person FROM person_tokens WHERE token = ANY ($2)))"
        " AND EXISTS (SELECT FROM journeys WHERE person = p.id) ORDER BY id",
        ids,
        await vault.name_tokens(pool, names),
    )
    return await _people(pool, rows)


@dataclass(frozen=True, slots=True)
class OwnFact:
    """What a person's stream took of them as one of its events, and their journeys are to be told."""

    stream: str
    seq: int
    body: PersonBody
    occurred_at: datetime

    @classmethod
    def of(cls, command: Command, seq: int) -> Self:
        """A command of the person's stream that was taken as its event `seq`."""
        assert isinstance(command.body, PersonBody)
        return cls(command.stream, seq, command.body, command.occurred_at)


@dataclass(frozen=True, slots=True)
class Owed:
    """A fact of a person, by the event that it is, that an open journey of theirs has to have heard."""

    person: str
    """The stream."""
    seq: int
    journey: str
    """The stream."""
    wish: bool
    """Of how they are reached: a later one takes back only what it names."""


_SAID: Final = """
    SELECT stream, seq, wall, kind, CASE WHEN kind IN ('OptedOut', 'OptedIn') THEN 'messages'
        WHEN kind IN ('MessagesPaused', 'MessagesResumed') THEN 'pause'
        WHEN kind = 'WishesRecorded' THEN 'wish ' || seq ELSE kind END AS matter
    FROM events WHERE starts_with(stream, 'person-') AND kind IN ('OptedOut', 'OptedIn', 'MessagesPaused',
        'MessagesResumed', 'WishesRecorded', 'PersonDied', 'ErasureRequested')
"""
"""What is said of people, and of what matter: of each the last word counts; every wish is one of its own."""


async def to_be_heard(pool: Pool, now: datetime) -> list[Owed]:
    """The last that was said of each matter, for every open journey of its person, in the order in which it was said.

    A journey that began since has to know that nothing may be sent, for good or for now, and of a death; not what was
    taken back, or wished, before it was there.
    """
    rows = await pool.fetch(
        f"""
        WITH said AS (SELECT DISTINCT ON (stream, matter) * FROM ({_SAID}) AS e ORDER BY stream, matter, seq DESC)
        SELECT s.stream, s.seq, 'journey-' || j.id, s.kind = 'WishesRecorded'
        FROM said s JOIN people p ON 'person-' || p.id = s.stream AND NOT p.erasing
        JOIN journeys j ON j.person = p.id AND j.status <> 'closed'
        JOIN events begun ON begun.stream = 'journey-' || j.id AND begun.seq = 1
        WHERE (begun.wall < s.wall OR s.kind IN ('OptedOut', 'MessagesPaused', 'PersonDied'))
          AND (s.kind <> 'MessagesPaused' OR p.paused_until > $1)
        ORDER BY s.stream, s.seq
        """,
        now,
    )
    return [Owed(*row) for row in rows]


async def own_fact(pool: Pool, stream: str, seq: int) -> OwnFact | None:
    """A fact of a person by its event; None where it came by no command, or the matter has had another word since."""
    signed = await pool.fetchval(
        f"""
        SELECT convert_from(c.signed, 'UTF8') FROM ({_SAID}) AS e
        JOIN commands c ON c.stream = e.stream AND e.seq BETWEEN c.first AND c.last
        WHERE (e.stream, e.seq) = ($1, $2) AND NOT EXISTS (
            SELECT FROM ({_SAID}) AS since WHERE since.stream = $1 AND since.matter = e.matter AND since.seq > $2)
        """,
        stream, seq,
    )  # fmt: skip
    if signed is None:
        return None
    said = json.loads(signed)
    body = _BODY.validate_python({"name": said["name"], **said["fields"]})
    return OwnFact(stream, seq, body, datetime.fromisoformat(said["occurred_at"]))


_BODY: Final[TypeAdapter[PersonBody]] = TypeAdapter(Annotated[PersonBody, Field(discriminator="name")])


async def obey(pool: Pool, ring: KeyRing, command: Command, at: datetime) -> Answer:
    """Carry out a signed command about a person on the person's own stream; once for each command id.

    Args:
        command: one of `PERSONAL`, its stream the person's.
        at: the entry point's time; `recorded_at` of the event.

    Returns:
        The answer, recorded now or before; outcome `unsigned` when the signature or parts do not hold,
        `conflict` when the id was used for something else, `refused` (OVERTAKEN) when messages are asked for again
        from before they were stopped: nothing is recorded then. A stop is never too old: silence is what can be mended.

    Raises:
        NotFound: no such person. Forgotten. ValueError: not a command about a person.
    """
    if not isinstance(command.body, PersonBody):
        raise ValueError(f"{command.name} is not about a person")
    signed = trusted_bytes(command, command.stream, ring)
    if signed is None:
        return Answer(command=command.id, outcome="unsigned")
    async with pool.acquire() as connection, connection.transaction():
        id = command.stream.removeprefix("person-")
        about = await _locked(connection, id)
        if known := await known_answer(connection, command):
            return known
        if isinstance(command.body, OptIn) and await _stopped_since(connection, id, command.occurred_at):
            return Answer(command=command.id, outcome="refused", code=OVERTAKEN)
        data, changes = _effect(command.body, command.occurred_at, ZoneInfo(about.details.zone))
        if isinstance(command.body, RecordWishes):
            changes["sealed"] = await vault.seal(connection, id, _wishing(about.details, command.body))
        await _set(connection, id, changes)
        role = command.roles[0] if command.roles else command.actor
        by = By(actor=command.actor, role=role, at=at, occurred_at=command.occurred_at)
        last = await record(connection, command.stream, [Fact(data)], by, SignedCommand(command, signed))
        return Answer(command=command.id, outcome="accepted", first=last, last=last, seq=last)


def _effect(body: PersonBody, occurred_at: datetime, zone: ZoneInfo) -> tuple[Payload, dict[str, Any]]:
    match body:
        case OptOut():
            return OptedOut(), {"opted_out": True}
        case OptIn():
            return OptedIn(), {"opted_out": False}
        case PauseMessages(until=until):
            # The last day of the pause belongs to it, as people say it.
            end = datetime.combine(until + timedelta(days=1), time(), tzinfo=zone)
            return MessagesPaused(until=end), {"paused_until": end}
        case ResumeMessages():
            return MessagesResumed(), {"paused_until": None}
        case RecordWishes():
            wishes = WishesRecorded(channel=body.channel, language=body.language, zone=body.zone)
            return wishes, {} if body.channel is None else {"channel": body.channel}
        case RecordDeath(on=on):
            day = on or occurred_at.astimezone(zone).date()
            return PersonDied(on=day), {"died": True, "died_on": day}
        case RequestErasure():
            return ErasureRequested(), {"erasure_requested": True}
        case _:
            assert_never(body)


def _wishing(details: Details, body: RecordWishes) -> Details:
    return replace(details, language=body.language or details.language, zone=body.zone or details.zone)


async def _stopped_since(connection: Connection, id: str, since: datetime) -> bool:
    """Whether a person stopped messages later than that: on record, or by an answer of their phone that came."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM events WHERE stream = $1 AND kind = 'OptedOut'"
        " AND (convert_from(header, 'UTF8')::jsonb ->> 'occurred_at')::timestamptz > $3)"
        " OR EXISTS (SELECT FROM message_replies WHERE people @> ARRAY[$2::uuid] AND wish = 'stop' AND at > $3)",
        stream_of(id), id, since,
    )  # fmt: skip
    return found


async def _set(connection: Connection, id: str, changes: Mapping[str, Any]) -> None:
    for column, value in changes.items():
        await connection.execute(f"UPDATE people SET {column} = $2 WHERE id = $1", id, value)


async def _locked(connection: Connection, id: str) -> Person:
    """Raises NotFound, Forgotten."""
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM people WHERE id = $1 FOR UPDATE", id)
    if row is None:
        raise NotFound("person", id)
    if row["erasing"]:
        raise Forgotten("person", id)
    return (await _people(connection, [row]))[0]


async def _row(connection: Connection, id: str, details: Details) -> tuple[bytes, bytes | None]:
    return await vault.seal(connection, id, details), await vault.reference_token(connection, details.reference)


async def _let_be_found(connection: Connection, id: str, details: Details) -> None:
    await connection.execute("DELETE FROM person_tokens WHERE person = $1", id)
    await connection.execute(
        "INSERT INTO person_tokens (person, token) SELECT $1::uuid, unnest($2::bytea[])",
        id, await vault.tokens_of(connection, details),
    )  # fmt: skip


def _texts(details: Details, fields: tuple[PersonField, ...]) -> dict[str, str]:
    values = asdict(details)
    return {name: str(values[name]) for name in fields if values[name] is not None}


async def _people(connection: Pool | Connection, rows: Sequence[Mapping[str, Any]]) -> list[Person]:
    known = await vault.unseal(connection, [(row["id"], row["sealed"]) for row in rows])
    return [_person(row, details or vault.ERASED) for row, details in zip(rows, known, strict=True)]


def _person(row: Mapping[str, Any], details: Details) -> Person:
    known = {name: value for name, value in row.items() if name != "sealed"}
    return Person(details=details, **{**known, "dead": tuple(known["dead"])})
