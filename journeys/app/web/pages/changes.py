"""`/changements`: one line whenever what the page shows has changed; the page then fetches itself again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from journeys.app.web.house import House
from journeys.app.web.policy import PUBLIC, STAFF
from journeys.app.web.rendering import go, local_path
from journeys.app.web.visit import LANG_COOKIE, Visit, cookie_name, door, visible
from journeys.i18n import language
from journeys.identifiers import is_uuid
from journeys.store import views
from journeys.store.sessions import enter

router = APIRouter()

LOOK_SECONDS: Final = 3.0
ALIVE_SECONDS: Final = 24.0
LONGEST_SECONDS: Final = 1800.0


@router.get("/changements")
async def changes(visit: Visit = door(STAFF)) -> Response:
    """Server-sent events: `changed`, then the stream ends, for the page asks anew with the version it got."""
    query = visit.request.query_params
    token = visit.request.cookies.get(cookie_name(visit.request), "")
    version = int(query["version"]) if query.get("version", "").isdecimal() else 0
    about = query.get("parcours")
    await visit.done()
    told = _tell(visit.house, token, about if about is not None and is_uuid(about) else None, version)
    return StreamingResponse(told, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _tell(house: House, token: str, journey: str | None, version: int) -> AsyncIterator[str]:
    yield "retry: 5000\n\n"
    waited = 0.0
    while waited < LONGEST_SECONDS:
        await asyncio.sleep(LOOK_SECONDS)
        waited += LOOK_SECONDS
        now = await _version(house, token, journey)
        if now is None:
            return
        if now != version:
            yield f"event: changed\ndata: {now}\n\n"
            version = now
        elif waited % ALIVE_SECONDS < LOOK_SECONDS:
            yield ": alive\n\n"


async def _version(house: House, token: str, journey: str | None) -> int | None:
    """The version under the visitor's own eyes; None once the session has ended."""
    try:
        async with house.reading.acquire() as connection, connection.transaction():
            visitor = await enter(connection, token)
            if visitor is None:
                return None
            return await views.version(connection, journey, visitor.leaders, visitor.roles, visible(visitor))
    except (OSError, TimeoutError):
        return None


@router.get("/langue")
async def choose_language(visit: Visit = door(PUBLIC)) -> Response:
    """Keep the language chosen in this browser."""
    answer = go(local_path(visit.request.query_params.get("suite")))
    answer.set_cookie(LANG_COOKIE, language(visit.request.query_params.get("lang")), max_age=31_536_000, httponly=True,
                      samesite="lax", secure=visit.request.url.scheme == "https")  # fmt: skip
    return answer
