"""One run of the command line: settings, connections opened when first needed, who acts, the language."""

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from journeys import clock
from journeys.app.cli.output import Output
from journeys.app.failures import Exit, Failure, Lang, Said, usage
from journeys.settings import Settings, load_settings

if TYPE_CHECKING:
    from temporalio.client import Client

    from activities.notary import Notary
    from journeys.app.entry import Actor
    from journeys.domain.feasibility import Templates
    from journeys.store.database import Pool
    from journeys.store.directory import By
    from journeys.store.signing import KeyRing
    from journeys.store.staff import Member

_SIMPLE: Final = 4
"""Connections that one command needs at most."""

_PATIENCE_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the two servers are."""

    database_url: str
    temporal_address: str | None
    embedded: bool


class Desk:
    """What the commands work with."""

    def __init__(self, out: Output, acting_as: str | None = None) -> None:
        self.out = out
        self.acting_as = acting_as
        self._settings: Settings | None = None
        self._place: Place | None = None
        self._pool: Any = None
        self._client: Client | None = None

    def complete(self, work: Coroutine[Any, Any, int | None]) -> int:
        """Run a command to its end and close what it opened."""
        return asyncio.run(self._closing(work))

    async def _closing(self, work: Coroutine[Any, Any, int | None]) -> int:
        try:
            return await work or Exit.DONE
        finally:
            self.out.end()
            await self.close()

    async def close(self) -> None:
        """Give the connections up; the next use opens them again."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None
        self._client = None

    @property
    def now(self) -> datetime:
        """The present, or what stands for it."""
        self.place()
        return clock.now()

    @property
    def settings(self) -> Settings:
        """Raises SettingsError."""
        if self._settings is None:
            self._settings = load_settings()
        return self._settings

    def place(self) -> Place:
        """The servers of the settings, or of the embedded stack that runs. Raises Failure (unreachable)."""
        if self._place is None:
            self._place = self._located()
        return self._place

    def _located(self) -> Place:
        settings = self.settings
        if settings.database_url is not None:
            return Place(settings.database_url, None, embedded=False)
        from journeys.local.record import connect_running

        running = connect_running(settings.data_dir)
        if running is None:
            raise Failure(
                Exit.UNREACHABLE,
                "not-running",
                Said(f"rien ne tourne sur {settings.data_dir} et DATABASE_URL n'est pas donné",
                     f"nothing runs on {settings.data_dir} and DATABASE_URL is not set"),
                Said("lancez « journeys up » dans une autre fenêtre et laissez-la ouverte, puis recommencez",
                     "run “journeys up” in another window and leave it open, then try again"),
            )  # fmt: skip
        if not clock.simulated() and running.clock_offset:
            clock.set_offset(running.clock_offset)
        return Place(running.database_url, running.temporal_address, embedded=True)

    async def pool(self) -> "Pool":
        """The store, as its writer. Raises Failure (unreachable, wrong schema)."""
        if self._pool is None:
            from asyncpg import PostgresError

            from journeys.store.database import open_pool
            from journeys.store.keys import Keys

            url = self.place().database_url
            keys = Keys.beside(url, self.settings)
            self._pool = await self._patiently(
                lambda: open_pool(url, largest=_SIMPLE, keys=keys), OSError, TimeoutError, PostgresError
            )
            await self._look_at_the_switch(self._pool)
        return self._pool

    async def _look_at_the_switch(self, pool: "Pool") -> None:
        """Whatever a command tells, it says first that all payments are stopped, when they are."""
        from journeys.store import treasury

        if (stop := await treasury.stopped(pool)) is not None:
            from journeys.app.stopping import told

            self.out.hold(told(stop), stopped=dataclasses.asdict(stop))

    async def programme_text(self, name: str) -> str:
        """The text of the programme in force; with nothing running, that of the file. Raises Failure."""
        from journeys.app.publishing import programme_text_of, read

        try:
            return await programme_text_of(await self.pool(), name)
        except Failure as failure:
            if failure.code != "not-running":
                raise
            return read(name).text

    async def reminders(self) -> "Templates":
        """The templates that a programme may have sent before a deadline; with nothing running, those shipped."""
        from journeys.app.publishing import reminders
        from journeys.authoring.templates import reminders as shipped

        try:
            return await reminders(await self.pool())
        except Failure as failure:
            if failure.code != "not-running":
                raise
            return shipped()

    @asynccontextmanager
    async def notary(self) -> AsyncIterator["Notary"]:
        """Who keeps the log, as the worker has it. Raises Failure, SettingsError."""
        from journeys.store.database import open_pool
        from worker import make_notary

        sequencer = await open_pool(
            self.place().database_url, role="journeys_sequencer", largest=2, keys=(await self.pool()).keys
        )
        try:
            yield make_notary(await self.pool(), sequencer, self.settings)
        finally:
            await sequencer.close()

    async def client(self) -> "Client":
        """Temporal. Raises Unreachable."""
        if self._client is None:
            from journeys.temporal import Unreachable, connect

            address, keys = self.place().temporal_address, (await self.pool()).keys
            self._client = await self._patiently(
                lambda: connect(self.settings, keys, address, entering=True), Unreachable
            )
        return self._client

    async def _patiently(self, opening: Callable[[], Awaitable[T]], *lost: type[Exception]) -> T:
        """Open a connection. A part of the embedded stack that has just died is back within seconds: wait for it."""
        clock = asyncio.get_running_loop().time
        until = clock() + (_PATIENCE_SECONDS if self.place().embedded else 0)
        while True:
            try:
                return await opening()
            except lost:
                if clock() >= until:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)

    def ring(self) -> "KeyRing":
        """The signing keys. Raises SettingsError."""
        from journeys.app.entry import key_ring

        return key_ring(self.settings)

    async def member(self) -> "Member":
        """Whoever `--as` names, else whose token is kept here. Raises Failure."""
        from journeys.app.finding import find_staff

        if self.acting_as is None:
            token = self.kept_token()
            if token is None:
                raise usage("who", "dites qui agit : --as PSEUDO, ou « journeys login »",
                            "say who acts: --as HANDLE, or “journeys login”", field="--as")  # fmt: skip
            return await self.bearer(token)
        member = await find_staff(await self.pool(), self.acting_as, "--as")
        if not member.active:
            raise Failure(Exit.REFUSED, "left", Said(f"{member.name} ne fait plus partie de l'équipe",
                          f"{member.name} has left the staff"), field="--as")  # fmt: skip
        return member

    async def bearer(self, token: str) -> "Member":
        """The member whose token this is, with the roles held now. Raises Failure: unknown, expired, revoked."""
        from journeys.store import staff, tokens

        async with (await self.pool()).acquire() as connection, connection.transaction():
            visitor = await tokens.enter(connection, token)
            member = await staff.member(connection, visitor.id) if visitor is not None else None
        if member is None:
            raise _token_ended()
        return member

    def kept_token(self) -> str | None:
        """What `journeys login` kept; None without it."""
        try:
            return self._token_file.read_text().strip() or None
        except FileNotFoundError:
            return None

    def keep_token(self, token: str) -> None:
        """Keep a token where only its owner reads it."""
        path = self._token_file
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = path.with_suffix(".new")
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token + "\n")
        aside.replace(path)

    def forget_token(self) -> bool:
        """Forget the token kept here; False when there was none."""
        there = self._token_file.exists()
        self._token_file.unlink(missing_ok=True)
        return there

    @property
    def _token_file(self) -> Path:
        return self.settings.data_dir / "login.token"

    async def actor(self) -> "Actor":
        """Whoever `--as` names (staff, else a mentor or partner by id), with the roles held now. Raises Failure."""
        from journeys.app.entry import Actor
        from journeys.identifiers import is_uuid
        from journeys.store import mentors, partners, staff

        asked = self.acting_as
        if asked is not None and is_uuid(asked):
            pool = await self.pool()
            if (mentor := await mentors.mentor(pool, asked)) is not None:
                return Actor(mentor.id, mentor.name, ("mentor",))
            if (partner := await partners.partner(pool, asked)) is not None:
                return Actor(partner.id, partner.name, ("partner",))
        member = await self.member()
        away = await staff.stood_in_for(await self.pool(), member.id, self.now)
        return actor_of(member, away)

    async def keeper(self, *roles: str) -> "By":
        """Who changes the directory: with an administrator in it, `--as` one who holds a role named (or that one).

        Before there is any administrator, whoever sits at this machine may, as the system. Raises Failure.
        """
        from journeys.domain.record import SYSTEM
        from journeys.store import staff
        from journeys.store.directory import By

        pool = await self.pool()
        wanted = ("administrator", *roles)
        if self.acting_as is None and self.kept_token() is None:
            everyone = await staff.members(pool)
            if any(member.active and "administrator" in member.roles for member in everyone):
                raise usage("who", f"dites qui agit : --as PSEUDO ({_roles(wanted, 'fr', ' ou ')})",
                            f"say who acts: --as HANDLE ({_roles(wanted, 'en', ' or ')})", field="--as")  # fmt: skip
            return By(actor=SYSTEM, role=SYSTEM, at=self.now)
        member = await self.member()
        role = next((role for role in wanted if role in member.roles), None)
        if role is None:
            raise Failure(
                Exit.REFUSED,
                "no-right",
                Said(
                    f"{member.name} n'a pas ce droit ({_roles(wanted, 'fr', ' ou ')})",
                    f"{member.name} has no right to do this ({_roles(wanted, 'en', ' or ')})",
                ),
                Said(
                    f"rôles actuels : {_roles(member.roles, 'fr') or 'aucun'}",
                    f"present roles: {_roles(member.roles, 'en') or 'none'}",
                ),
                field="--as",
            )
        return By(actor=member.id, role=role, at=self.now)


def actor_of(member: "Member", stands_in_for: tuple[str, ...] = ()) -> "Actor":
    """A member of staff as the actor of a command."""
    from journeys.app.entry import Actor

    return Actor(member.id, member.name, member.roles, member.sites, member.funds, stands_in_for)


def _token_ended() -> Failure:
    return Failure(
        Exit.REFUSED, "token-ended",
        Said("le jeton n'est pas connu, ou n'est plus valable", "the token is not known, or no longer valid"),
        Said("faites-en un autre (« Mon compte », ou « journeys staff token add »), puis « journeys login »",
             "make another (“My account”, or “journeys staff token add”), then “journeys login”"),
    )  # fmt: skip


def _roles(roles: Sequence[str], lang: Lang, between: str = ", ") -> str:
    """Roles as people call them."""
    from journeys.app.inbox import role_label

    return between.join(role_label(role, lang) for role in roles)
