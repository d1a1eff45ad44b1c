"""The keys of what is sealed: one a person, others for money, the bank's years, staff and the house; in a database of
their own.

Each is 32 random bytes, kept wrapped under a key-encryption key of the settings. A process remembers an unwrapped key
for half a minute at most, so that one destroyed anywhere opens nothing soon after; one that serves is told at once.
"""

import asyncio
import hmac
import secrets
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from journeys.settings import Problem, Settings, SettingsError, load_settings
from journeys.store.migrating import migrate
from journeys.store.sealing import CannotUnseal, seal, seal_with, sealed_by, unseal, unseal_with
from journeys.store.signing import KeyRing

MIGRATIONS: Final = Path(__file__).parent / "keys_migrations"

REMEMBERED_SECONDS: Final = 30.0
"""How long a process may still open what was sealed under a key that was destroyed elsewhere."""

HOUSE: Final = "house"
"""The id of the key of what is nobody's own: funds, cohorts, webhooks, settings of the house."""
SEARCH: Final = "search"
"""The id of the key that tokens of the search are made with."""

Kind: TypeAlias = Literal["person", "finance", "bank", "staff", "house"]

_DESTROYED: Final = "keys_destroyed"
"""The channel on which a key that was destroyed is told."""
_MOST_REMEMBERED: Final = 20_000
_SECONDS: Final = 3.0
_KINDS: Final[Mapping[str, Kind]] = {
    "person": "person", "finance": "finance", "bank": "bank", "staff": "staff", "mentor": "staff",
}  # fmt: skip


class Lost(Enum):
    """Why sealed bytes cannot be read."""

    ERASED = "erased"
    """The key was destroyed: they are gone."""
    NO_KEY = "no-key"
    """The key that they name is not in the database of keys, and was not destroyed there: it is another database, or an
    older one, or somebody wrote another name in front of them."""
    ALTERED = "altered"
    """They are not what was sealed here."""


class NoKeysDatabase(asyncpg.InvalidCatalogNameError):  # type: ignore[misc]  # the driver carries no types
    """There is no database of keys where one is looked for."""


class CannotUnwrap(Exception):
    """A key is kept under a key-encryption key that is not here, or under another one of that name."""

    def __init__(self, id: str, kek: str) -> None:
        super().__init__(f"the key {id} is kept under {kek}, and does not open with what is here")
        self.id = id
        self.kek = kek


class NoKey(Exception):
    """There is no key to seal this under: it was destroyed, or nobody said whose this journey is."""


class Destroyed(NoKey):
    """There was one, and it was destroyed: whose it was is forgotten."""


class OtherPerson(NoKey):
    """The journey was said to be another person's: what is written of it would go under the wrong key."""


@dataclass(frozen=True, slots=True)
class Key:
    """A data key as it stands; its bytes are never shown."""

    id: str
    cipher: AESGCM | None = field(repr=False)
    """None: it was destroyed."""
    secret: bytes = field(repr=False, default=b"")


def person_key(person: str) -> str:
    """The id of the key of what is known of a person."""
    return f"person-{person}"


def finance_key(person: str) -> str:
    """The id of the key of what accounting must keep of a person."""
    return f"finance-{person}"


def bank_key(year: int) -> str:
    """The id of the key of what went to the bank, and came from it, in a year."""
    return f"bank-{year:04d}"


def key_of_stream(stream: str) -> str:
    """The id of the key of a stream that is no journey."""
    return stream if stream.partition("-")[0] in ("person", "staff", "mentor", "partner") else HOUSE


