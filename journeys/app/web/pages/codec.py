"""What Temporal keeps of a journey, opened for Temporal's own pages: its codec server, for whoever may look into it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from journeys.app.web.policy import CODEC, PUBLIC, READERS, Door
from journeys.app.web.visit import Visit, arrive, door
from journeys.identifiers import is_uuid
from journeys.store import views

if TYPE_CHECKING:
    from temporalio.api.common.v1 import Payload

    from journeys.codec import SealingCodec

router = APIRouter()

MOST: Final = 5_000
"""Payloads that one request may bring; Temporal's pages send those of one event or one page."""


class _Asked(Door):
    """Somebody with a session. What they send is no form: `safety` has looked where it comes from."""

    async def __call__(self, request: Request) -> AsyncIterator[Visit]:
        visit = await arrive(request)
        try:
            if visit.known is None:
                raise HTTPException(401, "log in to the application first, in this browser", cors(request))
            if not visit.admitted(self.policy):
                raise HTTPException(403, "no role of yours looks into journeys", cors(request))
            yield visit
            visit.note_looks("web")
        finally:
            await visit.done()


_asked = Depends(_Asked(READERS))


@router.options(CODEC)
async def may_ask(visit: Visit = door(PUBLIC)) -> Response:
    """What a browser asks before a page of another address may send anything here."""
    if not (allowed := cors(visit.request)):
        return Response(status_code=403)
    return Response(status_code=204, headers={
        **allowed, "Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "content-type, x-namespace",
        "Access-Control-Max-Age": "600",
    })  # fmt: skip


@router.post(CODEC)
async def decode(request: Request, visit: Visit = _asked) -> JSONResponse:
    """Payloads as Temporal's pages send them, each opened that the visitor may read; the others as they came.

    Answers 401 without a session, 403 without a role that looks into journeys, 422 for what are no payloads.
    """
    from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
    from temporalio.api.common.v1 import Payload

    from journeys.codec import SealingCodec

    try:
        asked = json.loads(await request.body())["payloads"]
        if not isinstance(asked, list) or len(asked) > MOST:
            raise ValueError("payloads")
        payloads = [ParseDict(each, Payload()) for each in asked]
    except (ClientDisconnect, ParseError, ValueError, TypeError, KeyError, RecursionError):
        return JSONResponse({"error": "not-payloads"}, 422, cors(request))
    opened = await _opened(visit, SealingCodec(visit.house.writing.keys), payloads)
    return JSONResponse({"payloads": [MessageToDict(each) for each in opened]}, headers=cors(request))


async def _opened(visit: Visit, codec: "SealingCodec", payloads: "Sequence[Payload]") -> "list[Payload]":
    from journeys.codec import Unreadable, workflow_of

    of = [workflow_of(each) or "" for each in payloads]
    named = {each.removeprefix("journey-") for each in of if each.startswith("journey-")}
    seen = await views.seen(visit.connection, {each for each in named if is_uuid(each)})
    await visit.done()
    found = []
    for workflow, payload in zip(of, payloads, strict=True):
        journey = workflow.removeprefix("journey-") if workflow.startswith("journey-") else None
        if journey is None or journey in seen:
            with suppress(Unreadable):
                [payload] = await codec.decode([payload])
                if journey is not None:
                    visit.opened[journey] = "history"
        found.append(payload)
    return found


def cors(request: Request) -> dict[str, str]:
    """What lets a page of Temporal's read the answer; nothing for any other."""
    settings: Any = request.app.state.house.settings
    origin = request.headers.get("origin")
    if origin is None or origin != settings.temporal_ui:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}
