"""Webhooks: who is told of which kinds of events, how far in each journey, and with which secret it is signed.

No secret is kept: each is derived from a signing key, the webhook's id and a generation that grows by rotation.
"""

import base64
import hmac
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from journeys.domain.directory import (
    WebhookAdded,
    WebhookEnded,
    WebhookPaused,
    WebhookResumed,
    WebhookRewound,
    WebhookRotated,
)
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, NotFound, record
from journeys.store.signing import KeyRing

State: TypeAlias = Literal["active", "paused", "ended"]

OVERLAP: Final = timedelta(hours=24)
"""How long after a rotation messages carry the signature of the former secret as well."""

SECRET_PREFIX: Final = "whsec_"


class MissingKey(LookupError):
    """The signing key that a secret is derived from is no longer in the ring: rotate the webhook's secret."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a secret is derived from, besides the webhook's id."""

    key: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A subscription. `why` says why it is paused or ended; `trouble` is the reason of the last failure."""

    id: str
    url: str = field(repr=False)
    kinds: tuple[str, ...]
    state: State = "active"
    why: str | None = None
    made_at: datetime
    origin: Origin
    old: Origin | None = None
    old_until: datetime | None = None
    sent_at: datetime | None = None
    troubled_since: datetime | None = None
    trouble: str | None = None


class Behind(NamedTuple):
    """A journey that has events after the place reached in it."""

    stream: str
    seen: int
    head: int
    next: int | None
    """The first of them that is wanted; None when none is."""


_COLUMNS: Final = (
    "id::text, url, kinds, state, why, made_at, key, generation, old_key, old_generation, old_until, sent_at,"
    " troubled_since, trouble"
)


def stream_of(webhook: str) -> str:
    """The stream of a webhook's own facts."""
    return f"webhook-{webhook}"


def secret_of(ring: KeyRing, webhook: str, origin: Origin) -> bytes:
    """32 bytes. Raises MissingKey."""
    key = ring.keys.get(origin.key)
    if key is None:
        raise MissingKey(origin.key)
    return hmac.digest(key, f"journeys: secret {origin.generation} of webhook {webhook}".encode(), "sha256")


def written(secret: bytes) -> str:
    """A secret as it is handed over: `whsec_` and base64."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def secrets_of(ring: KeyRing, webhook: Webhook, at: datetime) -> tuple[bytes, ...]:
    """What a message is signed with: the present secret, then the former one while it still counts.

    Raises MissingKey when the present one cannot be made; a former one that cannot be made is left out.
    """
    present = secret_of(ring, webhook.id, webhook.origin)
    if webhook.old is None or webhook.old_until is None or at >= webhook.old_until or webhook.old.key not in ring.keys:
        return (present,)
    return present, secret_of(ring, webhook.id, webhook.old)


# --- the administrator's part


async def add(pool: Pool, webhook: Webhook, by: By) -> None:
    """Begin to tell: everything that is committed after this, nothing from before."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO webhooks (id, url, kinds, made_at, key, generation) VALUES ($1, $2, $3, $4, $5, $6)",
            webhook.id,
            webhook.url,
            list(webhook.kinds),
            webhook.made_at,
            webhook.origin.key,
            webhook.origin.generation,
        )
        # A journey whose append is under way stands here with its head of before: the append will be told.
        await connection.execute(
            "INSERT INTO webhook_places (webhook, stream, seq)"
            " SELECT $1, stream, seq FROM streams WHERE starts_with(stream, 'journey-')",
            webhook.id,
        )
        await _note(connection, webhook.id, WebhookAdded(kinds=webhook.kinds), by, url=webhook.url)


async def rotate(pool: Pool, id: str, key: str, by: By) -> Webhook:
    """The next secret, from this signing key; the former one counts for OVERLAP longer. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "UPDATE webhooks SET old_key = key, old_generation = generation, old_until = $3, key = $2,"
            f" generation = generation + 1 WHERE id = $1 AND state <> 'ended' RETURNING {_COLUMNS}",
            id,
            key,
            by.at + OVERLAP,
        )
        if row is None:
            raise NotFound("webhook", id)
        await _note(connection, id, WebhookRotated(), by)
        return _webhook(row)


async def set_state(pool: Pool, id: str, state: State, why: str | None, by: By) -> bool:
    """Pause, resume or end it; False when it was so already or has ended, which is for good."""
    async with pool.acquire() as connection, connection.transaction():
        done = await connection.execute(
            "UPDATE webhooks SET state = $2, why = $3, troubled_since = NULL, trouble = NULL"
            " WHERE id = $1 AND state <> $2 AND state <> 'ended'",
            id,
            state,
            why,
        )
        if done == "UPDATE 0":
            return False
        match state:
            case "active":
                fact: WebhookResumed | WebhookPaused | WebhookEnded = WebhookResumed()
            case "paused":
                fact = WebhookPaused(why=why or "")
            case "ended":
                fact = WebhookEnded(why=why or "")
                await connection.execute("DELETE FROM webhook_places WHERE webhook = $1", id)
        await _note(connection, id, fact, by)
        return True


async def rewind(pool: Pool, id: str, journey: str, first: int, by: By) -> None:
    """Tell a journey's events again from seq `first` on. Raises NotFound for a webhook that is not there or ended."""
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval("SELECT true FROM webhooks WHERE id = $1 AND state <> 'ended' FOR SHARE", id):
            raise NotFound("webhook", id)
        await connection.execute(
            "INSERT INTO webhook_places AS p (webhook, stream, seq) VALUES ($1, $2, $3)"
            " ON CONFLICT (webhook, stream) DO UPDATE SET seq = least(p.seq, EXCLUDED.seq)",
            id,
            f"journey-{journey}",
            first - 1,
        )
        await _note(connection, id, WebhookRewound(journey=journey, seq=first), by)


