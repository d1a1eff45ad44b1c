"""The server process of the figures: python -m benchmarks.pages.served, its place in the environment. Ends by SIGTERM.

The product's own server, watched from outside: how long each answer took inside the application, how many queries it
asked. Beside its pages stands an empty one, behind the same door and in the same layout.
"""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, MutableMapping
from contextvars import ContextVar
from typing import Any, Final
from unittest.mock import patch

from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.pages.asking import EMPTY, MEASURES, SCREEN
from journeys import telemetry
from journeys.app.web import serving
from journeys.app.web.application import make_application
from journeys.app.web.house import House
from journeys.app.web.policy import STAFF
from journeys.app.web.rendering import page
from journeys.app.web.safety import Pace
from journeys.app.web.visit import Visit, door
from journeys.settings import load_settings
from journeys.store import database
from journeys.store.database import KeyedConnection

ENVELOPE: Final = ("BEGIN", "COMMIT", "ROLLBACK", "SET ROLE")
"""What opens and closes a transaction or a connection, and asks nothing."""

_asked: ContextVar[list[str] | None] = ContextVar("_asked", default=None)


class Counted(KeyedConnection):
    """A connection to the journal whose queries are known by the request that asked them."""

    __slots__ = ()

    async def fetch(self, query: str, *args: Any, **more: Any) -> Any:
        _note(query)
        return await super().fetch(query, *args, **more)

    async def fetchrow(self, query: str, *args: Any, **more: Any) -> Any:
        _note(query)
        return await super().fetchrow(query, *args, **more)

    async def fetchval(self, query: str, *args: Any, **more: Any) -> Any:
        _note(query)
        return await super().fetchval(query, *args, **more)

    async def execute(self, query: str, *args: Any, **more: Any) -> Any:
        _note(query)
        return await super().execute(query, *args, **more)


def _note(query: str) -> None:
    asked = _asked.get()
    if asked is not None and not query.lstrip().startswith(ENVELOPE):
        asked.append(query)


class Watch:
    """The application with a clock around it; tells what it saw at MEASURES, and forgets it."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        self._seen: dict[str, list[dict[str, Any]]] = {}
        self._worked = time.process_time()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._application(scope, receive, send)
        if scope["path"] == MEASURES:
            return await self._tell(scope, receive, send)
        asked: list[str] = []
        _asked.set(asked)
        screen = dict(scope["headers"]).get(SCREEN.lower().encode(), b"").decode()
        begun = time.perf_counter()

        status = 0

        async def passed_on(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                seen = {"seconds": time.perf_counter() - begun, "queries": len(asked), "status": status}
                self._seen.setdefault(screen, []).append(seen)
            await send(message)

        return await self._application(scope, receive, passed_on)

    def _tell(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        now = time.process_time()
        told = {"seen": self._seen, "cpu_seconds": now - self._worked}
        self._seen, self._worked = {}, now
        return Response(json.dumps(told), media_type="application/json")(scope, receive, send)


async def _empty(visit: Visit = door(STAFF)) -> Response:
    """The layout, with nothing in it."""
    return page(visit, "base.html")


def watched(house: House) -> Watch:
    """The product's application with the empty page; sixteen people of one address are no attack."""
    application = make_application(house, pace=Pace(a_minute=10_000_000))
    application.router.routes.append(APIRoute(EMPTY, _empty, methods=["GET"]))
    return Watch(application)


def main() -> None:
    telemetry.configure(level="WARNING")
    settings = load_settings()
    assert settings.database_url is not None
    with patch.object(serving, "make_application", watched), patch.object(database, "KeyedConnection", Counted):
        port = int(os.environ["PORT"])
        asyncio.run(serving.serve(settings, settings.database_url, settings.temporal_address, "127.0.0.1", port))


if __name__ == "__main__":
    main()
