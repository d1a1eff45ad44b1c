"""The appointments of a journey, as a calendar subscribes to them: whoever has the address may look, until it ends."""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from journeys.app.feeds import calendar_of
from journeys.app.web.policy import PUBLIC
from journeys.app.web.visit import Visit, door
from journeys.i18n import N_
from journeys.store import feeds

router = APIRouter()

REFRESHED: Final = timedelta(hours=1)
"""How long a calendar may keep what it has read."""

_UNKNOWN: Final = N_("Cette adresse d'agenda n'est pas connue. Reprenez-la en entier.")
_ENDED: Final = N_("Cette adresse d'agenda ne montre plus rien : elle a été retirée, ou l'accompagnement est terminé.")


@router.get(feeds.PATH + "{token}")
async def shown(token: str, visit: Visit = door(PUBLIC)) -> Response:
    """The calendar; 404 for an address that never was, 410 for one that was taken back or whose journey is closed."""
    pool = visit.house.writing
    await visit.done()
    feed = await feeds.opened(pool, token)
    if feed is None:
        return PlainTextResponse(visit.say(_UNKNOWN), 404)
    made = await calendar_of(pool, feed, visit.house.settings.association, visit.now)
    if made is None:
        return PlainTextResponse(visit.say(_ENDED), 410)
    return Response(
        made, media_type="text/calendar; charset=utf-8",
        headers={"cache-control": f"private, max-age={int(REFRESHED.total_seconds())}"},
    )  # fmt: skip
