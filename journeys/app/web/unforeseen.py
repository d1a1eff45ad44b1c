"""What goes wrong and nobody foresaw: in the log with its place, and told to whoever asked, in their language."""

from collections.abc import Callable
from typing import Final

import structlog
from fastapi import Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from journeys.app.failures import Exit, Failure, Said
from journeys.app.web.safety import loggable

UNFORESEEN: Final = Failure(
    Exit.FAILED, "unforeseen",
    Said("quelque chose a mal tourné de notre côté", "something went wrong on our side"),
    Said("si vous demandiez un changement, regardez s'il est noté avant de recommencer ; si cela revient, prévenez la "
         "personne qui tient la machine : elle en trouve la trace dans le journal du serveur",
         "if you asked for a change, see whether it is noted before you try again; if it comes back, tell whoever "
         "keeps the machine: its trace is in the log of the server"),
)  # fmt: skip


class Unforeseen:
    """ASGI middleware: an error that reaches it ends in an answer like any other, with the headers of all."""

    def __init__(self, app: ASGIApp, told: Callable[[Request, Failure], Response]) -> None:
        self._app = app
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            structlog.get_logger().error("nobody foresaw this", path=loggable(scope["path"]), exc_info=error)
            await self._told(Request(scope), UNFORESEEN)(scope, receive, send)
