"""People: who is accompanied, how they are reached, what they chose, over all their journeys."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, assert_never
from zoneinfo import ZoneInfo

import asyncpg

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
from journeys.domain.directory import PERSON_FIELDS, PersonChanged, PersonField, PersonRegistered, search_form
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
from journeys.store.database import Connection, Pool
from journeys.store.directory import AlreadyThere, By, Fact, NotFound, SignedCommand, record
from journeys.store.journal import known_answer, trusted_bytes
from journeys.store.signing import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is known of a person."""

    first_name: str
    last_name: str
    birth_date: date | None = None
    reference: str | None = None
    """The operator's own number; unique."""
    email: str | None = None
    phone: str | None = None
    language: str = "fr"
    zone: str = "Europe/Paris"
    place: str | None = None
    """Town or district."""
    languages: str | None = None
    """Those that they speak, with commas."""
    interests: str | None = None


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

    @property
    def name(self) -> str:
        return f"{self.details.first_name} {self.details.last_name}"

    def may_be_written_to(self, now: datetime) -> bool:
        """Neither opted out, nor paused at `now`, nor dead."""
        return not (self.opted_out or self.died or (self.paused_until is not None and now < self.paused_until))


_COLUMNS: Final = (
    "id::text, reference, first_name, last_name, birth_date, email, phone, language, zone, place, languages, interests,"
    " channel, opted_out, paused_until, died, died_on, erasure_requested"
)


def stream_of(person: str) -> str:
    """The stream of a person's own facts."""
    return f"person-{person}"


async def register(pool: Pool, id: str, details: Details, by: By) -> None:
    """Add a person under an id made by the entry point. Raises AlreadyThere: reference or id is taken."""
    texts = _texts(details, PERSON_FIELDS)
    async with pool.acquire() as connection, connection.transaction():
        try:
            await connection.execute(
                "INSERT INTO people (id, reference, first_name, last_name, birth_date, search_name,"
                " email, phone, language, zone, place, languages, interests)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                id,
                *_row(details),
            )
        except asyncpg.UniqueViolationError as error:
            raise AlreadyThere("person", "reference" if "reference" in str(error.constraint_name) else "id") from None
        known = tuple(name for name in PERSON_FIELDS if name in texts)
        await record(connection, stream_of(id), [Fact(PersonRegistered(fields=known), texts)], by)


async def change(pool: Pool, id: str, details: Details, by: By) -> tuple[PersonField, ...]:
    """Replace what is known of a person and return the fields that changed; none writes nothing.

    Raises:
        NotFound: no such person. AlreadyThere: the reference is another's.
    """
    async with pool.acquire() as connection, connection.transaction():
        before = asdict((await _locked(connection, id)).details)
        after = asdict(details)
        changed = tuple(name for name in PERSON_FIELDS if before[name] != after[name])
        if not changed:
            return ()
        try:
            await connection.execute(
                "UPDATE people SET reference = $2, first_name = $3, last_name = $4, birth_date = $5,"
                " search_name = $6, email = $7, phone = $8, language = $9, zone = $10,"
                " place = $11, languages = $12, interests = $13 WHERE id = $1",
                id,
                *_row(details),
            )
        except asyncpg.UniqueViolationError:
            raise AlreadyThere("person", "reference") from None
        texts = dict.fromkeys(changed, "") | _texts(details, changed)
        await record(connection, stream_of(id), [Fact(PersonChanged(fields=changed), texts)], by)
        return changed


async def person(pool: Pool, id: str) -> Person | None:
    """A person by id."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM people WHERE id = $1", id)
    return None if row is None else _person(row)


async def by_reference(pool: Pool, reference: str) -> Person | None:
    """A person by the operator's own number."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM people WHERE reference = $1", reference)
    return None if row is None else _person(row)