class Keys:
    """The keys of one database. Connects at the first use.

    Args:
        dsn: `postgresql://…` of the database of keys.
        ring: the key-encryption keys; new keys are wrapped with the current one. None: there is none yet.
        settings: make the first one, once it is known that no key is there which another one opens.
    """

    def __init__(self, dsn: str, ring: KeyRing | None, settings: Settings | None = None) -> None:
        self.dsn = dsn
        self._ring = ring
        self._settings = settings
        self._pool: Any = None
        self._opening = asyncio.Lock()
        self._known: dict[str, tuple[Key, float]] = {}
        self._whose: dict[str, str] = {}
        self._listens = False
        self._ear: Any = None

    @classmethod
    def beside(cls, database_url: str, settings: Settings | None = None) -> "Keys":
        """The keys of a journal: where the settings say, else in `journeys_keys` beside it. Raises SettingsError."""
        found = settings or load_settings()
        ring = found.sealing_keys_there()
        return cls(keys_dsn(found, database_url), None if ring is None else KeyRing(ring.current, ring.by_id), found)

    @property
    def ring(self) -> KeyRing:
        """The key-encryption keys. Raises SettingsError: there are none yet, because nothing was asked yet."""
        if self._ring is None:
            raise SettingsError(_no_sealing_key(self._settings or load_settings()))
        return self._ring

    # --- whose a stream is

    async def assign(self, stream: str, person: str) -> None:
        """Say whose a journey is, for ever, and have their keys made. Said before, it stays.

        Raises:
            OtherPerson: it was said to be another's. NoKey: their key was destroyed.
        """
        if self._whose.get(stream) == person:
            return
        pool = await self._connected()
        await pool.execute(
            "INSERT INTO journeys (stream, person) VALUES ($1, $2) ON CONFLICT DO NOTHING", stream, person
        )
        if (await self.person_of([stream]))[stream] != person:
            raise OtherPerson(f"{stream} is another person's")
        await self.ready([person_key(person)])

    async def assign_all(self, whose: Mapping[str, str]) -> None:
        """Say whose journeys (by stream) are; what was said before stays."""
        pool = await self._connected()
        await pool.execute(
            "INSERT INTO journeys (stream, person) SELECT * FROM unnest($1::text[], $2::uuid[]) ON CONFLICT DO NOTHING",
            list(whose), list(whose.values()), timeout=60,
        )  # fmt: skip

    async def person_of(self, streams: Collection[str]) -> Mapping[str, str]:
        """Whose each journey is; those of whom nobody said it are left out."""
        if lacking := [stream for stream in streams if stream not in self._whose]:
            rows = await (await self._connected()).fetch(
                "SELECT j.stream, j.person::text, k.id, k.wrapped FROM journeys j"
                " LEFT JOIN keys k ON k.id = 'person-' || j.person WHERE j.stream = ANY ($1::text[])",
                lacking,
            )
            for row in rows:
                self._whose[row["stream"]] = row["person"]
                if row["id"] is not None:
                    self._remember(row["id"], row["wrapped"])
            _bound(self._whose)
        return {stream: self._whose[stream] for stream in streams if stream in self._whose}

    async def key_of(self, stream: str) -> str:
        """The id of the key of a stream. Raises NoKey: a journey of which nobody said whose it is."""
        if not stream.startswith("journey-"):
            return key_of_stream(stream)
        whose = (await self.person_of([stream])).get(stream)
        if whose is None:
            raise NoKey(f"nobody said whose {stream} is")
        return person_key(whose)

    # --- keys

    async def ready(self, ids: Iterable[str]) -> Mapping[str, Key]:
        """Keys to seal with, made where there were none. Raises NoKey where one was destroyed."""
        wanted = set(ids)
        found = await self.known(wanted)
        if lacking := wanted - found.keys():
            made = [
                (id, *_kind_of(id), self._wrap(id, secrets.token_bytes(32)), self.ring.current_id) for id in lacking
            ]
            await (await self._connected()).execute(
                "INSERT INTO keys (id, kind, subject, wrapped, kek) SELECT * FROM"
                " unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[]) ON CONFLICT DO NOTHING",
                *(list(column) for column in zip(*sorted(made), strict=True)),
            )
            found = {**found, **await self.known(lacking)}
        for key in found.values():
            if key.cipher is None:
                raise Destroyed(f"{key.id} was destroyed")
        return found

    async def known(self, ids: Collection[str]) -> dict[str, Key]:
        """Those of these keys that there are, destroyed ones among them; one question for those not remembered."""
        now = time.monotonic()
        found = {id: kept[0] for id in ids if (kept := self._known.get(id)) is not None and kept[1] > now}
        if lacking := [id for id in ids if id not in found]:
            if self._listens:
                await self._hear()
            rows = await (await self._connected()).fetch(
                "SELECT id, wrapped FROM keys WHERE id = ANY ($1::text[])", lacking
            )
            for row in rows:
                found[row["id"]] = self._remember(row["id"], row["wrapped"])
        return found

    async def destroy(self, ids: Collection[str]) -> int:
        """Destroy keys for ever, and forget them here; how many were there until now. None is ever made in the place
        of one that was not there."""
        pool, named = await self._connected(), list(ids)
        done: str = await pool.execute(
            "UPDATE keys SET state = 'destroyed', wrapped = NULL, kek = NULL, destroyed_at = clock_timestamp()"
            " WHERE id = ANY ($1::text[]) AND state = 'live'",
            named,
        )
        await pool.execute(
            "INSERT INTO keys (id, kind, subject, state, destroyed_at)"
            " SELECT *, 'destroyed', clock_timestamp() FROM unnest($1::text[], $2::text[], $3::text[])"
            " ON CONFLICT DO NOTHING",
            named, *(list(column) for column in zip(*map(_kind_of, named), strict=True)),
        ) if named else None  # fmt: skip
        await pool.execute("SELECT pg_notify($1, id) FROM unnest($2::text[]) AS id", _DESTROYED, named)
        for id in named:
            self._known.pop(id, None)
        return int(done.rpartition(" ")[2])

    async def destroyed(self, ids: Collection[str]) -> set[str]:
        """Those of these keys that are destroyed now, whatever is remembered here."""
        rows = await (await self._connected()).fetch(
            "SELECT id FROM keys WHERE id = ANY ($1::text[]) AND state = 'destroyed'", list(ids)
        )
        return {row["id"] for row in rows}

    async def gone(self, prefix: str) -> set[str]:
        """Ids of the destroyed keys that begin so, whatever is remembered here."""
        rows = await (await self._connected()).fetch(
            "SELECT id FROM keys WHERE state = 'destroyed' AND starts_with(id, $1)", prefix
        )
        return {row["id"] for row in rows}

    async def live(self, kind: Kind) -> list[str]:
        """Ids of the keys of a kind that are not destroyed, in order."""
        rows = await (await self._connected()).fetch(
            "SELECT id FROM keys WHERE kind = $1 AND state = 'live' ORDER BY id", kind
        )
        return [row["id"] for row in rows]

    async def openable(self) -> int:
        """How many keys are not destroyed; one of each key-encryption key is unwrapped. Raises CannotUnwrap."""
        pool = await self._connected()
        for row in await pool.fetch("SELECT DISTINCT ON (kek) id, wrapped FROM keys WHERE state = 'live' ORDER BY kek"):
            self._unwrap(row["id"], row["wrapped"])
        live: int = await pool.fetchval("SELECT count(*) FROM keys WHERE state = 'live'")
        return live

    async def locked(self) -> AsyncIterator[str]:
        """Ids of the keys that do not open with a key-encryption key of this process, in order."""
        pool, last = await self._connected(), ""
        while rows := await pool.fetch(
            "SELECT id, wrapped FROM keys WHERE state = 'live' AND id > $1 ORDER BY id LIMIT 5000", last
        ):
            for row in rows:
                last = row["id"]
                try:
                    self._unwrap(row["id"], row["wrapped"])
                except CannotUnwrap:
                    yield last

    async def wrap_anew(self, batch: int = 500) -> int:
        """Wrap with the current key-encryption key what another wrapped; how many. The others may then be let go of."""
        pool, done = await self._connected(), 0
        while True:
            rows = await pool.fetch(
                "SELECT id, wrapped FROM keys WHERE state = 'live' AND kek <> $1 LIMIT $2", self.ring.current_id, batch
            )
            if not rows:
                return done
            anew = [
                (row["id"], row["wrapped"], self._wrap(row["id"], self._unwrap(row["id"], row["wrapped"])))
                for row in rows
            ]
            await pool.executemany(
                "UPDATE keys SET wrapped = $3, kek = $4 WHERE id = $1 AND wrapped = $2",
                [(*each, self.ring.current_id) for each in anew],
            )
            done += len(rows)

    # --- sealing

    async def seal(self, id: str, plain: bytes, place: str) -> bytes:
        """Sealed under one key, for one place only. Raises NoKey."""
        key = (await self.ready([id]))[id]
        assert key.cipher is not None
        return seal_with(key.cipher, id, plain, place)

    async def seal_all(self, wanted: Sequence[tuple[str, bytes, str]]) -> list[bytes]:
        """Each (id of the key, bytes, place) sealed, in order. Raises NoKey."""
        ready = await self.ready({id for id, _, _ in wanted})
        return [seal_with(ready[id].cipher, id, plain, place) for id, plain, place in wanted]  # type: ignore[arg-type]

    async def unseal_all(self, sealed: Sequence[tuple[bytes, str]]) -> list[bytes | Lost]:
        """What was sealed for each place, in order, or why it cannot be read."""
        known = await self.known({sealed_by(each) for each, _ in sealed})
        return [_opened(known.get(sealed_by(each)), each, place) for each, place in sealed]

    async def unseal(self, sealed: bytes, place: str) -> bytes | Lost:
        """What was sealed for a place, or why it cannot be read."""
        return (await self.unseal_all([(sealed, place)]))[0]

    async def token_of(self, *said: str) -> list[bytes]:
        """What stands for words where they are searched: 16 bytes each, which tell nothing without the key."""
        secret = (await self.ready([SEARCH]))[SEARCH].secret
        return [hmac.digest(secret, each.encode(), "sha256")[:16] for each in said]

    # --- the rest

    def listen(self) -> None:
        """From the next question on, be told of every key that is destroyed elsewhere, and forget it at once.

        For a process that serves: it costs a connection. While that is lost, REMEMBERED_SECONDS is the bound.
        """
        self._listens = True

    async def _hear(self) -> None:
        async with self._opening:
            if self._ear is not None and not self._ear.is_closed():
                return
            self._ear = await asyncpg.connect(
                self.dsn, timeout=_SECONDS, server_settings={"application_name": "journeys keys listening"}
            )
            await self._ear.add_listener(_DESTROYED, lambda *told: self._known.pop(told[-1], None))
            # What was destroyed while nobody listened was not told.
            self._known.clear()

    async def close(self) -> None:
        """Give the connections up, and forget what was unwrapped; the next use connects again."""
        self._known.clear()
        if self._ear is not None:
            ear, self._ear = self._ear, None
            await ear.close()
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.close()

    def terminate(self) -> None:
        """The same, at once."""
        self._known.clear()
        if self._ear is not None:
            self._ear.terminate()
            self._ear = None
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def _connected(self) -> Any:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self.dsn, min_size=0, max_size=3, timeout=_SECONDS, command_timeout=_SECONDS, init=_act_as_keys,
                    reset=_leave_as_is, connect=_connect,
                    server_settings={"application_name": "journeys keys", "TimeZone": "UTC"},
                )  # fmt: skip
            if self._ring is None:
                self._ring = await self._first_ring(self._pool)
            return self._pool

    async def _first_ring(self, pool: Any) -> KeyRing:
        """The key-encryption key, made where there is none and nothing is kept under another. Raises SettingsError."""
        settings = self._settings or load_settings()
        made = settings.sealing_keys_there()
        if made is None:
            if await pool.fetchval("SELECT EXISTS (SELECT FROM keys WHERE state = 'live')"):
                raise SettingsError(_no_sealing_key(settings))
            made = settings.sealing_keys()
        return KeyRing(made.current, made.by_id)

    def _remember(self, id: str, wrapped: bytes | None) -> Key:
        secret = b"" if wrapped is None else self._unwrap(id, wrapped)
        key = Key(id, None if wrapped is None else AESGCM(secret), secret)
        self._known[id] = (key, time.monotonic() + REMEMBERED_SECONDS)
        _bound(self._known)
        return key

    def _wrap(self, id: str, secret: bytes) -> bytes:
        return seal(self.ring, secret, f"key/{id}")

    def _unwrap(self, id: str, wrapped: bytes) -> bytes:
        try:
            return unseal(self.ring, wrapped, f"key/{id}")
        except CannotUnseal:
            raise CannotUnwrap(id, sealed_by(wrapped)) from None