async def webhook(pool: Pool, id: str) -> Webhook | None:
    """A webhook by id, also one that has ended."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM webhooks WHERE id = $1", id)
    return None if row is None else _webhook(row)


async def webhooks(pool: Pool) -> list[Webhook]:
    """All of them, the oldest first."""
    return [_webhook(row) for row in await pool.fetch(f"SELECT {_COLUMNS} FROM webhooks ORDER BY made_at, id")]


# --- telling


async def behind(
    pool: Pool, webhook: Webhook, *, first: Collection[str] = (), without: Collection[str] = (), limit: int = 200
) -> list[Behind]:
    """Journeys with events after the place reached, those of `first` before others, none of `without`.

    One statement, one snapshot: a head and the events up to it are seen together or not at all.
    """
    rows = await pool.fetch(
        """
        SELECT s.stream, coalesce(p.seq, 0) AS seen, s.seq AS head, e.seq AS next
        FROM streams s
        LEFT JOIN webhook_places p ON p.webhook = $1 AND p.stream = s.stream
        LEFT JOIN LATERAL (
            SELECT e.seq FROM events e
            WHERE e.stream = s.stream AND e.seq > coalesce(p.seq, 0) AND e.seq <= s.seq AND e.kind = ANY ($2)
            ORDER BY e.seq LIMIT 1
        ) e ON true
        WHERE starts_with(s.stream, 'journey-') AND s.seq > coalesce(p.seq, 0) AND NOT s.stream = ANY ($4)
        ORDER BY NOT s.stream = ANY ($3), s.stream
        LIMIT $5
        """,
        webhook.id,
        list(webhook.kinds),
        list(first),
        list(without),
        limit,
    )
    return [Behind(*row) for row in rows]


async def wanted(pool: Pool, webhook: Webhook, place: Behind, limit: int = 50) -> list[dict[str, Any]]:
    """Headers of the events of a journey that are to be told next, in order."""
    rows = await pool.fetch(
        "SELECT header FROM events WHERE stream = $1 AND seq > $2 AND seq <= $3 AND kind = ANY ($4)"
        " ORDER BY seq LIMIT $5",
        place.stream,
        place.seen,
        place.head,
        list(webhook.kinds),
        limit,
    )
    return [json.loads(row["header"]) for row in rows]


async def move(pool: Pool, webhook: str, steps: Sequence[tuple[str, int, int]]) -> None:
    """Places reached: (stream, place before, place now). One that was moved meanwhile stays: it was rewound."""
    await pool.execute(
        """
        WITH step AS (SELECT * FROM unnest($2::text[], $3::integer[], $4::integer[]) AS s (stream, before, now)),
             moved AS (
                 UPDATE webhook_places p SET seq = step.now FROM step
                 WHERE p.webhook = $1 AND p.stream = step.stream AND p.seq = step.before
             )
        INSERT INTO webhook_places (webhook, stream, seq)
        SELECT $1, stream, now FROM step WHERE before = 0
        ON CONFLICT DO NOTHING
        """,
        webhook,
        [stream for stream, _, _ in steps],
        [before for _, before, _ in steps],
        [now for _, _, now in steps],
    )


async def note_sent(pool: Pool, id: str, at: datetime) -> None:
    """A message was taken."""
    await pool.execute("UPDATE webhooks SET sent_at = $2, troubled_since = NULL, trouble = NULL WHERE id = $1", id, at)


async def note_trouble(pool: Pool, id: str, reason: str, at: datetime) -> None:
    """A message was not taken; `reason` is a code."""
    await pool.execute(
        "UPDATE webhooks SET troubled_since = coalesce(troubled_since, $3), trouble = $2 WHERE id = $1", id, reason, at
    )


async def _note(connection: Connection, id: str, fact: Any, by: By, **texts: str) -> None:
    await record(connection, stream_of(id), [Fact(fact, texts)], by)


def _webhook(row: Any) -> Webhook:
    known = dict(row)
    key, generation = known.pop("key"), known.pop("generation")
    old_key, old_generation = known.pop("old_key"), known.pop("old_generation")
    return Webhook(
        **{**known, "kinds": tuple(known["kinds"])},
        origin=Origin(key, generation),
        old=None if old_key is None else Origin(old_key, old_generation),
    )