async def names(pool: Pool, ids: list[str]) -> dict[str, str]:
    """First and last name of each person that is there, by id."""
    rows = await pool.fetch("SELECT id::text, first_name, last_name FROM people WHERE id = ANY ($1::uuid[])", ids)
    return {row["id"]: f"{row['first_name']} {row['last_name']}" for row in rows}


async def search(pool: Pool, text: str, limit: int = 50) -> list[Person]:
    """People whose name has each word, whatever the case and accents, by name; or with this reference."""
    patterns = [f"%{word}%" for word in search_form(text).split()]
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} FROM people"
        " WHERE reference = $1 OR (cardinality($2::text[]) > 0 AND search_name LIKE ALL ($2))"
        " ORDER BY search_name, id LIMIT $3",
        text.strip(),
        patterns,
        limit,
    )
    return [_person(row) for row in rows]


async def duplicates(pool: Pool, details: Details) -> list[Person]:
    """People who may be this one: same reference, or same name (case, accents aside) and birth date."""
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} FROM people WHERE reference = $1 OR (search_name = $2 AND birth_date = $3) ORDER BY id",
        details.reference,
        _search_name(details),
        details.birth_date,
    )
    return [_person(row) for row in rows]


async def volunteers(pool: Pool, ids: list[str], names: list[str]) -> list[Person]:
    """People with a journey of their own who have one of these ids, or one of these names (case, accents aside)."""
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} FROM people p WHERE (id = ANY ($1::uuid[]) OR search_name = ANY ($2))"
        " AND EXISTS (SELECT FROM journeys WHERE person = p.id) ORDER BY id",
        ids,
        names,
    )
    return [_person(row) for row in rows]


async def obey(pool: Pool, ring: KeyRing, command: Command, at: datetime) -> Answer:
    """Carry out a signed command about a person on the person's own stream; once for each command id.

    Args:
        command: one of `PERSONAL`, its stream the person's.
        at: the entry point's time; `recorded_at` of the event.

    Returns:
        The answer, recorded now or before; outcome `unsigned` when the signature or parts do not hold,
        `conflict` when the id was used for something else.

    Raises:
        NotFound: no such person. ValueError: not a command about a person.
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
        data, changes = _effect(command.body, command.occurred_at, ZoneInfo(about.details.zone))
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
            wishes = {"channel": body.channel, "language": body.language, "zone": body.zone}
            return WishesRecorded(**wishes), {column: value for column, value in wishes.items() if value is not None}
        case RecordDeath(on=on):
            day = on or occurred_at.astimezone(zone).date()
            return PersonDied(on=day), {"died": True, "died_on": day}
        case RequestErasure():
            return ErasureRequested(), {"erasure_requested": True}
        case _:
            assert_never(body)


async def _set(connection: Connection, id: str, changes: Mapping[str, Any]) -> None:
    for column, value in changes.items():
        await connection.execute(f"UPDATE people SET {column} = $2 WHERE id = $1", id, value)


async def _locked(connection: Connection, id: str) -> Person:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM people WHERE id = $1 FOR UPDATE", id)
    if row is None:
        raise NotFound("person", id)
    return _person(row)


def _search_name(details: Details) -> str:
    return search_form(f"{details.last_name} {details.first_name}")


def _row(details: Details) -> tuple[Any, ...]:
    return (
        details.reference,
        details.first_name,
        details.last_name,
        details.birth_date,
        _search_name(details),
        details.email,
        details.phone,
        details.language,
        details.zone,
        details.place,
        details.languages,
        details.interests,
    )


def _texts(details: Details, fields: tuple[PersonField, ...]) -> dict[str, str]:
    values = asdict(details)
    return {name: str(values[name]) for name in fields if values[name] is not None}


def _person(row: Mapping[str, Any]) -> Person:
    return Person(
        id=row["id"],
        details=Details(**{name: row[name] for name in PERSON_FIELDS}),
        channel=row["channel"],
        opted_out=row["opted_out"],
        paused_until=row["paused_until"],
        died=row["died"],
        died_on=row["died_on"],
        erasure_requested=row["erasure_requested"],
    )