def keys_dsn(settings: Settings, database_url: str) -> str:
    """Where the keys of a journal are: as the settings say, else in the database `journeys_keys` on the same server."""
    if settings.keys_dsn is not None:
        return settings.keys_dsn.get_secret_value()
    parts = urlsplit(database_url)
    return urlunsplit(parts._replace(path="/journeys_keys"))


async def prepare(dsn: str) -> list[str]:
    """Bring the database of keys up to date, making it where there is none and we may; the migrations applied.

    Raises what `migrate` raises; asyncpg.InsufficientPrivilegeError: it is not there and we may not make it.
    """
    try:
        return await migrate(dsn, folder=MIGRATIONS)
    except asyncpg.InvalidCatalogNameError:
        parts = urlsplit(dsn)
        connection = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")), timeout=10)
        try:
            name = parts.path.removeprefix("/").replace('"', '""')
            await connection.execute(f'CREATE DATABASE "{name}"')
        except asyncpg.DuplicateDatabaseError:
            pass
        finally:
            await connection.close()
        return await migrate(dsn, folder=MIGRATIONS)


def _opened(key: Key | None, sealed: bytes, place: str) -> bytes | Lost:
    if key is None:
        return Lost.NO_KEY if sealed_by(sealed) else Lost.ALTERED
    if key.cipher is None:
        return Lost.ERASED
    try:
        return unseal_with(key.cipher, sealed, place)
    except CannotUnseal:
        return Lost.ALTERED


