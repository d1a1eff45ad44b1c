"""Serving the application: one process on one address, ended by a signal."""

import asyncio
import signal
import socket
from collections.abc import Callable

import uvicorn

from journeys import garbage
from journeys.app.web.application import make_application
from journeys.app.web.house import House, open_house
from journeys.settings import Settings


def _nothing() -> None:
    pass


class _Server(uvicorn.Server):
    """Says once that the pages can be asked for."""

    def __init__(self, config: uvicorn.Config, begun: Callable[[], None]) -> None:
        super().__init__(config)
        self._begun = begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._begun()


def server_of(house: House, host: str, port: int, begun: Callable[[], None] = _nothing) -> uvicorn.Server:
    """The server of a house's application. What relays say of a request is believed of those in the settings only.

    It logs as the process does: with ways of its own it would write the text of an error, which may quote a person.

    Args:
        begun: called once, when the pages can be asked for.
    """
    config = uvicorn.Config(
        make_application(house), host=host, port=port, log_level="warning", log_config=None, access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2, lifespan="off", h11_max_incomplete_event_size=65_536,
        forwarded_allow_ips=list(house.settings.trusted_proxies),
    )  # fmt: skip
    garbage.settle()
    return _Server(config, begun)


async def serve(
    settings: Settings, database_url: str, temporal_address: str | None, host: str, port: int,
    begun: Callable[[], None] = _nothing,
) -> None:  # fmt: skip
    """Serve until told to end; see `server_of`. Raises OSError: the address is taken; and what `open_house` raises."""
    # Taken by us: the server would log that it is not free, and end the process.
    taken = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    async with open_house(settings, database_url, temporal_address) as house:
        server = server_of(house, host, port, begun)
        told = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            told.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
        await server._serve([taken])
