"""Bodies of requests: how much is read, and forms that carry a file, of which no byte touches a disk here."""

import asyncio
from typing import Final

from fastapi import Request
from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from journeys.app.attaching import Attached, attach, too_large
from journeys.app.failures import Exit, Failure, Said

TEXTS: Final = 1_000_000
"""Bytes of everything in a form but its file."""
MOST_FIELDS: Final = 200
LARGEST_FIELD: Final = 200_000
"""Bytes: a text of 20,000 characters, however they are written."""
READ_THROUGH: Final = 5
"""A form whose file is up to so many times too large is read to its end, its file dropped: what was typed is kept."""
_LET_GO: Final = 20
"""Of what is larger still so much is let pass before the answer: a browser that is still sending would not read it."""
_LET_GO_SECONDS: Final = 30.0
_MULTIPART: Final = "multipart/form-data"


class TooLarge(Failure):
    """A body with more bytes than any form of ours has; it was not kept."""

    def __init__(self, largest: int) -> None:
        super().__init__(
            Exit.USAGE, "body-too-large",
            Said("ce que vous envoyez est trop gros ; rien n'a été gardé",
                 "what you are sending is too large; nothing was kept"),
            Said(f"revenez en arrière et choisissez un fichier de {largest / 1e6:g} Mo au plus",
                 f"go back and choose a file of {largest / 1e6:g} MB at most"),
        )  # fmt: skip


class BrokenForm(Failure):
    """A form that is not one: cut off on its way, or made by no browser."""

    def __init__(self) -> None:
        super().__init__(
            Exit.USAGE, "broken-form",
            Said("le formulaire est arrivé abîmé ; rien n'a été changé",
                 "the form arrived damaged; nothing was changed"),
            Said("revenez en arrière, puis envoyez-le de nouveau", "go back, then send it again"),
        )  # fmt: skip


class Bounded:
    """ASGI middleware: whoever reads a body reads so much of it and no more, whatever its length was said to be."""

    def __init__(self, app: ASGIApp, largest_document: int) -> None:
        self._app = app
        self._document = largest_document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        most = TEXTS + (READ_THROUGH * self._document if _carries_a_file(headers) else 0)
        said = headers.get("content-length", "0")
        declared = int(said) if said.isdecimal() and len(said) < 16 else most + 1
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > most or declared > most:
                    await _let_go(message, receive, _LET_GO * self._document)
                    raise TooLarge(self._document)
            return message

        await self._app(scope, counted, send)


async def _let_go(message: Message, receive: Receive, most: int) -> None:
    """Drop what is still coming, so far and so long."""
    gone = 0
    try:
        async with asyncio.timeout(_LET_GO_SECONDS):
            while message["type"] == "http.request" and message.get("more_body") and gone < most:
                message = await receive()
                gone += len(message.get("body", b""))
    except TimeoutError:
        return


def carries_a_file(request: Request) -> bool:
    """Whether a request's form is of the kind that can hold a file."""
    return _carries_a_file(request.headers)


def _carries_a_file(headers: Headers) -> bool:
    return headers.get("content-type", "").lstrip().lower().startswith(_MULTIPART)


async def read_form(request: Request, largest_document: int) -> None:
    """Read a form; `request.form()` answers it from here on.

    A file is held in memory; what it has beyond a document's largest size is dropped, and counted in its `size`.

    Raises:
        BrokenForm: it cannot be read. TooLarge: it was not read to its end.
    """
    try:
        if carries_a_file(request):
            reader = _Reader(request.headers, request.stream(), max_files=1, max_fields=MOST_FIELDS,
                             max_part_size=LARGEST_FIELD)  # fmt: skip
            reader.most = largest_document
            # The one place where Starlette looks for a form that was read before.
            request._form = await reader.parse()
        else:
            await request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD)
    except (MultiPartException, FormParserError, HTTPException, ClientDisconnect, ValueError):
        raise BrokenForm from None


class _Reader(MultiPartParser):
    """Starlette's, whose files stay in memory and stop growing."""

    most = 0
    spool_max_size = 0
    """Never rolled over to a file of the system's temporary directory."""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        file = self._current_part.file
        if file is None:
            super().on_part_data(data, start, end)
            return
        assert file.size is not None
        room = max(self.most - file.size, 0)
        if room:
            file.file.write(data[start : min(end, start + room)])
        file.size += end - start


async def attached_of(file: UploadFile | None, largest: int, field: str) -> Attached | None:
    """The document in a file that was chosen; None when none was. Raises Failure, which names the field."""
    if file is None:
        return None
    if (file.size or 0) > largest:
        raise too_large(file.size or 0, largest, field)
    return attach(file.filename or "", await file.read(), largest, field)


def typed_in(form: FormData) -> dict[str, str]:
    """What was typed, field by field; what stands in several inputs of one name, with commas between."""
    typed: dict[str, str] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            typed[name] = f"{typed[name]}, {value}" if typed.get(name) and value else typed.get(name) or value
    return typed


def file_of(form: FormData, name: str) -> UploadFile | None:
    """The file that was chosen in a field; None when none was."""
    found = form.get(name)
    return found if isinstance(found, UploadFile) and (found.filename or found.size) else None
