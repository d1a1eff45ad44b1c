"""Sessions: a token in the browser, its hash here; whoever brings it is a member of staff, and nobody else."""

import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from journeys.store import contacts
from journeys.store.database import Connection, Pool
from journeys.store.sealing import seal_with, unseal_with
from journeys.store.treasury import STOPPED, Stop, read_stop

How = Literal["password", "provider"]

TOKEN_BYTES: Final = 32
IDLE: Final = timedelta(minutes=45)
"""A session that nobody uses ends."""
LONGEST: Final = timedelta(hours=10)
"""A session ends with the working day, used or not."""
FORM_LASTS: Final = timedelta(minutes=10)
"""How long a filled form is kept for somebody who is away to prove who they are."""

_FORM: Final = "form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who a session belongs to, with the roles, sites and funds held at this moment."""

    id: str
    handle: str
    name: str
    language: str
    roles: tuple[str, ...]
    sites: tuple[str, ...]
    funds: tuple[str, ...]
    stands_in_for: tuple[str, ...]
    """Colleagues away today whose deputy they are."""
    lines: tuple[str, ...]
    """Lines of the rights table that their roles have where a programme says so (`rights:`)."""
    how: str
    opened_at: datetime
    proved_at: datetime
    """When they last proved who they are (wall time)."""
    stopped: Stop | None = None
    """Who stopped all payments; None while they go on."""

    @property
    def leaders(self) -> tuple[str, ...]:
        """Whose journeys are their own work: theirs, then those for whom they stand in."""
        return self.id, *self.stands_in_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An open session, as its owner sees it."""

    how: str
    opened_at: datetime
    seen_at: datetime
    mine: bool
    """The one that asks."""


async def open_session(
    pool: Pool, staff: str, how: How, *, idle: timedelta = IDLE, longest: timedelta = LONGEST
) -> str:
    """Open a session and return its token, which is kept nowhere here. The pool acts as journeys_writer."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await pool.execute(
        "INSERT INTO sessions (hash, staff, how, idle, ends_at)"
        " VALUES ($1, $2, $3, $4, clock_timestamp() + $5::interval)",
        hash_of(token), staff, how, idle, longest,
    )  # fmt: skip
    return token


async def enter(connection: Connection, token: str) -> Visitor | None:
    """Who comes with this token; from here to the end of the transaction the connection sees what they may see.

    The connection acts as journeys_web, inside a transaction. None: unknown, ended, revoked, or no longer staff.
    """
    return await entered(connection, "session_enter", token)


async def entered(connection: Connection, way: Literal["session_enter", "token_enter"], token: str) -> Visitor | None:
    """Who comes this way with a token; see `enter`."""
    row = await connection.fetchrow(
        "SELECT *, my_funds() AS funds, led_by_me() AS leads, apart('lines') AS lines,"
        f" ({STOPPED}) AS stop FROM {way}($1)",
        hash_of(token),
    )
    if row is None:
        return None
    id = str(row["staff"])
    [name] = await contacts.called(connection, [(f"staff-{id}", row["sealed"])])
    return Visitor(
        id=id, handle=row["handle"], name=name or row["handle"], language=row["language"],
        roles=tuple(row["roles"]), sites=tuple(row["sites"]), funds=tuple(row["funds"]),
        stands_in_for=tuple(str(leader) for leader in row["leads"] if leader != row["staff"]),
        lines=tuple(row["lines"]), how=row["how"], opened_at=row["opened_at"], proved_at=row["proved_at"],
        stopped=await read_stop(connection, row["stop"]),
    )  # fmt: skip


@asynccontextmanager
async def seeing_as(pool: Pool, staff: str) -> AsyncIterator[Connection]:
    """A connection that sees what a member of staff may see, for commands that know otherwise who acts.

    The pool acts as journeys_writer. Somebody who has left sees nothing.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT enter_as($1)", staff)
        await connection.execute("SET LOCAL ROLE journeys_web")
        yield connection


async def renew(pool: Pool, token: str) -> str | None:
    """Replace the token of a session that has just proved who it is; None when it is gone."""
    fresh = secrets.token_urlsafe(TOKEN_BYTES)
    done = await pool.execute(
        "UPDATE sessions SET hash = $2, proved_at = clock_timestamp(), seen_at = clock_timestamp() WHERE hash = $1",
        hash_of(token), hash_of(fresh),
    )  # fmt: skip
    return fresh if done == "UPDATE 1" else None


async def close(pool: Pool, token: str) -> None:
    """End one session at once."""
    await pool.execute("DELETE FROM sessions WHERE hash = $1", hash_of(token))


async def close_all(pool: Pool, staff: str) -> int:
    """End every session of a member at once and return how many there were."""
    done: str = await pool.execute("DELETE FROM sessions WHERE staff = $1", staff)
    return int(done.rpartition(" ")[2])


async def open_sessions(pool: Pool, staff: str, token: str = "") -> list[Session]:
    """A member's sessions that have not ended, last used first; `token` says which one asks."""
    rows = await pool.fetch(
        "SELECT how, opened_at, seen_at, hash = $2 AS mine FROM sessions"
        " WHERE staff = $1 AND clock_timestamp() < least(ends_at, seen_at + idle) ORDER BY seen_at DESC",
        staff, hash_of(token),
    )  # fmt: skip
    return [Session(**row) for row in rows]


async def keep_form(pool: Pool, token: str, form: str) -> str:
    """Keep a filled form for the session of this token, and return the key that gives it back."""
    key = secrets.token_urlsafe(TOKEN_BYTES)
    await pool.execute("DELETE FROM kept_forms WHERE kept_at < clock_timestamp() - $1::interval", FORM_LASTS)
    await pool.execute(
        "INSERT INTO kept_forms (key, session, sealed) VALUES ($1, $2, $3)",
        hash_of(key), hash_of(token), seal_with(_cipher(key), _FORM, form.encode(errors="surrogatepass"), _FORM),
    )  # fmt: skip
    return key


async def take_form(pool: Pool, token: str, key: str) -> str:
    """The form kept under this key, once; empty for another session, when it is too old, or was taken."""
    sealed: bytes | None = await pool.fetchval(
        "DELETE FROM kept_forms WHERE key = $1 AND session = $2"
        " RETURNING CASE WHEN kept_at > clock_timestamp() - $3::interval THEN sealed END",
        hash_of(key), hash_of(token), FORM_LASTS,
    )  # fmt: skip
    return unseal_with(_cipher(key), sealed, _FORM).decode(errors="surrogatepass") if sealed is not None else ""


def hash_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _cipher(key: str) -> AESGCM:
    """What a form is sealed with: the browser alone has the key, the database only its SHA-256."""
    return AESGCM(hmac.digest(key.encode(errors="surrogatepass"), b"journeys: a kept form", "sha256"))
