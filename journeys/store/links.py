"""One-time links: an address signed for one recipient, one journey and one purpose; what is kept of it; its uses."""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from journeys.domain.links import Ask, Purpose
from journeys.domain.record import instant_text
from journeys.store.canonical import canonical
from journeys.store.database import Connection, Pool
from journeys.store.sessions import hash_of
from journeys.store.signing import KeyRing

PATH: Final = "/lien/"
"""Where links lead. What follows it in an address is a secret and is written into no log."""
AT_ONCE: Final = f"{PATH}stop/"
"""Where a mail program asks for no more messages, without showing a page (RFC 8058)."""
_RANDOM_BYTES: Final = 18
_SIGNATURE_BYTES: Final = 18
_PURPOSE: Final = b"journeys: one-time links"
_DRAWN_AGAIN: Final = b"journeys: one-time links of messages"


class Stands(StrEnum):
    """How a link stands."""

    OPEN = "open"
    TAKEN = "taken"
    """An answer was given, and nobody knows yet whether it was recorded: it may be sent again."""
    DONE = "done"
    REFUSED = "refused"
    """The answer came, and a rule or a right forbade it."""
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link is bound to."""

    id: str
    journey: str
    role: str
    recipient: str
    purpose: Purpose
    subject: str
    language: str
    expires_at: datetime
    issued_at: datetime
    issued_by: str | None
    """The member of staff who made it by hand; None: it left with a message."""

    @property
    def stream(self) -> str:
        return f"journey-{self.journey}"

    @property
    def command(self) -> str:
        """The id of the one command that it gives; but see `command_since`."""
        return str(uuid5(UUID(self.journey), f"link/{self.id}"))

    def command_since(self, seq: int) -> str:
        """The id of what it gives once more, where what it gave was undone by this event of its journey."""
        return str(uuid5(UUID(self.journey), f"link/{self.id}/{seq}"))

    def signed_content(self) -> dict[str, Any]:
        """What the signature covers, besides the random part."""
        return {
            "id": self.id, "journey": self.journey, "role": self.role, "recipient": self.recipient,
            "purpose": self.purpose.value, "subject": self.subject, "expires_at": instant_text(self.expires_at),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """A new link and its token, which is kept nowhere here. It opens nothing before it is issued."""

    link: Link
    token: str = field(repr=False)

    def address(self, base: str, path: str = PATH) -> str:
        """Its whole address, under a public one: `https://…/lien/…`."""
        return f"{base.rstrip('/')}{path}{self.token}"


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that somebody has come with, and what came of it before."""

    link: Link
    stands: Stands
    answer: Mapping[str, str]
    """The codes that were chosen; empty when nothing was."""
    at: datetime | None
    """When it was answered first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A link as staff see it on a journey: never its address."""

    id: str
    role: str
    recipient: str
    purpose: str
    subject: str
    expires_at: datetime
    issued_at: datetime
    issued_by: str | None


def draw(
    ring: KeyRing, ask: Ask, journey: str, language: str, now: datetime, by: str | None = None,
    message: str | None = None,
) -> Drawn:  # fmt: skip
    """A link for what somebody may answer, signed with the ring's current key.

    Args:
        journey: its id, without the kind of its stream. by: the member of staff who makes it by hand.
        message: the one that carries it, and has the same link however often it is written; else it is like no other.
    """
    bound = f"link/{ring.current_id}/{ask.recipient}/{ask.purpose}/{ask.subject}/{instant_text(ask.until)}"
    link = Link(
        id=str(uuid4() if message is None else uuid5(UUID(message), bound)), journey=journey, role=ask.role,
        recipient=ask.recipient, purpose=ask.purpose, subject=ask.subject, language=language,
        expires_at=ask.until, issued_at=now, issued_by=by,
    )  # fmt: skip
    key = ring.keys[ring.current_id]
    random = secrets.token_bytes(_RANDOM_BYTES) if message is None else _random_of(link, key)
    signature = _signature(link, random, key)
    return Drawn(link, base64.urlsafe_b64encode(random + signature).decode())


async def issue(pool: Pool, drawn: Drawn) -> None:
    """Make a drawn link hold, once; those given before to the same recipient for the same matter are revoked then.

    But for those that stop messages: each message has its own, and the one in an old message must do it, too.
    """
    link = drawn.link
    async with pool.acquire() as connection, connection.transaction():
        new = await connection.fetchval(
            "INSERT INTO links (id, hash, journey, role, recipient, purpose, subject, language, expires_at, issued_at,"
            " issued_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING"
            " RETURNING id",
            link.id, hash_of(drawn.token), link.journey, link.role, link.recipient, link.purpose.value, link.subject,
            link.language, link.expires_at, link.issued_at, link.issued_by,
        )  # fmt: skip
        if new is not None and (link.purpose is not Purpose.MESSAGES or link.issued_by is not None):
            await connection.execute(
                "INSERT INTO link_uses (link, step, at) SELECT id, 'revoked', $6 FROM links"
                " WHERE journey = $1 AND role = $2 AND recipient = $3 AND purpose = $4 AND subject = $5"
                " AND id <> $7 AND NOT (purpose = 'messages' AND issued_by IS NULL) ON CONFLICT DO NOTHING",
                link.journey, link.role, link.recipient, link.purpose.value, link.subject, link.issued_at, link.id,
            )  # fmt: skip


