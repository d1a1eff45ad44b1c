"""The door itself: who comes in, and how they leave."""

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.web.policy import PUBLIC, STAFF
from journeys.app.web.rendering import go, local_path, page
from journeys.app.web.visit import Visit, cookie_name, door
from journeys.store import sessions

router = APIRouter()


@router.get("/connexion")
async def login(visit: Visit = door(PUBLIC)) -> Response:
    return page(visit, "login.html", back=local_path(visit.request.query_params.get("suite")))


@router.post("/deconnexion")
async def logout(visit: Visit = door(STAFF)) -> Response:
    """End the session at once, here and in the database."""
    name = cookie_name(visit.request)
    await visit.done()
    await sessions.close(visit.house.writing, visit.request.cookies.get(name, ""))
    answer = go("/connexion")
    answer.delete_cookie(name, path="/")
    return answer