def _no_sealing_key(settings: Settings) -> Problem:
    return Problem(
        variable="JOURNEYS_SEALING_KEY",
        fr=f"la base des clés contient des clés, et la clé {settings.sealing_file} qui les ouvre n'est pas là ; aucune "
        "autre n'est faite : elle n'ouvrirait rien. Reprenez le dossier « sealing » de la sauvegarde, ou donnez la clé",
        en=f"there are keys in the database of keys, and the key {settings.sealing_file} that opens them is not there; "
        "no other is made: it would open nothing. Take the directory “sealing” from the backup, or state the key",
    )


def _kind_of(id: str) -> tuple[Kind, str]:
    kind, _, subject = id.partition("-")
    return (_KINDS[kind], subject) if kind in _KINDS and subject else ("house", id)


def _bound(remembered: dict[str, Any]) -> None:
    while len(remembered) > _MOST_REMEMBERED:
        remembered.pop(next(iter(remembered)))


async def _connect(*args: Any, **named: Any) -> Any:
    try:
        return await asyncpg.connect(*args, **named)
    except asyncpg.InvalidCatalogNameError as error:
        raise NoKeysDatabase(str(error)) from error


async def _act_as_keys(connection: Any) -> None:
    await connection.execute("SET ROLE journeys_keys")


async def _leave_as_is(connection: Any) -> None:
    # As in database.py: nothing is left in the session but its role.
    return None
