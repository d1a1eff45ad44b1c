"""In and out: the cookie of a session, its rotation, and the way back to where somebody wanted to go."""

from fastapi.responses import Response

from journeys.app.web.proof import Typed
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import BEFORE, COOKIE, NotEntered, Visit, set_cookie
from journeys.store import sessions
from journeys.store.sessions import How


async def let_in(visit: Visit, staff: str, how: How, back: str) -> Response:
    """Open a session of a member. Whatever this browser held before is worth nothing from here."""
    await visit.done()
    if visit.token:
        await sessions.close(visit.house.writing, visit.token)
    token = await sessions.open_session(visit.house.writing, staff, how)
    answer = go(back)
    set_cookie(visit.request, answer, COOKIE, token)
    answer.delete_cookie(BEFORE, path="/")
    return answer


async def proved(visit: Visit, back: str, typed: Typed) -> Response:
    """The visitor has proved who they are: a fresh token, then back; what was typed waits for one more button."""
    await visit.done()
    token = await sessions.renew(visit.house.writing, visit.token)
    if token is None:
        raise NotEntered(back)
    visit.token = token
    answer = page(visit, "again.html", back=back, typed=typed) if typed else go(back)
    set_cookie(visit.request, answer, COOKIE, token)
    return answer
