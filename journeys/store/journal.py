"""The journal: events offered at an expected position, stored with links, parts, commands, view at once."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple
from weakref import WeakKeyDictionary

from journeys.contract import Answer, Append, Appended
from journeys.domain.commands import Command
from journeys.domain.events import read_stored
from journeys.domain.record import Event, Payload
from journeys.store import money
from journeys.store.database import Connection, Pool
from journeys.store.group_commit import GroupCommit
from journeys.store.keys import Lost
from journeys.store.money import MONEY_KINDS, FundRefused, MoneyOffer, Stored, money_offer, write_money
from journeys.store.offer import Offer, StoredCommand, make_offer, place_of_part, sealed
from journeys.store.programmes import texts_of
from journeys.store.signing import KeyRing, signed_bytes

PAGE_EVENTS: Final = 200
PAGE_BYTES: Final = 1_000_000
"""An answer stays well under the 2 MB that a Temporal payload may have."""

AT_MOST: Final = 8
LANES: Final = 3
"""Offers in one transaction, and transactions under way at once: see GroupCommit."""

_PART: Final = "stream, seq, name, text, salt, sealed"
_SALT_BYTES: Final = 32

_TELLS_TEXTS: Final = frozenset({"JourneyPlanned", "ProgrammeChanged"})


class JournalBehind(Exception):
    """The journal holds less than was folded: it was restored from an older copy, or events were lost."""

    def __init__(self, stream: str, expected: int, head: int) -> None:
        super().__init__(f"{stream}: the journal ends at {head}, {expected} events were already read from it")
        self.stream = stream
        self.expected = expected
        self.head = head


@dataclass(frozen=True, slots=True)
class Written:
    """What became of an offer. `link` is the hash that its first header was linked to."""

    outcome: Literal["accepted", "ahead", "behind", "known"]
    head: int
    link: bytes


class StoredEvent(NamedTuple):
    """An event as it stands in the journal; a tuple, because a stream is read in thousands of them."""

    seq: int
    header: bytes
    """RFC 8785 bytes, verbatim."""
    hash: bytes
    wall: Any
    """The server's time of storing: an aware datetime."""
    kind: str = ""
    """As the journal's column says; the auditor compares it with the header's own."""

    def read(self) -> dict[str, Any]:
        """The header as a dict."""
        read: dict[str, Any] = json.loads(self.header)
        return read

    def event(self) -> Event[Payload]:
        """The fact of a journey's stream, straight from its bytes. Raises UnknownKind, pydantic's ValidationError."""
        return read_stored(self.kind, self.header)


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A body part with the seq of its event."""

    seq: int
    name: str
    text: str
    salt: bytes
    lost: Lost | None = None
    """Why text and salt are empty, where they could not be read."""

    def commitment(self) -> str:
        """What an event promises of a part with this text and salt."""
        return _commitment(self.salt, self.text)


class Groups:
    """The offers of one pool that wait to be stored."""

    def __init__(self, pool: Pool) -> None:
        self.plain: GroupCommit[Offer, Written] = GroupCommit(pool, _write_group, at_most=AT_MOST, lanes=LANES)
        # Who waits for a fund would only hold a connection: one lane.
        self.money: GroupCommit[MoneyOffer, Stored] = GroupCommit(pool, write_money, at_most=money.AT_MOST, lanes=1)


_GROUPS: Final[WeakKeyDictionary[Pool, Groups]] = WeakKeyDictionary()


async def append(pool: Pool, ring: KeyRing, request: Append) -> Appended:
    """Offer events; the answer holds what the journal has after `request.expected`.

    Nothing is written when a signature or part does not hold, when the journal is ahead, when a command is
    known, or when a fund refuses; nor when a command says of a payment what its file forbids, which is its answer.
    An offer without events and commands only reads.

    Raises:
        BadOffer, NotCanonical: the caller's mistake; the same offer will never be taken.
        JournalBehind: the journal lost what it had.
        OSError, TimeoutError, asyncpg.PostgresError: not known whether it was stored; offer the same again.
    """
    signed = [trusted_bytes(each.command, request.stream, ring) for each in request.answered]
    good = [content for content in signed if content is not None]
    if len(good) < len(signed):
        unsigned = (each.command.id for each, content in zip(request.answered, signed, strict=True) if content is None)
        return await _stored(pool, request, unsigned=tuple(unsigned))
    offer = _offer(request, good)
    if offer.empty:
        return await _stored(pool, request)
    try:
        written = await _write_all(pool, request, await sealed(offer, pool.keys), ring)
    except FundRefused as refused:
        stored = await _stored(pool, request)
        ahead = stored.events or stored.known
        if ahead:
            return stored
        if refused.command is None:
            return Appended(accepted=False, blocked=refused.code)
        answer = Answer(command=refused.command, outcome="refused", code=refused.code, seq=request.expected)
        return Appended(accepted=False, known=(answer,))
    if written.outcome == "behind":
        raise JournalBehind(offer.stream, offer.expected, written.head)
    if written.outcome != "accepted":
        return await _stored(pool, request)
    links = offer.links(written.link)
    return Appended(
        accepted=True, events=tuple({**event, "prev": link} for event, link in zip(request.events, links, strict=True))
    )


async def write(connection: Connection, offers: Sequence[Offer]) -> list[Written]:
    """Store offers of distinct streams, all or none of them, in one round trip; what became of each, in order."""
    rows = await connection.fetchmany(
        "SELECT outcome, head, link FROM journal_append"
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        [offer.arguments() for offer in offers],
    )
    return [Written(row["outcome"], row["head"], row["link"]) for row in rows]


async def read(pool: Pool, stream: str, after: int = 0, page: int = PAGE_EVENTS) -> list[StoredEvent]:
    """The events after a seq, in order: at most `page`, and about PAGE_BYTES of them. Empty at the end."""
    rows = await pool.fetch(
        """
        SELECT seq, header, hash, wall, kind
        FROM (
            SELECT seq, header, hash, wall, kind,
                   sum(octet_length(header)) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) AS bytes
            FROM events WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT $3
        ) AS page
        WHERE bytes <= $4 OR seq = $2 + 1
        """,
        stream,
        after,
        page,
        PAGE_BYTES,
    )
    return [StoredEvent(*row) for row in rows]


async def read_all(pool: Pool, stream: str) -> list[StoredEvent]:
    """Every event of a stream, in order."""
    rows = await pool.fetch("SELECT seq, header, hash, wall, kind FROM events WHERE stream = $1 ORDER BY seq", stream)
    return [StoredEvent(*row) for row in rows]


async def head(pool: Pool, stream: str) -> int:
    """The seq of the last event; 0 for a stream that is not there."""
    seq: int = await pool.fetchval("SELECT coalesce((SELECT seq FROM streams WHERE stream = $1), 0)", stream)
    return seq


async def parts(pool: Pool | Connection, stream: str) -> list[StoredPart]:
    """The body parts of a stream, in order of their events: neither deleted nor their key destroyed.

    One that was altered, or whose key is not there, comes without its text and salt, and so gives no commitment.
    """
    rows = await pool.fetch(f"SELECT {_PART} FROM parts WHERE stream = $1 ORDER BY seq, name", stream)
    return [part for part in await open_parts(pool, rows) if part is not None]


async def read_told(pool: Pool | Connection, stream: str) -> tuple[list[tuple[str, bytes]], list[StoredPart]]:
    """Kind and header of every event of a stream, in order, and what `parts` reads of it: in one question."""
    rows = await pool.fetch(
        """
        SELECT e.kind, e.header, e.stream, e.seq, p.name, p.text, p.salt, p.sealed
        FROM events e LEFT JOIN parts p USING (stream, seq) WHERE e.stream = $1 ORDER BY e.seq, p.name
        """,
        stream,
    )
    events = list({seq: (kind, header) for kind, header, _, seq, *_ in rows}.values())
    found = await open_parts(pool, [row for row in rows if row["name"] is not None])
    return events, [part for part in found if part is not None]


async def open_parts(pool: Pool | Connection, rows: Sequence[Mapping[str, Any]]) -> list[StoredPart | None]:
    """Rows of `stream, seq, name, text, salt, sealed`, read: in their order, None where the key was destroyed."""
    closed = [(row["sealed"], place_of_part(row["stream"], row["seq"], row["name"])) for row in rows if row["sealed"]]
    opened = iter(await pool.keys.unseal_all(closed) if closed else ())
    return [
        _open_part(row, next(opened))
        if row["sealed"]
        else StoredPart(row["seq"], row["name"], row["text"], row["salt"])
        for row in rows
    ]


def _open_part(row: Mapping[str, Any], plain: bytes | Lost) -> StoredPart | None:
    match plain:
        case Lost.ERASED:
            return None
        case Lost():
            return StoredPart(row["seq"], row["name"], "", b"", plain)
        case _:
            return StoredPart(row["seq"], row["name"], plain[_SALT_BYTES:].decode(), plain[:_SALT_BYTES])


async def delete_parts(pool: Pool, stream: str) -> int:
    """Delete every body part of a stream and return how many; the pool acts as journeys_retention."""
    done: str = await pool.execute("DELETE FROM parts WHERE stream = $1", stream)
    return int(done.rpartition(" ")[2])


async def answer_of(pool: Pool, stream: str, command: str) -> Answer | None:
    """What a command of this id was answered; None when the journal never saw it."""
    recorded = await pool.fetchval("SELECT answer FROM commands WHERE stream = $1 AND id = $2", stream, command)
    return None if recorded is None else Answer.model_validate_json(recorded)


async def said_before(pool: Pool, id: str, streams: Sequence[str]) -> dict[str, Any] | None:
    """What the signature of a command of this id covers, on the first of these streams that has it."""
    signed = await pool.fetchval(
        "SELECT signed FROM commands WHERE id = $1 AND stream = ANY ($2) ORDER BY array_position($2, stream) LIMIT 1",
        id, list(streams),
    )  # fmt: skip
    found: dict[str, Any] | None = None if signed is None else json.loads(signed)
    return found


async def known_answer(connection: Pool | Connection, command: Command) -> Answer | None:
    """What a command of this id got before; `conflict` when it said something else, None when it is new."""
    row = await connection.fetchrow(
        "SELECT signed, first, last, answer FROM commands WHERE stream = $1 AND id = $2",
        command.stream,
        command.id,
    )
    if row is None:
        return None
    kept: list[StoredPart] = []
    if row["first"] is not None and command.commitments:
        found = await connection.fetch(
            f"SELECT {_PART} FROM parts WHERE stream = $1 AND seq BETWEEN $2 AND $3",
            command.stream,
            row["first"],
            row["last"],
        )
        kept = [part for part in await open_parts(connection, found) if part is not None]
    recorded = Answer.model_validate_json(row["answer"])
    if _same(json.loads(row["signed"]), command, kept):
        return recorded
    return Answer(command=command.id, outcome="conflict", code="id-used", seq=recorded.seq)


async def answered(pool: Pool, streams: Mapping[str, str]) -> set[str]:
    """Those of these commands (by id, the stream each is for) that have an answer."""
    rows = await pool.fetch(
        "SELECT id::text FROM commands JOIN unnest($1::text[], $2::uuid[]) AS asked (stream, id) USING (stream, id)",
        list(streams.values()),
        list(streams),
    )
    return {row["id"] for row in rows}


def trusted_bytes(command: Command, stream: str, ring: KeyRing) -> bytes | None:
    """What the signature covers; None unless it holds, is for this stream, and each part is brought along."""
    # Signed for another journey, or stripped of a text on its way, is as bad as signed by nobody.
    if command.stream != stream or command.parts.keys() != command.commitments.keys():
        return None
    if any("\0" in part.text for part in command.parts.values()):
        return None
    return signed_bytes(command, ring)


def _offer(request: Append, signed: Sequence[bytes]) -> Offer:
    return make_offer(
        request.stream,
        request.expected,
        request.events,
        parts=[part for each in request.answered for part in each.command.parts.values()],
        commands=[
            StoredCommand(
                each.command,
                content,
                each.answer.first or None,
                each.answer.last or None,
                each.answer.model_dump_json(),
            )
            for each, content in zip(request.answered, signed, strict=True)
        ],
        view=request.view,
    )


async def _write_all(pool: Pool, request: Append, offer: Offer, ring: KeyRing) -> Written:
    groups = _GROUPS.setdefault(pool, Groups(pool))
    if not any(event["kind"] in MONEY_KINDS for event in request.events):
        return await groups.plain.store(offer)
    stored = await groups.money.store(await money_offer(pool, request, offer, ring))
    if stored.refused is not None:
        raise stored.refused
    return Written(stored.outcome, stored.head, stored.link)  # type: ignore[arg-type]


async def _write_group(pool: Pool, offers: Sequence[Offer]) -> list[Written]:
    async with pool.acquire() as connection:
        return await write(connection, offers)


async def _stored(pool: Pool, request: Append, *, unsigned: tuple[str, ...] = ()) -> Appended:
    found = await read(pool, request.stream, request.expected)
    last = await head(pool, request.stream)
    if last < request.expected:
        raise JournalBehind(request.stream, request.expected, last)
    events = tuple(event.read() for event in found)
    known = tuple([answer for each in request.answered if (answer := await known_answer(pool, each.command))])
    return Appended(
        accepted=not events and not known and not unsigned and not request.events and not request.answered,
        events=events,
        more=bool(found) and found[-1].seq < last,
        unsigned=unsigned,
        known=known,
        texts=await _texts(pool, request, events),
    )


def _same(stored: dict[str, Any], command: Command, kept: Sequence[StoredPart]) -> bool:
    """Whether two of one id say the same: signature, roles, time, salts, deleted texts may differ."""
    offered = command.signed_content()
    if any(stored[field] != offered[field] for field in ("stream", "name", "fields", "actor", "occurred_at", "seen")):
        return False
    if stored["commitments"].keys() != command.commitments.keys():
        return False
    salts = {_commitment(part.salt, part.text): part.salt for part in kept}
    return all(
        _commitment(salts[commitment], command.parts[name].text) == commitment
        for name, commitment in stored["commitments"].items()
        if commitment in salts and name in command.parts
    )


def _commitment(salt: bytes, text: str) -> str:
    return hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()


async def _texts(pool: Pool, request: Append, events: Sequence[dict[str, Any]]) -> dict[str, str]:
    wanted = set(request.texts)
    for event in events:
        if event["kind"] in _TELLS_TEXTS:
            wanted |= {hash_ for hash_ in (event["data"].get("programme"), event["data"].get("calendar")) if hash_}
    return await texts_of(pool, sorted(wanted)) if wanted else {}
