"""What a provider of payments sends of its own accord: no session, a signature instead."""

from typing import Final

import structlog
from fastapi import APIRouter, BackgroundTasks, Depends, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from journeys.app import noticing
from journeys.app.web.house import House
from journeys.app.web.policy import NOTICES, PUBLIC, Door
from journeys.store.database import LOST
from journeys.store.provider import OtherNotice

router = APIRouter()

_BAD: Final[dict[type[Exception], tuple[int, str]]] = {
    noticing.Unsigned: (401, "not-signed"), noticing.Unreadable: (422, "not-a-notice"),
    OtherNotice: (409, "another-content"),
}  # fmt: skip


class _Bounded(Door):
    """Reads so much as a notice has and a byte more; who sent it is told by its signature, not by a session."""

    async def __call__(self, request: Request) -> bytes:
        body = b""
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > noticing.LARGEST:
                    return body[: noticing.LARGEST + 1]
        except ClientDisconnect:
            return b""
        return body


_read = Depends(_Bounded(PUBLIC))


@router.post(NOTICES)
async def take(request: Request, later: BackgroundTasks, body: bytes = _read) -> JSONResponse:
    """Keep a notice, answer, then tell its journey.

    Answers 202; 401 not signed, 409 the event said something else before, 413, 422: nothing was kept.
    """
    house: House = request.app.state.house
    if len(body) > noticing.LARGEST:
        return _refused(413, "too-large")
    try:
        fresh = await noticing.take(house.writing, request.headers, body, house.settings.provider.notice_secrets)
    except tuple(_BAD) as error:
        return _refused(*_BAD[type(error)])
    later.add_task(_tell, house)
    return JSONResponse({"kept": True, "again": not fresh}, status_code=202)


async def _tell(house: House) -> None:
    """At once; where that fails, the next round of the fleet does it."""
    try:
        await noticing.tell(house.writing, house.ring, house.client, house.settings.task_queue, house.now)
    except LOST as error:
        structlog.get_logger("journeys.web").warning("notices not told", reason=type(error).__name__)


def _refused(status: int, code: str) -> JSONResponse:
    return JSONResponse({"kept": False, "error": code}, status_code=status)