async def enter(connection: Connection, ring: KeyRing, token: str, now: datetime) -> Opened | None:
    """What a token opens; from here to the end of the transaction the connection sees that one journey, if it holds.

    The connection acts as journeys_web, inside a transaction. Nothing is changed. None: unknown, altered, or signed
    with a key that does not hold; which of these, neither the answer nor its time tells.
    """
    row = await connection.fetchrow("SELECT * FROM link_enter($1, $2)", hash_of(token), now)
    link = _link(row) if row is not None else _NOBODY
    holds = _holds(link, token, ring)
    if row is None or not holds:
        await connection.execute("SELECT set_config('journeys.link', '', true)")
        return None
    answer = json.loads(row["answer"]) if row["answer"] is not None else {}
    return Opened(link, _stands(row, now), answer, row["taken_at"])


async def take(pool: Pool, opened: Opened, answer: Mapping[str, str], now: datetime) -> Opened:
    """Take the link for an answer: the first one stays, whoever comes at the same time. Raises nothing.

    What is returned holds the answer that counts, with the instant at which it was given; or says that the link was
    revoked meanwhile.
    """
    async with pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO link_uses (link, step, at, answer) SELECT $1, 'taken', $2, $3"
            " WHERE NOT EXISTS (SELECT FROM link_uses WHERE link = $1 AND step = 'revoked') ON CONFLICT DO NOTHING",
            opened.link.id, now, json.dumps(dict(answer)),
        )  # fmt: skip
        row = await connection.fetchrow(
            "SELECT at, answer FROM link_uses WHERE link = $1 AND step = 'taken'", opened.link.id
        )
    if row is None:
        return replace(opened, stands=Stands.REVOKED)
    return Opened(opened.link, Stands.TAKEN, json.loads(row["answer"]), row["at"])


async def settle(pool: Pool, link: Link, outcome: Stands, now: datetime) -> None:
    """Note what came of the answer (done, refused): the link is spent. What was noted first stays."""
    await pool.execute(
        "INSERT INTO link_uses (link, step, at, outcome) VALUES ($1, 'settled', $2, $3) ON CONFLICT DO NOTHING",
        link.id, now, outcome.value,
    )  # fmt: skip


async def revoke(pool: Pool, journey: str, link: str, now: datetime) -> None:
    """A link of this journey opens nothing any more; another's, or one that is unknown, is left as it is."""
    await pool.execute(
        "INSERT INTO link_uses (link, step, at) SELECT id, 'revoked', $3 FROM links WHERE journey = $1 AND id = $2"
        " ON CONFLICT DO NOTHING",
        journey, link, now,
    )  # fmt: skip


async def given(connection: Connection, journey: str, now: datetime) -> list[Given]:
    """Links of a journey that can still be used, the newest first; without those that stop messages, one in each."""
    rows = await connection.fetch(
        "SELECT id::text, role, recipient::text, purpose, subject, expires_at, issued_at, issued_by::text FROM links"
        " WHERE journey = $1 AND expires_at > $2 AND NOT EXISTS (SELECT FROM link_uses WHERE link = links.id)"
        " AND NOT (purpose = 'messages' AND issued_by IS NULL)"
        " ORDER BY issued_at DESC, id",
        journey, now,
    )  # fmt: skip
    return [Given(**row) for row in rows]


def _stands(row: Mapping[str, Any], now: datetime) -> Stands:
    if row["outcome"] is not None:
        return Stands(row["outcome"])
    if row["taken_at"] is not None:
        return Stands.TAKEN
    if row["revoked_at"] is not None:
        return Stands.REVOKED
    return Stands.OPEN if now < row["expires_at"] else Stands.EXPIRED


def _link(row: Mapping[str, Any]) -> Link:
    return Link(
        id=str(row["id"]), journey=str(row["journey"]), role=row["role"], recipient=str(row["recipient"]),
        purpose=Purpose(row["purpose"]), subject=row["subject"], language=row["language"],
        expires_at=row["expires_at"], issued_at=row["issued_at"],
        issued_by=str(row["issued_by"]) if row["issued_by"] is not None else None,
    )  # fmt: skip


def _holds(link: Link, token: str, ring: KeyRing) -> bool:
    """Whether a key of the ring signed this token for exactly this; every key is tried, whatever is found."""
    try:
        raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    random, signature = raw[:_RANDOM_BYTES], raw[_RANDOM_BYTES:]
    found = [hmac.compare_digest(_signature(link, random, key), signature) for key in ring.keys.values()]
    return any(found)


def _random_of(link: Link, key: bytes) -> bytes:
    """What nobody without the key can guess, and is the same each time; with a key of its own, too."""
    derived = hmac.digest(key, _DRAWN_AGAIN, "sha256")
    return hmac.digest(derived, canonical(link.signed_content()), "sha256")[:_RANDOM_BYTES]


def _signature(link: Link, random: bytes, key: bytes) -> bytes:
    """With a key of its own, derived from a signing key: what signs links signs no command."""
    derived = hmac.digest(key, _PURPOSE, "sha256")
    return hmac.digest(derived, random + canonical(link.signed_content()), "sha256")[:_SIGNATURE_BYTES]


_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_NOBODY: Final = Link(
    id=str(UUID(int=0)), journey=str(UUID(int=0)), role="mentor", recipient=str(UUID(int=0)), purpose=Purpose.PROPOSAL,
    subject="", language="fr", expires_at=_EPOCH, issued_at=_EPOCH, issued_by=None,
)  # fmt: skip
"""Stands for the link of an unknown token, so that it is answered in the same time."""
