"""What a provider of payments, or a gateway, sends of its own accord: no session, a signature instead."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from journeys.app import noticing, receiving
from journeys.app.web.house import House
from journeys.app.web.policy import NOTICES, PUBLIC, RECEIPTS, Door
from journeys.issuing import Unfinished
from journeys.store.database import LOST
from journeys.store.deliveries import OtherSaid
from journeys.store.provider import OtherNotice

router = APIRouter()

_PAUSES_SECONDS: Final = (0.0, 1.0, 5.0, 20.0)

_BAD: Final[dict[type[Exception], tuple[int, str]]] = {
    noticing.Unsigned: (401, "not-signed"), noticing.Unreadable: (422, "not-a-notice"),
    OtherNotice: (409, "another-content"), OtherSaid: (409, "another-content"),
}  # fmt: skip


@dataclass(slots=True)
class Teller:
    """Tells journeys what was kept for them, beside the answers: a provider does not wait for the engine.

    What has to wait a moment (for our own word that the payment was instructed) is tried again soon; what must wait
    longer, or finds no engine, is told by the next round of the fleet.
    """

    house: House
    _fresh: bool = False
    _task: "asyncio.Task[None] | None" = None

    def wake(self) -> None:
        """Something was kept."""
        self._fresh = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._fresh:
            self._fresh = False
            for pause in _PAUSES_SECONDS:
                await asyncio.sleep(pause)
                if self._fresh or not await self._once():
                    break

    async def _once(self) -> bool:
        """Whether something waits that may soon be told."""
        house = self.house
        try:
            return await noticing.tell(house.writing, house.ring, house.client, house.settings.task_queue, house.now)
        except (*LOST, Unfinished) as error:
            structlog.get_logger("journeys.web").warning("notices not told", reason=type(error).__name__)
            return False


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
async def take(request: Request, body: bytes = _read) -> JSONResponse:
    """Keep a notice of a provider of payments, answer, then tell its journey: see `_keep`."""
    house: House = request.app.state.house
    return await _keep(
        request, body, lambda: noticing.take(
            house.writing, request.headers, body, house.settings.provider.notice_secrets
        )
    )  # fmt: skip


@router.post(RECEIPTS)
async def receive(request: Request, body: bytes = _read) -> JSONResponse:
    """Keep a receipt, or a phone's answer, of a gateway; then tell its journey: see `_keep`."""
    house: House = request.app.state.house
    return await _keep(
        request, body, lambda: receiving.take(house.writing, request.headers, body, house.settings.sms.notice_secrets)
    )


async def _keep(request: Request, body: bytes, keep: Callable[[], Awaitable[bool]]) -> JSONResponse:
    """Answers 202; 401 not signed, 409 the event said something else before, 413, 422: nothing was kept."""
    if len(body) > noticing.LARGEST:
        return _refused(413, "too-large")
    try:
        fresh = await keep()
    except tuple(_BAD) as error:
        return _refused(*_BAD[type(error)])
    request.app.state.teller.wake()
    return JSONResponse({"kept": True, "again": not fresh}, status_code=202)


def _refused(status: int, code: str) -> JSONResponse:
    return JSONResponse({"kept": False, "error": code}, status_code=status)
