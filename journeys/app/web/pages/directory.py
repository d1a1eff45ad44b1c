"""Who can be counted on: the team with its absences, partners, and mentors."""

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.reading import today_of
from journeys.app.web.policy import READERS, STAFF
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.store import mentors, partners, staff

router = APIRouter()


@router.get("/equipe")
async def team(visit: Visit = door(STAFF)) -> Response:
    members = await staff.members(visit.connection)
    absences = await staff.absences(visit.connection, today_of(visit.now))
    await visit.done()
    return page(
        visit, "team.html", members=sorted((each for each in members if each.active), key=lambda each: each.name),
        names={each.id: each.name for each in members}, absences=absences, programmes=await visit.house.programmes(),
    )  # fmt: skip


@router.get("/partenaires")
async def partner_list(visit: Visit = door(READERS)) -> Response:
    found = [each for each in await partners.partners(visit.connection) if each.active]
    return page(visit, "partners.html", partners=found)


@router.get("/mentors")
async def mentor_list(visit: Visit = door(READERS)) -> Response:
    return page(visit, "mentors.html", mentors=await mentors.mentors(visit.connection))
